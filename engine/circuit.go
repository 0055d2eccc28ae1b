package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"tenantsync/directory"
	"tenantsync/store"
)

// A target that refuses invitations as such (it suspects abuse, it is full, the
// app lost its permission) opens the circuit: no further invitation in this cycle,
// and none later until a single one, the probe, goes through. Updates, disables
// and deletes go on at the pace of the schedule, and whoever waits to be invited
// waits without an entry of his own.

// probeSteps is how long after each refusal in a row the next probe is due: with
// the next cycle, then stepwise to once a day.
var probeSteps = [...]time.Duration{0, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour}

// opened returns the record of a circuit that a refusal has opened, or has kept
// open. It is pure.
func opened(before *store.Circuit, e *Error, at time.Time) *store.Circuit {
	out := &store.Circuit{Code: e.Code, Message: e.Message, Cause: e.Cause, Action: e.Action, Permission: e.Permission, Since: at, Series: 1}
	if before != nil {
		out.Since, out.Series = before.Since, before.Series+1
	}
	out.Probe = at.Add(probeSteps[min(out.Series, len(probeSteps))-1])
	return out
}

// circuitError is what an operator reads while the circuit is open.
func circuitError(o *store.Circuit) *Error {
	return &Error{Class: circuitClass(o.Code), Code: o.Code, Message: o.Message, Cause: o.Cause, Action: o.Action, Permission: o.Permission}
}

// circuitClass tells what nobody but an administrator of the target can lift from
// a target that is full: for the latter the job is in quarantine, and that is all.
func circuitClass(code string) ErrorClass {
	if code == string(CodeQuotaExceeded) {
		return ClassFailed
	}
	return ClassSignIn
}

// stopsInviting returns the error of the job when a refused invitation says that
// none will be taken, nil when it may be a matter of the one user.
func (c *cycle) stopsInviting(err error) *Error {
	var d *directory.Error
	if !errors.As(err, &d) {
		return nil
	}
	switch d.Kind {
	case directory.Suspended:
		return &Error{Class: ClassSignIn, Code: string(CodeInvitationsBlocked), RequestID: d.RequestID, Err: err,
			Message: "cannot invite users into " + c.job.TargetName + ": Microsoft has blocked its invitations.",
			Cause:   answer(d),
			Action: "open a support request with Microsoft from " + c.job.TargetName + " (Entra ID, external identities, invitations blocked for suspicious activity;" +
				" give the request id). When they have lifted it: tenantsync retries now " + c.job.Name}
	case directory.QuotaExceeded:
		return &Error{Class: ClassFailed, Code: string(CodeQuotaExceeded), RequestID: d.RequestID, Err: err,
			Message: "cannot create users in " + c.job.TargetName + ": its directory is full.",
			Cause:   answer(d),
			Action: "in " + c.job.TargetName + ", delete objects (the recycle bin counts for a quarter) or ask Microsoft for a higher quota, then run: tenantsync retries now " +
				c.job.Name}
	case directory.Denied:
		// One refusal may be about one user; a batch's worth in a row is not.
		if c.tally.refusedInvitations >= batchSize || c.tally.written == 0 {
			e := *c.engine.jobError(c.job, err)
			e.Message = "cannot invite users into " + c.job.TargetName + "."
			return &e
		}
	}
	return nil
}

// judgeInvitations looks at the outcome of one batch of invitations: it opens the
// circuit, or closes it when one went through.
func (x *exporter) judgeInvitations(ctx context.Context, done []directory.Written) error {
	c := x.c
	var stop *Error
	taken := false
	for i := range done {
		switch {
		case done[i].Err == nil:
			c.tally.refusedInvitations, taken = 0, true
		case directory.KindOf(done[i].Err) == directory.Denied:
			c.tally.refusedInvitations++
		}
		if e := c.stopsInviting(done[i].Err); e != nil && (stop == nil || stop.Code != string(CodeInvitationsBlocked)) {
			stop = e
		}
	}
	switch {
	case stop != nil:
		c.blocked, c.late = stop, c.tally.written > 0
		c.log.Error("invitations stopped", zap.String("code", stop.Code), zap.String("reason", stop.Error()), zap.String("action", stop.Action))
		return c.setCircuit(ctx, opened(c.rec.Circuit, stop, now()))
	case taken && c.rec.Circuit != nil:
		return c.setCircuit(ctx, nil)
	}
	return nil
}

// setCircuit stores the circuit at once: a process that is killed after it must
// not knock again.
func (c *cycle) setCircuit(ctx context.Context, o *store.Circuit) error {
	rec, err := c.engine.record(ctx, c.job)
	if err != nil {
		return err
	}
	rec.Circuit, c.rec.Circuit = o, o
	return c.st.Apply(context.WithoutCancel(ctx), &store.Batch{Jobs: []store.Job{rec}})
}

// circuit returns what is stored of it: provision on demand may have been the
// probe while a cycle was under way.
func (c *cycle) circuit(ctx context.Context) (*store.Circuit, error) {
	rec, err := c.engine.record(ctx, c.job)
	if err != nil {
		return nil, err
	}
	c.rec.Circuit = rec.Circuit
	return rec.Circuit, nil
}

// inviteAtOnce is how many are invited together: while the circuit is open, the
// first one alone is the probe.
func (c *cycle) inviteAtOnce() int {
	if c.rec.Circuit != nil {
		return 1
	}
	return batchSize
}

// waitsForTarget reports a user who waits because the target takes no
// invitations, and not because of anything of his own.
func waitsForTarget(e *store.Escrow) bool {
	switch Code(e.Code) {
	case CodeInvitationForbidden, CodeInvitationsBlocked, CodeQuotaExceeded:
		return e.Step == stepExport && e.Attempts > 0
	}
	return false
}

// mustWait reports that those who wait for the target to take invitations have to
// go on waiting: they are not even read then.
func (c *cycle) mustWait(ctx context.Context) (bool, error) {
	if c.dry || !slices.ContainsFunc(c.waiting.Escrows, func(e store.Escrow) bool { return waitsForTarget(&e) }) {
		return false, nil
	}
	err := c.preflight(ctx)
	return c.blocked != nil, err
}

// mayProbe reports whether an invitation may be tried. A missing permission is
// mended by the one who then runs a cycle by hand, and asking again does no harm.
func (c *cycle) mayProbe(o *store.Circuit) bool {
	harmless := o.Code != string(CodeInvitationsBlocked) && o.Code != string(CodeQuotaExceeded)
	return waited(o.Probe, now()) || harmless && c.request.Trigger == "command"
}

// blockedReason is why the job is in quarantine when creates are impossible.
func (c *cycle) blockedReason() Code {
	if code := Code(AsError(c.blocked).Code); code == CodeInvitationsBlocked || code == CodeQuotaExceeded {
		return code
	}
	return CodeConnection
}

// blockedOutcome is how a cycle ended in which creates were impossible. That the
// target would take none after it had taken some is no failure of the whole.
func (c *cycle) blockedOutcome() store.Outcome {
	switch {
	case c.late:
		return store.OutcomePartial
	case AsError(c.blocked).Class == ClassSignIn:
		return store.OutcomeFailed
	}
	return store.OutcomeQuarantine
}

// keepCircuit brings the circuit of the job's record up to date at the end of a
// cycle; it has no sense any more when nobody waits.
func (c *cycle) keepCircuit(ctx context.Context, waiting *store.Waiting) error {
	o, err := c.circuit(ctx)
	if o != nil && c.blocked == nil && !slices.ContainsFunc(waiting.Escrows, func(e store.Escrow) bool { return waitsForTarget(&e) }) {
		c.rec.Circuit = nil
	}
	return err
}
