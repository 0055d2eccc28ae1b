package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
	"go.uber.org/zap"

	"tenantsync/store"
)

// parseSchedule reads "@every 40m" or five cron fields, the latter in a time zone.
func parseSchedule(spec, zone string) (cron.Schedule, error) {
	if spec == "" {
		spec = "@every 40m"
	}
	if zone != "" && !strings.HasPrefix(spec, "@every") {
		spec = "CRON_TZ=" + zone + " " + spec
	} else if !strings.HasPrefix(spec, "@every") {
		spec = "CRON_TZ=UTC " + spec
	}
	s, err := cron.ParseStandard(spec)
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w", spec, err)
	}
	if s.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("schedule %q: no such day ever comes", spec)
	}
	return localTimes(s), nil
}

// CheckSchedule reports whether a schedule and its time zone can be used.
func CheckSchedule(spec, zone string) error {
	_, err := parseSchedule(spec, zone)
	return err
}

// Run is the daemon: it starts the cycles of every enabled job by its schedule
// until ctx ends, and returns when the cycles under way have come to rest.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	running := map[string]bool{}
	done := make(chan string)
	e.mu.Lock()
	e.sayExpiries(e.runners, nil)
	e.mu.Unlock()
	for {
		e.mu.Lock()
		changed := e.changed
		e.mu.Unlock()
		wait := time.Hour
		for _, r := range e.all() {
			if running[r.job.Name] || !r.job.Enabled {
				continue
			}
			due, ok, err := e.due(ctx, r)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				e.log.Error("job cannot be scheduled", zap.String("job", r.job.Name), zap.Error(err))
				continue
			}
			if !ok {
				continue
			}
			if left := time.Until(due); left > 0 {
				wait = min(wait, left)
				continue
			}
			running[r.job.Name] = true
			wg.Add(1)
			go func() {
				defer wg.Done()
				e.scheduled(ctx, r)
				select {
				case done <- r.job.Name:
				case <-ctx.Done():
				}
			}()
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case name := <-done:
			delete(running, name)
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// scheduled runs one cycle by schedule and moves the next start.
func (e *Engine) scheduled(ctx context.Context, r *runner) {
	began := now()
	if _, err := e.Sync(ctx, SyncRequest{Job: r.job.Name, Trigger: "schedule"}, nil); err != nil && ctx.Err() == nil {
		e.log.Error("cycle did not begin", zap.String("job", r.job.Name), zap.Error(err))
	}
	if ctx.Err() != nil {
		return
	}
	e.planNext(ctx, r, began)
}

// planNext stores when the job's next cycle is due: by its schedule, or later
// while it is in quarantine. A tick that fell into a running cycle is left out.
func (e *Engine) planNext(ctx context.Context, r *runner, began time.Time) {
	if err := r.pair.lock(ctx); err != nil {
		return
	}
	defer func() { <-r.pair.cycle }()
	r.wait(now().Add(pauseWithoutState))
	rec, err := e.record(ctx, r.job)
	if err != nil {
		e.log.Error("next start not stored", zap.String("job", r.job.Name), zap.Error(err))
		return
	}
	at := now()
	rec.NextStart = e.next(r.job, rec.Quarantine, began, at)
	if rec.SkippedStarts = e.skipped(r.job, began, at); rec.SkippedStarts > 0 {
		e.log.Warn("cycle longer than its interval, starts left out", zap.String("job", r.job.Name),
			zap.Int("skipped", rec.SkippedStarts), zap.Duration("took", at.Sub(began)))
	}
	if err := e.store.Apply(ctx, &store.Batch{Jobs: []store.Job{rec}}); err != nil {
		e.log.Error("next start not stored", zap.String("job", r.job.Name), zap.Error(err))
		return
	}
	r.wait(time.Time{})
}

// pauseWithoutState is how long a job rests whose next start could not be stored:
// the start that is stored lies in the past, and a full disk is no reason to ask
// the tenants over and over.
const pauseWithoutState = 5 * time.Minute

func (e *Engine) next(j *Job, q *store.Quarantine, began, at time.Time) time.Time {
	s, err := parseSchedule(j.Schedule, j.TimeZone)
	if err != nil {
		return at.Add(40 * time.Minute) // cannot be: Reload refused it
	}
	next := s.Next(began)
	for next.Before(at) {
		next = s.Next(next)
	}
	if q != nil && q.NextAttempt.After(next) && !waited(q.NextAttempt, at) {
		next = q.NextAttempt
	}
	return next.UTC()
}

// skipped counts the starts of a schedule that fell into a cycle; those beyond a
// thousand are not counted.
func (e *Engine) skipped(j *Job, began, at time.Time) int {
	s, err := parseSchedule(j.Schedule, j.TimeZone)
	if err != nil {
		return 0 // cannot be: Reload refused it
	}
	n := 0
	for next := s.Next(began); next.Before(at) && n < 1000; next = s.Next(next) {
		n++
	}
	return n
}

// due returns when a job's next cycle is due; ok is false for a job that waits
// for somebody to start it.
func (e *Engine) due(ctx context.Context, r *runner) (at time.Time, ok bool, err error) {
	rec, err := e.record(ctx, r.job)
	if err != nil {
		return at, false, err
	}
	if rec.Paused || !rec.Ran && !r.job.AutoStart {
		return at, false, nil
	}
	if !rec.NextStart.IsZero() {
		return later(r.notLater(rec.NextStart, e.latestStart(r.job, &rec)), r.earliest()), true, nil
	}
	last, err := e.lastEnded(ctx, r.job.Name)
	if err != nil || last == nil {
		return now(), err == nil, err
	}
	return e.next(r.job, rec.Quarantine, last.StartedAt, last.StartedAt), true, nil
}

// latestStart is the latest time for which the next start of a job can have been
// planned. A later one comes from a clock that was wrong, or from a schedule that
// has been changed since.
func (e *Engine) latestStart(j *Job, rec *store.Job) time.Time {
	return e.next(j, rec.Quarantine, now(), now())
}

// lastEnded returns the cycle of a job that ended last, nil when none is known.
// The job's record names it: by their times alone a cycle from before the clock
// was set back would stand first.
func (e *Engine) lastEnded(ctx context.Context, job string) (*store.Cycle, error) {
	rec, err := e.store.Job(ctx, job)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if rec.LastCycle != "" {
		named, err := e.store.Cycles(ctx, store.CycleQuery{ID: rec.LastCycle})
		if err != nil {
			return nil, err
		}
		if len(named) > 0 && named[0].Outcome != store.OutcomeRunning {
			return &named[0], nil
		}
	}
	cycles, err := e.store.Cycles(ctx, store.CycleQuery{Job: job, Limit: 5})
	if err != nil {
		return nil, err
	}
	for i := range cycles {
		if cycles[i].Outcome != store.OutcomeRunning {
			return &cycles[i], nil
		}
	}
	return nil, nil
}

// Hasten makes the next cycle of jobs due that wait longer than their schedule
// says, because a connection failed: somebody has just mended what it failed for.
// A job whose pair of tenants is at work is left alone.
func (e *Engine) Hasten(ctx context.Context, jobs []string) {
	for _, name := range jobs {
		r, err := e.runner(name)
		if err != nil {
			continue // no longer configured
		}
		select {
		case r.pair.cycle <- struct{}{}:
		default:
			continue
		}
		if err := e.hasten(ctx, r); err != nil {
			e.log.Error("next start not stored", zap.String("job", name), zap.Error(err))
		}
		<-r.pair.cycle
	}
	e.wake()
}

// hasten moves the next start of a job in quarantine; the pair is locked.
func (e *Engine) hasten(ctx context.Context, r *runner) error {
	rec, err := e.record(ctx, r.job)
	if err != nil || rec.Paused || rec.Quarantine == nil || rec.Quarantine.Reason != string(CodeConnection) {
		return err
	}
	rec.NextStart = now()
	return e.store.Apply(ctx, &store.Batch{Jobs: []store.Job{rec}})
}
