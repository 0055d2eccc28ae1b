package directory

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrorKind sorts the answers of a directory by what the caller can do.
type ErrorKind uint8

// The kinds of error. Everything above the adapter decides by kind alone.
const (
	// Unknown: not classified; treated as a failure of the object.
	Unknown ErrorKind = iota
	// Throttled: too many requests; try again after RetryAfter.
	Throttled
	// Transient: a passing fault, the request had no effect or can be repeated.
	Transient
	// Ambiguous: the answer was lost; a write may or may not have happened.
	Ambiguous
	// Conflict: a value that must be unique is taken.
	Conflict
	// NotFound: the object does not exist (or is not visible yet).
	NotFound
	// Denied: the app lacks a permission, or the object is protected.
	Denied
	// SignIn: no token could be had, or it was refused.
	SignIn
	// Invalid: the request or a value is refused as such.
	Invalid
	// WatermarkExpired: a delta or next link is no longer accepted.
	WatermarkExpired
	// ForeignLink: a link points outside the configured endpoint.
	ForeignLink
	// QuotaExceeded: the directory takes no more objects.
	QuotaExceeded
	// Malformed: the answer is not what the protocol says.
	Malformed
	// Suspended: the service has stopped this kind of request for the whole
	// tenant; asking again makes it worse, and only its support can lift it.
	Suspended
)

// String returns the kind's name.
func (k ErrorKind) String() string {
	names := [...]string{"unknown", "throttled", "transient", "ambiguous", "conflict", "not found", "denied",
		"sign-in", "invalid", "watermark expired", "foreign link", "quota exceeded", "malformed", "suspended"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Error is a refusal by a directory.
type Error struct {
	Op         string    // what was being done: "invite user", "read delta page"
	Kind       ErrorKind // what can be done about it
	Tenant     string    // the tenant's name in the configuration, or its id
	Status     int       // HTTP status, 0 when there was no answer
	Code       string    // the service's code, e.g. Request_BadRequest
	Message    string    // the service's words
	Property   string    // the property the service names, if any
	ObjectIDs  []string  // other objects the service names (conflicts)
	Permission string    // the permission that is missing, where it is known
	RetryAfter time.Duration
	RequestID  string
	Err        error // cause, e.g. a transport error
}

// Error describes the refusal in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Tenant != "" {
		b.WriteString(" in " + e.Tenant)
	}
	b.WriteString(": ")
	switch {
	case e.Status != 0:
		fmt.Fprintf(&b, "%d", e.Status)
		if e.Code != "" {
			b.WriteString(" " + e.Code)
		}
		if e.Message != "" {
			b.WriteString(": " + e.Message)
		}
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	case e.Message != "":
		b.WriteString(e.Message)
	default:
		b.WriteString(e.Kind.String())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in the chain, Unknown otherwise.
func KindOf(err error) ErrorKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unknown
}
