package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	if e.scratch == nil {
		return nil, errors.New("a plan needs a scratch store, and the engine was built without one")
	}
	top, err := e.scratch(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a scratch store for the plan: %w", err)
	}
	over, err := newOverlay(ctx, e.store, top, r.job)
	if err != nil {
		return nil, errors.Join(err, top.Close())
	}
	shadow := &runner{job: r.job, pair: newPairLock(), activity: newActivity()}
	c := e.newCycle(shadow, SyncRequest{Job: r.job.Name, Initial: req.Initial})
	c.st, c.dry, c.report, c.unchanged = over, true, report, req.Unchanged
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
	if c.only != "" && !slices.ContainsFunc(out.Changes, func(ch Change) bool { return ch.Source.ID == c.only }) {
		nothing, err := e.noChange(ctx, r.job, c.only)
		if err != nil {
			return nil, e.jobError(r.job, err)
		}
		out.Changes = append(out.Changes, nothing)
	}
	sortChanges(out.Changes)
	return out, nil
}

// noChange says why a cycle would do nothing to the user that was asked for.
func (e *Engine) noChange(ctx context.Context, j *Job, id string) (Change, error) {
	why, err := e.Explain(ctx, id, j.Name)
	if err != nil {
		return Change{}, err
	}
	out := Change{Action: "none", Source: why.User, Modified: []ChangeProperty{}, Reason: strings.Join(why.Reasons, "; ")}
	if why.Link != nil && why.Link.TargetID != "" {
		out.Target = &ChangeTarget{ID: why.Link.TargetID}
	}
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
	c.comes = comers(w)
	if err := c.describeCreates(ctx, x, w, held); err != nil {
		return err
	}
	if err := c.describeUpdates(ctx, x, w, held); err != nil {
		return err
	}
	if err := c.describeReports(ctx, held); err != nil {
		return err
	}
	if err := c.describeLeavers(ctx, x, w); err != nil {
		return err
	}
	c.tally.Held = len(c.waiting.Holds) + c.tally.Held
	reason := w.ruling.holdDeletes
	if reason == "" {
		reason = w.ruling.holdChanges
	}
	c.threshold = DeletionThreshold{Held: w.ruling.holdDeletes != "", Count: w.census.leavers, Limit: c.job.Threshold, Percent: c.job.Percent, Reason: string(reason)}
	return nil
}

func (c *cycle) describeCreates(ctx context.Context, x *exporter, w *work, held bool) error {
	for part := range slices.Chunk(w.creates, 200) {
		var adopted []store.Link
		var objects []directory.Object
		for _, it := range part {
			if it.code != "" {
				continue
			}
			o, err := c.objectAt(ctx, it.at)
			if err != nil {
				return err
			}
			if it.matched() {
				found, err := c.chosen(it)
				if err != nil {
					return err
				}
				adopted, objects = append(adopted, x.adoption(o, found).link), append(objects, o)
				continue
			}
			link := c.freshLink(o, "")
			link.Creating = true
			if err := c.describeUpdate(ctx, o, &link, "create", "", held); err != nil {
				return err
			}
		}
		if err := x.readManagers(ctx, adopted); err != nil {
			return err
		}
		for i := range adopted {
			reason := "matches the existing user " + adopted[i].TargetID + " by its address"
			if err := c.describeUpdate(ctx, objects[i], &adopted[i], "update", reason, held); err != nil {
				return err
			}
		}
	}
	return nil
}

// describeUpdate adds the change of one user; action is what it is when
// something differs.
func (c *cycle) describeUpdate(ctx context.Context, o directory.Object, link *store.Link, action, reason string, held bool) error {
	u, err := c.planUpdate(o, link, c.began)
	if err != nil {
		c.changes = append(c.changes, failChange(o, link, CodeAttributeValidation, err.Error()))
		c.tally.Failed++
		return nil
	}
	return c.describeChange(ctx, &change{o: o, link: *link, u: u}, action, reason, held)
}

// describeChange adds a change whose differences are known.
func (c *cycle) describeChange(ctx context.Context, pending *change, action, reason string, held bool) error {
	o, link, u := pending.o, &pending.link, &pending.u
	manager, err := c.writesManager(ctx, u, link)
	if err != nil {
		return err
	}
	// A user who was deleted in the source has no name there any more: the link knows it.
	ch := Change{Action: action, Source: ChangeSource{ID: o.ID, UPN: cmp.Or(o.UPN(), link.UPN)}, Reason: reason}
	if link.TargetID != "" {
		ch.Target = &ChangeTarget{ID: link.TargetID}
	}
	ch.Modified = c.properties(o, u.diff, link)
	if manager {
		ch.Modified = append(ch.Modified, c.managerProperty(o, u, link))
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
	case len(ch.Modified) == 0 && u.blocked:
		ch.Action, ch.Code, ch.Advice = "none", string(CodeBlockedInTarget), advice[CodeBlockedInTarget]
		ch.Reason = "sign-in was blocked by hand in the target: the block is kept"
		c.tally.Skipped++
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
	if !held && manager {
		c.plannedWrites++
	}
	c.tally.counted[keyOf(o.ID)] = true
	c.changes = append(c.changes, ch)
	return nil
}

// writesManager reports whether the reference pass would write the manager: the
// wanted one is, or comes into, the target, or the one there is to be removed.
func (c *cycle) writesManager(ctx context.Context, u *update, link *store.Link) (bool, error) {
	if !u.manager {
		return false, nil
	}
	if u.managerSource == "" {
		return link.ManagerTarget != "", nil
	}
	if c.comes[u.managerSource] {
		return true, nil
	}
	target, err := (&exporter{c: c}).targetsOf(ctx, []string{u.managerSource})
	return target[u.managerSource] != link.ManagerTarget, err
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
		var plain, back []*change
		for i := range links {
			it := part[slices.Index(ids, links[i].SourceID)]
			o, err := c.objectAt(ctx, it.at)
			if err != nil {
				return err
			}
			ch := x.newChange(o, links[i])
			if it.act == actRestore {
				back = append(back, ch)
				continue
			}
			ch.leaving = it.act == actDisable
			plain = append(plain, ch)
		}
		plain, lost, err := c.foresee(ctx, x, plain)
		if err != nil {
			return err
		}
		for _, ch := range plain {
			reason := ""
			switch {
			case ch.leaving:
				reason = "disabled in the source while its deletion waits"
			case ch.released:
				reason = "back in scope: its deletion is no longer held"
			}
			if err := c.describeChange(ctx, ch, "update", reason, held && !ch.leaving); err != nil {
				return err
			}
		}
		if err := c.describeBack(ctx, x, append(back, lost...), held); err != nil {
			return err
		}
	}
	return nil
}

// foresee computes what differs, and reads the target users that the export
// would read: a block of the target's own is kept, who is internal now fails,
// and who is not there is looked for elsewhere.
func (c *cycle) foresee(ctx context.Context, x *exporter, list []*change) (there, lost []*change, err error) {
	var look []*change
	for _, ch := range list {
		if err := x.compute(ch); err != nil {
			c.changes = append(c.changes, failChange(ch.o, &ch.link, CodeAttributeValidation, err.Error()))
			c.tally.Failed++
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
		case l.Err != nil && directory.KindOf(l.Err) == directory.NotFound:
			lost = append(lost, ch)
		case l.Err != nil:
			code, reason := refusal(l.Err, false)
			c.changes = append(c.changes, failChange(ch.o, &ch.link, code, reason))
			c.tally.Failed++
		case !isOurs(l.Object, target):
			c.changes = append(c.changes, failChange(ch.o, &ch.link, CodeInvalidAnchor, "the target user is no longer an external user"))
			c.tally.Failed++
		default:
			x.respectBlock(ch, l.Object)
			there = append(there, ch)
		}
	}
	return there, lost, nil
}

// describeReports adds users whose manager comes into the target by this cycle
// and who are not in it themselves.
func (c *cycle) describeReports(ctx context.Context, held bool) error {
	if held || !slices.Contains(c.job.Mapping.References(), attrManager) {
		return nil
	}
	ids := sortedNames(c.comes)
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
			if err := c.describeChange(ctx, pending, "update", "its manager comes into the target", false); err != nil {
				return err
			}
		}
	}
	return nil
}

// comers are the source users whom this cycle brings into the target.
func comers(w *work) map[string]bool {
	out := map[string]bool{}
	if w.ruling.holdChanges != "" {
		return out
	}
	for _, it := range w.creates {
		if it.code == "" {
			out[it.id] = true
		}
	}
	for _, it := range w.updates {
		if it.act == actRestore {
			out[it.id] = true
		}
	}
	return out
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
			err = c.describeUpdate(ctx, ch.o, &ch.link, "restore", "back in scope: its deleted target user is restored", held)
		case actCreate:
			fresh := c.freshLink(ch.o, "")
			fresh.Creating = true
			err = c.describeUpdate(ctx, ch.o, &fresh, "create", "the earlier target user was deleted for good, its access is lost", held)
		case actSkip:
			c.tally.Skipped++
			c.changes = append(c.changes, Change{Action: "none", Source: ChangeSource{ID: ch.o.ID, UPN: cmp.Or(ch.o.UPN(), ch.link.UPN)},
				Target: &ChangeTarget{ID: ch.link.TargetID}, Modified: []ChangeProperty{}, Code: string(d.code),
				Reason: "deleted in the target by somebody else", Advice: advice[d.code]})
		case actFail:
			c.tally.Failed++
			c.changes = append(c.changes, failChange(ch.o, &ch.link, d.code, "the target user is no longer an external user"))
		case actUpdate:
			err = c.describeUpdate(ctx, ch.o, &ch.link, "update", "", held)
		}
		if err != nil {
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
		if err := c.internalLeavers(ctx, part, links); err != nil {
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
			case c.internal[keyOf(link.TargetID)]:
				ch = failChange(o, &link, CodeInvalidAnchor, "the target user is no longer an external user")
				c.tally.Failed++
			case l.act == actDisable:
				err = c.describeLeaving(ctx, x, o, &link, l)
				if err != nil {
					return err
				}
				continue
			default:
				c.tally.Delete++
				c.plannedWrites++
			}
			c.changes = append(c.changes, ch)
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
	return c.describeChange(ctx, ch, "update", l.verdict.reason, false)
}

// internalLeavers notes which of the users about to be deleted were made
// internal accounts: the export reads each of them again, and so does the plan.
func (c *cycle) internalLeavers(ctx context.Context, part []*leaver, links map[string]store.Link) error {
	var ids []string
	for _, l := range part {
		if l.hold == "" && l.act == actDelete {
			ids = append(ids, links[l.id].TargetID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := c.job.Target.Users(ctx, ids, targetSelects(c.job))
	if err != nil {
		return err
	}
	target, err := c.targetTenant(ctx)
	if err != nil {
		return err
	}
	for i, l := range found {
		if l.Err == nil && !isOurs(l.Object, target) {
			if c.internal == nil {
				c.internal = map[idKey]bool{}
			}
			c.internal[keyOf(ids[i])] = true
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
