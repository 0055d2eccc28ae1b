package control

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"tenantsync/engine"
	"tenantsync/store"
)

// Bounds of a request. They are generous for what commands send and small
// enough that nobody fills the daemon's memory.
const (
	maxBody      = 1 << 20
	maxHeader    = 16 << 10
	bodyTimeout  = 30 * time.Second
	idleTimeout  = time.Minute
	shutdownTime = 25 * time.Second
)

// Handler serves a Service over HTTP. It is safe for concurrent use.
type Handler struct {
	service Service
	token   string // "" over a unix socket, where the file's mode decides
	tcp     bool
	mux     *http.ServeMux

	mu      sync.Mutex
	cancels map[string]context.CancelFunc
	early   map[string]bool // cancelled before they began
	ended   context.Context // ends with the daemon
}

// NewHandler returns the handler of a daemon. A token makes it a TCP handler:
// every request must bear it and must name a loopback host. Cycles that a
// request began go on when the client disappears; they end with lifetime.
func NewHandler(lifetime context.Context, s Service, token string) *Handler {
	h := &Handler{service: s, token: token, tcp: token != "", mux: http.NewServeMux(),
		cancels: map[string]context.CancelFunc{}, early: map[string]bool{}, ended: lifetime}
	h.routes()
	return h
}

// routes gives every method of the service its path.
func (h *Handler) routes() {
	s := h.service
	h.mux.HandleFunc("GET /v1/health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, health{Product: product})
	})
	h.mux.HandleFunc("POST /v1/cancel", h.cancel)
	h.mux.HandleFunc("POST /v1/sync", h.sync)
	h.mux.HandleFunc("POST /v1/plan", h.plan)
	handle(h, "provision", s.Provision)
	handle(h, "status", func(ctx context.Context, r jobRequest) (*[]engine.JobStatus, error) {
		list, err := s.Status(ctx, r.Job)
		return &list, err
	})
	handle(h, "explain", func(ctx context.Context, r userRequest) (*engine.Explanation, error) {
		return s.Explain(ctx, r.User, r.Job)
	})
	handle(h, "scopetest", func(ctx context.Context, r userRequest) (*engine.ScopeTest, error) {
		return s.ScopeTest(ctx, r.User, r.Job)
	})
	handle(h, "approles", func(ctx context.Context, r userRequest) (*[]string, error) {
		roles, err := s.AppRoles(ctx, r.User, r.Job)
		return &roles, err
	})
	for name, act := range map[string]func(context.Context, string) error{
		"start": s.Start, "pause": s.Pause, "restart": s.Restart,
	} {
		handle(h, name, func(ctx context.Context, r jobRequest) (*struct{}, error) {
			return &struct{}{}, act(ctx, r.Job)
		})
	}
	handle(h, "held", func(ctx context.Context, r usersRequest) (*engine.Deletions, error) {
		return s.Held(ctx, r.Job, r.Retained)
	})
	handle(h, "allow", func(ctx context.Context, r usersRequest) (*engine.Deletions, error) {
		return s.Allow(ctx, r.Job, r.Users, r.All)
	})
	handle(h, "reject", func(ctx context.Context, r usersRequest) (*engine.Deletions, error) {
		return s.Reject(ctx, r.Job, r.Users, r.All)
	})
	handle(h, "retries", func(ctx context.Context, r usersRequest) (*engine.Retries, error) {
		return s.Retries(ctx, r.Job)
	})
	handle(h, "retrynow", func(ctx context.Context, r usersRequest) (*engine.Retries, error) {
		return s.RetryNow(ctx, r.Job, r.Users)
	})
	handle(h, "logs", func(ctx context.Context, r logRequest) (*[]logged, error) {
		entries, err := s.Logs(ctx, store.LogQuery(r))
		list := make([]logged, len(entries))
		for i, e := range entries {
			list[i] = logged{e.Seq, e}
		}
		return &list, err
	})
}

// ServeHTTP lets in who may come in and refuses everybody else.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if status, why := h.admit(r); status != 0 {
		refuse(w, status, why)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	h.mux.ServeHTTP(w, r)
}

// admit returns 0 for a request that may go on. No browser has business here: a
// request with an Origin comes from a page, and a Host that is not loopback from
// a name that somebody pointed at this machine.
func (h *Handler) admit(r *http.Request) (status int, why string) {
	if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
		return http.StatusForbidden, "requests of web pages are refused"
	}
	if h.tcp {
		if !loopbackHost(r.Host) {
			return http.StatusMisdirectedRequest, "the Host header does not name a loopback address"
		}
		given := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(given), []byte(h.token)) != 1 {
			w := "the bearer token is missing or wrong; the daemon keeps it beside its state file"
			return http.StatusUnauthorized, w
		}
	}
	if r.Method == http.MethodPost {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			return http.StatusUnsupportedMediaType, "the body must be application/json"
		}
	}
	return 0, ""
}

// loopbackHost reports whether a Host header names this machine's loopback.
func loopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// handle serves a method with one request and one answer.
func handle[Q, A any](h *Handler, name string, do func(context.Context, Q) (*A, error)) {
	h.mux.HandleFunc("POST /v1/"+name, func(w http.ResponseWriter, r *http.Request) {
		var q Q
		if !read(w, r, &q) {
			return
		}
		result, err := do(r.Context(), q)
		if err != nil {
			answer(w, http.StatusUnprocessableEntity, envelope[A]{Error: toWire(err)})
			return
		}
		answer(w, http.StatusOK, envelope[A]{Result: result})
	})
}

// read decodes a request's body; false means that it was refused.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	// A client that sends its body drop by drop does not hold a connection for
	// ever; without deadline support (tests) the size limit still holds.
	limits := http.NewResponseController(w)
	_ = limits.SetReadDeadline(time.Now().Add(bodyTimeout))
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one document")
		}
	}
	_ = limits.SetReadDeadline(time.Time{})
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		refuse(w, status, "request body: "+err.Error())
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that is gone cannot be told.
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, envelope[struct{}]{Error: &wireError{
		Error: engine.Error{Class: engine.ClassFailed, Code: "ControlRefused", Message: "the daemon refused the request.", Cause: why},
	}})
}
