package scope

import (
	"slices"
	"time"

	"tenantsync/directory"
)

// Group is a list of clauses that must all hold.
type Group struct {
	// Title names the group in logs; it may be empty.
	Title   string
	Clauses []Clause
}

// Filter is a compiled list of groups. It is immutable and safe for concurrent
// use. The zero value lets everybody pass.
type Filter struct {
	groups     []group
	attributes []string
	memberOf   []string
	timed      bool
}

type group struct {
	title   string
	clauses []clause
}

// Empty reports whether the filter has no group and lets everybody pass.
func (f *Filter) Empty() bool { return len(f.groups) == 0 }

// Attributes returns, sorted, the Graph names of the attributes the filter looks
// at; [MemberOf] is not among them.
func (f *Filter) Attributes() []string { return slices.Clone(f.attributes) }

// Groups returns, sorted, the object ids of the groups whose members the filter
// asks for (see [MemberOf]).
func (f *Filter) Groups() []string { return slices.Clone(f.memberOf) }

// Timed reports whether the filter compares with a date relative to the present:
// a verdict can change then without any change of the user.
func (f *Filter) Timed() bool { return f.timed }

// Evaluate judges one user at the given time, which counts for filters that are
// [Filter.Timed] only. An absent attribute counts as null, except [MemberOf]: a
// clause that asks for it cannot be judged then ([ErrUnknownGroups]). The decision
// keeps a reference to the attributes for its reason, nothing is copied.
//
// A clause can also fail to be judged when its pattern takes too long. The user is
// in scope then if another group holds, out of scope if every group has a clause
// that is false, and else undecided: the decision carries the error.
func (f *Filter) Evaluate(a directory.Attributes, now time.Time) Decision {
	d := Decision{InScope: len(f.groups) == 0, Group: -1, Clause: -1, filter: f, attributes: a, now: now}
	l := look{attributes: a, now: now}
	for i := range f.groups {
		at, verdict, err := f.groups[i].judge(&l)
		switch {
		case verdict == holds:
			return Decision{InScope: true, Group: i, Clause: -1, filter: f, attributes: a, now: now}
		case verdict == undecided && d.Err == nil:
			d.Group, d.Clause, d.Err = i, at, err
		case d.Group < 0:
			d.Group, d.Clause = i, at
		}
	}
	return d
}

type verdict uint8

const (
	fails verdict = iota
	holds
	undecided
)

// judge returns the verdict on a group and the clause that led to it. A clause
// that is false settles the group even if another one cannot be judged.
func (g *group) judge(l *look) (at int, result verdict, failure error) {
	at, result = -1, holds
	for i := range g.clauses {
		ok, err := g.clauses[i].holds(l)
		switch {
		case err != nil:
			if result == holds {
				at, result, failure = i, undecided, err
			}
		case !ok:
			return i, fails, nil
		}
	}
	return at, result, failure
}
