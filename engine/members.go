package engine

import (
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/store"
)

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

// wantedGroups returns the groups that scope and its filters name, directly or by
// assignment, and with nesting the closure over the groups that are members of
// them.
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
