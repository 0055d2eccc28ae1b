package entra

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	khttp "github.com/microsoft/kiota-http-go"
)

// parseEndpoint reads the address of an endpoint. Tokens and directory data go
// there, so it must be https; a loopback host may do without where loopback is set.
func parseEndpoint(what, s string, loopback bool) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("%s endpoint: %w", what, err)
	}
	switch {
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s endpoint %q: want https://host[:port][/path]", what, s)
	case u.Scheme == "https", u.Scheme == "http" && loopback && isLoopback(u.Hostname()):
		return u, nil
	}
	return nil, fmt.Errorf("%s endpoint %q: https is required", what, s)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// origin is scheme, host and port, the port always written out.
type origin struct{ scheme, host, port string }

func originOf(u *url.URL) origin {
	o := origin{strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()}
	if o.port == "" {
		o.port = map[string]string{"https": "443", "http": "80"}[o.scheme]
	}
	return o
}

// admits reports whether a link stays at the origin. The comparison is exact: a
// bearer token goes wherever the link points.
func (o origin) admits(u *url.URL) bool {
	return u.User == nil && u.Opaque == "" && originOf(u) == o
}

// roundTripper returns the way to the network, which trusts the configured
// certificate authorities besides those of the system.
func roundTripper(cfg Config) (http.RoundTripper, error) {
	if cfg.Transport != nil {
		return cfg.Transport, nil
	}
	roots, err := trustedRoots(cfg)
	if err != nil {
		return nil, err
	}
	via, err := proxyOf(cfg.Proxy)
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy:                 via,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:   10 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       90 * time.Second,
		ResponseHeaderTimeout: attemptTimeout,
		// Without pings a connection that died silently is noticed only after
		// the whole time limit of an attempt.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}, nil
}

// proxyOf returns how requests find their proxy: only the configured one counts,
// whatever the environment says, and only as a tunnel, which sees no more than the
// host's name. A request without TLS, as the one for the token of a managed
// identity, stays on this machine's network.
func proxyOf(address string) (func(*http.Request) (*url.URL, error), error) {
	if address == "" {
		return nil, nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("proxy: want http://host:port or https://host:port") // the address may hold a password
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("proxy: want no more than scheme, host and port")
	}
	return func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme != "https" || isLoopback(r.URL.Hostname()) {
			return nil, nil
		}
		return u, nil
	}, nil
}

// trustedRoots returns nil when the system's own certificate authorities do.
func trustedRoots(cfg Config) (*x509.CertPool, error) {
	if cfg.CAFile == "" {
		return cfg.CA, nil
	}
	roots, err := x509.SystemCertPool()
	switch {
	case cfg.CA != nil:
		roots = cfg.CA.Clone()
	case err != nil:
		roots = x509.NewCertPool()
	}
	pem, err := os.ReadFile(cfg.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read certificate authorities: %w", err)
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificate authorities %s: no certificate in PEM form", cfg.CAFile)
	}
	return roots, nil
}

// graphHTTPClient follows no redirect: Graph has none, and a token must not
// travel to wherever an answer points.
func graphHTTPClient(base http.RoundTripper) *http.Client {
	return &http.Client{Transport: khttp.NewCustomTransportWithParentTransport(base, gate{}), CheckRedirect: stay}
}

// stay makes a client hand out a redirect instead of following it.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// gate is the whole middleware chain: it counts what leaves and mends two traits
// of the adapter on the way.
type gate struct{}

// Intercept implements the SDK's middleware contract.
func (gate) Intercept(next khttp.Pipeline, index int, req *http.Request) (*http.Response, error) {
	if o, ok := req.Context().Value(meterKey).(meterOption); ok {
		o.m.request()
	}
	// With GetBody the transport can repeat a request that it knows never left,
	// as when a kept connection was closed in the meantime.
	if body, ok := req.Body.(io.ReadSeeker); ok && req.GetBody == nil {
		req.GetBody = func() (io.ReadCloser, error) {
			_, err := body.Seek(0, io.SeekStart)
			return io.NopCloser(body), err
		}
	}
	resp, err := next.Next(req, index)
	if err != nil {
		return nil, err
	}
	// The adapter takes the claims of a challenge apart without looking; one
	// that is not in quotes would make it panic.
	if resp.StatusCode == http.StatusUnauthorized && !wellFormedChallenge(resp.Header.Get("WWW-Authenticate")) {
		resp.Header.Del("WWW-Authenticate")
	}
	return resp, nil
}

func wellFormedChallenge(header string) bool {
	for _, parameter := range strings.Split(header, ",") {
		parameter = strings.TrimSpace(parameter)
		// The scheme stands before the first parameter.
		if scheme, rest, ok := strings.Cut(parameter, " "); ok && strings.EqualFold(scheme, "bearer") {
			parameter = strings.TrimSpace(rest)
		}
		if strings.HasPrefix(parameter, "claims") && strings.Count(parameter, `"`) < 2 {
			return false
		}
	}
	return true
}
