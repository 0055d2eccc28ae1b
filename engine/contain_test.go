package engine_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/store"
)

// broken is a source that panics while it is told to.
type broken struct {
	engine.Source
	now *atomic.Bool
}

func (b broken) Changes(ctx context.Context, selects []string, link string) (directory.Page, error) {
	if b.now.Load() {
		panic("a fault in the adapter")
	}
	return b.Source.Changes(ctx, selects, link)
}

// A panic ends the cycle and not the daemon: the next cycle goes on.
func TestPanicEndsTheCycleOnly(t *testing.T) {
	story(t, func(w *world) {
		var now atomic.Bool
		now.Store(true)
		w.people(1, 2)
		w.configure(false, func(j *engine.Job) { j.Source, j.AutoStart = broken{j.Source, &now}, true })
		w.daemon(func() {
			w.pass(time.Minute)
			s := w.status()
			if s.LastCycle == nil || s.LastCycle.Outcome != store.OutcomeFailed || s.State != "Quarantine" {
				t.Fatalf("status: got %s, %+v, want a failed cycle and quarantine", s.State, s.LastCycle)
			}
			now.Store(false)
			w.pass(2 * time.Hour)
			if s := w.status(); s.State != "Active" || s.Linked != 2 {
				t.Errorf("two hours later: got %s with %d linked, want Active with 2", s.State, s.Linked)
			}
		})
	})
}

// A cycle longer than the interval leaves starts out, and says how many.
func TestDaemonReportsLag(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 60)
		w.configure(false, func(j *engine.Job) { // six batches of a second each
			j.Schedule, j.AutoStart = "@every 4s", true
			j.Target = slow{j.Target}
		})
		w.daemon(func() {
			w.pass(7 * time.Second)
			s := w.status()
			if s.LastCycle == nil || s.LastCycle.EndedAt.Sub(s.LastCycle.StartedAt) != 6*time.Second || s.SkippedStarts != 1 {
				t.Errorf("after a cycle of 6 s: got %d starts left out by %+v, want 1", s.SkippedStarts, s.LastCycle)
			}
			w.pass(4 * time.Second)
			if got := w.status().SkippedStarts; got != 0 {
				t.Errorf("after a short cycle: got %d starts left out, want none", got)
			}
		})
	})
}
