package engine

import (
	"context"
	"slices"
	"strings"

	"tenantsync/directory"
	"tenantsync/store"
)

// matchKey is a value by which a target user is found: an address (attribute
// addressKey), or the value of a matching attribute.
type matchKey struct{ attribute, value string }

// addressKey stands for "mail, other mails, proxy addresses or user principal name".
const addressKey = "address"

// targetKeys returns the keys under which a target user can be found.
func (c *cycle) targetKeys(o directory.Object) []matchKey {
	var keys []matchKey
	for _, a := range o.Addresses() {
		keys = append(keys, matchKey{addressKey, a})
	}
	if s, ok := c.job.stampOn(o); ok {
		keys = append(keys, matchKey{c.job.Ownership, s.text()})
	}
	for _, m := range c.job.Mapping.Matching() {
		if isAddressAttribute(m.Target) {
			continue
		}
		if v := o.Attributes.Get(m.Target); !v.IsEmpty() {
			keys = append(keys, matchKey{m.Target, v.String()})
		}
	}
	return keys
}

func isAddressAttribute(name string) bool {
	switch name {
	case attrMail, attrOtherMails, attrProxyAddresses, attrUPN:
		return true
	}
	return false
}

// sourceKeys returns the keys by which a source user is matched, in the order in
// which they are tried: those of the matching attributes, or every address.
func (c *cycle) sourceKeys(o directory.Object) ([]matchKey, error) {
	if len(c.job.Mapping.Matching()) == 0 {
		keys := c.stampKeys(o)
		for _, a := range sourceAddresses(o) {
			keys = append(keys, matchKey{addressKey, a})
		}
		return keys, nil
	}
	values, err := c.job.Mapping.MatchValues(o.Attributes, c.began)
	if err != nil {
		return nil, err
	}
	keys := c.stampKeys(o)
	for _, v := range values {
		k := matchKey{v.Target, v.Value}
		if isAddressAttribute(v.Target) {
			k.attribute = addressKey
			k.value = directory.NormalAddress(strings.TrimPrefix(strings.TrimPrefix(v.Value, "SMTP:"), "smtp:"))
		}
		if k.value != "" {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// stampKeys is the key of the user's stamp, which comes before every other. Graph
// finds extension attributes by an advanced query only, which nothing may depend
// on: so only the pass over the whole target of an initial cycle finds a stamp.
func (c *cycle) stampKeys(o directory.Object) []matchKey {
	if c.job.Ownership == "" || c.spool == nil {
		return nil
	}
	return []matchKey{{c.job.Ownership, c.job.stampOf(o.ID).text()}}
}

// readTarget is the bulk pass of an initial cycle over the target's users: it
// refreshes what is known of linked users and spools the others for matching.
func (c *cycle) readTarget(ctx context.Context) error {
	if !c.initial {
		err := c.recount(ctx)
		c.linked = c.rec.Linked
		return err
	}
	c.rec.Linked = c.linked - c.creating // counted by the sweep
	c.phase("reading " + c.job.TargetName)
	c.spool = newSpool()
	c.known, c.internal = map[idKey]bool{}, map[idKey]bool{}
	selects, cursor := targetSelects(c.job), ""
	for pages := 0; ; pages++ {
		page, err := c.job.Target.List(ctx, selects, cursor)
		if err != nil {
			return err
		}
		if err := c.takeTargetPage(ctx, page.Objects); err != nil {
			return err
		}
		c.advance(len(page.Objects))
		if page.Next == "" {
			break
		}
		if page.Next == cursor || pages > maxPages {
			return &directory.Error{Op: "list users", Tenant: c.job.TargetName, Kind: directory.Malformed, Message: "the page links to itself"}
		}
		cursor = page.Next
	}
	return c.findLost(ctx)
}

// recount counts anew after a cycle, or a run of provision on demand, that was
// stopped: the counters of the job move with its end, the links with every batch.
func (c *cycle) recount(ctx context.Context) error {
	if !c.unfinished && !slices.ContainsFunc(c.waiting.Escrows, brokenOff) {
		return nil
	}
	return c.countLinks(ctx, c.waiting.Escrows)
}

// countLinks counts who is linked and who is in scope from what is stored.
func (c *cycle) countLinks(ctx context.Context, escrows []store.Escrow) error {
	c.rec.Linked, c.inScope = 0, 0
	for i := range escrows {
		if escrows[i].InScope {
			c.inScope++
		}
	}
	return c.walkLinks(ctx, func(l *store.Link) {
		if l.Job != c.job.Name {
			return
		}
		if isLinked(l) && !l.Creating {
			c.rec.Linked++
		}
		if l.InScope {
			c.inScope++
		}
	})
}

// takeTargetPage refreshes the links of one page of target users and spools the
// users that are not linked.
func (c *cycle) takeTargetPage(ctx context.Context, objects []directory.Object) error {
	if len(objects) == 0 {
		return nil
	}
	ids := make([]string, len(objects))
	for i := range objects {
		ids[i] = objects[i].ID
		c.known[keyOf(ids[i])] = true
	}
	target, err := c.targetTenant(ctx)
	if err != nil {
		return err
	}
	links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, TargetIDs: ids})
	if err != nil {
		return err
	}
	byTarget := make(map[string]*store.Link, len(links))
	for i := range links {
		if links[i].State != store.LinkDeleted {
			byTarget[links[i].TargetID] = &links[i]
		}
	}
	b := &store.Batch{}
	names := c.job.targetAttributes()
	for i := range objects {
		o := &objects[i]
		link := byTarget[o.ID]
		if link == nil {
			if err := c.spool.add(*o, c.targetKeys(*o)); err != nil {
				return err
			}
			continue
		}
		if link.Job == c.job.Name && isLinked(link) {
			c.met++
		}
		if code, _ := c.job.spares(*o, target); code != "" {
			c.internal[keyOf(o.ID)] = true
			continue // what it has is no concern of ours any more, nor of a job that takes the link over
		}
		if link.Job != c.job.Name {
			continue
		}
		if link.State == store.LinkMissing {
			c.rec.Linked++ // restored by hand
		}
		changed := c.completed(link, *o)
		changed = c.doubtManager(link) || changed
		if c.refresh(link, o, names) || changed {
			b.PutLinks = append(b.PutLinks, *link)
		}
	}
	if b.Empty() {
		return nil
	}
	return c.st.Apply(ctx, b)
}

// refresh puts what the target says over what was last exported, but for drift
// that is kept, and reports whether the link changed.
func (c *cycle) refresh(link *store.Link, o *directory.Object, names []string) bool {
	changed := false
	if known := knownValues(o.Attributes, names); !equalAttributes(known, link.Exported) {
		known = c.drifted(link, known, names)
		changed = !equalAttributes(known, link.Exported)
		link.Exported = known
	}
	if link.State == store.LinkMissing { // restored by hand
		link.State, changed = store.LinkActive, true
	}
	if enabled, ok := o.Attributes.Get(attrAccountEnabled).Bool(); ok && enabled && (link.BlockedInTarget || link.DisabledByJob) {
		link.BlockedInTarget, link.DisabledByJob, changed = false, false, true
	}
	if len(link.Refused) > 0 { // an initial cycle tries them again
		link.Refused, changed = nil, true
	}
	return changed
}

// knownValues restricts a target user's attributes to the mapped ones; what it
// does not mention is null.
func knownValues(a directory.Attributes, names []string) directory.Attributes {
	out := make(directory.Attributes, 0, len(names)+1)
	for _, n := range names {
		if v := a.Get(n); !v.IsEmpty() {
			out = append(out, directory.Attribute{Name: n, Value: v})
		}
	}
	if !slices.Contains(names, attrAccountEnabled) {
		if v := a.Get(attrAccountEnabled); !v.IsEmpty() {
			out.Set(attrAccountEnabled, v)
		}
	}
	return out
}

func equalAttributes(a, b directory.Attributes) bool {
	return slices.EqualFunc(a, b, func(x, y directory.Attribute) bool { return x.Name == y.Name && x.Value.Equal(y.Value) })
}

// isLinked reports a link whose target user should be there and is not held.
func isLinked(l *store.Link) bool {
	return l.State == store.LinkActive || l.State == store.LinkRetained
}

// findLost looks for linked target users that the bulk pass did not show, in the
// tenant and in its recycle bin.
func (c *cycle) findLost(ctx context.Context) error {
	if c.met == c.linked {
		return nil // all of them were there
	}
	var lost []store.Link
	err := c.walkLinks(ctx, func(l *store.Link) {
		if l.Job == c.job.Name && isLinked(l) && !c.known[keyOf(l.TargetID)] {
			lost = append(lost, *l)
		}
	})
	if err != nil {
		return err
	}
	for part := range slices.Chunk(lost, 200) {
		ids := make([]string, len(part))
		for i := range part {
			ids[i] = part[i].TargetID
		}
		found, err := c.job.Target.Users(ctx, ids, targetSelects(c.job))
		if err != nil {
			return err
		}
		b := &store.Batch{}
		for i, l := range found {
			link := part[i]
			if l.Err != nil && directory.KindOf(l.Err) != directory.NotFound {
				continue // not known: nothing follows from it
			}
			if l.Err == nil {
				if c.refresh(&link, &l.Object, c.job.targetAttributes()) {
					b.PutLinks = append(b.PutLinks, link)
				}
				continue
			}
			if link.Creating {
				continue // invited a moment ago, not visible yet
			}
			link.State, link.DeletedAt = store.LinkMissing, c.began
			c.rec.Linked--
			b.PutLinks = append(b.PutLinks, link)
		}
		if !b.Empty() {
			if err := c.st.Apply(ctx, b); err != nil {
				return err
			}
		}
	}
	return nil
}
