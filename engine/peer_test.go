package engine_test

import (
	"testing"

	"tenantsync/engine"
	"tenantsync/store"
)

// A user goes from the first job's group to the second's, and the second job has
// not run since: the user is handed over, not deleted. Whoever leaves both is.
func TestOwnershipMovesTogetherWithTheUser(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(1), userID(2), userID(3))
		w.group(2, userID(3), userID(4))
		w.twoJobs()
		w.syncJob(jobName)
		w.syncJob("second")
		id := w.targetID(3)

		w.must(w.contoso.RemoveMember(groupID(1), userID(2)))
		w.must(w.contoso.RemoveMember(groupID(1), userID(3)))
		w.must(w.contoso.RemoveMember(groupID(2), userID(3)))
		w.must(w.contoso.AddMember(groupID(2), userID(2)))
		w.journalIs(func() {
			r := w.syncWith(engine.SyncRequest{Job: jobName}, store.OutcomeSuccess)
			if r.Summary.Delete != 1 {
				t.Errorf("deleted: got %d, want user 3 only, who left both", r.Summary.Delete)
			}
		}, "DELETE /users/"+id)
		w.owner(2, "second")
		w.journalIs(func() { w.syncJob("second") })
		w.owner(2, "second")
		w.equal(1, 2, 4)
	})
}
