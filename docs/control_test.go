package docs_test

import (
	"fmt"
	"strings"
	"testing"

	"tenantsync/internal/control"
)

// The table of requests and roles is the one by which the daemon decides.
func TestControlPageListsEveryRoute(t *testing.T) {
	t.Parallel()
	page := readPage(t, "control.md").Text
	var want []string
	for _, r := range control.Routes() {
		with := ""
		if r.When != "" {
			with = "`" + r.When + "`"
		}
		want = append(want, strings.TrimSpace(fmt.Sprintf("| `%s` | %s | %s | %s |", r.Name, with, r.Needs, r.Does)))
	}
	rows := strings.Join(want, "\n")
	_, table, _ := strings.Cut(page, "| Request | With | Least role | Does |\n|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if strings.TrimSpace(table) != rows {
		t.Errorf("control.md has the table\n%s\nwant\n%s", table, rows)
	}
}
