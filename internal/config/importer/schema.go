package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// schema is a synchronizationSchema of Graph, with the defaults of what it leaves
// out. Unknown members are ignored.
type schema struct {
	id, version string
	rules       []rule
	directories []*value
}

// rule is a synchronizationRule.
type rule struct {
	name           string
	priority       int
	source, target string // directories
	containers     []string
	groups         []string
	objects        []objectMapping
}

// objectMapping is one of a rule's objectMappings.
type objectMapping struct {
	rule           *rule
	name           string
	enabled        bool
	flowTypes      *value
	source, target string // objects
	scope          *value
	attributes     []attributeMapping
}

// label names the object mapping in notes.
func (o *objectMapping) label() string {
	if o.name != "" {
		return fmt.Sprintf("object mapping %q", o.name)
	}
	return fmt.Sprintf("object mapping of %s to %s", orUnnamed(o.source), orUnnamed(o.target))
}

func orUnnamed(name string) string {
	if name == "" {
		return "(unnamed)"
	}
	return name
}

// ofUsers reports an object mapping from users to users.
func (o *objectMapping) ofUsers() bool {
	return strings.EqualFold(o.source, "User") && strings.EqualFold(o.target, "User")
}

// attributeMapping is one of an object mapping's attributeMappings.
type attributeMapping struct {
	target       string
	defaultValue string
	flowType     *value
	flowBehavior *value
	priority     int
	source       *source // nil: the mapping of type "None"
}

// sourceType is the type of an attributeMappingSource.
type sourceType uint8

const (
	attributeSource sourceType = iota
	constantSource
	functionSource
	unknownSource
)

// source is an attributeMappingSource: a node of an expression's tree. Every node
// also carries the text of its part of the expression.
type source struct {
	expression string
	name       string
	named      bool // the name is not null
	typ        sourceType
	parameters []parameter
}

// parameter is an argument of a function. Keys repeat, order counts.
type parameter struct {
	key   string
	value *source
}

// readSchema finds the schema in a document: the schema itself, a template or
// any other object that has it as "schema", or a Graph list of one.
func readSchema(d *document) (*schema, error) {
	root := unwrap(d.root)
	rules := root.get("synchronizationRules")
	if rules == nil || rules.kind == nullKind {
		at, holds := 0, d.root.kind.String()
		if d.root.kind == objectKind {
			holds = "an object without synchronizationRules"
		}
		return nil, d.fault(at, "this is no synchronization schema: it holds "+holds, exportAgain)
	}
	if rules.kind != listKind && rules.kind != objectKind {
		return nil, d.fault(rules.at, fmt.Sprintf("synchronizationRules must be a list, not %s", rules.kind), exportAgain)
	}
	s := &schema{id: root.get("id").text(), version: root.get("version").text(), directories: root.get("directories").list()}
	for _, v := range rules.list() {
		s.rules = append(s.rules, readRule(v))
	}
	slices.SortStableFunc(s.rules, func(a, b rule) int { return cmp.Compare(a.priority, b.priority) })
	for i := range s.rules {
		for k := range s.rules[i].objects {
			s.rules[i].objects[k].rule = &s.rules[i]
		}
	}
	return s, nil
}

func unwrap(v *value) *value {
	for range 3 {
		if v.get("synchronizationRules") != nil {
			return v
		}
		switch inner, list := v.get("schema"), v.get("value").list(); {
		case inner != nil && inner.kind == objectKind:
			v = inner
		case len(list) == 1:
			v = list[0]
		case v.kind == listKind && len(v.items) == 1:
			v = v.items[0]
		}
	}
	return v
}

func readRule(v *value) rule {
	r := rule{
		name: v.get("name").text(), priority: number(v.get("priority")),
		source: v.get("sourceDirectoryName").text(), target: v.get("targetDirectoryName").text(),
		containers: texts(v.get("containerFilter").get("includedContainers")),
		groups:     texts(v.get("groupFilter").get("includedGroups")),
	}
	for _, o := range v.get("objectMappings").list() {
		r.objects = append(r.objects, readObjectMapping(o))
	}
	return r
}

func readObjectMapping(v *value) objectMapping {
	o := objectMapping{
		name: v.get("name").text(), enabled: !isFalse(v.get("enabled")),
		flowTypes: v.get("flowTypes"), scope: v.get("scope"),
		source: v.get("sourceObjectName").text(), target: v.get("targetObjectName").text(),
	}
	for _, a := range v.get("attributeMappings").list() {
		o.attributes = append(o.attributes, attributeMapping{
			target: member(a, "targetAttributeName"), defaultValue: member(a, "defaultValue"),
			flowType: a.get("flowType"), flowBehavior: a.get("flowBehavior"),
			priority: number(a.get("matchingPriority")), source: readSource(a.get("source")),
		})
	}
	return o
}

// isFalse reports false, also where it is written as text or as a number.
func isFalse(v *value) bool { return strings.EqualFold(v.text(), "false") || v.text() == "0" }

// member is the text of a member.
func member(v *value, name string) string { return v.get(name).text() }

func readSource(v *value) *source {
	if v.isNull() {
		return nil
	}
	s := &source{expression: strings.TrimSpace(member(v, "expression")), name: member(v, "name"), named: !v.get("name").isNull()}
	var known bool
	if s.typ, known = wordOf(v.get("type"), attributeSource, "Attribute", "Constant", "Function"); !known {
		s.typ = unknownSource
	}
	for _, p := range v.get("parameters").list() {
		s.parameters = append(s.parameters, parameter{key: member(p, "key"), value: readSource(p.get("value"))})
	}
	return s
}

// wordOf reads a member of an enumeration, by name or by number. A value that is
// not there is the fallback; ok is false for one that is unknown.
func wordOf[T ~uint8](v *value, fallback T, names ...string) (T, bool) {
	if v.isNull() || v.scalar == "" {
		return fallback, true
	}
	if n, err := strconv.Atoi(v.scalar); err == nil {
		return T(max(0, min(n, len(names)-1))), n >= 0 && n < len(names)
	}
	for i, name := range names {
		if strings.EqualFold(name, v.scalar) {
			return T(i), true
		}
	}
	return fallback, false
}

// number reads a whole number, 0 where there is none.
func number(v *value) int {
	n, err := strconv.Atoi(v.text())
	if err != nil {
		return 0
	}
	return n
}

// texts reads a list of texts; a single text stands for a list of one.
func texts(v *value) []string {
	if v != nil && v.scalar != "" {
		return []string{v.scalar}
	}
	var list []string
	for _, item := range v.list() {
		if item.kind != listKind && item.kind != objectKind && item.kind != nullKind {
			list = append(list, item.scalar)
		}
	}
	return list
}
