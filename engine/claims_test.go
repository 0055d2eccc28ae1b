package engine_test

import (
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/store"
)

// A job that stands first has no claim on a user whom it does not want itself.

func TestDeletedByTheFirstJobAndWantedByTheSecond(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.group(1, userID(1), userID(2))
		w.group(2, userID(3))
		w.twoJobs()
		w.syncJob(jobName)
		w.syncJob("second")
		id := w.targetID(1)
		w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
		w.syncJob(jobName)
		if !w.inBin(id) {
			t.Fatal("user 1 left every scope: got an active target user, want a deleted one")
		}
		w.must(w.contoso.AddMember(groupID(2), userID(1)))
		w.summary(w.syncJob("second"), store.Summary{Restore: 1})
		w.owner(1, "second")
		if got := w.targetID(1); got != id {
			t.Errorf("target user: got %s, want the old one, %s", got, id)
		}
	})
}

func TestHeldByTheFirstJobAndWantedByTheSecond(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 5)
		w.group(1, userID(1), userID(2), userID(3))
		w.group(2, userID(4))
		w.twoJobs()
		w.configure(false, threshold(0))
		w.syncJob(jobName)
		w.syncJob("second")
		w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
		w.sync(store.OutcomeQuarantine)
		w.deletions(false, upn(1))
		w.must(w.contoso.AddMember(groupID(2), userID(1)))
		w.syncJob("second")
		w.owner(1, "second")
		w.deletions(false)
		w.journalIs(func() { w.allow() })
		w.journalIs(func() { w.syncJob(jobName); w.syncJob("second") })
	})
}

func TestProvisionByAnotherJobWhileADeleteIsOnItsWay(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(1), userID(2), userID(3))
		w.group(2, userID(4))
		w.twoJobs()
		w.syncJob(jobName)
		w.syncJob("second")
		id := w.targetID(1)
		w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		once, inner := false, w.jobs[0].Target
		w.configure(false, func(j *engine.Job) {
			j.Target = interrupted{inner, func() {
				if once {
					return
				}
				once = true // the cycle has judged user 1, and deletes come later
				w.must(w.contoso.AddMember(groupID(2), userID(1)))
				go w.provision(engine.ProvisionRequest{User: upn(1), Job: "second"})
			}}
		})
		w.syncJob(jobName)
		w.pass(time.Second)
		w.owner(1, "second")
		if !once || w.inBin(id) {
			t.Errorf("provisioned %v, deleted %v: want the user of the second job left alone", once, w.inBin(id))
		}
	})
}

// The configuration is loaded again while a cycle runs.
func TestReloadWhileACycleRuns(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 50)
		once, inner := false, w.jobs[0].Target
		provisioned := make(chan struct{})
		w.configure(false, func(j *engine.Job) {
			j.Target = interrupted{inner, func() {
				if once {
					return
				}
				once = true
				w.configure(false, func(j *engine.Job) { j.Target = inner })
				w.update(w.contoso, userID(50), map[string]any{"city": "Bergen"})
				go func() {
					defer close(provisioned)
					w.provision(engine.ProvisionRequest{User: upn(50)})
				}()
			}}
		})
		w.sync(store.OutcomeSuccess)
		<-provisioned // it may get its turn only after the last batch
		if got := w.targetUser(50).String("city"); got != "Bergen" {
			t.Errorf("city of user 50: got %q, want Bergen: the cycle's own image is older", got)
		}
		if s := w.status(); s.Running != nil {
			t.Errorf("running after the cycle: got %+v, want nothing", *s.Running)
		}
	})
}
