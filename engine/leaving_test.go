package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/scope"
	"tenantsync/store"
)

// onlySales narrows scope to the department Sales. Users leave scope and come
// back by moving between departments.
func (w *world) onlySales() {
	w.Helper()
	f, problems := scope.Compile([]scope.Group{{Title: "Sales", Clauses: []scope.Clause{{Attribute: "department", Operator: scope.Equals, Values: []string{"Sales"}}}}})
	if f == nil {
		w.Fatal(problems)
	}
	w.configure(true, func(j *engine.Job) { j.Scope.Filter = f })
}

// leave moves users out of scope, back brings them in again.
func (w *world) leave(users ...int) {
	w.Helper()
	for _, n := range users {
		w.update(w.contoso, userID(n), map[string]any{"department": "Retired"})
	}
}

func (w *world) back(users ...int) {
	w.Helper()
	for _, n := range users {
		w.update(w.contoso, userID(n), map[string]any{"department": "Sales"})
	}
}

// inSales is a world of so many users in scope, in sync.
func inSales(t *testing.T, users int, edit func(j *engine.Job), f func(w *world)) {
	t.Helper()
	story(t, func(w *world) {
		w.onlySales()
		if edit != nil {
			w.configure(true, edit)
		}
		w.people(1, users)
		w.sync(store.OutcomeSuccess)
		f(w)
	})
}

func TestLeavingScopeDeletes(t *testing.T) {
	inSales(t, 20, nil, func(w *world) {
		id := w.targetID(4)
		w.leave(4)
		w.saidIs(func() {
			w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1}) }, "DELETE /users/"+id)
		}, "delete success "+upn(4))
		if !w.inBin(id) {
			t.Error("the target user is not in the recycle bin")
		}
		w.update(w.contoso, userID(4), map[string]any{"city": "Rome"})
		w.saidIs(func() { w.journalIs(func() { w.sync(store.OutcomeSuccess) }) })
	})
}

func TestLeavingScopeWithoutDeprovisioning(t *testing.T) {
	for name, edit := range map[string]func(j *engine.Job){
		"deprovision none":    func(j *engine.Job) { j.Deprovision = engine.DeprovisionNone },
		"deletes not allowed": func(j *engine.Job) { j.Actions.Delete = false },
	} {
		t.Run(name, func(t *testing.T) {
			inSales(t, 3, edit, func(w *world) {
				w.leave(2)
				w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
				w.journalIs(func() { w.sync(store.OutcomeSuccess) })
				if got := w.targetUser(2).String("city"); got != "Oslo" {
					t.Errorf("city of a user out of scope: got %s, want Oslo, as it was", got)
				}
				w.back(2)
				w.sync(store.OutcomeSuccess)
				w.equal(1, 2, 3)
			})
		})
	}
}

func TestLeavingScopeDisablesThenDeletes(t *testing.T) {
	month := 30 * 24 * time.Hour
	inSales(t, 5, func(j *engine.Job) { j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, month }, func(w *world) {
		id := w.targetID(2)
		w.leave(2)
		w.saidIs(func() {
			w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Disable: 1}) }, `PATCH /users/`+id+` {"accountEnabled":false}`)
		}, "disable success "+upn(2))
		if s := w.status(); s.Retries != 0 || s.InScope != 4 {
			t.Errorf("got %d retries and %d in scope, want 0 and 4", s.Retries, s.InScope)
		}
		w.passIdle(month - time.Hour)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.pass(time.Hour)
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1}) }, "DELETE /users/"+id)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
	})
}

// A clock that leaps ahead makes nobody due who was disabled an hour ago: a day later,
// when it is believed, they are; set right before that, they wait for their time.
func TestAClockThatLeapsDeletesNobody(t *testing.T) {
	month := 30 * 24 * time.Hour
	for name, after := range map[string]time.Duration{"longer than a day": month, "a day": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			inSales(t, 5, func(j *engine.Job) { j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, after }, func(w *world) {
				id := w.targetID(2)
				w.leave(2)
				w.sync(store.OutcomeSuccess)
				w.pass(time.Hour)
				w.sync(store.OutcomeSuccess)
				w.pass(400 * 24 * time.Hour)
				if p := w.plan(engine.PlanRequest{}); p.Summary.Delete != 0 {
					t.Errorf("plan: got %d deletes, want none", p.Summary.Delete)
				}
				w.journalIs(func() { w.sync(store.OutcomeSuccess) })
				w.pass(12 * time.Hour)
				w.journalIs(func() { w.sync(store.OutcomeSuccess) })
				w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
				w.pass(12 * time.Hour)
				w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "DELETE /users/"+id)
			})
		})
	}
}

// Who left by a clock that was a year ahead is due when deleteAfter has passed since
// it was set right, not a year later.
func TestLeftByAClockThatWasSetBack(t *testing.T) {
	month := 30 * 24 * time.Hour
	inSales(t, 5, func(j *engine.Job) { j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, month }, func(w *world) {
		id := w.targetID(2)
		w.leave(2)
		w.sync(store.OutcomeSuccess)
		l, _ := w.link(2)
		l.LeftScopeAt = l.LeftScopeAt.AddDate(1, 0, 0)
		waiting, err := w.st.Waiting(w.Context(), jobName)
		w.must(err)
		for i := range waiting.Escrows {
			e := &waiting.Escrows[i]
			e.First, e.Next = e.First.AddDate(1, 0, 0), e.Next.AddDate(1, 0, 0)
		}
		w.must(w.st.Apply(w.Context(), &store.Batch{PutLinks: []store.Link{l}, PutEscrows: waiting.Escrows}))
		w.passIdle(month + 11*time.Hour)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.pass(2 * time.Hour)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "DELETE /users/"+id)
	})
}

func TestBackBeforeTheDeleteIsEnabledAgain(t *testing.T) {
	inSales(t, 5, func(j *engine.Job) { j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, 24*time.Hour }, func(w *world) {
		w.leave(2)
		w.sync(store.OutcomeSuccess)
		w.pass(time.Hour)
		w.back(2)
		w.sync(store.OutcomeSuccess)
		w.equal(1, 2, 3, 4, 5)
		w.pass(48 * time.Hour)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.equal(1, 2, 3, 4, 5)
	})
}

func TestDisabledInSourceThenOutOfScopeThenBack(t *testing.T) {
	inSales(t, 5, func(j *engine.Job) { j.Deprovision = engine.DeprovisionDisable }, func(w *world) {
		w.update(w.contoso, userID(2), map[string]any{"accountEnabled": false})
		w.sync(store.OutcomeSuccess)
		w.leave(2)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }) // it is disabled already
		w.back(2)
		w.update(w.contoso, userID(2), map[string]any{"accountEnabled": true})
		w.sync(store.OutcomeSuccess)
		w.equal(1, 2, 3, 4, 5)
	})
}

func TestDeletedInSourceIsDeleted(t *testing.T) {
	for name, act := range map[string]func(w *world){
		"soft-deleted":             func(w *world) { w.must(w.contoso.Delete(userID(2))) },
		"purged":                   func(w *world) { w.must(w.contoso.Purge(userID(2))) },
		"soft-deleted then purged": func(w *world) { w.must(w.contoso.Delete(userID(2))); w.must(w.contoso.Purge(userID(2))) },
		"disabled, then deleted": func(w *world) {
			w.update(w.contoso, userID(2), map[string]any{"accountEnabled": false})
			w.must(w.contoso.Delete(userID(2)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 5)
				w.sync(store.OutcomeSuccess)
				id := w.targetID(2)
				act(w)
				w.saidIs(func() {
					w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1}) }, "DELETE /users/"+id)
				}, "delete success "+upn(2))
				w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
			})
		})
	}
}

// A round from the start does not mention who is gone: links are swept, and each
// absence is confirmed by id before anything is deleted.
func TestInitialCycleFindsWhoIsGone(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 12)
		w.sync(store.OutcomeSuccess)
		w.must(w.contoso.Delete(userID(2)))
		w.must(w.contoso.Purge(userID(3)))
		a, b := w.targetID(2), w.targetID(3)
		w.journalIs(func() { w.summary(w.syncInitial(store.OutcomeSuccess), store.Summary{Delete: 2, Unchanged: 10}) },
			"DELETE /users/"+a, "DELETE /users/"+b)
	})
}

func TestDeletesComeLast(t *testing.T) {
	inSales(t, 20, nil, func(w *world) {
		gone := w.targetID(1)
		w.leave(1)
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		w.person(21, nil)
		writes := w.journal(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1, Update: 1, Delete: 1}) })
		if diff := cmp.Diff("DELETE /users/"+gone, writes[len(writes)-1]); diff != "" || len(writes) != 4 {
			t.Errorf("last of %d writes (-want +got):\n%s", len(writes), diff)
		}
	})
}

// A target user that became internal is never deleted.
func TestInternalIsNotDeleted(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		id := w.targetID(2)
		w.must(w.fabrikam.Purge(id))
		_, err := w.fabrikam.CreateUser(map[string]any{"id": id, "userPrincipalName": "two@" + domainOf(w.fabrikam), "displayName": "Two"})
		w.must(err)
		w.leave(2)
		w.saidIs(func() {
			w.journalIs(func() { w.summary(w.sync(store.OutcomePartial), store.Summary{Failed: 1}) })
		}, "delete failure "+upn(2)+" InvalidAnchor")
	})
}

// A linked guest that was redeemed with an account of another home is somebody
// else's: it is neither changed nor deleted any more.
func TestAccountOfAnotherHomeIsLeftAlone(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.update(w.fabrikam, w.targetID(1), map[string]any{"externalUserState": "Accepted",
			"identities": []any{map[string]any{"signInType": "federated", "issuer": "google.com", "issuerAssignedId": "1"}}})
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.journalIs(func() { w.saidIs(func() { w.sync(store.OutcomePartial) }, "update failure "+upn(1)+" InvalidAnchor") })
		w.must(w.contoso.Delete(userID(1)))
		w.journalIs(func() { w.saidIs(func() { w.sync(store.OutcomePartial) }, "delete failure "+upn(1)+" InvalidAnchor") })
	})
}

// A server that has not heard of a user says that nobody is there: whoever is to be
// blocked for leaving scope is looked for, and blocked all the same.
func TestALeaverSaidNotToBeThereIsBlocked(t *testing.T) {
	for times, want := range map[int]store.Outcome{1: store.OutcomeSuccess, 5: store.OutcomeSuccess, 100: store.OutcomePartial} {
		inSales(t, 20, func(j *engine.Job) { j.Deprovision = engine.DeprovisionDisable }, func(w *world) {
			w.leave(4)
			w.fabrikam.SetFaults([]entrasim.Fault{{Preset: "notReplicated", Item: "inner", Nth: 1, Times: times}})
			w.sync(want)
			w.enabled(4, times == 100)
			w.fabrikam.SetFaults(nil)
			w.sync(store.OutcomeSuccess)
			w.enabled(4, false)
			w.back(4)
			w.sync(store.OutcomeSuccess) // the block was ours
			w.equal(through(1, 20)...)
		})
	}
}

// A leaver who was deleted by hand has nothing left to block.
func TestALeaverDeletedByHand(t *testing.T) {
	inSales(t, 20, func(j *engine.Job) { j.Deprovision = engine.DeprovisionDisable }, func(w *world) {
		w.leave(4)
		w.must(w.fabrikam.Delete(w.targetID(4)))
		w.journalIs(func() { w.sync(store.OutcomeSuccess); w.sync(store.OutcomeSuccess) })
	})
}

// A read that finds nobody proves no more than a write does; a block that the user
// shows on a second look is the target's own.
func TestALeaverBlockedByHandWhoIsNotFoundAtFirst(t *testing.T) {
	inSales(t, 20, func(j *engine.Job) { j.Deprovision = engine.DeprovisionDisable }, func(w *world) {
		w.leave(4)
		w.setEnabled(w.fabrikam, w.targetID(4), false)
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "GET", Path: "/users/*", Item: "inner", Status: 404, Code: "Request_ResourceNotFound", Nth: 1}})
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.back(4)
		w.sync(store.OutcomeSuccess)
		w.enabled(4, false)
	})
}
