package expr_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
)

// testCase is one entry of a file of cases: what an expression gives for a user.
type testCase struct {
	ID         string         `json:"id"`
	Expression string         `json:"expression"`
	Attributes map[string]any `json:"attributes"`
	Expect     any            `json:"expect"`
	Error      bool           `json:"error"`
	Now        time.Time      `json:"now"`
}

func readCases(t *testing.T, path string) []testCase {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cases []testCase
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return cases
}

func attributes(t *testing.T, from map[string]any) directory.Attributes {
	t.Helper()
	m := make(map[string]directory.Value, len(from))
	for name, x := range from {
		v, ok := directory.ValueOf(x)
		if !ok {
			t.Fatalf("attribute %s: cannot use %v", name, x)
		}
		m[name] = v
	}
	return directory.AttributesOf(m)
}

// outcome evaluates a case and returns the result as JSON would carry it.
func outcome(t *testing.T, c testCase) (any, error) {
	t.Helper()
	program, err := expr.Compile(c.Expression, nil)
	if err != nil {
		return nil, err
	}
	result, err := program.Result(expr.Env{Attributes: attributes(t, c.Attributes), Now: c.Now})
	if err != nil {
		return nil, err
	}
	if result.IsList {
		list := make([]any, len(result.Members))
		for i, m := range result.Members {
			list[i] = m
		}
		return list, nil
	}
	return result.Any(), nil
}

func runCases(t *testing.T, cases []testCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			got, err := outcome(t, c)
			switch {
			case c.Error && err == nil:
				t.Fatalf("%s gives %#v, want an error", c.Expression, got)
			case c.Error:
				return
			case err != nil:
				t.Fatalf("%s fails: %v, want %#v", c.Expression, err, c.Expect)
			}
			if diff := cmp.Diff(c.Expect, got); diff != "" {
				t.Errorf("%s with %v (-want +got):\n%s", c.Expression, c.Attributes, diff)
			}
		})
	}
}

func TestCases(t *testing.T) {
	cases := readCases(t, filepath.Join("testdata", "cases.json"))
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.ID] {
			t.Errorf("the id %s stands twice", c.ID)
		}
		seen[c.ID] = true
	}
	runCases(t, cases)
}

var (
	quoted  = regexp.MustCompile(`"(?:\\.|[^"\\])*"`)
	anyCall = regexp.MustCompile(`([A-Za-z0-9_]+)\s*\(`)
)

// TestReferenceVectors runs the vectors of the whole language, of which those
// with functions that do not exist yet are counted and left out.
func TestReferenceVectors(t *testing.T) {
	root := os.Getenv("TENANTSYNC_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	path := filepath.Join(root, "reference", "expression-vectors.json")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the vectors are not here: %v (TENANTSYNC_SHARED names their folder)", err)
	}
	known := map[string]bool{}
	for _, f := range expr.Functions() {
		known[f.Name] = true
	}
	all := readCases(t, path)
	var within []testCase
	for _, c := range all {
		calls := anyCall.FindAllStringSubmatch(quoted.ReplaceAllString(c.Expression, `""`), -1)
		if !slices.ContainsFunc(calls, func(m []string) bool { return !known[m[1]] }) {
			within = append(within, c)
		}
	}
	t.Logf("%d of %d vectors use only functions that exist", len(within), len(all))
	if len(within) < 90 {
		t.Errorf("only %d vectors are within the language, want 90 or more", len(within))
	}
	runCases(t, within)
}

func TestExamplesOfFunctions(t *testing.T) {
	for _, f := range expr.Functions() {
		t.Run(f.Name, func(t *testing.T) {
			if f.Summary == "" || f.Example.Expression == "" {
				t.Fatalf("%s has no summary or no example", f.Name)
			}
			got, err := outcome(t, testCase{Expression: f.Example.Expression, Attributes: f.Example.Attributes})
			if err != nil {
				t.Fatalf("%s fails: %v", f.Example.Expression, err)
			}
			want := f.Example.Result
			if list, ok := want.([]string); ok {
				members := make([]any, len(list))
				for i, m := range list {
					members[i] = m
				}
				want = members
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", f.Example.Expression, diff)
			}
		})
	}
	names := make([]string, 0)
	for _, f := range expr.Functions() {
		names = append(names, f.Name)
	}
	if !slices.IsSorted(names) {
		t.Errorf("functions are not in the order of their names: %v", names)
	}
}
