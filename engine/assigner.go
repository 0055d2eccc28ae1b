package engine

import (
	"context"
	"slices"

	"tenantsync/store"
)

// Ways of being assigned that are no group.
const (
	throughAll  = "all users"
	throughUser = "user"
)

// assignment is how a user stands to a job: whether it is assigned, and in which
// of the groups it is that filters ask for.
type assignment struct {
	assigned bool
	through  string // "all users", "group Staff", "user"
	// goneGroup is set when only a scope group that no longer exists assigns the user.
	goneGroup string
	// groups are those of the filters' groups that the user is a member of, as far
	// as they are known; filters is nil when no filter asks for groups.
	groups  []string
	filters *filterGroups
}

// filterGroups are the groups that the filters of a job ask for.
type filterGroups struct {
	gone []string // those that no longer exist
}

// existing returns the groups among these that exist.
func (f *filterGroups) existing(groups []string) []string {
	return slices.DeleteFunc(slices.Clone(groups), func(g string) bool { return slices.Contains(f.gone, g) })
}

// assigner tells how each of a set of users stands to a job.
type assigner struct {
	all     bool
	users   map[string]assignment
	reach   *reach
	filters *filterGroups
}

// of returns the assignment of one user.
func (a *assigner) of(id string) assignment {
	as := a.users[id]
	if a.all {
		as.assigned, as.through = true, throughAll
	}
	as.filters = a.filters
	return as
}

// assignments loads how the given users stand to a job from the member sets in
// the store; nil ids load those of every member.
func (c *cycle) assignments(ctx context.Context, j *Job, rec *store.Job, ids []string) (*assigner, error) {
	asked := j.Scope.Filter.Groups()
	a := &assigner{all: j.Scope.All, users: map[string]assignment{}}
	if len(asked) > 0 {
		a.filters = &filterGroups{}
		for _, g := range asked {
			if slices.Contains(rec.GoneGroups, g) {
				a.filters.gone = append(a.filters.gone, g)
			}
		}
	} else if a.all {
		return a, nil
	}
	if !a.all {
		for _, m := range rec.Assigned {
			if !m.IsGroup {
				a.users[m.ID] = assignment{assigned: true, through: throughUser}
			}
		}
	}
	groups := trackedGroups(rec)
	if len(groups) == 0 {
		return a, nil
	}
	var err error
	if a.reach, err = c.reachOf(ctx, j, rec, groups); err != nil {
		return nil, err
	}
	members, err := c.st.Members(ctx, store.MemberQuery{Job: j.Name, Groups: groups, IDs: ids})
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if m.IsGroup {
			continue
		}
		as := a.users[m.ID]
		a.reach.admit(&as, m.Group)
		a.users[m.ID] = as
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

// assigningGroups are the groups whose members a job is for: those scope names
// and those assigned to the service principal.
func assigningGroups(j *Job, rec *store.Job) []string {
	if j.Scope.All {
		return nil
	}
	groups := slices.Clone(j.Scope.Groups)
	for _, m := range rec.Assigned {
		if m.IsGroup && !slices.Contains(groups, m.ID) {
			groups = append(groups, m.ID)
		}
	}
	return groups
}

// reach says what being a direct member of a tracked group means: to be assigned,
// to be in a group that a filter asks for, or both.
type reach struct {
	gone []string
	// assigns is nil when every tracked group assigns, because no filter asks for any.
	assigns map[string]bool
	counts  map[string][]string // tracked group → the filters' groups it lies in
}

// reachOf sorts the tracked groups. With nesting a group stands for all groups it
// lies in; the groups inside of tracked ones are tracked themselves.
func (c *cycle) reachOf(ctx context.Context, j *Job, rec *store.Job, tracked []string) (*reach, error) {
	r := &reach{gone: rec.GoneGroups}
	asked := j.Scope.Filter.Groups()
	if len(asked) == 0 {
		return r, nil
	}
	inside := map[string][]string{}
	if j.Scope.Nested {
		nested, err := c.st.Members(ctx, store.MemberQuery{Job: j.Name, Groups: tracked, IDs: tracked})
		if err != nil {
			return nil, err
		}
		for _, m := range nested {
			inside[m.Group] = append(inside[m.Group], m.ID)
		}
	}
	r.assigns, r.counts = map[string]bool{}, map[string][]string{}
	for _, g := range closureOf(assigningGroups(j, rec), inside) {
		r.assigns[g] = true
	}
	for _, g := range asked {
		for _, in := range closureOf([]string{g}, inside) {
			r.counts[in] = append(r.counts[in], g)
		}
	}
	return r, nil
}

// closureOf returns groups and all the groups inside of them.
func closureOf(groups []string, inside map[string][]string) []string {
	out := slices.Clone(groups)
	for i := 0; i < len(out); i++ {
		for _, g := range inside[out[i]] {
			if !slices.Contains(out, g) {
				out = append(out, g)
			}
		}
	}
	return out
}

// admit notes that a user is a direct member of a tracked group.
func (r *reach) admit(as *assignment, group string) {
	for _, g := range r.counts[group] {
		if !slices.Contains(as.groups, g) {
			as.groups = append(as.groups, g)
		}
	}
	switch {
	case as.assigned || r.assigns != nil && !r.assigns[group]:
	case slices.Contains(r.gone, group):
		as.goneGroup = group
	default:
		as.assigned, as.through, as.goneGroup = true, "group "+group, ""
	}
}
