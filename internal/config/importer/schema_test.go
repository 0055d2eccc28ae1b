package importer_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"tenantsync/internal/config/importer"
)

// The same schema in every dress gives the same job.
func TestDresses(t *testing.T) {
	plain := of(city)
	utf16Of := func(order binary.AppendByteOrder, mark bool) string {
		text := plain
		if mark {
			text = "\ufeff" + text
		}
		var b []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, unit)
		}
		return string(b)
	}
	pascal := strings.NewReplacer("synchronizationRules", "SynchronizationRules", "objectMappings", "ObjectMappings", "sourceObjectName", "SourceObjectName",
		"targetObjectName", "TargetObjectName", "attributeMappings", "AttributeMappings", "targetAttributeName", "TargetAttributeName",
		`"source"`, `"Source"`, `"name"`, `"Name"`).Replace(plain)
	for name, text := range map[string]string{
		"byte order mark": "\ufeff" + plain,
		"UTF-16 LE":       utf16Of(binary.LittleEndian, true), "UTF-16 BE": utf16Of(binary.BigEndian, true),
		"UTF-16 LE without a mark": utf16Of(binary.LittleEndian, false), "UTF-16 BE without a mark": utf16Of(binary.BigEndian, false),
		"template":             `{"id":"Azure2Azure","factoryTag":"Azure2Azure","schema":` + plain + `}`,
		"list of one template": `{"@odata.context":"x","value":[{"id":"Azure2Azure","schema":` + plain + `}]}`,
		"Graph's answer":       `{"@odata.context":"x","synchronizationRules@odata.context":"y",` + plain[1:],
		"PowerShell":           pascal,
		"unwrapped lists":      strings.NewReplacer("[", "", "]", "").Replace(plain),
		"unknown members":      strings.Replace(plain, `"name":"Users"`, `"name":"Users","metadata":[{"key":"Disposition","value":"\"Normal\""}],"more":{"a":[1,null,true]}`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			j := imported(t, text)
			same(t, "mappings", linesAfter(t, j, "  mappings"), []string{"- {target: city, source: city}"})
			same(t, "notes", notes(j), nil)
		})
	}
}

func TestNoSchema(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "the file is empty"},
		{" \n", "the file is empty"},
		{"version: 1\njobs: []", "line 1, column 1: not valid JSON: invalid character 'v' looking for beginning of value"},
		{"{\n  \"a\": [1,\n", "line 3, column 1: the JSON ends too early"},
		{"{\n  \"a\": tru }", "line 2, column 11: not valid JSON: invalid character ' ' in literal true (expecting 'e')"},
		{"{}\n{}", "line 2, column 1: the JSON ends before this"},
		{"[]", "line 1, column 1: this is no synchronization schema: it holds a list"},
		{"{\n \"K\xfcche\": 1}", "line 2, column 4: the file is neither UTF-8 nor UTF-16"},
		{"{\"synchronizationRules\":[{\"scope\":null,\n\"scope\":{}}]}", `line 2, column 1: the object has two members "scope"`},
		{`"x"`, "line 1, column 1: this is no synchronization schema: it holds text"},
		{`{"users":[]}`, "line 1, column 1: this is no synchronization schema: it holds an object without synchronizationRules"},
		{"{\n \"synchronizationRules\": \"x\"}", "line 2, column 26: synchronizationRules must be a list, not text"},
		{`{"synchronizationRules":[]}`, "the schema maps no users to users: it has no object mapping from User to User"},
		{`{"synchronizationRules":[{"objectMappings":[{"sourceObjectName":"Group","targetObjectName":"Group"}]}]}`, "the schema maps no users to users: it has no object mapping from User to User"},
		{strings.Repeat("[", 2000), "line 1, column 1002: nested deeper than 1000 levels"},
	} {
		_, err := importer.Schema([]byte(tt.text), importer.Settings{})
		var fault *importer.Error
		if !errors.As(err, &fault) {
			t.Errorf("%.40q: got %v, want an *Error", tt.text, err)
			continue
		}
		if fault.Error() != tt.want {
			t.Errorf("%.40q:\ngot  %s\nwant %s", tt.text, fault, tt.want)
		}
		if fault.Action == "" {
			t.Errorf("%.40q: no advice", tt.text)
		}
	}
}

// The user object mapping that counts: enabled before not enabled, then by the
// rule's priority; all others that were enabled are told.
func TestChoice(t *testing.T) {
	users := func(name, target, more string) string {
		return `{"name":"` + name + `","sourceObjectName":"User","targetObjectName":"User"` + more + `,"attributeMappings":[{"targetAttributeName":"` + target + `","source":{"name":"city"}}]}`
	}
	const groups = `{"name":"Groups","sourceObjectName":"Group","targetObjectName":"Group","attributeMappings":[]`
	schema := `{"synchronizationRules":[
{"name":"second","priority":2,"objectMappings":[` + users("Later", "state", "") + `,` + groups + `,"enabled":false}]},
{"name":"first","priority":"1","objectMappings":[` + users("Off", "state", `,"enabled":false`) + `,` + users("Users", "city", "") + `,` + groups + `,"enabled":true}]}]}`
	j := imported(t, schema)
	same(t, "mappings", linesAfter(t, j, "  mappings"), []string{"- {target: city, source: city}"})
	same(t, "notes", notes(j), []string{
		`left out: object mapping "Groups": Group to Group: only users are synchronized`,
		`left out: object mapping "Later": User to User: a job has one object mapping of users, and object mapping "Users" comes first; compare the two; put what is missing into the job by hand`,
	})
	if want := `rule first, object mapping "Users"`; j.Origin != want {
		t.Errorf("origin: got %s, want %s", j.Origin, want)
	}
}

// What a schema does not say comes from the settings.
func TestSettings(t *testing.T) {
	yes, no, threshold := true, false, 50
	for _, tt := range []struct {
		name     string
		settings importer.Settings
		want     string
	}{
		{"nothing", importer.Settings{}, `- name: source-to-target
  source: source # nothing is ever written to it
  target: target
  scope:
    # A schema does not say who is assigned, so nobody is yet: write mode: all, or name
    # groups, users or the servicePrincipalId of the configuration in the source tenant.
    mode: assigned
`},
		{"everybody", importer.Settings{Source: "contoso", Target: "fabrikam", SyncAll: &yes, ServicePrincipalID: "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}, `- name: contoso-to-fabrikam
  source: contoso # nothing is ever written to it
  target: fabrikam
  scope:
    mode: all
`},
		{"assigned", importer.Settings{Name: "a job", Interval: 100 * time.Minute, SyncAll: &no, ServicePrincipalID: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
			PreventDeletions: &yes, DeletionThreshold: &threshold}, `- name: 'a job'
  source: source # nothing is ever written to it
  target: target
  schedule: '@every 1h40m'
  scope:
    mode: assigned
    servicePrincipalId: '3f2504e0-4f89-41d3-9a0c-0305e82c3301' # its assignments decide, as before
  deletions:
    prevent: true
    threshold: 50 # more than 10 percent are held as well: percent: 0 turns that off
`},
		{"no prevention", importer.Settings{SyncAll: &yes, PreventDeletions: &no, DeletionThreshold: &threshold}, `- name: source-to-target
  source: source # nothing is ever written to it
  target: target
  scope:
    mode: all
  deletions:
    prevent: false
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, err := importer.Schema([]byte(of(city)), tt.settings)
			if err != nil {
				t.Fatal(err)
			}
			if tt.settings.Source == "" {
				load(t, j)
			}
			var b strings.Builder
			if err := j.WriteYAML(&b); err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(b.String(), "would stand.\n")
			got, _, _ = strings.Cut(got, "  mappings:")
			if got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

// A threshold that no job can have is told of, and the default counts.
func TestThresholdThatCannotBeMeant(t *testing.T) {
	for _, threshold := range []int{-5, 99_999_999_999} {
		j, err := importer.Schema([]byte(of(city)), importer.Settings{DeletionThreshold: &threshold})
		if err != nil {
			t.Fatal(err)
		}
		if job, _ := load(t, j); job.Deletions.Threshold != 500 || len(j.Notes) != 1 || j.Notes[0].Kind != importer.LeftOut {
			t.Errorf("%d: got threshold %d with notes %q, want the default and one about it", threshold, job.Deletions.Threshold, notes(j))
		}
	}
}
