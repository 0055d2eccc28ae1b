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

// Explain says why a user is, or is not, in the target.
func (e *Engine) Explain(ctx context.Context, user, job string) (*Explanation, error) {
	r, err := e.runner(job)
	if err != nil {
		return nil, err
	}
	s, o, v, err := e.scopeOf(ctx, user, r)
	if err != nil {
		return nil, err
	}
	out := &Explanation{Job: r.job.Name, User: s.User, InScope: v.inScope(), Reasons: []string{}}
	if v.reason != "" {
		out.Reasons = append(out.Reasons, v.reason)
	} else {
		out.Reasons = append(out.Reasons, inScopeSentence(r.job, v.through))
	}
	links, err := e.store.Links(ctx, store.LinkQuery{Pair: r.job.Pair, SourceIDs: []string{o.ID}})
	if err != nil {
		return nil, err
	}
	if len(links) > 0 {
		l := links[0]
		out.Link = &LinkInfo{SourceID: l.SourceID, TargetID: l.TargetID, Job: l.Job, State: l.State.String()}
		out.Reasons = append(out.Reasons, linkSentence(&l, r.job))
	} else {
		out.InScope = out.InScope && v.state == sourceActive // else it waits to be enabled
		out.Reasons = append(out.Reasons, "not linked: no user of "+r.job.TargetName+" was created or adopted for this user")
	}
	entries, err := e.store.Log(ctx, store.LogQuery{Job: r.job.Name, User: o.ID, Limit: 1})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if len(entries) > 0 {
		out.LastChange = &entries[0]
	}
	waiting, err := e.store.Waiting(ctx, r.job.Name)
	if err != nil {
		return nil, err
	}
	for i := range waiting.Escrows {
		if x := &waiting.Escrows[i]; x.SourceID == o.ID && x.Attempts > 0 {
			view := retryView(x)
			out.Retry = &view
			out.Reasons = append(out.Reasons, failedSentence(x))
		}
	}
	for _, h := range waiting.Holds {
		if h.SourceID == o.ID {
			out.Reasons = append(out.Reasons, "its deletion waits for approval ("+h.Reason+"): "+h.Message)
		}
	}
	return out, nil
}

// inScopeSentence says through what a user is in scope, and of filters only where there are any.
func inScopeSentence(j *Job, through string) string {
	s := "in scope: assigned through " + through
	if !j.Scope.Filter.Empty() {
		s += ", and a filter is true"
	}
	return s
}

func failedSentence(x *store.Escrow) string {
	times := "failed once, with "
	if x.Attempts > 1 {
		times = fmt.Sprintf("failed %d times, last with ", x.Attempts)
	}
	return times + x.Code + ": " + x.Message
}

func linkSentence(l *store.Link, j *Job) string {
	switch l.State {
	case store.LinkDeleted:
		return "its target user " + l.TargetID + " was deleted by tenantsync on " + l.DeletedAt.Format("2006-01-02") + ", and is restored if it comes back within 30 days"
	case store.LinkMissing:
		return "its target user " + l.TargetID + " was deleted in " + j.TargetName + " by somebody else; to undo: tenantsync provision " + l.UPN + " --restore"
	}
	s := "linked to target user " + l.TargetID
	if l.Job != j.Name {
		s += ", owned by job " + l.Job
	}
	if l.BlockedInTarget {
		s += "; sign-in was blocked by hand in the target, which is kept"
	}
	return s
}

// ScopeTest shows each condition of scope for one user.
func (e *Engine) ScopeTest(ctx context.Context, user, job string) (*ScopeTest, error) {
	r, err := e.runner(job)
	if err != nil {
		return nil, err
	}
	s, _, _, err := e.scopeOf(ctx, user, r)
	return s, err
}

// scopeOf reads a user and its membership now, and judges it.
func (e *Engine) scopeOf(ctx context.Context, user string, r *runner) (*ScopeTest, directory.Object, verdict, error) {
	fail := func(err error) (*ScopeTest, directory.Object, verdict, error) {
		return nil, directory.Object{}, verdict{}, e.jobError(r.job, err)
	}
	c, err := e.onDemand(ctx, r)
	if err != nil {
		return fail(err)
	}
	o, err := e.findOrRemember(ctx, c, user)
	if err != nil {
		return fail(err)
	}
	as, err := c.present(ctx, []string{o.ID})
	if err != nil {
		return fail(err)
	}
	a := as.of(o.ID)
	v := judge(o, *c.source, a, r.job, c.began)
	out := &ScopeTest{Job: r.job.Name, User: ChangeSource{ID: o.ID, UPN: o.UPN()}, InScope: v.inScope() && v.state == sourceActive, Reason: v.reason}
	_, guest := notInternalMember(o, *c.source)
	userType := o.Attributes.Get(attrUserType).String()
	if userType == "" {
		userType = "(none)"
	}
	out.Checks = append(out.Checks,
		ScopeCheck{Name: "Active in source system", Value: title(o.Enabled()), Passed: v.state != sourceGone && o.Enabled()},
		ScopeCheck{Name: "Internal member", Value: "userType " + userType, Passed: !guest},
		ScopeCheck{Name: "Assigned to application", Value: a.through, Passed: a.assigned})
	for i, g := range r.job.Scope.Filter.Explain(o.Attributes, c.began) {
		name := g.Title
		if name == "" {
			name = "filter " + strconv.Itoa(i+1)
		}
		for _, cl := range g.Clauses {
			out.Checks = append(out.Checks, ScopeCheck{Name: name + ": " + cl.Text, Value: c.shownSource(cl.Attribute, cl.Value), Passed: cl.Passed})
		}
	}
	return out, o, v, nil
}

// findOrRemember finds a source user; one that is gone is taken from its link.
func (e *Engine) findOrRemember(ctx context.Context, c *cycle, user string) (directory.Object, error) {
	found, err := e.findOne(ctx, c.job, user)
	if err == nil {
		full, rerr := c.job.Source.Users(ctx, []string{found.ID}, c.selects)
		if rerr != nil {
			return found, rerr
		}
		return c.full(full[0].Object), full[0].Err
	}
	var gone *store.Link
	werr := c.walkLinks(ctx, func(l *store.Link) {
		if strings.EqualFold(l.UPN, user) || strings.EqualFold(l.SourceID, user) {
			gone = l
		}
	})
	if werr != nil {
		return found, werr
	}
	if gone == nil {
		return found, err
	}
	return directory.Object{ID: gone.SourceID, Removed: directory.SoftDeleted, Attributes: directory.AttributesOf(map[string]directory.Value{
		attrUPN: directory.TextOf(gone.UPN), attrDisplayName: directory.TextOf(gone.DisplayName)})}, nil
}
