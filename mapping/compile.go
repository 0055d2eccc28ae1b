package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/expr"
	"tenantsync/mapping/suggest"
)

// rule is a compiled mapping.
type rule struct {
	index    int // in the list that was compiled
	kind     Kind
	target   attribute.Info
	source   attribute.Info // of a direct mapping
	constant directory.Value
	program  *expr.Program
	text     string // the source as it is shown: name, constant or expression
	fallback directory.Value
	allowed  []string // the only values that may be written; nil for all

	flowType  FlowType
	drift     Drift
	flowNull  bool
	priority  int
	sensitive bool
	written   bool // false: only matched by, or refused by Graph
	refused   string
}

// compiler collects the problems of a list of mappings.
type compiler struct {
	problems []Problem
	at       int // the mapping that is being compiled
}

func (c *compiler) report(severity Severity, field, message, suggestion string) {
	c.problems = append(c.problems, Problem{Mapping: c.at, Field: field, Offset: -1, Severity: severity,
		Message: message, Suggestion: suggestion})
}

func (c *compiler) fail(field, format string, args ...any) {
	c.report(Error, field, fmt.Sprintf(format, args...), "")
}

// Compile checks mappings and makes a schema of them. It returns every problem,
// in the order of the mappings. With a problem of severity [Error] there is no
// schema.
func Compile(ms []Mapping) (*Schema, []Problem) {
	c := &compiler{}
	rules := make([]rule, 0, len(ms))
	for i, m := range ms {
		c.at = i
		if r, ok := c.mapping(m); ok {
			rules = append(rules, r)
		}
	}
	c.duplicates(rules)
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return cmp.Compare(a.Mapping, b.Mapping) })
	if slices.ContainsFunc(c.problems, func(p Problem) bool { return p.Severity == Error }) {
		return nil, c.problems
	}
	return newSchema(rules), c.problems
}

// mapping compiles one mapping; it reports false when there is too little of it
// to go on with.
func (c *compiler) mapping(m Mapping) (rule, bool) {
	r := rule{index: c.at, kind: m.Kind(), flowType: m.FlowType, priority: m.MatchingPriority, sensitive: m.Sensitive}
	known := c.target(&r, m)
	sourced := c.source(&r, m)
	if int(m.FlowType) >= len(flowTypes) {
		c.fail("flowType", "flow type %d unknown", m.FlowType)
	}
	if m.MatchingPriority < 0 {
		c.fail("matchingPriority", "the matching priority must be 1 or more; leave it out for no matching")
	}
	if !known || !sourced {
		return r, false
	}
	if r.refused != "" {
		return r, true // nothing flows, so there is nothing to fit
	}
	c.agreement(&r)
	c.defaultValue(&r, m)
	c.allowed(&r, m)
	c.flow(&r, m)
	c.drift(&r, m)
	c.matching(&r)
	c.chosen(&r)
	return r, true
}

func (c *compiler) target(r *rule, m Mapping) bool {
	if m.Target == "" {
		c.fail("target", "the mapping has no target")
		return false
	}
	info, ok := attribute.Lookup(m.Target)
	if !ok {
		c.unknown("target", m.Target)
		return false
	}
	info = c.declared(info, m)
	r.target = info
	r.written = info.Refused == ""
	if !r.written && m.MatchingPriority <= 0 {
		// One that is only matched by need not be writable.
		r.refused = info.Refused
		c.report(Warning, "target", fmt.Sprintf("%s is not written: %s", m.Target, info.Refused), "")
	}
	return true
}

// unknown reports a name that is no attribute, with the reason if it is one that
// the synchronization schema of Microsoft's own service has and Graph has not.
func (c *compiler) unknown(field, name string) {
	if why := attribute.Missing(name); why != "" {
		c.fail(field, "Graph v1.0 has no attribute %s: %s", name, why)
		return
	}
	c.report(Error, field, fmt.Sprintf("unknown attribute %q", name), attribute.Nearest(name))
}

// declared takes up what the mapping says of its target, which only directory
// extensions need: Graph's own attributes are known.
func (c *compiler) declared(info attribute.Info, m Mapping) attribute.Info {
	extension := attribute.IsExtension(info.Name)
	if m.Type != "" && !m.Type.Known() {
		c.report(Error, "type", fmt.Sprintf("type %q unknown: one of %s", m.Type, strings.Join(attribute.Types(), ", ")),
			suggest.Nearest(string(m.Type), slices.Values(attribute.Types())))
		return info
	}
	if !extension {
		if m.Type != "" {
			c.fail("type", "only a directory extension can be given a type: %s is %s", info.Name, info.TypeName())
		}
		if m.Multivalued {
			c.fail("multivalued", "only a directory extension can be said to be multivalued: what %s holds is known", info.Name)
		}
		return info
	}
	if m.Multivalued {
		switch m.Type {
		case attribute.Boolean, attribute.Integer, attribute.LargeInteger:
			c.fail("multivalued", "several values of type %s are not supported: only of %s, %s and %s", m.Type, attribute.String, attribute.DateTime, attribute.Binary)
			return info
		}
	}
	return attribute.Extension(info.Name, m.Type, m.Multivalued)
}

// source compiles the one source a mapping has.
func (c *compiler) source(r *rule, m Mapping) bool {
	given := 0
	for _, is := range []bool{m.Source != "", !m.Constant.IsAbsent(), m.Expression != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		if given == 0 {
			c.fail("", "the mapping has no source: give one of source, constant and expression")
		} else {
			c.fail("", "the mapping has more than one source: give only one of source, constant and expression")
		}
		return false
	}
	switch r.kind {
	case Direct:
		ok := c.readable("source", m.Source, &r.source)
		r.text = r.source.Name
		return ok
	case Constant:
		r.constant, r.text = m.Constant, m.Constant.String()
		return true
	}
	if !c.expression(r, m.Expression) {
		return false
	}
	r.text = r.program.Canonical()
	return true
}

// readable looks up an attribute that is to be read at the source.
func (c *compiler) readable(field, name string, info *attribute.Info) bool {
	found, ok := attribute.Lookup(name)
	if !ok {
		c.unknown(field, name)
		return false
	}
	if found.Unreadable != "" {
		c.fail(field, "%s cannot be read: %s", name, found.Unreadable)
		return false
	}
	*info = found
	return true
}

func (c *compiler) expression(r *rule, text string) bool {
	program, err := expr.Compile(text, func(name string) (directory.Kind, bool) {
		info, ok := attribute.Lookup(name)
		return info.ValueKind(), ok && info.Kind != directory.Absent
	})
	if err != nil {
		var e *expr.Error
		if !errors.As(err, &e) {
			e = &expr.Error{Message: err.Error()}
		}
		c.problems = append(c.problems, Problem{Mapping: c.at, Field: "expression", Offset: e.Offset, Length: e.Length,
			Severity: Error, Message: e.Message, Suggestion: e.Suggestion})
		return false
	}
	ok := true
	for _, ref := range program.References() {
		before := len(c.problems)
		var info attribute.Info
		if !c.readable("expression", ref.Name, &info) {
			c.problems[before].Offset, c.problems[before].Length = ref.Offset, ref.Length
			ok = false
		} else if info.Kind == directory.Ref {
			c.fail("expression", "[%s] is a reference to another user: only a direct mapping can carry it", ref.Name)
			c.problems[before].Offset, c.problems[before].Length = ref.Offset, ref.Length
			ok = false
		}
	}
	for _, d := range program.Doubts() {
		c.problems = append(c.problems, Problem{Mapping: c.at, Field: "expression", Offset: d.Offset, Length: d.Length, Severity: Warning, Message: d.Message})
	}
	r.program = program.Renamed(func(name string) (string, bool) {
		info, _ := attribute.Lookup(name)
		return info.Name, info.First
	})
	return ok
}

// agreement checks that what the source gives can become what the target holds.
func (c *compiler) agreement(r *rule) {
	reference := r.target.Kind == directory.Ref
	switch {
	case r.kind == Direct && reference != (r.source.Kind == directory.Ref):
		if reference {
			c.fail("source", "%s is a reference to a user: its source must be %[1]s too", r.target.Name)
		} else {
			c.fail("source", "%s is a reference to a user: its target must be %[1]s too", r.source.Name)
		}
	case r.kind != Direct && reference:
		c.fail(r.kind.String(), "%s is a reference to a user: only a direct mapping can carry it", r.target.Name)
	case r.kind == Direct && !reference:
		c.direct(r)
	case r.kind == Constant:
		c.constant("constant", r.constant, r)
	case r.kind == Expression:
		c.lone(r)
	}
}

// lone checks an expression that is nothing but an attribute: it has as many
// values as that attribute.
func (c *compiler) lone(r *rule) {
	refs := r.program.References()
	if len(refs) != 1 || r.program.String() != "["+refs[0].Name+"]" {
		return
	}
	if from, _ := attribute.Lookup(refs[0].Name); from.Multivalued() && from.MaxMembers != 1 && !r.target.Multivalued() {
		c.manyToOne("expression", from, r.target)
	}
}

// manyToOne reports that several values cannot flow to a target that has one.
func (c *compiler) manyToOne(field string, from, to attribute.Info) {
	choice := fmt.Sprintf("Item([%s], 1)", from.Name)
	if from.Name == attribute.AppRoles {
		choice = fmt.Sprintf("SingleAppRoleAssignment([%s])", from.Name)
	}
	c.fail(field, "%s has several values, %s has one: choose with an expression, as in %s", from.Name, to.Name, choice)
}

func (c *compiler) direct(r *rule) {
	from, to := r.source, r.target
	switch {
	case from.Multivalued() && from.MaxMembers != 1 && !to.Multivalued():
		c.manyToOne("source", from, to)
	case to.Kind == directory.Bool && from.ValueKind() != directory.Bool && from.Kind != directory.Absent:
		if from.Date || from.Multivalued() || len(from.Values) > 0 {
			c.fail("source", "%s is Boolean, %s is %s", to.Name, from.Name, from.TypeName())
		}
	case to.Kind == directory.Int && (from.ValueKind() == directory.Bool || from.Date),
		to.Date && from.ValueKind() == directory.Bool:
		c.fail("source", "%s is %s, %s is %s", to.Name, to.TypeName(), from.Name, from.TypeName())
	}
}

// constant checks a fixed value by converting it as it will be at run time.
func (c *compiler) constant(field string, v directory.Value, r *rule) {
	if v.IsEmpty() {
		return
	}
	if _, err := convert(v, &r.target); err != nil {
		c.fail(field, "%s", err)
	}
}

func (c *compiler) defaultValue(r *rule, m Mapping) {
	r.fallback = m.Default
	if m.Default.IsEmpty() {
		return
	}
	if r.target.Kind == directory.Ref {
		c.fail("defaultValue", "%s is a reference to a user: it cannot have a default value", r.target.Name)
		return
	}
	c.constant("defaultValue", m.Default, r)
}

func (c *compiler) flow(r *rule, m Mapping) {
	r.flowNull = r.target.Kind == directory.Ref
	if m.FlowNull != nil {
		r.flowNull = *m.FlowNull
		if r.flowNull && r.target.Fixed {
			c.report(Warning, "flowNull", fmt.Sprintf("%s can be set but not cleared: no value leaves it as it is", r.target.Name), "")
		}
	}
	if r.target.Fixed {
		r.flowNull = false
	}
	if r.flowType == MultiValueAddOnly && r.target.Kind != directory.List && r.target.Kind != directory.Absent {
		c.report(Warning, "flowType", fmt.Sprintf("MultiValueAddOnly is for targets with several values, %s has one: it flows always", r.target.Name), "")
		r.flowType = Always
	}
}

func (c *compiler) matching(r *rule) {
	if r.priority <= 0 {
		return
	}
	switch r.target.Kind {
	case directory.Bool, directory.Ref:
		c.fail("matchingPriority", "users cannot be matched by %s: it does not tell one from another", r.target.Name)
	}
	switch {
	case r.target.Kind == directory.Bool, r.target.Kind == directory.Ref:
	case r.target.Unreadable != "":
		c.fail("matchingPriority", "users cannot be matched by %s: %s", r.target.Name, r.target.Unreadable)
	case r.target.Unsearchable != "":
		c.report(Warning, "matchingPriority", fmt.Sprintf("users are matched by %s in an initial cycle only: %s; between initial cycles a new user who needs it fails",
			r.target.Name, r.target.Unsearchable), "")
	}
}

// chosen checks mappings whose expression chooses a value: SelectUniqueValue
// wants a value that is free in the target, which only a new user may be given
// and which must be looked up; Guid and RandomString give another one each time.
func (c *compiler) chosen(r *rule) {
	if r.program == nil {
		return
	}
	if r.program.Rules() > 0 {
		if r.flowType != ObjectAddOnly {
			c.fail("flowType", "SelectUniqueValue chooses a value for a new user: the flow type must be ObjectAddOnly")
		}
		if r.priority > 0 {
			c.fail("matchingPriority", "users cannot be matched by a value that SelectUniqueValue has still to choose")
		}
		if r.target.Unsearchable != "" {
			c.fail("target", "whether a value of %s is free cannot be looked up: %s", r.target.Name, r.target.Unsearchable)
		}
		return
	}
	if r.program.Random() && r.flowType != ObjectAddOnly && r.flowType != AttributeAddOnly {
		c.report(Warning, "flowType", fmt.Sprintf("the expression gives another value each time: %s changes whenever the user does; ObjectAddOnly or AttributeAddOnly keeps the first",
			r.target.Name), "")
	}
}

// duplicates refuses a second mapping for a target. Several matching attributes
// may look for values of one target; of these only the one without a priority, or
// else the first, is written.
func (c *compiler) duplicates(rules []rule) {
	written := make(map[string]*rule)
	tried := make(map[int]string)
	for i := range rules {
		r := &rules[i]
		if other, again := tried[r.priority]; again && r.priority > 0 && other != r.target.Name {
			c.at = r.index
			c.report(Warning, "matchingPriority", fmt.Sprintf("%s has the matching priority %d as well: give each a number of its own", other, r.priority), "")
		}
		tried[r.priority] = r.target.Name
		first, again := written[r.target.Name]
		switch {
		case !again:
			written[r.target.Name] = r
		case first.priority == 0 && r.priority == 0:
			c.at = r.index
			c.fail("target", "%s has a mapping already (number %d of the list)", r.target.Name, first.index+1)
		case r.priority == 0:
			first.written = false
			written[r.target.Name] = r
		default:
			r.written = false
		}
	}
}
