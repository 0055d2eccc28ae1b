package importer

import (
	"fmt"
	"strings"

	"tenantsync/scope"
)

// filters takes scope.groups over and reports the two experimental kinds.
func (c *converter) filters() {
	s := c.users.scope
	groups := s.get("groups").list()
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
	if everybody {
		// One alternative that everybody meets makes the others idle.
		kept, compiled = nil, nil
		if len(groups) > 1 {
			c.job.note(Note{Kind: Changed, Where: "filters", Why: "one of the filters holds for every internal user, so the filters narrow nothing and are not written"})
		}
	}
	c.job.filters, c.job.Filters = kept, compiled
	c.experimental(s, "inputFilterGroups", "it drops objects while reading and never deprovisions them")
	c.experimental(s, "categoryFilterGroups", "it decides whether the object mapping applies to an object")
}

// experimental reports filter groups that the job cannot have.
func (c *converter) experimental(s *value, name, what string) {
	for i, g := range s.get(name).list() {
		clauses := g.get("clauses").list()
		if len(clauses) > 0 && allBuiltIn(clauses) {
			c.job.note(Note{Kind: LeftOut, Where: fmt.Sprintf("%s %d", name, i+1), What: clauseTexts(clauses), Why: onlyInternal})
			continue
		}
		c.lost(fmt.Sprintf("%s %d", name, i+1), clauseTexts(clauses), what+"; there is no such filter here",
			"write it as a scoping filter if users who stop passing it may be deprovisioned, then remove enabled: false")
	}
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
	groupHolds // for everybody
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
	var failed []Note
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
	case len(g.Clauses) == 0:
		if len(clauses) == 0 {
			c.job.note(Note{Kind: Changed, Where: where, Why: "it has no clause and holds for everybody"})
		}
		return g, item{}, groupHolds
	}
	return g, item{keys: groupKeys(g)}, groupKept
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
		comment = append(comment, "  "+n.What+": "+n.Why)
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
