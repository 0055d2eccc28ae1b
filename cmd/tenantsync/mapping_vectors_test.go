package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"tenantsync/internal/sharedtest"
)

// The reference vectors of the language are a file of cases as it stands.
func TestReferenceVectorsAreCases(t *testing.T) {
	casesPass(t, sharedtest.File(t, "reference/expression-vectors.json"))
}

// The cases by which the language itself is tested can be run by anybody.
func TestCasesOfTheLanguage(t *testing.T) {
	files, err := filepath.Glob("../../mapping/expr/testdata/cases/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of cases (error %v)", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) { casesPass(t, path) })
	}
}

func casesPass(t *testing.T, path string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), []string{"mapping", "test", "--file", path}, bytes.NewReader(nil), &stdout, &stderr,
		func(string) (string, bool) { return "", false })
	if code != exitDone || !strings.HasSuffix(stdout.String(), " passed, 0 failed.\n") {
		t.Errorf("mapping test --file %s: got exit code %d, want 0\n%s%s", path, code, stdout.String(), stderr.String())
	}
}
