package engine

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"go.uber.org/zap"

	"tenantsync/store"
)

// applyGuard judges the whole stage once, before the first write, and marks what
// is held.
func (c *cycle) applyGuard(ctx context.Context, w *work) error {
	approval := c.approval()
	if err := c.takeCensus(ctx, w, approval); err != nil {
		return err
	}
	w.ruling = guard(w.census, c.job)
	if approval.void != "" && w.ruling.changes != "" {
		w.ruling.changes += "; " + approval.void
	}
	if c.rules && !c.dry {
		c.log.Warn("configuration changed since the last cycle", zap.String("was", c.rec.Rules), zap.String("is", c.job.Rules),
			zap.Int("inScopeBefore", c.rec.InScope), zap.Int("inScope", c.inScope), zap.Int("changes", w.census.changes))
	}
	if code := w.ruling.holdDeletes; code != "" {
		for i := range w.leavers {
			if w.leavers[i].hold == "" {
				w.leavers[i].hold = code
			}
		}
	}
	for _, list := range [][]*item{w.creates, w.updates} {
		for _, it := range list {
			if it.code == "" && !approval.names(it) {
				it.hold = w.ruling.holdOf(it)
			}
			if it.hold != "" {
				w.heldChanges = append(w.heldChanges, c.heldMark(it))
			}
		}
	}
	if c.dry {
		w.wouldHold = c.wouldHold(w, approval)
	}
	return nil
}

// wouldHold tells which creates and updates wait for an approval, be it the one that
// applying the plan gives.
func (c *cycle) wouldHold(w *work, approval *changeApproval) *HeldChanges {
	r, n := w.ruling, len(w.heldChanges)
	if approval.all {
		plain := w.census
		plain.accepted = false
		r = guard(plain, c.job)
		for _, list := range [][]*item{w.creates, w.updates} {
			for _, it := range list {
				if it.code == "" && r.holdOf(it) != "" {
					n++
				}
			}
		}
	}
	if n == 0 {
		return nil
	}
	return &HeldChanges{Count: n, Reason: string(r.holdChanges()), Message: r.changes}
}

// takeCensus counts what the cycle would do.
func (c *cycle) takeCensus(ctx context.Context, w *work, approval *changeApproval) error {
	n := census{linked: c.linked, inScope: c.inScope, good: c.rec.GoodInScope, rulesChanged: c.rules, accepted: approval.all, first: c.first}
	for _, l := range w.leavers {
		switch l.hold {
		case "":
		case CodeScopeGroupDeleted:
			n.inScope++ // left only because a scope group is gone
			continue
		default:
			continue
		}
		n.leavers++
		if !l.due {
			n.windowLeavers++
		}
	}
	for i := range c.waiting.Holds {
		if c.waiting.Holds[i].Reason == string(CodeScopeGroupDeleted) && len(c.rec.GoneGroups) > 0 {
			n.inScope++
		}
	}
	for _, list := range [][]*item{w.creates, w.updates} {
		for _, it := range list {
			if approval.names(it) {
				continue
			}
			n.changes++
			switch {
			case it.code != "" || it.block:
			case it.act == actCreate || it.act == actRestore:
				n.creates++
			default:
				n.updates++
				if it.member {
					n.members++
				}
			}
		}
	}
	if c.onlyUser() != "" && c.initial {
		n.good = 0 // of the scope one user was looked at
	}
	err := c.lookBack(ctx, &n)
	w.census = n
	return err
}

// lookBack adds what earlier cycles did, where a guard asks for it: each cycle's
// record says what it wrote without anybody's approval.
func (c *cycle) lookBack(ctx context.Context, n *census) error {
	window, day := time.Time{}, time.Time{}
	if c.job.Prevent && c.job.Window > 0 && n.windowLeavers > 0 {
		window = c.began.Add(-c.job.Window)
		if c.rec.CountedFrom.After(window) {
			window = c.rec.CountedFrom
		}
	}
	if c.job.CreatesPerDay > 0 && n.creates > 0 {
		day = c.began.Add(-createsDay)
	}
	since := window
	if window.IsZero() || !day.IsZero() && day.Before(window) {
		since = day
	}
	if since.IsZero() {
		return nil
	}
	cycles, err := c.st.Cycles(ctx, store.CycleQuery{Job: c.job.Name, Since: since})
	if err != nil {
		return err
	}
	for i := range cycles {
		p := &cycles[i]
		if !window.IsZero() && !p.StartedAt.Before(window) && p.StartedAt.After(c.rec.CountedFrom) {
			n.windowGone += p.Removed
			n.windowLinked = max(n.windowLinked, p.Linked)
		}
		if !day.IsZero() && !p.StartedAt.Before(day) {
			n.dayCreates += p.Added
		}
	}
	return nil
}

// measure brings the cycle's record up to date with what was written so far.
func (c *cycle) measure() {
	c.cyc.Summary, c.cyc.Graph = c.tally.Summary, c.graphCounts()
	c.cyc.Linked, c.cyc.Removed, c.cyc.Added = c.linked, c.tally.removed, c.tally.Create+c.tally.Restore
	if c.request.Accept || c.request.Plan != nil {
		c.cyc.Added = 0
	}
	if c.request.Plan != nil {
		c.cyc.Removed = 0
	}
}

// approvalLife is how long an administrator may take to approve what was held:
// what is older is shown again first.
const approvalLife = 24 * time.Hour

// changeApproval is what an administrator lets through in this cycle.
type changeApproval struct {
	c     *cycle
	all   bool     // whatever the cycle finds
	marks []uint64 // sorted; what was held before
	void  string   // why an approval that was given does not count
}

// approval tells what the request lets through: what the cycle before held, or,
// where it held nothing, what this cycle finds. It ends with the cycle.
func (c *cycle) approval() *changeApproval {
	a := &changeApproval{c: c}
	switch rec := &c.rec; {
	case c.approved || c.request.Plan != nil:
		a.all = true
	case !c.request.Accept:
	case rec.HeldChanges == 0:
		a.all = true
	case rec.HeldRules != c.job.Rules:
		a.void = "the approval was for what another configuration would change"
	case c.began.Sub(rec.HeldAt) > approvalLife:
		a.void = fmt.Sprintf("the approval was for what was held on %s, which is too long ago", sayDate(rec.HeldAt))
	default:
		a.marks = rec.Held
	}
	return a
}

// names reports whether an approval of single users lets a change through.
func (a *changeApproval) names(it *item) bool {
	if len(a.marks) == 0 {
		return false
	}
	_, found := slices.BinarySearch(a.marks, a.c.heldMark(it))
	return found
}

// holdOf is the reason for which a change is held, "" when it may go.
func (r *ruling) holdOf(it *item) Code {
	switch {
	case it.act == actCreate || it.act == actRestore:
		return r.holdCreates
	case it.act == actDisable: // of a user whose deletion waits
		return ""
	case it.member && r.holdMembers != "":
		return r.holdMembers
	}
	return r.holdUpdates
}

// heldMark stands for one change of one user where it is remembered what was held:
// a user who is to be updated now is not the one who was to be created then.
func (c *cycle) heldMark(it *item) uint64 {
	kind := byte('u')
	switch {
	case it.act == actRestore:
		kind = 'r'
	case it.act == actCreate:
		kind = 'c'
	case it.matched():
		kind = 'a'
	case it.member:
		kind = 'm'
	}
	return markOf(it.id, kind)
}

func markOf(id string, kind byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))        // never fails
	_, _ = h.Write([]byte{' ', kind}) // never fails
	return h.Sum64()
}

// keepHeld remembers what is held, for the approval that may follow.
func (c *cycle) keepHeld(w *work, at time.Time) {
	c.rec.HeldChanges, c.rec.Held, c.rec.HeldRules, c.rec.HeldAt = len(w.heldChanges), nil, "", time.Time{}
	if len(w.heldChanges) == 0 {
		return
	}
	slices.Sort(w.heldChanges)
	c.rec.Held, c.rec.HeldRules, c.rec.HeldAt = w.heldChanges, c.job.Rules, at
}
