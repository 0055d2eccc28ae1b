package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tenantsync/directory"
	"tenantsync/store"
)

// shownSource is a source value as people see it: masked when a mapping
// that hides its values reads it.
func (c *cycle) shownSource(name string, v directory.Value) string {
	switch hidden := c.job.Mapping.HiddenSource(name); {
	case hidden != "":
		return hidden
	case v.IsEmpty():
		return "(none)"
	}
	return v.String()
}

// onDemand prepares what provision on demand and approvals share with a cycle.
func (e *Engine) onDemand(ctx context.Context, r *runner) (*cycle, error) {
	c := e.newCycle(&runner{job: r.job, pair: newPairLock(), activity: newActivity()}, SyncRequest{Job: r.job.Name, Trigger: "onDemand"})
	c.onDemand = true
	c.extra, c.unread, c.pos, c.partial = map[string]bool{}, map[string]error{}, map[idKey]position{}, map[idKey][]position{}
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
	c.rules = c.rec.Rules != "" && c.rec.Rules != r.job.Rules
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
	if c.job.Scope.All && len(c.job.Scope.Filter.Groups()) == 0 {
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
	// After a change of the configuration the sets in the store answer another question.
	reader.initial = reader.rec.Watermark == "" || reader.rec.Rules != c.job.Rules
	reader.rec.Stage = &store.Stage{}
	if err := reader.readMembership(ctx); err != nil {
		return nil, errors.Join(err, over.Close())
	}
	as, err := reader.assignments(ctx, c.job, &reader.rec, ids)
	if err == nil {
		err = c.rolesAtPresent(ctx, reader, ids)
	}
	return as, errors.Join(err, over.Close())
}

// scopeDetails shows each condition of scope.
func (c *cycle) scopeDetails(o directory.Object, v verdict, as assignment) map[string]string {
	d := map[string]string{"Active in the source system": title(o.Enabled() && v.state != sourceGone), "Assigned to the application": title(as.assigned)}
	if as.through != "" {
		d["AssignedThrough"] = as.through
	}
	for i, g := range c.explain(o, as) {
		name := g.Title
		if name == "" {
			name = "filter " + strconv.Itoa(i+1)
		}
		for _, cl := range g.Clauses {
			d[name+": "+c.clauseText(cl)] = title(cl.Passed)
		}
	}
	return d
}
