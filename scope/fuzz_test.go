package scope_test

import (
	"testing"

	"tenantsync/directory"
	"tenantsync/scope"
)

// FuzzFilter holds that no clause makes the compiler or a verdict panic, that a
// verdict and its explanation agree, that an undecided user is not in scope, and
// that nothing but IS NULL, and being outside of a group, holds without a value.
func FuzzFilter(f *testing.F) {
	f.Add("department", "EQUALS", "Sales", "Retired", false, byte(0))
	f.Add("userPrincipalName", "NOT REGEX MATCH", "^svc-", "svc-1", true, byte(0))
	f.Add("userPrincipalName", "REGEX MATCH", `^(a+)+\1$`, "aaaaaaaaaaaaaaaaaaaaaaaa!", false, byte(0))
	f.Add("employeeId", "Greater_Than", "-9223372036854775808", "9223372036854775807", false, byte(0))
	f.Add("extension_0123456789abcdef0123456789abcdef_level", "!&", "2", "514", false, byte(2))
	f.Add("accountEnabled", "IS TRUE", "", "true", false, byte(0))
	f.Add("telephoneNumber", "ENDS_WITH", "\xff", "1", true, byte(0))
	f.Add("proxyAddresses", "NOT INCLUDES", "@contoso.com", "SMTP:a@contoso.com", true, byte(1))
	f.Add("memberOf", "NOT EQUALS", group1, group2, false, byte(0))
	f.Add("manager", "EQUALS", group1, group1, false, byte(0))
	f.Add("employeeHireDate", "LESS_THAN_OR_EQUALS", "now+14d", "2026-03-29T12:00:00Z", false, byte(0))
	f.Add("extensionAttribute1", "GREATER_THAN", "2026-03-01", "2026-03-01T24:00:00Z", false, byte(1))
	f.Fuzz(func(t *testing.T, attribute, operator, operand, value string, ignoreCase bool, members byte) {
		o, err := scope.ParseOperator(operator)
		if err != nil {
			return
		}
		c := scope.Clause{Attribute: attribute, Operator: o, IgnoreCase: ignoreCase, Members: scope.Members(members)}
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
		name := scope.MemberOf
		if names := filter.Attributes(); len(names) > 0 {
			name = names[0]
		}
		for _, v := range []directory.Value{text(value), directory.ListOf(value), directory.ListOf(value, operand, ""), directory.ListOf(),
			directory.BoolOf(value == "true"), directory.IntOf(int64(len(value))), directory.RefOf(value), {}} {
			a := directory.Attributes{{Name: name, Value: v}}
			d := filter.Evaluate(a, present)
			if d.Err != nil && d.InScope || d.Reason() == "" {
				t.Fatalf("in scope %v with error %v, reason %q", d.InScope, d.Err, d.Reason())
			}
			if explained := filter.Explain(a, present)[0].Passed; d.Err == nil && explained != d.InScope {
				t.Fatalf("in scope %v, explained as %v", d.InScope, explained)
			}
			if v.IsEmpty() && d.InScope && o != scope.IsNull && name != scope.MemberOf {
				t.Fatalf("%s %s %q holds without a value", attribute, o, operand)
			}
		}
	})
}
