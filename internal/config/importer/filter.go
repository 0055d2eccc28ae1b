package importer

import (
	"fmt"
	"slices"
	"strings"

	"tenantsync/scope"
)

// filters takes scope.groups over and reports the two experimental kinds.
func (c *converter) filters() {
	s := c.users.scope
	c.unreadable("scope of "+c.users.label(), s, objectKind)
	groups := c.groups(s, "groups")
	c.job.FilterCount = len(groups)
	everybody := false
	var kept []item
	var compiled []scope.Group
	for i, g := range groups {
		group, it, verdict := c.group(g, i)
		switch verdict {
		case groupHolds:
			everybody = true
		case groupKept:
			compiled = append(compiled, group)
		}
		kept = append(kept, it)
	}
	if everybody && len(compiled) > 0 {
		// One alternative that everybody meets makes the others idle, by the letter.
		// Hardly anybody meant that, so the others stay and a person decides.
		c.job.lessRestricted("A filter without clauses holds for everybody, so that the other filters narrow nothing; they are written, and it is not.")
		c.job.note(Note{Kind: Check, Where: "filters", Why: "one filter has no clause and holds for everybody, so that the others would narrow nothing; only the others are written",
			Do: "take the filters out of scope if everybody is meant, then remove enabled: false"})
	}
	c.job.filters, c.job.Filters = kept, compiled
	c.experimental(s, "inputFilterGroups", "it drops objects while reading and never deprovisions them")
	c.experimental(s, "categoryFilterGroups", "it decides whether the object mapping applies to an object")
}

// experimental reports filter groups that the job cannot have.
func (c *converter) experimental(s *value, name, what string) {
	for i, g := range c.groups(s, name) {
		clauses := g.get("clauses").list()
		if len(clauses) > 0 && allBuiltIn(clauses) {
			c.job.note(Note{Kind: LeftOut, Where: fmt.Sprintf("%s %d", name, i+1), What: clauseTexts(clauses), Why: onlyInternal})
			continue
		}
		c.lost(fmt.Sprintf("%s %d", name, i+1), clauseTexts(clauses), what+"; there is no such filter here",
			"write it as a scoping filter if users who stop passing it may be deprovisioned, then remove enabled: false")
	}
}

// groups returns the filter groups of a kind; what is none is a restriction lost.
func (c *converter) groups(s *value, name string) []*value {
	v := s.get(name)
	c.unreadable(name+" of "+c.users.label(), v, listKind, objectKind)
	return v.list()
}

// unreadable reports a part of the scope that has another kind than it must.
func (c *converter) unreadable(where string, v *value, must ...kind) {
	if v.isNull() || slices.Contains(must, v.kind) {
		return
	}
	c.lost(where, v.text(), "it is "+v.kind.String()+", not "+must[0].String(), "write the filters by hand, then remove enabled: false")
}

const onlyInternal = "it is built in: only internal users of the source are read"

// isBuiltIn reports the clause of the service's own filter "Filter external
// users": alternativeSecurityIds EQUALS 'None'.
func isBuiltIn(clause *value) bool {
	if !strings.EqualFold(member(clause, "sourceOperandName"), "alternativeSecurityIds") {
		return false
	}
	operator, err := scope.ParseOperator(member(clause, "operatorName"))
	if err != nil || operator != scope.Equals && operator != scope.IsNull {
		return false
	}
	for _, v := range operands(clause) {
		if !strings.EqualFold(strings.Trim(v, "'"), "None") {
			return false
		}
	}
	return true
}

func allBuiltIn(clauses []*value) bool {
	for _, clause := range clauses {
		if !isBuiltIn(clause) {
			return false
		}
	}
	return true
}

type groupVerdict uint8

const (
	groupLost groupVerdict = iota
	groupKept
	groupHolds   // for everybody
	groupBuiltIn // the service's own, which is always applied and no alternative
)

// group takes one filter group over. All of its clauses or none: with one less it
// would let more users in.
func (c *converter) group(v *value, index int) (scope.Group, item, groupVerdict) {
	g := scope.Group{Title: member(v, "name")}
	where := fmt.Sprintf("filter %d", index+1)
	if g.Title != "" {
		where += fmt.Sprintf(" (%s)", g.Title)
	}
	clauses := v.get("clauses").list()
	failed := malformed(v)
	for i, clause := range clauses {
		if isBuiltIn(clause) {
			c.job.note(Note{Kind: Changed, Where: where, What: clauseTexts(clauses[i : i+1]), Why: onlyInternal})
			continue
		}
		operator, err := scope.ParseOperator(member(clause, "operatorName"))
		if err != nil {
			failed = append(failed, Note{What: clauseTexts(clauses[i : i+1]), Why: err.Error()})
			continue
		}
		one := scope.Clause{Attribute: member(clause, "sourceOperandName"), Operator: operator}
		if !operator.Unary() {
			one.Values = operands(clause)
			if n := nested(clause); n != nil {
				failed = append(failed, Note{What: clauseTexts(clauses[i : i+1]), Why: "one of its values is " + n.kind.String()})
				continue
			}
		}
		if _, problems := scope.Compile([]scope.Group{{Title: g.Title, Clauses: []scope.Clause{one}}}); len(problems) > 0 {
			failed = append(failed, Note{What: clauseTexts(clauses[i : i+1]), Why: problems[0].Message, Do: suggestion(problems[0].Suggestion)})
			continue
		}
		g.Clauses = append(g.Clauses, one)
	}
	switch {
	case len(failed) > 0:
		return g, c.loseGroup(where, clauses, failed), groupLost
	case len(clauses) == 0:
		c.job.note(Note{Kind: Changed, Where: where, Why: "it has no clause and holds for everybody"})
		return g, item{}, groupHolds
	case len(g.Clauses) == 0:
		return g, item{}, groupBuiltIn
	}
	return g, item{keys: groupKeys(g)}, groupKept
}

// malformed says what of a filter group cannot be read at all.
func malformed(group *value) []Note {
	if group == nil || group.kind != objectKind {
		return []Note{{What: group.text(), Why: "it is no object with clauses"}}
	}
	if v := group.get("clauses"); !v.isNull() && v.kind != listKind && v.kind != objectKind {
		return []Note{{What: v.text(), Why: "its clauses are " + v.kind.String() + ", not a list"}}
	}
	return nil
}

// nested returns a value of a clause that is no text, number or truth value, nil
// when there is none. A null never matches, so it may go.
func nested(clause *value) *value {
	for _, v := range clause.get("targetOperand").get("values").list() {
		if v.kind == listKind || v.kind == objectKind {
			return v
		}
	}
	return nil
}

func suggestion(word string) string {
	if word == "" {
		return ""
	}
	return "did you mean " + word + "?"
}

// loseGroup reports a filter group that the job cannot have. Without it other
// users would be in scope: fewer where filters are left, everybody where none is.
func (c *converter) loseGroup(where string, clauses []*value, failed []Note) item {
	comment := []string{"left out: " + where + ": " + shorten(clauseTexts(clauses), 300)}
	for _, n := range failed {
		n.Kind, n.Where = LeftOut, where
		if n.Do == "" {
			n.Do = "write the filter another way, then remove enabled: false"
		}
		c.job.note(n)
		comment = append(comment, "  "+strings.TrimPrefix(n.What+": "+n.Why, ": "))
	}
	c.job.lessRestricted(where + " is not taken over: without it other users would be in scope.")
	return item{above: comment}
}

// operands are the values a clause compares with.
func operands(clause *value) []string {
	operand := clause.get("targetOperand")
	if values := operand.get("values"); values != nil {
		return texts(values)
	}
	return texts(operand)
}

// clauseTexts shows clauses on one line.
func clauseTexts(clauses []*value) string {
	list := make([]string, 0, len(clauses))
	for _, clause := range clauses {
		words := []string{orUnnamed(member(clause, "sourceOperandName")), member(clause, "operatorName")}
		if values := operands(clause); len(values) > 0 {
			words = append(words, `"`+strings.Join(values, `" or "`)+`"`)
		}
		list = append(list, strings.Join(words, " "))
	}
	return strings.Join(list, " and ")
}

// groupKeys returns a filter group as it is written.
func groupKeys(g scope.Group) []key {
	clauses := make([]item, 0, len(g.Clauses))
	for _, clause := range g.Clauses {
		keys := []key{{name: "attribute", value: clause.Attribute}, {name: "operator", value: clause.Operator.String()}}
		switch {
		case len(clause.Values) == 1:
			keys = append(keys, key{name: "value", value: clause.Values[0]})
		case len(clause.Values) > 1:
			keys = append(keys, key{name: "values", value: clause.Values})
		}
		clauses = append(clauses, item{keys: keys})
	}
	var keys []key
	if g.Title != "" {
		keys = append(keys, key{name: "title", value: g.Title})
	}
	return append(keys, key{name: "clauses", value: clauses})
}
