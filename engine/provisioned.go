package engine

import (
	"context"
	"errors"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/expr"
	"tenantsync/store"
)

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
		p.unlogged = err
	}
}

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

// begin notes, before anything is written, that the user is being provisioned: if
// the process ends in the middle, the next cycle reads the user again and settles
// what was not come to, the manager above all.
func (p *provision) begin(ctx context.Context) error {
	p.c.noted = p.o.ID
	if p.waited = p.c.escrowOf(p.o.ID) != nil; p.waited {
		return nil // it is looked at again anyway
	}
	note := lookedAtAgain(p.r.job.Name, p.o.ID, p.o.UPN(), p.c.began, p.c.began)
	return p.c.st.Apply(ctx, &store.Batch{PutEscrows: []store.Escrow{note}})
}

// end takes that note back, or lets it stand for as long as replicas may lag: in one
// step, so that no end of the process between two loses it. It stays as it is for a
// cycle that was stopped and goes on later: the image in its stage is older than what
// was provisioned now.
func (p *provision) end(ctx context.Context, rec *store.Job) error {
	if rec.Stage != nil && p.r.running() == nil {
		return nil
	}
	waiting, err := p.c.st.Waiting(ctx, p.r.job.Name)
	if err != nil {
		return err
	}
	mark := escrowIn(waiting.Escrows, p.o.ID)
	if mark == nil || mark.Code != string(markProvisioned) {
		return nil
	}
	doubted, err := p.doubted(ctx, p.r)
	if err != nil {
		return err
	}
	if doubted {
		mark.Next = now().Add(staleFor)
		return p.c.st.Apply(ctx, &store.Batch{PutEscrows: []store.Escrow{*mark}})
	}
	return p.c.st.Apply(ctx, &store.Batch{DropEscrows: []store.WaitKey{mark.Key()}})
}

// lookAgain settles what was read here with what the cycles of the pair have read. A
// cycle under way is to leave the user alone: its image is older. But a read by id
// may come from a replica that has not heard of a change yet which a round has told
// already, to the cycle under way or to one that ended a moment ago, and a round
// tells a change once. Then the user is read once more, by a cycle that begins when
// no replica lags any more.
func (p *provision) lookAgain(ctx context.Context) error {
	for _, other := range p.e.all() { // what another job of the pair has read is older too
		if other.pair != p.r.pair {
			continue
		}
		other.markFresh(p.o.ID)
		doubted, err := p.doubted(ctx, other)
		if err != nil {
			return err
		}
		if !doubted {
			continue
		}
		waiting, err := p.c.st.Waiting(ctx, other.job.Name)
		if err != nil {
			return err
		}
		again := lookedAtAgain(other.job.Name, p.o.ID, p.o.UPN(), p.c.began, now().Add(staleFor))
		if e := escrowIn(waiting.Escrows, p.o.ID); e != nil {
			switch {
			case !e.Next.After(again.Next):
				continue // it is looked at by then anyway
			case e.Code != string(markDeleteAfter): // that one comes back when it is seen that the user still waits
				e.Next = again.Next
				again = *e
			}
		}
		err = p.c.st.Apply(ctx, &store.Batch{PutEscrows: []store.Escrow{again}})
		if err != nil {
			return err
		}
	}
	return nil
}

// doubted reports that a round of the job may have told what was not read here.
// Where nothing was done, and nothing waited to be done, what a cycle that ended has
// carried over stands.
func (p *provision) doubted(ctx context.Context, other *runner) (bool, error) {
	if other.running() != nil {
		return true, nil
	}
	if other != p.r || p.x == nil || len(p.x.logged) == 0 && !p.waited {
		return false, nil
	}
	last, err := p.e.lastEnded(ctx, other.job.Name)
	return err == nil && toldAMomentAgo(last, p.began), err
}

// keepCounts moves the job's counters by what happened here. A cycle under way has
// the job's record in its hands, and counts anew at its end.
func (p *provision) keepCounts(ctx context.Context) error {
	rec, err := p.e.record(ctx, p.r.job)
	if err != nil {
		return err
	}
	if err := p.end(ctx, &rec); err != nil || p.r.running() != nil {
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
// expression, and the target's value before and after. It returns the first
// mapping that has no value, by which the user cannot be written.
func (p *provision) values() (failed *mapping.Failure) {
	c := p.c
	in := mapping.Input{Source: p.o.Attributes, Flow: mapping.Create, Unique: c.values[p.o.ID], Now: c.began}
	switch {
	case p.adopt != nil:
		in.Flow, in.Current = mapping.Update, knownValues(p.adopt.Attributes, p.r.job.targetAttributes())
	case p.link != nil && !p.link.Creating:
		in.Flow, in.Current = mapping.Update, p.link.Exported
	}
	for _, s := range p.r.job.Mapping.Trace(in) {
		if failed == nil {
			failed = s.Err
		}
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
	return failed
}

// rehearse ends a dry run where the writes begin, with the result that the run
// itself would have when a mapping has no value or leaves the user out.
func (p *provision) rehearse(failed *mapping.Failure) {
	if failed == nil {
		p.step("EntryExport", stepExport, statusSkipped, "Dry run: nothing was written", nil)
		return
	}
	p.out.Modified = nil
	reason := failed.Error()
	if errors.Is(failed, expr.ErrObjectIgnored) {
		p.step("EntrySynchronizationSkip", stepExport, statusSkipped, reason, map[string]string{"SkipReason": string(CodeIgnored)})
		p.stop(statusSkipped, CodeIgnored, reason)
		p.out.Action = logOther
		return
	}
	p.step("EntrySynchronizationUpdate", stepExport, statusFailure, reason, nil)
	p.stop(statusFailure, CodeAttributeValidation, reason)
}
