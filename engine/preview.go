package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/store"
)

// Plan says what a cycle would do now: the same steps up to the export, on a
// scratch copy of the state. Nothing is written to any tenant.
func (e *Engine) Plan(ctx context.Context, req PlanRequest, report func(Progress)) (*PlanResult, error) {
	r, err := e.runner(req.Job)
	if err != nil {
		return nil, err
	}
	top, err := e.scratch(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a scratch store for the plan: %w", err)
	}
	over, err := newOverlay(ctx, e.store, top, r.job)
	if err != nil {
		return nil, errors.Join(err, top.Close())
	}
	shadow := &runner{job: r.job, pair: newPairLock(), fresh: map[string]bool{}}
	c := e.newCycle(shadow, SyncRequest{Job: r.job.Name, Initial: req.Initial})
	c.st, c.dry, c.report = over, true, report
	if req.User != "" {
		o, err := e.findOne(ctx, r.job, req.User)
		if err != nil {
			return nil, errors.Join(err, over.Close())
		}
		c.only = o.ID
		c.extra = map[string]bool{}
	}
	rec, err := e.record(ctx, r.job)
	if err != nil {
		return nil, errors.Join(err, over.Close())
	}
	err = c.run(ctx)
	if c.spool != nil {
		err = errors.Join(err, c.spool.close())
	}
	err = errors.Join(err, over.Close())
	if err != nil {
		return nil, e.jobError(r.job, err)
	}
	out := &PlanResult{Job: r.job.Name, Cycle: cycleName(c.initial), Changes: c.changes, Summary: c.tally.Summary,
		Threshold: c.threshold, Source: e.tenantName(c.source, r.job.SourceName), Target: e.tenantName(c.target, r.job.TargetName),
		InScope: c.inScope, Read: len(c.pos), Linked: c.linked, Writes: c.plannedWrites}
	if !c.initial {
		out.Since = lastEnd(ctx, e, rec.LastCycle, r.job.Name)
	}
	if out.Changes == nil {
		out.Changes = []Change{}
	}
	sortChanges(out.Changes)
	return out, nil
}

func (e *Engine) tenantName(t *directory.Tenant, name string) string {
	if t != nil && t.DefaultDomain != "" {
		return t.DefaultDomain
	}
	return name
}

func lastEnd(ctx context.Context, e *Engine, id, job string) time.Time {
	cycles, err := e.store.Cycles(ctx, store.CycleQuery{Job: job, ID: id, Limit: 1})
	if err != nil || len(cycles) == 0 {
		return time.Time{}
	}
	return cycles[0].StartedAt
}

// describe turns the work of a plan into changes.
func (c *cycle) describe(ctx context.Context, w *work) error {
	x := &exporter{c: c}
	if err := x.failures(ctx, w); err != nil {
		return err
	}
	held := w.ruling.holdChanges != ""
	if err := c.describeCreates(ctx, w, held); err != nil {
		return err
	}
	if err := c.describeUpdates(ctx, x, w, held); err != nil {
		return err
	}
	if err := c.describeLeavers(ctx, w); err != nil {
		return err
	}
	c.tally.Held = len(c.waiting.Holds) + c.tally.Held
	reason := w.ruling.holdDeletes
	if reason == "" {
		reason = w.ruling.holdChanges
	}
	c.threshold = DeletionThreshold{Held: w.ruling.holdDeletes != "", Count: w.census.leavers, Limit: c.job.Threshold, Reason: string(reason)}
	return nil
}

func (c *cycle) describeCreates(ctx context.Context, w *work, held bool) error {
	for _, it := range w.creates {
		if it.code != "" {
			continue
		}
		o, err := c.objectAt(ctx, it.at)
		if err != nil {
			return err
		}
		if it.adopt != nil {
			link := c.freshLink(o, it.adopt.ID)
			link.Exported = knownValues(it.adopt.Attributes, c.job.Mapping.TargetAttributes())
			c.describeUpdate(o, &link, "update", "matches the existing user "+it.adopt.ID+" by its address", held)
			continue
		}
		link := c.freshLink(o, "")
		link.Creating = true
		c.describeUpdate(o, &link, "create", "", held)
	}
	return nil
}

// describeUpdate adds the change of one user; action is what it is when
// something differs.
func (c *cycle) describeUpdate(o directory.Object, link *store.Link, action, reason string, held bool) {
	u, err := c.planUpdate(o, link, c.began)
	if err != nil {
		c.changes = append(c.changes, failChange(o, link, CodeAttributeValidation, err.Error()))
		c.tally.Failed++
		return
	}
	ch := Change{Action: action, Source: ChangeSource{ID: o.ID, UPN: o.UPN()}, Reason: reason}
	if link.TargetID != "" {
		ch.Target = &ChangeTarget{ID: link.TargetID}
	}
	ch.Modified = c.properties(o, u.diff, link)
	if u.manager {
		ch.Modified = append(ch.Modified, c.managerProperty(o, &u, link))
	}
	switch {
	case held:
		c.tally.Held++
		ch.Reason = "held: " + string(CodeTooManyChanges)
	case action == "create":
		c.tally.Create++
		c.plannedWrites += 2
	case action == "restore":
		c.tally.Restore++
		c.plannedWrites++
	case len(ch.Modified) == 0:
		ch.Action = "none"
		c.tally.Unchanged++
	case disables(u.diff):
		ch.Action = "disable"
		c.tally.Disable++
	default:
		c.tally.Update++
	}
	if !held && action != "create" && len(u.diff) > 0 {
		c.plannedWrites++
	}
	if !held && u.manager {
		c.plannedWrites++
	}
	c.changes = append(c.changes, ch)
}

func (c *cycle) describeUpdates(ctx context.Context, x *exporter, w *work, held bool) error {
	for part := range slices.Chunk(w.updates, 200) {
		ids := make([]string, len(part))
		for i, it := range part {
			ids[i] = it.id
		}
		links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: ids})
		if err != nil {
			return err
		}
		var back []*change
		for i := range links {
			it := part[slices.Index(ids, links[i].SourceID)]
			o, err := c.objectAt(ctx, it.at)
			if err != nil {
				return err
			}
			switch it.act {
			case actRestore:
				back = append(back, x.newChange(o, links[i]))
			case actDisable:
				c.describeDisable(o, &links[i])
			case actRelease:
				c.describeUpdate(o, &links[i], "update", "back in scope: its deletion is no longer held", held)
			default:
				c.describeUpdate(o, &links[i], "update", "", held)
			}
		}
		if err := c.describeBack(ctx, x, back, held); err != nil {
			return err
		}
	}
	return nil
}

func (c *cycle) describeBack(ctx context.Context, x *exporter, back []*change, held bool) error {
	if len(back) == 0 {
		return nil
	}
	states, _, err := x.whereabouts(ctx, back)
	if err != nil {
		return err
	}
	for i, ch := range back {
		d := decide(ch.v.state, stateOf(&ch.link), states[i], policy{actions: c.job.Actions})
		switch d.action {
		case actRestore:
			c.describeUpdate(ch.o, &ch.link, "restore", "back in scope: its deleted target user is restored", held)
		case actCreate:
			fresh := c.freshLink(ch.o, "")
			fresh.Creating = true
			c.describeUpdate(ch.o, &fresh, "create", "the earlier target user was deleted for good, its access is lost", held)
		case actSkip:
			c.tally.Skipped++
			c.changes = append(c.changes, Change{Action: "none", Source: ChangeSource{ID: ch.o.ID, UPN: ch.o.UPN()},
				Target: &ChangeTarget{ID: ch.link.TargetID}, Modified: []ChangeProperty{}, Code: string(d.code),
				Reason: "deleted in the target by somebody else", Advice: advice[d.code]})
		case actFail:
			c.tally.Failed++
			c.changes = append(c.changes, failChange(ch.o, &ch.link, d.code, "the target user is no longer an external user"))
		case actUpdate:
			c.describeUpdate(ch.o, &ch.link, "update", "", held)
		}
	}
	return nil
}

func (c *cycle) describeDisable(o directory.Object, link *store.Link) {
	no := "False"
	c.changes = append(c.changes, Change{Action: "disable", Source: ChangeSource{ID: o.ID, UPN: link.UPN},
		Target: &ChangeTarget{ID: link.TargetID}, Reason: "disabled in the source while its deletion waits",
		Modified: []ChangeProperty{{Name: attrAccountEnabled, Old: c.shown(attrAccountEnabled, link.Exported.Get(attrAccountEnabled)), New: &no}}})
	c.tally.Disable++
	c.plannedWrites++
}

func (c *cycle) describeLeavers(ctx context.Context, w *work) error {
	for part := range slices.Chunk(w.leavers, 200) {
		ids := make([]string, len(part))
		for i, l := range part {
			ids[i] = l.id
		}
		links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: ids})
		if err != nil {
			return err
		}
		for i := range links {
			l := part[slices.Index(ids, links[i].SourceID)]
			ch := Change{Source: ChangeSource{ID: l.id, UPN: links[i].UPN}, Target: &ChangeTarget{ID: links[i].TargetID},
				Modified: []ChangeProperty{}, Reason: l.verdict.reason}
			no := "False"
			switch {
			case l.hold != "":
				ch.Action, ch.Code, ch.Advice = "stagedDelete", string(l.hold), advice[l.hold]
				c.tally.Held++
			case l.act == actDisable:
				ch.Action = "disable"
				ch.Modified = []ChangeProperty{{Name: attrAccountEnabled, Old: c.shown(attrAccountEnabled, links[i].Exported.Get(attrAccountEnabled)), New: &no}}
				c.tally.Disable++
				c.plannedWrites++
			default:
				ch.Action = "delete"
				c.tally.Delete++
				c.plannedWrites++
			}
			c.changes = append(c.changes, ch)
		}
	}
	return nil
}

// properties shows what differs, each with the mapping it comes from.
func (c *cycle) properties(o directory.Object, diff []directory.Modified, link *store.Link) []ChangeProperty {
	from := c.mappingTexts(o, link)
	out := make([]ChangeProperty, 0, len(diff))
	for _, m := range diff {
		out = append(out, ChangeProperty{Name: m.Name, Old: c.shown(m.Name, m.Old), New: c.shown(m.Name, m.New), From: mappingText(from[m.Name])})
	}
	return out
}

func (c *cycle) mappingTexts(o directory.Object, link *store.Link) map[string]mapping.Step {
	flow := mapping.Update
	if link.Creating {
		flow = mapping.Create
	}
	out := map[string]mapping.Step{}
	for _, s := range c.job.Mapping.Trace(mapping.Input{Source: o.Attributes, Flow: flow, Current: link.Exported, Now: c.began}) {
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

func (c *cycle) managerProperty(o directory.Object, u *update, link *store.Link) ChangeProperty {
	p := ChangeProperty{Name: attrManager, Old: c.shown(attrManager, directory.RefOf(link.ManagerSource)),
		New: c.shown(attrManager, directory.RefOf(u.managerSource)), From: "[manager]"}
	if u.managerSource != "" {
		p.Note = "resolved when its user is in the target"
	}
	return p
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
