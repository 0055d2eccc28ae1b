package engine

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/store"
)

// Why a plan of one user shows a result that is not written.
const (
	droppedUnchanged = "the target has this value already"
	droppedRefused   = "the target refused it before; the next initial cycle tries again"
	droppedBlocked   = "sign-in was blocked by hand in the target: the block is kept"
	droppedManager   = "whom it leads to is not linked to a user of the target"
	droppedOther     = "nothing of this is written now"
)

// follow remembers with which link the user that a plan asks for is described:
// an adopted or newly created one is in no store.
func (c *cycle) follow(o directory.Object, link *store.Link) {
	if c.onlyUser() != "" && o.ID == c.onlyUser() {
		copied := *link
		c.preview.followed = &copied
	}
}

// attributes tells for every mapping how it comes to its value for the one user
// of the plan, whatever becomes of that user.
func (c *cycle) attributes(ctx context.Context) ([]PlanAttribute, error) {
	o, ok, err := c.followedUser(ctx)
	if err != nil || !ok {
		return nil, err
	}
	link := c.preview.followed
	if link == nil {
		known, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: []string{o.ID}})
		if err != nil {
			return nil, err
		}
		fresh := c.freshLink(o, "")
		fresh.Creating = true
		if link = &fresh; len(known) > 0 {
			link = &known[0]
		}
	}
	var change Change
	if i := slices.IndexFunc(c.preview.changes, func(ch Change) bool { return ch.Source.ID == o.ID }); i >= 0 {
		change = c.preview.changes[i]
	}
	steps := c.job.Mapping.Trace(c.mappingInput(o, link, c.began))
	out := make([]PlanAttribute, 0, len(steps))
	for i := range steps {
		a, err := c.planAttribute(ctx, &steps[i], link, &change)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// followedUser returns the user as the plan read it, or reads a user that an
// incremental round had no reason to.
func (c *cycle) followedUser(ctx context.Context) (directory.Object, bool, error) {
	if at, staged := c.pos[keyOf(c.onlyUser())]; staged {
		o, err := c.objectAt(ctx, at)
		return o, err == nil && o.Removed == directory.NotRemoved, err
	}
	found, err := c.job.Source.Users(ctx, []string{c.onlyUser()}, c.selects)
	switch {
	case err != nil:
		return directory.Object{}, false, err
	case found[0].Err != nil && directory.KindOf(found[0].Err) == directory.NotFound:
		return directory.Object{}, false, nil
	case found[0].Err != nil:
		return directory.Object{}, false, found[0].Err
	}
	o, err := c.full(ctx, found[0].Object)
	return o, err == nil, err
}

func (c *cycle) planAttribute(ctx context.Context, s *mapping.Step, link *store.Link, change *Change) (PlanAttribute, error) {
	a := PlanAttribute{Target: s.Target, Type: s.Kind.String(), Sources: make(map[string]*string, len(s.Inputs)),
		Expression: expressionText(s), FlowType: s.FlowType.String(), Dropped: string(s.Dropped),
		Result: c.shown(s.Target, s.Result), Current: c.shown(s.Target, link.Exported.Get(s.Target))}
	if s.Dropped != mapping.Written {
		a.Result = c.shown(s.Target, s.Value)
	}
	for _, in := range s.Inputs {
		a.Sources[in.Name] = nil
		if !in.Value.IsEmpty() {
			text := in.Value.String()
			if c.job.Mapping.SensitiveSource(in.Name) {
				text = mapping.SensitiveText
			}
			a.Sources[in.Name] = &text
		}
	}
	switch {
	case s.Err != nil:
		a.Result, a.Error = nil, s.Err.Error()
		return a, nil
	case change.Action == "fail" && strings.HasPrefix(change.Reason, "mapping of "+s.Target+": "): // no value is free
		a.Result, a.Error = nil, change.Reason
		return a, nil
	}
	written := slices.ContainsFunc(change.Modified, func(m ChangeProperty) bool { return m.Name == s.Target })
	if s.Target == attrManager {
		return a, c.planReference(ctx, &a, s, link, written)
	}
	switch {
	case written || s.Dropped != mapping.Written:
	case s.Unchanged:
		a.Dropped = droppedUnchanged
	case slices.Contains(link.Refused, s.Target):
		a.Dropped = droppedRefused
	case s.Target == attrAccountEnabled && (link.BlockedInTarget || change.Code == string(CodeBlockedInTarget)):
		a.Dropped = droppedBlocked
	default:
		a.Dropped = droppedOther
	}
	return a, nil
}

// planReference names the users that a reference leads to.
func (c *cycle) planReference(ctx context.Context, a *PlanAttribute, s *mapping.Step, link *store.Link, written bool) error {
	a.Current = c.shown(s.Target, directory.RefOf(link.ManagerSource))
	if s.Dropped == mapping.Written && !written {
		switch want := s.Result.Text(); {
		case s.Sensitive:
			a.Dropped = droppedOther
		case want == "":
			a.Dropped = string(mapping.NothingToClear)
		case want == link.ManagerSource && link.ManagerTarget != "":
			a.Dropped = droppedUnchanged
		default:
			a.Dropped = droppedManager
		}
	}
	if s.Sensitive {
		return nil
	}
	var err error
	if a.CurrentName, err = c.personName(ctx, link.ManagerSource); err != nil {
		return err
	}
	a.ResultName, err = c.personName(ctx, s.Value.Text())
	return err
}

// expressionText is where a value comes from, as an expression would write it.
func expressionText(s *mapping.Step) string {
	switch {
	case s.Kind == mapping.Direct:
		return "[" + s.Source + "]"
	case s.Kind == mapping.Constant && !s.Sensitive && s.Value.Kind() == directory.Text:
		return strconv.Quote(s.Source)
	case s.Kind == mapping.Constant:
		return cmp.Or(s.Source, "(none)")
	}
	return s.Source
}
