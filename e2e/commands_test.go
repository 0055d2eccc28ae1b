package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// bothWays runs a test with commands that open the state file themselves and
// again with a daemon that answers them: nothing may tell the two apart.
func bothWays(t *testing.T, source, target, job obj, f func(*testing.T, *lab)) {
	t.Parallel()
	for _, way := range []string{"alone", "through a daemon"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, source, target)
			l.configure(jobWith(job))
			if way != "alone" {
				l.startDaemon()
			}
			f(t, l)
		})
	}
}

// problems decodes a standard error that has one error object a line.
func (a answer) problems(t *testing.T) []any {
	t.Helper()
	var all []any
	for line := range bytes.Lines(a.stderr) {
		v, err := decodeOne(line)
		if err != nil {
			t.Fatalf("tenantsync %q: a line of stderr is no JSON: %v\n%s", a.args, err, line)
		}
		o, _ := v.(map[string]any)
		if _, isLog := o["level"]; isLog {
			for _, wrong := range logShape("", v) {
				t.Errorf("tenantsync %q: stderr: %s", a.args, wrong)
			}
			continue
		}
		for _, wrong := range errorShape("", v) {
			t.Errorf("tenantsync %q: stderr: %s", a.args, wrong)
		}
		all = append(all, o["error"])
	}
	return all
}

// actions lists the distinct actions of a plan, sorted.
func actions(plan any) []string {
	var found []string
	changes, _ := at(plan, "changes").([]any)
	for _, c := range changes {
		action, _ := at(c, "action").(string)
		found = append(found, action)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestCommandConfigValidate(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(), users())
	valid := l.run("config", "validate", "-o", "json").exits(t, 0)
	expectEqual(t, "document", valid.looks(t, fields{"valid": boolean}.closed), map[string]any{"valid": true})
	expectEqual(t, "stderr", string(valid.stderr), "")

	l.configureText(l.head + "jobs:\n  - name: x\n    source: source\n    target: source\n    schedul: '@every 1h'\n    limits: {writesPerSecond: 0}\n")
	invalid := l.run("config", "validate", "-o", "json").exits(t, 78)
	expectEqual(t, "stdout", string(invalid.stdout), "")
	problems := invalid.problems(t)
	if len(problems) != 3 {
		t.Errorf("got %d error objects, want one for each of 3 problems:\n%s", len(problems), invalid.stderr)
	}
	for _, p := range problems {
		expectEqual(t, "file", at(p, "file"), l.config)
		if at(p, "line") == nil || at(p, "column") == nil {
			t.Errorf("an error without its place: %v", p)
		}
	}
}

func TestCommandCheck(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("anna")), users())
	doc := l.run("check", jobName, "-o", "json").exits(t, 0).looks(t, checkShape)
	expectEqual(t, "writes", l.counts("target").Writes, map[string]int{})
	found := map[string]bool{}
	checks, _ := at(doc, "checks").([]any)
	for _, c := range checks {
		found[at(c, "status").(string)] = true
		if tenant := at(c, "tenant"); tenant != "source" && tenant != "target" && tenant != "" {
			t.Errorf("a check of tenant %v", tenant)
		}
		if status := at(c, "status"); status == "warning" && at(c, "action") == "" {
			t.Errorf("a warning that says nothing to do: %v", c)
		}
	}
	expectEqual(t, "statuses with warnings only", spaced(found["failure"], found["warning"], found["success"]), "false true true")
	l.run("check", "-o", "json").exits(t, 0).looks(t, checkShape)

	l.put("target", obj{"policies": obj{"authorizationPolicy": obj{"allowInvitesFrom": "none"}}})
	doc = l.run("check", jobName, "-o", "json").exits(t, 4).looks(t, checkShape)
	checks, _ = at(doc, "checks").([]any)
	failed := slices.IndexFunc(checks, func(c any) bool { return at(c, "status") == "failure" })
	if failed < 0 {
		t.Fatalf("invitations are off: got no failure in %v", doc)
	}
	expectEqual(t, "tenant of the failure", at(checks, failed, "tenant"), "target")
	if at(checks, failed, "action") == "" {
		t.Errorf("the failure says nothing to do: %v", at(checks, failed))
	}
}

func TestCommandPlan(t *testing.T) {
	source := users(append(team("s", 12), staff("shut", obj{"accountEnabled": false}), staff("taken"))...)
	bothWays(t, source, users(native("owner", obj{"proxyAddresses": list{"SMTP:owner@fabrikam.example", "smtp:taken@contoso.example"}})),
		obj{"deletions": obj{"threshold": 2, "percent": 0}, "guards": obj{"scopeShrink": 0}}, func(t *testing.T, l *lab) {
			plan := func(args ...string) any {
				t.Helper()
				return l.run(append([]string{"plan", jobName, "-o", "json"}, args...)...).exits(t, 0).looks(t, planShape)
			}
			doc := plan("-v")
			expectEqual(t, "first plan", spaced(at(doc, "cycle"), actions(doc), at(doc, "summary", "create"), at(doc, "summary", "failed"), at(doc, "summary", "skipped")),
				"initial [create fail] 12 1 1")
			if n := len(l.journal("target")); n != 0 {
				t.Errorf("a plan wrote %d times", n)
			}
			none := plan("--user", "shut@contoso.example")
			expectEqual(t, "plan of a user who is skipped", spaced(actions(none), at(none, "changes", 0, "source", "id"), at(none, "changes", 0, "target")), spaced("[none]", id("shut"), nil))
			if reason, _ := at(none, "changes", 0, "reason").(string); !strings.Contains(reason, "disabled") {
				t.Errorf("plan of a disabled user: got reason %q, want one that says so", reason)
			}
			l.sync(3, "partial")
			none = plan("--user", "s05@contoso.example")
			expectEqual(t, "plan of a user in sync", spaced(actions(none), at(none, "changes", 0, "target", "id")), spaced("[none]", l.copyOf("s05").id()))
			l.remove("source", id("s12"), id("taken"))
			l.sync(0, "success")
			l.add("source", staff("s12"), staff("new"))
			l.change("source", id("s01"), obj{"jobTitle": "Pilot"})
			l.change("source", id("s02"), obj{"accountEnabled": false})
			l.remove("source", id("s03"))
			doc = plan()
			expectEqual(t, "incremental plan", spaced(at(doc, "cycle"), actions(doc)), "incremental [create delete disable restore update]")
			expectEqual(t, "summary", at(doc, "summary"), map[string]any{"create": json.Number("1"), "update": json.Number("1"), "disable": json.Number("1"),
				"delete": json.Number("1"), "restore": json.Number("1"), "unchanged": json.Number("0"), "skipped": json.Number("0"), "failed": json.Number("0"), "held": json.Number("0")})
			expectEqual(t, "threshold", spaced(at(doc, "deletionThreshold", "held"), at(doc, "deletionThreshold", "count"), at(doc, "deletionThreshold", "limit")), "false 1 2")
			changes, _ := at(doc, "changes").([]any)
			for _, c := range changes {
				created := at(c, "action") == "create"
				if (at(c, "target") == nil) != created {
					t.Errorf("%v of %v: target %v", at(c, "action"), at(c, "source"), at(c, "target"))
				}
			}
			doc = plan("--initial")
			expectEqual(t, "initial plan", spaced(at(doc, "cycle"), actions(doc)), "initial [create delete disable restore update]")
			one := plan("--user", "s01@contoso.example")
			expectEqual(t, "plan of one user", spaced(actions(one), at(one, "changes", 0, "source", "id"), at(one, "changes", 0, "modifiedProperties", 0, "newValue")),
				spaced("[update]", id("s01"), "Pilot"))
			l.run("plan", jobName, "--user", "nobody@contoso.example", "-o", "json").exits(t, 64)
			l.run("plan", jobName, "--detailed-exitcode", "-o", "json").exits(t, 2).looks(t, planShape)
			l.remove("source", ids("s", 4, 6)...)
			doc = plan()
			if !slices.Contains(actions(doc), "stagedDelete") {
				t.Errorf("more than the threshold leave: got actions %v, want a stagedDelete", actions(doc))
			}
			expectEqual(t, "threshold", spaced(at(doc, "deletionThreshold", "held"), at(doc, "deletionThreshold", "count"), at(doc, "deletionThreshold", "limit")), "true 4 2")
			first, second := l.run("plan", jobName, "-o", "json"), l.run("plan", jobName, "-o", "json")
			expectEqual(t, "the same plan again", string(second.stdout), string(first.stdout))
		})
}

func TestCommandSync(t *testing.T) {
	source := users(append(team("s", 5), staff("taken"))...)
	bothWays(t, source, users(native("owner", obj{"proxyAddresses": list{"SMTP:owner@fabrikam.example", "smtp:taken@contoso.example"}})),
		obj{"deletions": obj{"threshold": 1}}, func(t *testing.T, l *lab) {
			cycle := func(exit int, want string, args ...string) any {
				t.Helper()
				a := l.run(append([]string{"sync", jobName, "-o", "json"}, args...)...).exits(t, exit)
				a.problems(t)
				doc := a.looks(t, syncShape)
				expectEqual(t, "cycle and outcome", spaced(at(doc, "job"), at(doc, "cycle"), at(doc, "outcome")), jobName+" "+want)
				return doc
			}
			doc := cycle(3, "initial partial")
			expectEqual(t, "summary", spaced(at(doc, "summary", "create"), at(doc, "summary", "failed")), "5 1")
			expectEqual(t, "writes", at(doc, "graph", "writes"), json.Number("10"))
			l.remove("source", id("taken"))
			cycle(0, "incremental success")
			doc = cycle(0, "initial success", "--initial")
			expectEqual(t, "summary", at(doc, "summary", "unchanged"), json.Number("5"))
			cycle(0, "incremental success", "--accept")
			l.remove("source", ids("s", 1, 2)...)
			doc = cycle(5, "incremental quarantine")
			expectEqual(t, "summary", spaced(at(doc, "summary", "held"), at(doc, "summary", "delete")), "2 0")
			cycle(5, "incremental success") // old holds only
			l.faults("source", obj{"method": "GET", "path": "/users/delta", "status": 400, "code": "Request_BadRequest", "message": "no"})
			cycle(5, "incremental failed") // old holds come before a failure
			l.faults("source")
			l.add("source", staff("s01"), staff("s02"))
			cycle(0, "incremental success")
			l.faults("source", obj{"method": "GET", "path": "/users/delta", "status": 400, "code": "Request_BadRequest", "message": "no"})
			cycle(1, "incremental failed")
		})
}

func TestCommandProvision(t *testing.T) {
	bothWays(t, users(staff("anna"), staff("shut", obj{"accountEnabled": false}), staff("taken")),
		users(native("owner", obj{"proxyAddresses": list{"SMTP:owner@fabrikam.example", "smtp:taken@contoso.example"}})), nil, func(t *testing.T, l *lab) {
			provision := func(exit int, want string, args ...string) any {
				t.Helper()
				a := l.run(append([]string{"provision", "--job", jobName, "-o", "json"}, args...)...).exits(t, exit)
				doc := a.looks(t, provisionShape)
				var steps []string
				all, _ := at(doc, "steps").([]any)
				for _, s := range all {
					steps = append(steps, at(s, "provisioningStepType").(string))
				}
				full := []string{"import", "scoping", "matching", "export"}
				if len(steps) == 0 || len(steps) > 4 || !slices.Equal(steps, full[:len(steps)]) {
					t.Errorf("provision %q: got steps %v, want %v or its beginning", args, steps, full)
				}
				expectEqual(t, "action and status", spaced(at(doc, "action"), at(doc, "status"), len(steps)), want)
				expectEqual(t, "job", at(doc, "job"), jobName)
				return doc
			}
			provision(0, "create success 4", "anna@contoso.example", "--dry-run")
			if n := len(l.journal("target")); n != 0 {
				t.Errorf("a dry run wrote %d times", n)
			}
			doc := provision(0, "create success 4", "anna@contoso.example")
			expectEqual(t, "source", at(doc, "sourceIdentity", "id"), id("anna"))
			expectEqual(t, "target", at(doc, "targetIdentity", "id"), l.copyOf("anna").id())
			if p, _ := at(doc, "modifiedProperties").([]any); len(p) == 0 {
				t.Errorf("a create without modified properties: %v", doc)
			}
			l.change("source", id("anna"), obj{"jobTitle": "Pilot"})
			doc = provision(0, "update success 4", id("anna"))
			expectEqual(t, "modified", at(doc, "modifiedProperties"), []any{map[string]any{"displayName": "jobTitle", "oldValue": nil, "newValue": "Pilot"}})
			provision(0, "other skipped 2", "shut@contoso.example")
			provision(3, "create failure 3", "taken@contoso.example")
			l.run("provision", "nobody@contoso.example", "--job", jobName, "-o", "json").exits(t, 64).problems(t)
			before := l.copyOf("anna").id()
			l.remove("target", before)
			provision(0, "other skipped 4", "User anna")
			doc = provision(0, "update success 4", "anna@contoso.example", "--restore")
			expectEqual(t, "the restored user", l.copyOf("anna").id(), before)
			properties, _ := at(doc, "modifiedProperties").([]any)
			if !slices.ContainsFunc(properties, func(p any) bool {
				return at(p, "displayName") == "IsSoftDeleted" && at(p, "oldValue") == "True" && at(p, "newValue") == "False"
			}) {
				t.Errorf("a restore without IsSoftDeleted True -> False: %v", properties)
			}
		})
}

func TestCommandStatus(t *testing.T) {
	bothWays(t, users(team("s", 4)...), users(), obj{"deletions": obj{"threshold": 1}}, func(t *testing.T, l *lab) {
		status := func(exit int, want string, args ...string) any {
			t.Helper()
			doc := l.run(append([]string{"status", "-o", "json"}, args...)...).exits(t, exit).looks(t, statusShape)
			job := at(doc, "jobs", 0)
			expectEqual(t, "state", spaced(at(job, "name"), at(job, "state"), at(job, "inScope"), at(job, "linked"), at(job, "held"), at(job, "retries")), jobName+" "+want)
			return job
		}
		job := status(0, "NotRun 0 0 0 0")
		expectEqual(t, "nothing yet", spaced(at(job, "lastCycle"), at(job, "quarantine")), "<nil> <nil>")
		l.sync(0, "success")
		job = status(0, "Active 4 4 0 0", jobName)
		expectEqual(t, "last cycle", spaced(at(job, "lastCycle", "outcome"), at(job, "lastCycle", "summary", "create")), "success 4")
		if at(job, "nextStart") == nil {
			t.Errorf("an active job without a next start: %v", job)
		}
		l.run("pause", jobName).exits(t, 0)
		job = status(0, "Paused 4 4 0 0")
		expectEqual(t, "next start of a paused job", at(job, "nextStart"), nil)
		l.run("start", jobName).exits(t, 0)
		l.remove("source", ids("s", 1, 2)...)
		l.sync(5, "quarantine")
		job = status(5, "Quarantine 2 4 2 0")
		expectEqual(t, "reason", at(job, "quarantine", "reason"), "TooManyDeletes")
		l.run("status", "nosuch", "-o", "json").exits(t, 64)
	})
}

func TestCommandDeletions(t *testing.T) {
	bothWays(t, users(team("s", 6)...), users(), obj{"deletions": obj{"threshold": 1}}, func(t *testing.T, l *lab) {
		deletion := func(verb string, args ...string) any {
			t.Helper()
			doc := l.run(append([]string{"deletions", verb, jobName, "-o", "json"}, args...)...).exits(t, 0).looks(t, deletions)
			expectEqual(t, "job", at(doc, "job"), jobName)
			return doc
		}
		held := func(doc any) int { all, _ := at(doc, "held").([]any); return len(all) }
		expectEqual(t, "held before the first cycle", held(deletion("list")), 0)
		l.sync(0, "success")
		targets := map[string]string{}
		for _, name := range []string{"s01", "s02", "s03"} {
			targets[id(name)] = l.copyOf(name).id()
		}
		l.remove("source", ids("s", 1, 3)...)
		l.sync(5, "quarantine")
		doc := deletion("list")
		expectEqual(t, "held", held(doc), 3)
		all, _ := at(doc, "held").([]any)
		for _, h := range all {
			source := at(h, "sourceId").(string)
			expectEqual(t, "held of "+source, spaced(at(h, "targetId"), at(h, "reason"), id(strings.TrimSuffix(at(h, "userPrincipalName").(string), "@contoso.example"))),
				spaced(targets[source], "TooManyDeletes", source))
		}
		expectEqual(t, "left after allowing one", held(deletion("allow", "--user", "s01@contoso.example", "--yes")), 2)
		expectEqual(t, "left after rejecting one", held(deletion("reject", "--user", id("s02"), "--yes")), 1)
		expectEqual(t, "retained", held(deletion("list", "--retained")), 1)
		expectEqual(t, "left after allowing all", held(deletion("allow", "--all", "--yes")), 0)
		expectEqual(t, "in the target", spaced(l.user("target", targets[id("s01")]) == nil, l.user("target", targets[id("s02")]) == nil, l.user("target", targets[id("s03")]) == nil), "true false true")
		l.run("deletions", "allow", jobName, "--all", "-o", "json").exits(t, 64).problems(t)
	})
}

func TestCommandRetries(t *testing.T) {
	bothWays(t, users(staff("anna"), staff("taken")), users(native("owner", obj{"proxyAddresses": list{"SMTP:owner@fabrikam.example", "smtp:taken@contoso.example"}})), nil, func(t *testing.T, l *lab) {
		list := func(verb string) any {
			t.Helper()
			return l.run("retries", verb, jobName, "-o", "json").exits(t, 0).looks(t, retriesShape)
		}
		expectEqual(t, "before the first cycle", at(list("list"), "retries", 0), nil)
		l.sync(3, "partial")
		doc := list("list")
		expectEqual(t, "waiting", spaced(at(doc, "job"), at(doc, "retries", 0, "sourceId"), at(doc, "retries", 0, "attempts"), at(doc, "retries", 1)), jobName+" "+id("taken")+" 1 <nil>")
		list("now")
	})
}

func TestCommandLogs(t *testing.T) {
	bothWays(t, users(append(team("s", 3), staff("taken"), staff("shut", obj{"accountEnabled": false}))...),
		users(native("owner", obj{"proxyAddresses": list{"SMTP:owner@fabrikam.example", "smtp:taken@contoso.example"}})), obj{"deletions": obj{"threshold": 1}}, func(t *testing.T, l *lab) {
			logs := func(args ...string) []any {
				t.Helper()
				all, _ := l.run(append([]string{"logs", "-o", "json"}, args...)...).exits(t, 0).looks(t, manyOf(entryShape)).([]any)
				return all
			}
			expectEqual(t, "an empty log", string(l.run("logs", "-o", "json").stdout), "[]\n")
			first := l.sync(3, "partial")
			l.change("source", id("s01"), obj{"jobTitle": "Pilot"})
			l.remove("source", id("s02"), id("taken"))
			l.sync(0, "success")
			all := logs()
			for i := 1; i < len(all); i++ {
				if a, b := at(all, i-1, "activityDateTime").(string), at(all, i, "activityDateTime").(string); strings.TrimSuffix(a, "Z") < strings.TrimSuffix(b, "Z") && a[:19] < b[:19] {
					t.Errorf("entry %d of %s comes before one of %s: want the newest first", i-1, a, b)
				}
			}
			count := func(want int, args ...string) {
				t.Helper()
				if got := len(logs(args...)); got != want {
					t.Errorf("logs %q: got %d entries, want %d", args, got, want)
				}
			}
			count(3, "--action", "create", "--status", "success")
			count(1, "--status", "failure")
			count(1, "--action", "delete")
			count(1, "--action", "update")
			count(2, "--action", "update,delete")
			count(1, "--code", "NotEffectivelyEntitled")
			count(1, "--status", "skipped", "--user", "shut")
			count(2, "--user", "s01@contoso.example")
			count(5, "--cycle", first.CycleID)
			count(1, "--change", at(all, 0, "changeId").(string))
			count(2, "--limit", "2")
			count(len(all), "--since", "1h")
			count(0, "--until", "2001-01-01")
			lines := bytes.Split(bytes.TrimSpace(l.run("logs", "-o", "ndjson").exits(t, 0).stdout), []byte("\n"))
			expectEqual(t, "lines of ndjson", len(lines), len(all))
			for i, line := range lines {
				v, err := decodeOne(line)
				if err != nil {
					t.Fatalf("line %d: %v", i, err)
				}
				expectEqual(t, "ndjson", image(v), image(all[i]))
			}
			l.run("logs", "--status", "failed", "-o", "json").exits(t, 64)
		})
}

func TestCommandLogsShow(t *testing.T) {
	bothWays(t, users(staff("anna")), users(), nil, func(t *testing.T, l *lab) {
		l.sync(0, "success")
		entry := l.logs()[0]
		for _, which := range []string{entry.ID, entry.ChangeID, entry.ID[:13], entry.ChangeID[:13]} {
			doc := l.run("logs", "show", which, "-o", "json").exits(t, 0).looks(t, entryShape)
			expectEqual(t, "logs show "+which, at(doc, "id"), entry.ID)
		}
		l.run("logs", "show", "zzz", "-o", "json").exits(t, 64).problems(t)
	})
}

func TestCommandExplain(t *testing.T) {
	bothWays(t, users(staff("anna"), staff("taken"), staff("shut", obj{"accountEnabled": false})),
		users(native("owner", obj{"proxyAddresses": list{"SMTP:owner@fabrikam.example", "smtp:taken@contoso.example"}})), nil, func(t *testing.T, l *lab) {
			explain := func(who string) any {
				t.Helper()
				return l.run("explain", who, "--job", jobName, "-o", "json").exits(t, 0).looks(t, explainShape)
			}
			doc := explain("anna@contoso.example")
			expectEqual(t, "before the first cycle", spaced(at(doc, "inScope"), at(doc, "link"), at(doc, "lastChange"), at(doc, "retry")), "true <nil> <nil> <nil>")
			l.sync(3, "partial")
			doc = explain(id("anna"))
			expectEqual(t, "linked", spaced(at(doc, "inScope"), at(doc, "link", "targetId"), at(doc, "lastChange", "provisioningAction"), at(doc, "retry")),
				spaced(true, l.copyOf("anna").id(), "create", nil))
			doc = explain("taken@contoso.example")
			expectEqual(t, "failed", spaced(at(doc, "inScope"), at(doc, "link"), at(doc, "retry", "attempts")), "true <nil> 1")
			doc = explain("shut@contoso.example")
			expectEqual(t, "skipped", spaced(at(doc, "inScope"), at(doc, "link")), "false <nil>")
			if reasons, _ := at(doc, "reasons").([]any); len(reasons) == 0 {
				t.Errorf("out of scope without a reason: %v", doc)
			}
			l.run("explain", "nobody@contoso.example", "--job", jobName, "-o", "json").exits(t, 64).problems(t)
		})
}

func TestCommandMappingTest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct{ expression, attributes, want string }{
		{`Join(", ", [surname], [givenName])`, `{"surname":"Berg","givenName":"Anna"}`, `"Berg, Anna"`},
		{`[department]`, `{}`, `null`},
		{`[accountEnabled]`, `{"accountEnabled":true}`, `"True"`},
		{`Split("a;b", ";")`, `{}`, `["a","b"]`},
		{`ToUpper([city])`, `{"city":"Ulm"}`, `"ULM"`},
	} {
		a := launch(t, dir, "mapping", "test", "--expression", c.expression, "--attributes", c.attributes, "-o", "json").wait().exits(t, 0)
		doc := a.looks(t, fields{"value": anything}.closed)
		expectEqual(t, c.expression, image(at(doc, "value")), c.want)
	}
	bad := launch(t, dir, "mapping", "test", "--expression", `Jion("a")`, "--attributes", "{}", "-o", "json").wait().exits(t, 1)
	expectEqual(t, "errors", len(bad.problems(t)), 1)
	expectEqual(t, "stdout", string(bad.stdout), "")
}

func TestCommandMappingCases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	good := write("good.json", `[
		{"id":"a","expression":"[city]","attributes":{"city":"Ulm"},"expect":"Ulm"},
		{"id":"b","expression":"Mid(\"abc\", \"x\", 1)","attributes":{},"error":true},
		{"id":"c","expression":"Split([mail], \"@\")","attributes":{"mail":"a@b"},"expect":["a","b"]},
		{"id":"d","expression":"[city]","attributes":{},"expect":null,"now":"2026-11-22T00:00:00Z","taken":{"mail":["a@b"]}}]`)
	doc := launch(t, dir, "mapping", "test", "--file", good, "-o", "json").wait().exits(t, 0).looks(t, casesShape)
	expectEqual(t, "good cases", spaced(at(doc, "passed"), at(doc, "failed"), at(doc, "cases", 0, "value"), at(doc, "cases", 1, "error") != nil), "4 0 Ulm true")
	bad := write("bad.yaml", "- {id: a, expression: '[city]', attributes: {city: Ulm}, expect: Bonn}\n- {id: b, expression: '[city]', attributes: {city: Ulm}, expect: Ulm}\n")
	doc = launch(t, dir, "mapping", "test", "--file", bad, "-o", "json").wait().exits(t, 1).looks(t, casesShape)
	expectEqual(t, "bad cases", spaced(at(doc, "passed"), at(doc, "failed"), at(doc, "cases", 0, "ok"), at(doc, "cases", 0, "value"), at(doc, "cases", 1, "ok")), "1 1 false Ulm true")
	launch(t, dir, "mapping", "test", "--file", "nothing.json", "-o", "json").wait().exits(t, 1).problems(t)
}

func TestCommandCapture(t *testing.T) {
	t.Parallel()
	l := newLab(t, obj{"users": list{staff("anna", obj{"manager": obj{"id": id("boss")}}), staff("boss")},
		"groups": list{obj{"id": id("g"), "displayName": "G", "securityEnabled": true, "members": list{id("anna")}}}}, users())
	before := len(l.journal("source"))
	a := l.run("capture", "source", "-F", "captured.json", "-o", "json").exits(t, 0)
	expectEqual(t, "stdout", string(a.stdout), "")
	a.problems(t)
	if n := len(l.journal("source")) - before; n != 0 {
		t.Errorf("a capture wrote %d times", n)
	}
	raw, err := os.ReadFile(filepath.Join(l.dir, "captured.json"))
	if err != nil {
		t.Fatal(err)
	}
	file := parseTenant(t, raw)
	expectEqual(t, "users and groups", spaced(len(file.Users), len(file.Groups), file.Groups[0].Members), fmt.Sprintf("2 1 [%s]", id("anna")))
	if changed := l.load("source", "captured.json"); slices.Max(changed) != 0 {
		t.Errorf("loading what was captured changed something: got %v", changed)
	}
}

func TestCommandRun(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(team("s", 3)...), users())
	l.configure(jobWith(obj{"autoStart": true}))
	l.startDaemon()
	l.daemon.until("in sync", func() bool {
		return bytes.Contains(l.run("status", "-o", "json").stdout, []byte(`"outcome": "success"`))
	})
	_ = l.daemon.cmd.Process.Signal(syscall.SIGTERM) // the exit code tells
	a := l.daemon.wait().exits(t, 0)
	expectEqual(t, "stdout", string(a.stdout), "")
	if len(a.stderr) == 0 {
		t.Error("a daemon that logs nothing")
	}
	for line := range bytes.Lines(a.stderr) {
		v, err := decodeOne(line)
		if err != nil {
			t.Fatalf("a log line that is no JSON: %v\n%s", err, line)
		}
		for _, wrong := range logShape("", v) {
			t.Errorf("%s: %s", wrong, line)
		}
	}
}

// Everything that names one run: ids, times, durations, who typed.
var ofOneRun = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+Z|(?m:"durationInMilliseconds": \d+)|127\.0\.0\.1:\d+|` +
	// A daemon remembers what a process of its own has to read first.
	`"requests": \d+|(?s:"initiatedBy": \{.*?\})`)

func TestDaemonGivesTheSameOutput(t *testing.T) {
	t.Parallel()
	tell := func(t *testing.T, daemon bool) []string {
		l := newLab(t, users(append(team("s", 6), staff("shut", obj{"accountEnabled": false}))...), users())
		l.configure(jobWith(obj{"deletions": obj{"threshold": 1}}))
		if daemon {
			l.startDaemon()
		}
		var told []string
		step := func(args ...string) {
			for _, form := range []string{"json", "table"} {
				a := l.run(append(args, "-o", form)...)
				if form == "table" && args[0] == "sync" {
					continue // it tells how long the cycle took
				}
				stdout, stderr := ofOneRun.ReplaceAll(a.stdout, nil), ofOneRun.ReplaceAll(a.stderr, nil)
				told = append(told, fmt.Sprintf("%q exit %d\n%s\n%s", a.args[2:], a.exit, stdout, stderr))
			}
		}
		step("plan", jobName, "--collisions")
		step("sync", jobName)
		step("provision", "s01@contoso.example", "--dry-run")
		step("provision", "shut@contoso.example")
		step("provision", "nobody@contoso.example")
		l.remove("source", ids("s", 1, 2)...)
		step("sync", jobName)
		step("deletions", "list", jobName)
		step("explain", "s03@contoso.example")
		step("status", "nosuch")
		step("retries", "list", jobName)
		return told
	}
	alone, through := tell(t, false), tell(t, true)
	for i := range alone {
		// The table of provision tells durations.
		if strings.Contains(alone[i], `"provision"`) && strings.Contains(alone[i], `"table"`) {
			continue
		}
		expectEqual(t, "with a daemon", through[i], alone[i])
	}
}

func TestDaemonHoldsTheState(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("anna")), users())
	l.startDaemon()
	l.run("run", "-o", "json").exits(t, 6).problems(t) // a second one
	l.sync(0, "success")
	l.json(0, nil, "logs", "--limit", "1")
	// Without its door every command that needs the state says so.
	raw, err := os.ReadFile(l.config)
	if err != nil {
		t.Fatal(err)
	}
	l.stopDaemon()
	if err := os.WriteFile(l.config, bytes.ReplaceAll(raw, []byte(`"unix:control.sock"`), []byte(`""`)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, l.dir, "-c", l.config, "run")
	p.until("started", func() bool { return bytes.Contains(p.stderr.Bytes(), []byte("daemon started")) })
	for _, args := range [][]string{{"status"}, {"plan", jobName}, {"sync", jobName}, {"provision", "anna@contoso.example"}, {"explain", "anna@contoso.example"},
		{"logs"}, {"logs", "show", "a"}, {"deletions", "list", jobName}, {"deletions", "allow", jobName, "--all", "--yes"}, {"retries", "list", jobName},
		{"pause", jobName}, {"start", jobName}, {"restart", jobName, "--yes"}} {
		a := l.run(append(args, "-o", "json")...).exits(t, 6)
		expectEqual(t, "stdout", string(a.stdout), "")
		if told := a.problems(t); len(told) != 1 || at(told, 0, "code") != "StateLocked" {
			t.Errorf("%q: got %s, want one error StateLocked", args, a.stderr)
		}
	}
	// What needs no state goes on.
	l.run("config", "validate", "-o", "json").exits(t, 0)
	l.run("check", jobName, "-o", "json").exits(t, 0)
}
