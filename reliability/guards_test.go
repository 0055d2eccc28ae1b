package reliability_test

import (
	"net/http"
	"slices"
	"time"

	"tenantsync/entra/entrasim"
)

// The guards that look beyond the numbers of one cycle, held against what was in
// the tenants and what people decided. Who was provisioned on demand is left out:
// that asks no guard.

// mayDeleteUnseen holds that a cycle deletes nobody before a person has looked,
// where an older state was put back, and where nobody is wanted any more.
func (w *world) mayDeleteUnseen(c *cycle, e *entrasim.Entry, id string, lag time.Duration) {
	home := w.truth.homes[id]
	if w.truth.demand[home] || slices.Contains(c.approved, id) {
		return
	}
	if c.old {
		w.violate("who looks old to a state put back is not deleted unseen", "%s was deleted by the first cycle over the older state", w.name(home))
	}
	if c.job == firstJob && w.emptied(c, c.resumed.Add(-lag), e.Time) {
		w.violate("an emptied scope deletes nobody unseen", "%s was deleted, and nobody was wanted since %s", w.name(home), span(c.resumed.Add(-lag).Sub(w.began)))
	}
}

// emptied reports that nobody was wanted all the time between two times, though a
// cycle had seen somebody, and that nobody has looked at it since. A scope group that
// is not there says nothing.
func (w *world) emptied(c *cycle, from, to time.Time) bool {
	h := w.truth
	if w.script.Setup.Second || len(h.forgot) > 0 || within(h.gone, true, from, to) || during(h.settings, from, to) {
		return false
	}
	for _, list := range h.wanted {
		if within(list, true, from, to) {
			return false
		}
	}
	for i := range w.cycles {
		g := &w.cycles[i]
		if g.ended.After(c.began) {
			break
		}
		if w.sawSomebody(g) && !during(h.rulings, g.began, to) {
			return true
		}
	}
	return false
}

// sawSomebody reports a cycle of the first job that ended well, all the time of which
// one and the same user was wanted and could sign in.
func (w *world) sawSomebody(g *cycle) bool {
	h := w.truth
	lag := w.lag()
	if g.job != firstJob || g.dead || g.stopped || g.full || g.result.Error != nil || within(h.gone, true, g.resumed.Add(-lag), g.ended) {
		return false
	}
	for _, list := range h.active {
		if !within(list, false, g.resumed.Add(-lag), g.ended) {
			return true
		}
	}
	return false
}

func during(times []time.Time, from, to time.Time) bool {
	return slices.ContainsFunc(times, func(at time.Time) bool { return !at.Before(from) && !at.After(to) })
}

// lag is how far behind what the source tells may be.
func (w *world) lag() time.Duration {
	return time.Duration(w.script.Setup.DeltaLag) + time.Duration(w.script.Setup.Stale)
}

// slowLeak holds that the deletes of all cycles within the window, since somebody
// last looked at what was held, stay within its threshold.
func (w *world) slowLeak(journal []entrasim.Entry) {
	limit := w.script.Setup.Window
	if limit == 0 || len(w.truth.forgot) > 0 || w.script.disables() {
		return
	}
	for i := range w.cycles {
		c := &w.cycles[i]
		if c.job != firstJob || !w.deletes(c, journal, nil) {
			continue
		}
		since := c.began.Add(-window)
		for _, at := range w.truth.rulings {
			if at.Before(c.ended) && at.After(since) {
				since = at
			}
		}
		gone := map[string]bool{}
		for k := range w.cycles[:i+1] {
			if g := &w.cycles[k]; g.job == firstJob && g.began.After(since) {
				w.deletes(g, journal, gone)
			}
		}
		if len(gone) > limit {
			w.violate("deletes add up over the window", "%d within %v with the cycle at %s, the threshold is %d", len(gone), window, span(c.began.Sub(w.began)), limit)
		}
	}
}

// deletes adds whom a cycle has certainly deleted, and reports whether there is anybody.
func (w *world) deletes(c *cycle, journal []entrasim.Entry, to map[string]bool) bool {
	some := false
	for i := c.journal; i < c.upto; i++ {
		e := &journal[i]
		id := objectIn(e.Path)
		if e.Kind != "deleteUser" || e.Status >= http.StatusBadRequest || w.truth.demand[w.truth.homes[id]] || w.uncertain(i, e.Time) || slices.Contains(c.approved, id) {
			continue
		}
		if some = true; to != nil {
			to[id] = true
		}
	}
	return some
}

// disables reports a script in which leaving scope disables at any time: the window
// counts that, and not the delete that follows.
func (s Script) disables() bool {
	return s.Setup.Job.Deprovision == "disable" || slices.ContainsFunc(s.Steps, func(x Step) bool { return x.Job != nil && x.Job.Deprovision == "disable" })
}
