package engine

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tenantsync/directory"
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
	if !req.DryRun {
		if err := e.room(); err != nil {
			return nil, e.jobError(r.job, err)
		}
	}
	out, err := p.run(ctx)
	if err != nil {
		return nil, e.jobError(r.job, err)
	}
	if !req.DryRun && p.o.ID != "" {
		if err := p.lookAgain(ctx); err != nil {
			return nil, e.jobError(r.job, err)
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
	// waited: something of the user waited to be done, a retry, or the note of a run
	// that was broken off or whose reading is doubted.
	waited    bool
	wasIn     bool // it counted as in scope when the run began
	uncounted bool // what such a run has done to it may not be counted
	// unlogged is why the entry of a run that ended early could not be stored.
	unlogged error
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
		if err = cmp.Or(err, p.unlogged); err != nil {
			return nil, err
		}
		if !goOn {
			break
		}
	}
	if !p.req.DryRun {
		if err := p.settle(ctx); err != nil {
			return nil, err
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
	if !p.req.DryRun {
		if err := c.settleIntents(ctx); err != nil {
			return err
		}
	}
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
	if p.o, err = c.full(ctx, full[0].Object); err != nil {
		return err
	}
	if p.wasIn, err = p.countsInScope(ctx); err != nil {
		return err
	}
	p.out.Source = userIdentity(p.o, nil)
	details := map[string]string{}
	read := 0
	for _, a := range p.o.Attributes {
		if !a.Value.IsEmpty() {
			details[a.Name] = c.veil(p.o, c.shownSource(a.Name, a.Value))
			read++
		}
	}
	p.step("EntryImport", stepImport, statusSuccess, strconv.Itoa(read)+" attributes read", details)
	return nil
}

// scoping judges the user.
func (p *provision) scoping(ctx context.Context) (bool, error) {
	as, err := p.c.present(ctx, []string{p.o.ID})
	if err != nil {
		return false, err
	}
	if err := p.c.withRoles(ctx, &p.o); err != nil {
		return false, err
	}
	p.v = judge(p.o, *p.c.source, as.of(p.o.ID), p.r.job, p.c.began)
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
			if hidden := c.job.Mapping.Hidden(k.attribute); k.attribute != addressKey && hidden != "" {
				k.value = hidden
			}
			k.value = c.veil(p.o, k.value)
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
	code, reason := Code(""), ""
	if l.Err == nil {
		code, reason = p.r.job.spares(l.Object, target)
	}
	switch {
	case code != "":
		reason = "target user " + p.link.TargetID + " " + reason
		p.step("EntryImport", stepMatching, statusFailure, reason, nil)
		p.stop(statusFailure, code, reason)
		p.log(ctx)
		return false, nil
	case l.Err == nil:
		p.c.refresh(p.link, &l.Object, p.r.job.targetAttributes())
		p.owner, p.link.Job = p.link.Job, p.r.job.Name
		p.step("EntryImport", stepMatching, statusSuccess, "Linked to target user "+p.link.TargetID,
			p.c.driftDetail(p.o.ID, map[string]string{"TargetId": p.link.TargetID, "userPrincipalName": l.Object.UPN()}))
	case directory.KindOf(l.Err) == directory.NotFound:
		p.step("EntryImport", stepMatching, statusSuccess, "Linked to target user "+p.link.TargetID+", which is not there", nil)
	default:
		return false, l.Err
	}
	return true, nil
}

// perform writes what differs, or shows it in a dry run.
func (p *provision) perform(ctx context.Context) (bool, error) {
	if goOn, err := p.choosing(ctx); err != nil || !goOn {
		return false, err
	}
	failed := p.values()
	if p.req.DryRun {
		p.rehearse(failed)
		return false, nil
	}
	x := &exporter{c: p.c, keepLog: true}
	p.x = x
	if err := p.begin(ctx); err != nil {
		return false, err
	}
	if err := p.export(ctx); err != nil {
		return false, err
	}
	return false, p.store(ctx)
}

// choosing finds the values of a new user that nobody else may have.
func (p *provision) choosing(ctx context.Context) (bool, error) {
	n := newcomer{o: p.o}
	switch {
	case p.adopt != nil || p.link != nil && !p.link.Creating:
		return true, nil
	case p.link != nil:
		n.targetID = p.link.TargetID
	}
	if p.req.DryRun {
		p.c.foreseen = &promises{}
	}
	failed, err := p.c.choose(ctx, []newcomer{n})
	reason := failed[p.o.ID]
	if err != nil || reason == nil {
		return err == nil, err
	}
	code := mappingCode(reason)
	p.step("EntrySynchronizationUpdate", stepProcessing, statusFailure, reason.Error(), nil)
	p.stop(statusFailure, code, reason.Error())
	if !p.req.DryRun {
		b := &store.Batch{PutEscrows: []store.Escrow{p.c.escrow(p.o, p.link, stepProcessing, code, reason.Error(), false)}}
		if err := p.c.st.Apply(ctx, b); err != nil {
			return false, err
		}
	}
	p.log(ctx)
	return false, nil
}

func (p *provision) export(ctx context.Context) error {
	c, x := p.c, p.x
	b := &store.Batch{}
	switch {
	case p.adopt != nil:
		if err := x.plan(ctx, []*change{x.adopt(p.o, *p.adopt, b)}, b); err != nil {
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
			if err := p.countMove(ctx, b); err != nil {
				return err
			}
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
	// A run that was stopped after the update has left the manager behind.
	if err := x.takeUpReferences(ctx, []unsure{{id: p.o.ID}}); err != nil {
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
