package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
	"tenantsync/store"
)

// batchSize is how many changes one request to the target carries at most.
const batchSize = 20

// exporter carries out the work of a cycle: creates, restores and updates, then
// references, then deletes, then what was refused for a value that a delete has
// freed. Each batch is written first and committed second.
type exporter struct {
	c         *cycle
	queue     []*change         // updates that are ready to be sent
	later     []*change         // new users that are not visible everywhere yet
	conflicts []*change         // refused for a value that is taken
	ambiguous []*change         // invitations whose answer was lost
	refs      []string          // source ids whose manager is to be settled
	formerly  map[string]string // source id → source id of the manager that is taken away while it has no target user
	linked    []string          // source ids that came into the target in this cycle
	external  map[idKey]bool    // target users of this run that are known to be external
	entries   map[string]string // source id → entry of a create whose manager is still to be settled
	logged    []store.Entry     // entries of this run, for provision on demand
	keepLog   bool
	allowed   []string       // ids that a removal was carried out for
	approved  bool           // held deletions were allowed
	leaving   map[idKey]bool // users who left scope in this cycle
}

// change is one user on its way to the target.
type change struct {
	o        directory.Object
	link     store.Link
	u        update
	r        *record
	v        verdict
	created  bool        // invited in this run, or left half-created by an earlier one
	left     bool        // left half-created by an earlier run: somebody may have been at it since
	before   *store.Link // of one who is invited anew: the link to the target user that was not found
	restored bool
	adopted  bool
	unstored bool // the link is new: it is stored with the outcome of the change
	released bool
	leaving  bool // the disable of a user who left scope
	hold     Code // of a plan: why it would be held, "" when it would go
	address  string
	again    bool // a second try after a conflict
	resent   bool // sent before, and nobody can say whether it took effect
	refused  []string
	refusal  Code
	reason   string
	read     bool // the target user was read in this run and is external
	pending  bool // the invitation is pending and its address has changed
	first    time.Time
	due      time.Time
}

// export carries the work out in its order.
func (x *exporter) export(ctx context.Context, w *work) error {
	c := x.c
	c.phase("writing")
	c.progress.Total = len(w.creates) + len(w.updates) + len(w.leavers)
	x.leaving = make(map[idKey]bool, len(w.leavers))
	for _, l := range w.leavers {
		x.leaving[keyOf(l.id)] = true
	}
	if err := x.failures(ctx, w); err != nil {
		return err
	}
	if c.progress.Total > 0 { // the right tenant, before the first write to it
		if _, err := c.targetTenant(ctx); err != nil {
			return err
		}
	}
	if err := x.changes(ctx, w); err != nil {
		return err
	}
	if err := x.remove(ctx, w); err != nil {
		return err
	}
	return x.retryConflicts(ctx)
}

// changes sends the creates and updates that are not held.
func (x *exporter) changes(ctx context.Context, w *work) error {
	held := func(it *item) bool { return it.hold != "" }
	if err := x.adoptAndCreate(ctx, slices.DeleteFunc(slices.Clone(w.creates), held)); err != nil {
		return err
	}
	for part := range slices.Chunk(restoresFirst(slices.DeleteFunc(slices.Clone(w.updates), held)), batchSize) {
		if err := x.turn(func() error { return x.prepare(ctx, part) }); err != nil {
			return err
		}
	}
	if err := x.blocks(ctx, w); err != nil {
		return err
	}
	if err := x.takeUpReferences(ctx, w.unsure); err != nil {
		return err
	}
	return x.references(ctx)
}

// blocks sends, of the updates that are held, the disables of users disabled in
// the source: nothing delays them.
func (x *exporter) blocks(ctx context.Context, w *work) error {
	var list []*item
	for _, it := range w.updates {
		if it.hold != "" && it.block {
			list = append(list, &item{id: it.id, at: it.at, act: actDisable})
		}
	}
	for part := range slices.Chunk(list, batchSize) {
		if err := x.turn(func() error { return x.prepare(ctx, part) }); err != nil {
			return err
		}
	}
	return x.drain(ctx)
}

// restoresFirst puts the restores together, so that they fill their batches
// instead of going out one by one among the updates; else the order stays.
func restoresFirst(list []*item) []*item {
	slices.SortStableFunc(list, func(a, b *item) int {
		switch {
		case a.act == actRestore && b.act != actRestore:
			return -1
		case a.act != actRestore && b.act == actRestore:
			return 1
		}
		return 0
	})
	return list
}

// turn runs one batch while provision on demand waits.
func (x *exporter) turn(f func() error) error {
	x.c.runner.pair.turn.Lock()
	defer x.c.runner.pair.turn.Unlock()
	return f()
}

// commit stores a batch together with the counters of the cycle.
func (x *exporter) commit(ctx context.Context, b *store.Batch) error {
	c := x.c
	if b.Empty() {
		return nil
	}
	if x.keepLog {
		x.logged = append(x.logged, b.Log...)
		for _, a := range b.AmendLog {
			if i := slices.IndexFunc(x.logged, func(e store.Entry) bool { return e.ID == a.ID }); i >= 0 {
				x.logged[i].Steps = append(x.logged[i].Steps, a.Steps...)
				x.logged[i].Modified = append(x.logged[i].Modified, a.Modified...)
			}
		}
	}
	if !c.onDemand {
		c.measure()
		b.Cycles = append(b.Cycles, c.cyc)
	}
	// What was written to the tenant is recorded even when the cycle is being stopped.
	return c.st.Apply(context.WithoutCancel(ctx), b)
}

// failures reports the users that failed before anything could be written.
func (x *exporter) failures(ctx context.Context, w *work) error {
	c := x.c
	b := &store.Batch{}
	for id, err := range c.unread {
		links, lerr := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: []string{id}})
		if lerr != nil {
			return lerr
		}
		var link *store.Link
		if len(links) > 0 {
			link = &links[0]
		}
		code, reason := refusal(err, false)
		c.fail(b, directory.Object{ID: id}, link, stepImport, code, reason, false)
	}
	for _, it := range w.creates {
		if it.code == "" {
			continue
		}
		o, err := c.objectAt(ctx, it.at)
		if err != nil {
			return err
		}
		if it.step == "" { // no failure: a skip
			c.tally.Skipped++
			c.dropEscrow(b, it.id) // what it failed at before is not tried any more
			x.dropInvitation(it.id, b)
			c.inScope-- // nobody waits for it
			continue
		}
		c.fail(b, o, nil, it.step, it.code, it.reason, false)
		if len(b.Log) >= 500 {
			if err := x.commit(ctx, b); err != nil {
				return err
			}
			b = &store.Batch{}
		}
	}
	return x.commit(ctx, b)
}

// dropInvitation forgets an invitation of an earlier process whose user is not to
// be created any more, once nobody matches although everything there is to see of
// it would be seen: it never arrived.
func (x *exporter) dropInvitation(id string, b *store.Batch) {
	if in := x.c.ownInvitation(id); in != nil && x.c.began.Sub(in.Began) >= replicationWindow {
		b.DropIntents = append(b.DropIntents, store.WaitKey{Job: x.c.job.Name, SourceID: id})
	}
}

// prepare loads a part of the updates, computes what differs, reads the target
// where a rule asks for it, and queues what is to be written.
func (x *exporter) prepare(ctx context.Context, part []*item) error {
	c := x.c
	ids := make([]string, len(part))
	for i, it := range part {
		ids[i] = it.id
	}
	links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: ids})
	if err != nil {
		return err
	}
	var plain, back []*change
	for i := range links {
		n := slices.Index(ids, links[i].SourceID)
		if n < 0 || c.skipped(links[i].SourceID) {
			continue
		}
		o, err := c.objectAt(ctx, part[n].at)
		if err != nil {
			return err
		}
		ch := x.newChange(o, links[i])
		if part[n].act == actRestore {
			back = append(back, ch)
			continue
		}
		if part[n].act == actDisable { // the user stays held or retained
			ch.leaving, ch.released = true, false
		}
		plain = append(plain, ch)
	}
	b := &store.Batch{}
	err = x.bringBack(ctx, back, b, false)
	if err == nil {
		err = x.plan(ctx, plain, b)
	}
	if err != nil { // what was written before it is recorded all the same
		return errors.Join(err, x.commit(ctx, b))
	}
	return x.commitAndFlush(ctx, b)
}

// newChange begins the way of one linked user.
func (x *exporter) newChange(o directory.Object, link store.Link) *change {
	ch := &change{o: o, link: link, created: link.Creating, left: link.Creating, released: link.State == store.LinkHeld}
	ch.v = verdict{state: sourceActive}
	if !o.Enabled() {
		ch.v.state = sourceDisabled
	}
	ch.r = x.c.newRecord(o, &link, now()).importStep(o, true).scopingStep(ch.v, o.Enabled())
	ch.r.step("EntryImport", stepMatching, statusSuccess, "Linked to target user "+link.TargetID, "TargetId", link.TargetID)
	return ch
}

// plan computes the update of each change and queues it, or settles it when
// there is nothing to write.
func (x *exporter) plan(ctx context.Context, list []*change, b *store.Batch) error {
	c := x.c
	failed, err := c.chooseFor(ctx, list)
	if err != nil {
		return err
	}
	var ready, look []*change
	for _, ch := range list {
		err := failed[ch.o.ID]
		if err == nil {
			err = x.compute(ch)
		}
		if err != nil {
			x.unplanned(ch, err, b)
			continue
		}
		if x.mustLook(ch) {
			look = append(look, ch)
			continue
		}
		ready = append(ready, ch)
	}
	seen, err := x.look(ctx, look, b)
	if err != nil {
		return err
	}
	for _, ch := range append(ready, seen...) {
		if len(ch.u.diff) > 0 {
			x.queue = append(x.queue, ch)
			continue
		}
		x.settle(ch, b)
	}
	return nil
}

// unplanned records a change whose values cannot be had. A link that was to be
// stored with it is not: the user goes on counting as one who waits in scope, or
// counts no more when a mapping leaves it out.
func (x *exporter) unplanned(ch *change, err error, b *store.Batch) {
	c := x.c
	c.failMapping(b, &judged{o: ch.o, link: &ch.link}, err)
	switch {
	case !ch.unstored:
	case errors.Is(err, expr.ErrObjectIgnored):
		c.inScope--
	default:
		setInScope(b, ch.o.ID, true)
	}
}

// compute fills in what differs. The disable of a leaver writes nothing else.
func (x *exporter) compute(ch *change) error {
	if ch.leaving {
		ch.u = update{diff: []directory.Modified{{Name: attrAccountEnabled, Old: ch.link.Exported.Get(attrAccountEnabled), New: directory.BoolOf(false)}}}
		return nil
	}
	u, err := x.c.planUpdate(ch.o, &ch.link, x.c.began)
	ch.u = u
	return err
}
