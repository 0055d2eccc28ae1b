package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"tenantsync/directory"
	"tenantsync/store"
)

// cycle is one pass of a job, from its beginning to its end. Its methods run one
// after the other; what they share with provision on demand is guarded by the
// pair's turn.
type cycle struct {
	engine    *Engine
	runner    *runner
	job       *Job
	st        store.Store
	log       *zap.Logger
	initiator store.Initiator
	request   SyncRequest
	dry       bool   // a plan: nothing is written, to the tenant or to the state
	approved  bool   // a plan to be saved, or one that is applied: creates and updates are not held
	onDemand  bool   // provision on demand or an approval: there is no cycle to record
	noted     string // the user of provision on demand, from the note on that it has begun

	rec     store.Job
	cyc     store.Cycle
	waiting store.Waiting
	settled []store.Intent // that were open when the cycle began
	began   time.Time
	initial bool
	resumed bool
	// unfinished: the cycle before this one was stopped. What it had counted is not
	// known, nor which references it had come to.
	unfinished bool
	stopped    bool // it was a comparison of everybody
	first      bool // no cycle of this job has ended yet
	// quarantineBefore is what the job was in when the cycle began.
	quarantineBefore *store.Quarantine

	rules    bool // mappings, filters or scope differ from the last cycle's
	selects  []string
	inScope  int // the count kept from cycle to cycle
	linked   int // active links of the job at the start
	creating int // of those, how many are invited but not completed
	met      int // of those, how many the bulk pass over the target showed

	// The stage: where the last image of each object stands, and what it lacks.
	pos        map[idKey]position
	page       *store.StagePage
	extra      map[string]bool
	incomplete []string
	partial    map[idKey][]position // where the round's records of those stand
	tombstones []string
	unread     map[string]error
	loose      []directory.Object            // users read on demand, in place of a stage
	rivals     []directory.Object            // users in escrow who share an address
	peeked     map[string][]*membershipRound // changes in the groups of other jobs of the pair

	source, target *directory.Tenant
	spool          *spool                         // unlinked target users, initial cycles only
	places         map[string]int64               // where the target users found for one part stand in the spool
	soon           bool                           // the job's last cycle ended a moment ago: reads by id may be older than what it was told
	doubted        map[string]bool                // source users whom this cycle read by id then
	known          map[idKey]bool                 // target users the bulk pass showed
	drift          map[idKey]directory.Attributes // by source id: values of the target that somebody else set there
	failedNow      map[idKey]bool                 // source users of whom something else than a reference failed in this cycle
	internal       map[idKey]bool                 // those among them that are linked, and external no more
	progress       Progress
	report         func(Progress)
	countsBefore   store.GraphCounts
	tally          tally
	preview        *preview                   // of a plan: what it tells
	invitations    []store.Intent             // that other jobs of the pair have open
	forgetMore     bool                       // more is too old than one commit drops
	blocked        error                      // creates are impossible in this cycle; the rest went on
	late           bool                       // that showed only after some had been carried out
	checked        bool                       // whether they are possible was looked at
	roles          *roleTable                 // app roles, once a mapping has asked for them
	presentRoles   map[string]directory.Value // the same of users read on demand
	values         chosenValues               // free values found for users who are being created
	foreseen       *promises                  // of what writes nothing: values it would promise
}

// tally counts what the summary and the guards need.
type tally struct {
	store.Summary
	failedReferences int
	processed        int
	denied, written  int
	removed          int // deletes, and disables by leaving scope, that nobody approved
	// refusedInvitations counts the invitations denied since the last that went through.
	refusedInvitations int
	firstDenied        error
	counted            map[idKey]bool // users whose update has been counted
}

// run carries the cycle through its steps. Each error it returns is one of the
// job: an object that fails never ends a cycle.
func (c *cycle) run(ctx context.Context) error {
	if err := c.begin(ctx); err != nil {
		return err
	}
	if !c.dry {
		if err := c.settleIntents(ctx); err != nil {
			return err
		}
	}
	if err := c.warnOfExpiry(ctx); err != nil {
		return err
	}
	if err := c.readMembership(ctx); err != nil {
		return err
	}
	if err := c.readUsers(ctx); err != nil {
		return err
	}
	if err := c.complete(ctx); err != nil {
		return err
	}
	if err := c.readTarget(ctx); err != nil {
		return err
	}
	w, err := c.judgeStage(ctx)
	if err != nil {
		return err
	}
	if err := c.match(ctx, w); err != nil {
		return err
	}
	if err := c.applyGuard(ctx, w); err != nil {
		return err
	}
	if c.dry {
		return c.describe(ctx, w)
	}
	if err := c.confirm(ctx, w); err != nil {
		return err
	}
	if err := (&exporter{c: c}).export(ctx, w); err != nil {
		return err
	}
	if c.rebuilding() {
		if err := c.tellRebuild(ctx, w); err != nil {
			return err
		}
	}
	if err := c.finish(ctx, w); err != nil {
		return err
	}
	c.prune(ctx)
	return nil
}

// begin loads what is known of the job and decides whether the cycle is an
// initial one, or goes on where an interrupted one stopped.
func (c *cycle) begin(ctx context.Context) error {
	rec, err := c.st.Job(ctx, c.job.Name)
	if errors.Is(err, store.ErrNotFound) {
		rec, err = store.Job{Name: c.job.Name, Pair: c.job.Pair}, nil
	}
	if err != nil {
		return err
	}
	if rec.Pair != c.job.Pair {
		return &Error{Class: ClassFailed, Code: "StateMismatch",
			Message: fmt.Sprintf("job %s: the state file knows it for another pair of tenants.", c.job.Name),
			Cause:   fmt.Sprintf("it was run from %s to %s before", rec.Pair.Source, rec.Pair.Target),
			Action:  "give the job another name, or the configuration another state file"}
	}
	last, err := c.engine.lastEnded(ctx, c.job.Name)
	if err != nil {
		return err
	}
	doubt(&rec, last, c.began)
	c.soon = toldAMomentAgo(last, c.began)
	c.rec = rec
	c.quarantineBefore = rec.Quarantine
	if c.waiting, err = c.st.Waiting(ctx, c.job.Name); err != nil {
		return err
	}
	c.selects = c.engine.sourceSelects(c.job)
	query := queryHash(c.selects)
	c.unfinished = rec.Stage != nil
	c.first = rec.LastCycle == "" || rec.Rules == ""
	c.rules = !c.first && rec.Rules != c.job.Rules
	c.initial = c.request.Initial || rec.Watermark == "" || rec.NeedInitial || c.oldState() || rec.Rules != c.job.Rules || rec.Query != query || c.dateMayHavePassed(&rec) || c.comparisonDue(&rec)
	// A comparison that was stopped is begun again, even where what it had read is too
	// old: who it began to create anew has not changed in the source.
	c.stopped = rec.Stage != nil && rec.Stage.Initial
	c.initial = c.initial || c.stopped
	c.inScope = rec.InScope
	c.extra, c.unread, c.pos, c.partial = map[string]bool{}, map[string]error{}, map[idKey]position{}, map[idKey][]position{}
	c.tally.counted = map[idKey]bool{}
	b := &store.Batch{}
	if err := c.resume(ctx, query, b); err != nil {
		return err
	}
	c.cyc.Initial = c.initial
	c.progress.Cycle = cycleName(c.initial)
	c.rec.Ran = true
	c.keepPaused()
	b.Jobs = []store.Job{c.rec}
	if !c.dry {
		b.Cycles = []store.Cycle{c.cyc}
		if c.initial || c.resumed || rec.Stage != nil {
			return c.st.Apply(ctx, b)
		}
		return nil // an idle cycle commits once, at its end
	}
	return c.st.Apply(ctx, b)
}

// comparedOften is how often a job whose filters count from the present compares
// everybody: once a day, and a little sooner, so that a daily schedule that fires
// a moment early does not wait for the next day.
const comparedOften = 24*time.Hour - 10*time.Minute

// dateMayHavePassed reports that a filter counts from the present, and that
// everybody was judged by it too long ago: nothing of a user changes when a date
// passes.
func (c *cycle) dateMayHavePassed(rec *store.Job) bool {
	return c.job.Scope.Filter.Timed() && !youngerThan(comparedOften, rec.ComparedAt, c.began)
}

// comparisonDue reports that the configuration asks for a comparison of everybody
// by now: what somebody changed in the target is seen by comparing only.
func (c *cycle) comparisonDue(rec *store.Job) bool {
	return c.job.CompareEvery > 0 && !youngerThan(c.job.CompareEvery, rec.ComparedAt, c.began)
}

// maxStageAge is how old a stage may be that is taken up again. Its images are as
// old as the stage: who has come back into scope since must not be deleted by it.
const maxStageAge = time.Hour

// resume takes up a stage that an interrupted cycle left, if it was read with the
// same query and is of the kind that is wanted now.
func (c *cycle) resume(ctx context.Context, query string, b *store.Batch) error {
	old := c.rec.Stage
	if old != nil && old.Query == query && (old.Initial || !c.initial) && !c.dry && c.request.Plan == nil && !c.oldState() && youngerThan(maxStageAge, old.Began, c.began) {
		c.resumed, c.initial = true, old.Initial
		for _, id := range old.Extra {
			c.extra[id] = true
		}
		return c.stagePages(ctx, func(p *store.StagePage) error {
			c.index(p.Seq, p.Objects, false)
			return nil
		})
	}
	stage := &store.Stage{CycleID: c.cyc.ID, Initial: c.initial, Query: query, Began: c.began}
	if !c.initial {
		stage.Cursor = c.rec.Watermark
	}
	if old != nil {
		b.DropStage = c.job.Name
		stage.Extra = old.Extra // membership that changed is not told twice
		for _, id := range old.Extra {
			c.extra[id] = true
		}
	}
	c.rec.Stage = stage
	return nil
}

func cycleName(initial bool) string {
	if initial {
		return "initial"
	}
	return "incremental"
}

// sourceTenant reads the source organization once a cycle, when it is needed.
func (c *cycle) sourceTenant(ctx context.Context) (directory.Tenant, error) {
	if c.source == nil {
		t, err := c.job.Source.Tenant(ctx)
		if err != nil {
			return t, err
		}
		c.source = &t
	}
	return *c.source, nil
}

// targetTenant reads the target organization once a cycle, when it is needed.
func (c *cycle) targetTenant(ctx context.Context) (directory.Tenant, error) {
	if c.target == nil {
		t, err := c.job.Target.Tenant(ctx)
		if err != nil {
			return t, err
		}
		c.target = &t
	}
	return *c.target, nil
}

// finish moves the watermark, last, when every change up to it is committed or
// escrowed, and closes the cycle's record.
func (c *cycle) finish(ctx context.Context, w *work) error {
	// Provision on demand comes either before this, and is counted here, or after it,
	// and counts for itself.
	c.runner.pair.turn.Lock()
	defer c.runner.pair.turn.Unlock()
	defer c.runner.rest()
	now := now()
	waiting, err := c.st.Waiting(ctx, c.job.Name)
	if err != nil {
		return err
	}
	if err := c.keepCircuit(ctx, &waiting); err != nil {
		return err
	}
	if c.runner.disturbed() { // provision on demand has counted nothing meanwhile
		if err := c.countLinks(ctx, waiting.Escrows); err != nil {
			return err
		}
	}
	c.rec.LastCycle = c.cyc.ID
	if len(w.heldChanges) == 0 {
		c.rec.Watermark = c.rec.Stage.Watermark
		c.rec.Groups = c.rec.Stage.Groups
		c.rec.Query, c.rec.Rules = c.rec.Stage.Query, c.job.Rules
		c.rec.NeedInitial = false
		if c.initial {
			c.rec.ComparedAt = c.began
		}
	} else {
		c.rec.Groups = c.rec.Stage.Groups
		// Whose membership changed is told once: if the configuration goes back to
		// what it was, only a cycle over everybody finds them.
		c.rec.NeedInitial = true
	}
	c.keepHeld(w, c.began)
	c.rec.Stage = nil
	c.keepPaused()
	c.rec.Restored = zeroTime // everybody was compared
	c.rec.InScope = c.inScope
	c.rec.ScopeShrunk = w.ruling.holdDeletes == CodeScopeShrunk
	if !c.rec.ScopeShrunk && len(c.rec.GoneGroups) == 0 && len(w.heldChanges) == 0 {
		c.rec.GoodInScope = c.inScope
	}
	c.measure()
	c.cyc.Summary.Held = len(waiting.Holds) + c.rec.HeldChanges
	c.judgeOutcome(w, waiting, now)
	c.cyc.EndedAt = now
	b := &store.Batch{DropStage: c.job.Name, Jobs: []store.Job{c.rec}, Cycles: []store.Cycle{c.cyc}}
	c.lookAgain(b, waiting.Escrows)
	c.forget(b, now)
	err = c.st.Apply(ctx, b)
	c.forgetMore = err == nil && b.PruneMore
	return err
}

// judgeOutcome sets outcome and quarantine from what happened.
func (c *cycle) judgeOutcome(w *work, waiting store.Waiting, now time.Time) {
	reason, message, slow := Code(""), "", false
	switch {
	case c.blocked != nil:
		reason, message = c.blockedReason(), c.blocked.Error()
	case len(w.heldChanges) > 0:
		reason, message = w.ruling.holdChanges(), w.ruling.changes
	case c.rec.ScopeShrunk:
		reason, message = CodeScopeShrunk, w.ruling.message
	case len(waiting.Holds) > 0:
		reason, message = holdReason(waiting.Holds), heldMessage(len(waiting.Holds))
	case len(c.rec.GoneGroups) > 0:
		reason, message = CodeScopeGroupDeleted, c.groupName(c.rec.GoneGroups[0])+" no longer exists"
	default:
		reason = tooManyFailures(c.tally.Failed, c.tally.failedReferences, c.tally.processed)
		slow = reason != ""
		message = fmt.Sprintf("%d of %d objects failed", c.tally.Failed, c.tally.processed)
	}
	c.rec.Quarantine = nil
	if q := c.quarantineBefore; q != nil && !q.NextAttempt.IsZero() {
		c.rec.NextStart = zeroTime // one good run brings the schedule's own pace back
	}
	if reason != "" {
		c.rec.Quarantine = quarantined(c.quarantineBefore, reason, message, slow, now)
	}
	newHold := w.held > 0 || len(w.heldChanges) > 0
	switch {
	case c.blocked != nil:
		c.cyc.Outcome = c.blockedOutcome()
		c.cyc.Code, c.cyc.Error = AsError(c.blocked).Code, c.blocked.Error()
	case newHold || slow:
		c.cyc.Outcome = store.OutcomeQuarantine
	case c.tally.Failed > 0:
		c.cyc.Outcome = store.OutcomePartial
	default:
		c.cyc.Outcome = store.OutcomeSuccess
	}
}

// holdReason is the reason that most deletions are held for.
func holdReason(holds []store.Hold) Code {
	n := map[string]int{}
	best := ""
	for _, h := range holds {
		n[h.Reason]++
		if best == "" || n[h.Reason] > n[best] {
			best = h.Reason
		}
	}
	return Code(best)
}

func (c *cycle) graphCounts() store.GraphCounts {
	requests, writes, throttled := c.job.Meter.Counts()
	return store.GraphCounts{Requests: requests - c.countsBefore.Requests, Writes: writes - c.countsBefore.Writes,
		Throttled: throttled - c.countsBefore.Throttled}
}

// phase, advance and synced report how far the cycle has come.
func (c *cycle) phase(name string) {
	c.progress.Phase, c.progress.Done, c.progress.Total = name, 0, 0
	c.tell()
}

func (c *cycle) advance(n int) {
	c.progress.Done += n
	c.tell()
}

func (c *cycle) synced(upn string) {
	if c.progress.Synced == "" {
		c.progress.Synced = upn
	}
}

func (c *cycle) tell() {
	c.progress.Summary = c.tally.Summary
	c.runner.setProgress(&c.progress)
	if c.report != nil {
		c.report(c.progress)
	}
}
