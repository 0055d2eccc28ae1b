package e2e_test

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// stranger is a server that has no business with the tenants: it notes what it is sent.
type stranger struct {
	mu    sync.Mutex
	heard []string
}

func (s *stranger) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, r.Method+" "+r.URL.String()+" Authorization: "+r.Header.Get("Authorization"))
	rw.Header().Set("Content-Type", "application/json")
	_, _ = rw.Write([]byte(`{"value":[]}`)) // a caller that has gone does not matter here
}

func (s *stranger) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

// bend is bendTenant for the source, with the default job written at once.
func (l *lab) bend(change func(*http.Response, []byte) []byte, strangers ...*httptest.Server) *httptest.Server {
	l.t.Helper()
	server := l.bendTenant("source", change, strangers...)
	l.configure(jobWith(nil))
	return server
}

// bendTenant puts a server between tenantsync and the Graph of a tenant that may
// change the answers, and trusts it and the strangers. It takes effect when the
// configuration is written next.
func (l *lab) bendTenant(tenant string, change func(*http.Response, []byte) []byte, strangers ...*httptest.Server) *httptest.Server {
	l.t.Helper()
	target, err := url.Parse(l.root)
	if err != nil {
		l.t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		// The host stays the proxy's, so that the links in answers lead through it.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.Out.Header.Del("Accept-Encoding")
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableCompression: true},
		ModifyResponse: func(resp *http.Response) error {
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				return err
			}
			body = change(resp, body)
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
			return nil
		},
	}
	server := httptest.NewTLSServer(proxy)
	l.t.Cleanup(server.Close)
	trust, err := os.ReadFile(filepath.Join(l.dir, "sim", "ca.pem"))
	if err != nil {
		l.t.Fatal(err)
	}
	for _, s := range append(strangers, server) {
		if s.TLS != nil {
			trust = append(trust, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})...)
		}
	}
	if err := os.WriteFile(filepath.Join(l.dir, "sim", "ca.pem"), trust, 0o600); err != nil {
		l.t.Fatal(err)
	}
	before, after, found := strings.Cut(l.head, "  "+tenant+":\n")
	if !found {
		l.t.Fatalf("the configuration has no tenant %s:\n%s", tenant, l.head)
	}
	l.head = before + "  " + tenant + ":\n" + strings.Replace(after, "graph: '"+l.graph+"'", "graph: '"+server.URL+"/v1.0'", 1)
	return server
}

var linkOf = regexp.MustCompile(`("@odata\.(?:nextLink|deltaLink)": ?")https://[^/"]+`)

// §6.5
func TestPromise5TokensStayAtTheOrigin(t *testing.T) {
	t.Parallel()
	otherScheme := func(home, _ *httptest.Server) string { return "http://" + home.Listener.Addr().String() }
	otherPort := func(_, foreign *httptest.Server) string { return foreign.URL }
	otherHost := func(home, _ *httptest.Server) string {
		return strings.Replace(home.URL, "127.0.0.1", "localhost", 1)
	}
	withUser := func(home, foreign *httptest.Server) string {
		return "https://" + home.Listener.Addr().String() + "@" + foreign.Listener.Addr().String()
	}
	for _, c := range []struct {
		name, in string
		where    func(home, foreign *httptest.Server) string
	}{
		{"next link to another port", "nextLink", otherPort},
		{"next link to another host", "nextLink", otherHost},
		{"next link without TLS", "nextLink", otherScheme},
		{"next link with the origin as user name", "nextLink", withUser},
		{"delta link to another port", "deltaLink", otherPort},
		{"delta link without TLS", "deltaLink", otherScheme},
		{"redirection to another port", "redirect", otherPort},
		{"redirection without TLS", "redirect", otherScheme},
		{"location of a new round at another port", "resync", otherPort},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(team("user", 10)...), nil)
			l.faults("source", obj{"preset": "smallPages"})
			ear := &stranger{}
			foreign := httptest.NewTLSServer(ear)
			t.Cleanup(foreign.Close)
			var mu sync.Mutex
			bad := ""
			home := l.bend(func(resp *http.Response, body []byte) []byte {
				mu.Lock()
				defer mu.Unlock()
				if bad == "" || !strings.Contains(resp.Request.URL.Path, "/users/delta") {
					return body
				}
				switch {
				case c.in == "redirect":
					resp.StatusCode, resp.Status = http.StatusTemporaryRedirect, "307 Temporary Redirect"
					resp.Header.Set("Location", bad+"/v1.0/users/delta?moved=1")
					return nil
				case c.in == "resync" && strings.Contains(resp.Request.URL.RawQuery, "token"):
					resp.StatusCode, resp.Status = http.StatusGone, "410 Gone"
					resp.Header.Set("Location", bad+"/v1.0/users/delta?$deltatoken=")
					return []byte(`{"error":{"code":"resyncRequired","message":"Resync required."}}`)
				case c.in == "nextLink" || c.in == "deltaLink":
					return linkOf.ReplaceAllFunc(body, func(link []byte) []byte {
						if !bytes.Contains(link, []byte(c.in)) {
							return link
						}
						return append(link[:bytes.Index(link, []byte("https://"))], bad...)
					})
				}
				return body
			}, foreign)
			if c.in == "resync" {
				l.sync(0, "success") // so that there is a delta link to refuse
				l.change("source", id("user01"), obj{"city": "Rome"})
			}
			mu.Lock()
			bad = c.where(home, foreign)
			mu.Unlock()
			writes := l.during("target", func() {
				a := l.run("sync", jobName, "-o", "json")
				if a.exit == 0 || a.exit == 3 {
					t.Errorf("exit %d, want a cycle that failed\n%s", a.exit, a.stdout)
				}
				if !strings.Contains(string(a.stderr), strings.TrimSuffix(bad, "/")) {
					t.Errorf("stderr: got %s, want it to name %s", a.stderr, bad)
				}
				if strings.Contains(string(a.stderr)+string(a.stdout), "eyJ") {
					t.Error("the output shows a token")
				}
			})
			if len(writes) != 0 {
				t.Errorf("writes: got %v, want none", writes)
			}
			if heard := ear.told(); len(heard) != 0 {
				t.Errorf("the stranger was asked %q, want nothing", heard)
			}
		})
	}
}
