package engine

import (
	"context"
	"slices"

	"tenantsync/directory"
	"tenantsync/store"
)

// readMembership brings the member sets up to date and notes, in the commit that
// changes them, whose membership changed: those are read by id later on.
func (c *cycle) readMembership(ctx context.Context) error {
	if c.job.Scope.All && len(c.job.Scope.Filter.Groups()) == 0 {
		return nil
	}
	c.phase("reading groups")
	if !c.job.Scope.All {
		if err := c.readAssigned(ctx); err != nil {
			return err
		}
	}
	roots := c.rootGroups()
	rounds, err := c.groupRounds(ctx, roots)
	if err != nil {
		return err
	}
	if rounds, err = c.readRounds(ctx, rounds, roots); err != nil {
		return err
	}
	wanted, err := c.wantedGroups(ctx, roots)
	if err != nil {
		return err
	}
	if !fits(rounds, wanted) {
		// Nested groups that came or went left rounds of their own: read them
		// together once, so that an idle cycle costs one call for 50 groups.
		if rounds, err = c.readRounds(ctx, newRounds(wanted, nil), roots); err != nil {
			return err
		}
	}
	return c.dropUnwanted(ctx, roots, rounds)
}

// readRounds reads rounds and, with nesting, those for groups found on the way.
func (c *cycle) readRounds(ctx context.Context, rounds []store.GroupRound, roots []string) ([]store.GroupRound, error) {
	for i := 0; i < len(rounds); i++ {
		if err := c.readRound(ctx, &rounds[i], roots); err != nil {
			return nil, err
		}
		c.rec.Stage.Groups = rounds
		if i == len(rounds)-1 && c.job.Scope.Nested {
			more, err := c.newlyNested(ctx, roots, rounds)
			if err != nil {
				return nil, err
			}
			rounds = append(rounds, more...)
		}
	}
	return rounds, nil
}

// fits reports whether rounds name wanted groups only, in as few rounds as can be.
func fits(rounds []store.GroupRound, wanted []string) bool {
	if len(rounds) > (len(wanted)+groupsPerRound-1)/groupsPerRound {
		return false
	}
	for _, r := range rounds {
		if slices.ContainsFunc(r.Groups, func(g string) bool { return !slices.Contains(wanted, g) }) {
			return false
		}
	}
	return true
}

// rootGroups are the groups scope names, those assigned to the service principal,
// and those whose members the filters ask for.
func (c *cycle) rootGroups() []string {
	roots := assigningGroups(c.job, &c.rec)
	for _, g := range c.job.Scope.Filter.Groups() {
		if !slices.Contains(roots, g) {
			roots = append(roots, g)
		}
	}
	return roots
}

// groupRounds arranges the tracked groups into delta queries of up to 50. An
// initial cycle reads every set from the start.
func (c *cycle) groupRounds(ctx context.Context, roots []string) ([]store.GroupRound, error) {
	wanted := roots
	if !c.initial {
		var err error
		if wanted, err = c.wantedGroups(ctx, roots); err != nil {
			return nil, err
		}
	}
	base := c.rec.Groups
	if c.rec.Stage != nil && len(c.rec.Stage.Groups) > 0 {
		base = c.rec.Stage.Groups
	}
	var rounds []store.GroupRound
	var covered []string
	if !c.initial || c.resumed {
		for _, r := range base {
			if !slices.ContainsFunc(r.Groups, func(g string) bool { return !slices.Contains(wanted, g) }) {
				rounds = append(rounds, r)
				covered = append(covered, r.Groups...)
			}
		}
	}
	rounds = append(rounds, newRounds(wanted, covered)...)
	if len(rounds) > (len(wanted)+groupsPerRound-1)/groupsPerRound {
		rounds = newRounds(wanted, nil)
	}
	return rounds, nil
}

func newRounds(wanted, covered []string) []store.GroupRound {
	var missing []string
	for _, g := range wanted {
		if !slices.Contains(covered, g) {
			missing = append(missing, g)
		}
	}
	slices.Sort(missing)
	var out []store.GroupRound
	for part := range slices.Chunk(missing, groupsPerRound) {
		out = append(out, store.GroupRound{Groups: slices.Clone(part)})
	}
	return out
}

func (c *cycle) newlyNested(ctx context.Context, roots []string, rounds []store.GroupRound) ([]store.GroupRound, error) {
	wanted, err := c.wantedGroups(ctx, roots)
	if err != nil {
		return nil, err
	}
	var covered []string
	for _, r := range rounds {
		covered = append(covered, r.Groups...)
	}
	return newRounds(wanted, covered), nil
}

// readRound reads one round, commits its member changes together with whom they
// concern, and leaves the new watermark in the stage.
func (c *cycle) readRound(ctx context.Context, round *store.GroupRound, roots []string) error {
	r, err := c.readGroupRound(ctx, *round)
	if err != nil {
		return err
	}
	if !r.fromStart && slices.ContainsFunc(c.rec.GoneGroups, func(g string) bool { return r.seen[g] }) {
		// Back from the dead, with members of its own: what was known of it is past.
		if r, err = c.readGroupRound(ctx, store.GroupRound{Groups: round.Groups}); err != nil {
			return err
		}
	}
	b := &store.Batch{}
	changed := map[string]bool{}
	if r.fromStart {
		if err := c.wholeSets(ctx, r, round.Groups, roots, b, changed); err != nil {
			return err
		}
	} else {
		b.PutMembers, b.CutMembers = r.added, r.dropped
		for _, m := range append(slices.Clone(r.added), r.dropped...) {
			changed[m.ID] = true
		}
		if err := c.nestedChanges(ctx, r, changed); err != nil {
			return err
		}
	}
	if err := c.groupsGone(ctx, r, roots, b, changed); err != nil {
		return err
	}
	round.Link = r.watermark
	return c.commitExtra(ctx, changed, b)
}

// nestedChanges adds the members of groups that came into or left a tracked
// group: their membership changed with it.
func (c *cycle) nestedChanges(ctx context.Context, r *membershipRound, changed map[string]bool) error {
	if !c.job.Scope.Nested {
		return nil
	}
	closure := []string{}
	for _, m := range append(slices.Clone(r.added), r.dropped...) {
		closure = append(closure, m.ID)
	}
	closure, err := c.wantedGroups(ctx, closure)
	if err != nil {
		return err
	}
	members, err := c.st.Members(ctx, store.MemberQuery{Job: c.job.Name, Groups: closure})
	if err != nil || len(closure) == 0 {
		return err
	}
	for _, m := range members {
		changed[m.ID] = true
	}
	return nil
}

// wholeSets replaces the sets of groups that were read from the start, and
// checks that groups which did not come up exist and can be seen into.
func (c *cycle) wholeSets(ctx context.Context, r *membershipRound, groups, roots []string, b *store.Batch, changed map[string]bool) error {
	for _, g := range groups {
		if slices.Contains(roots, g) {
			if err := c.checkGroup(ctx, g, r); err != nil {
				return err
			}
		}
		if !r.seen[g] {
			continue
		}
		set := r.sets[g]
		before, err := c.st.Members(ctx, store.MemberQuery{Job: c.job.Name, Groups: []string{g}})
		if err != nil {
			return err
		}
		for _, m := range before {
			if isGroup, still := set[m.ID]; still && isGroup == m.IsGroup {
				delete(set, m.ID)
				continue
			}
			b.CutMembers = append(b.CutMembers, m)
			changed[m.ID] = true
		}
		for id, isGroup := range set {
			b.PutMembers = append(b.PutMembers, store.Member{Job: c.job.Name, Group: g, ID: id, IsGroup: isGroup})
			changed[id] = true
		}
	}
	return nil
}

// checkGroup reads a scope group's own record: it may be gone, or hide its members.
func (c *cycle) checkGroup(ctx context.Context, id string, r *membershipRound) error {
	g, err := c.job.Source.Group(ctx, id)
	if directory.KindOf(err) == directory.NotFound && err != nil {
		if !slices.Contains(r.removed, id) {
			r.removed = append(r.removed, id)
		}
		return nil
	}
	if err != nil {
		return err
	}
	r.seen[id] = true
	if g.HiddenMembership && len(r.sets[id]) == 0 && !c.job.Source.ReadsHidden(ctx) {
		return &Error{Class: ClassSignIn, Code: "HiddenMembership",
			Message:    "cannot read the members of " + c.groupName(id) + " (" + g.DisplayName + ") in " + c.job.SourceName + ".",
			Cause:      "its membership is hidden, and the app may not see it",
			Action:     "grant Member.Read.Hidden and consent to it in " + c.job.SourceName + ", then run: tenantsync check " + c.job.Name,
			Permission: "Member.Read.Hidden"}
	}
	return nil
}

// groupName says in a sentence what a group is to the job.
func (c *cycle) groupName(id string) string {
	if slices.Contains(assigningGroups(c.job, &c.rec), id) {
		return "scope group " + id
	}
	return "group " + id + ", which a filter asks for,"
}

// groupsGone notes groups that were deleted, and those that are back. The members
// of a deleted group that scope or a filter names stay known: deletes that follow
// from it are held.
func (c *cycle) groupsGone(ctx context.Context, r *membershipRound, roots []string, b *store.Batch, changed map[string]bool) error {
	touch := func(group string) error {
		members, err := c.st.Members(ctx, store.MemberQuery{Job: c.job.Name, Groups: []string{group}})
		if err != nil {
			return err
		}
		for _, m := range members {
			changed[m.ID] = true
		}
		return nil
	}
	for _, g := range r.removed {
		if err := touch(g); err != nil {
			return err
		}
		if !slices.Contains(roots, g) {
			b.DropMembers = append(b.DropMembers, store.MemberSet{Job: c.job.Name, Group: g})
		} else if !slices.Contains(c.rec.GoneGroups, g) {
			c.rec.GoneGroups = append(c.rec.GoneGroups, g)
		}
	}
	for g := range r.seen {
		if i := slices.Index(c.rec.GoneGroups, g); i >= 0 && !slices.Contains(r.removed, g) {
			c.rec.GoneGroups = slices.Delete(c.rec.GoneGroups, i, i+1)
			if err := touch(g); err != nil {
				return err
			}
			for _, h := range c.waiting.Holds { // whoever is held for a group that was gone is judged anew
				if h.Reason == string(CodeScopeGroupDeleted) {
					changed[h.SourceID] = true
				}
			}
		}
	}
	return nil
}

// dropUnwanted forgets the members of groups that are not tracked any more.
func (c *cycle) dropUnwanted(ctx context.Context, roots []string, rounds []store.GroupRound) error {
	wanted, err := c.wantedGroups(ctx, roots)
	if err != nil {
		return err
	}
	b, changed := &store.Batch{}, map[string]bool{}
	for _, r := range c.rec.Groups {
		for _, g := range r.Groups {
			if slices.Contains(wanted, g) {
				continue
			}
			members, err := c.st.Members(ctx, store.MemberQuery{Job: c.job.Name, Groups: []string{g}})
			if err != nil {
				return err
			}
			if len(members) == 0 {
				continue
			}
			b.DropMembers = append(b.DropMembers, store.MemberSet{Job: c.job.Name, Group: g})
			for _, m := range members {
				if !m.IsGroup {
					changed[m.ID] = true
				}
			}
		}
	}
	c.rec.GoneGroups = slices.DeleteFunc(c.rec.GoneGroups, func(g string) bool { return !slices.Contains(roots, g) })
	c.rec.Stage.Groups = rounds
	return c.commitExtra(ctx, changed, b)
}

// commitExtra commits a batch together with the ids it makes necessary to read.
func (c *cycle) commitExtra(ctx context.Context, changed map[string]bool, b *store.Batch) error {
	for id := range changed {
		if !c.extra[id] {
			c.extra[id] = true
			c.rec.Stage.Extra = append(c.rec.Stage.Extra, id)
		}
	}
	if len(changed) == 0 && b.Empty() {
		return nil
	}
	slices.Sort(c.rec.Stage.Extra)
	b.Jobs = []store.Job{c.rec}
	return c.st.Apply(ctx, b)
}
