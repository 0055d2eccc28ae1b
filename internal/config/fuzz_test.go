package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"tenantsync/internal/config"
)

// FuzzLoad: whatever the text, there is a configuration or a list of problems
// inside the file, and never a panic.
func FuzzLoad(f *testing.F) {
	for _, folder := range []string{"mistakes", "warnings"} {
		files, _ := filepath.Glob(filepath.Join(testdata, folder, "*.yaml"))
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte(minimal))
	f.Add([]byte("version: 1\r\ntenants: &a {<<: *a}\n"))
	f.Add([]byte("? [a]\n: {b: !!str 1, c: !x y}\n"))
	f.Add([]byte("a: \"\\\n  x\\u00\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := config.Parse("config.yaml", text, config.Options{
			Env:      environment,
			ReadFile: func(string) ([]byte, error) { return nil, os.ErrNotExist },
		})
		if err == nil {
			for _, j := range c.Jobs {
				if j.Filter == nil || j.Schema == nil {
					t.Errorf("job %q is not compiled", j.Name)
				}
			}
			if _, err := c.Masked(); err != nil {
				t.Errorf("cannot be shown: %v", err)
			}
			return
		}
		var invalid *config.Invalid
		if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
			t.Fatalf("got %v, want an *Invalid with problems", err)
		}
		for _, p := range invalid.Problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" {
				t.Errorf("problem without a place: %+v", p)
			}
			_ = p.Text()
		}
	})
}
