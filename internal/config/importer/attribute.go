package importer

import (
	"fmt"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/expr"
)

// attributes takes the attribute mappings over, in their order.
func (c *converter) attributes() {
	c.targets = map[string]string{}
	c.job.MappingCount = len(c.users.attributes)
	for _, a := range c.users.attributes {
		c.attribute(a)
	}
	if len(c.job.Mappings) == 0 {
		c.job.lessRestricted("No mapping could be taken over; without mappings the default ones would apply.")
		if c.job.MappingCount == 0 {
			c.job.note(Note{Kind: Check, Where: c.users.label(), Why: "it has no attribute mapping, so the default ones would apply",
				Do: "the job is written with enabled: false; write mappings, or remove the line"})
		}
	}
}

// builtIn are the targets of Entra's default mappings that stand for something
// the engine does by itself.
func builtIn(target string) (why, do string) {
	switch target {
	case "alternativeSecurityIds":
		return "it is the fixed match row, which public Graph does not show: users are matched by their addresses and their home tenant instead",
			""
	case "IsSoftDeleted":
		return "it is computed, public Graph does not have it: leaving scope, and deletion in the source, are what deprovision decides about",
			""
	case "objectFilter":
		return "it drops objects while reading and is no attribute", "write the condition as a scoping filter"
	}
	return "", ""
}

// attribute takes one attribute mapping over, or says why not.
func (c *converter) attribute(a attributeMapping) {
	where := a.target
	if where == "" {
		c.leaveOut(Note{Where: fmt.Sprintf("a mapping of %s", c.users.label()), Why: "it has no target attribute"}, nil)
		return
	}
	m, text, refused := c.mapping(a)
	if refused != nil {
		refused.Where = where
		c.leaveOut(*refused, nil)
		return
	}
	keys := mappingKeys(m)
	what := flow(keys[1:])
	if why, do := builtIn(a.target); why != "" {
		c.leaveOut(Note{Where: where, Why: why, Do: do}, nil)
		return
	}
	compiled, problems := c.compile(where, &m)
	info, known := mapping.Attribute(a.target)
	if known && info.Refused != "" && m.MatchingPriority == 0 {
		c.leaveOut(Note{Where: where, Why: info.Refused}, nil)
		return
	}
	if first, again := c.targets[info.Name]; known && again && m.MatchingPriority == 0 {
		c.leaveOut(Note{Where: where, What: what, Why: "there is a mapping to " + first + " already", Do: "keep the one that is meant"}, keys)
		return
	}
	for _, p := range problems {
		n := noteOf(p, m, where, what)
		if p.Severity == mapping.Error {
			c.leaveOut(n, keys)
			return
		}
		n.Kind = Check
		c.job.note(n)
	}
	keys = mappingKeys(m)
	if compiled != nil && len(compiled.Readers(attribute.AppRoles)) > 0 && !c.rolesKnown() {
		c.leaveOut(Note{Where: where, What: what, Why: "app roles are known only of users whom an application assigns",
			Do: "import again with --service-principal ID, the configuration in the source tenant"}, keys)
		return
	}
	if m.MatchingPriority == 0 {
		c.targets[info.Name] = a.target
	}
	c.keep(a, m, keys, text)
}

// compile judges a mapping. A default value or a matching priority that it cannot
// have is taken away from it, and said so, rather than the mapping from the job.
func (c *converter) compile(where string, m *mapping.Mapping) (*mapping.Schema, []mapping.Problem) {
	compiled, problems := mapping.Compile([]mapping.Mapping{*m})
	for _, p := range problems {
		n := Note{Kind: LeftOut, Where: where, Why: p.Message}
		switch {
		case p.Severity != mapping.Error:
			continue
		case p.Field == "defaultValue" && !m.Default.IsAbsent():
			n.What = "defaultValue " + m.Default.String()
			m.Default = directory.Value{}
		case p.Field == "matchingPriority" && m.MatchingPriority > 0:
			n.What = fmt.Sprintf("matchingPriority %d", m.MatchingPriority)
			m.MatchingPriority = 0
		default:
			continue
		}
		c.job.note(n)
		return c.compile(where, m)
	}
	return compiled, problems
}

// noteOf tells a problem of a mapping, with its place if it is in the expression.
func noteOf(p mapping.Problem, m mapping.Mapping, where, what string) Note {
	n := Note{Where: where, What: what, Why: p.Message, Do: suggestion(p.Suggestion)}
	if p.Field == "expression" && p.Offset >= 0 {
		mistake := &expr.Error{Offset: p.Offset, Length: p.Length}
		n.Why = fmt.Sprintf("column %d: %s", column(m.Expression, p.Offset), p.Message)
		n.Excerpt = mistake.Caret(m.Expression)
	}
	return n
}

// rolesKnown reports whether the scope is that of an application's assignments.
func (c *converter) rolesKnown() bool {
	s := c.job.settings
	return s.ServicePrincipalID != "" && (s.SyncAll == nil || !*s.SyncAll)
}

// column counts the characters before an offset, from 1.
func column(text string, offset int) int {
	return len([]rune(text[:min(max(offset, 0), len(text))])) + 1
}

// leaveOut records a mapping that the job does not have, and why. Its keys, where
// they are given, are worth keeping as a comment: somebody can mend them.
func (c *converter) leaveOut(n Note, keys []key) {
	n.Kind = LeftOut
	c.job.note(n)
	lines := []string{"left out: " + n.Where + ": " + n.Why}
	if len(keys) > 0 {
		lines = append(lines, "  "+shorten(flow(keys), 500))
	}
	c.job.mappings = append(c.job.mappings, item{above: lines})
}

// keep adds a mapping to the job, with a comment where something about it is not
// obvious.
func (c *converter) keep(a attributeMapping, m mapping.Mapping, keys []key, conflict *Note) {
	it := item{keys: keys}
	info, _ := mapping.Attribute(a.target)
	switch {
	case info.First:
		it.comment = "in Graph: the first of " + info.Name
	case info.Name != a.target:
		it.comment = "in Graph: " + info.Name
	case info.Kind == directory.Ref:
		it.comment = "as in Entra: a " + a.target + " who is removed in the source stays in the target"
	case a.source == nil:
		it.comment = `type "None": the default value is for users who are created`
	}
	if conflict != nil {
		c.job.note(*conflict)
	}
	if behavior, _ := wordOf(a.flowBehavior, uint8(0), "FlowWhenChanged", "FlowAlways"); behavior == 1 {
		c.job.note(Note{Kind: Changed, Where: a.target, What: "flowBehavior FlowAlways", Why: "only what differs is written, on every comparison"})
	}
	if m.MatchingPriority > 0 {
		c.job.note(Note{Kind: Check, Where: a.target, What: fmt.Sprintf("matchingPriority %d", m.MatchingPriority),
			Why: "it replaces the built-in matching by addresses", Do: "remove matchingPriority unless target users hold the very same value"})
	}
	c.job.Mappings = append(c.job.Mappings, m)
	c.job.mappings = append(c.job.mappings, it)
}

// mapping reads an attribute mapping. The first note is about a text and a tree
// that disagree, the second says why there is no mapping at all.
func (c *converter) mapping(a attributeMapping) (m mapping.Mapping, conflict, refused *Note) {
	m = mapping.Mapping{Target: a.target, MatchingPriority: max(0, a.priority)}
	info, _ := mapping.Attribute(a.target)
	flowType, known := wordOf(a.flowType, mapping.Always, mapping.FlowTypes()...)
	if !known {
		return m, nil, &Note{What: "flowType " + a.flowType.text(), Why: "unknown flow type", Do: "add the mapping by hand with the flow type that is meant"}
	}
	m.FlowType = flowType
	if a.defaultValue != "" {
		m.Default = literal(a.defaultValue, info)
	}
	if info.Kind == directory.Ref {
		m.FlowNull = new(false)
	}
	if e, ok := c.extensions[a.target]; ok && strings.HasPrefix(a.target, "extension_") {
		if t := attribute.Type(e.Type); t.Known() {
			m.Type = t
		}
		m.Multivalued = e.Multivalued
		info = attribute.Extension(a.target, m.Type, m.Multivalued)
	}
	s := a.source
	switch {
	case s == nil:
		m.Constant = directory.NullValue()
	case s.typ == unknownSource:
		return m, nil, &Note{What: s.expression, Why: "unknown type of source", Do: "add the mapping by hand"}
	default:
		text, differs := s.text()
		if differs != nil {
			differs.Where = a.target
		}
		conflict = differs
		switch name, isAttribute := lone(text); {
		case isAttribute:
			m.Source = name
		case s.typ == constantSource:
			if m.Constant = literal(constantOf(s), info); constantOf(s) == "" {
				m.Constant = directory.NullValue()
			}
		case text == "":
			return m, nil, &Note{Why: "its source is empty", Do: "add the mapping by hand"}
		default:
			m.Expression = text
		}
	}
	return m, conflict, nil
}

// literal gives a text the type of the target attribute where that is Boolean.
func literal(text string, info mapping.AttributeInfo) directory.Value {
	if info.Kind == directory.Bool {
		switch {
		case strings.EqualFold(text, "true"):
			return directory.BoolOf(true)
		case strings.EqualFold(text, "false"):
			return directory.BoolOf(false)
		}
	}
	return directory.TextOf(text)
}

// mappingKeys returns a mapping as it is written.
func mappingKeys(m mapping.Mapping) []key {
	keys := []key{{name: "target", value: m.Target}}
	switch {
	case m.Source != "":
		keys = append(keys, key{name: "source", value: m.Source})
	case m.Expression != "":
		keys = append(keys, key{name: "expression", value: expression(m.Expression)})
	default:
		keys = append(keys, key{name: "constant", value: plain(m.Constant)})
	}
	if !m.Default.IsEmpty() {
		keys = append(keys, key{name: "defaultValue", value: plain(m.Default)})
	}
	if m.Type != "" {
		keys = append(keys, key{name: "type", value: string(m.Type)})
	}
	if m.Multivalued {
		keys = append(keys, key{name: "multivalued", value: true})
	}
	if m.FlowType != mapping.Always {
		keys = append(keys, key{name: "flowType", value: m.FlowType.String()})
	}
	if m.FlowNull != nil {
		keys = append(keys, key{name: "flowNull", value: *m.FlowNull})
	}
	if m.MatchingPriority > 0 {
		keys = append(keys, key{name: "matchingPriority", value: m.MatchingPriority})
	}
	return keys
}

// plain returns a literal as the writers take it.
func plain(v directory.Value) any {
	if b, ok := v.Bool(); ok {
		return b
	}
	if v.IsEmpty() {
		return nil
	}
	return v.String()
}

// shorten cuts a text to a number of characters.
func shorten(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
