package scope

import (
	"fmt"
	"strconv"
	"strings"

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
}

// Reason says in a sentence, without a period, what decided:
//
//	clause 1 of filter "Staff" is false: department EQUALS "Sales" (value "Retired")
func (d Decision) Reason() string { return d.ReasonHiding(nil) }

// ReasonHiding is like [Decision.Reason] and replaces the values of the
// attributes for which hide is true by "(sensitive)"; hide gets Graph names.
func (d Decision) ReasonHiding(hide func(attribute string) bool) string {
	switch {
	case d.filter == nil || d.filter.Empty():
		return "there is no filter"
	case d.InScope:
		return d.filter.label(d.Group) + " is true"
	case d.Err != nil:
		c := &d.filter.groups[d.Group].clauses[d.Clause]
		return fmt.Sprintf("clause %d of %s cannot be judged: %s: %s%s", d.Clause+1, d.filter.label(d.Group), c.text, d.Err, c.found(d.attributes, hide))
	}
	sentences := make([]string, 0, len(d.filter.groups))
	for i := range d.filter.groups {
		g := &d.filter.groups[i]
		at, verdict, _ := g.judge(d.attributes)
		if verdict != fails {
			continue // cannot be: no group holds, and none is undecided
		}
		c := &g.clauses[at]
		sentences = append(sentences, fmt.Sprintf("clause %d of %s is false: %s%s", at+1, d.filter.label(i), c.text, c.found(d.attributes, hide)))
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
	case v.IsEmpty():
		return " (no value)"
	case hide != nil && hide(c.name):
		return " (value (sensitive))"
	}
	return " (value " + quote(c.scalar(v)) + ")"
}

// quote puts a text in quotes and cuts a long one.
func quote(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most-1]) + "…"
	}
	return strconv.Quote(s)
}

// GroupResult is the verdict on one group.
type GroupResult struct {
	Title   string
	Passed  bool
	Clauses []ClauseResult
}

// ClauseResult is the verdict on one clause.
type ClauseResult struct {
	// Attribute is the Graph name of the attribute.
	Attribute string
	// Text is the clause: department EQUALS "Sales".
	Text string
	// Value is what the user has; null when there is no value.
	Value  directory.Value
	Passed bool
	// Err is not nil when the clause could not be judged.
	Err error
}

// Explain judges every clause of every group, also those that decide nothing.
func (f *Filter) Explain(a directory.Attributes) []GroupResult {
	results := make([]GroupResult, 0, len(f.groups))
	for i := range f.groups {
		g := &f.groups[i]
		_, verdict, _ := g.judge(a)
		r := GroupResult{Title: g.title, Passed: verdict == holds}
		for j := range g.clauses {
			c := &g.clauses[j]
			v := a.Get(c.name)
			if v.IsEmpty() {
				v = directory.NullValue()
			}
			passed, err := c.holds(a)
			r.Clauses = append(r.Clauses, ClauseResult{Attribute: c.name, Text: c.text, Value: v, Passed: passed, Err: err})
		}
		results = append(results, r)
	}
	return results
}
