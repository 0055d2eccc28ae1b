package scope

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/pattern"
)

// Problem is something wrong with a filter; it cannot be used.
type Problem struct {
	// Group and Clause are indexes; Clause is -1 when the group itself is wrong.
	Group, Clause int
	// Field is the key of the clause that is wrong: attribute, operator, value; or
	// "clauses" of the group.
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
	for _, g := range f.groups {
		for _, cl := range g.clauses {
			f.attributes = append(f.attributes, cl.name)
		}
	}
	slices.Sort(f.attributes)
	f.attributes = slices.Compact(f.attributes)
	return f, nil
}

func (c *compiler) compile(cl Clause) clause {
	out := clause{operator: cl.Operator, values: slices.Clone(cl.Values), text: cl.text()}
	info, known := c.attribute(cl.Attribute)
	out.name, out.first = info.Name, info.First
	if cl.Operator == invalid || int(cl.Operator) >= len(names) {
		c.fail("operator", "the clause has no operator: one of %s", strings.Join(Operators(), ", "))
		return out
	}
	if known {
		c.types(cl, info)
	}
	c.values(cl, &out)
	return out
}

// attribute looks up the attribute of a clause and refuses those that filters
// cannot judge.
func (c *compiler) attribute(name string) (attribute.Info, bool) {
	if name == "" {
		c.fail("attribute", "the clause has no attribute")
		return attribute.Info{}, false
	}
	info, ok := attribute.Lookup(name)
	switch {
	case !ok:
		c.problems = append(c.problems, Problem{Group: c.group, Clause: c.clause, Field: "attribute",
			Message: fmt.Sprintf("unknown attribute %q", name), Suggestion: attribute.Nearest(name)})
	case info.Unreadable != "":
		c.fail("attribute", "%s cannot be read: %s", name, info.Unreadable)
	case info.Unfiltered != "" && info.Name == "businessPhones":
		c.fail("attribute", "%s cannot be used in a filter: %s; telephoneNumber stands for the first one", name, info.Unfiltered)
	case info.Unfiltered != "":
		c.fail("attribute", "%s cannot be used in a filter: %s", name, info.Unfiltered)
	default:
		return info, true
	}
	return info, false
}

// types checks that the operator fits the attribute, where its type is certain.
func (c *compiler) types(cl Clause, info attribute.Info) {
	boolean := info.ValueKind() == directory.Bool
	switch cl.Operator {
	case IsTrue, IsFalse:
		if !boolean && info.Kind != directory.Absent {
			c.fail("operator", "%s judges Booleans, %s is %s: compare its text, as in EQUALS", cl.Operator, cl.Attribute, info.TypeName())
		}
	case IsNull, IsNotNull:
	default:
		if boolean {
			c.fail("operator", "%s does not judge Booleans, %s is one: use IS TRUE or IS FALSE", cl.Operator, cl.Attribute)
		}
	}
}

// values checks the operands and compiles those that are numbers or patterns.
func (c *compiler) values(cl Clause, out *clause) {
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
	for _, v := range cl.Values {
		switch cl.Operator {
		case GreaterThan, GreaterThanOrEquals, BitsSet, BitsClear:
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			if err != nil {
				c.fail("value", "%s compares whole numbers, %q is none", cl.Operator, v)
			} else if n == 0 && (cl.Operator == BitsSet || cl.Operator == BitsClear) {
				c.fail("value", "%s with 0 asks for no bit at all", cl.Operator)
			}
			out.numbers = append(out.numbers, n)
		case RegexMatch, NotRegexMatch:
			p, err := pattern.Compile(v)
			if v == "" {
				c.fail("value", "an empty regular expression matches everything: use IS NOT NULL")
			} else if err != nil {
				c.fail("value", "%s", err)
			}
			out.patterns = append(out.patterns, p)
		default:
			if v == "" {
				c.fail("value", "empty text is no value: use IS NULL or IS NOT NULL")
			}
		}
	}
}

// text returns the clause as logs and pages show it: department EQUALS "Sales".
func (c Clause) text() string {
	var b strings.Builder
	b.WriteString(c.Attribute + " " + c.Operator.String())
	for i, v := range c.Values {
		if i > 0 {
			b.WriteString(" or")
		}
		b.WriteString(" " + quote(v))
	}
	return b.String()
}
