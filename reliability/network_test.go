package reliability_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strings"
	"time"
)

var errHost = errors.New("no such host")

// network is the way of one process to the tenants. Each request is under way
// for a time made from its content and the seed, so that of several requests
// under way at once it is settled which one arrives first.
type network struct {
	p     *process
	next  http.RoundTripper
	asked pauses
}

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, w := r.Context(), n.p.w
	if r.URL.Scheme != w.base.Scheme || r.URL.Host != w.base.Host {
		w.violate("nothing is sent to another host", "%s %s", r.Method, r.URL.Host)
		return nil, errHost
	}
	if err := n.gone(r); err != nil {
		return nil, err
	}
	body, err := take(r)
	if err != nil {
		return nil, err
	}
	n.asked.check(w, r, body)
	pause := time.NewTimer(w.latency(r, body))
	select {
	case <-pause.C:
	case <-ctx.Done():
		pause.Stop()
		return nil, ctx.Err()
	}
	if err := n.gone(r); err != nil {
		return nil, err
	}
	number := w.request()
	lost := false
	for _, s := range w.due(onRequest, number) {
		switch s.Do {
		case "crash before request":
			w.note("CRASH before request %d, %s %s", number, r.Method, short(r))
			n.p.die()
			return nil, errDead
		case "crash after request":
			lost = true
		default:
			w.act(s)
		}
	}
	resp, err := n.next.RoundTrip(r)
	if lost {
		w.note("CRASH after request %d, %s %s", number, r.Method, short(r))
		n.p.die()
		return nil, errDead
	}
	w.answered(number, r, body, resp, err)
	if err != nil {
		w.unanswered()
	} else {
		var b bytes.Buffer
		if resp.ContentLength > 0 {
			b.Grow(int(resp.ContentLength) + bytes.MinRead)
		}
		_, rerr := b.ReadFrom(resp.Body)
		answer := b.Bytes()
		_ = resp.Body.Close() // of a simulation: it has nothing to say
		n.asked.note(r, body, resp, answer)
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(answer), failing{rerr}))
	}
	return resp, err
}

// gone refuses the requests of a process that has died and of one that stops.
func (n *network) gone(r *http.Request) error {
	if n.p.dead.Load() {
		return errDead
	}
	return r.Context().Err()
}

// take reads a body and puts it back.
func take(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	if cerr := r.Body.Close(); err == nil {
		err = cerr
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}

// latency is how long a request is under way: 2 to 34 ms.
func (w *world) latency(r *http.Request, body []byte) time.Duration {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %s %s ", w.script.Seed, r.Method, r.URL.RequestURI()) // a hash takes everything
	_, _ = h.Write(body)
	return 2*time.Millisecond + time.Duration(h.Sum64()%uint64(32*time.Millisecond))
}

// short is a request's path without the host, long ids and long queries.
func short(r *http.Request) string {
	path := strings.TrimPrefix(r.URL.Path, "/v1.0")
	if q := r.URL.RawQuery; q != "" {
		if i := strings.IndexByte(q, '='); i > 0 {
			path += "?" + q[:i]
		}
	}
	return path
}

// failing is the end of a body: the error with which it was cut off, if any.
type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}
