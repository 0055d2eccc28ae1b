package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"tenantsync/engine"
	"tenantsync/entra"
	"tenantsync/internal/config"
)

// freshClient is a tenant's client that the jobs in effect do not use.
type freshClient struct {
	tenant string
	app    engine.App
	jobs   []string // enabled ones that would use it
	signIn func(context.Context) error
}

// clientKey is all that makes two clients the same.
type clientKey struct {
	name, tenantID, cloud, authority, graph, caFile, proxy string
	credential                                             entra.Credential
	files                                                  string // what the files hold that are read once, so that a renewed certificate is another client
	unusable                                               string // why the credential cannot be used
	parallelReads                                          int
}

// client returns the one client of a tenant and credential.
func (w *wiring) client(t *config.Tenant, c *config.Credential, reads map[appKey]int) (*entra.Client, error) {
	key := keyOf(t, c, reads)
	settings := entra.Config{
		Name: t.Name, TenantID: t.TenantID, Cloud: string(t.Cloud),
		Authority: t.Endpoints.Authority, Graph: t.Endpoints.Graph, CAFile: t.Endpoints.CAFile, Proxy: t.Endpoints.Proxy,
		Credential: key.credential, ParallelReads: key.parallelReads, Log: w.log, Wrap: requestsOf,
	}
	if c.Err != nil {
		// The tenant's jobs are disabled, so nobody should sign in; whoever does
		// is told why that cannot work.
		settings.Credential = entra.Credential{Kind: entra.SecretCredential, ClientID: cmp.Or(c.ClientID, t.TenantID), Secret: "unset"}
		settings.Transport = unusable{c.Err}
	}
	if known := w.clients[key]; known != nil {
		return known, nil
	}
	client, err := entra.New(settings)
	if err != nil {
		return nil, err
	}
	w.clients[key] = client
	return client, nil
}

// keyOf is all that makes the client of a tenant and credential.
func keyOf(t *config.Tenant, c *config.Credential, reads map[appKey]int) clientKey {
	key := clientKey{
		name: t.Name, tenantID: t.TenantID, cloud: string(t.Cloud),
		authority: t.Endpoints.Authority, graph: t.Endpoints.Graph, caFile: t.Endpoints.CAFile, proxy: t.Endpoints.Proxy,
		credential: entra.Credential{
			Kind: string(c.Kind), ClientID: c.ClientID, Secret: c.Secret.Reveal(),
			CertificateFile: c.CertificateFile, PasswordFile: c.PasswordFile, TokenFile: c.TokenFile,
		},
		files:         contentOf(t.Endpoints.CAFile, c.CertificateFile, c.PasswordFile),
		parallelReads: reads[appOf(t, c)],
	}
	if c.Err != nil {
		key.unusable = c.Err.Error()
	}
	return key
}

// contentOf condenses what files hold. One that cannot be read counts as empty:
// whoever uses it says so better.
func contentOf(paths ...string) string {
	sum := sha256.New()
	for _, path := range paths {
		var content []byte
		if path != "" {
			content, _ = os.ReadFile(path)
		}
		part := sha256.Sum256(content)
		sum.Write(part[:])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// want notes that an enabled job uses a client.
func (w *wiring) want(t *config.Tenant, c *config.Credential, reads map[appKey]int, client *entra.Client, job string) {
	key := keyOf(t, c, reads)
	f := w.wanted[key]
	if f == nil {
		f = &freshClient{tenant: t.Name, app: checkApp(c), signIn: func(ctx context.Context) error {
			_, _, err := client.Source(nil).Permissions(ctx)
			return err
		}}
		w.wanted[key] = f
	}
	f.jobs = append(f.jobs, job)
}

// fresh returns the clients that the jobs made last use and the jobs in effect do
// not, by the names of their tenants.
func (w *wiring) fresh() []freshClient {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []freshClient
	for key, f := range w.wanted {
		if w.settled[key] == nil {
			list = append(list, *f)
		}
	}
	slices.SortFunc(list, func(a, b freshClient) int { return strings.Compare(a.tenant, b.tenant) })
	return list
}

// settle says that the jobs made last are in effect. Clients that they do not use
// are let go, and the secrets with them.
func (w *wiring) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled = w.wanted
	maps.DeleteFunc(w.clients, func(key clientKey, _ *entra.Client) bool { return w.settled[key] == nil })
}

// unusable stands in for the network where a credential cannot be used. It
// answers as the token service refuses a client, so that nothing is tried again.
type unusable struct{ err error }

// RoundTrip implements http.RoundTripper.
func (u unusable) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := json.Marshal(map[string]string{"error": "invalid_client", "error_description": u.err.Error()})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: "401 Unauthorized", StatusCode: http.StatusUnauthorized, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}, nil
}
