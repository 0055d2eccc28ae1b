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
