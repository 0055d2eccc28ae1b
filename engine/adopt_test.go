package engine_test

import (
	"fmt"
	"os"
	"testing"

	"tenantsync/engine"
	"tenantsync/store"
)

// forget ends the process and loses its state file.
func (w *world) forget() {
	w.Helper()
	w.must(w.st.Close())
	w.must(os.Remove(w.path))
	w.open()
}

func TestLostStateIsAdoptedByMatching(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 25)
		for n := 2; n <= 25; n++ {
			w.must(w.contoso.SetManager(userID(n), userID(1)))
		}
		w.sync(store.OutcomeSuccess)
		ids := map[int]string{}
		for n := 1; n <= 25; n++ {
			ids[n] = w.targetID(n)
		}
		w.update(w.fabrikam, ids[7], map[string]any{"userType": "Guest", "city": "Rome"})
		w.must(w.contoso.Delete(userID(25))) // nobody knows any more whose its target user is
		w.forget()
		w.journalIs(func() {
			r := w.sync(store.OutcomeSuccess)
			w.summary(r, store.Summary{Update: 1, Unchanged: 23})
		}, fmt.Sprintf(`PATCH /users/%s {"city":"Oslo"}`, ids[7]))
		w.equal(through(1, 24)...)
		for n := 1; n <= 24; n++ {
			if got := w.targetID(n); got != ids[n] {
				t.Errorf("user %d: got target user %s, want %s", n, got, ids[n])
			}
		}
		if got := w.targetUser(7).String("userType"); got != "Guest" {
			t.Errorf("userType of an adopted user: got %s, want Guest, as it was", got)
		}
		if _, there := w.fabrikam.User(ids[25]); !there {
			t.Error("the target user of somebody unknown was deleted")
		}
		w.saidIs(func() { w.journalIs(func() { w.sync(store.OutcomeSuccess) }) })
	})
}

func TestAdoptionNeedsNoLeaveToCreate(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.person(4, nil)
		w.forget()
		w.configure(false, func(j *engine.Job) { j.Actions.Create = false })
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Unchanged: 3, Skipped: 1}) })
		w.equal(1, 2, 3)
		if _, linked := w.link(4); linked {
			t.Error("user 4 was created, which is not allowed")
		}
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{}) })
	})
}
