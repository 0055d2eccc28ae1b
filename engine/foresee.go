package engine

import (
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/store"
)

// writesManager reports whether the reference pass would write the manager: the
// wanted one is, or comes into, the target, or the one there is to be removed.
func (c *cycle) writesManager(ctx context.Context, u *update, link *store.Link) (bool, error) {
	if !u.manager {
		return false, nil
	}
	if u.managerSource == "" {
		return link.ManagerTarget != "", nil
	}
	if it := c.preview.matches[u.managerSource]; it != nil {
		manager, err := c.chosen(it)
		return manager.ID != link.ManagerTarget, err
	}
	if c.preview.comes[u.managerSource] {
		return true, nil
	}
	target, err := (&exporter{c: c}).targetsOf(ctx, []string{u.managerSource})
	if target[u.managerSource] == "" && !c.job.Mapping.ClearsReference(attrManager) {
		return false, err
	}
	return target[u.managerSource] != link.ManagerTarget, err
}

// foresee computes what differs, and reads the target users that the export
// would read: a block of the target's own is kept, who is internal now fails,
// and who is not there is looked for elsewhere.
func (c *cycle) foresee(ctx context.Context, x *exporter, list []*change) (there, lost []*change, err error) {
	failed, err := c.chooseFor(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	var look []*change
	for _, ch := range list {
		c.follow(ch.o, &ch.link)
		if err := failed[ch.o.ID]; err != nil {
			c.failMapping(nil, &judged{o: ch.o, link: &ch.link}, err)
			continue
		}
		if err := x.compute(ch); err != nil {
			c.failMapping(nil, &judged{o: ch.o, link: &ch.link}, err)
			continue
		}
		if x.mustLook(ch) {
			look = append(look, ch)
			continue
		}
		there = append(there, ch)
	}
	if len(look) == 0 {
		return there, nil, nil
	}
	ids := make([]string, len(look))
	for i, ch := range look {
		ids[i] = ch.link.TargetID
	}
	found, err := c.job.Target.Users(ctx, ids, targetSelects(c.job))
	if err != nil {
		return nil, nil, err
	}
	target, err := c.targetTenant(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i, ch := range look {
		switch l := found[i]; {
		case ch.created && directory.KindOf(l.Err) == directory.NotFound: // waited for
			there = append(there, ch)
		case l.Err != nil && directory.KindOf(l.Err) == directory.NotFound:
			lost = append(lost, ch)
		case l.Err != nil:
			code, reason := refusal(l.Err, false)
			c.preview.show(failChange(ch.o, &ch.link, code, reason))
			c.tally.Failed++
		case c.spared(ch, l.Object, target):
		default:
			if err := x.respectValues(ch, l.Object); err != nil {
				c.failMapping(nil, &judged{o: ch.o, link: &ch.link}, err)
				continue
			}
			x.respectBlock(ch, l.Object)
			there = append(there, ch)
		}
	}
	return there, lost, nil
}

// spared describes a change that is not made because nothing may be written to its
// target user, and reports whether that is so.
func (c *cycle) spared(ch *change, o directory.Object, target directory.Tenant) bool {
	code, reason := c.job.spares(o, target)
	if code == "" {
		return false
	}
	c.preview.show(failChange(ch.o, &ch.link, code, "the target user "+reason))
	c.tally.Failed++
	return true
}

// describeReports adds users whose manager comes into the target by this cycle
// and who are not in it themselves.
func (c *cycle) describeReports(ctx context.Context) error {
	if !c.job.mapsManager() {
		return nil
	}
	ids := sortedNames(c.preview.comes)
	for part := range slices.Chunk(ids, 500) {
		reports, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, Managers: part})
		if err != nil {
			return err
		}
		for i := range reports {
			l := &reports[i]
			if l.Job != c.job.Name || l.State != store.LinkActive || l.ManagerTarget != "" || c.tally.counted[keyOf(l.SourceID)] {
				continue
			}
			pending := &change{o: linkedUser(l), link: *l, u: update{manager: true, managerSource: l.ManagerSource}}
			if err := c.describeChange(ctx, pending, "update", "its manager comes into the target"); err != nil {
				return err
			}
		}
	}
	return nil
}

// comers are the source users whom this cycle brings into the target.
func comers(w *work) map[string]bool {
	out := map[string]bool{}
	for _, it := range w.creates {
		if it.code == "" && it.hold == "" {
			out[it.id] = true
		}
	}
	for _, it := range w.updates {
		if it.act == actRestore && it.hold == "" {
			out[it.id] = true
		}
	}
	return out
}

// matches are the source users whom this cycle links to target users that are
// there.
func matches(w *work) map[string]*item {
	out := map[string]*item{}
	for _, it := range w.creates {
		if it.code == "" && it.hold == "" && it.matched() {
			out[it.id] = it
		}
	}
	return out
}

// sparedLeavers returns why some of the users about to be deleted are not, by
// their target ids: the export reads each of them again, and so does the plan.
func (c *cycle) sparedLeavers(ctx context.Context, part []*leaver, links map[string]store.Link) (map[idKey]choice, error) {
	spared := map[idKey]choice{}
	var ids []string
	for _, l := range part {
		if l.hold == "" && l.act == actDelete {
			ids = append(ids, links[l.id].TargetID)
		}
	}
	if len(ids) == 0 {
		return spared, nil
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
		if l.Err != nil {
			continue
		}
		if code, reason := c.job.spares(l.Object, target); code != "" {
			spared[keyOf(ids[i])] = choice{code: code, reason: reason}
		}
	}
	return spared, nil
}
