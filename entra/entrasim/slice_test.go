package entrasim_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"tenantsync/entra/entrasim"
)

func TestWayOfASynchronizedUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entrasim.Options{Seed: 1})
		items, delta, _ := b.contoso.round("/users/delta?$select=id,userPrincipalName,jobTitle,manager")
		if len(items) != 3 {
			t.Fatalf("first round: got %d users, want 3: %v", len(items), items)
		}
		if got := compactJSON(t, items[1]); got != `{"id":"`+bobID+`","jobTitle":null,"manager@delta":[{"@odata.type":"#microsoft.graph.user","id":"`+annID+`"}],"userPrincipalName":"bob@contoso.example"}` {
			t.Errorf("bob: got %s", got)
		}
		r := b.fabrikam.invite("ann@contoso.example").want(t, http.StatusCreated, "")
		id := r.invitedID()
		b.fabrikam.call(http.MethodPost, "/$batch", map[string]any{"requests": []any{
			map[string]any{"id": "1", "method": "PATCH", "url": "/users/" + id, "headers": map[string]any{"Content-Type": "application/json"},
				"body": map[string]any{"displayName": "Ann Bell", "userType": "Member", "mail": "ann.bell@contoso.example"}},
		}}).want(t, http.StatusOK, "")
		u, found := b.fabrikam.tenant.User(id)
		if !found || u.String("displayName") != "Ann Bell" || u.String("userType") != "Member" {
			t.Fatalf("guest after update: %v", u.Map())
		}
		if got := u.Strings("proxyAddresses"); len(got) != 2 || got[0] != "SMTP:ann.bell@contoso.example" || got[1] != "smtp:ann@contoso.example" {
			t.Errorf("proxy addresses: got %v", got)
		}
		if err := b.contoso.tenant.Update(bobID, map[string]any{"jobTitle": "Lead"}); err != nil {
			t.Fatal(err)
		}
		items, delta, _ = b.contoso.round(delta)
		if len(items) != 1 || items[0]["jobTitle"] != "Lead" {
			t.Errorf("second round: got %v, want bob with a new job title", items)
		}
		if items, _, _ = b.contoso.round(delta); len(items) != 0 {
			t.Errorf("idle round: got %v, want nothing", items)
		}
		b.fabrikam.call(http.MethodDelete, "/users/"+id, nil).want(t, http.StatusNoContent, "")
		b.fabrikam.call(http.MethodGet, "/users/"+id, nil).want(t, http.StatusNotFound, "Request_ResourceNotFound")
		b.fabrikam.call(http.MethodPost, "/directory/deletedItems/"+id+"/restore", nil).want(t, http.StatusOK, "")
		c := b.fabrikam.tenant.Counts()
		if c.Requests != 5 || c.Batches != 1 || c.TotalWrites() != 4 || c.Writes["invite"] != 1 || c.MaxWritesIn10s[b.fabrikam.tenant.AppID] != 4 {
			t.Errorf("counts: got %+v", c)
		}
	})
}
