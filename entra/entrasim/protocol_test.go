package entrasim_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tenantsync/entra/entrasim"
)

func TestTokenEndpoint(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	c := b.contoso
	id, app, secret := c.tenant.ID, c.tenant.AppID, c.tenant.Secret
	const scope = graphRoot + "/.default openid"
	tests := []struct {
		name   string
		tenant string
		form   url.Values
		status int
		kind   string
		text   string
	}{
		{"secret", id, url.Values{"grant_type": {"client_credentials"}, "client_id": {app}, "client_secret": {secret}, "scope": {scope}}, 200, "", ""},
		{"by domain", "contoso.example", url.Values{"grant_type": {"client_credentials"}, "client_id": {app}, "client_secret": {secret}, "scope": {scope}}, 200, "", ""},
		{"assertion", id, url.Values{"grant_type": {"client_credentials"}, "client_id": {app}, "client_assertion": {"a.b.c"},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "scope": {scope}}, 200, "", ""},
		{"malformed assertion", id, url.Values{"grant_type": {"client_credentials"}, "client_id": {app}, "client_assertion": {"abc"},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "scope": {scope}}, 401, "invalid_client", "AADSTS50027"},
		{"wrong secret", id, url.Values{"grant_type": {"client_credentials"}, "client_id": {app}, "client_secret": {"x"}, "scope": {scope}}, 401, "invalid_client", "AADSTS7000215"},
		{"no secret", id, url.Values{"grant_type": {"client_credentials"}, "client_id": {app}, "scope": {scope}}, 401, "invalid_client", "AADSTS7000218"},
		{"unknown application", id, url.Values{"grant_type": {"client_credentials"}, "client_id": {annID}, "client_secret": {secret}, "scope": {scope}}, 400, "unauthorized_client", "AADSTS700016"},
		{"unknown tenant", annID, url.Values{"grant_type": {"client_credentials"}, "client_id": {app}, "client_secret": {secret}, "scope": {scope}}, 400, "invalid_request", "AADSTS90002"},
		{"no default scope", id, url.Values{"grant_type": {"client_credentials"}, "client_id": {app}, "client_secret": {secret}, "scope": {"User.Read"}}, 400, "invalid_scope", "AADSTS1002012"},
		{"other grant", id, url.Values{"grant_type": {"password"}, "client_id": {app}, "client_secret": {secret}, "scope": {scope}}, 400, "unsupported_grant_type", "AADSTS70003"},
		{"empty form", id, url.Values{}, 400, "invalid_request", "AADSTS900144"},
	}
	for _, tt := range tests {
		r := c.tokenRequest(tt.tenant, tt.form)
		if r.status != tt.status || r.str("error") != tt.kind || !strings.Contains(r.str("error_description"), tt.text) {
			t.Errorf("%s: got %d %s, want %d %q with %s", tt.name, r.status, r.raw, tt.status, tt.kind, tt.text)
		}
		if tt.status == 200 && (r.str("token_type") != "Bearer" || r.body["expires_in"] != float64(3600) || strings.Count(r.str("access_token"), ".") != 2) {
			t.Errorf("%s: got %s", tt.name, r.raw)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, graphRoot+"/"+id+"/v2.0/.well-known/openid-configuration?", nil)
	if err != nil {
		t.Fatal(err)
	}
	r := c.do(req)
	if r.status != 200 || r.str("token_endpoint") != graphRoot+"/"+id+"/oauth2/v2.0/token" || r.str("issuer") != graphRoot+"/"+id+"/v2.0" || r.str("authorization_endpoint") == "" {
		t.Errorf("discovery: got %d %s", r.status, r.raw)
	}
}

func TestAccessTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entrasim.Options{})
		c := *b.contoso
		good := c.token
		for _, token := range []string{"", "garbage", "a.b.c", good + "x", strings.Replace(good, ".", ".x", 1)} {
			c.token = token
			r := c.call(http.MethodGet, "/users", nil).want(t, 401, "InvalidAuthenticationToken")
			if !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("WWW-Authenticate: got %q", r.header.Get("WWW-Authenticate"))
			}
		}
		c.token = good
		c.call(http.MethodGet, "/users", nil).want(t, 200, "")
		time.Sleep(time.Hour)
		r := c.call(http.MethodGet, "/users", nil).want(t, 401, "InvalidAuthenticationToken")
		if !strings.Contains(r.message(), "Lifetime validation failed") {
			t.Errorf("message: got %q", r.message())
		}
	})
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	// Every call with the permission that suffices; all others of the list do not.
	ann, team := "/users/"+annID, "/groups/"+teamID
	tests := []struct {
		method, path string
		body         any
		suffices     []string
	}{
		{"GET", "/users", nil, []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}},
		{"GET", "/users/delta", nil, []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}},
		{"PATCH", ann, map[string]any{"city": "x"}, []string{"User.ReadWrite.All", "Directory.ReadWrite.All"}},
		{"POST", "/invitations", map[string]any{"invitedUserEmailAddress": "x@partner.example", "inviteRedirectUrl": "https://a.example"}, []string{"User.Invite.All", "Directory.ReadWrite.All"}},
		{"GET", team + "/members", nil, []string{"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}},
		{"GET", "/groups/delta", nil, []string{"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}},
		{"GET", "/servicePrincipals", nil, []string{"Application.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"}},
		{"GET", "/policies/authorizationPolicy", nil, []string{"Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess"}},
		{"GET", "/directory/deletedItems/microsoft.graph.user", nil, []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}},
		{"GET", "/organization", nil, []string{"Organization.Read.All", "User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}},
	}
	all := []string{"User.Read.All", "User.ReadWrite.All", "User.Invite.All", "User.DeleteRestore.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All",
		"Group.Read.All", "Group.ReadWrite.All", "Application.Read.All", "Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess", "Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	apps := make([]string, len(all))
	for i, role := range all {
		apps[i] = fmt.Sprintf(`{"appId":"dddddddd-0000-4000-8000-%012d","secret":"s","roles":[%q]}`, i, role)
	}
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "contoso", strings.TrimSuffix(contosoFile, "}")+`,"applications":[`+strings.Join(apps, ",")+`]}`)
	for i, role := range all {
		as := c.as(fmt.Sprintf("dddddddd-0000-4000-8000-%012d", i), "s")
		for _, tt := range tests {
			r := as.call(tt.method, tt.path, tt.body)
			if want := slices.Contains(tt.suffices, role); (r.status < 300) != want || !want && (r.status != 403 || r.code() != "Authorization_RequestDenied") {
				t.Errorf("%s %s with %s: got %d %q, want allowed=%v", tt.method, tt.path, role, r.status, r.code(), want)
			}
		}
	}
}

func TestErrorShape(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	r := b.contoso.call(http.MethodGet, "/users/"+teamID, nil, "client-request-id", "my-id").want(t, 404, "Request_ResourceNotFound")
	if want := "Resource '" + teamID + "' does not exist or one of its queried reference-property objects are not present."; r.message() != want {
		t.Errorf("message: got %q, want %q", r.message(), want)
	}
	inner, _ := r.body["error"].(map[string]any)["innerError"].(map[string]any)
	if inner["request-id"] != r.header.Get("request-id") || inner["client-request-id"] != "my-id" || r.header.Get("client-request-id") != "my-id" || inner["date"] == "" {
		t.Errorf("ids: got %v and headers %v", inner, r.header)
	}
	for _, name := range []string{"request-id", "Date", "x-ms-ags-diagnostic", "x-ms-resource-unit", "Content-Type"} {
		if r.header.Get(name) == "" {
			t.Errorf("header %s is missing", name)
		}
	}
	b.contoso.call(http.MethodGet, "/planets", nil).want(t, 400, "BadRequest")
	b.contoso.call(http.MethodGet, "/users/"+annID+"/planets", nil).want(t, 400, "BadRequest")
	b.contoso.call(http.MethodPut, "/users/"+annID, map[string]any{}).want(t, 405, "BadRequest")
	b.contoso.call(http.MethodPatch, "/users/"+annID, "{not json").want(t, 400, "BadRequest")
	b.contoso.call(http.MethodPatch, "/users/"+annID, "[]").want(t, 400, "BadRequest")
	b.contoso.call(http.MethodPatch, "/users/"+annID, `{"city":"x"}`, "Content-Type", "text/plain").want(t, 400, "BadRequest")
}

func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write([]byte(`{"city":"Bonn"}`))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b.contoso.call(http.MethodPatch, "/users/"+annID, z.String(), "Content-Encoding", "gzip").want(t, 204, "")
	if u, _ := b.contoso.tenant.User(annID); u.String("city") != "Bonn" {
		t.Errorf("city: got %q, want Bonn", u.String("city"))
	}
	b.contoso.call(http.MethodPatch, "/users/"+annID, `{"city":"x"}`, "Content-Encoding", "gzip").want(t, 400, "BadRequest")
}

func TestBatch(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	send := func(requests ...map[string]any) reply {
		return b.contoso.call(http.MethodPost, "/$batch", map[string]any{"requests": requests})
	}
	json := map[string]any{"Content-Type": "application/json"}
	r := send(
		map[string]any{"id": "a", "method": "GET", "url": "/users/" + annID + "?$select=displayName", "body": nil, "dependsOn": []string{}},
		map[string]any{"id": "b", "method": "patch", "url": "users/" + bobID, "headers": json, "body": map[string]any{"city": "Bonn"}},
		map[string]any{"id": "c", "method": "GET", "url": "/users/" + teamID},
		map[string]any{"id": "d", "method": "GET", "url": "/users/" + annID, "dependsOn": []string{"C"}},
		map[string]any{"id": "e", "method": "POST", "url": "/$batch", "headers": json, "body": map[string]any{"requests": []any{}}},
		map[string]any{"id": "f", "method": "GET", "url": "/users/ann%40contoso.example?$select=id"},
	).want(t, 200, "")
	got := map[string]string{}
	for _, e := range r.body["responses"].([]any) {
		m := e.(map[string]any)
		code := ""
		if body, isObject := m["body"].(map[string]any); isObject {
			if er, failed := body["error"].(map[string]any); failed {
				code = er["code"].(string)
			}
		}
		got[m["id"].(string)] = fmt.Sprint(m["status"], code)
	}
	want := map[string]string{"a": "200", "b": "204", "c": "404Request_ResourceNotFound", "d": "424FailedDependency", "e": "400BadRequest", "f": "200"}
	if compactJSON(t, got) != compactJSON(t, want) {
		t.Errorf("statuses: got %v, want %v", got, want)
	}
	if !strings.Contains(string(r.raw), `"headers":{"Content-Type":"application/json"`) {
		t.Errorf("items need a content type: %s", r.raw)
	}

	get := func(id string) map[string]any { return map[string]any{"id": id, "method": "GET", "url": "/users"} }
	many := make([]map[string]any, 21)
	for i := range many {
		many[i] = get(fmt.Sprint(i))
	}
	send(many[:20]...).want(t, 200, "")
	send(many...).want(t, 400, "MaximumValueExceeded")
	for name, requests := range map[string][]map[string]any{
		"duplicate id":         {get("x"), get("X")},
		"no request":           {},
		"no id":                {{"method": "GET", "url": "/users"}},
		"no method":            {{"id": "1", "url": "/users"}},
		"absolute URL":         {{"id": "1", "method": "GET", "url": graphRoot + "/v1.0/users"}},
		"body without type":    {{"id": "1", "method": "PATCH", "url": "/users/" + annID, "body": map[string]any{}}},
		"body not an object":   {{"id": "1", "method": "PATCH", "url": "/users/" + annID, "headers": json, "body": "x"}},
		"dependsOn nobody":     {{"id": "1", "method": "GET", "url": "/users", "dependsOn": []string{"9"}}},
		"header not a text":    {{"id": "1", "method": "GET", "url": "/users", "headers": map[string]any{"A": 1}}},
		"dependsOn not a list": {{"id": "1", "method": "GET", "url": "/users", "dependsOn": "1"}},
	} {
		if r := send(requests...); r.status != 400 || r.code() != "BadRequest" {
			t.Errorf("%s: got %d %q, want 400 BadRequest", name, r.status, r.code())
		}
	}
}

func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := entrasim.DocumentedLimits()
		limits.WritesAppTenant = entrasim.Limit{N: 10, Per: 10 * time.Second}
		b := newBench(t, entrasim.Options{Quota: entrasim.QuotaDocumented, Limits: &limits})
		patch := func() reply { return b.contoso.call(http.MethodPatch, "/users/"+annID, map[string]any{"city": "x"}) }
		hinted := ""
		for range 10 {
			hinted = patch().want(t, 204, "").header.Get("x-ms-throttle-limit-percentage")
		}
		if hinted != "1.0" {
			t.Errorf("x-ms-throttle-limit-percentage of the last write: got %q, want 1.0", hinted)
		}
		r := patch().want(t, 429, "TooManyRequests")
		scope := "Tenant_Application/Write/" + b.contoso.tenant.AppID + "/" + b.contoso.tenant.ID
		if r.header.Get("x-ms-throttle-scope") != scope || r.header.Get("x-ms-throttle-information") != "WriteLimitExceeded" || r.header.Get("Retry-After") != "1" {
			t.Errorf("headers: got %v", r.header)
		}
		b.contoso.call(http.MethodGet, "/users", nil).want(t, 200, "")
		time.Sleep(2 * time.Second)
		items := b.contoso.call(http.MethodPost, "/$batch", map[string]any{"requests": []any{
			map[string]any{"id": "1", "method": "PATCH", "url": "/users/" + annID, "headers": map[string]any{"Content-Type": "application/json"}, "body": map[string]any{"city": "a"}},
			map[string]any{"id": "2", "method": "PATCH", "url": "/users/" + bobID, "headers": map[string]any{"Content-Type": "application/json"}, "body": map[string]any{"city": "b"}},
			map[string]any{"id": "3", "method": "PATCH", "url": "/users/" + eveID, "headers": map[string]any{"Content-Type": "application/json"}, "body": map[string]any{"city": "c"}},
		}})
		if items.status != 200 || items.header.Get("Retry-After") != "" || strings.Count(string(items.raw), `"status":429`) != 2 || !strings.Contains(string(items.raw), `"Retry-After":"`) {
			t.Errorf("batch: got %d %s", items.status, items.raw)
		}
		if got := b.contoso.tenant.Counts().Throttled; got != 3 {
			t.Errorf("throttled: got %d, want 3", got)
		}
	})
}

func TestInvitationQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entrasim.Options{Quota: entrasim.QuotaDocumented})
		for i := range 150 {
			b.fabrikam.invite(fmt.Sprintf("u%d@partner.example", i)).want(t, 201, "")
		}
		b.fabrikam.invite("one@partner.example").want(t, 429, "TooManyRequests")
		time.Sleep(time.Second)
		b.fabrikam.invite("one@partner.example").want(t, 201, "")
	})
}

func TestResourceUnits(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	for path, want := range map[string]string{
		"/users": "2", "/users?$select=id": "1", "/users?$select=id&$top=5": "1", "/users/" + annID: "1",
		"/groups/" + teamID + "/transitiveMembers": "5", "/groups/" + teamID + "/members?$select=id": "2",
	} {
		if got := b.contoso.call(http.MethodGet, path, nil).want(t, 200, "").header.Get("x-ms-resource-unit"); got != want {
			t.Errorf("%s: got %s units, want %s", path, got, want)
		}
	}
}

func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		faults, err := entrasim.ParseFaults(strings.NewReader(`[
		 {"tenant": "contoso", "method": "GET", "path": "/users/*", "nth": 2, "status": 503, "code": "ServiceNotAvailable", "retryAfter": "7"},
		 {"preset": "lostAnswer", "method": "PATCH", "path": "/users/**", "times": 1},
		 {"preset": "gateway", "path": "^/organi", "times": 1},
		 {"preset": "emptyError", "path": "/groups", "times": 1},
		 {"preset": "throttledFraction", "item": "inner", "path": "/users", "times": 1},
		 {"path": "/policies/authorizationPolicy", "delay": "5s", "headers": {"X-Seen": "1"}},
		 {"preset": "throttled", "method": "POST", "path": "/invitations"},
		 {"path": "/groups/delta", "truncate": 20},
		 {"path": "/users/delta", "cut": 20}]`))
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(t, entrasim.Options{Faults: faults})
		c := b.contoso
		c.call(http.MethodGet, "/users/"+annID, nil).want(t, 200, "")
		if got := c.call(http.MethodGet, "/users/"+annID, nil).want(t, 503, "ServiceNotAvailable").header.Get("Retry-After"); got != "7" {
			t.Errorf("Retry-After: got %q, want 7", got)
		}
		c.call(http.MethodGet, "/users/"+annID, nil).want(t, 200, "")
		if _, err := c.try(http.MethodPatch, "/users/"+annID, map[string]any{"city": "Bonn"}); err == nil {
			t.Error("lost answer: got an answer")
		}
		if u, _ := c.tenant.User(annID); u.String("city") != "Bonn" {
			t.Errorf("lost answer: the write must have taken effect, got city %q", u.String("city"))
		}
		if r := c.call(http.MethodGet, "/organization", nil); r.status != 503 || r.header.Get("Content-Type") != "text/html" || r.raw[0] != '<' {
			t.Errorf("gateway: got %d %q %s", r.status, r.header.Get("Content-Type"), r.raw)
		}
		if r := c.call(http.MethodGet, "/groups", nil); r.status != 500 || len(r.raw) != 0 {
			t.Errorf("empty error: got %d %s", r.status, r.raw)
		}
		c.call(http.MethodGet, "/users", nil).want(t, 200, "")
		r := c.call(http.MethodPost, "/$batch", map[string]any{"requests": []any{map[string]any{"id": "1", "method": "GET", "url": "/users"}, map[string]any{"id": "2", "method": "GET", "url": "/users"}}})
		if !strings.Contains(string(r.raw), `"Retry-After":"2.128"`) || strings.Count(string(r.raw), `"status":200`) != 1 {
			t.Errorf("batch item: got %s", r.raw)
		}
		before := time.Now()
		if got := c.call(http.MethodGet, "/policies/authorizationPolicy", nil).want(t, 200, "").header.Get("X-Seen"); got != "1" || time.Since(before) != 5*time.Second {
			t.Errorf("delay: got header %q after %v", got, time.Since(before))
		}
		c.invite("x@partner.example").want(t, 429, "TooManyRequests")
		if got := c.tenant.Counts(); got.Writes["invite"] != 1 || got.Throttled != 2 || got.Refused != 1 {
			t.Errorf("counts of refused writes: got %+v", got)
		}
		if r, err := c.try(http.MethodGet, "/groups/delta", nil); err == nil || len(r.raw) != 20 {
			t.Errorf("truncated: got %v and %d bytes, want an error after 20", err, len(r.raw))
		}
		if r, err := c.try(http.MethodGet, "/users/delta", nil); err != nil || len(r.raw) != 20 {
			t.Errorf("cut: got %v and %d bytes, want 20 and no error", err, len(r.raw))
		}
	})
}

// The link of a page stands before its objects, so that a page without its end
// still says where to go on.
func TestCutEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	c := b.contoso
	whole := c.call(http.MethodGet, "/users?$select=id", nil).want(t, 200, "")
	c.tenant.SetFaults([]entrasim.Fault{{Path: "/users", CutEnd: 10, Nth: 1}, {Path: "/users", CutEnd: 1 << 20, Nth: 2}, {Path: "/users/delta", CutEnd: 30}})
	if r := c.call(http.MethodGet, "/users?$select=id", nil); len(r.raw) != len(whole.raw)-10 || !strings.HasPrefix(string(whole.raw), string(r.raw)) {
		t.Errorf("got %d bytes of %d, want all but the last ten", len(r.raw), len(whole.raw))
	}
	if r := c.call(http.MethodGet, "/users?$select=id", nil); r.status != 200 || len(r.raw) != 0 {
		t.Errorf("cut by more than there is: got %d and %q, want 200 and nothing", r.status, r.raw)
	}
	if r := c.call(http.MethodGet, "/users/delta?$select=id", nil); json.Valid(r.raw) || !strings.Contains(string(r.raw), `"@odata.deltaLink":"`) {
		t.Errorf("delta page: got %s, want its link and no end", r.raw)
	}
}

// Links that lead elsewhere keep scheme, port, path and token.
func TestLinksElsewhere(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	c := b.contoso
	c.tenant.SetFaults([]entrasim.Fault{{Round: "elsewhere"}})
	for path, name := range map[string]string{"/users?$top=1": "@odata.nextLink", "/users/delta": "@odata.deltaLink", "/groups/delta": "@odata.deltaLink"} {
		got, err := url.Parse(c.call(http.MethodGet, path, nil).want(t, 200, "").str(name))
		if err != nil {
			t.Fatal(err)
		}
		root, err := url.Parse(graphRoot)
		if err != nil {
			t.Fatal(err)
		}
		if got.Scheme != root.Scheme || got.Host != root.Host+".elsewhere.example" || !strings.HasPrefix(got.Path, "/v1.0/") || got.RawQuery == "" {
			t.Errorf("%s of %s: got %v, want it at %s.elsewhere.example", name, path, got, root.Host)
		}
	}
}

func TestLostItemOfABatch(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{Faults: []entrasim.Fault{{Item: "2", Close: true, Effect: "after"}}})
	body := func(id, user string) map[string]any {
		return map[string]any{"id": id, "method": "PATCH", "url": "/users/" + user, "headers": map[string]any{"Content-Type": "application/json"}, "body": map[string]any{"city": "x"}}
	}
	r := b.contoso.call(http.MethodPost, "/$batch", map[string]any{"requests": []any{body("1", annID), body("2", bobID)}}).want(t, 200, "")
	if list := r.body["responses"].([]any); len(list) != 1 {
		t.Errorf("responses: got %s, want one", r.raw)
	}
	if u, _ := b.contoso.tenant.User(bobID); u.String("city") != "x" {
		t.Error("the lost item must have taken effect")
	}
}

func TestParseFaultsRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{}`, `[{"unknown": 1}]`, `[{"preset": "nope"}]`, `[{"path": "^("}]`, `[{"effect": "during"}]`, `[{"round": "square"}]`, `[{"probability": 2}]`,
		`[{"status": 42}]`, `[{"nth": -1}]`, `[{"cutEnd": -1}]`, `[{"delay": "soon"}]`, `[] []`, ``,
	} {
		if got, err := entrasim.ParseFaults(strings.NewReader(text)); err == nil {
			t.Errorf("%s: got %v, want an error", text, got)
		}
	}
	for name := range entrasim.Presets() {
		if _, err := entrasim.ParseFaults(strings.NewReader(`[{"preset": "` + name + `"}]`)); err != nil {
			t.Errorf("preset %s: %v", name, err)
		}
	}
}

func TestCountsAndJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entrasim.Options{JournalSize: 3})
		c := b.contoso
		c.tenant.ResetCounts()
		patch := func(city string) { c.call(http.MethodPatch, "/users/"+annID, map[string]any{"city": city}) }
		patch("a")
		time.Sleep(9 * time.Second)
		patch("b")
		patch("")
		time.Sleep(time.Second)
		patch("c")
		c.call(http.MethodGet, "/users", nil)
		got := c.tenant.Counts()
		if got.Requests != 5 || got.Writes["updateUser"] != 4 || got.Refused != 1 || got.Reads["listUsers"] != 1 || got.MaxWritesIn10s[c.tenant.AppID] != 3 {
			t.Errorf("counts: got %+v", got)
		}
		j := c.tenant.Journal()
		if len(j) != 3 || j[0].Body != `{"city":"b"}` || j[1].Status != 400 || j[1].Code != "Request_BadRequest" || j[2].Path != "/users/"+annID || j[2].AppID != c.tenant.AppID {
			t.Errorf("journal: got %+v", j)
		}
	})
}

func TestUnknownHost(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	if r, err := b.contoso.try(http.MethodGet, "https://graph.microsoft.example/v1.0/users", nil); err == nil {
		t.Errorf("foreign host: got %d, want an error", r.status)
	}
}

func TestFaultsOfTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {b.contoso.tenant.AppID}, "client_secret": {b.contoso.tenant.Secret}, "scope": {graphRoot + "/.default"}}
	b.cloud.SetFaults([]entrasim.Fault{{Preset: "unavailable"}})
	if r := b.contoso.tokenRequest(b.contoso.tenant.ID, form); r.status != 200 {
		t.Errorf("a fault without a path: got %d, want the token", r.status)
	}
	b.cloud.SetFaults([]entrasim.Fault{{Preset: "unavailable", Tenant: "fabrikam", Path: "/*/oauth2/v2.0/token"}})
	if r := b.contoso.tokenRequest(b.contoso.tenant.ID, form); r.status != 200 {
		t.Errorf("another tenant's fault: got %d, want the token", r.status)
	}
	b.cloud.SetFaults([]entrasim.Fault{{Preset: "unavailable", Tenant: "contoso", Path: "/*/oauth2/v2.0/token"}})
	if r := b.contoso.tokenRequest(b.contoso.tenant.ID, form); r.status != 503 {
		t.Errorf("its own fault: got %d, want 503", r.status)
	}
	b.contoso.call(http.MethodGet, "/users", nil).want(t, 200, "")
}

func TestShuffledBatch(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{Seed: 3, Faults: []entrasim.Fault{{Preset: "shuffledBatch"}}})
	var requests []any
	for i := range 20 {
		requests = append(requests, map[string]any{"id": fmt.Sprintf("%02d", i), "method": "GET", "url": "/users/" + annID})
	}
	r := b.contoso.call(http.MethodPost, "/$batch", map[string]any{"requests": requests}).want(t, 200, "")
	var ids []string
	for _, e := range r.body["responses"].([]any) {
		ids = append(ids, e.(map[string]any)["id"].(string))
	}
	if inOrder := slices.IsSorted(ids); inOrder || len(ids) != 20 {
		t.Errorf("got %v, want twenty out of order", ids)
	}
}
