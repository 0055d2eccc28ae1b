package engine

import (
	"context"
	"errors"
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
	a := &account{e: e, j: r.job, o: o, v: v, out: out}
	links, err := e.store.Links(ctx, store.LinkQuery{Pair: r.job.Pair, SourceIDs: []string{o.ID}})
	if err != nil {
		return nil, err
	}
	if len(links) > 0 {
		a.link = &links[0]
		out.Link = &LinkInfo{SourceID: a.link.SourceID, TargetID: a.link.TargetID, Job: a.link.Job, State: a.link.State.String()}
	} else {
		out.InScope = out.InScope && v.state == sourceActive // else it waits to be enabled
	}
	entries, err := e.store.Log(ctx, store.LogQuery{Job: r.job.Name, User: o.ID, Limit: 1})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if len(entries) > 0 {
		out.LastChange = &entries[0]
	}
	if a.waiting, err = e.store.Waiting(ctx, r.job.Name); err != nil {
		return nil, err
	}
	rec, err := e.record(ctx, r.job)
	if err != nil {
		return nil, err
	}
	a.ran, a.rec = rec.LastCycle != "", &rec
	a.tell()
	return out, nil
}

// findOrRemember finds a source user; one that is gone is taken from its link.
func (e *Engine) findOrRemember(ctx context.Context, c *cycle, user string) (directory.Object, error) {
	found, err := e.findOne(ctx, c.job, user)
	if err == nil {
		full, rerr := c.job.Source.Users(ctx, []string{found.ID}, c.selects)
		if rerr != nil {
			return found, rerr
		}
		if full[0].Err != nil {
			return full[0].Object, full[0].Err
		}
		return c.full(ctx, full[0].Object)
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
