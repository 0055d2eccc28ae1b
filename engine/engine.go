package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap"

	"tenantsync/scope"
	"tenantsync/store"
)

// Options are what an engine is made of.
type Options struct {
	// Jobs in the order of the configuration: of two jobs on one pair of tenants
	// the first owns the users that both have in scope.
	Jobs  []Job
	Store store.Store
	// Scratch opens a temporary store for a plan; the engine closes it.
	Scratch func(ctx context.Context) (store.Store, error)
	// Room, if set, is asked before each run that may write to a target: its error,
	// made by NoRoom or StateMoved, ends the run before anybody is asked anything.
	Room func() error
	Log  *zap.Logger
	// Initiator is who starts cycles, for the provisioning log.
	Initiator store.Initiator
}

// Engine runs the jobs of one configuration over one store.
type Engine struct {
	store     store.Store
	scratch   func(ctx context.Context) (store.Store, error)
	room      func() error
	log       *zap.Logger
	initiator store.Initiator

	mu      sync.Mutex // guards runners and order against Reload
	runners map[string]*runner
	order   []string
	pairs   map[store.Pair]*pairLock
	changed chan struct{} // closed when the jobs or their states change

	promises promises
}

// New builds an engine. It makes no call and opens nothing.
func New(o Options) (*Engine, error) {
	if o.Store == nil {
		return nil, errors.New("an engine needs a store")
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Room == nil {
		o.Room = func() error { return nil }
	}
	e := &Engine{store: o.Store, scratch: o.Scratch, room: o.Room, log: o.Log.Named("engine"), initiator: o.Initiator,
		pairs: map[store.Pair]*pairLock{}, changed: make(chan struct{})}
	if e.initiator.Type == "" {
		e.initiator = store.Initiator{DisplayName: "tenantsync", Type: "system"}
	}
	return e, e.Reload(o.Jobs)
}

// Reload replaces the jobs; running cycles go on with what they began with.
func (e *Engine) Reload(jobs []Job) error {
	runners, order := map[string]*runner{}, make([]string, 0, len(jobs))
	for i := range jobs {
		j := jobs[i]
		if _, twice := runners[j.Name]; twice {
			return fmt.Errorf("job %s is configured twice", j.Name)
		}
		if _, err := parseSchedule(j.Schedule, j.TimeZone); err != nil {
			return fmt.Errorf("job %s: %w", j.Name, err)
		}
		if j.Scope.Filter == nil {
			j.Scope.Filter = &scope.Filter{}
		}
		runners[j.Name] = newRunner(&j)
		order = append(order, j.Name)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, r := range runners {
		if e.pairs[r.job.Pair] == nil {
			e.pairs[r.job.Pair] = newPairLock()
		}
		r.pair = e.pairs[r.job.Pair]
		if old := e.runners[name]; old != nil {
			r.activity = old.activity
		}
	}
	if e.runners != nil {
		e.sayExpiries(runners, e.runners)
	}
	e.runners, e.order = runners, order
	e.announce()
	return nil
}

// announce wakes the scheduler; e.mu is held.
func (e *Engine) announce() {
	close(e.changed)
	e.changed = make(chan struct{})
}

// runner returns the runner of a job, or an error that names the jobs there are.
func (e *Engine) runner(name string) (*runner, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.runners[name]; r != nil {
		return r, nil
	}
	if name == "" && len(e.order) == 1 {
		return e.runners[e.order[0]], nil
	}
	err := &Error{Class: ClassUsage, Code: "UnknownJob", Message: fmt.Sprintf("there is no job %q.", name),
		Cause: fmt.Sprintf("the configuration has: %s", listed(e.order)), Action: "name one of them"}
	if name == "" {
		err.Message = "name a job: the configuration has several."
	}
	return nil, err
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	out := ""
	for i, n := range names {
		if i > 0 {
			out += ", "
		}
		out += n
	}
	return out
}

// all returns the runners in the order of the configuration.
func (e *Engine) all() []*runner {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]*runner, 0, len(e.order))
	for _, n := range e.order {
		out = append(out, e.runners[n])
	}
	return out
}

// Sync runs one cycle of a job now, after the one under way, if any. The error is
// nil whenever a cycle began: how it ended is in the result.
func (e *Engine) Sync(ctx context.Context, req SyncRequest, report func(Progress)) (SyncResult, error) {
	r, err := e.runner(req.Job)
	if err != nil {
		return SyncResult{}, err
	}
	if req.Trigger == "" {
		req.Trigger = "command"
	}
	if err := mayApply(req.Plan, r.job, now()); err != nil {
		return SyncResult{}, err
	}
	select {
	case r.pair.cycle <- struct{}{}:
	case <-ctx.Done():
		return SyncResult{}, &Error{Class: ClassInterrupted, Code: "Interrupted", Message: "interrupted before the cycle began.", Err: ctx.Err()}
	}
	defer func() { <-r.pair.cycle }()
	defer e.wake() // when the next one is due may have changed
	return e.cycle(ctx, r, req, report)
}

// cycle runs one cycle; the pair is locked.
func (e *Engine) cycle(ctx context.Context, r *runner, req SyncRequest, report func(Progress)) (SyncResult, error) {
	c := e.newCycle(r, req)
	c.report = report
	c.log.Info("cycle began", zap.String("trigger", req.Trigger))
	err := e.room()
	if err == nil {
		err = c.runContained(ctx)
	}
	if c.spool != nil {
		if cerr := c.spool.close(); cerr != nil {
			c.log.Warn("spool not removed", zap.Error(cerr))
		}
	}
	result := c.end(ctx, err)
	r.rest()
	s := result.Summary
	fields := []zap.Field{zap.String("outcome", string(result.Outcome)), zap.Int("create", s.Create), zap.Int("update", s.Update),
		zap.Int("disable", s.Disable), zap.Int("delete", s.Delete), zap.Int("restore", s.Restore), zap.Int("failed", s.Failed),
		zap.Int("held", s.Held), zap.Int("writes", result.Graph.Writes), zap.Duration("duration", result.EndedAt.Sub(result.StartedAt))}
	switch {
	case result.Outcome == store.OutcomeInterrupted:
		c.log.Info("cycle interrupted", fields...)
	case errors.Is(err, errThrottled):
		c.log.Warn("cycle ended early", append(fields, zap.String("reason", result.Error.Error()))...)
	case result.Error != nil:
		c.log.Error("cycle failed", append(fields, zap.String("code", result.Error.Code), zap.String("reason", result.Error.Error()))...)
	default:
		c.log.Info("cycle ended", fields...)
	}
	return result, nil
}

func (e *Engine) newCycle(r *runner, req SyncRequest) *cycle {
	at := now()
	c := &cycle{engine: e, runner: r, job: r.job, st: e.store, initiator: e.initiator, request: req, began: at}
	c.cyc = store.Cycle{ID: newID(), Job: r.job.Name, Trigger: req.Trigger, Outcome: store.OutcomeRunning, StartedAt: at}
	c.progress = Progress{Job: r.job.Name, CycleID: c.cyc.ID, StartedAt: at}
	c.log = e.log.With(zap.String("job", r.job.Name), zap.String("cycle", c.cyc.ID))
	requests, writes, throttled := r.job.Meter.Counts()
	c.countsBefore = store.GraphCounts{Requests: requests, Writes: writes, Throttled: throttled}
	return c
}

// end closes a cycle's record, whatever happened, and says how it went.
func (c *cycle) end(ctx context.Context, err error) SyncResult {
	if err == nil && c.tally.denied > 1 && c.tally.written == 0 && c.blocked == nil {
		err = c.deniedError()
	}
	result := SyncResult{Job: c.job.Name, CycleID: c.cyc.ID, StartedAt: c.cyc.StartedAt}
	if err == nil && c.blocked != nil && !c.late {
		result.Error = AsError(c.blocked)
	}
	if err != nil {
		result.Error = c.engine.jobError(c.job, err)
		c.recordFailure(context.WithoutCancel(ctx), result.Error)
	}
	result.Cycle, result.Outcome = cycleName(c.initial), c.cyc.Outcome
	result.Summary, result.EndedAt, result.Graph = c.cyc.Summary, c.cyc.EndedAt, c.cyc.Graph
	if q := c.rec.Quarantine; q != nil {
		result.Quarantine = quarantineView(q)
	}
	return result
}

// recordFailure stores how a failed or interrupted cycle ended. The stage and the
// watermark stay: the next cycle goes on from there.
func (c *cycle) recordFailure(ctx context.Context, cause *Error) {
	at := now()
	lag := errors.Is(cause, errThrottled)
	switch {
	case cause.Class == ClassInterrupted:
		c.cyc.Outcome = store.OutcomeInterrupted
	case lag:
		c.cyc.Outcome = store.OutcomePartial
	default:
		c.cyc.Outcome = store.OutcomeFailed
	}
	c.cyc.Initial, c.cyc.Code, c.cyc.Error = c.initial, cause.Code, cause.Error()
	c.measure()
	c.cyc.EndedAt = at
	rec, err := c.st.Job(ctx, c.job.Name)
	if errors.Is(err, store.ErrNotFound) {
		rec, err = store.Job{Name: c.job.Name, Pair: c.job.Pair}, nil
	}
	b := &store.Batch{Cycles: []store.Cycle{c.cyc}}
	if waiting, werr := c.st.Waiting(ctx, c.job.Name); werr == nil {
		c.cyc.Summary.Held = len(waiting.Holds) + rec.HeldChanges
		b.Cycles[0] = c.cyc
	}
	if err == nil && rec.Pair == c.job.Pair {
		rec.LastCycle, rec.Ran = c.cyc.ID, true
		if c.rec.Name != "" {
			rec.ClockLeap = c.rec.ClockLeap
		}
		if cause.Class != ClassInterrupted && !lag && !cause.Refused() && cause.Code != diskFull && cause.Code != stateMoved {
			rec.Quarantine = quarantined(rec.Quarantine, CodeConnection, cause.Error(), true, at)
		}
		c.rec = rec
		b.Jobs = []store.Job{rec}
	}
	if err := c.st.Apply(ctx, b); err != nil {
		c.log.Error("end of cycle not recorded", zap.Error(err))
	}
}

func quarantineView(q *store.Quarantine) *Quarantine {
	out := &Quarantine{Reason: q.Reason, Message: q.Message, Since: q.Since}
	if !q.NextAttempt.IsZero() {
		next := q.NextAttempt
		out.NextAttempt = &next
	}
	return out
}

// Start lets a paused job run again, and a job that never ran begin.
func (e *Engine) Start(ctx context.Context, job string) error {
	return e.change(ctx, job, func(rec *store.Job) {
		rec.Paused, rec.Ran = false, true
		rec.NextStart = now()
	})
}

// Pause stops a job's schedule; a cycle under way is finished.
func (e *Engine) Pause(ctx context.Context, job string) error {
	return e.change(ctx, job, func(rec *store.Job) { rec.Paused = true })
}

// Restart clears watermark, retries and quarantine; the next cycle is an initial
// one. Links and held deletions stay.
func (e *Engine) Restart(ctx context.Context, job string) error {
	r, err := e.runner(job)
	if err != nil {
		return err
	}
	if err := r.pair.lock(ctx); err != nil {
		return err
	}
	defer func() { <-r.pair.cycle }()
	waiting, err := e.store.Waiting(ctx, r.job.Name)
	if err != nil {
		return err
	}
	rec, err := e.record(ctx, r.job)
	if err != nil {
		return err
	}
	b := &store.Batch{DropStage: r.job.Name}
	for _, x := range waiting.Escrows {
		b.DropEscrows = append(b.DropEscrows, x.Key())
	}
	rec.Watermark, rec.Groups, rec.Quarantine, rec.Circuit = "", nil, nil, nil
	if rec.Stage != nil { // what was read is dropped, not that a cycle was stopped
		rec.Stage = &store.Stage{CycleID: rec.Stage.CycleID, Began: rec.Stage.Began}
	}
	rec.NeedInitial, rec.Paused, rec.Ran = true, false, true
	rec.NextStart = now()
	b.Jobs = []store.Job{rec}
	if err := e.store.Apply(ctx, b); err != nil {
		return err
	}
	e.wake()
	return nil
}

func (e *Engine) record(ctx context.Context, j *Job) (store.Job, error) {
	rec, err := e.store.Job(ctx, j.Name)
	if errors.Is(err, store.ErrNotFound) {
		return store.Job{Name: j.Name, Pair: j.Pair}, nil
	}
	return rec, err
}

func (e *Engine) change(ctx context.Context, job string, f func(*store.Job)) error {
	r, err := e.runner(job)
	if err != nil {
		return err
	}
	if err := r.pair.lock(ctx); err != nil {
		return err
	}
	defer func() { <-r.pair.cycle }()
	rec, err := e.record(ctx, r.job)
	if err != nil {
		return err
	}
	f(&rec)
	if err := e.store.Apply(ctx, &store.Batch{Jobs: []store.Job{rec}}); err != nil {
		return err
	}
	e.wake()
	return nil
}

func (e *Engine) wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.announce()
}

// Logs returns provisioning log entries.
func (e *Engine) Logs(ctx context.Context, q store.LogQuery) ([]store.Entry, error) {
	entries, err := e.store.Log(ctx, q)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, &Error{Class: ClassUsage, Code: "UnknownEntry", Message: fmt.Sprintf("there is no log entry %q.", q.ID),
			Action: "list them: tenantsync logs -o wide", Err: err}
	case errors.Is(err, store.ErrAmbiguousID):
		return nil, &Error{Class: ClassUsage, Code: "AmbiguousEntry", Message: fmt.Sprintf("%q names several log entries.", q.ID),
			Action: "give more of the id", Err: err}
	}
	if entries == nil {
		entries = []store.Entry{}
	}
	return entries, err
}

// sortChanges orders planned changes: create, update, disable, delete, fail;
// inside by user principal name.
func sortChanges(list []Change) {
	rank := map[string]int{"create": 0, "restore": 1, "update": 2, "disable": 3, "delete": 4, "stagedDelete": 5, "fail": 6, "none": 7}
	slices.SortStableFunc(list, func(a, b Change) int {
		return cmp.Or(rank[a.Action]-rank[b.Action], strings.Compare(a.Source.UPN, b.Source.UPN), strings.Compare(a.Source.ID, b.Source.ID))
	})
}
