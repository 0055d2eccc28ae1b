package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/internal/config"
	"tenantsync/mapping"
)

const minimal = `version: 1
tenants:
  contoso:
    tenantId: 11111111-1111-1111-1111-111111111111
    credential: {kind: managedIdentity}
  fabrikam:
    tenantId: 33333333-3333-3333-3333-333333333333
    credential: {kind: managedIdentity}
jobs:
  - {name: one, source: contoso, target: fabrikam, scope: {mode: all}}
`

// parse reads a text as /etc/t/config.yaml, with files and variables given.
func parse(t *testing.T, text string, files map[string]string, env map[string]string) (*config.Config, error) {
	t.Helper()
	return config.Parse("/etc/t/config.yaml", []byte(text), config.Options{
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		ReadFile: func(path string) ([]byte, error) {
			if content, ok := files[path]; ok {
				return []byte(content), nil
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
	})
}

func mustParse(t *testing.T, text string, files, env map[string]string) *config.Config {
	t.Helper()
	c, err := parse(t, text, files, env)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return c
}

func TestWhatTheFileLeavesOutGetsItsDefault(t *testing.T) {
	c := mustParse(t, minimal, nil, nil)
	j := c.Job("one")
	if j == nil {
		t.Fatalf("no job; names are %v", c.JobNames())
	}
	if j.Filter == nil || !j.Filter.Empty() {
		t.Errorf("filter: got %v, want one that lets everybody pass", j.Filter)
	}
	wantSchema, _ := mapping.Compile(mapping.Default())
	if got, want := j.Schema.TargetAttributes(), wantSchema.TargetAttributes(); !slices.Equal(got, want) {
		t.Errorf("default mappings write %v, want %v", got, want)
	}
	got := *j
	got.Filter, got.Schema = nil, nil
	want := config.Job{
		Name: "one", Enabled: true, Source: "contoso", Target: "fabrikam", Schedule: "@every 40m", Location: time.Local,
		Scope:               config.Scope{Mode: config.All},
		TargetObjectActions: []config.ObjectAction{config.CreateObjects, config.UpdateObjects, config.DeleteObjects},
		Invitation:          config.Invitation{By: config.ByUserPrincipalName, RedirectURL: "https://myapplications.microsoft.com/?tenantid=33333333-3333-3333-3333-333333333333"},
		TargetBlock:         config.KeepBlock, Deprovision: config.Delete,
		Deletions: config.Deletions{Prevent: true, Threshold: 500, Percent: 10,
			Window: config.Duration(7 * 24 * time.Hour), WindowThreshold: 5000, WindowPercent: 25},
		Guards: config.Guards{ScopeShrink: 50, Changes: 10, Creates: 50, Updates: 50, Members: 10},
		Limits: config.Limits{WritesPerSecond: 18, ParallelReads: 4},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("job:\n got %+v\nwant %+v", got, want)
	}
	if got, want := c.Store, (config.Store{Kind: config.Bolt, Path: "/etc/t/state.db", Reserve: 64 << 20, Backups: config.Backups{Every: config.Duration(24 * time.Hour), Keep: 7}}); got != want {
		t.Errorf("store: got %+v, want %+v", got, want)
	}
	if got, want := c.Control.Listen, "unix:/etc/t/control.sock"; got != want {
		t.Errorf("control.listen: got %q, want %q", got, want)
	}
	if got, want := c.Logs, (config.Logs{Retention: config.Duration(90 * 24 * time.Hour), Level: config.Info, Format: config.JSONFormat}); got != want {
		t.Errorf("logs: got %+v, want %+v", got, want)
	}
	if got, want := c.Tenants["contoso"].Endpoints, (config.Endpoints{Authority: "https://login.microsoftonline.com", Graph: "https://graph.microsoft.com/v1.0"}); got != want {
		t.Errorf("endpoints: got %+v, want %+v", got, want)
	}
	if got, want := c.TenantNames(), []string{"contoso", "fabrikam"}; !slices.Equal(got, want) {
		t.Errorf("tenant names: got %v, want %v", got, want)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("warnings: %v", c.Warnings)
	}
}

func TestZeroThatIsWrittenIsNotADefault(t *testing.T) {
	text := strings.Replace(minimal, "scope: {mode: all}}", "scope: {mode: all}, enabled: false, deletions: {prevent: false, percent: 0, window: 0, windowThreshold: 0, windowPercent: 0}, guards: {scopeShrink: 0, changes: 0, creates: 0, updates: 0, members: 0}, limits: {writesPerSecond: 0.5}}", 1) +
		"control: {listen: \"\"}\n"
	c := mustParse(t, text, nil, nil)
	j := c.Jobs[0]
	if j.Enabled || j.Deletions != (config.Deletions{Threshold: 500}) || j.Guards != (config.Guards{}) || j.Limits.WritesPerSecond != 0.5 || j.Limits.ParallelReads != 4 || c.Control.Listen != "" {
		t.Errorf("got %+v, control %+v", j, c.Control)
	}
}

func TestCloudsHaveTheirEndpoints(t *testing.T) {
	for cloud, want := range map[string]string{
		"usGov":    "https://login.microsoftonline.us https://graph.microsoft.us/v1.0",
		"usGovDoD": "https://login.microsoftonline.us https://dod-graph.microsoft.us/v1.0",
		"china":    "https://login.chinacloudapi.cn https://microsoftgraph.chinacloudapi.cn/v1.0",
	} {
		c := mustParse(t, strings.Replace(minimal, "credential", "cloud: "+cloud+"\n    credential", 1), nil, nil)
		e := c.Tenants["contoso"].Endpoints
		if got := e.Authority + " " + e.Graph; got != want {
			t.Errorf("%s: got %s, want %s", cloud, got, want)
		}
	}
}

func TestReferences(t *testing.T) {
	files := map[string]string{"/etc/t/secret": "from-file\n", "/run/c/secret": "from-dir\r\n", "/run/c/id": "22222222-2222-2222-2222-222222222222"}
	env := map[string]string{"V": "from-env", "E": "", "DIR": "/run/c", "NESTED": "${V}"}
	for text, want := range map[string]string{
		`${V}`:                      "from-env",
		`a${V}b${V}c`:               "afrom-envbfrom-envc",
		`${E:-fallback}`:            "fallback",
		`${U:-}x`:                   "x",
		`${U:-${V}}`:                "from-env",
		`${file:secret}`:            "from-file",
		`${file:${DIR}/secret}`:     "from-dir",
		`${NESTED}`:                 "${V}", // what is brought in is not searched again
		`$${V}`:                     "${V}",
		`$V $5 {V}`:                 "$V $5 {V}",
		`${U:-}literal $${still}`:   "literal ${still}",
		`${file:${DIR:-/x}/secret}`: "from-dir",
	} {
		document := strings.Replace(minimal, "{kind: managedIdentity}", "{kind: secret, clientId: '${file:${DIR}/id}', secret: '"+text+"'}", 1)
		c := mustParse(t, document, files, env)
		if got := c.Tenants["contoso"].Credential.Secret.Reveal(); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	// A number may come from a variable; an expression takes no references.
	document := strings.Replace(minimal, "scope: {mode: all}}", `scope: {mode: all}, limits: {parallelReads: "${N}"}, mappings: [{target: city, expression: 'Replace([city], , "(?<x>a)", , "${x}", , )'}]}`, 1)
	c := mustParse(t, document, nil, map[string]string{"N": "7"})
	if got := c.Jobs[0].Limits.ParallelReads; got != 7 {
		t.Errorf("parallelReads: got %d, want 7", got)
	}
	if got, want := string(c.Jobs[0].Mappings[0].Expression), `Replace([city], , "(?<x>a)", , "${x}", , )`; got != want {
		t.Errorf("expression: got %s, want %s", got, want)
	}
}

func TestCredentialNobodyUsesMayLackItsSecret(t *testing.T) {
	with := strings.Replace(minimal, "{kind: managedIdentity}", "{kind: secret, clientId: 22222222-2222-2222-2222-222222222222, secret: '${GONE}'}", 1)
	if _, err := parse(t, with, nil, nil); err == nil {
		t.Error("an enabled job uses the credential: got no error")
	}
	c, err := parse(t, strings.Replace(with, "{name: one,", "{name: one, enabled: false,", 1), nil, nil)
	if err != nil {
		t.Fatalf("no enabled job uses the credential: got %v", err)
	}
	if got := c.Tenants["contoso"].Credential.Err; got == nil || !strings.Contains(got.Error(), "GONE") {
		t.Errorf("Err: got %v, want one that names the variable", got)
	}
	if got := c.Tenants["fabrikam"].Credential.Err; got != nil {
		t.Errorf("the other credential: got %v, want nil", got)
	}
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	c := mustParse(t, `version: 1
tenants:
  contoso:
    tenantId: 11111111-1111-1111-1111-111111111111
    credential: &id {kind: managedIdentity}
  fabrikam:
    tenantId: 33333333-3333-3333-3333-333333333333
    credential: *id
jobs:
  - &base
    name: one
    source: contoso
    target: fabrikam
    scope: {mode: all}
    limits: {writesPerSecond: 5}
  - {<<: *base, name: two, enabled: false}
`, nil, nil)
	two := c.Job("two")
	if two == nil || two.Enabled || two.Limits.WritesPerSecond != 5 || two.Source != "contoso" || !c.Job("one").Enabled {
		t.Errorf("got %+v", two)
	}
}

func TestMaskedShowsEverythingButSecrets(t *testing.T) {
	text := strings.Replace(minimal, "{kind: managedIdentity}", "{kind: secret, clientId: 22222222-2222-2222-2222-222222222222, secret: hunter2}", 1)
	text = strings.Replace(text, "scope: {mode: all}}", "scope: {mode: all}, mappings: [{target: employeeId, constant: hunter2, defaultValue: hunter2, sensitive: true}, {target: jobTitle, sensitive: true, expression: 'Append(\"hunter2\", [city])'}, {target: city, constant: null}]}", 1)
	c := mustParse(t, text, nil, nil)
	out, err := c.Masked()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "hunter2") {
		t.Errorf("a secret is shown:\n%s", out)
	}
	for _, want := range []string{"secret: (sensitive)", "threshold: 500", "retention: 90d", "path: /etc/t/state.db", "constant: null", "22222222"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	// What is shown is itself a configuration of the same meaning.
	if _, err := parse(t, string(out), nil, nil); err != nil {
		t.Errorf("the document cannot be read again: %v\n%s", err, out)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if shown := fmt.Sprintf(verb, c.Tenants["contoso"].Credential); strings.Contains(shown, "hunter2") || strings.Contains(shown, "68756e74657232") {
			t.Errorf("%s shows the secret: %s", verb, shown)
		}
	}
}

func TestMaskedKeepsTheDefaultMappings(t *testing.T) {
	out, err := mustParse(t, minimal, nil, nil).Masked()
	if err != nil {
		t.Fatal(err)
	}
	again, err := parse(t, string(out), nil, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	second, _ := again.Masked()
	if diff := cmp.Diff(string(out), string(second)); diff != "" {
		t.Errorf("shown twice, it differs:\n%s", diff)
	}
}

// A file with a secret that others may read or replace is warned of, however the
// configuration refers to it, and so is the configuration that holds one itself.
func TestSecretsOthersMayReadAreWarnedOf(t *testing.T) {
	for _, c := range []struct {
		name, secret string
		file, config fs.FileMode
		want         []string
	}{
		{"closed", "${file:secret}", 0o600, 0o644, nil},
		{"read by its group", "${file:secret}", 0o440, 0o644, nil},
		{"read by everybody", "${file:secret}", 0o644, 0o600, []string{"others than its owner may read it"}},
		{"written by its group", "${file:secret}", 0o660, 0o600, []string{"others than its owner may write it"}},
		{"open to all", "${file:secret}", 0o666, 0o600, []string{"others than its owner may read or write it"}},
		{"in a folder of credentials", "${file:${CREDENTIALS_DIRECTORY}/secret}", 0o644, 0o600, []string{"others than its owner may read it"}},
		{"a closed file of such a folder", "${file:${CREDENTIALS_DIRECTORY}/secret}", 0o400, 0o600, nil},
		{"a variable", "${SECRET}", 0o600, 0o644, nil},
		{"in clear text", "hunter2", 0o600, 0o600, []string{"is written in clear text"}},
		{"in clear text for all", "hunter2", 0o600, 0o644, []string{"others than its owner may read it", "is written in clear text"}},
		{"a default in clear text", "${NOT_SET:-hunter2}", 0o600, 0o600, []string{"is written in clear text"}},
		{"a default that refers", "${NOT_SET:-${SECRET}}", 0o600, 0o600, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "config.yaml")
			text := strings.Replace(minimal, "{kind: managedIdentity}", "{kind: secret, clientId: 22222222-2222-2222-2222-222222222222, secret: '"+c.secret+"'}", 1)
			for file, content := range map[string]string{"secret": "hunter2\n", "config.yaml": text} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			// Not by the mode of creation, from which the mask of the process takes.
			if err := errors.Join(os.Chmod(filepath.Join(dir, "secret"), c.file), os.Chmod(path, c.config)); err != nil {
				t.Fatal(err)
			}
			loaded, err := config.Load(path, config.Options{Env: func(name string) (string, bool) {
				value, set := map[string]string{"CREDENTIALS_DIRECTORY": dir, "SECRET": "hunter2"}[name]
				return value, set
			}})
			if err != nil {
				t.Fatal(err)
			}
			if got := loaded.Tenants["contoso"].Credential.Secret.Reveal(); got != "hunter2" {
				t.Errorf("secret: got %q, want hunter2", got)
			}
			if len(loaded.Warnings) != len(c.want) {
				t.Fatalf("warnings: got %v, want %q", loaded.Warnings, c.want)
			}
			for i, w := range loaded.Warnings {
				if shown := w.Message + w.Action + w.Excerpt(); strings.Contains(shown, "hunter2") || !strings.Contains(shown, c.want[i]) {
					t.Errorf("warning: got %s, want one that says %q and not the secret", shown, c.want[i])
				}
			}
		})
	}
}

func TestStarterLoadsOnceItsVariablesAreSet(t *testing.T) {
	var b bytes.Buffer
	if err := config.WriteStarter(&b); err != nil {
		t.Fatal(err)
	}
	var invalid *config.Invalid
	if _, err := parse(t, b.String(), nil, nil); !errors.As(err, &invalid) || len(invalid.Problems) != 7 {
		t.Errorf("without variables: got %v, want a problem for each of 7", err)
	}
	c := mustParse(t, b.String(), nil, map[string]string{
		"SOURCE_TENANT_ID": "11111111-1111-1111-1111-111111111111", "SOURCE_CLIENT_ID": "22222222-2222-2222-2222-222222222222", "SOURCE_CLIENT_SECRET": "x",
		"TARGET_TENANT_ID": "33333333-3333-3333-3333-333333333333", "TARGET_CLIENT_ID": "44444444-4444-4444-4444-444444444444", "TARGET_CLIENT_SECRET": "y",
		"SCOPE_GROUP_ID": "55555555-5555-5555-5555-555555555555",
	})
	if len(c.Warnings) != 0 {
		t.Errorf("warnings: %v", c.Warnings)
	}
}

func TestSimulatedLoads(t *testing.T) {
	names := []string{"contoso", "fabrikam", "true", "it's: odd", "7"}
	var tenants []config.SimulatedTenant
	for i, name := range names {
		tenants = append(tenants, config.SimulatedTenant{
			Name: name, TenantID: fmt.Sprintf("1111111%d-1111-1111-1111-111111111111", i),
			ClientID: "22222222-2222-2222-2222-222222222222", SecretFile: "secret",
		})
	}
	text := config.Simulated(tenants, "https://127.0.0.1:9443", "https://127.0.0.1:9443/v1.0", "", nil)
	c := mustParse(t, string(text), map[string]string{"/etc/t/secret": "s\n"}, nil)
	if got := c.TenantNames(); !slices.Equal(got, names) {
		t.Errorf("tenants: got %q, want %q", got, names)
	}
	if got, want := c.JobNames(), []string{"contoso-to-fabrikam", "contoso-to-true", "contoso-to-it's: odd", "contoso-to-7"}; !slices.Equal(got, want) {
		t.Errorf("jobs: got %q, want %q", got, want)
	}
	for _, j := range c.Jobs {
		if !j.Enabled || j.Scope.Mode != config.All || j.Mappings != nil {
			t.Errorf("%s: got %+v", j.Name, j)
		}
	}
	if got := c.Tenants["7"].Credential.Secret.Reveal(); got != "s" {
		t.Errorf("secret: got %q, want s", got)
	}
	one := config.Simulated(tenants[:1], "https://127.0.0.1:1", "https://127.0.0.1:1/v1.0", "", nil)
	if c := mustParse(t, string(one), map[string]string{"/etc/t/secret": "s"}, nil); len(c.Jobs) != 0 {
		t.Errorf("one tenant: got jobs %v", c.JobNames())
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	none := func(string) (string, bool) { return "", false }
	named := func(path string) func(string) (string, bool) {
		return func(name string) (string, bool) { return path, name == config.Variable }
	}
	var missing *config.NotFoundError
	if got, err := config.Find("", none); !errors.As(err, &missing) && got != "/etc/tenantsync/config.yaml" {
		t.Errorf("nothing there: got %q, %v", got, err)
	}
	if err := os.WriteFile("config.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("other.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, flag string
		env        func(string) (string, bool)
		want       string
	}{
		{"the usual place", "", none, "config.yaml"},
		{"the variable beats the place", "", named("other.yaml"), "other.yaml"},
		{"the flag beats the variable", "config.yaml", named("other.yaml"), "config.yaml"},
		{"a named file must exist", "", named("gone.yaml"), ""},
	} {
		got, err := config.Find(c.flag, c.env)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: got %q, %v; want %q", c.name, got, err, c.want)
		}
		if err != nil && (!strings.Contains(err.Error(), "gone.yaml") || !errors.As(err, &missing) || missing.Action() == "") {
			t.Errorf("%s: error %v does not say what was tried and what to do", c.name, err)
		}
	}
}

func TestBombsAreRefusedQuickly(t *testing.T) {
	laughs := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 12; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	blocks := ""
	for i := range 100 {
		blocks += strings.Repeat(" ", i) + "a:\n"
	}
	groups := "version: 1\njobs:\n  - &j {name: a, scope: {groups: &g [" + strings.Repeat("x,", 1000) + "x]}}\n" + strings.Repeat("  - *j\n", 2000)
	for name, c := range map[string]struct{ text, says string }{
		"large":           {strings.Repeat("#", 2<<20), "larger than 1024 KiB"},
		"flow":            {strings.Repeat("[", 200_000), "nested deeper than 64 levels"},
		"flow maps":       {strings.Repeat("{a: ", 100_000), "nested deeper than 64 levels"},
		"compact":         {strings.Repeat("- ", 200_000), "nested deeper than 64 levels"},
		"questions":       {strings.Repeat("? ", 100_000), "nested deeper than 64 levels"},
		"aliases":         {laughs, "unknown key \"a0\""},
		"aliased lists":   {groups, "the file expands to too many values"},
		"many values":     {"version: 1\njobs: [" + strings.Repeat("x,", 150_000) + "x]", "too many values, or nested too deeply"},
		"blocks":          {blocks, "too many values, or nested too deeply"},
		"not text at all": {"\x00\xff\xfe\x01", "must be a group of keys"},
	} {
		start := time.Now()
		_, err := parse(t, c.text, nil, nil)
		var invalid *config.Invalid
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %.300v, want an *Invalid that says %q", name, err, c.says)
		}
		t.Logf("%s: %v, %d bytes of error", name, time.Since(start).Round(time.Millisecond), len(err.Error()))
	}
}
