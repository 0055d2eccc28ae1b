package scope_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tenantsync/directory"
	"tenantsync/mapping/pattern"
	"tenantsync/scope"
)

const extension = "extension_0123456789abcdef0123456789abcdef_level"

func text(s string) directory.Value { return directory.TextOf(s) }

// attributes builds a set from names and values in turn.
func attributes(pairs ...any) directory.Attributes {
	m := map[string]directory.Value{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1].(directory.Value)
	}
	return directory.AttributesOf(m)
}

func clause(attribute string, operator scope.Operator, values ...string) scope.Clause {
	return scope.Clause{Attribute: attribute, Operator: operator, Values: values}
}

func compile(t testing.TB, groups ...scope.Group) *scope.Filter {
	t.Helper()
	f, problems := scope.Compile(groups)
	if len(problems) > 0 {
		t.Fatalf("problems: %+v", problems)
	}
	return f
}

// present is when the tests judge.
var present = time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)

const (
	group1 = "bbbbbbbb-0000-4000-8000-000000000001"
	group2 = "bbbbbbbb-0000-4000-8000-000000000002"
)

// with adds what is beyond Entra to a clause.
func with(c scope.Clause, ignoreCase bool, members scope.Members) scope.Clause {
	c.IgnoreCase, c.Members = ignoreCase, members
	return c
}

func one(clauses ...scope.Clause) scope.Group { return scope.Group{Title: "Staff", Clauses: clauses} }

func TestOperators(t *testing.T) {
	yes, no := directory.BoolOf(true), directory.BoolOf(false)
	tests := []struct {
		name   string
		clause scope.Clause
		value  directory.Value
		want   bool
	}{
		{"EQUALS, equal", clause("department", scope.Equals, "Sales"), text("Sales"), true},
		{"EQUALS, case differs", clause("department", scope.Equals, "Sales"), text("sales"), false},
		{"EQUALS, one of several", clause("department", scope.Equals, "IT", "Sales"), text("Sales"), true},
		{"EQUALS, none of several", clause("department", scope.Equals, "IT", "HR"), text("Sales"), false},
		{"EQUALS, blank at the end", clause("department", scope.Equals, "Sales"), text("Sales "), false},
		{"NOT EQUALS, different", clause("department", scope.NotEquals, "Sales"), text("IT"), true},
		{"NOT EQUALS, equal", clause("department", scope.NotEquals, "Sales"), text("Sales"), false},
		{"NOT EQUALS, one of several", clause("department", scope.NotEquals, "IT", "Sales"), text("Sales"), false},
		{"NOT EQUALS, none of several", clause("department", scope.NotEquals, "IT", "Sales"), text("HR"), true},
		{"IS TRUE, true", clause("accountEnabled", scope.IsTrue), yes, true},
		{"IS TRUE, false", clause("accountEnabled", scope.IsTrue), no, false},
		{"IS FALSE, false", clause("accountEnabled", scope.IsFalse), no, true},
		{"IS FALSE, true", clause("accountEnabled", scope.IsFalse), yes, false},
		{"IS TRUE, text of an extension", clause(extension, scope.IsTrue), text("True"), true},
		{"IS FALSE, text of an extension", clause(extension, scope.IsFalse), text("false"), true},
		{"IS TRUE, other text", clause(extension, scope.IsTrue), text("yes"), false},
		{"IS FALSE, other text", clause(extension, scope.IsFalse), text("no"), false},
		{"IS NULL, value", clause("department", scope.IsNull), text("Sales"), false},
		{"IS NOT NULL, value", clause("department", scope.IsNotNull), text("Sales"), true},
		{"IS NOT NULL, blank", clause("department", scope.IsNotNull), text(" "), true},
		{"IS NOT NULL, false is a value", clause("accountEnabled", scope.IsNotNull), no, true},
		{"REGEX MATCH, found", clause("userPrincipalName", scope.RegexMatch, `.*\@contoso.com`), text("kari@contoso.com"), true},
		{"REGEX MATCH, not anchored", clause("employeeId", scope.RegexMatch, `[1-9][0-9]`), text("x100x"), true},
		{"REGEX MATCH, anchored", clause("employeeId", scope.RegexMatch, `^[1-9][0-9]$`), text("100"), false},
		{"REGEX MATCH, case differs", clause("department", scope.RegexMatch, "sales"), text("Sales"), false},
		{"REGEX MATCH, option", clause("department", scope.RegexMatch, "(?i)sales"), text("Sales"), true},
		{"REGEX MATCH, one of several", clause("department", scope.RegexMatch, "^I", "^S"), text("Sales"), true},
		{"NOT REGEX MATCH, not found", clause("userPrincipalName", scope.NotRegexMatch, "^svc-"), text("kari@contoso.com"), true},
		{"NOT REGEX MATCH, found", clause("userPrincipalName", scope.NotRegexMatch, "^svc-"), text("svc-backup@contoso.com"), false},
		{"NOT REGEX MATCH, one of several", clause("userPrincipalName", scope.NotRegexMatch, "^svc-", "^adm-"), text("adm-1"), false},
		{"NOT REGEX MATCH, unescaped brace", clause("mailNickname", scope.NotRegexMatch, "^SystemMailbox{"), text("SystemMailbox{1f05a927}"), false},
		{"GREATER_THAN, greater", clause("employeeId", scope.GreaterThan, "9"), text("10"), true},
		{"GREATER_THAN, equal", clause("employeeId", scope.GreaterThan, "10"), text("10"), false},
		{"GREATER_THAN, integer", clause(extension, scope.GreaterThan, "-5"), directory.IntOf(-4), true},
		{"GREATER_THAN, no number", clause("employeeId", scope.GreaterThan, "9"), text("A10"), false},
		{"GREATER_THAN, fraction is no integer", clause("employeeId", scope.GreaterThan, "9"), text("10.5"), false},
		{"GREATER_THAN_OR_EQUALS, equal", clause("employeeId", scope.GreaterThanOrEquals, "10"), text("10"), true},
		{"GREATER_THAN_OR_EQUALS, less", clause("employeeId", scope.GreaterThanOrEquals, "10"), text("9"), false},
		{"INCLUDES, part", clause("jobTitle", scope.Includes, "Manager"), text("Sales Manager EMEA"), true},
		{"INCLUDES, case differs", clause("jobTitle", scope.Includes, "manager"), text("Sales Manager"), false},
		{"INCLUDES, one of several", clause("jobTitle", scope.Includes, "Lead", "Head"), text("Head of IT"), true},
		{"ENDS_WITH, end", clause("mail", scope.EndsWith, "@contoso.com"), text("kari@contoso.com"), true},
		{"ENDS_WITH, not the end", clause("mail", scope.EndsWith, "@contoso.com"), text("kari@contoso.com.au"), false},
		{"ENDS_WITH, case differs", clause("mail", scope.EndsWith, "@contoso.com"), text("kari@Contoso.com"), false},
		{"&, bit set", clause(extension, scope.BitsSet, "2"), directory.IntOf(514), true},
		{"&, bit clear", clause(extension, scope.BitsSet, "2"), directory.IntOf(512), false},
		{"&, number in text", clause("extensionAttribute1", scope.BitsSet, "2"), text("514"), true},
		{"&, one of two masks", clause(extension, scope.BitsSet, "1", "2"), directory.IntOf(2), true},
		{"!&, bit clear", clause(extension, scope.BitsClear, "2"), directory.IntOf(512), true},
		{"!&, bit set", clause(extension, scope.BitsClear, "2"), directory.IntOf(514), false},
		{"!&, no bit of two masks", clause(extension, scope.BitsClear, "1", "2"), directory.IntOf(4), true},
		{"!&, no number", clause(extension, scope.BitsClear, "2"), text("x"), false},
		{"STARTS_WITH, beginning", clause("department", scope.StartsWith, "Sal"), text("Sales"), true},
		{"STARTS_WITH, not the beginning", clause("department", scope.StartsWith, "ales"), text("Sales"), false},
		{"STARTS_WITH, case differs", clause("department", scope.StartsWith, "sal"), text("Sales"), false},
		{"STARTS_WITH, one of several", clause("department", scope.StartsWith, "IT", "Sa"), text("Sales"), true},
		{"NOT INCLUDES, no part", clause("jobTitle", scope.NotIncludes, "Trainee"), text("Head of IT"), true},
		{"NOT INCLUDES, part", clause("jobTitle", scope.NotIncludes, "IT"), text("Head of IT"), false},
		{"NOT INCLUDES, one of several", clause("jobTitle", scope.NotIncludes, "Trainee", "Head"), text("Head of IT"), false},
		{"LESS_THAN, less", clause("employeeId", scope.LessThan, "10"), text("9"), true},
		{"LESS_THAN, equal", clause("employeeId", scope.LessThan, "10"), text("10"), false},
		{"LESS_THAN, no number", clause("employeeId", scope.LessThan, "10"), text("A1"), false},
		{"LESS_THAN_OR_EQUALS, equal", clause("employeeId", scope.LessThanOrEquals, "10"), text("10"), true},
		{"LESS_THAN_OR_EQUALS, greater", clause("employeeId", scope.LessThanOrEquals, "10"), text("11"), false},
		{"userType", clause("userType", scope.Equals, "Member"), text("Member"), true},
		{"old name", clause("physicalDeliveryOfficeName", scope.Equals, "Oslo"), directory.Value{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := compile(t, one(tt.clause))
			d := f.Evaluate(attributes(tt.clause.Attribute, tt.value), present)
			if d.InScope != tt.want || d.Err != nil {
				t.Errorf("%v on %q: in scope %v (error %v), want %v", tt.clause, tt.value, d.InScope, d.Err, tt.want)
			}
			if passed := f.Explain(attributes(tt.clause.Attribute, tt.value), present)[0].Passed; passed != tt.want {
				t.Errorf("explained as %v, want %v", passed, tt.want)
			}
		})
	}
}

// Every operator is false for no value, IS NULL apart, whatever it negates.
func TestNull(t *testing.T) {
	clauses := map[scope.Operator]scope.Clause{}
	for _, name := range scope.Operators() {
		o, err := scope.ParseOperator(name)
		if err != nil {
			t.Fatal(err)
		}
		c := clause(extension, o)
		if !o.Unary() {
			c.Values = []string{"1"}
		}
		clauses[o] = c
	}
	if len(clauses) != 18 {
		t.Fatalf("%d operators, want 18", len(clauses))
	}
	nothing := map[string]directory.Attributes{
		"absent": nil, "null": attributes(extension, directory.NullValue()), "empty text": attributes(extension, text("")),
		"empty list": attributes(extension, directory.ListOf()),
	}
	for o, c := range clauses {
		for state, a := range nothing {
			if d := compile(t, one(c)).Evaluate(a, present); d.InScope != (o == scope.IsNull) || d.Err != nil {
				t.Errorf("%s on %s: in scope %v (error %v)", o, state, d.InScope, d.Err)
			}
		}
	}
}

func TestGroups(t *testing.T) {
	sales := scope.Group{Title: "Sales", Clauses: []scope.Clause{clause("department", scope.Equals, "Sales"), clause("country", scope.Equals, "NO")}}
	managers := scope.Group{Clauses: []scope.Clause{clause("jobTitle", scope.Includes, "Manager")}}
	tests := []struct {
		name   string
		groups []scope.Group
		user   directory.Attributes
		in     bool
		group  int
		clause int
		reason string
	}{
		{"no group", nil, attributes("department", text("IT")), true, -1, -1, "there is no filter"},
		{"all clauses hold", []scope.Group{sales}, attributes("department", text("Sales"), "country", text("NO")), true, 0, -1, `filter "Sales" is true`},
		{"the first clause is false", []scope.Group{sales}, attributes("department", text("Retired"), "country", text("NO")), false, 0, 0,
			`clause 1 of filter "Sales" is false: department EQUALS "Sales" (value "Retired")`},
		{"the second clause is false", []scope.Group{sales}, attributes("department", text("Sales")), false, 0, 1,
			`clause 2 of filter "Sales" is false: country EQUALS "NO" (no value)`},
		{"the second group holds", []scope.Group{sales, managers}, attributes("jobTitle", text("Manager")), true, 1, -1, `filter 2 is true`},
		{"both groups hold", []scope.Group{managers, sales}, attributes("jobTitle", text("Manager"), "department", text("Sales"), "country", text("NO")),
			true, 0, -1, `filter 1 is true`},
		{"no group holds", []scope.Group{sales, managers}, attributes("department", text("IT"), "jobTitle", text("Clerk")), false, 0, 0,
			`clause 1 of filter "Sales" is false: department EQUALS "Sales" (value "IT"); clause 1 of filter 2 is false: jobTitle INCLUDES "Manager" (value "Clerk")`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := compile(t, tt.groups...)
			d := f.Evaluate(tt.user, present)
			if d.InScope != tt.in || d.Group != tt.group || d.Clause != tt.clause || d.Err != nil {
				t.Errorf("in scope %v, group %d, clause %d, error %v; want %v, %d, %d", d.InScope, d.Group, d.Clause, d.Err, tt.in, tt.group, tt.clause)
			}
			if d.Reason() != tt.reason {
				t.Errorf("reason %s\nwant   %s", d.Reason(), tt.reason)
			}
			if f.Empty() != (len(tt.groups) == 0) {
				t.Errorf("empty %v with %d groups", f.Empty(), len(tt.groups))
			}
		})
	}
}

func TestReasons(t *testing.T) {
	tests := []struct {
		name   string
		clause scope.Clause
		value  directory.Value
		want   string
	}{
		{"several operands", clause("department", scope.Equals, "IT", "HR"), text("Sales"), `department EQUALS "IT" or "HR" (value "Sales")`},
		{"no operand", clause("department", scope.IsNull), text("Sales"), `department IS NULL (value "Sales")`},
		{"boolean", clause("accountEnabled", scope.IsTrue), directory.BoolOf(false), `accountEnabled IS TRUE (value "False")`},
		{"pattern", clause("department", scope.RegexMatch, `^\d`), text("Sales"), `department REGEX MATCH "^\\d" (value "Sales")`},
		{"bits", clause(extension, scope.BitsClear, "2"), directory.IntOf(2), extension + ` !& "2" (value "2")`},
		{"name as it is written", clause("telephoneNumber", scope.Equals, "1"), directory.Value{}, `telephoneNumber EQUALS "1" (no value)`},
		{"long value", clause("department", scope.Equals, "IT"), text(strings.Repeat("å", 90)), `department EQUALS "IT" (value "` + strings.Repeat("å", 79) + `…")`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := compile(t, one(tt.clause)).Evaluate(attributes(tt.clause.Attribute, tt.value), present).Reason()
			if want := `clause 1 of filter "Staff" is false: ` + tt.want; got != want {
				t.Errorf("reason %s\nwant   %s", got, want)
			}
		})
	}
}

func TestReasonHidesValues(t *testing.T) {
	f := compile(t, one(clause("telephoneNumber", scope.Equals, "1"), clause("city", scope.Equals, "Oslo")))
	hide := func(attribute string) bool { return attribute == "businessPhones" }
	got := f.Evaluate(attributes("businessPhones", directory.ListOf("4711")), present).ReasonHiding(hide)
	if want := `clause 1 of filter "Staff" is false: telephoneNumber EQUALS (sensitive) (value (sensitive))`; got != want {
		t.Errorf("reason %s\nwant   %s", got, want)
	}
	got = f.Evaluate(attributes("businessPhones", directory.ListOf("1"), "city", text("Bergen")), present).ReasonHiding(hide)
	if want := `clause 2 of filter "Staff" is false: city EQUALS "Oslo" (value "Bergen")`; got != want {
		t.Errorf("reason %s\nwant   %s", got, want)
	}
}

func TestLabels(t *testing.T) {
	f := compile(t, one(clause("city", scope.Equals, "Oslo")), scope.Group{Clauses: []scope.Clause{clause("city", scope.Equals, "Bergen")}})
	for city, want := range map[string]string{"Oslo": `filter "Staff"`, "Bergen": "filter 2"} {
		if got := f.Evaluate(attributes("city", text(city)), present).Label(); got != want {
			t.Errorf("%s: label %s, want %s", city, got, want)
		}
	}
	if got := new(scope.Filter).Evaluate(nil, present).Label(); got != "" {
		t.Errorf("label of no filter %q, want none", got)
	}
	if got := (scope.Decision{}).Reason(); got != "there is no filter" {
		t.Errorf("reason of no decision %q", got)
	}
}

func TestFirstOfSeveral(t *testing.T) {
	f := compile(t, one(clause("telephoneNumber", scope.Equals, "1")))
	if !f.Evaluate(attributes("businessPhones", directory.ListOf("1", "2")), present).InScope {
		t.Error("the first business phone is not judged as telephoneNumber")
	}
	if f.Evaluate(attributes("businessPhones", directory.ListOf("2", "1")), present).InScope {
		t.Error("the second business phone is judged as telephoneNumber")
	}
	if diff := cmp.Diff([]string{"businessPhones"}, f.Attributes()); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

// slow is a pattern that takes too long on the text below.
func slow(attribute string, operator scope.Operator) scope.Clause {
	return clause(attribute, operator, `^(a+)+\1$`)
}

func TestPatternsThatTakeTooLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 40) + "!"
	user := attributes("department", text(long), "city", text("Oslo"))
	oslo, bergen := clause("city", scope.Equals, "Oslo"), clause("city", scope.Equals, "Bergen")
	tests := []struct {
		name    string
		groups  []scope.Group
		in      bool
		undecid bool
	}{
		{"alone", []scope.Group{one(slow("department", scope.RegexMatch))}, false, true},
		{"negated", []scope.Group{one(slow("department", scope.NotRegexMatch))}, false, true},
		{"beside a clause that holds", []scope.Group{one(slow("department", scope.RegexMatch), oslo)}, false, true},
		{"beside a clause that is false", []scope.Group{one(slow("department", scope.RegexMatch), bergen)}, false, false},
		{"beside a group that holds", []scope.Group{one(slow("department", scope.RegexMatch)), one(oslo)}, true, false},
		{"beside a group that is false", []scope.Group{one(bergen), one(slow("department", scope.RegexMatch))}, false, true},
		{"beside a pattern that is found", []scope.Group{one(clause("department", scope.RegexMatch, `^(a+)+\1$`, `!$`))}, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := compile(t, tt.groups...).Evaluate(user, present)
			if d.InScope != tt.in || errors.Is(d.Err, pattern.ErrTimeout) != tt.undecid {
				t.Fatalf("in scope %v, error %v; want %v, undecided %v", d.InScope, d.Err, tt.in, tt.undecid)
			}
			if tt.undecid && !strings.Contains(d.Reason(), `cannot be judged: department`) {
				t.Errorf("reason %s does not tell that the clause cannot be judged", d.Reason())
			}
		})
	}
}

func TestExplain(t *testing.T) {
	f := compile(t,
		scope.Group{Title: "Staff", Clauses: []scope.Clause{clause("department", scope.Equals, "Sales"), clause("accountEnabled", scope.IsTrue)}},
		scope.Group{Clauses: []scope.Clause{clause("city", scope.IsNull)}})
	var got []string
	for _, g := range f.Explain(attributes("department", text("IT"), "accountEnabled", directory.BoolOf(true)), present) {
		got = append(got, fmt.Sprintf("%q %v", g.Title, g.Passed))
		for _, c := range g.Clauses {
			got = append(got, fmt.Sprintf("%s | %s | %s %q | %v %v", c.Attribute, c.Text, c.Value.Kind(), c.Value, c.Passed, c.Err))
		}
	}
	want := []string{
		`"Staff" false`,
		`department | department EQUALS "Sales" | text "IT" | false <nil>`,
		`accountEnabled | accountEnabled IS TRUE | boolean "True" | true <nil>`,
		`"" true`,
		`city | city IS NULL | null "" | true <nil>`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAttributes(t *testing.T) {
	f := compile(t, one(clause("mobile", scope.IsNotNull), clause("city", scope.IsNotNull)), one(clause("city", scope.Equals, "Oslo"), clause(extension, scope.IsNull)))
	if diff := cmp.Diff([]string{"city", extension, "mobilePhone"}, f.Attributes()); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestFiltersAreSafeForConcurrentUse(t *testing.T) {
	f := compile(t, one(clause("department", scope.RegexMatch, `(?i)^sales`), clause("mail", scope.EndsWith, "@contoso.com")))
	user := attributes("department", text("Sales"), "mail", text("kari@contoso.com"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if d := f.Evaluate(user, present); !d.InScope {
					t.Errorf("out of scope: %s", d.Reason())
					return
				}
			}
		})
	}
	wg.Wait()
}

// numeric are the operators that compare whole numbers.
var numeric = []scope.Operator{scope.BitsSet, scope.BitsClear, scope.GreaterThan, scope.GreaterThanOrEquals, scope.LessThan, scope.LessThanOrEquals}

// drawn draws groups over three attributes and a user that has some of them.
func drawn(t *rapid.T) ([]scope.Group, directory.Attributes) {
	words := rapid.SampledFrom([]string{"a", "b", "ab", "1", "2"})
	names := rapid.SampledFrom([]string{"city", "department", extension})
	var groups []scope.Group
	for range rapid.IntRange(1, 3).Draw(t, "groups") {
		g := scope.Group{}
		for range rapid.IntRange(1, 3).Draw(t, "clauses") {
			o, _ := scope.ParseOperator(rapid.SampledFrom(scope.Operators()).Draw(t, "operator"))
			c := scope.Clause{Attribute: names.Draw(t, "attribute"), Operator: o}
			switch {
			case o == scope.IsTrue || o == scope.IsFalse:
				c.Attribute = extension
			case o.Unary():
			case slices.Contains(numeric, o):
				c.Values = []string{rapid.SampledFrom([]string{"1", "2"}).Draw(t, "number")}
			default:
				c.Values = rapid.SliceOfN(words, 1, 2).Draw(t, "values")
				c.IgnoreCase = rapid.Bool().Draw(t, "ignore case")
			}
			if c.Attribute == extension && !o.Unary() {
				c.Members = rapid.SampledFrom([]scope.Members{scope.Whole, scope.Any, scope.All}).Draw(t, "members")
			}
			g.Clauses = append(g.Clauses, c)
		}
		groups = append(groups, g)
	}
	var list []directory.Attribute
	for _, name := range []string{"city", "department", extension} {
		if rapid.Bool().Draw(t, "has "+name) {
			list = append(list, directory.Attribute{Name: name, Value: text(words.Draw(t, name))})
		}
	}
	return groups, directory.SortedAttributes(list)
}

// No clause but IS NULL holds without a value, whatever it negates and however it
// judges several.
func TestNothingHoldsWithoutAValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups, _ := drawn(t)
		for _, g := range groups {
			for _, c := range g.Clauses {
				for _, nothing := range []directory.Value{{}, directory.NullValue(), directory.ListOf()} {
					user := directory.Attributes{{Name: c.Attribute, Value: nothing}}
					if got := verdict(t, []scope.Group{{Clauses: []scope.Clause{c}}}, user); got != (c.Operator == scope.IsNull) {
						t.Fatalf("%+v on %s: %v", c, nothing.Kind(), got)
					}
				}
			}
		}
	})
}

func verdict(t *rapid.T, groups []scope.Group, user directory.Attributes) bool {
	f, problems := scope.Compile(groups)
	if len(problems) > 0 {
		t.Fatalf("problems: %+v", problems)
	}
	d := f.Evaluate(user, present)
	if d.Err != nil {
		t.Fatal(d.Err)
	}
	return d.InScope
}

func TestOrderIsIrrelevant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups, user := drawn(t)
		want := verdict(t, groups, user)
		turned := slices.Clone(groups)
		slices.Reverse(turned)
		for i := range turned {
			turned[i].Clauses = slices.Clone(turned[i].Clauses)
			slices.Reverse(turned[i].Clauses)
		}
		if got := verdict(t, turned, user); got != want {
			t.Fatalf("in scope %v, with groups and clauses in reverse order %v", want, got)
		}
	})
}

func TestGroupsWidenAndClausesNarrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups, user := drawn(t)
		more, _ := drawn(t)
		if verdict(t, groups, user) && !verdict(t, append(slices.Clone(groups), more...), user) {
			t.Fatal("a further group takes a user out of scope")
		}
		narrow := slices.Clone(groups)
		for i := range narrow {
			narrow[i].Clauses = append(slices.Clone(narrow[i].Clauses), more[0].Clauses...)
		}
		if !verdict(t, groups, user) && verdict(t, narrow, user) {
			t.Fatal("further clauses take a user into scope")
		}
	})
}

func TestExplainAgreesWithEvaluate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups, user := drawn(t)
		f, _ := scope.Compile(groups)
		passed := false
		for _, g := range f.Explain(user, present) {
			all := true
			for _, c := range g.Clauses {
				all = all && c.Passed
			}
			if all != g.Passed {
				t.Fatalf("the group passed: %v, its clauses: %v", g.Passed, all)
			}
			passed = passed || g.Passed
		}
		if d := f.Evaluate(user, present); d.InScope != passed {
			t.Fatalf("in scope %v, explained as %v", d.InScope, passed)
		}
	})
}

func TestEvaluateAllocatesNothing(t *testing.T) {
	f, user := staff(t)
	if n := testing.AllocsPerRun(200, func() { f.Evaluate(user, present) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func staff(t testing.TB) (*scope.Filter, directory.Attributes) {
	f := compile(t, one(clause("department", scope.Equals, "Sales"), clause("accountEnabled", scope.IsTrue), clause("userPrincipalName", scope.NotRegexMatch, "^svc-")))
	return f, attributes("accountEnabled", directory.BoolOf(true), "city", text("Oslo"), "country", text("NO"), "department", text("Sales"),
		"displayName", text("Kari Nordmann"), "employeeId", text("10482"), "givenName", text("Kari"), "jobTitle", text("Controller"),
		"mail", text("kari@contoso.com"), "surname", text("Nordmann"), "userPrincipalName", text("kari@contoso.com"))
}

// BenchmarkThreeClauses compares a filter with the function one would write by hand.
func BenchmarkThreeClauses(b *testing.B) {
	f, user := staff(b)
	b.Run("filter", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !f.Evaluate(user, present).InScope {
				b.Fatal("out of scope")
			}
		}
	})
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !byHand(user) {
				b.Fatal("out of scope")
			}
		}
	})
}

//go:noinline
func byHand(a directory.Attributes) bool {
	if a.Get("department").Text() != "Sales" {
		return false
	}
	if enabled, ok := a.Get("accountEnabled").Bool(); !ok || !enabled {
		return false
	}
	upn := a.Get("userPrincipalName").Text()
	return upn != "" && !strings.HasPrefix(upn, "svc-")
}

// A user can have hundreds of values and a filter many patterns: all of them
// together have a limit of time too.
func TestManySlowPatternsTakeNoLongerThanAFew(t *testing.T) {
	bad := slow("otherMails", scope.RegexMatch)
	bad.Members = scope.Any
	mails := make([]string, 50)
	for i := range mails {
		mails[i] = strings.Repeat("a", 40) + "!"
	}
	user := attributes("otherMails", directory.ListOf(mails...))
	began := time.Now()
	d := compile(t, slices.Repeat([]scope.Group{one(bad)}, 10)...).Evaluate(user, present)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("500 matches that take too long: %v together, want little more than a second", took)
	}
	if !errors.Is(d.Err, pattern.ErrTimeout) {
		t.Errorf("error %v, want %v", d.Err, pattern.ErrTimeout)
	}
}
