package docs_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tenantsync/engine"
)

func TestEveryErrorCodeIsExplained(t *testing.T) {
	p := readPage(t, "error-codes.md")
	documented := firstColumn(p.Text)
	for code := range engine.Codes() {
		if !slices.Contains(documented, code) {
			t.Errorf("error-codes.md lacks %s", code)
		}
	}
	seen := map[string]bool{}
	for _, code := range documented {
		if _, ok := engine.Codes()[code]; !ok {
			t.Errorf("error-codes.md has %s, which the engine does not use", code)
		}
		if seen[code] {
			t.Errorf("error-codes.md has %s twice", code)
		}
		seen[code] = true
	}
}

// decisionRows reads the table in the comment of engine's decide: the columns
// begin where the header's words do.
func decisionRows(t *testing.T) [][]string {
	t.Helper()
	raw, err := os.ReadFile("../engine/decide.go")
	if err != nil {
		t.Fatal(err)
	}
	var starts []int
	var rows [][]string
	row := regexp.MustCompile(`^//\s+\d+  `)
	for line := range strings.SplitSeq(string(raw), "\n") {
		runes := []rune(line)
		if strings.HasPrefix(line, "//") && strings.Contains(line, "#  source") {
			for _, name := range []string{"#", "source", "link", "target", "policy", "action"} {
				starts = append(starts, strings.Index(line, name))
			}
			starts[0] = 2
			continue
		}
		if starts == nil || !row.MatchString(line) {
			continue
		}
		var cells []string
		for i, from := range starts {
			to := len(runes)
			if i+1 < len(starts) {
				to = min(starts[i+1], len(runes))
			}
			cells = append(cells, strings.TrimSpace(string(runes[min(from, len(runes)):to])))
		}
		rows = append(rows, cells)
	}
	if len(rows) < 10 {
		t.Fatalf("found %d rows in engine/decide.go, want the whole decision table", len(rows))
	}
	return rows
}

func TestDecisionTableIsTheCodes(t *testing.T) {
	var want strings.Builder
	want.WriteString("| # | Source | Link | Target | Policy | Action |\n|---|---|---|---|---|---|\n")
	for _, cells := range decisionRows(t) {
		fmt.Fprintf(&want, "| %s |\n", strings.Join(cells, " | "))
	}
	checkPart(t, "decision-table.md", "table", want.String())
}
