package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The coverage page names every test that there is, and none that is not.
func TestCoveragePageNamesTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "contract-coverage.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(raw)
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)(?:/([^`]+))?`").FindAllStringSubmatch(string(page), -1)
	if len(named) == 0 {
		t.Fatal("the page names no test")
	}
	onPage := map[string]bool{"TestMain": true, "TestCoveragePageNamesTests": true}
	for _, n := range named {
		onPage[n[1]] = true
		if !strings.Contains(source.String(), "\nfunc "+n[1]+"(t *testing.T) {") {
			t.Errorf("the page names %s, which is not there", n[1])
		}
		if n[2] != "" && !strings.Contains(source.String(), `"`+n[2]+`"`) {
			t.Errorf("the page names %s/%s, and no test says %q", n[1], n[2], n[2])
		}
	}
	for _, f := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(source.String(), -1) {
		if !onPage[f[1]] {
			t.Errorf("the page does not name %s", f[1])
		}
	}
}
