package engine

import (
	"cmp"
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/store"
)

// work is what a cycle has to do: compact, for users that need something done
// only. What is to be written is computed again just before its export.
type work struct {
	creates []*item // unlinked and wanted: to be matched, then adopted or created
	updates []*item // linked, and something differs; restores among them
	leavers []*leaver
	unsure  []unsure
	census  census
	ruling  ruling
	held    int // deletions held in this cycle
	// heldChanges are marks of the creates and updates that are held.
	heldChanges []uint64
	wouldHold   *HeldChanges // what would be held without an approval of everything
}

// unsure is a linked user whose references a stopped cycle, or provision on
// demand, may not have come to.
// Who has nothing else to write was counted as unchanged.
type unsure struct {
	id        string
	unchanged bool
}

// item is a source user in the stage with what is to be done about it.
type item struct {
	id  string
	at  position
	act action
	// block: the user was disabled in the source, which nothing delays.
	block bool
	// member: the update makes a guest a member.
	member bool
	hold   Code // why the change is held, "" when it may go
	// adopt is the target user that matching chose; in an initial cycle its place in
	// the spool, counted from 1, stands for it.
	adopt   *directory.Object
	spooled int64
	// dormant: disabled in the source and in the target, matched while judging.
	dormant bool
	// failed is set when matching or judging failed: the item is only reported.
	code   Code
	reason string
	step   string
}

// leaver is a linked user who is no longer wanted.
type leaver struct {
	id      string
	at      position
	act     action // actDelete or actDisable
	verdict verdict
	hold    Code // why it is held, "" when it may go
	// due: disabled when it left scope, which was judged then; deleteAfter has passed.
	due bool
	// disabled in the source since: if the deletion is held, the block still goes through.
	disabled bool
}

// judgeStage decides about every user of the stage: the pages in their order,
// each user by its last image.
func (c *cycle) judgeStage(ctx context.Context) (*work, error) {
	w := &work{}
	if len(c.pos) == 0 && len(c.unread) == 0 {
		return w, nil
	}
	c.phase("evaluating")
	c.progress.Total = len(c.pos)
	if _, err := c.sourceTenant(ctx); err != nil {
		return nil, err
	}
	if c.initial {
		c.inScope = 0
	}
	var whole *assigner
	if c.initial {
		var err error
		if whole, err = c.assignments(ctx, c.job, &c.rec, nil); err != nil {
			return nil, err
		}
	}
	err := c.stagePages(ctx, func(p *store.StagePage) error {
		c.runner.pair.turn.Lock()
		defer c.runner.pair.turn.Unlock()
		return c.judgePage(ctx, p, whole, w)
	})
	return w, err
}

// judgePage decides about the users of one page whose last image it holds, and
// commits what changes of their records without a write to the target.
func (c *cycle) judgePage(ctx context.Context, p *store.StagePage, as *assigner, w *work) error {
	var ids []string
	var at []int
	for i := range p.Objects {
		id := p.Objects[i].ID
		if c.pos[keyOf(id)] != (position{uint32(p.Seq), uint32(i)}) || c.skipped(id) {
			continue
		}
		ids, at = append(ids, id), append(at, i)
	}
	if len(ids) == 0 {
		return nil
	}
	links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: ids})
	if err != nil {
		return err
	}
	byID := make(map[string]*store.Link, len(links))
	for i := range links {
		byID[links[i].SourceID] = &links[i]
	}
	if as == nil {
		if as, err = c.assignments(ctx, c.job, &c.rec, ids); err != nil {
			return err
		}
	}
	b := &store.Batch{}
	v := newVerdicts(c, ids)
	for n, i := range at {
		o, err := c.full(ctx, p.Objects[i])
		if err != nil {
			return err
		}
		j := judged{o: o, at: position{uint32(p.Seq), uint32(i)}, link: byID[ids[n]], v: judge(o, *c.source, as.of(o.ID), c.job, c.began)}
		if err := c.judgeContained(ctx, &j, w, b, v); err != nil {
			return err
		}
	}
	if err := v.commit(ctx, b); err != nil {
		return err
	}
	c.advance(len(ids))
	if b.Empty() {
		return nil
	}
	return c.st.Apply(ctx, b)
}

// skipped reports a user that provision on demand read since the stage began, or
// that is not the one a plan asks for.
func (c *cycle) skipped(id string) bool {
	return c.runner.isFresh(id) && !c.dry || c.onlyUser() != "" && id != c.onlyUser()
}

// judged is one user with what is known of it.
type judged struct {
	o    directory.Object
	at   position
	link *store.Link
	v    verdict
	// taken: the link was another job's before.
	taken bool
}

// judgeOne sorts one user into the work, or finds that nothing is to be done.
func (c *cycle) judgeOne(ctx context.Context, j *judged, w *work, b *store.Batch, said *verdicts) error {
	c.tally.processed++
	if j.v.err != nil {
		c.undecided(j, b)
		return nil
	}
	if j.link != nil && j.link.Job != c.job.Name {
		if done, err := c.judgeOwner(ctx, j, b, said); done || err != nil {
			return err
		}
	}
	c.count(j, b)
	if j.link == nil {
		return c.judgeUnlinked(ctx, j, w, b, said)
	}
	return c.judgeLinked(ctx, j, w, b, said)
}

// undecided records a user whom the filters could not judge. It counts as in
// scope if it did before: else many of them would look like an emptied scope.
func (c *cycle) undecided(j *judged, b *store.Batch) {
	before := c.wasInScope(j)
	if before && c.initial {
		c.inScope++
	}
	c.fail(b, j.o, j.link, stepScoping, c.faultOr(CodeFilterFailed, j.o.ID, j.v.err), j.v.reason, false)
	setInScope(b, j.o.ID, before && j.link == nil)
}

// wasInScope reports a user whom the count of those in scope includes already.
func (c *cycle) wasInScope(j *judged) bool {
	if j.link == nil {
		return c.escrowInScope(j.o.ID)
	}
	return j.link.InScope && j.link.Job == c.job.Name
}

// count keeps the number of users in scope.
func (c *cycle) count(j *judged, b *store.Batch) {
	before := !c.initial && c.wasInScope(j)
	after := j.v.inScope() && (j.link != nil || j.v.state == sourceActive)
	if after && !before {
		c.inScope++
	}
	if before && !after {
		c.inScope--
	}
	if j.link != nil && j.link.InScope != after { // at once: what follows may fail, and be tried again
		j.link.InScope = after
		b.PutLinks = append(b.PutLinks, *j.link)
	}
}

func (c *cycle) escrowOf(id string) *store.Escrow { return escrowIn(c.waiting.Escrows, id) }

// escrowIn returns the escrow of a source user among those of a job, which the store
// tells in the order of their ids, and nil where there is none.
func escrowIn(escrows []store.Escrow, id string) *store.Escrow {
	i, ok := slices.BinarySearchFunc(escrows, id, func(e store.Escrow, id string) int { return cmp.Compare(e.SourceID, id) })
	if !ok {
		return nil
	}
	return &escrows[i]
}

func (c *cycle) escrowInScope(id string) bool {
	e := c.escrowOf(id)
	return e != nil && e.InScope
}

// judgeOwner decides about a user whose link another job owns: the job that
// stands first in the configuration takes it over when it wants the user; so
// does any job when the owner is not configured any more, or does not want the
// user itself. It reports whether nothing else is to be done.
func (c *cycle) judgeOwner(ctx context.Context, j *judged, b *store.Batch, said *verdicts) (done bool, err error) {
	if !j.v.inScope() {
		c.dropEscrow(b, j.o.ID)
		return true, nil
	}
	if c.engine.keeps(j.link, c.job.Name) {
		c.dropEscrow(b, j.o.ID)
		said.say(j, CodeOwnedByOtherJob, "job "+j.link.Job+", which comes first in the configuration, keeps this user in sync")
		c.tally.Skipped++
		return true, nil
	}
	if err := c.takeOver(ctx, j, b); err != nil {
		return true, err
	}
	return false, nil
}

// judgeUnlinked decides about a user who has no link.
func (c *cycle) judgeUnlinked(ctx context.Context, j *judged, w *work, b *store.Batch, said *verdicts) error {
	d := decide(j.v.state, linkNone, targetPresent, policy{actions: c.job.Actions})
	switch d.action {
	case actCreate:
		w.creates = append(w.creates, &item{id: j.o.ID, at: j.at, act: actCreate})
	case actSkip:
		reason := j.v.reason
		if d.code == CodeActionNotAllowed {
			// Matching an existing user is still allowed: that is an update.
			w.creates = append(w.creates, &item{id: j.o.ID, at: j.at, act: actAdopt})
			return nil
		}
		c.dropEscrow(b, j.o.ID)
		it, err := c.dormant(ctx, j)
		if err != nil {
			return err
		}
		if it != nil {
			w.creates = append(w.creates, it)
			c.inScope++
			return nil
		}
		said.say(j, d.code, reason)
		c.tally.Skipped++
	case actNone:
		c.dropEscrow(b, j.o.ID)
		if j.v.state == sourceOutOfScope && (c.job.Scope.All || j.v.code != CodeOutOfScope || j.v.through != "") {
			said.say(j, j.v.code, j.v.reason)
			c.tally.Skipped++
		}
	}
	return nil
}

// judgeLinked decides about a linked user.
func (c *cycle) judgeLinked(ctx context.Context, j *judged, w *work, b *store.Batch, said *verdicts) error {
	if c.holdEnded(j) {
		c.unhold(j.link, b)
	}
	state := stateOf(j.link)
	p := policy{actions: c.job.Actions, deprovision: c.job.Deprovision,
		deleteDue: c.deleteDue(j.link), newEvent: j.link.RetainedFor != string(eventOf(j.v))}
	presumed := targetPresent
	if state == linkDeleted || state == linkMissing {
		presumed = targetBin
	}
	d := decide(j.v.state, state, presumed, p)
	if state == linkDeleted && d.action == actRestore || state == linkMissing && j.v.inScope() {
		w.updates = append(w.updates, &item{id: j.o.ID, at: j.at, act: actRestore})
		return nil
	}
	if moved, err := c.movedToOther(ctx, j, b); moved || err != nil {
		c.tally.Unchanged++
		return err
	}
	switch d.action {
	case actDelete, actDisable:
		if d.action == actDisable && c.alreadyDisabled(j.link) {
			c.awaitDelete(j, b)
			c.tally.Unchanged++
			return nil
		}
		w.leavers = append(w.leavers, &leaver{id: j.o.ID, at: j.at, act: d.action, verdict: j.v, hold: c.holdOf(j.v),
			due: d.action == actDelete && c.disabledOnLeaving(j.link), disabled: c.wantsDisable(j)})
		return nil
	case actRelease, actUpdate:
		return c.judgeUpdate(j, w, b)
	}
	if (state == linkHeld || state == linkRetained) && c.wantsDisable(j) {
		w.updates = append(w.updates, &item{id: j.o.ID, at: j.at, act: actDisable})
		return nil
	}
	switch noted := c.note(j) || j.taken; {
	case c.forgotten(j):
		b.DropLinks = append(b.DropLinks, j.link.Key())
	case noted:
		b.PutLinks = append(b.PutLinks, *j.link)
	}
	c.dropEscrow(b, j.o.ID)
	if j.link.State == store.LinkActive || j.link.State == store.LinkHeld || j.link.State == store.LinkRetained {
		c.tally.Unchanged++
	}
	return nil
}

func stateOf(l *store.Link) linkState {
	switch l.State {
	case store.LinkHeld:
		return linkHeld
	case store.LinkRetained:
		return linkRetained
	case store.LinkDeleted:
		return linkDeleted
	case store.LinkMissing:
		return linkMissing
	}
	return linkActive
}

// event is what took a user out of scope: a rejected deletion is judged anew
// when another one happens.
type event string

const (
	eventGone  event = "gone"
	eventScope event = "scope"
)

func eventOf(v verdict) event {
	if v.state == sourceGone {
		return eventGone
	}
	return eventScope
}

// deleteDue reports whether a user that was disabled for leaving scope is to be
// deleted now. A clock that leapt ahead makes nobody due before it is believed.
func (c *cycle) deleteDue(l *store.Link) bool {
	return c.job.DeleteAfter > 0 && !l.LeftScopeAt.IsZero() && elapsed(&c.rec, l.LeftScopeAt, c.began) >= c.job.DeleteAfter
}

// disabledOnLeaving reports a user whose leaving was a disable, judged and counted
// when it happened.
func (c *cycle) disabledOnLeaving(l *store.Link) bool {
	return c.job.Deprovision == DeprovisionDisable && !l.LeftScopeAt.IsZero()
}

func (c *cycle) alreadyDisabled(l *store.Link) bool {
	enabled, known := l.Exported.Get(attrAccountEnabled).Bool()
	return known && !enabled && !l.LeftScopeAt.IsZero()
}

// awaitDelete makes sure that a user who was disabled for leaving scope is looked
// at again when the delete is due: a restart forgets what was waiting, and
// deleteAfter may have come or changed since. Who left in the future, by a clock that
// was wrong then, waits from now on.
func (c *cycle) awaitDelete(j *judged, b *store.Batch) {
	if j.link.LeftScopeAt.After(c.began) {
		j.link.LeftScopeAt = c.began
		b.PutLinks = append(b.PutLinks, *j.link)
	}
	due := j.link.LeftScopeAt.Add(c.job.DeleteAfter)
	switch old := c.escrowOf(j.o.ID); {
	case c.job.DeleteAfter == 0:
		c.dropEscrow(b, j.o.ID)
	case old == nil || old.Code != string(markDeleteAfter) || !old.Next.Equal(due):
		b.PutEscrows = append(b.PutEscrows, store.Escrow{Job: c.job.Name, SourceID: j.o.ID, UPN: j.link.UPN,
			Code: string(markDeleteAfter), First: j.link.LeftScopeAt, Next: due})
	}
}

// holdEnded reports a user whose deletion was held because a scope group was
// gone, and who is out of scope for another reason now: the group is back without
// the user, or not in the configuration any more. The user is judged anew, and so is
// one whom no hold stands for: a cycle that took the user over from another job was
// stopped before the release, and nobody could approve what no list shows.
func (c *cycle) holdEnded(j *judged) bool {
	if j.link.State != store.LinkHeld || j.v.inScope() {
		return false
	}
	i, held := slices.BinarySearchFunc(c.waiting.Holds, j.link.SourceID, func(h store.Hold, id string) int { return cmp.Compare(h.SourceID, id) })
	switch {
	case !held:
		return true
	case j.v.hold != "" || j.v.state == sourceGone && len(c.rec.GoneGroups) > 0:
		return false
	}
	return c.waiting.Holds[i].Reason == string(CodeScopeGroupDeleted)
}

// unhold makes a held user an ordinary linked one again.
func (c *cycle) unhold(l *store.Link, b *store.Batch) {
	l.State, l.RetainedFor = store.LinkActive, ""
	b.PutLinks = append(b.PutLinks, *l)
	b.DropHolds = append(b.DropHolds, store.WaitKey{Job: c.job.Name, SourceID: l.SourceID})
	c.rec.Linked++
	c.linked++
}

// wantsDisable reports a user out of scope whose delete waits or was rejected,
// and who was disabled in the source since: the block still goes through.
func (c *cycle) wantsDisable(j *judged) bool {
	if j.v.state != sourceOutOfScope || j.o.Enabled() {
		return false
	}
	enabled, known := j.link.Exported.Get(attrAccountEnabled).Bool()
	return enabled || !known
}
