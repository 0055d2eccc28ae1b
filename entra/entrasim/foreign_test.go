package entrasim_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"crypto/tls"
	"crypto/x509"

	"tenantsync/entra/entrasim"
)

// serve serves a Cloud over TLS on a free port and returns its root URL and the
// authority clients must trust.
func serve(t *testing.T, c *entrasim.Cloud) (root string, caPEM []byte) {
	t.Helper()
	caPEM, cert, err := entrasim.NewCA("127.0.0.1", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- entrasim.Serve(ctx, ln, cert, c) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return "https://" + ln.Addr().String(), caPEM
}

func TestServe(t *testing.T) {
	t.Parallel()
	cloud := entrasim.New(entrasim.Options{Faults: []entrasim.Fault{{Path: "/users/delta", Close: true}, {Path: "/groups/delta", Truncate: 10}}})
	tenant, err := cloud.AddTenant("contoso", parseFile(t, contosoFile))
	if err != nil {
		t.Fatal(err)
	}
	root, caPEM := serve(t, cloud)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(caPEM) {
		t.Fatal("the authority does not parse")
	}
	for _, tt := range []struct {
		name  string
		h2    bool
		proto string
	}{{"HTTP/2", true, "HTTP/2.0"}, {"HTTP/1.1", false, "HTTP/1.1"}} {
		t.Run(tt.name, func(t *testing.T) {
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: tt.h2}
			defer transport.CloseIdleConnections()
			c := &client{t: t, http: &http.Client{Transport: rewrite{root, transport}}, tenant: tenant}
			c.signIn(tenant.AppID, tenant.Secret)
			r := c.call(http.MethodGet, "/users?$top=1", nil).want(t, 200, "")
			if got := r.str("@odata.nextLink"); !strings.HasPrefix(got, root+"/v1.0/users?") {
				t.Errorf("nextLink: got %q, want it below %s", got, root)
			}
			// A body of unknown length is sent in chunks.
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, graphRoot+"/v1.0/users/"+annID, struct{ *strings.Reader }{strings.NewReader(`{"city":"Bonn"}`)})
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+c.token)
			req.Header.Set("Content-Type", "application/json")
			c.do(req).want(t, 204, "")
			for _, path := range []string{"/users/delta", "/groups/delta"} {
				if r, err := c.try(http.MethodGet, path, nil); err == nil {
					t.Errorf("%s: got %d %s, want a broken connection", path, r.status, r.raw)
				}
			}
			resp, err := transport.RoundTrip(mustRequest(t, root+"/v1.0/users"))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.Proto != tt.proto {
				t.Errorf("protocol: got %s, want %s", resp.Proto, tt.proto)
			}
		})
	}
}

func mustRequest(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// rewrite sends what is meant for the simulated network to a served Cloud.
type rewrite struct {
	root string
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (r rewrite) RoundTrip(req *http.Request) (*http.Response, error) {
	if rest, found := strings.CutPrefix(req.URL.String(), graphRoot); found {
		u, err := req.URL.Parse(r.root + rest)
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.URL, req.Host = u, u.Host
	}
	return r.next.RoundTrip(req)
}

// TestForeignClient drives the simulation with Microsoft's own JavaScript client
// over TLS. It needs node, and npm once to install the client. Where they are
// missing it says so and tests nothing; with TENANTSYNC_FOREIGN=required it fails.
func TestForeignClient(t *testing.T) {
	t.Parallel()
	required := os.Getenv("TENANTSYNC_FOREIGN") == "required"
	unavailable := func(format string, args ...any) {
		t.Helper()
		if required {
			t.Fatalf(format, args...)
		}
		t.Skipf(format, args...)
	}
	dir := filepath.Join("testdata", "foreign")
	node, err := exec.LookPath("node")
	if err != nil {
		unavailable("node is not installed: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@microsoft", "microsoft-graph-client", "package.json")); err != nil {
		npm, err := exec.LookPath("npm")
		if err != nil {
			unavailable("npm is not installed: %v", err)
		}
		install := exec.CommandContext(t.Context(), npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", "--fetch-timeout=20000")
		install.Dir = dir
		if out, err := install.CombinedOutput(); err != nil {
			unavailable("npm ci: %v\n%s", err, out)
		}
	}
	cloud := entrasim.New(entrasim.Options{DeltaPageSize: 2})
	tenant, err := cloud.AddTenant("contoso", parseFile(t, contosoFile))
	if err != nil {
		t.Fatal(err)
	}
	root, caPEM := serve(t, cloud)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, caPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "client.mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+ca, "ROOT="+root, "TENANT_ID="+tenant.ID, "CLIENT_ID="+tenant.AppID, "CLIENT_SECRET="+tenant.Secret)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.String())
	}
	want := `{"listed":["Ann Bell","Bob Cole","Eve Dean"],` +
		`"delta":{"first":3,"second":[{"id":"` + annID + `","city":"Bonn","displayName":"Ann Bell"}]},"status":"PendingAcceptance",` +
		`"batch":{"update":204,"missing":404},"guest":{"displayName":"Guest of honour","externalUserState":"PendingAcceptance","userType":"Member"},` +
		`"error":{"typed":true,"status":404,"code":"Request_ResourceNotFound"}}`
	if got := strings.TrimSpace(string(out)); got != want {
		t.Errorf("the client saw\n%s\nwant\n%s", got, want)
	}
}
