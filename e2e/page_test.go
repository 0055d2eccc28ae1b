package e2e_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// page is the worked example, written from what TestCongress measures.
const page = "../docs/worked-example-congress.md"

// onPage compares the table of the page with the measured rows. Requests may
// differ a little: how batches fill depends on the moment.
func onPage(t *testing.T, rows []row) {
	t.Helper()
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(raw), rowHead)
	if !found {
		t.Fatalf("%s has no table with this head:\n%s", page, rowHead)
	}
	lines := strings.Split(rest, "\n")
	for _, want := range rows {
		shown := lines[0]
		lines = lines[1:]
		cells := strings.Split(shown, " | ")
		if len(cells) < 10 {
			t.Fatalf("%s shows %q, measured:\n%s", page, shown, want)
		}
		requests, err := strconv.Atoi(cells[9])
		if err != nil {
			t.Fatalf("%s: requests in %q: %v", page, shown, err)
		}
		if near := max(2, want.Requests/20); requests >= want.Requests-near && requests <= want.Requests+near {
			want.Requests = requests
		}
		if got := shown + "\n"; got != want.String() {
			t.Errorf("%s shows\n%smeasured:\n%s", page, got, want)
		}
	}
	if strings.HasPrefix(lines[0], "|") {
		t.Errorf("%s shows one row more than there were: %s", page, lines[0])
	}
}

// The page tells the commands that the tests run, as they can be typed.
func TestPageShowsTheCommands(t *testing.T) {
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"tenantsync simulate --tenant source=", "tenantsync -c sim/config.yaml sync source-to-target", "tenantsync -c sim/config.yaml simulate load source ",
		"tenantsync -c sim/config.yaml deletions list source-to-target",
		"tenantsync -c sim/config.yaml deletions allow source-to-target --all",
	} {
		if !strings.Contains(string(raw), "`"+command) {
			t.Errorf("%s lacks the command %q", page, command)
		}
	}
}
