package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// untilQuiet runs cycles until one ends in success without an object that waits.
func (w *world) untilQuiet() {
	w.Helper()
	for range 6 {
		r, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
		w.must(err)
		if r.Outcome == store.OutcomeSuccess && len(w.retries()) == 0 {
			return
		}
	}
	w.Errorf("still not quiet after six cycles: %+v%s", w.retries(), w.failures())
}

// once expects that no source user has two users in the target.
func (w *world) once(users int) {
	w.Helper()
	if got := len(w.fabrikam.Users()) + len(w.fabrikam.DeletedUsers()); got != users {
		w.Errorf("users of the target, deleted ones included: got %d, want %d", got, users)
	}
	waiting, err := w.st.Waiting(w.Context(), jobName)
	w.must(err)
	if len(waiting.Intents) > 0 {
		w.Errorf("open intents: got %d, want none", len(waiting.Intents))
	}
}

// A batch takes effect and its answer never comes, whichever batch it is.
func TestLostAnswerOfABatch(t *testing.T) {
	for n := 1; n <= 8; n++ {
		t.Run(fmt.Sprintf("batch %d", n), func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 45)
				w.must(w.contoso.SetManager(userID(2), userID(1)))
				w.fabrikam.SetFaults([]entrasim.Fault{{Preset: "lostAnswer", Method: "POST", Path: "/$batch", Item: "outer", Nth: n}})
				w.untilQuiet()
				w.equal(through(1, 45)...)
				w.once(45)
				w.counted(45, 45, 0)
				for i := 1; i <= 45; i++ {
					if got := w.targetUser(i).String("userType"); got != "Member" {
						t.Errorf("user %d: got userType %s, want Member", i, got)
					}
				}
				creates := len(w.log(store.LogQuery{Actions: []string{"create"}, Statuses: []string{"success"}}))
				if creates != 45 {
					t.Errorf("creates in the log: got %d, want 45", creates)
				}
				w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
			})
		})
	}
}

// Single items of batches take effect and answer with an error.
func TestLostAnswersOfItems(t *testing.T) {
	for name, fault := range map[string]entrasim.Fault{
		"invitations":           {Method: "POST", Path: "/invitations", Status: 504, Effect: "after", Nth: 3, Times: 5},
		"patches":               {Method: "PATCH", Path: "/users/*", Status: 504, Effect: "after", Nth: 3, Times: 5},
		"managers":              {Method: "PUT", Path: "/users/**", Status: 504, Effect: "after", Nth: 1, Times: 2},
		"restores":              {Method: "POST", Path: "/directory/deletedItems/**", Status: 504, Effect: "after", Nth: 1, Times: 2},
		"deletes":               {Method: "DELETE", Path: "/users/*", Status: 504, Effect: "after", Nth: 2, Times: 2},
		"invitations, for long": {Method: "POST", Path: "/invitations", Status: 504, Effect: "after", Nth: 3, Times: 60},
	} {
		t.Run(name, func(t *testing.T) {
			inSales(t, 12, func(j *engine.Job) { j.Prevent = false }, func(w *world) {
				w.leave(1, 2)
				w.sync(store.OutcomeSuccess)
				w.back(1, 2)
				w.leave(3, 4, 5)
				w.people(13, 30)
				for n := 14; n <= 30; n++ {
					w.must(w.contoso.SetManager(userID(n), userID(1)))
				}
				fault.Item = "inner"
				w.fabrikam.SetFaults([]entrasim.Fault{fault})
				w.untilQuiet()
				w.equal(append(through(6, 30), 1, 2)...)
				w.once(30)
				w.counted(27, 27, 0)
				w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
			})
		})
	}
}

// The answer of the invitation is lost, and then the process dies: the next one
// finds the intent, and the user who is there is its own.
func TestLostInvitationAndNewProcess(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 5)
		w.must(w.contoso.SetManager(userID(2), userID(1)))
		ctx, cancel := context.WithCancel(w.Context())
		w.wire.set(nil, func(_ *http.Request, resp *http.Response) (*http.Response, error) {
			if len(w.fabrikam.Users()) == 0 {
				return resp, nil
			}
			cancel() // the invitations took effect
			return nil, errors.Join(context.Canceled, resp.Body.Close())
		})
		if r, err := w.engine.Sync(ctx, engine.SyncRequest{Job: jobName}, nil); err != nil || r.Outcome != store.OutcomeInterrupted {
			t.Fatalf("got %s, %v, want interrupted", r.Outcome, err)
		}
		w.wire.set(nil, nil)
		waiting, err := w.st.Waiting(w.Context(), jobName)
		w.must(err)
		if len(waiting.Intents) != 5 {
			t.Fatalf("open intents: got %d, want 5", len(waiting.Intents))
		}
		w.restart()
		w.untilQuiet()
		w.equal(1, 2, 3, 4, 5)
		w.once(5)
		for n := 1; n <= 5; n++ {
			if got := w.targetUser(n).String("userType"); got != "Member" {
				t.Errorf("user %d: got userType %s, want Member, as of a user who is created", n, got)
			}
		}
	})
}

// An update is carried out, and its answer is that of a server that does not know
// the user yet, as the repetition of a request may get it. It is written again and
// told by the log; a disable among them stays our own.
func TestCarriedOutAndAnsweredWithNotFound(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		notFound := entrasim.Fault{Method: "PATCH", Path: "/users/*", Status: http.StatusNotFound, Code: "Request_ResourceNotFound", Effect: "after", Nth: 1, Times: 1}
		for _, change := range []struct {
			properties map[string]any
			said       string
		}{
			{map[string]any{"city": "Lima"}, "update success "},
			{map[string]any{"accountEnabled": false}, "disable success "},
			{map[string]any{"accountEnabled": true}, "update success "},
		} {
			w.update(w.contoso, userID(1), change.properties)
			w.fabrikam.SetFaults([]entrasim.Fault{notFound})
			w.saidIs(func() { w.sync(store.OutcomeSuccess) }, change.said+upn(1))
			w.fabrikam.SetFaults(nil)
			w.equal(1, 2)
			w.counted(2, 2, 0)
		}
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
	})
}

// A user is there whenever it is read, and no update finds it: repeated for five
// minutes with growing pauses, as for a user who is new, then a failure that waits
// as others do. Nobody else waits for it.
func TestUpdateThatNeverFindsTheUser(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "PATCH", Path: "/users/" + w.targetID(1), Status: http.StatusNotFound,
			Code: "Request_ResourceNotFound", Nth: 1, Times: 200}})
		for n := 1; n <= 3; n++ {
			w.update(w.contoso, userID(n), map[string]any{"city": "Lima"})
		}
		began := time.Now()
		_, requests := w.requests(func() {
			w.saidIs(func() { w.summary(w.sync(store.OutcomePartial), store.Summary{Update: 2, Failed: 1}) },
				"update failure "+upn(1)+" InvalidAnchor", "update success "+upn(2), "update success "+upn(3))
		})
		if requests > 25 {
			t.Errorf("requests to the target: got %d, want at most 25: the pauses grow", requests)
		}
		if took := time.Since(began); took < 5*time.Minute || took > 7*time.Minute {
			t.Errorf("the cycle took %v, want about five minutes of patience", took)
		}
		w.equal(2, 3)
		w.counted(3, 3, 0)

		// By its back-off: the next cycle, then not before hours have gone by.
		_, requests = w.requests(func() { w.sync(store.OutcomePartial) })
		if requests > 25 {
			t.Errorf("requests to the target at the second attempt: got %d, want at most 25", requests)
		}
		w.idle(1, "it waits")

		w.fabrikam.SetFaults(nil)
		w.pass(7 * time.Hour)
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "update success "+upn(1))
		w.equal(1, 2, 3)
		w.counted(3, 3, 0)
	})
}

// The same of users who were restored just now, and are not known everywhere yet:
// that they are not found does not have them invited anew.
func TestRestoredUserIsNotVisibleAtOnce(t *testing.T) {
	inSales(t, 12, func(j *engine.Job) { j.Prevent = false }, func(w *world) {
		id := w.targetID(1)
		w.leave(1)
		w.sync(store.OutcomeSuccess)
		w.back(1)
		w.update(w.contoso, userID(1), map[string]any{"city": "Lima"})
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "PATCH", Path: "/users/" + id, Status: http.StatusNotFound, Code: "Request_ResourceNotFound", Nth: 1, Times: 4}})
		began := time.Now()
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Restore: 1})
		if took := time.Since(began); took < 3*time.Second {
			t.Errorf("the cycle took %v, want a pause before each repetition", took)
		}
		if got := w.targetID(1); got != id {
			t.Errorf("target user: got %s, want %s, who was restored", got, id)
		}
		w.equal(1)
	})
}
