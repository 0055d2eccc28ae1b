package engine

import (
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/store"
)

// nameDeleted looks, for invitations that were refused because the address is
// taken, whether a user in the recycle bin has it: Graph's answer speaks of a user
// that nobody finds. A user whom another synchronization deleted, or this one
// before its state was lost, is restored by hand; then matching links the user.
func (x *exporter) nameDeleted(ctx context.Context, taken []*change, b *store.Batch) error {
	if len(taken) == 0 {
		return nil
	}
	c := x.c
	addresses := make([]string, len(taken))
	for i, ch := range taken {
		addresses[i] = ch.address
	}
	bin, err := c.job.Target.DeletedLookup(ctx, addresses, targetSelects(c.job))
	if err != nil && endsCycle(ctx, err) {
		return err
	}
	for _, ch := range taken {
		at := slices.IndexFunc(bin, func(o directory.Object) bool { return slices.Contains(o.Addresses(), ch.address) })
		if at < 0 {
			continue
		}
		reason := "the invitation of " + ch.address + " was refused: the address belongs to user " + bin[at].ID + ", who is deleted in " + c.job.TargetName
		readvise(b, ch.o.ID, c.veil(ch.o, reason), "restore that user in "+c.job.TargetName+" within 30 days of the deletion: the next attempt links the user; or delete it for good")
	}
	return nil
}

// endsCycle reports an error after which nothing else can be asked: what only
// explains a failure must not become one.
func endsCycle(ctx context.Context, err error) bool {
	kind := directory.KindOf(err)
	return ctx.Err() != nil || kind == directory.SignIn || kind == directory.ForeignLink
}

// readvise replaces reason and advice of a failure that a batch is about to record.
func readvise(b *store.Batch, sourceID, reason, action string) {
	for i := range b.PutEscrows {
		if b.PutEscrows[i].SourceID == sourceID {
			b.PutEscrows[i].Message = reason
		}
	}
	for i := range b.Log {
		e := &b.Log[i]
		if e.SourceIdentity.ID != sourceID || e.StatusInfo.Error == nil {
			continue
		}
		e.StatusInfo.Error.Reason, e.StatusInfo.Error.RecommendedAction = reason, action
		if n := len(e.Steps); n > 0 {
			e.Steps[n-1].Description = reason
		}
	}
}
