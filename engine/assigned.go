package engine

import (
	"context"
	"slices"
	"strings"

	"go.uber.org/zap"

	"tenantsync/directory"
	"tenantsync/store"
)

// readAssigned reads the assignment list and resolves users named in the
// configuration; whoever came or went is read by id.
func (c *cycle) readAssigned(ctx context.Context) error {
	// Users who are named come first: one who is assigned as well stays known as
	// named, because the names are looked up in initial cycles only.
	now, err := c.namedUsers(ctx)
	if err != nil {
		return err
	}
	var roles []store.AssignedRole
	if sp := c.job.Scope.ServicePrincipal; sp != "" {
		list, err := c.job.Source.Assignments(ctx, sp)
		if err != nil {
			return err
		}
		for _, a := range list {
			if a.IsGroup || a.IsUser {
				now = append(now, store.Member{Job: c.job.Name, ID: a.PrincipalID, IsGroup: a.IsGroup})
			}
		}
		roles = c.noteRoles(list)
	}
	slices.SortStableFunc(now, func(a, b store.Member) int { return strings.Compare(a.ID, b.ID) })
	now = slices.CompactFunc(now, func(a, b store.Member) bool { return a.ID == b.ID })
	changed := map[string]bool{}
	for _, m := range symmetric(c.rec.Assigned, now) {
		if m.IsGroup {
			continue // its members follow from the member sets
		}
		changed[m.ID] = true
	}
	if err := c.rereadFor(ctx, roles, changed); err != nil {
		return err
	}
	gone := goneAssignedGroups(c.rec.Assigned, now)
	for _, g := range gone {
		members, err := c.st.Members(ctx, store.MemberQuery{Job: c.job.Name, Groups: []string{g}})
		if err != nil {
			return err
		}
		for _, m := range members {
			if !m.IsGroup {
				changed[m.ID] = true
			}
		}
	}
	idle := len(changed) == 0 && len(gone) == 0 && len(roles) == 0 && len(now) == len(c.rec.Assigned)
	c.rec.Assigned = now
	if idle {
		return nil
	}
	return c.commitExtra(ctx, changed, &store.Batch{})
}

func goneAssignedGroups(before, now []store.Member) []string {
	var out []string
	for _, m := range before {
		if m.IsGroup && !slices.ContainsFunc(now, func(n store.Member) bool { return n.ID == m.ID }) {
			out = append(out, m.ID)
		}
	}
	return out
}

// symmetric returns the members that are in one list only.
func symmetric(a, b []store.Member) []store.Member {
	var out []store.Member
	in := func(list []store.Member, id string) bool {
		return slices.ContainsFunc(list, func(m store.Member) bool { return m.ID == id })
	}
	for _, m := range a {
		if !in(b, m.ID) {
			out = append(out, m)
		}
	}
	for _, m := range b {
		if !in(a, m.ID) {
			out = append(out, m)
		}
	}
	return out
}

// namedUsers resolves the users that the configuration names. Those it resolved
// before are kept, so that an idle cycle asks nothing.
func (c *cycle) namedUsers(ctx context.Context) ([]store.Member, error) {
	if len(c.job.Scope.Users) == 0 {
		return nil, nil
	}
	if !c.initial {
		var kept []store.Member
		for _, m := range c.rec.Assigned {
			if m.Group == namedGroup {
				kept = append(kept, m)
			}
		}
		return kept, nil
	}
	found, err := c.job.Source.Users(ctx, c.job.Scope.Users, []string{attrUPN})
	if err != nil {
		return nil, err
	}
	var out []store.Member
	for i, l := range found {
		switch {
		case l.Err == nil:
			out = append(out, store.Member{Job: c.job.Name, Group: namedGroup, ID: l.Object.ID})
		case directory.KindOf(l.Err) == directory.NotFound:
			c.log.Warn("user of scope not found in source", zap.String("user", c.job.Scope.Users[i]))
			if looksLikeID(c.job.Scope.Users[i]) {
				out = append(out, store.Member{Job: c.job.Name, Group: namedGroup, ID: c.job.Scope.Users[i]})
			}
		default:
			return nil, l.Err
		}
	}
	return out, nil
}

func looksLikeID(s string) bool { return len(s) == 36 && !strings.Contains(s, "@") }
