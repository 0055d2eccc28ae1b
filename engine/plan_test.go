package engine_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/scope"
	"tenantsync/store"
)

// mixed brings a world to where the next cycle has everything to do.
func (w *world) mixed() {
	w.Helper()
	w.filtered(scope.Clause{Attribute: "department", Operator: scope.Equals, Values: []string{"Sales"}})
	w.configure(false, func(j *engine.Job) { j.Percent = 0 })
	w.people(1, 12)
	w.manages(1, 2)
	w.manages(3, 11)
	w.sync(store.OutcomeSuccess)
	w.must(w.contoso.Delete(userID(3)))
	w.sync(store.OutcomeSuccess)
	w.must(w.contoso.Restore(userID(3))) // restore
	w.must(w.fabrikam.Delete(w.targetID(4)))
	w.update(w.contoso, userID(4), map[string]any{"city": "Bergen"})      // deleted by hand
	w.update(w.contoso, userID(5), map[string]any{"city": "Bergen"})      // update
	w.setEnabled(w.contoso, userID(6), false)                             // disable
	w.update(w.contoso, userID(7), map[string]any{"department": "Legal"}) // delete
	w.must(w.contoso.Delete(userID(8)))                                   // delete
	w.manages(5, 2)                                                       // manager
	w.setEnabled(w.fabrikam, w.targetID(9), false)                        // blocked by hand …
	w.setEnabled(w.contoso, userID(9), false)                             // … and in the source
	w.update(w.fabrikam, w.targetID(10), map[string]any{"externalUserState": nil, "userPrincipalName": "ten@fabrikam.example", "creationType": nil})
	w.update(w.contoso, userID(10), map[string]any{"city": "Bergen"})       // internal now
	w.people(13, 13)                                                        // create
	w.person(14, map[string]any{"department": "Legal"})                     // skip
	w.person(15, map[string]any{"accountEnabled": false})                   // skip
	w.person(16, map[string]any{"userPrincipalName": "x@fabrikam.example"}) // fail
	w.guest(1, upn(17), nil)                                                // adopt
	w.people(17, 17)
	w.native(2, map[string]any{"mail": upn(18)})
	w.people(18, 18) // fail
}

// shown is a plan in short, for people: "update user005@…".
func shown(p *engine.PlanResult) []string {
	var out []string
	for _, c := range p.Changes {
		out = append(out, c.Action+" "+c.Source.UPN+" "+c.Code)
	}
	return out
}

func TestPlanIsWhatTheNextCycleDoes(t *testing.T) {
	for _, initial := range []bool{false, true} {
		t.Run(map[bool]string{false: "incremental", true: "initial"}[initial], func(t *testing.T) {
			story(t, func(w *world) {
				w.mixed()
				p := w.plan(engine.PlanRequest{Initial: initial})
				r := w.syncWith(engine.SyncRequest{Job: jobName, Initial: initial}, store.OutcomePartial)
				if diff := cmp.Diff(r.Summary, p.Summary); diff != "" {
					t.Errorf("summary of the plan (-sync +plan):\n%s%q\n%s", diff, shown(p), w.failures())
				}
				if p.Cycle != r.Cycle {
					t.Errorf("cycle: got %s, want %s", p.Cycle, r.Cycle)
				}
				if p.Writes != r.Graph.Writes {
					t.Errorf("writes: got %d planned, %d written", p.Writes, r.Graph.Writes)
				}
			})
		})
	}
}

func TestPlanChangesNothing(t *testing.T) {
	story(t, func(w *world) {
		w.mixed()
		w.must(w.st.Close())
		before, err := os.ReadFile(w.path)
		w.must(err)
		w.open()
		var plans []*engine.PlanResult
		w.saidIs(func() {
			w.journalIs(func() {
				plans = append(plans, w.plan(engine.PlanRequest{}), w.plan(engine.PlanRequest{}), w.plan(engine.PlanRequest{Initial: true}))
			})
		})
		w.sourceUntouched()
		if diff := cmp.Diff(plans[0], plans[1]); diff != "" {
			t.Errorf("the second plan differs (-first +second):\n%s", diff)
		}
		w.must(w.st.Close())
		after, err := os.ReadFile(w.path)
		w.must(err)
		w.open()
		if !slices.Equal(before, after) {
			t.Error("the state file: got changed by a plan, want the same bytes")
		}
	})
}

func TestPlanOfHeldDeletions(t *testing.T) {
	story(t, func(w *world) {
		w.configure(false, func(j *engine.Job) { j.Threshold, j.Percent, j.ScopeShrink = 2, 0, 0 })
		w.people(1, 6)
		w.sync(store.OutcomeSuccess)
		for n := 1; n <= 3; n++ {
			w.must(w.contoso.Delete(userID(n)))
		}
		p := w.plan(engine.PlanRequest{})
		want := []string{"stagedDelete " + upn(1) + " TooManyDeletes", "stagedDelete " + upn(2) + " TooManyDeletes", "stagedDelete " + upn(3) + " TooManyDeletes"}
		if diff := cmp.Diff(want, shown(p)); diff != "" {
			t.Errorf("plan (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(engine.DeletionThreshold{Held: true, Count: 3, Limit: 2, Reason: "TooManyDeletes"}, p.Threshold); diff != "" {
			t.Errorf("threshold (-want +got):\n%s", diff)
		}
		r := w.sync(store.OutcomeQuarantine)
		if diff := cmp.Diff(r.Summary, p.Summary); diff != "" {
			t.Errorf("summary of the plan (-sync +plan):\n%s", diff)
		}
		if p = w.plan(engine.PlanRequest{}); p.Summary.Held != 3 {
			t.Errorf("held in the plan after: got %d, want 3", p.Summary.Held)
		}
	})
}

func TestPlanOfAFirstCycle(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.manages(1, 2)
		w.guest(1, upn(3), nil)
		p := w.plan(engine.PlanRequest{})
		want := []string{"create " + upn(1) + " ", "create " + upn(2) + " ", "update " + upn(3) + " "}
		if diff := cmp.Diff(want, shown(p)); diff != "" {
			t.Errorf("plan (-want +got):\n%s", diff)
		}
		if s := w.status(); s.State != "NotRun" {
			t.Errorf("state after a plan: got %s, want NotRun", s.State)
		}
		r := w.sync(store.OutcomeSuccess)
		if diff := cmp.Diff(r.Summary, p.Summary); diff != "" {
			t.Errorf("summary of the plan (-sync +plan):\n%s", diff)
		}
		if p.Writes != r.Graph.Writes {
			t.Errorf("writes: got %d planned, %d written", p.Writes, r.Graph.Writes)
		}
	})
}

func TestPlanOfOneUser(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.update(w.contoso, userID(2), map[string]any{"city": "Bergen"})
		p := w.plan(engine.PlanRequest{User: upn(2)})
		if diff := cmp.Diff([]string{"update " + upn(2) + " "}, shown(p)); diff != "" {
			t.Errorf("plan (-want +got):\n%s", diff)
		}
		old, now := "Oslo", "Bergen"
		if diff := cmp.Diff([]engine.ChangeProperty{{Name: "city", Old: &old, New: &now, From: "[city]"}}, p.Changes[0].Modified); diff != "" {
			t.Errorf("modified properties (-want +got):\n%s", diff)
		}
		_, err := w.engine.Plan(w.Context(), engine.PlanRequest{Job: jobName, User: "nobody@contoso.example"}, nil)
		if e := engine.AsError(err); err == nil || e.Class != engine.ClassUsage {
			t.Errorf("unknown user: got %v, want an error of usage", err)
		}
	})
}

// An initial plan of one user looks at nobody else, which is no scope that shrank.
func TestInitialPlanOfOneUserSeesNoShrunkScope(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 30)
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		r := w.plan(engine.PlanRequest{User: upn(1), Initial: true})
		if r.Threshold.Held || r.Threshold.Reason != "" || len(r.Changes) != 1 || r.Changes[0].Action != "update" || r.InScope != 1 {
			t.Errorf("got threshold %+v, %d in scope, changes %+v; want one update, and nothing held", r.Threshold, r.InScope, r.Changes)
		}
	})
}

// Who is deleted in the source is named by a plan, whatever leaving does.
func TestPlanNamesWhoWasDeleted(t *testing.T) {
	for _, deprovision := range []engine.Deprovision{engine.DeprovisionDelete, engine.DeprovisionDisable} {
		t.Run(fmt.Sprint(deprovision), func(t *testing.T) {
			inSales(t, 20, func(j *engine.Job) { j.Deprovision = deprovision }, func(w *world) {
				w.must(w.contoso.Delete(userID(2)))
				p := w.plan(engine.PlanRequest{Job: jobName})
				if len(p.Changes) != 1 || p.Changes[0].Source.UPN != upn(2) {
					t.Errorf("got %+v, want one change, of %s", p.Changes, upn(2))
				}
			})
		})
	}
}

// A plan names managers; ids are for machines.
func TestPlanNamesManagers(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.manages(1, 2)
		named := func(n int) (old, now string) {
			w.Helper()
			for _, c := range w.plan(engine.PlanRequest{}).Changes {
				for _, p := range c.Modified {
					if c.Source.ID == userID(n) && p.Name == "manager" {
						return p.OldName, p.NewName
					}
				}
			}
			t.Errorf("plan: no manager among the changes of %s", upn(n))
			return "", ""
		}
		if old, now := named(2); old != "" || now != upn(1) {
			t.Errorf("create: got manager %q -> %q, want none -> %q", old, now, upn(1))
		}
		w.sync(store.OutcomeSuccess)
		w.manages(3, 2)
		if old, now := named(2); old != upn(1) || now != upn(3) {
			t.Errorf("update: got manager %q -> %q, want %q -> %q", old, now, upn(1), upn(3))
		}
	})
}

// Wherever a cycle was stopped, the plan shows a cycle of the kind that comes next.
// Stopped before its first write, with the same changes. What became of a write
// without an answer the next cycle finds out, and a plan does not.
func TestPlanAfterAStoppedCycle(t *testing.T) {
	for _, initial := range []bool{false, true} {
		t.Run(map[bool]string{false: "incremental", true: "initial"}[initial], func(t *testing.T) {
			for n, done := 1, false; !done; n++ {
				story(t, func(w *world) {
					w.people(1, 30)
					var members []string
					for n := 1; n <= 24; n++ {
						members = append(members, userID(n))
					}
					w.group(1, members...)
					w.assigned(engine.Scope{Groups: []string{groupID(1)}})
					w.sync(store.OutcomeSuccess)
					w.must(w.contoso.AddMember(groupID(1), userID(25)))
					w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
					w.update(w.contoso, userID(2), map[string]any{"city": "Lima"})
					var r engine.SyncResult
					var err error
					written := w.journal(func() {
						r, err = w.engine.Sync(w.stopAt(n, true), engine.SyncRequest{Job: jobName, Initial: initial}, nil)
					})
					w.wire.set(nil, nil)
					w.must(err)
					if done = r.Outcome != store.OutcomeInterrupted; done {
						return
					}
					w.restart()
					p := w.plan(engine.PlanRequest{})
					r = w.sync(store.OutcomeSuccess)
					if p.Cycle != r.Cycle {
						t.Errorf("stopped at request %d: got a plan of an %s cycle, and it was an %s one", n, p.Cycle, r.Cycle)
					}
					got, want := p.Summary, r.Summary
					got.Unchanged, want.Unchanged = 0, 0 // of an incremental cycle, those that happened to be read
					if diff := cmp.Diff(want, got); diff != "" && len(written) == 0 {
						t.Errorf("stopped at request %d: summary of the plan (-sync +plan):\n%s%q", n, diff, shown(p))
					}
				})
			}
		})
	}
}
