package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
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
			copied(t, c, text)
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

// copied expects that the jobs of a configuration are the same in another file.
func copied(t *testing.T, c *config.Config, text []byte) {
	t.Helper()
	if len(c.Jobs) == 0 {
		return
	}
	jobs, left, err := config.JobsBetween("config.yaml", text, c.TenantNames())
	if err != nil || len(left) > 0 {
		t.Fatalf("jobs: got %q left out, %v", left, err)
	}
	var tenants []config.SimulatedTenant
	for _, name := range c.TenantNames() {
		tenants = append(tenants, config.SimulatedTenant{Name: name, TenantID: c.Tenants[name].TenantID, ClientID: "44444444-4444-4444-4444-444444444444", SecretFile: "s"})
	}
	written := config.Simulated(tenants, "https://127.0.0.1:1", "https://127.0.0.1:1/v1.0", "", jobs)
	again, err := config.Parse("config.yaml", written, config.Options{Env: environment, ReadFile: func(string) ([]byte, error) { return []byte("s"), nil }})
	if err != nil {
		t.Fatalf("the jobs are not valid in another file: %v\n%s", err, written)
	}
	if len(again.Jobs) != len(c.Jobs) {
		t.Fatalf("got %d jobs, want %d\n%s", len(again.Jobs), len(c.Jobs), written)
	}
	for i, want := range c.Jobs {
		got, original := *again.Jobs[i], *want
		got.Filter, got.Schema, original.Filter, original.Schema = nil, nil, nil, nil
		got.Location, original.Location = nil, nil
		if !reflect.DeepEqual(got, original) {
			t.Errorf("job %q: got\n%+v\nwant\n%+v\n%s", want.Name, got, original, written)
		}
	}
}
