package engine_test

import (
	"fmt"
	"testing"

	"tenantsync/engine"
	"tenantsync/store"
)

// A protected user gets no manager, by whatever way one comes up: with another
// change of his, or because the manager came into the target later.
func TestProtectedUserGetsNoManager(t *testing.T) {
	for name, initial := range map[string]bool{"incremental": false, "initial": true} {
		t.Run("with another change, "+name, func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 3)
				w.sync(store.OutcomeSuccess)
				w.configure(false, func(j *engine.Job) { j.Protection = engine.NewProtection([]string{w.targetID(1)}) })
				w.manages(2, 1)
				w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
				w.journalIs(func() { w.syncWith(engine.SyncRequest{Job: jobName, Initial: initial}, store.OutcomePartial) })
			})
		})
		for _, protected := range []bool{true, false} {
			t.Run(fmt.Sprintf("when the manager comes, %s, protected %v", name, protected), func(t *testing.T) {
				story(t, func(w *world) {
					w.people(1, 3)
					w.person(4, map[string]any{"accountEnabled": false}) // not in the target before it is enabled
					w.manages(4, 1)
					w.sync(store.OutcomeSuccess)
					want, outcome := 4, store.OutcomeSuccess
					if protected {
						w.configure(false, func(j *engine.Job) { j.Protection = engine.NewProtection([]string{w.targetID(1)}) })
						want = 0
						if initial { // where nobody but who waits is looked at, a manager alone is no failure of the cycle
							outcome = store.OutcomePartial
						}
					}
					w.setEnabled(w.contoso, userID(4), true)
					w.syncWith(engine.SyncRequest{Job: jobName, Initial: initial}, outcome)
					w.managed(1, want)
				})
			})
		}
	}
}
