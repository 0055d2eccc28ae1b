package scope_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
				"GREATER_THAN, GREATER_THAN_OR_EQUALS, INCLUDES, ENDS_WITH, &, !&, STARTS_WITH, NOT INCLUDES, LESS_THAN, LESS_THAN_OR_EQUALS"}},
		{"several values", clause("proxyAddresses", scope.Includes, "x"), scope.Problem{Field: "members", Message: "proxyAddresses has several values: " +
			"say with members: any that one of them is enough, or with members: all that each must satisfy the clause"}},
		{"several values with a way out", clause("businessPhones", scope.Includes, "x"), scope.Problem{Field: "members", Message: "businessPhones has several values: " +
			"say with members: any that one of them is enough, or with members: all that each must satisfy the clause, or use telephoneNumber, which stands for the first one"}},
		{"members of one value", with(clause("department", scope.Equals, "x"), false, scope.Any),
			scope.Problem{Field: "members", Message: "department has one value: members is for attributes that have several"}},
		{"members of nothing", with(clause("proxyAddresses", scope.IsNull), false, scope.All),
			scope.Problem{Field: "members", Message: "IS NULL takes no members: it judges the attribute as a whole"}},
		{"members of groups", with(clause("memberOf", scope.Equals, group1), false, scope.Any),
			scope.Problem{Field: "members", Message: "memberOf takes no members: EQUALS holds for members of one of the groups, NOT EQUALS for members of none"}},
		{"case of numbers", with(clause("employeeId", scope.LessThan, "5"), true, scope.Whole),
			scope.Problem{Field: "ignoreCase", Message: "LESS_THAN takes no ignoreCase: it does not compare text"}},
		{"case of nothing", with(clause("department", scope.IsNotNull), true, scope.Whole),
			scope.Problem{Field: "ignoreCase", Message: "IS NOT NULL takes no ignoreCase: it does not compare text"}},
		{"case of ids", with(clause("manager", scope.Equals, group1), true, scope.Whole),
			scope.Problem{Field: "ignoreCase", Message: "manager takes no ignoreCase: object ids have no case"}},
		{"case of dates", with(clause("createdDateTime", scope.Equals, "2026-03-01"), true, scope.Whole),
			scope.Problem{Field: "ignoreCase", Message: "createdDateTime takes no ignoreCase: it is a date"}},
		{"group by name", clause("memberOf", scope.Equals, "Staff"),
			scope.Problem{Field: "value", Message: `memberOf is compared with object ids of groups, which are GUIDs; "Staff" is none`}},
		{"groups by pattern", clause("memberOf", scope.RegexMatch, "^a"), scope.Problem{Field: "operator",
			Message: "REGEX MATCH does not judge groups: memberOf takes EQUALS and NOT EQUALS with object ids of groups"}},
		{"no groups", clause("memberOf", scope.IsNull), scope.Problem{Field: "operator",
			Message: "IS NULL does not judge groups: memberOf takes EQUALS and NOT EQUALS with object ids of groups"}},
		{"path with a dot", clause("employeeOrgData.costCenter", scope.IsNull), scope.Problem{Field: "attribute", Message: `unknown attribute "employeeOrgData.costCenter"`, Suggestion: "costCenter"}},
		{"memberOf misspelt", clause("memberof", scope.IsNull), scope.Problem{Field: "attribute", Message: `unknown attribute "memberof"`, Suggestion: "memberOf"}},
		{"manager by name", clause("manager", scope.NotEquals, "anna@contoso.com"),
			scope.Problem{Field: "value", Message: `manager is compared with object ids of users, which are GUIDs; "anna@contoso.com" is none`}},
		{"manager as text", clause("manager", scope.EndsWith, group1), scope.Problem{Field: "operator",
			Message: "ENDS_WITH does not judge references, manager is one: use EQUALS or NOT EQUALS with an object id, IS NULL or IS NOT NULL"}},
		{"date as text", clause("employeeHireDate", scope.Includes, "2026"), scope.Problem{Field: "operator", Message: "INCLUDES does not judge dates, employeeHireDate is one: " +
			"use EQUALS, NOT EQUALS, GREATER_THAN, GREATER_THAN_OR_EQUALS, LESS_THAN or LESS_THAN_OR_EQUALS"}},
		{"no date", clause("employeeHireDate", scope.LessThan, "1.3.2026"), scope.Problem{Field: "value",
			Message: `employeeHireDate is compared with dates, "1.3.2026" is none: write 2026-03-01, 2026-03-01T08:00:00Z, now, now-30d, now+2w or now-12h`}},
		{"equal to the present", clause("employeeHireDate", scope.Equals, "now"), scope.Problem{Field: "value",
			Message: `EQUALS with "now" would be decided by a moment that never comes twice: use GREATER_THAN or LESS_THAN`}},
		{"neither number nor date", clause("extensionAttribute1", scope.GreaterThan, "tomorrow"),
			scope.Problem{Field: "value", Message: `GREATER_THAN compares whole numbers or dates, "tomorrow" is neither`}},
		{"assignments", clause("appRoleAssignments", scope.IsNotNull), scope.Problem{Field: "attribute", Message: "appRoleAssignments cannot be used in a filter: " +
			"it is no attribute of a user; scope.servicePrincipalId takes those who are assigned, memberOf asks for groups"}},
		{"an object of properties", clause("identities", scope.IsNotNull),
			scope.Problem{Field: "attribute", Message: "identities cannot be read: it is an object of several properties, not a value"}},
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
		one(clause("identities", 99, "x")),
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
		`2|0|attribute|identities cannot be read: it is an object of several properties, not a value`,
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
		"  is   null ": scope.IsNull, "STARTS_WITH": scope.StartsWith, "starts with": scope.StartsWith, "NOT INCLUDES": scope.NotIncludes,
		"LESS_THAN": scope.LessThan, "Less_Than_OR_EQUALS": scope.LessThanOrEquals,
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
	if !f.Evaluate(attributes("department", text("Sales")), present).InScope {
		t.Error("the filter changes with the values it was compiled from")
	}
}
