package mapping_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
)

func unique() mapping.Mapping {
	return mapping.Mapping{Target: "employeeId", FlowType: mapping.ObjectAddOnly,
		Expression: `SelectUniqueValue(Join(".", [givenName], [surname]), Item(Split([surname], "-"), 2), [extensionAttribute1])`}
}

func TestUniqueMappings(t *testing.T) {
	s := schema(t, mapping.Mapping{Target: "city", Source: "city"}, unique())
	want := []mapping.Unique{{Mapping: 1, Target: "employeeId", Rules: 3}}
	if diff := cmp.Diff(want, s.Uniques()); diff != "" {
		t.Fatalf("unique mappings (-want +got):\n%s", diff)
	}
	source := attributes("givenName", text("Kari"), "surname", text("Nordmann"))
	for rule, want := range []string{"Kari.Nordmann", "!", ""} {
		got, err := s.Candidate(s.Uniques()[0], rule, source, time.Time{})
		var f *mapping.Failure
		switch {
		case want == "!" && (!errors.As(err, &f) || f.Function != "Item" || f.Mapping != 1):
			t.Errorf("rule %d: %q, %v; want a failure of Item", rule, got, err)
		case want != "!" && (err != nil || got != want):
			t.Errorf("rule %d: %q, %v; want %q", rule, got, err, want)
		}
	}
	if got, err := s.Candidate(s.Uniques()[0], 3, source, time.Time{}); got != "" || err != nil {
		t.Errorf("a rule beyond the last gives %q, %v; want nothing", got, err)
	}
	long := attributes("givenName", text("Maximiliane"), "surname", text("Mustermann"))
	var f *mapping.Failure
	if _, err := s.Candidate(s.Uniques()[0], 0, long, time.Time{}); !errors.As(err, &f) || f.Value != "Maximiliane.Mustermann" {
		t.Errorf("a candidate that the target cannot hold: %v, want a failure with the value", err)
	}
}

// The free value that was found is written; without one the first rule's.
func TestApplyTakesTheFreeValue(t *testing.T) {
	s := schema(t, unique())
	source := attributes("givenName", text("Kari"), "surname", text("Nordmann"))
	free := map[string]directory.Value{"employeeId": text("Nordmann2")}
	for _, tt := range []struct {
		name string
		in   mapping.Input
		want []string
	}{
		{"create with a free value", mapping.Input{Source: source, Unique: free}, []string{`employeeId = text "Nordmann2"`}},
		{"create without one", mapping.Input{Source: source}, []string{`employeeId = text "Kari.Nordmann"`}},
		{"update", mapping.Input{Source: source, Unique: free, Flow: mapping.Update}, []string{}},
	} {
		result, err := s.Apply(tt.in)
		if diff := cmp.Diff(tt.want, show(result.Desired)); diff != "" || err != nil {
			t.Errorf("%s: %v, (-want +got):\n%s", tt.name, err, diff)
		}
	}
	steps := s.Trace(mapping.Input{Source: source, Unique: free})
	if len(steps) != 1 || steps[0].Result.Text() != "Nordmann2" {
		t.Errorf("the trace shows %+v, want Nordmann2", steps)
	}
}

func TestWhereUniqueValuesMayStand(t *testing.T) {
	with := func(change func(*mapping.Mapping)) mapping.Mapping { m := unique(); change(&m); return m }
	tests := []struct {
		name, field, message string
		m                    mapping.Mapping
	}{
		{"on every update", "flowType", "SelectUniqueValue chooses a value for a new user: the flow type must be ObjectAddOnly",
			with(func(m *mapping.Mapping) { m.FlowType = mapping.Always })},
		{"as matching attribute", "matchingPriority", "users cannot be matched by a value that SelectUniqueValue has still to choose",
			with(func(m *mapping.Mapping) { m.MatchingPriority = 1 })},
		{"where only advanced queries search", "target", "whether a value of mobilePhone is free cannot be looked up: Graph finds users by it with advanced queries only, whose index lags",
			with(func(m *mapping.Mapping) { m.Target = "mobilePhone" })},
		{"where Graph does not search", "target", "whether a value of faxNumber is free cannot be looked up: Graph does not search by it",
			with(func(m *mapping.Mapping) { m.Target = "faxNumber" })},
		{"in an extension of numbers", "target", "whether a value of " + extension + " is free cannot be looked up: only a directory extension with single texts can be searched",
			with(func(m *mapping.Mapping) { m.Target, m.Type = extension, attribute.Integer })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, problems := mapping.Compile([]mapping.Mapping{tt.m})
			want := []mapping.Problem{{Field: tt.field, Message: tt.message, Offset: -1}}
			if diff := cmp.Diff(want, problems); diff != "" || s != nil {
				t.Errorf("schema %v, problems (-want +got):\n%s", s, diff)
			}
		})
	}
	for _, target := range []string{"employeeId", "displayName", "mail", "department", extension} {
		schema(t, with(func(m *mapping.Mapping) { m.Target = target })) // no problem
	}
	if _, problems := mapping.Compile([]mapping.Mapping{{Target: "displayName", FlowType: mapping.ObjectAddOnly, Expression: `ToLower(SelectUniqueValue("a", "b"))`}}); len(problems) == 0 {
		t.Error("SelectUniqueValue inside another call is accepted")
	}
}

// An address that nobody can search by cannot be relied on between initial cycles.
func TestMatchingByWhatCannotBeSearched(t *testing.T) {
	for name, warned := range map[string]bool{"employeeId": false, "mail": false, "userPrincipalName": false, extension: false, "businessPhones": false,
		"mobilePhone": true, "extensionAttribute1": true, "faxNumber": true} {
		s, problems := mapping.Compile([]mapping.Mapping{{Target: name, Source: "employeeId", MatchingPriority: 1}})
		is := slices.ContainsFunc(problems, func(p mapping.Problem) bool { return p.Severity == mapping.Warning && p.Field == "matchingPriority" })
		if s == nil || is != warned {
			t.Errorf("%s: problems %+v, want a warning %v", name, problems, warned)
		}
	}
}
