package engine

import (
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/store"
)

// commitAndFlush commits what is settled and sends the queue while it fills batches.
func (x *exporter) commitAndFlush(ctx context.Context, b *store.Batch) error {
	if err := x.commit(ctx, b); err != nil {
		return err
	}
	for len(x.queue) >= batchSize {
		if err := x.send(ctx); err != nil {
			return err
		}
	}
	return nil
}

// drain sends what is left in the queue, and waits for new users to become
// visible as long as that can be expected.
func (x *exporter) drain(ctx context.Context) error {
	for len(x.queue) > 0 || len(x.later) > 0 || len(x.ambiguous) > 0 {
		if len(x.ambiguous) > 0 && len(x.queue) < batchSize {
			if err := x.turn(func() error { return x.resolveAmbiguous(ctx) }); err != nil {
				return err
			}
			continue
		}
		if len(x.queue) == 0 {
			if err := x.awaitReplication(ctx); err != nil {
				return err
			}
		}
		if err := x.turn(func() error { return x.send(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// send writes one batch of updates and commits its outcome.
func (x *exporter) send(ctx context.Context) error {
	// Provision on demand may have come between the queueing and this turn: what it
	// wrote is newer.
	x.queue = slices.DeleteFunc(x.queue, func(ch *change) bool { return x.c.skipped(ch.o.ID) })
	n := min(batchSize, len(x.queue))
	if n == 0 {
		return nil
	}
	part := x.queue[:n]
	x.queue = slices.Clone(x.queue[n:])
	ws := make([]directory.Write, n)
	for i, ch := range part {
		attributes := make(directory.Attributes, len(ch.u.diff))
		for k, m := range ch.u.diff {
			attributes[k] = directory.Attribute{Name: m.Name, Value: m.New}
		}
		ws[i] = directory.Write{Kind: directory.Update, ID: ch.link.TargetID, Attributes: attributes}
	}
	if err := x.intendUpdates(ctx, part); err != nil {
		return err
	}
	done, err := x.write(ctx, ws)
	b := &store.Batch{}
	for i, ch := range part {
		if i >= len(done) || notSent(done[i].Err) {
			continue // the cycle is ending: the stage still has it
		}
		if !outcomeUnknown(done[i].Err) {
			b.DropIntents = append(b.DropIntents, store.WaitKey{Job: x.c.job.Name, SourceID: ch.o.ID})
		}
		if werr := x.written(ctx, ch, done[i].Err, b); werr != nil && err == nil {
			err = werr
		}
	}
	if cerr := x.commit(ctx, b); cerr != nil {
		return cerr
	}
	if err == nil {
		err = x.allRefused()
	}
	x.c.advance(n)
	return err
}

// intendUpdates leaves the intents of a batch of updates. Users who are being created
// are left out: until they are complete they are written whole. A block is not: it
// could not be told from one set by hand.
func (x *exporter) intendUpdates(ctx context.Context, part []*change) error {
	part = slices.DeleteFunc(slices.Clone(part), func(ch *change) bool { return ch.link.Creating && !disables(ch.u.diff) })
	links := make([]*store.Link, len(part))
	for i, ch := range part {
		links[i] = &ch.link
	}
	return x.intend(ctx, store.IntentUpdate, links, func(i int) []store.Property {
		changed := x.c.changed(part[i].u.diff)
		if part[i].restored { // not told yet: it is one entry with what is written now
			changed = append([]store.Property{softDeleted()}, changed...)
		}
		return changed
	})
}

// written judges the outcome of one update.
func (x *exporter) written(ctx context.Context, ch *change, err error, b *store.Batch) error {
	if err == nil {
		x.c.tally.written++
		x.settle(ch, b)
		return nil
	}
	err = x.c.conceal(err, ch.u.diff)
	switch kind := directory.KindOf(err); {
	case kind == directory.NotFound && ch.isThere():
		x.postpone(ch, b)
	case kind == directory.NotFound:
		return x.lost(ctx, ch, b)
	case kind == directory.Conflict && !ch.again && !ch.created:
		x.conflicts = append(x.conflicts, ch)
		ch.reason = err.Error()
	case kind == directory.Denied && x.reduce(ch, err, b, isSensitive):
	case kind == directory.Invalid && x.exchange(ch, err, b):
	default:
		x.giveUp(ch, err, b)
	}
	return nil
}

// giveUp records an update that the target refused.
func (x *exporter) giveUp(ch *change, err error, b *store.Batch) {
	c := x.c
	if directory.KindOf(err) == directory.Denied {
		c.tally.denied++
		if c.tally.firstDenied == nil {
			c.tally.firstDenied = err
		}
	}
	code, reason := refusal(err, false)
	reason = c.hideValues(reason, ch.u.diff)
	ch.r.entry.Action = x.actionOf(ch)
	ch.r.step(x.exportStep(ch), stepExport, statusFailure, reason, "ReportableIdentifier", ch.o.UPN())
	c.failed(b, ch.r, ch.o, &ch.link, stepExport, code, reason, false)
	b.PutLinks = append(b.PutLinks, ch.link)
	c.dropInvitations(ch.o.ID, b)
}
