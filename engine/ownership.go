package engine

import (
	"context"

	"tenantsync/store"
)

// precedes reports whether the job that owns a link keeps it against another job
// that has the user in scope: when it is configured, enabled and stands first.
func (e *Engine) precedes(owner, other string) bool {
	for _, name := range e.order {
		if name == other {
			return false
		}
		if name == owner && e.runners[name].job.Enabled {
			return true
		}
	}
	return false
}

// movedToOther gives a user who left this job's scope to another enabled job of
// the pair that has the user in scope, without a delete. The other job looks at
// the user in its next cycle.
func (c *cycle) movedToOther(ctx context.Context, j *judged, b *store.Batch) bool {
	if j.v.state != sourceOutOfScope {
		return false
	}
	for _, name := range c.engine.order {
		other := c.engine.runners[name].job
		if name == c.job.Name || other.Pair != c.job.Pair || !other.Enabled {
			continue
		}
		if !c.wantedBy(ctx, other, j) {
			continue
		}
		j.link.Job = name
		c.inScopeMoved(j)
		b.PutLinks = append(b.PutLinks, *j.link)
		b.PutEscrows = append(b.PutEscrows, store.Escrow{Job: name, SourceID: j.o.ID, UPN: j.o.UPN(),
			Code: string(markOwnershipMoved), First: c.began, Next: c.began})
		at := now()
		r := c.newRecord(j.o, j.link, at).importStep(j.o, true).scopingStep(j.v, j.o.Enabled())
		reason := "job " + name + " has the user in scope and keeps it in sync from now on"
		r.step("EntrySynchronizationSkip", stepProcessing, statusSkipped, reason, "SkipReason", string(CodeOwnedByOtherJob))
		b.Log = append(b.Log, r.result(statusSkipped, CodeOwnedByOtherJob, reason).done(at))
		return true
	}
	return false
}

// inScopeMoved marks the link as in scope for its new owner.
func (c *cycle) inScopeMoved(j *judged) {
	c.linked--
	c.rec.Linked--
	j.link.InScope = false // the new owner counts it when it judges the user
}

// wantedBy judges the user for another job of the pair, from what is stored of
// that job's membership.
func (c *cycle) wantedBy(ctx context.Context, other *Job, j *judged) bool {
	rec, err := c.st.Job(ctx, other.Name)
	if err != nil && !other.Scope.All {
		return false // it never ran: nothing is known of its members
	}
	as, err := assignments(ctx, c.st, other, &rec, []string{j.o.ID})
	if err != nil {
		return false
	}
	v := judge(j.o, *c.source, as.of(j.o.ID), other.Scope.Filter, other.Mapping.SensitiveSource)
	return v.inScope() && (v.state == sourceActive || j.link != nil)
}
