package attribute

import "strings"

// DecidesAccess reports whether a tenant commonly lets an attribute decide what a
// user may do: in the rules of dynamic groups and administrative units, and in
// conditional access. Whoever can set it in a source can reach for rights in a target.
// https://learn.microsoft.com/entra/identity/users/groups-dynamic-membership#supported-properties
func DecidesAccess(name string) bool {
	switch name {
	case "userType", "companyName", "jobTitle", "department", "employeeId", "employeeType", "costCenter", "division":
		return true
	}
	return strings.HasPrefix(name, "extensionAttribute") || IsExtension(name)
}
