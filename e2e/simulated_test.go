package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestSimulateReadyLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := launch(t, dir, "simulate", "--tenant", "a", "--tenant", "b", "--tenant", "c", "--config-out", "out")
	p.until("ready", func() bool { return bytes.Contains(p.stdout.Bytes(), []byte("\n")) })
	lines := bytes.Split(bytes.TrimSpace(p.stdout.Bytes()), []byte("\n"))
	expectEqual(t, "lines of stdout", len(lines), 1)
	doc, err := decodeOne(lines[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range readyShape("", doc) {
		t.Error(wrong)
	}
	expectEqual(t, "ready", at(doc, "ready"), true)
	expectEqual(t, "graph", at(doc, "graph"), at(doc, "authority").(string)+"/v1.0")
	config := at(doc, "config").(string)
	expectEqual(t, "config", config, filepath.Join(dir, "out", "config.yaml"))
	if !strings.HasPrefix(at(doc, "graph").(string), "https://127.0.0.1:") {
		t.Errorf("graph: got %v, want https on a port of 127.0.0.1", at(doc, "graph"))
	}
	// What --config-out wrote works at once: a job from the first to every other tenant.
	shown := launch(t, dir, "-c", config, "config", "show", "-o", "json").wait().exits(t, 0)
	cfg, err := decodeOne(shown.stdout)
	if err != nil {
		t.Fatal(err)
	}
	jobs, _ := at(cfg, "jobs").([]any)
	var names []string
	for _, j := range jobs {
		names = append(names, spaced(at(j, "name"), at(j, "source"), at(j, "target"), at(j, "scope", "mode"), at(j, "enabled")))
	}
	expectEqual(t, "jobs", strings.Join(names, ", "), "a-to-b a b all true, a-to-c a c all true")
	for _, j := range []string{"a-to-b", "a-to-c"} {
		launch(t, dir, "-c", config, "check", j).wait().exits(t, 0)
		launch(t, dir, "-c", config, "sync", j).wait().exits(t, 0)
	}
	raw, err := os.ReadFile(config)
	if err != nil || !bytes.Contains(raw, []byte("enabled: true")) || !bytes.Contains(raw, []byte("mode: all")) {
		t.Errorf("%s (%v) lacks what is there to be edited:\n%s", config, err, raw)
	}
	for _, name := range []string{"a.secret", "b.secret", "ca.pem"} {
		if !fileExists(filepath.Join(dir, "out", name)) {
			t.Errorf("there is no %s", name)
		}
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // the exit code tells
	p.wait().exits(t, 0)
}

func TestSimulateListen(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	p := launch(t, t.TempDir(), "simulate", "--tenant", "a", "--listen", "127.0.0.1:"+port)
	p.until("ready", func() bool { return bytes.Contains(p.stdout.Bytes(), []byte("\n")) })
	doc, err := decodeOne(p.stdout.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	expectEqual(t, "authority", at(doc, "authority"), "https://127.0.0.1:"+port)
	expectEqual(t, "config without --config-out", at(doc, "config"), nil)
	launch(t, t.TempDir(), "simulate", "--tenant", "a", "--tenant", "a").wait().exits(t, 64)
	launch(t, t.TempDir(), "simulate", "--tenant", "a=nothing.json").wait().exits(t, 1)
}

// An empty tenant has an organization and open policies, nothing else.
func TestSimulateEmptyTenant(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("anna")), users(), "--tenant", "empty")
	for _, name := range []string{"users", "groups", "deletedUsers"} {
		expectEqual(t, name, len(l.section("empty", name)), 0)
	}
	if org, _ := l.state("empty")["organization"].(obj); org["id"] != l.access["empty"].tenantID {
		t.Errorf("organization: got %v, want id %s", org, l.access["empty"].tenantID)
	}
	l.configure(jobWith(obj{"target": "empty"}), jobWith(obj{"name": "back", "source": "empty", "target": "target"}))
	for _, j := range []string{jobName, "back"} {
		l.run("check", j).exits(t, 0)
		l.syncJob(j, 0, "success")
	}
	expectEqual(t, "users", len(l.section("empty", "users")), 1)
}

// everySection is a tenant file with all of the sections.
func everySection() obj {
	return obj{
		"users": list{staff("anna", obj{"manager": obj{"id": id("boss")}}), staff("boss")},
		"groups": list{obj{"id": id("g"), "displayName": "G", "securityEnabled": true, "members": list{id("anna")}},
			obj{"id": id("h"), "displayName": "H", "securityEnabled": true, "members": list{id("g")}}},
		"deletedUsers": list{staff("gone", obj{"deletedDateTime": "2026-11-01T00:00:00Z"})},
		"servicePrincipals": list{obj{"id": id("app"), "displayName": "App", "appRoles": list{},
			"appRoleAssignedTo": list{obj{"principalId": id("g"), "principalType": "Group", "appRoleId": "00000000-0000-0000-0000-000000000000"}}}},
		"directoryRoles": list{obj{"id": id("role"), "displayName": "User Administrator", "members": list{id("boss")}}},
		"contacts":       list{obj{"id": id("contact"), "mail": "partner@elsewhere.example", "proxyAddresses": list{"SMTP:partner@elsewhere.example"}}},
		"applications":   list{obj{"appId": id("client"), "secret": "a secret", "roles": list{"User.Read.All"}}},
		"policies": obj{"authorizationPolicy": obj{"allowInvitesFrom": "adminsAndGuestInviters"},
			"crossTenantAccess": obj{"default": obj{"automaticUserConsentSettings": obj{"inboundAllowed": false, "outboundAllowed": true}},
				"partners": list{obj{"tenantId": targetTenant, "automaticUserConsentSettings": obj{"inboundAllowed": true, "outboundAllowed": true}}}}},
	}
}

func TestTenantFileSections(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(), users())
	l.write("all.json", tenantOf("33333333-3333-4333-8333-333333333333", "tailspin", everySection()))
	p := launch(t, l.dir, "simulate", "--tenant", "full=all.json", "--config-out", "full")
	p.until("ready", func() bool { return bytes.Contains(p.stdout.Bytes(), []byte("\n")) })
	config := filepath.Join(l.dir, "full", "config.yaml")
	dumped := launch(t, l.dir, "simulate", "dump", "full", "-c", config).wait().exits(t, 0)
	doc, err := decodeOne(dumped.stdout)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"users.manager":  id("boss"),
		"groups.members": []any{id("g")},
		"deletedUsers":   id("gone"),
		"roles":          []any{id("boss")},
		"contacts":       "partner@elsewhere.example",
		"applications":   "User.Read.All",
		"assignments":    id("g"),
		"invites":        "adminsAndGuestInviters",
		"partner":        targetTenant,
	} {
		got := map[string]func() any{
			"users.manager": func() any {
				all, _ := at(doc, "users").([]any)
				return at(all, slices.IndexFunc(all, func(u any) bool { return at(u, "id") == id("anna") }), "manager", "id")
			},
			"groups.members": func() any {
				all, _ := at(doc, "groups").([]any)
				return at(all, slices.IndexFunc(all, func(g any) bool { return at(g, "id") == id("h") }), "members")
			},
			"deletedUsers": func() any { return at(doc, "deletedUsers", 0, "id") },
			"roles":        func() any { return at(doc, "directoryRoles", 0, "members") },
			"contacts":     func() any { return at(doc, "contacts", 0, "mail") },
			"applications": func() any { return at(doc, "applications", 0, "roles", 0) },
			"assignments":  func() any { return at(doc, "servicePrincipals", 0, "appRoleAssignedTo", 0, "principalId") },
			"invites":      func() any { return at(doc, "policies", "authorizationPolicy", "allowInvitesFrom") },
			"partner":      func() any { return at(doc, "policies", "crossTenantAccess", "partners", 0, "tenantId") },
		}[path]()
		expectEqual(t, path, got, want)
	}
	// A dump serves as a tenant file, and is a fixed point.
	if err := os.WriteFile(filepath.Join(l.dir, "dump.json"), dumped.stdout, 0o600); err != nil {
		t.Fatal(err)
	}
	again := launch(t, l.dir, "simulate", "load", "full", "dump.json", "-c", config, "-o", "json").wait().exits(t, 0)
	after := launch(t, l.dir, "simulate", "dump", "full", "-c", config).wait()
	if !bytes.Equal(dumped.stdout, after.stdout) {
		t.Errorf("loading a dump changed the tenant (%s):\n%s\nwant\n%s", again.stdout, after.stdout, dumped.stdout)
	}
	for _, bad := range []string{`{"usrs":[]}`, `{"users":{}}`, `{"users":[{"userPrincipalName":"a@b","shoeSize":1}]}`, `{`, `{"users":[{"id":"x"}]}`, `{"groups":[{"id":"x","members":"y"}]}`} {
		if err := os.WriteFile(filepath.Join(l.dir, "bad.json"), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		a := launch(t, l.dir, "simulate", "load", "full", "bad.json", "-c", config, "-o", "json").wait().exits(t, 1)
		if len(a.problems(t)) != 1 {
			t.Errorf("%s: got %s, want one error", bad, a.stderr)
		}
	}
	after = launch(t, l.dir, "simulate", "dump", "full", "-c", config).wait()
	expectEqual(t, "after files that were refused", string(after.stdout), string(dumped.stdout))
}

func TestSimulateLoad(t *testing.T) {
	t.Parallel()
	group := func(members ...any) obj {
		return obj{"id": id("g"), "displayName": "G", "securityEnabled": true, "members": append(list{}, members...)}
	}
	l := newLab(t, obj{"users": list{staff("anna"), staff("ben"), staff("cleo")}, "groups": list{group(id("anna"), id("ben"))},
		"contacts": list{obj{"id": id("contact"), "mail": "p@elsewhere.example", "proxyAddresses": list{}}}}, users())
	var delta struct {
		Link  string `json:"@odata.deltaLink"`
		Value []map[string]any
	}
	l.call("source", "GET", "/v1.0/users/delta?$select=displayName,jobTitle", nil, &delta)
	expectEqual(t, "first round", len(delta.Value), 3)
	load := func(file obj) []int { t.Helper(); return l.load("source", l.write("next.json", file)) }
	reported := func() map[string]any {
		t.Helper()
		path := strings.TrimPrefix(delta.Link, l.root)
		delta.Value = nil
		l.call("source", "GET", path, nil, &delta)
		seen := map[string]any{}
		for _, u := range delta.Value {
			seen[u["id"].(string)] = u["displayName"]
			if removed := at(u, "@removed", "reason"); removed != nil {
				seen[u["id"].(string)] = removed
			}
		}
		return seen
	}
	//                                          created updated deleted restored, groups …, members added removed
	next := obj{"users": list{staff("anna", obj{"displayName": "Anna"}), staff("ben"), staff("dan")}}
	expectEqual(t, "created 1, updated 1, deleted 1", load(next), []int{1, 1, 1, 0, 0, 0, 0, 0, 0})
	expectEqual(t, "the same file again", load(next), make([]int, 9))
	expectEqual(t, "delta", reported(), map[string]any{id("anna"): "Anna", id("cleo"): "changed", id("dan"): "User dan"})
	expectEqual(t, "soft-deleted", l.section("source", "deletedUsers")[0].id(), id("cleo"))
	expectEqual(t, "groups were left out and stay", l.section("source", "groups")[0]["members"], list{id("anna"), id("ben")})
	expectEqual(t, "restored 1", load(obj{"users": append(next["users"].(list), staff("cleo"))}), []int{0, 0, 0, 1, 0, 0, 0, 0, 0})
	expectEqual(t, "deleted users", len(l.section("source", "deletedUsers")), 0)
	expectEqual(t, "delta", reported(), map[string]any{id("cleo"): "User cleo"})
	counts := load(obj{"groups": list{group(id("cleo"))}})
	expectEqual(t, "members added and removed", counts[7:], []int{1, 2})
	expectEqual(t, "users were left out and stay", len(l.section("source", "users")), 4)
	counts = load(obj{"groups": list{}, "contacts": list{}})
	expectEqual(t, "groups deleted", counts[6], 1)
	expectEqual(t, "contacts", len(l.section("source", "contacts")), 0)
	l.run("simulate", "load", "nosuch", "next.json").exits(t, 64)
}

func TestSimulateDump(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("anna"), staff("ben")), users())
	l.sync(0, "success")
	a := l.run("simulate", "dump", "target").exits(t, 0)
	file := parseTenant(t, a.stdout)
	expectEqual(t, "users of the present state", len(file.Users), 2)
	l.remove("source", id("ben"))
	l.sync(0, "success")
	file = parseTenant(t, l.run("simulate", "dump", "target").exits(t, 0).stdout)
	expectEqual(t, "users and deleted users", spaced(len(file.Users), len(l.section("target", "deletedUsers"))), "1 1")
	// The dump is what another simulation starts from.
	if err := os.WriteFile(filepath.Join(l.dir, "dump.json"), l.run("simulate", "dump", "target").stdout, 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, l.dir, "simulate", "--tenant", "copy=dump.json", "--config-out", "copy")
	p.until("ready", func() bool { return bytes.Contains(p.stdout.Bytes(), []byte("\n")) })
	again := launch(t, l.dir, "-c", filepath.Join(l.dir, "copy", "config.yaml"), "simulate", "dump", "copy").wait().exits(t, 0)
	expectEqual(t, "users of the copy", image(userSection(t, again.stdout)), image(userSection(t, l.run("simulate", "dump", "target").stdout)))
}

func userSection(t *testing.T, raw []byte) any {
	t.Helper()
	doc, err := decodeOne(raw)
	if err != nil {
		t.Fatal(err)
	}
	return at(doc, "users")
}

func TestSimulateFaultsAndQuota(t *testing.T) {
	t.Parallel()
	faults := filepath.Join(t.TempDir(), "faults.json")
	if err := os.WriteFile(faults, []byte(`[{"name":"busy","tenant":"target","method":"POST","path":"/$batch","item":"outer","status":429,"code":"TooManyRequests","retryAfter":"1","nth":1}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLab(t, users(staff("anna")), users(), "--faults", faults)
	c := l.sync(0, "success")
	expectEqual(t, "throttled", c.Graph.Throttled, 1)

	if err := os.WriteFile(faults, []byte(`[{"presett":"throttled"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	launch(t, t.TempDir(), "simulate", "--tenant", "a", "--faults", faults).wait().exits(t, 1)
	launch(t, t.TempDir(), "simulate", "--tenant", "a", "--quota", "some").wait().exits(t, 64)

	// Off, nothing slows writers down; as documented, they are told to wait.
	hammer := func(l *lab) (refused int) {
		for i := range 12 { // 240 invitations; 150 are free within 5 s
			var requests list
			for k := range 20 {
				requests = append(requests, obj{"id": fmt.Sprint(k), "method": "POST", "url": "/invitations", "headers": obj{"Content-Type": "application/json"},
					"body": obj{"invitedUserEmailAddress": fmt.Sprintf("u%d-%d@contoso.example", i, k), "inviteRedirectUrl": "https://x.example"}})
			}
			var answered struct{ Responses []struct{ Status int } }
			l.call("target", "POST", "/v1.0/$batch", obj{"requests": requests}, &answered)
			for _, a := range answered.Responses {
				if a.Status == http.StatusTooManyRequests {
					refused++
				}
			}
		}
		return refused
	}
	expectEqual(t, "refused with quota off", hammer(newLab(t, users(), users())), 0)
	if hammer(newLab(t, users(), users(), "--quota", "documented")) == 0 {
		t.Error("240 invitations at once with the documented quota: got no 429")
	}
}

// Any HTTP client can speak to the tenants: here one that knows no SDK.
func TestSimulatedTenantsSpeakGraph(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("anna"), staff("ben")), users(native("owner")))
	ask := func(method, path, token, body string) (int, http.Header, any) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, l.root+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := l.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() // read to its end
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if len(raw) > 0 {
			if v, err = decodeOne(raw); err != nil {
				t.Fatalf("%s %s: %v\n%s", method, path, err, raw)
			}
		}
		return resp.StatusCode, resp.Header, v
	}
	source, target := l.token("source"), l.token("target")
	status, header, doc := ask("GET", "/v1.0/users?$select=id,userPrincipalName&$top=1", source, "")
	expectEqual(t, "users", spaced(status, len(at(doc, "value").([]any))), "200 1")
	if header.Get("request-id") == "" || at(doc, "@odata.nextLink") == nil || at(doc, "@odata.context") == nil {
		t.Errorf("a page: got %v %v, want request-id, context and nextLink", header, doc)
	}
	_, _, doc = ask("GET", "/v1.0/users", target, "")
	expectEqual(t, "the token says which tenant is meant", at(doc, "value", 0, "userPrincipalName"), "owner@fabrikam.example")
	status, _, doc = ask("GET", "/v1.0/users", "", "")
	expectEqual(t, "without a token", spaced(status, at(doc, "error", "code")), "401 InvalidAuthenticationToken")
	status, _, doc = ask("GET", "/v1.0/users/"+id("nobody"), source, "")
	expectEqual(t, "a user who is not there", spaced(status, at(doc, "error", "code")), "404 Request_ResourceNotFound")
	if at(doc, "error", "innerError", "request-id") == nil {
		t.Errorf("an error: got %v, want its request id", doc)
	}
	status, _, doc = ask("GET", "/v1.0/users?$top=1000", source, "")
	expectEqual(t, "too large a page", spaced(status, at(doc, "error", "code")), "400 Request_BadRequest")
	status, _, doc = ask("POST", "/v1.0/invitations", target, `{"invitedUserEmailAddress":"anna@contoso.example","inviteRedirectUrl":"https://x.example"}`)
	guest, _ := at(doc, "invitedUser", "id").(string)
	expectEqual(t, "invitation", spaced(status, at(doc, "status")), "201 PendingAcceptance")
	_, _, doc = ask("POST", "/v1.0/invitations", target, `{"invitedUserEmailAddress":"anna@contoso.example","inviteRedirectUrl":"https://x.example"}`)
	expectEqual(t, "the same address again", at(doc, "invitedUser", "id"), guest)
	status, _, doc = ask("POST", "/v1.0/$batch", target, `{"requests":[{"id":"1","method":"PATCH","url":"/users/`+guest+`","headers":{"Content-Type":"application/json"},"body":{"city":"Ulm"}},{"id":"2","method":"GET","url":"/users/`+guest+`?$select=city"}]}`)
	expectEqual(t, "batch", spaced(status, len(at(doc, "responses").([]any))), "200 2")
	_, _, doc = ask("GET", "/v1.0/users/"+guest+"?$select=userPrincipalName,city,userType,externalUserState", target, "")
	expectEqual(t, "the guest", spaced(at(doc, "userPrincipalName"), at(doc, "city"), at(doc, "userType"), at(doc, "externalUserState")),
		"anna_contoso.example#EXT#@fabrikam.onmicrosoft.com Ulm Guest PendingAcceptance")
	status, _, _ = ask("DELETE", "/v1.0/users/"+guest, target, "")
	expectEqual(t, "delete", status, 204)
	status, _, doc = ask("POST", "/v1.0/directory/deletedItems/"+guest+"/restore", target, "")
	expectEqual(t, "restore", spaced(status, at(doc, "id")), "200 "+guest)

	// Signing in: a wrong secret and an unknown tenant have Entra's answers.
	for name, c := range map[string]struct {
		tenant, secret, code string
		status               int
	}{"wrong secret": {sourceTenant, "wrong", "AADSTS7000215", 401}, "unknown tenant": {"99999999-9999-4999-8999-999999999999", "x", "AADSTS90002", 400}} {
		resp, err := l.http.PostForm(l.root+"/"+c.tenant+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"},
			"client_id": {l.access["source"].clientID}, "client_secret": {c.secret}, "scope": {l.root + "/.default"}})
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Description string `json:"error_description"`
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		_ = resp.Body.Close() // read to its end
		if err != nil || resp.StatusCode != c.status || !strings.Contains(answer.Description, c.code) {
			t.Errorf("%s: got %d %q (%v), want %d with %s", name, resp.StatusCode, answer.Description, err, c.status, c.code)
		}
	}
	status, _, _ = ask("GET", "/v1.0/organization", source, "")
	expectEqual(t, "organization", status, 200)
}

func TestDemo(t *testing.T) {
	t.Parallel()
	a := launch(t, t.TempDir(), "demo").wait().exits(t, 0)
	for _, want := range []string{"plan", "provision", "deletions list"} {
		if !bytes.Contains(append(a.stdout, a.stderr...), []byte(want)) {
			t.Errorf("the demo names no command %q to try:\n%s%s", want, a.stdout, a.stderr)
		}
	}
}
