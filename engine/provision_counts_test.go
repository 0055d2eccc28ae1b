package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
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
		"one that ends early, and a cycle": func(w *world) {
			w.leave(5)
			w.provision(engine.ProvisionRequest{User: upn(5)})
			w.back(5)
			w.sync(store.OutcomeSuccess)
		},
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

// each compares how many are in scope and linked, job by job.
func (w *world) each(when string, want ...int) {
	w.Helper()
	list, err := w.engine.Status(w.Context(), "")
	w.must(err)
	var got []int
	for _, s := range list {
		got = append(got, s.InScope, s.Linked)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("in scope and linked of each job, %s (-want +got):\n%s", when, diff)
	}
}

// A user whom provision on demand takes over from another job counts with the one
// that has it by then; one whom a mapping leaves out counts no more.
func TestProvisionCountsWhoMoves(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(1))
		w.group(2, userID(2), userID(3), userID(4))
		w.twoJobs()
		w.syncJob(jobName)
		w.syncJob("second")
		w.each("at first", 1, 1, 3, 3)
		w.must(w.contoso.AddMember(groupID(1), userID(2)))
		w.provision(engine.ProvisionRequest{User: upn(2)})
		w.owner(2, jobName)
		w.each("taken over", 2, 2, 2, 2)
		w.syncJob(jobName)
		w.syncJob("second")
		w.each("after a cycle of each", 2, 2, 2, 2)
		w.must(w.contoso.RemoveMember(groupID(2), userID(3)))
		w.syncJob("second")
		w.each("one deleted", 2, 2, 1, 1)
		w.must(w.contoso.AddMember(groupID(1), userID(3)))
		w.provision(engine.ProvisionRequest{User: upn(3)})
		w.owner(3, jobName)
		w.each("taken over and restored", 3, 3, 1, 1)
	})
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(1))
		w.group(2, userID(2), userID(3), userID(4))
		w.twoJobs()
		w.jobs[1].Threshold = 0
		w.restart()
		w.syncJob(jobName)
		w.syncJob("second")
		w.must(w.contoso.RemoveMember(groupID(2), userID(3)))
		_, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: "second"}, nil)
		w.must(err)
		w.each("one held", 1, 1, 2, 3)
		w.must(w.contoso.AddMember(groupID(1), userID(3)))
		w.provision(engine.ProvisionRequest{User: upn(3)})
		w.owner(3, jobName)
		w.each("held, and taken over", 2, 2, 2, 2)
		w.syncJob(jobName)
		w.syncJob("second")
		w.each("after a cycle of each", 2, 2, 2, 2)
	})
	story(t, func(w *world) {
		w.people(1, 1)
		w.provision(engine.ProvisionRequest{User: upn(1)})
		w.counted(0, 0, 0) // by the first cycle
		w.sync(store.OutcomeSuccess)
		w.counted(1, 1, 0)
	})
	inSales(t, 2, nil, func(w *world) {
		w.native(1, map[string]any{"mail": upn(3)})
		w.person(3, map[string]any{"department": "Sales"})
		w.sync(store.OutcomePartial)
		w.counted(3, 2, 0)
		w.mapped(append(mapping.Default(), mapping.Mapping{Target: "companyName", Expression: `IIF([department]="Sales", IgnoreObjectFlow, [city])`})...)
		w.must(w.fabrikam.Delete(guestID(1)))
		if r := w.provision(engine.ProvisionRequest{User: upn(3)}); r.Code != "IgnoreObjectFlow" {
			t.Fatalf("got %s, want IgnoreObjectFlow", r.Code)
		}
		w.counted(2, 2, 0)
	})
}
