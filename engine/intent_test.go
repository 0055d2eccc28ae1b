package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// dieAfter runs act with an engine whose process dies as soon as the target has
// carried out a batch that contains this text: no commit follows. A new engine
// takes its place.
func (w *world) dieAfter(text string, act func(e *engine.Engine)) {
	w.Helper()
	var dead atomic.Bool
	e, err := engine.New(engine.Options{Jobs: w.jobs, Store: fullDisk{w.st, &dead}})
	w.must(err)
	var met atomic.Bool
	w.wire.set(func(r *http.Request) error {
		if r.Body == nil || r.Method != http.MethodPost {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		met.Store(bytes.Contains(body, []byte(text)))
		return err
	}, func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		if met.Load() {
			dead.Store(true)
		}
		return resp, nil
	})
	act(e)
	w.wire.set(nil, nil)
	if !dead.Load() {
		w.Fatalf("nothing with %s was sent", text)
	}
	w.restart()
}

// dyingSync is a cycle whose process dies after that.
func (w *world) dyingSync(text string) {
	w.Helper()
	w.dieAfter(text, func(e *engine.Engine) {
		if r, err := e.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil); err == nil && r.Outcome == store.OutcomeSuccess {
			w.Fatalf("the cycle ended with %s", r.Outcome)
		}
	})
}

// noIntents expects every write to be settled.
func (w *world) noIntents() {
	w.Helper()
	waiting, err := w.st.Waiting(w.Context(), jobName)
	w.must(err)
	if len(waiting.Intents) > 0 {
		w.Errorf("open intents: got %+v, want none", waiting.Intents)
	}
}

// A value that was written, and that the source has taken back before the cycle is
// repeated, is taken back in the target too.
func TestAValueTakenBackAfterACrash(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(1), map[string]any{"city": "Oslo"})
		w.dyingSync(`"city":"Oslo"`)
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		// The cycle that goes on ends the round it has: what came after is told by the next.
		w.saidIs(func() { w.sync(store.OutcomeSuccess); w.sync(store.OutcomeSuccess) },
			"update success "+upn(1), "update success "+upn(1))
		w.equal(1, 2, 3)
		w.noIntents()
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
	})
}

// A block that this job wrote is its own, though the process died over it.
func TestABlockOfOursAfterACrash(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(1), map[string]any{"accountEnabled": false})
		w.dyingSync(`"accountEnabled":false`)
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "disable success "+upn(1))
		w.update(w.contoso, userID(1), map[string]any{"accountEnabled": true})
		w.sync(store.OutcomeSuccess)
		w.equal(1, 2, 3)
	})
}

// Who was deleted by this job comes back, though the process died over it.
func TestADeleteOfOursAfterACrash(t *testing.T) {
	for _, back := range []bool{true, false} {
		story(t, func(w *world) {
			w.people(1, 3)
			w.sync(store.OutcomeSuccess)
			target := w.targetID(1)
			w.must(w.contoso.Delete(userID(1)))
			w.dyingSync(`"DELETE"`)
			said := []string{"delete success " + upn(1)}
			if back {
				w.must(w.contoso.Restore(userID(1)))
				said = append(said, "update success "+upn(1))
			}
			w.saidIs(func() { w.sync(store.OutcomeSuccess) }, said...)
			if w.noIntents(); !back {
				w.equal(2, 3)
				return
			}
			w.equal(1, 2, 3)
			if got := w.targetID(1); got != target {
				t.Errorf("target user: got %s, want the old one, %s", got, target)
			}
		})
	}
}

// A restore is told as one, and a manager is what it was set to.
func TestARestoreAndAManagerAfterACrash(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.must(w.contoso.SetManager(userID(1), userID(2)))
		w.sync(store.OutcomeSuccess)
		w.must(w.contoso.Delete(userID(1)))
		w.sync(store.OutcomeSuccess)
		w.must(w.contoso.Restore(userID(1)))
		w.dyingSync("/restore")
		w.sync(store.OutcomeSuccess)
		restores := 0
		for _, entry := range w.log(store.LogQuery{User: userID(1)}) {
			for _, p := range entry.Modified {
				if p.DisplayName == "IsSoftDeleted" {
					restores++
				}
			}
		}
		if restores != 1 {
			t.Errorf("restores in the log: got %d, want 1", restores)
		}
		w.equal(1, 2, 3)
		w.must(w.contoso.SetManager(userID(1), userID(3)))
		w.dyingSync("/manager/$ref")
		w.must(w.contoso.SetManager(userID(1), userID(2)))
		w.sync(store.OutcomeSuccess) // ends the round it has
		w.sync(store.OutcomeSuccess)
		w.equal(1, 2, 3)
		w.noIntents()
	})
}

// damagedLinks is a store in which a byte of the link of the first user has changed:
// it names the target user of the second.
type damagedLinks struct {
	store.Store
	instead string
}

func (s damagedLinks) Links(ctx context.Context, q store.LinkQuery) ([]store.Link, error) {
	links, err := s.Store.Links(ctx, q)
	for i := range links {
		if links[i].SourceID == userID(1) {
			links[i].TargetID = s.instead
		}
	}
	return links, err
}

func TestADamagedLinkDeletesNobody(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		e, err := engine.New(engine.Options{Jobs: w.jobs, Store: damagedLinks{w.st, w.targetID(2)}})
		w.must(err)
		w.must(w.contoso.Delete(userID(1)))
		w.journalIs(func() {
			r, err := e.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
			w.must(err)
			if r.Outcome != store.OutcomeFailed || !errors.Is(r.Error, store.ErrFormat) {
				t.Errorf("got %s, %v; want failed, ErrFormat", r.Outcome, r.Error)
			}
		})
		w.restart()
		w.equal(2, 3)
	})
}

func TestStateOfAnotherPairIsRefused(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.jobs[0].Pair.Target = "99999999-0000-4000-8000-000000000009"
		w.must(w.engine.Reload(w.jobs))
		w.journalIs(func() {
			r, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
			w.must(err)
			if r.Outcome != store.OutcomeFailed || r.Error == nil || r.Error.Code != "StateMismatch" {
				t.Errorf("got %s, %v; want failed, StateMismatch", r.Outcome, r.Error)
			}
		})
	})
}

// A block set by hand on somebody whose create was broken off is kept, wherever
// that was; the create is completed but for it.
func TestABlockByHandAfterABrokenCreate(t *testing.T) {
	for _, text := range []string{`"invitedUserEmailAddress"`, `"userType"`} {
		for _, first := range []bool{true, false} { // in an initial cycle, in a later one
			story(t, func(w *world) {
				if w.people(1, 1); !first {
					w.sync(store.OutcomeSuccess)
				}
				w.people(2, 3)
				w.dyingSync(text)
				for _, u := range w.fabrikam.Users() {
					if strings.Contains(u.String("userPrincipalName"), "user002") {
						w.setEnabled(w.fabrikam, u.ID(), false)
					}
				}
				w.sync(store.OutcomeSuccess)
				w.sync(store.OutcomeSuccess)
				w.equal(1, 3)
				if w.enabled(2, false); w.targetUser(2).String("userType") != "Member" {
					t.Errorf("dies after %s: got userType %s, want Member", text, w.targetUser(2).String("userType"))
				}
				w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
			})
		}
	}
}

// A block of this job in an update that completes a create is its own, though the
// process died over it.
func TestABlockOfOursInABrokenCreate(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.people(2, 2)
		w.dyingSync(`"userType"`)
		w.pass(2 * time.Hour) // what was read is too old to be taken up
		w.setEnabled(w.contoso, userID(2), false)
		w.dyingSync(`"accountEnabled":false`)
		w.enabled(2, false)
		w.setEnabled(w.contoso, userID(2), true)
		w.pass(2 * time.Hour)
		w.sync(store.OutcomeSuccess)
		w.sync(store.OutcomeSuccess)
		w.equal(1, 2)
		w.noIntents()
	})
}

// Whoever is not visible yet when a broken create is taken up is waited for, and
// what was set there by hand is kept even then.
func TestABrokenCreateThatIsNotVisibleYet(t *testing.T) {
	storyOf(t, entrasim.Options{ReplicationDelay: 20 * time.Second}, "{}", func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.people(2, 2)
		w.dieAfter(`"userType"`, func(e *engine.Engine) { _, _ = e.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil) })
		w.setEnabled(w.fabrikam, w.targetID(2), false)
		w.sync(store.OutcomeSuccess)
		w.enabled(2, false)
		if got := len(w.fabrikam.Users()); got != 2 {
			t.Errorf("users of the target: got %d, want 2", got)
		}
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
	})
}

// A process dies over an invitation, and the user to whom it led stays invisible to
// updates for longer than one cycle waits: the create is completed by a later one all
// the same, whichever job had sent the invitation and wherever that cycle finds it.
func TestABrokenCreateThatStaysInvisible(t *testing.T) {
	for _, initial := range []bool{true, false} {
		for _, other := range []bool{false, true} {
			story(t, func(w *world) {
				w.people(1, 2)
				w.group(1, userID(1), userID(2))
				w.group(2, userID(2))
				w.twoJobs()
				if other {
					w.must(w.contoso.RemoveMember(groupID(1), userID(2)))
				}
				if !initial {
					w.must(w.contoso.RemoveMember(groupID(1), userID(2)))
					w.sync(store.OutcomeSuccess)
					w.must(w.contoso.AddMember(groupID(1), userID(2)))
				}
				job := jobName
				if other {
					job = "second"
				}
				w.dieAfter(`"invitedUserEmailAddress":"user002`, func(e *engine.Engine) {
					_, _ = e.Sync(w.Context(), engine.SyncRequest{Job: job}, nil)
				})
				if other {
					w.must(w.contoso.AddMember(groupID(1), userID(2)))
				}
				w.fabrikam.SetFaults([]entrasim.Fault{{Method: "PATCH", Path: "/users/*", Item: "inner",
					Status: 404, Code: "Request_ResourceNotFound", Message: "Resource does not exist."}})
				w.sync(store.OutcomePartial)
				w.fabrikam.SetFaults(nil)
				w.sync(store.OutcomeSuccess)
				if got := w.targetUser(2).String("userType"); got != "Member" {
					t.Errorf("initial %v, invited by the other job %v: got userType %s, want Member", initial, other, got)
				}
				w.equal(1, 2)
				w.noIntents()
				w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
			})
		}
	}
}

// An answer that tells nothing of a target user does not say that nobody is there:
// what became of the write is asked once more.
func TestAnOpenWriteIsNotSettledByAnError(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(1), map[string]any{"accountEnabled": false})
		w.dyingSync(`"accountEnabled":false`)
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "GET", Path: "/users/" + w.targetID(1), Item: "inner", Times: 1,
			Status: 403, Code: "Authorization_RequestDenied"}})
		w.saidIs(func() { w.sync(store.OutcomeFailed) })
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "disable success "+upn(1))
		w.update(w.contoso, userID(1), map[string]any{"accountEnabled": true})
		w.sync(store.OutcomeSuccess)
		w.equal(1, 2, 3)
		w.noIntents()
	})
}
