package engine

import (
	"context"
	"errors"

	"tenantsync/store"
)

// precedes reports whether the job that owns a link keeps it against another job
// that has the user in scope: when it is configured, enabled and stands first.
func (e *Engine) precedes(owner, other string) bool {
	for _, r := range e.all() {
		if r.job.Name == other {
			return false
		}
		if r.job.Name == owner && r.job.Enabled {
			return true
		}
	}
	return false
}

// keeps reports whether the owner of a link keeps it against another job that has
// the user in scope. An owner that does not want the user, who has held or carried
// out the deletion, has no claim: the other job brings the user back.
func (e *Engine) keeps(l *store.Link, other string) bool {
	return l.InScope && e.precedes(l.Job, other)
}

// movedToOther gives a user who left this job's scope to another enabled job of
// the pair that has the user in scope, without a delete. The other job looks at
// the user in its next cycle.
func (c *cycle) movedToOther(ctx context.Context, j *judged, b *store.Batch) (bool, error) {
	if j.v.state != sourceOutOfScope || !isLinked(j.link) {
		return false, nil
	}
	for _, r := range c.engine.all() {
		other, name := r.job, r.job.Name
		if name == c.job.Name || other.Pair != c.job.Pair || !other.Enabled {
			continue
		}
		wanted, err := c.wantedBy(ctx, other, j)
		if err != nil {
			return false, err
		}
		if !wanted {
			continue
		}
		j.link.Job = name
		c.rec.Linked--
		c.linked--
		if err := c.countFor(ctx, name, 1, 0, b); err != nil {
			return false, err
		}
		j.link.InScope = false // the new owner counts it when it judges the user
		b.PutLinks = append(b.PutLinks, *j.link)
		c.dropEscrow(b, j.o.ID)
		b.PutEscrows = append(b.PutEscrows, store.Escrow{Job: name, SourceID: j.o.ID, UPN: j.o.UPN(),
			Code: string(markOwnershipMoved), First: c.began, Next: c.began})
		at := now()
		r := c.newRecord(j.o, j.link, at).importStep(j.o, true).scopingStep(j.v, j.o.Enabled())
		reason := "job " + name + " has the user in scope and keeps it in sync from now on"
		r.step("EntrySynchronizationSkip", stepProcessing, statusSkipped, reason, "SkipReason", string(CodeOwnedByOtherJob))
		b.Log = append(b.Log, r.result(statusSkipped, CodeOwnedByOtherJob, reason).done(at))
		return true, nil
	}
	return false, nil
}

// takeOver makes this job the owner of another job's link.
func (c *cycle) takeOver(ctx context.Context, j *judged, b *store.Batch) error {
	linked, inScope := 0, 0
	if isLinked(j.link) {
		linked = 1
	}
	if j.link.InScope {
		inScope = 1
		if !c.initial {
			c.inScope++ // count() takes it for one that was ours before
		}
	}
	if err := c.countFor(ctx, j.link.Job, -linked, -inScope, b); err != nil {
		return err
	}
	c.rec.Linked += linked
	b.DropHolds = append(b.DropHolds, store.WaitKey{Job: j.link.Job, SourceID: j.link.SourceID})
	b.DropEscrows = append(b.DropEscrows, store.WaitKey{Job: j.link.Job, SourceID: j.link.SourceID})
	j.link.Job, j.taken = c.job.Name, true
	return nil
}

// countFor moves the counters of another job of the pair, whose cycles wait for
// this one. A job that never ran counts for itself when it does.
func (c *cycle) countFor(ctx context.Context, job string, linked, inScope int, b *store.Batch) error {
	for i := range b.Jobs {
		if b.Jobs[i].Name == job {
			b.Jobs[i].Linked += linked
			b.Jobs[i].InScope += inScope
			return nil
		}
	}
	rec, err := c.st.Job(ctx, job)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	rec.Linked += linked
	rec.InScope += inScope
	b.Jobs = append(b.Jobs, rec)
	return nil
}
