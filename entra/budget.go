package entra

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// BudgetWindow is the span over which a budget counts.
const BudgetWindow = 10 * time.Second

const window = BudgetWindow

const (
	// slowdown is what a 429 leaves of the rate, floor the least that is left.
	slowdown = 0.7
	floor    = 0.1
	// recovery is how long an undisturbed budget waits before it raises its rate
	// by raise.
	recovery = 30 * time.Second
	raise    = 0.1
)

// Budget bounds the writes of one app in one tenant: at most 10 × writesPerSecond
// in any 10 seconds, though always room for one. All targets that write with the
// same app into the same tenant share one. It slows down when the service
// throttles and recovers slowly. It is safe for concurrent use.
//
// A write counts from the moment it may begin until 10 seconds after its answer:
// when the service takes it up in between is not known here, and two writes that
// left 10 seconds apart may arrive closer together.
type Budget struct {
	full int // writes in a window at full rate

	mu      sync.Mutex
	flying  int           // reserved, not answered yet
	landed  []landing     // answered within the last window, oldest first
	used    int           // writes in landed
	share   float64       // of the full rate, after throttling
	changed time.Time     // when share was last changed
	paused  time.Time     // no write begins before this time
	wake    chan struct{} // closed and replaced when room may have come
}

type landing struct {
	at     time.Time
	writes int
}

// NewBudget returns a budget of so many writes a second.
func NewBudget(writesPerSecond float64) *Budget {
	full := 1
	if writesPerSecond > 0 {
		full = max(1, int(math.Floor(min(writesPerSecond*window.Seconds(), 1e9))))
	}
	return &Budget{full: full, share: 1, wake: make(chan struct{})}
}

// Capacity returns the most writes that can ever be reserved at once now.
func (b *Budget) Capacity() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.capacity(time.Now())
}

func (b *Budget) capacity(now time.Time) int {
	if steps := now.Sub(b.changed) / recovery; b.share < 1 && steps > 0 {
		b.share = min(1, b.share+raise*float64(steps))
		b.changed = b.changed.Add(steps * recovery)
	}
	return max(1, int(float64(b.full)*b.share+1e-9))
}

// Wait returns when n writes may begin, or with the context's error. More than
// the capacity is never granted: n is cut to it, and granted says how many it
// is. The caller calls done, once, when the answer is there or will not come.
func (b *Budget) Wait(ctx context.Context, n int) (granted int, done func(), err error) {
	for {
		granted, pause, wake := b.take(n)
		if granted > 0 {
			return granted, sync.OnceFunc(func() { b.land(granted) }), nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-wake:
		case <-ctx.Done():
			timer.Stop()
			return 0, nil, ctx.Err()
		}
		timer.Stop()
	}
}

// take reserves n writes, or says how long to wait before it is worth asking
// again.
func (b *Budget) take(n int) (granted int, pause time.Duration, wake <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	capacity := b.capacity(now)
	n = max(1, min(n, capacity))
	b.forget(now)
	if pause := b.paused.Sub(now); pause > 0 {
		return 0, pause, b.wake
	}
	if b.flying+b.used+n <= capacity {
		b.flying += n
		return n, 0, nil
	}
	// Enough is free when the oldest landings have left the window. If writes in
	// flight stand in the way, their landing wakes us.
	pause = never
	free := capacity - b.flying - b.used
	for _, l := range b.landed {
		if free += l.writes; free >= n {
			pause = l.at.Add(window).Sub(now)
			break
		}
	}
	if b.share < 1 {
		pause = min(pause, recovery)
	}
	return 0, max(pause, time.Millisecond), b.wake
}

// forget drops the landings that have left the window.
func (b *Budget) forget(now time.Time) {
	gone := 0
	for gone < len(b.landed) && now.Sub(b.landed[gone].at) >= window {
		b.used -= b.landed[gone].writes
		gone++
	}
	if gone > 0 {
		b.landed = append(b.landed[:0], b.landed[gone:]...)
	}
}

func (b *Budget) land(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flying -= n
	b.used += n
	b.landed = append(b.landed, landing{time.Now(), n})
	b.rouse()
}

// Spent says that n writes of this budget were answered at that time by somebody
// else who has ended since, such as a process before this one. Times to come and
// those past the window count for nothing.
func (b *Budget) Spent(n int, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if n <= 0 || at.After(now) || now.Sub(at) >= window {
		return
	}
	n = min(n, b.full)
	b.used += n
	i := 0
	for i < len(b.landed) && !b.landed[i].at.After(at) {
		i++
	}
	b.landed = slices.Insert(b.landed, i, landing{at, n})
}

func (b *Budget) rouse() {
	close(b.wake)
	b.wake = make(chan struct{})
}

// Throttled says that the service refused the whole of a request: no write of
// this budget begins before retryAfter is over, and the rate goes down.
func (b *Budget) Throttled(retryAfter time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if until := now.Add(retryAfter); until.After(b.paused) {
		b.paused = until
	}
	b.slow(now)
}

// Paused returns how long no write may begin, 0 when it may.
func (b *Budget) Paused() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, time.Until(b.paused))
}

// Slow says that the service refused single writes: the rate goes down.
func (b *Budget) Slow() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slow(time.Now())
}

// slow lowers the rate, once for what is most likely the same congestion.
func (b *Budget) slow(now time.Time) {
	b.capacity(now)
	if b.share < 1 && now.Sub(b.changed) < time.Second {
		return
	}
	b.share = max(floor, b.share*slowdown)
	b.changed = now
}
