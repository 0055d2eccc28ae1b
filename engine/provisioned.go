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

// store turns the log entries into the result.
func (p *provision) store(ctx context.Context) error {
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
