package scope_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/mapping/pattern"
	"tenantsync/scope"
)

func TestBeyond(t *testing.T) {
	var got []string
	for _, name := range scope.Operators() {
		if o, _ := scope.ParseOperator(name); o.Beyond() {
			got = append(got, name)
		}
	}
	if diff := cmp.Diff([]string{"STARTS_WITH", "NOT INCLUDES", "LESS_THAN", "LESS_THAN_OR_EQUALS"}, got); diff != "" {
		t.Errorf("operators beyond Entra (-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		clause scope.Clause
		want   bool
	}{
		{clause("department", scope.Equals, "x"), false}, {clause("telephoneNumber", scope.Equals, "x"), false},
		{clause("department", scope.StartsWith, "x"), true}, {clause("userType", scope.Equals, "Member"), true},
		{clause("manager", scope.IsNull), true}, {clause("createdDateTime", scope.LessThan, "now"), true},
		{clause("memberOf", scope.Equals, group1), true}, {with(clause("department", scope.Equals, "x"), true, scope.Whole), true},
		{with(clause("otherMails", scope.Equals, "x"), false, scope.Any), true}, {clause("otherMails", scope.IsNull), true},
	} {
		if got := tt.clause.Beyond(); got != tt.want {
			t.Errorf("%+v: beyond %v, want %v", tt.clause, got, tt.want)
		}
	}
}

func TestIgnoreCase(t *testing.T) {
	tests := []struct {
		operator scope.Operator
		operand  string
		value    string
		want     bool
	}{
		{scope.Equals, "sALES", "Sales", true}, {scope.Equals, "sale", "Sales", false}, {scope.NotEquals, "SALES", "Sales", false},
		{scope.NotEquals, "IT", "Sales", true}, {scope.Includes, "MANAG", "Sales Manager", true}, {scope.Includes, "x", "Sales Manager", false},
		{scope.NotIncludes, "MANAG", "Sales Manager", false}, {scope.StartsWith, "SALES ", "sales manager", true},
		{scope.StartsWith, "sales manager x", "Sales Manager", false}, {scope.EndsWith, "@CONTOSO.com", "kari@contoso.COM", true},
		{scope.EndsWith, "xkari@contoso.com", "kari@contoso.com", false}, {scope.RegexMatch, "^SALES$", "sales", true},
		{scope.NotRegexMatch, "^SALES$", "sales", false}, {scope.Equals, "ØRSTED", "ørsted", true}, {scope.EndsWith, "STED", "Ørsted", true},
		// The Kelvin sign is three bytes long, its small letter one.
		{scope.Includes, "k", "10 \u212a", true}, {scope.EndsWith, "\u212aelvin", "10 kelvin", true}, {scope.StartsWith, "kel", "\u212aelvin", true},
	}
	for _, tt := range tests {
		c := with(clause("department", tt.operator, tt.operand), true, scope.Whole)
		if got := compile(t, one(c)).Evaluate(attributes("department", text(tt.value)), present).InScope; got != tt.want {
			t.Errorf("%q %s %q ignoring case: %v, want %v", tt.value, tt.operator, tt.operand, got, tt.want)
		}
	}
}

func TestSeveralValues(t *testing.T) {
	mails := func(list ...string) directory.Value { return directory.ListOf(list...) }
	tests := []struct {
		name     string
		operator scope.Operator
		operand  string
		value    directory.Value
		any, all bool
	}{
		{"one of two", scope.EndsWith, ".com", mails("a@x.com", "a@x.de"), true, false},
		{"both", scope.EndsWith, ".com", mails("a@x.com", "b@x.com"), true, true},
		{"none", scope.EndsWith, ".com", mails("a@x.de", "b@x.de"), false, false},
		{"negated, one of two", scope.NotIncludes, "x.de", mails("a@x.com", "a@x.de"), true, false},
		{"negated, both", scope.NotIncludes, "x.org", mails("a@x.com", "a@x.de"), true, true},
		{"numbers", scope.GreaterThan, "10", mails("5", "15", "x"), true, false},
		{"patterns", scope.NotRegexMatch, "^adm-", mails("adm-1@x.com", "a@x.com"), true, false},
		{"bits", scope.BitsClear, "2", mails("1", "4"), true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for members, want := range map[scope.Members]bool{scope.Any: tt.any, scope.All: tt.all} {
				f := compile(t, one(with(clause("otherMails", tt.operator, tt.operand), false, members)))
				if got := f.Evaluate(attributes("otherMails", tt.value), present).InScope; got != want {
					t.Errorf("%s of %v: %v, want %v", members, tt.value, got, want)
				}
			}
		})
	}
	for _, value := range []directory.Value{{}, directory.NullValue(), mails()} {
		user := attributes("otherMails", value)
		for _, members := range []scope.Members{scope.Any, scope.All} {
			for _, o := range []scope.Operator{scope.NotEquals, scope.NotIncludes, scope.NotRegexMatch, scope.Includes, scope.BitsClear} {
				f := compile(t, one(with(clause("otherMails", o, "1"), false, members)))
				if f.Evaluate(user, present).InScope {
					t.Errorf("%s of no values %s: true, want false", members, o)
				}
			}
		}
		if !compile(t, one(clause("otherMails", scope.IsNull))).Evaluate(user, present).InScope {
			t.Errorf("IS NULL of no values (%s): false, want true", value.Kind())
		}
		if compile(t, one(clause("otherMails", scope.IsNotNull))).Evaluate(user, present).InScope {
			t.Errorf("IS NOT NULL of no values (%s): true, want false", value.Kind())
		}
	}
	// A single value of an extension is a list of one.
	if !compile(t, one(with(clause(extension, scope.Equals, "7"), false, scope.All))).Evaluate(attributes(extension, directory.IntOf(7)), present).InScope {
		t.Error("all of one value: false, want true")
	}
}

func TestMembersThatTakeTooLong(t *testing.T) {
	t.Parallel()
	const long = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"
	for _, tt := range []struct {
		members   scope.Members
		list      []string
		in        bool
		undecided bool
	}{
		{scope.Any, []string{long, "aa"}, true, false}, {scope.Any, []string{long, "b"}, false, true},
		{scope.All, []string{long, "b"}, false, false}, {scope.All, []string{long, "aa"}, false, true},
	} {
		f := compile(t, one(with(slow("otherMails", scope.RegexMatch), false, tt.members)))
		d := f.Evaluate(attributes("otherMails", directory.ListOf(tt.list...)), present)
		if d.InScope != tt.in || errors.Is(d.Err, pattern.ErrTimeout) != tt.undecided {
			t.Errorf("%s of %q: in scope %v, error %v; want %v, undecided %v", tt.members, tt.list, d.InScope, d.Err, tt.in, tt.undecided)
		}
	}
}

func TestMemberOf(t *testing.T) {
	both := compile(t, one(clause("memberOf", scope.Equals, "BBBBBBBB-0000-4000-8000-000000000001", group2), clause("department", scope.Equals, "Sales")))
	if diff := cmp.Diff([]string{group1, group2}, both.Groups()); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"department"}, both.Attributes()); diff != "" {
		t.Errorf("attributes to read (-want +got):\n%s", diff)
	}
	out := compile(t, one(clause("memberOf", scope.NotEquals, group1, group2)))
	for _, tt := range []struct {
		groups  []string
		in, not bool
	}{{nil, false, true}, {[]string{group2}, true, false}, {[]string{"bbbbbbbb-0000-4000-8000-000000000009"}, false, true}, {[]string{group1, group2}, true, false}} {
		user := attributes("memberOf", directory.ListOf(tt.groups...), "department", text("Sales"))
		if d := both.Evaluate(user, present); d.InScope != tt.in || d.Err != nil {
			t.Errorf("EQUALS with %v: %v (%v), want %v", tt.groups, d.InScope, d.Err, tt.in)
		}
		if d := out.Evaluate(user, present); d.InScope != tt.not || d.Err != nil {
			t.Errorf("NOT EQUALS with %v: %v (%v), want %v", tt.groups, d.InScope, d.Err, tt.not)
		}
	}
	for _, f := range []*scope.Filter{both, out} {
		if d := f.Evaluate(attributes("department", text("Sales")), present); d.InScope || !errors.Is(d.Err, scope.ErrUnknownGroups) {
			t.Errorf("groups not known: in scope %v, error %v; want false and that they are not known", d.InScope, d.Err)
		}
	}
}

func TestMemberOfReasons(t *testing.T) {
	for want, tt := range map[string]struct {
		clause scope.Clause
		groups []string
	}{
		`memberOf EQUALS "` + group1 + `" (not a member)`:                           {clause("memberOf", scope.Equals, group1), nil},
		`memberOf EQUALS "` + group1 + `" or "` + group2 + `" (a member of none)`:   {clause("memberOf", scope.Equals, group1, group2), nil},
		`memberOf NOT EQUALS "` + group1 + `" (a member of ` + group1 + `)`:         {clause("memberOf", scope.NotEquals, group1), []string{group1, group2}},
		`any of otherMails EQUALS "x", ignoring case (no value)`:                    {with(clause("otherMails", scope.Equals, "x"), true, scope.Any), nil},
		`createdDateTime LESS_THAN "now-30d" (value "2026-03-14T08:00:00Z")`:        {clause("createdDateTime", scope.LessThan, "now-30d"), nil},
		`manager EQUALS "` + group1 + `" (value "` + group2 + `")`:                  {clause("manager", scope.Equals, group1), nil},
		`all of proxyAddresses INCLUDES "x.de" (value "SMTP:a@x.com, smtp:a@x.de")`: {with(clause("proxyAddresses", scope.Includes, "x.de"), false, scope.All), nil},
	} {
		user := attributes("memberOf", directory.ListOf(tt.groups...), "createdDateTime", text("2026-03-14T08:00:00Z"), "manager", directory.RefOf(group2),
			"proxyAddresses", directory.ListOf("SMTP:a@x.com", "smtp:a@x.de"))
		got := compile(t, one(tt.clause)).Evaluate(user, present).Reason()
		if want := `clause 1 of filter "Staff" is false: ` + want; got != want {
			t.Errorf("reason %s\nwant   %s", got, want)
		}
	}
}

func TestManager(t *testing.T) {
	boss := attributes("manager", directory.RefOf(group1))
	for _, tt := range []struct {
		clause scope.Clause
		user   directory.Attributes
		want   bool
	}{
		{clause("manager", scope.Equals, group1), boss, true}, {clause("manager", scope.Equals, group2), boss, false},
		{clause("manager", scope.NotEquals, group2), boss, true}, {clause("manager", scope.NotEquals, group2), nil, false},
		{clause("manager", scope.IsNull), nil, true}, {clause("manager", scope.IsNotNull), boss, true},
	} {
		if got := compile(t, one(tt.clause)).Evaluate(tt.user, present).InScope; got != tt.want {
			t.Errorf("%+v on %v: %v, want %v", tt.clause, tt.user, got, tt.want)
		}
	}
}

func TestDates(t *testing.T) {
	// It is 2026-03-15T12:00:00Z.
	tests := []struct {
		operator scope.Operator
		operand  string
		value    string
		want     bool
	}{
		{scope.Equals, "2026-03-01", "2026-03-01T00:00:00Z", true}, {scope.Equals, "2026-03-01", "2026-03-01T23:59:59.999Z", true},
		{scope.Equals, "2026-03-01", "2026-03-02T00:00:00Z", false}, {scope.NotEquals, "2026-03-01", "2026-03-02T00:00:00Z", true},
		{scope.NotEquals, "2026-03-01", "2026-03-01T08:00:00Z", false}, {scope.Equals, "2026-03-01T08:00:00Z", "2026-03-01T09:00:00+01:00", true},
		{scope.GreaterThan, "2026-03-01", "2026-03-01T23:00:00Z", false}, {scope.GreaterThan, "2026-03-01", "2026-03-02T00:00:00Z", true},
		{scope.GreaterThanOrEquals, "2026-03-01", "2026-03-01T00:00:00Z", true}, {scope.GreaterThanOrEquals, "2026-03-01", "2026-02-28T23:59:59Z", false},
		{scope.LessThan, "2026-03-01", "2026-03-01T00:00:00Z", false}, {scope.LessThan, "2026-03-01", "2026-02-28T23:59:59Z", true},
		{scope.LessThanOrEquals, "2026-03-01", "2026-03-01T23:59:59Z", true}, {scope.LessThanOrEquals, "2026-03-01", "2026-03-02T00:00:00Z", false},
		{scope.GreaterThan, "2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z", false}, {scope.LessThanOrEquals, "2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z", true},
		{scope.LessThanOrEquals, "now", "2026-03-15T12:00:00Z", true}, {scope.LessThan, "now", "2026-03-15T12:00:00Z", false},
		{scope.GreaterThan, "now-30d", "2026-02-14T00:00:00Z", true}, {scope.GreaterThan, "now-30d", "2026-02-13T00:00:00Z", false},
		{scope.LessThanOrEquals, "now+14d", "2026-03-29T12:00:00Z", true}, {scope.LessThanOrEquals, "now + 2w", "2026-03-29T12:00:01Z", false},
		{scope.GreaterThanOrEquals, "NOW-12h", "2026-03-15T00:00:00Z", true}, {scope.LessThan, "now", "2026-03-15", true},
		{scope.NotEquals, "2026-03-01", "soon", false}, {scope.LessThan, "now", "soon", false}, {scope.LessThan, "now", "", false}, {scope.NotEquals, "2026-03-01", "", false},
	}
	for _, tt := range tests {
		f := compile(t, one(clause("employeeHireDate", tt.operator, tt.operand)))
		if got := f.Evaluate(attributes("employeeHireDate", text(tt.value)), present).InScope; got != tt.want {
			t.Errorf("%s %s %s: %v, want %v", tt.value, tt.operator, tt.operand, got, tt.want)
		}
	}
	for operand, want := range map[string]bool{"now": true, "now-30d": true, "2026-03-01": false, "2026-03-01T08:00:00Z": false} {
		if got := compile(t, one(clause("createdDateTime", scope.LessThan, operand))).Timed(); got != want {
			t.Errorf("%s: timed %v, want %v", operand, got, want)
		}
	}
	for _, operand := range []string{"", "now-", "now-d", "now-3", "now-3m", "now3d", "now--3d", "now-+3d", "now-99999999d", "2026-3-1", "2026-02-30", "2026-03-01 08:00", "2026-03-01T25:00:00Z", "later"} {
		if f, _ := scope.Compile([]scope.Group{one(clause("employeeHireDate", scope.LessThan, operand))}); f != nil {
			t.Errorf("%q is taken for a date", operand)
		}
	}
}

// Attributes whose meaning is up to the tenant compare what they are given.
func TestDatesInExtensions(t *testing.T) {
	for _, name := range []string{extension, "extensionAttribute3"} {
		f := compile(t, one(clause(name, scope.LessThan, "now+7d")))
		if !f.Timed() {
			t.Errorf("%s: not timed", name)
		}
		for value, want := range map[string]bool{"2026-03-20": true, "2026-03-30": false, "5": false} {
			if got := f.Evaluate(attributes(name, text(value)), present).InScope; got != want {
				t.Errorf("%s %s: %v, want %v", name, value, got, want)
			}
		}
		if !compile(t, one(clause(name, scope.LessThan, "7"))).Evaluate(attributes(name, text("5")), present).InScope {
			t.Errorf("%s: numbers are not compared", name)
		}
	}
}

func TestExplainWhatIsBeyond(t *testing.T) {
	f := compile(t, one(clause("memberOf", scope.Equals, group1, group2), clause("createdDateTime", scope.LessThan, "now-30d", "now-2w"),
		with(clause("department", scope.Equals, "Sales"), true, scope.Whole)))
	var got []string
	for _, c := range f.Explain(attributes("memberOf", directory.ListOf(group2, "bbbbbbbb-0000-4000-8000-000000000009"), "createdDateTime", text("2020-01-01T00:00:00Z"),
		"department", text("SALES")), present)[0].Clauses {
		got = append(got, fmt.Sprintf("%s | %s | %s | %s | %v", c.Text, c.Masked, c.Value, c.Resolved, c.Passed))
	}
	want := []string{
		`memberOf EQUALS "` + group1 + `" or "` + group2 + `" | memberOf EQUALS (sensitive) | ` + group2 + ` |  | true`,
		`createdDateTime LESS_THAN "now-30d" or "now-2w" | createdDateTime LESS_THAN (sensitive) | 2020-01-01T00:00:00Z | now-30d is 2026-02-13T12:00:00Z, now-2w is 2026-03-01T12:00:00Z | true`,
		`department EQUALS "Sales", ignoring case | department EQUALS (sensitive), ignoring case | SALES |  | true`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseMembers(t *testing.T) {
	for word, want := range map[string]scope.Members{"any": scope.Any, "all": scope.All, "": scope.Whole, "Any": scope.Whole, "none": scope.Whole} {
		got, ok := scope.ParseMembers(word)
		if got != want || ok != (want != scope.Whole) {
			t.Errorf("%q is %v (%v), want %v", word, got, ok, want)
		}
	}
}

func TestBeyondAllocatesNothing(t *testing.T) {
	f := compile(t, one(with(clause("department", scope.Includes, "ALE"), true, scope.Whole), clause("createdDateTime", scope.LessThan, "now-30d"),
		with(clause("otherMails", scope.EndsWith, ".COM"), true, scope.All), clause("memberOf", scope.NotEquals, group1)))
	user := attributes("department", text("Sales"), "createdDateTime", text("2020-01-01T00:00:00Z"), "otherMails", directory.ListOf("a@x.com"),
		"memberOf", directory.ListOf(group2))
	if !f.Evaluate(user, present).InScope {
		t.Fatal("out of scope")
	}
	if n := testing.AllocsPerRun(200, func() { f.Evaluate(user, present) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// Every clause of one value agrees with the same clause on a list of that value.
func TestOneValueIsAListOfOne(t *testing.T) {
	for _, name := range scope.Operators() {
		o, _ := scope.ParseOperator(name)
		if o.Unary() {
			continue
		}
		for _, ignore := range []bool{false, true} {
			if ignore && slices.Contains(numeric, o) {
				continue
			}
			for _, value := range []string{"1", "2", "12", "A1", "a1"} {
				single := compile(t, one(with(clause(extension, o, "1"), ignore, scope.Whole))).Evaluate(attributes(extension, text(value)), present)
				for _, members := range []scope.Members{scope.Any, scope.All} {
					list := compile(t, one(with(clause(extension, o, "1"), ignore, members))).Evaluate(attributes(extension, directory.ListOf(value)), present)
					if single.InScope != list.InScope {
						t.Errorf("%s on %q: %v, as %s of a list of one: %v", o, value, single.InScope, members, list.InScope)
					}
				}
			}
		}
	}
}
