package e2e_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// §7, "Confirmation": nobody is at a terminal here
func TestSettledConfirmation(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(team("user", 4)...), nil)
	l.configure(jobWith(obj{"deletions": obj{"threshold": 0}}))
	l.sync(0, "success")
	l.json(0, nil, "provision", "user01@contoso.example")
	l.remove("source", id("user01"))
	l.sync(5, "quarantine")
	for _, args := range [][]string{{"deletions", "allow", jobName, "--all"}, {"deletions", "reject", jobName, "--all"}, {"restart", jobName}} {
		if a := l.run(args...); a.exit != 64 || !strings.Contains(string(a.stderr), "--yes") {
			t.Errorf("%q: exit %d, want 64 and a word about --yes\n%s", args, a.exit, a.stderr)
		}
	}
	expectEqual(t, "held", l.heldFor("TooManyDeletes"), []string{id("user01")})
	l.json(0, nil, "restart", jobName, "--yes")
	l.json(0, nil, "deletions", "reject", jobName, "--all", "--yes")
	expectEqual(t, "held", len(l.heldFor("")), 0)
}

// §7, "`provision` never deletes"
func TestSettledProvisionNeverDeletes(t *testing.T) {
	t.Parallel()
	l := newLab(t, obj{"users": team("user", 3), "groups": list{obj{"id": id("group"), "displayName": "Sync", "securityEnabled": true, "members": ids("user", 1, 3)}}}, nil)
	l.configure(jobWith(obj{"scope": obj{"mode": "assigned", "groups": list{id("group")}}}))
	l.sync(0, "success")
	l.members(id("group"), ids("user", 2, 3)...)
	var p struct{ Status, ErrorCode, Reason string }
	writes := l.during("target", func() { l.json(0, &p, "provision", "user01@contoso.example") })
	expectEqual(t, "writes", len(writes), 0)
	expectEqual(t, "status", p.Status, "skipped")
	if p.ErrorCode != "PendingDelete" || !strings.Contains(p.Reason, "pending action delete") {
		t.Errorf("got %s %q, want the pending delete named", p.ErrorCode, p.Reason)
	}
	expectEqual(t, "the next cycle", l.sync(0, "success").Summary.Delete, 1)
}

// §7, "Crash between invitation and update"
func TestSettledCrashBetweenInvitationAndUpdate(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(team("user", 5)...), nil)
	l.faults("target", obj{"method": "PATCH", "path": "/users/*", "delay": "1m", "close": true})
	p := launch(t, l.dir, "-c", l.config, "sync", jobName)
	p.until("the invitations are out", func() bool { return len(l.journal("target")) >= 5 })
	p.kill()
	for _, w := range l.journal("target") {
		if w.Kind == "updateUser" && w.Status < 300 {
			t.Fatalf("before the crash: got %v, want invitations only", w)
		}
	}
	l.faults("target")
	expectEqual(t, "summary", l.sync(0, "success").Summary, summary{Create: 5})
	// What was under way when the client died the target may still carry out, so an
	// update can come from either side of the crash.
	updated := map[string]bool{}
	for _, w := range l.journal("target") {
		if w.Kind == "updateUser" && w.Status < 300 {
			updated[w.Path] = true
			if body := w.fields(t); body["userType"] != "Member" || body["showInAddressList"] != true {
				t.Errorf("update: got %v, want the attributes of a create", body)
			}
		}
	}
	expectEqual(t, "users updated", len(updated), 5)
	l.everyoneOnce("user", 5)
}

// §7, "Summary", "A restore in the log", "inScope"
func TestSettledSummaryAndCounts(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann"), staff("bob"), staff("cid"), staff("bad", obj{"userPrincipalName": "a+b@contoso.example"})),
		users(guest("same", "cid@contoso.example", obj{"displayName": "User cid", "userType": "Member", "showInAddressList": true})))
	c := l.sync(3, "partial")
	expectEqual(t, "an adopted user without differences is unchanged", c.Summary, summary{Create: 2, Unchanged: 1, Failed: 1})
	if s := l.status(0); s.InScope != 4 || s.Linked != 3 || s.Retries != 1 {
		t.Errorf("status: got %+v, want 4 in scope (one waits after a failure), 3 linked, 1 retry", s)
	}
	l.change("source", id("ann"), obj{"accountEnabled": false, "city": "Rome"})
	expectEqual(t, "disable", l.sync(3, "partial").Summary.Disable, 1)

	l.remove("source", id("bob"))
	l.sync(0, "success") // the failed one waits for its time now
	l.add("source", staff("bob"))
	expectEqual(t, "restore", l.sync(0, "success").Summary.Restore, 1)
	r := l.logOf(id("bob"))[0]
	if r.ProvisioningAction != "update" {
		t.Errorf("the restore in the log: got action %s, want update", r.ProvisioningAction)
	}
	found := false
	for _, p := range r.ModifiedProperties {
		found = found || p.DisplayName == "IsSoftDeleted" && p.OldValue == "True" && p.NewValue == "False"
	}
	if !found {
		t.Errorf("the restore in the log: got %v, want IsSoftDeleted True to False", r.ModifiedProperties)
	}
}

// §7, "Order of exit codes" and "Exit codes"
func TestSettledExitCodes(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, more ...any) *lab {
		l := newLab(t, users(append(team("user", 5), more...)...), nil)
		l.configure(jobWith(obj{"deletions": obj{"threshold": 0}}))
		return l
	}
	bad := staff("bad", obj{"userPrincipalName": "a+b@contoso.example"})
	t.Run("5 before 3", func(t *testing.T) {
		t.Parallel()
		l := start(t)
		l.sync(0, "success")
		l.remove("source", id("user01"))
		l.add("source", bad)
		l.sync(5, "quarantine")
		expectEqual(t, "plan", l.run("plan", jobName).exit, 0)
		expectEqual(t, "status", l.run("status").exit, 5)
		l.sync(5, "partial") // the object is due again with the next cycle
	})
	t.Run("4 before 3: all writes refused", func(t *testing.T) {
		t.Parallel()
		l := start(t)
		l.faults("target", obj{"method": "POST", "path": "/invitations", "status": 403, "code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation."})
		a := l.run("sync", jobName, "-o", "json")
		expectEqual(t, "exit code", a.exit, 4)
		var c cycle
		a.into(t, &c)
		expectEqual(t, "created", c.Summary.Create, 0)
	})
	t.Run("3: one object refused", func(t *testing.T) {
		t.Parallel()
		l := start(t)
		l.faults("target", obj{"method": "POST", "path": "/invitations", "nth": 2, "status": 403, "code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation."})
		expectEqual(t, "summary", l.sync(3, "partial").Summary, summary{Create: 4, Failed: 1})
	})
	t.Run("0: warnings, and objects that only wait for their retry", func(t *testing.T) {
		t.Parallel()
		l := start(t, bad, staff("lost", obj{"accountEnabled": false}), staff("led", obj{"manager": obj{"id": id("lost")}}))
		l.sync(3, "partial")
		expectEqual(t, "retried with the next cycle", l.sync(3, "partial").Summary.Failed, 1)
		// From now on it waits for its time.
		expectEqual(t, "not due", l.sync(0, "success").Summary.Failed, 0)
		l.says(id("led"), "warning", "UnableToResolveReferenceAttributeValue")
		var r struct {
			Job     string
			Retries []struct {
				SourceID, Step, ErrorCode, NextAttempt string
				Attempts                               int
			}
		}
		l.json(0, &r, "retries", "list", jobName)
		if len(r.Retries) != 1 || r.Retries[0].SourceID != id("bad") || r.Retries[0].Attempts < 2 || r.Retries[0].NextAttempt == "" {
			t.Errorf("retries: got %+v, want the one that waits", r)
		}
		// `retries now` does not wait; here the cause is cured.
		l.change("source", id("bad"), obj{"displayName": "Cured"})
		l.json(0, nil, "provision", "user01@contoso.example")
		l.run("retries", "now", jobName)
		expectEqual(t, "still wrong", l.status(0).Retries, 1)
		l.change("source", id("bad"), obj{"userPrincipalName": "ab@contoso.example"})
		l.run("retries", "now", jobName)
		expectEqual(t, "cured", l.status(0).Retries, 0)
	})
	t.Run("130: interrupted", func(t *testing.T) {
		t.Parallel()
		l := start(t, bad)
		l.faults("target", obj{"method": "PATCH", "path": "/users/*", "delay": "200ms"})
		p := launch(t, l.dir, "-c", l.config, "sync", jobName, "-o", "json")
		p.until("the invitations are out", func() bool { return len(l.journal("target")) >= 5 })
		if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		a := p.wait()
		expectEqual(t, "exit code", a.exit, 130)
		var c cycle
		a.into(t, &c)
		expectEqual(t, "outcome", c.Outcome, "interrupted")
		l.faults("target")
		l.sync(3, "partial")
		expectEqual(t, "users of the target", len(l.section("target", "users")), 5)
	})
	t.Run("plan, provision, unknown names", func(t *testing.T) {
		t.Parallel()
		l := start(t, bad, staff("off", obj{"accountEnabled": false}))
		for _, c := range []struct {
			exit int
			args []string
		}{
			{0, []string{"plan", jobName}}, {2, []string{"plan", jobName, "--detailed-exitcode"}},
			{0, []string{"provision", "user01@contoso.example"}}, {0, []string{"provision", "off@contoso.example"}}, {3, []string{"provision", "a+b@contoso.example"}},
			{64, []string{"provision", "nobody@contoso.example"}}, {64, []string{"sync", "no-such-job"}}, {64, []string{"plan", "no-such-job"}},
			{64, []string{"explain", "nobody@contoso.example", "--job", jobName}}, {64, []string{"status", "no-such-job"}},
			{64, []string{"deletions", "list", "no-such-job"}}, {64, []string{"retries", "list", "no-such-job"}},
			{3, []string{"sync", jobName}}, {0, []string{"status"}},
		} {
			if a := l.run(append(c.args, "-o", "json")...); a.exit != c.exit {
				t.Errorf("%q: exit %d, want %d\n%s\n%s", c.args, a.exit, c.exit, a.stdout, a.stderr)
			}
		}
		l.change("source", id("bad"), obj{"userPrincipalName": "ab@contoso.example"})
		l.sync(0, "success")
		expectEqual(t, "plan of nothing", l.run("plan", jobName, "--detailed-exitcode").exit, 0)
		l.remove("source", id("user01"))
		expectEqual(t, "plan of what would be held", l.run("plan", jobName).exit, 0)
	})
	t.Run("4: a wrong secret", func(t *testing.T) {
		t.Parallel()
		l := start(t)
		if err := os.WriteFile(filepath.Join(l.dir, "sim", "target.secret"), []byte("wrong"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"sync", jobName}, {"check"}, {"provision", "user01@contoso.example"}} {
			if a := l.run(append(args, "-o", "json")...); a.exit != 4 {
				t.Errorf("%q: exit %d, want 4\n%s\n%s", args, a.exit, a.stdout, a.stderr)
			}
		}
	})
	t.Run("4: a permission is missing in the source", func(t *testing.T) {
		t.Parallel()
		l := start(t)
		a := l.access["source"]
		l.put("source", obj{"applications": list{obj{"appId": a.clientID, "secret": a.secret, "roles": list{"Organization.Read.All"}}}})
		got := l.run("sync", jobName, "-o", "json")
		if got.exit != 4 || !strings.Contains(string(got.stderr), "User.Read.All") {
			t.Errorf("exit %d, want 4 and the permission named\n%s", got.exit, got.stderr)
		}
	})
}

// §7, "stderr with -o json"
func TestSettledStderrIsJSONLines(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann"), staff("bad", obj{"userPrincipalName": "a+b@contoso.example"})), nil)
	l.faults("target", obj{"method": "POST", "path": "/$batch", "item": "outer", "nth": 1, "status": 503, "code": "ServiceNotAvailable"})
	for _, a := range []answer{
		l.run("sync", jobName, "-o", "json", "-v"), l.run("plan", jobName, "-o", "json"), l.run("status", "-o", "json"),
		l.run("sync", "no-such-job", "-o", "json"), l.run("sync", "--no-such-flag", "-o", "json"), l.run("provision", "a+b@contoso.example", "-o", "json"),
	} {
		for line := range bytes.Lines(a.stderr) {
			var record struct {
				Error *struct{ Code, Message string }
				Level string
			}
			if err := json.Unmarshal(line, &record); err != nil || (record.Error == nil) == (record.Level == "") {
				t.Errorf("%q: stderr has %s (%v), want an error or a log record", a.args, line, err)
			}
			if record.Error != nil && (record.Error.Code == "" || record.Error.Message == "") {
				t.Errorf("%q: got %s, want code and message", a.args, line)
			}
		}
	}
	// A sync that began prints its JSON whatever its outcome.
	l.faults("source", obj{"method": "GET", "path": "/users/delta", "status": 403, "code": "Authorization_RequestDenied"})
	a := l.run("sync", jobName, "-o", "json")
	var c cycle
	a.into(t, &c)
	if c.Outcome != "failed" && c.Outcome != "quarantine" || a.exit != 4 {
		t.Errorf("a sync that failed: got outcome %q, exit %d, want failed or quarantine, and 4", c.Outcome, a.exit)
	}
}

// §7, "`graph` in `sync`"
func TestSettledGraphCounts(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(append(team("user", 45), staff("led", obj{"manager": obj{"id": id("user01")}}))...), nil)
	for _, args := range [][]string{nil, nil, {"--initial"}} {
		l.counts("source")
		l.counts("target")
		c := l.sync(0, "success", args...)
		source, target := l.counts("source"), l.counts("target")
		expectEqual(t, "requests", c.Graph.Requests, source.Requests+target.Requests)
		writes := 0
		for _, n := range target.Writes {
			writes += n
		}
		expectEqual(t, "writes", c.Graph.Writes, writes)
		expectEqual(t, "throttled", c.Graph.Throttled, 0)
	}
}

// §7, "Budget" and "Throttled": one bucket for each application and tenant
func TestSettledJobsShareTheBudget(t *testing.T) {
	t.Parallel()
	l := newLab(t, obj{"users": append(team("one", 15), team("two", 15)...), "groups": list{
		obj{"id": id("one"), "displayName": "One", "securityEnabled": true, "members": ids("one", 1, 15)},
		obj{"id": id("two"), "displayName": "Two", "securityEnabled": true, "members": ids("two", 1, 15)}}}, nil)
	over := func(name string, rate float64) obj {
		return jobWith(obj{"name": name, "scope": obj{"mode": "assigned", "groups": list{id(name)}}, "limits": obj{"writesPerSecond": rate}, "autoStart": true})
	}
	l.configure(over("one", 5), over("two", 40))
	l.startDaemon()
	l.daemon.until("everybody is there", func() bool { return len(l.journal("target")) >= 60 })
	l.stopDaemon()
	if n := l.counts("target").MaxWritesIn10s[l.access["target"].clientID]; n > 50 {
		t.Errorf("writes within 10 s: got %d, want at most 10 times the lowest rate, 50", n)
	}
	expectEqual(t, "users of the target", len(l.section("target", "users")), 30)
}

// §7, "Calls to Graph"
func TestSettledCallsToGraph(t *testing.T) {
	t.Parallel()
	l := newLab(t, obj{"users": append(team("user", 25), staff("led", obj{"manager": obj{"id": id("user01")}})), "groups": list{
		obj{"id": id("group"), "displayName": "Sync", "securityEnabled": true, "members": append(ids("user", 1, 25), id("led"))}}},
		users(guest("old", "user02@contoso.example")))
	var mu sync.Mutex
	var asked []string
	note := func(resp *http.Response, body []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, resp.Request.Method+" "+resp.Request.URL.RequestURI())
		if h := resp.Request.Header.Get("ConsistencyLevel"); h != "" {
			asked = append(asked, "an advanced query: ConsistencyLevel "+h)
		}
		return body
	}
	l.bendTenant("source", note)
	l.bendTenant("target", note)
	l.configure(jobWith(obj{"scope": obj{"mode": "assigned", "groups": list{id("group")}}}))
	l.counts("source")
	l.counts("target")
	l.sync(0, "success")
	l.change("source", id("user03"), obj{"city": "Rome"})
	l.change("source", id("led"), obj{"manager": obj{"id": id("user02")}})
	l.members(id("group"), append(ids("user", 1, 20), id("led"))...)
	l.sync(0, "success")
	l.members(id("group"), append(ids("user", 1, 25), id("led"))...)
	l.add("source", staff("late"))
	l.sync(0, "success")
	l.sync(0, "success", "--initial")
	l.json(0, nil, "provision", "user04@contoso.example")

	known := []string{ // graph-api.md §1 without what nobody needs for a cycle
		"listUsers", "getUser", "usersDelta", "listDeleted", "getDeleted", "getGroup", "listMembers", "listTransitiveMembers", "groupsDelta", "batch",
		"listAppRoleAssignedTo", "getPartner", "listPartners", "getAuthorizationPolicy", "getCrossTenantDefault", "getOrganization", "getByIds", "getManager",
		"getIdentitySynchronization",
	}
	for _, tenant := range []string{"source", "target"} {
		for _, kind := range slices.Sorted(maps.Keys(l.counts(tenant).Reads)) {
			if !slices.Contains(known, kind) {
				t.Errorf("%s was asked for %s, which no cycle needs", tenant, kind)
			}
		}
	}
	listing := regexp.MustCompile(`GET /v1\.0/users\?`)
	listed := 0
	for _, line := range asked {
		if listing.MatchString(line) {
			listed++
			if strings.Contains(line, "filter") && !strings.Contains(line, "eq") && !strings.Contains(line, "in") {
				t.Errorf("listed with a filter: %s", line)
			}
		}
		for _, advanced := range []string{"ConsistencyLevel", "%24count", "$count", "search", "endsWith", "+ne+", "%20ne%20", "not(", "orderby"} {
			if strings.Contains(line, advanced) {
				t.Errorf("an advanced query: %s", line)
			}
		}
	}
	if listed == 0 {
		t.Error("the target's users were never listed: the test proves nothing")
	}
}

// §7, "`run`"
func TestSettledRun(t *testing.T) {
	t.Parallel()
	t.Run("a job that never ran waits", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(team("user", 3)...), nil)
		l.startDaemon()
		expectEqual(t, "state", l.status(0).State, "NotRun")
		l.stopDaemon()
		expectEqual(t, "writes", len(l.journal("target")), 0)
	})
	t.Run("unless autoStart", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(team("user", 3)...), nil)
		l.configure(jobWith(obj{"autoStart": true}))
		l.startDaemon()
		l.daemon.until("the first cycle has ended", func() bool { s := l.status(0); return s.LastCycle != nil && s.State == "Active" })
		expectEqual(t, "linked", l.status(0).Linked, 3)
	})
	t.Run("what is overdue begins at once", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(team("user", 3)...), nil)
		l.configure(jobWith(obj{"schedule": "@every 1s"}), jobWith(obj{"name": "off", "enabled": false}))
		l.sync(0, "success")
		l.add("source", staff("user04"))
		l.startDaemon()
		l.daemon.until("the newcomer is there", func() bool { return l.status(0).Linked == 4 })
	})
}

// §7, "`check`"
func TestSettledCheck(t *testing.T) {
	t.Parallel()
	type check struct{ Tenant, Name, Status, Detail, Action string }
	noPartners := obj{"crossTenantAccess": obj{"partners": list{}}}
	blocked := func(direction string) obj {
		return obj{"crossTenantAccess": obj{"default": obj{"b2bCollaboration" + direction: obj{
			"usersAndGroups": obj{"accessType": "blocked", "targets": list{obj{"target": "AllUsers", "targetType": "user"}}},
			"applications":   obj{"accessType": "blocked", "targets": list{obj{"target": "AllApplications", "targetType": "application"}}}}}}}
	}
	for _, c := range []struct {
		name   string
		exit   int
		change func(l *lab)
		tenant string
		status string
		says   string // in name, detail or action
	}{
		{"all is well", 0, func(*lab) {}, "target", "success", "sign-in"},
		{"sign-in", 4, func(l *lab) {
			if err := os.WriteFile(filepath.Join(l.dir, "sim", "target.secret"), []byte("wrong"), 0o600); err != nil {
				l.t.Fatal(err)
			}
		}, "target", "failure", "secret"},
		{"wrong tenant", 4, func(l *lab) {
			l.head = strings.Replace(l.head, targetTenant, "33333333-3333-4333-8333-333333333333", 1)
			l.configure(jobWith(nil))
		}, "target", "failure", "tenant"},
		{"missing permission", 4, func(l *lab) {
			a := l.access["target"]
			l.put("target", obj{"applications": list{obj{"appId": a.clientID, "secret": a.secret,
				"roles": list{"User.ReadWrite.All", "Policy.Read.All", "Organization.Read.All", "User.DeleteRestore.All"}}}})
		}, "target", "failure", "User.Invite.All"},
		{"surplus permission", 0, func(l *lab) {
			a := l.access["source"]
			l.put("source", obj{"applications": list{obj{"appId": a.clientID, "secret": a.secret,
				"roles": list{"User.Read.All", "Policy.Read.All", "Organization.Read.All", "GroupMember.Read.All", "Mail.Send"}}}})
		}, "source", "warning", "Mail.Send"},
		{"invitations not allowed", 4, func(l *lab) {
			l.put("target", obj{"policies": obj{"authorizationPolicy": obj{"allowInvitesFrom": "adminsAndGuestInviters"}}})
		}, "target", "failure", "adminsAndGuestInviters"},
		{"B2B blocked in the target", 4, func(l *lab) { l.put("target", obj{"policies": blocked("Inbound")}) }, "target", "failure", "inbound"},
		{"B2B blocked in the source", 4, func(l *lab) { l.put("source", obj{"policies": blocked("Outbound")}) }, "source", "failure", "outbound"},
		{"no automatic redemption in the target", 0, func(l *lab) { l.put("target", obj{"policies": noPartners}) }, "target", "warning", "redemption"},
		{"no automatic redemption in the source", 0, func(l *lab) { l.put("source", obj{"policies": noPartners}) }, "source", "warning", "redemption"},
		{"Member as default", 0, func(*lab) {}, "target", "warning", "Member"},
		{"MFA trust off", 0, func(*lab) {}, "target", "warning", "MFA"},
		{"userSyncInbound", 0, func(*lab) {}, "target", "success", "userSyncInbound"},
		{"another job on the pair", 0, func(l *lab) { l.configure(jobWith(nil), jobWith(obj{"name": "second"})) }, "target", "warning", "second"},
		{"hidden members", 4, func(l *lab) {
			l.put("source", obj{"groups": list{obj{"id": id("group"), "displayName": "Secret", "securityEnabled": true, "visibility": "HiddenMembership", "members": list{}}}})
			l.configure(jobWith(obj{"scope": obj{"mode": "assigned", "groups": list{id("group")}}}))
		}, "source", "failure", "Secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(staff("ann")), nil)
			c.change(l)
			var got struct{ Checks []check }
			l.json(c.exit, &got, "check")
			found := slices.ContainsFunc(got.Checks, func(k check) bool {
				said := strings.ToLower(k.Name + " " + k.Detail + " " + k.Action)
				return k.Status == c.status && k.Tenant == c.tenant && strings.Contains(said, strings.ToLower(c.says))
			})
			if !found {
				t.Errorf("checks: got %+v, want a %s of %s that says %q", got.Checks, c.status, c.tenant, c.says)
			}
			for _, tenant := range []string{"source", "target"} {
				if w := l.journal(tenant); len(w) != 0 {
					t.Errorf("check wrote to %s: %v", tenant, w)
				}
			}
		})
	}
}

// §7, "Refused configurations (78)"
func TestSettledRefusedConfigurations(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann")), nil)
	good, err := os.ReadFile(l.config)
	if err != nil {
		t.Fatal(err)
	}
	l.json(0, nil, "config", "validate")
	mapped := func(m obj) obj { return obj{"mappings": list{m}} }
	clause := func(k obj) obj {
		return obj{"scope": obj{"mode": "all", "filters": list{obj{"title": "F", "clauses": list{k}}}}}
	}
	for name, jobs := range map[string][]obj{
		"source equals target":       {jobWith(obj{"target": "source"})},
		"duplicate job":              {jobWith(nil), jobWith(nil)},
		"unknown tenant":             {jobWith(obj{"target": "nobody"})},
		"zero limit":                 {jobWith(obj{"limits": obj{"writesPerSecond": 0}})},
		"negative limit":             {jobWith(obj{"limits": obj{"writesPerSecond": -1}})},
		"limit above 1000":           {jobWith(obj{"limits": obj{"writesPerSecond": 1001}})},
		"no parallel reads":          {jobWith(obj{"limits": obj{"parallelReads": 0}})},
		"negative threshold":         {jobWith(obj{"deletions": obj{"threshold": -1}})},
		"mapping without target":     {jobWith(mapped(obj{"source": "city"}))},
		"mapping with two sources":   {jobWith(mapped(obj{"target": "city", "source": "city", "constant": "Rome"}))},
		"mapping without source":     {jobWith(mapped(obj{"target": "city"}))},
		"unknown operator":           {jobWith(clause(obj{"attribute": "city", "operator": "EQUAL", "value": "Rome"}))},
		"unknown filter attribute":   {jobWith(clause(obj{"attribute": "town", "operator": "EQUALS", "value": "Rome"}))},
		"unknown function":           {jobWith(mapped(obj{"target": "city", "expression": "Lower([city])"}))},
		"unknown source attribute":   {jobWith(mapped(obj{"target": "city", "source": "town"}))},
		"unknown target attribute":   {jobWith(mapped(obj{"target": "town", "source": "city"}))},
		"unknown key":                {jobWith(obj{"shedule": "@every 40m"})},
		"unknown flow type":          {jobWith(mapped(obj{"target": "city", "source": "city", "flowType": "Sometimes"}))},
		"malformed schedule":         {jobWith(obj{"schedule": "every now and then"})},
		"unknown deprovision":        {jobWith(obj{"deprovision": "archive"})},
		"unknown targetBlock":        {jobWith(obj{"targetBlock": "maybe"})},
		"unknown target action":      {jobWith(obj{"targetObjectActions": list{"create", "rename"}})},
		"unknown invitation":         {jobWith(obj{"invitation": obj{"by": "phone"}})},
		"percentage above a hundred": {jobWith(obj{"guards": obj{"scopeShrink": 101}})},
	} {
		l.configure(jobs...)
		l.refuses(name)
	}
	for name, edit := range map[string][2]string{
		"empty tenantId":     {"tenantId: " + targetTenant, `tenantId: ""`},
		"malformed tenantId": {"tenantId: " + targetTenant, "tenantId: 22222222"},
		"unknown cloud":      {"tenantId: " + targetTenant, "tenantId: " + targetTenant + "\n    cloud: moon"},
		"wrong version":      {"version: 1", "version: 2"},
		"missing secret":     {"${file:target.secret}", "${NO_SUCH_VARIABLE}"},
	} {
		text := strings.Replace(string(good), edit[0], edit[1], 1)
		if text == string(good) {
			t.Fatalf("%s: the configuration has no %q", name, edit[0])
		}
		if err := os.WriteFile(l.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l.refuses(name)
	}
}

// refuses expects the configuration to be refused with its place.
func (l *lab) refuses(name string) {
	l.t.Helper()
	for _, args := range [][]string{{"config", "validate"}, {"sync", jobName}} {
		a := l.run(append(args, "-o", "json")...)
		if a.exit != 78 {
			l.t.Errorf("%s: %q: exit %d, want 78\n%s%s", name, args, a.exit, a.stdout, a.stderr)
			continue
		}
		for line := range bytes.Lines(a.stderr) {
			var e struct {
				Error struct {
					Message, File string
					Line, Column  int
				}
			}
			if err := json.Unmarshal(line, &e); err != nil || e.Error.Message == "" || e.Error.File == "" || e.Error.Line == 0 {
				l.t.Errorf("%s: %q: got %s (%v), want message, file and line", name, args, line, err)
			}
		}
		if len(a.stderr) == 0 {
			l.t.Errorf("%s: %q says nothing on stderr", name, args)
		}
	}
}
