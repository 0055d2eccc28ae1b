package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/internal/bill"
)

// The bill of the binary names each module that Go says is linked, with the sum
// that go.sum pins, and nothing else.
func TestBillNamesEveryModuleThatIsLinked(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(t.TempDir(), "tenantsync")
	goRun(t, ".", nil, "build", "-buildvcs=false", "-o", bin, ".")
	out, err := exec.Command(bin, "version", "--sbom", "-o", "csv").Output()
	if err != nil {
		t.Fatal(err)
	}
	var said bill.Bill
	decoder := json.NewDecoder(bytes.NewReader(out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&said); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if said.Format != "CycloneDX" || said.SpecVersion != "1.5" || said.Metadata.Component.Name != "tenantsync" {
		t.Errorf("got a bill of %s in %s %s, want tenantsync in CycloneDX 1.5", said.Metadata.Component.Name, said.Format, said.SpecVersion)
	}
	want := []string{"stdlib " + strings.TrimPrefix(strings.TrimSpace(goRun(t, ".", nil, "env", "GOVERSION")), "go")}
	for line := range strings.Lines(goRun(t, ".", nil, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", ".")) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(want, line) {
			want = append(want, line)
		}
	}
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range said.Components {
		got = append(got, c.Name+" "+c.Version)
		if c.Name == "stdlib" {
			continue
		}
		if len(c.Properties) != 1 || !strings.Contains(string(sums), c.Name+" "+c.Version+" "+c.Properties[0].Value+"\n") {
			t.Errorf("%s %s: got %v, want the sum of go.sum", c.Name, c.Version, c.Properties)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modules (-want +got):\n%s", diff)
	}
}

// Who builds the same sources elsewhere gets the same binary, byte for byte. CI does
// it once more without anything that was built before.
func TestTwoBuildsAreTheSame(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles everything once")
	}
	copied := filepath.Join(t.TempDir(), "elsewhere")
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := copySources(top, copied); err != nil {
		t.Fatal(err)
	}
	var built [2][]byte
	for i, dir := range []string{top, copied} {
		bin := filepath.Join(t.TempDir(), "tenantsync")
		goRun(t, dir, []string{"CGO_ENABLED=0"}, "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", bin, "./cmd/tenantsync")
		if built[i], err = os.ReadFile(bin); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(built[0], built[1]) {
		t.Errorf("the binaries differ: %d and %d bytes", len(built[0]), len(built[1]))
	}
	if bytes.Contains(built[0], []byte(top)) {
		t.Errorf("the binary names the folder it was built in, %s", top)
	}
}

// copySources copies what a build of the program reads.
func copySources(from, to string) error {
	for _, part := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(from, part))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(to, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, part), content, 0o600); err != nil {
			return err
		}
	}
	for _, part := range []string{"cmd", "directory", "engine", "entra", "internal", "mapping", "scope", "store"} {
		if err := os.CopyFS(filepath.Join(to, part), os.DirFS(filepath.Join(from, part))); err != nil {
			return err
		}
	}
	return nil
}

// goRun runs the go command in a folder, with these variables besides, and returns
// what it printed.
func goRun(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, stderr.Bytes())
	}
	return string(out)
}
