package engine_test

import (
	"testing"

	"tenantsync/engine"
	"tenantsync/scope"
	"tenantsync/store"
)

const staffGroup = "bbbbbbbb-0000-4000-8000-000000000001"

// inGroup is a world whose scope is a group with so many members, in sync.
func inGroup(t *testing.T, users int, f func(w *world)) {
	t.Helper()
	story(t, func(w *world) {
		w.people(1, users)
		w.staff(through(1, users)...)
		w.configure(true, func(j *engine.Job) { j.Scope.All, j.Scope.Groups = false, []string{staffGroup} })
		w.sync(store.OutcomeSuccess)
		f(w)
	})
}

func (w *world) staff(members ...int) {
	w.Helper()
	ids := []string{}
	for _, n := range members {
		ids = append(ids, userID(n))
	}
	_, err := w.contoso.CreateGroup(map[string]any{"id": staffGroup, "displayName": "Staff", "securityEnabled": true, "members": ids})
	w.must(err)
}

// bothCycles are the two kinds of cycle, for what must not depend on it.
var bothCycles = map[string]func(w *world, want store.Outcome) engine.SyncResult{
	"incremental": (*world).sync,
	"initial":     (*world).syncInitial,
}

func TestEmptiedGroupDeletesNobody(t *testing.T) {
	inGroup(t, 5, func(w *world) {
		w.configure(false, func(j *engine.Job) { j.Prevent, j.ScopeShrink = false, 0 }) // neither turns this off
		for n := 1; n <= 5; n++ {
			w.must(w.contoso.RemoveMember(staffGroup, userID(n)))
		}
		w.journalIs(func() { w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Held: 5}) })
		w.quarantine("Quarantine", "ScopeShrunk")
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Held: 5}) })
		w.quarantine("Quarantine", "ScopeShrunk")

		w.allow(upn(1)) // of one user: the scope is still what it is
		w.quarantine("Quarantine", "ScopeShrunk")
		w.counted(0, 4, 4)
		w.sync(store.OutcomeSuccess)
		w.quarantine("Quarantine", "ScopeShrunk")

		w.allow()
		w.quarantine("Active", "")
		w.counted(0, 0, 0)
		w.sync(store.OutcomeSuccess)
		w.quarantine("Active", "")
		w.must(w.contoso.AddMember(staffGroup, userID(3)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Restore: 1})
		w.equal(3)
	})
}

func TestShrunkScopeHoldsEveryDelete(t *testing.T) {
	inSales(t, 21, func(j *engine.Job) { j.Percent = 0 }, func(w *world) {
		w.leave(through(1, 11)...) // 11 of 21 are more than half
		w.update(w.contoso, userID(12), map[string]any{"city": "Rome"})
		w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Update: 1, Held: 11})
		w.quarantine("Quarantine", "ScopeShrunk")
		w.leave(12) // one more: the scope is compared with the last good count
		w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Held: 12})
		w.back(1, 2, 3) // now 12 of 21
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Held: 9, Unchanged: 3})
		if s := w.status(); s.Quarantine == nil || s.Quarantine.Reason != "ScopeShrunk" {
			t.Errorf("quarantine: got %+v, want ScopeShrunk while somebody is held for it", s.Quarantine)
		}
		w.leave(1)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1, Held: 9})
	})
}

func TestAllowAllSetsTheNewGoodCount(t *testing.T) {
	inSales(t, 40, func(j *engine.Job) { j.Percent = 0 }, func(w *world) {
		w.leave(through(1, 30)...)
		w.sync(store.OutcomeQuarantine)
		w.allow()
		w.quarantine("Active", "")
		w.leave(31) // 9 of the new count of 10
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1})
	})
}

func TestEmptyExistingGroupOfAFewIsJudgedByTheThresholdAlone(t *testing.T) {
	inGroup(t, 5, func(w *world) {
		w.must(w.contoso.RemoveMember(staffGroup, userID(1)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1})
	})
}

func TestDeletedScopeGroupHoldsItsMembers(t *testing.T) {
	for name, sync := range bothCycles {
		t.Run(name, func(t *testing.T) {
			inGroup(t, 4, func(w *world) {
				w.configure(false, func(j *engine.Job) { j.Prevent, j.ScopeShrink = false, 0 })
				w.must(w.contoso.DeleteGroup(staffGroup))
				w.journalIs(func() {
					if got := sync(w, store.OutcomeQuarantine).Summary.Held; got != 4 {
						t.Errorf("held: got %d, want 4", got)
					}
				})
				d, err := w.engine.Held(w.Context(), jobName, false)
				w.must(err)
				for _, h := range d.Held {
					if h.Reason != "ScopeGroupDeleted" {
						t.Errorf("%s: got held for %s, want ScopeGroupDeleted", h.UPN, h.Reason)
					}
				}
				w.journalIs(func() { sync(w, store.OutcomeSuccess) })
				w.must(w.contoso.Delete(userID(4)))
				w.update(w.contoso, userID(3), map[string]any{"accountEnabled": false})
				w.journalIs(func() { sync(w, store.OutcomeSuccess) }, `PATCH /users/`+w.targetID(3)+` {"accountEnabled":false}`)
			})
		})
	}
}

func TestScopeGroupThatIsBackReleasesItsMembers(t *testing.T) {
	for name, sync := range bothCycles {
		t.Run(name, func(t *testing.T) {
			inGroup(t, 4, func(w *world) {
				w.must(w.contoso.DeleteGroup(staffGroup))
				w.sync(store.OutcomeQuarantine)
				four := w.targetID(4)
				w.staff(1, 2, 3) // without the fourth
				w.journalIs(func() {
					if got := sync(w, store.OutcomeSuccess).Summary; got.Held != 0 || got.Delete != 1 {
						t.Errorf("got %+v, want nobody held, one deleted", got)
					}
				}, "DELETE /users/"+four)
				w.quarantine("Active", "")
				w.equal(1, 2, 3)
				w.counted(3, 3, 0)
			})
		})
	}
}

func TestScopeGroupTakenOutOfTheConfiguration(t *testing.T) {
	inGroup(t, 4, func(w *world) {
		w.must(w.contoso.DeleteGroup(staffGroup))
		w.sync(store.OutcomeQuarantine)
		other, err := w.contoso.CreateGroup(map[string]any{"displayName": "Others", "securityEnabled": true, "members": []string{userID(1), userID(2), userID(3)}})
		w.must(err)
		w.configure(true, func(j *engine.Job) { j.Scope.Groups = []string{other} })
		if got := w.sync(store.OutcomeSuccess).Summary; got.Held != 0 || got.Delete != 1 {
			t.Errorf("got %+v, want nobody held, one deleted", got)
		}
		w.quarantine("Active", "")
		w.equal(1, 2, 3)
	})
}

func TestTooManyChangesAreHeldUntilAccepted(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 130)
		w.sync(store.OutcomeSuccess) // a first cycle is exempt
		w.configure(true, func(j *engine.Job) { j.Mapping = renamed(t) })
		w.update(w.contoso, userID(7), map[string]any{"accountEnabled": false})
		w.person(131, nil)
		w.journalIs(func() { // who is disabled in the source is not made to wait
			r := w.sync(store.OutcomeQuarantine)
			w.summary(r, store.Summary{Disable: 1, Held: 131})
		}, `PATCH /users/`+w.targetID(7)+` {"accountEnabled":false}`)
		w.quarantine("Quarantine", "TooManyChanges")
		w.journalIs(func() { w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Held: 131}) })
		r := w.syncWith(engine.SyncRequest{Job: jobName, Accept: true}, store.OutcomeSuccess)
		w.summary(r, store.Summary{Create: 1, Update: 130})
		w.quarantine("Active", "")
		w.counted(131, 131, 0)
		if got := w.targetUser(7).String("displayName"); got != "User 007 (Contoso)" {
			t.Errorf("display name: got %q, want the new form", got)
		}
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{})
	})
}

func TestChangedConfigurationBelowTheLimitGoes(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 100)
		w.sync(store.OutcomeSuccess)
		w.configure(true, func(j *engine.Job) { j.Mapping = renamed(t) })
		r := w.sync(store.OutcomeSuccess)
		w.summary(r, store.Summary{Update: 100})
		if r.Cycle != "initial" {
			t.Errorf("cycle: got %s, want initial", r.Cycle)
		}
	})
}

// Deletes are judged by themselves while changes are held.
func TestNarrowedFilterHoldsDeletesNotChanges(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 30)
		w.sync(store.OutcomeSuccess)
		f, problems := scope.Compile([]scope.Group{{Clauses: []scope.Clause{{Attribute: "department", Operator: scope.Equals, Values: []string{"Typo"}}}}})
		if f == nil {
			t.Fatal(problems)
		}
		w.configure(true, func(j *engine.Job) { j.Scope.Filter = f })
		w.journalIs(func() { w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Held: 30}) })
		w.quarantine("Quarantine", "ScopeShrunk")
		w.configure(true, func(j *engine.Job) { j.Scope.Filter = nil })
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.quarantine("Active", "")
		w.equal(through(1, 30)...)
		w.counted(30, 30, 0)
	})
}
