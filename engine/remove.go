package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	"tenantsync/directory"
	"tenantsync/store"
)

var zeroTime time.Time

// remove carries out what leaving scope does, after everything else: users whose
// deletion is held get their hold, the others are disabled or deleted.
func (x *exporter) remove(ctx context.Context, w *work) error {
	c := x.c
	var hold, disable, del []*leaver
	for _, l := range w.leavers {
		switch {
		case c.skipped(l.id):
		case l.hold != "":
			hold = append(hold, l)
		case l.act == actDisable:
			disable = append(disable, l)
		default:
			del = append(del, l)
		}
	}
	for part := range slices.Chunk(hold, 200) {
		if err := x.turn(func() error { return x.holdPart(ctx, part, w) }); err != nil {
			return err
		}
	}
	if err := x.disableHeld(ctx, hold); err != nil {
		return err
	}
	if err := x.disable(ctx, disable); err != nil {
		return err
	}
	c.phase("deleting")
	c.progress.Total = len(del)
	for part := range slices.Chunk(del, batchSize) {
		if err := x.turn(func() error { return x.deletePart(ctx, part) }); err != nil {
			return err
		}
		c.advance(len(part))
	}
	return nil
}

// linksOf returns the links of the leavers that this job still owns.
func (x *exporter) linksOf(ctx context.Context, part []*leaver) (map[string]store.Link, error) {
	ids := make([]string, len(part))
	for i, l := range part {
		ids[i] = l.id
	}
	links, err := x.c.st.Links(ctx, store.LinkQuery{Pair: x.c.job.Pair, SourceIDs: ids})
	if err != nil {
		return nil, err
	}
	out := make(map[string]store.Link, len(links))
	for _, l := range links {
		if l.Job == x.c.job.Name { // another job of the pair may have taken it over since
			out[l.SourceID] = l
		}
	}
	return out, nil
}

// holdPart records deletions that wait for approval.
func (x *exporter) holdPart(ctx context.Context, part []*leaver, w *work) error {
	c := x.c
	links, err := x.linksOf(ctx, part)
	if err != nil {
		return err
	}
	b := &store.Batch{}
	for _, l := range part {
		link, ok := links[l.id]
		if !ok {
			continue
		}
		o, err := c.objectAt(ctx, l.at)
		if err != nil {
			return err
		}
		at := now()
		message, wasLinked := l.verdict.reason, isLinked(&link)
		link.State, link.InScope, link.RetainedFor = store.LinkHeld, false, string(eventOf(l.verdict))
		b.PutLinks = append(b.PutLinks, link)
		c.dropEscrow(b, l.id) // what it failed at, or waited for, is past
		b.PutHolds = append(b.PutHolds, store.Hold{Job: c.job.Name, SourceID: l.id, TargetID: link.TargetID, UPN: link.UPN,
			DisplayName: link.DisplayName, Reason: string(l.hold), Message: message, Disable: l.act == actDisable, Since: at})
		r := c.newRecord(o, &link, at).importStep(o, true).scopingStep(l.verdict, o.Enabled())
		r.entry.Action = logStagedDelete
		r.step("EntrySynchronizationSkip", stepProcessing, statusSkipped, "The deletion is held: "+w.ruling.message, "SkipReason", string(l.hold))
		b.Log = append(b.Log, r.result(statusSkipped, l.hold, message).done(at))
		w.held++
		if wasLinked {
			c.rec.Linked--
		}
	}
	return x.commit(ctx, b)
}

// disableHeld blocks the sign-in of users who were disabled in the source in the
// same cycle in which they left: only their deletion waits.
func (x *exporter) disableHeld(ctx context.Context, held []*leaver) error {
	var items []*item
	for _, l := range held {
		if l.disabled {
			items = append(items, &item{id: l.id, at: l.at, act: actDisable})
		}
	}
	for part := range slices.Chunk(items, batchSize) {
		if err := x.turn(func() error { return x.prepare(ctx, part) }); err != nil {
			return err
		}
	}
	return x.drain(ctx)
}

// disable blocks the sign-in of users who left scope.
func (x *exporter) disable(ctx context.Context, list []*leaver) error {
	c := x.c
	for part := range slices.Chunk(list, batchSize) {
		err := x.turn(func() error {
			links, err := x.linksOf(ctx, part)
			if err != nil {
				return err
			}
			b := &store.Batch{}
			var changes []*change
			for _, l := range part {
				link, ok := links[l.id]
				if !ok {
					continue
				}
				o, err := c.objectAt(ctx, l.at)
				if err != nil {
					return err
				}
				ch := x.newChange(o, link)
				ch.r = c.newRecord(o, &link, now()).importStep(o, true).scopingStep(l.verdict, o.Enabled())
				ch.v, ch.leaving, ch.released = l.verdict, true, false
				changes = append(changes, ch)
				if c.job.DeleteAfter > 0 {
					b.PutEscrows = append(b.PutEscrows, store.Escrow{Job: c.job.Name, SourceID: l.id, UPN: link.UPN,
						Code: string(markDeleteAfter), First: c.began, Next: c.began.Add(c.job.DeleteAfter)})
				}
			}
			if err := x.plan(ctx, changes, b); err != nil {
				return err
			}
			return x.commitAndFlush(ctx, b)
		})
		if err != nil {
			return err
		}
	}
	return x.drain(ctx)
}

// deletePart deletes up to 20 target users; source and target are read again just
// before.
func (x *exporter) deletePart(ctx context.Context, part []*leaver) error {
	c := x.c
	part, err := x.confirm(ctx, part)
	if err != nil || len(part) == 0 {
		return err
	}
	links, err := x.linksOf(ctx, part)
	if err != nil {
		return err
	}
	if err := c.agree(ctx, slices.Collect(maps.Values(links))); err != nil {
		return err
	}
	ids := make([]string, len(part))
	for i, l := range part {
		ids[i] = links[l.id].TargetID
	}
	found, err := c.job.Target.Users(ctx, ids, targetSelects(c.job))
	if err != nil {
		return err
	}
	if err := x.lookTwice(ctx, part, links, found); err != nil {
		return err
	}
	target, err := c.targetTenant(ctx)
	if err != nil {
		return err
	}
	b := &store.Batch{}
	var send []*departure
	var ws []directory.Write
	for i, l := range part {
		link, ok := links[l.id]
		if !ok {
			b.DropHolds = append(b.DropHolds, store.WaitKey{Job: c.job.Name, SourceID: l.id})
			continue
		}
		o, err := c.objectAt(ctx, l.at)
		if err != nil {
			return err
		}
		d := &departure{o: o, link: link}
		d.r = c.newRecord(o, &d.link, now()).importStep(o, true).scopingStep(l.verdict, o.Enabled())
		d.r.entry.Action = logDelete
		code, reason := Code(""), ""
		if found[i].Err == nil {
			code, reason = c.job.spares(found[i].Object, target)
		}
		switch {
		case code != "":
			reason = "target user " + link.TargetID + " " + reason
			d.r.step("EntryExportDelete", stepExport, statusFailure, reason)
			c.failed(b, d.r, o, &d.link, stepExport, code, reason, false)
		case found[i].Err != nil && directory.KindOf(found[i].Err) == directory.NotFound:
			if err := x.dropReports(ctx, d, b); err != nil {
				return err
			}
			d.elsewhere = true
			x.departed(d, "User '"+link.UPN+"' was gone already from "+c.job.TargetName, b)
		case found[i].Err != nil:
			code, reason := refusal(found[i].Err, false)
			d.r.step("EntryExportDelete", stepExport, statusFailure, reason)
			c.failed(b, d.r, o, &d.link, stepExport, code, reason, false)
		default:
			send = append(send, d)
			ws = append(ws, directory.Write{Kind: directory.Delete, ID: link.TargetID})
		}
	}
	err = x.sendDeletes(ctx, send, ws, b)
	if cerr := x.commit(ctx, b); cerr != nil {
		return cerr
	}
	return err
}

// lookTwice looks once more for the target users that were not found, also in the
// recycle bin: a server that has not heard of one would else leave somebody in the
// target who left scope, with sign-in, and the log would say otherwise.
func (x *exporter) lookTwice(ctx context.Context, part []*leaver, links map[string]store.Link, found []directory.Lookup) error {
	var list []*change
	var at []int
	for i, l := range part {
		if link, ok := links[l.id]; ok && found[i].Err != nil && directory.KindOf(found[i].Err) == directory.NotFound {
			list, at = append(list, &change{link: link}), append(at, i)
		}
	}
	if len(list) == 0 {
		return nil
	}
	states, objects, err := x.whereabouts(ctx, list)
	if err != nil {
		return err
	}
	for k, i := range at {
		if states[k] == targetPresent || states[k] == targetInternal {
			found[i].Object, found[i].Err = objects[k], nil
		}
	}
	return nil
}

// departure is one user on its way out of the target.
type departure struct {
	o    directory.Object
	link store.Link
	r    *record
	// elsewhere: somebody else has deleted the target user, who is therefore not
	// brought back with the source user.
	elsewhere bool
}

func (x *exporter) sendDeletes(ctx context.Context, list []*departure, ws []directory.Write, b *store.Batch) error {
	if len(list) == 0 {
		return nil
	}
	c := x.c
	links := make([]*store.Link, len(list))
	for i, d := range list {
		links[i] = &d.link
	}
	if err := x.intend(ctx, store.IntentDelete, links, nil); err != nil {
		return err
	}
	done, err := x.write(ctx, ws)
	for i, d := range list {
		if i < len(done) && !outcomeUnknown(done[i].Err) {
			b.DropIntents = append(b.DropIntents, store.WaitKey{Job: c.job.Name, SourceID: d.link.SourceID})
		}
		switch {
		case i >= len(done) || notSent(done[i].Err):
		case done[i].Err == nil:
			c.tally.written++
			if rerr := x.dropReports(ctx, d, b); rerr != nil && err == nil {
				err = rerr
			}
			x.departed(d, "User '"+d.link.UPN+"' was deleted in "+c.job.TargetName+", restorable until "+
				now().Add(30*24*time.Hour).Format(time.DateOnly), b)
		default:
			if directory.KindOf(done[i].Err) == directory.Denied {
				c.tally.denied++
				if c.tally.firstDenied == nil {
					c.tally.firstDenied = done[i].Err
				}
			}
			code, reason := refusal(done[i].Err, false)
			d.r.step("EntryExportDelete", stepExport, statusFailure, reason)
			c.failed(b, d.r, d.o, &d.link, stepExport, code, reason, false)
		}
	}
	return err
}

// departed records a delete that is done.
func (x *exporter) departed(d *departure, said string, b *store.Batch) {
	c := x.c
	if d.link.State == store.LinkActive || d.link.State == store.LinkRetained {
		c.rec.Linked--
	}
	if !x.approved && !c.disabledOnLeaving(&d.link) {
		c.tally.removed++
	}
	d.link.State, d.link.DeletedAt, d.link.InScope, d.link.LeftScopeAt = store.LinkDeleted, now(), false, zeroTime
	if d.elsewhere {
		d.link.State = store.LinkMissing
	}
	b.PutLinks = append(b.PutLinks, d.link)
	key := store.WaitKey{Job: c.job.Name, SourceID: d.link.SourceID}
	b.DropHolds = append(b.DropHolds, key)
	b.DropEscrows = append(b.DropEscrows, key)
	d.r.step("EntryExportDelete", stepExport, statusSuccess, said, "ReportableIdentifier", d.link.UPN)
	b.Log = append(b.Log, d.r.done(now()))
	c.tally.Delete++
	x.allowed = append(x.allowed, d.link.SourceID)
}

// dropReports notes that users whose manager was deleted have none in the target
// any more; they get it back when the manager is restored.
func (x *exporter) dropReports(ctx context.Context, d *departure, b *store.Batch) error {
	links, err := x.c.st.Links(context.WithoutCancel(ctx), store.LinkQuery{Pair: x.c.job.Pair, Managers: []string{d.link.SourceID}})
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.ManagerTarget == d.link.TargetID && l.SourceID != d.link.SourceID {
			l.ManagerTarget = ""
			if i := slices.IndexFunc(b.PutLinks, func(p store.Link) bool { return p.SourceID == l.SourceID }); i >= 0 {
				b.PutLinks[i].ManagerTarget = ""
				continue
			}
			b.PutLinks = append(b.PutLinks, l)
		}
	}
	return nil
}

// retryConflicts repeats, once and whole, updates refused for a value that a
// delete of this cycle may have freed.
func (x *exporter) retryConflicts(ctx context.Context) error {
	for _, ch := range x.conflicts {
		ch.again = true
		x.queue = append(x.queue, ch)
	}
	x.conflicts = nil
	if err := x.drain(ctx); err != nil {
		return err
	}
	return x.references(ctx)
}
