package engine

import (
	"context"

	"tenantsync/directory"
	"tenantsync/store"
)

// confirm reads the source users of a part of the deletes once more, just before
// they go: one answer of one replica is no proof that somebody is gone, and a
// person may have come back while the cycle worked. Who is wanted now, or cannot
// be judged, is not deleted; the next cycle looks at them again. What an
// administrator allowed was read a moment ago and is not read again.
func (x *exporter) confirm(ctx context.Context, part []*leaver) ([]*leaver, error) {
	c := x.c
	if x.approved || len(part) == 0 {
		return part, nil
	}
	ids := make([]string, len(part))
	for i, l := range part {
		ids[i] = l.id
	}
	links, err := x.linksOf(ctx, part)
	if err != nil {
		return nil, err
	}
	as, err := c.assignments(ctx, c.job, &c.rec, ids)
	if err != nil {
		return nil, err
	}
	found, err := c.job.Source.Users(ctx, ids, c.selects)
	if err != nil {
		return nil, err
	}
	b := &store.Batch{}
	var sure []*leaver
	for i, l := range part {
		link, linked := links[l.id]
		why, err := c.unconfirmed(ctx, found[i], as, l)
		if err != nil {
			return nil, err
		}
		if why == "" || !linked {
			sure = append(sure, l)
			continue
		}
		at := now()
		o, err := c.objectAt(ctx, l.at)
		if err != nil {
			return nil, err
		}
		b.PutEscrows = append(b.PutEscrows, store.Escrow{Job: c.job.Name, SourceID: l.id, UPN: link.UPN,
			Code: string(markUnconfirmed), First: at, Next: at})
		r := c.newRecord(o, &link, at).importStep(o, true).scopingStep(l.verdict, o.Enabled())
		r.entry.Action = logDelete
		r.step("EntrySynchronizationSkip", stepProcessing, statusSkipped, why, "SkipReason", string(CodeUnconfirmed))
		b.Log = append(b.Log, r.result(statusSkipped, CodeUnconfirmed, why).done(at))
		c.tally.Skipped++
	}
	return sure, x.commit(ctx, b)
}

// unconfirmed says why a second look at a source user speaks against the delete,
// "" when it confirms it.
func (c *cycle) unconfirmed(ctx context.Context, found directory.Lookup, as *assigner, l *leaver) (string, error) {
	switch {
	case found.Err != nil && directory.KindOf(found.Err) == directory.NotFound:
		return "", nil
	case found.Err != nil:
		return "just before the delete the source user could not be read: " + found.Err.Error(), nil
	case l.verdict.state == sourceGone:
		return "just before the delete the source user was there again", nil
	}
	o, err := c.full(ctx, found.Object)
	if err != nil {
		return "", err
	}
	switch v := judge(o, *c.source, as.of(o.ID), c.job, c.began); {
	case v.err != nil:
		return "just before the delete the filters could not judge the source user: " + v.reason, nil
	case v.inScope():
		return "just before the delete the source user was in scope again", nil
	}
	return "", nil
}
