package entra

import (
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"sync"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	"go.uber.org/zap"

	"tenantsync/directory"
)

const (
	// maxAttempts and maxPatience bound the repetitions of one request.
	maxAttempts = 8
	maxPatience = 5 * time.Minute
	// maxUnreached bounds the attempts without any answer: a daemon comes back
	// with its next cycle, and a person at a terminal should not wait.
	maxUnreached = 4
	// unnamedPause is how long to wait for a 429 that does not say. Identity
	// services leave Retry-After out at times.
	unnamedPause = 10 * time.Second
)

// patience tells how long to wait before the next attempt. One is used for each
// request or item.
type patience struct {
	attempts  int
	unreached int
	waited    time.Duration
}

// next returns the pause before another attempt after a refusal of the given
// kind, and false when it is enough. A Retry-After is never undercut; jitter
// only lengthens it, so that workers do not return in step.
func (p *patience) next(kind directory.ErrorKind, retryAfter time.Duration, jitter func() float64) (time.Duration, bool) {
	p.attempts++
	if p.attempts >= maxAttempts {
		return 0, false
	}
	pause := retryAfter
	switch {
	case pause > 0:
		pause += time.Duration(jitter() * float64(min(pause/10, time.Second)))
	case kind == directory.Throttled:
		pause = doubled(unnamedPause, p.attempts-1)
		pause += time.Duration(jitter() * float64(pause) / 4)
	default:
		pause = doubled(time.Second, p.attempts-1)
		pause += time.Duration(jitter() * float64(pause) / 2)
	}
	p.waited += pause
	return pause, p.waited <= maxPatience
}

// unanswered is next for a request that got no answer.
func (p *patience) unanswered(jitter func() float64) (time.Duration, bool) {
	if p.unreached++; p.unreached >= maxUnreached {
		return 0, false
	}
	return p.next(directory.Transient, 0, jitter)
}

func doubled(base time.Duration, times int) time.Duration {
	return min(base<<min(times, 10), time.Minute)
}

// sleep waits, or returns the context's error as soon as it is cancelled.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// repeatable reports whether a read may be answered otherwise the next time.
func repeatable(kind directory.ErrorKind) bool {
	return kind == directory.Throttled || kind == directory.Transient
}

// get reads a link, repeating while that may help. The answer has status 200;
// everything else is an error: *directory.Error or the context's.
func (c *Client) get(ctx context.Context, m *Meter, what call, link string) (answer, error) {
	return c.read(ctx, m, what, abs.GET, link, nil)
}

// read is get for any request that can be repeated without harm. The paths are of
// the items of a batch.
func (c *Client) read(ctx context.Context, m *Meter, what call, method abs.HttpMethod, link string, body []byte, paths ...string) (answer, error) {
	var p patience
	for {
		if left := c.reads.left(); left > maxPatience {
			return answer{}, c.stillThrottled(what, left)
		}
		for left := c.lullOf(paths); left > 0; left = c.lullOf(paths) {
			if err := sleep(ctx, left); err != nil {
				return answer{}, err
			}
		}
		ans, err := c.exchange(ctx, m, what, method, link, body)
		if err == nil && ans.status == http.StatusOK {
			return ans, nil
		}
		pause, again, refused := c.judge(&p, m, what, ans, err)
		if !again {
			return answer{}, refused
		}
		c.log.Debug("request repeated", zap.String("tenant", c.name), zap.String("operation", what.op),
			zap.Duration("pause", pause), zap.NamedError("reason", refused))
		if err := sleep(ctx, pause); err != nil {
			return answer{}, err
		}
	}
}

// judge decides about one failed attempt of a read.
func (c *Client) judge(p *patience, m *Meter, what call, ans answer, err error) (pause time.Duration, again bool, refused error) {
	if err != nil {
		var lost *transportError
		var signIn *directory.Error
		switch {
		case errors.As(err, &lost):
			refused = c.unreached(what, lost)
			if errors.Is(err, errTooLarge) || isCertificateError(err) {
				return 0, false, refused
			}
			pause, again = p.unanswered(c.jitter)
			return pause, again, refused
		case errors.As(err, &signIn) && signIn.Kind == directory.Transient && !isCertificateError(err):
			pause, again = p.unanswered(c.jitter)
			return pause, again, err
		}
		return 0, false, err
	}
	r := classify(ans.status, ans.header, ans.body, time.Now())
	if r.kind == directory.Throttled {
		m.throttle()
		c.log.Warn("throttled", zap.String("tenant", c.name), zap.String("operation", what.op),
			zap.Duration("retry_after", r.retryAfter))
	}
	refused = c.fail(what, r)
	if !repeatable(r.kind) {
		return 0, false, refused
	}
	if r.retryAfter > 0 {
		c.reads.hold(r.retryAfter)
	}
	pause, again = p.next(r.kind, r.retryAfter, c.jitter)
	return pause, again, refused
}

// lull is a time during which nobody may call: a Retry-After holds for the app
// in the tenant, not only for the worker that was told.
type lull struct {
	mu    sync.Mutex
	until time.Time
}

// hold lengthens the lull so that it lasts at least d from now.
func (l *lull) hold(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.until) {
		l.until = until
	}
}

// left returns how long the lull still lasts, 0 when it is over.
func (l *lull) left() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, time.Until(l.until))
}

// mostLulls is how many lulls are kept before those that are over are dropped.
const mostLulls = 1024

// itemLulls are the reads that nobody may repeat for a while: a Retry-After of one
// item of a batch holds for that item, whoever asks for it.
type itemLulls struct {
	mu    sync.Mutex
	until map[string]time.Time // by path and query
}

// hold keeps a read back for at least d from now.
func (l *itemLulls) hold(path string, d time.Duration) {
	if d <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if len(l.until) >= mostLulls {
		maps.DeleteFunc(l.until, func(_ string, until time.Time) bool { return !until.After(now) })
	}
	if l.until == nil {
		l.until = map[string]time.Time{}
	}
	if until := now.Add(d); until.After(l.until[path]) {
		l.until[path] = until
	}
}

// left returns how long a read must still wait, 0 when it need not.
func (l *itemLulls) left(path string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, time.Until(l.until[path]))
}

// lullOf returns how long a request with these items must still wait.
func (c *Client) lullOf(paths []string) time.Duration {
	left := c.reads.left()
	for _, path := range paths {
		left = max(left, min(maxPatience, c.items.left(path)))
	}
	return left
}

// stillThrottled is the error of a call that is not made, because the service
// asked for more time than a caller should be kept waiting.
func (c *Client) stillThrottled(what call, left time.Duration) *directory.Error {
	return &directory.Error{Op: what.op, Kind: directory.Throttled, Tenant: c.name, RetryAfter: left,
		Message: "the service asked for no calls within the next " + left.Round(time.Second).String()}
}

// unreached makes the error of a read that got no answer.
func (c *Client) unreached(what call, lost *transportError) *directory.Error {
	kind := directory.Transient
	if errors.Is(lost.err, errTooLarge) {
		kind = directory.Malformed
	}
	return &directory.Error{Op: what.op, Kind: kind, Tenant: c.name, Err: lost.err}
}

// never is an upper bound for times that lie in no foreseeable future.
const never = time.Duration(math.MaxInt64)
