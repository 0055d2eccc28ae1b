package entrasim_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"tenantsync/entra/entrasim"
)

// large is a tenant of n users with the properties a synchronization reads, and
// an in-process client.
func large(b *testing.B, n int) (*entrasim.Tenant, func(method, link, body string) string) {
	b.Helper()
	var text strings.Builder
	text.WriteString(`{"users":[`)
	for i := range n {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"id":"aaaaaaaa-0000-4000-8000-%012d","userPrincipalName":"user%06d@large.onmicrosoft.com","mail":"user%06d@large.onmicrosoft.com","displayName":"User %d",`+
			`"givenName":"User","surname":"%d","jobTitle":"Engineer","department":"R&D","companyName":"Large","city":"Bonn","country":"Germany","state":"NRW","postalCode":"53111",`+
			`"streetAddress":"Street %d","officeLocation":"B%d","mobilePhone":"+49 %d","businessPhones":["+49 228 %d"],"employeeId":"E%d","preferredLanguage":"de-DE","usageLocation":"DE",`+
			`"mailNickname":"user%d","accountEnabled":true,"userType":"Member"}`, i, i, i, i, i, i, i, i, i, i, i)
	}
	text.WriteString(`]}`)
	f, err := entrasim.ParseFile(strings.NewReader(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	cloud := entrasim.New(entrasim.Options{})
	tenant, err := cloud.AddTenant("large", f)
	if err != nil {
		b.Fatal(err)
	}
	base, err := url.Parse(graphRoot)
	if err != nil {
		b.Fatal(err)
	}
	c := &http.Client{Transport: cloud.Transport(base)}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {tenant.AppID}, "client_secret": {tenant.Secret}, "scope": {graphRoot + "/.default"}}
	token := ""
	call := func(method, link, body string) string {
		req, err := http.NewRequestWithContext(b.Context(), method, link, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := c.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		out, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode >= 300 {
			b.Fatalf("%s: %d %v %s", link, resp.StatusCode, err, out)
		}
		return string(out)
	}
	answer := call(http.MethodPost, graphRoot+"/large/oauth2/v2.0/token", form.Encode())
	_, token, _ = strings.Cut(answer, `"access_token":"`)
	token, _, _ = strings.Cut(token, `"`)
	return tenant, call
}

const selected = "accountEnabled,businessPhones,city,companyName,country,department,displayName,employeeId,externalUserState,givenName,id,identities,jobTitle,mail," +
	"mobilePhone,officeLocation,onPremisesSyncEnabled,otherMails,postalCode,preferredLanguage,proxyAddresses,state,streetAddress,surname,userPrincipalName,userType"

// pages follows the links of a list or round and returns the last deltaLink.
func pages(call func(method, link, body string) string, link string) (deltaLink string) {
	for link != "" {
		page := call(http.MethodGet, link, "")
		head := page[:min(len(page), 4096)]
		_, next, more := strings.Cut(head, `"@odata.nextLink":"`)
		if !more {
			_, deltaLink, _ = strings.Cut(head, `"@odata.deltaLink":"`)
			deltaLink, _, _ = strings.Cut(deltaLink, `"`)
			return deltaLink
		}
		link, _, _ = strings.Cut(next, `"`)
	}
	return ""
}

func BenchmarkLargeTenant(b *testing.B) {
	const n = 100_000
	_, call := large(b, n)
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	b.Logf("heap with %d users: %d MB", n, mem.HeapAlloc>>20)
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			pages(call, graphRoot+"/v1.0/users?$top=999&$select="+selected)
		}
	})
	b.Run("delta first round", func(b *testing.B) {
		for b.Loop() {
			pages(call, graphRoot+"/v1.0/users/delta?$select="+selected)
		}
	})
	link := pages(call, graphRoot+"/v1.0/users/delta?$select="+selected)
	b.Run("delta idle", func(b *testing.B) {
		for b.Loop() {
			pages(call, link)
		}
	})
	b.Run("batch of 20 updates", func(b *testing.B) {
		i := 0
		for b.Loop() {
			var items []string
			for range 20 {
				i++
				items = append(items, fmt.Sprintf(`{"id":"%d","method":"PATCH","url":"/users/aaaaaaaa-0000-4000-8000-%012d","headers":{"Content-Type":"application/json"},"body":{"city":"%d"}}`, i, i%n, i))
			}
			call(http.MethodPost, graphRoot+"/v1.0/$batch", `{"requests":[`+strings.Join(items, ",")+`]}`)
		}
	})
	b.Run("batch of 20 invitations", func(b *testing.B) {
		i := 0
		for b.Loop() {
			var items []string
			for range 20 {
				i++
				items = append(items, fmt.Sprintf(`{"id":"%d","method":"POST","url":"/invitations","headers":{"Content-Type":"application/json"},"body":{"invitedUserEmailAddress":"g%d@partner.example","inviteRedirectUrl":"https://a.example"}}`, i, i))
			}
			call(http.MethodPost, graphRoot+"/v1.0/$batch", `{"requests":[`+strings.Join(items, ",")+`]}`)
		}
	})
}
