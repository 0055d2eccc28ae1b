package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"tenantsync/directory"
	"tenantsync/store"
)

// reference is a manager to be set or removed.
type reference struct {
	link store.Link
	want string // target id of the manager, "" none
	// unresolved: the wanted manager has no user in the target.
	unresolved bool
}

// modified is the reference as the log tells it.
func (r *reference) modified() directory.Modified {
	return directory.Modified{Name: attrManager, Old: directory.RefOf(r.link.ManagerTarget), New: directory.RefOf(r.want)}
}

// references settles managers, once every user of the cycle exists: those of the
// users that changed, and those that waited for a user linked just now.
func (x *exporter) references(ctx context.Context) error {
	if !x.c.job.mapsManager() {
		return nil
	}
	ids := x.refs
	x.refs = nil
	waiting, err := x.waitingFor(ctx)
	if err != nil {
		return err
	}
	ids = append(ids, waiting...)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return nil
	}
	x.c.phase("writing references")
	x.c.progress.Total = len(ids)
	var due []*reference
	for part := range slices.Chunk(ids, 10*batchSize) {
		err := x.turn(func() error {
			more, err := x.resolve(ctx, part)
			due = append(due, more...)
			return err
		})
		if err != nil {
			return err
		}
	}
	for part := range slices.Chunk(due, batchSize) {
		if err := x.turn(func() error { return x.writeReferences(ctx, part) }); err != nil {
			return err
		}
		x.c.advance(len(part))
	}
	return nil
}

// takeUpReferences adds the references that a stopped cycle did not come to:
// those of users it had brought up to date, and of users who wait for one of them.
func (x *exporter) takeUpReferences(ctx context.Context, list []unsure) error {
	c := x.c
	fresh := map[string]bool{} // came into the target in this cycle: waitingFor finds who waits for them
	for _, id := range x.linked {
		fresh[id] = true
	}
	for part := range slices.Chunk(list, 500) {
		ids := make([]string, len(part))
		unchanged := make(map[string]bool, len(part))
		for i, u := range part {
			ids[i], unchanged[u.id] = u.id, u.unchanged
		}
		x.linked = append(x.linked, ids...)
		links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: ids})
		if err != nil {
			return err
		}
		var managers []string
		for _, l := range links {
			if l.ManagerSource != "" {
				managers = append(managers, l.ManagerSource)
			}
		}
		target, err := x.targetsOf(ctx, managers)
		if err != nil {
			return err
		}
		keeps, adds := !c.job.Mapping.ClearsReference(attrManager), c.job.Mapping.AddsReference(attrManager)
		for _, l := range links {
			if keeps && target[l.ManagerSource] == "" || adds && l.ManagerTarget != "" || fresh[l.ManagerSource] {
				continue
			}
			if l.State == store.LinkActive && target[l.ManagerSource] != l.ManagerTarget {
				x.refs = append(x.refs, l.SourceID)
				if unchanged[l.SourceID] {
					c.tally.Unchanged--
				}
			}
		}
	}
	return nil
}

// waitingFor returns links whose manager came into the target in this cycle.
// Users who are leaving scope meanwhile are not updated any more. Those of other
// jobs are left to their owner, whose next cycle looks at them.
func (x *exporter) waitingFor(ctx context.Context) ([]string, error) {
	var out []string
	var others []store.Link
	for part := range slices.Chunk(x.linked, 500) {
		managers, err := x.c.st.Links(ctx, store.LinkQuery{Pair: x.c.job.Pair, SourceIDs: part})
		if err != nil {
			return nil, err
		}
		target := map[string]string{}
		for _, m := range managers {
			target[m.SourceID] = m.TargetID
		}
		reports, err := x.c.st.Links(ctx, store.LinkQuery{Pair: x.c.job.Pair, Managers: part})
		if err != nil {
			return nil, err
		}
		for _, l := range reports {
			switch {
			case l.State != store.LinkActive || l.ManagerTarget == target[l.ManagerSource]:
			case l.Job != x.c.job.Name:
				others = append(others, l)
			case !x.leaving[keyOf(l.SourceID)]:
				out = append(out, l.SourceID)
			}
		}
	}
	x.linked = nil
	return out, x.tellOwners(ctx, others)
}

// tellOwners has other jobs of the pair look again at users of theirs whose manager
// came into the target through this one: nothing of the users themselves changes.
func (x *exporter) tellOwners(ctx context.Context, list []store.Link) error {
	waiting := map[string]store.Waiting{}
	b := &store.Batch{}
	for i := range list {
		l := &list[i]
		w, read := waiting[l.Job]
		if !read {
			var err error
			if w, err = x.c.st.Waiting(ctx, l.Job); err != nil {
				return err
			}
			waiting[l.Job] = w
		}
		if escrowIn(w.Escrows, l.SourceID) == nil { // else it is looked at anyway
			b.PutEscrows = append(b.PutEscrows, store.Escrow{Job: l.Job, SourceID: l.SourceID, UPN: l.UPN,
				Code: string(markManagerLinked), First: x.c.began, Next: x.c.began})
		}
	}
	return x.commit(ctx, b)
}

// resolve finds the target users of the wanted managers through links, and
// commits what needs no write. It returns what is to be written.
func (x *exporter) resolve(ctx context.Context, ids []string) ([]*reference, error) {
	c := x.c
	links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: ids})
	if err != nil {
		return nil, err
	}
	links = slices.DeleteFunc(links, func(l store.Link) bool {
		leave := l.ManagerUnknown && !c.job.Actions.Update // adopted: what it has is not for this job to change
		if leave {
			x.uncounted(l.SourceID)
		}
		return leave
	})
	var managers []string
	for _, l := range links {
		if l.ManagerSource != "" {
			managers = append(managers, l.ManagerSource)
		}
	}
	target, err := x.targetsOf(ctx, managers)
	if err != nil {
		return nil, err
	}
	if err := x.recallDeleted(ctx, links); err != nil {
		return nil, err
	}
	adds := c.job.Mapping.AddsReference(attrManager)
	for i := range links {
		links[i].ManagerUnknown = links[i].ManagerUnknown || adds && !links[i].Creating // it may have been given one by hand
	}
	if err := x.readManagers(ctx, links); err != nil {
		return nil, err
	}
	b := &store.Batch{}
	keeps := !c.job.Mapping.ClearsReference(attrManager)
	var due []*reference
	for _, l := range links {
		if l.State != store.LinkActive || l.Creating {
			continue
		}
		ref := &reference{link: l, want: target[l.ManagerSource]}
		ref.unresolved = l.ManagerSource != "" && ref.want == ""
		if ref.want == "" && keeps || adds && l.ManagerTarget != "" {
			ref.want = l.ManagerTarget
		}
		if ref.want == l.ManagerTarget {
			b.PutLinks = append(b.PutLinks, l)
			x.unresolvedWarning(ref, nil, b)
			x.uncounted(l.SourceID)
			continue
		}
		due = append(due, ref)
	}
	due, err = x.externalOnly(ctx, due, b)
	if err != nil {
		return nil, err
	}
	return due, x.commit(ctx, b)
}

// recallDeleted notes the manager that a user is still bound to although it lies in
// the recycle bin: once restored it would be there again, so it is taken away now.
func (x *exporter) recallDeleted(ctx context.Context, links []store.Link) error {
	for i := range links {
		l := &links[i]
		old := x.formerly[l.SourceID]
		if old == "" || l.ManagerSource != "" || l.ManagerTarget != "" {
			continue
		}
		found, err := x.c.st.Links(ctx, store.LinkQuery{Pair: x.c.job.Pair, SourceIDs: []string{old}})
		if err != nil {
			return err
		}
		if len(found) > 0 { // deleted, or restored in this very cycle
			l.ManagerTarget = found[0].TargetID
		}
	}
	return nil
}

// trust notes a target user that was created, or seen to be external, in this run.
func (x *exporter) trust(id string) {
	if x.external == nil {
		x.external = map[idKey]bool{}
	}
	x.external[keyOf(id)] = true
}

// externalOnly reads the users that this run has not seen and leaves out those
// that were made internal accounts of the target: their managers stay.
func (x *exporter) externalOnly(ctx context.Context, due []*reference, b *store.Batch) ([]*reference, error) {
	c := x.c
	var ids []string
	for _, ref := range due {
		if k := keyOf(ref.link.TargetID); !x.external[k] && !(c.known[k] && !c.internal[k]) {
			ids = append(ids, ref.link.TargetID)
		}
	}
	if len(ids) == 0 {
		return due, nil
	}
	found, err := c.job.Target.Users(ctx, ids, targetSelects(c.job))
	if err != nil {
		return nil, err
	}
	target, err := c.targetTenant(ctx)
	if err != nil {
		return nil, err
	}
	for i, l := range found {
		gone := directory.KindOf(l.Err) == directory.NotFound && l.Err != nil
		code, reason := Code(""), ""
		if l.Err == nil {
			code, reason = c.job.spares(l.Object, target)
		}
		if !gone && code == "" {
			continue
		}
		at := slices.IndexFunc(due, func(r *reference) bool { return r.link.TargetID == ids[i] })
		link := due[at].link
		due = slices.Delete(due, at, at+1)
		if gone { // not new either: waiting for it to show would be in vain
			link.ManagerUnknown = true
			b.PutLinks = append(b.PutLinks, link)
			c.fail(b, linkedUser(&link), &link, stepReference, CodeInvalidAnchor,
				"target user "+link.TargetID+" is not there: what became of it is looked into with the next attempt", true)
			continue
		}
		c.fail(b, linkedUser(&link), &link, stepReference, code, "target user "+link.TargetID+" "+reason, true)
	}
	return due, nil
}

// linkedUser is what a link remembers of its source user.
func linkedUser(l *store.Link) directory.Object {
	return directory.Object{ID: l.SourceID, Attributes: directory.AttributesOf(map[string]directory.Value{
		attrUPN: directory.TextOf(l.UPN), attrDisplayName: directory.TextOf(l.DisplayName)})}
}

// uncounted counts a user as unchanged whose only difference was a manager that
// needs no write after all.
func (x *exporter) uncounted(id string) {
	k := keyOf(id)
	if !x.c.tally.counted[k] && !x.isWaiting(id) {
		x.c.tally.counted[k] = true
		x.c.tally.Unchanged++
	}
}

// isWaiting reports a user that this cycle did not stage: it only waited.
func (x *exporter) isWaiting(id string) bool {
	_, staged := x.c.pos[keyOf(id)]
	return !staged
}

func (x *exporter) targetsOf(ctx context.Context, sourceIDs []string) (map[string]string, error) {
	out := map[string]string{}
	if len(sourceIDs) == 0 {
		return out, nil
	}
	links, err := x.c.st.Links(ctx, store.LinkQuery{Pair: x.c.job.Pair, SourceIDs: sourceIDs})
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if l.State == store.LinkActive || l.State == store.LinkHeld || l.State == store.LinkRetained {
			out[l.SourceID] = l.TargetID
		}
	}
	return out, nil
}

// readManagers reads the managers that are not known: of adopted and restored users.
func (x *exporter) readManagers(ctx context.Context, links []store.Link) error {
	var ids []string
	var at []int
	for i := range links {
		if links[i].ManagerUnknown {
			ids, at = append(ids, links[i].TargetID), append(at, i)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := x.c.job.Target.Users(ctx, ids, []string{attrManager})
	if err != nil {
		return err
	}
	for n, l := range found {
		if l.Err == nil {
			links[at[n]].ManagerTarget = l.Object.Attributes.Get(attrManager).Text()
			links[at[n]].ManagerUnknown = false
		}
	}
	return nil
}

// writeReferences sends one batch of managers and commits its outcome.
func (x *exporter) writeReferences(ctx context.Context, part []*reference) error {
	part = slices.DeleteFunc(slices.Clone(part), func(r *reference) bool { return x.c.skipped(r.link.SourceID) })
	ws := make([]directory.Write, len(part))
	for i, ref := range part {
		ws[i] = directory.Write{Kind: directory.SetManager, ID: ref.link.TargetID, ManagerID: ref.want}
		if ref.want == "" {
			ws[i] = directory.Write{Kind: directory.ClearManager, ID: ref.link.TargetID}
		}
	}
	links := make([]*store.Link, len(part))
	for i, ref := range part {
		links[i] = &ref.link
	}
	err := x.intend(ctx, store.IntentUpdate, links, func(i int) []store.Property {
		return x.c.changed([]directory.Modified{part[i].modified()})
	})
	if err != nil {
		return err
	}
	done, err := x.writePatiently(ctx, ws)
	b := &store.Batch{}
	for i, ref := range part {
		if i >= len(done) || notSent(done[i].Err) {
			continue
		}
		if !outcomeUnknown(done[i].Err) {
			b.DropIntents = append(b.DropIntents, store.WaitKey{Job: x.c.job.Name, SourceID: ref.link.SourceID})
		}
		x.referenceWritten(ref, done[i].Err, b)
	}
	if cerr := x.commit(ctx, b); cerr != nil {
		return cerr
	}
	return err
}

// writePatiently writes references and repeats, for a while, those that fail
// because one of the two users is not visible everywhere yet.
func (x *exporter) writePatiently(ctx context.Context, ws []directory.Write) ([]directory.Written, error) {
	done, err := x.write(ctx, ws)
	for wait, began := time.Second, now(); err == nil && now().Sub(began) < replicationWindow; wait *= 2 {
		var again []directory.Write
		var at []int
		for i := range done {
			if notYetVisible(done[i].Err) {
				again, at = append(again, ws[i]), append(at, i)
			}
		}
		if len(again) == 0 {
			return done, nil
		}
		if err := sleep(ctx, min(wait, time.Minute)); err != nil {
			return done, err
		}
		var more []directory.Written
		more, err = x.write(ctx, again)
		for n := range more {
			done[at[n]] = more[n]
		}
	}
	return done, err
}

func notYetVisible(err error) bool {
	if err == nil {
		return false
	}
	if directory.KindOf(err) == directory.NotFound {
		return true
	}
	text := strings.ToLower(err.Error())
	return directory.KindOf(err) == directory.Invalid &&
		(strings.Contains(text, "not a valid reference update") || strings.Contains(text, "being referenced do not exist"))
}

func (x *exporter) referenceWritten(ref *reference, err error, b *store.Batch) {
	c := x.c
	l := &ref.link
	o := linkedUser(l)
	r := c.newRecord(o, l, now())
	r.entry.Action = logUpdate
	if err != nil {
		code, reason := refusal(err, false)
		r.step("EntryReferenceResolution", stepReference, statusFailure, "the manager could not be written: "+reason)
		c.failed(b, r, o, l, stepReference, code, reason, true)
		l.ManagerUnknown = true // looked at again by the retry
		b.PutLinks = append(b.PutLinks, *l)
		return
	}
	c.tally.written++
	if k := keyOf(l.SourceID); !c.tally.counted[k] {
		c.tally.counted[k] = true
		c.tally.Update++
	}
	r.modified(c, []directory.Modified{ref.modified()})
	l.ManagerTarget = ref.want
	b.PutLinks = append(b.PutLinks, *l)
	c.dropReferenceEscrow(b, l.SourceID)
	if ref.unresolved {
		x.unresolvedWarning(ref, r.entry.Modified, b)
		return
	}
	r.step("EntryReferenceResolution", stepReference, statusSuccess, "The manager of '"+l.UPN+"' was written")
	if id := x.entries[l.SourceID]; id != "" { // a create is one entry
		b.AmendLog = append(b.AmendLog, store.Amendment{ID: id, Steps: r.entry.Steps, Modified: r.entry.Modified})
		return
	}
	b.Log = append(b.Log, r.done(now()))
}

// unresolvedWarning says that a wanted manager is not in the target, and what was
// written for that reason: the one who was there before is removed.
func (x *exporter) unresolvedWarning(ref *reference, written []store.Property, b *store.Batch) {
	if !ref.unresolved {
		return
	}
	l := &ref.link
	o := linkedUser(l)
	r := x.c.newRecord(o, l, now())
	r.entry.Action = logUpdate
	r.entry.Modified = append(r.entry.Modified, written...)
	reason := "the manager (source user " + l.ManagerSource + ") is not in " + x.c.job.TargetName + " yet"
	r.step("EntryReferenceResolution", stepReference, statusWarning, reason, "PropertyName", attrManager)
	b.Log = append(b.Log, r.result(statusWarning, CodeUnresolvedReference, reason).done(now()))
}
