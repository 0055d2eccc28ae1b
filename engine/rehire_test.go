package engine_test

import (
	"testing"

	"tenantsync/engine"
	"tenantsync/store"
)

// Somebody who comes back as a new account is a new person: the link of the old
// account is not inherited by the address.
func TestRehireInheritsNoLink(t *testing.T) {
	t.Run("while the old target user stays", func(t *testing.T) {
		story(t, func(w *world) {
			w.configure(false, func(j *engine.Job) { j.Deprovision = engine.DeprovisionNone })
			w.people(1, 3)
			w.sync(store.OutcomeSuccess)
			old := w.targetID(2)
			w.must(w.contoso.Purge(userID(2)))
			w.sync(store.OutcomeSuccess)
			w.person(9, map[string]any{"userPrincipalName": upn(2), "mail": upn(2)})
			w.journalIs(func() { w.sync(store.OutcomePartial) })
			w.refused(9, "DuplicateSourceEntries", upn(2))
			if l, ok := w.link(2); !ok || l.TargetID != old {
				w.Errorf("the old link: got %+v, want one to %s", l, old)
			}
		})
	})
	t.Run("after it was purged", func(t *testing.T) {
		story(t, func(w *world) {
			w.people(1, 3)
			w.sync(store.OutcomeSuccess)
			old := w.targetID(2)
			w.must(w.contoso.Purge(userID(2)))
			w.sync(store.OutcomeSuccess)
			w.must(w.fabrikam.Purge(old))
			w.person(9, map[string]any{"userPrincipalName": upn(2), "mail": upn(2)})
			w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
			if id := w.targetID(9); id == old {
				w.Errorf("the new person got the target user of the old one")
			}
			w.equal(1, 3, 9)
		})
	})
}

// Whose target user was purged is invited anew only under an address that is the
// user's alone, as everybody else.
func TestPurgedIsNotInvitedUnderASharedAddress(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(2), map[string]any{"userPrincipalName": "two@contoso.example"}) // the mail stays
		w.update(w.contoso, userID(3), map[string]any{"userPrincipalName": upn(2)})
		w.sync(store.OutcomeSuccess)
		w.must(w.fabrikam.Purge(w.targetID(2)))
		w.journalIs(func() { w.syncInitial(store.OutcomePartial) })
		if got := w.retries(); len(got) != 1 || got[0].Code != "DuplicateSourceEntries" || got[0].SourceID != userID(2) {
			t.Errorf("retries: got %+v, want one of user 2 for DuplicateSourceEntries", got)
		}
	})
}
