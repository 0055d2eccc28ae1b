package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tenantsync/internal/config"
)

// jobful is a configuration whose jobs say all that is easily lost on the way, and
// whose tenants cannot even be signed in to.
const jobful = `version: 1
tenants:
  contoso: {tenantId: 11111111-1111-1111-1111-111111111111, credential: {kind: secret, clientId: 33333333-3333-3333-3333-333333333333, secret: "${NOBODY_KNOWS}"}}
  fabrikam: {tenantId: 22222222-2222-2222-2222-222222222222, credential: {kind: secret, clientId: 33333333-3333-3333-3333-333333333333, secret: plain-secret}}
jobs:
  - &first
    name: one # a comment
    source: contoso
    target: "fabrikam"
    enabled: false
    schedule: '@every 40m'
    deleteAfter: 0
    scope: {mode: all, filters: [{title: "It's: #1", clauses: [{attribute: department, operator: EQUALS, values: ["10", 'yes', "a\tb", 10, true]}]}]}
    mappings:
      - {target: displayName, expression: 'Join(" ", [givenName], "O''Brien")'}
      - target: department
        expression: |
          IIF(IsPresent([department]),
            [department], "none")
      - {target: city, expression: "Append([city], \"\u00e9\\n\")"}
      - {target: state, constant: null}
      - {target: country, constant: "", defaultValue: "null"}
      - {target: jobTitle, constant: "${TITLE:-Guest}"}
      - {target: companyName, constant: "$${file:no}${file:company.txt}${file:/abs}"}
    limits: {writesPerSecond: 2.5}
  - <<: *first
    name: two
    targetObjectActions: [create]
  - {name: elsewhere, source: contoso, target: adatum}
`

// The jobs mean in the other file what they mean in theirs.
func TestJobsBetween(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "company.txt"), []byte("Contoso"), 0o600); err != nil {
		t.Fatal(err)
	}
	jobs, left, err := config.JobsBetween(filepath.Join(dir, "mine.yaml"), []byte(jobful), []string{"contoso", "fabrikam"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(left, []string{"elsewhere"}) {
		t.Errorf("left out: got %q, want elsewhere", left)
	}
	for _, no := range []string{"plain-secret", "NOBODY_KNOWS", "Contoso", "adatum", "# a comment"} {
		if strings.Contains(string(jobs), no) {
			t.Errorf("%q is among the jobs:\n%s", no, jobs)
		}
	}
	if !strings.Contains(string(jobs), "${TITLE:-Guest}") {
		t.Errorf("a reference was replaced:\n%s", jobs)
	}
	options := config.Options{
		Env: func(name string) (string, bool) { return "x", name == "NOBODY_KNOWS" },
		ReadFile: func(path string) ([]byte, error) {
			if path == "/abs" {
				return []byte("Ltd"), nil
			}
			return os.ReadFile(path)
		},
	}
	own, _, _ := strings.Cut(jobful, "  - {name: elsewhere")
	want, err := config.Parse(filepath.Join(dir, "mine.yaml"), []byte(own), options)
	if err != nil {
		t.Fatal(err)
	}
	options.Env = func(string) (string, bool) { return "", false }
	options.ReadFile = func(path string) ([]byte, error) {
		switch {
		case strings.HasSuffix(path, ".secret"):
			return []byte("s"), nil
		case path == "/abs":
			return []byte("Ltd"), nil
		}
		return os.ReadFile(path)
	}
	simulated := []config.SimulatedTenant{
		{Name: "contoso", TenantID: "11111111-1111-1111-1111-111111111111", ClientID: "33333333-3333-3333-3333-333333333333", SecretFile: "c.secret"},
		{Name: "fabrikam", TenantID: "22222222-2222-2222-2222-222222222222", ClientID: "33333333-3333-3333-3333-333333333333", SecretFile: "f.secret"},
	}
	text := config.Simulated(simulated, "https://127.0.0.1:1", "https://127.0.0.1:1/v1.0", "", jobs)
	got, err := config.Parse(filepath.Join(t.TempDir(), "config.yaml"), text, options)
	if err != nil {
		t.Fatalf("the written file is not valid: %v\n%s", err, text)
	}
	if len(got.Jobs) != 2 || len(want.Jobs) != 2 {
		t.Fatalf("got %d jobs, want 2\n%s", len(got.Jobs), text)
	}
	for i, w := range want.Jobs {
		a, b := *got.Jobs[i], *w
		a.Filter, a.Schema, b.Filter, b.Schema = nil, nil, nil, nil
		if !reflect.DeepEqual(a, b) {
			t.Errorf("job %s: got\n%+v\nwant\n%+v\n%s", w.Name, a, b, text)
		}
	}
}

// bomb grows tenfold with every line.
var bomb = func() string {
	text := "a0: &a0 {k: v}\n"
	for i := 1; i < 12; i++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return text + "jobs: [{name: j, source: a, target: a, mappings: *a11}]\n"
}()

func TestJobsBetweenOfNoConfiguration(t *testing.T) {
	for _, text := range []string{"", "jobs: {}", "jobs: none", "version: 1", "jobs: [", "- 1", bomb} {
		_, _, err := config.JobsBetween("mine.yaml", []byte(text), []string{"a"})
		var invalid *config.Invalid
		if !errors.As(err, &invalid) {
			t.Errorf("%q: got %v, want an *Invalid", text, err)
		}
	}
	for _, text := range []string{"jobs: []", "jobs: [1, null, [], {}]"} {
		if jobs, _, err := config.JobsBetween("mine.yaml", []byte(text), []string{"a"}); err != nil || len(jobs) > 0 {
			t.Errorf("%q: got %q, %v; want no job", text, jobs, err)
		}
	}
}
