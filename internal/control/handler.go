package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"tenantsync/engine"
	"tenantsync/store"
)

// Bounds of a request. They are generous for what commands send and small
// enough that nobody fills the daemon's memory.
const (
	maxBody       = 1 << 20
	maxHeader     = 16 << 10
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = time.Minute
	shutdownTime  = 25 * time.Second
)

// Options say whom a daemon answers and with what.
type Options struct {
	// Service returns what answers a caller, who was let in.
	Service func(Caller) Service
	// Tokens returns the named tokens that are valid now; nil for none.
	Tokens func() []Token
	// Refused is told of requests that were not let in, or lacked a role; nil for
	// nobody. It must be quick and safe for concurrent use.
	Refused func(c Caller, code string)
	// Log receives failures of single connections; nil for none.
	Log *zap.Logger
}

// Handler serves a Service over HTTP. It is safe for concurrent use.
type Handler struct {
	options Options
	token   string // of the daemon's own making; "" over a unix socket
	tcp     bool
	owner   int // user that may use the socket without a token
	limits  *limits
	mux     *http.ServeMux

	mu      sync.Mutex
	cancels map[string]context.CancelFunc
	early   map[string]bool // cancelled before they began
	ended   context.Context // ends with the daemon
}

// NewHandler returns the handler of a daemon. A token makes it a TCP handler:
// every request must bear it, or a named one, and must name a loopback host.
// Cycles that a request began go on when the client disappears; they end with
// lifetime.
func NewHandler(lifetime context.Context, o Options, token string) *Handler {
	h := &Handler{options: o, token: token, tcp: token != "", owner: os.Geteuid(), limits: newLimits(), mux: http.NewServeMux(),
		cancels: map[string]context.CancelFunc{}, early: map[string]bool{}, ended: lifetime}
	h.routes()
	return h
}

// routes gives every method of the service its path.
func (h *Handler) routes() {
	h.mux.HandleFunc("GET /v1/health", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, health{Product: product, Role: callerOf(r).Role.String()})
	})
	handle(h, "cancel", func(_ context.Context, _ Service, r cancelRequest) (*struct{}, error) {
		h.cancel(r.ID)
		return &struct{}{}, nil
	})
	serve(h, "sync", whenSync, h.sync)
	serve(h, "plan", nil, h.plan)
	handleWhen(h, "provision", whenProvision, Service.Provision)
	handle(h, "status", func(ctx context.Context, s Service, r jobRequest) (*[]engine.JobStatus, error) {
		list, err := s.Status(ctx, r.Job)
		return &list, err
	})
	handle(h, "explain", func(ctx context.Context, s Service, r userRequest) (*engine.Explanation, error) {
		return s.Explain(ctx, r.User, r.Job)
	})
	handle(h, "scopetest", func(ctx context.Context, s Service, r userRequest) (*engine.ScopeTest, error) {
		return s.ScopeTest(ctx, r.User, r.Job)
	})
	handle(h, "approles", func(ctx context.Context, s Service, r userRequest) (*[]string, error) {
		roles, err := s.AppRoles(ctx, r.User, r.Job)
		return &roles, err
	})
	for name, act := range map[string]func(Service, context.Context, string) error{
		"start": Service.Start, "pause": Service.Pause, "restart": Service.Restart,
	} {
		handle(h, name, func(ctx context.Context, s Service, r jobRequest) (*struct{}, error) {
			return &struct{}{}, act(s, ctx, r.Job)
		})
	}
	handle(h, "held", func(ctx context.Context, s Service, r usersRequest) (*engine.Deletions, error) {
		return s.Held(ctx, r.Job, r.Retained)
	})
	handle(h, "allow", func(ctx context.Context, s Service, r usersRequest) (*engine.Deletions, error) {
		return s.Allow(ctx, r.Job, r.Users, r.All)
	})
	handle(h, "reject", func(ctx context.Context, s Service, r usersRequest) (*engine.Deletions, error) {
		return s.Reject(ctx, r.Job, r.Users, r.All)
	})
	handle(h, "retries", func(ctx context.Context, s Service, r usersRequest) (*engine.Retries, error) {
		return s.Retries(ctx, r.Job)
	})
	handle(h, "retrynow", func(ctx context.Context, s Service, r usersRequest) (*engine.Retries, error) {
		return s.RetryNow(ctx, r.Job, r.Users)
	})
	h.stateRoutes()
	handle(h, "logs", func(ctx context.Context, s Service, r logRequest) (*[]logged, error) {
		r.Limit = bounded(r.Limit)
		entries, err := s.Logs(ctx, store.LogQuery(r))
		list := make([]logged, len(entries))
		for i, e := range entries {
			list[i] = logged{e.Seq, e}
		}
		return &list, err
	})
	handle(h, "audit", func(ctx context.Context, s Service, r auditRequest) (*[]store.Audit, error) {
		r.Limit = bounded(r.Limit)
		list, err := s.Audit(ctx, store.AuditQuery(r))
		if list == nil {
			list = []store.Audit{} // null would be no result
		}
		return &list, err
	})
}

// whenSync and whenProvision name the field of a request that changes which role
// it needs; the strictest one counts.
func whenSync(q engine.SyncRequest) string {
	if q.Accept || q.Plan != nil {
		return "accept"
	}
	return ""
}

func whenProvision(q engine.ProvisionRequest) string {
	switch {
	case q.DryRun:
		return "dryRun" // nothing is restored either
	case q.Restore:
		return "restore"
	}
	return ""
}

// handle serves a method with one request and one answer.
func handle[Q, A any](h *Handler, name string, do func(context.Context, Service, Q) (*A, error)) {
	handleWhen(h, name, nil, func(s Service, ctx context.Context, q Q) (*A, error) { return do(ctx, s, q) })
}

// handleWhen is handle for a method whose role depends on the request.
func handleWhen[Q, A any](h *Handler, name string, when func(Q) string, do func(Service, context.Context, Q) (*A, error)) {
	serve(h, name, when, func(w http.ResponseWriter, r *http.Request, s Service, q Q) {
		result, err := do(s, r.Context(), q)
		if err != nil {
			answer(w, http.StatusUnprocessableEntity, envelope[A]{Error: toWire(err)})
			return
		}
		answer(w, http.StatusOK, envelope[A]{Result: result})
	})
}

// serve reads a method's request, and asks for its role before anything is done.
func serve[Q any](h *Handler, name string, when func(Q) string, do func(http.ResponseWriter, *http.Request, Service, Q)) {
	h.mux.HandleFunc("POST /v1/"+name, func(w http.ResponseWriter, r *http.Request) {
		var q Q
		if !read(w, r, &q) {
			return
		}
		field := ""
		if when != nil {
			field = when(q)
		}
		caller := callerOf(r)
		if need := needs(name, field); caller.Role < need {
			h.refuse(w, caller, lacking(name, field, caller, need))
			return
		}
		do(w, r, h.options.Service(caller), q)
	})
}

// read decodes a request's body; false means that it was refused. When all of it
// has come, net/http lifts the deadline for it: what is asked for may take its time.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one document")
		}
	}
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		(&refusal{status: status, code: codeRequest, why: "request body: " + err.Error()}).write(w)
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	// A client that reads nothing holds its connection no longer than this.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	w.WriteHeader(status)
	// A client that is gone cannot be told.
	_ = json.NewEncoder(w).Encode(body)
}
