package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
	"tenantsync/scope"
)

// compiler makes filters and mappings executable and gives their problems the
// place in the file that they are about.
type compiler struct {
	*report
	config *Config
	nodes  map[string]*node // by path, to find places inside expressions
}

func (c *compiler) compile() {
	for i, j := range c.config.Jobs {
		path := fmt.Sprintf("jobs[%d]", i)
		c.compileMappings(path+".mappings", j)
		c.compileFilters(path+".scope.filters", j)
	}
}

func (c *compiler) compileFilters(path string, j *Job) {
	groups := make([]scope.Group, len(j.Scope.Filters))
	for i, f := range j.Scope.Filters {
		groups[i].Title = f.Title
		for k, clause := range f.Clauses {
			sub := fmt.Sprintf("%s[%d].clauses[%d]", path, i, k)
			operator, err := scope.ParseOperator(clause.Operator)
			if err != nil {
				c.addOperator(sub+".operator", clause.Operator)
			}
			// A word that is not any or all was refused when it was read.
			members, _ := scope.ParseMembers(string(clause.Members))
			c.keepBack(sub, j, clause)
			groups[i].Clauses = append(groups[i].Clauses, scope.Clause{
				Attribute: clause.Attribute, Operator: operator, Values: clause.operands(),
				IgnoreCase: clause.IgnoreCase, Members: members,
			})
		}
	}
	filter, problems := scope.Compile(groups)
	for _, p := range problems {
		sub := fmt.Sprintf("%s[%d]", path, p.Group)
		if p.Clause >= 0 {
			sub += fmt.Sprintf(".clauses[%d]", p.Clause)
		}
		at := sub
		if p.Field != "" {
			at = join(sub, p.Field)
		}
		if p.Field == "value" && c.written(join(sub, "values")) {
			at = join(sub, "values")
		}
		unclear := p.Field == "value" && !(c.sound(join(sub, "attribute")) && c.sound(join(sub, "operator")))
		if unclear || !c.sound(at) {
			continue // what is missing or misspelt was told already
		}
		f := finding{path: at, code: InvalidFilter, message: at + ": " + p.Message, suggestion: p.Suggestion}
		if p.Clause >= 0 && p.Field == "value" {
			clause := groups[p.Group].Clauses[p.Clause]
			if j.comparesSensitive(clause.Attribute) {
				f.message = at + ": " + discreet(p.Message, clause)
			}
			if slices.Contains(clause.Values, hiddenText) {
				f.action = writeItself
			}
		}
		c.add(f)
	}
	j.Filter = filter
}

// addOperator reports a word that is no operator.
func (c *compiler) addOperator(path, word string) {
	if !c.sound(path) || !c.written(path) {
		return
	}
	f := finding{path: path, code: UnknownWord, message: fmt.Sprintf("%s: unknown operator %q", path, word)}
	var unknown *scope.UnknownOperator
	if _, err := scope.ParseOperator(word); errors.As(err, &unknown) {
		f.suggestion = unknown.Nearest
	}
	if f.suggestion == "" {
		f.action = "the operators are " + strings.Join(scope.Operators(), ", ")
	}
	c.add(f)
}

// operands are the values a clause compares with, in either spelling.
func (c Clause) operands() []string {
	var list []string
	if c.Value != nil {
		list = append(list, string(*c.Value))
	}
	for _, v := range c.Values {
		list = append(list, string(v))
	}
	return list
}

func (c *compiler) compileMappings(path string, j *Job) {
	if c.written(path) && len(j.Mappings) == 0 {
		c.add(finding{path: path, code: InvalidValue, message: path + " is empty: the job would write nothing", action: "add a mapping, or remove the key to get the default mappings"})
		return
	}
	schema, problems := mapping.Compile(j.Effective())
	for _, p := range problems {
		c.addMapping(fmt.Sprintf("%s[%d]", path, p.Mapping), p)
	}
	j.Schema = schema
	if schema != nil {
		c.needRoles(path, j)
		c.checkOwnership(strings.TrimSuffix(path, ".mappings")+".ownership.attribute", j)
	}
}

// checkOwnership refuses an attribute that cannot bear the stamp: another one than an
// extension attribute, one that a mapping writes, or another than that of a job on
// the same pair of tenants, which would write over it in turns.
func (c *compiler) checkOwnership(at string, j *Job) {
	name := j.Ownership.Attribute
	for _, other := range c.config.Jobs {
		if other == j {
			break
		}
		if other.Source == j.Source && other.Target == j.Target && other.Ownership.Attribute != name {
			c.add(finding{path: at, code: Conflict, message: fmt.Sprintf("%s: job %s, on the same pair of tenants, has %s",
				at, other.Name, cmp.Or(other.Ownership.Attribute, "none")), action: "give both jobs the same ownership"})
			return
		}
	}
	if name == "" {
		return
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "extensionAttribute")); err != nil || n < 1 || n > 15 || name != "extensionAttribute"+strconv.Itoa(n) {
		c.add(finding{path: at, code: InvalidValue, message: fmt.Sprintf("%s must be extensionAttribute1 to extensionAttribute15, not %q", at, name)})
		return
	}
	if slices.Contains(j.Schema.TargetAttributes(), name) {
		c.add(finding{path: at, code: Conflict, message: fmt.Sprintf("%s: a mapping writes %s", at, name), action: "choose an attribute that nothing else uses"})
	}
}

// needRoles reports mappings that read app roles of a job whose scope has none:
// they are the roles of the application that assigns the users.
func (c *compiler) needRoles(path string, j *Job) {
	if j.Scope.ServicePrincipalID != "" && j.Scope.Mode != All {
		return
	}
	for _, i := range j.Schema.Readers(attribute.AppRoles) {
		key := "expression"
		if j.Mappings[i].Source != "" {
			key = "source"
		}
		at := fmt.Sprintf("%s[%d].%s", path, i, key)
		c.add(finding{
			path: at, code: InvalidMapping, message: at + ": app roles are known only of users whom an application assigns",
			action: "set scope.mode to assigned and scope.servicePrincipalId to the application's service principal, or remove the mapping",
		})
	}
}

// compiled returns the mapping as the mapping package takes it.
func (m Mapping) compiled() mapping.Mapping {
	// A word that is none of those known was refused when it was read.
	flow, _ := mapping.ParseFlowType(string(m.FlowType))
	drift, _ := mapping.ParseDrift(string(m.Drift))
	return mapping.Mapping{
		Drift: drift, Target: m.Target, Source: m.Source, Constant: m.Constant.Value, Expression: string(m.Expression),
		Default: m.DefaultValue.Value, FlowType: flow, FlowNull: m.FlowNull,
		MatchingPriority: m.MatchingPriority, Sensitive: m.Sensitive, Allowed: m.allowed(),
		Type: attribute.Type(m.Type), Multivalued: m.Multivalued,
	}
}

// allowed are the values that the mapping may write, as texts.
func (m Mapping) allowed() []string {
	var texts []string
	for _, v := range m.AllowedValues {
		texts = append(texts, string(v))
	}
	return texts
}

// addMapping reports a problem of a mapping, inside the expression if it is there.
func (c *compiler) addMapping(path string, p mapping.Problem) {
	f := finding{path: path, code: InvalidMapping, message: path + ": " + p.Message, suggestion: p.Suggestion}
	if p.Field != "" {
		f.path = join(path, p.Field)
		f.message = f.path + ": " + p.Message
	}
	if p.Severity == mapping.Warning {
		f.severity = warning
	}
	for _, source := range []string{"source", "constant", "expression"} {
		if p.Field == "" && !c.sound(join(path, source)) {
			return // it has a source, of which was told already that it is none
		}
	}
	if n := c.nodes[f.path]; n != nil && p.Field == "expression" && p.Offset >= 0 {
		f.code, f.message = InvalidExpression, p.Message
		f.at, _ = c.source.locate(n, p.Offset)
	}
	if f.at == (place{}) && !c.sound(f.path) {
		return
	}
	c.add(f)
}
