package docs_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tenantsync/internal/config"
)

const (
	docTenants = `version: 1
tenants:
  contoso:
    tenantId: 11111111-1111-1111-1111-111111111111
    credential: {kind: secret, clientId: 22222222-2222-2222-2222-222222222222, secret: "${CONTOSO_SECRET}"}
  fabrikam:
    tenantId: 33333333-3333-3333-3333-333333333333
`
	docCredential = `    credential: {kind: secret, clientId: 44444444-4444-4444-4444-444444444444, secret: "${FABRIKAM_SECRET}"}
`
)

var topKey = regexp.MustCompile(`(?m)^([a-zA-Z]+):`)

// indented returns a fragment's lines at a depth, and the keys it sets.
func indented(lines []string, depth string) (string, map[string]bool) {
	keys := map[string]bool{}
	for _, m := range topKey.FindAllStringSubmatch(strings.Join(lines, "\n"), -1) {
		keys[m[1]] = true
	}
	var out strings.Builder
	for _, line := range lines {
		out.WriteString(depth + line + "\n")
	}
	return out.String(), keys
}

// whole completes a fragment to a configuration file.
func whole(b *block) string {
	switch {
	case b.is("yaml", "tenant"):
		text, keys := indented(b.Text, "    ")
		file := docTenants
		if keys["tenantId"] {
			file = strings.TrimSuffix(file, "    tenantId: 33333333-3333-3333-3333-333333333333\n")
		}
		if !keys["credential"] {
			file += docCredential
		}
		return file + text + "jobs: [{name: contoso-to-fabrikam, source: contoso, target: fabrikam, scope: {mode: all}}]\n"
	case b.is("yaml", "job"):
		text, keys := indented(b.Text, "    ")
		file := docTenants + docCredential + "jobs:\n  -\n"
		for _, base := range []struct{ key, value string }{{"name", "contoso-to-fabrikam"}, {"source", "contoso"}, {"target", "fabrikam"}, {"scope", "{mode: all}"}} {
			if !keys[base.key] {
				file += "    " + base.key + ": " + base.value + "\n"
			}
		}
		return file + text
	case b.is("yaml", "top"):
		return docTenants + docCredential + "jobs: [{name: contoso-to-fabrikam, source: contoso, target: fabrikam, scope: {mode: all}}]\n" +
			strings.Join(b.Text, "\n") + "\n"
	default:
		return strings.Join(b.Text, "\n") + "\n"
	}
}

// Every configuration that a page shows is one that the program accepts.
func TestConfigurationBlocksLoad(t *testing.T) {
	loaded := 0
	for _, p := range pages(t) {
		for _, b := range p.Blocks {
			if b.Lang != "yaml" || b.arg("file") != "" {
				continue
			}
			path := filepath.Join(t.TempDir(), "config.yaml")
			if err := os.WriteFile(path, []byte(whole(&b)), 0o600); err != nil {
				t.Fatal(err)
			}
			env := func(string) (string, bool) { return "from-the-environment", true }
			read := func(name string) ([]byte, error) {
				if name == path {
					return os.ReadFile(name)
				}
				return []byte("from-a-file\n"), nil
			}
			_, err := config.Load(path, config.Options{Env: env, ReadFile: read})
			var invalid *config.Invalid
			switch {
			case errors.As(err, &invalid):
				t.Errorf("%s:%d: configuration is refused: %v\n%s", b.Page, b.Line, err, whole(&b))
			case err != nil:
				t.Errorf("%s:%d: %v", b.Page, b.Line, err)
			}
			loaded++
		}
	}
	if loaded == 0 {
		t.Error("no configuration block found")
	}
}
