package importer_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"tenantsync/internal/config"
	"tenantsync/internal/config/importer"
)

// Whatever the bytes: nothing panics, and what is imported is a job that the
// configuration accepts.
func FuzzSchemaImport(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(of(city, scopeOf(group("G", clause("city", "EQUALS", `{"values":["Oslo"]}`))))))
	f.Add([]byte(of(`{"targetAttributeName":"city","source":{"name":"x\n'\"# ${a}","type":1},"defaultValue":"- y"}`, `"flowTypes":3`)))
	f.Fuzz(func(t *testing.T, content []byte) {
		j, err := importer.Schema(content, importer.Settings{})
		if err != nil {
			return
		}
		if err := j.WriteReport(io.Discard); err != nil {
			t.Fatal(err)
		}
		raw, err := j.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := j.WriteConfig(&b, tenants[len("version: 1\n"):]); err != nil {
			t.Fatal(err)
		}
		if b.Len() > 1<<20 {
			return // larger than any configuration may be
		}
		c, err := config.Parse("config.yaml", b.Bytes(), config.Options{})
		if err != nil {
			t.Fatalf("the configuration is not valid: %v\n%s", err, b.String())
		}
		d, err := config.Parse("config.yaml", append([]byte(tenants+"jobs: ["), append(raw, "]\n"...)...), config.Options{})
		if err != nil {
			t.Fatalf("the job in JSON is not valid: %v\n%s", err, raw)
		}
		for _, job := range []*config.Job{c.Jobs[0], d.Jobs[0]} {
			if job.Enabled != j.Enabled || len(job.Scope.Filters) != len(j.Filters) || len(job.Mappings) != len(j.Mappings) {
				t.Fatalf("got enabled %v, %d filters, %d mappings; want %v, %d, %d\n%s", job.Enabled, len(job.Scope.Filters), len(job.Mappings),
					j.Enabled, len(j.Filters), len(j.Mappings), b.String())
			}
			for i, m := range job.Mappings {
				if want := j.Mappings[i]; string(m.Expression) != want.Expression || m.Source != want.Source || m.Target != want.Target ||
					!m.Constant.Value.Equal(want.Constant) || !m.DefaultValue.Value.Equal(want.Default) {
					t.Fatalf("mapping %d: got %+v, want %+v\n%s", i, m, want, b.String())
				}
			}
		}
	})
}
