package importer_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tenantsync/directory"
	"tenantsync/internal/config"
	"tenantsync/internal/config/importer"
	"tenantsync/mapping/expr"
)

// Whatever the bytes: nothing panics, and what is imported is a job that the
// configuration accepts.
func FuzzSchemaImport(f *testing.F) {
	files, err := filepath.Glob("../../../testdata/import/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(of(city, scopeOf(group("G", clause("city", "EQUALS", `{"values":["Oslo"]}`))))))
	f.Add([]byte(of(`{"targetAttributeName":"city","source":{"name":"x\n'\"# ${a}","type":1},"defaultValue":"- y"}`, `"flowTypes":3`)))
	f.Fuzz(func(t *testing.T, content []byte) {
		j, err := importer.Schema(content, importer.Settings{})
		if err != nil {
			return
		}
		if err := j.WriteReport(io.Discard); err != nil {
			t.Fatal(err)
		}
		raw, err := j.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := j.WriteConfig(&b, tenants[len("version: 1\n"):]); err != nil {
			t.Fatal(err)
		}
		if b.Len() > 1<<20 {
			return // larger than any configuration may be
		}
		c, err := config.Parse("config.yaml", b.Bytes(), config.Options{})
		if err != nil {
			t.Fatalf("the configuration is not valid: %v\n%s", err, b.String())
		}
		d, err := config.Parse("config.yaml", append([]byte(tenants+"jobs: ["), append(raw, "]\n"...)...), config.Options{})
		if err != nil {
			t.Fatalf("the job in JSON is not valid: %v\n%s", err, raw)
		}
		for _, job := range []*config.Job{c.Jobs[0], d.Jobs[0]} {
			if job.Enabled != j.Enabled || len(job.Scope.Filters) != len(j.Filters) || len(job.Mappings) != len(j.Mappings) {
				t.Fatalf("got enabled %v, %d filters, %d mappings; want %v, %d, %d\n%s", job.Enabled, len(job.Scope.Filters), len(job.Mappings),
					j.Enabled, len(j.Filters), len(j.Mappings), b.String())
			}
			for i, m := range job.Mappings {
				if want := j.Mappings[i]; string(m.Expression) != want.Expression || m.Source != want.Source || m.Target != want.Target ||
					!m.Constant.Value.Equal(want.Constant) || !m.DefaultValue.Value.Equal(want.Default) {
					t.Fatalf("mapping %d: got %+v, want %+v\n%s", i, m, want, b.String())
				}
			}
		}
	})
}

// Texts that YAML, references or comments could take for something else.
var awkward = []string{"", " ", "a: b", "# x", "- y", "'", `"`, `\`, "${HOME}", "$${", "$", "}", "null", "~", "yes", "No", "1", "1e3", "0x1f", ".inf", "2001-01-01", "*a", "&a", "!t", "|", ">", "%",
	"@", "`", "{a: b}", "[a]", "a\nb", "\t", "\r\n", "\u0000", "\u0085", "\u2028", "\ufeff", "\u202e", "\U000e0001", "é", "😀", "a ", " a", "?", "? a", "---", "...", "<<", "=", ",", "a,b", "a#b", "a #b", "\x7f"}

// Whatever text stands in a schema, the job holds that text.
func TestAwkwardTexts(t *testing.T) {
	for _, text := range awkward {
		raw, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		quoted := string(raw)
		j := imported(t, `{"id":`+quoted+`,"version":`+quoted+`,"synchronizationRules":[{"name":`+quoted+`,"objectMappings":[
{"name":`+quoted+`,"enabled":false,"sourceObjectName":"User","targetObjectName":"User","attributeMappings":[
{"targetAttributeName":"city","source":{"name":`+quoted+`,"type":"Constant"},"defaultValue":`+quoted+`},
{"targetAttributeName":`+quoted+`,"source":{"name":`+quoted+`,"expression":`+quoted+`,"type":"Function"}},
{"targetAttributeName":"state","source":{"name":"Append","type":"Function","parameters":[{"key":"source","value":{"name":"city"}},{"key":"suffix","value":{"name":`+quoted+`,"type":"Constant"}}]}}],
"scope":{"groups":[{"name":`+quoted+`,"clauses":[{"sourceOperandName":"city","operatorName":"INCLUDES","targetOperand":{"values":[`+quoted+`,"z"]}}]},
{"name":`+quoted+`,"clauses":[{"sourceOperandName":`+quoted+`,"operatorName":`+quoted+`,"targetOperand":{"values":[`+quoted+`]}}]}]}},
{"name":`+quoted+`,"sourceObjectName":`+quoted+`,"targetObjectName":"User"}]}]}`)
		fromYAML, fromJSON := load(t, j)
		for _, job := range []*config.Job{fromYAML, fromJSON} {
			mappings, left := job.Mappings, text == "\x00"
			if left { // an attribute never takes this one, so the constant is left out and reported
				says := func(n importer.Note) bool { return n.Kind == importer.LeftOut && strings.Contains(n.Why, "NUL") }
				if !slices.ContainsFunc(j.Notes, says) {
					t.Errorf("%q: got the notes %+v, want one that says why the constant is left out", text, j.Notes)
				}
				mappings = slices.Insert(slices.Clone(mappings), 0, config.Mapping{})
			}
			if len(mappings) != 2 {
				t.Errorf("%q: got %d mappings, want 2", text, len(mappings))
				continue
			}
			if m := mappings[0]; !left && m.Constant.Value.String() != text {
				t.Errorf("constant: got %q, want %q", m.Constant.Value, text)
			}
			if m := mappings[0]; !left && m.DefaultValue.Value.String() != text {
				t.Errorf("default value: got %q, want %q", m.DefaultValue.Value, text)
			}
			program, err := expr.Compile(string(mappings[1].Expression), nil)
			if err != nil {
				t.Errorf("%q: %v", text, err)
				continue
			}
			v, err := program.Evaluate(expr.Env{Attributes: directory.AttributesOf(map[string]directory.Value{"city": directory.TextOf("x")})})
			if err != nil || v.String() != "x"+text {
				t.Errorf("expression: got %q, %v, want %q", v.String(), err, "x"+text)
			}
			if len(job.Scope.Filters) > 0 && (job.Scope.Filters[0].Title != text || string(job.Scope.Filters[0].Clauses[0].Values[0]) != text) {
				t.Errorf("filter: got %+v, want %q", job.Scope.Filters[0], text)
			}
		}
	}
}
