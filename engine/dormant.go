package engine

import "context"

// dormant looks for the target user of a source user without a link whose
// sign-in is disabled. Nobody is brought into the target disabled; but who is
// there already, disabled as well, was synchronized before: by Microsoft's own
// service, or by a state file that is lost. Linked, the user's manager, changes
// and deletion are followed as before; without a link the user's reports would
// lose their manager. Only an initial cycle looks: it has the target at hand.
// It returns nil when the user stays without a link.
func (c *cycle) dormant(ctx context.Context, j *judged) (*item, error) {
	if c.spool == nil || j.v.state != sourceDisabled {
		return nil, nil
	}
	keys, err := c.sourceKeys(j.o)
	if err != nil {
		return nil, nil //nolint:nilerr // what has no key matches nobody; it is judged when it is enabled
	}
	found, err := c.lookUp(ctx, [][]matchKey{keys})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	target, err := c.targetTenant(ctx)
	if err != nil {
		return nil, err
	}
	it := &item{id: j.o.ID, at: j.at, act: actAdopt, dormant: true}
	c.decideMatch(it, j.o, keys, found, target)
	if it.code != "" || !it.matched() {
		return nil, nil
	}
	o, err := c.chosen(it)
	if err != nil {
		return nil, err
	}
	if enabled, known := o.Attributes.Get(attrAccountEnabled).Bool(); enabled || !known {
		return nil, nil
	}
	c.preview.meet(it.id, j.o.UPN())
	return it, nil
}

// letDormantGo takes from dormant users the target users that somebody else
// matches as well: whose they are, the users who are enabled decide.
func letDormantGo(items []*item) {
	claims := map[int64]int{}
	for _, it := range items {
		if it.spooled > 0 {
			claims[it.spooled]++
		}
	}
	for _, it := range items {
		if it.dormant && claims[it.spooled] > 1 {
			it.code, it.reason = CodeNotEffectivelyEntitled, "sign-in is disabled in the source tenant"
		}
	}
}
