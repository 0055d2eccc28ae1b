package engine_test

import (
	"testing"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// A user who is named in the configuration and assigned to the application stays
// in scope when the assignment ends.
func TestNamedAndAssigned(t *testing.T) {
	const app = "bbbbbbbb-0000-4000-8000-000000000009"
	story(t, func(w *world) {
		w.people(1, 2)
		assign := func(users ...int) {
			principals := []any{}
			for _, n := range users {
				principals = append(principals, map[string]any{"principalId": userID(n), "principalType": "User"})
			}
			sp, err := entrasim.NewObject(map[string]any{"id": app, "displayName": "App", "appRoleAssignedTo": principals})
			w.must(err)
			_, err = w.contoso.Load(entrasim.File{ServicePrincipals: []entrasim.Object{sp}})
			w.must(err)
		}
		assign(1, 2)
		w.assigned(engine.Scope{ServicePrincipal: app})
		w.sync(store.OutcomeSuccess)
		w.assigned(engine.Scope{ServicePrincipal: app, Users: []string{upn(1)}}) // named later
		w.sync(store.OutcomeSuccess)
		assign(2)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.linked(1, 2)
	})
}

// Provision on demand judges by the configuration of this moment, not by the one
// of the last cycle.
func TestProvisionAfterAChangeOfScope(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.assigned(engine.Scope{Users: []string{upn(1)}})
		w.sync(store.OutcomeSuccess)
		w.provisioned(engine.ProvisionRequest{User: upn(2)}, "other", "skipped", "OutOfScope", notInScope)
		w.assigned(engine.Scope{Users: []string{upn(1), upn(2)}})
		w.provisioned(engine.ProvisionRequest{User: upn(2)}, "create", "success", "", allDone)
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2)
	})
}
