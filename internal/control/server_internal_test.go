package control

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tenantsync/engine"
	"tenantsync/internal/token"
)

// pipes is a listener in the process, so that a test's clock decides how long
// things take.
type pipes struct {
	waiting chan net.Conn
	closed  chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

// Dial returns when the connection is accepted.
func (p *pipes) Dial() net.Conn {
	client, server := net.Pipe()
	p.waiting <- server
	return client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.waiting:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// serving runs a daemon's control interface over pipes until the test ends.
func serving(t *testing.T, o Options) *pipes {
	t.Helper()
	p := newPipes()
	s := &Server{listener: p, token: "right", clean: func() {}}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, o) }()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return p
}

// nobody is a service that must not be asked.
func nobody(Caller) Service { return nil }

// Whoever begins a request and does not go on gives the connection back soon: one
// who is not let in cannot hold all that there are.
func TestAClientThatSendsNothingMoreIsCutOff(t *testing.T) {
	const right = "Authorization: Bearer right\r\nContent-Type: application/json\r\n"
	for name, c := range map[string]struct {
		sent string
		most time.Duration
	}{
		"nothing":                      {"", 10 * time.Second},
		"half a header":                {"POST /v1/status HTTP/1.1\r\nHost: 127", 10 * time.Second},
		"a body of one refused":        {"POST /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n", 30 * time.Second},
		"one drop of it":               {"POST /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{", 30 * time.Second},
		"chunks of one refused":        {"POST /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n", 30 * time.Second},
		"a body":                       {"POST /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n" + right + "Content-Length: 9\r\n\r\n{", 30 * time.Second},
		"a body that is none":          {"POST /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n" + right + "Content-Length: 9\r\n\r\nx", 30 * time.Second},
		"a body for nobody":            {"POST /v1/nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n" + right + "Content-Length: 9\r\n\r\n{", 30 * time.Second},
		"a body where none belongs":    {"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n" + right + "Content-Length: 9\r\n\r\n", 30 * time.Second},
		"no second request":            {"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n" + right + "\r\n", idleTimeout},
		"half a second one":            {"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n" + right + "\r\nGET /v1", 10 * time.Second},
		"a header larger than allowed": {"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + strings.Repeat("x", 32<<10), time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := serving(t, Options{Service: nobody}).Dial()
				began := time.Now()
				go func() { _, _ = io.WriteString(client, c.sent) }() // the rest of what is cut off is not taken
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					_, _ = io.Copy(io.Discard, client)
				}()
				select {
				case <-ended:
				case <-time.After(time.Hour):
					t.Error("the connection is still there after an hour")
				}
				if took := time.Since(began); took > c.most+time.Second {
					t.Errorf("the connection was held for %s, want at most %s", took, c.most)
				}
				_ = client.Close()
			})
		})
	}
}

// What is asked for may take as long as it takes once it has been said.
func TestALongAnswerIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := serving(t, Options{Service: func(Caller) Service { return slow{takes: time.Hour} }}).Dial()
		defer client.Close()
		go func() {
			_, _ = io.WriteString(client, "POST /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer right\r\n"+
				"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
		}()
		response, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != 200 || !strings.Contains(string(body), "result") {
			t.Errorf("got %s %q, %v, want the answer", response.Status, body, err)
		}
	})
}

// slow is a service whose Status takes its time.
type slow struct {
	Service
	takes time.Duration
}

func (s slow) Status(ctx context.Context, _ string) ([]engine.JobStatus, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(s.takes):
		return []engine.JobStatus{}, nil
	}
}

// Connections are bounded, and each that ends makes room for one.
func TestConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := serving(t, Options{Service: nobody})
		first := p.Dial()
		for range maxConnections - 1 {
			defer p.Dial().Close()
		}
		accepted := make(chan net.Conn, 2)
		for range 2 {
			go func() { accepted <- p.Dial() }()
		}
		synctest.Wait()
		if got := len(accepted); got != 0 {
			t.Errorf("with %d connections open, %d more were accepted, want 0", maxConnections, got)
		}
		_ = first.Close()
		synctest.Wait()
		if got := len(accepted); got != 1 {
			t.Errorf("after one was closed %d were accepted, want 1", got)
		}
		time.Sleep(11 * time.Second) // those who say nothing are cut off
		synctest.Wait()
		if got := len(accepted); got != 2 {
			t.Errorf("after those who said nothing were cut off %d were accepted, want 2", got)
		}
		for range 2 {
			_ = (<-accepted).Close()
		}
	})
}

// A caller's requests under way are bounded, another caller's are not by them, and
// each that ends makes room for one.
func TestRequestsUnderWayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHandler(t.Context(), Options{Service: func(Caller) Service { return slow{takes: time.Minute} }}, "right")
		status := func() int {
			r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/v1/status", strings.NewReader("{}"))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer right")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		codes := make(chan int, maxRunning)
		for range maxRunning {
			go func() { codes <- status() }()
		}
		synctest.Wait()
		if got := status(); got != http.StatusTooManyRequests {
			t.Errorf("request %d while the others run: got %d, want 429", maxRunning+1, got)
		}
		if wait, end := h.limits.begin("somebody else"); wait != 0 {
			t.Errorf("another caller waits %s, want no wait", wait)
		} else {
			end()
		}
		for range maxRunning {
			if got := <-codes; got != 200 {
				t.Errorf("one of the first %d: got %d, want 200", maxRunning, got)
			}
		}
		if got := status(); got != 200 {
			t.Errorf("after they ended: got %d, want 200", got)
		}
	})
}

// Cancelling what is not there yet keeps little, whatever is sent.
func TestEarlyCancellationsAreBounded(t *testing.T) {
	h := NewHandler(t.Context(), Options{}, "right")
	h.cancel(strings.Repeat("x", maxBody))
	if got := len(h.early); got != 0 {
		t.Errorf("kept %d ids of a megabyte, want 0", got)
	}
	for i := range 2 * maxEarly {
		h.cancel(fmt.Sprint(i))
	}
	if got := len(h.early); got != maxEarly {
		t.Errorf("kept %d ids, want %d", got, maxEarly)
	}
}

// An empty token is none, even where somebody made a hash of nothing.
func TestNothingIsNoToken(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/v1/status", strings.NewReader("{}"))
	for _, header := range []string{"Bearer ", "Bearer", "Basic eDp5"} {
		h := NewHandler(t.Context(), Options{Service: nobody, Tokens: func() []Token { return []Token{hashOfNothing()} }}, "right")
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%q: got %d, want 401", header, w.Code)
		}
	}
}

// Without a token a socket serves the user of the daemon and root, whatever its mode
// lets through, and a port nobody.
func TestOthersNeedATokenAlsoOverTheSocket(t *testing.T) {
	h := NewHandler(t.Context(), Options{Service: nobody}, "")
	h.owner = 1000
	for _, c := range []struct {
		from peer
		in   bool
	}{{peer{uid: 1000, known: true}, true}, {peer{uid: 0, known: true}, true}, {peer{uid: 1001, known: true}, false}, {peer{}, true}} {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/v1/status", strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		caller, refused := h.admit(r.WithContext(context.WithValue(r.Context(), peerKey{}, c.from)))
		if in := refused == nil; in != c.in || in != (caller.Role == Approver) {
			t.Errorf("%+v: let in %v with the role %s, want %v", c.from, in, caller.Role, c.in)
		}
	}
}

func hashOfNothing() Token {
	return Token{Name: "empty", Role: Approver, Hashes: []token.Digest{token.Hash("")}}
}
