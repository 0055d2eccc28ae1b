package engine_test

import (
	"testing"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
	"tenantsync/store"
)

// roleApp is an application of the source with two roles.
const roleApp = "cccccccc-0000-4000-8000-000000000009"

const (
	editorRole = "eeeeeeee-0000-4000-8000-000000000001"
	readerRole = "eeeeeeee-0000-4000-8000-000000000002"
)

// role is an assignment of a principal to a role of the application.
func role(kind, principal, id string) map[string]any {
	return map[string]any{"principalId": principal, "principalType": kind, "appRoleId": id}
}

// assignRoles replaces the assignments of the application.
func (w *world) assignRoles(list ...any) {
	w.Helper()
	sp, err := entrasim.NewObject(map[string]any{"id": roleApp, "displayName": "App", "appRoleAssignedTo": list, "appRoles": []any{
		map[string]any{"id": editorRole, "value": "edit", "displayName": "Editor"},
		map[string]any{"id": readerRole, "value": "read", "displayName": "Reader"},
	}})
	w.must(err)
	_, err = w.contoso.Load(entrasim.File{ServicePrincipals: []entrasim.Object{sp}})
	w.must(err)
}

// roled maps the role to the job title, and all of them to the company.
func (w *world) roled(s engine.Scope) {
	w.Helper()
	w.assigned(s)
	w.mapped(mapping.Mapping{Target: "displayName", Source: "displayName"},
		mapping.Mapping{Target: "jobTitle", Expression: "SingleAppRoleAssignment([appRoleAssignments])", FlowNull: new(bool)},
		mapping.Mapping{Target: "companyName", Expression: `Join("", Count([appRoleAssignments]))`})
}

func (w *world) titleIs(n int, want string) {
	w.Helper()
	if got := w.targetUser(n).String("jobTitle"); got != want {
		w.Errorf("user %d: got role %q, want %q", n, got, want)
	}
}

// Roles come from the real assignments, direct ones and those of groups; a changed
// role of somebody who stays assigned is carried over by the next cycle, and an
// idle cycle asks nothing more than before.
func TestAppRolesFromAssignments(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(2), userID(3))
		w.assignRoles(role("User", userID(1), editorRole), role("Group", groupID(1), readerRole), role("User", userID(3), editorRole),
			role("User", userID(4), "00000000-0000-0000-0000-000000000000"))
		w.roled(engine.Scope{ServicePrincipal: roleApp})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 4})
		for n, want := range map[int]string{1: "Editor", 2: "Reader", 3: "Editor", 4: "Default Access"} {
			w.titleIs(n, want)
		}
		if got := w.targetUser(3).String("companyName"); got != "2" {
			t.Errorf("roles of a user with one of his own and one of a group: got %s, want 2", got)
		}
		w.idle(3, "assignments, groups, users")

		w.assignRoles(role("User", userID(1), readerRole), role("Group", groupID(1), editorRole), role("User", userID(3), editorRole),
			role("User", userID(4), "00000000-0000-0000-0000-000000000000"))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 3})
		for n, want := range map[int]string{1: "Reader", 2: "Editor", 3: "Editor"} {
			w.titleIs(n, want)
		}
		if got := w.targetUser(3).String("companyName"); got != "1" {
			t.Errorf("roles of a user who has the same one twice: got %s, want 1", got)
		}
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
	})
}

// A role that a group inside the assigned one passes on counts with nested groups,
// and membership that changes changes roles.
func TestAppRolesOfNestedGroups(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.group(2, userID(1))
		w.group(1, groupID(2), userID(2))
		w.assignRoles(role("Group", groupID(1), readerRole), role("User", userID(1), editorRole))
		w.roled(engine.Scope{ServicePrincipal: roleApp, Nested: true})
		w.sync(store.OutcomeSuccess)
		w.titleIs(1, "Editor")
		w.titleIs(2, "Reader")
		w.assignRoles(role("Group", groupID(1), readerRole))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1})
		w.titleIs(1, "Reader")
	})
}

// Provision on demand reads the roles of the moment, and a plan shows them.
func TestAppRolesOnDemandAndPlanned(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.assignRoles(role("User", userID(1), editorRole))
		w.roled(engine.Scope{ServicePrincipal: roleApp})
		w.sync(store.OutcomeSuccess)
		w.assignRoles(role("User", userID(1), readerRole))
		plan := w.plan(engine.PlanRequest{})
		if len(plan.Changes) != 1 || len(plan.Changes[0].Modified) != 1 || *plan.Changes[0].Modified[0].New != "Reader" {
			t.Errorf("plan: got %+v, want one user whose role becomes Reader", plan.Changes)
		}
		w.provision(engine.ProvisionRequest{User: upn(1)})
		w.titleIs(1, "Reader")
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
	})
}
