package engine

import (
	"context"

	"tenantsync/directory"
	"tenantsync/store"
)

// preflight finds out, before the first create of a cycle, whether the target takes
// any: what the circuit remembers, and then what the target's policies say. What
// they forbid is a matter of the job, not of each user.
func (c *cycle) preflight(ctx context.Context) error {
	if c.checked {
		return nil
	}
	c.checked = true
	o, err := c.circuit(ctx)
	if err != nil {
		return err
	}
	if o != nil && !c.mayProbe(o) {
		c.blocked = circuitError(o)
		return nil
	}
	p, err := c.job.Target.Policy(ctx, c.job.Pair.Source)
	switch directory.KindOf(err) {
	case directory.Denied, directory.NotFound, directory.Unknown:
		if err != nil && directory.KindOf(err) == directory.Unknown {
			return err
		}
		if err != nil {
			return nil // not readable for this app: the invitations will tell
		}
	default:
		return err
	}
	switch {
	case p.AllowInvitesFrom == "none" || p.AllowInvitesFrom == "adminsAndGuestInviters":
		c.blocked = &Error{Class: ClassSignIn, Code: string(CodeInvitationForbidden),
			Message: "cannot invite users into " + c.job.TargetName + ".",
			Cause:   "the tenant's authorization policy allows invitations from: " + p.AllowInvitesFrom,
			Action: "in " + c.job.TargetName + ", under External collaboration settings, let member users invite guests" +
				" (allowInvitesFrom: adminsGuestInvitersAndAllMembers or everyone), then run: tenantsync check " + c.job.Name}
	case p.InboundBlocked:
		c.blocked = &Error{Class: ClassSignIn, Code: "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure",
			Message: "cannot invite users into " + c.job.TargetName + ".",
			Cause:   "its cross-tenant access policy blocks B2B collaboration from " + c.job.SourceName,
			Action:  "in " + c.job.TargetName + ", allow inbound B2B collaboration for tenant " + c.job.Pair.Source + ", then run: tenantsync check " + c.job.Name}
	}
	return nil
}

// shelve puts users that cannot be created in this cycle, for a reason that is
// none of theirs, where the next cycle finds them, without an entry for each.
func (x *exporter) shelve(ctx context.Context, part []*item) error {
	c := x.c
	b := &store.Batch{}
	for _, it := range part {
		o, err := c.objectAt(ctx, it.at)
		if err != nil {
			return err
		}
		if c.escrowOf(it.id) != nil && c.escrowOf(it.id).Attempts > 0 {
			continue
		}
		b.PutEscrows = append(b.PutEscrows, c.shelved(o, true))
	}
	return x.commit(ctx, b)
}

// shelved is the escrow of a user who waits until the target takes invitations.
func (c *cycle) shelved(o directory.Object, inScope bool) store.Escrow {
	code := CodeInvitationForbidden
	if is := Code(AsError(c.blocked).Code); is == CodeInvitationsBlocked || is == CodeQuotaExceeded {
		code = is
	}
	return store.Escrow{Job: c.job.Name, SourceID: o.ID, UPN: o.UPN(), Step: stepExport, Code: string(code), Message: c.blocked.Error(),
		InScope: inScope, Attempts: 1, First: c.began, Next: c.began}
}
