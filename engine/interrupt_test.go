package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// stopAt cancels at the n-th request to Graph: before it is sent, or after it took
// effect and before its answer is known. It returns the context to run with.
func (w *world) stopAt(n int, after bool) context.Context {
	ctx, cancel := context.WithCancel(w.Context())
	var seen atomic.Int64 // reads go out side by side
	hit := func(r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/v1.0/") {
			return false // a token
		}
		return seen.Add(1) == int64(n)
	}
	if !after {
		w.wire.set(func(r *http.Request) error {
			if !hit(r) {
				return nil
			}
			cancel()
			return context.Canceled
		}, nil)
		return ctx
	}
	w.wire.set(nil, func(r *http.Request, resp *http.Response) (*http.Response, error) {
		if !hit(r) {
			return resp, nil
		}
		cancel()
		return nil, errors.Join(context.Canceled, resp.Body.Close())
	})
	return ctx
}

// interruptions runs act in a fresh world for every request that the cycle makes,
// stops the cycle there, and lets the next one end it.
func interruptions(t *testing.T, prepare func(w *world), check func(w *world)) {
	t.Helper()
	for _, after := range []bool{false, true} {
		restart := after // a new process knows no more than the state file
		stopped := 0
		for n := 1; ; n++ {
			done := false
			storyOf(t, entrasim.Options{DeltaPageSize: 10}, "{}", func(w *world) {
				name := fmt.Sprintf("stopped at request %d (after it took effect: %v, new process: %v)", n, after, restart)
				prepare(w)
				r, err := w.engine.Sync(w.stopAt(n, after), engine.SyncRequest{Job: jobName}, nil)
				w.wire.set(nil, nil)
				if err == nil && r.Outcome == store.OutcomeSuccess {
					done = true
					return
				}
				if err != nil || r.Outcome != store.OutcomeInterrupted {
					w.Fatalf("%s: got %s, %v, %v, want interrupted", name, r.Outcome, r.Error, err)
				}
				stopped++
				if restart {
					w.restart()
				}
				w.sync(store.OutcomeSuccess)
				check(w)
				w.journalIs(func() { w.sync(store.OutcomeSuccess) })
				w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
				check(w)
				if w.Failed() {
					w.Fatal(name)
				}
			})
			if done || t.Failed() {
				break
			}
		}
		if stopped < 8 && !t.Failed() {
			t.Errorf("the cycle was stopped at %d requests only", stopped)
		}
	}
}

func TestInterruptedInitialCycle(t *testing.T) {
	interruptions(t, func(w *world) {
		w.people(1, 25)
		for n := 2; n <= 25; n += 4 {
			w.must(w.contoso.SetManager(userID(n), userID(n-1)))
		}
	}, func(w *world) {
		w.equal(through(1, 25)...)
		w.counted(25, 25, 0)
		if got := len(w.fabrikam.Users()); got != 25 {
			w.Errorf("users of the target: got %d, want 25", got)
		}
		for n := 1; n <= 25; n++ {
			if got := w.targetUser(n).String("userType"); got != "Member" {
				w.Errorf("user %d: got userType %s, want Member: the create was not completed as one", n, got)
			}
		}
	})
}

func TestInterruptedIncrementalCycle(t *testing.T) {
	interruptions(t, func(w *world) {
		w.onlySales()
		w.configure(false, func(j *engine.Job) { j.Percent = 0 })
		w.people(1, 40)
		w.sync(store.OutcomeSuccess)
		w.leave(1, 2)
		w.sync(store.OutcomeSuccess)
		w.back(1, 2)               // to be restored
		w.leave(through(3, 8)...)  // to be deleted
		for n := 9; n <= 35; n++ { // to be updated
			w.update(w.contoso, userID(n), map[string]any{"city": "Rome"})
		}
		w.people(41, 46) // to be created
		w.must(w.contoso.SetManager(userID(41), userID(1)))
	}, func(w *world) {
		w.equal(append(through(9, 46), 1, 2)...)
		w.counted(40, 40, 0)
		for n := 3; n <= 8; n++ {
			if l, _ := w.link(n); !w.inBin(l.TargetID) {
				w.Errorf("user %d: not deleted", n)
			}
		}
		if got := len(w.fabrikam.Users()); got != 40 {
			w.Errorf("users of the target: got %d, want 40", got)
		}
	})
}

// What was read before the stop is not read again.
func TestInterruptedRoundGoesOnWhereItStopped(t *testing.T) {
	for _, restart := range []bool{false, true} {
		storyOf(t, entrasim.Options{DeltaPageSize: 10}, "{}", func(w *world) {
			w.people(1, 95)
			ctx := w.stopAt(8, false) // the sixth page or so
			if r, err := w.engine.Sync(ctx, engine.SyncRequest{Job: jobName}, nil); err != nil || r.Outcome != store.OutcomeInterrupted {
				w.Fatalf("got %s, %v, want interrupted", r.Outcome, err)
			}
			w.wire.set(nil, nil)
			first := w.contoso.Counts().Reads["usersDelta"]
			if len(w.fabrikam.Journal()) > 0 || first < 5 {
				w.Fatalf("got %d pages and %d writes before the stop, want some and none", first, len(w.fabrikam.Journal()))
			}
			if restart {
				w.restart()
			}
			w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 95})
			if got := w.contoso.Counts().Reads["usersDelta"]; got != 10 {
				w.Errorf("pages read in both cycles: got %d, want 10", got)
			}
			w.equal(through(1, 95)...)
		})
	}
}

// A request to stop before the cycle has the pair for itself begins nothing.
func TestStoppedBeforeItBegan(t *testing.T) {
	story(t, func(w *world) {
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		r, err := w.engine.Sync(ctx, engine.SyncRequest{Job: jobName}, nil)
		if err == nil && r.Outcome != store.OutcomeInterrupted {
			w.Errorf("got %s, want interrupted", r.Outcome)
		}
	})
}

// A process that dies between an update and the manager that belongs to it leaves
// a manager to be written, even where the next cycle finds more to update.
func TestAReferenceThatAStoppedCycleDidNotComeTo(t *testing.T) {
	for _, c := range []struct {
		name string
		then func(w *world)
	}{
		{"the user changes again", func(w *world) { w.update(w.contoso, userID(1), map[string]any{"jobTitle": "Chief"}) }},
		{"the job is restarted", func(w *world) { w.must(w.engine.Restart(w.Context(), jobName)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 3)
				w.sync(store.OutcomeSuccess)
				w.must(w.contoso.SetManager(userID(1), userID(2)))
				w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
				w.update(w.contoso, userID(3), map[string]any{"city": "Rome"})
				ctx, cancel := context.WithCancel(w.Context())
				w.wire.set(nil, func(r *http.Request, resp *http.Response) (*http.Response, error) {
					if w.targetUser(1).String("city") == "Rome" {
						cancel()
					}
					return resp, nil
				})
				r, err := w.engine.Sync(ctx, engine.SyncRequest{Job: jobName}, nil)
				w.wire.set(nil, nil)
				w.must(err)
				if r.Outcome != store.OutcomeInterrupted {
					t.Fatalf("outcome: got %s, want interrupted", r.Outcome)
				}
				w.restart()
				w.pass(2 * time.Hour) // too old to be taken up
				c.then(w)
				w.sync(store.OutcomeSuccess)
				w.equal(1, 2, 3)
				w.journalIs(func() { w.sync(store.OutcomeSuccess) })
			})
		})
	}
}

// A comparison that was stopped is begun again: whom it had begun to create anew,
// because the target user was purged, has not changed in the source.
func TestAStoppedComparisonIsBegunAgain(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.must(w.fabrikam.Purge(w.targetID(2)))
		ctx, cancel := context.WithCancel(w.Context())
		w.wire.set(nil, func(r *http.Request, resp *http.Response) (*http.Response, error) {
			for _, u := range w.fabrikam.Users() {
				if u.String("mail") == upn(2) {
					cancel()
				}
			}
			return resp, nil
		})
		r, err := w.engine.Sync(ctx, engine.SyncRequest{Job: jobName, Initial: true}, nil)
		w.wire.set(nil, nil)
		w.must(err)
		if r.Outcome != store.OutcomeInterrupted {
			t.Fatalf("outcome: got %s, want interrupted", r.Outcome)
		}
		w.restart()
		w.pass(2 * time.Hour) // too old to be taken up
		w.sync(store.OutcomeSuccess)
		w.equal(1, 2, 3)
	})
}
