package entrasim_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tenantsync/entra/entrasim"
	"tenantsync/internal/sharedtest"
)

func TestLoadSameFileTwice(t *testing.T) {
	t.Parallel()
	inBin := `{"users": [{"id": "m", "userPrincipalName": "m@one.onmicrosoft.com"}],
	  "groups": [{"id": "g", "displayName": "G", "members": ["x"], "unseenCount": 3, "assignedLabels": []}],
	  "deletedUsers": [{"id": "x", "userPrincipalName": "x@one.onmicrosoft.com", "manager": {"id": "m"}, "deviceEnrollmentLimit": 5}]}`
	for _, text := range []string{contosoFile, fabrikamFile, inBin, `{}`, `{"users": [], "groups": []}`} {
		b := &bench{cloud: entrasim.New(entrasim.Options{})}
		c := b.add(t, "one", text)
		first := dump(t, c.tenant)
		changes, err := c.tenant.Load(parseFile(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if !changes.None() {
			t.Errorf("%.40s: the same file changed %+v", text, changes)
		}
		changes, err = c.tenant.Load(parseFile(t, first))
		if err != nil {
			t.Fatalf("%.40s: load of the dump: %v", text, err)
		}
		if !changes.None() {
			t.Errorf("%.40s: the dump changed %+v", text, changes)
		}
		if again := dump(t, c.tenant); again != first {
			t.Errorf("%.40s: dump changed:\n%s\n%s", text, first, again)
		}
		other, err := entrasim.New(entrasim.Options{Seed: 99}).AddTenant("one", parseFile(t, first))
		if err != nil {
			t.Fatal(err)
		}
		if got := dump(t, other); got != first {
			t.Errorf("%.40s: dump of a tenant made from the dump:\n got %s\nwant %s", text, got, first)
		}
	}
}

func dump(t *testing.T, tenant *entrasim.Tenant) string {
	t.Helper()
	var b bytes.Buffer
	if err := tenant.Dump().Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLoadActsAsAdministratorsWould(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	c := b.contoso
	_, users, _ := c.round("/users/delta?$select=displayName,jobTitle,manager")
	_, groups, _ := c.round("/groups/delta?$select=displayName,members")
	later := `{"users": [
	  {"id": "` + annID + `", "userPrincipalName": "ann@contoso.example", "displayName": "Ann Bell-Cole", "mail": "ann.bell@contoso.example", "givenName": "Ann",
	   "surname": "Bell", "department": "R&D", "businessPhones": ["+1 555 0100"]},
	  {"id": "` + eveID + `", "userPrincipalName": "eve@contoso.example", "displayName": "Eve Dean", "accountEnabled": false, "manager": {"id": "` + annID + `"}},
	  {"id": "aaaaaaaa-0000-4000-8000-000000000004", "userPrincipalName": "fay@contoso.example", "displayName": "Fay", "manager": {"id": "` + annID + `"}}],
	 "groups": [{"id": "` + teamID + `", "displayName": "Team", "members": ["` + eveID + `"]}]}`
	changes, err := c.tenant.Load(parseFile(t, later))
	if err != nil {
		t.Fatal(err)
	}
	want := entrasim.Changes{Created: 1, Updated: 2, Deleted: 1, GroupsUpdated: 1, GroupsDeleted: 2, MembersAdded: 1, MembersRemoved: 1}
	if !reflect.DeepEqual(changes, want) {
		t.Errorf("changes: got %+v, want %+v", changes, want)
	}
	items, users, _ := c.round(users)
	got := map[string]string{}
	for _, it := range items {
		got[it["id"].(string)] = compactJSON(t, it)
	}
	manager := `"manager@delta":[{"@odata.type":"#microsoft.graph.user","id":"` + annID + `"}]`
	for id, want := range map[string]string{
		annID:                                  `{"displayName":"Ann Bell-Cole","id":"` + annID + `","jobTitle":null}`,
		bobID:                                  `{"@removed":{"reason":"changed"},"id":"` + bobID + `"}`,
		eveID:                                  `{"displayName":"Eve Dean","id":"` + eveID + `",` + manager + `}`,
		"aaaaaaaa-0000-4000-8000-000000000004": `{"displayName":"Fay","id":"aaaaaaaa-0000-4000-8000-000000000004",` + manager + `}`,
	} {
		if got[id] != want {
			t.Errorf("delta of %s:\n got %s\nwant %s", id, got[id], want)
		}
	}
	if items, _, _ = c.round(groups); len(items) != 3 {
		t.Errorf("group delta: got %v, want one changed and two gone", items)
	}
	if changes, err = c.tenant.Load(parseFile(t, later)); err != nil || !changes.None() {
		t.Errorf("again: got %+v, %v, want no change", changes, err)
	}
	if changes, err = c.tenant.Load(parseFile(t, contosoFile)); err != nil {
		t.Fatal(err)
	}
	want = entrasim.Changes{Updated: 2, Deleted: 1, Restored: 1, GroupsCreated: 2, GroupsUpdated: 1, MembersAdded: 4, MembersRemoved: 1}
	if !reflect.DeepEqual(changes, want) {
		t.Errorf("back: got %+v, want %+v", changes, want)
	}
	items, _, _ = c.round(users)
	if len(items) != 4 {
		t.Errorf("delta after the way back: got %v", items)
	}
	if u, found := c.tenant.User(bobID); !found || u.String("displayName") != "Bob Cole" {
		t.Errorf("bob: got %v, want him restored under his old id", u.Map())
	}
	if got := len(c.tenant.DeletedUsers()); got != 1 {
		t.Errorf("recycle bin: got %d, want fay alone", got)
	}
}

func TestLoadLeavesOutSections(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	changes, err := b.contoso.tenant.Load(parseFile(t, `{"policies": {"authorizationPolicy": {"allowInvitesFrom": "none"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := (entrasim.Changes{Sections: []string{"policies"}}); !reflect.DeepEqual(changes, want) {
		t.Errorf("got %+v, want %+v", changes, want)
	}
	if len(b.contoso.tenant.Users()) != 3 || len(b.contoso.tenant.Groups()) != 3 {
		t.Errorf("got %d users and %d groups, want three each", len(b.contoso.tenant.Users()), len(b.contoso.tenant.Groups()))
	}
	r := b.contoso.call(http.MethodGet, "/policies/authorizationPolicy", nil).want(t, 200, "")
	if r.str("allowInvitesFrom") != "none" || r.str("id") != "authorizationPolicy" {
		t.Errorf("policy: got %s", r.raw)
	}
}

func TestLoadSwapsNames(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	swapped := strings.NewReplacer("ann@contoso", "TMP@contoso", "bob@contoso.example", "ann@contoso.example").Replace(contosoFile)
	swapped = strings.ReplaceAll(swapped, "TMP@contoso", "bob@contoso")
	if _, err := b.contoso.tenant.Load(parseFile(t, swapped)); err != nil {
		t.Fatal(err)
	}
	if got := b.contoso.call(http.MethodGet, "/users/ann@contoso.example", nil).str("id"); got != bobID {
		t.Errorf("ann@: got %s, want %s", got, bobID)
	}
	if got := b.contoso.call(http.MethodGet, "/users/bob@contoso.example", nil).str("id"); got != annID {
		t.Errorf("bob@: got %s, want %s", got, annID)
	}
}

func TestParseFileRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, place string }{
		{`{"users": [`, "line 1"},
		{"{\n \"users\": [}\n", "line 2"},
		{`[]`, "an object is expected"},
		{`{"people": []}`, "people: there is no such section"},
		{`{"users": [], "users": []}`, "users: the section occurs twice"},
		{`{"users": {}}`, "users: "},
		{`{"users": [1]}`, "users[0]: "},
		{`{"users": [{"id": "a"}]}`, "users[0].userPrincipalName: is missing"},
		{`{"users": [{"userPrincipalName": 5}]}`, "users[0].userPrincipalName: the value has the wrong type"},
		{`{"users": [{"userPrincipalName": "a@b.c", "nickname": "x"}]}`, "users[0].nickname: there is no such property"},
		{`{"users": [{"userPrincipalName": "a@b.c", "accountEnabled": "yes"}]}`, "users[0].accountEnabled: the value has the wrong type"},
		{`{"users": [{"userPrincipalName": "a@b.c", "city": "x", "city": "y"}]}`, `users[0]: "city" occurs twice`},
		{`{"users": [{"userPrincipalName": "a@b.c", "manager": "x"}]}`, "users[0].manager: the value has the wrong type"},
		{`{"users": [{"id": "A", "userPrincipalName": "a@b.c"}, {"id": "a", "userPrincipalName": "b@b.c"}]}`, `users[1].id: "a" is already the id of users[0]`},
		{`{"users": [{"id": "a", "userPrincipalName": "a@b.c"}], "groups": [{"id": "a", "displayName": "x"}]}`, `groups[0].id: "a" is already the id of users[0]`},
		{`{"groups": [{"id": "g", "members": ["a", "A"]}]}`, `groups[0].members: "a" occurs twice`},
		{`{"groups": [{"id": "g", "members": "a"}]}`, "groups[0].members: "},
		{`{"groups": [{"members": []}]}`, "groups[0].displayName: is missing"},
		{`{"deletedUsers": [{"mail": "x"}]}`, "deletedUsers[0].id: is missing"},
		{`{"applications": [{"secret": "x"}]}`, "applications[0].appId: is missing"},
		{`{"servicePrincipals": [{"id": "s", "appRoleAssignedTo": [{}]}]}`, "servicePrincipals[0].appRoleAssignedTo[0].principalId: is missing"},
		{`{"policies": {"guests": {}}}`, "policies.guests: there is no such policy"},
		{`{"policies": {"crossTenantAccess": {"partners": [{}]}}}`, "policies.crossTenantAccess.partners[0].tenantId: is missing"},
		{`{} {}`, "line 1"},
	}
	for _, tt := range tests {
		_, err := entrasim.ParseFile(strings.NewReader(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.place) {
			t.Errorf("%s: got %v, want an error with %q", tt.text, err, tt.place)
		}
	}
}

func TestLoadRefusesAndChangesNothing(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, place string }{
		{`{"users": [{"userPrincipalName": "a@contoso.example"}, {"userPrincipalName": "A@contoso.example"}]}`, "users[1].id"},
		{`{"users": [{"id": "1", "userPrincipalName": "a@contoso.example"}, {"id": "2", "userPrincipalName": "A@contoso.example"}]}`, `users[1].userPrincipalName: "a@contoso.example" belongs to users[0]`},
		{`{"users": [{"id": "1", "userPrincipalName": "a@contoso.example", "mail": "x@y.z"}, {"id": "2", "userPrincipalName": "b@contoso.example", "mail": "X@y.z"}]}`, "users[1].proxyAddresses"},
		{`{"users": [{"id": "1", "userPrincipalName": "a@contoso.example", "manager": {"id": "9"}}]}`, `users[0].manager: no user or contact has the id "9"`},
		{`{"organization": {"id": "99999999-9999-4999-8999-999999999999"}}`, "organization.id"},
		{`{"organization": {"verifiedDomains": [{"isInitial": true}]}}`, "organization.verifiedDomains[0].name"},
	}
	for _, tt := range tests {
		b := newBench(t, entrasim.Options{})
		before := dump(t, b.contoso.tenant)
		_, err := b.contoso.tenant.Load(parseFile(t, tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.place) {
			t.Errorf("%s: got %v, want an error with %q", tt.text, err, tt.place)
		}
		if after := dump(t, b.contoso.tenant); after != before {
			t.Errorf("%s: refused but changed:\n%s\n%s", tt.text, before, after)
		}
	}
}

func TestAdministratorsDoor(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	c := b.contoso
	r := c.call(http.MethodGet, "/simulation/tenant", nil).want(t, 200, "")
	if string(r.raw) != dump(t, c.tenant) {
		t.Errorf("dump: got %s", r.raw)
	}
	r = c.call(http.MethodPut, "/simulation/tenant", string(r.raw)).want(t, 200, "")
	if r.body["created"] != float64(0) || r.body["updated"] != float64(0) {
		t.Errorf("load of the dump: got %s", r.raw)
	}
	r = c.call(http.MethodPut, "/simulation/tenant", `{"users": [{"id": "x"}]}`).want(t, 400, "Request_BadRequest")
	if !strings.Contains(r.message(), "users[0].userPrincipalName") {
		t.Errorf("message: got %q", r.message())
	}
	if r = c.call(http.MethodGet, "/simulation/counts", nil).want(t, 200, ""); r.body["requests"] != float64(0) {
		t.Errorf("counts: got %s, want no request: the door counts for nothing", r.raw)
	}
	c.call(http.MethodPut, "/simulation/faults", `[{"preset": "unavailable"}]`).want(t, 204, "")
	c.call(http.MethodGet, "/users", nil).want(t, 503, "ServiceNotAvailable")
	b.fabrikam.call(http.MethodGet, "/users", nil).want(t, 200, "")
	stranger := *c
	stranger.token = "x"
	stranger.call(http.MethodGet, "/simulation/tenant", nil).want(t, 401, "InvalidAuthenticationToken")
}

// TestRealDirectory moves one tenant through all snapshots of a real directory.
// The snapshots are not part of the repository.
func TestRealDirectory(t *testing.T) {
	t.Parallel()
	files := sharedtest.Files(t, "data/congress/*.json")
	if len(files) == 0 {
		t.Skip("no snapshots: TENANTSYNC_SHARED names the folder above data/congress")
	}
	cloud := entrasim.New(entrasim.Options{})
	var tenant *entrasim.Tenant
	for i, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f := parseFile(t, string(src))
		if i == 0 {
			if tenant, err = cloud.AddTenant("capitol", f); err != nil {
				t.Fatal(err)
			}
		} else {
			changes, err := tenant.Load(f)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			t.Logf("%s: %+v", filepath.Base(name), changes)
		}
		compareSnapshot(t, filepath.Base(name), src, dump(t, tenant))
		if changes, err := tenant.Load(f); err != nil || !changes.None() {
			t.Errorf("%s again: got %+v, %v", name, changes, err)
		}
	}
}

// compareSnapshot checks that a dump holds what the file said, object by object.
func compareSnapshot(t *testing.T, name string, want []byte, got string) {
	t.Helper()
	type object = map[string]any
	var w, g map[string][]object
	decode := func(src []byte, into *map[string][]object) {
		var all map[string]json.RawMessage
		if err := json.Unmarshal(src, &all); err != nil {
			t.Fatal(err)
		}
		*into = map[string][]object{}
		for _, section := range []string{"users", "groups"} {
			var list []object
			if err := json.Unmarshal(all[section], &list); err != nil {
				t.Fatal(err)
			}
			(*into)[section] = list
		}
	}
	decode(want, &w)
	decode([]byte(got), &g)
	for section, list := range w {
		byID := map[string]object{}
		for _, o := range g[section] {
			byID[o["id"].(string)] = o
		}
		if len(byID) != len(list) {
			t.Errorf("%s: got %d %s, want %d", name, len(byID), section, len(list))
		}
		for _, o := range list {
			for property, v := range o {
				if have := byID[o["id"].(string)][property]; compactJSON(t, sorted(property, have)) != compactJSON(t, sorted(property, v)) && !(isBlank(v) && isBlank(have)) {
					t.Errorf("%s: %s %s.%s: got %v, want %v", name, section, o["id"], property, have, v)
				}
			}
			for property, have := range byID[o["id"].(string)] {
				if _, said := o[property]; !said && !isBlank(have) && !setByDirectory(property) {
					t.Errorf("%s: %s %s.%s: got %v, want nothing", name, section, o["id"], property, have)
				}
			}
		}
	}
}

func setByDirectory(property string) bool {
	switch property {
	case "createdDateTime", "identities", "proxyAddresses", "groupTypes":
		return true
	}
	return false
}

// isBlank reports a value that says nothing.
func isBlank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	}
	return false
}

// sorted brings members into one order: a set has none.
func sorted(property string, v any) any {
	list, isList := v.([]any)
	if property != "members" || !isList {
		return v
	}
	set := map[string]bool{}
	for _, e := range list {
		set[e.(string)] = true
	}
	return set
}

func FuzzParseFile(f *testing.F) {
	for _, s := range []string{contosoFile, fabrikamFile, registered, `{}`, `{"users":[{"userPrincipalName":"a@b.c","manager":{"id":"x"}}]}`, `{"policies":{"crossTenantAccess":{"partners":[]}}}`, `{"users":[`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := entrasim.ParseFile(strings.NewReader(text))
		if err != nil {
			return
		}
		tenant, err := entrasim.New(entrasim.Options{}).AddTenant("one", file)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := tenant.Dump().Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := entrasim.ParseFile(&b)
		if err != nil {
			t.Fatalf("the dump does not parse: %v", err)
		}
		if changes, err := tenant.Load(again); err != nil || !changes.None() {
			t.Fatalf("load of the dump: got %+v, %v", changes, err)
		}
	})
}
