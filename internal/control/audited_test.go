package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"tenantsync/engine"
	"tenantsync/internal/control"
	"tenantsync/store"
)

// trail keeps records in memory, as a store does.
type trail struct {
	mu      sync.Mutex
	records []store.Audit
	err     error // of the next writes
	asked   int   // to write, also in vain
}

func (r *trail) Apply(ctx context.Context, b *store.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if err := errors.Join(ctx.Err(), r.err); err != nil {
		return err
	}
	for i := range b.Audit {
		var before *store.Audit
		if n := len(r.records); n > 0 {
			before = &r.records[n-1]
		}
		b.Audit[i].Seal(before)
		r.records = append(r.records, b.Audit[i])
	}
	return nil
}

func (r *trail) Audit(_ context.Context, q store.AuditQuery) ([]store.Audit, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []store.Audit
	for i := len(r.records) - 1; i >= 0; i-- {
		if q.Matches(&r.records[i]) && (q.Limit == 0 || len(found) < q.Limit) {
			found = append(found, r.records[i])
		}
	}
	return found, nil
}

// lines are the records as a person would tell them, those of the configuration
// left out.
func (r *trail) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for _, a := range r.records {
		if a.Act == control.ActConfiguration {
			continue
		}
		words := []string{a.Actor, a.Via, a.Act, a.Job, a.Outcome}
		if a.Reason != "" {
			words = append(words, "because "+a.Reason)
		}
		if len(a.Details) > 0 {
			text, _ := json.Marshal(a.Details) // plain texts encode
			words = append(words, string(text))
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines
}

var alice = control.Caller{Name: "alice", Via: "socket", Role: control.Approver, Reason: "ticket 7"}

func auditorOver(r *trail, requireReason bool) *control.Auditor {
	return control.NewAuditor(r, control.Configuration{Hash: "h1"}, requireReason, zap.NewNop())
}

func TestEveryActIsRecordedBeforeAndAfter(t *testing.T) {
	const begun, done = " begun because ticket 7", " done"
	for name, c := range map[string]struct {
		do   func(context.Context, control.Service) error
		want []string
	}{
		"sync": {func(ctx context.Context, s control.Service) error {
			_, err := s.Sync(ctx, engine.SyncRequest{Job: "j", Accept: true}, func(engine.Progress) {})
			return err
		}, []string{"alice socket sync j" + begun + ` {"accept":"true"}`,
			"alice socket sync j" + done + ` {"cycleId":"c1","outcome":"success","summary":"create 2, update 0, disable 0, delete 0, restore 0, failed 0, held 1"}`}},
		"provision": {func(ctx context.Context, s control.Service) error {
			_, err := s.Provision(ctx, engine.ProvisionRequest{Job: "j", User: "u", Restore: true})
			return err
		}, []string{"alice socket provision j" + begun + ` {"restore":"true","user":"u"}`,
			"alice socket provision j" + done + ` {"action":"","changeId":"","sourceId":"","status":"success","targetId":""}`}},
		"start":   {func(ctx context.Context, s control.Service) error { return s.Start(ctx, "j") }, []string{"alice socket start j" + begun, "alice socket start j" + done}},
		"pause":   {func(ctx context.Context, s control.Service) error { return s.Pause(ctx, "j") }, []string{"alice socket pause j" + begun, "alice socket pause j" + done}},
		"restart": {func(ctx context.Context, s control.Service) error { return s.Restart(ctx, "j") }, []string{"alice socket restart j" + begun, "alice socket restart j" + done}},
		"allow": {func(ctx context.Context, s control.Service) error {
			_, err := s.Allow(ctx, "j", []string{"a@x", "b@x"}, false)
			return err
		}, []string{"alice socket deletions allow j" + begun + ` {"users":"a@x, b@x"}`, "alice socket deletions allow j" + done + ` {"deleted":"s1","stillHeld":"0"}`}},
		"reject": {func(ctx context.Context, s control.Service) error {
			_, err := s.Reject(ctx, "j", nil, true)
			return err
		}, []string{"alice socket deletions reject j" + begun + ` {"users":"all"}`, "alice socket deletions reject j" + done + ` {"stillHeld":"0"}`}},
		"retries now": {func(ctx context.Context, s control.Service) error {
			_, err := s.RetryNow(ctx, "j", nil)
			return err
		}, []string{"alice socket retries now j" + begun + ` {"users":"all"}`, "alice socket retries now j" + done}},
	} {
		t.Run(name, func(t *testing.T) {
			r, f := &trail{}, &fake{}
			if err := c.do(t.Context(), auditorOver(r, true).For(alice, f)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, r.lines()); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			last := r.records[len(r.records)-1]
			if begun := r.records[len(r.records)-2]; last.Of != begun.Seq {
				t.Errorf("the end is of record %d, want %d", last.Of, begun.Seq)
			}

			// What cannot be recorded is not done.
			full, f := &trail{}, &fake{}
			a := auditorOver(full, true)
			if err := a.Configured(t.Context(), "root", "process", false); err != nil {
				t.Fatal(err)
			}
			full.err = errPlain
			err := c.do(t.Context(), a.For(alice, f))
			if told := engine.AsError(err); f.last() != nil || told.Code != "AuditFailed" || !errors.Is(err, errPlain) {
				t.Errorf("with a trail that fails: got %v, the service was asked %v; want AuditFailed and nothing done", err, f.last())
			}

			// What failed is recorded as that.
			r, f = &trail{}, &fake{err: &engine.Error{Class: engine.ClassUsage, Code: "UnknownJob", Message: "no."}}
			err = c.do(t.Context(), auditorOver(r, true).For(alice, f))
			got := r.lines()
			if engine.AsError(err).Code != "UnknownJob" || len(got) != 2 || !strings.HasSuffix(got[1], ` failed {"error":"UnknownJob"}`) {
				t.Errorf("an act that fails: got %v and the records %q", err, got)
			}
		})
	}
}

// A cycle answers with its result also when it failed: the record says what came of
// it. What single objects met, or a guard holds, leaves the act done.
func TestCyclesThatFailedAreRecordedAsFailed(t *testing.T) {
	refused := &engine.Error{Class: engine.ClassFailed, Code: "PlanDiffers", Message: "no."}
	for outcome, c := range map[store.Outcome]struct {
		why  *engine.Error
		want string
	}{
		store.OutcomeFailed: {refused, ` failed {"cycleId":"c1","error":"PlanDiffers",`}, store.OutcomeInterrupted: {nil, ` interrupted {"cycleId":"c1","outcome":`},
		store.OutcomePartial: {nil, ` done {"cycleId":"c1","outcome":`}, store.OutcomeQuarantine: {nil, ` done {"cycleId":"c1","outcome":`},
	} {
		r, f := &trail{}, &fake{outcome: outcome, why: c.why}
		got, err := auditorOver(r, false).For(alice, f).Sync(t.Context(), engine.SyncRequest{Job: "j"}, func(engine.Progress) {})
		if err != nil || got.Outcome != outcome || got.Error != c.why {
			t.Errorf("%s: got %+v and error %v, want the result as it is", outcome, got, err)
		}
		if lines := r.lines(); len(lines) != 2 || !strings.Contains(lines[1], c.want) {
			t.Errorf("%s: got the records %q, want %q in the second", outcome, lines, c.want)
		}
	}
}

// Looking leaves no record, and works where nothing can be recorded.
func TestLookingIsNoAct(t *testing.T) {
	acts := map[string]bool{"Sync": true, "Provision": true, "Start": true, "Pause": true, "Restart": true, "Allow": true, "Reject": true, "RetryNow": true, "BackUp": true}
	r, f := &trail{err: errPlain}, &fake{}
	s := reflect.ValueOf(auditorOver(r, true).For(control.Caller{Name: "bob"}, f))
	for i := range s.NumMethod() {
		name := s.Type().Method(i).Name
		if acts[name] {
			continue
		}
		method := s.Method(i)
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for n := 1; n < method.Type().NumIn(); n++ {
			kind := method.Type().In(n)
			if kind.Kind() == reflect.Func {
				args = append(args, reflect.ValueOf(func(engine.Progress) {}))
				continue
			}
			args = append(args, reflect.Zero(kind))
		}
		before := len(f.calls)
		out := method.Call(args)
		if err, _ := out[len(out)-1].Interface().(error); err != nil || len(f.calls) != before+1 {
			t.Errorf("%s: got error %v and %d calls of the service, want one", name, err, len(f.calls)-before)
		}
	}
	if _, err := auditorOver(r, true).For(control.Caller{}, f).Provision(t.Context(), engine.ProvisionRequest{DryRun: true}); err != nil {
		t.Errorf("provision as a dry run: %v", err)
	}
	if r.asked > 0 {
		t.Errorf("the record was written to %d times, want it left alone", r.asked)
	}
}

func TestApprovalsNeedAReasonWhereTheConfigurationSaysSo(t *testing.T) {
	silent := alice
	silent.Reason = "  "
	r, f := &trail{}, &fake{}
	s := auditorOver(r, true).For(silent, f)
	for name, err := range map[string]error{
		"restart": s.Restart(t.Context(), "j"),
		"sync":    func() error { _, err := s.Sync(t.Context(), engine.SyncRequest{Accept: true}, nil); return err }(),
		"allow":   func() error { _, err := s.Allow(t.Context(), "j", nil, true); return err }(),
		"reject":  func() error { _, err := s.Reject(t.Context(), "j", nil, true); return err }(),
		"restore": func() error { _, err := s.Provision(t.Context(), engine.ProvisionRequest{Restore: true}); return err }(),
	} {
		if told := engine.AsError(err); told == nil || told.Code != "ReasonRequired" || told.Class != engine.ClassUsage {
			t.Errorf("%s without a reason: got %v, want ReasonRequired", name, err)
		}
	}
	if f.last() != nil || len(r.records) > 0 {
		t.Errorf("the service was asked %v, records %q; want neither", f.last(), r.lines())
	}
	if err := s.Pause(t.Context(), "j"); err != nil {
		t.Errorf("pause needs no reason: %v", err)
	}
	if err := auditorOver(r, false).For(silent, f).Restart(t.Context(), "j"); err != nil {
		t.Errorf("restart where no reason is required: %v", err)
	}
}

// Who knocks often leaves few records, which say how often.
func TestRefusalsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &trail{}
		a := auditorOver(r, false)
		mallory := control.Caller{Name: "unknown", Via: "tcp"}
		for range 1000 {
			a.Refused(mallory, "TokenRefused")
		}
		time.Sleep(11 * time.Minute)
		a.Refused(control.Caller{Name: "token desk", Via: "tcp"}, "RoleTooLow")
		a.Refused(mallory, "TokenRefused")
		a.Flush()
		a.Flush()
		want := []string{
			`unknown tcp control refused  refused {"code":"TokenRefused","count":"1"}`,
			`token desk tcp control refused  refused {"code":"RoleTooLow","count":"1"}`,
			`unknown tcp control refused  refused {"code":"TokenRefused","count":"999"}`,
			`unknown tcp control refused  refused {"code":"TokenRefused","count":"1"}`,
		}
		if diff := cmp.Diff(want, r.lines()); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	})
}

func TestConfigurationsAreRecordedWithWhatChanged(t *testing.T) {
	r := &trail{}
	one := control.Configuration{Hash: "h1", Jobs: map[string]control.JobHashes{"a": {All: "1", Scope: "1"}, "b": {All: "1", Scope: "1"}, "c": {All: "1", Scope: "1"}},
		Tokens: map[string]string{"desk": "operator 1"}}
	two := control.Configuration{Hash: "h2", Jobs: map[string]control.JobHashes{"a": {All: "2", Scope: "2"}, "b": {All: "2", Scope: "1"}, "d": {All: "1", Scope: "1"}},
		Tokens: map[string]string{"desk": "approver 1", "audit": "reader 2"}}
	first := control.NewAuditor(r, one, false, zap.NewNop())
	for range 2 { // the second time it is known already
		if err := first.Configured(t.Context(), "root", "process", false); err != nil {
			t.Fatal(err)
		}
	}
	// A command that acts under another file says so first, once.
	s := control.NewAuditor(r, two, false, zap.NewNop()).For(alice, &fake{})
	for range 2 {
		if err := s.Pause(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	var got []store.Audit
	for _, a := range r.records {
		if a.Act == control.ActConfiguration {
			delete(a.Details, "jobs")
			delete(a.Details, "tokens")
			got = append(got, store.Audit{Actor: a.Actor, Via: a.Via, OldHash: a.OldHash, NewHash: a.NewHash, Details: a.Details})
		} else if a.Outcome == "begun" && a.NewHash != "h2" {
			t.Errorf("the act says configuration %q, want h2", a.NewHash)
		}
	}
	want := []store.Audit{
		{Actor: "root", Via: "process", NewHash: "h1", Details: map[string]string{}},
		{Actor: "alice", Via: "socket", OldHash: "h1", NewHash: "h2", Details: map[string]string{
			"jobsAdded": "d", "jobsRemoved": "c", "jobsChanged": "a, b", "scopesChanged": "a", "tokensChanged": "audit, desk"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records of configurations (-want +got):\n%s", diff)
	}
}

// stalled is a client that reads nothing: a write blocks until its deadline.
type stalled struct {
	*httptest.ResponseRecorder
	deadline time.Time
	writes   int
}

func (s *stalled) Write(p []byte) (int, error) {
	s.writes++
	if s.deadline.IsZero() {
		select {} // for ever
	}
	time.Sleep(time.Until(s.deadline))
	return 0, os.ErrDeadlineExceeded
}

func (s *stalled) SetWriteDeadline(at time.Time) error {
	s.deadline = at
	return nil
}

// A cycle waits once, and not for long, for a client that stopped reading.
func TestAClientThatReadsNothingDoesNotHoldUpItsCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := control.NewHandler(t.Context(), serving(&fake{}), ownSecret)
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/v1/sync", strings.NewReader(`{"job":"j"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+ownSecret)
		w, began := &stalled{ResponseRecorder: httptest.NewRecorder()}, time.Now()
		h.ServeHTTP(w, r)
		if took := time.Since(began); took > 30*time.Second || w.writes != 1 {
			t.Errorf("the cycle took %s and %d writes were tried, want one and at most 30 s", took, w.writes)
		}
	})
}
