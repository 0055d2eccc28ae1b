package docs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/internal/config"
	"tenantsync/scope"
)

// filterExample is a row of the filter page: a clause, a value it is true for and
// one it is false for.
type filterExample struct{ operator, clause, yes, no string }

// filterExamples reads the tables of the page, by the operators of Entra, those
// beyond, and the other clauses.
func filterExamples(t *testing.T) (entra, beyond, other []filterExample) {
	t.Helper()
	own, further, found := strings.Cut(readPage(t, "filters.md").Text, "## Beyond Entra")
	if !found {
		t.Fatal("filters.md has no section Beyond Entra")
	}
	cell := regexp.MustCompile("`([^`]*)`")
	rows := func(text string) (operators, clauses []filterExample) {
		for line := range strings.SplitSeq(text, "\n") {
			words := cell.FindAllStringSubmatch(line, -1)
			switch {
			case !strings.HasPrefix(line, "| `"):
			case strings.HasPrefix(words[0][1], "{") && len(words) == 3:
				clauses = append(clauses, filterExample{"", words[0][1], words[1][1], words[2][1]})
			case len(words) == 4:
				operators = append(operators, filterExample{words[0][1], words[1][1], words[2][1], words[3][1]})
			default:
				t.Errorf("filters.md: row is not understood: %s", line)
			}
		}
		return operators, clauses
	}
	entra, _ = rows(own)
	beyond, other = rows(further)
	return entra, beyond, other
}

// Every operator stands on the page, with an example that is true for the value it
// shows and false for the other.
func TestFilterExamplesHold(t *testing.T) {
	entra, beyond, other := filterExamples(t)
	var named []string
	for i, e := range append(slices.Clone(entra), beyond...) {
		o, err := scope.ParseOperator(e.operator)
		if err != nil {
			t.Errorf("filters.md: %v", err)
			continue
		}
		named = append(named, e.operator)
		if o.Beyond() != (i >= len(entra)) {
			t.Errorf("filters.md: %s stands in the wrong table", e.operator)
		}
		if !strings.Contains(e.clause, e.operator) {
			t.Errorf("filters.md: the example of %s does not use it: %s", e.operator, e.clause)
		}
	}
	if all := scope.Operators(); !slices.Equal(named, all) {
		t.Errorf("filters.md has the operators\n%q, want\n%q", named, all)
	}
	if len(other) < 10 {
		t.Errorf("filters.md: %d clauses beyond operators, want the examples of each key and attribute", len(other))
	}
	for _, e := range slices.Concat(entra, beyond, other) {
		filter := compiledClause(t, e.clause)
		for value, want := range map[string]bool{e.yes: true, e.no: false} {
			d := filter.Evaluate(userWith(t, filter, value), time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC))
			if d.InScope != want || d.Err != nil {
				t.Errorf("filters.md: %s is %v for %s (error %v), the page says %v", e.clause, d.InScope, value, d.Err, want)
			}
		}
	}
}

// compiledClause loads a clause as a configuration has it.
func compiledClause(t *testing.T, clause string) *scope.Filter {
	t.Helper()
	text := fmt.Sprintf(`version: 1
tenants:
  a: {tenantId: 11111111-1111-1111-1111-111111111111, credential: {kind: managedIdentity}}
  b: {tenantId: 33333333-3333-3333-3333-333333333333, credential: {kind: managedIdentity}}
jobs:
  - {name: a-to-b, source: a, target: b, scope: {mode: all, filters: [{title: T, clauses: [%s]}]}}
`, clause)
	c, err := config.Parse("filters.md", []byte(text), config.Options{})
	if err != nil {
		t.Fatalf("filters.md: %s: %v", clause, err)
	}
	return c.Jobs[0].Filter
}

// userWith gives the attribute that a filter looks at a value written as JSON.
func userWith(t *testing.T, f *scope.Filter, text string) directory.Attributes {
	t.Helper()
	name := scope.MemberOf
	if names := f.Attributes(); len(names) > 0 {
		name = names[0]
	}
	var x any
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		t.Fatalf("filters.md: value %s: %v", text, err)
	}
	v, ok := directory.ValueOf(x)
	if !ok {
		t.Fatalf("filters.md: value %s is none", text)
	}
	return directory.AttributesOf(map[string]directory.Value{name: v})
}

// What the page shows of commands is what their test script shows.
func TestFilterPageShowsTheScript(t *testing.T) {
	script, err := os.ReadFile(filepath.Join("..", "cmd", "tenantsync", "testdata", "script", "scope.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for _, b := range readPage(t, "filters.md").Blocks {
		if b.Lang != "text" {
			continue
		}
		blocks++
		if text := strings.Join(b.Text, "\n"); !strings.Contains(string(script), text) {
			t.Errorf("filters.md:%d: the block is not in scope.txtar:\n%s", b.Line, text)
		}
	}
	if blocks == 0 {
		t.Error("filters.md shows no output")
	}
}
