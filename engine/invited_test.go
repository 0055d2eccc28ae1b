package engine_test

import (
	"testing"

	"tenantsync/engine"
	"tenantsync/store"
)

// A process dies after one job has invited a user, and the other job of the pair is
// the first to look at that user again: it completes the create, be it in a cycle or
// on demand, and leaves nothing open.
func TestTheOtherJobCompletesACreate(t *testing.T) {
	for name, complete := range map[string]func(w *world){
		"cycle":     func(w *world) { w.sync(store.OutcomeSuccess) },
		"on demand": func(w *world) { w.provision(engine.ProvisionRequest{User: userID(2)}) },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 2)
				w.group(1, userID(1))
				w.group(2, userID(2))
				w.twoJobs()
				w.sync(store.OutcomeSuccess)
				w.dieAfter(`"invitedUserEmailAddress"`, func(e *engine.Engine) {
					_, _ = e.Sync(w.Context(), engine.SyncRequest{Job: "second"}, nil)
				})
				w.must(w.contoso.AddMember(groupID(1), userID(2)))
				complete(w)
				w.equal(1, 2)
				w.owner(2, jobName)
				if got := w.targetUser(2).String("userType"); got != "Member" {
					t.Errorf("userType of user 2: got %s, want Member", got)
				}
				waiting, err := w.st.Waiting(w.Context(), "second")
				w.must(err)
				if len(waiting.Intents) > 0 {
					t.Errorf("open intents of the other job: got %+v, want none", waiting.Intents)
				}
			})
		})
	}
}

// A guest whom somebody in the target invited is none of ours: only what differs is
// written, whatever other jobs have done.
func TestAGuestOfTheTargetIsNotCompleted(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.group(1, userID(1))
		w.group(2, userID(2))
		w.twoJobs()
		w.syncJob("second")
		_, err := w.fabrikam.CreateUser(map[string]any{"userPrincipalName": "user001_contoso.example#EXT#@" + domainOf(w.fabrikam),
			"displayName": "Guest", "mail": upn(1), "otherMails": []string{upn(1)}, "externalUserState": "PendingAcceptance", "userType": "Guest"})
		w.must(err)
		w.sync(store.OutcomeSuccess)
		w.equal(1, 2)
		if got := w.targetUser(1).String("userType"); got != "Guest" {
			t.Errorf("userType of user 1: got %s, want Guest", got)
		}
	})
}
