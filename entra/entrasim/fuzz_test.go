package entrasim_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tenantsync/entra/entrasim"
)

// The simulated tenants listen to anybody: whatever is asked, the answer is a
// response of HTTP, and JSON where it is Graph's.
func FuzzRequests(f *testing.F) {
	for _, r := range [][3]string{
		{"GET", "/v1.0/users?$select=id,mail&$top=5&$filter=mail eq 'a@b.example'", ""},
		{"GET", "/v1.0/users/delta()?$select=id", ""},
		{"GET", "/v1.0/users/delta?$deltatoken=x", ""},
		{"GET", "/v1.0/groups/delta?$filter=id eq 'x' or id eq 'y'&$select=id,members", ""},
		{"PATCH", "/v1.0/users/aaaaaaaa-0000-4000-8000-000000000001", `{"displayName":"x","businessPhones":["1"],"onPremisesExtensionAttributes":{"extensionAttribute1":null}}`},
		{"PUT", "/v1.0/users/aaaaaaaa-0000-4000-8000-000000000001/manager/$ref", `{"@odata.id":"https://h/v1.0/users/aaaaaaaa-0000-4000-8000-000000000001"}`},
		{"DELETE", "/v1.0/users/aaaaaaaa-0000-4000-8000-000000000001", ""},
		{"POST", "/v1.0/directory/deletedItems/aaaaaaaa-0000-4000-8000-000000000001/restore", ""},
		{"POST", "/v1.0/invitations", `{"invitedUserEmailAddress":"x@y.example","inviteRedirectUrl":"https://h","invitedUserType":"Guest"}`},
		{"POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"GET","url":"/users?$top=1"},{"id":"2","dependsOn":["1"],"method":"PATCH","url":"/users/x","headers":{"Content-Type":"application/json"},"body":{}}]}`},
		{"POST", "/v1.0/directoryObjects/getByIds", `{"ids":["aaaaaaaa-0000-4000-8000-000000000001"],"types":["user"]}`},
		{"PATCH", "/v1.0/groups/gggggggg", `{"members@odata.bind":["https://h/v1.0/directoryObjects/x"]}`},
		{"PUT", "/simulation/tenant", `{"users":[{"id":"x"}]}`},
		{"PUT", "/simulation/faults", `[{"preset":"throttled","path":"/users/*","nth":2,"probability":0.5,"retryAfter":"2.1"}]`},
		{"POST", "/contoso/oauth2/v2.0/token", "grant_type=client_credentials&client_id=x&client_secret=y&scope=https://graph.microsoft.com/.default"},
		{"GET", "/v1.0/policies/crossTenantAccessPolicy/partners/x", ""},
	} {
		f.Add(r[0], r[1], r[2])
	}
	file, err := entrasim.ParseFile(strings.NewReader(`{"organization":{"id":"11111111-1111-4111-8111-111111111111","verifiedDomains":[{"name":"contoso.example","isInitial":true}]},
		"users":[{"id":"aaaaaaaa-0000-4000-8000-000000000001","userPrincipalName":"a@contoso.example","displayName":"A"}]}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		at, err := url.Parse("https://graph.example" + target)
		if err != nil || !strings.HasPrefix(target, "/") {
			return
		}
		cloud := entrasim.New(entrasim.Options{Seed: 1})
		tenant, err := cloud.AddTenant("contoso", file)
		if err != nil {
			t.Fatal(err)
		}
		base := &url.URL{Scheme: "https", Host: at.Host}
		send := func(method string, at *url.URL, token, body string) (int, string, []byte) {
			r := (&http.Request{Method: method, URL: at, Host: at.Host, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}).WithContext(t.Context())
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			} else {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			resp, err := cloud.Transport(base).RoundTrip(r)
			if errors.Is(err, entrasim.ErrConnectionReset) {
				return 0, "", nil
			}
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(resp.Body)
			if err != nil && resp.StatusCode < 300 {
				return 0, "", nil // cut by a fault
			}
			return resp.StatusCode, resp.Header.Get("Content-Type"), b
		}
		door := *base
		door.Path = "/contoso/oauth2/v2.0/token"
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {tenant.AppID}, "client_secret": {tenant.Secret}, "scope": {"https://graph.microsoft.com/.default"}}
		_, _, grant := send(http.MethodPost, &door, "", form.Encode())
		var token struct {
			Access string `json:"access_token"`
		}
		if err := json.Unmarshal(grant, &token); err != nil || token.Access == "" {
			t.Fatalf("no token: %s", grant)
		}
		if strings.Contains(target, "/oauth2/") {
			token.Access = ""
		}
		status, kind, answer := send(method, at, token.Access, body)
		if status != 0 && (status < 200 || status > 599) {
			t.Errorf("%s %s: status %d", method, target, status)
		}
		if len(answer) > 0 && strings.HasPrefix(kind, "application/json") && !json.Valid(answer) {
			t.Errorf("%s %s: answered with no JSON: %.200q", method, target, answer)
		}
		var written bytes.Buffer
		if err := tenant.Dump().Write(&written); err != nil {
			t.Fatal(err)
		}
		if _, err := entrasim.ParseFile(&written); err != nil {
			t.Errorf("%s %s: the state that this left is no tenant file: %v", method, target, err)
		}
	})
}
