package control

import (
	"sync"
	"time"
)

// What one caller may ask for. The client of this package waits when it is told
// to, so that these bounds slow a script down and break nothing.
const (
	requestsPerSecond = 20
	requestBurst      = 100
	// maxRunning is how many requests of one caller may be under way.
	maxRunning = 32
	// failuresPerSecond and failureBurst are the bounds of all requests together
	// that bear a wrong token or none. Whoever bears a right one is not slowed by them.
	failuresPerSecond = 1
	failureBurst      = 20
)

// bucket is a token bucket that need not be told when nothing happens.
type bucket struct {
	perSecond float64
	burst     float64
	left      float64
	at        time.Time
}

func newBucket(perSecond, burst float64) *bucket {
	return &bucket{perSecond: perSecond, burst: burst, left: burst}
}

// take takes one, or returns how long it will be until there is one.
func (b *bucket) take(now time.Time) (wait time.Duration) {
	if passed := now.Sub(b.at).Seconds(); !b.at.IsZero() && passed > 0 {
		b.left = min(b.burst, b.left+passed*b.perSecond)
	}
	b.at = now
	if b.left >= 1 {
		b.left--
		return 0
	}
	return time.Duration((1 - b.left) / b.perSecond * float64(time.Second))
}

// limits are the bounds of all callers. It is safe for concurrent use; callers
// are as many as tokens and users of the machine, so the map stays small.
type limits struct {
	mu       sync.Mutex
	callers  map[string]*allowance
	failures *bucket
}

// allowance is what one caller has left.
type allowance struct {
	*bucket
	running int
}

func newLimits() *limits {
	return &limits{callers: map[string]*allowance{}, failures: newBucket(failuresPerSecond, failureBurst)}
}

// fail counts a request that bears no valid token.
func (l *limits) fail() (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failures.take(time.Now())
}

// begin counts a request of a caller. Unless it has to wait, end is called when
// the request has been answered.
func (l *limits) begin(caller string) (wait time.Duration, end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.callers[caller]
	if a == nil {
		a = &allowance{bucket: newBucket(requestsPerSecond, requestBurst)}
		l.callers[caller] = a
	}
	if a.running >= maxRunning {
		return time.Second, nil
	}
	if wait := a.take(time.Now()); wait > 0 {
		return wait, nil
	}
	a.running++
	return 0, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		a.running--
	}
}
