package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tenantsync/directory"
	"tenantsync/store"
)

// diskFull is the error code of a state that cannot be saved for want of room. The
// job keeps its cadence: no tenant has anything to do with it.
const diskFull = "DiskFull"

// NoRoom is the error of a run that did not begin because of what cause says about
// the disk; action is what to do.
func NoRoom(cause error, action string) *Error {
	return &Error{Class: ClassFailed, Code: diskFull, Message: "there is too little room beside the state file; nothing was begun.",
		Cause: cause.Error(), Action: action, Err: cause}
}

// jobError turns what ended a cycle into what an operator reads: what happened,
// why, what to do, which permission.
func (e *Engine) jobError(j *Job, err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Class: ClassInterrupted, Code: "Interrupted", Message: "the cycle of job " + j.Name + " was interrupted.",
			Cause: "it was asked to stop", Action: "nothing is lost: the next run goes on where this one stopped", Err: err}
	}
	var fault *directory.Fault
	if errors.As(err, &fault) {
		return &Error{Class: ClassFailed, Code: string(CodeFault), Message: "the cycle of job " + j.Name + " failed.", Cause: fault.Error(),
			Action: "report the stack that the program logged; the next cycle goes on where this one stopped", Err: err}
	}
	if errors.Is(err, store.ErrFull) {
		return &Error{Class: ClassFailed, Code: diskFull, Message: "the state of job " + j.Name + " cannot be saved: there is no room.", Cause: err.Error(),
			Action: "make room; what was written to " + j.TargetName + " is not lost: the next cycle looks what became of it and goes on", Err: err}
	}
	var d *directory.Error
	if !errors.As(err, &d) {
		return &Error{Class: ClassFailed, Code: "CycleFailed", Message: "the cycle of job " + j.Name + " failed.", Cause: err.Error(),
			Action: "mend the cause; the next cycle goes on where this one stopped", Err: err}
	}
	if errors.Is(err, errThrottled) {
		return &Error{Class: ClassFailed, Code: string(CodeTooManyRequests), Message: "the cycle of job " + j.Name + " ended early.",
			Cause: tenantOf(j, d) + " takes no more writes for now (" + answer(d) + ")", RequestID: d.RequestID, Err: err,
			Action: "nothing is lost: the next cycle goes on with what is left"}
	}
	out := &Error{Class: ClassFailed, Code: d.Code, Permission: d.Permission, RequestID: d.RequestID, Err: err,
		Message: fmt.Sprintf("cannot %s in %s.", verb(d.Op), tenantOf(j, d)), Cause: answer(d)}
	switch d.Kind {
	case directory.SignIn:
		out.Class = ClassSignIn
		out.Message = "cannot sign in to " + tenantOf(j, d) + "."
		out.Action = "check tenantId, clientId and the secret or certificate of this tenant, then run: tenantsync check " + j.Name
	case directory.Denied:
		out.Class = ClassSignIn
		out.Action = "grant the app the missing application permission and consent to it in " + tenantOf(j, d) + ", wait a minute, then run: tenantsync check " + j.Name
		if d.Permission != "" {
			out.Action = "grant " + d.Permission + " and consent to it in " + tenantOf(j, d) + ", wait a minute, then run: tenantsync check " + j.Name
		}
	case directory.ForeignLink:
		out.Code = "ForeignLink"
		out.Action = "nothing was sent there; check the endpoints of this tenant in the configuration. If they were changed on purpose, run: tenantsync restart " + j.Name
	case directory.Malformed:
		out.Code = "MalformedAnswer"
		out.Action = "nothing was derived from it; run the cycle again, and check proxies between this machine and Graph"
	default:
		out.Action = "the next cycle goes on where this one stopped; to try now: tenantsync sync " + j.Name
		if u, ok := whyUnreached(d, tenantOf(j, d)); ok {
			out.Message, out.Cause = u.message(tenantOf(j, d)), u.cause
			out.Action = u.action + "; to look: tenantsync check " + j.Name + ". The next cycle goes on where this one stopped"
		}
	}
	if out.Code == "" {
		out.Code = strings.ReplaceAll(d.Kind.String(), " ", "")
	}
	return out
}

func verb(op string) string {
	if op == "" {
		return "go on"
	}
	return op
}

func tenantOf(j *Job, d *directory.Error) string {
	if d.Tenant != "" {
		return d.Tenant
	}
	return j.SourceName + " or " + j.TargetName
}

// answer says in words what Graph answered.
func answer(d *directory.Error) string {
	if d.Status == 0 {
		if d.Err != nil {
			return d.Err.Error()
		}
		return d.Message
	}
	s := fmt.Sprintf("Graph answered %d", d.Status)
	if d.Code != "" {
		s += " " + d.Code
	}
	if d.Message != "" {
		s += ": " + d.Message
	}
	return s
}
