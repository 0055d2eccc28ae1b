package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// §6.1
func TestPromise1SourceIsNeverWritten(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann"), staff("bob", obj{"manager": obj{"id": id("ann")}}), staff("cid"), staff("dan")), nil)
	l.configure(jobWith(obj{"deletions": obj{"threshold": 0}}))
	l.counts("source")
	l.sync(0, "success")
	l.change("source", id("ann"), obj{"department": "Sales", "manager": obj{"id": id("bob")}})
	l.change("source", id("cid"), obj{"accountEnabled": false})
	l.sync(0, "success")
	l.remove("source", id("dan"))
	l.sync(5, "quarantine")
	l.json(0, nil, "deletions", "allow", jobName, "--all", "--yes")
	l.add("source", staff("dan"))
	l.sync(0, "success")
	l.json(0, nil, "provision", "ann@contoso.example")
	l.sync(0, "success", "--initial")

	for _, w := range l.journal("source") {
		t.Errorf("written to the source: %s", w)
	}
	if c := l.counts("source"); len(c.Writes) != 0 || c.Requests == 0 {
		t.Errorf("counts of the source: got %+v, want requests and no write", c)
	}
	done := map[string]bool{}
	for _, w := range l.journal("target") {
		done[w.Kind] = true
	}
	for _, kind := range []string{"invite", "updateUser", "putManager", "deleteUser", "restore"} {
		if !done[kind] {
			t.Errorf("the story has no %s in the target: it proves less than it says", kind)
		}
	}
}

// §6.2
func TestPromise2UpdatesCarryOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	all := list{}
	for _, u := range team("user", 30) {
		all = append(all, staff("", u.(obj), obj{"department": "Sales", "jobTitle": "Clerk", "businessPhones": list{"+1 555 0100"}}))
	}
	l := newLab(t, obj{"users": all}, nil)
	l.sync(0, "success")
	l.change("source", id("user07"), obj{"department": "Finance", "city": "Berlin", "companyName": "not mapped"})
	l.change("source", id("user08"), obj{"companyName": "not mapped"})
	writes := l.during("target", func() {
		expectEqual(t, "summary", l.sync(0, "success").Summary.Update, 1)
	})
	if len(writes) != 1 || writes[0].Method != "PATCH" || !strings.HasSuffix(writes[0].Path, l.copyOf("user07").id()) {
		t.Fatalf("writes: got %v, want one PATCH of the changed user", writes)
	}
	expectEqual(t, "body of the PATCH", writes[0].fields(t), obj{"city": "Berlin", "department": "Finance"})

	for _, args := range [][]string{nil, {"--initial"}} {
		writes := l.during("target", func() {
			c := l.sync(0, "success", args...)
			expectEqual(t, "writes reported", c.Graph.Writes, 0)
			expectEqual(t, "updates", c.Summary.Update, 0)
		})
		if len(writes) != 0 {
			t.Errorf("sync %q of unchanged users: got %v, want no write", args, writes)
		}
	}
}

// §6.3
func TestPromise3IdleCycle(t *testing.T) {
	t.Parallel()
	groups, groupIDs := list{}, list{}
	for i := range 51 {
		g := id(fmt.Sprint("group", i))
		groupIDs = append(groupIDs, g)
		groups = append(groups, obj{"id": g, "displayName": fmt.Sprint("Group ", i), "securityEnabled": true, "members": list{}})
	}
	// The first group holds everybody, and the fifty others in a chain: its closure is all 51.
	first := groups[0].(obj)
	first["members"] = append(list{id("user01"), id("user02")}, groupIDs[1:]...)
	principal := obj{"id": id("app"), "displayName": "CTS", "appRoleAssignedTo": list{
		obj{"principalId": id("user01"), "principalType": "User", "appRoleId": "00000000-0000-0000-0000-000000000000"}}}
	for _, c := range []struct {
		name  string
		scope obj
		users int
		reads map[string]int
	}{
		{"everybody, few users", obj{"mode": "all"}, 2, map[string]int{"usersDelta": 1}},
		{"everybody, many users", obj{"mode": "all"}, 250, map[string]int{"usersDelta": 1}},
		{"one group", obj{"mode": "assigned", "groups": groupIDs[:1]}, 250, map[string]int{"usersDelta": 1, "groupsDelta": 1}},
		{"fifty groups", obj{"mode": "assigned", "groups": groupIDs[:50]}, 2, map[string]int{"usersDelta": 1, "groupsDelta": 1}},
		{"fifty-one groups", obj{"mode": "assigned", "groups": groupIDs}, 2, map[string]int{"usersDelta": 1, "groupsDelta": 2}},
		{"the closure of one group", obj{"mode": "assigned", "groups": groupIDs[:1], "nestedGroups": true}, 2, map[string]int{"usersDelta": 1, "groupsDelta": 2}},
		{"an assignment list", obj{"mode": "assigned", "servicePrincipalId": id("app")}, 2, map[string]int{"usersDelta": 1, "listAppRoleAssignedTo": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, obj{"users": team("user", c.users), "groups": groups, "servicePrincipals": list{principal}}, nil)
			l.configure(jobWith(obj{"scope": c.scope}))
			if n := l.sync(0, "success").Summary.Create; n == 0 {
				t.Fatal("nobody was created")
			}
			l.counts("source")
			l.counts("target")
			idle := l.sync(0, "success")
			source, target := l.counts("source"), l.counts("target")
			expectEqual(t, "reads of the source", source.Reads, c.reads)
			requests := 0
			for _, n := range c.reads {
				requests += n
			}
			expectEqual(t, "requests to the source", source.Requests, requests)
			expectEqual(t, "requests to the target", target.Requests, 0)
			expectEqual(t, "requests reported", idle.Graph.Requests, requests)
		})
	}
}

// §6.3, the last sentence
func TestPromise3PoliciesAreReadBeforeTheFirstCreateOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(team("user", 45)...), nil)
	policies := func(f func()) int {
		l.counts("source")
		l.counts("target")
		f()
		n := 0
		for _, tenant := range []string{"source", "target"} {
			for kind, times := range l.counts(tenant).Reads {
				if strings.Contains(kind, "Policy") || strings.Contains(kind, "Partner") || strings.Contains(kind, "CrossTenant") {
					n += times
				}
				if times > 1 && strings.HasPrefix(kind, "get") {
					t.Errorf("%s was read %d times in the %s, want at most once a cycle", kind, times, tenant)
				}
			}
		}
		return n
	}
	if n := policies(func() { l.sync(0, "success") }); n == 0 {
		t.Error("a cycle with creates reads no policy")
	}
	l.change("source", id("user01"), obj{"city": "Rome"})
	if n := policies(func() { l.sync(0, "success") }); n != 0 {
		t.Errorf("a cycle without creates reads policies %d times, want never", n)
	}
}

// §6.4
func TestPromise4WriteRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate   float64
		users  int
		within int // writes in any 10 s
	}{{5, 30, 50}, {0.05, 1, 1}} {
		t.Run(fmt.Sprint(c.rate, " a second"), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(team("user", c.users)...), nil)
			l.configure(jobWith(obj{"limits": obj{"writesPerSecond": c.rate}}))
			l.sync(0, "success")
			got := l.counts("target")
			if n := got.MaxWritesIn10s[l.access["target"].clientID]; n == 0 || n > c.within {
				t.Errorf("writes within 10 s: got %d, want 1 to %d", n, c.within)
			}
			expectEqual(t, "writes", got.Writes, map[string]int{"invite": c.users, "updateUser": c.users})
		})
	}
}

// The rate is one of the application in the tenant: a process that follows another
// counts on from there.
func TestPromise4WriteRateOverProcesses(t *testing.T) {
	t.Parallel()
	const rate, within = 4, 40
	l := newLab(t, users(team("user", 15)...), nil)
	l.configure(jobWith(obj{"limits": obj{"writesPerSecond": rate}}))
	l.sync(0, "success")
	l.load("source", l.write("more.json", users(team("user", 30)...)))
	l.sync(0, "success")
	got := l.counts("target")
	if n := got.MaxWritesIn10s[l.access["target"].clientID]; n > within || n < within/2 {
		t.Errorf("writes within 10 s: got %d, want %d to %d", n, within/2, within)
	}
	expectEqual(t, "invitations", got.Writes["invite"], 30)
}

// §6.4 and §7, "Throttled"
func TestPromise4RetryAfterIsObeyed(t *testing.T) {
	t.Parallel()
	const pause = 2 * time.Second
	t.Run("outer answer", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(team("user", 25)...), nil)
		l.faults("target", obj{"method": "POST", "path": "/$batch", "item": "outer", "times": 1, "status": 429, "code": "TooManyRequests", "retryAfter": "2"})
		began := time.Now()
		c := l.sync(0, "success")
		writes := l.journal("target")
		if first := writes[0].Time.Sub(began); first < pause {
			t.Errorf("the first write came %s after the start, want %s or more after the 429", first, pause)
		}
		expectEqual(t, "writes", len(writes), 50)
		expectEqual(t, "throttled", c.Graph.Throttled, 1)
	})
	t.Run("item of a batch", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(team("user", 25)...), nil)
		l.faults("target", obj{"method": "POST", "path": "/invitations", "item": "inner", "nth": 3, "status": 429, "code": "TooManyRequests", "retryAfter": "2"})
		l.sync(0, "success")
		var refused wrote
		meanwhile, again := 0, time.Duration(0)
		for _, w := range l.journal("target") {
			switch {
			case w.Status == 429:
				refused = w
			case refused.Body != "" && w.Kind == "invite" && w.Body == refused.Body:
				again = w.Time.Sub(refused.Time)
			case refused.Body != "" && w.Time.Sub(refused.Time) < pause:
				meanwhile++
			}
		}
		if again < pause {
			t.Errorf("the refused invitation was sent again after %s, want %s or more", again, pause)
		}
		if meanwhile == 0 {
			t.Error("no other write was sent meanwhile: the pause of one item stopped them all")
		}
		expectEqual(t, "users", len(l.section("target", "users")), 25)
	})
}

// §6.6
func TestPromise6OthersAreNeverTouched(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		target obj
		code   string
	}{
		{"an internal account with the address as mail", native("own", obj{"mail": "ann@contoso.example"}), "InvitationCreationFailureAmbiguousUser"},
		{"an internal account with the address as alias", native("own", obj{"proxyAddresses": list{"SMTP:own@fabrikam.example", "smtp:ann@contoso.example"}}), "InvitationCreationFailureAmbiguousUser"},
		{"an account from on-premises", native("own", obj{"mail": "ann@contoso.example", "onPremisesSyncEnabled": true}), "InvitationCreationFailureAmbiguousUser"},
		{"a guest account of its own", native("own", obj{"mail": "ann@contoso.example", "userType": "Guest"}), "InvitationCreationFailureAmbiguousUser"},
		{"a Microsoft account", guest("own", "ann@contoso.example", redeemedBy("MicrosoftAccount")), "ForeignIdentity"},
		{"a one-time passcode", guest("own", "ann@contoso.example", redeemedBy("mail")), "ForeignIdentity"},
		{"a Google account", guest("own", "ann@contoso.example", redeemedBy("google.com")), "ForeignIdentity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(staff("ann", obj{"department": "Sales"}), staff("bob")), users(c.target))
			before := image(map[string]any(l.user("target", id("own"))))
			expectEqual(t, "failed", l.sync(3, "partial").Summary.Failed, 1)
			l.says(id("ann"), "failure", c.code, id("own"))
			l.change("source", id("ann"), obj{"accountEnabled": false})
			l.sync(0, "success")
			l.remove("source", id("ann"))
			l.sync(0, "success")
			if after := image(map[string]any(l.user("target", id("own")))); after != before {
				t.Errorf("the account of the target: got %s, want %s", after, before)
			}
			for _, w := range l.journal("target") {
				if strings.Contains(w.Path, id("own")) {
					t.Errorf("sent to an account that is not ours: %s", w)
				}
			}
		})
	}
}

// §6.6: the target turns a linked guest into an account of its own
func TestPromise6ConvertedAccountIsLeftAlone(t *testing.T) {
	t.Parallel()
	internal := obj{"userType": "Member", "creationType": nil, "externalUserState": nil, "userPrincipalName": "ann@fabrikam.example",
		"identities": list{obj{"signInType": "userPrincipalName", "issuer": "fabrikam.onmicrosoft.com", "issuerAssignedId": "ann@fabrikam.example"}}}
	for name, act := range map[string]func(l *lab){
		"disabled in the source": func(l *lab) { l.change("source", id("ann"), obj{"accountEnabled": false}) },
		"deleted in the source":  func(l *lab) { l.remove("source", id("ann")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(staff("ann"), staff("bob")), nil)
			l.sync(0, "success")
			linked := l.copyOf("ann").id()
			l.change("target", linked, internal)
			act(l)
			writes := l.during("target", func() { expectEqual(t, "failed", l.sync(3, "partial").Summary.Failed, 1) })
			if len(writes) != 0 {
				t.Errorf("writes: got %v, want none", writes)
			}
			u := l.user("target", linked)
			if u == nil || u["accountEnabled"] != true {
				t.Errorf("the account: got %v, want it there and enabled", u)
			}
		})
	}
}

// §6.7: every kind of lost answer
func TestPromise7NoSecondUserWhenAnswersAreLost(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]obj{
		"the connection breaks after the batch":  {{"method": "POST", "path": "/$batch", "item": "outer", "nth": 1, "times": 2, "effect": "after", "close": true}},
		"a gateway answers for the batch":        {{"method": "POST", "path": "/$batch", "item": "outer", "nth": 1, "times": 2, "effect": "after", "status": 504, "body": "<html>"}},
		"the answer of the batch is cut":         {{"method": "POST", "path": "/$batch", "item": "outer", "nth": 1, "times": 1, "truncate": 200}},
		"items fail after they took effect":      {{"method": "POST", "path": "/invitations", "item": "inner", "times": 7, "effect": "after", "status": 500, "code": "InternalServerError"}},
		"new users are not readable for a while": {{"method": "PATCH", "path": "/users/*", "times": 3, "status": 404, "code": "Request_ResourceNotFound"}},
		"responses come in another order":        {{"preset": "shuffledBatch"}},
		"the source replays its changes":         {{"preset": "replayed"}, {"preset": "duplicates"}, {"preset": "smallPages"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(team("user", 30)...), nil)
			tenant := "target"
			if strings.HasPrefix(name, "the source") {
				tenant = "source"
			}
			l.faults(tenant, faults...)
			l.run("sync", jobName) // whatever becomes of it
			l.faults(tenant)
			l.run("sync", jobName)
			l.sync(0, "success", "--initial")
			l.everyoneOnce("user", 30)
		})
	}
}

// everyoneOnce expects each of a team to have one complete user in the target.
func (l *lab) everyoneOnce(prefix string, n int) {
	l.t.Helper()
	all := l.section("target", "users")
	expectEqual(l.t, "users of the target", len(all), n)
	expectEqual(l.t, "deleted users of the target", len(l.section("target", "deletedUsers")), 0)
	byHome := map[string]user{}
	for _, u := range all {
		byHome[u.home()] = u
	}
	for i := 1; i <= n; i++ {
		name := member(prefix, i)
		u := byHome[id(name)]
		if u == nil {
			l.t.Errorf("%s has no user in the target", name)
			continue
		}
		if got := u.text("userType") + " " + u.text("displayName"); got != "Member User "+name {
			l.t.Errorf("%s: got %q, want the whole create: \"Member User %s\"", name, got, name)
		}
	}
}

// §6.7: the process is killed in the middle of creating, again and again
func TestPromise7NoSecondUserAfterKill(t *testing.T) {
	t.Parallel()
	const people = 60
	for _, way := range []string{"sync", "daemon"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(team("user", people)...), nil)
			l.configure(jobWith(obj{"autoStart": true}))
			// Long enough to be killed between a write and its answer.
			l.faults("target", obj{"method": "POST", "path": "/$batch", "item": "outer", "effect": "after", "delay": "40ms"})
			args := []string{"-c", l.config, "sync", jobName}
			if way == "daemon" {
				args = []string{"-c", l.config, "run"}
			}
			kills := 0
			for at := 1; at < 2*people; at += 11 {
				p := launch(t, l.dir, args...)
				seen := func() bool { return len(l.journal("target")) >= at }
				ended := !p.untilOrEnd(seen)
				p.kill()
				if ended {
					break
				}
				kills++
			}
			if kills < 3 {
				t.Errorf("killed %d times, want it a few times in the middle of creating", kills)
			}
			l.faults("target")
			l.run("sync", jobName)
			l.sync(0, "success", "--initial")
			l.everyoneOnce("user", people)
		})
	}
}

// untilOrEnd waits for a condition, and tells whether it came before the process ended.
func (p *process) untilOrEnd(ready func() bool) bool {
	p.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(limit)
	for !ready() {
		select {
		case <-tick.C:
		case <-p.done:
			return ready()
		case <-late:
			p.t.Fatalf("tenantsync %q: nothing happened within %s:\n%s", p.cmd.Args[1:], limit, p.stderr.Bytes())
		}
	}
	return true
}

// §6.8
func TestPromise8NoDeleteBeforeTheWholeSourceIsRead(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(team("user", 30)...), nil)
	l.sync(0, "success")
	l.remove("source", ids("user", 1, 6)...)
	l.change("source", id("user20"), obj{"city": "Oslo"})
	// The round comes in pages of three, and the third is refused for good.
	l.faults("source", obj{"preset": "smallPages"}, obj{"method": "GET", "path": "/users/delta", "nth": 3, "times": 100, "status": 403, "code": "Authorization_RequestDenied"})
	writes := l.during("target", func() {
		if a := l.run("sync", jobName); a.exit == 0 {
			t.Errorf("a sync that could not read its source ended with 0:\n%s", a.stdout)
		}
	})
	if len(writes) != 0 {
		t.Errorf("writes of a cycle without its whole source: got %v, want none", writes)
	}
	l.faults("source")
	writes = l.during("target", func() { expectEqual(t, "deleted", l.sync(0, "success").Summary.Delete, 6) })
	if last := kinds(writes); !slices.Equal(last, []string{"updateUser", "deleteUser", "deleteUser", "deleteUser", "deleteUser", "deleteUser", "deleteUser"}) {
		t.Errorf("writes: got %v, want the update and then the deletes", last)
	}
}

// §6.8, the second half
func TestPromise8HeldDeletesStayHeld(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(team("user", 12)...), nil)
	l.configure(jobWith(obj{"deletions": obj{"threshold": 2}}))
	l.sync(0, "success")
	l.remove("source", ids("user", 1, 3)...)
	writes := l.during("target", func() {
		c := l.sync(5, "quarantine")
		expectEqual(t, "held", c.Summary.Held, 3)
		l.sync(5, "success")
		l.sync(5, "success", "--initial")
		l.startDaemon()
		l.sync(5, "success")
		l.json(0, nil, "restart", jobName, "--yes")
		l.sync(5, "success")
		l.stopDaemon()
		l.run("provision", id("user01")) // who is gone: whatever it says, it deletes nobody
	})
	if len(writes) != 0 {
		t.Errorf("writes: got %v, want none until somebody allows them", writes)
	}
	writes = l.during("target", func() { l.json(0, nil, "deletions", "allow", jobName, "--all", "--yes") })
	expectEqual(t, "writes of allow", kinds(writes), []string{"deleteUser", "deleteUser", "deleteUser"})
}

// §6.9
func TestPromise9ComesBackToTheSameObject(t *testing.T) {
	t.Parallel()
	g := id("group")
	l := newLab(t, obj{"users": list{staff("ann"), staff("bob")}, "groups": list{
		obj{"id": g, "displayName": "Sync", "securityEnabled": true, "members": list{id("ann"), id("bob")}}}}, nil)
	l.configure(jobWith(obj{"scope": obj{"mode": "assigned", "groups": list{g}}}))
	l.sync(0, "success")
	was := l.copyOf("ann").id()
	for _, leave := range []struct {
		name      string
		out, back func()
	}{
		{"out of the group", func() { l.members(g, id("bob")) }, func() { l.members(g, id("ann"), id("bob")) }},
		{"deleted in the source", func() { l.remove("source", id("ann")) }, func() { l.add("source", staff("ann")) }},
	} {
		leave.out()
		expectEqual(t, leave.name+": deleted", l.sync(0, "success").Summary.Delete, 1)
		if u := l.copyOf("ann"); u != nil {
			t.Fatalf("%s: still there: %v", leave.name, u)
		}
		leave.back()
		writes := l.during("target", func() {
			c := l.sync(0, "success")
			expectEqual(t, leave.name+": summary", c.Summary, summary{Restore: 1})
		})
		expectEqual(t, leave.name+": writes", kinds(writes), []string{"restore"})
		if u := l.copyOf("ann"); u == nil || u.id() != was {
			t.Errorf("%s and back: got %v, want user %s again", leave.name, u, was)
		}
	}
}

// §6.10
func TestPromise10NothingSensitiveIsShown(t *testing.T) {
	t.Parallel()
	const first, second, tooLong = "EMP-SENSITIVE-1", "EMP-SENSITIVE-2", "EMP-SENSITIVE-much-too-long"
	l := newLab(t, users(staff("ann", obj{"employeeId": first}), staff("bob", obj{"employeeId": tooLong})), nil)
	l.configure(jobWith(obj{"mappings": list{
		obj{"target": "displayName", "source": "displayName"}, obj{"target": "employeeId", "source": "employeeId", "sensitive": true}}}))
	shown := map[string][]byte{}
	note := func(a answer) {
		what := fmt.Sprint(a.args)
		shown[what] = append(append(shown[what], a.stdout...), a.stderr...)
	}
	run := func(args ...string) { note(l.run(args...)) }
	look := func() {
		run("sync", jobName, "-v", "-o", "json")
		run("plan", jobName, "--initial", "-v")
		run("plan", jobName, "--initial", "-o", "json")
		run("provision", "ann@contoso.example", "-v")
		run("provision", "bob@contoso.example", "-o", "json")
		run("logs", "-o", "wide")
		run("logs", "-o", "json")
		run("logs", "-o", "csv")
		for _, r := range l.logs() {
			run("logs", "show", r.ID)
			run("logs", "show", r.ID, "-o", "json")
		}
		run("explain", "bob@contoso.example", "--job", jobName)
		run("explain", "ann@contoso.example", "--job", jobName, "-o", "json")
		run("retries", "list", jobName, "-o", "json")
		run("status", "-o", "json")
		run("config", "show")
		run("check", "-o", "json")
		run("audit", "export")
		run("state", "check", "-o", "json")
		run("state", "rebuild", "--plan", "-o", "json")
		run("plan", jobName, "--initial", "--out", "saved.plan", "--force")
		saved, err := os.ReadFile(filepath.Join(l.dir, "saved.plan"))
		if err != nil {
			t.Fatal(err)
		}
		shown["the saved plan"] = append(shown["the saved plan"], saved...)
		run("apply", "saved.plan", "--yes", "-o", "json")
	}
	run("plan", jobName)
	look()
	l.change("source", id("ann"), obj{"employeeId": second})
	run("plan", jobName, "-o", "json")
	look()
	l.startDaemon()
	look()
	l.daemon.stop()
	note(l.daemon.wait())
	run("logs", "export", "-F", "export.json")

	if got := l.copyOf("ann").text("employeeId"); got != second {
		t.Fatalf("employeeId in the target: got %q, want %q", got, second)
	}
	secrets := map[string]string{"a sensitive value": "EMP-SENSITIVE", "a token": "eyJ"}
	for name, a := range l.access {
		secrets["the secret of "+name] = a.secret
	}
	for what, text := range shown {
		for name, secret := range secrets {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s shows %s:\n%s", what, name, text)
			}
		}
	}
	if text := string(shown[fmt.Sprint([]string{"-c", l.config, "plan", jobName, "-o", "json"})]); !strings.Contains(text, "(sensitive)") {
		t.Errorf("plan of a sensitive change: got %s, want (sensitive) in place of the values", text)
	}
}

// §6.11
func TestPromise11LinkedObjectsAreNotTakenForAnother(t *testing.T) {
	t.Parallel()
	byNumber := list{obj{"target": "displayName", "source": "displayName"}, obj{"target": "employeeId", "source": "employeeId", "matchingPriority": 1}}
	for name, edit := range map[string]obj{"found by a match": nil, "found by the invitation": {"mappings": byNumber}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(staff("ann", obj{"employeeId": "1"}), staff("bob", obj{"employeeId": "2"})), nil)
			l.configure(jobWith(edit))
			l.sync(0, "success")
			anns := l.copyOf("ann").id()
			// Ann's address moves on to a new colleague; the guest still holds it.
			l.change("source", id("ann"), obj{"userPrincipalName": "ann.old@contoso.example", "mail": "ann.old@contoso.example",
				"proxyAddresses": list{"SMTP:ann.old@contoso.example"}})
			l.sync(0, "success")
			l.add("source", staff("eve", obj{"userPrincipalName": "ann@contoso.example", "mail": "ann@contoso.example", "employeeId": "3"}))
			writes := l.during("target", func() { expectEqual(t, "failed", l.sync(3, "partial").Summary.Failed, 1) })
			l.says(id("eve"), "failure", "LinkedToOtherUser", anns)
			for _, w := range writes {
				if strings.Contains(w.Path, anns) {
					t.Errorf("written to ann's object: %s", w)
				}
			}
			expectEqual(t, "ann's link", l.linkOf("ann"), anns)
			expectEqual(t, "eve's link", l.linkOf("eve"), "")
			if got := l.user("target", anns).text("displayName"); got != "User ann" {
				t.Errorf("ann's object: got displayName %q, want hers", got)
			}
		})
	}
}
