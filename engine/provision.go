package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/store"
)

// Provision carries one user over now: import, scoping, matching, export. It runs
// between two batches of a cycle under way and never deletes.
func (e *Engine) Provision(ctx context.Context, req ProvisionRequest) (*ProvisionResult, error) {
	r, err := e.runner(req.Job)
	if err != nil {
		return nil, err
	}
	p := &provision{e: e, r: r, req: req, began: now()}
	r.pair.turn.Lock()
	defer r.pair.turn.Unlock()
	out, err := p.run(ctx)
	if err != nil {
		return nil, e.jobError(r.job, err)
	}
	if !req.DryRun && p.o.ID != "" {
		for _, other := range e.all() { // what another job of the pair has read is older too
			if other.pair == r.pair {
				other.markFresh(p.o.ID)
			}
		}
	}
	return out, nil
}

// provision is one run of provision on demand.
type provision struct {
	e     *Engine
	r     *runner
	req   ProvisionRequest
	began time.Time
	c     *cycle
	x     *exporter
	o     directory.Object
	link  *store.Link
	owner string // the job that owned the link until now
	v     verdict
	steps []ProvisionStep
	mark  time.Time
	adopt *directory.Object
	out   ProvisionResult
}

func (p *provision) run(ctx context.Context) (*ProvisionResult, error) {
	p.out = ProvisionResult{Job: p.r.job.Name, ChangeID: uuid.NewString(), Action: logOther, Status: statusSuccess, DryRun: p.req.DryRun,
		SourceName: p.r.job.SourceName, TargetName: p.r.job.TargetName, Modified: []ChangeProperty{},
		Target: store.Identity{Type: "User", Details: map[string]string{}}}
	p.mark = now()
	if err := p.importUser(ctx); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) (bool, error){p.scoping, p.matching, p.perform} {
		goOn, err := step(ctx)
		if err != nil {
			return nil, err
		}
		if !goOn {
			break
		}
	}
	p.out.Steps = p.steps
	p.out.DurationMS = int(now().Sub(p.began).Milliseconds())
	return &p.out, nil
}

// step ends one of the four steps.
func (p *provision) step(name, kind, status, description string, details map[string]string) {
	at := now()
	if details == nil {
		details = map[string]string{}
	}
	p.steps = append(p.steps, ProvisionStep{Name: name, Type: kind, Status: status, Description: description, Details: details,
		DurationMS: int(at.Sub(p.mark).Milliseconds())})
	p.mark = at
}

// stop ends the run with a result that is no success.
func (p *provision) stop(status string, code Code, reason string) {
	p.out.Status, p.out.Code, p.out.Reason, p.out.Advice = status, string(code), reason, advice[code]
	if status == statusFailure {
		p.out.Action = failedAction(p.link)
	}
}

// importUser finds the user in the source and reads it in full.
func (p *provision) importUser(ctx context.Context) error {
	c, err := p.e.onDemand(ctx, p.r)
	if err != nil {
		return err
	}
	p.c = c
	found, err := p.e.findOne(ctx, p.r.job, p.req.User)
	if err != nil {
		return err
	}
	full, err := p.r.job.Source.Users(ctx, []string{found.ID}, c.selects)
	if err != nil {
		return err
	}
	if full[0].Err != nil {
		return full[0].Err
	}
	p.o = c.full(full[0].Object)
	p.out.Source = userIdentity(p.o, nil)
	details := map[string]string{}
	read := 0
	for _, a := range p.o.Attributes {
		if !a.Value.IsEmpty() {
			details[a.Name] = c.shownSource(a.Name, a.Value)
			read++
		}
	}
	p.step("EntryImport", stepImport, statusSuccess, strconv.Itoa(read)+" attributes read", details)
	return nil
}

// shownSource is a source value as people see it: masked when a sensitive
// mapping reads it.
func (c *cycle) shownSource(name string, v directory.Value) string {
	switch {
	case c.job.Mapping.SensitiveSource(name):
		return sensitiveText
	case v.IsEmpty():
		return "(none)"
	}
	return v.String()
}

// onDemand prepares what provision on demand and approvals share with a cycle.
func (e *Engine) onDemand(ctx context.Context, r *runner) (*cycle, error) {
	c := e.newCycle(&runner{job: r.job, pair: newPairLock(), activity: newActivity()}, SyncRequest{Job: r.job.Name, Trigger: "onDemand"})
	c.onDemand = true
	c.extra, c.unread, c.pos = map[string]bool{}, map[string]error{}, map[idKey]position{}
	c.tally.counted = map[idKey]bool{}
	c.selects = e.sourceSelects(r.job)
	var err error
	if c.rec, err = e.record(ctx, r.job); err != nil {
		return nil, err
	}
	if c.waiting, err = e.store.Waiting(ctx, r.job.Name); err != nil {
		return nil, err
	}
	if _, err := c.sourceTenant(ctx); err != nil {
		return nil, err
	}
	c.linked, c.inScope = c.rec.Linked, c.rec.InScope
	return c, nil
}

// findOne finds the one source user that a text means.
func (e *Engine) findOne(ctx context.Context, j *Job, text string) (directory.Object, error) {
	found, err := j.Source.Find(ctx, text, []string{attrUPN, attrDisplayName, attrMail})
	if err != nil && directory.KindOf(err) != directory.NotFound {
		return directory.Object{}, e.jobError(j, err)
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return directory.Object{}, &Error{Class: ClassUsage, Code: "UnknownUser",
			Message: fmt.Sprintf("there is no user %q in %s.", text, j.SourceName),
			Cause:   "no object id, user principal name, mail or display name is that",
			Action:  "use the user principal name as the source tenant has it"}
	}
	names := make([]string, 0, len(found))
	for _, o := range found {
		names = append(names, o.UPN())
	}
	return directory.Object{}, &Error{Class: ClassUsage, Code: "AmbiguousUser",
		Message: fmt.Sprintf("%q means %d users in %s.", text, len(found), j.SourceName),
		Cause:   "they are " + strings.Join(names, ", "), Action: "name one of them by its user principal name"}
}

// present judges users by the membership of this moment, which is read without
// moving any watermark.
func (c *cycle) present(ctx context.Context, ids []string) (*assigner, error) {
	if c.job.Scope.All {
		return &assigner{all: true}, nil
	}
	top, err := c.engine.scratch(ctx)
	if err != nil {
		return nil, err
	}
	over, err := newOverlay(ctx, c.engine.store, top, c.job)
	if err != nil {
		return nil, errors.Join(err, top.Close())
	}
	reader := c.engine.newCycle(c.runner, c.request)
	reader.st, reader.dry, reader.extra = over, true, map[string]bool{}
	reader.rec, err = over.Job(ctx, c.job.Name)
	if err != nil {
		return nil, errors.Join(err, over.Close())
	}
	reader.initial = reader.rec.Watermark == ""
	reader.rec.Stage = &store.Stage{}
	if err := reader.readMembership(ctx); err != nil {
		return nil, errors.Join(err, over.Close())
	}
	as, err := assignments(ctx, over, c.job, &reader.rec, ids)
	return as, errors.Join(err, over.Close())
}

// scoping judges the user.
func (p *provision) scoping(ctx context.Context) (bool, error) {
	as, err := p.c.present(ctx, []string{p.o.ID})
	if err != nil {
		return false, err
	}
	p.v = judge(p.o, *p.c.source, as.of(p.o.ID), p.r.job.Scope.Filter, p.r.job.Mapping.SensitiveSource)
	links, err := p.c.st.Links(ctx, store.LinkQuery{Pair: p.r.job.Pair, SourceIDs: []string{p.o.ID}})
	if err != nil {
		return false, err
	}
	if len(links) > 0 {
		p.link = &links[0]
		p.out.Target.ID = p.link.TargetID
	}
	details := p.c.scopeDetails(p.o, p.v, as.of(p.o.ID))
	switch {
	case p.v.err != nil:
		p.step("EntrySynchronizationScoping", stepScoping, statusFailure, p.v.reason, details)
		p.stop(statusFailure, CodeFilterFailed, p.v.reason)
	case p.link != nil && p.link.Job != p.r.job.Name && p.v.inScope() && p.e.keeps(p.link, p.r.job.Name):
		reason := "job " + p.link.Job + ", which comes first in the configuration, keeps this user in sync"
		p.step("EntrySynchronizationScoping", stepScoping, statusSkipped, reason, details)
		p.stop(statusSkipped, CodeOwnedByOtherJob, reason)
	case p.v.inScope() && (p.v.state == sourceActive || p.link != nil):
		p.step("EntrySynchronizationScoping", stepScoping, statusSuccess, "The user is in scope", details)
		return true, nil
	case p.link != nil && (p.link.State == store.LinkActive || p.link.State == store.LinkHeld):
		pending := "pending action delete"
		if p.r.job.Deprovision == DeprovisionDisable {
			pending = "pending action disable"
		}
		reason := p.v.reason + "; the user is linked to target user " + p.link.TargetID + ": " + pending
		p.step("EntrySynchronizationScoping", stepScoping, statusSkipped, "The user is not in scope: "+p.v.reason+"; "+pending, details)
		p.stop(statusSkipped, CodePendingDelete, reason)
	default:
		p.step("EntrySynchronizationScoping", stepScoping, statusSkipped, "The user is not in scope: "+p.v.reason, details)
		p.stop(statusSkipped, p.v.code, p.v.reason)
	}
	p.log(ctx)
	return false, nil
}

// scopeDetails shows each condition of scope.
func (c *cycle) scopeDetails(o directory.Object, v verdict, as assignment) map[string]string {
	d := map[string]string{"Active in the source system": title(o.Enabled() && v.state != sourceGone), "Assigned to the application": title(as.assigned)}
	if as.through != "" {
		d["AssignedThrough"] = as.through
	}
	for i, g := range c.job.Scope.Filter.Explain(o.Attributes) {
		name := g.Title
		if name == "" {
			name = "filter " + strconv.Itoa(i+1)
		}
		for _, cl := range g.Clauses {
			d[name+": "+cl.Text] = title(cl.Passed)
		}
	}
	return d
}

// log records a run that ended before the export.
func (p *provision) log(ctx context.Context) {
	if p.req.DryRun {
		return
	}
	r := p.c.newRecord(p.o, p.link, p.began)
	r.entry.ChangeID = p.out.ChangeID
	for _, s := range p.steps {
		if s.Type == stepImport {
			r.importStep(p.o, p.link != nil)
			continue
		}
		r.entry.Steps = append(r.entry.Steps, store.Step{Name: s.Name, Type: s.Type, Status: s.Status, Description: s.Description, Details: s.Details})
	}
	r.entry.Action = p.out.Action
	r.result(p.out.Status, Code(p.out.Code), p.out.Reason)
	if err := p.c.st.Apply(context.WithoutCancel(ctx), &store.Batch{Log: []store.Entry{r.done(now())}}); err != nil {
		p.c.log.Error("log entry not stored")
	}
}

// matching reads the linked target user, or looks for one.
func (p *provision) matching(ctx context.Context) (bool, error) {
	c := p.c
	c.loose = []directory.Object{p.o}
	if p.link != nil {
		return p.matchLinked(ctx)
	}
	it := &item{id: p.o.ID, act: actCreate}
	if !p.r.job.Actions.Create {
		it.act = actAdopt
	}
	w := &work{creates: []*item{it}}
	if err := c.match(ctx, w); err != nil {
		return false, err
	}
	switch {
	case it.code != "" && it.step == "":
		p.step("EntrySynchronizationAdd", stepMatching, statusSkipped, it.reason, nil)
		p.stop(statusSkipped, it.code, it.reason)
	case it.code != "":
		p.step("EntrySynchronizationAdd", stepMatching, statusFailure, it.reason, nil)
		p.stop(statusFailure, it.code, it.reason)
		if !p.req.DryRun {
			b := &store.Batch{PutEscrows: []store.Escrow{c.escrow(p.o, nil, stepMatching, it.code, it.reason, false)}}
			if err := c.st.Apply(ctx, b); err != nil {
				return false, err
			}
		}
	case it.adopt != nil:
		p.adopt = it.adopt
		p.out.Target.ID = it.adopt.ID
		p.step("EntryImport", stepMatching, statusSuccess, "Target user "+it.adopt.ID+" matches", map[string]string{
			"TargetId": it.adopt.ID, "userPrincipalName": it.adopt.UPN()})
		return true, nil
	default:
		keys, _ := c.sourceKeys(p.o) // match has judged them already
		searched := make([]string, 0, len(keys))
		for _, k := range keys {
			searched = append(searched, k.value)
		}
		p.step("EntrySynchronizationAdd", stepMatching, statusSuccess, "No user of "+p.r.job.TargetName+" matches",
			map[string]string{"Searched": strings.Join(searched, ", ")})
		return true, nil
	}
	p.log(ctx)
	return false, nil
}

func (p *provision) matchLinked(ctx context.Context) (bool, error) {
	found, err := p.r.job.Target.Users(ctx, []string{p.link.TargetID}, targetSelects(p.r.job))
	if err != nil {
		return false, err
	}
	target, err := p.c.targetTenant(ctx)
	if err != nil {
		return false, err
	}
	l := found[0]
	switch {
	case l.Err == nil && !isOurs(l.Object, target):
		reason := "target user " + p.link.TargetID + " is no longer an external user of the source: it is left alone"
		p.step("EntryImport", stepMatching, statusFailure, reason, nil)
		p.stop(statusFailure, CodeInvalidAnchor, reason)
		p.log(ctx)
		return false, nil
	case l.Err == nil:
		p.owner, p.link.Job = p.link.Job, p.r.job.Name
		refresh(p.link, &l.Object, p.r.job.Mapping.TargetAttributes())
		p.step("EntryImport", stepMatching, statusSuccess, "Linked to target user "+p.link.TargetID,
			map[string]string{"TargetId": p.link.TargetID, "userPrincipalName": l.Object.UPN()})
	case directory.KindOf(l.Err) == directory.NotFound:
		p.step("EntryImport", stepMatching, statusSuccess, "Linked to target user "+p.link.TargetID+", which is not there", nil)
	default:
		return false, l.Err
	}
	return true, nil
}

// perform writes what differs, or shows it in a dry run.
func (p *provision) perform(ctx context.Context) (bool, error) {
	p.values()
	if p.req.DryRun {
		p.step("EntryExport", stepExport, statusSkipped, "Dry run: nothing was written", nil)
		return false, nil
	}
	x := &exporter{c: p.c, keepLog: true}
	p.x = x
	if err := p.export(ctx); err != nil {
		return false, err
	}
	return false, p.store(ctx)
}

func (p *provision) export(ctx context.Context) error {
	c, x := p.c, p.x
	b := &store.Batch{}
	switch {
	case p.adopt != nil:
		if err := x.plan(ctx, []*change{x.adoption(p.o, *p.adopt)}, b); err != nil {
			return err
		}
	case p.link == nil:
		if err := x.invitePart(ctx, []*item{{id: p.o.ID}}); err != nil {
			return err
		}
		if c.blocked != nil {
			return c.blocked
		}
	default:
		if p.owner != "" && p.owner != c.job.Name { // what it had in mind with the user is past
			key := store.WaitKey{Job: p.owner, SourceID: p.o.ID}
			b.DropHolds, b.DropEscrows = append(b.DropHolds, key), append(b.DropEscrows, key)
		}
		ch := x.newChange(p.o, *p.link)
		ch.v, ch.read = p.v, true // matching has just read it
		if p.link.State == store.LinkDeleted || p.link.State == store.LinkMissing || p.gone() {
			if p.req.Restore && ch.link.State == store.LinkMissing {
				ch.link.LeftScopeAt = zeroTime
			}
			if err := x.bringBack(ctx, []*change{ch}, b, p.req.Restore); err != nil {
				return err
			}
		} else if err := x.plan(ctx, []*change{ch}, b); err != nil {
			return err
		}
	}
	if err := x.commit(ctx, b); err != nil {
		return err
	}
	if err := p.drain(ctx); err != nil {
		return err
	}
	return x.retryConflicts(ctx) // and the references
}

func (p *provision) gone() bool {
	s := p.steps[len(p.steps)-1]
	return strings.HasSuffix(s.Description, "which is not there")
}

// drain sends what is queued; the turn is held by the run already, so the
// exporter's cycle has a pair lock of its own.
func (p *provision) drain(ctx context.Context) error { return p.x.drain(ctx) }

// store keeps the counters of the job and turns the log entries into the result.
func (p *provision) store(ctx context.Context) error {
	if err := p.keepCounts(ctx); err != nil {
		return err
	}
	links, err := p.c.st.Links(ctx, store.LinkQuery{Pair: p.r.job.Pair, SourceIDs: []string{p.o.ID}})
	if err != nil {
		return err
	}
	if len(links) > 0 && links[0].TargetID != "" {
		p.out.Target.ID = links[0].TargetID
	}
	entry, ok := p.entry()
	if !ok {
		p.out.Code, p.out.Reason = string(CodeRedundantExport), "source and target are equal"
		p.out.Status, p.out.Advice = statusSkipped, advice[CodeRedundantExport]
		if len(links) > 0 && links[0].State == store.LinkMissing {
			p.out.Code, p.out.Advice = string(CodeDeletedInTarget), advice[CodeDeletedInTarget]
			p.out.Reason = "target user " + links[0].TargetID + " was deleted by somebody else"
		}
		p.step("EntrySynchronizationSkip", stepExport, statusSkipped, "Nothing to do: "+p.out.Reason, map[string]string{"SkipReason": p.out.Code})
		p.log(ctx)
		return nil
	}
	p.out.ChangeID, p.out.Action, p.out.Status = entry.ChangeID, entry.Action, entry.StatusInfo.Status
	if i := entry.StatusInfo.Error; i != nil {
		p.out.Code, p.out.Reason, p.out.Advice = i.Code, i.Reason, i.RecommendedAction
	}
	for _, e := range p.x.logged {
		if e.SourceIdentity.ID != p.o.ID {
			continue
		}
		for _, m := range e.Modified {
			p.out.Modified = append(p.out.Modified, ChangeProperty{Name: m.DisplayName, Old: m.OldValue, New: m.NewValue})
		}
	}
	last := entry.Steps[len(entry.Steps)-1]
	for _, s := range entry.Steps { // the manager may come after the export
		if s.Type == stepExport {
			last = s
		}
	}
	p.step(last.Name, stepExport, p.out.Status, last.Description, last.Details)
	return nil
}

// entry returns the entry that tells what happened to the user.
func (p *provision) entry() (store.Entry, bool) {
	for _, e := range p.x.logged {
		if e.SourceIdentity.ID == p.o.ID && len(e.Steps) > 0 {
			return e, true
		}
	}
	return store.Entry{}, false
}

// outdateStage makes a cycle that was stopped, and goes on later, read the user
// again: the image in its stage is older than what was provisioned now.
func (p *provision) outdateStage(ctx context.Context, rec *store.Job) error {
	if rec.Stage == nil || p.c.escrowOf(p.o.ID) != nil {
		return nil
	}
	return p.c.st.Apply(ctx, &store.Batch{PutEscrows: []store.Escrow{{Job: p.r.job.Name, SourceID: p.o.ID, UPN: p.o.UPN(),
		Code: string(markProvisioned), First: p.c.began, Next: p.c.began}}})
}

// keepCounts moves the job's counters by what happened here. A cycle under way has
// the job's record in its hands, and counts anew at its end.
func (p *provision) keepCounts(ctx context.Context) error {
	if p.r.running() != nil {
		return nil
	}
	rec, err := p.e.record(ctx, p.r.job)
	if err != nil {
		return err
	}
	if err := p.outdateStage(ctx, &rec); err != nil {
		return err
	}
	delta := p.c.rec.Linked - p.c.linked
	if delta == 0 {
		return nil
	}
	if rec.Name == "" || !rec.Ran {
		return nil // the first cycle counts
	}
	rec.Linked += delta
	wasIn := p.link != nil && p.link.InScope || p.link == nil && p.c.escrowInScope(p.o.ID)
	if !wasIn {
		rec.InScope++
	}
	return p.c.st.Apply(ctx, &store.Batch{Jobs: []store.Job{rec}})
}

// values fills the table of the last step: each mapping with source value,
// expression, and the target's value before and after.
func (p *provision) values() {
	c := p.c
	in := mapping.Input{Source: p.o.Attributes, Flow: mapping.Create, Now: c.began}
	switch {
	case p.adopt != nil:
		in.Flow, in.Current = mapping.Update, knownValues(p.adopt.Attributes, p.r.job.Mapping.TargetAttributes())
	case p.link != nil && !p.link.Creating:
		in.Flow, in.Current = mapping.Update, p.link.Exported
	}
	for _, s := range p.r.job.Mapping.Trace(in) {
		if s.Dropped == mapping.MatchingOnly || s.Result.IsAbsent() {
			continue
		}
		inputs := make([]string, 0, len(s.Inputs))
		for _, a := range s.Inputs {
			inputs = append(inputs, a.Value.String())
		}
		before := c.shown(s.Target, in.Current.Get(s.Target))
		row := ProvisionValue{Attribute: s.Target, Source: strings.Join(inputs, ", "), Expression: mappingText(s), Before: before, After: c.shown(s.Target, s.Result)}
		if s.Kind == mapping.Constant {
			row.Source = "(constant)"
		}
		if s.Target == attrManager && p.link != nil {
			row.Before = c.shown(attrManager, directory.RefOf(p.link.ManagerSource))
		}
		p.out.Values = append(p.out.Values, row)
		if p.req.DryRun && !in.Current.Get(s.Target).Equal(s.Result) && s.Target != attrManager {
			p.out.Modified = append(p.out.Modified, ChangeProperty{Name: s.Target, Old: row.Before, New: row.After, From: row.Expression})
		}
	}
	if p.req.DryRun {
		p.out.Action = logUpdate
		if p.link == nil && p.adopt == nil {
			p.out.Action = logCreate
		} else if len(p.out.Modified) == 0 {
			p.out.Action = logOther
		}
	}
}
