package reliability_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// decisions are what people have decided, or have still to decide, of the users of
// a job, by target id.
type decisions struct {
	held     map[string]time.Time // whose deletion waits for approval, and since when
	retained map[string]bool      // whose deletion was rejected after they left scope
}

// decisions looks at what the state holds when a cycle begins.
func (w *world) decisions(job string) decisions {
	d := decisions{held: map[string]time.Time{}, retained: map[string]bool{}}
	waiting, err := w.p.st.Waiting(context.Background(), job)
	if err != nil {
		w.violate("what waits can be read", "%v", err)
	}
	for _, h := range waiting.Holds {
		if h.Reason != "ScopeGroupDeleted" { // that ends by itself, when the group is back
			d.held[h.TargetID] = h.Since
		}
	}
	links, err := w.p.st.Links(context.Background(), store.LinkQuery{Pair: store.Pair{Source: w.source.ID, Target: w.target.ID}})
	if err != nil {
		w.violate("links can be read", "%v", err)
	}
	for _, l := range links {
		if l.Job == job && l.State == store.LinkRetained && l.RetainedFor == "scope" {
			_, d.retained[l.TargetID] = w.source.User(l.SourceID)
		}
	}
	return d
}

// mayDelete holds a delete against what was decided of the user.
func (w *world) mayDelete(c *cycle, e *entrasim.Entry, id string) {
	h, home := w.truth, w.truth.homes[id]
	since, held := c.decided.held[id]
	if held && !slices.ContainsFunc(h.allows, func(at time.Time) bool { return !at.Before(since) && !at.After(e.Time) }) {
		w.violate("what is held waits for approval", "%s was deleted; its deletion is held since %s", w.name(home), span(since.Sub(w.began)))
	}
	if w.uneventful(c, id, e.Time) {
		w.violate("whose deletion was rejected is kept", "%s was deleted, and nothing has happened to the user since", w.name(home))
	}
	if slices.ContainsFunc(w.script.Steps, func(s Step) bool { return s.Do == "configure" }) {
		return // other settings may have been there when it was judged
	}
	after := time.Duration(w.job.DeleteAfter)
	switch first := h.wanted[home]; {
	case w.job.NoDelete, w.job.Deprovision == "none", w.job.Deprovision == "disable" && after == 0:
		w.violate("a delete is what the settings ask for", "%s was deleted", w.name(home))
	case w.job.Deprovision == "disable" && len(first) > 0 && !within(first, false, first[0].at, e.Time.Add(-after)):
		w.violate("a delete is what the settings ask for", "%s was deleted within %v of leaving", w.name(home), after)
	}
}

// uneventful reports a target user whose deletion had been rejected when the cycle
// began, and whose source user is out of scope as before.
func (w *world) uneventful(c *cycle, id string, until time.Time) bool {
	home := w.truth.homes[id]
	_, there := w.source.User(home)
	lags := w.script.Setup.DeltaLag > 0 || w.script.Setup.Stale > 0
	return c.decided.retained[id] && there && !lags && c.resumed.Equal(c.began) && !within(w.truth.wanted[home], true, c.began, until)
}

// judgedOnce holds that a deletion that was rejected does not wait for approval
// again before something happens to the user.
func (w *world) judgedOnce(c *cycle) {
	after := w.decisions(c.job)
	for _, id := range sortedKeys(after.held) {
		if w.uneventful(c, id, c.ended) {
			w.violate("whose deletion was rejected is kept", "the deletion of %s waits for approval again", w.name(w.truth.homes[id]))
		}
	}
}

// mayInvite holds that nobody is invited whom nobody wanted, or who could not sign
// in, all the time since the reading began.
func (w *world) mayInvite(c *cycle, e *entrasim.Entry, lag time.Duration) {
	if c.job != firstJob {
		return
	}
	address, from, when := strings.ToLower(what(e)[0].target), c.resumed.Add(-lag), w.truth.active
	if slices.ContainsFunc(w.truth.settings, func(at time.Time) bool { return !at.Before(from) && !at.After(e.Time) }) {
		when = w.truth.able // whom the present settings want, as read before they came
	}
	if !slices.ContainsFunc(w.truth.bearers[address], func(id string) bool {
		// A cycle that takes up the reading of a stopped one joins what that has read of
		// the user, which is told once, with a membership that it heard of later.
		return within(when[id], true, from, e.Time) ||
			!c.resumed.Equal(c.began) && within(w.truth.wanted[id], true, from, e.Time) && within(w.truth.able[id], true, from, e.Time)
	}) {
		w.violate("an invitation is justified when it is sent", "nobody with the address %s was wanted and could sign in since the reading began at %s",
			address, span(c.resumed.Sub(w.began)))
	}
}

// mayRestore holds that who was deleted by hand in the target stays deleted, but
// for a command that asks for the restore.
func (w *world) mayRestore(e *entrasim.Entry, id string) {
	h := w.truth
	at, binned := h.binned[id]
	if !binned || len(h.backs[id]) > 0 || e.Status >= http.StatusBadRequest || !e.Time.After(at) || len(h.forgot) > 0 || h.demand[h.homes[id]] {
		return
	}
	before := slices.ContainsFunc(w.target.Journal(), func(b entrasim.Entry) bool {
		return b.Kind == "restore" && objectIn(b.Path) == id && b.Time.Before(at)
	})
	if !before { // else it may be that restore again, whose answer was lost
		w.violate("who is deleted by hand in the target stays deleted", "%s was restored", w.name(h.homes[id]))
	}
}
