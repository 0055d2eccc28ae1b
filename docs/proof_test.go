package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// proofPages state promises, each in a table row whose last cell names what shows it.
var proofPages = []string{"reliability.md", "security.md"}

// proofName is a test as the pages name it, with a subtest after a slash where one is meant.
var proofName = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Za-z0-9_]+)(?:/([^`]+))?`")

// Each row of a table headed by "Shown by" names at least one test, and every test
// that the pages name is there.
func TestProofPagesNameTests(t *testing.T) {
	t.Parallel()
	source := testSource(t)
	for _, name := range proofPages {
		page, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, table := range proofTables(string(page)) {
			for _, row := range table {
				rows++
				cells := strings.Split(strings.Trim(row, "| "), " | ")
				named := proofName.FindAllStringSubmatch(cells[len(cells)-1], -1)
				if len(named) == 0 {
					t.Errorf("%s: no test shows this row: %s", name, row)
				}
			}
		}
		if rows == 0 {
			t.Errorf("%s: no table has the column \"Shown by\"", name)
		}
		for _, n := range proofName.FindAllStringSubmatch(string(page), -1) {
			if !regexp.MustCompile(`(?m)^func ` + n[1] + `\(`).MatchString(source) {
				t.Errorf("%s names %s, which is not there", name, n[1])
			}
			if n[2] != "" && !strings.Contains(source, `"`+n[2]+`"`) {
				t.Errorf("%s names %s/%s, and no test says %q", name, n[1], n[2], n[2])
			}
		}
	}
}

// Every fuzz target is named where the security page tells what is read from elsewhere.
func TestProofPageNamesEveryFuzzTarget(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	targets := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(f \*testing\.F\)`).FindAllStringSubmatch(testSource(t), -1)
	if len(targets) == 0 {
		t.Fatal("no fuzz target found")
	}
	for _, target := range targets {
		if !strings.Contains(string(page), "`"+target[1]+"`") {
			t.Errorf("security.md does not name %s", target[1])
		}
	}
}

// proofTables returns the rows of each table whose last column is "Shown by".
func proofTables(page string) [][]string {
	var tables [][]string
	lines := strings.Split(page, "\n")
	for i := 0; i < len(lines); i++ {
		if !strings.HasSuffix(strings.TrimSpace(lines[i]), "| Shown by |") {
			continue
		}
		var rows []string
		for i += 2; i < len(lines) && strings.HasPrefix(lines[i], "|"); i++ {
			rows = append(rows, lines[i])
		}
		tables = append(tables, rows)
	}
	return tables
}

// testSource is the text of every test file of the project.
func testSource(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(path, "_test.go") {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			b.Write(raw)
			b.WriteByte('\n')
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
