package attribute_test

import (
	"slices"
	"strings"
	"testing"

	"tenantsync/directory"
	"tenantsync/mapping/attribute"
)

func TestLookup(t *testing.T) {
	const appID = "0123456789abcdef0123456789ABCDEF"
	tests := []struct {
		name, ask, want string
		kind            directory.Kind
		first           bool
	}{
		{"Graph's own name", "department", "department", directory.Text, false},
		{"Boolean", "accountEnabled", "accountEnabled", directory.Bool, false},
		{"several values", "otherMails", "otherMails", directory.List, false},
		{"reference", "manager", "manager", directory.Ref, false},
		{"member of onPremisesExtensionAttributes", "extensionAttribute15", "extensionAttribute15", directory.Text, false},
		{"member of employeeOrgData", "costCenter", "costCenter", directory.Text, false},
		{"old name", "physicalDeliveryOfficeName", "officeLocation", directory.Text, false},
		{"old name of the first of several", "telephoneNumber", "businessPhones", directory.List, true},
		{"old name of the mobile", "mobile", "mobilePhone", directory.Text, false},
		{"directory extension", "extension_" + appID + "_costCenter", "extension_" + appID + "_costCenter", directory.Absent, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := attribute.Lookup(tt.ask)
			if !ok || got.Name != tt.want || got.Kind != tt.kind || got.First != tt.first {
				t.Errorf("%s: %+v, known %v; want %s, %s, first %v", tt.ask, got, ok, tt.want, tt.kind, tt.first)
			}
		})
	}
}

// Every attribute that Microsoft's cross-tenant synchronization maps or lists is
// known by the name it has there, or explained.
func TestNamesOfSynchronizationSchemas(t *testing.T) {
	for name, want := range map[string]string{
		"objectId": "id", "mobile": "mobilePhone", "physicalDeliveryOfficeName": "officeLocation", "telephoneNumber": "businessPhones",
		"facsimileTelephoneNumber": "faxNumber", "originalUserPrincipalName": "userPrincipalName", "immutableId": "onPremisesImmutableId",
		"dirSyncEnabled": "onPremisesSyncEnabled", "lastDirSyncTime": "onPremisesLastSyncDateTime", "userState": "externalUserState",
		"userStateChangedOn": "externalUserStateChangeDateTime", "deletionTimestamp": "deletedDateTime", "samAccountName": "onPremisesSamAccountName",
		"refreshTokensValidFromDateTime": "signInSessionsValidFromDateTime", "sipProxyAddress": "imAddresses", "userIdentities": "identities",
		"accountEnabled": "accountEnabled", "streetAddress": "streetAddress", "companyName": "companyName", "showInAddressList": "showInAddressList",
		"appRoleAssignments": "appRoleAssignments", "proxyAddresses": "proxyAddresses", "manager": "manager", "extensionAttribute15": "extensionAttribute15",
		"employeeOrgData/division": "division", "onPremisesExtensionAttributes/extensionAttribute7": "extensionAttribute7",
	} {
		info, ok := attribute.Lookup(name)
		if !ok || info.Name != want || attribute.Missing(name) != "" {
			t.Errorf("%s is %q, known %v, missing %q; want %s", name, info.Name, ok, attribute.Missing(name), want)
		}
	}
	for _, name := range append(attribute.MissingNames(), "netId", "alternativeSecurityIds", "IsSoftDeleted", "targetAddress", "msExchHideFromAddressLists") {
		if info, ok := attribute.Lookup(name); ok || attribute.Missing(name) == "" {
			t.Errorf("%s: %+v, known %v, reason %q; want it unknown with a reason", name, info, ok, attribute.Missing(name))
		}
	}
	for _, name := range []string{"employeeOrgData/city", "onPremisesExtensionAttributes/city", "employeeOrgData/", "departmnt"} {
		if info, ok := attribute.Lookup(name); ok || attribute.Missing(name) != "" {
			t.Errorf("%s: %+v, want it unknown without a reason", name, info)
		}
	}
}

// What Graph finds by a plain filter: the properties marked as such in
// https://learn.microsoft.com/graph/aad-advanced-queries
func TestWhatCanBeSearched(t *testing.T) {
	for name, want := range map[string]bool{"employeeId": true, "mail": true, "displayName": true, "department": true, "city": true, "country": true, "surname": true,
		"givenName": true, "jobTitle": true, "state": true, "userPrincipalName": true, "businessPhones": true, "companyName": false, "employeeType": false,
		"mobilePhone": false, "officeLocation": false, "postalCode": false, "preferredLanguage": false, "streetAddress": false, "extensionAttribute1": false,
		"employeeHireDate": false, "faxNumber": false, "costCenter": false, "userType": false, "manager": false,
		"extension_0123456789abcdef0123456789abcdef_x": true} {
		if info, _ := attribute.Lookup(name); (info.Unsearchable == "") != want {
			t.Errorf("%s: unsearchable %q, want searchable %v", name, info.Unsearchable, want)
		}
	}
}

func TestUnknownNames(t *testing.T) {
	for _, name := range []string{"", "Department", "departmnt", "extensionAttribute0", "extensionAttribute16", "extension_short_x",
		"extension_0123456789abcdef0123456789abcdeg_x", "extension_0123456789abcdef0123456789abcdef_",
		"extension_0123456789abcdef0123456789abcdef_a b", "extension_0123456789abcdef0123456789abcdefxy", "IsSoftDeleted", "netId"} {
		if info, ok := attribute.Lookup(name); ok {
			t.Errorf("%q is known as %+v, want it unknown", name, info)
		}
	}
}

func TestWhatCanBeWritten(t *testing.T) {
	writable := []string{"accountEnabled", "streetAddress", "city", "state", "postalCode", "country", "department", "employeeId", "displayName",
		"givenName", "jobTitle", "officeLocation", "preferredLanguage", "surname", "businessPhones", "mail", "manager", "userType",
		"showInAddressList", "companyName", "mobilePhone", "usageLocation", "extensionAttribute1", "employeeHireDate", "division"}
	for _, name := range writable {
		if info, ok := attribute.Lookup(name); !ok || info.Refused != "" || info.Unreadable != "" {
			t.Errorf("%s: known %v, refused %q, unreadable %q; want it writable", name, ok, info.Refused, info.Unreadable)
		}
	}
	for name, why := range map[string]string{"userPrincipalName": "external users", "mailNickname": "external users", "proxyAddresses": "map mail instead",
		"otherMails": "map mail instead", "id": "read-only", "creationType": "read-only", "aboutMe": "outside the directory"} {
		if info, ok := attribute.Lookup(name); !ok || !strings.Contains(info.Refused, why) {
			t.Errorf("%s: known %v, refused %q; want a reason with %q", name, ok, info.Refused, why)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, want := range map[string]int{"displayName": 256, "department": 64, "companyName": 64, "givenName": 64, "surname": 64, "jobTitle": 128,
		"city": 128, "country": 128, "state": 128, "officeLocation": 128, "employeeId": 16, "postalCode": 40, "streetAddress": 1024,
		"mobilePhone": 64, "extensionAttribute7": 1024, "usageLocation": 2, "mail": 0} {
		if info, _ := attribute.Lookup(name); info.MaxLength != want {
			t.Errorf("%s holds %d characters, want %d", name, info.MaxLength, want)
		}
	}
	for _, name := range []string{"displayName", "usageLocation", "userType", "accountEnabled"} {
		if info, _ := attribute.Lookup(name); !info.Fixed {
			t.Errorf("%s can be cleared, want that it cannot", name)
		}
	}
}

func TestWhatFiltersMayAsk(t *testing.T) {
	for _, name := range []string{"department", "accountEnabled", "telephoneNumber", "userPrincipalName", "extensionAttribute1", "onPremisesSyncEnabled"} {
		if info, _ := attribute.Lookup(name); info.Unfiltered != "" {
			t.Errorf("%s cannot be used in a filter: %s", name, info.Unfiltered)
		}
	}
	for _, name := range []string{"businessPhones", "proxyAddresses", "userType", "manager", "employeeHireDate", "createdDateTime", "skills"} {
		if info, _ := attribute.Lookup(name); info.Unfiltered == "" {
			t.Errorf("%s can be used in a filter, want a reason against it", name)
		}
	}
}

func TestTypeNames(t *testing.T) {
	for name, want := range map[string]string{"accountEnabled": "Boolean", "department": "String", "manager": "Reference", "employeeHireDate": "DateTime",
		"otherMails": "String", "telephoneNumber": "String", "extension_0123456789abcdef0123456789abcdef_x": ""} {
		info, _ := attribute.Lookup(name)
		if got := info.TypeName(); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{"departmnt": "department", "Department": "department", "givenname": "givenName",
		"extensionAttribut1": "extensionAttribute1", "mobil": "mobile", "zzzzzz": "",
		"employeeOrgData.division": "division", "onPremisesExtensionAttributes.extensionAttribute7": "extensionAttribute7", "employeeOrgData.city": "employeeOrgData"} {
		if got := attribute.Nearest(name); got != want {
			t.Errorf("nearest to %q is %q, want %q", name, got, want)
		}
	}
}

func TestNamesAreSortedAndKnown(t *testing.T) {
	all := slices.Collect(attribute.Names())
	if !slices.IsSorted(all) || len(all) != len(slices.Compact(slices.Clone(all))) {
		t.Error("the names are not sorted, or one stands twice")
	}
	for _, name := range all {
		if info, ok := attribute.Lookup(name); !ok || info.Name == "" {
			t.Errorf("%s is listed but unknown", name)
		}
	}
}

func TestWhatWasProbablyMeant(t *testing.T) {
	for _, tt := range []struct{ name, nearest, missing string }{
		{"departmnt", "department", ""},
		{"user.department", "department", ""},
		{"onPremisesExtensionAttributes.extensionAttribute1", "extensionAttribute1", ""},
		{"a.b", "", ""},
		{"extensionAttribute16", "", "they are extensionAttribute1 to extensionAttribute15"},
		{"extensionAttribute", "", "they are extensionAttribute1 to extensionAttribute15"},
		{"extension_0123_costCode", "", "a directory extension is named extension_<application id without dashes, 32 digits>_<name>"},
		{"extension_0123456789abcdef0123456789abcdef_costCode", "", ""},
	} {
		if got := attribute.Missing(tt.name); got != tt.missing {
			t.Errorf("%s is missing because %q, want %q", tt.name, got, tt.missing)
		}
		if tt.missing != "" {
			continue
		}
		if got := attribute.Nearest(tt.name); got != tt.nearest {
			t.Errorf("nearest to %s: got %q, want %q", tt.name, got, tt.nearest)
		}
	}
}
