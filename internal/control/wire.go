package control

import (
	"errors"
	"time"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/store"
)

// The bodies of requests and answers. Requests and results of the engine travel
// as they are; what follows is what they lack.

type jobRequest struct {
	Job string `json:"job"`
}

type userRequest struct {
	User string `json:"user"`
	Job  string `json:"job"`
}

type usersRequest struct {
	Job      string   `json:"job"`
	Users    []string `json:"users,omitempty"`
	All      bool     `json:"all,omitempty"`
	Retained bool     `json:"retained,omitempty"`
}

// maxRecords is how many log entries or administrative acts an answer holds at most:
// the daemon does not gather more of them in memory, and does not hold the state for
// longer, whatever is asked for. Who wants more asks on with the place of the last.
const maxRecords = 1000

// bounded is a limit that is answered; 0 and less ask for everything.
func bounded(limit int) int {
	if limit <= 0 {
		return maxRecords
	}
	return min(limit, maxRecords)
}

// logRequest is a store.LogQuery.
type logRequest struct {
	ID        string    `json:"id,omitempty"`
	Job       string    `json:"job,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Until     time.Time `json:"until,omitzero"`
	User      string    `json:"user,omitempty"`
	Actions   []string  `json:"actions,omitempty"`
	Statuses  []string  `json:"statuses,omitempty"`
	Code      string    `json:"code,omitempty"`
	Cycle     string    `json:"cycle,omitempty"`
	Change    string    `json:"change,omitempty"`
	Limit     int       `json:"limit,omitempty"`
	Follow    bool      `json:"follow,omitempty"`
	AfterSeq  uint64    `json:"afterSeq,omitempty"`
	BeforeSeq uint64    `json:"beforeSeq,omitempty"`
}

// auditRequest is a store.AuditQuery.
type auditRequest struct {
	Since     time.Time `json:"since,omitzero"`
	Until     time.Time `json:"until,omitzero"`
	Actor     string    `json:"actor,omitempty"`
	Act       string    `json:"act,omitempty"`
	Outcome   string    `json:"outcome,omitempty"`
	Job       string    `json:"job,omitempty"`
	Limit     int       `json:"limit,omitempty"`
	Follow    bool      `json:"follow,omitempty"`
	AfterSeq  uint64    `json:"afterSeq,omitempty"`
	BeforeSeq uint64    `json:"beforeSeq,omitempty"`
}

// logged is a log entry with its place in the log, which the record itself does
// not carry and which a follower needs.
type logged struct {
	Seq   uint64      `json:"seq"`
	Entry store.Entry `json:"entry"`
}

// cancelRequest asks for a cycle that an earlier request began to end in an
// orderly way.
type cancelRequest struct {
	ID string `json:"id"`
}

// health is the answer to GET /v1/health.
type health struct {
	Product string `json:"product"`
	Role    string `json:"role"` // of who asked
}

// product is what a daemon calls itself, so that a client is not fooled by
// another program on its port.
const product = "tenantsync"

// envelope is one line of a streamed answer, and the whole of any other one.
type envelope[T any] struct {
	Progress *engine.Progress `json:"progress,omitempty"`
	Result   *T               `json:"result,omitempty"`
	Error    *wireError       `json:"error,omitempty"`
}

// wireError is an error on its way to the client.
type wireError struct {
	engine.Error
	// Sentinel names an error that the caller asks for with errors.Is.
	Sentinel string `json:"sentinel,omitempty"`
}

// sentinels are the errors that keep their identity on the way.
func sentinels() map[string]error {
	return map[string]error{
		"notFound":    store.ErrNotFound,
		"ambiguousId": store.ErrAmbiguousID,
		"format":      store.ErrFormat,
	}
}

// toWire turns any error of a Service into what travels.
func toWire(err error) *wireError {
	w := &wireError{}
	var known *engine.Error
	var graph *directory.Error
	switch {
	case errors.As(err, &known):
		w.Error = *known
		w.Err = nil
	case errors.As(err, &graph):
		w.Error = engine.Error{Class: engine.ClassFailed, Code: graph.Code, Message: err.Error(),
			Permission: graph.Permission, RequestID: graph.RequestID}
		if graph.Kind == directory.SignIn || graph.Kind == directory.Denied {
			w.Class = engine.ClassSignIn
		}
	default:
		w.Error = *engine.AsError(err)
		w.Err = nil
	}
	for name, sentinel := range sentinels() {
		if errors.Is(err, sentinel) {
			w.Sentinel = name
		}
	}
	return w
}

// fromWire turns what travelled into the error that the caller would have had
// from an engine in its own process.
func fromWire(w *wireError) error {
	e := w.Error
	e.Err = sentinels()[w.Sentinel]
	return &e
}
