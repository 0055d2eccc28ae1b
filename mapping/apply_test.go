package mapping_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/pattern"
)

// attributes builds a set from names and values in turn.
func attributes(pairs ...any) directory.Attributes {
	m := map[string]directory.Value{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1].(directory.Value)
	}
	return directory.AttributesOf(m)
}

// show writes a set with the kinds of its values, so that null, absent, False and
// "False" differ.
func show(a directory.Attributes) []string {
	out := []string{}
	for _, at := range a {
		out = append(out, fmt.Sprintf("%s = %s %q", at.Name, at.Value.Kind(), at.Value.String()))
	}
	return out
}

func TestApply(t *testing.T) {
	null := directory.NullValue()
	tests := []struct {
		name    string
		m       mapping.Mapping
		source  directory.Attributes
		current directory.Attributes
		// what is wanted on create and on update
		create, update directory.Attributes
	}{
		{"direct", mapping.Mapping{Target: "city", Source: "city"}, attributes("city", text("Oslo")), nil,
			attributes("city", text("Oslo")), attributes("city", text("Oslo"))},
		{"direct to another attribute", mapping.Mapping{Target: "extensionAttribute1", Source: "city"}, attributes("city", text("Oslo")), nil,
			attributes("extensionAttribute1", text("Oslo")), attributes("extensionAttribute1", text("Oslo"))},
		{"direct, null", mapping.Mapping{Target: "city", Source: "city"}, attributes("city", null), attributes("city", text("Bergen")), nil, nil},
		{"direct, absent", mapping.Mapping{Target: "city", Source: "city"}, nil, nil, nil, nil},
		{"null flows", mapping.Mapping{Target: "city", Source: "city", FlowNull: yes()}, attributes("city", null), nil, nil, attributes("city", null)},
		{"absent counts as null where null flows", mapping.Mapping{Target: "city", Source: "city", FlowNull: yes()}, nil, nil, nil, attributes("city", null)},
		{"null does not flow", mapping.Mapping{Target: "city", Source: "city", FlowNull: no()}, attributes("city", null), nil, nil, nil},
		{"empty text flows as null", mapping.Mapping{Target: "city", Expression: `""`, FlowNull: yes()}, nil, nil, nil, attributes("city", null)},
		{"null flows to a list as an empty one", mapping.Mapping{Target: "businessPhones", Source: "businessPhones", FlowNull: yes()},
			attributes("businessPhones", directory.ListOf()), nil, nil, attributes("businessPhones", directory.ListOf())},
		{"default on create only", mapping.Mapping{Target: "city", Source: "city", Default: text("Oslo")}, nil, nil, attributes("city", text("Oslo")), nil},
		{"default on create, null flows on update", mapping.Mapping{Target: "city", Source: "city", Default: text("Oslo"), FlowNull: yes()}, nil, nil,
			attributes("city", text("Oslo")), attributes("city", null)},
		{"default is not needed", mapping.Mapping{Target: "city", Source: "city", Default: text("Oslo")}, attributes("city", text("Bodø")), nil,
			attributes("city", text("Bodø")), attributes("city", text("Bodø"))},
		{"default of a boolean in text", mapping.Mapping{Target: "showInAddressList", Source: "showInAddressList", Default: text("true")}, nil, nil,
			attributes("showInAddressList", directory.BoolOf(true)), nil},
		{"null constant", mapping.Mapping{Target: "city", Constant: null}, nil, nil, nil, nil},
		{"null constant that clears", mapping.Mapping{Target: "city", Constant: null, FlowNull: yes()}, nil, nil, nil, attributes("city", null)},
		{"null constant with a default", mapping.Mapping{Target: "city", Constant: null, Default: text("Oslo")}, nil, nil, attributes("city", text("Oslo")), nil},
		{"constant boolean", mapping.Mapping{Target: "showInAddressList", Constant: directory.BoolOf(true)}, nil, nil,
			attributes("showInAddressList", directory.BoolOf(true)), attributes("showInAddressList", directory.BoolOf(true))},
		{"constant boolean in text", mapping.Mapping{Target: "showInAddressList", Constant: text("True")}, nil, nil,
			attributes("showInAddressList", directory.BoolOf(true)), attributes("showInAddressList", directory.BoolOf(true))},
		{"constant number to text", mapping.Mapping{Target: "employeeId", Constant: directory.IntOf(42)}, nil, nil,
			attributes("employeeId", text("42")), attributes("employeeId", text("42"))},
		{"only on create", mapping.Mapping{Target: "userType", Constant: text("Member"), FlowType: mapping.ObjectAddOnly}, nil, nil,
			attributes("userType", text("Member")), nil},
		{"expression", mapping.Mapping{Target: "displayName", Expression: `Join(", ", [surname], [givenName])`},
			attributes("surname", text("Nordmann"), "givenName", text("Kari")), nil,
			attributes("displayName", text("Nordmann, Kari")), attributes("displayName", text("Nordmann, Kari"))},
		{"expression to a boolean", mapping.Mapping{Target: "accountEnabled", Expression: `Not(IsPresent([extensionAttribute1]))`}, nil, nil,
			attributes("accountEnabled", directory.BoolOf(true)), attributes("accountEnabled", directory.BoolOf(true))},
		{"boolean to text", mapping.Mapping{Target: "extensionAttribute1", Source: "accountEnabled"}, attributes("accountEnabled", directory.BoolOf(false)), nil,
			attributes("extensionAttribute1", text("False")), attributes("extensionAttribute1", text("False"))},
		{"text to boolean", mapping.Mapping{Target: "accountEnabled", Source: "extensionAttribute1"}, attributes("extensionAttribute1", text("FALSE")), nil,
			attributes("accountEnabled", directory.BoolOf(false)), attributes("accountEnabled", directory.BoolOf(false))},
		{"text to list", mapping.Mapping{Target: "businessPhones", Source: "mobilePhone"}, attributes("mobilePhone", text("1")), nil,
			attributes("businessPhones", directory.ListOf("1")), attributes("businessPhones", directory.ListOf("1"))},
		{"list of one to text", mapping.Mapping{Target: "mobilePhone", Source: "businessPhones"}, attributes("businessPhones", directory.ListOf("1")), nil,
			attributes("mobilePhone", text("1")), attributes("mobilePhone", text("1"))},
		{"first of several under the old name", mapping.Mapping{Target: "mobilePhone", Source: "telephoneNumber"},
			attributes("businessPhones", directory.ListOf("1", "2")), nil, attributes("mobilePhone", text("1")), attributes("mobilePhone", text("1"))},
		{"old name as target", mapping.Mapping{Target: "telephoneNumber", Source: "mobilePhone"}, attributes("mobilePhone", text("1")), nil,
			attributes("businessPhones", directory.ListOf("1")), attributes("businessPhones", directory.ListOf("1"))},
		{"one business phone is written", mapping.Mapping{Target: "businessPhones", Source: "businessPhones"}, attributes("businessPhones", directory.ListOf("1", "2")), nil,
			attributes("businessPhones", directory.ListOf("1")), attributes("businessPhones", directory.ListOf("1"))},
		{"day to instant", mapping.Mapping{Target: "employeeHireDate", Expression: `"2026-03-01"`}, nil, nil,
			attributes("employeeHireDate", text("2026-03-01T00:00:00Z")), attributes("employeeHireDate", text("2026-03-01T00:00:00Z"))},
		{"instant in UTC", mapping.Mapping{Target: "employeeHireDate", Source: "employeeHireDate"}, attributes("employeeHireDate", text("2026-03-01T08:00:00.5Z")), nil,
			attributes("employeeHireDate", text("2026-03-01T08:00:00.5Z")), attributes("employeeHireDate", text("2026-03-01T08:00:00.5Z"))},
		{"instant with an offset, as the directory keeps it", mapping.Mapping{Target: "employeeHireDate", Source: "employeeHireDate"},
			attributes("employeeHireDate", text("2026-03-01T08:00:00+01:00")), nil,
			attributes("employeeHireDate", text("2026-03-01T07:00:00Z")), attributes("employeeHireDate", text("2026-03-01T07:00:00Z"))},
		{"date that an expression computes", mapping.Mapping{Target: "employeeHireDate", Expression: `DateAdd("m", 1, CDate([extensionAttribute1]))`},
			attributes("extensionAttribute1", text("2026-01-31-07:00")), nil,
			attributes("employeeHireDate", text("2026-02-28T07:00:00Z")), attributes("employeeHireDate", text("2026-02-28T07:00:00Z"))},
		{"file time", mapping.Mapping{Target: "employeeHireDate", Expression: `DateFromNum([extensionAttribute1])`},
			attributes("extensionAttribute1", text("129699324000000000")), nil,
			attributes("employeeHireDate", text("2012-01-01T23:00:00Z")), attributes("employeeHireDate", text("2012-01-01T23:00:00Z"))},
		{"day in a zone", mapping.Mapping{Target: "employeeHireDate", Source: "extensionAttribute1"}, attributes("extensionAttribute1", text("2020-03-16+08:00")), nil,
			attributes("employeeHireDate", text("2020-03-15T16:00:00Z")), attributes("employeeHireDate", text("2020-03-15T16:00:00Z"))},
		{"date as expressions write it", mapping.Mapping{Target: "employeeHireDate", Expression: `"6/29/2026 4:00:00 PM"`}, nil, nil,
			attributes("employeeHireDate", text("2026-06-29T16:00:00Z")), attributes("employeeHireDate", text("2026-06-29T16:00:00Z"))},
		{"directory extension keeps its type", mapping.Mapping{Target: extension, Source: extension}, attributes(extension, directory.IntOf(7)), nil,
			attributes(extension, directory.IntOf(7)), attributes(extension, directory.IntOf(7))},
		{"what cannot be cleared is not", mapping.Mapping{Target: "displayName", Source: "displayName"}, attributes("displayName", null), nil, nil, nil},
		{"characters count, not bytes", mapping.Mapping{Target: "employeeId", Source: "employeeId"}, attributes("employeeId", text(strings.Repeat("å", 16))), nil,
			attributes("employeeId", text(strings.Repeat("å", 16))), attributes("employeeId", text(strings.Repeat("å", 16)))},
		{"refused attributes are left out", mapping.Mapping{Target: "mailNickname", Source: "mailNickname"}, attributes("mailNickname", text("kari")), nil, nil, nil},

		{"AttributeAddOnly, target empty", mapping.Mapping{Target: "city", Source: "city", FlowType: mapping.AttributeAddOnly},
			attributes("city", text("Oslo")), attributes("city", null), attributes("city", text("Oslo")), attributes("city", text("Oslo"))},
		{"AttributeAddOnly, target set", mapping.Mapping{Target: "city", Source: "city", FlowType: mapping.AttributeAddOnly},
			attributes("city", text("Oslo")), attributes("city", text("Bergen")), attributes("city", text("Oslo")), nil},
		{"AttributeAddOnly never clears", mapping.Mapping{Target: "city", Source: "city", FlowType: mapping.AttributeAddOnly, FlowNull: yes()},
			attributes("city", null), attributes("city", text("Bergen")), nil, nil},
		{"ValueAddOnly, one value set", mapping.Mapping{Target: "city", Source: "city", FlowType: mapping.ValueAddOnly},
			attributes("city", text("Oslo")), attributes("city", text("Bergen")), attributes("city", text("Oslo")), nil},
		{"ValueAddOnly, empty", mapping.Mapping{Target: "city", Source: "city", FlowType: mapping.ValueAddOnly},
			attributes("city", text("Oslo")), nil, attributes("city", text("Oslo")), attributes("city", text("Oslo"))},
		{"MultiValueAddOnly, room for one only", mapping.Mapping{Target: "businessPhones", Source: "businessPhones", FlowType: mapping.MultiValueAddOnly},
			attributes("businessPhones", directory.ListOf("1")), attributes("businessPhones", directory.ListOf("2")),
			attributes("businessPhones", directory.ListOf("1")), nil},
		{"MultiValueAddOnly, empty", mapping.Mapping{Target: "businessPhones", Source: "businessPhones", FlowType: mapping.MultiValueAddOnly},
			attributes("businessPhones", directory.ListOf("1")), attributes("businessPhones", directory.ListOf()),
			attributes("businessPhones", directory.ListOf("1")), attributes("businessPhones", directory.ListOf("1"))},
		{"MultiValueAddOnly, there already", mapping.Mapping{Target: "businessPhones", Source: "businessPhones", FlowType: mapping.MultiValueAddOnly},
			attributes("businessPhones", directory.ListOf("1")), attributes("businessPhones", directory.ListOf("1")),
			attributes("businessPhones", directory.ListOf("1")), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := mapping.Compile([]mapping.Mapping{tt.m})
			if s == nil {
				t.Fatal("the mapping does not compile")
			}
			for flow, want := range map[mapping.Flow]directory.Attributes{mapping.Create: tt.create, mapping.Update: tt.update} {
				result, err := s.Apply(mapping.Input{Source: tt.source, Current: tt.current, Flow: flow})
				if err != nil {
					t.Errorf("flow %d: %v", flow, err)
				} else if diff := cmp.Diff(show(want), show(result.Desired)); diff != "" {
					t.Errorf("flow %d: wanted values (-want +got):\n%s", flow, diff)
				}
			}
		})
	}
}

func TestReferences(t *testing.T) {
	ref, null, other := directory.RefOf("boss-1"), directory.NullValue(), directory.RefOf("boss-0")
	tests := []struct {
		name           string
		m              mapping.Mapping
		source         directory.Attributes
		current        directory.Attributes
		create, update directory.Attributes
	}{
		{"set", mapping.Mapping{}, attributes("manager", ref), nil, attributes("manager", ref), attributes("manager", ref)},
		{"removed", mapping.Mapping{}, attributes("manager", null), attributes("manager", other), nil, attributes("manager", null)},
		{"removed, Entra's way", mapping.Mapping{FlowNull: no()}, attributes("manager", null), attributes("manager", other), nil, nil},
		{"not mentioned", mapping.Mapping{}, attributes("city", text("Oslo")), attributes("manager", other), nil, nil},
		{"only on create", mapping.Mapping{FlowType: mapping.ObjectAddOnly}, attributes("manager", ref), nil, attributes("manager", ref), nil},
		{"only where there is none, there is one", mapping.Mapping{FlowType: mapping.AttributeAddOnly}, attributes("manager", ref), attributes("manager", other),
			attributes("manager", ref), nil},
		{"only where there is none, there is none", mapping.Mapping{FlowType: mapping.AttributeAddOnly}, attributes("manager", ref), attributes("manager", null),
			attributes("manager", ref), attributes("manager", ref)},
		{"adding never removes", mapping.Mapping{FlowType: mapping.AttributeAddOnly}, attributes("manager", null), attributes("manager", other), nil, nil},
		{"id as text", mapping.Mapping{}, attributes("manager", text("boss-1")), nil, attributes("manager", ref), attributes("manager", ref)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.m.Target, tt.m.Source = "manager", "manager"
			s := schema(t, tt.m)
			for flow, want := range map[mapping.Flow]directory.Attributes{mapping.Create: tt.create, mapping.Update: tt.update} {
				result, err := s.Apply(mapping.Input{Source: tt.source, Current: tt.current, Flow: flow})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(show(want), show(result.References)); diff != "" {
					t.Errorf("flow %d: references (-want +got):\n%s", flow, diff)
				}
				if len(result.Desired) > 0 {
					t.Errorf("flow %d: the reference is among the attributes: %v", flow, show(result.Desired))
				}
			}
		})
	}
}

func TestFailures(t *testing.T) {
	tests := []struct {
		name   string
		m      mapping.Mapping
		source directory.Attributes
		want   mapping.Failure
		text   string
	}{
		{"too long", mapping.Mapping{Target: "employeeId", Source: "employeeId"}, attributes("employeeId", text("12345678901234567")),
			mapping.Failure{Target: "employeeId", Value: "12345678901234567", Message: "employeeId holds at most 16 characters, the value has 17"},
			`mapping of employeeId: employeeId holds at most 16 characters, the value has 17 (value "12345678901234567")`},
		{"too long in characters", mapping.Mapping{Target: "department", Source: "department"}, attributes("department", text(strings.Repeat("å", 65))),
			mapping.Failure{Target: "department", Value: strings.Repeat("å", 65), Message: "department holds at most 64 characters, the value has 65"},
			`mapping of department: department holds at most 64 characters, the value has 65 (value "` + strings.Repeat("å", 65) + `")`},
		{"no boolean", mapping.Mapping{Target: "accountEnabled", Source: "extensionAttribute1"}, attributes("extensionAttribute1", text("1")),
			mapping.Failure{Target: "accountEnabled", Value: "1", Message: "accountEnabled is Boolean: only True and False can flow to it"},
			`mapping of accountEnabled: accountEnabled is Boolean: only True and False can flow to it (value "1")`},
		{"no date", mapping.Mapping{Target: "employeeHireDate", Source: "extensionAttribute1"}, attributes("extensionAttribute1", text("1.3.2026")),
			mapping.Failure{Target: "employeeHireDate", Value: "1.3.2026",
				Message: "employeeHireDate is DateTime: only values such as 2026-03-01, 2026-03-01T08:00:00Z or 3/1/2026 8:00:00 AM can flow to it"},
			`mapping of employeeHireDate: employeeHireDate is DateTime: only values such as 2026-03-01, 2026-03-01T08:00:00Z or 3/1/2026 8:00:00 AM can flow to it (value "1.3.2026")`},
		{"no country", mapping.Mapping{Target: "usageLocation", Source: "country"}, attributes("country", text("Norway")),
			mapping.Failure{Target: "usageLocation", Value: "Norway", Message: "usageLocation holds at most 2 characters, the value has 6"},
			`mapping of usageLocation: usageLocation holds at most 2 characters, the value has 6 (value "Norway")`},
		{"several values", mapping.Mapping{Target: "city", Expression: `Split([city], "/")`}, attributes("city", text("Oslo/Bergen")),
			mapping.Failure{Target: "city", Value: "Oslo, Bergen", Message: "city holds one value, not 2"},
			`mapping of city: city holds one value, not 2 (value "Oslo, Bergen")`},
		{"several values for an extension", mapping.Mapping{Target: extension, Expression: `Split([city], "/")`}, attributes("city", text("a/b")),
			mapping.Failure{Target: extension, Value: "a, b", Message: extension + " holds one value, not 2"},
			`mapping of ` + extension + `: ` + extension + ` holds one value, not 2 (value "a, b")`},
		{"expression", mapping.Mapping{Target: "city", Expression: `Item(Split([city], "/"), 3)`}, attributes("city", text("a/b")),
			mapping.Failure{Target: "city", Function: "Item", Value: "a, b", Message: "there is no item 3, the list has 2"},
			`mapping of city: Item: there is no item 3, the list has 2 (value "a, b")`},
		{"sensitive value", mapping.Mapping{Target: "employeeId", Source: "employeeId", Sensitive: true}, attributes("employeeId", text("12345678901234567")),
			mapping.Failure{Target: "employeeId", Value: "(sensitive)", Message: "employeeId holds at most 16 characters, the value has 17"},
			`mapping of employeeId: employeeId holds at most 16 characters, the value has 17 (value (sensitive))`},
		{"sensitive expression", mapping.Mapping{Target: "city", Expression: `Left("x", [city])`, Sensitive: true}, attributes("city", text("secret")),
			mapping.Failure{Target: "city", Function: "Left", Value: "(sensitive)", Message: "argument 2 must be a whole number"},
			`mapping of city: Left: argument 2 must be a whole number (value (sensitive))`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := schema(t, mapping.Mapping{Target: "surname", Source: "surname"}, tt.m)
			result, err := s.Apply(mapping.Input{Source: tt.source})
			var f *mapping.Failure
			if !errors.As(err, &f) {
				t.Fatalf("error is %v (%T), want a *mapping.Failure", err, err)
			}
			tt.want.Mapping = 1
			if diff := cmp.Diff(tt.want, *f); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
			if f.Error() != tt.text {
				t.Errorf("text %s\nwant %s", f, tt.text)
			}
			if len(result.Desired) > 0 {
				t.Errorf("a failed user still has wanted values: %v", show(result.Desired))
			}
		})
	}
}

func TestFailureKeepsItsCause(t *testing.T) {
	s := schema(t, mapping.Mapping{Target: "city", Expression: `Replace([city], , "^(a+)+$", , "x", , )`})
	_, err := s.Apply(mapping.Input{Source: attributes("city", text(strings.Repeat("a", 40)+"!"))})
	if !errors.Is(err, pattern.ErrTimeout) {
		t.Errorf("error %v, want one caused by %v", err, pattern.ErrTimeout)
	}
}

func TestMatchValues(t *testing.T) {
	s := schema(t,
		mapping.Mapping{Target: "mail", Expression: `ToLower([mail])`, MatchingPriority: 2},
		mapping.Mapping{Target: "employeeId", Source: "employeeId", MatchingPriority: 1},
		mapping.Mapping{Target: "otherMails", Source: "otherMails", MatchingPriority: 3},
		mapping.Mapping{Target: "mail", Source: "userPrincipalName", MatchingPriority: 2},
		mapping.Mapping{Target: "city", Source: "city"})
	rules := []mapping.MatchRule{{Target: "employeeId", Priority: 1}, {Target: "mail", Priority: 2}, {Target: "otherMails", Priority: 3}}
	if diff := cmp.Diff(rules, s.Matching()); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	got, err := s.MatchValues(attributes("mail", text("Kari@X"), "userPrincipalName", text("kari@x"), "otherMails", directory.ListOf("a@x", "b@x")), time.Time{})
	want := []mapping.MatchValue{{"mail", "kari@x", 2}, {"otherMails", "a@x", 3}, {"otherMails", "b@x", 3}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("values, error %v (-want +got):\n%s", err, diff)
	}
}

func TestMatchValuesFail(t *testing.T) {
	s := schema(t, mapping.Mapping{Target: "mail", Expression: `Item([otherMails], 2)`, MatchingPriority: 1})
	_, err := s.MatchValues(attributes("otherMails", directory.ListOf("a@x")), time.Time{})
	var f *mapping.Failure
	if !errors.As(err, &f) || f.Function != "Item" {
		t.Errorf("error %v, want a failure of Item", err)
	}
}

func TestChanges(t *testing.T) {
	composed, decomposed := "Åse", "A\u030ase"
	tests := []struct {
		name             string
		current, desired directory.Attributes
		want             []string
	}{
		{"nothing wanted", attributes("city", text("Oslo")), nil, nil},
		{"the same", attributes("city", text("Oslo")), attributes("city", text("Oslo")), nil},
		{"different", attributes("city", text("Oslo")), attributes("city", text("Bergen")), []string{"city: Oslo -> Bergen"}},
		{"case counts", attributes("city", text("oslo")), attributes("city", text("Oslo")), []string{"city: oslo -> Oslo"}},
		{"case of an address does not", attributes("mail", text("Kari@x")), attributes("mail", text("kari@X")), nil},
		{"Unicode form does not count", attributes("givenName", text(composed)), attributes("givenName", text(decomposed)), nil},
		{"the original is sent", attributes("givenName", text("Ase")), attributes("givenName", text(decomposed)), []string{"givenName: Ase -> " + decomposed}},
		{"cleared", attributes("city", text("Oslo")), attributes("city", directory.NullValue()), []string{"city: Oslo -> "}},
		{"cleared already", attributes("city", directory.NullValue()), attributes("city", directory.NullValue()), nil},
		{"unknown and to be cleared", nil, attributes("city", directory.NullValue()), nil},
		{"unknown", nil, attributes("city", text("Oslo")), []string{"city:  -> Oslo"}},
		{"boolean", attributes("accountEnabled", directory.BoolOf(true)), attributes("accountEnabled", directory.BoolOf(false)), []string{"accountEnabled: True -> False"}},
		{"order of a list", attributes("businessPhones", directory.ListOf("1", "2")), attributes("businessPhones", directory.ListOf("2", "1")), nil},
		{"Unicode form in a list", attributes("businessPhones", directory.ListOf(composed)), attributes("businessPhones", directory.ListOf(decomposed)), nil},
		{"list", attributes("businessPhones", directory.ListOf("1")), attributes("businessPhones", directory.ListOf("2")), []string{"businessPhones: 1 -> 2"}},
		{"several, in the order of their names", nil, attributes("state", text("a"), "city", text("b")), []string{"city:  -> b", "state:  -> a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, m := range schema(t).Changes(tt.current, tt.desired) {
				got = append(got, m.Name+": "+m.Old.String()+" -> "+m.New.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTrace(t *testing.T) {
	s, _ := mapping.Compile([]mapping.Mapping{
		{Target: "displayName", Expression: `Join(", ", [surname], [givenName])`},
		{Target: "userType", Constant: text("Member"), FlowType: mapping.ObjectAddOnly},
		{Target: "city", Source: "city"},
		{Target: "employeeId", Source: "employeeId", Sensitive: true},
		{Target: "mailNickname", Source: "mailNickname"},
		{Target: "otherMails", Source: "userPrincipalName", MatchingPriority: 1},
		{Target: "accountEnabled", Source: "extensionAttribute1"},
		{Target: "department", Source: "department", FlowType: mapping.AttributeAddOnly},
		{Target: "manager", Source: "manager"},
	})
	in := mapping.Input{Flow: mapping.Update, Current: attributes("department", text("IT")),
		Source: attributes("surname", text("Nordmann"), "employeeId", text("10482"), "extensionAttribute1", text("maybe"), "department", text("Sales"),
			"manager", directory.RefOf("boss"))}
	var got []string
	for _, step := range s.Trace(in) {
		line := fmt.Sprintf("%d %s: %s %s %v -> %s %q", step.Mapping, step.Target, step.Kind, step.Source, show(step.Inputs), step.Result.Kind(), step.Result)
		if step.Dropped != "" {
			line += "; " + string(step.Dropped)
		}
		if step.Err != nil {
			line += "; " + step.Err.Error()
		}
		got = append(got, line)
	}
	want := []string{
		`6 accountEnabled: direct extensionAttribute1 [extensionAttribute1 = text "maybe"] -> absent ""; ` +
			`mapping of accountEnabled: accountEnabled is Boolean: only True and False can flow to it (value "maybe")`,
		`2 city: direct city [city = null ""] -> absent ""; the source has no value`,
		`7 department: direct department [department = text "Sales"] -> absent ""; the target has a value already`,
		`0 displayName: expression Join(", ", [surname], [givenName]) [givenName = null "" surname = text "Nordmann"] -> text "Nordmann"`,
		`3 employeeId: direct employeeId [employeeId = text "(sensitive)"] -> text "(sensitive)"`,
		`4 mailNickname: direct mailNickname [mailNickname = null ""] -> absent ""; Graph refuses it for external users: the directory derives it from the user principal name`,
		`8 manager: direct manager [manager = reference "boss"] -> reference "boss"`,
		`5 otherMails: direct userPrincipalName [userPrincipalName = null ""] -> absent ""; only used for matching`,
		`1 userType: constant Member [] -> absent ""; applies only when the user is created`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestTraceHidesSensitiveConstants(t *testing.T) {
	s := schema(t, mapping.Mapping{Target: "employeeId", Constant: text("10482"), Sensitive: true})
	if got := fmt.Sprintf("%+v", s.Trace(mapping.Input{})); strings.Contains(got, "10482") {
		t.Errorf("the trace carries the value: %s", got)
	}
}

// some draws the attributes of a user, with null, absent and empty ones.
func some(t *rapid.T, label string) directory.Attributes {
	values := rapid.OneOf(rapid.Just(directory.Value{}), rapid.Just(directory.NullValue()),
		rapid.Map(rapid.SampledFrom([]string{"a", "A", "å", "a\u030a", "Oslo"}), directory.TextOf))
	var list []directory.Attribute
	for _, name := range []string{"city", "department", "mail", "givenName"} {
		if v := values.Draw(t, label+" "+name); !v.IsAbsent() {
			list = append(list, directory.Attribute{Name: name, Value: v})
		}
	}
	list = append(list, directory.Attribute{Name: "businessPhones",
		Value: directory.ListOf(rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2"}), 0, 2).Draw(t, label+" phones")...)})
	return directory.SortedAttributes(list)
}

// drawn draws a schema over the attributes of some.
func drawn(t *rapid.T) *mapping.Schema {
	var ms []mapping.Mapping
	for _, name := range []string{"city", "department", "mail", "givenName", "businessPhones"} {
		m := mapping.Mapping{Target: name, Source: name, FlowType: mapping.FlowType(rapid.IntRange(0, 4).Draw(t, name+" flow type"))}
		if rapid.Bool().Draw(t, name+" flow null") {
			m.FlowNull = yes()
		}
		if rapid.Bool().Draw(t, name+" default") {
			m.Default = text("fallback")
		}
		ms = append(ms, m)
	}
	s, problems := mapping.Compile(ms)
	if s == nil {
		t.Fatalf("problems: %v", problems)
	}
	return s
}

func TestApplyingTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, source, current := drawn(t), some(t, "source"), some(t, "current")
		first, err := s.Apply(mapping.Input{Source: source, Current: current, Flow: mapping.Update})
		if err != nil {
			t.Fatal(err)
		}
		after := current.Merge(first.Desired)
		second, err := s.Apply(mapping.Input{Source: source, Current: after, Flow: mapping.Update})
		if err != nil {
			t.Fatal(err)
		}
		if changes := s.Changes(after, second.Desired); len(changes) > 0 {
			t.Fatalf("source %v\nbefore %v\nafter %v\nstill wants %v", show(source), show(current), show(after), changes)
		}
	})
}

func TestAnUpdateAfterCreateChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, source := drawn(t), some(t, "source")
		created, err := s.Apply(mapping.Input{Source: source, Flow: mapping.Create})
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range created.Desired {
			if at.Value.IsEmpty() {
				t.Fatalf("a create carries nothing for %s", at.Name)
			}
		}
		updated, err := s.Apply(mapping.Input{Source: source, Current: created.Desired, Flow: mapping.Update})
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range s.Changes(created.Desired, updated.Desired) {
			// A default value is for the create; where null flows, it goes again.
			if change.Old.Text() != "fallback" && change.Old.String() != "fallback" || !change.New.IsEmpty() {
				t.Fatalf("source %v: the update after the create changes %+v", show(source), change)
			}
		}
	})
}

func TestTraceAgreesWithApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawn(t)
		in := mapping.Input{Source: some(t, "source"), Current: some(t, "current"), Flow: mapping.Flow(rapid.IntRange(0, 1).Draw(t, "flow"))}
		result, err := s.Apply(in)
		if err != nil {
			t.Fatal(err)
		}
		traced := directory.Attributes{}
		for _, step := range s.Trace(in) {
			if step.Dropped == mapping.Written {
				traced.Set(step.Target, step.Result)
			}
		}
		if diff := cmp.Diff(show(result.Desired), show(traced)); diff != "" {
			t.Fatalf("trace differs from apply:\n%s", diff)
		}
	})
}

func TestSchemasAreSafeForConcurrentUse(t *testing.T) {
	s := schema(t, mapping.Default()...)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			city := fmt.Sprintf("City %d", i)
			for range 100 {
				result, err := s.Apply(mapping.Input{Source: attributes("city", text(city), "displayName", text("Kari"))})
				if err != nil || result.Desired.Get("city").Text() != city {
					t.Errorf("%v (error %v), want %s", show(result.Desired), err, city)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkApplyDefault(b *testing.B) {
	s := schema(b, mapping.Default()...)
	source := attributes("accountEnabled", directory.BoolOf(true), "streetAddress", text("Storgata 1"), "city", text("Oslo"), "country", text("NO"),
		"department", text("Finance"), "employeeId", text("10482"), "displayName", text("Kari Nordmann"), "givenName", text("Kari"),
		"jobTitle", text("Controller"), "surname", text("Nordmann"), "businessPhones", directory.ListOf("+47 112"), "mail", text("kari@contoso.no"))
	first, err := s.Apply(mapping.Input{Source: source})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		result, err := s.Apply(mapping.Input{Source: source, Current: first.Desired, Flow: mapping.Update})
		if err != nil || len(s.Changes(first.Desired, result.Desired)) > 0 {
			b.Fatal(err)
		}
	}
}
