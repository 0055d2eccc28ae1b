package docs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A release that was made by the documented command is verified by the documented
// commands, its binaries are what the sources give elsewhere, and whatever is done to
// it afterwards is found. PLATFORMS says for which platforms, by default one.
func TestReleaseIsVerified(t *testing.T) {
	t.Parallel()
	r := newRelease(t)
	r.make("v1.2.3", r.key)
	var want []string
	for _, platform := range r.platforms {
		name := "tenantsync-v1.2.3-" + strings.ReplaceAll(platform, "/", "-")
		binary := name
		if strings.HasPrefix(platform, "windows/") {
			binary += ".exe"
		}
		want = append(want, binary, name+".cdx.json")
	}
	want = append(want, "SHA256SUMS", "SHA256SUMS.sig")
	slices.Sort(want)
	if got := r.files(); !slices.Equal(got, want) {
		t.Fatalf("dist: got %q, want %q", got, want)
	}
	if out, err := r.verify(); err != nil || strings.Count(out, ": OK") != len(want)-2 {
		t.Fatalf("as it was made: got error %v, want %d files to be found right\n%s", err, len(want)-2, out)
	}
	r.isWhatItSays()

	binary, sums := "tenantsync-v1.2.3-linux-amd64", "SHA256SUMS"
	for name, tamper := range map[string]func(){
		"a byte of a binary":          func() { r.change(binary, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }) },
		"the end of a binary is gone": func() { r.change(binary, func(b []byte) []byte { return b[:len(b)-1] }) },
		"a byte of a bill":            func() { r.change(binary+".cdx.json", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }) },
		"a binary and its sum": func() {
			r.change(binary, func(b []byte) []byte { return append(b, 0) })
			r.change(sums, func([]byte) []byte { return []byte(r.sh("cd dist && sha256sum tenantsync-*")) })
		},
		"a line more in the sums": func() { r.change(sums, func(b []byte) []byte { return append(b, b[:bytes.IndexByte(b, '\n')+1]...) }) },
		"a byte of the signature": func() { r.change("SHA256SUMS.sig", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }) },
		"signed by another key":   func() { r.sign(r.newKey("another"), "tenantsync-release") },
		"signed for another use":  func() { r.sign(r.key, "git") },
		"not signed":              func() { r.sh("rm dist/SHA256SUMS.sig") },
	} {
		r.sh("rm -rf kept && cp -R dist kept")
		tamper()
		if out, err := r.verify(); err == nil {
			t.Errorf("%s: the release is found right\n%s", name, out)
		}
		r.sh("rm -rf dist && mv kept dist")
	}
	if out, err := r.verify(); err != nil {
		t.Errorf("put back as it was: got error %v\n%s", err, out)
	}
}

// What cannot be found again from its version is not released, and a release that
// does not come about leaves the one before alone.
func TestReleaseIsRefused(t *testing.T) {
	t.Parallel()
	r := newRelease(t)
	if _, err := exec.LookPath("git"); err != nil {
		r.unavailable("git is not there, which says what a release is made from")
	}
	r.sh("mkdir dist && echo before > dist/kept")
	refused := func(name, version, key, says string) {
		t.Helper()
		out, err := r.run(version, key)
		if err == nil || !strings.Contains(out, says) {
			t.Errorf("%s: got error %v and %q, want %q", name, err, out, says)
		}
		if got := r.files(); !slices.Equal(got, []string{"kept"}) {
			t.Errorf("%s: dist has %q, want what was there before", name, got)
		}
		if left, err := filepath.Glob(filepath.Join(r.dir, ".release.*")); err != nil || left != nil {
			t.Errorf("%s: %q is left, error %v", name, left, err)
		}
	}
	refused("no version", "1.2", r.key, "no version such as v1.2.3")
	refused("a version that is a path", "v1.2.3-../x", r.key, "no version such as v1.2.3")
	refused("no key", "v1.2.3", filepath.Join(r.dir, "nokey"), "no key")
	r.sh("git init -q . && git add .ci cmd go.mod && git commit -q -m all && echo /dist/ > .git/info/exclude && echo keys >> .git/info/exclude")
	refused("what is not committed", "v1.2.3", r.key, "not committed")
	r.sh("git add -A . && git commit -q -m all && git tag v1.2.2")
	refused("another tag", "v1.2.3", r.key, "HEAD has no tag v1.2.3")
	r.sh("git tag v1.2.3 && echo 'package main' > cmd/tenantsync/new.go")
	refused("a file that nobody knows of", "v1.2.3", r.key, "not committed")
	r.sh("echo 'package main; func init() { no }' > cmd/tenantsync/new.go && git add -A . && git commit -q -m broken && git tag v1.2.4")
	refused("what does not build", "v1.2.4", r.key, "undefined: no")
	r.sh("git reset -q --hard v1.2.3 && echo no key > keys/broken")
	refused("what is no key", "v1.2.3", filepath.Join(r.dir, "keys", "broken"), "")
	r.make("v1.2.3", r.key)
	if out, err := r.verify(); err != nil {
		t.Errorf("all is there: got error %v\n%s", err, out)
	}
}

// release is a copy of the sources in which releases are made.
type release struct {
	t         *testing.T
	dir       string
	key       string // of the releases, in allowed_signers
	platforms []string
	commands  string // of the page, that verify
}

func newRelease(t *testing.T) *release {
	t.Helper()
	r := &release{t: t, dir: t.TempDir(), platforms: strings.Fields(os.Getenv("PLATFORMS"))}
	if testing.Short() {
		t.Skip("builds the program")
	}
	if runtime.GOOS != "linux" {
		t.Skip("releases are made on Linux")
	}
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		r.unavailable("ssh-keygen is not there, which signs releases")
	}
	if len(r.platforms) == 0 {
		r.platforms = []string{"linux/amd64"}
	}
	for _, b := range readPage(t, "operations.md").Blocks {
		if b.Lang == "sh" && strings.HasPrefix(b.Text[0], "ssh-keygen -Y verify ") {
			r.commands = strings.Join(b.Text, "\n")
		}
	}
	if r.commands == "" {
		t.Fatal("operations.md has no block that verifies a release")
	}
	for _, part := range []string{".ci", "cmd", "directory", "engine", "entra", "internal", "mapping", "scope", "store"} {
		if err := os.CopyFS(filepath.Join(r.dir, part), os.DirFS(filepath.Join("..", part))); err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range []string{"go.mod", "go.sum"} {
		raw, err := os.ReadFile(filepath.Join("..", part))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(r.dir, part), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.sh("mkdir keys")
	r.key = r.newKey("releases")
	r.sh(`printf 'releases namespaces="tenantsync-release" %s\n' "$(cat keys/releases.pub)" > keys/allowed_signers`)
	return r
}

// unavailable skips the test, or fails it where everything has to be there.
func (r *release) unavailable(why string) {
	r.t.Helper()
	if os.Getenv("TENANTSYNC_FOREIGN") == "required" {
		r.t.Fatal(why)
	}
	r.t.Skip(why)
}

func (r *release) newKey(name string) string {
	r.t.Helper()
	r.sh("ssh-keygen -q -t ed25519 -N '' -C '' -f keys/" + name)
	return filepath.Join(r.dir, "keys", name)
}

// run makes a release, without the network.
func (r *release) run(version, key string) (string, error) {
	cmd := exec.CommandContext(r.t.Context(), ".ci/release", version, key)
	cmd.Dir = r.dir
	cmd.Env = append(cmd.Environ(), "GOPROXY=off", "PLATFORMS="+strings.Join(r.platforms, " "))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r *release) make(version, key string) {
	r.t.Helper()
	if out, err := r.run(version, key); err != nil {
		r.t.Fatalf(".ci/release %s: %v\n%s", version, err, out)
	}
}

// verify runs what the page says, as somebody would who downloaded all of dist.
func (r *release) verify() (string, error) {
	r.t.Helper()
	r.sh("rm -rf downloaded && cp -R dist downloaded && cp keys/allowed_signers downloaded")
	cmd := exec.CommandContext(r.t.Context(), "sh", "-c", r.commands)
	cmd.Dir = filepath.Join(r.dir, "downloaded")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// isWhatItSays checks the binaries: their version, their bills, and that the sources
// in their usual place give the same bytes.
func (r *release) isWhatItSays() {
	r.t.Helper()
	again := filepath.Join(r.t.TempDir(), "again")
	for _, platform := range r.platforms {
		binary := filepath.Join(r.dir, "dist", "tenantsync-v1.2.3-"+strings.ReplaceAll(platform, "/", "-"))
		system, processor, _ := strings.Cut(platform, "/")
		bill, err := os.ReadFile(binary + ".cdx.json")
		if err != nil {
			r.t.Fatal(err)
		}
		if want := `"value": "` + system + `"`; !strings.Contains(string(bill), want) || !strings.Contains(string(bill), "pkg:golang/tenantsync@v1.2.3") {
			r.t.Errorf("%s: the bill does not say %s and v1.2.3:\n%.800s", platform, want, bill)
		}
		if platform == runtime.GOOS+"/"+runtime.GOARCH {
			if got := r.sh(binary + " version"); !strings.HasPrefix(got, "tenantsync v1.2.3 (") {
				r.t.Errorf("version: got %q, want v1.2.3", got)
			}
			if got := r.sh(binary + " version --sbom"); got != string(bill) {
				r.t.Errorf("the bill beside the binary is not its own: got %d bytes, want %d", len(bill), len(got))
			}
		}
		if system == "windows" {
			binary += ".exe"
		}
		build := exec.CommandContext(r.t.Context(), "../.ci/build", again, "v1.2.3")
		// What somebody has set for builds of their own makes no difference.
		build.Env = append(build.Environ(), "GOOS="+system, "GOARCH="+processor, "GOAMD64=v3", "GOFLAGS=-tags=crashpoints", "CGO_ENABLED=1")
		if out, err := build.CombinedOutput(); err != nil {
			r.t.Fatalf(".ci/build: %v\n%s", err, out)
		}
		r.sh("cmp " + again + " " + binary)
	}
}

func (r *release) sign(key, namespace string) {
	r.t.Helper()
	r.sh("rm dist/SHA256SUMS.sig && ssh-keygen -q -Y sign -f " + key + " -n " + namespace + " dist/SHA256SUMS")
}

func (r *release) change(name string, edit func([]byte) []byte) {
	r.t.Helper()
	path := filepath.Join(r.dir, "dist", name)
	raw, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, edit(raw), 0o600)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// files are the names in dist, sorted.
func (r *release) files() []string {
	r.t.Helper()
	entries, err := os.ReadDir(filepath.Join(r.dir, "dist"))
	if err != nil {
		r.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// sh runs a line of shell in the copy, knowing no configuration of Git, and returns
// what it printed.
func (r *release) sh(line string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "sh", "-ec", line)
	cmd.Dir = r.dir
	cmd.Env = append(cmd.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@contoso.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@contoso.com")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("%s: %v\n%s", line, err, stderr.Bytes())
	}
	return string(out)
}
