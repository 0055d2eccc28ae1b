package entrasim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// application is one app registration with its granted permissions.
type application struct {
	id     string
	secret string
	roles  []string
	grants map[string]bool // roles and what they include
}

func newApplication(id, secret string, roles []string) *application {
	return &application{id: strings.ToLower(id), secret: secret, roles: roles, grants: expandRoles(roles)}
}

// claims is what an access token says.
type claims struct {
	Audience string   `json:"aud"`
	Issuer   string   `json:"iss"`
	IssuedAt int64    `json:"iat"`
	NotBefor int64    `json:"nbf"`
	Expires  int64    `json:"exp"`
	AppID    string   `json:"appid"`
	Type     string   `json:"idtyp"`
	TenantID string   `json:"tid"`
	Roles    []string `json:"roles"`
	Version  string   `json:"ver"`
	Unique   string   `json:"uti"`

	tenant *Tenant
	grants map[string]bool
}

// issue writes a signed access token in JWT form.
func (c *Cloud) issue(t *Tenant, app *application, root string) string {
	now := time.Now()
	payload, _ := json.Marshal(claims{ // strings and numbers only: cannot fail
		Audience: root,
		Issuer:   "https://sts.windows.net/" + t.ID + "/",
		IssuedAt: now.Unix(), NotBefor: now.Unix(), Expires: now.Add(c.opts.TokenLife).Unix(),
		AppID: app.id, Type: "app", TenantID: t.ID, Roles: app.roles, Version: "1.0", Unique: c.newID(),
	})
	enc := base64.RawURLEncoding
	head := enc.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + enc.EncodeToString(payload)
	return head + "." + enc.EncodeToString(c.sign(head))
}

func (c *Cloud) sign(s string) []byte {
	h := hmac.New(sha256.New, c.key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

// maxCachedTokens bounds the cache of verified tokens.
const maxCachedTokens = 1024

// verify reads an access token. Its message is Graph's own for each way a token
// can be bad.
func (c *Cloud) verify(token string, now time.Time) (cl *claims, message string) {
	c.mu.RLock()
	cl = c.claims[token]
	c.mu.RUnlock()
	if cl == nil {
		parts := strings.Split(token, ".")
		if len(parts) != 3 {
			return nil, "CompactToken parsing failed with error code: 80049217"
		}
		sum, err := base64.RawURLEncoding.DecodeString(parts[2])
		if err != nil || !hmac.Equal(sum, c.sign(parts[0]+"."+parts[1])) {
			return nil, "Access token validation failure. Invalid signature."
		}
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			return nil, "CompactToken parsing failed with error code: 80049217"
		}
		cl = &claims{}
		if err := json.Unmarshal(payload, cl); err != nil {
			return nil, "CompactToken parsing failed with error code: 80049217"
		}
		t, ok := c.Tenant(cl.TenantID)
		if !ok {
			return nil, "Access token validation failure. Invalid tenant."
		}
		cl.tenant, cl.grants = t, expandRoles(cl.Roles)
		c.mu.Lock()
		if len(c.claims) >= maxCachedTokens {
			clear(c.claims)
		}
		c.claims[token] = cl
		c.mu.Unlock()
	}
	if now.Unix() >= cl.Expires {
		return nil, "Lifetime validation failed, the token is expired."
	}
	return cl, ""
}

// serveAuthority answers the Entra side of the host: discovery and tokens.
func (c *Cloud) serveAuthority(x *call, segments []string) answer {
	if len(segments) == 3 && segments[0] == "common" && segments[1] == "discovery" && segments[2] == "instance" {
		return ok(fmt.Appendf(nil, `{"tenant_discovery_endpoint":%s,"api-version":"1.1","metadata":[]}`,
			quote(x.root+"/common/v2.0/.well-known/openid-configuration")))
	}
	name := segments[0]
	rest := strings.Join(segments[1:], "/")
	t, found := c.Tenant(name)
	switch rest {
	case "v2.0/.well-known/openid-configuration", ".well-known/openid-configuration":
		if !found {
			return x.oauthError(http.StatusBadRequest, "invalid_tenant", 90002,
				fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", name))
		}
		return ok(x.discovery(t))
	case "discovery/v2.0/keys":
		return ok([]byte(`{"keys":[]}`)) // tokens are for this Cloud alone
	case "oauth2/v2.0/token":
		if x.method != http.MethodPost {
			return x.oauthError(http.StatusBadRequest, "invalid_request", 900561, "The endpoint only accepts POST requests.")
		}
		if !found {
			return x.oauthError(http.StatusBadRequest, "invalid_request", 90002,
				fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", name))
		}
		return c.token(x, t)
	}
	return answer{status: http.StatusNotFound, body: []byte(`{}`)}
}

func (x *call) discovery(t *Tenant) []byte {
	base := x.root + "/" + t.ID
	return fmt.Appendf(nil, `{"token_endpoint":%s,"token_endpoint_auth_methods_supported":["client_secret_post","private_key_jwt"],`+
		`"jwks_uri":%s,"response_types_supported":["code","id_token"],"subject_types_supported":["pairwise"],`+
		`"id_token_signing_alg_values_supported":["RS256"],"scopes_supported":["openid","profile","email","offline_access"],`+
		`"issuer":%s,"authorization_endpoint":%s,"cloud_instance_name":"simulation","msgraph_host":%s}`,
		quote(base+"/oauth2/v2.0/token"), quote(base+"/discovery/v2.0/keys"), quote(base+"/v2.0"),
		quote(base+"/oauth2/v2.0/authorize"), quote(strings.TrimPrefix(strings.TrimPrefix(x.root, "https://"), "http://")))
}

// token answers a client credentials request:
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
func (c *Cloud) token(x *call, t *Tenant) answer {
	form, err := url.ParseQuery(string(x.body))
	if err != nil {
		return x.oauthError(http.StatusBadRequest, "invalid_request", 900144, "The request body is malformed.")
	}
	for _, name := range []string{"grant_type", "client_id", "scope"} {
		if form.Get(name) == "" {
			return x.oauthError(http.StatusBadRequest, "invalid_request", 900144,
				fmt.Sprintf("The request body must contain the following parameter: '%s'.", name))
		}
	}
	if grant := form.Get("grant_type"); grant != "client_credentials" {
		return x.oauthError(http.StatusBadRequest, "unsupported_grant_type", 70003,
			fmt.Sprintf("The app requested an unsupported grant type '%s'.", grant))
	}
	resource := ""
	for _, scope := range strings.Fields(form.Get("scope")) {
		if root, ok := strings.CutSuffix(scope, "/.default"); ok {
			resource = root
		}
	}
	if resource == "" {
		return x.oauthError(http.StatusBadRequest, "invalid_scope", 1002012,
			fmt.Sprintf("The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", form.Get("scope")))
	}
	id := form.Get("client_id")
	app := t.application(id)
	if app == nil {
		return x.oauthError(http.StatusBadRequest, "unauthorized_client", 700016,
			fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.", id, t.Name))
	}
	if secret := form.Get("client_secret"); secret != "" || form.Get("client_assertion") == "" {
		if secret == "" {
			return x.oauthError(http.StatusUnauthorized, "invalid_client", 7000218,
				"The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
		}
		if secret != app.secret {
			return x.oauthError(http.StatusUnauthorized, "invalid_client", 7000215,
				fmt.Sprintf("Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", id))
		}
	} else if strings.Count(form.Get("client_assertion"), ".") != 2 ||
		form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return x.oauthError(http.StatusUnauthorized, "invalid_client", 50027, "JWT token is invalid or malformed.")
	}
	life := int(c.opts.TokenLife / time.Second)
	return ok(fmt.Appendf(nil, `{"token_type":"Bearer","expires_in":%d,"ext_expires_in":%d,"access_token":%s}`,
		life, life, quote(c.issue(t, app, resource))))
}

// oauthError answers in the shape of the token endpoint.
func (x *call) oauthError(status int, kind string, number int, text string) answer {
	description := fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
		number, text, x.requestID, x.clientRequestID, x.now.UTC().Format("2006-01-02 15:04:05Z"))
	return answer{status: status, code: kind, body: fmt.Appendf(nil,
		`{"error":%s,"error_description":%s,"error_codes":[%d],"timestamp":%s,"trace_id":%s,"correlation_id":%s,"error_uri":%s}`,
		quote(kind), quote(description), number, quote(x.now.UTC().Format("2006-01-02 15:04:05Z")),
		quote(x.requestID), quote(x.clientRequestID), quote(x.root+"/error?code="+fmt.Sprint(number)))}
}

func (t *Tenant) application(id string) *application {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, a := range t.apps {
		if strings.EqualFold(a.id, id) {
			return a
		}
	}
	return nil
}
