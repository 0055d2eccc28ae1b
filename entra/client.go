package entra

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	kauth "github.com/microsoft/kiota-authentication-azure-go"
	msgraphcore "github.com/microsoftgraph/msgraph-sdk-go-core"
	"go.uber.org/zap"

	"tenantsync/directory"
)

// Config says which tenant a Client speaks to and how.
type Config struct {
	// Name is what error texts call the tenant: its name in the configuration.
	Name string
	// TenantID is the GUID of the tenant. Tokens of another tenant are refused.
	TenantID string
	// Cloud is global (also when empty), usGov, usGovDoD or china.
	Cloud string
	// Authority and Graph override the cloud's own endpoints. Graph includes the
	// version: https://host:port/v1.0. Both must be https; plain http is accepted
	// for Graph on a loopback host only.
	Authority, Graph string
	// CAFile names certificate authorities (PEM) that are trusted for this tenant
	// besides those of the system; with CA set, besides those in CA instead.
	CA     *x509.CertPool
	CAFile string
	// Credential proves who calls.
	Credential Credential
	// Proxy is the address of an HTTP proxy that tunnels to Graph and to the
	// authority, "" for none. Variables of the environment are not asked.
	Proxy string
	// ParallelReads is the number of batches of reads in flight, 4 when zero.
	ParallelReads int
	// Transport replaces the network for Graph and for tokens, for tests.
	Transport http.RoundTripper
	// Wrap, if set, is put around the network, or around Transport: for tests that
	// watch or end what passes.
	Wrap func(http.RoundTripper) http.RoundTripper
	// Jitter returns numbers in [0,1) that spread retries; math/rand when nil. It
	// must be safe for concurrent use.
	Jitter func() float64
	// Log receives what a person may want to know of the traffic; nil for none.
	// Tokens, secrets and attribute values never go there.
	Log *zap.Logger
}

// Client speaks to one tenant with one credential. It is safe for concurrent
// use and needs no closing.
type Client struct {
	name     string
	tenantID string
	graph    string // root of all calls, without a trailing slash
	origin   origin
	tokens   *tokens
	adapter  *msgraphcore.GraphRequestAdapterBase
	parallel int
	jitter   func() float64
	log      *zap.Logger

	reads         lull // of all reads; writes have their budget
	items         itemLulls
	organization  atomic.Pointer[directory.Tenant]
	binUnfiltered atomic.Bool // the service refused a filter on deleted users
}

// cloudEndpoints are the public endpoints of a national cloud.
// https://learn.microsoft.com/graph/deployments
type cloudEndpoints struct{ authority, graph string }

var clouds = map[string]cloudEndpoints{
	"global":   {"https://login.microsoftonline.com", "https://graph.microsoft.com/v1.0"},
	"usGov":    {"https://login.microsoftonline.us", "https://graph.microsoft.us/v1.0"},
	"usGovDoD": {"https://login.microsoftonline.us", "https://dod-graph.microsoft.us/v1.0"},
	"china":    {"https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn/v1.0"},
}

// New builds a client. It makes no call; it reads the certificate files that the
// configuration names, so that a mistake there shows at once.
func New(cfg Config) (*Client, error) {
	ends, ok := clouds[cmp.Or(cfg.Cloud, "global")]
	if !ok {
		return nil, fmt.Errorf("cloud %q unknown: want global, usGov, usGovDoD or china", cfg.Cloud)
	}
	if cfg.TenantID == "" {
		return nil, errors.New("tenant id missing")
	}
	graph, err := parseEndpoint("graph", cmp.Or(cfg.Graph, ends.graph), true)
	if err != nil {
		return nil, err
	}
	authority, err := parseEndpoint("authority", cmp.Or(cfg.Authority, ends.authority), false)
	if err != nil {
		return nil, err
	}
	base, err := roundTripper(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Wrap != nil {
		base = cfg.Wrap(base)
	}
	c := &Client{
		name:     cmp.Or(cfg.Name, cfg.TenantID),
		tenantID: cfg.TenantID,
		graph:    strings.TrimSuffix(graph.String(), "/"),
		origin:   originOf(graph),
		parallel: max(cmp.Or(cfg.ParallelReads, 4), 1),
		jitter:   cfg.Jitter,
		log:      cfg.Log,
	}
	if c.jitter == nil {
		c.jitter = rand.Float64
	}
	if c.log == nil {
		c.log = zap.NewNop()
	}
	scope := graph.Scheme + "://" + graph.Host + "/.default"
	c.tokens, err = newTokens(cfg.Credential, cfg.TenantID, authority.String(), scope, base)
	if err != nil {
		return nil, err
	}
	c.tokens.tenant = c.name
	return c, c.connect(base, graph, scope)
}

// connect builds the request adapter over an explicit chain: neither the retry
// nor the compression of the default chain can be relied upon for writes.
func (c *Client) connect(base http.RoundTripper, graph *url.URL, scope string) error {
	auth, err := kauth.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(
		c.tokens, []string{scope}, []string{graph.Hostname()})
	if err != nil {
		return fmt.Errorf("build authentication provider: %w", err)
	}
	adapter, err := msgraphcore.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		auth, msgraphcore.GraphClientOptions{}, nil, nil, graphHTTPClient(base))
	if err != nil {
		return fmt.Errorf("build request adapter: %w", err)
	}
	adapter.SetBaseUrl(c.graph)
	c.adapter = adapter
	return nil
}

// Name returns the tenant's name as error texts use it.
func (c *Client) Name() string { return c.name }

// TenantID returns the configured id of the tenant.
func (c *Client) TenantID() string { return c.tenantID }

// Source returns the reading side of the tenant; its requests count in m, which
// may be nil.
func (c *Client) Source(m *Meter) *Source { return &Source{reader: reader{c: c, m: m}} }

// Target returns the writing side of the tenant. Requests count in m, which may
// be nil; writes wait for b, which all targets of one app in one tenant share.
func (c *Client) Target(m *Meter, b *Budget) *Target {
	return &Target{reader: reader{c: c, m: m}, budget: b}
}

// reader holds what source and target have in common.
type reader struct {
	c *Client
	m *Meter
}

// Tenant returns what the organization says of itself and makes sure that it is
// the configured one. It is read once a process.
func (r reader) Tenant(ctx context.Context) (directory.Tenant, error) {
	return r.c.readOrganization(ctx, r.m)
}

// Policy returns what this tenant's policies say about a partner tenant, the
// defaults applied where the partner's own entry is silent.
func (r reader) Policy(ctx context.Context, partnerTenantID string) (directory.Policy, error) {
	return r.c.readPolicy(ctx, r.m, partnerTenantID)
}

// Permissions returns the application permissions in the token. known is false
// when the token does not tell.
func (r reader) Permissions(ctx context.Context) (roles []string, known bool, err error) {
	claims, known, err := r.c.claims(ctx)
	return claims.Roles, known, err
}

// Users reads users by id or user principal name, in batches; the answers stand
// in the order of ids. Every selected attribute the service does not mention is
// null, so an object is a full image of what was asked. The error is for what
// ends the work; that one user is not found stands in his Lookup.
func (r reader) Users(ctx context.Context, ids []string, selects []string) ([]directory.Lookup, error) {
	return r.c.readUsers(ctx, r.m, ids, selects)
}
