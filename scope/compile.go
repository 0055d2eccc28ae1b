package scope

import (
	"fmt"
	"slices"
	"strings"

	"tenantsync/mapping/attribute"
)

// Problem is something wrong with a filter; it cannot be used.
type Problem struct {
	// Group and Clause are indexes; Clause is -1 when the group itself is wrong.
	Group, Clause int
	// Field is the key of the clause that is wrong: attribute, operator, value,
	// ignoreCase, members; or "clauses" of the group.
	Field string
	// Message says what is wrong, on one line and without a period.
	Message string
	// Suggestion is the valid word that was probably meant, or "".
	Suggestion string
}

// Error returns the message with its suggestion.
func (p Problem) Error() string {
	if p.Suggestion == "" {
		return p.Message
	}
	return fmt.Sprintf("%s (did you mean %s?)", p.Message, p.Suggestion)
}

// compiler collects the problems of a filter.
type compiler struct {
	problems      []Problem
	group, clause int
}

func (c *compiler) fail(field, format string, args ...any) {
	c.problems = append(c.problems, Problem{Group: c.group, Clause: c.clause, Field: field, Message: fmt.Sprintf(format, args...)})
}

// Compile checks groups and makes a filter of them. It returns every problem, in
// the order of the groups and clauses; with a problem there is no filter.
func Compile(groups []Group) (*Filter, []Problem) {
	c := &compiler{}
	f := &Filter{}
	for i, g := range groups {
		c.group, c.clause = i, -1
		if len(g.Clauses) == 0 {
			// All of no clauses would hold for everybody.
			c.fail("clauses", "the filter has no clause and would let everybody in")
		}
		compiled := group{title: g.Title}
		for j, cl := range g.Clauses {
			c.clause = j
			compiled.clauses = append(compiled.clauses, c.compile(cl))
		}
		f.groups = append(f.groups, compiled)
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	f.note()
	return f, nil
}

// note collects what the clauses need to be judged.
func (f *Filter) note() {
	for _, g := range f.groups {
		for _, cl := range g.clauses {
			if cl.groups {
				f.memberOf = append(f.memberOf, cl.values...)
			} else {
				f.attributes = append(f.attributes, cl.name)
			}
			f.timed = f.timed || slices.ContainsFunc(cl.moments, func(m moment) bool { return m.relative })
		}
	}
	slices.Sort(f.attributes)
	f.attributes = slices.Compact(f.attributes)
	slices.Sort(f.memberOf)
	f.memberOf = slices.Compact(f.memberOf)
}

func (c *compiler) compile(cl Clause) clause {
	out := clause{operator: cl.Operator, values: slices.Clone(cl.Values), ignoreCase: cl.IgnoreCase, members: cl.Members}
	out.text, out.masked = cl.text(true), cl.text(false)
	info, known := c.attribute(cl.Attribute)
	out.name, out.first, out.groups = info.Name, info.First, cl.Attribute == MemberOf
	if cl.Operator == invalid || int(cl.Operator) >= len(names) {
		c.fail("operator", "the clause has no operator: one of %s", strings.Join(Operators(), ", "))
		return out
	}
	s := subjectOf(cl.Attribute, info)
	if known && !c.fits(cl, s, info) {
		return out // what it compares with cannot be right
	}
	if known {
		c.quantified(cl, s)
	}
	c.folded(cl)
	c.values(cl, s, &out)
	return out
}

// attribute looks up the attribute of a clause and refuses those that cannot be
// read.
func (c *compiler) attribute(name string) (attribute.Info, bool) {
	if name == MemberOf {
		return attribute.Info{Name: MemberOf}, true
	}
	if name == "" {
		c.fail("attribute", "the clause has no attribute")
		return attribute.Info{}, false
	}
	info, ok := attribute.Lookup(name)
	switch why := attribute.Missing(name); {
	case !ok && why != "":
		c.fail("attribute", "Graph v1.0 has no attribute %s: %s", name, why)
	case !ok:
		c.problems = append(c.problems, Problem{Group: c.group, Clause: c.clause, Field: "attribute",
			Message: fmt.Sprintf("unknown attribute %q", name), Suggestion: nearest(name)})
	case info.Unreadable != "":
		c.fail("attribute", "%s cannot be read: %s", name, info.Unreadable)
	case info.Name == attribute.AppRoles:
		c.fail("attribute", "%s cannot be used in a filter: it is no attribute of a user; scope.servicePrincipalId takes those who are assigned, memberOf asks for groups", name)
	default:
		return info, true
	}
	return info, false
}

// text returns the clause as logs and pages show it: department EQUALS "Sales".
func (c Clause) text(values bool) string {
	var b strings.Builder
	if c.Members != Whole {
		b.WriteString(c.Members.String() + " of ")
	}
	b.WriteString(c.Attribute + " " + c.Operator.String())
	switch {
	case len(c.Values) == 0:
	case !values:
		b.WriteString(" (sensitive)")
	default:
		for i, v := range c.Values {
			if i > 0 {
				b.WriteString(" or")
			}
			b.WriteString(" " + quote(v))
		}
	}
	if c.IgnoreCase {
		b.WriteString(", ignoring case")
	}
	return b.String()
}
