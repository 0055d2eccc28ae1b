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
	"tenantsync/store"
)

// preview is what a plan gathers while its cycle goes by. The zero value is ready to
// use; a nil preview, of a cycle that is no plan, gathers nothing.
type preview struct {
	only      string            // plan of one user: its source id
	followed  *store.Link       // of that user, as the plan describes it
	unchanged bool              // users without a difference are listed as well
	people    map[string]string // source id → name of the users without a link
	changes   []Change
	seals     []string // for what each change writes, hidden values included
	threshold DeletionThreshold
	held      *HeldChanges
	writes    int              // about how many the cycle would send
	collider  *collider        // of a plan that looks for address collisions
	kept      []KeptInTarget   // what the cycle would leave as somebody else set it
	comes     map[string]bool  // source users whom the cycle brings into the target
	matches   map[string]*item // those among them who are there and are linked by matching
}

// show lists a change.
func (p *preview) show(ch Change) {
	if p != nil {
		p.changes = append(p.changes, ch)
	}
}

// meet remembers the name of a user who has no link that would know it.
func (p *preview) meet(id, upn string) {
	if p == nil {
		return
	}
	if p.people == nil {
		p.people = map[string]string{}
	}
	p.people[id] = strings.Clone(upn)
}

// onlyUser is the source id of the one user that a plan is for, "" for everybody.
func (c *cycle) onlyUser() string {
	if c.preview == nil {
		return ""
	}
	return c.preview.only
}

// Plan says what a cycle would do now: the same steps up to the export, on a
// scratch copy of the state. Nothing is written to any tenant.
func (e *Engine) Plan(ctx context.Context, req PlanRequest, report func(Progress)) (*PlanResult, error) {
	r, err := e.runner(req.Job)
	if err != nil {
		return nil, err
	}
	if req.Save > 0 && req.User != "" {
		return nil, &Error{Class: ClassUsage, Code: "PlanOfOneUser", Message: "a plan of one user cannot be saved: a cycle is of everybody.",
			Action: "for one user: tenantsync provision " + req.User}
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
	c.st, c.dry, c.report, c.foreseen, c.preview = over, true, report, &promises{}, &preview{unchanged: req.Unchanged}
	if req.Collisions {
		c.preview.collider = &collider{}
	}
	if req.User != "" {
		o, err := e.findOne(ctx, r.job, req.User)
		if err != nil {
			return nil, errors.Join(err, over.Close())
		}
		c.preview.only = o.ID
		c.extra = map[string]bool{}
	}
	c.approved = req.Save > 0
	rec, err := e.record(ctx, r.job)
	if err != nil {
		return nil, errors.Join(err, over.Close())
	}
	var attributes []PlanAttribute
	if err = c.run(ctx); err == nil && c.onlyUser() != "" {
		attributes, err = c.attributes(ctx)
	}
	if c.spool != nil {
		err = errors.Join(err, c.spool.close())
	}
	err = errors.Join(err, over.Close())
	if err != nil {
		return nil, e.jobError(r.job, err)
	}
	out, err := e.planResult(ctx, c, rec, attributes)
	if err == nil && req.Save > 0 {
		out.Saved, err = c.save(out.Summary, req.Save)
	}
	return out, err
}

// planResult is what a plan that ran through found; rec is the job's record before.
func (e *Engine) planResult(ctx context.Context, c *cycle, rec store.Job, attributes []PlanAttribute) (*PlanResult, error) {
	job := c.job
	out := &PlanResult{Job: job.Name, Cycle: cycleName(c.initial), Changes: c.preview.changes, Summary: c.tally.Summary,
		Threshold: c.preview.threshold, HeldChanges: c.preview.held, Source: e.tenantName(c.source, job.SourceName), Target: e.tenantName(c.target, job.TargetName),
		InScope: c.inScope, Read: len(c.pos), Linked: c.linked, Writes: c.preview.writes, Attributes: attributes, Kept: c.preview.kept,
		Mails: c.tally.Create, InvitationMail: job.Invitation.SendMessage, GoneGroups: slices.Clone(c.rec.GoneGroups)}
	if f := c.preview.collider; f != nil {
		out.Redemption, out.Collisions, out.NotChecked = f.redemption, append([]Collision{}, f.found...), append([]string{}, f.lacking...)
	}
	if !c.initial {
		var err error
		if out.Since, err = e.lastStart(ctx, rec.LastCycle, job.Name); err != nil {
			return nil, e.jobError(job, err)
		}
	}
	if out.Changes == nil {
		out.Changes = []Change{}
	}
	if c.preview.only != "" && !slices.ContainsFunc(out.Changes, func(ch Change) bool { return ch.Source.ID == c.preview.only }) {
		nothing, err := e.noChange(ctx, job, c.preview.only)
		if err != nil {
			return nil, e.jobError(job, err)
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
	out := Change{Action: "none", Source: why.User, Modified: []ChangeProperty{}, Reason: strings.Join(why.Reasons, " ")}
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

// lastStart returns when a cycle began, zero when it is not known any more.
func (e *Engine) lastStart(ctx context.Context, id, job string) (time.Time, error) {
	cycles, err := e.store.Cycles(ctx, store.CycleQuery{Job: job, ID: id, Limit: 1})
	if err != nil || len(cycles) == 0 {
		return time.Time{}, err
	}
	return cycles[0].StartedAt, nil
}

// describe turns the work of a plan into changes.
func (c *cycle) describe(ctx context.Context, w *work) error {
	x := &exporter{c: c}
	if err := x.failures(ctx, w); err != nil {
		return err
	}
	c.preview.comes, c.preview.matches = comers(w), matches(w)
	if err := c.describeCreates(ctx, x, w); err != nil {
		return err
	}
	if err := c.describeUpdates(ctx, x, w); err != nil {
		return err
	}
	if err := c.describeReports(ctx); err != nil {
		return err
	}
	if err := c.describeLeavers(ctx, x, w); err != nil {
		return err
	}
	c.tally.Held = len(c.waiting.Holds) + c.tally.Held
	reason := w.ruling.holdDeletes
	if reason == "" {
		reason = w.ruling.holdChanges()
	}
	c.preview.threshold = DeletionThreshold{Held: w.ruling.holdDeletes != "", Count: w.census.leavers, Limit: c.job.Threshold, Percent: c.job.Percent, Reason: string(reason)}
	c.preview.held = w.wouldHold
	return c.findCollisions(ctx)
}

func (c *cycle) describeCreates(ctx context.Context, x *exporter, w *work) error {
	failed, err := c.chooseAhead(ctx, w.creates)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(w.creates, 200) {
		var adopted []store.Link
		var objects, there []directory.Object
		var holds []Code
		for _, it := range part {
			if it.code != "" {
				if err := c.claimRefused(ctx, it); err != nil {
					return err
				}
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
				adopted, objects, there = append(adopted, x.adoption(o, found).link), append(objects, o), append(there, found)
				holds = append(holds, it.hold)
				continue
			}
			link := c.freshLink(o, "")
			link.Creating = true
			if err := failed[o.ID]; err != nil {
				c.failMapping(nil, &judged{o: o, link: &link}, err)
				continue
			}
			if err := c.describeUpdate(ctx, o, &link, "create", "", it.hold); err != nil {
				return err
			}
		}
		if err := x.readManagers(ctx, adopted); err != nil {
			return err
		}
		for i := range adopted {
			if err := c.describeAdoption(ctx, x, objects[i], &adopted[i], there[i], holds[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// describeAdoption adds the change of a user who is matched. A block of the target
// user is kept, as the export does when it reads that user.
func (c *cycle) describeAdoption(ctx context.Context, x *exporter, o directory.Object, link *store.Link, found directory.Object, hold Code) error {
	c.follow(o, link)
	u, err := c.planUpdate(o, link, c.began)
	if err != nil {
		c.failMapping(nil, &judged{o: o, link: link}, err)
		return nil
	}
	pending := &change{o: o, link: *link, u: u, hold: hold}
	x.respectBlock(pending, found)
	return c.describeChange(ctx, pending, "update", "matches the existing user "+link.TargetID+" by its address")
}

// describeUpdate adds the change of one user; action is what it is when
// something differs.
func (c *cycle) describeUpdate(ctx context.Context, o directory.Object, link *store.Link, action, reason string, hold Code) error {
	c.follow(o, link)
	u, err := c.planUpdate(o, link, c.began)
	if err != nil {
		c.failMapping(nil, &judged{o: o, link: link}, err)
		return nil
	}
	return c.describeChange(ctx, &change{o: o, link: *link, u: u, hold: hold}, action, reason)
}

// describeChange adds a change whose differences are known.
func (c *cycle) describeChange(ctx context.Context, pending *change, action, reason string) error {
	held := pending.hold != ""
	o, link, u := pending.o, &pending.link, &pending.u
	c.follow(o, link)
	if action == "create" {
		c.claimCreate(o, u)
	}
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
		property, err := c.managerProperty(ctx, u, link)
		if err != nil {
			return err
		}
		ch.Modified = append(ch.Modified, property)
	}
	switch {
	case held:
		c.tally.Held++
		ch.Reason = "held: " + string(pending.hold)
	case action == "create":
		c.tally.Create++
		c.preview.writes += 2
	case action == "restore":
		c.tally.Restore++
		c.preview.writes++
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
		c.preview.writes++
	}
	if !held && manager {
		c.preview.writes++
	}
	c.tally.counted[keyOf(o.ID)] = true
	c.preview.show(ch)
	managers := []string{}
	if manager {
		managers = append(managers, link.ManagerSource, u.managerSource)
	}
	c.preview.seal(ch, u.diff, managers...)
	return nil
}

func (c *cycle) describeUpdates(ctx context.Context, x *exporter, w *work) error {
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
			if ch.hold = it.hold; it.act == actRestore {
				back = append(back, ch)
				continue
			}
			if ch.leaving = it.act == actDisable; ch.leaving {
				ch.hold = ""
			}
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
			if err := c.describeChange(ctx, ch, "update", reason); err != nil {
				return err
			}
		}
		if err := c.describeBack(ctx, x, append(back, lost...)); err != nil {
			return err
		}
	}
	return nil
}
