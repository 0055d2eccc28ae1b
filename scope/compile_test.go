package scope_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/scope"
)

func TestProblems(t *testing.T) {
	tests := []struct {
		name   string
		clause scope.Clause
		want   scope.Problem
	}{
		{"no attribute", clause("", scope.IsNull), scope.Problem{Field: "attribute", Message: "the clause has no attribute"}},
		{"unknown attribute", clause("departmnt", scope.Equals, "Sales"),
			scope.Problem{Field: "attribute", Message: `unknown attribute "departmnt"`, Suggestion: "department"}},
		{"no operator", clause("department", 0, "Sales"), scope.Problem{Field: "operator",
			Message: "the clause has no operator: one of EQUALS, NOT EQUALS, IS TRUE, IS FALSE, IS NULL, IS NOT NULL, REGEX MATCH, NOT REGEX MATCH, " +
				"GREATER_THAN, GREATER_THAN_OR_EQUALS, INCLUDES, ENDS_WITH, &, !&"}},
		{"several values", clause("proxyAddresses", scope.Includes, "x"),
			scope.Problem{Field: "attribute", Message: "proxyAddresses cannot be used in a filter: scoping filters cannot judge attributes with several values"}},
		{"several values with a way out", clause("businessPhones", scope.Includes, "x"), scope.Problem{Field: "attribute",
			Message: "businessPhones cannot be used in a filter: scoping filters cannot judge attributes with several values; telephoneNumber stands for the first one"}},
		{"userType", clause("userType", scope.Equals, "Member"), scope.Problem{Field: "attribute",
			Message: "userType cannot be used in a filter: only internal members of the source are read, so userType decides nothing"}},
		{"manager", clause("manager", scope.IsNotNull),
			scope.Problem{Field: "attribute", Message: "manager cannot be used in a filter: scoping filters cannot judge references"}},
		{"date", clause("employeeHireDate", scope.IsNotNull),
			scope.Problem{Field: "attribute", Message: "employeeHireDate cannot be used in a filter: scoping filters cannot judge dates"}},
		{"kept elsewhere", clause("aboutMe", scope.IsNotNull), scope.Problem{Field: "attribute",
			Message: "aboutMe cannot be read: it is kept outside the directory: Graph neither lists it with users nor reports its changes"}},
		{"text as a boolean", clause("department", scope.IsTrue),
			scope.Problem{Field: "operator", Message: "IS TRUE judges Booleans, department is String: compare its text, as in EQUALS"}},
		{"boolean as text", clause("accountEnabled", scope.Equals, "true"),
			scope.Problem{Field: "operator", Message: "EQUALS does not judge Booleans, accountEnabled is one: use IS TRUE or IS FALSE"}},
		{"value too many", clause("department", scope.IsNull, "x"), scope.Problem{Field: "value", Message: "IS NULL takes no value"}},
		{"value missing", clause("department", scope.Equals), scope.Problem{Field: "value", Message: "EQUALS needs a value"}},
		{"empty value", clause("department", scope.Equals, ""),
			scope.Problem{Field: "value", Message: "empty text is no value: use IS NULL or IS NOT NULL"}},
		{"no number", clause("employeeId", scope.GreaterThan, "ten"),
			scope.Problem{Field: "value", Message: `GREATER_THAN compares whole numbers, "ten" is none`}},
		{"no bit", clause("extensionAttribute1", scope.BitsClear, "0"), scope.Problem{Field: "value", Message: "!& with 0 asks for no bit at all"}},
		{"pattern that is none", clause("department", scope.RegexMatch, "(a"),
			scope.Problem{Field: "value", Message: "the regular expression is wrong: missing closing )"}},
		{"empty pattern", clause("department", scope.NotRegexMatch, ""),
			scope.Problem{Field: "value", Message: "an empty regular expression matches everything: use IS NOT NULL"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, problems := scope.Compile([]scope.Group{one(tt.clause)})
			if f != nil {
				t.Error("there is a filter, want none")
			}
			if diff := cmp.Diff([]scope.Problem{tt.want}, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, problems := scope.Compile([]scope.Group{
		one(clause("departmnt", scope.Equals), clause("city", scope.Equals, "Oslo"), clause("employeeId", scope.GreaterThan, "x", "y")),
		{Title: "nobody"},
		one(clause("manager", 99, "x")),
	})
	var got []string
	for _, p := range problems {
		got = append(got, strings.Join([]string{string(rune('0' + p.Group)), string(rune('0' + p.Clause)), p.Field, p.Error()}, "|"))
	}
	want := []string{
		`0|0|attribute|unknown attribute "departmnt" (did you mean department?)`,
		`0|0|value|EQUALS needs a value`,
		`0|2|value|GREATER_THAN compares whole numbers, "x" is none`,
		`0|2|value|GREATER_THAN compares whole numbers, "y" is none`,
		`1|/|clauses|the filter has no clause and would let everybody in`,
		`2|0|attribute|manager cannot be used in a filter: scoping filters cannot judge references`,
		`2|0|operator|the clause has no operator: one of ` + strings.Join(scope.Operators(), ", "),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestParseOperator(t *testing.T) {
	for word, want := range map[string]scope.Operator{
		"EQUALS": scope.Equals, "equals": scope.Equals, "NOT EQUALS": scope.NotEquals, "Not Equals": scope.NotEquals, "IS TRUE": scope.IsTrue,
		"is false": scope.IsFalse, "IS NULL": scope.IsNull, "IS NOT NULL": scope.IsNotNull, "REGEX MATCH": scope.RegexMatch,
		"NOT REGEX MATCH": scope.NotRegexMatch, "Greater_Than": scope.GreaterThan, "GREATER_THAN": scope.GreaterThan, "greater than": scope.GreaterThan,
		"Greater_Than_OR_EQUALS": scope.GreaterThanOrEquals, "GREATER_THAN_OR_EQUALS": scope.GreaterThanOrEquals, "Includes": scope.Includes,
		"INCLUDES": scope.Includes, "ENDS_WITH": scope.EndsWith, "ENDS WITH": scope.EndsWith, "&": scope.BitsSet, "!&": scope.BitsClear,
		"  is   null ": scope.IsNull,
	} {
		got, err := scope.ParseOperator(word)
		if err != nil || got != want {
			t.Errorf("%q is %v (error %v), want %v", word, got, err, want)
		}
	}
	for word, want := range map[string]string{
		"EQUAL":  `operator "EQUAL" unknown (did you mean EQUALS?)`,
		"ISNULL": `operator "ISNULL" unknown (did you mean IS NULL?)`, "": `operator "" unknown: one of EQUALS, NOT EQUALS,`,
		"LIKE-ISH ANYTHING": `operator "LIKE-ISH ANYTHING" unknown: one of EQUALS,`,
	} {
		if o, err := scope.ParseOperator(word); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q is %v, error %v; want %s", word, o, err, want)
		}
	}
	for _, name := range scope.Operators() {
		o, err := scope.ParseOperator(name)
		if err != nil || o.String() != name {
			t.Errorf("%s is %v (error %v)", name, o, err)
		}
	}
}

func TestUnary(t *testing.T) {
	want := map[scope.Operator]bool{scope.IsTrue: true, scope.IsFalse: true, scope.IsNull: true, scope.IsNotNull: true}
	for _, name := range scope.Operators() {
		if o, _ := scope.ParseOperator(name); o.Unary() != want[o] {
			t.Errorf("%s: unary %v, want %v", o, o.Unary(), want[o])
		}
	}
}

func TestFilterKeepsItsOwnValues(t *testing.T) {
	values := []string{"Sales"}
	f := compile(t, one(scope.Clause{Attribute: "department", Operator: scope.Equals, Values: values}))
	values[0] = "changed"
	if !f.Evaluate(attributes("department", text("Sales"))).InScope {
		t.Error("the filter changes with the values it was compiled from")
	}
}

// FuzzFilter holds that no clause makes the compiler or a verdict panic, that a
// verdict and its explanation agree, and that an undecided user is not in scope.
func FuzzFilter(f *testing.F) {
	f.Add("department", "EQUALS", "Sales", "Retired")
	f.Add("userPrincipalName", "NOT REGEX MATCH", "^svc-", "svc-1")
	f.Add("userPrincipalName", "REGEX MATCH", `^(a+)+\1$`, "aaaaaaaaaaaaaaaaaaaaaaaa!")
	f.Add("employeeId", "Greater_Than", "-9223372036854775808", "9223372036854775807")
	f.Add(extension, "!&", "2", "514")
	f.Add("accountEnabled", "IS TRUE", "", "true")
	f.Add("telephoneNumber", "ENDS_WITH", "\xff", "1")
	f.Fuzz(func(t *testing.T, attribute, operator, operand, value string) {
		o, err := scope.ParseOperator(operator)
		if err != nil {
			return
		}
		c := clause(attribute, o)
		if !o.Unary() {
			c.Values = []string{operand}
		}
		filter, problems := scope.Compile([]scope.Group{{Title: operand, Clauses: []scope.Clause{c}}})
		if (filter == nil) == (len(problems) == 0) {
			t.Fatalf("filter %v with problems %v", filter, problems)
		}
		if filter == nil {
			return
		}
		for _, v := range []directory.Value{text(value), directory.ListOf(value), directory.BoolOf(value == "true"), directory.IntOf(int64(len(value))), {}} {
			a := directory.Attributes{{Name: filter.Attributes()[0], Value: v}}
			d := filter.Evaluate(a)
			if d.Err != nil && d.InScope || d.Reason() == "" {
				t.Fatalf("in scope %v with error %v, reason %q", d.InScope, d.Err, d.Reason())
			}
			if explained := filter.Explain(a)[0].Passed; d.Err == nil && explained != d.InScope {
				t.Fatalf("in scope %v, explained as %v", d.InScope, explained)
			}
		}
	})
}
