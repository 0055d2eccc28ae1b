package engine_test

import (
	"fmt"
	"testing"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// groupID is the id of the n-th group.
func groupID(n int) string { return fmt.Sprintf("bbbbbbbb-0000-4000-8000-%012d", n) }

// group creates the n-th group with the given members.
func (w *world) group(n int, members ...string) {
	w.Helper()
	_, err := w.contoso.CreateGroup(map[string]any{"id": groupID(n), "displayName": fmt.Sprintf("Group %d", n),
		"securityEnabled": true, "members": append([]string{}, members...)})
	w.must(err)
}

// assigned gives the first job a scope of assigned users.
func (w *world) assigned(s engine.Scope) {
	w.Helper()
	w.configure(true, func(j *engine.Job) { j.Scope = s })
}

// linked expects that exactly these of the source users 1 to 9 have an active link.
func (w *world) linked(users ...int) {
	w.Helper()
	want := map[int]bool{}
	for _, n := range users {
		want[n] = true
	}
	for n := 1; n <= 9; n++ {
		l, ok := w.link(n)
		if got := ok && l.State == store.LinkActive; got != want[n] {
			w.Errorf("user %d: got linked %v (%s), want %v", n, got, l.State, want[n])
		}
	}
}

func TestScopeByGroups(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(1), userID(2))
		w.group(2, userID(2), userID(3))
		w.assigned(engine.Scope{Groups: []string{groupID(1), groupID(2)}})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 3})
		w.linked(1, 2, 3)
		w.equal(1, 2, 3)

		// One group is enough, and nothing of the user itself has to change.
		w.must(w.contoso.RemoveMember(groupID(1), userID(2)))
		w.must(w.contoso.AddMember(groupID(2), userID(4)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1, Unchanged: 1})
		w.linked(1, 2, 3, 4)

		w.must(w.contoso.RemoveMember(groupID(2), userID(2)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1})
		w.linked(1, 3, 4)
		if s := w.status(); s.InScope != 3 || s.Linked != 3 {
			t.Errorf("status: got %d in scope, %d linked, want 3 and 3", s.InScope, s.Linked)
		}
	})
}

func TestScopeByGroupsTakesDirectMembersOnly(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.group(2, userID(2))
		w.group(1, userID(1), groupID(2))
		w.assigned(engine.Scope{Groups: []string{groupID(1)}})
		w.sync(store.OutcomeSuccess)
		w.linked(1)
	})
}

func TestNestedGroups(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 6)
		w.group(3, userID(3))
		w.group(2, userID(2), groupID(3))
		w.group(1, userID(1), groupID(2))
		w.group(4, userID(4), userID(5))
		w.assigned(engine.Scope{Groups: []string{groupID(1)}, Nested: true})
		w.configure(false, func(j *engine.Job) { j.ScopeShrink = 0 })
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 3})
		w.linked(1, 2, 3)

		w.must(w.contoso.AddMember(groupID(3), userID(6)))
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2, 3, 6)

		w.must(w.contoso.RemoveMember(groupID(3), userID(3)))
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2, 6)

		// A whole group comes in, into a group of the closure.
		w.must(w.contoso.AddMember(groupID(3), groupID(4)))
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2, 4, 5, 6)

		// The middle of the chain is taken out: everybody below it leaves.
		w.must(w.contoso.RemoveMember(groupID(1), groupID(2)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 4})
		w.linked(1)

		w.must(w.contoso.AddMember(groupID(1), groupID(2)))
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2, 4, 5, 6)
	})
}

func TestNestedGroupsInACircle(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.group(2, userID(2))
		w.group(1, userID(1), groupID(2))
		w.must(w.contoso.AddMember(groupID(2), groupID(1)))
		w.assigned(engine.Scope{Groups: []string{groupID(1)}, Nested: true})
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2)
		w.idle(2, "one for groups, one for users")
	})
}

func TestDeletedChildGroup(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.group(2, userID(2))
		w.group(1, userID(1), groupID(2))
		w.assigned(engine.Scope{Groups: []string{groupID(1)}, Nested: true})
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2)
		w.must(w.contoso.DeleteGroup(groupID(2)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1})
		w.linked(1)
	})
}

func TestIdleCycleOverManyGroups(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		var groups []string
		for n := 1; n <= 120; n++ {
			w.group(n)
			groups = append(groups, groupID(n))
		}
		w.must(w.contoso.AddMember(groupID(7), userID(1)))
		w.must(w.contoso.AddMember(groupID(120), userID(2)))
		w.assigned(engine.Scope{Groups: groups})
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2)
		w.idle(4, "three for 120 groups, one for users")
		w.must(w.contoso.RemoveMember(groupID(120), userID(2)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1})
		w.linked(1)
	})
}

func TestScopeBySingleUsers(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(4))
		w.assigned(engine.Scope{Users: []string{userID(1), upn(2)}, Groups: []string{groupID(1)}})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 3})
		w.linked(1, 2, 4)
		w.idle(2, "one for groups, one for users")
		w.update(w.contoso, userID(2), map[string]any{"city": "Bergen"})
		w.update(w.contoso, userID(3), map[string]any{"city": "Bergen"})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1})

		// One name more, one less.
		w.assigned(engine.Scope{Users: []string{userID(1), upn(3)}, Groups: []string{groupID(1)}})
		r := w.sync(store.OutcomeSuccess)
		w.summary(r, store.Summary{Create: 1, Delete: 1, Unchanged: 2})
		if r.Cycle != "initial" {
			t.Errorf("cycle after a changed scope: got %s, want initial", r.Cycle)
		}
		w.linked(1, 3, 4)
	})
}

func TestScopeByAssignments(t *testing.T) {
	story(t, func(w *world) {
		const app = "cccccccc-0000-4000-8000-000000000001"
		w.people(1, 5)
		w.group(1, userID(2), userID(3))
		w.group(2, userID(5))
		assign := func(principals ...map[string]any) {
			t.Helper()
			sp, err := entrasim.NewObject(map[string]any{"id": app, "displayName": "App", "appRoleAssignedTo": principals})
			w.must(err)
			_, err = w.contoso.Load(entrasim.File{ServicePrincipals: []entrasim.Object{sp}})
			w.must(err)
		}
		user := func(n int) map[string]any { return map[string]any{"principalId": userID(n), "principalType": "User"} }
		group := func(n int) map[string]any { return map[string]any{"principalId": groupID(n), "principalType": "Group"} }
		assign(user(1), group(1))
		w.assigned(engine.Scope{ServicePrincipal: app})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 3})
		w.linked(1, 2, 3)
		w.idle(3, "assignments, groups, users")

		assign(user(4), group(1))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1, Delete: 1})
		w.linked(2, 3, 4)

		assign(user(4), group(2))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1, Delete: 2})
		w.linked(4, 5)

		w.must(w.contoso.AddMember(groupID(2), userID(1)))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Restore: 1})
		w.linked(1, 4, 5)

		// The group goes, and comes back.
		assign(user(4))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 2})
		w.linked(4)
		assign(user(4), group(2))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Restore: 2})
		w.linked(1, 4, 5)
	})
}

func TestHiddenMembershipEndsTheCycle(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.group(1, userID(1))
		w.assigned(engine.Scope{Groups: []string{groupID(1)}})
		w.sync(store.OutcomeSuccess)
		_, err := w.contoso.CreateGroup(map[string]any{"id": groupID(2), "displayName": "Secret", "securityEnabled": true,
			"visibility": "HiddenMembership", "members": []string{userID(2)}})
		w.must(err)
		w.withoutPermission("Member.Read.Hidden")
		w.assigned(engine.Scope{Groups: []string{groupID(1), groupID(2)}})
		w.journalIs(func() {
			r := w.sync(store.OutcomeFailed)
			if r.Error == nil || r.Error.Class != engine.ClassSignIn || r.Error.Permission != "Member.Read.Hidden" {
				t.Errorf("error: got %+v, want one of class signIn that names Member.Read.Hidden", r.Error)
			}
		})
		w.linked(1)
	})
}

func TestChangedMappingComparesEverybody(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.mapped(defaultsWith(direct("companyName", "department"))...)
		r := w.sync(store.OutcomeSuccess)
		w.summary(r, store.Summary{Update: 2})
		if r.Cycle != "initial" {
			t.Errorf("cycle: got %s, want initial: the mappings have changed", r.Cycle)
		}
		if got := w.targetUser(1).String("companyName"); got != "Sales" {
			t.Errorf("companyName: got %q, want Sales", got)
		}
	})
}

// A group is known by its id: another name, and another description, change nothing.
func TestRenamedGroup(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.group(1, userID(1), userID(2))
		w.assigned(engine.Scope{Groups: []string{groupID(1)}})
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, groupID(1), map[string]any{"displayName": "Quite another name"})
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{}) })
		w.linked(1, 2)
		w.journalIs(func() { w.summary(w.syncInitial(store.OutcomeSuccess), store.Summary{Unchanged: 2, Skipped: 0}) })
		w.linked(1, 2)
	})
}
