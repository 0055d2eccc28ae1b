package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/internal/config"
	"tenantsync/internal/control"
	"tenantsync/store"
)

// The exit codes. They are public interface: scripts rely on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitPending     = 2
	exitSomeFailed  = 3
	exitSignIn      = 4
	exitHeld        = 5
	exitUnreachable = 6
	exitUsage       = 64
	exitConfig      = 78
	exitInterrupted = 130
)

// exitMeanings returns what each exit code means, as help and documents say it.
func exitMeanings() map[int]string {
	return map[int]string{
		exitDone:        "done",
		exitFailed:      "failed",
		exitPending:     "changes pending (only with --detailed-exitcode)",
		exitSomeFailed:  "finished, but some objects failed",
		exitSignIn:      "sign-in failed or a permission is missing",
		exitHeld:        "job in quarantine, or deletions wait for approval",
		exitUnreachable: "daemon not reachable, or state file held by another process",
		exitUsage:       "wrong usage",
		exitConfig:      "configuration invalid",
		exitInterrupted: "interrupted; the state is consistent, the next run goes on",
	}
}

// errInterrupted is the cause of a context that a signal cancelled. It is like
// [context.Canceled]: net/http and others return the cause in the place of that.
var errInterrupted error = interruption{}

type interruption struct{}

// Error names the cause.
func (interruption) Error() string { return "interrupted" }

// Is reports that work was cancelled.
func (interruption) Is(target error) bool { return target == context.Canceled }

// exitStatus ends a command with a code when everything there is to say has been
// said already.
type exitStatus int

// Error names the code.
func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// exitWith returns the error that ends a command with code, nil for 0.
func exitWith(code int) error {
	if code == exitDone {
		return nil
	}
	return exitStatus(code)
}

// usageError is a command line that cannot be carried out.
type usageError struct {
	Message string
	Action  string // what to type instead
	// File, Line and Column are the place of a mistake in a file that was given.
	File         string
	Line, Column int
}

// Error returns what is wrong.
func (e *usageError) Error() string { return e.Message }

// usagef returns a usage error with advice that may be empty.
func usagef(action, format string, args ...any) error {
	return &usageError{Message: fmt.Sprintf(format, args...), Action: action}
}

// interrupted turns the error of a command whose context was cancelled into the
// one that tells so. A command that already decided its exit code keeps it.
func interrupted(ctx context.Context, err error) error {
	var status exitStatus
	switch {
	case err == nil, errors.As(err, &status):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, io.ErrUnexpectedEOF):
	default:
		if e := (*engine.Error)(nil); !errors.As(err, &e) || e.Class != engine.ClassInterrupted {
			return err
		}
	}
	message := "interrupted."
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		message = "the time given with --timeout is over."
	}
	return &engine.Error{
		Class: engine.ClassInterrupted, Code: "Interrupted", Message: message,
		Action: "nothing is lost: run the same command again, it goes on where this one stopped", Err: err,
	}
}

// exitCode returns the code that an error ends the process with.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	var (
		status  exitStatus
		usage   *usageError
		schema  *schemaError
		invalid *config.Invalid
		missing *configError
		known   *engine.Error
	)
	switch {
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage), errors.As(err, &schema):
		return exitUsage
	case errors.As(err, &invalid), errors.As(err, &missing):
		return exitConfig
	case errors.Is(err, control.ErrUnreachable), errors.Is(err, store.ErrLocked):
		return exitUnreachable
	case errors.As(err, &known):
		return classCode(known.Class)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return exitInterrupted
	case directory.KindOf(err) == directory.SignIn, directory.KindOf(err) == directory.Denied:
		return exitSignIn
	}
	return exitFailed
}

// classCode returns the exit code of a class of engine errors.
func classCode(c engine.ErrorClass) int {
	switch c {
	case engine.ClassSignIn:
		return exitSignIn
	case engine.ClassUsage:
		return exitUsage
	case engine.ClassInterrupted:
		return exitInterrupted
	}
	return exitFailed
}
