package engine

import (
	"context"
	"sync"
	"time"
)

// runner holds what is going on with one job in this process.
type runner struct {
	job  *Job
	pair *pairLock

	*activity
}

// activity is what goes on with a job just now. A runner that replaces another
// because the configuration was loaded again shares it: the cycle under way and
// provision on demand still have to hear of each other.
type activity struct {
	mu       sync.Mutex
	progress *Progress
	fresh    map[string]bool // read by provision on demand since the stage began
	// notBefore is when a job starts at the earliest whose next start could not be
	// stored.
	notBefore time.Time
	// notAfter is when a job starts at the latest whose stored start lies too far
	// ahead, zero for one whose stored start is believed.
	notAfter time.Time
}

func newActivity() *activity { return &activity{fresh: map[string]bool{}} }

// pairLock lets one cycle at a time work on a pair of tenants, and provision on
// demand in between two of its batches.
type pairLock struct {
	cycle chan struct{}
	turn  turn
}

func newPairLock() *pairLock { return &pairLock{cycle: make(chan struct{}, 1), turn: make(turn, 1)} }

// turn is a lock that is handed on in the order in which it was asked for: who
// provisions on demand gets it after the batch under way, and time may pass
// meanwhile, as it does while a batch waits for the service.
type turn chan struct{}

// Lock waits for the turn; Unlock gives it up.
func (t turn) Lock() { t <- struct{}{} }

// Unlock gives the turn to who has waited longest.
func (t turn) Unlock() { <-t }

func newRunner(j *Job) *runner { return &runner{job: j, activity: newActivity()} }

func (a *activity) setProgress(p *Progress) {
	a.mu.Lock()
	defer a.mu.Unlock()
	copied := *p
	a.progress = &copied
}

// rest notes that no cycle is under way any more.
func (a *activity) rest() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.progress, a.fresh = nil, map[string]bool{}
}

func (a *activity) running() *Progress {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.progress == nil {
		return nil
	}
	copied := *a.progress
	return &copied
}

func (a *activity) isFresh(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fresh[id]
}

// disturbed reports whether provision on demand came in between.
func (a *activity) disturbed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.fresh) > 0
}

func (a *activity) markFresh(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.progress != nil { // a cycle is under way: its stage may be older
		a.fresh[id] = true
	}
}

// wait keeps the schedule from starting the job before the given time; zero: it may.
func (a *activity) wait(until time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notBefore = until
}

// notLater returns when a job is due whose start is stored as planned, and can
// have been planned for latest at most. One that lies further ahead is replaced by
// the latest there was when that was first noticed: asked again later, the job
// does not wait any longer.
func (a *activity) notLater(planned, latest time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !planned.After(latest) {
		a.notAfter = time.Time{}
		return planned
	}
	if a.notAfter.IsZero() || a.notAfter.After(latest) {
		a.notAfter = latest
	}
	return a.notAfter
}

func (a *activity) earliest() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.notBefore
}

func (l *pairLock) lock(ctx context.Context) error {
	select {
	case l.cycle <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
