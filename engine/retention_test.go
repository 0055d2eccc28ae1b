package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/store"
)

// pruningStore counts the commits that drop what is too old, and can fail those
// that do nothing else.
type pruningStore struct {
	store.Store
	commits *int
	fails   *bool
}

func (s pruningStore) Apply(ctx context.Context, b *store.Batch) error {
	if !b.Prune.IsZero() {
		if *s.commits++; *s.fails && len(b.Cycles) == 0 {
			return errors.New("no space left on device")
		}
	}
	return s.Store.Apply(ctx, b)
}

// Much that has become too old at once goes with one cycle, in commits of a bounded
// size. One that fails is no failure of the cycle, which has ended: the next one
// goes on.
func TestOldRecordsGoALittleWithEachCommit(t *testing.T) {
	story(t, func(w *world) {
		w.configure(false, func(j *engine.Job) { j.LogRetention = 30 * 24 * time.Hour })
		commits, fails := 0, true
		e, err := engine.New(engine.Options{Jobs: w.jobs, Store: pruningStore{w.st, &commits, &fails}})
		w.must(err)
		w.engine = e
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		var old store.Batch
		for i := range 2*store.PruneLimit + 500 {
			old.Log = append(old.Log, store.Entry{ID: fmt.Sprint("old ", i), JobID: jobName, ActivityDateTime: time.Now().Add(-31 * 24 * time.Hour)})
		}
		w.must(w.st.Apply(w.Context(), &old))
		w.pass(30*24*time.Hour + time.Minute)
		w.sync(store.OutcomeSuccess) // doubts the clock: the first entry is too young for it
		w.pass(25 * time.Hour)

		commits = 0
		w.sync(store.OutcomeSuccess)
		if left := len(w.log(store.LogQuery{Limit: 5000})); left != store.PruneLimit+501 || commits != 2 {
			t.Errorf("after a commit that failed: got %d entries left and %d commits, want %d and 2", left, commits, store.PruneLimit+501)
		}
		fails, commits = false, 0
		w.sync(store.OutcomeSuccess)
		if left := len(w.log(store.LogQuery{Limit: 5000})); left != 0 || commits != 2 {
			t.Errorf("got %d entries left and %d commits, want none and 2", left, commits)
		}
	})
}

// Links of people who are gone on both sides go, those of others stay: of somebody
// deleted by hand who is still wanted, who left not long ago, or who was restored by
// hand and is to be removed for having left.
func TestLinksOfPeopleGoneOnBothSidesGo(t *testing.T) {
	story(t, func(w *world) {
		const day = 24 * time.Hour
		w.people(1, 4)
		w.sync(store.OutcomeSuccess)
		for n := 1; n <= 3; n++ {
			w.must(w.fabrikam.Delete(w.targetID(n)))
		}
		w.syncInitial(store.OutcomeSuccess)
		w.must(w.contoso.Delete(userID(1)))
		w.must(w.contoso.Delete(userID(2)))
		w.sync(store.OutcomeSuccess)
		states := func(want ...store.LinkState) {
			w.Helper()
			for i, state := range want {
				if l, ok := w.link(i + 1); !ok || l.State != state {
					w.Errorf("link of user %d: got %v, %v; want %v", i+1, l.State, ok, state)
				}
			}
		}
		w.passIdle(20 * day)
		w.must(w.fabrikam.Restore(w.targetID(2)))
		w.syncWith(engine.SyncRequest{Job: jobName}, store.OutcomeSuccess)
		w.syncInitial(store.OutcomeSuccess) // it is back, and was told to be left alone: gone as a leaver
		states(store.LinkMissing, store.LinkDeleted, store.LinkMissing, store.LinkActive)
		w.passIdle(16 * day)
		w.syncInitial(store.OutcomeSuccess)
		if l, ok := w.link(1); ok {
			t.Errorf("link of user 1, who is gone on both sides: got %v, want none", l.State)
		}
		if l, ok := w.link(2); !ok || l.State != store.LinkDeleted {
			t.Errorf("link of user 2: got %v, %v; want deleted, 16 days ago", l.State, ok)
		}
		w.equal(3, 4) // row 22: whoever is purged and wanted is created anew
	})
}

// Somebody deleted by hand and restored by hand is still known when the source user
// leaves, however long ago that was: only a look at the whole target tells.
func TestRestoredByHandLongAgoIsRemovedOnLeaving(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.group(1, userID(1), userID(2), userID(3))
		w.assignedTo(1)
		w.sync(store.OutcomeSuccess)
		target := w.targetID(1)
		w.must(w.fabrikam.Delete(target))
		w.syncInitial(store.OutcomeSuccess)
		w.must(w.fabrikam.Restore(target))
		w.passIdle(40 * 24 * time.Hour)
		w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
		w.sync(store.OutcomeSuccess)
		w.must(w.contoso.Delete(userID(1)))
		w.sync(store.OutcomeSuccess)
		w.syncInitial(store.OutcomeSuccess)
		if l, ok := w.link(1); !ok || l.State != store.LinkDeleted || len(w.fabrikam.Users()) != 2 {
			t.Errorf("link: got %v, %v, and %d users of the target; want deleted and 2", l.State, ok, len(w.fabrikam.Users()))
		}
	})
}
