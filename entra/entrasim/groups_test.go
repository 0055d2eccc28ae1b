package entrasim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tenantsync/entra/entrasim"
)

func TestGroupMembers(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	c := b.contoso
	eventual := []string{"ConsistencyLevel", "eventual"}
	tests := []struct {
		path    string
		headers []string
		status  int
		code    string
		ids     []string
	}{
		{"/groups/" + teamID + "/members", nil, 200, "", []string{annID, nestedID}},
		{"/groups/" + teamID + "/transitiveMembers", nil, 200, "", []string{annID, bobID, nestedID}},
		{"/groups/" + teamID + "/transitiveMembers/microsoft.graph.user", nil, 400, "Request_UnsupportedQuery", nil},
		{"/groups/" + teamID + "/transitiveMembers/microsoft.graph.user?$count=true", nil, 400, "Request_UnsupportedQuery", nil},
		{"/groups/" + teamID + "/transitiveMembers/microsoft.graph.user?$select=id&$top=999&$count=true", eventual, 200, "", []string{annID, bobID}},
		{"/groups/" + teamID + "/transitiveMembers/graph.group?$count=true", eventual, 200, "", []string{nestedID}},
		{"/groups/" + secretID + "/members", nil, 200, "", []string{}},
		{"/groups/" + annID + "/members", nil, 404, "Request_ResourceNotFound", nil},
		{"/users/" + bobID + "/memberOf", nil, 200, "", []string{nestedID}},
	}
	for _, tt := range tests {
		r := c.call(http.MethodGet, tt.path, nil, tt.headers...)
		if r.status != tt.status || r.code() != tt.code || tt.ids != nil && !slices.Equal(r.ids(), tt.ids) {
			t.Errorf("%s: got %d %q %v, want %d %q %v", tt.path, r.status, r.code(), r.ids(), tt.status, tt.code, tt.ids)
		}
	}
	if err := c.tenant.Delete(annID); err != nil {
		t.Fatal(err)
	}
	if got := c.call(http.MethodGet, "/groups/"+teamID+"/members", nil).ids(); !slices.Equal(got, []string{nestedID}) {
		t.Errorf("after a soft delete: got %v, want the group alone", got)
	}
	if err := c.tenant.Restore(annID); err != nil {
		t.Fatal(err)
	}
	if got := len(c.call(http.MethodGet, "/groups/"+teamID+"/members?$top=1", nil).str("@odata.nextLink")); got == 0 {
		t.Error("a second page is expected after the restore")
	}
}

func TestHiddenMembersAreShownWithTheRight(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "contoso", strings.TrimSuffix(contosoFile, "}")+`,"applications":[{"appId":"dddddddd-0000-4000-8000-000000000001","secret":"s","roles":["GroupMember.Read.All","Member.Read.Hidden"]}]}`)
	if got := c.call(http.MethodGet, "/groups/"+secretID+"/members", nil).ids(); !slices.Equal(got, []string{eveID}) {
		t.Errorf("got %v, want eve", got)
	}
	const query = "/groups/delta?$select=members&$filter=id%20eq%20'" + secretID + "'"
	if items, _, _ := c.round(query); items[0]["members@delta"] == nil {
		t.Errorf("delta with the right: got %v, want members", items)
	}
	if items, _, _ := newBench(t, entrasim.Options{}).contoso.round(query); len(items) != 1 || items[0]["members@delta"] != nil {
		t.Errorf("delta without the right: got %v, want the group without members", items)
	}
}

func TestChangeMembers(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	c := b.contoso
	ref := func(id string) string { return graphRoot + "/v1.0/directoryObjects/" + id }
	bind := func(ids ...string) map[string]any {
		refs := make([]string, len(ids))
		for i, id := range ids {
			refs[i] = ref(id)
		}
		return map[string]any{"members@odata.bind": refs}
	}
	var many []string
	for i := range 21 {
		id, err := c.tenant.CreateUser(map[string]any{"userPrincipalName": fmt.Sprintf("u%d@contoso.example", i)})
		if err != nil {
			t.Fatal(err)
		}
		many = append(many, id)
	}
	tests := []struct {
		name, method, path string
		body               any
		status             int
		code, text         string
	}{
		{"add", "POST", "/members/$ref", map[string]any{"@odata.id": ref(annID)}, 204, "", ""},
		{"add again", "POST", "/members/$ref", map[string]any{"@odata.id": ref(annID)}, 400, "Request_BadRequest", "already exist for the following modified properties: 'members'"},
		{"add nobody", "POST", "/members/$ref", map[string]any{"@odata.id": ref("ffffffff-0000-4000-8000-000000000000")}, 404, "Request_ResourceNotFound", ""},
		{"remove", "DELETE", "/members/" + annID + "/$ref", nil, 204, "", ""},
		{"remove again", "DELETE", "/members/" + annID + "/$ref", nil, 404, "Request_ResourceNotFound", ""},
		{"twenty at once", "PATCH", "", bind(many[:20]...), 204, "", ""},
		{"twenty-one at once", "PATCH", "", bind(many...), 400, "Request_BadRequest", "more than 20 link changes"},
		{"one of them twice", "PATCH", "", bind(eveID, eveID), 400, "Request_BadRequest", "can only be present once"},
		{"all or nothing", "PATCH", "", bind(eveID, many[0]), 400, "Request_BadRequest", "already exist"},
	}
	for _, tt := range tests {
		r := c.call(tt.method, "/groups/"+nestedID+tt.path, tt.body)
		if r.status != tt.status || r.code() != tt.code || !strings.Contains(r.message(), tt.text) {
			t.Errorf("%s: got %d %q %q, want %d %q %q", tt.name, r.status, r.code(), r.message(), tt.status, tt.code, tt.text)
		}
	}
	if got := c.call(http.MethodGet, "/groups/"+nestedID+"/members", nil).ids(); slices.Contains(got, eveID) || len(got) != 21 {
		t.Errorf("members: got %d, want bob and the twenty, without eve", len(got))
	}
}

func TestAppRoleAssignments(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	c := b.contoso
	if _, err := c.tenant.Load(parseFile(t, `{"servicePrincipals": [{"id": "sp1", "displayName": "Sync", "appId": "app1", "appRoleAssignedTo": [
	  {"principalId": "`+annID+`", "principalType": "User", "appRoleId": "00000000-0000-0000-0000-000000000000"},
	  {"principalId": "`+teamID+`", "principalType": "Group", "appRoleId": "00000000-0000-0000-0000-000000000000"}]}]}`)); err != nil {
		t.Fatal(err)
	}
	r := c.call(http.MethodGet, "/servicePrincipals/sp1/appRoleAssignedTo?$top=999", nil).want(t, 200, "")
	if got := r.value(); len(got) != 2 || got[0]["principalId"] != annID || got[0]["principalDisplayName"] != "Ann Bell" || got[1]["principalType"] != "Group" || got[0]["resourceId"] != "sp1" {
		t.Errorf("assignments: got %s", r.raw)
	}
	r = c.call(http.MethodGet, "/servicePrincipals/sp1/appRoleAssignedTo?$top=1", nil).want(t, 200, "")
	r = c.call(http.MethodGet, r.str("@odata.nextLink"), nil).want(t, 200, "")
	if got := r.value(); len(got) != 1 || got[0]["principalId"] != teamID || r.str("@odata.nextLink") != "" {
		t.Errorf("second page: got %s", r.raw)
	}
	c.call(http.MethodGet, "/servicePrincipals/sp9/appRoleAssignedTo", nil).want(t, 404, "Request_ResourceNotFound")
	r = c.call(http.MethodGet, "/servicePrincipals?$filter=appId%20eq%20'app1'", nil).want(t, 200, "")
	if got := r.ids(); !slices.Equal(got, []string{"sp1"}) || strings.Contains(string(r.raw), "appRoleAssignedTo") {
		t.Errorf("service principals: got %s", r.raw)
	}
}

func TestOrganization(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	r := b.fabrikam.call(http.MethodGet, "/organization?$select=id,displayName,verifiedDomains,tenantType,onPremisesSyncEnabled", nil).want(t, 200, "")
	o := r.value()[0]
	domains, _ := o["verifiedDomains"].([]any)
	if o["id"] != b.fabrikam.tenant.ID || o["displayName"] != "fabrikam" || o["tenantType"] != "AAD" || len(domains) != 1 ||
		domains[0].(map[string]any)["name"] != "fabrikam.onmicrosoft.com" || domains[0].(map[string]any)["isInitial"] != true {
		t.Errorf("organization: got %s", r.raw)
	}
	b.fabrikam.call(http.MethodGet, "/organization/"+b.contoso.tenant.ID, nil).want(t, 404, "Request_ResourceNotFound")
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "contoso", `{"applications": [{"appId": "dddddddd-0000-4000-8000-000000000001", "secret": "s", "roles": ["Policy.ReadWrite.CrossTenantAccess"]}]}`)
	other := b.add(t, "fabrikam", `{}`).tenant.ID
	const partners = "/policies/crossTenantAccessPolicy/partners"
	sync := partners + "/" + other + "/identitySynchronization"
	r := c.call(http.MethodGet, partners+"/"+other, nil).want(t, 200, "")
	if got := compactJSON(t, r.body["automaticUserConsentSettings"]); got != `{"inboundAllowed":true,"outboundAllowed":true}` || r.body["b2bCollaborationInbound"] != nil {
		t.Errorf("partner of an empty tenant: got %s", r.raw)
	}
	r = c.call(http.MethodGet, sync, nil).want(t, 200, "")
	if got := compactJSON(t, r.body["userSyncInbound"]); got != `{"isSyncAllowed":true}` {
		t.Errorf("identitySynchronization: got %s", r.raw)
	}
	r = c.call(http.MethodGet, "/policies/crossTenantAccessPolicy/default", nil).want(t, 200, "")
	if got := compactJSON(t, r.body["automaticUserConsentSettings"]); got != `{"inboundAllowed":false,"outboundAllowed":false}` {
		t.Errorf("default: got %s", r.raw)
	}
	const stranger = "99999999-9999-4999-8999-999999999999"
	c.call(http.MethodGet, partners+"/"+stranger, nil).want(t, 404, "Request_ResourceNotFound")
	c.call(http.MethodPost, partners, map[string]any{"tenantId": other}).want(t, 409, "Request_MultipleObjectsWithSameKeyValue")
	c.call(http.MethodPost, partners, map[string]any{"tenantId": "x"}).want(t, 400, "Request_BadRequest")
	c.call(http.MethodPost, partners, map[string]any{"tenantId": stranger}).want(t, 201, "")
	c.call(http.MethodPatch, partners+"/"+stranger, map[string]any{"automaticUserConsentSettings": map[string]any{"inboundAllowed": true}}).want(t, 204, "")
	r = c.call(http.MethodGet, partners+"/"+stranger, nil).want(t, 200, "")
	if got := compactJSON(t, r.body["automaticUserConsentSettings"]); got != `{"inboundAllowed":true}` {
		t.Errorf("patched partner: got %s", r.raw)
	}
	c.call(http.MethodPatch, partners+"/"+stranger+"/identitySynchronization", map[string]any{"userSyncInbound": map[string]any{"isSyncAllowed": true}}).want(t, 404, "Request_ResourceNotFound")
	c.call(http.MethodPut, partners+"/"+stranger+"/identitySynchronization", map[string]any{"userSyncInbound": map[string]any{"isSyncAllowed": true}}).want(t, 204, "")
	c.call(http.MethodDelete, partners+"/"+stranger, nil).want(t, 400, "Request_BadRequest")
	c.call(http.MethodDelete, partners+"/"+stranger+"/identitySynchronization", nil).want(t, 204, "")
	c.call(http.MethodDelete, partners+"/"+stranger, nil).want(t, 204, "")
	if got := len(c.call(http.MethodGet, partners, nil).want(t, 200, "").value()); got != 1 {
		t.Errorf("partners: got %d, want 1", got)
	}
}

func TestGetByIDs(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	r := b.contoso.call(http.MethodPost, "/directoryObjects/getByIds", map[string]any{"ids": []string{annID, teamID, "ffffffff-0000-4000-8000-000000000000"}, "types": []string{"user"}}).want(t, 200, "")
	if got := r.ids(); !slices.Equal(got, []string{annID}) {
		t.Errorf("got %v, want ann alone", got)
	}
	b.contoso.call(http.MethodPost, "/directoryObjects/getByIds", map[string]any{"ids": make([]string, 1001)}).want(t, 400, "Request_BadRequest")
	if n := b.contoso.tenant.Counts().TotalWrites(); n != 0 {
		t.Errorf("writes: got %d, want none: getByIds reads", n)
	}
}

func TestAuditLogNeedsBothPermissions(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "contoso", `{"applications": [
	 {"appId": "dddddddd-0000-4000-8000-000000000001", "secret": "s", "roles": ["AuditLog.Read.All"]},
	 {"appId": "dddddddd-0000-4000-8000-000000000002", "secret": "s", "roles": ["AuditLog.Read.All", "Directory.Read.All"]}]}`)
	c.call(http.MethodGet, "/auditLogs/provisioning", nil).want(t, 403, "Authorization_RequestDenied")
	c.as("dddddddd-0000-4000-8000-000000000002", "s").call(http.MethodGet, "/auditLogs/provisioning", nil).want(t, 200, "")
}
