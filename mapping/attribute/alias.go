package attribute

import (
	"maps"
	"slices"
	"strings"
)

type alias struct {
	name  string
	first bool
}

// aliases are the names that synchronization schemas and the directory API before
// Graph use for attributes that Graph v1.0 calls otherwise.
// https://learn.microsoft.com/graph/migrate-azure-ad-graph-property-differences
var aliases = map[string]alias{
	"deletionTimestamp":              {name: "deletedDateTime"},
	"dirSyncEnabled":                 {name: "onPremisesSyncEnabled"},
	"facsimileTelephoneNumber":       {name: "faxNumber"},
	"immutableId":                    {name: "onPremisesImmutableId"},
	"lastDirSyncTime":                {name: "onPremisesLastSyncDateTime"},
	"mobile":                         {name: "mobilePhone"},
	"objectId":                       {name: "id"},
	"originalUserPrincipalName":      {name: "userPrincipalName"}, // they differ for external users only, who are not read
	"physicalDeliveryOfficeName":     {name: "officeLocation"},
	"refreshTokensValidFromDateTime": {name: "signInSessionsValidFromDateTime"},
	"samAccountName":                 {name: "onPremisesSamAccountName"},
	"sipProxyAddress":                {name: "imAddresses", first: true},
	"telephoneNumber":                {name: "businessPhones", first: true},
	"userIdentities":                 {name: "identities"},
	"userState":                      {name: "externalUserState"},
	"userStateChangedOn":             {name: "externalUserStateChangeDateTime"},
}

// holders are the complex properties of Graph whose members are attributes of
// their own here. A filter of Graph writes them with their holder, as in
// employeeOrgData/division, so that spelling is understood as well.
var holders = map[string]func(member string) bool{
	"employeeOrgData/":               func(m string) bool { return m == "costCenter" || m == "division" },
	"onPremisesExtensionAttributes/": func(m string) bool { return strings.HasPrefix(m, "extensionAttribute") },
}

// unholder returns the attribute that a path such as employeeOrgData/division
// means, else the name itself.
func unholder(name string) string {
	for prefix, holds := range holders {
		if member, ok := strings.CutPrefix(name, prefix); ok && holds(member) {
			return member
		}
	}
	return name
}

// missing are attributes of synchronization schemas that Graph v1.0 has not, each
// with the reason and, where there is one, with what stands in for it.
var missing = map[string]string{
	"HiddenFromAddressListsEnabled": exchange + "; use showInAddressList",
	"IsSoftDeleted":                 "scope, the filters and deprovision say what becomes of a user who leaves",
	"alternativeSecurityIds":        internal + "; users are matched by their addresses",
	"cloudAnchor":                   internal,
	"hiddenFromAddressListsEnabled": exchange + "; use showInAddressList",
	"netId":                         internal + "; users are matched by their addresses",
	"passwordProfile.password":      passwordless,
	"provisionErrors":               "Graph keeps it in serviceProvisioningErrors, which is a list of objects",
	"signInNames":                   "Graph keeps them in identities, which is a list of objects",
	"sourceAnchor":                  internal,
	"targetAddress":                 exchange,
	"thumbnailPhoto":                "photos are not part of the directory's data",
}

const (
	internal = "it is internal to Microsoft's own service"
	exchange = "it belongs to Exchange"
)

// MissingNames returns, sorted, the names that [Missing] knows one by one.
func MissingNames() []string { return slices.Sorted(maps.Keys(missing)) }

// Missing returns why Graph v1.0 has no attribute of that name although
// synchronization schemas do, or "" when nothing is known of it.
func Missing(name string) string {
	switch _, known := Lookup(name); {
	case known:
		return ""
	case strings.HasPrefix(name, "msExch"):
		return exchange
	case strings.HasPrefix(name, "extensionAttribute") && strings.Trim(name[len("extensionAttribute"):], "0123456789") == "":
		return "they are extensionAttribute1 to extensionAttribute15"
	case strings.HasPrefix(name, "extension_"):
		return "a directory extension is named extension_<application id without dashes, 32 digits>_<name>"
	}
	return missing[name]
}
