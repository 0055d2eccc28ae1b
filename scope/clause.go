package scope

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"tenantsync/directory"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/pattern"
)

// MemberOf is the attribute that stands for a user's groups. Graph has no such
// property of a user: whoever judges adds the object ids of those groups of
// [Filter.Groups] that the user is a member of, as a list. Beyond Entra.
const MemberOf = "memberOf"

// ErrUnknownGroups says that a clause asks for groups, and the user's were not
// given: nobody may be taken for outside of a group that was not looked into.
var ErrUnknownGroups = errors.New("the groups of the user are not known")

// Members says how an attribute with several values is judged.
type Members uint8

// The ways to judge several values. Without one an attribute that has several
// values cannot be judged.
const (
	// Whole: the attribute has one value.
	Whole Members = iota
	// Any: one of the values must satisfy the clause.
	Any
	// All: every one of the values must, and there must be one.
	All
)

// memberWords are the ways as configuration writes them.
var memberWords = [...]string{"", "any", "all"}

// String returns the word configuration has for it, "" for Whole.
func (m Members) String() string {
	if int(m) >= len(memberWords) {
		return "members(" + strconv.Itoa(int(m)) + ")"
	}
	return memberWords[m]
}

// ParseMembers returns the way with that name; ok is false for any other word.
func ParseMembers(word string) (m Members, ok bool) {
	switch i := slices.Index(memberWords[1:], word); {
	case i >= 0:
		return Members(i + 1), true
	default:
		return Whole, false
	}
}

// Clause compares one attribute of a source user.
type Clause struct {
	// Attribute is the Graph name, an old directory name, or [MemberOf].
	Attribute string
	Operator  Operator
	// Values are the operands; one is enough to match, and for the negative
	// operators none may. Empty for the operators that take none.
	Values []string
	// IgnoreCase compares text without regard to upper and lower case. Beyond Entra.
	IgnoreCase bool
	// Members says how several values are judged. Beyond Entra.
	Members Members
}

// Beyond reports whether Microsoft's own service could not have the clause.
func (c Clause) Beyond() bool {
	info, _ := attribute.Lookup(c.Attribute)
	return c.Attribute == MemberOf || c.Operator.Beyond() || c.IgnoreCase || c.Members != Whole || info.Unfiltered != ""
}

// clause is a compiled clause. At most one of numbers, patterns and moments is
// filled.
type clause struct {
	name       string // Graph's
	first      bool   // judge the first of several values
	groups     bool   // the attribute is MemberOf
	ignoreCase bool
	members    Members
	operator   Operator
	values     []string
	numbers    []int64
	patterns   []*pattern.Pattern
	moments    []moment
	text       string // as it is shown
	masked     string // as it is shown where its values must not be
}

// look is one look at a user: what is known of it, when, and how much time its
// patterns have taken.
type look struct {
	attributes directory.Attributes
	now        time.Time
	patterns   pattern.Budget
}

// holds judges one clause. A panic over the user's value leaves the clause
// undecided, with a [*directory.Fault].
func (c *clause) holds(l *look) (result bool, err error) {
	defer directory.Contain(&err)
	v := l.attributes.Get(c.name)
	switch c.operator {
	case IsNull:
		return v.IsEmpty(), nil
	case IsNotNull:
		return !v.IsEmpty(), nil
	case IsTrue, IsFalse:
		b, ok := truth(v)
		return ok && b == (c.operator == IsTrue), nil
	}
	switch {
	case c.groups:
		return c.inGroups(v)
	case v.IsEmpty():
		return false, nil
	case c.members != Whole:
		return c.each(v, l)
	case c.numbers != nil:
		n, ok := c.number(v)
		return ok && c.compareNumber(n), nil
	}
	return c.one(c.scalar(v), l)
}

// inGroups judges [MemberOf]. Being in no group is an answer, not the lack of
// one: NOT EQUALS is true then.
func (c *clause) inGroups(v directory.Value) (bool, error) {
	if v.IsAbsent() {
		return false, ErrUnknownGroups
	}
	for _, g := range v.List() {
		if slices.Contains(c.values, g) {
			return c.operator == Equals, nil
		}
	}
	return c.operator != Equals, nil
}

// each judges several values. A value that settles the clause makes up for
// another that cannot be judged.
func (c *clause) each(v directory.Value, l *look) (bool, error) {
	if v.Kind() != directory.List {
		return c.one(c.scalar(v), l)
	}
	var failure error
	for _, s := range v.List() {
		ok, err := c.one(s, l)
		switch {
		case err != nil:
			failure = err
		case ok == (c.members == Any):
			return ok, nil
		}
	}
	return c.members == All && failure == nil, failure
}

// one judges the text of one value.
func (c *clause) one(s string, l *look) (bool, error) {
	if c.moments != nil {
		return c.compareMoment(s, l.now), nil
	}
	if c.numbers != nil {
		n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		return err == nil && c.compareNumber(n), nil
	}
	switch c.operator {
	case RegexMatch:
		return c.matches(s, l)
	case NotRegexMatch:
		matched, err := c.matches(s, l)
		return !matched, err
	}
	for _, want := range c.values {
		var hit bool
		switch c.operator {
		case Equals, NotEquals:
			hit = c.equals(s, want)
		case Includes, NotIncludes:
			hit = c.contains(s, want)
		case StartsWith:
			hit = c.starts(s, want)
		case EndsWith:
			hit = c.ends(s, want)
		}
		if hit {
			return !c.operator.negative(), nil
		}
	}
	return c.operator.negative(), nil
}

// matches reports whether one of the patterns is found. One that is found makes
// up for another that takes too long.
func (c *clause) matches(s string, l *look) (bool, error) {
	var failure error
	for _, p := range c.patterns {
		ok, err := l.patterns.Match(p, s)
		if ok {
			return true, nil
		}
		if err != nil && failure == nil {
			failure = err
		}
	}
	return false, failure
}

// number reads a whole number, or the text of one.
func (c *clause) number(v directory.Value) (n int64, ok bool) {
	if n, ok := v.Int(); ok {
		return n, true
	}
	n, err := strconv.ParseInt(strings.TrimSpace(c.scalar(v)), 10, 64)
	return n, err == nil
}

func (c *clause) compareNumber(n int64) bool {
	for _, operand := range c.numbers {
		var hit bool
		switch c.operator {
		case GreaterThan:
			hit = n > operand
		case GreaterThanOrEquals:
			hit = n >= operand
		case LessThan:
			hit = n < operand
		case LessThanOrEquals:
			hit = n <= operand
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
// not get here unless its first value is meant, or it is a directory extension
// that nobody said to have several.
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
