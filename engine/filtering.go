package engine

import (
	"slices"
	"time"

	"tenantsync/directory"
	"tenantsync/scope"
)

// filtered judges a user by the filters of a job. Where they ask for groups, the
// user's memberships are laid over its attributes.
//
// A group that no longer exists has no members, but its end must not decide about
// anybody: a user is in scope only who is so with the members it was last known to
// have as well as with none. gone names such a group when a user out of scope
// might be in scope if it still existed: a delete that follows must wait.
func filtered(o directory.Object, as assignment, f *scope.Filter, now time.Time) (d scope.Decision, gone string) {
	if as.filters == nil {
		return f.Evaluate(o.Attributes, now), ""
	}
	in := func(groups []string) scope.Decision { return f.Evaluate(withGroups(o.Attributes, groups), now) }
	known := in(as.groups)
	missing := as.filters.gone
	if len(missing) == 0 || known.Err != nil {
		return known, ""
	}
	d = in(as.filters.existing(as.groups))
	if d.Err != nil || d.InScope && known.InScope {
		return d, ""
	}
	all := append(slices.Clone(as.groups), missing...)
	if d.InScope || known.InScope || in(all).InScope {
		gone = missing[0]
	}
	if d.InScope {
		d = known
	}
	return d, gone
}

// withGroups returns attributes with the groups a user is in; a is left as it is.
func withGroups(a directory.Attributes, groups []string) directory.Attributes {
	out := slices.Clone(a)
	out.Set(scope.MemberOf, directory.ListOf(groups...))
	return out
}
