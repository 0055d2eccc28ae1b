package engine_test

import (
	"net/http"
	"testing"
	"time"

	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// A manager that is written says nothing of a value that waits for its retry: the
// value is written all the same as soon as the target takes it. The value may fail in
// the very cycle that writes the manager, after the manager had failed or for the
// second time; or wait for hours while another cycle writes it.
func TestValueThatWaitsOutlivesTheManager(t *testing.T) {
	for name, fail := range map[string]func(w *world){
		"the value fails again": func(w *world) {
			w.refuse("PATCH", "/users/*", http.StatusBadRequest)
			w.rewritten(store.OutcomePartial)
			w.must(w.contoso.AddMember(groupID(1), userID(2)))
			w.refuse("PATCH", "/users/"+w.targetID(1), http.StatusBadRequest)
			w.sync(store.OutcomePartial)
		},
		"the manager fails first": func(w *world) {
			w.must(w.contoso.AddMember(groupID(1), userID(2)))
			w.refuse("PUT", "/users/*/manager/$ref", http.StatusForbidden)
			w.sync(store.OutcomeSuccess)
			if list := w.retries(); len(list) != 1 || list[0].Step != "referenceResolution" {
				w.Fatalf("got %+v waiting, want the manager", list)
			}
			w.refuse("PATCH", "/users/*", http.StatusBadRequest)
			w.rewritten(store.OutcomePartial)
		},
		"the value is not due": func(w *world) {
			w.refuse("PATCH", "/users/*", http.StatusBadRequest)
			w.rewritten(store.OutcomePartial)
			w.sync(store.OutcomePartial)
			w.fabrikam.SetFaults(nil)
			w.must(w.contoso.AddMember(groupID(1), userID(2)))
			w.sync(store.OutcomeSuccess)
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 3)
				w.group(1, userID(1), userID(3))
				w.assignedTo(1)
				w.manages(2, 1)
				w.sync(store.OutcomeSuccess)
				fail(w)
				if l, _ := w.link(1); l.ManagerTarget != w.targetID(2) {
					w.Fatalf("manager: got %q, want %q", l.ManagerTarget, w.targetID(2))
				}
				w.departmentIs("Sales")
				w.fabrikam.SetFaults(nil)
				w.pass(24 * time.Hour)
				w.sync(store.OutcomeSuccess)
				w.departmentIs("Support")
			})
		})
	}
}

// refuse has the target refuse a kind of write.
func (w *world) refuse(method, path string, status int) {
	w.fabrikam.SetFaults([]entrasim.Fault{{Method: method, Path: path, Status: status, Code: "Request_BadRequest", Message: "Invalid value."}})
}

// rewritten is a cycle after the first user's department has changed in the source.
func (w *world) rewritten(want store.Outcome) {
	w.Helper()
	w.update(w.contoso, userID(1), map[string]any{"department": "Support"})
	w.sync(want)
}
