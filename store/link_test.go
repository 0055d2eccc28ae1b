package store_test

import (
	"testing"

	"tenantsync/store"
)

// The words are those that explain prints and -o json gives.
func TestLinkStatesHaveTheirWords(t *testing.T) {
	t.Parallel()
	for state, want := range map[store.LinkState]string{
		store.LinkActive: "active", store.LinkHeld: "held", store.LinkRetained: "retained",
		store.LinkDeleted: "deleted", store.LinkMissing: "deletedInTarget",
	} {
		if got := state.String(); got != want {
			t.Errorf("state %d: got %q, want %q", state, got, want)
		}
	}
}

// Each record is found again under the key that removes it: a link by its pair and
// source user, what waits by its job and source user, and by nothing else.
func TestKeysNameTheirRecord(t *testing.T) {
	t.Parallel()
	pair := store.Pair{Source: "contoso", Target: "fabrikam"}
	l := store.Link{Pair: pair, SourceID: "anna", TargetID: "guest", Job: "job", UPN: "upn"}
	if got, want := l.Key(), (store.LinkKey{Pair: pair, SourceID: "anna"}); got != want {
		t.Errorf("link: got %v, want %v", got, want)
	}
	e := store.Escrow{Job: "job", SourceID: "anna", UPN: "upn", Step: "export"}
	i := store.Intent{Job: "job", SourceID: "anna", Address: "anna@contoso.com", TargetID: "guest"}
	h := store.Hold{Job: "job", SourceID: "anna", TargetID: "guest", UPN: "upn"}
	want := store.WaitKey{Job: "job", SourceID: "anna"}
	for kind, got := range map[string]store.WaitKey{"escrow": e.Key(), "intent": i.Key(), "hold": h.Key()} {
		if got != want {
			t.Errorf("%s: got %v, want %v", kind, got, want)
		}
	}
}
