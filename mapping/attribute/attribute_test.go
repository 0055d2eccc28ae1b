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
		"extensionAttribut1": "extensionAttribute1", "mobil": "mobile", "zzzzzz": ""} {
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
