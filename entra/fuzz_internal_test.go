package entra

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tenantsync/directory"
)

// What a server says is decoded or refused, never trusted: every kind of answer
// but pages of users and of batches, which have targets of their own.
func FuzzAnswers(f *testing.F) {
	f.Add(`{"value":[{"id":"g","displayName":"G","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"u"},{"id":"v","@removed":{"reason":"deleted"}}]}],"@odata.deltaLink":"https://h/x"}`, "3", 200)
	f.Add(`{"value":[{"principalId":"p","principalType":"Group","appRoleId":"r"}],"@odata.nextLink":"https://h/x"}`, "", 200)
	f.Add(`{"appRoles":[{"id":"r","value":"User","displayName":"User"}]}`, "", 200)
	f.Add(`{"value":[{"id":"t","displayName":"T","verifiedDomains":[{"name":"t.example","isInitial":true}]}]}`, "", 200)
	f.Add(`{"value":[{"name":"extension_1_x","dataType":"String","targetObjects":["User"]}]}`, "", 200)
	f.Add(`{"error":{"code":"Request_BadRequest","message":"Invalid value specified for property 'mail' of resource 'User'.","details":[{"code":"x","target":"mail"}],"innerError":{"request-id":"r"}}}`, "2.128", 400)
	f.Add(`{"error":{"code":"UnknownError","message":{"lang":"en","value":"no"}}}`, "Sun, 06 Nov 2094 08:49:37 GMT", 429)
	f.Add(`<html>503</html>`, "-1", 503)
	f.Add(`{"tid":"t","roles":["User.Read.All"]}`, "99999999999999999999", 401)
	f.Add(`{"automaticUserConsentSettings":{"inboundAllowed":null},"b2bCollaborationInbound":{"usersAndGroups":{"accessType":"blocked","targets":[{"target":"AllUsers"}]}}}`, "", 404)
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body, wait string, status int) {
		b := []byte(body)
		if page, err := decodeGroupPage(b); err == nil {
			if page.Next != "" && page.Watermark != "" {
				t.Error("a page with two links")
			}
			for _, g := range page.Groups {
				if g.ID == "" {
					t.Error("a group without id")
				}
				for _, m := range g.Added {
					if m.ID == "" {
						t.Error("a member without id")
					}
				}
			}
		}
		if page, _, err := decodeAssignments(b); err == nil {
			for _, a := range page {
				if a.PrincipalID == "" {
					t.Error("an assignment without principal")
				}
			}
		}
		if roles, err := decodeAppRoles(b); err == nil {
			for _, r := range roles {
				if r.ID == "" {
					t.Error("a role without id")
				}
			}
		}
		if tenant, err := decodeOrganization(b); err == nil && tenant.ID == "" {
			t.Error("a tenant without id")
		}
		_, _ = decodeExtensions(b)
		if pause := retryAfter(wait, at); pause < 0 {
			t.Errorf("Retry-After %q: got %s", wait, pause)
		}
		r := classify(status, http.Header{"Retry-After": {wait}}, b, at)
		if r.kind == directory.Unknown && status == http.StatusTooManyRequests {
			t.Error("throttling that is not known for what it is")
		}
		_ = new(Client).fail(callDelta, r).Error()
		parseClaims("a." + base64.RawURLEncoding.EncodeToString(b) + ".c")
		parseClaims(body)
		var partner, byDefault partnerPolicy
		if json.Unmarshal(b, &partner) == nil {
			in := partner.Inbound.over(byDefault.Inbound)
			out := partner.Outbound.over(partner.Inbound)
			_, _ = in.blocked(), out.blocked()
		}
		isoInterval(body)
		tenantIDIn(body)
		var settings syncSettings
		settings.set("SyncAll", body)
		settings.set("SyncNotificationSettings", body)
	})
}

// No link leads anywhere but to the configured endpoint, however it is written: the
// token goes where it points.
func FuzzLinks(f *testing.F) {
	for _, link := range []string{
		"https://graph.test/v1.0/users/delta?$deltatoken=x", "https://GRAPH.test:443/v1.0/x", "http://graph.test:443/x", "https://graph.test@evil.example/x",
		"https://graph.test\\@evil.example/", "https:graph.test/x", "//graph.test/x", "https://graph.test:0443/x", "https://graph.test:/x", "https://[::1]/x",
		"https://graph.test%2eevil.example/x", "HTTPS://graph.test/../x", "/v1.0/users", "https://graph.test\t/x", "",
	} {
		f.Add(link)
	}
	root, err := parseEndpoint("graph", "https://graph.test/v1.0", false)
	if err != nil {
		f.Fatal(err)
	}
	c := &Client{name: "contoso", graph: root.String(), origin: originOf(root)}
	asked, err := c.pinned(callDelta, c.graph+"/users/delta")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, link string) {
		stays := func(u *url.URL) bool {
			// What net/http takes from a URL to find a server.
			port := u.Port()
			return u.Scheme == "https" && strings.EqualFold(u.Hostname(), "graph.test") && (port == "" || port == "443") && u.User == nil
		}
		if u, err := c.pinned(callDelta, link); err == nil && !stays(u) {
			t.Errorf("%q is followed to %s", link, u)
		}
		refused := c.checkLocation(callDelta, asked, answer{header: http.Header{"Location": {link}}})
		if u, err := asked.Parse(link); link != "" && refused == nil && (err != nil || !stays(u)) {
			t.Errorf("a Location of %q is let pass", link)
		}
	})
}
