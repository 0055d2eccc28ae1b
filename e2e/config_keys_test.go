package e2e_test

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// copies are the source users that have a copy in the target, by name.
func (l *lab) copies() string {
	l.t.Helper()
	var found []string
	for _, u := range l.section("target", "users") {
		upn, _ := u["userPrincipalName"].(string)
		if local, _, external := strings.Cut(upn, "_contoso.example#EXT#"); external {
			found = append(found, local)
		}
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

// runEnv runs a command with more environment.
func (l *lab) runEnv(env []string, args ...string) answer {
	l.t.Helper()
	bin, err := buildOnce()
	if err != nil {
		l.t.Fatal(err)
	}
	cmd := exec.Command(bin, args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, &stdout, &stderr
	cmd.Env = append([]string{"HOME=" + l.dir, "NO_COLOR=1", "TZ=UTC"}, env...)
	_ = cmd.Run() // the exit code tells
	return answer{args: args, stdout: stdout.Bytes(), stderr: stderr.Bytes(), exit: cmd.ProcessState.ExitCode()}
}

// Every key of the configuration does something that can be seen from outside.
func TestConfigKeysOfTheFile(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(*testing.T, *lab){
		"version": func(t *testing.T, l *lab) {
			for text, exit := range map[string]int{"version: 1": 0, "version: 2": 78, "": 78} {
				l.configureText(strings.Replace(l.head, "version: 1", text, 1) + "jobs: []\n")
				l.run("config", "validate").exits(t, exit)
			}
		},
		"tenants.tenantId": func(t *testing.T, l *lab) {
			l.head = strings.Replace(l.head, targetTenant, "99999999-9999-4999-8999-999999999999", 1)
			l.configure(jobWith(nil))
			a := l.run("sync", jobName, "-o", "json").exits(t, 4)
			if len(a.problems(t)) != 1 {
				t.Errorf("wrong tenant: got %s, want one error", a.stderr)
			}
		},
		"tenants.cloud": func(t *testing.T, l *lab) {
			const head = "version: 1\ntenants:\n  a:\n    tenantId: 11111111-1111-4111-8111-111111111111\n    cloud: %s\n    credential: {kind: managedIdentity}\njobs: []\n"
			for cloud, want := range map[string]string{
				"global":   "https://login.microsoftonline.com https://graph.microsoft.com/v1.0",
				"usGov":    "https://login.microsoftonline.us https://graph.microsoft.us/v1.0",
				"usGovDoD": "https://login.microsoftonline.us https://dod-graph.microsoft.us/v1.0",
				"china":    "https://login.chinacloudapi.cn https://microsoftgraph.chinacloudapi.cn/v1.0",
			} {
				l.configureText(fmt.Sprintf(head, cloud))
				var shown any
				l.json(0, &shown, "config", "show")
				endpoints := at(shown, "tenants", "a", "endpoints")
				expectEqual(t, cloud, spaced(at(endpoints, "authority"), at(endpoints, "graph")), want)
			}
			l.configureText(fmt.Sprintf(head, "moon"))
			l.run("config", "validate").exits(t, 78)
		},
		"tenants.endpoints": func(t *testing.T, l *lab) {
			for _, which := range []string{"authority", "graph"} {
				var hits atomic.Int64
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
					hits.Add(1)
					rw.WriteHeader(http.StatusBadRequest)
				}))
				server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are what is tested
				server.StartTLS()
				defer server.Close()
				trust, err := os.ReadFile(filepath.Join(l.dir, "sim", "ca.pem"))
				if err != nil {
					t.Fatal(err)
				}
				both := append(trust, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})...)
				if err := os.WriteFile(filepath.Join(l.dir, "sim", "both.pem"), both, 0o600); err != nil {
					t.Fatal(err)
				}
				old, replaced := which+": '"+l.root, which+": '"+server.URL
				text := strings.Replace(l.head, old, replaced, 1) + "jobs: [{name: j, source: source, target: target, scope: {mode: all}}]\n"
				l.configureText(text)
				if l.run("check", "j").exit == 0 || hits.Load() != 0 {
					t.Errorf("%s behind a certificate that caFile does not know: got %d requests, want failing before any", which, hits.Load())
				}
				l.configureText(strings.Replace(text, "ca.pem", "both.pem", 1))
				if l.run("check", "j").exit == 0 || hits.Load() == 0 {
					t.Errorf("%s at another server: got %d requests there, want some", which, hits.Load())
				}
			}
		},
		"tenants.credential": func(t *testing.T, l *lab) {
			secret := l.access["source"].secret
			for text, exit := range map[string]int{"${file:source.secret}": 0, "${SOURCE_SECRET}": 0, "${NOT_SET:-" + secret + "}": 0, "${NOT_SET}": 78, "${file:nothing}": 78, "${WRONG}": 4} {
				l.configureText(strings.Replace(l.head, "${file:source.secret}", text, 1) + "jobs: [{name: j, source: source, target: target, scope: {mode: all}}]\n")
				a := l.runEnv([]string{"SOURCE_SECRET=" + secret, "WRONG=wrong"}, "-c", l.config, "check", "j", "-o", "json").exits(t, exit)
				if bytes.Contains(append(a.stdout, a.stderr...), []byte(secret)) {
					t.Errorf("%s: the secret is shown", text)
				}
			}
		},
		"tenants.writeCredential": func(t *testing.T, l *lab) {
			reader, writer := obj{"appId": id("reader"), "secret": "r-secret", "roles": list{"User.Read.All", "Organization.Read.All", "Policy.Read.All"}},
				obj{"appId": id("writer"), "secret": "w-secret", "roles": list{"User.ReadWrite.All", "User.Invite.All", "User.DeleteRestore.All", "Organization.Read.All", "Policy.Read.All"}}
			own := obj{"appId": l.access["target"].clientID, "secret": l.access["target"].secret}
			l.put("target", obj{"applications": list{own, reader, writer}})
			credential := func(app obj) string {
				return fmt.Sprintf("{kind: secret, clientId: %s, secret: %q}", app["appId"], app["secret"])
			}
			before, _, _ := strings.Cut(l.head, "  target:")
			tenant := fmt.Sprintf("  target:\n    tenantId: %s\n    endpoints: {authority: %q, graph: %q, caFile: ca.pem}\n    credential: %s\n", targetTenant, l.root, l.graph, credential(reader))
			job := "jobs: [{name: " + jobName + ", source: source, target: target, scope: {mode: all}, limits: {writesPerSecond: 1000}}]\n"
			l.configureText(before + tenant + job)
			l.run("sync", jobName).exits(t, 4) // a reader may not invite
			l.configureText(before + tenant + "    writeCredential: " + credential(writer) + "\n" + job)
			writes := l.during("target", func() { l.sync(0, "success") })
			if len(writes) == 0 {
				t.Error("nothing was written")
			}
			for _, w := range writes {
				expectEqual(t, "application of a write", w.AppID, id("writer"))
			}
			l.configureText(before + tenant + "    writeCredential: " + credential(writer) + "\njobs: [{name: back, source: target, target: source, scope: {mode: all}}]\n")
			l.run("plan", "back").exits(t, 0) // where it is a source, the reader will do
			l.put("target", obj{"applications": list{own, writer}})
			l.run("plan", "back").exits(t, 4)
		},
		"jobs.name": func(t *testing.T, l *lab) {
			l.configure(jobWith(obj{"name": "another"}))
			l.syncJob("another", 0, "success")
			l.run("sync", jobName).exits(t, 64)
			l.configure(jobWith(nil), jobWith(nil))
			l.run("config", "validate").exits(t, 78)
		},
		"jobs.source": func(t *testing.T, l *lab) {
			l.configure(jobWith(obj{"source": "target", "target": "source"}))
			l.sync(0, "success")
			expectEqual(t, "users of the target", l.copies(), "")
			expectEqual(t, "writes to the target", len(l.journal("target")), 0)
			l.configure(jobWith(obj{"target": "source"}))
			l.run("config", "validate").exits(t, 78)
		},
		"store.path": func(t *testing.T, l *lab) {
			l.sync(0, "success")
			if info, err := os.Stat(filepath.Join(l.dir, "sim", "state.db")); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("state file beside the configuration: %v, %v, want mode 0600", info, err)
			}
			text := l.head + "jobs: [{name: " + jobName + ", source: source, target: target, scope: {mode: all}}]\nstore: {kind: bolt, path: deep.db}\ncontrol: {listen: \"\"}\n"
			if err := os.WriteFile(l.config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			expectEqual(t, "cycle with another state file", l.sync(0, "success").Cycle, "initial")
			if _, err := os.Stat(filepath.Join(l.dir, "sim", "deep.db")); err != nil {
				t.Error(err)
			}
			if err := os.WriteFile(l.config, []byte(strings.Replace(text, "kind: bolt", "kind: punchcards", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			l.run("status").exits(t, 78)
		},
		"control.listen": func(t *testing.T, l *lab) {
			port := freePort(t)
			text := l.head + "jobs: [{name: " + jobName + ", source: source, target: target, scope: {mode: all}, limits: {writesPerSecond: 1000}}]\nstore: {path: state.db}\ncontrol: {listen: \"127.0.0.1:" + port + "\"}\n"
			if err := os.WriteFile(l.config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			d := launch(t, l.dir, "-c", l.config, "run")
			token := filepath.Join(l.dir, "sim", "state.db.token")
			d.until("answering", func() bool { return l.run("status").exit == 0 && fileExists(token) })
			info, err := os.Stat(token)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the token: %v, %v, want mode 0600", info, err)
			}
			l.sync(0, "success")
			raw, err := os.ReadFile(token)
			if err != nil {
				t.Fatal(err)
			}
			away := []string{"status", "--server", "http://127.0.0.1:" + port, "-o", "json"}
			l.runEnv([]string{"TENANTSYNC_TOKEN=" + strings.TrimSpace(string(raw))}, away...).exits(t, 0).looks(t, statusShape)
			if a := l.runEnv([]string{"TENANTSYNC_TOKEN=guess"}, away...); a.exit == 0 {
				t.Errorf("a wrong token opens the door: %s", a.stdout)
			}
			d.stop()
			// The socket of the other tests stands beside the state file.
			l.configure(jobWith(nil))
			l.startDaemon()
			if info, err := os.Stat(filepath.Join(l.dir, "sim", "control.sock")); err != nil || info.Mode().Type() != os.ModeSocket {
				t.Errorf("control.sock: %v, %v, want a socket", info, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, newLab(t, users(staff("anna"), staff("ben")), users(native("owner"))))
		})
	}
}

func fileExists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

// freePort is a port of loopback that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(nil)
	defer s.Close()
	return s.URL[strings.LastIndex(s.URL, ":")+1:]
}

// scoped is a source with two groups, one inside the other, and an assignment.
func scoped() obj {
	return obj{
		"users": list{staff("anna", obj{"department": "Sales", "employeeHireDate": "2020-01-31T00:00:00Z"}),
			staff("ben", obj{"department": "Sales", "jobTitle": "Lead", "otherMails": list{"ben@a.example", "ben@b.example"}}),
			staff("cleo", obj{"department": "Legal", "otherMails": list{"cleo@a.example"}, "manager": obj{"id": id("anna")}}), staff("dan")},
		"groups": list{
			obj{"id": id("outer"), "displayName": "Outer", "securityEnabled": true, "members": list{id("anna"), id("inner")}},
			obj{"id": id("inner"), "displayName": "Inner", "securityEnabled": true, "members": list{id("ben")}}},
		"servicePrincipals": list{obj{"id": id("app"), "displayName": "App", "appRoles": list{},
			"appRoleAssignedTo": list{obj{"principalId": id("cleo"), "principalType": "User", "appRoleId": "00000000-0000-0000-0000-000000000000"},
				obj{"principalId": id("inner"), "principalType": "Group", "appRoleId": "00000000-0000-0000-0000-000000000000"}}}},
	}
}

func TestConfigKeysOfScope(t *testing.T) {
	t.Parallel()
	clause := func(c ...any) obj { return obj{"title": "F", "clauses": list(c)} }
	sales := obj{"attribute": "department", "operator": "EQUALS", "value": "Sales"}
	for name, c := range map[string]struct {
		scope obj
		want  string
	}{
		"mode all":                             {obj{"mode": "all"}, "anna ben cleo dan"},
		"mode assigned to nobody":              {obj{"mode": "assigned"}, ""},
		"mode left out is assigned":            {obj{"groups": list{id("inner")}}, "ben"},
		"groups":                               {obj{"groups": list{id("outer")}}, "anna"},
		"nestedGroups":                         {obj{"groups": list{id("outer")}, "nestedGroups": true}, "anna ben"},
		"users by id and UPN":                  {obj{"users": list{id("cleo"), "dan@contoso.example"}}, "cleo dan"},
		"groups and users":                     {obj{"groups": list{id("inner")}, "users": list{id("dan")}}, "ben dan"},
		"servicePrincipalId":                   {obj{"servicePrincipalId": id("app")}, "ben cleo"},
		"filters":                              {obj{"mode": "all", "filters": list{clause(sales)}}, "anna ben"},
		"filters, every clause":                {obj{"mode": "all", "filters": list{clause(sales, obj{"attribute": "jobTitle", "operator": "IS NOT NULL"})}}, "ben"},
		"filters, any filter":                  {obj{"mode": "all", "filters": list{clause(obj{"attribute": "jobTitle", "operator": "EQUALS", "value": "Lead"}), clause(obj{"attribute": "department", "operator": "EQUALS", "value": "Legal"})}}, "ben cleo"},
		"filters, values":                      {obj{"mode": "all", "filters": list{clause(obj{"attribute": "department", "operator": "EQUALS", "values": list{"Legal", "Sales"}})}}, "anna ben cleo"},
		"filters, ignoreCase":                  {obj{"mode": "all", "filters": list{clause(obj{"attribute": "department", "operator": "STARTS_WITH", "value": "SAL", "ignoreCase": true})}}, "anna ben"},
		"filters, members any":                 {obj{"mode": "all", "filters": list{clause(obj{"attribute": "otherMails", "operator": "ENDS_WITH", "value": "@a.example", "members": "any"})}}, "ben cleo"},
		"filters, members all":                 {obj{"mode": "all", "filters": list{clause(obj{"attribute": "otherMails", "operator": "ENDS_WITH", "value": "@a.example", "members": "all"})}}, "cleo"},
		"filters, memberOf":                    {obj{"mode": "all", "filters": list{clause(obj{"attribute": "memberOf", "operator": "EQUALS", "value": id("outer")})}}, "anna"},
		"filters, not memberOf":                {obj{"mode": "all", "filters": list{clause(obj{"attribute": "memberOf", "operator": "NOT EQUALS", "values": list{id("outer"), id("inner")}})}}, "cleo dan"},
		"filters, memberOf with nestedGroups":  {obj{"mode": "all", "nestedGroups": true, "filters": list{clause(obj{"attribute": "memberOf", "operator": "EQUALS", "value": id("outer")})}}, "anna ben"},
		"filters, manager":                     {obj{"mode": "all", "filters": list{clause(obj{"attribute": "manager", "operator": "EQUALS", "value": id("anna")})}}, "cleo"},
		"filters, date":                        {obj{"mode": "all", "filters": list{clause(obj{"attribute": "employeeHireDate", "operator": "LESS_THAN", "value": "now-30d"})}}, "anna"},
		"filters, userType":                    {obj{"mode": "all", "filters": list{clause(obj{"attribute": "userType", "operator": "EQUALS", "value": "member", "ignoreCase": true})}}, "anna ben cleo dan"},
		"filters narrow an assignment as well": {obj{"groups": list{id("outer")}, "nestedGroups": true, "filters": list{clause(obj{"attribute": "jobTitle", "operator": "IS NULL"})}}, "anna"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, scoped(), users())
			l.configure(jobWith(obj{"scope": c.scope}))
			l.sync(0, "success")
			expectEqual(t, "in the target", l.copies(), c.want)
		})
	}
}

func TestConfigKeysOfMappings(t *testing.T) {
	t.Parallel()
	source := users(staff("anna", obj{"jobTitle": "Pilot", "city": "Ulm", "telephone": nil, "businessPhones": list{"1"}, "officeLocation": "R1", "manager": obj{"id": id("boss")}}),
		staff("boss", obj{"jobTitle": "Boss"}))
	delete(source["users"].(list)[0].(obj), "telephone")
	for name, c := range map[string]struct {
		mappings list
		first    obj // of anna's copy after the first cycle
		change   obj // of anna
		then     obj // after the second
	}{
		"source": {list{obj{"target": "jobTitle", "source": "jobTitle"}}, obj{"jobTitle": "Pilot"}, obj{"jobTitle": "Captain"}, obj{"jobTitle": "Captain"}},
		"constant": {list{obj{"target": "companyName", "constant": "Contoso"}}, obj{"companyName": "Contoso"}, obj{"city": "Bonn"},
			obj{"companyName": "Contoso"}},
		"constant null":   {list{obj{"target": "city", "constant": nil}, obj{"target": "jobTitle", "source": "jobTitle"}}, obj{"city": nil}, nil, nil},
		"expression":      {list{obj{"target": "department", "expression": `Join("/", [city], [jobTitle])`}}, obj{"department": "Ulm/Pilot"}, obj{"city": "Bonn"}, obj{"department": "Bonn/Pilot"}},
		"defaultValue":    {list{obj{"target": "department", "source": "department", "defaultValue": "None"}}, obj{"department": "None"}, nil, nil},
		"flowType Always": {list{obj{"target": "jobTitle", "source": "jobTitle", "flowType": "Always"}}, obj{"jobTitle": "Pilot"}, obj{"jobTitle": "Captain"}, obj{"jobTitle": "Captain"}},
		"flowType ObjectAddOnly": {list{obj{"target": "jobTitle", "source": "jobTitle", "flowType": "ObjectAddOnly"}}, obj{"jobTitle": "Pilot"}, obj{"jobTitle": "Captain"},
			obj{"jobTitle": "Pilot"}},
		"flowType AttributeAddOnly": {list{obj{"target": "jobTitle", "source": "jobTitle", "flowType": "AttributeAddOnly"}, obj{"target": "city", "source": "city", "flowType": "AttributeAddOnly"}},
			obj{"jobTitle": "Pilot", "city": "Ulm"}, obj{"jobTitle": "Captain"}, obj{"jobTitle": "Pilot", "city": "Ulm"}},
		"flowNull": {list{obj{"target": "jobTitle", "source": "jobTitle", "flowNull": true}, obj{"target": "city", "source": "city"}}, obj{"jobTitle": "Pilot", "city": "Ulm"},
			obj{"jobTitle": nil, "city": nil}, obj{"jobTitle": nil, "city": "Ulm"}},
		"old directory names": {list{obj{"target": "physicalDeliveryOfficeName", "source": "physicalDeliveryOfficeName"}, obj{"target": "telephoneNumber", "source": "telephoneNumber"}},
			obj{"officeLocation": "R1", "businessPhones": list{"1"}}, obj{"officeLocation": "R2"}, obj{"officeLocation": "R2"}},
		"manager":  {list{obj{"target": "manager", "source": "manager"}}, obj{"manager": "boss"}, obj{"manager": nil}, obj{"manager": nil}},
		"left out": {nil, obj{"jobTitle": "Pilot", "city": "Ulm", "userType": "Member", "showInAddressList": true, "manager": "boss"}, nil, nil},
		// Graph takes one number in businessPhones: there is no room for another.
		"flowType ValueAddOnly": {list{obj{"target": "businessPhones", "source": "businessPhones", "flowType": "ValueAddOnly"}},
			obj{"businessPhones": list{"1"}}, obj{"businessPhones": list{"2"}}, obj{"businessPhones": list{"1"}}},
		"flowType MultiValueAddOnly": {list{obj{"target": "businessPhones", "source": "businessPhones", "flowType": "MultiValueAddOnly"}},
			obj{"businessPhones": list{"1"}}, obj{"businessPhones": list{"2"}}, obj{"businessPhones": list{"1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, source, users())
			job := obj{"mappings": nil}
			if c.mappings != nil {
				job["mappings"] = append(list{obj{"target": "displayName", "source": "displayName"}}, c.mappings...)
			}
			l.configure(jobWith(job))
			l.sync(0, "success")
			boss := l.copyOf("boss")
			compare := func(when string, want obj) {
				t.Helper()
				anna := l.copyOf("anna")
				for key, value := range want {
					if key == "manager" && value == "boss" {
						value = obj{"id": boss.id()}
					}
					expectEqual(t, when+": "+key, image(anna[key]), image(value))
				}
			}
			compare("first", c.first)
			if c.change != nil {
				l.change("source", id("anna"), c.change)
				l.sync(0, "success")
				compare("then", c.then)
			}
			again := l.during("target", func() { l.sync(0, "success", "--initial") })
			expectEqual(t, "writes of a cycle with nothing to do", kinds(again), []string{})
		})
	}
}

func TestConfigKeysMatchingPriority(t *testing.T) {
	t.Parallel()
	// The guest is known by employeeId alone: her address is an old one of the source's domain.
	old := guest("old", "old.anna@contoso.example", obj{"employeeId": "E1"})
	l := newLab(t, users(staff("anna", obj{"employeeId": "E1"})), users(old))
	l.configure(jobWith(obj{"mappings": list{obj{"target": "displayName", "source": "displayName"}, obj{"target": "mail", "source": "mail", "matchingPriority": 1},
		obj{"target": "employeeId", "source": "employeeId"}}}))
	l.sync(0, "success")
	expectEqual(t, "matched by mail alone: a new user", l.linkOf("anna") == id("old"), false)

	l = newLab(t, users(staff("anna", obj{"mail": "a.berg@contoso.example"})), users(guest("known", "a.berg@contoso.example")))
	l.configure(jobWith(obj{"mappings": list{obj{"target": "displayName", "source": "displayName"}, obj{"target": "mail", "source": "mail", "matchingPriority": 1}}}))
	writes := l.during("target", func() { l.sync(0, "success") })
	expectEqual(t, "linked to", l.linkOf("anna"), id("known"))
	expectEqual(t, "writes", kinds(writes), []string{"updateUser"})
}

func TestConfigKeysOfLeaving(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		job     obj
		leave   int // of ten
		exit    int
		outcome string
		want    string // of the copies: present and enabled, disabled, gone
	}{
		"deprovision delete":                 {obj{"deprovision": "delete"}, 1, 0, "success", "9 0 1"},
		"deprovision disable":                {obj{"deprovision": "disable"}, 1, 0, "success", "9 1 0"},
		"deprovision none":                   {obj{"deprovision": "none"}, 1, 0, "success", "10 0 0"},
		"deletions.threshold":                {obj{"deletions": obj{"threshold": 2}}, 3, 5, "quarantine", "10 0 0"},
		"deletions.threshold, not more than": {obj{"deletions": obj{"threshold": 3}}, 3, 0, "success", "7 0 3"},
		"deletions.prevent":                  {obj{"deletions": obj{"prevent": false}}, 5, 0, "success", "5 0 5"},
		"targetObjectActions without delete": {obj{"targetObjectActions": list{"create", "update"}}, 1, 0, "success", "10 0 0"},
		"guards.scopeShrink at zero":         {obj{}, 10, 5, "quarantine", "10 0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, obj{"users": team("s", 10), "groups": list{obj{"id": id("g"), "displayName": "G", "securityEnabled": true, "members": ids("s", 1, 10)}}}, users())
			c.job["scope"] = obj{"groups": list{id("g")}}
			l.configure(jobWith(c.job))
			l.sync(0, "success")
			l.members(id("g"), ids("s", c.leave+1, 10)...)
			l.sync(c.exit, c.outcome)
			enabled, disabled := 0, 0
			for _, u := range l.section("target", "users") {
				if u["accountEnabled"] == false {
					disabled++
				} else {
					enabled++
				}
			}
			expectEqual(t, "enabled, disabled, gone", spaced(enabled, disabled, len(l.section("target", "deletedUsers"))), c.want)
		})
	}
}

func TestConfigKeysOfGuards(t *testing.T) {
	t.Parallel()
	leavers := func(t *testing.T, n, leave int, edit obj) *lab {
		l := newLab(t, users(team("s", n)...), users())
		l.configure(jobWith(edit))
		l.sync(0, "success")
		l.remove("source", ids("s", 1, leave)...)
		return l
	}
	t.Run("deletions.percent", func(t *testing.T) {
		t.Parallel()
		l := leavers(t, 30, 10, obj{"deletions": obj{"percent": 30}, "guards": obj{"scopeShrink": 0}})
		expectEqual(t, "held", l.sync(5, "quarantine").Summary.Held, 10)
	})
	t.Run("deletions.percent off", func(t *testing.T) {
		t.Parallel()
		l := leavers(t, 30, 10, obj{"deletions": obj{"percent": 0}, "guards": obj{"scopeShrink": 0}})
		expectEqual(t, "deleted", l.sync(0, "success").Summary.Delete, 10)
	})
	t.Run("guards.scopeShrink", func(t *testing.T) {
		t.Parallel()
		l := leavers(t, 20, 9, obj{"deletions": obj{"prevent": false}, "guards": obj{"scopeShrink": 40}})
		l.sync(5, "quarantine")
		var status any
		l.json(5, &status, "status")
		expectEqual(t, "reason", at(status, "jobs", 0, "quarantine", "reason"), "ScopeShrunk")
	})
	t.Run("guards.changes", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(team("s", 103)...), users())
		l.configure(jobWith(nil))
		l.sync(0, "success")
		changed := list{obj{"target": "displayName", "expression": `Append([displayName], "!")`}}
		l.configure(jobWith(obj{"mappings": changed}))
		expectEqual(t, "held", l.sync(5, "quarantine").Summary.Held, 103)
		l.configure(jobWith(obj{"mappings": changed, "guards": obj{"changes": 0}}))
		expectEqual(t, "with the guard off", l.sync(0, "success").Summary.Update, 103)
	})
	t.Run("deleteAfter", func(t *testing.T) {
		t.Parallel()
		l := leavers(t, 3, 1, obj{"deprovision": "disable", "deleteAfter": "1s"})
		expectEqual(t, "disabled first", l.sync(0, "success").Summary.Disable, 1)
		deleted := 0
		waitFor(t, "the delete after a second", func() bool { deleted += l.sync(0, "success", "--initial").Summary.Delete; return deleted > 0 })
		expectEqual(t, "deleted", deleted, 1)
	})
}

// waitFor asks until the answer is yes; each question takes a process a while.
func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for range 300 {
		if ready() {
			return
		}
	}
	t.Fatalf("%s: it did not come", what)
}

func TestConfigKeysOfTheTarget(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, edit obj) *lab {
		l := newLab(t, users(staff("anna", obj{"mail": "a.berg@contoso.example"})), users())
		l.configure(jobWith(edit))
		return l
	}
	t.Run("targetObjectActions", func(t *testing.T) {
		t.Parallel()
		l := start(t, obj{"targetObjectActions": list{"update", "delete"}})
		expectEqual(t, "without create", spaced(l.sync(0, "success").Summary.Create, l.copies()), "0")
		l.configure(jobWith(obj{"targetObjectActions": list{"create"}}))
		expectEqual(t, "with create", spaced(l.sync(0, "success").Summary.Create, l.copies()), "1 anna")
		l.change("source", id("anna"), obj{"jobTitle": "Pilot"})
		l.sync(0, "success")
		expectEqual(t, "without update", l.copyOf("anna")["jobTitle"], nil)
		l.configure(jobWith(obj{"targetObjectActions": list{"update"}}))
		l.sync(0, "success")
		expectEqual(t, "with update", l.copyOf("anna")["jobTitle"], "Pilot")
	})
	t.Run("invitation", func(t *testing.T) {
		t.Parallel()
		for name, c := range map[string]struct{ edit, want obj }{
			"default": {nil, obj{"invitedUserEmailAddress": "anna@contoso.example", "sendInvitationMessage": nil, "inviteRedirectUrl": "https://myapplications.microsoft.com/?tenantid=" + targetTenant}},
			"all": {obj{"invitation": obj{"by": "mail", "redirectUrl": "https://portal.example/", "sendMessage": true}},
				obj{"invitedUserEmailAddress": "a.berg@contoso.example", "sendInvitationMessage": true, "inviteRedirectUrl": "https://portal.example/"}},
		} {
			l := start(t, c.edit)
			sent := l.during("target", func() { l.sync(0, "success") })[0].fields(t)
			if sent["sendInvitationMessage"] == false {
				sent["sendInvitationMessage"] = nil // left out is the same
			}
			for key, want := range c.want {
				expectEqual(t, name+": "+key, sent[key], want)
			}
		}
	})
	t.Run("targetBlock", func(t *testing.T) {
		t.Parallel()
		for block, want := range map[string]any{"keep": false, "yield": true} {
			l := start(t, obj{"targetBlock": block})
			l.sync(0, "success")
			l.change("target", l.copyOf("anna").id(), obj{"accountEnabled": false})
			l.change("source", id("anna"), obj{"accountEnabled": false})
			l.sync(0, "success")
			l.change("source", id("anna"), obj{"accountEnabled": true})
			l.sync(0, "success")
			expectEqual(t, "enabled again with "+block, l.copyOf("anna")["accountEnabled"], want)
		}
	})
}

func TestConfigKeysOfTheSchedule(t *testing.T) {
	t.Parallel()
	t.Run("schedule and autoStart", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(staff("anna")), users())
		l.configure(jobWith(obj{"schedule": "@every 1s", "autoStart": true}))
		l.startDaemon()
		l.daemon.until("in sync", func() bool { return l.copies() == "anna" })
		l.add("source", staff("ben"))
		l.daemon.until("in sync again", func() bool { return l.copies() == "anna ben" })
	})
	t.Run("autoStart off", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(staff("anna")), users())
		l.configure(jobWith(obj{"schedule": "@every 1s"}), jobWith(obj{"name": "beacon", "source": "target", "target": "source", "schedule": "@every 1s", "autoStart": true}))
		l.startDaemon()
		l.daemon.until("at work", func() bool {
			return bytes.Contains(l.run("status", "beacon", "-o", "json").stdout, []byte(`"outcome": "success"`))
		})
		var status any
		l.json(0, &status, "status", jobName)
		expectEqual(t, "state", spaced(at(status, "jobs", 0, "state"), l.copies()), "NotRun")
		l.run("start", jobName).exits(t, 0)
		l.daemon.until("in sync", func() bool { return l.copies() == "anna" })
	})
	t.Run("cron fields", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(staff("anna")), users())
		l.configure(jobWith(obj{"schedule": "30 4 * * *", "timeZone": "UTC"}))
		l.sync(0, "success")
		var status any
		l.json(0, &status, "status")
		if next, _ := at(status, "jobs", 0, "nextStart").(string); !regexp.MustCompile(`T04:30:00Z$`).MatchString(next) {
			t.Errorf("next start: got %s, want 04:30", next)
		}
		l.configure(jobWith(obj{"schedule": "at noon"}))
		l.run("config", "validate").exits(t, 78)
	})
}

func TestConfigKeysOfLimits(t *testing.T) {
	t.Parallel()
	t.Run("writesPerSecond", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(team("s", 7)...), users())
		l.configure(jobWith(obj{"limits": obj{"writesPerSecond": 1}}))
		l.sync(0, "success")
		c := l.counts("target")
		for app, most := range c.MaxWritesIn10s {
			if most > 10 || c.Writes["invite"] != 7 {
				t.Errorf("application %s: got %d writes in 10 s and %v, want at most 10 and all done", app, most, c.Writes)
			}
		}
		for _, refused := range []any{0, -1, 1001} {
			l.configure(jobWith(obj{"limits": obj{"writesPerSecond": refused}}))
			l.run("config", "validate").exits(t, 78)
		}
	})
	t.Run("parallelReads", func(t *testing.T) {
		t.Parallel()
		for reads, want := range map[int]bool{1: false, 8: true} {
			var people list
			for i := range 200 {
				people = append(people, staff(fmt.Sprint("s", i)))
			}
			l := newLab(t, obj{"users": people, "groups": list{obj{"id": id("g"), "displayName": "G", "securityEnabled": true, "members": list{}}}}, users())
			var now, most atomic.Int64
			l.faults("source", obj{"method": "POST", "path": "/$batch", "item": "outer", "delay": "50ms"})
			tap := newWire(t, l.graph)
			server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				n := now.Add(1)
				defer now.Add(-1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				tap.ServeHTTP(rw, r)
			}))
			defer server.Close()
			trust := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			ca, err := os.ReadFile(filepath.Join(l.dir, "sim", "ca.pem"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(l.dir, "sim", "ca.pem"), append(ca, trust...), 0o600); err != nil {
				t.Fatal(err)
			}
			l.head = strings.Replace(l.head, "graph: '"+l.root, "graph: '"+server.URL, 1)
			l.configure(jobWith(obj{"scope": obj{"groups": list{id("g")}}, "limits": obj{"writesPerSecond": 1000, "parallelReads": reads}}))
			l.sync(0, "success")
			var members []string
			for i := range 200 {
				members = append(members, id(fmt.Sprint("s", i)))
			}
			l.members(id("g"), members...)
			expectEqual(t, "created", l.sync(0, "success").Summary.Create, 200)
			if got := most.Load(); got > int64(reads) || (got > 1) != want {
				t.Errorf("parallelReads %d: got %d requests to the source at a time", reads, got)
			}
		}
	})
}

func TestConfigRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(), users())
	bad := map[string][]obj{
		"source equals target":          {jobWith(obj{"target": "source"})},
		"duplicate job":                 {jobWith(nil), jobWith(nil)},
		"unknown tenant":                {jobWith(obj{"target": "nowhere"})},
		"zero limit":                    {jobWith(obj{"limits": obj{"writesPerSecond": 0}})},
		"negative limit":                {jobWith(obj{"limits": obj{"parallelReads": -1}})},
		"mapping without target":        {jobWith(obj{"mappings": list{obj{"source": "mail"}}})},
		"mapping with two sources":      {jobWith(obj{"mappings": list{obj{"target": "mail", "source": "mail", "constant": "x"}}})},
		"mapping without any source":    {jobWith(obj{"mappings": list{obj{"target": "mail"}}})},
		"unknown operator":              {jobWith(obj{"scope": obj{"mode": "all", "filters": list{obj{"title": "F", "clauses": list{obj{"attribute": "city", "operator": "LIKE", "value": "x"}}}}}})},
		"unknown function":              {jobWith(obj{"mappings": list{obj{"target": "city", "expression": `Jion("a")`}}})},
		"unknown attribute":             {jobWith(obj{"mappings": list{obj{"target": "shoeSize", "source": "mail"}}})},
		"unknown attribute in a filter": {jobWith(obj{"scope": obj{"mode": "all", "filters": list{obj{"title": "F", "clauses": list{obj{"attribute": "shoeSize", "operator": "IS NULL"}}}}}})},
		"unknown key":                   {jobWith(obj{"shedule": "@every 1h"})},
		"unknown flow type":             {jobWith(obj{"mappings": list{obj{"target": "city", "source": "city", "flowType": "Sometimes"}}})},
		"unknown scope mode":            {jobWith(obj{"scope": obj{"mode": "some"}})},
	}
	for name, jobs := range bad {
		l.configure(jobs...)
		a := l.run("config", "validate", "-o", "json").exits(t, 78)
		problems := a.problems(t)
		if len(problems) == 0 {
			t.Errorf("%s: got no error object", name)
		}
		for _, p := range problems {
			if at(p, "file") != l.config || at(p, "line") == nil || at(p, "column") == nil {
				t.Errorf("%s: got %v, want file, line and column", name, p)
			}
		}
	}
	for name, tenantID := range map[string]string{"empty tenantId": "''", "malformed tenantId": "contoso", "whitespace": "'  '"} {
		l.configureText(strings.Replace(l.head, targetTenant, tenantID, 1) + "jobs: []\n")
		a := l.run("config", "validate", "-o", "json").exits(t, 78)
		if len(a.problems(t)) != 1 {
			t.Errorf("%s: got %s, want one error object", name, a.stderr)
		}
	}
	l.configureText("version: [\n")
	if p := l.run("status", "-o", "json").exits(t, 78).problems(t); len(p) == 0 || at(p, 0, "line") == nil {
		t.Errorf("no YAML: got %v, want an error with its line", p)
	}
}
