package engine_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/store"
)

// threshold sets deletions.threshold.
func threshold(n int) func(j *engine.Job) { return func(j *engine.Job) { j.Threshold = n } }

// deletions expects the source users whose deletion is held.
func (w *world) deletions(retained bool, want ...string) {
	w.Helper()
	d, err := w.engine.Held(w.Context(), jobName, retained)
	w.must(err)
	if diff := cmp.Diff(want, upns(d.Held)); diff != "" {
		w.Errorf("deletions, retained %v (-want +got):\n%s", retained, diff)
	}
}

func upns(list []engine.HeldDeletion) []string {
	var out []string
	for _, h := range list {
		out = append(out, h.UPN)
	}
	slices.Sort(out)
	return out
}

func (w *world) allow(users ...string) *engine.Deletions {
	w.Helper()
	d, err := w.engine.Allow(w.Context(), jobName, users, len(users) == 0)
	w.must(err)
	return d
}

func (w *world) reject(users ...string) {
	w.Helper()
	_, err := w.engine.Reject(w.Context(), jobName, users, len(users) == 0)
	w.must(err)
}

// quarantine expects the job's state and the reason of its quarantine.
func (w *world) quarantine(state, reason string) {
	w.Helper()
	s := w.status()
	got := ""
	if s.Quarantine != nil {
		got = s.Quarantine.Reason
	}
	if s.State != state || got != reason {
		w.Errorf("status: got %s %q, want %s %q", s.State, got, state, reason)
	}
}

// counted expects what status shows.
func (w *world) counted(inScope, linked, held int) {
	w.Helper()
	if s := w.status(); s.InScope != inScope || s.Linked != linked || s.Held != held {
		w.Errorf("status: got %d in scope, %d linked, %d held, want %d, %d, %d", s.InScope, s.Linked, s.Held, inScope, linked, held)
	}
}

func TestTooManyDeletesAreHeldAndTheRestGoesOn(t *testing.T) {
	inSales(t, 12, threshold(2), func(w *world) {
		w.leave(1, 2, 3)
		w.update(w.contoso, userID(4), map[string]any{"city": "Rome"})
		w.update(w.contoso, userID(5), map[string]any{"accountEnabled": false})
		w.person(13, nil)
		staged := func(n int) string { return "stagedDelete skipped " + upn(n) + " TooManyDeletes" }
		w.saidIs(func() {
			r := w.sync(store.OutcomeQuarantine)
			w.summary(r, store.Summary{Create: 1, Update: 1, Disable: 1, Held: 3})
			if r.Quarantine == nil || r.Quarantine.Reason != "TooManyDeletes" {
				t.Errorf("quarantine: got %+v, want TooManyDeletes", r.Quarantine)
			}
		}, staged(1), staged(2), staged(3), "update success "+upn(4), "disable success "+upn(5), "create success "+upn(13))
		w.equal(through(4, 13)...)
		w.quarantine("Quarantine", "TooManyDeletes")
		w.deletions(false, upn(1), upn(2), upn(3))
		w.counted(10, 13, 3)
		if s := w.status(); s.Quarantine.NextAttempt == nil || s.NextStart == nil || !s.Quarantine.NextAttempt.Equal(*s.NextStart) ||
			s.NextStart.Sub(s.LastCycle.StartedAt).Minutes() != 40 {
			t.Errorf("next start: got %v, next attempt %v, want 40 minutes after the last cycle", s.NextStart, s.Quarantine.NextAttempt)
		}
		w.saidIs(func() { // what is held stays held, and is not told again
			w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Held: 3}) })
		})
		w.quarantine("Quarantine", "TooManyDeletes")
		w.journalIs(func() { w.summary(w.syncInitial(store.OutcomeSuccess), store.Summary{Unchanged: 13, Held: 3}) })
	})
}

func TestAllowDeletesWhatWasNamed(t *testing.T) {
	inSales(t, 12, threshold(2), func(w *world) {
		w.leave(1, 2, 3)
		w.sync(store.OutcomeQuarantine)
		ids := []string{w.targetID(1), w.targetID(2), w.targetID(3)}
		w.journalIs(func() {
			d := w.allow(upn(2))
			if diff := cmp.Diff([]string{upn(2)}, upns(d.Deleted)); diff != "" {
				t.Errorf("deleted (-want +got):\n%s", diff)
			}
		}, "DELETE /users/"+ids[1])
		w.deletions(false, upn(1), upn(3))
		w.quarantine("Quarantine", "TooManyDeletes")
		w.saidIs(func() {
			w.journalIs(func() { w.allow() }, "DELETE /users/"+ids[0], "DELETE /users/"+ids[2])
		}, "delete success "+upn(1), "delete success "+upn(3))
		w.deletions(false)
		w.quarantine("Active", "")
		w.counted(9, 9, 0)
		w.saidIs(func() { w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{}) }) })
		if _, err := w.engine.Allow(w.Context(), jobName, []string{upn(1)}, false); err == nil {
			t.Error("allow of somebody who is not held: got no error")
		}
		w.back(1) // the promise of the restore holds for allowed deletes, too
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Restore: 1})
		if got := w.targetID(1); got != ids[0] {
			t.Errorf("target user: got %s, want %s", got, ids[0])
		}
	})
}

// A quarantine says how many deletions wait by now, not how many did at first.
func TestQuarantineCountsWhatIsLeft(t *testing.T) {
	inSales(t, 12, threshold(2), func(w *world) {
		said := func(want string) {
			w.Helper()
			if q := w.status().Quarantine; q == nil || q.Message != want {
				w.Errorf("quarantine: got %+v, want %q", q, want)
			}
		}
		w.leave(1, 2, 3, 4)
		w.sync(store.OutcomeQuarantine)
		said("4 deletions wait for approval")
		w.allow(upn(2))
		said("3 deletions wait for approval")
		w.reject(upn(1), upn(3))
		said("1 deletion waits for approval")
		w.sync(store.OutcomeSuccess)
		said("1 deletion waits for approval")
		w.allow()
		w.quarantine("Active", "")
	})
}

func TestAllowDropsWhoIsBackInScope(t *testing.T) {
	inSales(t, 12, threshold(2), func(w *world) {
		w.leave(1, 2, 3)
		w.sync(store.OutcomeQuarantine)
		id := w.targetID(1)
		w.back(2) // no cycle has seen it yet
		w.must(w.contoso.Delete(userID(1)))
		w.journalIs(func() {
			d := w.allow(upn(1), upn(2))
			if diff := cmp.Diff([][]string{{upn(1)}, {upn(2)}, {upn(3)}}, [][]string{upns(d.Deleted), upns(d.Dropped), upns(d.Held)}); diff != "" {
				t.Errorf("deleted, dropped, held (-want +got):\n%s", diff)
			}
		}, "DELETE /users/"+id)
		w.counted(10, 11, 1)
		w.sync(store.OutcomeSuccess)
		w.equal(append(through(4, 12), 2)...)
		w.counted(10, 11, 1)
	})
}

func TestBackInScopeWhileHeldIsReleased(t *testing.T) {
	inSales(t, 12, threshold(2), func(w *world) {
		w.leave(1, 2, 3)
		w.sync(store.OutcomeQuarantine)
		w.back(2)
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Held: 2, Unchanged: 1}) })
		w.deletions(false, upn(1), upn(3))
		w.equal(append(through(4, 12), 2)...)
		w.counted(10, 12, 2)
		w.leave(2) // a new leaver is judged by itself
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1, Held: 2})
		w.back(1, 3)
		w.update(w.contoso, userID(3), map[string]any{"city": "Rome"})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1, Unchanged: 1})
		w.quarantine("Active", "")
		w.equal(append(through(3, 12), 1)...)
	})
}

func TestDisableOfHeldUsersIsNotDelayed(t *testing.T) {
	inSales(t, 12, threshold(2), func(w *world) {
		w.leave(1, 2, 3)
		w.sync(store.OutcomeQuarantine)
		w.update(w.contoso, userID(1), map[string]any{"accountEnabled": false})
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Disable: 1, Held: 3}) },
			`PATCH /users/`+w.targetID(1)+` {"accountEnabled":false}`)
		w.deletions(false, upn(1), upn(2), upn(3))
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.counted(9, 12, 3)
	})
}

func TestLeavesAndIsDisabledInOneCycle(t *testing.T) {
	inSales(t, 12, threshold(2), func(w *world) {
		w.leave(1, 2, 3)
		w.update(w.contoso, userID(1), map[string]any{"accountEnabled": false})
		w.journalIs(func() { w.sync(store.OutcomeQuarantine) }, `PATCH /users/`+w.targetID(1)+` {"accountEnabled":false}`)
		w.deletions(false, upn(1), upn(2), upn(3))
	})
}

func TestRejectedDeletionIsRetained(t *testing.T) {
	inSales(t, 12, threshold(2), func(w *world) {
		w.leave(1, 2, 3)
		w.sync(store.OutcomeQuarantine)
		w.saidIs(func() { w.journalIs(func() { w.reject() }) },
			"other skipped "+upn(1)+" Retained", "other skipped "+upn(2)+" Retained", "other skipped "+upn(3)+" Retained")
		w.deletions(false)
		w.deletions(true, upn(1), upn(2), upn(3))
		w.quarantine("Active", "")
		w.counted(9, 12, 0)
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"}) // out of scope: no business of ours
		w.saidIs(func() { w.journalIs(func() { w.sync(store.OutcomeSuccess) }) })
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })

		w.update(w.contoso, userID(1), map[string]any{"accountEnabled": false}) // still disabled with the source
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Disable: 1}) },
			`PATCH /users/`+w.targetID(1)+` {"accountEnabled":false}`)
		w.deletions(true, upn(1), upn(2), upn(3))

		two, three := w.targetID(2), w.targetID(3)
		w.must(w.contoso.Delete(userID(2))) // a new event
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1}) }, "DELETE /users/"+two)

		w.back(3) // in scope and out again
		w.sync(store.OutcomeSuccess)
		w.equal(append(through(4, 12), 3)...)
		w.leave(3)
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1}) }, "DELETE /users/"+three)
		w.counted(9, 10, 0)
	})
}

func TestHeldDisablesAreAllowed(t *testing.T) {
	inSales(t, 12, func(j *engine.Job) { j.Deprovision, j.Threshold = engine.DeprovisionDisable, 2 }, func(w *world) {
		w.leave(1, 2, 3)
		w.journalIs(func() { w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Held: 3}) })
		one := w.targetID(1)
		w.journalIs(func() {
			if d := w.allow(upn(1)); len(d.Deleted) != 1 || len(d.Held) != 2 {
				t.Errorf("got %d done and %d held, want 1 and 2", len(d.Deleted), len(d.Held))
			}
		}, `PATCH /users/`+one+` {"accountEnabled":false}`)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		w.counted(9, 12, 2)
	})
}

func TestPercentOfTheLinkedUsers(t *testing.T) {
	inSales(t, 100, nil, func(w *world) {
		w.leave(through(1, 10)...)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 10})
		w.leave(through(11, 20)...) // 10 of 90
		w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Held: 10})
	})
}
