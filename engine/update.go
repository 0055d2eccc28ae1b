package engine

import (
	"slices"
	"strings"
	"time"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/store"
)

// judgeUpdate finds out whether anything of a linked user differs.
func (c *cycle) judgeUpdate(j *judged, w *work, b *store.Batch) error {
	u, err := c.planUpdate(j.o, j.link, c.began)
	if err != nil {
		c.failMapping(b, j, err)
		return nil
	}
	c.keptDrift(b, j, &u)
	released := j.link.State == store.LinkHeld
	if u.empty() && !released && !j.link.Creating && !j.link.ManagerUnknown && !c.internal[keyOf(j.link.TargetID)] {
		if c.note(j) || j.taken {
			b.PutLinks = append(b.PutLinks, *j.link)
		}
		if c.mayLackReference(j.link) {
			w.unsure = append(w.unsure, unsure{id: j.o.ID, unchanged: true})
		}
		c.dropEscrow(b, j.o.ID)
		c.tally.Unchanged++
		if c.preview != nil && c.preview.unchanged {
			c.preview.show(Change{Action: "none", Source: ChangeSource{ID: j.o.ID, UPN: j.o.UPN()}, Modified: []ChangeProperty{},
				Target: &ChangeTarget{ID: j.link.TargetID}, Code: string(CodeRedundantExport), Reason: "source and target are equal"})
		}
		return nil
	}
	if c.mayLackReference(j.link) {
		w.unsure = append(w.unsure, unsure{id: j.o.ID})
	}
	act := actUpdate
	if released {
		act = actRelease
	}
	w.updates = append(w.updates, &item{id: j.o.ID, at: j.at, act: act, block: !j.o.Enabled() && disables(u.diff),
		member: !j.link.Creating && makesMember(u.diff)})
	return nil
}

// mayLackReference reports a user whose manager may still be to be written: a
// cycle, or provision on demand, was stopped between the user's update and its
// reference.
func (c *cycle) mayLackReference(l *store.Link) bool {
	return c.unfinished || !c.initial || l.ManagerSource != "" && l.ManagerTarget == ""
}

// makesMember reports that a guest becomes a member.
func makesMember(diff []directory.Modified) bool {
	return slices.ContainsFunc(diff, func(m directory.Modified) bool {
		return m.Name == attrUserType && strings.EqualFold(m.New.Text(), "Member")
	})
}

// note brings the link's own record of the source user up to date and reports
// whether that changed it.
func (c *cycle) note(j *judged) bool {
	l := j.link
	before := *l
	l.InScope = j.v.inScope()
	if j.v.state == sourceGone {
		return before.InScope != l.InScope || before.Job != l.Job
	}
	l.SourceDisabled = !j.o.Enabled()
	if upn := j.o.UPN(); upn != "" {
		l.UPN = upn
	}
	l.DisplayName = j.o.DisplayName()
	l.Addresses = sourceAddresses(j.o)
	if l.InScope && !l.LeftScopeAt.IsZero() {
		l.LeftScopeAt = time.Time{}
	}
	if l.InScope && l.State == store.LinkRetained {
		l.State, l.RetainedFor = store.LinkActive, ""
	}
	return before.InScope != l.InScope || before.UPN != l.UPN || before.DisplayName != l.DisplayName || before.Job != l.Job ||
		before.SourceDisabled != l.SourceDisabled || before.State != l.State ||
		before.LeftScopeAt != l.LeftScopeAt || !slices.Equal(before.Addresses, l.Addresses)
}

// update is what differs between a source user and its target user.
type update struct {
	desired directory.Attributes
	diff    []directory.Modified
	// manager is set when the wanted manager (source id, "" none) is not the one
	// the target has.
	manager       bool
	managerSource string
	// blocked: accountEnabled differs, but the target's own block is kept.
	blocked bool
}

func (u *update) empty() bool { return len(u.diff) == 0 && !u.manager }

// mappingInput is what the mappings are applied to for a user with a link: who is
// still being created gets what is written on create only.
func (c *cycle) mappingInput(o directory.Object, l *store.Link, at time.Time) mapping.Input {
	in := mapping.Input{Source: o.Attributes, Flow: mapping.Update, Current: l.Exported, Unique: c.values[o.ID], Now: at}
	if l.Creating {
		in.Flow = mapping.Create
	}
	if l.ManagerTarget != "" {
		in.Current = in.Current.Clone()
		in.Current.Set(attrManager, directory.RefOf(l.ManagerTarget))
	}
	return in
}

// planUpdate computes what is to be written for a linked user. It is pure but
// for the link, which it does not change.
func (c *cycle) planUpdate(o directory.Object, l *store.Link, at time.Time) (u update, err error) {
	defer directory.Contain(&err)
	r, err := c.job.Mapping.Apply(c.mappingInput(o, l, at))
	if err != nil {
		return update{}, err
	}
	r.Desired = c.job.stamped(r.Desired, o.ID)
	u = update{desired: r.Desired, diff: c.job.Mapping.Changes(l.Exported, r.Desired)}
	u.diff = slices.DeleteFunc(u.diff, func(m directory.Modified) bool { return slices.Contains(l.Refused, m.Name) })
	if !c.job.Actions.Update && !l.Creating {
		u.diff = nil
		return u, nil
	}
	if l.BlockedInTarget && !c.mayUnblock(o, l) {
		u.diff = slices.DeleteFunc(u.diff, func(m directory.Modified) bool {
			on, _ := m.New.Bool()
			u.blocked = u.blocked || m.Name == attrAccountEnabled && on
			return m.Name == attrAccountEnabled && on
		})
	}
	if ref := r.References.Get(attrManager); !ref.IsAbsent() {
		u.managerSource = ref.Text()
		u.manager = c.managerDiffers(u.managerSource, l)
	}
	return u, nil
}

// mayUnblock reports whether a block set by hand in the target yields: only with
// targetBlock: yield, and only when the source user itself was enabled again.
func (c *cycle) mayUnblock(o directory.Object, l *store.Link) bool {
	return c.job.YieldBlock && l.SourceDisabled && o.Enabled()
}

// managerDiffers compares the wanted manager with what the link remembers. A
// manager that waits for its own link is no difference: it is set by whoever
// links it.
func (c *cycle) managerDiffers(want string, l *store.Link) bool {
	if want != l.ManagerSource {
		return true
	}
	return want == "" && l.ManagerTarget != ""
}
