package engine

import (
	"context"
	"errors"
	"fmt"

	"tenantsync/directory"
	"tenantsync/store"
)

// wantedBy judges a user who is leaving this job's scope for another job of the
// pair. Whoever goes from one job's group to another's does both at once, and
// the other job may not have run since: its groups are looked at as they are now.
func (c *cycle) wantedBy(ctx context.Context, other *Job, j *judged) (bool, error) {
	as := assignment{assigned: true, through: throughAll}
	if !other.Scope.All || len(other.Scope.Filter.Groups()) > 0 {
		rec, err := c.st.Job(ctx, other.Name)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil // it never ran: nothing is known of its members
		}
		if err != nil {
			return false, err
		}
		if as, err = c.assignedTo(ctx, other, &rec, j.o.ID); err != nil {
			return false, err
		}
	}
	v := judge(j.o, *c.source, as, other, c.began)
	return v.inScope() && (v.state == sourceActive || j.link != nil), nil
}

// assignedTo tells how a user stands to another job at this moment. A group that
// has become a member of one of its groups since its last cycle is not known yet;
// that cycle finds it.
func (c *cycle) assignedTo(ctx context.Context, other *Job, rec *store.Job, id string) (assignment, error) {
	as, err := c.assignments(ctx, other, rec, []string{id})
	if err != nil || len(trackedGroups(rec)) == 0 {
		return as.of(id), err
	}
	found := assignment{filters: as.filters}
	switch by := as.of(id).through; {
	case by != throughAll && by != throughUser:
	case found.filters == nil:
		return as.of(id), nil
	default:
		found.assigned, found.through = true, by
	}
	members, err := c.st.Members(ctx, store.MemberQuery{Job: other.Name, Groups: trackedGroups(rec), IDs: []string{id}})
	if err != nil {
		return assignment{}, err
	}
	in := map[string]bool{}
	for _, m := range members {
		in[m.Group] = true
	}
	rounds, err := c.peek(ctx, rec)
	if err != nil {
		return assignment{}, fmt.Errorf("read the groups of job %s: %w", other.Name, err)
	}
	for _, r := range rounds {
		r.apply(id, in)
	}
	for _, group := range trackedGroups(rec) {
		if in[group] {
			as.reach.admit(&found, group)
		}
	}
	return found, nil
}

// apply brings the set of groups that a user is in up to date.
func (r *membershipRound) apply(id string, in map[string]bool) {
	for group, set := range r.sets {
		_, member := set[id]
		in[group] = member
	}
	for _, m := range r.dropped {
		if m.ID == id {
			delete(in, m.Group)
		}
	}
	for _, m := range r.added {
		if m.ID == id {
			in[m.Group] = true
		}
	}
	for _, group := range r.removed {
		delete(in, group)
	}
}

// peek reads what has changed in the groups of another job since its last cycle,
// once in a cycle. Nothing is kept of it: that job reads it again for itself.
func (c *cycle) peek(ctx context.Context, rec *store.Job) ([]*membershipRound, error) {
	if rounds, done := c.peeked[rec.Name]; done {
		return rounds, nil
	}
	rounds := make([]*membershipRound, 0, len(rec.Groups))
	for _, round := range rec.Groups {
		r, err := c.readGroupRound(ctx, round)
		if err != nil {
			if directory.KindOf(err) == directory.NotFound {
				continue // its own cycle tells that a group is gone
			}
			return nil, err
		}
		rounds = append(rounds, r)
	}
	if c.peeked == nil {
		c.peeked = map[string][]*membershipRound{}
	}
	c.peeked[rec.Name] = rounds
	return rounds, nil
}
