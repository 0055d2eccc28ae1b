package scope

import (
	"strconv"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/pattern"
	"tenantsync/mapping/suggest"
)

// subject is what kind of thing a clause judges.
type subject uint8

const (
	aText    subject = iota // text or a number, one value
	aLoose                  // text whose meaning is up to the tenant: it may be a number or a date
	aBoolean                // true or false
	aList                   // several texts
	aDate                   // a date or an instant
	aPerson                 // the object id of a user
	someIDs                 // object ids of groups
)

func subjectOf(name string, info attribute.Info) subject {
	switch {
	case name == MemberOf:
		return someIDs
	case info.Multivalued():
		return aList
	case info.ValueKind() == directory.Bool:
		return aBoolean
	case info.ValueKind() == directory.Ref:
		return aPerson
	case info.Date:
		return aDate
	case info.Kind == directory.Absent, strings.HasPrefix(info.Name, "extensionAttribute"):
		return aLoose
	}
	return aText
}

// fits checks that the operator fits the attribute, where its type is certain, and
// reports whether it does.
func (c *compiler) fits(cl Clause, s subject, info attribute.Info) bool {
	o, before := cl.Operator, len(c.problems)
	switch {
	case s == someIDs && o != Equals && o != NotEquals:
		c.fail("operator", "%s does not judge groups: memberOf takes EQUALS and NOT EQUALS with object ids of groups", o)
	case o == IsNull, o == IsNotNull, s == someIDs:
	case o == IsTrue || o == IsFalse:
		if s != aBoolean && info.Kind != directory.Absent {
			c.fail("operator", "%s judges Booleans, %s is %s: compare its text, as in EQUALS", o, cl.Attribute, info.TypeName())
		}
	case s == aBoolean:
		c.fail("operator", "%s does not judge Booleans, %s is one: use IS TRUE or IS FALSE", o, cl.Attribute)
	case s == aDate && !o.ordered() && o != Equals && o != NotEquals:
		c.fail("operator", "%s does not judge dates, %s is one: use EQUALS, NOT EQUALS, GREATER_THAN, GREATER_THAN_OR_EQUALS, LESS_THAN or LESS_THAN_OR_EQUALS", o, cl.Attribute)
	case s == aPerson && o != Equals && o != NotEquals:
		c.fail("operator", "%s does not judge references, %s is one: use EQUALS or NOT EQUALS with an object id, IS NULL or IS NOT NULL", o, cl.Attribute)
	}
	return len(c.problems) == before
}

// quantified checks that a clause says how several values are judged, and says it
// only where there can be several.
func (c *compiler) quantified(cl Clause, s subject) {
	null := cl.Operator == IsNull || cl.Operator == IsNotNull
	switch {
	case cl.Members > All:
		c.fail("members", "members is any or all")
	case s == aList && !null && cl.Members == Whole:
		hint := ""
		if cl.Attribute == "businessPhones" {
			hint = ", or use telephoneNumber, which stands for the first one"
		}
		c.fail("members", "%s has several values: say with members: any that one of them is enough, or with members: all that each must satisfy the clause%s", cl.Attribute, hint)
	case cl.Members == Whole:
	case cl.Operator.Unary():
		c.fail("members", "%s takes no members: it judges the attribute as a whole", cl.Operator)
	case s == someIDs:
		c.fail("members", "memberOf takes no members: EQUALS holds for members of one of the groups, NOT EQUALS for members of none")
	case s != aList && s != aLoose:
		c.fail("members", "%s has one value: members is for attributes that have several", cl.Attribute)
	}
}

// folded checks that case can count.
func (c *compiler) folded(cl Clause) {
	if cl.IgnoreCase && !cl.Operator.textual() {
		c.fail("ignoreCase", "%s takes no ignoreCase: it does not compare text", cl.Operator)
	}
}

// values checks the operands and compiles those that are numbers, dates, ids or
// patterns.
func (c *compiler) values(cl Clause, s subject, out *clause) {
	switch {
	case cl.Operator.Unary() && len(cl.Values) > 0:
		c.fail("value", "%s takes no value", cl.Operator)
		return
	case cl.Operator.Unary():
		return
	case len(cl.Values) == 0:
		c.fail("value", "%s needs a value", cl.Operator)
		return
	}
	dates := s == aDate || s == aLoose && cl.Operator.ordered() && isDates(cl.Values)
	for i, v := range cl.Values {
		switch {
		case s == someIDs || s == aPerson:
			c.id(cl, v, out, i)
		case dates:
			c.moment(cl, v, out)
		case cl.Operator.ordered() || cl.Operator.bits():
			c.number(cl, v, s, out)
		case cl.Operator == RegexMatch || cl.Operator == NotRegexMatch:
			c.pattern(cl, v, out)
		case v == "":
			c.fail("value", "empty text is no value: use IS NULL or IS NOT NULL")
		}
	}
}

// isDates reports whether the operands are dates: a clause on an extension
// attribute compares dates when it is given dates.
func isDates(values []string) bool {
	_, err := parseMoment(values[0])
	return err == nil
}

// id takes an object id in whatever case it is written: Graph writes lower case.
func (c *compiler) id(cl Clause, v string, out *clause, i int) {
	id := strings.ToLower(strings.TrimSpace(v))
	if _, ok := directory.ParseGUID(id); !ok {
		what := "users"
		if cl.Attribute == MemberOf {
			what = "groups"
		}
		c.fail("value", "%s is compared with object ids of %s, which are GUIDs; %q is none", cl.Attribute, what, v)
	}
	if cl.IgnoreCase && i == 0 {
		c.fail("ignoreCase", "%s takes no ignoreCase: object ids have no case", cl.Attribute)
	}
	out.values[i] = id
}

func (c *compiler) moment(cl Clause, v string, out *clause) {
	m, err := parseMoment(v)
	switch {
	case err != nil:
		c.fail("value", "%s is compared with dates, %q is none: write 2026-03-01, 2026-03-01T08:00:00Z, now, now-30d, now+2w or now-12h", cl.Attribute, v)
	case m.relative && !cl.Operator.ordered():
		c.fail("value", "%s with %q would be decided by a moment that never comes twice: use GREATER_THAN or LESS_THAN", cl.Operator, v)
	case cl.IgnoreCase && len(out.moments) == 0 && cl.Operator.textual():
		c.fail("ignoreCase", "%s takes no ignoreCase: it is a date", cl.Attribute)
	}
	out.moments = append(out.moments, m)
}

func (c *compiler) number(cl Clause, v string, s subject, out *clause) {
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	switch {
	case err != nil && s == aLoose && cl.Operator.ordered():
		c.fail("value", "%s compares whole numbers or dates, %q is neither", cl.Operator, v)
	case err != nil:
		c.fail("value", "%s compares whole numbers, %q is none", cl.Operator, v)
	case n == 0 && cl.Operator.bits():
		c.fail("value", "%s with 0 asks for no bit at all", cl.Operator)
	}
	out.numbers = append(out.numbers, n)
}

func (c *compiler) pattern(cl Clause, v string, out *clause) {
	option := ""
	if cl.IgnoreCase {
		option = "(?i)"
	}
	p, err := pattern.Compile(option + v)
	if v == "" {
		c.fail("value", "an empty regular expression matches everything: use IS NOT NULL")
	} else if err != nil {
		c.fail("value", "%s", err)
	}
	out.patterns = append(out.patterns, p)
}

// nearest returns the attribute that was probably meant, [MemberOf] included.
func nearest(name string) string {
	if strings.Contains(name, ".") {
		return attribute.Nearest(name)
	}
	return suggest.Nearest(name, func(yield func(string) bool) {
		if !yield(MemberOf) {
			return
		}
		for n := range attribute.Names() {
			if !yield(n) {
				return
			}
		}
	})
}
