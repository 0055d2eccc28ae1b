package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// A target that answers everything with 429 ends the cycle once one batch has
// waited as long as a batch is worth: nobody failed, and the next cycle does the
// rest.
func TestThrottlingWithoutEndEndsTheCycle(t *testing.T) {
	for name, storm := range map[string]entrasim.Fault{
		"without Retry-After": {Preset: "throttledSilently", Tenant: "fabrikam", Path: "/$batch", Item: "outer", Nth: 5, Times: 1000},
		"with Retry-After":    {Preset: "throttled", Tenant: "fabrikam", Path: "/$batch", Item: "outer", Nth: 5, Times: 1000},
		"an hour":             {Preset: "throttled", RetryAfter: "3600", Tenant: "fabrikam", Path: "/$batch", Item: "outer", Nth: 5, Times: 1000},
		"item by item":        {Preset: "throttled", Tenant: "fabrikam", Item: "inner", Nth: 45, Times: 100000},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 300)
				for n := 2; n <= 300; n += 7 {
					w.manages(1, n)
				}
				w.fabrikam.SetFaults([]entrasim.Fault{storm})
				w.endedEarly(w.sync(store.OutcomePartial))
				if failed := w.log(store.LogQuery{Statuses: []string{"failure"}}); len(failed) > 0 {
					t.Errorf("log: got %d failures, want none: throttling is no failure of a user; the first: %+v", len(failed), failed[0].StatusInfo.Error)
				}
				s := w.status()
				if s.State != "Active" || s.Retries != 0 {
					t.Errorf("status: got %s with %d retries, want Active with none", s.State, s.Retries)
				}
				w.fabrikam.SetFaults(nil)
				w.pass(2 * time.Hour)
				w.sync(store.OutcomeSuccess)
				w.equal(through(1, 300)...)
				w.once(300)
				w.idle(1, "everything was done")
			})
		})
	}
}

// endedEarly expects a cycle that ended early because of throttling.
func (w *world) endedEarly(r engine.SyncResult) {
	w.Helper()
	if r.Error == nil || r.Error.Code != "TooManyRequests" || r.Error.Class != engine.ClassFailed || r.Summary.Failed != 0 || r.Quarantine != nil {
		w.Errorf("result: got %+v, %+v, %+v, want TooManyRequests, nobody failed and no quarantine", r.Error, r.Summary, r.Quarantine)
	}
	if took := r.EndedAt.Sub(r.StartedAt); took > 15*time.Minute {
		w.Errorf("cycle: took %v, want it to end within minutes", took)
	}
}

// The deletes of a cycle that was cut short by throttling still come, once.
func TestThrottlingDuringDeletes(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 60)
		w.sync(store.OutcomeSuccess)
		w.configure(false, func(j *engine.Job) { j.Prevent, j.ScopeShrink = false, 0 })
		for n := 11; n <= 60; n++ {
			w.must(w.contoso.Delete(userID(n)))
		}
		w.fabrikam.SetFaults([]entrasim.Fault{{Preset: "throttled", Method: "DELETE", Path: "/users/*", Nth: 21, Times: 100000}})
		w.endedEarly(w.sync(store.OutcomePartial))
		w.fabrikam.SetFaults(nil)
		w.pass(time.Minute)
		var deletes []string
		for _, line := range w.journal(func() { w.sync(store.OutcomeSuccess) }) {
			if strings.HasPrefix(line, "DELETE /users/") {
				deletes = append(deletes, line)
			}
		}
		slices.Sort(deletes)
		if got := len(slices.Compact(deletes)); got != 30 || len(deletes) != 30 {
			t.Errorf("deletes of the next cycle: got %d of %d users, want 30 of 30", len(deletes), got)
		}
		if got := len(w.fabrikam.Users()); got != 10 {
			t.Errorf("users of the target: got %d, want 10", got)
		}
	})
}

// A token that is refused twice is a matter of the credential: the job pauses, the
// users who were on their way are no failures, and their intents stay.
func TestTokenRefusedInTheMiddleOfTheWrites(t *testing.T) {
	for name, fault := range map[string]entrasim.Fault{
		"batch": {Preset: "tokenExpired", Tenant: "fabrikam", Path: "/$batch", Item: "outer", Nth: 4, Times: 1000},
		"items": {Preset: "tokenExpired", Tenant: "fabrikam", Method: "POST", Path: "/invitations", Item: "inner", Nth: 21, Times: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 60)
				w.fabrikam.SetFaults([]entrasim.Fault{fault})
				r := w.sync(store.OutcomeFailed)
				if r.Error == nil || r.Error.Class != engine.ClassSignIn || r.Quarantine == nil || r.Summary.Failed != 0 || w.failures() != "" {
					t.Errorf("result: got %+v, %+v, failed %d, want a sign-in error, a quarantine, and nobody failed%s", r.Error, r.Quarantine, r.Summary.Failed, w.failures())
				}
				waiting, err := w.st.Waiting(w.Context(), jobName)
				w.must(err)
				if len(waiting.Intents) != 20 || len(waiting.Escrows) != 0 {
					t.Errorf("waiting: got %d intents and %d retries, want the 20 of the batch and none", len(waiting.Intents), len(waiting.Escrows))
				}
				w.fabrikam.SetFaults(nil)
				w.sync(store.OutcomeSuccess)
				w.equal(through(1, 60)...)
				w.once(60)
			})
		})
	}
}
