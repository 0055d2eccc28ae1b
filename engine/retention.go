package engine

import (
	"context"
	"time"

	"go.uber.org/zap"

	"tenantsync/store"
)

// keepDeleted is how long a deleted link is kept for the restore: the recycle
// bin keeps 30 days, and a little more.
const keepDeleted = 35 * 24 * time.Hour

// pruneCommits is how many commits one cycle spends on what is too old at most,
// besides its last one. A month's log of a large tenant goes in a few cycles, each
// of which still ends in time.
const pruneCommits = 100

// forget has a batch drop what is kept long enough.
func (c *cycle) forget(b *store.Batch, now time.Time) {
	if c.first {
		return // nothing can be old enough
	}
	horizon := retentionHorizon(&c.rec, now)
	if c.job.LogRetention > 0 {
		b.Prune = horizon.Add(-c.job.LogRetention)
	}
	b.PruneDeleted = horizon.Add(-keepDeleted)
}

// forgotten reports a user who is not wanted any more and whose target user somebody
// else deleted so long ago that it is in no recycle bin either. Only a cycle that has
// read the whole target tells: it may have been restored by hand meanwhile, and is then
// to be removed. Of one who leaves in that very cycle the link goes with the next such.
func (c *cycle) forgotten(j *judged) bool {
	return j.link.State == store.LinkMissing && !j.v.inScope() && c.known != nil && !c.known[keyOf(j.link.TargetID)] &&
		j.link.DeletedAt.Before(retentionHorizon(&c.rec, c.began).Add(-keepDeleted))
}

// prune drops what the cycle's last commit left of what is too old, a little with
// each commit. The cycle has ended by then: what cannot be dropped now is dropped
// by a later one.
func (c *cycle) prune(ctx context.Context) {
	for n := 0; c.forgetMore && n < pruneCommits && ctx.Err() == nil; n++ {
		b := &store.Batch{}
		c.forget(b, now())
		if err := c.st.Apply(ctx, b); err != nil {
			c.log.Warn("old records not dropped", zap.Error(err))
			return
		}
		c.forgetMore = b.PruneMore
	}
}
