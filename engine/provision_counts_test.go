package engine_test

import (
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// Who fails on demand counts as in scope from then on, and once.
func TestProvisionThatFailsIsCounted(t *testing.T) {
	for name, fails := range map[string]func(*world) entrasim.Fault{
		"matching": func(w *world) entrasim.Fault {
			w.native(1, map[string]any{"mail": upn(5)})
			return entrasim.Fault{Method: "NONE", Path: "/none"}
		},
		"the invitation": func(*world) entrasim.Fault {
			return entrasim.Fault{Method: "POST", Path: "/invitations", Item: "inner", Status: 400, Code: "BadRequest"}
		},
		"the update after it": func(*world) entrasim.Fault {
			return entrasim.Fault{Method: "PATCH", Path: "/users/*", Item: "inner", Status: 400, Code: "Request_BadRequest"}
		},
	} {
		inSales(t, 4, nil, func(w *world) {
			w.fabrikam.SetFaults([]entrasim.Fault{fails(w)})
			w.person(5, map[string]any{"department": "Sales"})
			for range 2 {
				if r := w.provision(engine.ProvisionRequest{User: upn(5)}); r.Status != "failure" {
					w.Fatalf("%s: got %s, want a failure", name, r.Status)
				}
				if s := w.status(); s.InScope != 5 {
					w.Errorf("%s failed on demand: got %d in scope, want 5", name, s.InScope)
				}
			}
			w.pass(time.Hour)
			w.sync(store.OutcomePartial)
			if s := w.status(); s.InScope != 5 {
				w.Errorf("%s failed again in a cycle: got %d in scope, want 5", name, s.InScope)
			}
			w.leave(5)
			w.pass(time.Hour)
			if _, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil); err != nil {
				w.Fatal(err)
			}
			if s := w.status(); s.InScope != 4 {
				w.Errorf("%s failed, and out of scope: got %d in scope, want 4", name, s.InScope)
			}
		})
	}
}

// A run that is broken off anywhere is counted by the cycle after it, or by the next
// run.
func TestABrokenRunIsCounted(t *testing.T) {
	for name, next := range map[string]func(*world){
		"a cycle":        func(w *world) { w.sync(store.OutcomeSuccess) },
		"the same again": func(w *world) { w.provision(engine.ProvisionRequest{User: upn(5)}) },
	} {
		broke, ended := 0, false
		for n := 1; !ended && !t.Failed(); n++ {
			inSales(t, 4, nil, func(w *world) {
				w.person(5, map[string]any{"department": "Sales"})
				breaks, left := w.failing(n)
				if _, err := breaks.Provision(w.Context(), engine.ProvisionRequest{Job: jobName, User: upn(5)}); err != nil {
					broke++
				}
				ended = left() > 0
				next(w)
				w.counted(5, 5, 0)
				w.pass(time.Hour)
				w.sync(store.OutcomeSuccess)
				w.counted(5, 5, 0)
				w.equal(through(1, 5)...)
				if w.Failed() {
					w.Fatalf("broken off at call %d to the state, then %s", n, name)
				}
			})
		}
		if broke < 8 {
			t.Errorf("broken off %d times, want at least 8", broke)
		}
	}
}
