package crashpoint

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"

	"tenantsync/store"
)

// Crasher counts the points that a process passes and ends it at one of them. It
// is safe for concurrent use.
type Crasher struct {
	at    target
	trace *os.File // nil: none
	end   func()

	mu     sync.Mutex
	passed map[string]int
}

// FromEnvironment returns what the variables At and Trace ask for. Its error is
// an unknown point or a trace that cannot be written.
func FromEnvironment(lookup func(string) (string, bool)) (*Crasher, error) {
	at, _ := lookup(At)
	t, err := parse(at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", At, err)
	}
	c := &Crasher{at: t, end: kill, passed: map[string]int{}}
	if path, _ := lookup(Trace); path != "" {
		if c.trace, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
			return nil, fmt.Errorf("%s: %w", Trace, err)
		}
	}
	return c, nil
}

// kill ends this process as SIGKILL does, and does not return.
func kill() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill() // on its failure the process stops here, which the test notices
	}
	select {}
}

// pass notes one point and ends the process if it is the one.
func (c *Crasher) pass(side, step, name string) {
	point := side + "-" + step + ":" + name
	c.mu.Lock()
	defer c.mu.Unlock() // nobody passes another point while the process ends
	c.passed[point]++
	if c.trace != nil {
		fmt.Fprintf(c.trace, "%s:%d\n", point, c.passed[point])
	}
	if c.at.point == point && c.at.nth == c.passed[point] {
		c.end()
	}
}

// Store returns s with a point before and after each commit.
func (c *Crasher) Store(s store.Store) store.Store { return crashingStore{s, c} }

type crashingStore struct {
	store.Store
	c *Crasher
}

// Apply implements store.Store.
func (s crashingStore) Apply(ctx context.Context, b *store.Batch) error {
	name := OfBatch(b)
	s.c.pass(Before, "commit", name)
	err := s.Store.Apply(ctx, b)
	s.c.pass(After, "commit", name)
	return err
}

// Transport returns t with a point before each request is sent and after its
// answer has begun to arrive.
func (c *Crasher) Transport(t http.RoundTripper) http.RoundTripper { return crashingTransport{t, c} }

type crashingTransport struct {
	http.RoundTripper
	c *Crasher
}

// RoundTrip implements http.RoundTripper.
func (t crashingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close() // read to its end
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	name := OfRequest(r.Method, r.URL.Path, body)
	t.c.pass(Before, "request", name)
	resp, err := t.RoundTripper.RoundTrip(r)
	t.c.pass(After, "request", name)
	return resp, err
}
