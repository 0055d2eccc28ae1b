package control_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"tenantsync/engine"
	"tenantsync/internal/control"
	"tenantsync/store"
)

// fake is a Service that records what it was asked and answers what it was told
// to answer.
type fake struct {
	mu    sync.Mutex
	calls []any

	err     error
	entries []store.Entry
	acts    []store.Audit
	backup  []byte        // what BackUp writes
	cut     error         // why BackUp stops after it
	outcome store.Outcome // of a cycle, instead of success
	why     *engine.Error // its error
	// began receives a value when a cycle begins; the cycle then waits for ctx
	// when hold is set.
	began chan struct{}
	hold  bool
	ended chan error // the context's error when a held cycle ended
}

var _ control.Service = (*fake)(nil)

// call is one recorded call.
type call struct {
	Method string
	Args   any
}

func (f *fake) record(method string, args any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call{method, args})
}

func (f *fake) last() any {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.calls) == 0 {
		return nil
	}
	return f.calls[len(f.calls)-1]
}

var began = time.Date(2026, 11, 22, 8, 20, 0, 0, time.UTC)

func (f *fake) Sync(ctx context.Context, r engine.SyncRequest, report func(engine.Progress)) (engine.SyncResult, error) {
	f.record("sync", r)
	if f.err != nil {
		return engine.SyncResult{}, f.err
	}
	report(engine.Progress{Job: r.Job, Phase: "reading", Done: 1})
	report(engine.Progress{Job: r.Job, Phase: "writing", Done: 2, Total: 2})
	result := engine.SyncResult{Job: r.Job, CycleID: "c1", Cycle: "initial", Outcome: store.OutcomeSuccess,
		Summary: store.Summary{Create: 2, Held: 1}, StartedAt: began, EndedAt: began.Add(time.Minute),
		Quarantine: &engine.Quarantine{Reason: "TooManyDeletes", Since: began}}
	if f.outcome != "" {
		result.Outcome, result.Error = f.outcome, f.why
	}
	if f.hold {
		f.began <- struct{}{}
		<-ctx.Done()
		f.ended <- ctx.Err()
		result.Outcome = store.OutcomeInterrupted
	}
	return result, nil
}

func (f *fake) Plan(ctx context.Context, r engine.PlanRequest, report func(engine.Progress)) (*engine.PlanResult, error) {
	f.record("plan", r)
	if f.hold {
		f.began <- struct{}{}
		<-ctx.Done()
		f.ended <- ctx.Err()
		return nil, ctx.Err()
	}
	report(engine.Progress{Phase: "evaluating"})
	value := "Finance\u202e"
	return &engine.PlanResult{Job: r.Job, Changes: []engine.Change{{Action: "update", Source: engine.ChangeSource{ID: "s1"},
		Modified: []engine.ChangeProperty{{Name: "department", New: &value}}}}}, f.err
}

func (f *fake) Provision(_ context.Context, r engine.ProvisionRequest) (*engine.ProvisionResult, error) {
	f.record("provision", r)
	return &engine.ProvisionResult{Job: r.Job, Status: "success"}, f.err
}

func (f *fake) Status(_ context.Context, job string) ([]engine.JobStatus, error) {
	f.record("status", job)
	next := began.Add(time.Hour)
	return []engine.JobStatus{{Name: "a", State: "Active", NextStart: &next}, {Name: "b"}}, f.err
}

func (f *fake) Explain(_ context.Context, user, job string) (*engine.Explanation, error) {
	f.record("explain", [2]string{user, job})
	return &engine.Explanation{Job: job, InScope: true}, f.err
}

func (f *fake) ScopeTest(_ context.Context, user, job string) (*engine.ScopeTest, error) {
	f.record("scopetest", [2]string{user, job})
	return &engine.ScopeTest{Job: job}, f.err
}

func (f *fake) AppRoles(_ context.Context, user, job string) ([]string, error) {
	f.record("approles", [2]string{user, job})
	return []string{"reader"}, f.err
}

func (f *fake) Start(_ context.Context, job string) error {
	f.record("start", job)
	return f.err
}

func (f *fake) Pause(_ context.Context, job string) error {
	f.record("pause", job)
	return f.err
}

func (f *fake) Restart(_ context.Context, job string) error {
	f.record("restart", job)
	return f.err
}

// users are the arguments of the methods that decide about users.
type users struct {
	Job   string
	Users []string
	Flag  bool
}

func (f *fake) Held(_ context.Context, job string, retained bool) (*engine.Deletions, error) {
	f.record("held", users{job, nil, retained})
	return &engine.Deletions{Job: job}, f.err
}

func (f *fake) Allow(_ context.Context, job string, list []string, all bool) (*engine.Deletions, error) {
	f.record("allow", users{job, list, all})
	return &engine.Deletions{Job: job, Deleted: []engine.HeldDeletion{{SourceID: "s1", UPN: "x"}}}, f.err
}

func (f *fake) Reject(_ context.Context, job string, list []string, all bool) (*engine.Deletions, error) {
	f.record("reject", users{job, list, all})
	return &engine.Deletions{Job: job}, f.err
}

func (f *fake) Retries(_ context.Context, job string) (*engine.Retries, error) {
	f.record("retries", job)
	return &engine.Retries{Job: job}, f.err
}

func (f *fake) RetryNow(_ context.Context, job string, list []string) (*engine.Retries, error) {
	f.record("retrynow", users{job, list, false})
	return &engine.Retries{Job: job}, f.err
}

func (f *fake) Logs(_ context.Context, q store.LogQuery) ([]store.Entry, error) {
	f.record("logs", q)
	return page(f.entries, q.Follow, q.AfterSeq, q.BeforeSeq, q.Limit, func(e store.Entry) uint64 { return e.Seq }), f.err
}

func (f *fake) Audit(_ context.Context, q store.AuditQuery) ([]store.Audit, error) {
	f.record("audit", q)
	return page(f.acts, q.Follow, q.AfterSeq, q.BeforeSeq, q.Limit, func(a store.Audit) uint64 { return a.Seq }), f.err
}

// page cuts what a query asks for out of a list that stands newest first.
func page[R any](list []R, follow bool, after, before uint64, limit int, seq func(R) uint64) []R {
	found := slices.DeleteFunc(slices.Clone(list), func(r R) bool {
		return follow && seq(r) <= after || !follow && before > 0 && seq(r) >= before
	})
	if follow {
		slices.Reverse(found)
	}
	if limit > 0 {
		found = found[:min(limit, len(found))]
	}
	return found
}

var errPlain = errors.New("disk full")

func (f *fake) CheckState(context.Context) (*store.Facts, error) {
	f.record("checkState", nil)
	if f.err != nil {
		return nil, f.err
	}
	return &store.Facts{Path: "p", Links: 3, Jobs: []store.JobFacts{{Name: "j", EndedAt: began}}}, nil
}

func (f *fake) BackUp(_ context.Context, w io.Writer) (*store.Facts, error) {
	f.record("backUp", nil)
	if f.err != nil {
		return nil, f.err
	}
	if _, err := w.Write(f.backup); err != nil {
		return nil, err
	}
	return &store.Facts{Links: 3, Backup: &store.Mark{TakenAt: began}}, f.cut
}
