package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// property is a modified property in short.
func property(e store.Entry, name string) string {
	for _, m := range e.Modified {
		if m.DisplayName == name && m.OldValue != nil && m.NewValue != nil {
			return *m.OldValue + " → " + *m.NewValue
		}
	}
	return ""
}

func TestComesBackWithinThirtyDays(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		leave, back func(w *world)
	}{
		"out of scope": {func(w *world) { w.leave(2) }, func(w *world) { w.back(2) }},
		"deleted":      {func(w *world) { w.must(w.contoso.Delete(userID(2))) }, func(w *world) { w.must(w.contoso.Restore(userID(2))) }},
	} {
		t.Run(name, func(t *testing.T) {
			inSales(t, 5, nil, func(w *world) {
				w.must(w.contoso.SetManager(userID(2), userID(1)))
				w.must(w.contoso.SetManager(userID(3), userID(2)))
				w.sync(store.OutcomeSuccess)
				id := w.targetID(2)
				c.leave(w)
				w.sync(store.OutcomeSuccess)
				for range 29 {
					w.pass(day)
					w.journalIs(func() { w.sync(store.OutcomeSuccess) })
				}
				c.back(w)
				w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
				writes := w.journal(func() {
					w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Restore: 1, Update: 1}) },
						"update success "+upn(2), "update success "+upn(3))
				})
				if len(writes) == 0 || !strings.HasPrefix(writes[0], "POST /directory/deletedItems/"+id+"/restore") {
					t.Errorf("writes: got %v, want the restore first", writes)
				}
				if diff := cmp.Diff(`PATCH /users/`+id+` {"city":"Rome"}`, writes[1]); diff != "" {
					t.Errorf("second write (-want +got):\n%s", diff)
				}
				if got := w.targetID(2); got != id {
					t.Errorf("target user: got %s, want %s, the old one", got, id)
				}
				var restored int
				for _, e := range w.log(store.LogQuery{User: userID(2), Limit: 3}) {
					if property(e, "IsSoftDeleted") == "True → False" {
						restored++
					}
				}
				if restored != 1 {
					t.Errorf("log entries with IsSoftDeleted True → False: got %d, want 1", restored)
				}
				w.equal(1, 2, 3, 4, 5)
				w.journalIs(func() { w.sync(store.OutcomeSuccess) })
			})
		})
	}
}

func TestRestoreWithoutOtherDifferencesIsOneWrite(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		id := w.targetID(2)
		w.leave(2)
		w.sync(store.OutcomeSuccess)
		w.back(2)
		writes := w.journal(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Restore: 1}) })
		if len(writes) != 1 || !strings.HasPrefix(writes[0], "POST /directory/deletedItems/"+id+"/restore") {
			t.Errorf("got %v, want one restore", writes)
		}
		if e := w.log(store.LogQuery{Limit: 1})[0]; e.Action != "update" || property(e, "IsSoftDeleted") != "True → False" {
			t.Errorf("log: got %s with %+v, want update with IsSoftDeleted True → False", e.Action, e.Modified)
		}
	})
}

// A target user whom somebody there had blocked comes back blocked: the entry
// tells of both, and is one of a success.
func TestComesBackBlockedByHand(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		id := w.targetID(2)
		w.leave(2)
		w.setEnabled(w.fabrikam, id, false)
		w.syncInitial(store.OutcomeSuccess)
		w.back(2)
		w.journalIs(func() {
			w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Restore: 1}) }, "update success "+upn(2))
		}, "POST /directory/deletedItems/"+id+"/restore")
		w.enabled(2, false)
		e := w.log(store.LogQuery{Limit: 1})[0]
		told := slices.ContainsFunc(e.Steps, func(s store.Step) bool { return s.Details["SkipReason"] == string(engine.CodeBlockedInTarget) })
		if property(e, "IsSoftDeleted") != "True → False" || !told {
			t.Errorf("log: got %+v with steps %+v, want the restore and the block that is kept", e.Modified, e.Steps)
		}
		w.saidIs(func() { w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) }) })
		w.enabled(2, false)
	})
}

func TestComesBackAfterThePurge(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		old := w.targetID(2)
		w.leave(2)
		w.sync(store.OutcomeSuccess)
		w.must(w.fabrikam.Purge(old))
		w.back(2)
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1}) }, "create success "+upn(2))
		w.equal(1, 2, 3, 4, 5)
		if w.targetID(2) == old {
			t.Error("the target user has the id of the purged one")
		}
		e := w.log(store.LogQuery{Limit: 1})[0]
		told := false
		for _, s := range e.Steps {
			told = told || strings.Contains(s.Description, "its access is lost")
		}
		if !told {
			t.Errorf("steps: got %+v, want one that says that access is lost", e.Steps)
		}
	})
}

// Servers that have not heard of a user yet say that nobody is there: the
// invitation that follows leads to the same user, to whom only what differs is
// written.
func TestInvitedAnewAndNeverGone(t *testing.T) {
	for _, unheard := range []int{2, 3} { // reads by id
		story(t, func(w *world) {
			w.people(1, 3)
			w.must(w.contoso.SetManager(userID(2), userID(1)))
			w.sync(store.OutcomeSuccess)
			id := w.targetID(2)
			w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
			w.fabrikam.SetFaults([]entrasim.Fault{{Path: "/users/" + id, Method: "GET", Item: "inner", Times: unheard,
				Status: 404, Code: "Request_ResourceNotFound"}})
			writes := w.journal(func() {
				w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1}) }, "create success "+upn(2))
			})
			if len(writes) != 2 || !strings.HasPrefix(writes[0], "POST /invitations") || writes[1] != "PATCH /users/"+id+` {"city":"Rome"}` {
				t.Errorf("after %d reads that find nobody: got writes %v, want an invitation and the city", unheard, writes)
			}
			for _, s := range w.log(store.LogQuery{Limit: 1})[0].Steps {
				if strings.Contains(s.Description, "its access is lost") {
					t.Errorf("the log says of a user who is there: %s", s.Description)
				}
			}
			w.equal(1, 2, 3)
			w.counted(3, 3, 0)
			w.fabrikam.SetFaults(nil)
			w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		})
	}
}

func TestComesBackDisabled(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		id := w.targetID(2)
		w.leave(2)
		w.sync(store.OutcomeSuccess)
		w.back(2)
		w.update(w.contoso, userID(2), map[string]any{"accountEnabled": false})
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.update(w.contoso, userID(2), map[string]any{"accountEnabled": true})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Restore: 1})
		if got := w.targetID(2); got != id {
			t.Errorf("target user: got %s, want %s, the old one", got, id)
		}
	})
}

func TestDeletedByHandStaysDeleted(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 5)
		w.sync(store.OutcomeSuccess)
		id := w.targetID(2)
		w.must(w.fabrikam.Delete(id))
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Skipped: 1}) }, "other skipped "+upn(2)+" DeletedInTarget")
		w.update(w.contoso, userID(2), map[string]any{"city": "Bonn"})
		w.saidIs(func() { w.journalIs(func() { w.sync(store.OutcomeSuccess) }) }) // said once
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		if r := w.provision(engine.ProvisionRequest{User: upn(2)}); r.Status != "skipped" || r.Code != "DeletedInTarget" {
			t.Errorf("provision: got %s %s, want skipped DeletedInTarget", r.Status, r.Code)
		}
		if !w.inBin(id) {
			t.Fatal("the target user came back")
		}
		if r := w.provision(engine.ProvisionRequest{User: upn(2), Restore: true}); r.Status != "success" || r.Action != "update" {
			t.Errorf("provision --restore: got %s %s (%s), want update success", r.Action, r.Status, r.Reason)
		}
		w.equal(1, 2, 3, 4, 5)
		if got := w.targetID(2); got != id {
			t.Errorf("target user: got %s, want %s", got, id)
		}
		w.update(w.contoso, userID(2), map[string]any{"city": "Wien"})
		w.sync(store.OutcomeSuccess)
		w.equal(1, 2, 3, 4, 5)
	})
}

func TestPurgedByHandIsCreatedAnew(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 5)
		w.sync(store.OutcomeSuccess)
		w.must(w.fabrikam.Purge(w.targetID(2)))
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
		w.equal(1, 2, 3, 4, 5)
		w.must(w.fabrikam.Purge(w.targetID(3)))
		w.summary(w.syncInitial(store.OutcomeSuccess), store.Summary{Create: 1, Unchanged: 4})
		w.equal(1, 2, 3, 4, 5)
	})
}

// Whoever is created anew is linked from then on, also when many are at once:
// nothing is left for the next cycle to find.
func TestCreatedAnewStaysLinked(t *testing.T) {
	for name, sync := range map[string]func(w *world) engine.SyncResult{
		"incremental": func(w *world) engine.SyncResult { return w.sync(store.OutcomeSuccess) },
		"initial":     func(w *world) engine.SyncResult { return w.syncInitial(store.OutcomeSuccess) },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				const people = 45
				w.people(1, people)
				w.sync(store.OutcomeSuccess)
				for n := 1; n <= people; n++ {
					w.must(w.fabrikam.Purge(w.targetID(n)))
					w.update(w.contoso, userID(n), map[string]any{"city": "Rome"})
				}
				w.summary(sync(w), store.Summary{Create: people})
				for n := 1; n <= people; n++ {
					if e, err := w.engine.Explain(w.Context(), upn(n), jobName); err != nil || e.Link == nil {
						t.Fatalf("user %d after it was created anew: got %+v, %v, want a link", n, e, err)
					}
				}
				w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{}) })
				w.journalIs(func() { w.summary(w.syncInitial(store.OutcomeSuccess), store.Summary{Unchanged: people}) })
			})
		})
	}
}

// A target user whom somebody deleted there before the source user left is left
// deleted when the source user is back: that was no delete of this job.
func TestDeletedByHandBeforeLeaving(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 5)
		w.sync(store.OutcomeSuccess)
		id := w.targetID(2)
		w.must(w.fabrikam.Delete(id))
		w.must(w.contoso.Delete(userID(2)))
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1}) })
		w.must(w.contoso.Restore(userID(2)))
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Skipped: 1}) })
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		if _, there := w.fabrikam.User(id); there {
			t.Error("the target user was restored, want it left deleted")
		}
	})
}

func TestRestoredByHandIsLinkedAgain(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 5)
		w.sync(store.OutcomeSuccess)
		id := w.targetID(2)
		w.must(w.fabrikam.Delete(id))
		w.syncInitial(store.OutcomeSuccess)
		w.must(w.fabrikam.Restore(id))
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1}) }, `PATCH /users/`+id+` {"city":"Rome"}`)
		w.equal(1, 2, 3, 4, 5)
	})
}

// The engine deleted the user, somebody restored it, and then the source user
// came back: there is nothing to restore, and nobody to invite.
func TestDeletedByTheEngineRestoredByHand(t *testing.T) {
	for name, sync := range map[string]func(w *world) engine.SyncResult{
		"incremental": func(w *world) engine.SyncResult { return w.sync(store.OutcomeSuccess) },
		"initial":     func(w *world) engine.SyncResult { return w.syncInitial(store.OutcomeSuccess) },
	} {
		t.Run(name, func(t *testing.T) {
			inSales(t, 5, nil, func(w *world) {
				id := w.targetID(2)
				w.leave(2)
				w.sync(store.OutcomeSuccess)
				w.must(w.fabrikam.Restore(id))
				w.journalIs(func() { sync(w) }) // out of scope: it is left alone
				w.back(2)
				w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
				w.journalIs(func() { sync(w) }, `PATCH /users/`+id+` {"city":"Rome"}`)
				w.equal(1, 2, 3, 4, 5)
				if s := w.status(); s.Linked != 5 || s.InScope != 5 {
					t.Errorf("got %d linked, %d in scope, want 5 and 5", s.Linked, s.InScope)
				}
			})
		})
	}
}

// Who was purged and cannot be invited again, because the target forbids it for
// now, is not forgotten.
func TestPurgedWhileInvitationsAreForbidden(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		old := w.targetID(2)
		w.leave(2)
		w.sync(store.OutcomeSuccess)
		w.must(w.fabrikam.Purge(old))
		w.back(2)
		w.must(w.fabrikam.SetPolicies(map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "none"}}))
		w.journalIs(func() { w.sync(store.OutcomeFailed) })
		w.must(w.fabrikam.SetPolicies(map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "everyone"}}))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
		w.equal(1, 2, 3, 4, 5)
	})
}
