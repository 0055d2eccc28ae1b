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

// What one cycle leaves for a later one is neither lost nor looked at for ever.

// refusing makes the target refuse every update of a user.
func (w *world) refusing(message string) {
	w.fabrikam.SetFaults([]entrasim.Fault{{Path: "/users/*", Method: "PATCH", Item: "inner", Status: 400,
		Code: "Request_BadRequest", Message: message}})
}

func TestMembershipToldDuringHeldChanges(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 121)
		var members []string
		for _, n := range through(1, 120) {
			members = append(members, userID(n))
		}
		w.group(1, members...)
		w.assignedTo(1)
		w.sync(store.OutcomeSuccess)
		before := w.jobs[0]
		w.must(w.contoso.AddMember(groupID(1), userID(121)))
		w.configure(true, func(j *engine.Job) { j.Mapping = renamed(t) })
		w.sync(store.OutcomeQuarantine)
		w.configure(false, func(j *engine.Job) { *j = before }) // the administrator thinks better of it
		w.sync(store.OutcomeSuccess)
		w.equal(121)
	})
}

func TestRestartKeepsDeleteAfter(t *testing.T) {
	inSales(t, 20, func(j *engine.Job) { j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, 24*time.Hour }, func(w *world) {
		id := w.targetID(1)
		w.leave(1)
		w.sync(store.OutcomeSuccess)
		w.must(w.engine.Restart(w.Context(), jobName))
		w.sync(store.OutcomeSuccess)
		w.idle(1, "the changes of users")
		w.passIdle(24 * time.Hour)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1})
		if !w.inBin(id) {
			t.Error("a day after user 1 left scope: got an active target user, want a deleted one")
		}
	})
}

func TestDeleteAfterThatComesLater(t *testing.T) {
	inSales(t, 20, func(j *engine.Job) { j.Deprovision = engine.DeprovisionDisable }, func(w *world) {
		w.leave(1)
		w.sync(store.OutcomeSuccess)
		w.configure(false, func(j *engine.Job) { j.DeleteAfter = 24 * time.Hour })
		w.syncInitial(store.OutcomeSuccess)
		w.passIdle(24 * time.Hour)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1})
	})
}

func TestRestartWithoutNamingTheOnlyJob(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 25)
		r, err := w.engine.Sync(w.stopAt(6, false), engine.SyncRequest{Job: jobName}, nil)
		w.wire.set(nil, nil)
		if err != nil || r.Outcome != store.OutcomeInterrupted {
			t.Fatalf("got %s, %v, want interrupted", r.Outcome, err)
		}
		w.must(w.engine.Restart(w.Context(), ""))
		w.sync(store.OutcomeSuccess)
		w.equal(through(1, 25)...)
	})
}

func TestHeldDeletionIsNotLookedAtInEveryCycle(t *testing.T) {
	inSales(t, 20, func(j *engine.Job) { j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, 24*time.Hour }, func(w *world) {
		w.leave(1)
		w.sync(store.OutcomeSuccess)
		w.configure(false, threshold(0))
		w.passIdle(24 * time.Hour)
		w.sync(store.OutcomeQuarantine) // the delete is due, and held
		w.sync(store.OutcomeSuccess)
		w.idle(1, "the changes of users")
		w.deletions(false, upn(1))
	})
}

func TestWhoLeftScopeIsNotRetried(t *testing.T) {
	inSales(t, 20, func(j *engine.Job) { j.Deprovision = engine.DeprovisionNone }, func(w *world) {
		w.refusing("Invalid value specified for property 'city' of resource 'User'.")
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		w.sync(store.OutcomePartial)
		w.fabrikam.SetFaults(nil)
		w.leave(1)
		w.sync(store.OutcomeSuccess)
		if got := w.retries(); len(got) != 0 {
			t.Errorf("retries: got %+v, want none for a user who left scope", got)
		}
		w.idle(1, "the changes of users")
	})
}

func TestProvisionSaysThatAValueIsTaken(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.refusing("Another object with the same value for property proxyAddresses already exists.")
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		r := w.provision(engine.ProvisionRequest{User: upn(1)})
		if r.Status != "failure" || !strings.Contains(r.Reason, "proxyAddresses") {
			t.Errorf("got %s %s %q, want a failure that names the property", r.Status, r.Code, r.Reason)
		}
		if got := w.retries(); len(got) != 1 {
			t.Errorf("retries: got %+v, want user 1", got)
		}
	})
}

// A target user restored by hand and matched with somebody else stays theirs.
func TestRestoredByHandAndTakenForSomebodyElse(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 20)
		w.sync(store.OutcomeSuccess)
		id := w.targetID(1)
		w.must(w.contoso.Delete(userID(1)))
		w.sync(store.OutcomeSuccess)
		w.must(w.fabrikam.Restore(id))
		w.person(21, map[string]any{"userPrincipalName": upn(1), "mail": upn(1)})
		w.sync(store.OutcomeSuccess)
		if got := w.targetID(21); got != id {
			t.Fatalf("user 21: got target user %s, want %s, which has its address", got, id)
		}
		w.must(w.contoso.Restore(userID(1)))
		w.update(w.contoso, userID(1), map[string]any{"userPrincipalName": "renamed@contoso.example", "mail": "renamed@contoso.example"})
		w.saidIs(func() { w.sync(store.OutcomePartial) }, "update failure renamed@contoso.example LinkedToOtherUser")
		w.equal(21)
		if l, _ := w.link(1); l.State == store.LinkActive {
			t.Errorf("user 1: got an active link to %s, want none to the user of somebody else", l.TargetID)
		}
	})
}

func TestCreateAnewChecksTheAddress(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		id := w.targetID(1)
		w.must(w.fabrikam.Delete(id))
		w.must(w.fabrikam.Purge(id))
		w.update(w.contoso, userID(1), map[string]any{"userPrincipalName": "user001@elsewhere.example", "city": "Rome"})
		w.journalIs(func() { w.sync(store.OutcomePartial) })
		if got := w.retries(); len(got) != 1 || got[0].Code != "InvalidDomain" {
			t.Errorf("retries: got %+v, want user 1 with InvalidDomain", got)
		}
	})
}

func TestManagerOfAUserDeletedByHand(t *testing.T) {
	story(t, func(w *world) {
		w.onlySales()
		w.people(1, 20)
		w.leave(1)
		w.must(w.contoso.SetManager(userID(2), userID(1)))
		w.sync(store.OutcomeSuccess)
		w.must(w.fabrikam.Delete(w.targetID(2)))
		w.back(1) // the manager comes: user 2 is due, and its target user is gone
		began := time.Now()
		w.sync(store.OutcomeSuccess)
		if took := time.Since(began); took > time.Minute {
			t.Errorf("the cycle took %s: it waited for a user who does not come", took)
		}
		if got := w.said(func() { w.sync(store.OutcomeSuccess) }); !slices.Contains(got, "other skipped "+upn(2)+" DeletedInTarget") {
			t.Errorf("log of the next cycle: got %v, want user 2 as deleted in the target", got)
		}
	})
}

func TestScheduleThatNeverComes(t *testing.T) {
	if err := engine.CheckSchedule("0 0 30 2 *", ""); err == nil {
		t.Error("30 February: got no error, want one")
	}
	if err := engine.CheckSchedule("0 0 29 2 *", "Europe/Berlin"); err != nil {
		t.Errorf("29 February: got %v, want no error", err)
	}
}
