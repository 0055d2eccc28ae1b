package engine_test

import (
	"net/http"
	"testing"
	"time"

	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// A manager that is written says nothing of a value that waits for its retry: the
// value is written all the same as soon as the target takes it.
func TestValueThatWaitsOutlivesTheManager(t *testing.T) {
	for name, first := range map[string]bool{"the value failed first": true, "the manager failed first": false} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				refused := func(method, path string, status int) {
					w.fabrikam.SetFaults([]entrasim.Fault{{Method: method, Path: path, Status: status, Code: "Request_BadRequest", Message: "Invalid value."}})
				}
				w.people(1, 3)
				w.group(1, userID(1), userID(3))
				w.assignedTo(1)
				w.manages(2, 1)
				w.sync(store.OutcomeSuccess)
				change := func() { w.update(w.contoso, userID(1), map[string]any{"department": "Support"}) }
				if first {
					change()
					refused("PATCH", "/users/"+w.targetID(1), http.StatusBadRequest)
					w.sync(store.OutcomePartial)
					w.must(w.contoso.AddMember(groupID(1), userID(2)))
				} else {
					w.must(w.contoso.AddMember(groupID(1), userID(2)))
					refused("PUT", "/users/*/manager/$ref", http.StatusForbidden)
					w.sync(store.OutcomeSuccess)
					change()
					refused("PATCH", "/users/"+w.targetID(1), http.StatusBadRequest)
				}
				w.sync(store.OutcomePartial)
				if l, _ := w.link(1); l.ManagerTarget != w.targetID(2) {
					w.Fatalf("manager: got %q, want %q", l.ManagerTarget, w.targetID(2))
				}
				w.fabrikam.SetFaults(nil)
				w.pass(24 * time.Hour)
				w.sync(store.OutcomeSuccess)
				w.departmentIs("Support")
			})
		})
	}
}
