package entra

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	abs "github.com/microsoft/kiota-abstractions-go"
)

// zeros is an endless, well-compressible text.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// An answer that is larger than any page, be it only after decompression, is given
// up at the cap; the memory of the process does not follow the sender's wish.
func TestAnswersAreBounded(t *testing.T) {
	bomb := new(bytes.Buffer)
	z, err := gzip.NewWriterLevel(bomb, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(z, zeros{}, 96<<20); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/bomb") {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes()) // the reader leaves early
			return
		}
		_, _ = io.CopyN(w, zeros{}, 96<<20)
	}))
	t.Cleanup(s.Close)
	base, err := roundTripper(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/bomb", "/plain"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		resp, err := graphHTTPClient(base).Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = readAnswer(resp)
		if !errors.Is(err, errTooLarge) {
			t.Errorf("%s: got %v, want %v", path, err, errTooLarge)
		}
		runtime.ReadMemStats(&after)
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 6*maxBody>>20 {
			t.Errorf("%s: %d MiB were allocated for an answer of at most %d", path, used, maxBody>>20)
		}
		tokens := &tokenWire{client: http.Client{Transport: base}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err = tokens.Do(req); err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		if err == nil || n > maxTokenBody {
			t.Errorf("%s from the token service: got %d bytes and %v, want an error after %d", path, n, err, maxTokenBody)
		}
		_ = resp.Body.Close()
	}
}

// A page nested without end is an error, not a deep recursion.
func TestNestingIsBounded(t *testing.T) {
	const depth = 1_000_000
	for name, page := range map[string]string{
		"lists":   `{"value":[{"id":"a","x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}]}`,
		"objects": `{"value":[{"id":"a","x":` + strings.Repeat(`{"x":`, depth) + "1" + strings.Repeat("}", depth) + `}]}`,
	} {
		if _, err := DecodePage([]byte(page)); err == nil {
			t.Errorf("%s nested %d deep: got no error", name, depth)
		}
	}
}

// pipes is a listener of connections in the process, so that time can be virtual.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error { close(p); return nil }
func (pipes) Addr() net.Addr { return &net.IPAddr{} }

// A server that sends no header, or its answer a byte at a time, is given up after
// the time limit of an attempt.
func TestSlowAnswersAreGivenUp(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"no header": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a byte every ten seconds": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(10 * time.Second):
				case <-r.Context().Done():
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conns := make(pipes)
				server := &http.Server{Handler: http.HandlerFunc(answer)}
				done := make(chan struct{})
				go func() { defer close(done); _ = server.Serve(conns) }()
				base, err := roundTripper(Config{})
				if err != nil {
					t.Fatal(err)
				}
				way := base.(*http.Transport)
				way.DialContext = func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					conns <- theirs
					return ours, nil
				}
				c, err := New(Config{TenantID: "11111111-1111-1111-1111-111111111111", Graph: "http://127.0.0.1/v1.0", Transport: base,
					Credential: Credential{Kind: SecretCredential, ClientID: "22222222-2222-2222-2222-222222222222", Secret: "s"}})
				if err != nil {
					t.Fatal(err)
				}
				c.tokens.current.Store(&azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)})
				target, err := url.Parse(c.graph + "/organization")
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				_, err = c.send(t.Context(), nil, abs.GET, target, nil)
				if took := time.Since(began); err == nil || took > attemptTimeout {
					t.Errorf("got %v after %v, want an error after %v at most", err, took, attemptTimeout)
				}
				way.CloseIdleConnections()
				_ = server.Close()
				<-done
				synctest.Wait()
			})
		})
	}
}

// TLS before 1.2 is not spoken, and a certificate that nobody vouches for is not
// accepted; nothing in a Config switches either off.
func TestOldTLSAndUnknownCertificatesAreRefused(t *testing.T) {
	serve := func(version uint16) *httptest.Server {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version}
		s.Config.ErrorLog = nil
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	for _, c := range []struct {
		name    string
		version uint16
		trusted bool
		ok      bool
	}{
		{"TLS 1.3", tls.VersionTLS13, true, true}, {"TLS 1.2", tls.VersionTLS12, true, true},
		{"TLS 1.1", tls.VersionTLS11, true, false}, {"TLS 1.0", tls.VersionTLS10, true, false},
		{"a certificate nobody vouches for", tls.VersionTLS13, false, false},
	} {
		s := serve(c.version)
		cfg := Config{}
		if c.trusted {
			cfg.CA = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		}
		base, err := roundTripper(cfg)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := base.RoundTrip(req)
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v, want it accepted: %v", c.name, err, c.ok)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
	}
}

// Only the configured proxy counts, only for TLS, and never on this machine.
func TestOnlyTheConfiguredProxyIsUsed(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://evil.example:1")
	t.Setenv("HTTP_PROXY", "http://evil.example:1")
	t.Setenv("ALL_PROXY", "http://evil.example:1")
	for _, c := range []struct{ proxy, request, want string }{
		{"", "https://graph.microsoft.com/v1.0", ""},
		{"", "http://169.254.169.254/metadata/identity", ""},
		{"http://proxy.contoso.com:3128", "https://graph.microsoft.com/v1.0", "http://proxy.contoso.com:3128"},
		{"http://proxy.contoso.com:3128", "http://169.254.169.254/metadata/identity", ""},
		{"http://proxy.contoso.com:3128", "https://127.0.0.1:9443/v1.0", ""},
	} {
		base, err := roundTripper(Config{Proxy: c.proxy})
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.request, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if via := base.(*http.Transport).Proxy; via != nil {
			u, err := via(req)
			if err != nil {
				t.Fatal(err)
			}
			if u != nil {
				got = u.String()
			}
		}
		if got != c.want {
			t.Errorf("proxy %q, request to %s: got %q, want %q", c.proxy, c.request, got, c.want)
		}
	}
	for _, bad := range []string{"proxy:3128", "socks5://proxy:1", "http://proxy/path", "http://proxy?x"} {
		if _, err := roundTripper(Config{Proxy: bad}); err == nil {
			t.Errorf("proxy %q: got no error", bad)
		}
	}
}
