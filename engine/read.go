package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"tenantsync/directory"
	"tenantsync/store"
)

// maxPages bounds one round: far more than the largest directory needs.
const maxPages = 200_000

// groupsPerRound is how many groups one delta query may name.
const groupsPerRound = 50

// sourceSelects returns the attributes to read of source users: those of the
// mappings and filters of every job of the pair (so that each can judge for the
// others), and those the engine itself needs.
func (e *Engine) sourceSelects(j *Job) []string {
	set := map[string]bool{}
	for _, n := range []string{attrAccountEnabled, attrUPN, attrDisplayName, attrMail, attrProxyAddresses,
		attrUserType, attrExternalState, attrIdentities} {
		set[n] = true
	}
	for _, r := range e.all() {
		if r.job.Pair != j.Pair {
			continue
		}
		for _, n := range r.job.Scope.Filter.Attributes() {
			set[n] = true
		}
	}
	for _, n := range j.Mapping.SourceAttributes() {
		set[n] = true
	}
	return sortedNames(set)
}

// targetSelects returns the attributes to read of target users.
func targetSelects(j *Job) []string {
	set := map[string]bool{}
	for _, n := range []string{attrAccountEnabled, attrUPN, attrDisplayName, attrMail, attrOtherMails, attrProxyAddresses,
		attrUserType, attrExternalState, attrCreationType, attrIdentities, attrOnPremisesSync} {
		set[n] = true
	}
	for _, n := range j.Mapping.TargetAttributes() {
		set[n] = true
	}
	for _, m := range j.Mapping.Matching() {
		set[m.Target] = true
	}
	return sortedNames(set)
}

func sortedNames(set map[string]bool) []string {
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// queryHash names what a watermark was read with.
func queryHash(selects []string) string {
	sum := sha256.Sum256([]byte(strings.Join(selects, ",")))
	return hex.EncodeToString(sum[:8])
}

// readMembership brings the member sets up to date and notes, in the commit that
// changes them, whose membership changed: those are read by id later on.
func (c *cycle) readMembership(ctx context.Context) error {
	if c.job.Scope.All {
		return nil
	}
	c.phase("reading groups")
	if err := c.readAssigned(ctx); err != nil {
		return err
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

// rootGroups are the groups scope names and those assigned to the service principal.
func (c *cycle) rootGroups() []string {
	roots := slices.Clone(c.job.Scope.Groups)
	for _, m := range c.rec.Assigned {
		if m.IsGroup && !slices.Contains(roots, m.ID) {
			roots = append(roots, m.ID)
		}
	}
	return roots
}

// readAssigned reads the assignment list and resolves users named in the
// configuration; whoever came or went is read by id.
func (c *cycle) readAssigned(ctx context.Context) error {
	// Users who are named come first: one who is assigned as well stays known as
	// named, because the names are looked up in initial cycles only.
	now, err := c.namedUsers(ctx)
	if err != nil {
		return err
	}
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
	idle := len(changed) == 0 && len(gone) == 0 && len(now) == len(c.rec.Assigned)
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

// namedGroup marks users named in the configuration among the assigned ones.
const namedGroup = "users"

func looksLikeID(s string) bool { return len(s) == 36 && !strings.Contains(s, "@") }

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
			Message:    "cannot read the members of scope group " + id + " (" + g.DisplayName + ") in " + c.job.SourceName + ".",
			Cause:      "its membership is hidden, and the app may not see it",
			Action:     "grant Member.Read.Hidden and consent to it in " + c.job.SourceName + ", then run: tenantsync check " + c.job.Name,
			Permission: "Member.Read.Hidden"}
	}
	return nil
}

// groupsGone notes scope groups that were deleted, and those that are back. The
// members of a deleted scope group stay known: their deletes are held.
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

// readUsers reads the delta round over users, page by page; a page is staged in
// the commit that saves its link, so that a stop resumes there.
func (c *cycle) readUsers(ctx context.Context) error {
	c.phase("reading " + c.job.SourceName)
	stage := c.rec.Stage
	restarted := false
	for stage.Watermark == "" {
		page, err := c.job.Source.Changes(ctx, c.selects, stage.Cursor)
		if err != nil && directory.KindOf(err) == directory.WatermarkExpired {
			if err := c.restartRound(ctx, &restarted); err != nil {
				return err
			}
			stage = c.rec.Stage
			continue
		}
		if err != nil {
			return err
		}
		if len(page.Objects) > 0 { // of the right tenant, before anything is kept of it
			if _, err := c.sourceTenant(ctx); err != nil {
				return err
			}
		}
		if err := c.stagePage(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

// restartRound answers a link that is no longer accepted: in the middle of a
// round the stage is dropped and the round begun again from its watermark; a
// watermark that is refused makes the cycle an initial one.
func (c *cycle) restartRound(ctx context.Context, restarted *bool) error {
	begin := c.rec.Watermark
	if c.initial || *restarted || c.rec.Stage.Cursor == c.rec.Watermark {
		if begin == "" && *restarted {
			return errors.New("the source tenant refuses the links of its own delta round")
		}
		begin = ""
		c.initial = true
		c.cyc.Initial = true
	}
	*restarted = true
	c.log.Info("delta link refused, round begun again", zap.Bool("initial", begin == ""))
	c.pos, c.incomplete, c.tombstones = map[idKey]position{}, nil, nil
	c.rec.Stage.Initial, c.rec.Stage.Cursor, c.rec.Stage.Pages = c.initial, begin, 0
	return c.st.Apply(ctx, &store.Batch{DropStage: c.job.Name, Jobs: []store.Job{c.rec}, Cycles: []store.Cycle{c.cyc}})
}

func (c *cycle) stagePage(ctx context.Context, page directory.Page) error {
	stage := c.rec.Stage
	if page.Next != "" && (page.Next == stage.Cursor || stage.Pages >= maxPages) {
		return &directory.Error{Op: "read delta page", Tenant: c.job.SourceName, Kind: directory.Malformed, Message: "the page links to itself"}
	}
	if page.Next == "" && page.Watermark == "" {
		return &directory.Error{Op: "read delta page", Tenant: c.job.SourceName, Kind: directory.Malformed, Message: "the page has neither a next nor a delta link"}
	}
	b := &store.Batch{}
	if len(page.Objects) > 0 {
		stage.Pages++
		b.Stage = []store.StagePage{{Job: c.job.Name, Seq: stage.Pages, Objects: page.Objects}}
		c.index(stage.Pages, page.Objects, false)
	}
	stage.Cursor, stage.Watermark = page.Next, page.Watermark
	c.advance(len(page.Objects))
	if len(page.Objects) == 0 && page.Watermark != "" {
		return nil // nothing that a stop could lose
	}
	b.Jobs = []store.Job{c.rec}
	return c.st.Apply(ctx, b)
}

// index notes where the last image of each object stands, and which records of
// an incremental round are tombstones or lack a selected property.
func (c *cycle) index(seq int, objects []directory.Object, complete bool) {
	for i := range objects {
		o := &objects[i]
		k := keyOf(o.ID)
		c.pos[k] = position{uint32(seq), uint32(i)}
		switch {
		case complete:
		case o.Removed != directory.NotRemoved:
			c.tombstones = append(c.tombstones, o.ID)
		case !c.initial && c.lacks(o):
			c.incomplete = append(c.incomplete, o.ID)
		}
	}
}

func (c *cycle) lacks(o *directory.Object) bool {
	for _, n := range c.selects {
		if n != attrIdentities && !o.Attributes.Has(n) {
			return true
		}
	}
	return false
}

// complete reads by id, in batches, what the stage cannot tell: users whose
// membership changed, records that lack a selected property, tombstones and
// retries. The images are staged behind the round's pages.
func (c *cycle) complete(ctx context.Context) error {
	ids, err := c.toComplete(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	c.phase("reading changed users")
	for part := range slices.Chunk(ids, 200) {
		found, err := c.job.Source.Users(ctx, part, c.selects)
		if err != nil {
			return err
		}
		objects := make([]directory.Object, 0, len(found))
		for i, l := range found {
			switch {
			case l.Err == nil:
				objects = append(objects, l.Object)
			case directory.KindOf(l.Err) == directory.NotFound:
				objects = append(objects, directory.Object{ID: part[i], Removed: directory.SoftDeleted})
			default:
				c.unread[part[i]] = l.Err
			}
		}
		if len(objects) == 0 {
			continue
		}
		c.rec.Stage.Pages++
		c.index(c.rec.Stage.Pages, objects, true)
		b := &store.Batch{Jobs: []store.Job{c.rec},
			Stage: []store.StagePage{{Job: c.job.Name, Seq: c.rec.Stage.Pages, Objects: objects}}}
		if err := c.st.Apply(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (c *cycle) toComplete(ctx context.Context) ([]string, error) {
	want := map[string]bool{}
	for _, id := range c.incomplete {
		want[id] = true
	}
	if err := c.linkedOf(ctx, c.tombstones, want); err != nil {
		return nil, err
	}
	for id := range c.extra {
		// In an initial cycle everybody was just read in full; who was not is gone or out of reach.
		if _, staged := c.pos[keyOf(id)]; !c.initial || !staged {
			want[id] = true
		}
	}
	for _, e := range c.waiting.Escrows {
		if _, staged := c.pos[keyOf(e.SourceID)]; !e.Next.After(c.began) && (!c.initial || c.resumed || !staged) {
			want[e.SourceID] = true
		}
	}
	for _, in := range c.waiting.Intents {
		if _, staged := c.pos[keyOf(in.SourceID)]; !staged {
			want[in.SourceID] = true
		}
	}
	if c.initial {
		if err := c.sweep(ctx, want); err != nil {
			return nil, err
		}
	}
	return sortedNames(want), nil
}

// linkedOf adds those of the ids that have a link.
func (c *cycle) linkedOf(ctx context.Context, ids []string, want map[string]bool) error {
	for part := range slices.Chunk(ids, 1000) {
		links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: part})
		if err != nil {
			return err
		}
		for _, l := range links {
			want[l.SourceID] = true
		}
	}
	return nil
}

// sweep adds linked users of the job whom a whole round did not mention, and
// counts those that are linked.
func (c *cycle) sweep(ctx context.Context, want map[string]bool) error {
	c.linked, c.creating = 0, 0
	return c.walkLinks(ctx, func(l *store.Link) {
		if l.Job == c.job.Name && isLinked(l) {
			c.linked++
			if l.Creating {
				c.creating++
			}
		}
		if l.Job != c.job.Name || l.State == store.LinkDeleted {
			return
		}
		if _, staged := c.pos[keyOf(l.SourceID)]; !staged {
			want[l.SourceID] = true
		}
	})
}

// walkLinks visits every link of the pair in source id order.
func (c *cycle) walkLinks(ctx context.Context, visit func(*store.Link)) error {
	const page = 1000
	after := ""
	for {
		links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, After: after, Limit: page})
		if err != nil {
			return err
		}
		for i := range links {
			visit(&links[i])
		}
		if len(links) < page {
			return nil
		}
		after = links[len(links)-1].SourceID
	}
}

// idKey is an object id in 16 bytes.
type idKey [16]byte

func keyOf(id string) idKey {
	var k idKey
	if len(id) == 36 {
		if b, err := hex.DecodeString(id[0:8] + id[9:13] + id[14:18] + id[19:23] + id[24:36]); err == nil {
			copy(k[:], b)
			return k
		}
	}
	sum := sha256.Sum256([]byte(id))
	copy(k[:], sum[:])
	return k
}

// position is a place in the stage: a page and an index in it.
type position struct{ page, index uint32 }

// stagePages visits the pages of the stage in order.
func (c *cycle) stagePages(ctx context.Context, visit func(p *store.StagePage) error) error {
	for after := 0; ; {
		pages, err := c.st.StagePages(ctx, c.job.Name, after, 4)
		if err != nil {
			return err
		}
		if len(pages) == 0 {
			return nil
		}
		for i := range pages {
			if err := visit(&pages[i]); err != nil {
				return err
			}
			after = pages[i].Seq
		}
	}
}

// pageOf returns one page of the stage.
func (c *cycle) pageOf(ctx context.Context, seq uint32) (*store.StagePage, error) {
	if c.page != nil && c.page.Seq == int(seq) {
		return c.page, nil
	}
	pages, err := c.st.StagePages(ctx, c.job.Name, int(seq)-1, 1)
	if err != nil {
		return nil, err
	}
	if len(pages) == 0 || pages[0].Seq != int(seq) {
		return nil, errors.New("a page of the stage is missing")
	}
	c.page = &pages[0]
	return c.page, nil
}

// objectAt returns a staged object.
func (c *cycle) objectAt(ctx context.Context, at position) (directory.Object, error) {
	if at.page == 0 { // read on demand, not staged
		return c.full(c.loose[at.index]), nil
	}
	p, err := c.pageOf(ctx, at.page)
	if err != nil {
		return directory.Object{}, err
	}
	return c.full(p.Objects[at.index]), nil
}

// full makes a staged image whole: what a record of a whole round does not
// mention was never set, so it is null.
func (c *cycle) full(o directory.Object) directory.Object {
	if o.Removed != directory.NotRemoved {
		return o
	}
	for _, ref := range c.job.Mapping.References() {
		if !o.Attributes.Has(ref) {
			o.Attributes.Set(ref, directory.NullValue())
		}
	}
	return o
}

// monotonic time of the moment, in UTC.
func now() time.Time { return time.Now().UTC() }
