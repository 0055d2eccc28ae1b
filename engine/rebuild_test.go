package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/store"
)

func (w *world) rebuild() engine.RebuildResult {
	w.Helper()
	list, err := w.engine.Rebuild(w.Context(), []string{jobName}, nil)
	w.must(err)
	if len(list) != 1 || list[0].Error != nil {
		w.Fatalf("rebuild: got %+v, want one result", list)
	}
	return list[0]
}

func unlinkedNames(list []engine.RebuildUser) []string {
	out := []string{}
	for _, u := range list {
		out = append(out, u.UPN+u.Code)
	}
	return out
}

// Everybody who is there is linked again, nothing is written, and the result names
// the others; the job then waits for somebody to look, and goes on as before.
func TestRebuildFromTheTargetAlone(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 30)
		w.must(w.contoso.SetManager(userID(2), userID(1)))
		w.sync(store.OutcomeSuccess)
		targets := map[int]string{}
		for n := 1; n <= 30; n++ {
			targets[n] = w.targetID(n)
		}
		w.native(90, nil)
		w.people(31, 32)                                                            // never synchronized
		w.must(w.contoso.Delete(userID(3)))                                         // left while the state was lost
		w.update(w.contoso, userID(4), map[string]any{"department": "Legal"})       // changed meanwhile
		w.update(w.fabrikam, targets[5], map[string]any{"jobTitle": "set by hand"}) // drift
		w.forget()

		var got engine.RebuildResult
		w.journalIs(func() { got = w.rebuild() })
		if got.Adopted != 29 || len(got.Failed) != 0 {
			t.Errorf("adopted %d, failed %v; want 29 and nobody", got.Adopted, got.Failed)
		}
		if diff := cmp.Diff([]string{upn(31), upn(32)}, unlinkedNames(got.NotFound)); diff != "" {
			t.Errorf("not found (-want +got):\n%s", diff)
		}
		if len(got.Unclaimed) != 1 || got.Unclaimed[0].TargetID != targets[3] {
			t.Errorf("unclaimed: got %+v, want the user of %s only", got.Unclaimed, upn(3))
		}
		if s := w.status(); s.State != "Paused" {
			t.Errorf("state of the job: got %s, want Paused", s.State)
		}

		w.must(w.engine.Start(w.Context(), jobName))
		r := w.sync(store.OutcomeSuccess)
		w.summary(r, store.Summary{Create: 2, Update: 2, Unchanged: 27})
		if r.Cycle != "initial" {
			t.Errorf("the cycle after it: got %s, want an initial one", r.Cycle)
		}
		for n, id := range targets {
			if n != 3 && w.targetID(n) != id {
				t.Errorf("user %d: got target %s, want %s", n, w.targetID(n), id)
			}
		}
		w.equal(append(through(1, 2), through(4, 32)...)...)
		w.managed(2, 1)
		if _, ok := w.fabrikam.User(targets[3]); !ok {
			t.Error("the user whom nobody claims is gone, want it untouched")
		}
	})
}

// A rebuild that is stopped leaves the job to the administrator as well: no cycle
// of the schedule creates behind it.
func TestRebuildThatIsStopped(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 30)
		w.sync(store.OutcomeSuccess)
		w.forget()
		if _, err := w.engine.Rebuild(w.stopAt(2, true), []string{jobName}, nil); err == nil {
			t.Fatal("got no error, want that it was interrupted")
		}
		if s := w.status(); s.State != "Paused" {
			t.Errorf("state of the job: got %s, want Paused", s.State)
		}
		if _, err := w.engine.Rebuild(w.Context(), []string{jobName}, nil); engine.AsError(err).Code != "StateNotEmpty" {
			t.Errorf("over the half of it: got %v, want StateNotEmpty", err)
		}
		w.must(w.engine.Start(w.Context(), jobName))
		w.untilQuiet()
		w.once(30)
	})
}

// Of two jobs on one pair, neither is told that the other's users are nobody's.
func TestRebuildOfTwoJobs(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(1), userID(2))
		w.group(2, userID(3), userID(4))
		w.twoJobs()
		w.sync(store.OutcomeSuccess)
		for _, j := range w.jobs[1:] {
			w.syncJob(j.Name)
		}
		users := len(w.fabrikam.Users())
		w.forget()
		names := []string{}
		for _, j := range w.jobs {
			names = append(names, j.Name)
		}
		list, err := w.engine.Rebuild(w.Context(), names, nil)
		w.must(err)
		adopted := 0
		for _, r := range list {
			adopted += r.Adopted
			if len(r.Unclaimed)+len(r.NotFound)+len(r.Failed) > 0 {
				t.Errorf("job %s: got %+v, want nobody but the adopted", r.Job, r)
			}
		}
		if adopted != users || users == 0 {
			t.Errorf("adopted: got %d of %d", adopted, users)
		}
	})
}
