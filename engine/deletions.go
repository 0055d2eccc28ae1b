package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tenantsync/directory"
	"tenantsync/store"
)

// Held lists the deletions of a job that wait for approval, or, with retained,
// the users whose deletion was rejected.
func (e *Engine) Held(ctx context.Context, job string, retained bool) (*Deletions, error) {
	r, err := e.runner(job)
	if err != nil {
		return nil, err
	}
	out := &Deletions{Job: r.job.Name, Held: []HeldDeletion{}}
	if retained {
		c := &cycle{engine: e, job: r.job, st: e.store}
		err := c.walkLinks(ctx, func(l *store.Link) {
			if l.Job == r.job.Name && l.State == store.LinkRetained {
				out.Held = append(out.Held, HeldDeletion{SourceID: l.SourceID, UPN: l.UPN, TargetID: l.TargetID, Reason: string(CodeRetained), Since: l.DeletedAt})
			}
		})
		return out, err
	}
	waiting, err := e.store.Waiting(ctx, r.job.Name)
	if err != nil {
		return nil, err
	}
	for i := range waiting.Holds {
		out.Held = append(out.Held, heldView(&waiting.Holds[i]))
	}
	return out, nil
}

func heldView(h *store.Hold) HeldDeletion {
	return HeldDeletion{SourceID: h.SourceID, UPN: h.UPN, TargetID: h.TargetID, Reason: h.Reason, Since: h.Since, Message: h.Message}
}

// choosing returns the holds that an administrator named, or all.
func choosing(holds []store.Hold, users []string, all bool, job string) ([]store.Hold, error) {
	if all {
		return holds, nil
	}
	var out []store.Hold
	for _, u := range users {
		i := slices.IndexFunc(holds, func(h store.Hold) bool {
			return strings.EqualFold(h.UPN, u) || strings.EqualFold(h.SourceID, u) || strings.EqualFold(h.TargetID, u)
		})
		if i < 0 {
			return nil, &Error{Class: ClassUsage, Code: "NotHeld", Message: fmt.Sprintf("no deletion of %q is held.", u),
				Action: "see which are: tenantsync deletions list " + job}
		}
		out = append(out, holds[i])
	}
	if len(out) == 0 {
		return nil, &Error{Class: ClassUsage, Code: "NobodyNamed", Message: "nobody was named.", Action: "give --user UPN, once for each, or --all"}
	}
	return out, nil
}

// Allow carries out held deletions now. Each source user is read again first:
// one who is back in scope is dropped from the list and named.
func (e *Engine) Allow(ctx context.Context, job string, users []string, all bool) (*Deletions, error) {
	r, err := e.runner(job)
	if err != nil {
		return nil, err
	}
	if err := r.pair.lock(ctx); err != nil {
		return nil, err
	}
	defer func() { <-r.pair.cycle }()
	r.pair.turn.Lock()
	defer r.pair.turn.Unlock()
	if err := e.room(); err != nil {
		return nil, e.jobError(r.job, err)
	}
	c, err := e.onDemand(ctx, r)
	if err == nil {
		err = c.settleIntents(ctx)
	}
	if err != nil {
		return nil, e.jobError(r.job, err)
	}
	chosen, err := choosing(c.waiting.Holds, users, all, r.job.Name)
	if err != nil {
		return nil, err
	}
	a := &approval{c: c, x: &exporter{c: c, keepLog: true, approved: true}, out: &Deletions{Job: r.job.Name, Held: []HeldDeletion{}}}
	if err := a.run(ctx, chosen); err != nil {
		return nil, e.jobError(r.job, err)
	}
	if err := a.end(ctx, all); err != nil {
		return nil, err
	}
	return a.out, nil
}

// approval is one run of `deletions allow`.
type approval struct {
	c   *cycle
	x   *exporter
	out *Deletions
}

func (a *approval) run(ctx context.Context, holds []store.Hold) error {
	c := a.c
	ids := make([]string, len(holds))
	for i := range holds {
		ids[i] = holds[i].SourceID
	}
	as, err := c.present(ctx, ids)
	if err != nil {
		return err
	}
	w := &work{}
	for part := range slices.Chunk(ids, 200) {
		found, err := c.job.Source.Users(ctx, part, c.selects)
		if err != nil {
			return err
		}
		for _, l := range found {
			o := l.Object
			if l.Err != nil {
				if directory.KindOf(l.Err) != directory.NotFound {
					continue // not known: the hold stays
				}
				o = directory.Object{ID: l.ID, Removed: directory.SoftDeleted}
			}
			a.judge(o, as.of(o.ID), holds, w)
		}
	}
	if err := a.x.export(ctx, w); err != nil {
		return err
	}
	for i := range holds {
		if slices.Contains(a.x.allowed, holds[i].SourceID) {
			a.out.Deleted = append(a.out.Deleted, heldView(&holds[i]))
		}
	}
	return nil
}

// judge sorts one held user: back in scope, or to be deprovisioned now.
func (a *approval) judge(o directory.Object, as assignment, holds []store.Hold, w *work) {
	c := a.c
	v := judge(o, *c.source, as, c.job, c.began)
	c.loose = append(c.loose, o)
	at := position{0, uint32(len(c.loose) - 1)}
	i := slices.IndexFunc(holds, func(h store.Hold) bool { return h.SourceID == o.ID })
	if v.inScope() {
		w.updates = append(w.updates, &item{id: o.ID, at: at, act: actRelease})
		a.out.Dropped = append(a.out.Dropped, heldView(&holds[i]))
		return
	}
	act := actDelete
	if holds[i].Disable {
		act = actDisable
	}
	w.leavers = append(w.leavers, &leaver{id: o.ID, at: at, act: act, verdict: v})
}

// end repeats updates that waited for a value a delete has freed, and lifts the
// quarantine when nothing is held any more.
func (a *approval) end(ctx context.Context, all bool) error {
	c := a.c
	if err := a.repeatConflicts(ctx); err != nil {
		return err
	}
	waiting, err := c.st.Waiting(ctx, c.job.Name)
	if err != nil {
		return err
	}
	for i := range waiting.Holds {
		a.out.Held = append(a.out.Held, heldView(&waiting.Holds[i]))
	}
	for _, e := range a.x.logged {
		if e.StatusInfo.Status == statusFailure {
			a.out.Failed = append(a.out.Failed, HeldDeletion{SourceID: e.SourceIdentity.ID, UPN: e.SourceIdentity.Details["UserPrincipalName"],
				TargetID: e.TargetIdentity.ID, Reason: e.StatusInfo.Error.Code, Since: e.ActivityDateTime, Message: e.StatusInfo.Error.Reason})
		}
	}
	rec, err := c.engine.record(ctx, c.job)
	if err != nil {
		return err
	}
	rec.Linked += c.rec.Linked - c.linked
	rec.InScope += len(a.out.Dropped)
	if all {
		rec.ScopeShrunk, rec.GoodInScope = false, rec.InScope
		rec.CountedFrom = c.began // somebody has looked at what left: the window begins anew
	}
	lift(&rec, waiting)
	return c.st.Apply(ctx, &store.Batch{Jobs: []store.Job{rec}})
}

// lift ends a quarantine that only existed for deletions that are not held any more,
// and says how many are where some are left.
func lift(rec *store.Job, waiting store.Waiting) {
	if rec.Quarantine == nil || rec.ScopeShrunk {
		return
	}
	switch Code(rec.Quarantine.Reason) {
	case CodeTooManyDeletes, CodeTooManyDeletesInWindow, CodeScopeShrunk, CodeStateRestored:
	default:
		return
	}
	if len(waiting.Holds) > 0 {
		rec.Quarantine.Message = heldMessage(len(waiting.Holds))
		return
	}
	rec.Quarantine = nil
}

// heldMessage says how many deletions are held.
func heldMessage(n int) string {
	if n == 1 {
		return "1 deletion waits for approval"
	}
	return fmt.Sprintf("%d deletions wait for approval", n)
}

func (a *approval) repeatConflicts(ctx context.Context) error {
	c := a.c
	var ids []string
	for _, e := range c.waiting.Escrows {
		if e.Code == string(CodeConflict) {
			ids = append(ids, e.SourceID)
		}
	}
	if len(ids) == 0 || len(a.out.Deleted) == 0 {
		return nil
	}
	found, err := c.job.Source.Users(ctx, ids, c.selects)
	if err != nil {
		return err
	}
	w := &work{}
	for _, l := range found {
		if l.Err != nil {
			continue
		}
		c.loose = append(c.loose, l.Object)
		w.updates = append(w.updates, &item{id: l.Object.ID, at: position{0, uint32(len(c.loose) - 1)}, act: actUpdate})
	}
	return a.x.export(ctx, w)
}

// Reject ends the hold of deletions: the users stay, linked and still disabled
// together with their source user.
func (e *Engine) Reject(ctx context.Context, job string, users []string, all bool) (*Deletions, error) {
	r, err := e.runner(job)
	if err != nil {
		return nil, err
	}
	if err := r.pair.lock(ctx); err != nil {
		return nil, err
	}
	defer func() { <-r.pair.cycle }()
	waiting, err := e.store.Waiting(ctx, r.job.Name)
	if err != nil {
		return nil, err
	}
	chosen, err := choosing(waiting.Holds, users, all, r.job.Name)
	if err != nil {
		return nil, err
	}
	out := &Deletions{Job: r.job.Name, Held: []HeldDeletion{}}
	c := e.newCycle(r, SyncRequest{Job: r.job.Name})
	b := &store.Batch{}
	rec, err := e.record(ctx, r.job)
	if err != nil {
		return nil, err
	}
	for i := range chosen {
		h := &chosen[i]
		links, err := e.store.Links(ctx, store.LinkQuery{Pair: r.job.Pair, SourceIDs: []string{h.SourceID}})
		if err != nil {
			return nil, err
		}
		b.DropHolds = append(b.DropHolds, h.Key())
		out.Retained = append(out.Retained, heldView(h))
		if len(links) == 0 {
			continue
		}
		l := links[0]
		at := now()
		l.State, l.DeletedAt = store.LinkRetained, at
		b.PutLinks = append(b.PutLinks, l)
		rec.Linked++
		entry := c.newRecord(directory.Object{ID: h.SourceID}, &l, at)
		entry.step("EntrySynchronizationSkip", stepProcessing, statusSkipped, "The deletion was rejected: the user stays", "SkipReason", string(CodeRetained))
		b.Log = append(b.Log, entry.result(statusSkipped, CodeRetained, "an administrator rejected the deletion ("+h.Reason+")").done(at))
	}
	left := waiting
	left.Holds = slices.DeleteFunc(slices.Clone(waiting.Holds), func(h store.Hold) bool {
		return slices.ContainsFunc(chosen, func(x store.Hold) bool { return x.SourceID == h.SourceID })
	})
	if all {
		rec.ScopeShrunk, rec.GoodInScope = false, rec.InScope
	}
	lift(&rec, left)
	b.Jobs = []store.Job{rec}
	for i := range left.Holds {
		out.Held = append(out.Held, heldView(&left.Holds[i]))
	}
	return out, e.store.Apply(ctx, b)
}

// RetryNow makes the waiting objects due: those of the named users, or all, and
// carries each over at once. If the target took no invitations, the first of them
// finds out whether it does now.
func (e *Engine) RetryNow(ctx context.Context, job string, users []string) (*Retries, error) {
	r, err := e.runner(job)
	if err != nil {
		return nil, err
	}
	if err := r.pair.lock(ctx); err != nil {
		return nil, err
	}
	waiting, err := e.store.Waiting(ctx, r.job.Name)
	if err != nil {
		<-r.pair.cycle
		return nil, err
	}
	b := &store.Batch{}
	for _, x := range waiting.Escrows {
		named := len(users) == 0 || slices.ContainsFunc(users, func(u string) bool {
			return strings.EqualFold(u, x.UPN) || strings.EqualFold(u, x.SourceID)
		})
		if x.Attempts > 0 && named {
			x.Next = now()
			b.PutEscrows = append(b.PutEscrows, x)
		}
	}
	if len(users) > 0 && len(b.PutEscrows) == 0 {
		<-r.pair.cycle
		return nil, &Error{Class: ClassUsage, Code: "NotWaiting", Message: "none of these users waits for a retry.",
			Action: "see who does: tenantsync retries list " + r.job.Name}
	}
	err = errors.Join(e.probeNow(ctx, r.job, b), e.store.Apply(ctx, b))
	<-r.pair.cycle
	if err != nil {
		return nil, err
	}
	refused := false
	for i := range b.PutEscrows { // at once: each by provision on demand
		if refused && waitsForTarget(&b.PutEscrows[i]) {
			continue // the one before has told
		}
		_, perr := e.Provision(ctx, ProvisionRequest{Job: r.job.Name, User: b.PutEscrows[i].SourceID})
		if perr != nil && ctx.Err() != nil {
			return nil, perr
		}
		refused = refused || perr != nil && waitsForTarget(&b.PutEscrows[i])
	}
	return e.Retries(ctx, r.job.Name)
}

// probeNow lets the next invitation be tried at once.
func (e *Engine) probeNow(ctx context.Context, j *Job, b *store.Batch) error {
	rec, err := e.record(ctx, j)
	if err != nil || rec.Circuit == nil {
		return err
	}
	o := *rec.Circuit
	o.Probe = now()
	rec.Circuit = &o
	b.Jobs = append(b.Jobs, rec)
	return nil
}
