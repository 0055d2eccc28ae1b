package engine_test

import (
	"errors"
	"strings"
	"testing"

	"tenantsync/engine"
	"tenantsync/store"
)

// What sync --accept and apply let through is what holds creates or updates, and
// never a deletion: for every code there is.
func TestCodesThatHoldChanges(t *testing.T) {
	t.Parallel()
	holds := map[engine.Code]bool{engine.CodeTooManyChanges: true, engine.CodeTooManyCreates: true, engine.CodeTooManyUpdates: true, engine.CodeTooManyMembers: true}
	all := engine.Codes()
	for code := range holds {
		if all[string(code)] == "" {
			t.Errorf("%s has no advice", code)
		}
	}
	for code, advice := range all {
		if got := engine.Code(code).HoldsChanges(); got != holds[engine.Code(code)] {
			t.Errorf("%s: holds creates or updates %v, want %v", code, got, !got)
		}
		if got := engine.Advice(code); got != advice || advice == "" {
			t.Errorf("%s: got advice %q and %q in the list, want one", code, got, advice)
		}
	}
	all[string(engine.CodeTooManyChanges)] = "changed"
	if engine.Advice(string(engine.CodeTooManyChanges)) == "changed" {
		t.Error("who changes the list changes the advice")
	}
}

// What keeps a run from beginning says what happened, why and what to do, and can be
// asked for its cause.
func TestRunsThatDoNotBegin(t *testing.T) {
	t.Parallel()
	cause := errors.New("2.0 MiB left")
	for _, e := range []*engine.Error{engine.NoRoom(cause, "make room"), engine.StateMoved(cause)} {
		if e.Class != engine.ClassFailed || e.Code == "" || e.Action == "" || !errors.Is(e, cause) || !strings.Contains(e.Error(), ": 2.0 MiB left") {
			t.Errorf("got %+v, saying %q; want class, code, action and the cause", *e, e.Error())
		}
		if !strings.Contains(e.Message, "nothing was begun") {
			t.Errorf("%s: got %q, want that nothing was begun", e.Code, e.Message)
		}
	}
}

// The engine hands out the record of acts as the store has it.
func TestAuditOfTheEngineIsTheStores(t *testing.T) {
	story(t, func(w *world) {
		w.must(w.st.Apply(w.Context(), &store.Batch{Audit: []store.Audit{{Actor: "anna", Act: "pause", Outcome: "begun"}, {Actor: "ben", Act: "start", Outcome: "begun"}}}))
		got, err := w.engine.Audit(w.Context(), store.AuditQuery{Actor: "ben"})
		if err != nil || len(got) != 1 || got[0].Act != "start" || got[0].Seq != 2 {
			t.Errorf("got %+v, error %v, want the act of ben", got, err)
		}
	})
}
