package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBillOfMaterials(t *testing.T) {
	t.Parallel()
	build := &debug.BuildInfo{
		GoVersion: "go1.26.1", Path: "tenantsync/cmd/tenantsync", Main: debug.Module{Path: "tenantsync", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "go.uber.org/zap", Version: "v1.27.0", Sum: "h1:zap="},
			{Path: "github.com/Azure/old", Version: "v3.0.0+incompatible", Sum: "h1:old="},
			{Path: "example.com/bad", Version: "v1.0.0", Sum: "h1:bad=", Replace: &debug.Module{Path: "example.com/good", Version: "v1.0.1", Sum: "h1:good="}},
		},
		Settings: []debug.BuildSetting{{Key: "-ldflags", Value: "-s -w"}, {Key: "GOOS", Value: "linux"}},
	}
	library := func(path, version, url string, sum ...string) component {
		c := component{Type: "library", Ref: url, Name: path, Version: version, PURL: url}
		if len(sum) > 0 {
			c.Properties = []billProperty{{"go:sum", sum[0]}}
		}
		return c
	}
	want := billOfMaterials{
		Schema: "http://cyclonedx.org/schema/bom-1.5.schema.json", Format: "CycloneDX", SpecVersion: "1.5", Version: 1,
		Metadata: billMetadata{component{Type: "application", Ref: "pkg:golang/tenantsync@v1.2.3", Name: "tenantsync", Version: "v1.2.3",
			PURL: "pkg:golang/tenantsync@v1.2.3", Properties: []billProperty{{"go:build:GOOS", "linux"}}}},
		Components: []component{
			library("example.com/good", "v1.0.1", "pkg:golang/example.com/good@v1.0.1", "h1:good="),
			library("github.com/Azure/old", "v3.0.0+incompatible", "pkg:golang/github.com/Azure/old@v3.0.0%2Bincompatible", "h1:old="),
			library("go.uber.org/zap", "v1.27.0", "pkg:golang/go.uber.org/zap@v1.27.0", "h1:zap="),
			library("stdlib", "1.26.1", "pkg:golang/stdlib@1.26.1"),
		},
		Dependencies: []dependency{{Ref: "pkg:golang/tenantsync@v1.2.3", DependsOn: []string{"pkg:golang/example.com/good@v1.0.1",
			"pkg:golang/github.com/Azure/old@v3.0.0%2Bincompatible", "pkg:golang/go.uber.org/zap@v1.27.0", "pkg:golang/stdlib@1.26.1"}}},
	}
	if diff := cmp.Diff(want, billOf(build, "v1.2.3")); diff != "" {
		t.Errorf("bill (-want +got):\n%s", diff)
	}
	if got := billOf(build, "").Metadata.Component.PURL; got != "pkg:golang/tenantsync" {
		t.Errorf("without a version: got %s, want pkg:golang/tenantsync", got)
	}
}

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
	var bill billOfMaterials
	decoder := json.NewDecoder(bytes.NewReader(out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&bill); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if bill.Format != "CycloneDX" || bill.SpecVersion != "1.5" || bill.Metadata.Component.Name != "tenantsync" {
		t.Errorf("got a bill of %s in %s %s, want tenantsync in CycloneDX 1.5", bill.Metadata.Component.Name, bill.Format, bill.SpecVersion)
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
	for _, c := range bill.Components {
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
