package engine

import (
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/store"
)

// bringBack handles users whose target user was deleted, by this engine or by
// hand, and who are wanted: the recycle bin says what can be done.
func (x *exporter) bringBack(ctx context.Context, list []*change, b *store.Batch, undelete bool) error {
	if len(list) == 0 {
		return nil
	}
	c := x.c
	states, objects, err := x.whereabouts(ctx, list)
	if err != nil {
		return err
	}
	rival, err := x.rivals(ctx, list)
	if err != nil {
		return err
	}
	var restore, present, anew []*change
	for i, ch := range list {
		if other, taken := rival[ch.link.TargetID]; taken {
			c.failed(b, ch.r, ch.o, &ch.link, stepMatching, CodeLinkedToOther, "target user "+ch.link.TargetID+
				" has been linked to source user "+other.UPN+" ("+other.SourceID+") since it was deleted for this one", false)
			continue
		}
		d := decide(ch.v.state, stateOf(&ch.link), states[i], policy{actions: c.job.Actions, undelete: undelete})
		switch d.action {
		case actRestore:
			restore = append(restore, ch)
		case actUpdate, actRelease:
			x.present(ch, objects[i])
			ch.adopted, ch.resent = true, len(ch.u.diff) > 0
			present = append(present, ch)
		case actCreate:
			anew = append(anew, ch)
		case actSkip:
			x.skipBack(ch, d.code, b)
		case actFail:
			x.notOurs(ch, objects[i], b)
		case actUnlink:
			x.unlink(ch, b)
			c.tally.Unchanged++
		default:
			c.dropEscrow(b, ch.o.ID) // what it failed at before is not tried any more
			c.tally.Skipped++
		}
	}
	if err := x.restore(ctx, restore, b); err != nil {
		return err
	}
	if err := x.plan(ctx, present, b); err != nil {
		return err
	}
	return x.createAnew(ctx, anew, b)
}

// present makes what the target user of a change is seen to have, who is there
// after all, what is known of it; its manager is to be read.
func (x *exporter) present(ch *change, o directory.Object) {
	ch.link.Exported = unsettled(knownValues(o.Attributes, x.c.job.targetAttributes()), ch.u.diff)
	ch.link.ManagerTarget, ch.link.ManagerUnknown = "", ch.link.ManagerSource != ""
}

// notOurs records that a linked target user is nobody this job may change any more.
func (x *exporter) notOurs(ch *change, o directory.Object, b *store.Batch) {
	code, reason := CodeInvalidAnchor, "is no longer an external user of the source: it is left alone"
	if x.c.job.Protection.covers(o) {
		code, reason = CodeProtected, protectedReason
	}
	x.c.failed(b, ch.r, ch.o, &ch.link, stepMatching, code, "target user "+ch.link.TargetID+" "+reason, false)
}

// unsettled are the values of a target user who is there, although the answer to
// an update was that nobody is: a server that did not know of the user yet gave it,
// perhaps to the repetition of a request that another one had carried out. What
// was sent is therefore written once more, and told by the log, whatever the target
// shows of it.
func unsettled(shown directory.Attributes, sent []directory.Modified) directory.Attributes {
	for _, m := range sent {
		shown.Set(m.Name, m.Old)
	}
	return shown
}

// rivals returns the links of other source users to the target users of the
// changes: who was deleted here, and restored by hand, may have been taken for
// somebody else since.
func (x *exporter) rivals(ctx context.Context, list []*change) (map[string]store.Link, error) {
	ids := make([]string, len(list))
	for i, ch := range list {
		ids[i] = ch.link.TargetID
	}
	links, err := x.c.st.Links(ctx, store.LinkQuery{Pair: x.c.job.Pair, TargetIDs: ids})
	if err != nil {
		return nil, err
	}
	out := map[string]store.Link{}
	for _, l := range links {
		own := slices.ContainsFunc(list, func(ch *change) bool { return ch.link.SourceID == l.SourceID })
		if !own && l.State != store.LinkDeleted && l.State != store.LinkMissing {
			out[l.TargetID] = l
		}
	}
	return out, nil
}

// whereabouts finds out whether target users are there, in the recycle bin or gone.
func (x *exporter) whereabouts(ctx context.Context, list []*change) ([]targetState, []directory.Object, error) {
	c := x.c
	ids := make([]string, len(list))
	for i, ch := range list {
		ids[i] = ch.link.TargetID
	}
	bin, err := c.job.Target.Deleted(ctx, ids, targetSelects(c.job))
	if err != nil {
		return nil, nil, err
	}
	there, err := c.job.Target.Users(ctx, ids, targetSelects(c.job))
	if err != nil {
		return nil, nil, err
	}
	target, err := c.targetTenant(ctx)
	if err != nil {
		return nil, nil, err
	}
	states, objects := make([]targetState, len(list)), make([]directory.Object, len(list))
	for i := range list {
		switch {
		case there[i].Err == nil:
			objects[i] = there[i].Object
			if code, _ := c.job.spares(objects[i], target); code != "" {
				states[i] = targetInternal
			}
		case bin[i].Err == nil && c.job.Protection.covers(bin[i].Object):
			objects[i], states[i] = bin[i].Object, targetInternal
		case bin[i].Err == nil:
			states[i] = targetBin
		case directory.KindOf(bin[i].Err) != directory.NotFound:
			return nil, nil, bin[i].Err
		case directory.KindOf(there[i].Err) != directory.NotFound: // an answer that says nothing is no proof
			return nil, nil, there[i].Err
		default:
			states[i] = targetGone
		}
	}
	return states, objects, x.binAgain(ctx, list, states)
}

// binAgain looks into the recycle bin once more for those who are nowhere: somebody
// may have deleted them between the two looks.
func (x *exporter) binAgain(ctx context.Context, list []*change, states []targetState) error {
	var ids []string
	var at []int
	for i, ch := range list {
		if states[i] == targetGone {
			ids, at = append(ids, ch.link.TargetID), append(at, i)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	bin, err := x.c.job.Target.Deleted(ctx, ids, targetSelects(x.c.job))
	if err != nil {
		return err
	}
	for k, i := range at {
		switch {
		case bin[k].Err == nil:
			states[i] = targetBin
		case directory.KindOf(bin[k].Err) != directory.NotFound:
			return bin[k].Err
		}
	}
	return nil
}

// skipBack leaves a user alone that somebody deleted in the target, and says so
// when that is news.
func (x *exporter) skipBack(ch *change, code Code, b *store.Batch) {
	c := x.c
	c.tally.Skipped++
	c.dropEscrow(b, ch.o.ID)
	if ch.link.State == store.LinkMissing && saidMissing(&ch.link) {
		return
	}
	if isLinked(&ch.link) {
		c.rec.Linked--
	}
	if ch.released {
		b.DropHolds = append(b.DropHolds, store.WaitKey{Job: c.job.Name, SourceID: ch.o.ID})
	}
	ch.link.State = store.LinkMissing
	ch.link.DeletedAt, ch.link.InScope = c.began, true
	ch.link.LeftScopeAt = c.began // marks that the log has said it
	b.PutLinks = append(b.PutLinks, ch.link)
	reason := "target user " + ch.link.TargetID + " was deleted in " + c.job.TargetName + " by somebody else: it is left deleted"
	ch.r.step("EntrySynchronizationSkip", stepProcessing, statusSkipped, reason, "SkipReason", string(code), "ReportableIdentifier", ch.o.UPN())
	b.Log = append(b.Log, ch.r.result(statusSkipped, code, reason).done(now()))
}

// saidMissing reports whether the log has told of a target user deleted by hand.
func saidMissing(l *store.Link) bool { return !l.LeftScopeAt.IsZero() }

// restore takes users out of the recycle bin and queues what differs.
func (x *exporter) restore(ctx context.Context, list []*change, b *store.Batch) error {
	if len(list) == 0 {
		return nil
	}
	c := x.c
	ws := make([]directory.Write, len(list))
	links := make([]*store.Link, len(list))
	for i, ch := range list {
		links[i] = &ch.link
		ws[i] = directory.Write{Kind: directory.Restore, ID: ch.link.TargetID}
	}
	err := x.intend(ctx, store.IntentRestore, links, func(int) []store.Property { return []store.Property{softDeleted()} })
	if err != nil {
		return err
	}
	done, err := x.write(ctx, ws)
	var back []*change
	for i, ch := range list {
		if i >= len(done) || notSent(done[i].Err) {
			continue
		}
		if done[i].Err != nil {
			if !outcomeUnknown(done[i].Err) {
				b.DropIntents = append(b.DropIntents, store.WaitKey{Job: c.job.Name, SourceID: ch.o.ID})
			}
			x.giveUp(ch, done[i].Err, b)
			continue
		}
		c.tally.written++
		ch.restored = true
		ch.r.entry.Modified = append(ch.r.entry.Modified, softDeleted())
		ch.link.ManagerTarget, ch.link.ManagerUnknown = "", ch.link.ManagerSource != ""
		ch.link.State, ch.link.InScope, ch.link.LeftScopeAt = store.LinkActive, true, zeroTime
		c.rec.Linked++
		x.linked = append(x.linked, ch.link.SourceID)
		b.PutLinks = append(b.PutLinks, ch.link)
		back = append(back, ch)
	}
	if err != nil {
		return err
	}
	return x.plan(ctx, back, b)
}

// attrSoftDeleted is how the log tells of a restore.
const attrSoftDeleted = "IsSoftDeleted"

// softDeleted is a restore among the modified properties.
func softDeleted() store.Property {
	was, is := "True", "False"
	return store.Property{DisplayName: attrSoftDeleted, OldValue: &was, NewValue: &is}
}

// createAnew invites a user again whose target user was purged: whatever access
// the old one had is lost, and the log says so.
func (x *exporter) createAnew(ctx context.Context, list []*change, b *store.Batch) error {
	if len(list) == 0 {
		return nil
	}
	if err := x.c.preflight(ctx); err != nil {
		return err
	}
	if x.c.blocked != nil { // the next cycle looks at them again
		for _, ch := range list {
			b.PutEscrows = append(b.PutEscrows, x.c.shelved(ch.o, false))
		}
		return nil
	}
	if n := x.c.inviteAtOnce(); n < len(list) { // one of them is the probe, the others wait for what it tells
		for _, ch := range list[n:] {
			b.PutEscrows = append(b.PutEscrows, store.Escrow{Job: x.c.job.Name, SourceID: ch.o.ID, UPN: ch.o.UPN(), Step: stepExport,
				Code: string(CodeInvitationForbidden), Message: x.c.rec.Circuit.Cause, Attempts: 1, First: x.c.began, Next: x.c.began})
		}
		list = list[:n]
	}
	target, err := x.c.targetTenant(ctx)
	if err != nil {
		return err
	}
	shared, err := x.c.sharedWithLinked(ctx, list)
	if err != nil {
		return err
	}
	var fresh []*change
	for _, old := range list {
		it := &item{id: old.o.ID}
		if x.c.checkShared(it, old.o, shared); it.code == "" {
			x.c.checkAddress(it, old.o, target)
		}
		if it.code != "" {
			x.c.failed(b, old.r, old.o, &old.link, it.step, it.code, it.reason, false)
			continue
		}
		x.unlink(old, b)
		ch := x.newcomer(old.o, b)
		if ch == nil {
			continue
		}
		ch.before = &old.link
		ch.reason = "the earlier target user " + old.link.TargetID + " was deleted for good, its access is lost"
		fresh = append(fresh, ch)
	}
	return x.invite(ctx, fresh, b)
}

// lost handles a linked target user who is said not to be there.
func (x *exporter) lost(ctx context.Context, ch *change, b *store.Batch) error {
	if !ch.leaving {
		return x.bringBack(ctx, []*change{ch}, b, false)
	}
	states, objects, err := x.whereabouts(ctx, []*change{ch})
	if err != nil {
		return err
	}
	switch states[0] {
	case targetPresent:
		x.leaveOnceMore(ch, objects[0], b)
	case targetInternal:
		x.notOurs(ch, objects[0], b)
	default: // it was to be disabled: there is nothing left to disable
		if isLinked(&ch.link) {
			x.c.rec.Linked--
		}
		if ch.link.State == store.LinkHeld {
			b.DropHolds = append(b.DropHolds, store.WaitKey{Job: x.c.job.Name, SourceID: ch.o.ID})
			x.allowed = append(x.allowed, ch.o.ID)
		}
		ch.link.State, ch.link.DeletedAt = store.LinkMissing, x.c.began
		b.PutLinks = append(b.PutLinks, ch.link)
	}
	return nil
}

// leaveOnceMore sends the disable of a leaver again who is there, although a server
// that did not know of the user said otherwise: to believe it would leave somebody
// with sign-in who left scope. Further such answers are waited out as those of other
// updates are.
func (x *exporter) leaveOnceMore(ch *change, o directory.Object, b *store.Batch) {
	if ch.resent = true; !ch.read { // nothing was sent yet: a block that it shows is the target's own
		ch.read = true
		x.respectBlock(ch, o)
	}
	if len(ch.u.diff) > 0 {
		x.queue = append(x.queue, ch)
		return
	}
	x.settle(ch, b)
}

// unlink forgets a link whose target user is gone for good.
func (x *exporter) unlink(ch *change, b *store.Batch) {
	if !ch.link.Creating && isLinked(&ch.link) {
		x.c.rec.Linked--
	}
	b.DropLinks = append(b.DropLinks, ch.link.Key())
}
