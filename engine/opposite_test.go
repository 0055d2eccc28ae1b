package engine_test

import (
	"testing"

	"tenantsync/engine"
	"tenantsync/store"
)

// Two jobs in opposite directions on one pair of tenants come to rest: each reads
// the internal members of its source only, never those whom the other one brought,
// though these are members there as well.
func TestOppositeJobsComeToRest(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		for _, name := range []string{"ann", "bob"} {
			_, err := w.fabrikam.CreateUser(map[string]any{"userPrincipalName": name + "@" + domainOf(w.fabrikam), "displayName": name,
				"mail": name + "@" + domainOf(w.fabrikam), "department": "Finance"})
			w.must(err)
		}
		back := w.newJob("fabrikam-to-contoso")
		back.SourceName, back.TargetName = back.TargetName, back.SourceName
		back.Pair = store.Pair{Source: w.fabrikam.ID, Target: w.contoso.ID}
		back.Source, back.Target = w.targetC.Source(nil), w.sourceC.Target(nil, w.budget)
		w.jobs = append(w.jobs, back)
		w.must(w.engine.Reload(w.jobs))
		both := func(initial bool) (contoso, fabrikam int) {
			c, f := len(w.contoso.Journal()), len(w.fabrikam.Journal())
			for _, job := range []string{jobName, back.Name} {
				w.syncWith(engine.SyncRequest{Job: job, Initial: initial}, store.OutcomeSuccess)
			}
			return len(w.contoso.Journal()) - c, len(w.fabrikam.Journal()) - f
		}
		if c, f := both(false); c == 0 || f == 0 {
			t.Fatalf("first cycles: got %d and %d writes, want some on both sides", c, f)
		}
		for name, tenant := range map[string]int{"contoso": len(w.contoso.Users()), "fabrikam": len(w.fabrikam.Users())} {
			if tenant != 5 {
				t.Errorf("%s: got %d users, want 3 of one tenant and 2 of the other", name, tenant)
			}
		}
		for n := range 12 {
			if n == 4 { // a change on each side goes to the other, and no further
				w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
				if c, f := both(false); c != 0 || f != 1 {
					t.Errorf("a change of one user: got %d and %d writes, want none and one", c, f)
				}
				continue
			}
			if c, f := both(n%3 == 2); c != 0 || f != 0 {
				t.Errorf("cycle %d: got %d and %d writes, want none: the jobs feed each other", n, c, f)
			}
		}
	})
}

// What access may depend on is marked in a plan. What provision on demand tells of
// a property are its name and values, which other programs compare.
func TestPlanMarksWhatAccessMayDependOn(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen", "department": "Domain Admins"})
		want := map[string]bool{"city": false, "department": true}
		list := w.plan(engine.PlanRequest{}).Changes[0].Modified
		if len(list) != len(want) {
			t.Errorf("got %+v, want city and department", list)
		}
		for _, m := range list {
			if m.Access != want[m.Name] {
				t.Errorf("%s: got decidesAccess %v, want %v", m.Name, m.Access, want[m.Name])
			}
		}
	})
}
