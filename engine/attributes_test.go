package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/mapping"
	"tenantsync/scope"
	"tenantsync/store"
)

// toldIn is what a plan of one user tells of each attribute, one line each.
func (w *world) toldIn(req engine.PlanRequest) []string {
	w.Helper()
	text := func(s *string, name string) string {
		switch {
		case s == nil:
			return "-"
		case name != "":
			return name
		}
		return *s
	}
	var out []string
	for _, a := range w.plan(req).Attributes {
		var sources []string
		for _, name := range slices.Sorted(maps.Keys(a.Sources)) {
			sources = append(sources, name+"="+text(a.Sources[name], ""))
		}
		line := fmt.Sprintf("%s: %s {%s} gives %s, has %s", a.Target, a.Expression, strings.Join(sources, " "),
			text(a.Result, a.ResultName), text(a.Current, a.CurrentName))
		if a.Error != "" {
			line += ", error " + a.Error
		}
		if a.Dropped != "" {
			line += "; " + a.Dropped
		}
		out = append(out, line)
	}
	return out
}

// toldMappings are mappings of every kind.
func toldMappings() []mapping.Mapping {
	return []mapping.Mapping{
		{Target: "displayName", Expression: `Join(", ", [surname], [givenName])`},
		{Target: "userType", Constant: directory.TextOf("Member"), FlowType: mapping.ObjectAddOnly},
		{Target: "showInAddressList", Constant: directory.BoolOf(true)},
		{Target: "city", Source: "city"},
		{Target: "companyName", Source: "employeeId", Sensitive: true},
		{Target: "jobTitle", Expression: `Item(Split([jobTitle], "/"), 2)`},
		{Target: "mailNickname", Source: "givenName"},
		{Target: "mail", Source: "mail", MatchingPriority: 1},
		{Target: "manager", Source: "manager"},
		{Target: "state", Source: "state"},
	}
}

func TestPlanOfOneUserTellsEveryAttribute(t *testing.T) {
	story(t, func(w *world) {
		w.mapped(toldMappings()...)
		w.filtered(scope.Clause{Attribute: "department", Operator: scope.Equals, Values: []string{"Sales"}})
		w.person(1, map[string]any{"employeeId": "S3CRET", "jobTitle": "Clerk/Head"})
		w.person(2, map[string]any{"jobTitle": "a/b"})
		w.manages(2, 1)
		req := engine.PlanRequest{User: upn(1)}
		refused := "mailNickname: [givenName] {givenName=User} gives User, has -; " + refusedReason(t, "mailNickname")
		want := []string{
			"city: [city] {city=Oslo} gives Oslo, has -",
			"companyName: [employeeId] {employeeId=(sensitive)} gives (sensitive), has -",
			`displayName: Join(", ", [surname], [givenName]) {givenName=User surname=1} gives 1, User, has -`,
			`jobTitle: Item(Split([jobTitle], "/"), 2) {jobTitle=Clerk/Head} gives Head, has -`,
			"mail: [mail] {mail=" + upn(1) + "} gives " + upn(1) + ", has -",
			refused,
			"manager: [manager] {manager=" + userID(2) + "} gives " + userID(2) + ", has -; whom it leads to is not linked to a user of the target",
			"showInAddressList: True {} gives True, has -",
			"state: [state] {state=-} gives -, has -; the source has no value",
			`userType: "Member" {} gives Member, has -`,
		}
		if diff := cmp.Diff(want, w.toldIn(req)); diff != "" {
			t.Errorf("to be created (-want +got):\n%s", diff)
		}

		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		want = []string{
			"city: [city] {city=Bergen} gives Bergen, has Oslo",
			"companyName: [employeeId] {employeeId=(sensitive)} gives (sensitive), has (sensitive); the target has this value already",
			`displayName: Join(", ", [surname], [givenName]) {givenName=User surname=1} gives 1, User, has 1, User; the target has this value already`,
			`jobTitle: Item(Split([jobTitle], "/"), 2) {jobTitle=Clerk/Head} gives Head, has Head; the target has this value already`,
			"mail: [mail] {mail=" + upn(1) + "} gives " + upn(1) + ", has " + upn(1) + "; the target has this value already",
			refused,
			"manager: [manager] {manager=" + userID(2) + "} gives " + upn(2) + ", has " + upn(2) + "; the target has this value already",
			"showInAddressList: True {} gives True, has True; the target has this value already",
			"state: [state] {state=-} gives -, has -; the source has no value",
			`userType: "Member" {} gives Member, has Member; applies only when the user is created`,
		}
		if diff := cmp.Diff(want, w.toldIn(req)); diff != "" {
			t.Errorf("to be updated (-want +got):\n%s", diff)
		}

		// Nothing changed: the same, of an incremental round that did not mention the user.
		w.sync(store.OutcomeSuccess)
		want[0] = "city: [city] {city=Bergen} gives Bergen, has Bergen; the target has this value already"
		if diff := cmp.Diff(want, w.toldIn(req)); diff != "" {
			t.Errorf("unchanged (-want +got):\n%s", diff)
		}

		// One mapping fails: the others are told all the same.
		w.update(w.contoso, userID(1), map[string]any{"jobTitle": "Clerk", "city": "Oslo"})
		got := w.toldIn(req)
		if want := `jobTitle: Item(Split([jobTitle], "/"), 2) {jobTitle=Clerk} gives -, has Head, error mapping of jobTitle: Item:`; !strings.HasPrefix(got[3], want) {
			t.Errorf("failing mapping:\n got %s\nwant %s…", got[3], want)
		}
		if want := "city: [city] {city=Oslo} gives Oslo, has Bergen; nothing of this is written now"; got[0] != want {
			t.Errorf("beside a failing mapping:\n got %s\nwant %s", got[0], want)
		}

		// Out of scope: what would be, and that nothing of it is.
		w.update(w.contoso, userID(1), map[string]any{"jobTitle": "Clerk/Head", "department": "Legal"})
		if got, want := w.toldIn(req)[0], "city: [city] {city=Oslo} gives Oslo, has Bergen; nothing of this is written now"; got != want {
			t.Errorf("leaving:\n got %s\nwant %s", got, want)
		}
		if got := w.plan(engine.PlanRequest{}).Attributes; got != nil {
			t.Errorf("attributes of a plan of everybody: got %v, want none", got)
		}
	})
}

// refusedReason is why Graph refuses a target attribute.
func refusedReason(t *testing.T, name string) string {
	t.Helper()
	info, ok := mapping.Attribute(name)
	if !ok || info.Refused == "" {
		t.Fatalf("%s: got accepted, want refused", name)
	}
	return info.Refused
}

func TestPlanOfOneUserTellsWhomItAdopts(t *testing.T) {
	story(t, func(w *world) {
		w.mapped(mapping.Mapping{Target: "city", Source: "city"}, mapping.Mapping{Target: "displayName", Source: "displayName"})
		w.guest(1, upn(1), map[string]any{"city": "Paris", "displayName": "User 001"})
		w.people(1, 1)
		want := []string{
			"city: [city] {city=Oslo} gives Oslo, has Paris",
			"displayName: [displayName] {displayName=User 001} gives User 001, has User 001; the target has this value already",
		}
		if diff := cmp.Diff(want, w.toldIn(engine.PlanRequest{User: upn(1)})); diff != "" {
			t.Errorf("adopted (-want +got):\n%s", diff)
		}
	})
}

// A value that must be unique is told as the cycle would choose it.
func TestPlanOfOneUserTellsUniqueValues(t *testing.T) {
	story(t, func(w *world) {
		w.nicknamed(`ToLower([givenName])`, `Append(ToLower([givenName]), "2")`)
		for i, taken := range []string{"Ann", "ann2"} {
			_, err := w.fabrikam.CreateUser(map[string]any{"userPrincipalName": fmt.Sprintf("ann%d@fabrikam.onmicrosoft.com", i),
				"displayName": "Ann", "employeeId": taken})
			w.must(err)
			w.person(i+1, map[string]any{"givenName": "Ann"})
			got := w.toldIn(engine.PlanRequest{User: upn(i + 1)})[1]
			expression := `employeeId: SelectUniqueValue(ToLower([givenName]), Append(ToLower([givenName]), "2")) {givenName=Ann} gives `
			want := expression + "ann2, has -"
			if i == 1 {
				want = expression + "-, has -, error mapping of employeeId: SelectUniqueValue: every candidate is taken: "
			}
			if !strings.HasPrefix(got, want) || i == 0 && got != want {
				t.Errorf("with %d taken:\n got %s\nwant %s", i+1, got, want)
			}
		}
	})
}
