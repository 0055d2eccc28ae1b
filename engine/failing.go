package engine

import (
	"errors"
	"strconv"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/expr"
	"tenantsync/store"
)

// fail records that an object failed: a log entry and an escrow. It never ends
// the cycle.
func (c *cycle) fail(b *store.Batch, o directory.Object, link *store.Link, step string, code Code, reason string, reference bool) {
	reason = c.veil(o, reason)
	r := c.newRecord(o, link, now()).importStep(o, link != nil)
	name := map[string]string{stepScoping: "EntrySynchronizationScoping", stepMatching: "EntrySynchronizationAdd",
		stepProcessing: "EntrySynchronizationUpdate", stepReference: "EntryReferenceResolution", stepExport: "EntryExportUpdate",
		stepImport: "EntryImport"}[step]
	r.step(name, step, statusFailure, reason)
	c.failed(b, r, o, link, step, code, reason, reference)
}

// failed closes an entry as a failure and puts the object in escrow.
func (c *cycle) failed(b *store.Batch, r *record, o directory.Object, link *store.Link, step string, code Code, reason string, reference bool) {
	at := now()
	if r.entry.Action == logOther { // nothing was begun: it failed at what it was about to do
		r.entry.Action = failedAction(link)
	}
	if reference {
		c.tally.failedReferences++
	} else {
		c.tally.Failed++
	}
	if c.dry {
		c.preview.show(failChange(o, link, code, reason))
		return
	}
	e := c.escrow(o, link, step, code, reason, reference)
	b.PutEscrows = append(b.PutEscrows, e)
	if !reference {
		if c.failedNow == nil {
			c.failedNow = map[idKey]bool{}
		}
		c.failedNow[keyOf(o.ID)] = true
	}
	r.result(statusFailure, code, reason)
	r.entry.StatusInfo.Error.AdditionalDetails = "attempt " + strconv.Itoa(e.Attempts) + ", retried from " + e.Next.Format("2006-01-02 15:04 MST")
	b.Log = append(b.Log, r.done(at))
}

// failedAction is what a user was about to get who failed before anything began.
func failedAction(link *store.Link) string {
	if link == nil || link.TargetID == "" {
		return logCreate
	}
	return logUpdate
}

func (c *cycle) escrow(o directory.Object, link *store.Link, step string, code Code, reason string, reference bool) store.Escrow {
	at := now()
	e := store.Escrow{Job: c.job.Name, SourceID: o.ID, UPN: o.UPN(), Step: step, Code: string(code), Message: reason,
		Reference: reference && !c.valuesWait(o.ID), Attempts: 1, First: at}
	if e.UPN == "" && link != nil {
		e.UPN = link.UPN
	}
	if old := c.escrowOf(o.ID); old != nil && old.Attempts > 0 {
		e.Attempts, e.First = old.Attempts+1, old.First
	}
	e.InScope = link == nil
	e.Next = nextAttempt(code, e.Attempts, e.First, at)
	return e
}

// setInScope says whether the failure that was recorded last counts as a user in
// scope, other than one without a link does by itself.
func setInScope(b *store.Batch, id string, is bool) {
	if n := len(b.PutEscrows); n > 0 && b.PutEscrows[n-1].SourceID == id {
		b.PutEscrows[n-1].InScope = is
	}
}

// dropEscrow forgets an object's failures. The note of provision on demand takes
// their place until its run ends.
func (c *cycle) dropEscrow(b *store.Batch, id string) {
	switch e := c.escrowOf(id); {
	case e == nil:
	case id == c.noted:
		b.PutEscrows = append(b.PutEscrows, c.begun(id, e.UPN))
	default:
		b.DropEscrows = append(b.DropEscrows, e.Key())
	}
}

// valuesWait reports a user of whom something else than a reference failed: what the
// target has of the values is not known then. A manager that could not be written says
// nothing of them, and does not make it forgotten; nor does a mark that the user is to
// be looked at again.
func (c *cycle) valuesWait(id string) bool {
	e := c.escrowOf(id)
	return c.failedNow[keyOf(id)] || e != nil && e.Attempts > 0 && !e.Reference
}

// dropReferenceEscrow forgets that an object's reference failed. What else failed
// waits on: nothing would look at its values again.
func (c *cycle) dropReferenceEscrow(b *store.Batch, id string) {
	if e := c.escrowOf(id); e != nil && e.Reference && !c.failedNow[keyOf(id)] {
		c.dropEscrow(b, id)
	}
}

// failMapping records that a mapping has no value for a user, or one that its
// target refuses, or that it leaves the user out.
func (c *cycle) failMapping(b *store.Batch, j *judged, err error) {
	if errors.Is(err, expr.ErrObjectIgnored) {
		c.leaveOut(b, j, err)
		return
	}
	c.fail(b, j.o, j.link, stepProcessing, c.faultOr(mappingCode(err), j.o.ID, err), err.Error(), false)
}

// mappingCode is the error code of a user for whom a mapping has no value.
func mappingCode(err error) Code {
	var none noUniqueValue
	var f *mapping.Failure
	switch {
	case errors.As(err, &none):
		return CodeNoUniqueValue
	case errors.As(err, &f):
		return CodeAttributeValidation
	}
	return CodeInvalidValue
}

// leaveOut records that a mapping says IgnoreObjectFlow: nothing is written to
// the user, who stays as it is if it is linked.
func (c *cycle) leaveOut(b *store.Batch, j *judged, err error) {
	c.tally.Skipped++
	if j.link == nil {
		c.inScope-- // nobody waits for it
	}
	if c.dry {
		ch := failChange(j.o, j.link, CodeIgnored, err.Error())
		ch.Action = "none"
		c.preview.show(ch)
		return
	}
	c.dropEscrow(b, j.o.ID)
	r := c.newRecord(j.o, j.link, now()).importStep(j.o, j.link != nil)
	r.step("EntrySynchronizationSkip", stepProcessing, statusSkipped, err.Error(), "SkipReason", string(CodeIgnored), "ReportableIdentifier", j.o.UPN())
	b.Log = append(b.Log, r.result(statusSkipped, CodeIgnored, err.Error()).done(now()))
}

// refusal turns an answer of the target tenant into a code and a sentence.
func refusal(err error, creating bool) (Code, string) {
	var e *directory.Error
	if !errors.As(err, &e) {
		return CodeServerError, err.Error()
	}
	what := e.Message
	if what == "" {
		what = e.Error()
	}
	switch e.Kind {
	case directory.Throttled:
		return CodeTooManyRequests, what
	case directory.Transient:
		return CodeServerError, what
	case directory.Ambiguous:
		return CodeTimeout, "the answer was lost: " + what
	case directory.QuotaExceeded:
		return CodeQuotaExceeded, what
	case directory.Denied, directory.Suspended:
		if creating {
			return CodeInvitationForbidden, what
		}
		if strings.Contains(strings.ToLower(what), "restricted management") {
			return CodeRestrictedManagement, what
		}
		return CodeInsufficientRights, what
	case directory.NotFound:
		return CodeInvalidAnchor, what
	case directory.Conflict:
		if creating {
			return CodeAmbiguousUser, what
		}
		return CodeConflict, conflictText(e, what)
	}
	return refusedValue(e, what, creating)
}

func conflictText(e *directory.Error, what string) string {
	if e.Property != "" && !strings.Contains(what, e.Property) {
		what = e.Property + ": " + what
	}
	if len(e.ObjectIDs) > 0 {
		what += " (held by " + strings.Join(e.ObjectIDs, ", ") + ")"
	}
	return what
}

// refusedValue sorts the refusals for which Graph has one generic code.
func refusedValue(e *directory.Error, what string, creating bool) (Code, string) {
	lower := strings.ToLower(what)
	switch {
	case strings.Contains(lower, "originated within an external service"):
		return CodeExternalService, what
	case strings.Contains(lower, "on-premises mastered") || strings.Contains(lower, "synchronized from on-premises"):
		return CodeOnPremises, what
	case creating && (strings.Contains(lower, "already exist") || strings.Contains(lower, "non-external user")):
		return CodeAmbiguousUser, what
	case creating && strings.Contains(lower, "inviter tenant"):
		return CodeInvalidDomain, what
	case creating && (strings.Contains(lower, "invalid") || strings.Contains(lower, "group email") || strings.Contains(lower, "address")):
		return CodeInvalidInvitation, what
	case creating:
		return CodeInvitationFailed, what
	}
	if e.Property != "" && !strings.Contains(what, e.Property) {
		what = e.Property + ": " + what
	}
	return CodeInvalidValue, what
}
