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

// RebuildResult is what became of a job whose links were made anew from the target
// alone. Nothing was written to any tenant.
type RebuildResult struct {
	Job     string        `json:"job"`
	CycleID string        `json:"cycleId"`
	Outcome store.Outcome `json:"outcome"`
	// Adopted counts the users in scope who were found in the target and linked.
	Adopted int `json:"adopted"`
	// NotFound are users in scope whom nobody in the target matches: the next cycle
	// would create them.
	NotFound []RebuildUser `json:"notFound"`
	// Failed are users in scope for whom matching found more than one answer, or a
	// forbidden one.
	Failed []RebuildUser `json:"failed"`
	// Unclaimed are external users of the target whose home is the source and who
	// belong to nobody in scope. They stay as they are.
	Unclaimed []UnclaimedUser `json:"unclaimed"`
	Error     *Error          `json:"error,omitempty"`
}

// RebuildUser is a source user that was not linked, with the reason.
type RebuildUser struct {
	SourceID string `json:"sourceId"`
	UPN      string `json:"userPrincipalName"`
	Code     string `json:"errorCode,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// UnclaimedUser is a target user that nobody was linked to.
type UnclaimedUser struct {
	TargetID    string `json:"targetId"`
	UPN         string `json:"userPrincipalName"`
	DisplayName string `json:"displayName"`
	Enabled     bool   `json:"accountEnabled"`
}

// Rebuild links the users in scope of the jobs to the users that are in the target
// already, after the state was lost. It writes to no tenant, creates nobody and
// deletes nobody. Each job is left paused, and its next cycle compares everybody:
// what is missing or differs is written only when an administrator has seen the
// result and starts the job.
//
// It is meant for a state in which these jobs never ran.
func (e *Engine) Rebuild(ctx context.Context, jobs []string, report func(Progress)) ([]RebuildResult, error) {
	var list []RebuildResult
	for _, name := range jobs {
		r, err := e.runner(name)
		if err != nil {
			return nil, err
		}
		result, err := e.rebuild(ctx, r, report)
		if err != nil {
			return list, err
		}
		list = append(list, *result)
		if result.Error != nil {
			break
		}
	}
	for i := range list { // whom one job did not claim, a later one of the pair may have
		if err := e.claimedSince(ctx, &list[i]); err != nil {
			return list, err
		}
	}
	return list, nil
}

func (e *Engine) rebuild(ctx context.Context, r *runner, report func(Progress)) (*RebuildResult, error) {
	if err := r.pair.lock(ctx); err != nil {
		return nil, err
	}
	defer func() { <-r.pair.cycle }()
	if rec, err := e.store.Job(ctx, r.job.Name); err == nil && rec.Ran {
		return nil, &Error{Class: ClassUsage, Code: "StateNotEmpty", Message: "job " + r.job.Name + " has a state already.",
			Cause: "it ran with this state file before", Action: "a cycle keeps its links right: tenantsync sync " + r.job.Name + " --initial"}
	} else if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	job := *r.job
	job.Actions = Actions{}
	out := &RebuildResult{Job: job.Name, NotFound: []RebuildUser{}, Failed: []RebuildUser{}, Unclaimed: []UnclaimedUser{}}
	quiet := &runner{job: &job, pair: r.pair, activity: r.activity}
	result, err := e.cycle(ctx, quiet, SyncRequest{Job: job.Name, Initial: true, Trigger: "rebuild", Rebuilt: out}, report)
	if err != nil {
		return nil, err
	}
	out.CycleID, out.Outcome, out.Error = result.CycleID, result.Outcome, result.Error
	if result.Error != nil && result.Error.Class == ClassInterrupted {
		return nil, result.Error
	}
	return out, nil
}

// rebuilding reports a cycle that only links.
func (c *cycle) rebuilding() bool { return c.request.Rebuilt != nil }

// keepPaused leaves a job that was rebuilt, or whose rebuild was stopped, to the
// administrator.
func (c *cycle) keepPaused() {
	if c.rebuilding() {
		c.rec.Paused, c.rec.NeedInitial = true, true
	}
}

// tellRebuild fills in the result when everybody has been linked.
func (c *cycle) tellRebuild(ctx context.Context, w *work) error {
	out := c.request.Rebuilt
	for _, it := range w.creates {
		if it.code != CodeActionNotAllowed {
			continue
		}
		o, err := c.objectAt(ctx, it.at)
		if err != nil {
			return err
		}
		out.NotFound = append(out.NotFound, RebuildUser{SourceID: strings.Clone(o.ID), UPN: strings.Clone(o.UPN())})
	}
	waiting, err := c.st.Waiting(ctx, c.job.Name)
	if err != nil {
		return err
	}
	for i := range waiting.Escrows {
		if e := &waiting.Escrows[i]; e.Attempts > 0 {
			out.Failed = append(out.Failed, RebuildUser{SourceID: e.SourceID, UPN: e.UPN, Code: e.Code, Reason: e.Message})
		}
	}
	err = c.walkLinks(ctx, func(l *store.Link) {
		if l.Job == c.job.Name && isLinked(l) {
			out.Adopted++
		}
	})
	if err != nil {
		return err
	}
	return c.tellUnclaimed(out)
}

// tellUnclaimed lists users of the target who look like ours.
func (c *cycle) tellUnclaimed(out *RebuildResult) error {
	if c.source == nil || c.target == nil {
		return nil // nobody was read
	}
	return c.spool.each(func(o directory.Object) {
		if ours, _ := homeIsSource(o, homeAddress(o, *c.source), *c.source); !ours || !isExternal(o, *c.target) {
			return
		}
		out.Unclaimed = append(out.Unclaimed, UnclaimedUser{TargetID: strings.Clone(o.ID), UPN: strings.Clone(o.UPN()),
			DisplayName: strings.Clone(o.DisplayName()), Enabled: o.Enabled()})
	})
}

// claimedSince takes out of a result whoever is linked now.
func (e *Engine) claimedSince(ctx context.Context, out *RebuildResult) error {
	r, err := e.runner(out.Job)
	if err != nil {
		return err
	}
	left := out.Unclaimed[:0]
	for part := range slices.Chunk(slices.Clone(out.Unclaimed), 500) {
		ids := make([]string, len(part))
		for i := range part {
			ids[i] = part[i].TargetID
		}
		links, err := e.store.Links(ctx, store.LinkQuery{Pair: r.job.Pair, TargetIDs: ids})
		if err != nil {
			return fmt.Errorf("read links: %w", err)
		}
		for _, u := range part {
			if !slices.ContainsFunc(links, func(l store.Link) bool { return l.TargetID == u.TargetID }) {
				left = append(left, u)
			}
		}
	}
	out.Unclaimed = left
	return nil
}
