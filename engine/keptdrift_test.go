package engine_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
	"tenantsync/store"
)

// driftOf maps as by default, but for what becomes of a department that somebody
// else changed.
func (w *world) driftOf(d mapping.Drift) {
	w.Helper()
	ms := mapping.Default()
	for i := range ms {
		if ms[i].Target == "department" {
			ms[i].Drift = d
		}
	}
	w.mapped(ms...)
}

// byHand sets the department of target user 1.
func (w *world) byHand(department any) {
	w.Helper()
	w.update(w.fabrikam, w.targetID(1), map[string]any{"department": department})
}

func (w *world) departmentIs(want string) {
	w.Helper()
	if got := w.targetUser(1).String("department"); got != want {
		w.Errorf("department in the target: got %q, want %q", got, want)
	}
}

// lastCycle is the record of the job's last cycle.
func (w *world) lastCycle() store.Cycle {
	w.Helper()
	cycles, err := w.st.Cycles(w.Context(), store.CycleQuery{Job: jobName, Limit: 1})
	w.must(err)
	return cycles[0]
}

// What is overwritten is named in the log and marked in the plan; a change that
// came from the source is not.
func TestOverwrittenDriftIsNamed(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.byHand("Piracy")
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		p := w.plan(engine.PlanRequest{Initial: true})
		got := map[string]bool{}
		for _, m := range p.Changes[0].Modified {
			got[m.Name] = m.Drift
		}
		if diff := cmp.Diff(map[string]bool{"city": false, "department": true}, got); diff != "" {
			w.Errorf("plan, changed in the target (-want +got):\n%s", diff)
		}
		w.syncInitial(store.OutcomeSuccess)
		w.departmentIs("Sales")
		steps := w.log(store.LogQuery{Limit: 1})[0].Steps
		want := "User '" + upn(1) + "' was updated in fabrikam; somebody else had changed department there"
		if got := steps[len(steps)-1].Description; got != want {
			w.Errorf("log: got %q, want %q", got, want)
		}
		w.update(w.contoso, userID(1), map[string]any{"department": "Support"})
		w.syncInitial(store.OutcomeSuccess)
		steps = w.log(store.LogQuery{Limit: 1})[0].Steps
		if got, want := steps[len(steps)-1].Description, "User '"+upn(1)+"' was updated in fabrikam"; got != want {
			w.Errorf("log of a change of the source: got %q, want %q", got, want)
		}
	})
}

// What is kept stays through every comparison until the mapping gives another
// value, and the plan lists it; a value that was cleared is kept like any other.
func TestKeptDrift(t *testing.T) {
	for _, set := range []any{"Piracy", nil} {
		story(t, func(w *world) {
			w.driftOf(mapping.Keep)
			w.people(1, 2)
			w.sync(store.OutcomeSuccess)
			w.byHand(set)
			want, _ := set.(string)
			before := len(w.log(store.LogQuery{}))
			for range 2 {
				w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
			}
			w.departmentIs(want)
			if got := len(w.log(store.LogQuery{})); got != before {
				w.Errorf("log: got %d entries, want %d: nothing to say", got, before)
			}
			p := w.plan(engine.PlanRequest{Initial: true})
			kept := []engine.KeptInTarget{{Source: engine.ChangeSource{ID: userID(1), UPN: upn(1)}, Target: engine.ChangeTarget{ID: w.targetID(1)}, Attributes: []string{"department"}}}
			if diff := cmp.Diff(kept, p.Kept); diff != "" || len(p.Changes) > 0 {
				w.Errorf("plan: got changes %+v, kept (-want +got):\n%s", p.Changes, diff)
			}
			w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
			w.sync(store.OutcomeSuccess)
			w.departmentIs(want)
			w.update(w.contoso, userID(1), map[string]any{"department": "Support"})
			if p := w.plan(engine.PlanRequest{Initial: true}); len(p.Kept) > 0 || len(p.Changes) != 1 {
				w.Errorf("plan of a new value: got changes %+v, kept %+v; want the change alone", p.Changes, p.Kept)
			}
			w.sync(store.OutcomeSuccess)
			w.departmentIs("Support")
			w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		})
	}
}

// A warning names the attribute once per comparison, as long as it lasts, and
// provision on demand tells it too; an incremental cycle has nothing to say.
func TestWarnedDrift(t *testing.T) {
	story(t, func(w *world) {
		w.driftOf(mapping.Warn)
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.byHand("Piracy")
		warnings := func() int {
			n := 0
			for _, e := range w.log(store.LogQuery{}) {
				if e.StatusInfo.Error == nil || e.StatusInfo.Error.Code != "ChangedInTarget" {
					continue
				}
				n++
				if got, want := e.StatusInfo.Error.Reason, "department changed by somebody else in fabrikam, which is kept"; got != want || e.StatusInfo.Status != "warning" || e.SourceIdentity.ID != userID(1) {
					w.Errorf("warning: got %s %q of %s, want warning %q of %s", e.StatusInfo.Status, got, e.SourceIdentity.ID, want, userID(1))
				}
			}
			return n
		}
		for round := 1; round <= 2; round++ {
			w.journalIs(func() { w.summary(w.syncInitial(store.OutcomeSuccess), store.Summary{Unchanged: 2}) })
			w.sync(store.OutcomeSuccess)
			if got := warnings(); got != round {
				w.Errorf("warnings after comparison %d: got %d, want one each", round, got)
			}
		}
		r := w.provision(engine.ProvisionRequest{User: upn(1), Job: jobName})
		told := slices.ContainsFunc(r.Steps, func(s engine.ProvisionStep) bool { return s.Details["ChangedInTarget"] == "department" })
		if !told || len(r.Modified) > 0 {
			w.Errorf("provision on demand: got modified %+v and steps %+v, want department told and kept", r.Modified, r.Steps)
		}
		w.departmentIs("Piracy")
		w.byHand("Sales")
		w.syncInitial(store.OutcomeSuccess)
		if got := warnings(); got != 2 {
			w.Errorf("warnings once it is set back: got %d, want 2", got)
		}
	})
}

// Where a state was put back, what was last exported is not known: nothing that we
// wrote after the copy is kept as if somebody else had set it.
func TestOldStateKeepsNoDrift(t *testing.T) {
	story(t, func(w *world) {
		w.driftOf(mapping.Keep)
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		old := w.backup()
		w.update(w.contoso, userID(1), map[string]any{"department": "Support"})
		w.sync(store.OutcomeSuccess)
		w.departmentIs("Support")
		w.update(w.contoso, userID(1), map[string]any{"department": "Sales"})
		w.putBack(old)
		w.sync(store.OutcomeSuccess)
		w.departmentIs("Sales")
	})
}

// A job that is told how often to compare does so in the first cycle after that
// time, and otherwise only follows the changes.
func TestCompareEvery(t *testing.T) {
	story(t, func(w *world) {
		w.configure(false, func(j *engine.Job) { j.CompareEvery = 7 * 24 * time.Hour })
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		var initial []int
		for day := 1; day <= 22; day++ {
			w.pass(24 * time.Hour)
			if day == 2 {
				w.byHand("Piracy")
			}
			w.sync(store.OutcomeSuccess)
			if c := w.lastCycle(); c.Initial {
				initial = append(initial, day)
			}
			if day < 7 && day >= 2 {
				w.departmentIs("Piracy")
			}
		}
		w.departmentIs("Sales")
		if diff := cmp.Diff([]int{7, 14, 21}, initial); diff != "" {
			w.Errorf("days with a comparison (-want +got):\n%s", diff)
		}
		w.configure(false, func(j *engine.Job) { j.CompareEvery = 0 })
		for day := range 9 {
			w.pass(24 * time.Hour)
			w.sync(store.OutcomeSuccess)
			if w.lastCycle().Initial {
				w.Errorf("day %d without compareEvery: got a comparison, want none", day)
			}
		}
	})
}

// A write that was carried out and answered as refused is ours: what it left is not
// kept as if somebody else had set it, nor once the user's manager was refused as well.
func TestARefusedWriteIsNoDrift(t *testing.T) {
	for _, manager := range []bool{false, true} {
		story(t, func(w *world) {
			w.driftOf(mapping.Keep)
			w.people(1, 2)
			w.sync(store.OutcomeSuccess)
			w.update(w.contoso, userID(1), map[string]any{"department": "Support"})
			w.fabrikam.SetFaults([]entrasim.Fault{{Method: "PATCH", Path: "/users/*", Status: http.StatusBadRequest,
				Code: "Request_BadRequest", Message: "Invalid value.", Effect: "after", Nth: 1, Times: 1}})
			w.sync(store.OutcomePartial)
			w.departmentIs("Support")
			w.update(w.contoso, userID(1), map[string]any{"department": "Sales"})
			if manager {
				w.refuse("PUT", "/users/*/manager/$ref", http.StatusForbidden)
				w.manages(2, 1)
				w.sync(store.OutcomeSuccess) // the value is what was last exported: nothing to write but the manager
			}
			w.fabrikam.SetFaults(nil)
			w.syncInitial(store.OutcomeSuccess)
			w.departmentIs("Sales")
		})
	}
}

// What provision on demand had sent of a user who was being created, when the process
// died, is ours too.
func TestABrokenCreateOnDemandIsNoDrift(t *testing.T) {
	story(t, func(w *world) {
		w.driftOf(mapping.Keep)
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.people(2, 2)
		w.dieAfter(`"userType"`, func(e *engine.Engine) {
			_, _ = e.Provision(w.Context(), engine.ProvisionRequest{User: upn(2), Job: jobName})
		})
		w.noDrift(w.plan(engine.PlanRequest{Initial: true}))
		w.syncInitial(store.OutcomeSuccess)
		w.equal(1, 2)
	})
}

// noDrift expects a plan to name nothing as changed by somebody else.
func (w *world) noDrift(p *engine.PlanResult) {
	w.Helper()
	if len(p.Kept) > 0 {
		w.Errorf("plan: got %+v kept, want nothing", p.Kept)
	}
	for _, c := range p.Changes {
		if slices.ContainsFunc(c.Modified, func(m engine.ChangeProperty) bool { return m.Drift }) {
			w.Errorf("plan: got %+v, want nothing changed by somebody else", c.Modified)
		}
	}
}

// Whoever another job wrote is compared as the target has it: what that job exported is
// no measure for the mappings of the one that takes the user over.
func TestATakeoverKeepsNoDrift(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.group(1)
		w.group(2, userID(1), userID(2))
		w.twoJobs()
		w.driftOf(mapping.Keep)
		w.syncJob("second")
		w.byHand("Piracy")
		w.must(w.contoso.AddMember(groupID(1), userID(1)))
		w.must(w.contoso.RemoveMember(groupID(2), userID(1)))
		w.provision(engine.ProvisionRequest{User: upn(1), Job: jobName})
		w.owner(1, jobName)
		w.departmentIs("Sales")
	})
}

// Who was disabled, and let in again by hand, is disabled again, and the log says who
// it was; a block by hand stays and is not written about.
func TestSignInChangedByHand(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.setEnabled(w.contoso, userID(1), false)
		w.sync(store.OutcomeSuccess)
		w.setEnabled(w.fabrikam, w.targetID(1), true)
		w.setEnabled(w.fabrikam, w.targetID(2), false)
		w.syncInitial(store.OutcomeSuccess)
		w.enabled(1, false)
		w.enabled(2, false)
		steps := w.log(store.LogQuery{User: userID(1), Limit: 1})[0].Steps
		want := "User '" + upn(1) + "' was updated in fabrikam; somebody else had changed accountEnabled there"
		if got := steps[len(steps)-1].Description; got != want {
			w.Errorf("log: got %q, want %q", got, want)
		}
		for _, e := range w.log(store.LogQuery{User: userID(2)}) {
			for _, s := range e.Steps {
				if strings.Contains(s.Description, "somebody else") {
					w.Errorf("log of user 2: got %q, want nothing of what was not written", s.Description)
				}
			}
		}
	})
}

// Nor is one that a process had sent when it died, whatever it wrote: the values of
// a user who is there, or of one who was being created.
func TestABrokenWriteIsNoDrift(t *testing.T) {
	for _, n := range []int{1, 2} {
		story(t, func(w *world) {
			w.driftOf(mapping.Keep)
			w.people(1, 1)
			w.sync(store.OutcomeSuccess)
			if n == 2 {
				w.person(2, map[string]any{"department": "Support"})
			}
			w.update(w.contoso, userID(n), map[string]any{"department": "Support"})
			w.dyingSync(`"department":"Support"`)
			w.pass(2 * time.Hour) // what was read is too old to be taken up
			w.update(w.contoso, userID(n), map[string]any{"department": "Sales"})
			w.noDrift(w.plan(engine.PlanRequest{Initial: true}))
			w.syncInitial(store.OutcomeSuccess)
			w.equal(through(1, n)...)
			w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		})
	}
}

// The setting says what kind a cycle is, not when one begins: a schedule, a quarantine
// and a pause go the same way without it.
func TestCompareEveryBeginsNoCycle(t *testing.T) {
	begun := map[time.Duration][]string{}
	for _, every := range []time.Duration{0, time.Hour} {
		story(t, func(w *world) {
			w.configure(false, func(j *engine.Job) { j.CompareEvery, j.Schedule = every, "@every 6h" })
			w.people(1, 2)
			w.sync(store.OutcomeSuccess)
			ctx, stop := context.WithCancel(w.Context())
			defer stop()
			done := make(chan error, 1)
			go func() { done <- w.engine.Run(ctx) }()
			w.pass(13 * time.Hour)
			w.contoso.SetFaults([]entrasim.Fault{{Method: "GET", Path: "/users/delta", Status: http.StatusForbidden, Code: "Authorization_RequestDenied", Message: "no"}})
			w.pass(72 * time.Hour)
			if w.status().Quarantine == nil {
				w.Error("after three days of refused reads: got no quarantine, want one")
			}
			w.contoso.SetFaults(nil)
			w.pass(48 * time.Hour)
			w.must(w.engine.Pause(w.Context(), jobName))
			w.pass(72 * time.Hour)
			stop()
			w.must(<-done)
			list, err := w.st.Cycles(w.Context(), store.CycleQuery{Job: jobName, Limit: 100})
			w.must(err)
			comparing := 0
			for _, c := range slices.Backward(list) {
				begun[every] = append(begun[every], c.StartedAt.Format(time.DateTime))
				if c.Initial {
					comparing++
				}
			}
			if want := map[time.Duration]int{0: 1, time.Hour: len(list)}[every]; comparing != want {
				w.Errorf("every %s: got %d comparisons among %d cycles, want %d", every, comparing, len(list), want)
			}
		})
	}
	if diff := cmp.Diff(begun[0], begun[time.Hour]); diff != "" || len(begun[0]) < 6 {
		t.Errorf("cycles began (-without compareEvery +with, want at least 6):\n%s", diff)
	}
}

// A manager that could not be written says nothing of the values: what was set by
// hand is kept.
func TestKeptDriftOfWhoseManagerFails(t *testing.T) {
	story(t, func(w *world) {
		w.driftOf(mapping.Keep)
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.byHand("Piracy")
		w.manages(2, 1)
		w.refuse("PUT", "/users/*/manager/$ref", http.StatusForbidden)
		w.sync(store.OutcomeSuccess)
		waiting, err := w.st.Waiting(w.Context(), jobName)
		w.must(err)
		if len(waiting.Escrows) != 1 || !waiting.Escrows[0].Reference {
			w.Fatalf("got %+v waiting, want the manager", waiting.Escrows)
		}
		w.syncInitial(store.OutcomeSuccess)
		w.departmentIs("Piracy")
	})
}

// Nor does the mark of provision on demand that the user is to be looked at again.
func TestKeptDriftOfWhoWasProvisioned(t *testing.T) {
	story(t, func(w *world) {
		w.driftOf(mapping.Keep)
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.byHand("Piracy")
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.provision(engine.ProvisionRequest{User: upn(1), Job: jobName})
		waiting, err := w.st.Waiting(w.Context(), jobName)
		w.must(err)
		if len(waiting.Escrows) != 1 {
			w.Fatalf("got %+v waiting, want the mark", waiting.Escrows)
		}
		w.syncInitial(store.OutcomeSuccess)
		w.departmentIs("Piracy")
	})
}

// What is set by hand while a deletion is held is kept when the user comes back.
func TestKeptDriftOfWhoIsHeld(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.group(1, userID(1), userID(2), userID(3))
		w.assignedTo(1)
		w.driftOf(mapping.Keep)
		w.sync(store.OutcomeSuccess)
		w.configure(false, threshold(1))
		w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
		w.must(w.contoso.RemoveMember(groupID(1), userID(2)))
		w.sync(store.OutcomeQuarantine)
		w.byHand("Piracy")
		w.syncInitial(store.OutcomeSuccess)
		if l, _ := w.link(1); l.State != store.LinkHeld {
			w.Fatalf("link: got %s, want held", l.State)
		}
		w.must(w.contoso.AddMember(groupID(1), userID(1)))
		_, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
		w.must(err)
		if l, _ := w.link(1); l.State != store.LinkActive {
			w.Errorf("link: got %s, want active", l.State)
		}
		w.departmentIs("Piracy")
	})
}

// What a new mapping finds in the target is not told by provision on demand as a change
// of somebody else.
func TestNewMappingIsNoDriftOnDemand(t *testing.T) {
	story(t, func(w *world) {
		ms := mapping.Default()
		var without []mapping.Mapping
		for _, m := range ms {
			if m.Target != "department" {
				without = append(without, m)
			}
		}
		w.mapped(without...)
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.byHand("Piracy")
		w.mapped(ms...)
		w.configure(false, func(j *engine.Job) { j.Rules = "others" })
		r := w.provision(engine.ProvisionRequest{User: upn(1), Job: jobName})
		for _, s := range r.Steps {
			if d := s.Details["ChangedInTarget"]; d != "" {
				t.Errorf("step %s: got %q changed in the target, want nothing: the mapping is new", s.Name, d)
			}
		}
	})
}

// A manager set by hand is left until the source's manager changes: references are not
// compared value by value.
func TestManagerSetByHandIsLeft(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.must(w.contoso.SetManager(userID(1), userID(2)))
		w.sync(store.OutcomeSuccess)
		w.must(w.fabrikam.SetManager(w.targetID(1), w.targetID(3)))
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		w.must(w.contoso.SetManager(userID(1), userID(3)))
		w.sync(store.OutcomeSuccess)
		w.must(w.contoso.SetManager(userID(1), userID(2)))
		w.sync(store.OutcomeSuccess)
		w.equal(1, 2, 3)
	})
}
