package entra_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tenantsync/directory"
	"tenantsync/entra"
)

func TestSignInRefused(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		body    string
		code    string
		message string
		kind    directory.ErrorKind
	}{
		{"wrong secret", 401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: 1-2-3 Correlation ID: 4","error_codes":[7000215]}`,
			"AADSTS7000215", "Invalid client secret provided.", directory.SignIn},
		{"unknown app", 400, `{"error":"unauthorized_client","error_description":"AADSTS700016: Application with identifier 'x' was not found.\r\nTrace ID: 1"}`,
			"AADSTS700016", "Application with identifier 'x' was not found.", directory.SignIn},
		{"authority unwell", 503, `{"error":"temporarily_unavailable"}`, "", "", directory.Transient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, inOrder(says(200, emptyRound)))
				f.deny = func() (int, string) { return tt.status, tt.body }
				_, err := f.client().Source(nil).Changes(t.Context(), nil, "")
				var got *directory.Error
				if !errors.As(err, &got) || got.Kind != tt.kind || got.Code != tt.code || got.Status != tt.status ||
					tt.message != "" && got.Message != tt.message || got.Tenant != "contoso" {
					t.Errorf("got %#v", err)
				}
				if len(f.seen()) != 0 {
					t.Error("Graph was called without a token")
				}
				if err != nil && strings.Contains(err.Error(), "s3cret") {
					t.Errorf("the error tells the secret: %v", err)
				}
			})
		})
	}
}

// unreachable loses every token request.
type unreachable struct{ http.RoundTripper }

func (u unreachable) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "login.test" {
		return nil, errors.New("no route to login.test")
	}
	return u.RoundTripper.RoundTrip(r)
}

func TestAuthorityOutOfReachIsAPassingFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(says(200, emptyRound)))
		c := f.client(func(c *entra.Config) { c.Transport = unreachable{f} })
		_, err := c.Source(nil).Changes(t.Context(), nil, "")
		if directory.KindOf(err) != directory.Transient || !strings.Contains(err.Error(), "no route to login.test") {
			t.Errorf("got %v, want a passing fault that names its cause", err)
		}
		ws, err := c.Target(nil, entra.NewBudget(10)).Write(t.Context(), []directory.Write{invite("a@x.test")})
		if err != nil || directory.KindOf(ws[0].Err) != directory.Transient {
			t.Errorf("invitation: got %+v, %v, want transient: it was never sent", ws, err)
		}
	})
}

func TestTokenOfAnotherTenantIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(says(200, emptyRound)))
		f.token = func(int) string { return jwt(`{"tid":"99999999-0000-0000-0000-000000000000"}`) }
		_, err := f.client().Source(nil).Changes(t.Context(), nil, "")
		var got *directory.Error
		if !errors.As(err, &got) || got.Kind != directory.SignIn || got.Code != "WrongTenant" || !strings.Contains(got.Message, "99999999") {
			t.Errorf("got %v", err)
		}
		if len(f.seen()) != 0 {
			t.Error("the token of another tenant was used")
		}
	})
}

func TestPermissionsStandInTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(says(200, emptyRound)))
		f.token = func(int) string {
			return jwt(`{"tid":"` + tenantID + `","roles":["User.Read.All","Member.Read.Hidden"]}`)
		}
		s := f.client().Source(nil)
		roles, known, err := s.Permissions(t.Context())
		if err != nil || !known || !slices.Equal(roles, []string{"User.Read.All", "Member.Read.Hidden"}) || !s.ReadsHidden(t.Context()) {
			t.Errorf("got %v %v %v, hidden %v", roles, known, err, s.ReadsHidden(t.Context()))
		}
		f.token = func(int) string { return "opaque" }
		s = f.client().Source(nil)
		if roles, known, err := s.Permissions(t.Context()); roles != nil || known || err != nil || s.ReadsHidden(t.Context()) {
			t.Errorf("opaque token: got %v %v %v", roles, known, err)
		}
	})
}

func TestTokenIsSharedAndRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(says(200, emptyRound)))
		s := f.client().Source(nil)
		read := func() {
			if _, err := s.Changes(t.Context(), nil, ""); err != nil {
				t.Error(err)
			}
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(read)
		}
		wg.Wait()
		if f.tokens != 1 {
			t.Errorf("20 calls at once: got %d token requests, want 1", f.tokens)
		}
		time.Sleep(50 * time.Minute)
		read()
		if f.tokens != 1 {
			t.Errorf("after 50 minutes: got %d token requests, want 1", f.tokens)
		}
		time.Sleep(7 * time.Minute) // the token has 3 minutes left
		read()
		if calls := f.seen(); f.tokens != 2 || calls[len(calls)-1].token != "token-2" {
			t.Errorf("shortly before the end: got %d token requests, want 2", f.tokens)
		}
	})
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	tests := []struct {
		name      string
		challenge string
		graph     []http.HandlerFunc
		tokens    []string
		kind      directory.ErrorKind
	}{
		{"plain", "", nil, []string{"token-1", "token-2"}, 0},
		{"with claims", `Bearer realm="", authorization_uri="https://login.test", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ=="`, nil, []string{"token-1", "token-2"}, 0},
		{"with claims that are not in quotes", `Bearer claims=x`, nil, []string{"token-1", "token-2"}, 0},
		{"for good", "", []http.HandlerFunc{says(401, "{}")}, []string{"token-1", "token-2"}, directory.SignIn},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := tt.graph
				if answers == nil {
					answers = []http.HandlerFunc{says(401, graphError("InvalidAuthenticationToken", "x"), "WWW-Authenticate", tt.challenge), says(200, emptyRound)}
				}
				f := newFake(t, inOrder(answers...))
				m := entra.NewMeter()
				_, err := f.client().Source(m).Changes(t.Context(), nil, "")
				if directory.KindOf(err) != tt.kind || (err == nil) != (tt.kind == 0) {
					t.Errorf("got %v, want %v", err, tt.kind)
				}
				var used []string
				for _, c := range f.seen() {
					used = append(used, c.token)
				}
				if !slices.Equal(used, tt.tokens) {
					t.Errorf("got tokens %v, want %v", used, tt.tokens)
				}
				if r, _, _ := m.Counts(); r != len(tt.tokens) {
					t.Errorf("meter: got %d requests, want %d", r, len(tt.tokens))
				}
			})
		})
	}
}

func TestCredentialsTellNothing(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	cred := entra.Credential{Kind: entra.SecretCredential, ClientID: clientID, Secret: "s3cret-value"}
	cfg := entra.Config{Name: "contoso", TenantID: tenantID, Credential: cred}
	f := newFake(t, inOrder(says(200, emptyRound)))
	c := f.client(func(c *entra.Config) { c.Log = zap.New(core) })
	if _, err := c.Source(nil).Changes(t.Context(), nil, ""); err != nil {
		t.Fatal(err)
	}
	zap.New(core).Info("x", zap.Any("credential", cred), zap.Any("config", cfg), zap.Stringer("text", cred))
	js, _ := json.Marshal(cfg.Credential)
	texts := []string{
		fmt.Sprint(cred), fmt.Sprintf("%+v", cred), fmt.Sprintf("%#v", cred), fmt.Sprintf("%s %v %q", &cred, &cred, cred),
		fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg), fmt.Sprintf("%+v %#v", c, c), string(js),
	}
	for _, e := range logs.All() {
		texts = append(texts, e.Message+fmt.Sprint(e.ContextMap()))
	}
	for _, text := range texts {
		if strings.Contains(text, "s3cret") || strings.Contains(text, "token-1") {
			t.Errorf("tells a secret: %s", text)
		}
	}
	if want := "secret " + clientID; cred.String() != want {
		t.Errorf("got %q, want %q", cred.String(), want)
	}
}

func TestNewRefuses(t *testing.T) {
	good := entra.Config{TenantID: tenantID, Credential: entra.Credential{Kind: entra.SecretCredential, ClientID: clientID, Secret: "x"}}
	missing := filepath.Join(t.TempDir(), "missing.pem")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		change  func(*entra.Config)
		message string
	}{
		{"unknown cloud", func(c *entra.Config) { c.Cloud = "mars" }, `cloud "mars" unknown`},
		{"no tenant", func(c *entra.Config) { c.TenantID = "" }, "tenant id missing"},
		{"graph over http", func(c *entra.Config) { c.Graph = "http://graph.example/v1.0" }, "https is required"},
		{"authority over http, loopback too", func(c *entra.Config) { c.Authority = "http://127.0.0.1:1" }, "https is required"},
		{"missing CA file", func(c *entra.Config) { c.CAFile = missing }, "read certificate authorities"},
		{"empty CA file", func(c *entra.Config) { c.CAFile = empty }, "no certificate"},
		{"unknown credential", func(c *entra.Config) { c.Credential.Kind = "magic" }, `credential kind "magic" unknown`},
		{"missing certificate", func(c *entra.Config) {
			c.Credential = entra.Credential{Kind: entra.CertificateCredential, CertificateFile: missing}
		}, "read certificate"},
		{"certificate without content", func(c *entra.Config) {
			c.Credential = entra.Credential{Kind: entra.CertificateCredential, CertificateFile: empty}
		}, "empty.pem"},
	}
	for _, tt := range tests {
		cfg := good
		tt.change(&cfg)
		if _, err := entra.New(cfg); err == nil || !strings.Contains(err.Error(), tt.message) {
			t.Errorf("%s: got %v, want an error with %q", tt.name, err, tt.message)
		}
	}
	for _, cloud := range []string{"", "global", "usGov", "usGovDoD", "china"} {
		cfg := good
		cfg.Cloud = cloud
		if _, err := entra.New(cfg); err != nil {
			t.Errorf("cloud %q: %v", cloud, err)
		}
	}
}

// writeCertificate writes a self-signed certificate with its key.
func writeCertificate(t *testing.T) string {
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
	path := filepath.Join(t.TempDir(), "app.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOtherCredentialsSignIn(t *testing.T) {
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte("federated"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, cred := range map[string]entra.Credential{
		"certificate":      {Kind: entra.CertificateCredential, ClientID: clientID, CertificateFile: writeCertificate(t)},
		"workloadIdentity": {Kind: entra.WorkloadIdentityCredential, ClientID: clientID, TokenFile: tokenFile},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, inOrder(says(200, emptyRound)))
			_, err := f.client(func(c *entra.Config) { c.Credential = cred }).Source(nil).Changes(t.Context(), nil, "")
			if err != nil || f.tokens != 1 || f.seen()[0].token != "token-1" {
				t.Errorf("got %v with %d token requests", err, f.tokens)
			}
		})
	}
}

// serve runs the fake over TLS and returns its address and its CA file.
func serve(t *testing.T, f *fake) (url, caFile string, server *httptest.Server) {
	t.Helper()
	server = httptest.NewUnstartedServer(f)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(caFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, caFile, server
}

func TestOverTLS(t *testing.T) {
	f := newFake(t, nil)
	url, caFile, server := serve(t, f)
	f.graph = func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.ProtoMajor != 2 {
			t.Errorf("got HTTP/%d, want 2", r.ProtoMajor)
		}
		if r.Method == "POST" {
			if r.Header.Get("Content-Encoding") != "" || r.ContentLength != int64(len(body)) {
				t.Errorf("body of %d bytes came with length %d and encoding %q", len(body), r.ContentLength, r.Header.Get("Content-Encoding"))
			}
			batches(t, done)(w, r, body)
			return
		}
		writeJSON(w, 200, strings.ReplaceAll(emptyRound, graphURL, url+"/v1.0"))
	}
	over := func(c *entra.Config) { c.Transport, c.Graph, c.Authority = nil, url+"/v1.0", url }
	trusting := func(c *entra.Config) { over(c); c.CAFile = caFile }
	client := f.client(trusting)
	page, err := client.Source(nil).Changes(t.Context(), nil, "")
	if err != nil || page.Watermark == "" {
		t.Errorf("got %+v, %v", page, err)
	}
	ws, err := client.Target(nil, entra.NewBudget(100)).Write(t.Context(), oneOfEach())
	if err != nil || slices.ContainsFunc(ws, func(w directory.Written) bool { return w.Err != nil }) {
		t.Errorf("got %+v, %v", ws, err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	if _, err := f.client(func(c *entra.Config) { over(c); c.CA = pool }).Source(nil).Changes(t.Context(), nil, ""); err != nil {
		t.Errorf("with a pool: %v", err)
	}

	before := f.tokens
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, _, err = f.client(over).Source(nil).Permissions(ctx)
	if directory.KindOf(err) != directory.Transient || f.tokens != before {
		t.Errorf("without the authority's certificate: got %v after %d token requests, want an error before any", err, f.tokens-before)
	}
}

func TestAnotherCertificateForGraphIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(says(200, emptyRound)))
		bad := badCertificate{f}
		m := entra.NewMeter()
		_, err := f.client(func(c *entra.Config) { c.Transport = bad }).Source(m).Changes(t.Context(), nil, "")
		if r, _, _ := m.Counts(); err == nil || r != 1 {
			t.Errorf("got %v after %d requests, want an error after 1", err, r)
		}
	})
}

type badCertificate struct{ http.RoundTripper }

func (b badCertificate) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "graph.test" {
		return b.RoundTripper.RoundTrip(r)
	}
	return nil, &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
}
