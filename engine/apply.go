package engine

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"tenantsync/store"
)

// Codes of a plan that is not carried out.
const (
	codePlanChanged  = "PlanChanged"
	codePlanExpired  = "PlanExpired"
	codePlanMismatch = "PlanMismatch"
)

// Refused reports an error of a saved plan that was not carried out: nothing was
// written.
func (e *Error) Refused() bool {
	return e != nil && (e.Code == codePlanChanged || e.Code == codePlanExpired || e.Code == codePlanMismatch)
}

// mayApply refuses a saved plan that cannot be carried out whatever the tenants
// look like now.
func mayApply(p *PlanApproval, j *Job, at time.Time) error {
	again := "look again: tenantsync plan " + j.Name + " --out FILE"
	switch {
	case p == nil:
		return nil
	case at.After(p.Expires):
		return &Error{Class: ClassFailed, Code: codePlanExpired, Message: "the plan has expired: nothing was written.",
			Cause: "it was valid until " + sayDate(p.Expires), Action: again}
	case p.Pair != j.Pair:
		return &Error{Class: ClassFailed, Code: codePlanMismatch, Message: "the plan is of another pair of tenants: nothing was written.",
			Cause: fmt.Sprintf("it was made for %s to %s, and job %s goes from %s to %s", p.Pair.Source, p.Pair.Target, j.Name, j.Pair.Source, j.Pair.Target), Action: again}
	case p.Configuration != j.configuration():
		return &Error{Class: ClassFailed, Code: codePlanMismatch, Message: "the plan is of another configuration: nothing was written.",
			Cause: "the configuration of job " + j.Name + " has changed since", Action: again}
	}
	return nil
}

// confirm describes what the cycle is about to do as a plan would, and ends the
// cycle unless that is what was shown. It comes after everything was read and
// judged, and before the first write.
func (c *cycle) confirm(ctx context.Context, w *work) error {
	shown := c.request.Plan
	if shown == nil {
		return nil
	}
	told, err := c.foretell(ctx, w)
	if err != nil {
		return err
	}
	if told.digest() == shown.Digest {
		return nil
	}
	if err := c.forgetRead(ctx); err != nil {
		return err
	}
	return &Error{Class: ClassFailed, Code: codePlanChanged, Message: "the plan is not what a cycle would do now: nothing was written.",
		Cause: differences(shown, told.writing()), Action: "look again: tenantsync plan " + c.job.Name + " --out FILE"}
}

// forgetRead drops what a cycle read that a refused plan ended, so that the next one
// is the one that a plan shows. Membership that was told stays to be looked at.
func (c *cycle) forgetRead(ctx context.Context) error {
	read := c.rec.Stage
	c.rec.Stage = nil
	if c.unfinished || len(read.Extra) > 0 {
		c.rec.Stage = &store.Stage{CycleID: read.CycleID, Initial: c.stopped, Extra: read.Extra, Began: read.Began}
	}
	return c.st.Apply(ctx, &store.Batch{DropStage: c.job.Name, Jobs: []store.Job{c.rec}})
}

// foretell runs the steps of a plan on a copy of the cycle that writes nothing.
func (c *cycle) foretell(ctx context.Context, w *work) (*preview, error) {
	shadow := *c
	shadow.st, shadow.dry, shadow.preview, shadow.foreseen = unwritten{c.st}, true, &preview{}, &promises{}
	shadow.values, shadow.internal, shadow.report = nil, maps.Clone(c.internal), nil
	shadow.tally.counted = maps.Clone(c.tally.counted)
	err := shadow.describe(ctx, w)
	return shadow.preview, err
}

// unwritten is a store that takes no changes.
type unwritten struct{ store.Store }

// Apply changes nothing.
func (unwritten) Apply(context.Context, *store.Batch) error { return nil }

// maxDifferences is how many differences a refusal names.
const maxDifferences = 20

// differences says in which changes a plan and the present differ.
func differences(shown *PlanApproval, present []Change) string {
	now := briefly(present)
	if len(shown.Changes) != shown.Count {
		return fmt.Sprintf("it has %d changes, and a cycle would make %d now", shown.Count, len(now))
	}
	before := make(map[string]PlannedChange, len(shown.Changes))
	for _, ch := range shown.Changes {
		before[ch.ID] = ch
	}
	var list []string
	for _, ch := range now {
		was, there := before[ch.ID]
		delete(before, ch.ID)
		switch {
		case !there:
			list = append(list, "+ "+ch.Action+" "+ch.UPN)
		case was.Action != ch.Action:
			list = append(list, "~ "+was.Action+" is now "+ch.Action+" "+ch.UPN)
		case was.Sum != ch.Sum:
			list = append(list, "~ "+ch.Action+" "+ch.UPN+" with other values")
		}
	}
	for _, ch := range shown.Changes {
		if _, gone := before[ch.ID]; gone {
			list = append(list, "- "+ch.Action+" "+ch.UPN)
		}
	}
	if len(list) == 0 {
		return "a value of a sensitive mapping differs"
	}
	text := strings.Join(list[:min(len(list), maxDifferences)], "; ")
	if rest := len(list) - maxDifferences; rest > 0 {
		text += fmt.Sprintf("; and %d more", rest)
	}
	return text
}
