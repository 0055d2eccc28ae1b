package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// importFolder has a schema as Microsoft Entra exports it, with 25 mappings that can
// be taken over and two filters, and the job that somebody wrote for it by hand.
var importFolder = filepath.Join("..", "testdata", "import")

// The document of the job, the report beside it, and how it ends.
func TestCommandImportFile(t *testing.T) {
	t.Parallel()
	schema, err := filepath.Abs(filepath.Join(importFolder, "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := launch(t, dir, "import", "file", schema, "-o", "json").wait()
	expectEqual(t, "exit code", a.exit, 0)
	var job struct {
		Name, Source, Target string
		Scope                struct {
			Mode    string
			Filters []struct {
				Title   string
				Clauses []obj
			}
		}
		Mappings []obj
	}
	a.into(t, &job)
	expectEqual(t, "job", []string{job.Name, job.Source, job.Target, job.Scope.Mode}, []string{"source-to-target", "source", "target", "assigned"})
	expectEqual(t, "filters", len(job.Scope.Filters), 2)
	expectEqual(t, "mappings", len(job.Mappings), 25)
	var left []string
	for line := range strings.Lines(string(a.stderr)) {
		var record struct{ Level, Kind, Where, Why string }
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Level == "" {
			t.Errorf("standard error has %q, want log records (%v)", line, err)
		}
		if record.Kind != "" {
			left = append(left, record.Kind+": "+record.Where)
		}
	}
	expectEqual(t, "left out", left, []string{"left out: alternativeSecurityIds", "left out: IsSoftDeleted", "left out: mailNickname", "left out: userPrincipalName"})

	a = launch(t, dir, "import", "file", schema, "--out", "config.yaml", "--all").wait()
	expectEqual(t, "exit code with --out", a.exit, 0)
	var env []string
	for _, name := range []string{"SOURCE", "TARGET"} {
		id := map[string]string{"SOURCE": sourceTenant, "TARGET": targetTenant}[name]
		env = append(env, name+"_TENANT_ID="+id, name+"_CLIENT_ID="+id, name+"_CLIENT_SECRET=x")
	}
	valid := (&lab{t: t, dir: dir}).runEnv(env, "config", "validate", "-c", "config.yaml", "-o", "json")
	expectEqual(t, "exit code of config validate", valid.exit, 0)
	again := launch(t, dir, "import", "file", schema, "--out", "config.yaml").wait()
	expectEqual(t, "exit code when the file is there", again.exit, 64)

	if err := os.WriteFile(filepath.Join(dir, "no.json"), []byte(`{"users":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	a = launch(t, dir, "import", "file", "no.json", "-o", "json").wait()
	expectEqual(t, "exit code of what is no schema", a.exit, 64)
	var failed struct {
		Error struct {
			Code, Message, Action, File string
			Line, Column                int
		}
	}
	lines := bytes.Split(bytes.TrimSpace(a.stderr), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], &failed); err != nil {
		t.Fatalf("standard error: %v\n%s", err, a.stderr)
	}
	expectEqual(t, "error", []any{failed.Error.Code, failed.Error.File, failed.Error.Line, failed.Error.Column}, []any{"SchemaInvalid", "no.json", 1, 1})
}

// An imported job plans byte for byte what the job written by hand plans, and after
// a cycle of the one the other has nothing to do.
func TestImportedJobPlansAsItsTwin(t *testing.T) {
	t.Parallel()
	t.Run("small", func(t *testing.T) {
		t.Parallel()
		file, err := filepath.Abs(filepath.Join("..", "testdata", "e2e", "1-founding.json"))
		if err != nil {
			t.Fatal(err)
		}
		twins(t, file, 8)
	})
	t.Run("congress", func(t *testing.T) {
		t.Parallel()
		twins(t, snapshots(t)[0], 200)
	})
}

// twins compares the two jobs on a directory of which at least so many people are
// in scope.
func twins(t *testing.T, file string, least int) {
	t.Helper()
	w := newWorld(t, []seat{{"source", file}, {name: "target"}}, " []\n")
	raw, err := os.ReadFile(w.admin)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(raw), "\njobs:")
	schema, err := filepath.Abs(filepath.Join(importFolder, "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	imported := w.run("import", "file", schema, "--source", "source", "--target", "target", "--all")
	expectEqual(t, "exit code of import file", imported.exit, 0)
	byHand, err := os.ReadFile(filepath.Join(importFolder, "twin.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	use := func(job []byte) { // at a pace at which hundreds are created in a second
		text := head + "\njobs:\n" + string(job) + "  limits: {writesPerSecond: 500}\nstore: {kind: bolt, path: state.db}\n"
		if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plans := func() (list [][]byte) {
		for _, format := range []string{"table", "json", "csv"} {
			a := w.run("plan", jobName, "-o", format)
			if a.exit != 0 {
				t.Fatalf("plan -o %s: exit %d\n%s", format, a.exit, a.stderr)
			}
			list = append(list, a.stdout)
		}
		return list
	}
	use(imported.stdout)
	fromSchema := plans()
	use(byHand)
	for i, want := range plans() {
		if !bytes.Equal(fromSchema[i], want) {
			t.Errorf("plan %d of the imported job differs from that of its twin:\n%s\n\n%s", i, fromSchema[i], want)
		}
	}
	var planned struct{ Summary summary }
	if err := json.Unmarshal(fromSchema[1], &planned); err != nil {
		t.Fatal(err)
	}
	if planned.Summary.Create < least {
		t.Errorf("%d people to be created, want at least %d: the comparison would show little", planned.Summary.Create, least)
	}

	use(imported.stdout)
	expectEqual(t, "created", w.cycleOf(jobName).Summary.Create, planned.Summary.Create)
	use(byHand)
	done := w.cycleOf(jobName, "--initial")
	expectEqual(t, "what the twin writes afterwards", done.Graph.Writes, 0)
	expectEqual(t, "unchanged", done.Summary.Unchanged, planned.Summary.Create)
}
