package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tenantsync/internal/config"
)

const example = "../../config.example.yaml"

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// document reads a YAML file as the JSON that a schema judges.
func document(t *testing.T, text []byte) any {
	t.Helper()
	json, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestExampleIsValid(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	if err := compileSchema(t).Validate(document(t, text)); err != nil {
		t.Errorf("by its schema: %v", err)
	}
	c, err := config.Load(example, config.Options{Env: func(name string) (string, bool) { return "value-of-" + name, true }})
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("warnings: %v", c.Warnings)
	}
	// Where the example shows a default, it is the default.
	bare := mustParse(t, minimal, nil, nil).Jobs[0]
	got := *c.Jobs[0]
	got.Name, got.Source, got.Target, got.Scope, got.Mappings = bare.Name, bare.Source, bare.Target, bare.Scope, nil
	want := *bare
	want.TimeZone, got.Location, want.Location = got.TimeZone, nil, nil
	got.Ownership = want.Ownership                    // none by default, likewise
	got.ProtectedUsers, got.AllowedDomains = nil, nil // none and all by default, which the example cannot show
	got.Filter, want.Filter, got.Schema, want.Schema = nil, nil, nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the example and the defaults differ:\n got %+v\nwant %+v", got, want)
	}
}

func TestExampleShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				key := typ.Field(i).Tag.Get("yaml")
				if key == "" || key == "-" || seen[typ] {
					continue
				}
				if !strings.Contains(string(text), key+":") && !strings.Contains(string(text), key+" (") && !strings.Contains(string(text), key+",") {
					t.Errorf("key %s of %s is not in the example", key, typ)
				}
				defer walk(typ.Field(i).Type)
			}
			seen[typ] = true
		}
	}
	walk(reflect.TypeFor[config.Config]())
}

// The schema refuses what is wrong by shape alone, and nothing that Load accepts.
func TestSchemaAgreesWithLoad(t *testing.T) {
	schema := compileSchema(t)
	for _, name := range []string{
		"a-list", "version-missing", "version-unknown", "unknown-key", "unknown-key-far", "later-keys", "wrong-types", "no-values",
		"missing-keys", "tenants-empty", "tenant-id", "words", "cloud", "credential-kind", "durations", "limits", "mappings-empty",
		"mapping-priority", "secret-in-excerpt",
	} {
		text, err := os.ReadFile(filepath.Join(testdata, "mistakes", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(document(t, text)) == nil {
			t.Errorf("%s: the schema accepts it", name)
		}
	}
	each(t, "warnings", func(t *testing.T, path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document(t, text)); err != nil {
			t.Errorf("Load accepts it, the schema says %v", err)
		}
	})
	var starter bytes.Buffer
	if err := config.WriteStarter(&starter); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"starter": starter.Bytes(), "minimal": []byte(minimal),
		"references": []byte(strings.Replace(minimal, "scope: {mode: all}}", `scope: {mode: "${MODE}"}, enabled: "${ON}", limits: {parallelReads: "${N}"}, deleteAfter: 0}`, 1)),
	} {
		if err := schema.Validate(document(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
