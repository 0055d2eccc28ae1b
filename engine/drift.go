package engine

import (
	"slices"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/store"
)

// Drift is what somebody else changed in the target: a mapped attribute has
// another value than the one last exported. Only a comparison sees it. What was
// last exported is the measure, so nothing is called drift, or kept, where that
// is not known: in the first cycle after a state was put back or a cycle was
// stopped, of a user whose last write failed or who is still being created, and
// of a user that another job wrote. There the target's own values are compared.

// drifted notes which values of a linked target user somebody else set, and
// returns the values to compare with: known, which it changes, but for attributes
// whose drift is kept, which stay as they were last exported.
func (c *cycle) drifted(link *store.Link, known directory.Attributes, names []string) directory.Attributes {
	if c.oldState() || c.unfinished || link.Creating || link.Job != c.job.Name || c.valuesWait(link.SourceID) {
		return known
	}
	var drift directory.Attributes
	for _, name := range names {
		was, is := link.Exported.Get(name), known.Get(name)
		if was.IsEmpty() && c.rules || c.job.Mapping.Same(name, was, is) { // a mapping that may be new has exported nothing yet
			continue
		}
		if is.IsEmpty() {
			is = directory.NullValue()
		}
		drift.Set(name, is)
		if c.job.Mapping.Drift(name) != mapping.Overwrite {
			known.Set(name, was)
		}
	}
	if drift != nil {
		if c.drift == nil {
			c.drift = map[idKey]directory.Attributes{}
		}
		c.drift[keyOf(link.SourceID)] = drift
	}
	return known
}

// overwritten names the attributes among those written that somebody else had
// changed in the target, "" for none.
func (c *cycle) overwritten(sourceID string, diff []directory.Modified) string {
	drift := c.drift[keyOf(sourceID)]
	var names []string
	for _, m := range diff {
		if drift.Has(m.Name) {
			names = append(names, m.Name)
		}
	}
	return strings.Join(names, ", ")
}

// keptDrift tells of the values that somebody else set in the target and that the
// user's update leaves there: the plan lists them, the log warns of those whose
// mapping says so.
func (c *cycle) keptDrift(b *store.Batch, j *judged, u *update) {
	var kept, warned []string
	for _, a := range c.drift[keyOf(j.o.ID)] {
		written := slices.ContainsFunc(u.diff, func(m directory.Modified) bool { return m.Name == a.Name })
		policy := c.job.Mapping.Drift(a.Name)
		if written || policy == mapping.Overwrite {
			continue
		}
		kept = append(kept, a.Name)
		if policy == mapping.Warn {
			warned = append(warned, a.Name)
		}
	}
	if len(kept) > 0 && c.preview != nil {
		c.preview.kept = append(c.preview.kept, KeptInTarget{Source: ChangeSource{ID: j.o.ID, UPN: j.o.UPN()}, Target: ChangeTarget{ID: j.link.TargetID}, Attributes: kept})
	}
	if len(warned) == 0 {
		return
	}
	names := strings.Join(warned, ", ")
	reason := names + " changed by somebody else in " + c.job.TargetName + ", which is kept"
	r := c.newRecord(j.o, j.link, now()).importStep(j.o, true)
	r.step("EntrySynchronizationSkip", stepProcessing, statusWarning, reason, "SkipReason", string(CodeChangedInTarget), "PropertyName", names)
	b.Log = append(b.Log, r.result(statusWarning, CodeChangedInTarget, reason).done(now()))
}

// driftDetail names what somebody else changed in the target, as a detail of a step.
func (c *cycle) driftDetail(sourceID string, details map[string]string) map[string]string {
	if drift := c.drift[keyOf(sourceID)]; len(drift) > 0 {
		details[string(CodeChangedInTarget)] = strings.Join(drift.Names(), ", ")
	}
	return details
}
