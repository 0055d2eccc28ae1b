package entrasim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tenantsync/entra/entrasim"
)

// bench is two tenants in one Cloud, contoso with users and fabrikam empty, and
// a client for each.
type bench struct {
	cloud    *entrasim.Cloud
	contoso  *client
	fabrikam *client
}

// client talks to one tenant in-process, as one of its applications.
type client struct {
	t      *testing.T
	http   *http.Client
	tenant *entrasim.Tenant
	token  string
}

// reply is one answer, decoded.
type reply struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any
}

const graphRoot = "https://graph.simulation.example"

const contosoFile = `{
 "organization": {"id": "11111111-1111-4111-8111-111111111111", "displayName": "Contoso", "verifiedDomains": [
   {"name": "contoso.onmicrosoft.com", "isInitial": true, "isDefault": false},
   {"name": "contoso.example", "isInitial": false, "isDefault": true}]},
 "users": [
  {"id": "aaaaaaaa-0000-4000-8000-000000000001", "userPrincipalName": "ann@contoso.example", "displayName": "Ann Bell", "mail": "ann.bell@contoso.example",
   "givenName": "Ann", "surname": "Bell", "jobTitle": "Engineer", "department": "R&D", "businessPhones": ["+1 555 0100"], "otherMails": []},
  {"id": "aaaaaaaa-0000-4000-8000-000000000002", "userPrincipalName": "bob@contoso.example", "displayName": "Bob Cole", "mail": "bob@contoso.example",
   "jobTitle": null, "manager": {"id": "aaaaaaaa-0000-4000-8000-000000000001"}},
  {"id": "aaaaaaaa-0000-4000-8000-000000000003", "userPrincipalName": "eve@contoso.example", "displayName": "Eve Dean", "accountEnabled": false}],
 "groups": [
  {"id": "bbbbbbbb-0000-4000-8000-000000000001", "displayName": "Team", "members": ["aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"]},
  {"id": "bbbbbbbb-0000-4000-8000-000000000002", "displayName": "Nested", "members": ["aaaaaaaa-0000-4000-8000-000000000002"]},
  {"id": "bbbbbbbb-0000-4000-8000-000000000003", "displayName": "Secret", "visibility": "HiddenMembership", "members": ["aaaaaaaa-0000-4000-8000-000000000003"]}]
}`

const (
	annID    = "aaaaaaaa-0000-4000-8000-000000000001"
	bobID    = "aaaaaaaa-0000-4000-8000-000000000002"
	eveID    = "aaaaaaaa-0000-4000-8000-000000000003"
	teamID   = "bbbbbbbb-0000-4000-8000-000000000001"
	nestedID = "bbbbbbbb-0000-4000-8000-000000000002"
	secretID = "bbbbbbbb-0000-4000-8000-000000000003"
)

func newBench(t *testing.T, opts entrasim.Options) *bench {
	t.Helper()
	b := &bench{cloud: entrasim.New(opts)}
	b.contoso = b.add(t, "contoso", contosoFile)
	b.fabrikam = b.add(t, "fabrikam", `{}`)
	return b
}

// add creates a tenant from a tenant file and a client for it.
func (b *bench) add(t *testing.T, name, file string) *client {
	t.Helper()
	tenant, err := b.cloud.AddTenant(name, parseFile(t, file))
	if err != nil {
		t.Fatalf("AddTenant(%s): %v", name, err)
	}
	base, err := url.Parse(graphRoot)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, tenant: tenant, http: &http.Client{Transport: b.cloud.Transport(base)}}
	if tenant.AppID != "" {
		c.signIn(tenant.AppID, tenant.Secret)
	}
	return c
}

func parseFile(t *testing.T, text string) entrasim.File {
	t.Helper()
	f, err := entrasim.ParseFile(strings.NewReader(text))
	if err != nil {
		t.Fatalf("ParseFile: %v", err)
	}
	return f
}

// as returns a client of the same tenant with another application's token.
func (c *client) as(appID, secret string) *client {
	c.t.Helper()
	other := *c
	other.signIn(appID, secret)
	return &other
}

func (c *client) signIn(appID, secret string) {
	c.t.Helper()
	r := c.tokenRequest(c.tenant.ID, url.Values{"grant_type": {"client_credentials"}, "client_id": {appID}, "client_secret": {secret},
		"scope": {graphRoot + "/.default openid offline_access profile"}})
	token, _ := r.body["access_token"].(string)
	if r.status != http.StatusOK || token == "" {
		c.t.Fatalf("token: got %d %s", r.status, r.raw)
	}
	c.token = token
}

func (c *client) tokenRequest(tenant string, form url.Values) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, graphRoot+"/"+tenant+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(req)
}

// call sends one request; path is below /v1.0 or an absolute link. headers come
// in pairs. A body that is a string is sent as it is, another as JSON.
func (c *client) call(method, path string, body any, headers ...string) reply {
	c.t.Helper()
	r, err := c.try(method, path, body, headers...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

// try is call for requests that may break.
func (c *client) try(method, path string, body any, headers ...string) (reply, error) {
	c.t.Helper()
	if !strings.HasPrefix(path, "https://") {
		if !strings.HasPrefix(path, "/simulation") {
			path = "/v1.0" + path
		}
		path = graphRoot + path
	}
	var in io.Reader
	if body != nil {
		text, isText := body.(string)
		if !isText {
			b, err := json.Marshal(body)
			if err != nil {
				c.t.Fatal(err)
			}
			text = string(b)
		}
		in = strings.NewReader(text)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, path, in)
	if err != nil {
		c.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	r := reply{status: resp.StatusCode, header: resp.Header, raw: raw}
	_ = json.Unmarshal(raw, &r.body) // not every body is JSON
	return r, err
}

func (c *client) do(req *http.Request) reply {
	c.t.Helper()
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatalf("%s: %v", req.URL, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("%s: %v", req.URL, err)
	}
	r := reply{status: resp.StatusCode, header: resp.Header, raw: raw}
	_ = json.Unmarshal(raw, &r.body) // not every body is JSON
	return r
}

// want fails the test unless the reply has the status and, for errors, the code.
func (r reply) want(t *testing.T, status int, code string) reply {
	t.Helper()
	if r.status != status || r.code() != code {
		t.Fatalf("got %d %q, want %d %q: %s", r.status, r.code(), status, code, r.raw)
	}
	return r
}

func (r reply) code() string {
	e, _ := r.body["error"].(map[string]any)
	s, _ := e["code"].(string)
	return s
}

func (r reply) message() string {
	e, _ := r.body["error"].(map[string]any)
	s, _ := e["message"].(string)
	return s
}

func (r reply) str(name string) string {
	s, _ := r.body[name].(string)
	return s
}

func (r reply) value() []map[string]any {
	list, _ := r.body["value"].([]any)
	out := make([]map[string]any, 0, len(list))
	for _, e := range list {
		m, _ := e.(map[string]any)
		out = append(out, m)
	}
	return out
}

func (r reply) ids() []string {
	out := []string{}
	for _, m := range r.value() {
		s, _ := m["id"].(string)
		out = append(out, s)
	}
	return out
}

// round follows a delta query to its end.
func (c *client) round(link string, headers ...string) (items []map[string]any, deltaLink string, pages int) {
	c.t.Helper()
	for {
		r := c.call(http.MethodGet, link, nil, headers...).want(c.t, http.StatusOK, "")
		pages++
		items = append(items, r.value()...)
		next, delta := r.str("@odata.nextLink"), r.str("@odata.deltaLink")
		if (next == "") == (delta == "") {
			c.t.Fatalf("a page needs one of nextLink and deltaLink: %s", r.raw)
		}
		if delta != "" {
			return items, delta, pages
		}
		link = next
	}
}

// compactJSON writes a value for comparison.
func compactJSON(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// invite invites an address and returns the reply.
func (c *client) invite(address string) reply {
	c.t.Helper()
	return c.call(http.MethodPost, "/invitations", map[string]any{
		"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://myapplications.microsoft.com", "sendInvitationMessage": false,
	})
}

func (r reply) invitedID() string {
	u, _ := r.body["invitedUser"].(map[string]any)
	s, _ := u["id"].(string)
	return s
}
