package scope

import (
	"time"

	"tenantsync/directory"
)

// GroupResult is the verdict on one group.
type GroupResult struct {
	Title   string
	Passed  bool
	Clauses []ClauseResult
}

// ClauseResult is the verdict on one clause.
type ClauseResult struct {
	// Attribute is the Graph name of the attribute, or [MemberOf].
	Attribute string
	// Text is the clause: department EQUALS "Sales". Masked is the same without
	// the values it compares with, for attributes that are not to be shown.
	Text, Masked string
	// Value is what the user has; null when there is no value. For [MemberOf] it
	// lists those of the clause's groups that the user is a member of.
	Value directory.Value
	// Resolved says what relative dates of the clause are at the time of the
	// verdict: now-30d is 2026-01-30T08:00:00Z; "" without one.
	Resolved string
	Passed   bool
	// Err is not nil when the clause could not be judged.
	Err error
}

// Explain judges every clause of every group at the given time, also those that
// decide nothing.
func (f *Filter) Explain(a directory.Attributes, now time.Time) []GroupResult {
	results := make([]GroupResult, 0, len(f.groups))
	for i := range f.groups {
		g := &f.groups[i]
		_, verdict, _ := g.judge(&look{attributes: a, now: now})
		r := GroupResult{Title: g.title, Passed: verdict == holds}
		for j := range g.clauses {
			r.Clauses = append(r.Clauses, g.clauses[j].explain(a, now))
		}
		results = append(results, r)
	}
	return results
}

func (c *clause) explain(a directory.Attributes, now time.Time) ClauseResult {
	v := a.Get(c.name)
	if c.groups {
		v = directory.ListOf(c.ofMine(v)...)
	}
	if v.IsEmpty() {
		v = directory.NullValue()
	}
	passed, err := c.holds(&look{attributes: a, now: now})
	return ClauseResult{Attribute: c.name, Text: c.text, Masked: c.masked, Value: v, Resolved: c.resolved(now), Passed: passed, Err: err}
}
