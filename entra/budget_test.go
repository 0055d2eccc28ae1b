package entra_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tenantsync/entra"
)

// worstWindow returns the most writes in any 10 seconds.
func worstWindow(at []time.Time) int {
	worst := 0
	for i := range at {
		n := 0
		for j := i; j < len(at) && at[j].Sub(at[i]) < 10*time.Second; j++ {
			n++
		}
		worst = max(worst, n)
	}
	return worst
}

// Writers of several jobs share a budget; the service takes each write up at some
// moment between its start and its answer.
func TestBudgetIsNeverExceededInAnyWindow(t *testing.T) {
	for _, rate := range []float64{0.01, 0.15, 1, 7.77, 18, 500} {
		seed := rand.Uint64()
		t.Logf("rate %v seed %d", rate, seed)
		synctest.Test(t, func(t *testing.T) {
			b := entra.NewBudget(rate)
			limit := max(1, int(rate*10))
			var mu sync.Mutex
			var at []time.Time
			var wg sync.WaitGroup
			for w := range 3 {
				rng := rand.New(rand.NewPCG(seed, uint64(w)))
				wg.Go(func() {
					for range 40 {
						n, done, err := b.Wait(t.Context(), 1+rng.IntN(20))
						if err != nil {
							t.Error(err)
							return
						}
						before := time.Duration(rng.Int64N(int64(2 * time.Second)))
						time.Sleep(before)
						mu.Lock()
						for range n {
							at = append(at, time.Now())
						}
						mu.Unlock()
						time.Sleep(time.Duration(rng.Int64N(int64(2 * time.Second))))
						done()
						done() // a second call counts nothing
					}
				})
			}
			wg.Wait()
			if worst := worstWindow(at); worst > limit {
				t.Errorf("rate %v: got %d writes within 10s, want at most %d", rate, worst, limit)
			}
		})
	}
}

func TestBudgetIsUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := entra.NewBudget(18)
		start, total := time.Now(), 0
		for total < 1800 {
			n, done, err := b.Wait(t.Context(), 20)
			if err != nil {
				t.Fatal(err)
			}
			total += n
			done()
		}
		// 180 at once, then 180 every 10 s: the last of 1800 begin after 90 s.
		if took := time.Since(start); took != 90*time.Second {
			t.Errorf("1800 writes at 18/s took %v, want 1m30s", took)
		}
	})
}

func TestBudgetHasAlwaysRoomForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, rate := range []float64{0.001, 0, -5} {
			b := entra.NewBudget(rate)
			if n, done, err := b.Wait(t.Context(), 20); err != nil || n != 1 {
				t.Errorf("rate %v: got %d, %v, want 1", rate, n, err)
			} else {
				done()
			}
		}
	})
}

func TestBudgetObeysRetryAfterAndSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := entra.NewBudget(100)
		if got := b.Capacity(); got != 1000 {
			t.Fatalf("capacity: got %d, want 1000", got)
		}
		b.Throttled(42 * time.Second)
		b.Throttled(time.Second) // a shorter pause does not end the longer one
		start := time.Now()
		_, done, err := b.Wait(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		done()
		if waited := time.Since(start); waited != 42*time.Second {
			t.Errorf("waited %v, want 42s", waited)
		}
		// 42 s after the slow-down one step of the way back is done.
		if got := b.Capacity(); got != 800 {
			t.Errorf("capacity after a 429: got %d, want 800", got)
		}
		time.Sleep(10 * time.Minute)
		if got := b.Capacity(); got != 1000 {
			t.Errorf("capacity long after: got %d, want 1000", got)
		}
		for range 50 {
			b.Slow()
			time.Sleep(2 * time.Second)
		}
		if got := b.Capacity(); got < 100 || got > 400 {
			t.Errorf("capacity under lasting 429s: got %d, want 100 to 400", got)
		}
	})
}

func TestBudgetWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := entra.NewBudget(0.1)
		if _, _, err := b.Wait(t.Context(), 1); err != nil { // in flight for ever
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, _, err := b.Wait(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}

// What somebody else spent a moment ago counts until it leaves the window.
func TestBudgetCountsWhatWasSpentBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := entra.NewBudget(2)
		b.Spent(100, time.Now().Add(-4*time.Second)) // more than fits counts as full
		b.Spent(5, time.Now().Add(-time.Minute))
		b.Spent(5, time.Now().Add(time.Hour))
		began := time.Now()
		n, done, err := b.Wait(t.Context(), 20)
		if err != nil {
			t.Fatal(err)
		}
		done()
		if waited := time.Since(began); waited != 6*time.Second || n != 20 {
			t.Errorf("got %d writes after %s, want 20 after 6 s", n, waited)
		}
	})
}
