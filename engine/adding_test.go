package engine_test

import (
	"testing"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
)

// Mappings that only add leave alone what somebody in the target has given since
// the last cycle: values are neither overwritten nor removed, and a plan says so.
func TestAddingKeepsWhatTheTargetWasGiven(t *testing.T) {
	storyOf(t, entrasim.Options{}, extendedFabrikam, func(w *world) {
		w.mapped(
			mapping.Mapping{Target: "displayName", Source: "displayName"},
			mapping.Mapping{Target: "state", Source: "state", FlowType: mapping.AttributeAddOnly},
			mapping.Mapping{Target: "country", Source: "state", FlowType: mapping.ValueAddOnly},
			mapping.Mapping{Target: ext + "codes", Expression: `Split([state], ",")`, Multivalued: true, FlowType: mapping.MultiValueAddOnly})
		w.people(1, 3)
		w.sync("success")
		w.update(w.fabrikam, w.targetID(1), map[string]any{"state": "Vestland", "country": "Norway", ext + "codes": []string{"x"}})
		for n := 1; n <= 3; n++ {
			w.update(w.contoso, userID(n), map[string]any{"state": "a,b"})
		}
		for _, ch := range w.plan(engine.PlanRequest{}).Changes {
			want := 3
			if ch.Source.ID == userID(1) {
				want = 1
			}
			if len(ch.Modified) != want {
				t.Errorf("plan of %s: got %d properties, want %d: %+v", ch.Source.UPN, len(ch.Modified), want, ch.Modified)
			}
		}
		w.sync("success")
		w.provision(engine.ProvisionRequest{User: upn(3)})
		for n, want := range map[int][4]string{1: {"Vestland", "Norway", "x", "b"}, 2: {"a,b", "a,b", "a", "b"}, 3: {"a,b", "a,b", "a", "b"}} {
			u := w.targetUser(n)
			codes, _ := u.Map()[ext+"codes"].([]any)
			if len(codes) == 0 {
				t.Fatalf("user %d has no codes", n)
			}
			if got := [4]string{u.String("state"), u.String("country"), codes[0].(string), codes[len(codes)-1].(string)}; got != want {
				t.Errorf("user %d: got %q, want %q", n, got, want)
			}
		}
		w.journalIs(func() { w.sync("success") })
		w.journalIs(func() { w.syncInitial("success") })

		// The same of a user whom provision on demand writes.
		w.update(w.fabrikam, w.targetID(2), map[string]any{ext + "codes": []string{"a", "b", "y"}})
		w.update(w.contoso, userID(2), map[string]any{"state": "c"})
		w.provision(engine.ProvisionRequest{User: upn(2)})
		if codes, _ := w.targetUser(2).Map()[ext+"codes"].([]any); len(codes) != 4 {
			t.Errorf("codes after provision: got %v, want a, b, y and c", codes)
		}
	})
}

// A manager that only fills the gap does not replace one whom somebody in the
// target has named since.
func TestAddingKeepsAManagerOfTheTargetsOwn(t *testing.T) {
	story(t, func(w *world) {
		w.mapped(mapping.Mapping{Target: "displayName", Source: "displayName"},
			mapping.Mapping{Target: "manager", Source: "manager", FlowType: mapping.AttributeAddOnly})
		w.people(1, 4)
		w.sync("success")
		w.must(w.fabrikam.SetManager(w.targetID(3), w.targetID(2)))
		w.manages(1, 3)
		w.manages(1, 4)
		w.sync("success")
		w.managed(3, 2)
		w.managed(4, 1)
		w.journalIs(func() { w.sync("success") })
		w.manages(2, 4)
		w.journalIs(func() { w.sync("success") })
		w.journalIs(func() { w.syncInitial("success") })
	})
}
