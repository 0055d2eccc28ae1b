package scope

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tenantsync/directory"
)

// Decision is the verdict on one user.
type Decision struct {
	InScope bool
	// Group is the group that decided: the one that holds, else the first; -1 when
	// the filter is empty. Clause is the clause of it that is false or could not
	// be judged, -1 when the group holds.
	Group, Clause int
	// Err is not nil when the user could not be judged. InScope is false then but
	// means nothing: the user is neither in scope nor out of it.
	Err error

	filter     *Filter
	attributes directory.Attributes
	now        time.Time
}

// Reason says in a sentence, without a period, what decided:
//
//	clause 1 of filter "Staff" is false: department EQUALS "Sales" (value "Retired")
func (d Decision) Reason() string { return d.ReasonHiding(nil) }

// ReasonHiding is like [Decision.Reason] and hides the attributes for which hide is
// true: "(sensitive)" stands for the user's value, and for what the clause compares
// it with, which would tell the value of whoever passes. hide gets Graph names.
func (d Decision) ReasonHiding(hide func(attribute string) bool) string {
	switch {
	case d.filter == nil || d.filter.Empty():
		return "there is no filter"
	case d.InScope:
		return d.filter.label(d.Group) + " is true"
	case d.Err != nil:
		c := &d.filter.groups[d.Group].clauses[d.Clause]
		return fmt.Sprintf("clause %d of %s cannot be judged: %s: %s%s", d.Clause+1, d.filter.label(d.Group), c.shown(hide), d.Err, c.found(d.attributes, hide))
	}
	sentences := make([]string, 0, len(d.filter.groups))
	for i := range d.filter.groups {
		g := &d.filter.groups[i]
		at, verdict, _ := g.judge(&look{attributes: d.attributes, now: d.now})
		if verdict != fails {
			continue // cannot be: no group holds, and none is undecided
		}
		c := &g.clauses[at]
		sentences = append(sentences, fmt.Sprintf("clause %d of %s is false: %s%s", at+1, d.filter.label(i), c.shown(hide), c.found(d.attributes, hide)))
	}
	return strings.Join(sentences, "; ")
}

// Label returns how the deciding group is called in a sentence: filter "Staff",
// or filter 2 when it has no title; "" when there is none.
func (d Decision) Label() string {
	if d.filter == nil || d.Group < 0 {
		return ""
	}
	return d.filter.label(d.Group)
}

func (f *Filter) label(i int) string {
	if title := f.groups[i].title; title != "" {
		return "filter " + quote(title)
	}
	return "filter " + strconv.Itoa(i+1)
}

// found returns the value a clause saw, in parentheses.
func (c *clause) found(a directory.Attributes, hide func(string) bool) string {
	v := a.Get(c.name)
	switch {
	case c.groups:
		return c.foundGroups(v)
	case v.IsEmpty():
		return " (no value)"
	case hide != nil && hide(c.name):
		return " (value (sensitive))"
	}
	return " (value " + quote(c.scalar(v)) + ")"
}

// foundGroups returns which of a clause's groups the user is in, in parentheses.
func (c *clause) foundGroups(v directory.Value) string {
	in := c.ofMine(v)
	switch {
	case v.IsAbsent():
		return ""
	case len(in) == 0 && len(c.values) == 1:
		return " (not a member)"
	case len(in) == 0:
		return " (a member of none)"
	}
	return " (a member of " + strings.Join(in, ", ") + ")"
}

// ofMine returns those of the user's groups that the clause names.
func (c *clause) ofMine(v directory.Value) []string {
	var in []string
	for _, g := range v.List() {
		if slices.Contains(c.values, g) {
			in = append(in, g)
		}
	}
	return in
}

// shown is the clause in a sentence, without its values when they are hidden.
func (c *clause) shown(hide func(string) bool) string {
	if hide != nil && !c.groups && hide(c.name) {
		return c.masked
	}
	return c.text
}

// quote puts a text in quotes and cuts a long one.
func quote(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most-1]) + "…"
	}
	return strconv.Quote(s)
}
