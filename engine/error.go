package engine

import (
	"errors"
	"strings"
)

// ErrorClass says which exit code an [Error] leads to.
type ErrorClass string

// The classes of errors.
const (
	ClassFailed      ErrorClass = "failed"      // exit 1
	ClassSignIn      ErrorClass = "signIn"      // exit 4: sign-in or a missing permission
	ClassUsage       ErrorClass = "usage"       // exit 64: unknown job or user
	ClassInterrupted ErrorClass = "interrupted" // exit 130
)

// Error is what an operator sees: what happened, why, what to do, and which
// permission is missing.
type Error struct {
	Class      ErrorClass `json:"class,omitempty"`
	Code       string     `json:"code,omitempty"`
	Message    string     `json:"message"`
	Cause      string     `json:"cause,omitempty"`
	Action     string     `json:"action,omitempty"`
	Permission string     `json:"permission,omitempty"`
	RequestID  string     `json:"requestId,omitempty"`
	Err        error      `json:"-"`
}

// Error returns what happened and why, in one line.
func (e *Error) Error() string {
	if e.Cause == "" {
		return e.Message
	}
	return strings.TrimSuffix(e.Message, ".") + ": " + e.Cause
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// AsError returns the *Error in the chain, or one that wraps err as a failure.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Class: ClassFailed, Code: "Failed", Message: err.Error(), Err: err}
}
