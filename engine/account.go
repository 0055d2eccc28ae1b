package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tenantsync/directory"
	"tenantsync/store"
)

// Topics of an explanation's sentences.
const (
	topicScope   = "scope"
	topicLink    = "link"
	topicOwner   = "owner"
	topicBlock   = "block"
	topicRefused = "refused"
	topicPending = "pending"
	topicHeld    = "held"
	topicFailure = "failure"
	topicRetry   = "retry"
)

// account gives an account of one user, sentence by sentence: scope, link and
// what comes of it, what waits, what failed.
type account struct {
	e       *Engine
	j       *Job
	o       directory.Object
	v       verdict
	link    *store.Link // nil: none
	waiting store.Waiting
	ran     bool // a cycle of the job has ended
	rec     *store.Job
	out     *Explanation
}

func (a *account) tell() {
	a.scope()
	if a.link == nil {
		a.unlinked()
	} else {
		a.linked()
	}
	a.held()
	a.heldChange()
	a.failed()
}

// say adds a sentence. What is quoted in it may end with a period of its own.
func (a *account) say(topic, format string, args ...any) {
	s := strings.TrimRight(fmt.Sprintf(format, args...), ". \n") + "."
	a.out.Reasons = append(a.out.Reasons, strings.ToUpper(s[:1])+s[1:])
	a.out.Topics = append(a.out.Topics, topic)
}

// advise adds what to do about a code to a sentence.
func advise(code string) string { return remark(Advice(code)) }

// remark makes a text the next sentence.
func remark(text string) string {
	if text == "" {
		return ""
	}
	return ". " + strings.ToUpper(text[:1]) + text[1:]
}

// sayDate is a day as sentences have it.
func sayDate(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func (a *account) scope() {
	switch {
	case a.v.err != nil:
		a.say(topicScope, "whether the user is in scope could not be told: %s%s", a.v.reason, advise(string(CodeFilterFailed)))
	case !a.v.inScope():
		a.say(topicScope, "the user is not in scope: %s", a.v.reason)
	case a.v.state == sourceActive:
		a.say(topicScope, "the user is in scope: %s", a.through())
	case a.link == nil:
		a.say(topicScope, "the user would be in scope (%s), but %s: who is disabled when first seen is created once enabled", a.through(), a.v.reason)
	default:
		a.say(topicScope, "the user is in scope (%s); %s, and is therefore disabled in %s", a.through(), a.v.reason, a.j.TargetName)
	}
}

// through says by what a user is in scope, and of filters only where there are any.
func (a *account) through() string {
	s := "assigned through " + a.v.through
	if label := a.v.decision.Label(); label != "" {
		s += ", and " + label + " is true"
	}
	return s
}

func (a *account) unlinked() {
	switch {
	case !a.v.inScope() || a.v.state != sourceActive:
		a.say(topicLink, "no user of %s was created or adopted for it", a.j.TargetName)
	case !a.ran:
		a.say(topicLink, "it is not linked, because no cycle of the job has ended yet; to begin: tenantsync sync %s", a.j.Name)
	case a.failing() != nil:
		a.say(topicLink, "no user of %s is linked to it, because that failed", a.j.TargetName)
	case !a.j.Actions.Create:
		a.say(topicLink, "no user of %s is linked to it, and none is created: targetObjectActions lacks create", a.j.TargetName)
	default:
		a.say(topicLink, "no user of %s is linked to it yet: the next cycle finds or creates one", a.j.TargetName)
	}
}

func (a *account) linked() {
	l, target := a.link, a.j.TargetName
	switch l.State {
	case store.LinkDeleted:
		a.say(topicLink, "its target user %s was deleted by tenantsync on %s, and is restored if the user comes back into scope within 30 days", l.TargetID, sayDate(l.DeletedAt))
		return
	case store.LinkMissing:
		a.say(topicLink, "its target user %s was deleted in %s by somebody else, which is left so; to undo: tenantsync provision %s --restore", l.TargetID, target, l.UPN)
		return
	}
	origin := "which was there before"
	if l.Invited != "" {
		origin = "which was invited as " + a.j.invitedAs(l.Invited)
	}
	a.say(topicLink, "it is linked to target user %s in %s, %s", l.TargetID, target, origin)
	if l.Creating {
		a.say(topicPending, "the invitation was sent, but not all attributes have been written: the next cycle does it")
	}
	a.owner()
	if l.BlockedInTarget {
		a.say(topicBlock, "sign-in was blocked by hand in %s, which is kept%s", target, advise(string(CodeBlockedInTarget)))
	}
	if len(l.Refused) > 0 {
		a.say(topicRefused, "%s refuses changes of %s; they are tried again by the next initial cycle", target, strings.Join(l.Refused, ", "))
	}
	switch {
	case l.State == store.LinkRetained:
		a.say(topicHeld, "its deletion was rejected on %s: it stays, unless it is deleted in %s or leaves scope anew", sayDate(l.DeletedAt), a.j.SourceName)
	case l.State == store.LinkActive && l.Job == a.j.Name && !a.v.inScope() && a.v.err == nil:
		a.leaving()
	}
}

// owner tells of another job that owns the link.
func (a *account) owner() {
	switch owner := a.link.Job; {
	case owner == a.j.Name:
	case a.e.keeps(a.link, a.j.Name):
		a.say(topicOwner, "job %s, which stands before this one in the configuration, owns the link and keeps the user in sync", owner)
	case a.v.inScope():
		a.say(topicOwner, "job %s owns the link; this job takes it over in its next cycle", owner)
	default:
		a.say(topicOwner, "job %s owns the link", owner)
	}
}

// leaving says what becomes of a linked user out of scope.
func (a *account) leaving() {
	switch {
	case a.v.hold != "":
		a.say(topicPending, "the next cycle holds the deletion that follows%s", advise(string(a.v.hold)))
	case a.j.Deprovision == DeprovisionNone:
		a.say(topicPending, "it stays in %s, because deprovision is none", a.j.TargetName)
	case a.j.Deprovision == DeprovisionDisable && !a.link.LeftScopeAt.IsZero() && a.j.DeleteAfter > 0:
		a.say(topicPending, "it was disabled when it left scope, and is deleted after %s", sayDate(a.link.LeftScopeAt.Add(a.j.DeleteAfter)))
	case a.j.Deprovision == DeprovisionDisable && !a.link.LeftScopeAt.IsZero():
		a.say(topicPending, "it was disabled when it left scope on %s", sayDate(a.link.LeftScopeAt))
	case a.j.Deprovision == DeprovisionDisable:
		a.say(topicPending, "the next cycle disables it in %s, unless another job wants the user", a.j.TargetName)
	case !a.j.Actions.Delete:
		a.say(topicPending, "it stays in %s, because targetObjectActions lacks delete", a.j.TargetName)
	default:
		a.say(topicPending, "the next cycle deletes it from %s, unless the deletion is held or another job wants the user", a.j.TargetName)
	}
}

func (a *account) held() {
	for i := range a.waiting.Holds {
		if h := &a.waiting.Holds[i]; h.SourceID == a.o.ID {
			why := h.Reason
			if h.Message != "" && h.Message != a.v.reason {
				why += ", " + strings.TrimRight(h.Message, ".")
			}
			a.say(topicHeld, "its deletion waits for approval since %s: %s%s", sayDate(h.Since), why, strings.ReplaceAll(advise(h.Reason), "JOB", a.j.Name))
		}
	}
}

// heldChange tells of a create or update that waits for an approval.
func (a *account) heldChange() {
	if a.rec == nil || a.rec.Quarantine == nil || len(a.rec.Held) == 0 {
		return
	}
	for _, kind := range []byte("caurm") {
		if _, found := slices.BinarySearch(a.rec.Held, markOf(a.o.ID, kind)); found {
			q := a.rec.Quarantine
			a.say(topicHeld, "its change is held with %d others since %s: %s, %s%s", len(a.rec.Held)-1, sayDate(q.Since), q.Reason, q.Message,
				strings.ReplaceAll(advise(q.Reason), "JOB", a.j.Name))
			return
		}
	}
}

// failing returns the failure the user waits with, nil when there is none.
func (a *account) failing() *store.Escrow {
	for i := range a.waiting.Escrows {
		if x := &a.waiting.Escrows[i]; x.SourceID == a.o.ID && x.Attempts > 0 {
			return x
		}
	}
	return nil
}

// failed tells of the last failure: one that is tried again, else one that the
// last log entry reports.
func (a *account) failed() {
	if x := a.failing(); x != nil {
		view := retryView(x)
		a.out.Retry = &view
		times := "the last attempt"
		if x.Attempts > 1 {
			times = fmt.Sprintf("%d attempts since %s failed, the last one", x.Attempts, sayDate(x.First))
		}
		a.say(topicFailure, "%s failed with %s: %s%s", times, x.Code, strings.TrimRight(x.Message, "."), a.remedy(x.Code, x.Message))
		a.say(topicRetry, "it is tried again by the first cycle after %s; at once: tenantsync provision %s", sayDate(x.Next), a.name())
		return
	}
	c := a.out.LastChange
	if c == nil || c.StatusInfo.Error == nil || c.StatusInfo.Status != statusFailure && c.StatusInfo.Status != statusWarning {
		return
	}
	a.say(topicFailure, "its last change, on %s, ended as %s %s: %s%s", sayDate(c.ActivityDateTime), c.StatusInfo.Status, c.StatusInfo.Error.Code,
		strings.TrimRight(c.StatusInfo.Error.Reason, "."), a.remedy(c.StatusInfo.Error.Code, c.StatusInfo.Error.Reason))
}

// remedy adds what to do about a failure: what its log entry recommends, which may
// know more than the code does, else what is said of the code.
func (a *account) remedy(code, reason string) string {
	if c := a.out.LastChange; c != nil && c.StatusInfo.Error != nil && c.StatusInfo.Error.Code == code && c.StatusInfo.Error.Reason == reason {
		return remark(c.StatusInfo.Error.RecommendedAction)
	}
	return advise(code)
}

func (a *account) name() string {
	if upn := a.out.User.UPN; upn != "" {
		return upn
	}
	return a.out.User.ID
}
