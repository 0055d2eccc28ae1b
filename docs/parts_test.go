package docs_test

import (
	"os"
	"strings"
	"testing"
)

// checkPart compares what a page has between <!-- NAME --> and the next
// <!-- end --> with what it has to be; -update rewrites it.
func checkPart(t *testing.T, page, name, want string) {
	t.Helper()
	begin, end := "<!-- "+name+" -->\n", "<!-- end -->"
	p := readPage(t, page)
	head, rest, ok := strings.Cut(p.Text, begin)
	got, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has lost the comments around its %s", page, name)
	}
	if got == want {
		return
	}
	if *update {
		if err := os.WriteFile(p.Name, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for i, line := range strings.Split(want, "\n") {
		if lines := strings.Split(got, "\n"); i >= len(lines) || lines[i] != line {
			t.Errorf("the %s of %s is not what is true; go test ./docs -run %s -update rewrites it: line %d has to be %q", name, page, t.Name(), i+1, line)
			return
		}
	}
	t.Errorf("the %s of %s is too long; go test ./docs -run %s -update rewrites it", name, page, t.Name())
}
