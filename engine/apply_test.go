package engine_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/mapping"
	"tenantsync/store"
)

// saved makes a plan that can be applied for a day, as it comes back from its file.
func (w *world) saved(req engine.PlanRequest) (*engine.PlanResult, *engine.SavedPlan) {
	w.Helper()
	req.Save = day
	p := w.plan(req)
	b, err := json.MarshalIndent(p.Saved, "", "  ")
	w.must(err)
	if strings.Contains(string(b), "veiled") {
		w.Errorf("the saved plan has a value of a sensitive mapping: %s", b)
	}
	s, err := engine.ParseSavedPlan(b)
	w.must(err)
	return p, s
}

// refuses applies a plan that must not be carried out any more, and expects the
// code and the words of the refusal.
func (w *world) refuses(s *engine.SavedPlan, code string, words ...string) {
	w.Helper()
	w.journalIs(func() {
		r, err := w.engine.Sync(w.Context(), s.Request(), nil)
		var e *engine.Error
		if !errors.As(err, &e) {
			e = r.Error
		}
		if e == nil || e.Code != code || !e.Refused() || e.Class != engine.ClassFailed {
			w.Fatalf("apply: got %v (%s), want it refused as %s", e, r.Outcome, code)
		}
		for _, word := range words {
			if !strings.Contains(e.Error(), word) {
				w.Errorf("refusal: got %q, want it to say %q", e.Error(), word)
			}
		}
	})
}

func TestApplyDoesWhatThePlanShowed(t *testing.T) {
	for _, initial := range []bool{false, true} {
		t.Run(map[bool]string{false: "incremental", true: "initial"}[initial], func(t *testing.T) {
			story(t, func(w *world) {
				w.mixed()
				p, s := w.saved(engine.PlanRequest{Initial: initial})
				w.restart()
				r := w.syncWith(s.Request(), store.OutcomePartial)
				if diff := cmp.Diff(p.Summary, r.Summary); diff != "" {
					t.Errorf("summary (-plan +apply):\n%s%s", diff, w.failures())
				}
				if p.Writes != r.Graph.Writes {
					t.Errorf("writes: got %d planned, %d written", p.Writes, r.Graph.Writes)
				}
				w.refuses(s, "PlanChanged", "- create "+upn(13), "- delete "+upn(7)) // a replay
				w.quarantine("Active", "")
			})
		})
	}
}

func TestApplyWithValuesThatWereChosen(t *testing.T) {
	story(t, func(w *world) {
		w.nicknamed()
		for n := 1; n <= 3; n++ {
			w.person(n, map[string]any{"givenName": "Ann"})
		}
		w.guest(1, upn(2), nil)
		p, s := w.saved(engine.PlanRequest{})
		w.summary(w.syncWith(s.Request(), store.OutcomeSuccess), p.Summary)
		w.nicknamesAre([]int{1, 3}, "ann", "ann2")
		w.person(4, map[string]any{"givenName": "Ann"})
		_, s = w.saved(engine.PlanRequest{})
		_, err := w.fabrikam.CreateUser(map[string]any{"userPrincipalName": "bo@fabrikam.onmicrosoft.com", "displayName": "Bo", "employeeId": "ann3"})
		w.must(err)
		w.refuses(s, "PlanChanged") // the value is taken now
	})
}

func TestApplyRefusesWhatWasNotShown(t *testing.T) {
	for _, c := range []struct {
		name  string
		since func(w *world, s *engine.SavedPlan)
		code  string
		words []string
	}{
		{"somebody came", func(w *world, _ *engine.SavedPlan) { w.people(21, 21) }, "PlanChanged", []string{"+ create " + upn(21)}},
		{"somebody is not created any more", func(w *world, _ *engine.SavedPlan) { w.must(w.contoso.Delete(userID(12))) }, "PlanChanged", []string{"- create " + upn(12)}},
		{"another value", func(w *world, _ *engine.SavedPlan) {
			w.update(w.contoso, userID(2), map[string]any{"city": "Paris"})
		}, "PlanChanged", []string{"~ update " + upn(2) + " with other values"}},
		{"another action", func(w *world, _ *engine.SavedPlan) { w.setEnabled(w.contoso, userID(2), false) }, "PlanChanged",
			[]string{"~ update is now disable " + upn(2)}},
		{"another manager", func(w *world, _ *engine.SavedPlan) { w.manages(4, 3) }, "PlanChanged", []string{"~ update " + upn(3)}},
		{"a value that is not shown", func(w *world, _ *engine.SavedPlan) {
			w.update(w.contoso, userID(2), map[string]any{"employeeId": "8"})
		}, "PlanChanged", []string{"sensitive"}},
		{"the target changed", func(w *world, _ *engine.SavedPlan) {
			w.must(w.fabrikam.Delete(w.targetID(5)))
		}, "PlanChanged", []string{upn(5)}},
		{"somebody left", func(w *world, _ *engine.SavedPlan) { w.leave(6) }, "PlanChanged", []string{"+ delete " + upn(6)}},
		{"another configuration", func(w *world, _ *engine.SavedPlan) {
			w.configure(false, func(j *engine.Job) { j.Threshold = 400 })
		}, "PlanMismatch", []string{"configuration"}},
		{"other mappings", func(w *world, _ *engine.SavedPlan) { w.configure(true, func(*engine.Job) {}) }, "PlanMismatch", nil},
		{"another target", func(_ *world, s *engine.SavedPlan) { s.Target = "44444444-4444-4444-8444-444444444444" }, "PlanMismatch", []string{"pair"}},
		{"a day later", func(w *world, _ *engine.SavedPlan) { w.pass(day + time.Second) }, "PlanExpired", []string{"valid until"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSales(t, 10, func(j *engine.Job) { j.Mapping = concealed(t) }, func(w *world) {
				w.update(w.contoso, userID(2), map[string]any{"city": "Rome", "employeeId": "7"})
				w.manages(1, 3)
				w.setEnabled(w.contoso, userID(5), false)
				w.sync(store.OutcomeSuccess)
				w.update(w.contoso, userID(2), map[string]any{"city": "Bern", "employeeId": "veiled-9"})
				w.manages(2, 3)
				w.setEnabled(w.contoso, userID(5), true)
				w.people(12, 12)
				_, s := w.saved(engine.PlanRequest{})
				c.since(w, s)
				w.refuses(s, c.code, c.words...)
				w.quarantine("Active", "")
				if c.code != "PlanChanged" {
					return
				}
				p, again := w.saved(engine.PlanRequest{}) // what is shown now can be applied
				w.summary(w.syncWith(again.Request(), store.OutcomeSuccess), p.Summary)
			})
		})
	}
}

// What a refused plan had read is not carried on with: the next cycle is the one
// that a plan shows, also where membership was told before.
func TestPlanAfterARefusedOneShowsTheNextCycle(t *testing.T) {
	for _, initial := range []bool{false, true} {
		t.Run(map[bool]string{false: "incremental", true: "initial"}[initial], func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 6)
				w.group(1, userID(1), userID(2), userID(3))
				w.assigned(engine.Scope{Groups: []string{groupID(1)}})
				w.configure(false, func(j *engine.Job) { j.Percent = 0 })
				w.sync(store.OutcomeSuccess)
				w.must(w.contoso.AddMember(groupID(1), userID(4)))
				_, s := w.saved(engine.PlanRequest{Initial: initial})
				w.must(w.contoso.AddMember(groupID(1), userID(5)))
				w.refuses(s, "PlanChanged", "+ create "+upn(5))
				w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
				w.must(w.contoso.Delete(userID(2)))
				p := w.plan(engine.PlanRequest{})
				if got, want := p.Summary, (store.Summary{Create: 2, Delete: 2}); got != want {
					t.Errorf("plan: got %+v, want %+v", got, want)
				}
				r := w.sync(store.OutcomeSuccess)
				w.summary(r, p.Summary)
				if r.Cycle != "incremental" {
					t.Errorf("cycle: got %s, want incremental as planned", r.Cycle)
				}
				w.linked(3, 4, 5)
			})
		})
	}
}

// concealed are the default mappings, the employee id sensitive.
func concealed(t *testing.T) *mapping.Schema {
	t.Helper()
	ms := mapping.Default()
	for i := range ms {
		ms[i].Sensitive = ms[i].Target == "employeeId"
	}
	schema, problems := mapping.Compile(ms)
	if schema == nil {
		t.Fatal(problems)
	}
	return schema
}

func TestApplyLetsHeldChangesThroughAndHeldDeletionsWait(t *testing.T) {
	inSales(t, 110, func(j *engine.Job) { j.Threshold = 2 }, func(w *world) {
		w.leave(1, 2, 3)
		w.configure(true, func(j *engine.Job) { j.Mapping = renamed(t) })
		p, s := w.saved(engine.PlanRequest{})
		want := &engine.HeldChanges{Count: 107, Reason: "TooManyChanges", Message: "the changed configuration would create or update 107 users, more than 100"}
		if diff := cmp.Diff(want, p.HeldChanges); diff != "" {
			t.Errorf("held changes of the plan (-want +got):\n%s", diff)
		}
		w.summary(w.syncWith(s.Request(), store.OutcomeQuarantine), store.Summary{Update: 107, Held: 3})
		w.deletions(false, upn(1), upn(2), upn(3))
		w.quarantine("Quarantine", "TooManyDeletes")
	})
}

func TestPlanThatIsAppliedDoesNotCountInTheWindow(t *testing.T) {
	inSales(t, 160, windowed, func(w *world) {
		w.leave(through(1, 39)...)
		_, s := w.saved(engine.PlanRequest{})
		w.summary(w.syncWith(s.Request(), store.OutcomeSuccess), store.Summary{Delete: 39})
		w.leave(through(40, 60)...)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 21})
	})
}

func TestPlanOfOneUserCannotBeSaved(t *testing.T) {
	inSales(t, 1, nil, func(w *world) {
		_, err := w.engine.Plan(w.Context(), engine.PlanRequest{Job: jobName, User: upn(1), Save: day}, nil)
		var e *engine.Error
		if !errors.As(err, &e) || e.Class != engine.ClassUsage {
			t.Errorf("got %v, want it refused as wrong usage", err)
		}
	})
}

func TestSavedPlanThatWasEditedIsRefused(t *testing.T) {
	inSales(t, 2, nil, func(w *world) {
		w.leave(1)
		_, s := w.saved(engine.PlanRequest{})
		b, err := json.Marshal(s)
		w.must(err)
		for _, edit := range [][2]string{{upn(1), upn(2)}, {`"job":"` + jobName, `"job":"other`}, {`"expires":"2000`, `"expires":"2999`},
			{"tenantsync-plan/1", "tenantsync-plan/2"}, {`{"format"`, `{"more":1,"format"`}, {"}]", "}],"}} {
			text := strings.Replace(string(b), edit[0], edit[1], 1)
			if text == string(b) {
				t.Fatalf("the plan has no %q: %s", edit[0], b)
			}
			if _, err := engine.ParseSavedPlan([]byte(text)); err == nil {
				t.Errorf("%q instead of %q: got it taken, want it refused", edit[1], edit[0])
			}
		}
		if _, err := engine.ParseSavedPlan(append(b, " {}"...)); err == nil {
			t.Error("something after the plan: got it taken, want it refused")
		}
	})
}

func FuzzSavedPlan(f *testing.F) {
	f.Add([]byte(`{"format":"tenantsync-plan/1","job":"a","changes":[{"action":"create","source":{"id":"x","userPrincipalName":"y"},"target":null,"modifiedProperties":[]}]}`))
	f.Add([]byte(`{"format":"tenantsync-plan/1","changes":null,"checksum":""}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := engine.ParseSavedPlan(content)
		if err != nil {
			return
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := engine.ParseSavedPlan(b)
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Errorf("read again (-first +second):\n%s", diff)
		}
	})
}
