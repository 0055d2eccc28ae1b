package engine

import (
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/store"
)

// adoptAndCreate links the users that matching found and invites the others, a
// batch at a time. The update that completes a create is queued.
func (x *exporter) adoptAndCreate(ctx context.Context, items []*item) error {
	var adopt, invite []*item
	for _, it := range items {
		switch {
		case it.code != "":
		case it.act == actAdopt:
			adopt = append(adopt, it)
		default:
			invite = append(invite, it)
		}
	}
	for part := range slices.Chunk(adopt, 10*batchSize) {
		if err := x.turn(func() error { return x.adoptPart(ctx, part) }); err != nil {
			return err
		}
	}
	for len(invite) > 0 {
		if err := x.turn(func() error { return x.c.preflight(ctx) }); err != nil {
			return err
		}
		if x.c.blocked != nil {
			break
		}
		n := min(x.c.inviteAtOnce(), len(invite))
		if err := x.turn(func() error { return x.invitePart(ctx, invite[:n]) }); err != nil {
			return err
		}
		invite = invite[n:]
	}
	for part := range slices.Chunk(invite, 10*batchSize) {
		if err := x.shelve(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// adoptPart links source users to the existing users that matching chose.
func (x *exporter) adoptPart(ctx context.Context, part []*item) error {
	c := x.c
	b := &store.Batch{}
	var list []*change
	for _, it := range part {
		if c.skipped(it.id) {
			continue
		}
		o, err := c.objectAt(ctx, it.at)
		if err != nil {
			return err
		}
		found, err := c.chosen(it)
		if err != nil {
			return err
		}
		list = append(list, x.adopt(o, found, b))
	}
	if err := x.plan(ctx, list, b); err != nil {
		return err
	}
	return x.commitAndFlush(ctx, b)
}

// adopt is adoption for one whose values are written. The link of a user who is still
// being created takes the place of the open intent before anything else is written, as
// that of an answered invitation does: nothing but the link says so once an update has
// been refused, or is lost.
func (x *exporter) adopt(o, found directory.Object, b *store.Batch) *change {
	ch := x.adoption(o, found)
	if ch.link.Creating {
		ch.unstored = false
		b.PutLinks = append(b.PutLinks, ch.link)
		b.DropIntents = append(b.DropIntents, store.WaitKey{Job: x.c.job.Name, SourceID: o.ID})
		x.c.dropInvitations(o.ID, b)
	}
	return ch
}

// adoption begins the way of a source user to the target user that matches it.
// An open intent, be it another job's, proves that nothing matched before our own
// invitation: then the user is ours, and still being created.
func (x *exporter) adoption(o, found directory.Object) *change {
	c := x.c
	link := c.freshLink(o, found.ID)
	link.Exported = knownValues(found.Attributes, c.job.targetAttributes())
	link.ManagerUnknown = c.job.mapsManager()
	if in := c.invitationOf(o.ID); in != nil && !(c.oldState() && !untouched(found)) {
		link.Creating, link.Invited, link.ManagerUnknown = true, in.Address, false
	}
	ch := x.newChange(o, link)
	ch.adopted, ch.unstored = !link.Creating, true
	return ch
}

// freshLink is a new link of this job to a target user.
func (c *cycle) freshLink(o directory.Object, targetID string) store.Link {
	return store.Link{Pair: c.job.Pair, SourceID: o.ID, TargetID: targetID, Job: c.job.Name, State: store.LinkActive,
		UPN: o.UPN(), DisplayName: o.DisplayName(), Addresses: sourceAddresses(o), InScope: true, SourceDisabled: !o.Enabled()}
}

// invitePart invites up to 20 users: intents first, then the batch, then links.
func (x *exporter) invitePart(ctx context.Context, part []*item) error {
	c := x.c
	if err := c.preflight(ctx); err != nil {
		return err
	}
	if c.blocked != nil {
		return nil
	}
	b := &store.Batch{}
	var newcomers []newcomer
	for _, it := range part {
		if c.skipped(it.id) {
			continue
		}
		o, err := c.objectAt(ctx, it.at)
		if err != nil {
			return err
		}
		newcomers = append(newcomers, newcomer{o: o})
	}
	failed, err := c.choose(ctx, newcomers)
	if err != nil {
		return err
	}
	var list []*change
	for _, n := range newcomers {
		if err := failed[n.o.ID]; err != nil {
			c.failMapping(b, &judged{o: n.o}, err)
		} else if ch := x.newcomer(n.o, b); ch != nil {
			list = append(list, ch)
		}
	}
	return x.invite(ctx, list, b)
}

// newcomer begins a create. What the mappings or the target's rules refuse is
// found out before anybody is invited.
func (x *exporter) newcomer(o directory.Object, b *store.Batch) *change {
	c := x.c
	link := c.freshLink(o, "")
	link.Creating = true
	ch := &change{o: o, link: link, created: true, address: directory.NormalAddress(c.inviteAddress(o)), v: verdict{state: sourceActive}}
	if _, err := c.job.Mapping.Apply(mapping.Input{Source: o.Attributes, Flow: mapping.Create, Unique: c.values[o.ID], Now: c.began}); err != nil {
		c.failMapping(b, &judged{o: o}, err)
		return nil
	}
	ch.r = c.newRecord(o, nil, now()).importStep(o, false).scopingStep(ch.v, true)
	ch.r.step("EntrySynchronizationAdd", stepMatching, statusSuccess, "No user of "+c.job.TargetName+" matches: the user will be created")
	ch.r.entry.Action = logCreate
	return ch
}

func (x *exporter) invite(ctx context.Context, list []*change, b *store.Batch) error {
	c := x.c
	ws := make([]directory.Write, len(list))
	for i, ch := range list {
		b.PutIntents = append(b.PutIntents, store.Intent{Job: c.job.Name, SourceID: ch.o.ID, Address: ch.address, Began: now()})
		ws[i] = directory.Write{Kind: directory.Invite, Address: c.inviteAddress(ch.o), DisplayName: ch.o.DisplayName(),
			RedirectURL: c.job.Invitation.RedirectURL, SendMessage: c.job.Invitation.SendMessage}
	}
	if err := x.commit(ctx, b); err != nil || len(list) == 0 {
		return err
	}
	*b = store.Batch{} // whoever goes on with it must not commit this part again: it would undo the links below
	done, err := x.write(ctx, ws)
	after := &store.Batch{}
	var invited, taken []*change
	for i, ch := range list {
		if i >= len(done) || notSent(done[i].Err) {
			continue
		}
		if x.invited(ch, done[i], after) {
			invited = append(invited, ch)
			continue
		}
		if code, _ := refusal(done[i].Err, true); code == CodeAmbiguousUser {
			taken = append(taken, ch)
		}
	}
	if err == nil {
		err = x.nameDeleted(ctx, taken, after)
	}
	if cerr := x.link(context.WithoutCancel(ctx), invited, after); cerr != nil && err == nil {
		err = cerr
	}
	if cerr := x.commitAndFlushIf(ctx, after, err == nil); cerr != nil {
		return cerr
	}
	if err != nil {
		return err
	}
	return x.judgeInvitations(ctx, done)
}

func (x *exporter) commitAndFlushIf(ctx context.Context, b *store.Batch, flush bool) error {
	if flush {
		return x.commitAndFlush(ctx, b)
	}
	return x.commit(ctx, b)
}

// invited judges the answer to one invitation; true: an id was given.
func (x *exporter) invited(ch *change, done directory.Written, b *store.Batch) bool {
	c := x.c
	key := store.WaitKey{Job: c.job.Name, SourceID: ch.o.ID}
	if done.Err == nil {
		c.tally.written++
		ch.link.TargetID, ch.link.Invited = done.ID, ch.address
		return true
	}
	switch directory.KindOf(done.Err) {
	case directory.Ambiguous:
		if !ch.again {
			ch.again = true
			x.ambiguous = append(x.ambiguous, ch)
			return false
		}
		key = store.WaitKey{} // the intent stays until the outcome is known
	case directory.Denied:
		c.tally.denied++
		if c.tally.firstDenied == nil {
			c.tally.firstDenied = done.Err
		}
	}
	code, reason := refusal(done.Err, true)
	reason = c.veil(ch.o, "the invitation of "+ch.address+" was refused: "+reason)
	ch.r.step("EntryExportAdd", stepExport, statusFailure, reason, "ReportableIdentifier", ch.o.UPN())
	c.failed(b, ch.r, ch.o, nil, stepExport, code, reason, false)
	if n := len(b.PutEscrows); c.rec.Circuit != nil && n > 0 && waitsForTarget(&b.PutEscrows[n-1]) { // it waits for the target, and not for its own back-off
		b.PutEscrows[n-1].Next = now()
	}
	if key.Job != "" {
		b.DropIntents = append(b.DropIntents, key)
	}
	return false
}

// link commits the links of invited users. An id that was there before passes
// the same check as a match, before anything is written to it.
func (x *exporter) link(ctx context.Context, list []*change, b *store.Batch) error {
	if len(list) == 0 {
		return nil
	}
	c := x.c
	ids := make([]string, len(list))
	for i, ch := range list {
		ids[i] = ch.link.TargetID
	}
	links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, TargetIDs: ids})
	if err != nil {
		return err
	}
	existing, err := x.existing(ctx, list)
	if err != nil {
		return err
	}
	target, err := c.targetTenant(ctx)
	if err != nil {
		return err
	}
	for _, ch := range list {
		var pick choice
		for i := range links {
			if l := &links[i]; l.TargetID == ch.link.TargetID && l.SourceID != ch.o.ID && l.State != store.LinkDeleted {
				pick = choice{code: CodeLinkedToOther, reason: "the invitation led to target user " + l.TargetID +
					", which is linked to source user " + l.UPN + " (" + l.SourceID + ")"}
			}
		}
		o, was := existing[ch.link.TargetID]
		if pick.code == "" && was {
			pick = c.job.unprotected(choose(ch.o.ID, []candidate{{object: o, address: ch.address}}, *c.source, target))
			if no := c.job.refuseStamp(ch.o.ID, o); pick.code == "" && no.code != "" {
				pick = no
			}
			pick.reason = c.veil(ch.o, pick.reason)
		}
		x.linkOne(ch, pick, o, was, b)
	}
	return nil
}

func (x *exporter) linkOne(ch *change, pick choice, o directory.Object, was bool, b *store.Batch) {
	c := x.c
	key := store.WaitKey{Job: c.job.Name, SourceID: ch.o.ID}
	b.DropIntents = append(b.DropIntents, key)
	if pick.code != "" {
		ch.r.step("EntryExportAdd", stepMatching, statusFailure, pick.reason)
		c.failed(b, ch.r, ch.o, nil, stepMatching, pick.code, pick.reason, false)
		return
	}
	if was { // only what differs is written to a user that was there
		ch.link.Exported = knownValues(o.Attributes, c.job.targetAttributes())
		ch.link.ManagerUnknown = c.job.mapsManager()
	}
	if ch.before != nil && ch.before.TargetID == ch.link.TargetID {
		x.foundAgain(ch, was)
	} else if ch.before != nil {
		ch.r.step("EntrySynchronizationAdd", stepMatching, statusWarning, ch.reason)
	}
	b.PutLinks = append(b.PutLinks, ch.link)
	c.dropInvitations(ch.o.ID, b)
	ch.r.entry.TargetIdentity.ID = ch.link.TargetID
	ch.r.step("EntryExportAdd", stepExport, statusSuccess, "User '"+ch.o.UPN()+"' was invited to "+c.job.TargetName,
		"ReportableIdentifier", c.veil(ch.o, ch.address), "TargetId", ch.link.TargetID)
	u, err := c.planUpdate(ch.o, &ch.link, c.began)
	if err != nil {
		c.failMapping(b, &judged{o: ch.o, link: &ch.link}, err)
		return
	}
	ch.u = u
	if was {
		x.respectBlock(ch, o)
	}
	if len(ch.u.diff) == 0 {
		x.settle(ch, b)
		return
	}
	x.queue = append(x.queue, ch)
}

// foundAgain keeps what is known of a target user who was invited anew and never
// gone: a server that had not heard of the user yet said so, and the invitation led
// to the same id, which is given to nobody else. What is written on create only was
// written before.
func (x *exporter) foundAgain(ch *change, read bool) {
	old, l := ch.before, &ch.link
	ch.reason = ""
	ch.r.step("EntrySynchronizationAdd", stepMatching, statusWarning, "target user "+l.TargetID+" was not found and is there after all")
	if old.Creating {
		return
	}
	if !read {
		l.Exported = old.Exported
	}
	l.Creating, l.DisabledByJob, l.BlockedInTarget, l.Refused = false, old.DisabledByJob, old.BlockedInTarget, old.Refused
	l.ManagerSource, l.ManagerUnknown = old.ManagerSource, old.ManagerSource != ""
	x.c.rec.Linked++
}

// existing reads those of the invited users that may have been there before: in
// an initial cycle the bulk pass knows, else they are read.
func (x *exporter) existing(ctx context.Context, list []*change) (map[string]directory.Object, error) {
	c := x.c
	var ids []string
	for _, ch := range list {
		if c.known == nil || c.known[keyOf(ch.link.TargetID)] {
			ids = append(ids, ch.link.TargetID)
		}
	}
	out := map[string]directory.Object{}
	if len(ids) == 0 {
		return out, nil
	}
	found, err := c.job.Target.Users(ctx, ids, targetSelects(c.job))
	if err != nil {
		return nil, err
	}
	for _, l := range found {
		switch {
		case l.Err == nil && !(untouched(l.Object) && mayEnter(l.Object)): // an invitation blocks nobody
			out[l.ID] = l.Object
		case l.Err == nil, directory.KindOf(l.Err) == directory.NotFound: // new
		default:
			return nil, l.Err
		}
	}
	return out, nil
}

// untouched reports a user that looks as an invitation leaves it: pending, with
// nothing but its address.
func untouched(o directory.Object) bool {
	return o.Attributes.Get(attrExternalState).Text() == pendingAcceptance && o.Attributes.Get(attrUserType).Text() == "Guest" &&
		o.Attributes.Get("department").IsEmpty() && o.Attributes.Get("givenName").IsEmpty() && o.Attributes.Get("jobTitle").IsEmpty()
}

// mayEnter reports a user whose sign-in is not blocked, as far as is known.
func mayEnter(o directory.Object) bool {
	on, known := o.Attributes.Get(attrAccountEnabled).Bool()
	return on || !known
}

// resolveAmbiguous looks up users whose invitation got no answer; who is found
// is ours, who is not is invited once more: the service answers a repeated
// invitation with the same user.
func (x *exporter) resolveAmbiguous(ctx context.Context) error {
	c := x.c
	list := x.ambiguous[:min(batchSize, len(x.ambiguous))]
	x.ambiguous = slices.Clone(x.ambiguous[len(list):])
	addresses := make([]string, len(list))
	for i, ch := range list {
		addresses[i] = ch.address
	}
	hits, err := c.job.Target.Lookup(ctx, addresses, targetSelects(c.job))
	if err != nil {
		return err
	}
	b := &store.Batch{}
	var found, again []*change
	for _, ch := range list {
		i := slices.IndexFunc(hits, func(o directory.Object) bool { return slices.Contains(o.Addresses(), ch.address) })
		if i < 0 {
			again = append(again, ch)
			continue
		}
		ch.link.TargetID, ch.link.Invited = hits[i].ID, ch.address
		found = append(found, ch)
	}
	if err := x.link(ctx, found, b); err != nil {
		return err
	}
	if c.blocked != nil { // their intents stay: the next cycle looks for them again
		again = nil
	}
	return x.invite(ctx, again, b)
}
