package engine

import (
	"cmp"
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
	"tenantsync/store"
)

func (c *cycle) describeBack(ctx context.Context, x *exporter, back []*change) error {
	if len(back) == 0 {
		return nil
	}
	states, objects, err := x.whereabouts(ctx, back)
	if err != nil {
		return err
	}
	var present []*change
	var there []directory.Object
	for i, ch := range back {
		d := decide(ch.v.state, stateOf(&ch.link), states[i], policy{actions: c.job.Actions})
		switch d.action {
		case actRestore:
			err = c.describeUpdate(ctx, ch.o, &ch.link, "restore", "back in scope: its deleted target user is restored", ch.hold)
		case actCreate:
			fresh := c.freshLink(ch.o, "")
			fresh.Creating = true
			err = c.describeUpdate(ctx, ch.o, &fresh, "create", "the earlier target user was deleted for good, its access is lost", ch.hold)
		case actSkip:
			c.tally.Skipped++
			c.preview.show(Change{Action: "none", Source: ChangeSource{ID: ch.o.ID, UPN: cmp.Or(ch.o.UPN(), ch.link.UPN)},
				Target: &ChangeTarget{ID: ch.link.TargetID}, Modified: []ChangeProperty{}, Code: string(d.code),
				Reason: "deleted in the target by somebody else", Advice: advice[d.code]})
		case actFail:
			c.tally.Failed++
			c.preview.show(failChange(ch.o, &ch.link, d.code, "the target user is no longer an external user"))
		case actUpdate, actRelease:
			x.present(ch, objects[i])
			present, there = append(present, ch), append(there, objects[i])
		}
		if err != nil {
			return err
		}
	}
	return c.describePresent(ctx, x, present, there)
}

// describePresent adds the changes of users whose target user turned out to be
// there: what differs from what it has is written, as far as a block of the
// target's own allows.
func (c *cycle) describePresent(ctx context.Context, x *exporter, list []*change, there []directory.Object) error {
	links := make([]store.Link, len(list))
	for i, ch := range list {
		links[i] = ch.link
	}
	if err := x.readManagers(ctx, links); err != nil {
		return err
	}
	for i, ch := range list {
		ch.link = links[i]
		if err := x.compute(ch); err != nil {
			c.failMapping(nil, &judged{o: ch.o, link: &ch.link}, err)
			continue
		}
		ch.u.manager = ch.u.manager || ch.u.managerSource != "" // whatever the link remembers: compared with the one that was read
		x.respectBlock(ch, there[i])
		if err := c.describeChange(ctx, ch, "update", ""); err != nil {
			return err
		}
	}
	return nil
}

func (c *cycle) describeLeavers(ctx context.Context, x *exporter, w *work) error {
	for part := range slices.Chunk(w.leavers, 200) {
		links, err := x.linksOf(ctx, part)
		if err != nil {
			return err
		}
		spared, err := c.sparedLeavers(ctx, part, links)
		if err != nil {
			return err
		}
		for _, l := range part {
			link, ok := links[l.id]
			if !ok {
				continue
			}
			o, err := c.objectAt(ctx, l.at)
			if err != nil {
				return err
			}
			ch := Change{Action: "delete", Source: ChangeSource{ID: l.id, UPN: link.UPN}, Target: &ChangeTarget{ID: link.TargetID},
				Modified: []ChangeProperty{}, Reason: l.verdict.reason}
			switch {
			case l.hold != "":
				ch.Action, ch.Code, ch.Advice = "stagedDelete", string(l.hold), advice[l.hold]
				c.tally.Held++
			case spared[keyOf(link.TargetID)].code != "":
				why := spared[keyOf(link.TargetID)]
				ch = failChange(o, &link, why.code, "the target user "+why.reason)
				c.tally.Failed++
			case l.act == actDisable:
				err = c.describeLeaving(ctx, x, o, &link, l)
				if err != nil {
					return err
				}
				continue
			default:
				c.tally.Delete++
				c.preview.writes++
			}
			c.preview.show(ch)
			c.preview.seal(ch, nil)
		}
	}
	return nil
}

// describeLeaving adds the disable of a user who left scope.
func (c *cycle) describeLeaving(ctx context.Context, x *exporter, o directory.Object, link *store.Link, l *leaver) error {
	ch := x.newChange(o, *link)
	ch.leaving, ch.v = true, l.verdict
	there, _, err := c.foresee(ctx, x, []*change{ch})
	if err != nil || len(there) == 0 {
		return err
	}
	return c.describeChange(ctx, ch, "update", l.verdict.reason)
}

// properties shows what differs, each with the mapping it comes from.
func (c *cycle) properties(o directory.Object, diff []directory.Modified, link *store.Link) []ChangeProperty {
	from, drift := c.mappingTexts(o, link), c.drift[keyOf(o.ID)]
	out := make([]ChangeProperty, 0, len(diff))
	for _, m := range diff {
		out = append(out, ChangeProperty{Name: m.Name, Old: c.shown(m.Name, m.Old), New: c.shown(m.Name, m.New), From: mappingText(from[m.Name]),
			Access: attribute.DecidesAccess(m.Name), Drift: drift.Has(m.Name)})
	}
	return out
}

func (c *cycle) mappingTexts(o directory.Object, link *store.Link) map[string]mapping.Step {
	out := map[string]mapping.Step{}
	for _, s := range c.job.Mapping.Trace(c.mappingInput(o, link, c.began)) {
		out[s.Target] = s
	}
	return out
}

// mappingText is how a mapping reads in a plan.
func mappingText(s mapping.Step) string {
	text := s.Source
	switch s.Kind {
	case mapping.Direct:
		text = "[" + s.Source + "]"
	case mapping.Constant:
		text = "constant"
	}
	if s.FlowType == mapping.ObjectAddOnly {
		text += ", only on create"
	}
	return text
}

func (c *cycle) managerProperty(ctx context.Context, u *update, link *store.Link) (ChangeProperty, error) {
	p := ChangeProperty{Name: attrManager, Old: c.shown(attrManager, directory.RefOf(link.ManagerSource)),
		New: c.shown(attrManager, directory.RefOf(u.managerSource)), From: "[manager]"}
	if u.managerSource != "" {
		p.Note = "resolved when its user is in the target"
	}
	if c.job.Mapping.Sensitive(attrManager) {
		return p, nil
	}
	var err error
	if p.OldName, err = c.personName(ctx, link.ManagerSource); err != nil {
		return p, err
	}
	p.NewName, err = c.personName(ctx, u.managerSource)
	return p, err
}

// personName is the user principal name of a source user as the plan or its link
// knows it, "" where neither does.
func (c *cycle) personName(ctx context.Context, id string) (string, error) {
	if name := c.preview.people[id]; name != "" || id == "" {
		return name, nil
	}
	links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: []string{id}})
	if err != nil || len(links) == 0 {
		return "", err
	}
	return links[0].UPN, nil
}

func failChange(o directory.Object, link *store.Link, code Code, reason string) Change {
	ch := Change{Action: "fail", Source: ChangeSource{ID: o.ID, UPN: o.UPN()}, Modified: []ChangeProperty{}, Code: string(code),
		Reason: reason, Advice: advice[code]}
	if link != nil {
		if ch.Source.UPN == "" {
			ch.Source.UPN = link.UPN
		}
		if link.TargetID != "" {
			ch.Target = &ChangeTarget{ID: link.TargetID}
		}
	}
	return ch
}
