// Package sharedtest finds the material that some tests are run on and that is no
// part of the repository: the snapshots of a real directory, and the reference
// vectors. TENANTSYNC_SHARED names its folder; without, it is looked for in the
// folder shared beside the repository.
package sharedtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Files returns the files of the material whose path matches a pattern of
// [filepath.Glob], absolute and in order; none where the material is not there. That is for
// the caller to skip. It fails the test when TENANTSYNC_SHARED names a folder that has
// this part of the material, the pattern's first folder, but not these files.
func Files(t testing.TB, pattern string) []string {
	t.Helper()
	dir := os.Getenv("TENANTSYNC_SHARED")
	named := dir != ""
	if !named {
		dir = filepath.Join(repository(t), "..", "shared")
	}
	dir, err := filepath.Abs(dir) // commands run elsewhere open these files
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
	if err != nil {
		t.Fatal(err)
	}
	part, _, _ := strings.Cut(pattern, "/")
	if _, err := os.Stat(filepath.Join(dir, part)); len(files) == 0 && named && (err == nil || part == "data") {
		t.Fatalf("TENANTSYNC_SHARED is %s, which has no %s", dir, pattern)
	}
	return files
}

// File returns the one file of the material with this path, and skips the test
// where the material is not there.
func File(t testing.TB, path string) string {
	t.Helper()
	files := Files(t, path)
	if len(files) == 0 {
		t.Skipf("no %s: TENANTSYNC_SHARED names the folder that holds it", path)
	}
	return files[0]
}

// repository is the folder of go.mod. Tests run in the folder of their package.
func repository(t testing.TB) string {
	t.Helper()
	start, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("no go.mod above %s", start)
		}
	}
}
