package mapping

import (
	"time"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
)

// Unique is a mapping whose value must be one that no user of the target has:
// its expression is a SelectUniqueValue. It flows only when a user is created.
type Unique struct {
	// Mapping is the index of the mapping in the list that was compiled.
	Mapping int
	// Target is the Graph name of the attribute, by which users can be looked up
	// with a plain filter.
	Target string
	// Rules is the number of rules, tried one after the other.
	Rules int
}

// Uniques returns, by the names of their targets, the mappings that are written
// and need a value that is free in the target.
func (s *Schema) Uniques() []Unique {
	var list []Unique
	for i := range s.rules {
		if r := &s.rules[i]; r.written && r.rules() > 0 {
			list = append(list, Unique{Mapping: r.index, Target: r.target.Name, Rules: r.rules()})
		}
	}
	return list
}

// Candidate returns the value that one rule of a unique mapping gives, counted
// from 0, as it would be written; "" when it gives none, which is no candidate.
// The rules before and after it are not evaluated. The error is a [*Failure].
func (s *Schema) Candidate(u Unique, rule int, source directory.Attributes, now time.Time) (string, error) {
	for i := range s.rules {
		r := &s.rules[i]
		if r.index != u.Mapping || rule < 0 || rule >= r.rules() {
			continue
		}
		return r.candidate(rule, source, now)
	}
	return "", nil
}

func (r *rule) candidate(n int, source directory.Attributes, now time.Time) (result string, err error) {
	defer r.contain(&err)
	text, err := r.program.Rule(n, expr.Env{Attributes: source, Now: now})
	if err != nil {
		return "", r.failure(err)
	}
	v := directory.TextOf(text)
	if v.IsEmpty() {
		return "", nil
	}
	converted, err := convert(v, &r.target)
	if err != nil {
		return "", r.misfit(v, err)
	}
	return converted.String(), nil
}

// rules returns how many rules the mapping chooses a free value from, 0 when it
// does not.
func (r *rule) rules() int {
	if r.program == nil {
		return 0
	}
	return r.program.Rules()
}
