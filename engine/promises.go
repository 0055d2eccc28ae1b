package engine

import (
	"sync"
	"time"
)

// promiseLife is how long a value stays promised. The target may take minutes
// until its look-ups show a value that was written; an hour is on the safe side.
const promiseLife = time.Hour

type promised struct{ target, attribute, value string }

type promisedTo struct{ source, id string }

// promises are values that users were promised and that look-ups in the target
// may not show yet. They are shared by all jobs and provision on demand. The zero
// value is ready to use; it is safe for concurrent use.
type promises struct {
	mu    sync.Mutex
	given map[promised]promisedUntil
	swept time.Time
}

type promisedUntil struct {
	to    promisedTo
	until time.Time
}

// give promises a value and reports whether that could be done.
func (p *promises) give(what promised, to promisedTo, at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.freeFor(what, to, at) {
		return false
	}
	if p.given == nil {
		p.given = map[promised]promisedUntil{}
	}
	if at.Sub(p.swept) > promiseLife {
		for k, v := range p.given {
			if at.After(v.until) {
				delete(p.given, k)
			}
		}
		p.swept = at
	}
	p.given[what] = promisedUntil{to, at.Add(promiseLife)}
	return true
}

// release takes a promise back.
func (p *promises) release(what promised, to promisedTo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.given[what].to == to {
		delete(p.given, what)
	}
}

// free reports whether a value could be promised.
func (p *promises) free(what promised, to promisedTo, at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.freeFor(what, to, at)
}

func (p *promises) freeFor(what promised, to promisedTo, at time.Time) bool {
	have, given := p.given[what]
	return !given || have.to == to || at.After(have.until)
}
