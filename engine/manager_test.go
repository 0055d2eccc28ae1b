package engine_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/mapping"
	"tenantsync/store"
)

// manages sets the manager of a source user; 0 takes it away.
func (w *world) manages(manager, n int) {
	w.Helper()
	id := ""
	if manager != 0 {
		id = userID(manager)
	}
	w.must(w.contoso.SetManager(userID(n), id))
}

// managed expects the manager of a target user; 0 is none.
func (w *world) managed(n, manager int) {
	w.Helper()
	want := ""
	if manager != 0 {
		want = w.targetID(manager)
	}
	got := managerOf(dumped(w.fabrikam)[w.targetID(n)])
	if got != want {
		w.Errorf("manager of user %d: got %q, want %q (user %d)", n, got, want, manager)
	}
}

const refStep = "UnableToResolveReferenceAttributeValue"

func TestManagerCostsOneWriteMore(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.manages(1, 2)
		got := w.journal(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 2}) })
		if len(got) != 5 {
			t.Errorf("writes: got %d (%q), want two for each user and one for the manager", len(got), got)
		}
		w.managed(2, 1)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.journalIs(func() { w.summary(w.syncInitial(store.OutcomeSuccess), store.Summary{Unchanged: 2}) })
	})
}

func TestManagerRemovedAndReplaced(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.manages(1, 3)
		w.sync(store.OutcomeSuccess)
		w.managed(3, 1)

		w.manages(2, 3)
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1}) },
			`PUT /users/`+w.targetID(3)+`/manager/$ref {"@odata.id":"https://graph.simulation.example/v1.0/users/`+w.targetID(2)+`"}`)
		w.managed(3, 2)

		w.manages(0, 3)
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1}) },
			"DELETE /users/"+w.targetID(3)+"/manager/$ref")
		w.managed(3, 0)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
	})
}

func TestManagerWhoIsNotLinked(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.person(3, map[string]any{"userType": "Guest"})
		w.manages(1, 2)
		w.sync(store.OutcomeSuccess)

		// Replaced by somebody who is not linked: removed now, with one warning.
		w.manages(3, 2)
		before := w.targetID(1)
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "update warning "+upn(2)+" "+refStep)
		w.managed(2, 0)
		want := []store.Property{{DisplayName: "manager", OldValue: &before}}
		if got := w.log(store.LogQuery{Limit: 1})[0].Modified; !cmp.Equal(got, want) {
			t.Errorf("the entry of the removal (-want +got):\n%s", cmp.Diff(want, got))
		}
		w.saidIs(func() { w.sync(store.OutcomeSuccess) })
		w.journalIs(func() { w.saidIs(func() { w.syncInitial(store.OutcomeSuccess) }) })

		// Something else changes: the warning is not said again.
		w.update(w.contoso, userID(2), map[string]any{"city": "Bergen"})
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "update success "+upn(2))

		// Set as soon as that one is linked; the report itself does not change.
		w.update(w.contoso, userID(3), map[string]any{"userType": "Member"})
		w.sync(store.OutcomeSuccess)
		w.managed(2, 3)
	})
}

func TestManagerIsCreatedInTheSameCycle(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.manages(1, 2)
		w.sync(store.OutcomeSuccess)
		w.people(3, 3)
		w.manages(3, 2)
		got := w.said(func() { w.sync(store.OutcomeSuccess) })
		if slices.Contains(got, "update warning "+upn(2)+" "+refStep) {
			t.Errorf("log: got %q, want no warning: the manager is created in this cycle", got)
		}
		w.managed(2, 3)
	})
}

func TestNewUserWhoseManagerIsNotLinked(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.person(2, map[string]any{"accountEnabled": false})
		w.manages(2, 1)
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "create success "+upn(1), "update warning "+upn(1)+" "+refStep,
			"other skipped "+upn(2)+" NotEffectivelyEntitled")
		w.saidIs(func() { w.sync(store.OutcomeSuccess) })
		w.update(w.contoso, userID(2), map[string]any{"accountEnabled": true})
		w.sync(store.OutcomeSuccess)
		w.managed(1, 2)
	})
}

func TestManagerDeletedAndRestored(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.manages(1, 2)
		w.sync(store.OutcomeSuccess)
		w.must(w.contoso.Delete(userID(1)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1, Unchanged: 0})
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		if got := managerOf(dumped(w.fabrikam)[w.targetID(2)]); got != "" && !w.inBin(got) {
			t.Errorf("manager of user 2: got %s, want none that is active", got)
		}

		w.must(w.contoso.Restore(userID(1)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Restore: 1, Update: 1})
		w.managed(2, 1)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		w.managed(2, 1)
	})
}

func TestManagerIsKeptWithFlowNullFalse(t *testing.T) {
	story(t, func(w *world) {
		keep := false
		m := mapping.Mapping{Target: "manager", Source: "manager", FlowNull: &keep}
		w.mapped(defaultsWith(m)...)
		w.people(1, 2)
		w.manages(1, 2)
		w.sync(store.OutcomeSuccess)
		w.managed(2, 1)
		w.manages(0, 2)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.managed(2, 1)
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		w.managed(2, 1)
	})
}

func TestAdoptedUsersKeepAManagerThatIsRight(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		for n := 1; n <= 4; n++ {
			w.guest(n, upn(n), nil)
		}
		w.manages(1, 2)
		w.manages(1, 3)
		w.must(w.fabrikam.SetManager(guestID(2), guestID(1))) // right already
		w.must(w.fabrikam.SetManager(guestID(3), guestID(4))) // wrong
		w.must(w.fabrikam.SetManager(guestID(4), guestID(1))) // the source has none
		got := w.journal(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 4}) })
		var refs []string
		for _, line := range got {
			if line[:5] != "PATCH" {
				refs = append(refs, line)
			}
		}
		slices.Sort(refs)
		want := []string{"DELETE /users/" + guestID(4) + "/manager/$ref",
			`PUT /users/` + guestID(3) + `/manager/$ref {"@odata.id":"https://graph.simulation.example/v1.0/users/` + guestID(1) + `"}`}
		if !slices.Equal(refs, want) {
			t.Errorf("references written: got %q, want %q", refs, want)
		}
		w.managed(2, 1)
		w.managed(3, 1)
		w.managed(4, 0)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
	})
}

func TestManagerWhoLeavesScope(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.group(1, userID(1), userID(2), userID(3))
		w.assignedTo(1)
		w.manages(1, 2)
		w.sync(store.OutcomeSuccess)
		w.managed(2, 1)
		w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1})
		w.saidIs(func() { w.journalIs(func() { w.sync(store.OutcomeSuccess) }) })
		w.update(w.contoso, userID(2), map[string]any{"city": "Bergen"})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1})
		w.must(w.contoso.AddMember(groupID(1), userID(1)))
		w.sync(store.OutcomeSuccess)
		w.managed(2, 1)
	})
}

// A manager in the recycle bin of the target comes back with its reports: one who
// was taken away in the meantime must not.
func TestManagerTakenAwayWhileDeleted(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.manages(1, 2)
		w.sync(store.OutcomeSuccess)
		w.must(w.contoso.Delete(userID(1)))
		w.sync(store.OutcomeSuccess)
		w.manages(0, 2)
		w.must(w.contoso.Restore(userID(1)))
		w.sync(store.OutcomeSuccess)
		w.managed(2, 0)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
	})
}
