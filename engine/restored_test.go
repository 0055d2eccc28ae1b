package engine_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

// backup copies the state as it is now.
func (w *world) backup() string {
	w.Helper()
	path := filepath.Join(w.TempDir(), "backup.db")
	_, err := w.st.(*bolt.Store).Backup(w.Context(), path)
	w.must(err)
	return path
}

// putBack ends the process, puts a backup in the place of the state, and begins
// another process.
func (w *world) putBack(backup string) {
	w.Helper()
	w.must(w.st.Close())
	_, _, err := bolt.Restore(w.Context(), backup, w.path, time.Now())
	w.must(err)
	w.open()
}

// A state of yesterday: whom it does not know is adopted, not created; who is to be
// deleted by what it says is held; after that all is as before.
func TestOldStateComparesAndHoldsDeletes(t *testing.T) {
	story(t, func(w *world) {
		w.onlySales()
		w.people(1, 30)
		w.sync(store.OutcomeSuccess)
		old := w.backup()
		w.leave(1, 2)
		w.people(31, 32)
		w.update(w.contoso, userID(5), map[string]any{"city": "Bergen"})
		w.sync(store.OutcomeSuccess)
		w.leave(3)
		w.putBack(old)

		p := w.plan(engine.PlanRequest{})
		if p.Cycle != "initial" || p.Summary.Create != 0 || p.Summary.Delete != 0 || p.Summary.Held != 1 {
			t.Errorf("plan: got %s %+v, want an initial cycle without create and delete, one held", p.Cycle, p.Summary)
		}
		r := w.sync(store.OutcomeQuarantine)
		w.summary(r, store.Summary{Unchanged: 29, Held: 1})
		w.quarantine("Quarantine", "StateRestored")
		w.deletions(false, upn(3))
		w.equal(through(4, 32)...)
		w.once(32)

		w.allow(upn(3))
		w.quarantine("Active", "")
		w.leave(4)
		r = w.sync(store.OutcomeSuccess)
		w.summary(r, store.Summary{Delete: 1})
		w.counted(28, 28, 0)
	})
}

// Managers that were given, changed and taken since the backup, and are in the source
// what they were then: the first cycle reads those of the target and sets them right.
func TestOldStateComparesManagers(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 6)
		w.must(w.contoso.SetManager(userID(2), userID(1)))
		w.must(w.contoso.SetManager(userID(3), userID(1)))
		w.sync(store.OutcomeSuccess)
		old := w.backup()
		w.must(w.contoso.SetManager(userID(2), userID(6))) // changed
		w.must(w.contoso.SetManager(userID(3), ""))        // taken
		w.must(w.contoso.SetManager(userID(4), userID(6))) // given
		w.sync(store.OutcomeSuccess)
		w.must(w.contoso.SetManager(userID(2), userID(1)))
		w.must(w.contoso.SetManager(userID(3), userID(1)))
		w.must(w.contoso.SetManager(userID(4), ""))
		w.putBack(old)

		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 3, Unchanged: 3})
		w.equal(through(1, 6)...)
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
	})
}

// The same of a state that is lost: who is adopted has the manager of the source.
func TestLostStateComparesManagers(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.must(w.contoso.SetManager(userID(2), userID(1)))
		w.must(w.contoso.SetManager(userID(3), userID(1)))
		w.sync(store.OutcomeSuccess)
		w.must(w.st.Close())
		w.path += ".new"
		w.open()
		w.must(w.contoso.SetManager(userID(2), ""))
		w.must(w.contoso.SetManager(userID(3), userID(4)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 2, Unchanged: 2})
		w.equal(through(1, 4)...)
	})
}

// A cycle that was stopped when the backup was made is not taken up: its images of
// users are as old as the backup.
func TestOldStateReadsAnew(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 45)
		r, err := w.engine.Sync(w.stopAt(3, true), engine.SyncRequest{Job: jobName}, nil)
		w.must(err)
		if r.Outcome != store.OutcomeInterrupted {
			t.Fatalf("outcome: got %s, want interrupted", r.Outcome)
		}
		old := w.backup()
		w.untilQuiet()
		w.update(w.contoso, userID(7), map[string]any{"department": "Legal"})
		w.sync(store.OutcomeSuccess)
		w.putBack(old)
		w.untilQuiet()
		w.equal(through(1, 45)...)
		w.once(45)
		if got := w.targetUser(7).String("department"); got != "Legal" {
			t.Errorf("department: got %s, want Legal", got)
		}
	})
}

// Who was still being created when the backup was made, and was completed since, is
// not given what is written on create only a second time.
func TestOldStateDoesNotCreateTwice(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		old := w.backup()
		for n := 1; n <= 3; n++ { // create-only, changed by hand since
			w.update(w.fabrikam, w.targetID(n), map[string]any{"userType": "Guest"})
		}
		linked, invited := mustLink(w, 1), mustLink(w, 2)
		w.putBack(old)
		linked.Creating = true
		w.must(w.st.Apply(w.Context(), &store.Batch{PutLinks: []store.Link{linked}, DropLinks: []store.LinkKey{invited.Key()},
			PutIntents: []store.Intent{{Job: jobName, SourceID: userID(2), Address: upn(2), Began: time.Now()}}}))
		r := w.sync(store.OutcomeSuccess)
		w.summary(r, store.Summary{Unchanged: 3})
		w.counted(3, 3, 0)
		w.once(3)
		for n := 1; n <= 3; n++ {
			if got := w.targetUser(n).String("userType"); got != "Guest" {
				t.Errorf("user %d: got userType %s, want Guest as it was set by hand", n, got)
			}
		}
	})
}

func mustLink(w *world, n int) store.Link {
	w.Helper()
	l, ok := w.link(n)
	if !ok {
		w.Fatal(fmt.Errorf("user %d has no link", n))
	}
	return l
}
