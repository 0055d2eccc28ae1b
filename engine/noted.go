package engine

import (
	"context"

	"tenantsync/store"
)

// begin notes, before anything is written, that the user is being provisioned: if
// the process ends in the middle, the next cycle reads the user again and settles
// what was not come to, the manager above all.
func (p *provision) begin(ctx context.Context) error {
	p.c.noted = p.o.ID
	if e := p.c.escrowOf(p.o.ID); e != nil { // it is looked at again anyway
		p.waited, p.uncounted = true, brokenOff(*e)
		return nil
	}
	return p.c.st.Apply(ctx, &store.Batch{PutEscrows: []store.Escrow{p.c.begun(p.o.ID, p.o.UPN())}})
}

// end takes that note back, or lets it stand for as long as replicas may lag: in one
// step, so that no end of the process between two loses it. It stays as it is for a
// cycle that was stopped and goes on later: the image in its stage is older than what
// was provisioned now.
func (p *provision) end(ctx context.Context, rec *store.Job, b *store.Batch) error {
	if rec.Stage != nil && p.r.running() == nil {
		return nil
	}
	waiting, err := p.c.st.Waiting(ctx, p.r.job.Name)
	if err != nil {
		return err
	}
	note := escrowIn(waiting.Escrows, p.o.ID)
	if note == nil || !brokenOff(*note) {
		return nil
	}
	doubted, err := p.doubted(ctx, p.r)
	if err != nil {
		return err
	}
	if doubted {
		b.PutEscrows = append(b.PutEscrows, lookedAtAgain(note.Job, note.SourceID, note.UPN, note.First))
		return nil
	}
	b.DropEscrows = append(b.DropEscrows, note.Key())
	return nil
}

// begun is the note that begin leaves.
func (c *cycle) begun(sourceID, upn string) store.Escrow {
	return store.Escrow{Job: c.job.Name, SourceID: sourceID, UPN: upn, Code: string(markProvisioned), First: c.began, Next: c.began}
}

// brokenOff reports the note of a run that has not ended.
func brokenOff(e store.Escrow) bool { return e.Code == string(markProvisioned) }

// countsInScope reports whether what is stored of the user counts it as in the job's
// scope: a link of the job, or a failure that waits.
func (p *provision) countsInScope(ctx context.Context) (bool, error) {
	links, err := p.c.st.Links(ctx, store.LinkQuery{Pair: p.r.job.Pair, SourceIDs: []string{p.o.ID}})
	if err != nil {
		return false, err
	}
	if len(links) > 0 {
		return links[0].InScope && links[0].Job == p.r.job.Name, nil
	}
	waiting, err := p.c.st.Waiting(ctx, p.r.job.Name)
	if err != nil {
		return false, err
	}
	e := escrowIn(waiting.Escrows, p.o.ID)
	return e != nil && e.InScope, nil
}

// settle ends the note, and moves the job's counters by what happened here. A cycle
// under way has the job's record in its hands, and counts anew at its end; so does the
// first, and one that finds a note.
func (p *provision) settle(ctx context.Context) error {
	rec, err := p.e.record(ctx, p.r.job)
	if err != nil {
		return err
	}
	b := &store.Batch{}
	if p.c.noted != "" {
		if err := p.end(ctx, &rec, b); err != nil {
			return err
		}
	}
	if p.r.running() == nil && rec.Ran {
		linked, inScope, err := p.counts(ctx, &rec)
		if err != nil {
			return err
		}
		if linked != rec.Linked || inScope != rec.InScope {
			rec.Linked, rec.InScope = linked, inScope
			b.Jobs = append(b.Jobs, rec)
		}
	}
	if len(b.PutEscrows)+len(b.DropEscrows)+len(b.Jobs) == 0 {
		return nil
	}
	return p.c.st.Apply(ctx, b)
}

// counts returns how many are linked and in scope by now. After a run that was broken
// off everybody is counted: it may have come to its link, and not to the counters.
func (p *provision) counts(ctx context.Context, rec *store.Job) (linked, inScope int, err error) {
	if p.uncounted {
		waiting, err := p.c.st.Waiting(ctx, p.r.job.Name)
		if err == nil {
			err = p.c.countLinks(ctx, waiting.Escrows)
		}
		return p.c.rec.Linked, p.c.inScope, err
	}
	isIn, err := p.countsInScope(ctx)
	linked, inScope = rec.Linked+p.c.rec.Linked-p.c.linked, rec.InScope
	switch {
	case isIn && !p.wasIn:
		inScope++
	case p.wasIn && !isIn:
		inScope--
	}
	return linked, inScope, err
}

// countMove counts a user who is taken over from another job: with this one from now
// on, and with that one no more, unless a cycle of it is under way and counts anew.
func (p *provision) countMove(ctx context.Context, b *store.Batch) error {
	linked, inScope := 0, 0
	if isLinked(p.link) {
		linked = 1
	}
	if p.link.InScope {
		inScope = 1
	}
	p.c.rec.Linked += linked
	if r, err := p.e.runner(p.owner); err == nil && r.running() != nil {
		return nil
	}
	return p.c.countFor(ctx, p.owner, -linked, -inScope, b)
}
