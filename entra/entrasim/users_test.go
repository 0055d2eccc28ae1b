package entrasim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tenantsync/entra/entrasim"
)

func TestDefaultProperties(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	r := b.contoso.call(http.MethodGet, "/users/"+annID, nil).want(t, http.StatusOK, "")
	delete(r.body, "@odata.context")
	want := `{"businessPhones":["+1 555 0100"],"displayName":"Ann Bell","givenName":"Ann","id":"` + annID + `","jobTitle":"Engineer","mail":"ann.bell@contoso.example",` +
		`"mobilePhone":null,"officeLocation":null,"preferredLanguage":null,"surname":"Bell","userPrincipalName":"ann@contoso.example"}`
	if got := compactJSON(t, r.body); got != want {
		t.Errorf("default set:\n got %s\nwant %s", got, want)
	}
	r = b.contoso.call(http.MethodGet, "/users/"+annID+"?$select=accountEnabled,otherMails,department,onPremisesExtensionAttributes,extension_0123456789abcdef0123456789abcdef_cost", nil)
	if r.body["accountEnabled"] != true || r.body["department"] != "R&D" || compactJSON(t, r.body["otherMails"]) != "[]" || r.body["displayName"] != nil {
		t.Errorf("selected: got %s", r.raw)
	}
	if ext, _ := r.body["onPremisesExtensionAttributes"].(map[string]any); len(ext) != 15 {
		t.Errorf("extension attributes never set: got %v, want fifteen nulls", ext)
	}
	b.contoso.call(http.MethodGet, "/users/"+annID+"?$select=nonsense", nil).want(t, http.StatusBadRequest, "BadRequest")
	b.contoso.call(http.MethodGet, "/users?$select=skills", nil).want(t, http.StatusNotImplemented, "NotImplemented")
	b.contoso.call(http.MethodGet, "/users('"+annID+"')", nil).want(t, http.StatusOK, "")
	b.contoso.call(http.MethodGet, "/users/ANN@contoso.example", nil).want(t, http.StatusOK, "")
	b.contoso.call(http.MethodGet, "/users/nobody@contoso.example", nil).want(t, http.StatusNotFound, "Request_ResourceNotFound")
}

func TestListPaging(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "contoso", `{}`)
	for i := range 250 {
		if _, err := c.tenant.CreateUser(map[string]any{"userPrincipalName": fmt.Sprintf("u%03d@contoso.onmicrosoft.com", i)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		query string
		pages []int
	}{
		{"", []int{100, 100, 50}},
		{"?$top=999", []int{250}},
		{"?$top=125&$select=id", []int{125, 125}},
		{"?%24top=249", []int{249, 1}},
		{"?$orderby=userPrincipalName%20desc&$top=200", []int{200, 50}},
	} {
		seen := map[string]bool{}
		link := "/users" + tt.query
		for i := 0; link != ""; i++ {
			r := c.call(http.MethodGet, link, nil).want(t, http.StatusOK, "")
			if i >= len(tt.pages) || len(r.value()) != tt.pages[i] {
				t.Fatalf("%q page %d: got %d users, want pages of %v", tt.query, i, len(r.value()), tt.pages)
			}
			for _, id := range r.ids() {
				seen[id] = true
			}
			link = r.str("@odata.nextLink")
			if link != "" && !strings.HasPrefix(link, graphRoot+"/v1.0/users?") {
				t.Fatalf("nextLink: got %q, want it absolute on the same host", link)
			}
		}
		if len(seen) != 250 {
			t.Errorf("%q: got %d users in all, want 250", tt.query, len(seen))
		}
	}
	for _, top := range []string{"0", "1000", "-1", "x"} {
		r := c.call(http.MethodGet, "/users?$top="+top, nil).want(t, http.StatusBadRequest, "Request_BadRequest")
		if !strings.Contains(r.message(), "Invalid page size specified") {
			t.Errorf("$top=%s: got message %q", top, r.message())
		}
	}
	c.call(http.MethodGet, "/users?$skiptoken=bogus", nil).want(t, http.StatusBadRequest, "Directory_ExpiredPageToken")
}

func TestFilters(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	b.contoso.invite("guest@partner.example").want(t, http.StatusCreated, "")
	advanced := []string{"ConsistencyLevel", "eventual"}
	many := make([]string, 16)
	for i := range many {
		many[i] = fmt.Sprintf("'m%d@x.example'", i)
	}
	tests := []struct {
		filter   string
		advanced bool
		status   int
		code     string
		names    string // display names, joined
	}{
		{"userPrincipalName eq 'ANN@contoso.example'", false, 200, "", "Ann Bell"},
		{"mail in ('bob@contoso.example','ann.bell@contoso.example')", false, 200, "", "Ann Bell,Bob Cole"},
		{"proxyAddresses/any(x:x eq 'SMTP:ann.bell@contoso.example')", false, 200, "", "Ann Bell"},
		{"otherMails/any(o:o eq 'guest@partner.example') or mail eq 'bob@contoso.example'", false, 200, "", "Bob Cole,guest"},
		{"identities/any(i:i/issuer eq 'contoso.onmicrosoft.com' and i/issuerAssignedId eq 'bob@contoso.example')", false, 200, "", "Bob Cole"},
		{"identities/any(i:i/issuer eq 'elsewhere' and i/issuerAssignedId eq 'bob@contoso.example')", false, 200, "", ""},
		{"proxyAddresses/any(x:x eq 'a' and x eq 'b')", false, 200, "", ""},
		{"proxyAddresses/any(p:startswith(p,'SMTP:ann'))", false, 200, "", "Ann Bell"},
		{"startswith(displayName,'b')", false, 200, "", "Bob Cole"},
		{"startsWith(displayName,'b') and accountEnabled eq true", false, 200, "", "Bob Cole"},
		{"accountEnabled eq false", false, 200, "", "Eve Dean"},
		{"creationType eq 'Invitation'", false, 200, "", "guest"},
		{"department eq null and userType eq 'Member'", false, 200, "", "Bob Cole,Eve Dean"},
		{"department eq 'R&D'", false, 200, "", "Ann Bell"},
		{"(displayName eq 'Ann Bell' or displayName eq 'Bob Cole') and jobTitle eq 'Engineer'", false, 200, "", "Ann Bell"},
		{"displayName eq 'O''Neil'", false, 200, "", ""},
		{"id in ('" + annID + "')", false, 200, "", "Ann Bell"},
		{"userType ne 'Guest'", false, 400, "Request_UnsupportedQuery", ""},
		{"userType ne 'Guest'", true, 200, "", "Ann Bell,Bob Cole,Eve Dean"},
		{"not startswith(displayName,'b')", false, 400, "Request_UnsupportedQuery", ""},
		{"not startswith(displayName,'b')", true, 200, "", "Ann Bell,Eve Dean,guest"},
		{"endswith(mail,'@contoso.example')", false, 400, "Request_UnsupportedQuery", ""},
		{"endswith(mail,'@contoso.example')", true, 200, "", "Ann Bell,Bob Cole"},
		{"mail in (" + strings.Join(many, ",") + ")", false, 400, "BadRequest", ""},
		{"mail in (" + strings.Join(many[:15], ",") + ")", false, 200, "", ""},
		{"nonsense eq 'x'", false, 400, "BadRequest", ""},
		{"displayName eq 'x", false, 400, "BadRequest", ""},
		{"displayName like 'x'", false, 400, "BadRequest", ""},
		{"displayName eq 'x' mail", false, 400, "BadRequest", ""},
		{"(displayName eq 'x'", false, 400, "BadRequest", ""},
		{"", false, 200, "", "Ann Bell,Bob Cole,Eve Dean,guest"},
	}
	for _, tt := range tests {
		query := "/users?$select=displayName&$filter=" + url.QueryEscape(tt.filter)
		var headers []string
		if tt.advanced {
			query, headers = query+"&$count=true", advanced
		}
		r := b.contoso.call(http.MethodGet, query, nil, headers...)
		if r.status != tt.status || r.code() != tt.code {
			t.Errorf("%s: got %d %q, want %d %q: %s", tt.filter, r.status, r.code(), tt.status, tt.code, r.raw)
			continue
		}
		var names []string
		for _, m := range r.value() {
			names = append(names, m["displayName"].(string))
		}
		if got := strings.Join(names, ","); got != tt.names {
			t.Errorf("%s: got %q, want %q", tt.filter, got, tt.names)
		}
		if n, counted := r.body["@odata.count"].(float64); tt.advanced && tt.status == 200 && (!counted || int(n) != len(names)) {
			t.Errorf("%s: @odata.count: got %v, want %d", tt.filter, r.body["@odata.count"], len(names))
		}
	}
}

func TestUpdateUser(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("x", n) }
	// Each row is tried on a fresh guest; the message part says why it is refused.
	tests := []struct {
		name    string
		body    map[string]any
		status  int
		code    string
		message string
	}{
		{"writable text", map[string]any{"department": "Sales", "city": "Köln"}, 204, "", ""},
		{"null clears", map[string]any{"department": nil}, 204, "", ""},
		{"type name ignored", map[string]any{"@odata.type": "#microsoft.graph.user", "jobTitle": "x"}, 204, "", ""},
		{"no property", map[string]any{}, 204, "", ""},
		{"user type", map[string]any{"userType": "Member"}, 204, "", ""},
		{"account", map[string]any{"accountEnabled": false}, 204, "", ""},
		{"one phone", map[string]any{"businessPhones": []string{"+1"}}, 204, "", ""},
		{"empty collection clears", map[string]any{"businessPhones": []string{}}, 204, "", ""},
		{"extension attributes", map[string]any{"onPremisesExtensionAttributes": map[string]any{"extensionAttribute15": "x"}}, 204, "", ""},
		{"directory extension", map[string]any{"extension_0123456789abcdef0123456789abcdef_cost": "x"}, 204, "", ""},
		{"organization data", map[string]any{"employeeOrgData": map[string]any{"costCenter": "1"}}, 204, "", ""},
		{"longest department", map[string]any{"department": long(64)}, 204, "", ""},
		{"hire date", map[string]any{"employeeHireDate": "2024-01-01T00:00:00Z"}, 204, "", ""},

		{"empty text", map[string]any{"department": ""}, 400, "Request_BadRequest", "Invalid value specified for property 'department'"},
		{"too long a department", map[string]any{"department": long(65)}, 400, "Request_BadRequest", "department"},
		{"too long an employeeId", map[string]any{"employeeId": long(17)}, 400, "Request_BadRequest", "employeeId"},
		{"too long a displayName", map[string]any{"displayName": long(257)}, 400, "Request_BadRequest", "displayName"},
		{"displayName cleared", map[string]any{"displayName": nil}, 400, "Request_BadRequest", "displayName"},
		{"usageLocation cleared", map[string]any{"usageLocation": nil}, 400, "Request_BadRequest", "usageLocation"},
		{"usageLocation spelled out", map[string]any{"usageLocation": "Germany"}, 400, "Request_BadRequest", "usageLocation"},
		{"collection null", map[string]any{"businessPhones": nil}, 400, "Request_BadRequest", "businessPhones"},
		{"two phones", map[string]any{"businessPhones": []string{"1", "2"}}, 400, "Request_BadRequest", "businessPhones"},
		{"text for a Boolean", map[string]any{"accountEnabled": "true"}, 400, "Request_BadRequest", "accountEnabled"},
		{"number for text", map[string]any{"department": 5}, 400, "Request_BadRequest", "department"},
		{"text for a collection", map[string]any{"businessPhones": "1"}, 400, "Request_BadRequest", "businessPhones"},
		{"odd user type", map[string]any{"userType": "External"}, 400, "Request_BadRequest", "userType"},
		{"odd date", map[string]any{"employeeHireDate": "yesterday"}, 400, "Request_BadRequest", "employeeHireDate"},
		{"sixteenth extension attribute", map[string]any{"onPremisesExtensionAttributes": map[string]any{"extensionAttribute16": "x"}}, 400, "Request_BadRequest", "extensionAttribute16"},
		{"unknown property", map[string]any{"favouriteColour": "x"}, 400, "Request_BadRequest", "does not exist as a declared property"},
		{"accents in mail", map[string]any{"mail": "é@partner.example"}, 400, "Request_BadRequest", "mail"},
		{"logon name of a guest", map[string]any{"userPrincipalName": "x@fabrikam.onmicrosoft.com"}, 400, "Request_BadRequest", "userPrincipalName"},
		{"nickname of a guest", map[string]any{"mailNickname": "x"}, 400, "Request_BadRequest", "mailNickname"},
		{"password of a guest", map[string]any{"passwordProfile": map[string]any{"password": "x"}}, 400, "Request_BadRequest", "passwordProfile"},
		{"creationType", map[string]any{"creationType": "x"}, 400, "Request_BadRequest", "read-only"},
		{"externalUserState", map[string]any{"externalUserState": "Accepted"}, 400, "Request_BadRequest", "read-only"},
		{"id", map[string]any{"id": "x"}, 400, "Request_BadRequest", "read-only"},
		{"manager inline", map[string]any{"manager": map[string]any{"id": annID}}, 400, "Request_BadRequest", "manager"},
		{"proxyAddresses", map[string]any{"proxyAddresses": []string{"smtp:x@partner.example"}}, 403, "Authorization_RequestDenied", ""},
		{"skills", map[string]any{"skills": []string{"x"}}, 403, "Authorization_RequestDenied", ""},
		{"identities", map[string]any{"identities": []any{}}, 403, "Authorization_RequestDenied", ""},
		{"leave date", map[string]any{"employeeLeaveDateTime": "2024-01-01T00:00:00Z"}, 403, "Authorization_RequestDenied", ""},
		{"one bad among good", map[string]any{"city": "Bonn", "department": ""}, 400, "Request_BadRequest", "department"},
	}
	b := newBench(t, entrasim.Options{})
	for i, tt := range tests {
		id := b.fabrikam.invite(fmt.Sprintf("g%d@partner.example", i)).want(t, http.StatusCreated, "").invitedID()
		before, _ := b.fabrikam.tenant.User(id)
		r := b.fabrikam.call(http.MethodPatch, "/users/"+id, tt.body)
		if r.status != tt.status || r.code() != tt.code || !strings.Contains(r.message(), tt.message) {
			t.Errorf("%s: got %d %q %q, want %d %q %q", tt.name, r.status, r.code(), r.message(), tt.status, tt.code, tt.message)
		}
		after, _ := b.fabrikam.tenant.User(id)
		if tt.status >= 400 && compactJSON(t, before) != compactJSON(t, after) {
			t.Errorf("%s: refused but applied: %s", tt.name, compactJSON(t, after))
		}
		if r.status == http.StatusNoContent && len(r.raw) != 0 {
			t.Errorf("%s: 204 with a body: %s", tt.name, r.raw)
		}
	}
}

func TestUpdateMergesComplexValues(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	patch := func(v any) {
		b.contoso.call(http.MethodPatch, "/users/"+annID, map[string]any{"onPremisesExtensionAttributes": v}).want(t, http.StatusNoContent, "")
	}
	patch(map[string]any{"extensionAttribute2": "two", "extensionAttribute10": "ten"})
	patch(map[string]any{"extensionAttribute2": nil, "extensionAttribute1": "one"})
	u, _ := b.contoso.tenant.User(annID)
	if got, want := u.Raw("onPremisesExtensionAttributes"), `{"extensionAttribute1":"one","extensionAttribute2":null,"extensionAttribute10":"ten"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestProtectedUsers(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "fabrikam", `{"users": [
	  {"id": "a1", "userPrincipalName": "admin@fabrikam.onmicrosoft.com"},
	  {"id": "a2", "userPrincipalName": "vip@fabrikam.onmicrosoft.com", "isManagementRestricted": true},
	  {"id": "a3", "userPrincipalName": "synced@fabrikam.onmicrosoft.com", "onPremisesSyncEnabled": true},
	  {"id": "a4", "userPrincipalName": "mailbox@fabrikam.onmicrosoft.com", "mail": "m@partner.example", "exchangeMastered": true},
	  {"id": "a5", "userPrincipalName": "plain@fabrikam.onmicrosoft.com", "mail": "p@partner.example"}],
	 "contacts": [{"id": "c1", "mail": "contact@partner.example"}],
	 "groups": [{"id": "g1", "displayName": "G", "mail": "group@partner.example"}],
	 "directoryRoles": [{"id": "r1", "displayName": "User Administrator", "members": ["a1"]}]}`)
	tests := []struct {
		name   string
		method string
		path   string
		body   any
		status int
		code   string
		text   string
	}{
		{"role holder, plain attribute", "PATCH", "/users/a1", map[string]any{"department": "x"}, 204, "", ""},
		{"role holder, account", "PATCH", "/users/a1", map[string]any{"accountEnabled": false}, 403, "Authorization_RequestDenied", ""},
		{"role holder, phones", "PATCH", "/users/a1", map[string]any{"department": "y", "businessPhones": []string{"1"}}, 403, "Authorization_RequestDenied", ""},
		{"role holder, other mails", "PATCH", "/users/a1", map[string]any{"otherMails": []string{"x@y.example"}}, 403, "Authorization_RequestDenied", ""},
		{"role holder, delete", "DELETE", "/users/a1", nil, 403, "Authorization_RequestDenied", ""},
		{"restricted unit, any attribute", "PATCH", "/users/a2", map[string]any{"department": "x"}, 403, "Authorization_RequestDenied", "restricted management"},
		{"restricted unit, delete", "DELETE", "/users/a2", nil, 403, "Authorization_RequestDenied", "restricted management"},
		{"synchronized from on-premises", "PATCH", "/users/a3", map[string]any{"department": "x"}, 400, "Request_BadRequest", "originated within an external service"},
		{"mail mastered by Exchange", "PATCH", "/users/a4", map[string]any{"department": "x", "mail": "n@partner.example"}, 400, "Request_BadRequest", "originated within an external service"},
		{"address list mastered by Exchange", "PATCH", "/users/a4", map[string]any{"showInAddressList": true}, 400, "Request_BadRequest", "originated within an external service"},
		{"the rest of a mailbox user", "PATCH", "/users/a4", map[string]any{"department": "x"}, 204, "", ""},
		{"mail of another user", "PATCH", "/users/a5", map[string]any{"mail": "M@partner.example"}, 400, "Request_BadRequest", "proxyAddresses"},
		{"mail of a contact", "PATCH", "/users/a5", map[string]any{"mail": "contact@partner.example"}, 400, "Request_BadRequest", "proxyAddresses"},
		{"mail of a group", "PATCH", "/users/a5", map[string]any{"mail": "group@partner.example"}, 400, "Request_BadRequest", "proxyAddresses"},
		{"logon name of another user", "PATCH", "/users/a5", map[string]any{"userPrincipalName": "admin@fabrikam.onmicrosoft.com"}, 400, "Request_BadRequest", "userPrincipalName"},
		{"other mails are not unique", "PATCH", "/users/a5", map[string]any{"otherMails": []string{"m@partner.example"}}, 204, "", ""},
	}
	for _, tt := range tests {
		r := c.call(tt.method, tt.path, tt.body)
		if r.status != tt.status || r.code() != tt.code || !strings.Contains(r.message(), tt.text) {
			t.Errorf("%s: got %d %q %q, want %d %q %q", tt.name, r.status, r.code(), r.message(), tt.status, tt.code, tt.text)
		}
	}
	r := c.call(http.MethodPatch, "/users/a5", map[string]any{"mail": "m@partner.example"})
	if !strings.Contains(string(r.raw), `"details":[{"code":"ObjectConflict"`) || !strings.Contains(string(r.raw), `"target":"proxyAddresses"`) {
		t.Errorf("details of a conflict: got %s", r.raw)
	}
}

func TestCreateUser(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	body := func(change string, v any) map[string]any {
		m := map[string]any{"accountEnabled": true, "displayName": "New", "mailNickname": "new", "userPrincipalName": "new@contoso.example", "passwordProfile": map[string]any{"password": "x"}}
		if m[change] = v; v == nil {
			delete(m, change)
		}
		return m
	}
	for _, missing := range []string{"accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"} {
		b.contoso.call(http.MethodPost, "/users", body(missing, nil)).want(t, http.StatusBadRequest, "Request_BadRequest")
	}
	b.contoso.call(http.MethodPost, "/users", body("userPrincipalName", "new@elsewhere.example")).want(t, http.StatusBadRequest, "Request_BadRequest")
	b.contoso.call(http.MethodPost, "/users", body("userPrincipalName", "ann@contoso.example")).want(t, http.StatusBadRequest, "Request_BadRequest")
	r := b.contoso.call(http.MethodPost, "/users", body("jobTitle", "x")).want(t, http.StatusCreated, "")
	if r.str("id") == "" || r.header.Get("Location") != graphRoot+"/v1.0/users/"+r.str("id") {
		t.Errorf("answer: got %s, Location %q", r.raw, r.header.Get("Location"))
	}
}

func TestManager(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	ref := func(id string) map[string]any { return map[string]any{"@odata.id": graphRoot + "/v1.0/users/" + id} }
	c := b.contoso
	if got := c.call(http.MethodGet, "/users/"+bobID+"/manager", nil).want(t, 200, "").str("id"); got != annID {
		t.Errorf("manager: got %s, want %s", got, annID)
	}
	c.call(http.MethodGet, "/users/"+annID+"/manager", nil).want(t, 404, "Request_ResourceNotFound")
	c.call(http.MethodPut, "/users/"+annID+"/manager/$ref", ref(eveID)).want(t, 204, "")
	c.call(http.MethodPut, "/users/"+annID+"/manager/$ref", ref(annID)).want(t, 400, "Request_BadRequest")
	c.call(http.MethodPut, "/users/"+annID+"/manager/$ref", ref(teamID)).want(t, 404, "Request_ResourceNotFound")
	c.call(http.MethodPut, "/users/"+annID+"/manager/$ref", map[string]any{"@odata.id": eveID}).want(t, 400, "Request_BadRequest")
	c.call(http.MethodDelete, "/users/"+annID+"/manager/$ref", nil).want(t, 204, "")
	c.call(http.MethodDelete, "/users/"+annID+"/manager/$ref", nil).want(t, 404, "Request_ResourceNotFound")
	r := c.call(http.MethodGet, "/users?$select=id&$expand=manager($select=id)", nil).want(t, 200, "")
	if m, _ := r.value()[1]["manager"].(map[string]any); m["id"] != annID || r.value()[0]["manager"] != nil {
		t.Errorf("expanded: got %s", r.raw)
	}
	c.call(http.MethodDelete, "/users/"+annID, nil).want(t, 204, "")
	c.call(http.MethodGet, "/users/"+bobID+"/manager", nil).want(t, 404, "Request_ResourceNotFound")
	c.call(http.MethodPut, "/users/"+eveID+"/manager/$ref", ref(annID)).want(t, 404, "Request_ResourceNotFound")
}

func TestRecycleBin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entrasim.Options{TokenLife: 90 * 24 * time.Hour})
		c := b.contoso
		c.call(http.MethodDelete, "/users/"+annID, nil).want(t, 204, "")
		c.call(http.MethodDelete, "/users/"+annID, nil).want(t, 404, "Request_ResourceNotFound")
		c.call(http.MethodPatch, "/users/"+annID, map[string]any{"city": "x"}).want(t, 404, "Request_ResourceNotFound")
		r := c.call(http.MethodGet, "/directory/deletedItems/microsoft.graph.user?$select=id,deletedDateTime,userPrincipalName", nil).want(t, 200, "")
		if got := compactJSON(t, r.value()); got != `[{"deletedDateTime":"2000-01-01T00:00:00Z","id":"`+annID+`","userPrincipalName":"ann@contoso.example"}]` {
			t.Errorf("deleted items: got %s", got)
		}
		c.call(http.MethodGet, "/directory/deletedItems/"+annID, nil).want(t, 200, "")
		c.call(http.MethodGet, "/directory/deletedItems/"+bobID, nil).want(t, 404, "Request_ResourceNotFound")
		if _, err := c.tenant.CreateUser(map[string]any{"userPrincipalName": "ann@contoso.example", "mail": "new@contoso.example"}); err != nil {
			t.Fatal(err)
		}
		c.call(http.MethodPost, "/directory/deletedItems/"+annID+"/restore", nil).want(t, 400, "Request_BadRequest")
		if err := c.tenant.Update("ann@contoso.example", map[string]any{}); err == nil {
			t.Error("Update by name: got no error, want ErrUnknown")
		}
		u, _ := c.tenant.User("ann@contoso.example")
		if err := c.tenant.Update(u.ID(), map[string]any{"userPrincipalName": "other@contoso.example", "mail": "ann.bell@contoso.example"}); err != nil {
			t.Fatal(err)
		}
		c.call(http.MethodPost, "/directory/deletedItems/"+annID+"/restore", nil).want(t, 400, "Request_BadRequest")
		c.call(http.MethodPost, "/directory/deletedItems/"+annID+"/restore", map[string]any{"autoReconcileProxyConflict": true}).want(t, 200, "")
		if u, _ = c.tenant.User(annID); len(u.Strings("proxyAddresses")) != 0 {
			t.Errorf("reconciled proxies: got %v, want none", u.Strings("proxyAddresses"))
		}
		c.call(http.MethodDelete, "/users/"+annID, nil).want(t, 204, "")
		time.Sleep(30*24*time.Hour - time.Second)
		c.call(http.MethodGet, "/directory/deletedItems/"+annID, nil).want(t, 200, "")
		time.Sleep(time.Second)
		c.call(http.MethodGet, "/directory/deletedItems/"+annID, nil).want(t, 404, "Request_ResourceNotFound")
		c.call(http.MethodDelete, "/users/"+bobID, nil).want(t, 204, "")
		c.call(http.MethodDelete, "/directory/deletedItems/"+bobID, nil).want(t, 204, "")
		c.call(http.MethodPost, "/directory/deletedItems/"+bobID+"/restore", nil).want(t, 404, "Request_ResourceNotFound")
	})
}

func TestReplicationDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entrasim.Options{ReplicationDelay: 10 * time.Second})
		id := b.fabrikam.invite("ann@contoso.example").want(t, http.StatusCreated, "").invitedID()
		if got := b.fabrikam.invite("ann@contoso.example").want(t, http.StatusCreated, "").invitedID(); got != id {
			t.Errorf("repeated invitation: got %s, want %s", got, id)
		}
		b.fabrikam.call(http.MethodPatch, "/users/"+id, map[string]any{"city": "x"}).want(t, 404, "Request_ResourceNotFound")
		time.Sleep(10 * time.Second)
		b.fabrikam.call(http.MethodPatch, "/users/"+id, map[string]any{"city": "x"}).want(t, 204, "")
	})
}

func TestReplicasDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entrasim.Options{Seed: 7, ReplicationDelay: time.Minute, Replicas: 4})
		id := b.fabrikam.invite("ann@contoso.example").want(t, http.StatusCreated, "").invitedID()
		time.Sleep(30 * time.Second)
		got := map[int]int{}
		for range 40 {
			got[b.fabrikam.call(http.MethodGet, "/users/"+id, nil).status]++
		}
		if got[200] == 0 || got[404] == 0 {
			t.Errorf("half way: got %v, want some replicas with and some without the user", got)
		}
		time.Sleep(30 * time.Second)
		for range 20 {
			b.fabrikam.call(http.MethodGet, "/users/"+id, nil).want(t, 200, "")
		}
	})
}

func TestObjectQuota(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "fabrikam", `{"organization": {"directorySizeQuota": {"total": 2}}}`)
	c.invite("a@partner.example").want(t, 201, "")
	c.invite("b@partner.example").want(t, 201, "")
	c.invite("c@partner.example").want(t, 403, "Directory_QuotaExceeded")
	c.invite("a@partner.example").want(t, 201, "")
}

func TestStaleReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entrasim.Options{Seed: 5, StaleReads: time.Minute})
		b.contoso.call(http.MethodPatch, "/users/"+annID, map[string]any{"jobTitle": "Lead"}).want(t, 204, "")
		got := map[string]int{}
		for range 40 {
			got[b.contoso.call(http.MethodGet, "/users/"+annID, nil).want(t, 200, "").str("jobTitle")]++
		}
		if got["Lead"] == 0 || got["Engineer"] == 0 {
			t.Errorf("within the minute: got %v, want both titles", got)
		}
		time.Sleep(time.Minute)
		for range 20 {
			if title := b.contoso.call(http.MethodGet, "/users/"+annID, nil).str("jobTitle"); title != "Lead" {
				t.Fatalf("after the minute: got %q, want Lead", title)
			}
		}
	})
}
