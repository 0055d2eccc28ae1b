package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"tenantsync/directory"
	"tenantsync/mapping/attribute"
	"tenantsync/store"
)

// defaultRole is the id that Graph gives to an assignment without a role of its own.
// https://learn.microsoft.com/graph/api/resources/approleassignment
const defaultRole = "00000000-0000-0000-0000-000000000000"

// readsRoles reports whether a mapping of the job reads app roles.
func readsRoles(j *Job) bool {
	return j.Scope.ServicePrincipal != "" && !j.Scope.All && slices.Contains(j.Mapping.SourceAttributes(), attribute.AppRoles)
}

// noteRoles keeps which roles principals are assigned to and returns those whose
// roles are not what they were.
func (c *cycle) noteRoles(list []directory.Assignment) []store.AssignedRole {
	var now []store.AssignedRole
	if readsRoles(c.job) {
		for _, a := range list {
			if a.IsUser || a.IsGroup {
				now = append(now, store.AssignedRole{Principal: a.PrincipalID, Role: a.AppRoleID, IsGroup: a.IsGroup})
			}
		}
	}
	slices.SortFunc(now, compareRoles)
	now = slices.Compact(now)
	before := c.rec.Roles
	c.rec.Roles = now
	var changed []store.AssignedRole
	for _, lists := range [][2][]store.AssignedRole{{before, now}, {now, before}} {
		for _, r := range lists[0] {
			if _, found := slices.BinarySearchFunc(lists[1], r, compareRoles); !found {
				changed = append(changed, r)
			}
		}
	}
	return changed
}

func compareRoles(a, b store.AssignedRole) int {
	return cmp.Or(cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Role, b.Role))
}

// rereadFor notes the users whom changed roles concern: they are read and judged
// again.
func (c *cycle) rereadFor(ctx context.Context, roles []store.AssignedRole, changed map[string]bool) error {
	for _, r := range roles {
		if !r.IsGroup {
			changed[r.Principal] = true
			continue
		}
		groups, err := c.wantedGroups(ctx, []string{r.Principal})
		if err != nil {
			return err
		}
		members, err := c.st.Members(ctx, store.MemberQuery{Job: c.job.Name, Groups: groups})
		if err != nil {
			return err
		}
		for _, m := range members {
			if !m.IsGroup {
				changed[m.ID] = true
			}
		}
	}
	return nil
}

// roleTable tells the app roles of users.
type roleTable struct {
	texts  map[string]string   // role id → the role as expressions read it
	direct map[string][]string // user id → role ids
	groups map[string][]string // tracked group → role ids that its members have
}

// newRoleTable reads the definitions of the roles and arranges the assignments
// of a job's record.
func (c *cycle) newRoleTable(ctx context.Context, rec *store.Job) (*roleTable, error) {
	defined, err := c.job.Source.AppRoles(ctx, c.job.Scope.ServicePrincipal)
	if err != nil {
		return nil, err
	}
	t := &roleTable{texts: map[string]string{}, direct: map[string][]string{}, groups: map[string][]string{}}
	t.define(directory.AppRole{ID: defaultRole, DisplayName: "Default Access"})
	for _, r := range defined {
		t.define(r)
	}
	for _, r := range rec.Roles {
		if !r.IsGroup {
			t.direct[r.Principal] = append(t.direct[r.Principal], r.Role)
			continue
		}
		groups, err := c.wantedGroups(ctx, []string{r.Principal})
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			t.groups[g] = append(t.groups[g], r.Role)
		}
	}
	return t, nil
}

// define adds a role in the form that the functions of expressions read.
func (t *roleTable) define(r directory.AppRole) {
	text, err := json.Marshal(struct {
		ID          string `json:"id"`
		Value       string `json:"value"`
		DisplayName string `json:"displayName"`
	}{r.ID, r.Value, r.DisplayName})
	if err == nil { // texts always encode
		t.texts[r.ID] = string(text)
	}
}

// of returns the roles of one user, those of groups included, in a fixed order.
func (t *roleTable) of(ctx context.Context, c *cycle, id string) (directory.Value, error) {
	ids := slices.Clone(t.direct[id])
	if len(t.groups) > 0 {
		groups := slices.Sorted(maps.Keys(t.groups))
		members, err := c.st.Members(ctx, store.MemberQuery{Job: c.job.Name, Groups: groups, IDs: []string{id}})
		if err != nil {
			return directory.Value{}, err
		}
		for _, m := range members {
			ids = append(ids, t.groups[m.Group]...)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return directory.NullValue(), nil
	}
	texts := make([]string, len(ids))
	for i, id := range ids {
		if texts[i] = t.texts[id]; texts[i] == "" { // assigned, but defined no more
			t.define(directory.AppRole{ID: id})
			texts[i] = t.texts[id]
		}
	}
	return directory.ListOf(texts...), nil
}

// withRoles gives a source user the app roles that mappings read.
func (c *cycle) withRoles(ctx context.Context, o *directory.Object) error {
	switch {
	case !readsRoles(c.job):
		return nil
	case c.onDemand: // read with the membership of the moment, not with what the state remembers
		if v, known := c.presentRoles[o.ID]; known {
			o.Attributes.Set(attribute.AppRoles, v)
		}
		return nil
	case c.roles == nil:
		table, err := c.newRoleTable(ctx, &c.rec)
		if err != nil {
			return err
		}
		c.roles = table
	}
	v, err := c.roles.of(ctx, c, o.ID)
	if err == nil {
		o.Attributes.Set(attribute.AppRoles, v)
	}
	return err
}

// rolesAtPresent reads the roles of some users from the membership that a reader
// has just brought up to date.
func (c *cycle) rolesAtPresent(ctx context.Context, reader *cycle, ids []string) error {
	if !readsRoles(c.job) {
		return nil
	}
	table, err := reader.newRoleTable(ctx, &reader.rec)
	if err != nil {
		return err
	}
	c.presentRoles = map[string]directory.Value{}
	for _, id := range ids {
		if c.presentRoles[id], err = table.of(ctx, reader, id); err != nil {
			return err
		}
	}
	return nil
}
