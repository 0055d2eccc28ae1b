package config

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
)

// Masked returns the configuration as it is in effect, defaults included, as a
// YAML document. Secrets, the constants, default values and expressions of
// sensitive mappings, and what filters compare the attributes with that such
// mappings read, are replaced by "(sensitive)".
func (c *Config) Masked() ([]byte, error) {
	document := masked(reflect.ValueOf(c).Elem(), c.tenantNames)
	text, err := yaml.MarshalWithOptions(document, yaml.Indent(2), yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return text, nil
}

// masked turns a value into what the encoder writes.
func masked(v reflect.Value, names []string) any {
	switch x := v.Interface().(type) {
	case Secret:
		return x.String()
	case Duration:
		return x.String()
	case Size:
		return x.String()
	case Moment:
		return x.String()
	case Literal:
		return literal(x.Value)
	case []Mapping:
		return maskedMappings(x)
	case Job:
		x.Scope.Filters = maskedFilters(x.Scope.Filters, x.Schema)
		return maskedStruct(reflect.ValueOf(x), names)
	case map[string]*Tenant:
		tenants := yaml.MapSlice{}
		for _, name := range names {
			tenants = append(tenants, yaml.MapItem{Key: name, Value: masked(reflect.ValueOf(x[name]), names)})
		}
		return tenants
	}
	switch v.Kind() {
	case reflect.Pointer:
		return masked(v.Elem(), names)
	case reflect.Struct:
		return maskedStruct(v, names)
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = masked(v.Index(i), names)
		}
		return list
	case reflect.String:
		return v.String()
	case reflect.Float64:
		if whole := int64(v.Float()); float64(whole) == v.Float() {
			return whole // 10, not 10.0
		}
	}
	return v.Interface()
}

func maskedStruct(v reflect.Value, names []string) yaml.MapSlice {
	out := yaml.MapSlice{}
	for _, f := range fieldsOf(v.Type()) {
		value := v.Field(f.index)
		switch value.Kind() {
		case reflect.String, reflect.Pointer, reflect.Slice, reflect.Map:
			// An empty text says nothing, but for the control interface, where it
			// says "nowhere"; a job without mappings has the default ones.
			if value.IsZero() && f.key != "listen" && f.key != "mappings" {
				continue
			}
		case reflect.Struct:
			if s, isSecret := value.Interface().(Secret); isSecret && s.IsEmpty() {
				continue
			}
			if m, isMoment := value.Interface().(Moment); isMoment && m == (Moment{}) {
				continue
			}
		}
		out = append(out, yaml.MapItem{Key: f.key, Value: masked(value, names)})
	}
	return out
}

// maskedFilters hides what clauses compare sensitive attributes with.
func maskedFilters(list []FilterGroup, schema *mapping.Schema) []FilterGroup {
	out := slices.Clone(list)
	for i := range out {
		out[i].Clauses = slices.Clone(out[i].Clauses)
		for k := range out[i].Clauses {
			c := &out[i].Clauses[k]
			if info, ok := attribute.Lookup(c.Attribute); !ok || !schema.SensitiveSource(info.Name) {
				continue
			}
			if c.Value != nil {
				c.Value = new(Word(hiddenText))
			}
			c.Values = slices.Clone(c.Values)
			for n := range c.Values {
				c.Values[n] = hiddenText
			}
		}
	}
	return out
}

// maskedMappings writes mappings with what they say only.
func maskedMappings(list []Mapping) []any {
	if list == nil {
		for _, m := range defaultMappings() {
			list = append(list, written(m))
		}
	}
	out := make([]any, len(list))
	for i, m := range list {
		hide := func(x any) any {
			if m.Sensitive {
				return hiddenText
			}
			return x
		}
		item := yaml.MapSlice{{Key: "target", Value: m.Target}}
		add := func(given bool, key string, value any) {
			if given {
				item = append(item, yaml.MapItem{Key: key, Value: value})
			}
		}
		add(m.Source != "", "source", m.Source)
		add(m.Constant.Written(), "constant", hide(literal(m.Constant.Value)))
		expression := string(m.Expression)
		if m.Sensitive {
			expression = `"` + hiddenText + `"` // an expression still
		}
		add(m.Expression != "", "expression", expression)
		add(m.DefaultValue.Written(), "defaultValue", hide(literal(m.DefaultValue.Value)))
		add(true, "flowType", string(m.FlowType))
		add(m.Drift != "" && m.Drift != "overwrite", "drift", string(m.Drift))
		if m.FlowNull != nil {
			add(true, "flowNull", *m.FlowNull)
		}
		add(m.MatchingPriority > 0, "matchingPriority", m.MatchingPriority)
		add(m.Sensitive, "sensitive", true)
		allowed := make([]any, len(m.AllowedValues))
		for k, v := range m.AllowedValues {
			allowed[k] = hide(string(v))
		}
		add(len(allowed) > 0, "allowedValues", allowed)
		add(m.Type != "", "type", string(m.Type))
		add(m.Multivalued, "multivalued", true)
		out[i] = item
	}
	return out
}

// written returns a mapping as the file would give it.
func written(m mapping.Mapping) Mapping {
	return Mapping{
		Target: m.Target, Source: m.Source, Constant: Literal{m.Constant}, Expression: Expression(m.Expression),
		DefaultValue: Literal{m.Default}, FlowType: FlowType(m.FlowType.String()), Drift: Drift(m.Drift.String()), FlowNull: m.FlowNull,
		MatchingPriority: m.MatchingPriority, Sensitive: m.Sensitive,
		Type: DataType(m.Type), Multivalued: m.Multivalued,
	}
}

// literal returns a value as the encoder writes it.
func literal(v directory.Value) any {
	switch v.Kind() {
	case directory.Bool:
		b, _ := v.Bool()
		return b
	case directory.Int:
		n, _ := v.Int()
		return n
	case directory.List:
		return v.List()
	case directory.Text, directory.Ref:
		return v.Text()
	}
	return nil
}
