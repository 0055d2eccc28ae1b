package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/internal/config"
)

// load returns the configuration with the given jobs, between contoso, fabrikam
// and northwind.
func load(t *testing.T, jobs string) *config.Config {
	t.Helper()
	const head = `version: 1
tenants:
  contoso: {tenantId: 11111111-1111-1111-1111-111111111111, credential: {kind: secret, clientId: 21111111-1111-1111-1111-111111111111, secret: "${S}"}}
  fabrikam: {tenantId: 33333333-3333-3333-3333-333333333333, credential: {kind: secret, clientId: 43333333-3333-3333-3333-333333333333, secret: "${S}"}}
  northwind: {tenantId: 55555555-5555-5555-5555-555555555555, credential: {kind: secret, clientId: 65555555-5555-5555-5555-555555555555, secret: "${MISSING}"}}
jobs:
`
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(head+jobs), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path, config.Options{Env: func(name string) (string, bool) { return "x", name == "S" }})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func job(name, target, rest string) string {
	return "  - {name: " + name + ", source: contoso, target: " + target + ", scope: {mode: all}" + rest + "}\n"
}

func TestJobsOfOneAppShareItsBudget(t *testing.T) {
	cfg := load(t, job("a", "fabrikam", ", limits: {writesPerSecond: 18}")+
		job("b", "fabrikam", ", limits: {writesPerSecond: 5}")+
		job("c", "fabrikam", ", enabled: false, limits: {writesPerSecond: 1}"))
	w := newWiring(zap.NewNop())
	if _, err := w.jobs(cfg); err != nil {
		t.Fatal(err)
	}
	if len(w.budgets) != 1 || len(w.clients) != 2 {
		t.Errorf("got %d budgets and %d clients, want 1 and 2", len(w.budgets), len(w.clients))
	}
	for key := range w.budgets {
		if key.writesPerSecond != 5 {
			t.Errorf("got %v writes a second, want the lowest of the enabled jobs, 5", key.writesPerSecond)
		}
	}
	if _, err := w.jobs(cfg); err != nil {
		t.Fatal(err)
	}
	if len(w.budgets) != 1 || len(w.clients) != 2 {
		t.Errorf("a reload of the same made new clients or budgets: %d, %d", len(w.clients), len(w.budgets))
	}
}

func TestADisabledJobWithoutItsSecretLetsTheOthersWork(t *testing.T) {
	cfg := load(t, job("a", "fabrikam", "")+job("b", "northwind", ", enabled: false"))
	jobs, err := newWiring(zap.NewNop()).jobs(cfg)
	if err != nil {
		t.Fatalf("the other jobs do not work either: %v", err)
	}
	if _, err = jobs[1].Target.Tenant(t.Context()); directory.KindOf(err) != directory.SignIn {
		t.Errorf("signing in all the same: got %v, want a sign-in error", err)
	}
	env := newEnvironment(nil, nil, nil, io.Discard, func(string) (string, bool) { return "", false })
	env.cfg = cfg
	if _, err := env.jobName(t.Context(), []string{"b"}); exitCode(err) != exitConfig || !strings.Contains(err.Error(), "MISSING") {
		t.Errorf("asking for the job: got %v, want a configuration error that names the missing variable", err)
	}
	if _, err := env.jobName(t.Context(), []string{"a"}); err != nil {
		t.Errorf("asking for the other job: %v", err)
	}
}

func TestRulesChangeWithWhatDecidesAndWithNothingElse(t *testing.T) {
	rules := func(rest string) string {
		return rulesOf(load(t, job("a", "fabrikam", rest)).Jobs[0])
	}
	base := rules("")
	for _, same := range []string{`, schedule: "@every 1h"`, ", limits: {writesPerSecond: 3}", ", deletions: {threshold: 7}", ", autoStart: true"} {
		if rules(same) != base {
			t.Errorf("%q changes the rules, want an incremental cycle to go on", same)
		}
	}
	const mapping = ", mappings: [{target: displayName, source: displayName}, {target: showInAddressList, constant: %s}]"
	seen := map[string]string{base: "nothing"}
	for _, other := range []string{
		", targetObjectActions: [create, update]", ", deprovision: disable", ", targetBlock: yield", ", invitation: {by: mail}",
		", protectedUsers: [a@x.com]", ", protectedUsers: [b@x.com]", ", allowedDomains: [x.com]",
		", mappings: [{target: displayName, source: displayName, allowedValues: [x]}]",
		", mappings: [{target: displayName, source: displayName}]",
		", mappings: [{target: displayName, source: givenName}]",
		", mappings: [{target: displayName, expression: 'ToUpper([displayName])'}]",
		", mappings: [{target: displayName, source: displayName, flowType: ObjectAddOnly}]",
		", mappings: [{target: displayName, source: displayName, defaultValue: x}]",
		", mappings: [{target: displayName, source: displayName, matchingPriority: 1}]",
		", mappings: [{target: displayName, source: displayName, flowNull: false}]",
		", mappings: [{target: extension_0123456789abcdef0123456789abcdef_x, source: displayName}]",
		", mappings: [{target: extension_0123456789abcdef0123456789abcdef_x, source: displayName, type: Integer}]",
		", mappings: [{target: extension_0123456789abcdef0123456789abcdef_x, source: displayName, type: String}]",
		", mappings: [{target: extension_0123456789abcdef0123456789abcdef_x, source: displayName, type: String, multivalued: true}]",
		strings.Replace(mapping, "%s", "true", 1), strings.Replace(mapping, "%s", "false", 1), strings.Replace(mapping, "%s", "null", 1),
	} {
		r := rules(other)
		if twin, ok := seen[r]; ok {
			t.Errorf("%q gives the same rules as %q", other, twin)
		}
		seen[r] = other
	}
}

// Every key of a filter decides who is in scope.
func TestRulesChangeWithEveryKeyOfAFilter(t *testing.T) {
	seen := map[string]string{}
	for _, filters := range []string{
		"", "{title: A, clauses: [{attribute: city, operator: IS NULL}]}", "{title: A, clauses: [{attribute: city, operator: IS NOT NULL}]}",
		"{title: A, clauses: [{attribute: state, operator: IS NULL}]}", "{title: B, clauses: [{attribute: city, operator: IS NULL}]}",
		"{title: A, clauses: [{attribute: city, operator: EQUALS, value: Oslo}]}", "{title: A, clauses: [{attribute: city, operator: EQUALS, value: Bergen}]}",
		"{title: A, clauses: [{attribute: city, operator: EQUALS, values: [Oslo, Bergen]}]}",
		"{title: A, clauses: [{attribute: city, operator: EQUALS, value: Oslo, ignoreCase: true}]}",
		"{title: A, clauses: [{attribute: otherMails, operator: EQUALS, value: a@x.com, members: any}]}",
		"{title: A, clauses: [{attribute: otherMails, operator: EQUALS, value: a@x.com, members: all}]}",
		"{title: A, clauses: [{attribute: city, operator: IS NULL}, {attribute: city, operator: EQUALS, value: Oslo}]}",
		"{title: A, clauses: [{attribute: city, operator: IS NULL}]}, {title: A, clauses: [{attribute: city, operator: EQUALS, value: Oslo}]}",
		"{title: A, clauses: [{attribute: memberOf, operator: EQUALS, value: b0000000-0000-4000-8000-000000000001}]}",
	} {
		r := rulesOf(load(t, "  - {name: a, source: contoso, target: fabrikam, scope: {mode: all, filters: ["+filters+"]}}\n").Jobs[0])
		if twin, ok := seen[r]; ok {
			t.Errorf("%q gives the same rules as %q", filters, twin)
		}
		seen[r] = filters
	}
	// A key written with its default changes nothing.
	plain := rulesOf(load(t, "  - {name: a, source: contoso, target: fabrikam, scope: {mode: all, filters: [{title: A, clauses: [{attribute: city, operator: EQUALS, value: Oslo, ignoreCase: false}]}]}}\n").Jobs[0])
	if seen[plain] != "{title: A, clauses: [{attribute: city, operator: EQUALS, value: Oslo}]}" {
		t.Error("ignoreCase: false is taken for a change")
	}
}

// A certificate that is renewed in its file, under the same name, is another
// credential: it is tried before it is taken, and what used the old one is let go.
func TestACertificateRenewedInItsFileIsAnotherCredential(t *testing.T) {
	dir := t.TempDir()
	file, path := filepath.Join(dir, "app.pem"), filepath.Join(dir, "config.yaml")
	text := "version: 1\ntenants:\n" +
		"  contoso: {tenantId: 11111111-1111-1111-1111-111111111111, credential: {kind: certificate, clientId: 21111111-1111-1111-1111-111111111111, certificateFile: app.pem}}\n" +
		"  fabrikam: {tenantId: 33333333-3333-3333-3333-333333333333, credential: {kind: secret, clientId: 43333333-3333-3333-3333-333333333333, secret: x}}\n" +
		"jobs:\n" + job("a", "fabrikam", "")
	renew := func() {
		t.Helper()
		if err := os.WriteFile(file, certificate(t), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWiring(zap.NewNop())
	fresh := func() (tenants []string) {
		t.Helper()
		cfg, err := config.Load(path, config.Options{Env: func(string) (string, bool) { return "", false }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.jobs(cfg); err != nil {
			t.Fatal(err)
		}
		for _, f := range w.fresh() {
			tenants = append(tenants, f.tenant)
		}
		return tenants
	}
	renew()
	fresh()
	w.settle()
	if got := fresh(); len(got) != 0 {
		t.Errorf("with the same file: got new credentials of %q, want none", got)
	}
	renew()
	if got := fresh(); len(got) != 1 || got[0] != "contoso" {
		t.Errorf("with a renewed file: got new credentials of %q, want that of contoso", got)
	}
	if len(w.clients) != 3 {
		t.Errorf("before the renewed one is taken: got %d clients, want the old one too", len(w.clients))
	}
	w.settle()
	if len(w.clients) != 2 {
		t.Errorf("after it was taken: got %d clients, want 2", len(w.clients))
	}
}

// certificate returns a new self-signed certificate with its key.
func certificate(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tenantsync"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
}

// When a secret expires is what the configuration says; a credential without an end
// has none, and another end is no other client.
func TestTheConfigurationSaysWhenASecretExpires(t *testing.T) {
	cfg := load(t, job("a", "fabrikam", ""))
	w := newWiring(zap.NewNop())
	ends := func() []engine.CredentialEnd {
		t.Helper()
		jobs, err := w.jobs(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return jobs[0].Credentials
	}
	if got := ends(); len(got) != 0 {
		t.Errorf("nothing said: got %v, want nothing", got)
	}
	moment, err := config.ParseMoment("2027-03-01")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Tenants["fabrikam"].Credential.Expires = moment
	want := engine.CredentialEnd{Tenant: "fabrikam", Kind: "secret", NotAfter: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)}
	if got := ends(); len(got) != 1 || got[0] != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(w.clients) != 2 {
		t.Errorf("got %d clients, want the 2 there were", len(w.clients))
	}
}
