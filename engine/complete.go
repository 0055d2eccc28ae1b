package engine

import (
	"cmp"
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/store"
)

// complete reads by id, in batches, what the stage cannot tell: users whose
// membership changed, records that lack a selected property, tombstones and
// retries. The images are staged behind the round's pages.
func (c *cycle) complete(ctx context.Context) error {
	ids, err := c.toComplete(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	c.phase("reading changed users")
	for part := range slices.Chunk(ids, 200) {
		found, err := c.job.Source.Users(ctx, part, c.selects)
		if err != nil {
			return err
		}
		told, err := c.told(ctx, part)
		if err != nil {
			return err
		}
		objects := make([]directory.Object, 0, len(found))
		for i, l := range found {
			switch {
			case l.Err == nil:
				l.Object.Attributes = l.Object.Attributes.Merge(told[part[i]])
				objects = append(objects, l.Object)
			case directory.KindOf(l.Err) == directory.NotFound:
				objects = append(objects, directory.Object{ID: part[i], Removed: directory.SoftDeleted})
			default:
				c.unread[part[i]] = l.Err
			}
		}
		if len(objects) == 0 {
			continue
		}
		c.rec.Stage.Pages++
		c.index(c.rec.Stage.Pages, objects, true)
		b := &store.Batch{Jobs: []store.Job{c.rec},
			Stage: []store.StagePage{{Job: c.job.Name, Seq: c.rec.Stage.Pages, Objects: objects}}}
		if err := c.st.Apply(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// told returns what the round's own records say of users, the later ones over the
// earlier. A read by id may come from a replica that has not heard of a change yet,
// and the change is not told twice: what the round has told holds against it. What
// has changed since is in the next round.
func (c *cycle) told(ctx context.Context, ids []string) (map[string]directory.Attributes, error) {
	var at []position
	for _, id := range ids {
		at = append(at, c.partial[keyOf(id)]...)
	}
	slices.SortFunc(at, func(a, b position) int { return cmp.Or(cmp.Compare(a.page, b.page), cmp.Compare(a.index, b.index)) })
	out := map[string]directory.Attributes{}
	for _, p := range at {
		page, err := c.pageOf(ctx, p.page)
		if err != nil {
			return nil, err
		}
		o := &page.Objects[p.index]
		out[o.ID] = out[o.ID].Merge(o.Attributes)
	}
	return out, nil
}

func (c *cycle) toComplete(ctx context.Context) ([]string, error) {
	want := map[string]bool{}
	for _, id := range c.incomplete {
		want[id] = true
	}
	if err := c.linkedOf(ctx, c.tombstones, want); err != nil {
		return nil, err
	}
	for id := range c.extra {
		// In an initial cycle everybody was just read in full; who was not is gone or out of reach.
		if _, staged := c.pos[keyOf(id)]; !c.initial || !staged {
			want[id] = true
			c.doubtful(id)
		}
	}
	wait, err := c.mustWait(ctx)
	if err != nil {
		return nil, err
	}
	for i := range c.waiting.Escrows {
		e := &c.waiting.Escrows[i]
		if wait && waitsForTarget(e) {
			continue
		}
		if _, staged := c.pos[keyOf(e.SourceID)]; c.retryDue(e) && (!c.initial || c.resumed || !staged) {
			want[e.SourceID] = true
			if e.Code != string(markLookAgain) { // by now no replica lags
				c.doubtful(e.SourceID)
			}
		}
	}
	for _, in := range slices.Concat(c.settled, c.waiting.Intents) {
		if _, staged := c.pos[keyOf(in.SourceID)]; !staged {
			want[in.SourceID] = true
		}
	}
	if c.initial {
		if err := c.sweep(ctx, want); err != nil {
			return nil, err
		}
	}
	ids := sortedNames(want)
	return ids, c.agreeOn(ctx, ids)
}

// linkedOf adds those of the ids that have a link.
func (c *cycle) linkedOf(ctx context.Context, ids []string, want map[string]bool) error {
	for part := range slices.Chunk(ids, 1000) {
		links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: part})
		if err != nil {
			return err
		}
		for _, l := range links {
			want[l.SourceID] = true
		}
	}
	return nil
}

// sweep adds linked users of the job whom a whole round did not mention, and
// counts those that are linked.
func (c *cycle) sweep(ctx context.Context, want map[string]bool) error {
	c.linked, c.creating = 0, 0
	return c.walkLinks(ctx, func(l *store.Link) {
		if l.Job == c.job.Name && isLinked(l) {
			c.linked++
			if l.Creating {
				c.creating++
			}
		}
		if l.Job != c.job.Name || l.State == store.LinkDeleted {
			return
		}
		if _, staged := c.pos[keyOf(l.SourceID)]; !staged {
			want[l.SourceID] = true
		}
	})
}

// walkLinks visits every link of the pair in source id order.
func (c *cycle) walkLinks(ctx context.Context, visit func(*store.Link)) error {
	const page = 1000
	after := ""
	for {
		links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, After: after, Limit: page})
		if err != nil {
			return err
		}
		for i := range links {
			visit(&links[i])
		}
		if len(links) < page {
			return nil
		}
		after = links[len(links)-1].SourceID
	}
}

// retryDue reports whether what waits for its retry is due. A delete that is due
// later may lie any time ahead; one that began to wait in the future is looked at.
func (c *cycle) retryDue(e *store.Escrow) bool {
	if e.Code == string(markDeleteAfter) {
		return e.First.After(c.began) || elapsed(&c.rec, e.First, c.began) >= e.Next.Sub(e.First)
	}
	return waited(e.Next, c.began)
}
