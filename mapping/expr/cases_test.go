package expr_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/internal/sharedtest"
	"tenantsync/mapping/expr"
)

// testCase is one entry of a file of cases: what an expression gives for a user.
type testCase struct {
	ID         string         `json:"id"`
	Expression string         `json:"expression"`
	Attributes map[string]any `json:"attributes"`
	Expect     any            `json:"expect"`
	Error      bool           `json:"error"`
	Ignored    bool           `json:"ignored"`
	Now        time.Time      `json:"now"`
	Taken      []string       `json:"taken"`
	Source     string         `json:"source"`
	Note       string         `json:"note"`
}

func readCases(t testing.TB, path string) []testCase {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cases []testCase
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(&cases); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return cases
}

// allCases reads the cases of every theme.
func allCases(t testing.TB) []testCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "cases", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of cases (error %v)", err)
	}
	var cases []testCase
	for _, file := range files {
		cases = append(cases, readCases(t, file)...)
	}
	return cases
}

func attributes(t testing.TB, from map[string]any) directory.Attributes {
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

// ignored is the outcome of a case that leaves the target attribute alone.
type ignored struct{}

// expected returns the outcome that a case asks for.
func (c testCase) expected() any {
	if c.Ignored {
		return ignored{}
	}
	return c.Expect
}

// outcome evaluates a case and returns the result as JSON would carry it.
func outcome(t *testing.T, c testCase) (any, error) {
	t.Helper()
	program, err := expr.Compile(c.Expression, nil)
	if err != nil {
		return nil, err
	}
	result, err := program.Result(expr.Env{Attributes: attributes(t, c.Attributes), Now: c.Now,
		Taken: func(value string) bool {
			return slices.ContainsFunc(c.Taken, func(taken string) bool { return strings.EqualFold(taken, value) })
		}})
	if err != nil {
		return nil, err
	}
	if result.Ignored {
		return ignored{}, nil
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
				t.Fatalf("%s fails: %v, want %#v", c.Expression, err, c.expected())
			}
			if diff := cmp.Diff(c.expected(), got); diff != "" {
				t.Errorf("%s with %v (-want +got):\n%s", c.Expression, c.Attributes, diff)
			}
		})
	}
}

func TestCases(t *testing.T) {
	cases := allCases(t)
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

// TestCasesReachEveryFunction holds that no function stands without cases of its
// own, mistakes not counted.
func TestCasesReachEveryFunction(t *testing.T) {
	cases := allCases(t)
	if len(cases) < 500 {
		t.Errorf("%d cases, want 500 or more", len(cases))
	}
	calls := map[string]int{}
	for _, c := range cases {
		if c.Error {
			continue
		}
		for _, m := range anyCall.FindAllStringSubmatch(quoted.ReplaceAllString(c.Expression, `""`), -1) {
			calls[m[1]]++
		}
	}
	for _, f := range expr.Functions() {
		if calls[f.Name] < 2 {
			t.Errorf("%s is called in %d cases, want 2 or more", f.Name, calls[f.Name])
		}
		if len(f.Notes) == 0 {
			t.Errorf("%s has no notes", f.Name)
		}
	}
}

// TestReferenceVectors runs the vectors of the whole language.
func TestReferenceVectors(t *testing.T) {
	vectors := readCases(t, sharedtest.File(t, "reference/expression-vectors.json"))
	if len(vectors) < 172 {
		t.Errorf("%d vectors, want 172 or more", len(vectors))
	}
	runCases(t, vectors)
}

func TestExamplesOfFunctions(t *testing.T) {
	for _, f := range expr.Functions() {
		t.Run(f.Name, func(t *testing.T) {
			if f.Summary == "" || f.Example.Expression == "" {
				t.Fatalf("%s has no summary or no example", f.Name)
			}
			got, err := outcome(t, testCase{Expression: f.Example.Expression, Attributes: f.Example.Attributes,
				Now: time.Date(2026, time.March, 1, 8, 0, 0, 0, time.UTC)})
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
