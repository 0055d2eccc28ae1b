package control

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"tenantsync/engine"
)

// requestID is the header by which a client can later cancel what it began.
const requestID = "Tenantsync-Request"

// maxEarly bounds how many cancellations are kept that came before the request
// they are for, and maxID how long an id is; clients draw 26 characters.
const (
	maxEarly = 1000
	maxID    = 64
)

// sync streams a cycle. The cycle outlives the connection: a client that
// disappears, as with a lost terminal, does not stop half-way what an
// administrator wanted done. One that means to stop it says so with /v1/cancel.
func (h *Handler) sync(w http.ResponseWriter, r *http.Request, s Service, q engine.SyncRequest) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	defer context.AfterFunc(h.ended, cancel)()
	defer h.remember(r.Header.Get(requestID), cancel)()
	stream(w, func(report func(engine.Progress)) (*engine.SyncResult, error) {
		result, err := s.Sync(ctx, q, report)
		return &result, err
	})
}

// plan streams a dry run, which nobody needs once its reader is gone.
func (h *Handler) plan(w http.ResponseWriter, r *http.Request, s Service, q engine.PlanRequest) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer h.remember(r.Header.Get(requestID), cancel)()
	stream(w, func(report func(engine.Progress)) (*engine.PlanResult, error) {
		return s.Plan(ctx, q, report)
	})
}

// remember makes a running request known to /v1/cancel until it ends.
func (h *Handler) remember(id string, cancel context.CancelFunc) (forget func()) {
	if id == "" {
		return func() {}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.early[id] {
		delete(h.early, id)
		cancel()
	}
	h.cancels[id] = cancel
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.cancels, id)
	}
}

// cancel ends a running request in an orderly way. Its answer comes at once; the
// request itself answers when its writes are finished and saved.
func (h *Handler) cancel(id string) {
	h.mu.Lock()
	cancel := h.cancels[id]
	if cancel == nil && id != "" && len(id) <= maxID && len(h.early) < maxEarly {
		h.early[id] = true
	}
	h.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// stream answers with progress lines and a last line. Progress may come from
// several goroutines, also after the result: nothing follows the last line.
func stream[A any](w http.ResponseWriter, do func(func(engine.Progress)) (*A, error)) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	var (
		mu    sync.Mutex
		ended bool
	)
	encoder, flush := json.NewEncoder(w), http.NewResponseController(w)
	_ = flush.SetWriteDeadline(time.Now().Add(writeTimeout))
	_ = flush.Flush() // the client knows now that its request is being worked on
	line := func(e envelope[A], last bool) {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return
		}
		// A client that is gone, or stopped reading, misses the rest; the work goes on
		// and does not wait for it.
		_ = flush.SetWriteDeadline(time.Now().Add(writeTimeout))
		ended = encoder.Encode(e) != nil || flush.Flush() != nil || last
	}
	result, err := do(func(p engine.Progress) { line(envelope[A]{Progress: &p}, false) })
	if err != nil {
		line(envelope[A]{Error: toWire(err)}, true)
		return
	}
	line(envelope[A]{Result: result}, true)
}
