package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// invitations counts the invitations the target was asked for, whatever came of them.
func (w *world) invitations() int { return w.fabrikam.Counts().Writes["invite"] }

// suspicion makes the target refuse every invitation.
var suspicion = []entrasim.Fault{{Preset: "suspicious"}}

// While the target's invitations are blocked, the daemon goes on with everything
// else at its pace, sends one invitation a step of the back-off, and tells nothing
// of those who wait.
func TestBlockedInvitationsAreProbedSeldom(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.people(4, 200)
		w.fabrikam.SetFaults(suspicion)
		w.daemon(func() {
			began := time.Now()
			before := w.invitations()
			w.pass(90 * time.Minute) // two cycles
			if got := w.invitations() - before; got != 21 {
				w.Errorf("invitations of the first two cycles: got %d, want a batch and a probe", got)
			}
			s := w.status()
			if s.State != "Quarantine" || s.Quarantine == nil || s.Quarantine.Reason != "InvitationsBlocked" ||
				!strings.Contains(s.Quarantine.Message, "suspicious activity") || s.Quarantine.NextAttempt == nil {
				w.Fatalf("status: got %s, %+v, want Quarantine by InvitationsBlocked, with Graph's words and the next attempt", s.State, s.Quarantine)
			}
			if s.Retries != 197 {
				w.Errorf("retries: got %d, want 197", s.Retries)
			}
			var probes []time.Duration
			for range 10 * 24 * 6 { // ten days
				n := w.invitations()
				w.pass(10 * time.Minute)
				if got := w.invitations() - n; got == 1 {
					probes = append(probes, time.Since(began).Round(time.Hour))
				} else if got > 1 {
					w.Fatalf("invitations within ten minutes: got %d, want one at most", got)
				}
			}
			var gaps []time.Duration
			for i := 1; i < len(probes); i++ {
				gaps = append(gaps, probes[i]-probes[i-1])
			}
			if len(gaps) < 8 || !slices.IsSorted(gaps[:5]) || slices.Max(gaps) > 25*time.Hour || gaps[len(gaps)-1] < 23*time.Hour {
				w.Errorf("gaps between the probes: got %v, want stepwise up to once a day", gaps)
			}
			if got := len(w.starts(jobName, began)); got < 300 {
				w.Errorf("cycles in ten days: got %d, want one every 40 minutes", got)
			}
			// The 20 of the first batch, and each probe.
			if got := len(w.log(store.LogQuery{Statuses: []string{"failure"}, Limit: 1000})); got > 20+len(probes)+2 {
				w.Errorf("failures in the log: got %d, want one for each invitation that was sent: %d", got, 20+len(probes)+2)
			}

			// Everything else goes on at once.
			w.update(w.contoso, userID(1), map[string]any{"accountEnabled": false})
			w.must(w.contoso.Delete(userID(2)))
			w.pass(41 * time.Minute)
			if w.targetUser(1).Bool("accountEnabled") {
				w.Errorf("user 1 was disabled in the source %v ago and is still enabled in the target", 41*time.Minute)
			}
			if got := len(w.fabrikam.Users()); got != 2 {
				w.Errorf("users of the target: got %d, want 2: one was deleted", got)
			}

			// Lifted: the next probe goes through, and all follow in the same cycle.
			w.fabrikam.SetFaults(nil)
			w.pass(25 * time.Hour)
			if s := w.status(); s.State != "Active" || s.Retries != 0 || s.Linked != 199 {
				w.Errorf("status: got %s, %d retries, %d linked, want Active, none, 199", s.State, s.Retries, s.Linked)
			}
		})
	})
}

// What is known of the block outlives the process, and waiting costs no call.
func TestBlockedInvitationsAreRememberedAcrossProcesses(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 50)
		w.fabrikam.SetFaults(suspicion)
		w.sync(store.OutcomeFailed)
		w.sync(store.OutcomeFailed) // the first probe
		sent := w.invitations()
		w.restart()
		source, target := w.requests(func() {
			r := w.sync(store.OutcomeFailed)
			if r.Error == nil || r.Error.Code != "InvitationsBlocked" || !strings.Contains(r.Error.Action, "support request") {
				w.Errorf("error: got %+v, want InvitationsBlocked, and which support request to make", r.Error)
			}
		})
		if source != 1 || target != 0 || w.invitations() != sent {
			w.Errorf("cycle while everybody waits: got %d requests to the source, %d to the target, %d invitations, want 1, 0, none",
				source, target, w.invitations()-sent)
		}
		if got, err := w.engine.Provision(w.Context(), engine.ProvisionRequest{Job: jobName, User: upn(7)}); err == nil || engine.AsError(err).Code != "InvitationsBlocked" {
			w.Errorf("provision on demand: got %+v, %v, want InvitationsBlocked", got, err)
		}
		if w.invitations() != sent {
			w.Errorf("invitations: got %d more, want none", w.invitations()-sent)
		}
	})
}

// "retries now" is the way out: the first user is the probe, the others follow or
// go on waiting.
func TestRetriesNowProbesBlockedInvitations(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 30)
		w.fabrikam.SetFaults(suspicion)
		w.sync(store.OutcomeFailed)
		w.sync(store.OutcomeFailed)
		sent := w.invitations()
		if source, _ := w.requests(func() {
			_, err := w.engine.RetryNow(w.Context(), jobName, nil)
			w.must(err)
		}); source > 10 {
			w.Errorf("requests to the source of \"retries now\" while blocked: got %d, want those of the one probe", source)
		}
		if got := w.invitations() - sent; got != 1 {
			w.Errorf("invitations of \"retries now\" while blocked: got %d, want one", got)
		}
		w.fabrikam.SetFaults(nil)
		left, err := w.engine.RetryNow(w.Context(), jobName, nil)
		w.must(err)
		if len(left.Retries) != 0 {
			w.Errorf("retries after the block was lifted: got %d, want none: %+v", len(left.Retries), left.Retries[0])
		}
		w.sync(store.OutcomeSuccess)
		w.equal(through(1, 30)...)
		if s := w.status(); s.State != "Active" {
			w.Errorf("state: got %s, want Active", s.State)
		}
	})
}

// Restart forgets what the target refused.
func TestRestartForgetsBlockedInvitations(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 30)
		w.fabrikam.SetFaults(suspicion)
		w.sync(store.OutcomeFailed)
		w.sync(store.OutcomeFailed)
		w.fabrikam.SetFaults(nil)
		w.sync(store.OutcomeFailed)
		w.must(w.engine.Restart(w.Context(), jobName))
		w.sync(store.OutcomeSuccess)
		w.equal(through(1, 30)...)
	})
}

// A block that comes while users are being created leaves those who are there
// alone: none of them waits, none is invited again.
func TestInvitationsBlockedInTheMiddle(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 200)
		w.fabrikam.SetFaults([]entrasim.Fault{{Preset: "suspicious", Item: "inner", Nth: 46, Times: 100000}})
		r := w.sync(store.OutcomePartial)
		if r.Quarantine == nil || r.Quarantine.Reason != "InvitationsBlocked" || r.Summary.Create != 45 || w.invitations() != 60 {
			w.Errorf("cycle: got %+v, %+v, %d invitations, want 45 created, InvitationsBlocked after the third batch", r.Quarantine, r.Summary, w.invitations())
		}
		if got := w.status(); got.Retries != 155 || got.Linked != 45 {
			w.Errorf("status: got %d retries and %d linked, want 155 and 45", got.Retries, got.Linked)
		}
		w.fabrikam.SetFaults(nil)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 155})
		w.equal(through(1, 200)...)
		w.once(200)
	})
}

// A directory that is full takes no new user; changes go on, and the
// job says what is the matter.
func TestFullDirectoryStopsCreatesOnly(t *testing.T) {
	storyOf(t, entrasim.Options{}, `{"organization": {"directorySizeQuota": {"total": 60}}}`, func(w *world) {
		w.people(1, 40)
		w.sync(store.OutcomeSuccess)
		w.people(41, 200)
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.update(w.contoso, userID(2), map[string]any{"accountEnabled": false})
		sent := w.invitations()
		r := w.syncWith(engine.SyncRequest{Job: jobName}, store.OutcomePartial)
		if r.Quarantine == nil || r.Quarantine.Reason != "AzureActiveDirectoryQuotaLimitExceeded" || r.Summary.Update != 1 || r.Summary.Disable != 1 {
			w.Errorf("cycle: got %+v, %+v, want the quarantine of a full directory, one update and one disable", r.Quarantine, r.Summary)
		}
		if got := w.invitations() - sent; got > 40 {
			w.Errorf("invitations: got %d, want two batches at most", got)
		}
		w.update(w.contoso, userID(3), map[string]any{"city": "Bergen"})
		sent = w.invitations()
		r = w.sync(store.OutcomeQuarantine)
		if got := w.invitations() - sent; got != 1 || r.Summary.Update != 1 {
			w.Errorf("next cycle: got %d invitations and %+v, want a probe and one update", got, r.Summary)
		}
		if r.Error == nil || r.Error.Class != engine.ClassFailed || !strings.Contains(r.Error.Action, "quota") {
			w.Errorf("error: got %+v, want one that says what to do about the quota", r.Error)
		}
		sent = w.invitations()
		w.update(w.contoso, userID(4), map[string]any{"city": "Bergen"})
		if r := w.sync(store.OutcomeQuarantine); r.Summary.Update != 1 || w.invitations() != sent {
			w.Errorf("third cycle: got %+v and %d invitations, want one update and none", r.Summary, w.invitations()-sent)
		}
	})
}

// Consent that is withdrawn while users are being created is noticed after a batch
// of refusals, not after thousands; a cycle by hand after it was given again needs
// no waiting.
func TestConsentWithdrawnWhileInviting(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 200)
		denied := entrasim.Fault{Method: "POST", Path: "/invitations", Status: 403, Code: "Authorization_RequestDenied",
			Message: "Insufficient privileges to complete the operation.", Item: "inner", Nth: 41, Times: 100000}
		w.fabrikam.SetFaults([]entrasim.Fault{denied})
		r := w.sync(store.OutcomePartial)
		if got := w.invitations(); got != 60 || r.Quarantine == nil || !strings.Contains(r.Quarantine.Message, "Insufficient privileges") {
			w.Errorf("got %d invitations and %+v, want 60 and a quarantine in Graph's words", got, r.Quarantine)
		}
		if failed := len(w.log(store.LogQuery{Statuses: []string{"failure"}, Limit: 1000})); failed != 20 {
			w.Errorf("failures in the log: got %d, want the 20 that were refused", failed)
		}
		denied.Nth = 0
		w.fabrikam.SetFaults([]entrasim.Fault{denied})
		for i := range 3 {
			r := w.syncWith(engine.SyncRequest{Job: jobName, Trigger: "command"}, store.OutcomeFailed)
			if r.Error == nil || r.Error.Class != engine.ClassSignIn || r.Error.Permission != "User.Invite.All" {
				w.Errorf("error of try %d: got %+v, want one that names User.Invite.All", i, r.Error)
			}
		}
		if got := w.invitations(); got != 63 {
			w.Errorf("invitations: got %d, want one more for each try", got)
		}
		w.fabrikam.SetFaults(nil)
		w.syncWith(engine.SyncRequest{Job: jobName, Trigger: "command"}, store.OutcomeSuccess)
		w.equal(through(1, 200)...)
		w.once(200)
	})
}

// A few refused invitations among many that go through are the matter of those
// users.
func TestSingleRefusedInvitationsStopNobody(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 100)
		var faults []entrasim.Fault
		for n := 2; n < 100; n += 4 {
			faults = append(faults, entrasim.Fault{Method: "POST", Path: "/invitations", Status: 403, Code: "Forbidden", Message: "Not this one.", Item: "inner", Nth: n})
		}
		w.fabrikam.SetFaults(faults)
		r := w.sync(store.OutcomePartial)
		if diff := cmp.Diff(store.Summary{Create: 100 - len(faults), Failed: len(faults)}, r.Summary); diff != "" || r.Quarantine != nil {
			w.Errorf("summary (-want +got):\n%s%s", diff, fmt.Sprint(r.Quarantine))
		}
	})
}
