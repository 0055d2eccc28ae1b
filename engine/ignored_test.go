package engine_test

import (
	"strings"
	"testing"

	"tenantsync/engine"
	"tenantsync/mapping"
	"tenantsync/store"
)

// An expression can leave a user out: nobody is invited for it, and a user who is
// linked stays as it is.
func TestMappingLeavesUserOut(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.person(3, map[string]any{"department": "Temp"})
		w.mapped(mapping.Mapping{Target: "displayName", Source: "displayName"}, mapping.Mapping{Target: "city", Source: "city"},
			mapping.Mapping{Target: "department", Expression: `IIF([department]="Temp", IgnoreObjectFlow, [department])`})
		plan := w.plan(engine.PlanRequest{})
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 2, Skipped: 1}) },
			"create success "+upn(1), "create success "+upn(2), "other skipped "+upn(3)+" IgnoreObjectFlow")
		if plan.Summary.Create != 2 || plan.Summary.Skipped != 1 || plan.Summary.Failed != 0 {
			t.Errorf("plan: got %+v, want 2 to create and one skipped", plan.Summary)
		}
		if got := w.status(); got.InScope != 2 || got.Retries != 0 {
			t.Errorf("status: got %d in scope, %d retries, want 2 and none", got.InScope, got.Retries)
		}
		w.update(w.contoso, userID(1), map[string]any{"department": "Temp", "city": "Bergen"})
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Skipped: 1}) })
		r := w.provision(engine.ProvisionRequest{User: upn(1)})
		if r.Status != "skipped" || r.Code != "IgnoreObjectFlow" || !strings.Contains(r.Reason, "mapping of department") {
			t.Errorf("provision: got %s %s %q, want skipped, the mapping named", r.Status, r.Code, r.Reason)
		}
		w.update(w.contoso, userID(1), map[string]any{"department": "Sales"})
		w.sync(store.OutcomeSuccess)
		if got := w.targetUser(1).String("city"); got != "Bergen" {
			t.Errorf("city once the user takes part again: got %s, want Bergen", got)
		}
	})
}
