package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/internal/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const testdata = "../../testdata/config"

// environment is what the files under testdata may refer to.
func environment(name string) (string, bool) {
	value, set := map[string]string{
		"SECRET": "s3cret-of-the-environment",
		"EMPTY":  "",
	}[name]
	return value, set
}

// load reads a file under the name that its problems are to carry.
func load(t *testing.T, path string) (*config.Config, error) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return config.Parse(filepath.Base(path), text, config.Options{Env: environment})
}

// shown is what a person sees of problems.
func shown(problems []config.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.Text() + "\n\n")
	}
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	path = strings.TrimSuffix(path, ".yaml") + ".golden"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", path, diff)
	}
}

func each(t *testing.T, folder string, test func(t *testing.T, path string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata, folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", folder, err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) { test(t, path) })
	}
}

// Every file under mistakes holds one mistake, or several of one kind, and is
// refused in the words of its golden file.
func TestMistakesAreRefusedWithPlaceAndAdvice(t *testing.T) {
	each(t, "mistakes", func(t *testing.T, path string) {
		c, err := load(t, path)
		var invalid *config.Invalid
		if !errors.As(err, &invalid) || c != nil || len(invalid.Problems) == 0 {
			t.Fatalf("got %v, %v; want an *Invalid", c, err)
		}
		text, _ := os.ReadFile(path)
		lines := strings.Split(string(text), "\n")
		for i, p := range invalid.Problems {
			if p.Line < 1 || p.Line > len(lines) || p.Column < 1 {
				t.Errorf("%s: line %d, column %d is outside of the file", p.Message, p.Line, p.Column)
			}
			if p.Code == "" || p.Message == "" || p.File != filepath.Base(path) {
				t.Errorf("incomplete problem %+v", p)
			}
			if i > 0 && invalid.Problems[i-1].Line > p.Line {
				t.Errorf("line %d comes after line %d", p.Line, invalid.Problems[i-1].Line)
			}
		}
		got := shown(invalid.Problems)
		if strings.Contains(got, "hunter2") || strings.Contains(got, "s3cret") {
			t.Errorf("a secret is shown:\n%s", got)
		}
		golden(t, path, got)
	})
}

// Every file under warnings is valid, and warned of in the words of its golden
// file.
func TestWarningsDoNotRefuse(t *testing.T) {
	each(t, "warnings", func(t *testing.T, path string) {
		c, err := load(t, path)
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		if len(c.Warnings) == 0 {
			t.Fatal("got no warning, want some")
		}
		got := shown(c.Warnings)
		if strings.Contains(got, "hunter2") {
			t.Errorf("a secret is shown:\n%s", got)
		}
		golden(t, path, got)
	})
}
