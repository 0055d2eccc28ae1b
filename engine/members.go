package engine

import (
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/store"
)

// assigner tells which of a set of users a job is assigned to.
type assigner struct {
	all   bool
	users map[string]assignment
}

// of returns the assignment of one user.
func (a *assigner) of(id string) assignment {
	if a.all {
		return assignment{assigned: true, through: "all users"}
	}
	return a.users[id]
}

// assignments loads the assignments of the given users to a job from the member
// sets in the store; nil ids load those of every member.
func assignments(ctx context.Context, st store.Store, j *Job, rec *store.Job, ids []string) (*assigner, error) {
	if j.Scope.All {
		return &assigner{all: true}, nil
	}
	a := &assigner{users: map[string]assignment{}}
	for _, m := range rec.Assigned {
		if !m.IsGroup {
			a.users[m.ID] = assignment{assigned: true, through: "user"}
		}
	}
	groups := trackedGroups(rec)
	if len(groups) == 0 {
		return a, nil
	}
	members, err := st.Members(ctx, store.MemberQuery{Job: j.Name, Groups: groups, IDs: ids})
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if m.IsGroup || a.users[m.ID].assigned {
			continue
		}
		if slices.Contains(rec.GoneGroups, m.Group) {
			a.users[m.ID] = assignment{goneGroup: m.Group}
			continue
		}
		a.users[m.ID] = assignment{assigned: true, through: "group " + m.Group}
	}
	return a, nil
}

// trackedGroups returns the groups whose members count, gone ones included.
func trackedGroups(rec *store.Job) []string {
	var out []string
	for _, r := range rec.Groups {
		out = append(out, r.Groups...)
	}
	if rec.Stage != nil {
		for _, r := range rec.Stage.Groups {
			for _, g := range r.Groups {
				if !slices.Contains(out, g) {
					out = append(out, g)
				}
			}
		}
	}
	return out
}

// membershipRound reads one delta query over groups to its end. From the start
// it answers the whole sets; else what changed.
type membershipRound struct {
	fromStart bool
	sets      map[string]map[string]bool // fromStart: group → member → is a group
	added     []store.Member
	dropped   []store.Member
	removed   []string // groups that are tombstones
	seen      map[string]bool
	watermark string
}

func (c *cycle) readGroupRound(ctx context.Context, round store.GroupRound) (*membershipRound, error) {
	r := &membershipRound{fromStart: round.Link == "", sets: map[string]map[string]bool{}, seen: map[string]bool{}}
	cursor, pages := round.Link, 0
	for {
		page, err := c.job.Source.Groups(ctx, round.Groups, cursor)
		if err != nil {
			if directory.KindOf(err) == directory.WatermarkExpired && (round.Link != "" || pages > 0) {
				return c.readGroupRound(ctx, store.GroupRound{Groups: round.Groups})
			}
			return nil, err
		}
		for _, g := range page.Groups {
			r.take(c.job.Name, g)
		}
		pages++
		if page.Next == "" {
			r.watermark = page.Watermark
			return r, nil
		}
		if page.Next == cursor || pages > maxPages {
			return nil, &directory.Error{Op: "read group delta", Kind: directory.Malformed, Message: "the page links to itself"}
		}
		cursor = page.Next
	}
}

func (r *membershipRound) take(job string, g directory.GroupChange) {
	if g.Removed != directory.NotRemoved {
		r.removed = append(r.removed, g.ID)
		return
	}
	r.seen[g.ID] = true
	if r.fromStart {
		set := r.sets[g.ID]
		if set == nil {
			set = map[string]bool{}
			r.sets[g.ID] = set
		}
		for _, m := range g.Added {
			if m.IsUser || m.IsGroup {
				set[m.ID] = m.IsGroup
			}
		}
		for _, id := range g.Dropped {
			delete(set, id)
		}
		return
	}
	for _, m := range g.Added {
		if m.IsUser || m.IsGroup {
			r.added = append(r.added, store.Member{Job: job, Group: g.ID, ID: m.ID, IsGroup: m.IsGroup})
		}
	}
	for _, id := range g.Dropped {
		r.dropped = append(r.dropped, store.Member{Job: job, Group: g.ID, ID: id})
	}
}

// wantedGroups returns the groups that scope names, directly or by assignment,
// and with nesting the closure over the groups that are members of them.
func (c *cycle) wantedGroups(ctx context.Context, roots []string) ([]string, error) {
	out := slices.Clone(roots)
	if !c.job.Scope.Nested {
		return out, nil
	}
	for i := 0; i < len(out); i++ {
		members, err := c.st.Members(ctx, store.MemberQuery{Job: c.job.Name, Groups: out[i : i+1]})
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if m.IsGroup && !slices.Contains(out, m.ID) {
				out = append(out, m.ID)
			}
		}
	}
	return out, nil
}
