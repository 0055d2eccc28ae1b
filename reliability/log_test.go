package reliability_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// written is one thing that a write did to a target user: an attribute got a
// value, or the user was invited, deleted or restored.
type written struct {
	target, name, value string
}

// what takes a write of the target's journal apart. The target of an invitation is its address.
func what(e *entrasim.Entry) []written {
	id := objectIn(e.Path)
	var body map[string]any
	_ = json.Unmarshal([]byte(e.Body), &body) // a write without a body has none
	switch e.Kind {
	case "invite":
		return []written{{fmt.Sprint(body["invitedUserEmailAddress"]), "invited", ""}}
	case "deleteUser":
		return []written{{id, "deleted", ""}}
	case "restore":
		return []written{{id, "IsSoftDeleted", "False"}}
	case "putManager":
		ref := fmt.Sprint(body["@odata.id"])
		return []written{{id, "manager", ref[strings.LastIndexByte(ref, '/')+1:]}}
	case "deleteManager":
		return []written{{id, "manager", ""}}
	}
	var out []written
	for _, name := range sortedKeys(body) {
		out = append(out, written{id, name, text(body[name])})
	}
	return out
}

// text is a value as the provisioning log writes it.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// logs holds the provisioning log against the journal of the target: every write
// that took effect has its entry, and every entry of a success its writes.
func (w *world) logs() {
	entries, err := w.p.st.Log(context.Background(), store.LogQuery{Follow: true})
	if err != nil {
		w.violate("the log can be read", "%v", err)
		return
	}
	said := map[written][]time.Time{}
	failed := map[string][]time.Time{} // by target id or address: what is said to have failed
	for i := range entries {
		e := &entries[i]
		if e.TargetSystem.ID != w.target.ID {
			continue
		}
		for _, target := range []string{e.TargetIdentity.ID, e.SourceIdentity.ID} {
			if e.StatusInfo.Status == "failure" {
				failed[target] = append(failed[target], e.ActivityDateTime)
			}
		}
		for _, s := range saidOf(e) {
			said[s] = append(said[s], e.ActivityDateTime)
		}
	}
	did := map[written][]time.Time{}
	journal := w.target.Journal()
	for i := range journal {
		e := &journal[i]
		if e.Status >= http.StatusBadRequest {
			if e.Kind == "deleteManager" && e.Status == http.StatusNotFound { // there was none: what was wanted is so
				did[what(e)[0]] = append(did[what(e)[0]], e.Time)
			}
			continue
		}
		for _, x := range what(e) {
			did[x] = append(did[x], e.Time)
			if e.Kind == "invite" || w.uncertain(i, e.Time) || w.truth.forgotten(e.Time) {
				continue
			}
			at := e.Time
			if x.name == "manager" {
				at = w.cycleOf(i, at) // it is said with the create it belongs to, long before where it was throttled
			}
			if !after(said[x], at) && !after(failed[x.target], e.Time) && !after(failed[w.truth.homes[x.target]], e.Time) {
				w.violate("every write has its log entry", "%s: %s %s got %q and the log does not say so", span(e.Time.Sub(w.began)), w.name(x.target), x.name, w.named(x.value))
			}
		}
	}
	if len(w.truth.forgot) > 0 {
		return // the log remembers what the target has not seen
	}
	for i := range entries {
		e := &entries[i]
		if e.TargetSystem.ID != w.target.ID || e.StatusInfo.Status != "success" {
			continue
		}
		for _, s := range saidOf(e) {
			if s.name == "deleted" { // it may have been gone already
				continue
			}
			if s.name == "manager" && s.value == "" && w.brokeOff(e.ActivityDateTime) {
				// Of a process that died nobody can say whether it took a manager away, or
				// whether there was none: the log says what the target shows.
				continue
			}
			if w.doneMeanwhile(s, e.ActivityDateTime) {
				continue
			}
			if len(did[s]) == 0 {
				w.violate("every entry of a success has its write", "%s: %s %s is said to have got %q", span(e.ActivityDateTime.Sub(w.began)), w.name(s.target), s.name, w.named(s.value))
			}
		}
	}
}

// cycleOf is when the cycle began that made a write, or the time of a write of none.
func (w *world) cycleOf(at int, wrote time.Time) time.Time {
	for i := range w.cycles {
		if c := &w.cycles[i]; at >= c.journal && at < c.upto {
			return c.began
		}
	}
	return wrote
}

// after reports whether one of the times is not before the given one, to the
// precision the log keeps.
func after(times []time.Time, at time.Time) bool {
	for _, t := range times {
		if !t.Before(at.Add(-time.Minute)) {
			return true
		}
	}
	return false
}

// saidOf is what an entry says was written.
func saidOf(e *store.Entry) []written {
	var out []written
	id := e.TargetIdentity.ID
	if s := e.StatusInfo.Status; s != "success" && s != "warning" {
		return nil
	}
	for _, p := range e.Modified {
		v := ""
		if p.NewValue != nil {
			v = *p.NewValue
		}
		out = append(out, written{id, p.DisplayName, v})
	}
	if e.Action == "delete" {
		out = append(out, written{id, "deleted", ""})
	}
	return out
}

// uncertain reports a write whose record may be missing because the process died,
// or found no space, before it was committed: it belongs to the last batch of its
// cycle, and is repeated, and then logged, only if it is still wanted.
func (w *world) uncertain(at int, when time.Time) bool {
	for i := range w.cycles {
		c := &w.cycles[i]
		if at < c.journal || at >= c.upto {
			continue
		}
		return (c.dead || c.full) && when.After(c.commit)
	}
	return false
}

// brokeOff reports whether a cycle died, was stopped or failed before the given time.
func (w *world) brokeOff(before time.Time) bool {
	for i := range w.cycles {
		if c := &w.cycles[i]; (c.dead || c.stopped || c.full) && !c.began.After(before) {
			return true
		}
	}
	return false
}

// doneMeanwhile reports what an administrator of the target did by hand after a
// cycle had broken off and before the given time: a restore, or a value. The process
// that died may have been about to do the same, and nobody can say which of the two
// it was.
func (w *world) doneMeanwhile(x written, before time.Time) bool {
	times := w.truth.set[x]
	if x.name == "IsSoftDeleted" {
		times = w.truth.backs[x.target]
	}
	return slices.ContainsFunc(times, func(at time.Time) bool { return !at.After(before) && w.brokeOff(at) })
}

// createOnly holds that what is written on create only is never written again:
// but for the repetition of a create that was not committed, or of which nobody
// learned whether it had taken place.
func (w *world) createOnly(journal []entrasim.Entry) {
	first := map[string]int{}
	for i := range journal {
		e := &journal[i]
		if e.Kind != "updateUser" || e.Status >= http.StatusBadRequest || !strings.Contains(e.Body, `"userType"`) {
			continue
		}
		id := objectIn(e.Path)
		before, again := first[id]
		first[id] = i
		unanswered := slices.ContainsFunc(w.lost, func(at time.Time) bool { return at.Equal(journal[before].Time) })
		if again && !unanswered && !w.uncertain(before, journal[before].Time) && !w.sameCycle(before, i) {
			w.violate("create-only attributes are written once", "%s got userType again at %s, after %s", w.name(id),
				span(e.Time.Sub(w.began)), span(journal[before].Time.Sub(w.began)))
		}
	}
}

// sameCycle reports two writes of one cycle: the first one's answer was lost.
func (w *world) sameCycle(a, b int) bool {
	for i := range w.cycles {
		if c := &w.cycles[i]; a >= c.journal && b < c.upto {
			return true
		}
	}
	return false
}
