package engine

import (
	"context"
	"slices"
	"strings"

	"tenantsync/store"
)

// overlay is what a plan works on: the real state, read only, under a scratch
// store that takes everything the plan would change of it.
type overlay struct {
	base, top store.Store
	job       string
}

// newOverlay copies what the job's reading changes step by step (its record and
// member sets) into the scratch store. What a stopped cycle had read stays out: a
// plan reads for itself. That it was stopped, and of which kind it was, stands in
// the record, and makes the next cycle what it is.
func newOverlay(ctx context.Context, base, top store.Store, j *Job) (*overlay, error) {
	rec, err := (&Engine{store: base}).record(ctx, j)
	if err != nil {
		return nil, err
	}
	members, err := base.Members(ctx, store.MemberQuery{Job: j.Name})
	if err != nil {
		return nil, err
	}
	b := &store.Batch{Jobs: []store.Job{rec}, PutMembers: members}
	return &overlay{base: base, top: top, job: j.Name}, top.Apply(ctx, b)
}

// Apply keeps links, members, the stage and the job's record; nothing is logged.
func (o *overlay) Apply(ctx context.Context, b *store.Batch) error {
	return o.top.Apply(ctx, &store.Batch{Jobs: b.Jobs, DropStage: b.DropStage, Stage: b.Stage,
		DropMembers: b.DropMembers, PutMembers: b.PutMembers, CutMembers: b.CutMembers, PutLinks: b.PutLinks})
}

func (o *overlay) Job(ctx context.Context, name string) (store.Job, error) {
	if name == o.job {
		return o.top.Job(ctx, name)
	}
	return o.base.Job(ctx, name)
}

// Links answers from both, what the plan changed standing before what was there.
func (o *overlay) Links(ctx context.Context, q store.LinkQuery) ([]store.Link, error) {
	below, err := o.base.Links(ctx, q)
	if err != nil {
		return nil, err
	}
	above, err := o.top.Links(ctx, q)
	if err != nil {
		return nil, err
	}
	if below, err = o.unchanged(ctx, q, below); err != nil || len(above) == 0 {
		return below, err
	}
	out := make([]store.Link, 0, len(below)+len(above))
	for len(below) > 0 || len(above) > 0 {
		switch {
		case len(above) == 0 || len(below) > 0 && below[0].SourceID < above[0].SourceID:
			out, below = append(out, below[0]), below[1:]
		case len(below) == 0 || above[0].SourceID < below[0].SourceID:
			out, above = append(out, above[0]), above[1:]
		default:
			out, above, below = append(out, above[0]), above[1:], below[1:]
		}
	}
	slices.SortStableFunc(out, func(a, b store.Link) int { return strings.Compare(a.SourceID, b.SourceID) })
	if q.Limit > 0 && len(out) > q.Limit {
		out = out[:q.Limit]
	}
	return out, nil
}

// unchanged leaves out links that were found by what they were before the plan
// changed them. A walk and a look-up by source id find both images anyway.
func (o *overlay) unchanged(ctx context.Context, q store.LinkQuery, below []store.Link) ([]store.Link, error) {
	if len(below) == 0 || q.TargetIDs == nil && q.Addresses == nil && q.Managers == nil {
		return below, nil
	}
	ids := make([]string, len(below))
	for i := range below {
		ids[i] = below[i].SourceID
	}
	changed, err := o.top.Links(ctx, store.LinkQuery{Pair: q.Pair, SourceIDs: ids})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(below, func(l store.Link) bool {
		return slices.ContainsFunc(changed, func(c store.Link) bool { return c.SourceID == l.SourceID })
	}), nil
}

func (o *overlay) Members(ctx context.Context, q store.MemberQuery) ([]store.Member, error) {
	if q.Job == o.job {
		return o.top.Members(ctx, q)
	}
	return o.base.Members(ctx, q)
}

func (o *overlay) StagePages(ctx context.Context, job string, after, limit int) ([]store.StagePage, error) {
	return o.top.StagePages(ctx, job, after, limit)
}

func (o *overlay) Waiting(ctx context.Context, job string) (store.Waiting, error) {
	return o.base.Waiting(ctx, job)
}

func (o *overlay) Verdicts(ctx context.Context, q store.VerdictQuery) ([]store.Verdict, error) {
	return o.base.Verdicts(ctx, q)
}

func (o *overlay) Cycles(ctx context.Context, q store.CycleQuery) ([]store.Cycle, error) {
	return o.base.Cycles(ctx, q)
}

func (o *overlay) Audit(ctx context.Context, q store.AuditQuery) ([]store.Audit, error) {
	return o.base.Audit(ctx, q)
}

func (o *overlay) Log(ctx context.Context, q store.LogQuery) ([]store.Entry, error) {
	return o.base.Log(ctx, q)
}

// Close removes the scratch store; the real one stays open.
func (o *overlay) Close() error { return o.top.Close() }
