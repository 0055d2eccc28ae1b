package docs_test

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// anyCertificate returns some certificate in PEM, for files that must hold one.
func anyCertificate(t *testing.T) []byte {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// Every configuration that a page shows is one that the program accepts.
func TestConfigurationBlocksLoad(t *testing.T) {
	loaded := 0
	certificate := anyCertificate(t)
	for _, p := range pages(t) {
		for _, b := range p.Blocks {
			if b.Lang != "yaml" || len(b.Args) == 0 || b.is("yaml", "cases") {
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
				if strings.HasSuffix(name, "ca.pem") {
					return certificate, nil
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

// schemaKeys collects the names of all properties of a JSON Schema.
func schemaKeys(node any, into map[string]bool) {
	switch n := node.(type) {
	case map[string]any:
		if properties, ok := n["properties"].(map[string]any); ok {
			for name := range properties {
				into[name] = true
			}
		}
		for _, child := range n {
			schemaKeys(child, into)
		}
	case []any:
		for _, child := range n {
			schemaKeys(child, into)
		}
	}
}

// Every key that the program knows is explained, and no other.
func TestEveryConfigurationKeyIsExplained(t *testing.T) {
	raw, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	schemaKeys(schema, known)
	if len(known) < 40 {
		t.Fatalf("the schema has %d keys, want all of the configuration's", len(known))
	}
	documented := firstColumn(readPage(t, "configuration.md").Text)
	for key := range known {
		if !slices.Contains(documented, key) {
			t.Errorf("configuration.md lacks the key %s", key)
		}
	}
	for _, key := range documented {
		if !known[key] {
			t.Errorf("configuration.md has the key %s, which the program does not know", key)
		}
	}
}
