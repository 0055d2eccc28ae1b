package scope

import (
	"slices"
	"strconv"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping/pattern"
)

// Group is a list of clauses that must all hold.
type Group struct {
	// Title names the group in logs; it may be empty.
	Title   string
	Clauses []Clause
}

// Clause compares one attribute of a source user.
type Clause struct {
	// Attribute is the Graph name, or an old directory name.
	Attribute string
	Operator  Operator
	// Values are the operands; one is enough to match, and for the negative
	// operators none may. Empty for the operators that take none.
	Values []string
}

// Filter is a compiled list of groups. It is immutable and safe for concurrent
// use. The zero value lets everybody pass.
type Filter struct {
	groups     []group
	attributes []string
}

type group struct {
	title   string
	clauses []clause
}

type clause struct {
	name     string // Graph's
	first    bool   // judge the first of several values
	operator Operator
	values   []string
	numbers  []int64
	patterns []*pattern.Pattern
	text     string // as it is shown
}

// Empty reports whether the filter has no group and lets everybody pass.
func (f *Filter) Empty() bool { return len(f.groups) == 0 }

// Attributes returns, sorted, the Graph names of the attributes the filter looks
// at.
func (f *Filter) Attributes() []string { return slices.Clone(f.attributes) }

// Evaluate judges one user. An absent attribute counts as null. The decision
// keeps a reference to the attributes for its reason, nothing is copied.
//
// A clause can fail to be judged when its pattern takes too long. The user is then
// in scope if another group holds, out of scope if every group has a clause that
// is false, and else undecided: the decision carries the error.
func (f *Filter) Evaluate(a directory.Attributes) Decision {
	d := Decision{InScope: len(f.groups) == 0, Group: -1, Clause: -1, filter: f, attributes: a}
	for i := range f.groups {
		at, verdict, err := f.groups[i].judge(a)
		switch {
		case verdict == holds:
			return Decision{InScope: true, Group: i, Clause: -1, filter: f, attributes: a}
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
func (g *group) judge(a directory.Attributes) (at int, result verdict, failure error) {
	at, result = -1, holds
	for i := range g.clauses {
		ok, err := g.clauses[i].holds(a)
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

// holds judges one clause.
func (c *clause) holds(a directory.Attributes) (bool, error) {
	v := a.Get(c.name)
	switch c.operator {
	case IsNull:
		return v.IsEmpty(), nil
	case IsNotNull:
		return !v.IsEmpty(), nil
	case IsTrue, IsFalse:
		b, ok := truth(v)
		return ok && b == (c.operator == IsTrue), nil
	}
	if v.IsEmpty() {
		return false, nil
	}
	switch c.operator {
	case GreaterThan, GreaterThanOrEquals, BitsSet, BitsClear:
		return c.compareNumber(v), nil
	}
	s := c.scalar(v)
	switch c.operator {
	case Equals:
		return slices.Contains(c.values, s), nil
	case NotEquals:
		return !slices.Contains(c.values, s), nil
	case Includes:
		for _, want := range c.values {
			if strings.Contains(s, want) {
				return true, nil
			}
		}
		return false, nil
	case EndsWith:
		for _, want := range c.values {
			if strings.HasSuffix(s, want) {
				return true, nil
			}
		}
		return false, nil
	case RegexMatch:
		return c.matches(s)
	case NotRegexMatch:
		matched, err := c.matches(s)
		return !matched, err
	}
	return false, nil
}

// matches reports whether one of the patterns is found. One that is found makes
// up for another that takes too long.
func (c *clause) matches(s string) (bool, error) {
	var failure error
	for _, p := range c.patterns {
		ok, err := p.Match(s)
		if ok {
			return true, nil
		}
		if err != nil && failure == nil {
			failure = err
		}
	}
	return false, failure
}

func (c *clause) compareNumber(v directory.Value) bool {
	n, ok := v.Int()
	if !ok {
		var err error
		if n, err = strconv.ParseInt(strings.TrimSpace(c.scalar(v)), 10, 64); err != nil {
			return false
		}
	}
	for _, operand := range c.numbers {
		var hit bool
		switch c.operator {
		case GreaterThan:
			hit = n > operand
		case GreaterThanOrEquals:
			hit = n >= operand
		default:
			hit = n&operand != 0
		}
		if hit {
			return c.operator != BitsClear
		}
	}
	return c.operator == BitsClear
}

// scalar returns the text a clause judges. An attribute with several values does
// not get here unless its first value is meant.
func (c *clause) scalar(v directory.Value) string {
	if c.first {
		if members := v.List(); len(members) > 0 {
			return members[0]
		}
	}
	return v.String()
}

// truth reads a Boolean, or the text of one: a directory extension may hold either.
func truth(v directory.Value) (is, ok bool) {
	if b, ok := v.Bool(); ok {
		return b, true
	}
	switch s := v.Text(); {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}
