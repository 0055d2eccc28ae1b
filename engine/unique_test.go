package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
	"tenantsync/store"
)

// nicknamed maps a nickname that must be unique in the target: the given name,
// with a digit where that is taken, in employeeId.
func (w *world) nicknamed(rules ...string) {
	w.Helper()
	if rules == nil {
		rules = []string{`ToLower([givenName])`, `Append(ToLower([givenName]), "2")`, `Append(ToLower([givenName]), "3")`}
	}
	w.mapped(mapping.Mapping{Target: "displayName", Source: "displayName"},
		mapping.Mapping{Target: "employeeId", Expression: "SelectUniqueValue(" + strings.Join(rules, ", ") + ")", FlowType: mapping.ObjectAddOnly})
}

// nicknames are the employee ids of the target users of the given source users.
func (w *world) nicknames(users ...int) []string {
	w.Helper()
	out := make([]string, len(users))
	for i, n := range users {
		out[i] = w.targetUser(n).String("employeeId")
	}
	return out
}

func (w *world) nicknamesAre(users []int, want ...string) {
	w.Helper()
	if diff := cmp.Diff(want, w.nicknames(users...)); diff != "" {
		w.Errorf("unique values (-want +got):\n%s", diff)
	}
}

// Users of one batch, of the next one and of the target never share a value; case
// does not tell two apart.
func TestUniqueValuesWithinAndAcrossBatches(t *testing.T) {
	story(t, func(w *world) {
		w.nicknamed()
		_, err := w.fabrikam.CreateUser(map[string]any{"userPrincipalName": "bo@fabrikam.onmicrosoft.com", "displayName": "Bo", "employeeId": "BO"})
		w.must(err)
		w.person(1, map[string]any{"givenName": "Ann"})
		w.person(2, map[string]any{"givenName": "ANN"})
		w.person(3, map[string]any{"givenName": "Bo"})
		for n := 4; n <= 30; n++ {
			w.person(n, map[string]any{"givenName": fmt.Sprintf("P%d", n)})
		}
		w.person(31, map[string]any{"givenName": "ann"})
		plan := w.plan(engine.PlanRequest{})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 31})
		got := w.nicknames(through(1, 31)...)
		want := []string{"ann", "ann2", "bo2"}
		if diff := cmp.Diff(want, got[:3]); diff != "" || got[30] != "ann3" {
			t.Errorf("unique values (-want +got):\n%s and the last: got %s, want ann3", diff, got[30])
		}
		planned := make([]string, 31)
		for _, ch := range plan.Changes {
			at := slices.IndexFunc(ch.Modified, func(m engine.ChangeProperty) bool { return m.Name == "employeeId" })
			var n int
			_, err := fmt.Sscanf(ch.Source.UPN, "user%03d@", &n)
			w.must(err)
			planned[n-1] = *ch.Modified[at].New
		}
		if diff := cmp.Diff(planned, got); diff != "" {
			t.Errorf("planned and written values (-planned +written):\n%s", diff)
		}
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
	})
}

// Candidates are looked up together: a batch of creates whose values are free
// costs one request, those that are taken one more.
func TestUniqueValuesAreLookedUpInBatches(t *testing.T) {
	for name, tt := range map[string]struct {
		taken int
		want  int
	}{"all free": {0, 1}, "some taken": {3, 2}} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				for n := range tt.taken {
					_, err := w.fabrikam.CreateUser(map[string]any{"userPrincipalName": fmt.Sprintf("p%d@fabrikam.onmicrosoft.com", n+1), "displayName": "P",
						"employeeId": fmt.Sprintf("p%d", n+1)})
					w.must(err)
				}
				for n := 1; n <= 20; n++ {
					w.person(n, map[string]any{"givenName": fmt.Sprintf("P%d", n)})
				}
				w.mapped(mapping.Mapping{Target: "displayName", Source: "displayName"}, mapping.Mapping{Target: "employeeId", Source: "employeeId"})
				w.plan(engine.PlanRequest{}) // signs in
				_, plain := w.requests(func() { w.plan(engine.PlanRequest{}) })
				w.nicknamed()
				_, unique := w.requests(func() { w.plan(engine.PlanRequest{}) })
				if got := unique - plain; got != tt.want {
					t.Errorf("requests for 20 unique values: got %d, want %d", got, tt.want)
				}
			})
		})
	}
}

// Without a free candidate the user fails, is told what was tried, and is tried
// again when a value has become free.
func TestUniqueValueWithoutCandidate(t *testing.T) {
	story(t, func(w *world) {
		w.nicknamed(`ToLower([givenName])`, `IIF(IsPresent([givenName]), Append(ToLower([givenName]), "2"), "")`)
		holder, err := w.fabrikam.CreateUser(map[string]any{"userPrincipalName": "ann@fabrikam.onmicrosoft.com", "displayName": "Ann", "employeeId": "Ann"})
		w.must(err)
		w.person(1, map[string]any{"givenName": "Ann"})
		w.person(2, map[string]any{"givenName": "Ann"})
		w.person(3, map[string]any{"givenName": nil})
		var r engine.SyncResult
		said := w.said(func() { r = w.sync(store.OutcomePartial) })
		w.summary(r, store.Summary{Create: 1, Failed: 2})
		failures := slices.DeleteFunc(said, func(s string) bool { return !strings.Contains(s, "failure") })
		if len(failures) != 2 || !strings.Contains(failures[0], "NoUniqueValue") {
			t.Errorf("log: got %q, want two failures NoUniqueValue", said)
		}
		e := w.log(store.LogQuery{User: userID(1), Limit: 1})[0]
		want := `mapping of employeeId: SelectUniqueValue: every candidate is taken: "ann" (target user ` + holder +
			`), "ann2" (another user who is being created)`
		if got := e.StatusInfo.Error.Reason; got != want {
			t.Errorf("reason: got %s\nwant %s", got, want)
		}
		if got := w.log(store.LogQuery{User: userID(3), Limit: 1})[0].StatusInfo.Error.Reason; got != "mapping of employeeId: SelectUniqueValue: no rule gives a value" {
			t.Errorf("reason without any candidate: got %q", got)
		}
		w.update(w.fabrikam, holder, map[string]any{"employeeId": nil})
		w.update(w.contoso, userID(3), map[string]any{"givenName": "Cy"})
		w.sync(store.OutcomeSuccess)
		w.nicknamesAre([]int{1, 2, 3}, "ann", "ann2", "cy")
	})
}

// A create that was interrupted chooses again; the value its own target user may
// have already does not stand in its way.
func TestUniqueValueOfAnInterruptedCreate(t *testing.T) {
	for name, fault := range map[string]entrasim.Fault{
		"the update's answer is lost": {Preset: "lostAnswer", Method: "POST", Path: "/$batch", Item: "outer", Nth: 2},
		"the update is refused once":  {Method: "PATCH", Path: "/users/*", Status: 403, Nth: 1, Item: "inner"},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.nicknamed()
				w.person(1, map[string]any{"givenName": "Ann"})
				w.person(2, map[string]any{"givenName": "Ann"})
				w.fabrikam.SetFaults([]entrasim.Fault{fault})
				w.untilQuiet()
				w.restart()
				w.sync(store.OutcomeSuccess)
				w.nicknamesAre([]int{1, 2}, "ann", "ann2")
				w.once(2)
			})
		})
	}
}

// Provision on demand takes part: what it promised the cycle does not give away,
// and a dry run promises nothing.
func TestUniqueValueOfProvisionOnDemand(t *testing.T) {
	story(t, func(w *world) {
		w.nicknamed()
		w.person(1, map[string]any{"givenName": "Ann"})
		w.person(2, map[string]any{"givenName": "Ann"})
		dry := w.provision(engine.ProvisionRequest{User: upn(2), DryRun: true})
		at := slices.IndexFunc(dry.Modified, func(m engine.ChangeProperty) bool { return m.Name == "employeeId" })
		if at < 0 || *dry.Modified[at].New != "ann" {
			t.Errorf("dry run: got %+v, want employeeId ann", dry.Modified)
		}
		w.provision(engine.ProvisionRequest{User: upn(1)})
		w.provision(engine.ProvisionRequest{User: upn(2)})
		w.nicknamesAre([]int{1, 2}, "ann", "ann2")
		for n := 3; n <= 4; n++ {
			w.person(n, map[string]any{"givenName": "Ann"})
		}
		w.provision(engine.ProvisionRequest{User: upn(3)})
		r := w.provision(engine.ProvisionRequest{User: upn(4)})
		if r.Status != "failure" || r.Code != "NoUniqueValue" {
			t.Errorf("provision of the fourth: got %s %s, want failure NoUniqueValue", r.Status, r.Code)
		}
		if _, ok := w.link(4); ok {
			t.Error("a user without a value was linked, want nobody invited")
		}
	})
}

// An address is taken by whoever has it anywhere, in the recycle bin too.
func TestUniqueMail(t *testing.T) {
	story(t, func(w *world) {
		w.mapped(mapping.Mapping{Target: "mail", FlowType: mapping.ObjectAddOnly,
			Expression: `SelectUniqueValue(Join("@", [givenName], "mail.example"), Join("@", Append([givenName], "2"), "mail.example"), Join("@", Append([givenName], "3"), "mail.example"))`})
		gone, err := w.fabrikam.CreateUser(map[string]any{"userPrincipalName": "a@fabrikam.onmicrosoft.com", "displayName": "A", "mail": "ann@mail.example"})
		w.must(err)
		w.must(w.fabrikam.Delete(gone))
		_, err = w.fabrikam.CreateUser(map[string]any{"userPrincipalName": "b@fabrikam.onmicrosoft.com", "displayName": "B", "otherMails": []any{"ann2@mail.example"}})
		w.must(err)
		w.person(1, map[string]any{"givenName": "ann"})
		w.sync(store.OutcomeSuccess)
		if got := w.targetUser(1).String("mail"); got != "ann3@mail.example" {
			t.Errorf("mail: got %s, want ann3@mail.example", got)
		}
	})
}
