package engine

import (
	"context"
	"time"

	"tenantsync/store"
)

// Status returns the state of one job, or of all in the order of the configuration.
func (e *Engine) Status(ctx context.Context, job string) ([]JobStatus, error) {
	runners := e.all()
	if job != "" {
		r, err := e.runner(job)
		if err != nil {
			return nil, err
		}
		runners = []*runner{r}
	}
	out := make([]JobStatus, 0, len(runners))
	for _, r := range runners {
		s, err := e.status(ctx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (e *Engine) status(ctx context.Context, r *runner) (JobStatus, error) {
	s := JobStatus{Name: r.job.Name, Source: r.job.SourceName, Target: r.job.TargetName, Enabled: r.job.Enabled, Running: r.running(),
		Warnings: expiryWarnings(r.job, now())}
	rec, err := e.record(ctx, r.job)
	if err != nil {
		return s, err
	}
	waiting, err := e.store.Waiting(ctx, r.job.Name)
	if err != nil {
		return s, err
	}
	s.InScope, s.Held = rec.InScope, len(waiting.Holds)+rec.HeldChanges
	s.Linked = rec.Linked + len(waiting.Holds) // a held user is linked all the same
	for _, x := range waiting.Escrows {
		if x.Attempts > 0 {
			s.Retries++
		}
	}
	last, err := e.lastEnded(ctx, r.job.Name)
	if err != nil {
		return s, err
	}
	if last != nil {
		s.LastCycle = cycleInfo(last)
	}
	if s.Unfinished, err = e.unfinished(ctx, r); err != nil {
		return s, err
	}
	s.State, s.SkippedStarts = stateName(&rec), rec.SkippedStarts
	if rec.Quarantine != nil {
		s.Quarantine = quarantineView(rec.Quarantine)
	}
	if !rec.Restored.IsZero() {
		s.Restored = &rec.Restored
	}
	at, ok, err := e.due(ctx, r)
	if err != nil {
		return s, err
	}
	if ok && r.job.Enabled {
		s.NextStart = &at
		if s.Quarantine != nil && s.Quarantine.NextAttempt == nil {
			next := at
			if rec.Circuit != nil { // cycles go on; the next invitation is what is waited for
				next = later(rec.Circuit.Probe, at)
			}
			s.Quarantine.NextAttempt = &next
		}
	}
	return s, nil
}

// unfinished returns when the newest cycle of a job began if it has no end and
// nobody runs it: the state belongs to this process alone, so the one that ran it is
// dead.
func (e *Engine) unfinished(ctx context.Context, r *runner) (*time.Time, error) {
	if r.running() != nil {
		return nil, nil
	}
	newest, err := e.store.Cycles(ctx, store.CycleQuery{Job: r.job.Name, Limit: 1})
	if err != nil || len(newest) == 0 || newest[0].Outcome != store.OutcomeRunning || r.running() != nil {
		return nil, err // it may have begun in between
	}
	return &newest[0].StartedAt, nil
}

func stateName(rec *store.Job) string {
	switch {
	case rec.Paused:
		return "Paused"
	case rec.Quarantine != nil:
		return "Quarantine"
	case !rec.Ran:
		return "NotRun"
	}
	return "Active"
}

func cycleInfo(c *store.Cycle) *CycleInfo {
	return &CycleInfo{CycleID: c.ID, Cycle: cycleName(c.Initial), Trigger: c.Trigger, Outcome: c.Outcome, Summary: c.Summary,
		Graph: c.Graph, StartedAt: c.StartedAt, EndedAt: c.EndedAt, Code: c.Code, Error: c.Error}
}

// Retries lists the objects of a job that wait after a failure.
func (e *Engine) Retries(ctx context.Context, job string) (*Retries, error) {
	r, err := e.runner(job)
	if err != nil {
		return nil, err
	}
	waiting, err := e.store.Waiting(ctx, r.job.Name)
	if err != nil {
		return nil, err
	}
	rec, err := e.record(ctx, r.job)
	if err != nil {
		return nil, err
	}
	out := &Retries{Job: r.job.Name, Retries: []Retry{}}
	for i := range waiting.Escrows {
		x := waiting.Escrows[i]
		if x.Attempts == 0 {
			continue
		}
		if rec.Circuit != nil && waitsForTarget(&x) {
			x.Next = later(x.Next, rec.Circuit.Probe)
		}
		out.Retries = append(out.Retries, retryView(&x))
	}
	return out, nil
}

func retryView(x *store.Escrow) Retry {
	return Retry{SourceID: x.SourceID, UPN: x.UPN, Step: x.Step, Code: x.Code, Message: x.Message, Attempts: x.Attempts, NextAttempt: x.Next}
}
