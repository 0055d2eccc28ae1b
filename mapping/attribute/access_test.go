package attribute_test

import (
	"testing"

	"tenantsync/mapping/attribute"
)

func TestDecidesAccess(t *testing.T) {
	for _, name := range []string{"userType", "department", "jobTitle", "companyName", "employeeId", "employeeType", "costCenter", "division",
		"extensionAttribute1", "extensionAttribute15", "extension_0123456789abcdef0123456789abcdef_level"} {
		if !attribute.DecidesAccess(name) {
			t.Errorf("%s: got no, want it to be marked", name)
		}
	}
	for _, name := range []string{"city", "displayName", "mobilePhone", ""} {
		if attribute.DecidesAccess(name) {
			t.Errorf("%q: got yes, want what decides little not to be marked", name)
		}
	}
}
