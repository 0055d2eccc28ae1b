package engine

import (
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/store"
)

// mustLook reports changes for which the target is read before it is written:
// whenever it was not seen in this run, because an account that was made an
// internal one is left alone, be it one that was invited and never completed; for accountEnabled, because a block set there by
// hand is kept; and for an invitation that may still be pending while the address
// has changed. What is sent again was read before it was sent first: a block that
// the target shows now may be our own.
func (x *exporter) mustLook(ch *change) bool {
	if ch.created && !ch.left || ch.resent {
		return false
	}
	if (!ch.u.empty() || x.c.initial || ch.link.ManagerUnknown) && !x.seen(ch) {
		return true
	}
	for _, m := range ch.u.diff {
		if m.Name == attrAccountEnabled {
			return true
		}
	}
	return x.addressChanged(ch)
}

// seen reports a target user that was read in this run and is external.
func (x *exporter) seen(ch *change) bool {
	k := keyOf(ch.link.TargetID)
	return ch.adopted || ch.restored || ch.read || x.c.known[k] && !x.c.internal[k]
}

func (x *exporter) addressChanged(ch *change) bool {
	return ch.link.Invited != "" && !ch.leaving && directory.NormalAddress(x.c.inviteAddress(ch.o)) != ch.link.Invited &&
		ch.o.UPN() != ch.link.UPN
}

// look reads the target users of the changes and applies the rules on what
// somebody has set there: blocks, and values that mappings only add to.
func (x *exporter) look(ctx context.Context, list []*change, b *store.Batch) ([]*change, error) {
	if len(list) == 0 {
		return nil, nil
	}
	ids := make([]string, len(list))
	for i, ch := range list {
		ids[i] = ch.link.TargetID
	}
	found, err := x.c.job.Target.Users(ctx, ids, targetSelects(x.c.job))
	if err != nil {
		return nil, err
	}
	target, err := x.c.targetTenant(ctx)
	if err != nil {
		return nil, err
	}
	var out []*change
	for i, ch := range list {
		l := found[i]
		switch {
		case ch.created && directory.KindOf(l.Err) == directory.NotFound:
			x.postpone(ch, b)
			continue
		case l.Err != nil && directory.KindOf(l.Err) == directory.NotFound:
			if err := x.lost(ctx, ch, b); err != nil {
				return nil, err
			}
			continue
		case l.Err != nil:
			code, reason := refusal(l.Err, false)
			x.c.failed(b, ch.r, ch.o, &ch.link, stepExport, code, reason, false)
			continue
		}
		if code, reason := x.c.job.spares(l.Object, target); code != "" {
			x.c.failed(b, ch.r, ch.o, &ch.link, stepMatching, code, "target user "+ch.link.TargetID+" "+reason, false)
			continue
		}
		ch.read = true
		if err := x.respectValues(ch, l.Object); err != nil {
			x.c.failMapping(b, &judged{o: ch.o, link: &ch.link}, err)
			continue
		}
		x.respectBlock(ch, l.Object)
		if x.addressChanged(ch) && l.Object.Attributes.Get(attrExternalState).Text() == pendingAcceptance {
			ch.pending = true
		}
		out = append(out, ch)
	}
	return out, nil
}

// respectValues plans anew when mappings that only add would write: a value that
// somebody in the target has given since stays.
func (x *exporter) respectValues(ch *change, o directory.Object) error {
	adding := x.c.job.Mapping.Adding()
	if !slices.ContainsFunc(ch.u.diff, func(m directory.Modified) bool { return slices.Contains(adding, m.Name) }) {
		return nil
	}
	ch.link.Exported = ch.link.Exported.Clone()
	for _, name := range adding {
		v := o.Attributes.Get(name)
		if v.IsEmpty() {
			v = directory.Value{}
		}
		ch.link.Exported.Set(name, v)
	}
	return x.compute(ch)
}

// respectBlock applies the rules on accountEnabled to what the target says: a
// false that this job did not write is the target's own and stays.
func (x *exporter) respectBlock(ch *change, o directory.Object) {
	i := slices.IndexFunc(ch.u.diff, func(m directory.Modified) bool { return m.Name == attrAccountEnabled })
	if i < 0 {
		return
	}
	actual, known := o.Attributes.Get(attrAccountEnabled).Bool()
	if !known {
		return
	}
	want, _ := ch.u.diff[i].New.Bool()
	before, _ := ch.link.Exported.Get(attrAccountEnabled).Bool()
	ch.link.Exported = ch.link.Exported.Clone()
	ch.link.Exported.Set(attrAccountEnabled, directory.BoolOf(actual))
	ch.u.diff[i].Old = directory.BoolOf(actual)
	drop := func() { ch.u.diff = slices.Delete(ch.u.diff, i, i+1) }
	switch {
	case want == actual && !want:
		if before {
			ch.link.DisabledByJob = false // somebody in the target was first: the block is theirs
		}
		drop()
	case want == actual:
		ch.link.BlockedInTarget = false
		drop()
	case want && !ch.link.DisabledByJob && !x.c.mayUnblock(ch.o, &ch.link):
		ch.u.blocked = true
		drop()
	}
}
