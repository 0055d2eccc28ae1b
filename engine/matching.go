package engine

import (
	"context"
	"slices"
	"strings"

	"tenantsync/directory"
	"tenantsync/store"
)

// match looks for a target user for each wanted source user without a link: in
// the spool of the bulk pass, or by look-ups in batches. Users whose addresses
// are not theirs alone are neither created nor linked.
func (c *cycle) match(ctx context.Context, w *work) error {
	if len(w.creates) == 0 {
		return nil
	}
	if !c.dry {
		if err := c.addDuplicates(ctx, w); err != nil {
			return err
		}
	}
	if err := c.readInvitations(ctx); err != nil {
		return err
	}
	c.phase("matching")
	slices.SortStableFunc(w.creates, func(a, b *item) int {
		if a.at.page != b.at.page {
			return int(a.at.page) - int(b.at.page)
		}
		return int(a.at.index) - int(b.at.index)
	})
	open := slices.DeleteFunc(slices.Clone(w.creates), func(it *item) bool { return it.dormant })
	c.progress.Total = len(open)
	shared, err := c.sharedAddresses(ctx, open)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(open, 200) {
		if err := c.matchPart(ctx, part, shared); err != nil {
			return err
		}
		c.advance(len(part))
	}
	letDormantGo(w.creates)
	return nil
}

// addDuplicates brings users who failed because they share an address back into
// the cycle, so that a rival of theirs is not created behind their back.
func (c *cycle) addDuplicates(ctx context.Context, w *work) error {
	var ids []string
	for _, e := range c.waiting.Escrows {
		if _, staged := c.pos[keyOf(e.SourceID)]; e.Code == string(CodeDuplicateSourceEntries) && !staged {
			ids = append(ids, e.SourceID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	as, err := c.assignments(ctx, c.job, &c.rec, ids)
	if err != nil {
		return err
	}
	found, err := c.job.Source.Users(ctx, ids, c.selects)
	if err != nil {
		return err
	}
	for _, l := range found {
		if l.Err == nil && judge(l.Object, *c.source, as.of(l.Object.ID), c.job, c.began).inScope() {
			c.rivals = append(c.rivals, l.Object)
		}
	}
	return nil
}

// claimant is a source user who has an address.
type claimant struct{ id, upn string }

// sharedAddresses maps the addresses of the users to be matched that somebody
// else has as well to all who have them.
func (c *cycle) sharedAddresses(ctx context.Context, items []*item) (map[string][]claimant, error) {
	owner := map[string]claimant{}
	shared := map[string][]claimant{}
	claim := func(who claimant, addresses []string) {
		for _, a := range addresses {
			first, taken := owner[a]
			switch {
			case !taken:
				owner[a] = who
			case first.id != who.id && shared[a] == nil:
				shared[a] = []claimant{first, who}
			case first.id != who.id:
				shared[a] = append(shared[a], who)
			}
		}
	}
	for _, o := range c.rivals {
		claim(claimant{o.ID, o.UPN()}, sourceAddresses(o))
	}
	for part := range slices.Chunk(items, 500) {
		var addresses []string
		for _, it := range part {
			o, err := c.objectAt(ctx, it.at)
			if err != nil {
				return nil, err
			}
			list := sourceAddresses(o)
			claim(claimant{it.id, o.UPN()}, list)
			addresses = append(addresses, list...)
		}
		links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, Addresses: addresses})
		if err != nil {
			return nil, err
		}
		for _, l := range links {
			if l.State != store.LinkDeleted && l.State != store.LinkMissing {
				claim(claimant{l.SourceID, l.UPN}, slices.DeleteFunc(l.Addresses, func(a string) bool { return owner[a].id == "" }))
			}
		}
	}
	return shared, nil
}

// sharedWithLinked is sharedAddresses of users who are to be invited anew: they
// have links of their own, and share an address with each other or with somebody
// linked.
func (c *cycle) sharedWithLinked(ctx context.Context, list []*change) (map[string][]claimant, error) {
	shared := map[string][]claimant{}
	claim := func(a string, who claimant) {
		if !slices.Contains(shared[a], who) {
			shared[a] = append(shared[a], who)
		}
	}
	own := map[string]bool{}
	var addresses []string
	for _, ch := range list {
		own[ch.o.ID] = true
		for _, a := range sourceAddresses(ch.o) {
			claim(a, claimant{ch.o.ID, ch.o.UPN()})
			addresses = append(addresses, a)
		}
	}
	links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, Addresses: addresses})
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if own[l.SourceID] || l.State == store.LinkDeleted || l.State == store.LinkMissing {
			continue
		}
		for _, a := range l.Addresses {
			claim(a, claimant{l.SourceID, l.UPN})
		}
	}
	for a, who := range shared {
		if len(who) < 2 {
			delete(shared, a)
		}
	}
	return shared, nil
}

// checkShared fails a user who has an address that is not this user's alone.
func (c *cycle) checkShared(it *item, o directory.Object, shared map[string][]claimant) {
	for _, a := range sourceAddresses(o) {
		if list, is := shared[a]; is {
			it.code, it.step = CodeDuplicateSourceEntries, stepMatching
			it.reason = c.veil(o, "another source user has the address "+a+" as well ("+others(list, it.id)+")")
		}
	}
}

// others names those of the users sharing an address who are not the one given.
func others(list []claimant, id string) string {
	var names []string
	for _, c := range list {
		if c.id != id && !slices.Contains(names, c.upn) {
			names = append(names, c.upn)
		}
	}
	return strings.Join(names, ", ")
}

func (c *cycle) matchPart(ctx context.Context, part []*item, shared map[string][]claimant) error {
	objects := make([]directory.Object, len(part))
	keys := make([][]matchKey, len(part))
	for i, it := range part {
		o, err := c.objectAt(ctx, it.at)
		if err != nil {
			return err
		}
		objects[i] = o
		c.preview.meet(it.id, o.UPN())
		if c.checkShared(it, o, shared); it.code != "" {
			continue
		}
		if keys[i], err = c.sourceKeys(o); err != nil {
			it.code, it.step, it.reason = CodeAttributeValidation, stepMatching, err.Error()
		}
	}
	found, err := c.lookUp(ctx, keys)
	if err != nil {
		return err
	}
	target, err := c.targetTenant(ctx)
	if err != nil {
		return err
	}
	for i, it := range part {
		if it.code != "" {
			continue
		}
		c.decideMatch(it, objects[i], keys[i], found, target)
	}
	return nil
}

// lookUp finds the target users that any of the keys leads to.
func (c *cycle) lookUp(ctx context.Context, keys [][]matchKey) (map[matchKey][]candidate, error) {
	found := map[matchKey][]candidate{}
	var objects []directory.Object
	if c.spool != nil {
		c.places = map[string]int64{}
		for _, list := range keys {
			for _, k := range list {
				hits, places, err := c.spool.find(k)
				if err != nil {
					return nil, err
				}
				for i := range hits {
					c.places[hits[i].ID] = places[i]
				}
				objects = append(objects, hits...)
			}
		}
	} else {
		byAttribute := map[string][]string{}
		for _, list := range keys {
			for _, k := range list {
				byAttribute[k.attribute] = append(byAttribute[k.attribute], k.value)
			}
		}
		for attribute, values := range byAttribute {
			var hits []directory.Object
			var err error
			if attribute == addressKey {
				hits, err = c.job.Target.Lookup(ctx, values, targetSelects(c.job))
			} else {
				hits, err = c.job.Target.LookupBy(ctx, attribute, values, targetSelects(c.job))
			}
			if err != nil {
				return nil, err
			}
			objects = append(objects, hits...)
		}
	}
	linked, err := c.linkedTo(ctx, objects)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		for _, k := range c.targetKeys(o) {
			if !containsCandidate(found[k], o.ID) {
				found[k] = append(found[k], candidate{object: o, address: k.value, linked: linked[o.ID]})
			}
		}
	}
	return found, nil
}

func (c *cycle) linkedTo(ctx context.Context, objects []directory.Object) (map[string]string, error) {
	ids := make([]string, 0, len(objects))
	for _, o := range objects {
		ids = append(ids, o.ID)
	}
	out := map[string]string{}
	if len(ids) == 0 {
		return out, nil
	}
	links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, TargetIDs: ids})
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if l.State != store.LinkDeleted {
			out[l.TargetID] = l.SourceID
		}
	}
	return out, nil
}

// decideMatch chooses among what the keys led to: all addresses count as one
// attribute, matching attributes are tried in their order.
func (c *cycle) decideMatch(it *item, o directory.Object, keys []matchKey, found map[matchKey][]candidate, target directory.Tenant) {
	for i := 0; i < len(keys); {
		attribute := keys[i].attribute
		var hits []candidate
		for ; i < len(keys) && keys[i].attribute == attribute; i++ {
			hits = append(hits, found[keys[i]]...)
		}
		if len(hits) == 0 {
			continue
		}
		if attribute != addressKey {
			for h := range hits { // the home is judged by an address, not by the value
				hits[h].address = homeAddress(hits[h].object, *c.source)
			}
		}
		pick := c.job.unprotected(choose(o.ID, preferVerified(hits, *c.source), *c.source, target))
		if pick.object != nil {
			if no := c.refuseChoice(o.ID, attribute, *pick.object, keys[i:], found, target); no.code != "" {
				pick = no
			}
		}
		switch {
		case pick.code != "":
			it.code, it.reason, it.step = pick.code, c.veil(o, pick.reason), stepMatching
			return
		case pick.object != nil:
			it.act, it.adopt = actAdopt, pick.object
			if place, ok := c.places[pick.object.ID]; ok {
				it.adopt, it.spooled = nil, place+1
			}
			return
		}
	}
	if it.act == actAdopt { // create is not allowed, and nothing matches
		it.code, it.reason, it.step = CodeActionNotAllowed, "no target user matches, and create is not among the target object actions", ""
		return
	}
	c.checkAddress(it, o, target)
}

// matched reports whether matching chose a target user.
func (it *item) matched() bool { return it.adopt != nil || it.spooled > 0 }

// chosen returns the target user that matching chose.
func (c *cycle) chosen(it *item) (directory.Object, error) {
	if it.adopt != nil {
		return *it.adopt, nil
	}
	return c.spool.read(it.spooled - 1)
}

// preferVerified puts hits whose address lies in a verified domain of the source
// first, so that the same object found by two addresses is judged by that one.
func preferVerified(hits []candidate, source directory.Tenant) []candidate {
	slices.SortStableFunc(hits, func(a, b candidate) int {
		va, vb := source.Verified(directory.Domain(a.address)), source.Verified(directory.Domain(b.address))
		switch {
		case va == vb:
			return 0
		case va:
			return -1
		}
		return 1
	})
	return hits
}

// homeAddress returns an address of a target user in a verified domain of the
// source, or any address.
func homeAddress(o directory.Object, source directory.Tenant) string {
	list := o.Addresses()
	for _, a := range list {
		if source.Verified(directory.Domain(a)) {
			return a
		}
	}
	if len(list) > 0 {
		return list[0]
	}
	return ""
}

// checkAddress refuses addresses that must not be invited: none, one outside the
// source's verified domains or the job's allowed ones, or one in a verified domain
// of the target.
func (c *cycle) checkAddress(it *item, o directory.Object, target directory.Tenant) {
	address := c.inviteAddress(o)
	domain := directory.Domain(address)
	switch {
	case address == "":
		it.code, it.reason = CodeImportSkipped, "there is no address to invite"
	case target.Verified(domain):
		it.code, it.reason = CodeInvalidDomain, "the address "+address+" lies in "+domain+", a domain of the target tenant"
	case !c.source.Verified(domain):
		it.code, it.reason = CodeInvalidDomain, "the address "+address+" lies in "+domain+", which is not a verified domain of the source tenant"
	case !c.job.admits(domain):
		it.code, it.reason = CodeInvalidDomain, "the address "+address+" lies in "+domain+", which is not among the allowedDomains of the job"
	default:
		return
	}
	it.step, it.reason = stepMatching, c.veil(o, it.reason)
}

func (c *cycle) inviteAddress(o directory.Object) string {
	if c.job.Invitation.ByMail {
		return o.Attributes.Get(attrMail).Text()
	}
	return o.UPN()
}
