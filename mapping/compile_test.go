package mapping_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/mapping"
)

const extension = "extension_0123456789abcdef0123456789abcdef_costCenter"

func text(s string) directory.Value { return directory.TextOf(s) }

func yes() *bool { b := true; return &b }

func no() *bool { b := false; return &b }

// schema compiles mappings that must not have a problem of any kind.
func schema(t testing.TB, ms ...mapping.Mapping) *mapping.Schema {
	t.Helper()
	s, problems := mapping.Compile(ms)
	if len(problems) > 0 {
		t.Fatalf("problems: %+v", problems)
	}
	return s
}

func TestCompileProblems(t *testing.T) {
	tests := []struct {
		name string
		m    mapping.Mapping
		want mapping.Problem
	}{
		{"no target", mapping.Mapping{Source: "mail"},
			mapping.Problem{Field: "target", Message: "the mapping has no target"}},
		{"unknown target", mapping.Mapping{Target: "departmnt", Source: "department"},
			mapping.Problem{Field: "target", Message: `unknown attribute "departmnt"`, Suggestion: "department"}},
		{"unknown source", mapping.Mapping{Target: "department", Source: "Department"},
			mapping.Problem{Field: "source", Message: `unknown attribute "Department"`, Suggestion: "department"}},
		{"no source", mapping.Mapping{Target: "department"},
			mapping.Problem{Message: "the mapping has no source: give one of source, constant and expression"}},
		{"two sources", mapping.Mapping{Target: "department", Source: "department", Constant: text("Sales")},
			mapping.Problem{Message: "the mapping has more than one source: give only one of source, constant and expression"}},
		{"null constant beside an expression", mapping.Mapping{Target: "department", Constant: directory.NullValue(), Expression: `"x"`},
			mapping.Problem{Message: "the mapping has more than one source: give only one of source, constant and expression"}},
		{"unknown function", mapping.Mapping{Target: "displayName", Expression: `Apend([givenName], "x")`},
			mapping.Problem{Field: "expression", Offset: 0, Length: 5, Message: "unknown function Apend", Suggestion: "Append"}},
		{"boolean argument", mapping.Mapping{Target: "displayName", Expression: `Join(" ", [accountEnabled], [surname])`},
			mapping.Problem{Field: "expression", Offset: 10, Length: 16, Message: "Join: argument 2 must be text, [accountEnabled] is Boolean"}},
		{"unknown attribute in an expression", mapping.Mapping{Target: "displayName", Expression: `Append("x", [surnam])`},
			mapping.Problem{Field: "expression", Offset: 12, Length: 8, Message: `unknown attribute "surnam"`, Suggestion: "surname"}},
		{"attribute that cannot be read", mapping.Mapping{Target: "displayName", Expression: `[aboutMe]`},
			mapping.Problem{Field: "expression", Offset: 0, Length: 9,
				Message: "aboutMe cannot be read: it is kept outside the directory: Graph neither lists it with users nor reports its changes"}},
		{"reference in an expression", mapping.Mapping{Target: "displayName", Expression: `[manager]`},
			mapping.Problem{Field: "expression", Offset: 0, Length: 9, Message: "[manager] is a reference to another user: only a direct mapping can carry it"}},
		{"reference from something else", mapping.Mapping{Target: "manager", Source: "mail"},
			mapping.Problem{Field: "source", Message: "manager is a reference to a user: its source must be manager too"}},
		{"reference to something else", mapping.Mapping{Target: "department", Source: "manager"},
			mapping.Problem{Field: "source", Message: "manager is a reference to a user: its target must be manager too"}},
		{"constant reference", mapping.Mapping{Target: "manager", Constant: text("x")},
			mapping.Problem{Field: "constant", Message: "manager is a reference to a user: only a direct mapping can carry it"}},
		{"computed reference", mapping.Mapping{Target: "manager", Expression: `[mail]`},
			mapping.Problem{Field: "expression", Message: "manager is a reference to a user: only a direct mapping can carry it"}},
		{"default of a reference", mapping.Mapping{Target: "manager", Source: "manager", Default: text("x")},
			mapping.Problem{Field: "defaultValue", Message: "manager is a reference to a user: it cannot have a default value"}},
		{"several values to one", mapping.Mapping{Target: "mail", Source: "otherMails"},
			mapping.Problem{Field: "source", Message: "otherMails has several values, mail has one: choose with an expression, as in Item([otherMails], 1)"}},
		{"several values to one by an expression", mapping.Mapping{Target: "mail", Expression: " [otherMails] "},
			mapping.Problem{Field: "expression", Message: "otherMails has several values, mail has one: choose with an expression, as in Item([otherMails], 1)"}},
		{"several values to a directory extension", mapping.Mapping{Target: extension, Source: "proxyAddresses"},
			mapping.Problem{Field: "source", Message: "proxyAddresses has several values, " + extension + " has one: choose with an expression, as in Item([proxyAddresses], 1)"}},
		{"date to a boolean", mapping.Mapping{Target: "showInAddressList", Source: "employeeHireDate"},
			mapping.Problem{Field: "source", Message: "showInAddressList is Boolean, employeeHireDate is DateTime"}},
		{"boolean to a date", mapping.Mapping{Target: "employeeHireDate", Source: "accountEnabled"},
			mapping.Problem{Field: "source", Message: "employeeHireDate is DateTime, accountEnabled is Boolean"}},
		{"constant that is no boolean", mapping.Mapping{Target: "showInAddressList", Constant: text("yes")},
			mapping.Problem{Field: "constant", Message: "showInAddressList is Boolean: only True and False can flow to it"}},
		{"constant that is too long", mapping.Mapping{Target: "employeeId", Constant: text("12345678901234567")},
			mapping.Problem{Field: "constant", Message: "employeeId holds at most 16 characters, the value has 17"}},
		{"constant that is none of the words", mapping.Mapping{Target: "userType", Constant: text("member")},
			mapping.Problem{Field: "constant", Message: "userType holds one of Member, Guest, in this spelling"}},
		{"default that is no country", mapping.Mapping{Target: "usageLocation", Source: "usageLocation", Default: text("no")},
			mapping.Problem{Field: "defaultValue", Message: "usageLocation holds two letters, as in NO"}},
		{"constant with several values for one", mapping.Mapping{Target: "city", Constant: directory.ListOf("a", "b")},
			mapping.Problem{Field: "constant", Message: "city holds one value, not 2"}},
		{"negative priority", mapping.Mapping{Target: "mail", Source: "mail", MatchingPriority: -1},
			mapping.Problem{Field: "matchingPriority", Message: "the matching priority must be 1 or more; leave it out for no matching"}},
		{"matching by a boolean", mapping.Mapping{Target: "accountEnabled", Source: "accountEnabled", MatchingPriority: 1},
			mapping.Problem{Field: "matchingPriority", Message: "users cannot be matched by accountEnabled: it does not tell one from another"}},
		{"matching by a reference", mapping.Mapping{Target: "manager", Source: "manager", MatchingPriority: 1},
			mapping.Problem{Field: "matchingPriority", Message: "users cannot be matched by manager: it does not tell one from another"}},
		{"flow type out of range", mapping.Mapping{Target: "city", Source: "city", FlowType: 9},
			mapping.Problem{Field: "flowType", Message: "flow type 9 unknown"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, problems := mapping.Compile([]mapping.Mapping{tt.m})
			if s != nil {
				t.Error("there is a schema, want none")
			}
			if tt.want.Length == 0 {
				tt.want.Offset = -1
			}
			if diff := cmp.Diff([]mapping.Problem{tt.want}, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompileWarnings(t *testing.T) {
	tests := []struct {
		name, field, message string
		m                    mapping.Mapping
		written              bool
	}{
		{"refused for external users", "target", "mailNickname is not written: Graph refuses it for external users: the directory derives it from the user principal name",
			mapping.Mapping{Target: "mailNickname", Source: "mailNickname"}, false},
		{"derived from the address", "target", "userPrincipalName is not written: Graph refuses it for external users: it is derived from the invited address",
			mapping.Mapping{Target: "userPrincipalName", Source: "userPrincipalName"}, false},
		{"read-only", "target", "proxyAddresses is not written: it is read-only in Graph and follows mail: map mail instead",
			mapping.Mapping{Target: "proxyAddresses", Source: "proxyAddresses"}, false},
		{"recomputed", "target", "otherMails is not written: the directory recomputes it from the addresses of an external user: map mail instead",
			mapping.Mapping{Target: "otherMails", Source: "otherMails"}, false},
		{"adding values where there is one", "flowType", "MultiValueAddOnly is for targets with several values, city has one: it flows always",
			mapping.Mapping{Target: "city", Source: "city", FlowType: mapping.MultiValueAddOnly}, true},
		{"clearing what cannot be cleared", "flowNull", "displayName can be set but not cleared: no value leaves it as it is",
			mapping.Mapping{Target: "displayName", Source: "displayName", FlowNull: yes()}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, problems := mapping.Compile([]mapping.Mapping{{Target: "department", Source: "department"}, tt.m})
			want := []mapping.Problem{{Mapping: 1, Field: tt.field, Offset: -1, Severity: mapping.Warning, Message: tt.message}}
			if diff := cmp.Diff(want, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			targets := []string{"department"}
			if tt.written {
				targets = append(targets, tt.m.Target)
				slices.Sort(targets)
			}
			if diff := cmp.Diff(targets, s.TargetAttributes()); diff != "" {
				t.Errorf("written attributes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, problems := mapping.Compile([]mapping.Mapping{
		{Target: "cityy", Source: "cty"},
		{Target: "department", Source: "department"},
		{Target: "displayName", Expression: `Append([nothing], [nowhere])`},
		{Target: "department", Expression: `Lft("a", 1)`, MatchingPriority: -4, FlowType: 7},
		{Target: "department", Source: "companyName"},
	})
	var got []string
	for _, p := range problems {
		got = append(got, string(rune('0'+p.Mapping))+" "+p.Field+": "+p.Error())
	}
	want := []string{
		`0 target: unknown attribute "cityy" (did you mean city?)`,
		`0 source: unknown attribute "cty" (did you mean city?)`,
		`2 expression: unknown attribute "nothing"`,
		`2 expression: unknown attribute "nowhere"`,
		`3 expression: unknown function Lft (did you mean Left?)`,
		`3 flowType: flow type 7 unknown`,
		`3 matchingPriority: the matching priority must be 1 or more; leave it out for no matching`,
		`4 target: department has a mapping already (number 2 of the list)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestDuplicateTargets(t *testing.T) {
	t.Run("under two names", func(t *testing.T) {
		_, problems := mapping.Compile([]mapping.Mapping{{Target: "officeLocation", Source: "city"}, {Target: "physicalDeliveryOfficeName", Source: "city"}})
		if len(problems) != 1 || problems[0].Message != "officeLocation has a mapping already (number 1 of the list)" {
			t.Errorf("problems %+v, want one about officeLocation", problems)
		}
	})
	t.Run("a matching attribute besides the one that is written", func(t *testing.T) {
		s := schema(t, mapping.Mapping{Target: "mail", Source: "userPrincipalName", MatchingPriority: 2},
			mapping.Mapping{Target: "mail", Source: "mail"}, mapping.Mapping{Target: "mail", Source: "extensionAttribute1", MatchingPriority: 1})
		result, err := s.Apply(mapping.Input{Source: attributes("mail", text("a@x"), "userPrincipalName", text("b@x"), "extensionAttribute1", text("c@x"))})
		if diff := cmp.Diff(show(attributes("mail", text("a@x"))), show(result.Desired)); diff != "" || err != nil {
			t.Errorf("error %v (-want +got):\n%s", err, diff)
		}
	})
	t.Run("of matching attributes the first is written", func(t *testing.T) {
		s := schema(t, mapping.Mapping{Target: "mail", Source: "mail", MatchingPriority: 2},
			mapping.Mapping{Target: "mail", Source: "userPrincipalName", MatchingPriority: 1})
		result, err := s.Apply(mapping.Input{Source: attributes("mail", text("a@x"), "userPrincipalName", text("b@x"))})
		if diff := cmp.Diff(show(attributes("mail", text("a@x"))), show(result.Desired)); diff != "" || err != nil {
			t.Errorf("error %v (-want +got):\n%s", err, diff)
		}
	})
}

func TestMatchingByWhatIsNotWritten(t *testing.T) {
	s := schema(t, mapping.Mapping{Target: "otherMails", Source: "userPrincipalName", MatchingPriority: 1},
		mapping.Mapping{Target: "city", Source: "city"})
	if diff := cmp.Diff([]string{"city"}, s.TargetAttributes()); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"city", "userPrincipalName"}, s.SourceAttributes()); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

func TestDefaultMappings(t *testing.T) {
	ms := mapping.Default()
	s := schema(t, ms...)
	want := []string{"accountEnabled", "businessPhones", "city", "country", "department", "displayName", "employeeId", "givenName", "jobTitle", "mail",
		"officeLocation", "postalCode", "preferredLanguage", "showInAddressList", "state", "streetAddress", "surname", "userType"}
	if diff := cmp.Diff(want, s.TargetAttributes()); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"manager"}, s.References()); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	if got := s.Matching(); len(got) != 0 {
		t.Errorf("matching attributes %v, want none: the default match is not an attribute", got)
	}
	if len(ms) != 19 {
		t.Errorf("%d mappings, want 19", len(ms))
	}
	for _, m := range ms {
		constant := m.Target == "userType" || m.Target == "showInAddressList"
		flow := mapping.Always
		if constant {
			flow = mapping.ObjectAddOnly
		}
		if (m.Kind() == mapping.Constant) != constant || m.FlowType != flow {
			t.Errorf("%s is %s, %s", m.Target, m.Kind(), m.FlowType)
		}
	}
}

func TestNamesAreResolved(t *testing.T) {
	s := schema(t, mapping.Mapping{Target: "physicalDeliveryOfficeName", Source: "physicalDeliveryOfficeName"},
		mapping.Mapping{Target: "extensionAttribute1", Expression: `Join(";", [telephoneNumber], [mobile], [extensionAttribute2])`},
		mapping.Mapping{Target: "telephoneNumber", Source: "telephoneNumber"},
		mapping.Mapping{Target: "manager", Source: "manager"}, mapping.Mapping{Target: "division", Source: extension})
	if diff := cmp.Diff([]string{"businessPhones", "extensionAttribute2", extension, "manager", "mobilePhone", "officeLocation"}, s.SourceAttributes()); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"businessPhones", "division", "extensionAttribute1", "officeLocation"}, s.TargetAttributes()); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

func TestSensitive(t *testing.T) {
	s := schema(t, mapping.Mapping{Target: "employeeId", Expression: `Left([telephoneNumber], 3)`, Sensitive: true}, mapping.Mapping{Target: "city", Source: "city"})
	if !s.Sensitive("employeeId") || s.Sensitive("city") || s.Sensitive("businessPhones") {
		t.Error("employeeId alone is a sensitive target")
	}
	if !s.SensitiveSource("businessPhones") || s.SensitiveSource("city") || s.SensitiveSource("employeeId") {
		t.Error("businessPhones alone is a sensitive source")
	}
}

func TestParseFlowType(t *testing.T) {
	for i, name := range mapping.FlowTypes() {
		got, err := mapping.ParseFlowType(name)
		if err != nil || int(got) != i || got.String() != name {
			t.Errorf("%s is %v (error %v)", name, got, err)
		}
	}
	if got, err := mapping.ParseFlowType(""); got != mapping.Always || err != nil {
		t.Errorf("nothing is %v (error %v), want Always", got, err)
	}
	for word, want := range map[string]string{
		"always": `flow type "always" unknown (did you mean Always?)`, "ObjectAdd": `flow type "ObjectAdd" unknown (did you mean ObjectAddOnly?)`,
		"?": `flow type "?" unknown: one of Always, ObjectAddOnly, MultiValueAddOnly, ValueAddOnly, AttributeAddOnly`,
	} {
		if _, err := mapping.ParseFlowType(word); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", word, err, want)
		}
	}
}

func TestNothingToCompile(t *testing.T) {
	s := schema(t)
	result, err := s.Apply(mapping.Input{Source: attributes("city", text("Oslo"))})
	if err != nil || len(result.Desired) != 0 || len(result.References) != 0 {
		t.Errorf("%+v (error %v), want nothing", result, err)
	}
}

func TestProblemsAreOneLine(t *testing.T) {
	_, problems := mapping.Compile([]mapping.Mapping{{Target: "a\nb", Source: "c\nd"}, {Target: "city", Expression: "Append(\n'x'"}})
	for _, p := range problems {
		if strings.ContainsAny(p.Error(), "\r\n") {
			t.Errorf("the problem %q has more than one line", p.Error())
		}
	}
}
