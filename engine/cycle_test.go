package engine_test

import (
	"testing"

	"tenantsync/store"
)

func TestInitialCycleIntoEmptyTarget(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 30)
		for n := 2; n <= 30; n++ {
			w.must(w.contoso.SetManager(userID(n), userID(1)))
		}
		r := w.sync(store.OutcomeSuccess)
		w.summary(r, store.Summary{Create: 30})
		w.equal(through(1, 30)...)
		w.sourceUntouched()
	})
}
