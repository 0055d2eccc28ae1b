package engine

import (
	"context"
	"errors"

	"tenantsync/directory"
	"tenantsync/store"
)

// preflight reads the target's policies before the first create of a cycle: what
// they forbid is a matter of the job, not of each user.
func (x *exporter) preflight(ctx context.Context) error {
	if x.policy {
		return nil
	}
	x.policy = true
	c := x.c
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

// forbidden stops inviting when the tenant refuses invitations altogether.
func (x *exporter) forbidden() {
	c := x.c
	if c.tally.denied == 0 || c.tally.written > 0 || c.blocked != nil {
		return
	}
	var e *directory.Error
	if errors.As(c.tally.firstDenied, &e) {
		c.blocked = c.engine.jobError(c.job, c.tally.firstDenied)
	}
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
		b.PutEscrows = append(b.PutEscrows, store.Escrow{Job: c.job.Name, SourceID: it.id, UPN: o.UPN(), Step: stepExport,
			Code: string(CodeInvitationForbidden), Message: c.blocked.Error(), InScope: true, Attempts: 1, First: c.began, Next: c.began})
	}
	return x.commit(ctx, b)
}
