package mapping_test

import (
	"errors"
	"strings"
	"testing"

	"tenantsync/directory"
	"tenantsync/mapping"
)

// Only allowed values are written, exactly as they are spelt; another one fails the
// user, on create and on update alike.
func TestAllowedValues(t *testing.T) {
	const extension = "extension_0123456789abcdef0123456789abcdef_roles"
	source := func(department string) directory.Attributes {
		return directory.AttributesOf(map[string]directory.Value{
			"department": directory.TextOf(department), "otherMails": directory.ListOf(department+"@x.example", "b@x.example")})
	}
	for _, c := range []struct {
		name, department string
		m                mapping.Mapping
		refused          bool
	}{
		{"allowed", "Sales", mapping.Mapping{Target: "department", Source: "department", Allowed: []string{"Finance", "Sales"}}, false},
		{"another", "Domain Admins", mapping.Mapping{Target: "department", Source: "department", Allowed: []string{"Finance", "Sales"}}, true},
		{"another case", "sales", mapping.Mapping{Target: "department", Source: "department", Allowed: []string{"Sales"}}, true},
		{"no value", "", mapping.Mapping{Target: "department", Source: "department", Allowed: []string{"Sales"}}, false},
		{"no restriction", "Domain Admins", mapping.Mapping{Target: "department", Source: "department"}, false},
		{"by expression", "Member", mapping.Mapping{Target: "userType", Expression: "[department]", Allowed: []string{"Guest"}}, true},
		{"every member of a list", "a", mapping.Mapping{Target: extension, Multivalued: true, Source: "otherMails", Allowed: []string{"a@x.example", "b@x.example"}}, false},
		{"one member of a list", "c", mapping.Mapping{Target: extension, Multivalued: true, Source: "otherMails", Allowed: []string{"a@x.example", "b@x.example"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, problems := mapping.Compile([]mapping.Mapping{c.m})
			if s == nil {
				t.Fatal(problems)
			}
			for _, flow := range []mapping.Flow{mapping.Create, mapping.Update} {
				_, err := s.Apply(mapping.Input{Source: source(c.department), Flow: flow})
				var f *mapping.Failure
				if got := errors.As(err, &f); got != c.refused {
					t.Errorf("flow %d: got error %v, want one: %v", flow, err, c.refused)
				}
				if err != nil && !strings.Contains(err.Error(), "allowedValues") {
					t.Errorf("flow %d: got %v, want the reason to name allowedValues", flow, err)
				}
			}
		})
	}
}

// A sensitive value is not told by the refusal.
func TestAllowedValuesHideWhatIsSensitive(t *testing.T) {
	s, problems := mapping.Compile([]mapping.Mapping{{Target: "employeeId", Source: "employeeId", Sensitive: true, Allowed: []string{"1"}}})
	if s == nil {
		t.Fatal(problems)
	}
	_, err := s.Apply(mapping.Input{Source: directory.AttributesOf(map[string]directory.Value{"employeeId": directory.TextOf("E-SECRET")})})
	if err == nil || strings.Contains(err.Error(), "E-SECRET") {
		t.Errorf("got %v, want a refusal without the value", err)
	}
}

// What the configuration would write itself must be allowed, and a reference has
// no values.
func TestAllowedValuesThatCannotBeMeant(t *testing.T) {
	for _, c := range []struct {
		m     mapping.Mapping
		field string
	}{
		{mapping.Mapping{Target: "userType", Constant: directory.TextOf("Member"), Allowed: []string{"Guest"}}, "constant"},
		{mapping.Mapping{Target: "city", Source: "city", Default: directory.TextOf("Oslo"), Allowed: []string{"Rome"}}, "defaultValue"},
		{mapping.Mapping{Target: "manager", Source: "manager", Allowed: []string{"x"}}, "allowedValues"},
	} {
		_, problems := mapping.Compile([]mapping.Mapping{c.m})
		if len(problems) != 1 || problems[0].Field != c.field || problems[0].Severity != mapping.Error {
			t.Errorf("%s: got %v, want one error about %s", c.m.Target, problems, c.field)
		}
	}
}
