package config

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"

	"tenantsync/scope"
)

// referencePattern lets an editor accept ${VAR} where a number or a word is due.
const referencePattern = `\$\{.+\}`

// Schema returns the JSON Schema (draft 2020-12) of the configuration file, for
// editors: keys with their descriptions and defaults, words to choose from,
// and no key beyond those. What the schema refuses, Load refuses; Load refuses
// more, since a schema cannot compare values.
func Schema() ([]byte, error) {
	r := jsonschema.Reflector{
		Anonymous: true, ExpandedStruct: true, FieldNameTag: "yaml",
		RequiredFromJSONSchemaTags: true, Mapper: schemaOf,
	}
	s := r.Reflect(&Config{})
	s.Title = "tenantsync configuration"
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	var tree map[string]any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	refine(tree)
	text, err := json.MarshalIndent(tree, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	return append(text, '\n'), nil
}

// schemaOf returns the schema of the types that write themselves.
func schemaOf(t reflect.Type) *jsonschema.Schema {
	if t.Kind() == reflect.String {
		if words, closed := reflect.Zero(t).Interface().(enum); closed {
			s := &jsonschema.Schema{Type: "string"}
			for _, w := range words.words() {
				s.Enum = append(s.Enum, w)
			}
			return s
		}
	}
	switch t {
	case reflect.TypeFor[Duration]():
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^(0|([0-9]+(w|d|h|m|s|ms))+|.*\$\{.+\}.*)$`}, {Const: 0},
		}}
	case reflect.TypeFor[Size]():
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^(0|[0-9]+(KiB|MiB|GiB)|.*\$\{.+\}.*)$`}, {Const: 0},
		}}
	case reflect.TypeFor[Moment]():
		return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]{4}-[0-9]{2}-[0-9]{2}(T.+)?|.*\$\{.+\}.*)$`}
	case reflect.TypeFor[Secret]():
		return &jsonschema.Schema{Type: "string", MinLength: new(uint64(1))}
	case reflect.TypeFor[Expression]():
		return &jsonschema.Schema{Type: "string", MaxLength: new(uint64(10_000))}
	case reflect.TypeFor[Word]():
		return &jsonschema.Schema{Extras: map[string]any{"type": []string{"string", "number", "boolean"}}}
	case reflect.TypeFor[Literal]():
		return &jsonschema.Schema{Extras: map[string]any{
			"type":  []string{"string", "integer", "boolean", "null", "array"},
			"items": map[string]any{"type": []string{"string", "number", "boolean"}},
		}}
	}
	return nil
}

// refine adds what tags cannot say, in every group of keys of the schema.
func refine(tree map[string]any) {
	if properties, ok := tree["properties"].(map[string]any); ok {
		for key, p := range properties {
			if property, ok := p.(map[string]any); ok {
				properties[key] = refineProperty(key, property)
			}
		}
	}
	if definitions, ok := tree["$defs"].(map[string]any); ok {
		for _, d := range definitions {
			if definition, ok := d.(map[string]any); ok {
				refine(definition)
			}
		}
	}
}

func refineProperty(key string, p map[string]any) map[string]any {
	switch key {
	case "tenantId", "clientId", "servicePrincipalId":
		p["pattern"] = guid.String() + "|" + referencePattern
	case "tenants":
		p["minProperties"] = 1
	case "operator":
		p["examples"] = scope.Operators()
	}
	_, closed := p["enum"]
	switch kind := p["type"]; {
	case kind == "integer", kind == "number", kind == "boolean", closed:
		value := map[string]any{}
		for _, keyword := range []string{"type", "enum", "minimum", "maximum", "exclusiveMinimum"} {
			if x, ok := p[keyword]; ok {
				value[keyword] = x
				delete(p, keyword)
			}
		}
		p["anyOf"] = []any{value, map[string]any{"type": "string", "pattern": referencePattern}}
	}
	return p
}
