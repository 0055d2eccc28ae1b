package engine_test

import (
	"testing"

	"tenantsync/store"
)

// A user waits for a manager who is not in scope, and leaves in the very cycle in
// which the manager comes: the delete is all that is written.
func TestNoManagerForAUserWhoIsLeaving(t *testing.T) {
	inSales(t, 20, nil, func(w *world) {
		w.person(30, map[string]any{"department": "Board"})
		w.manages(30, 4)
		w.sync(store.OutcomeSuccess)
		id := w.targetID(4)

		w.leave(4)
		w.back(30)
		got := w.journal(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1, Delete: 1}) })
		if len(got) != 3 || got[2] != "DELETE /users/"+id {
			t.Errorf("writes: got %q, want an invitation, its update and one delete", got)
		}
	})
}
