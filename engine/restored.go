package engine

import (
	"tenantsync/directory"
	"tenantsync/store"
)

// A state that was put back from a copy is as old as the copy: users it knows may
// be gone, users it does not know may be there, and a delete it would make may
// have been taken back since. So its first cycle compares everybody, takes nothing
// from a half-read round, and holds every delete for a person to look at. Creates
// go through matching, updates are judged by what the target has now.

// oldState reports a state that was put back and was not compared since.
func (c *cycle) oldState() bool { return !c.rec.Restored.IsZero() }

// holdOf is why the deletion of a leaver waits before any threshold is asked, ""
// when it does not.
func (c *cycle) holdOf(v verdict) Code {
	if v.hold == "" && c.oldState() {
		return CodeStateRestored
	}
	return v.hold
}

// doubtManager has the manager of a linked user read from the target: what an old
// state says of it may have been changed, and changed back in the source, since. It
// reports whether that changed the link.
func (c *cycle) doubtManager(link *store.Link) bool {
	if !c.oldState() || link.ManagerUnknown || link.Creating || !isLinked(link) || !c.job.mapsManager() {
		return false
	}
	link.ManagerUnknown = true
	return true
}

// completed ends what an old state says of a user that was still being created
// then: the target shows that it was completed since, and what is written on
// create only is not written again. It reports whether that changed the link.
func (c *cycle) completed(link *store.Link, o directory.Object) bool {
	if !c.oldState() || !link.Creating || untouched(o) {
		return false
	}
	link.Creating = false
	if isLinked(link) {
		c.rec.Linked++ // the sweep has not counted it
	}
	return true
}
