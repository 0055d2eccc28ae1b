package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Each exit code, reached by the command that a person would have typed.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(*testing.T, *lab){
		"0 done": func(t *testing.T, l *lab) {
			l.sync(0, "success")
			for _, args := range [][]string{{"status"}, {"plan", jobName}, {"logs"}, {"check"}, {"config", "validate"}, {"version"}, {"plan", jobName, "--detailed-exitcode"}} {
				l.run(args...).exits(t, 0)
			}
		},
		"1 failed": func(t *testing.T, l *lab) {
			l.faults("source", obj{"method": "GET", "path": "/users/delta", "status": 400, "code": "Request_BadRequest", "message": "no"})
			l.sync(1, "failed")
			l.run("plan", jobName).exits(t, 1)
			l.run("mapping", "test", "--expression", "(", "--attributes", "{}").exits(t, 1)
		},
		"2 changes pending": func(t *testing.T, l *lab) {
			l.run("plan", jobName, "--detailed-exitcode").exits(t, 2)
			l.run("plan", jobName).exits(t, 0)
		},
		"3 some objects failed": func(t *testing.T, l *lab) {
			l.add("source", staff("taken"))
			l.add("target", native("owner", obj{"proxyAddresses": list{"SMTP:owner@fabrikam.example", "smtp:taken@contoso.example"}}))
			l.sync(3, "partial")
			l.run("provision", "taken@contoso.example", "--job", jobName).exits(t, 3)
			l.sync(0, "success") // it only waits for its next attempt
		},
		"4 sign-in or permission": func(t *testing.T, l *lab) {
			if err := os.WriteFile(filepath.Join(l.dir, "sim", "source.secret"), []byte("wrong\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			l.sync(4, "failed")
			l.run("plan", jobName).exits(t, 4)
			l.run("check", jobName).exits(t, 4)
			l.run("provision", "anna@contoso.example", "--job", jobName).exits(t, 4)
		},
		"4 a permission is missing": func(t *testing.T, l *lab) {
			l.put("source", obj{"applications": list{obj{"appId": l.access["source"].clientID, "secret": l.access["source"].secret, "roles": list{"Organization.Read.All"}}}})
			l.sync(4, "failed")
			l.run("check", jobName).exits(t, 4)
		},
		"5 deletions wait": func(t *testing.T, l *lab) {
			l.sync(0, "success")
			l.remove("source", id("anna"), id("ben"))
			l.sync(5, "quarantine")
			l.sync(5, "success") // only old ones
			l.run("status").exits(t, 5)
			l.run("plan", jobName).exits(t, 0)
			l.run("deletions", "list", jobName).exits(t, 0)
		},
		"6 daemon not reachable": func(t *testing.T, l *lab) {
			l.run("status", "--server", "unix:nobody.sock").exits(t, 6)
			l.startDaemon()
			l.run("run").exits(t, 6) // the state file is held
		},
		"64 usage": func(t *testing.T, l *lab) {
			for _, args := range [][]string{{"snyc"}, {"sync", "nosuch"}, {"sync", "a", "b"}, {"plan", "--inital"}, {"provision"}, {"provision", "nobody@contoso.example", "--job", jobName},
				{"explain", "nobody@contoso.example"}, {"deletions", "allow", jobName, "--all"}, {"deletions", "allow", jobName, "--yes"}, {"restart", jobName},
				{"deletions", "reject", jobName, "--all"}, {"status", "-o", "jsn"}, {"logs", "--status", "nope"}, {"mapping"}, {"simulate"}, {"capture", "nosuch", "-F", "x"},
				{"simulate", "dump", "nosuch"}, {"deletions", "allow", jobName, "--user", "nobody", "--yes"}} {
				l.run(args...).exits(t, 64)
			}
		},
		"78 configuration": func(t *testing.T, l *lab) {
			l.configureText(l.head + "jobs: [{name: x}]\n")
			for _, args := range [][]string{{"config", "validate"}, {"config", "show"}, {"status"}, {"plan"}, {"sync"}, {"check"}, {"run"}, {"logs"}, {"simulate", "dump", "source"}} {
				l.run(args...).exits(t, 78)
			}
			launch(t, l.dir, "-c", "nothing.yaml", "status").wait().exits(t, 78)
			launch(t, l.dir, "status").wait().exits(t, 78)
		},
		"130 interrupted": func(t *testing.T, l *lab) {
			l.faults("target", obj{"method": "POST", "path": "/$batch", "item": "outer", "delay": "200ms"})
			people := team("s", 99)
			var more []obj
			for _, p := range people {
				more = append(more, p.(obj))
			}
			l.add("source", more...)
			p := launch(t, l.dir, "-c", l.config, "sync", jobName, "-o", "json")
			p.until("writing", func() bool { return len(l.journal("target")) > 0 })
			_ = p.cmd.Process.Signal(syscall.SIGINT) // the exit code tells
			a := p.wait().exits(t, 130)
			expectEqual(t, "outcome", at(a.looks(t, syncShape), "outcome"), "interrupted")
			l.faults("target")
			l.sync(0, "success") // the next run goes on
			l.sync(0, "success")
			expectEqual(t, "copies", len(l.section("target", "users")), 101)
		},
		"130 the time is over": func(t *testing.T, l *lab) {
			l.faults("source", obj{"method": "GET", "path": "/users/delta", "delay": "1m"})
			l.sync(130, "interrupted", "--timeout", "300ms")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(staff("anna"), staff("ben")), users())
			l.configure(jobWith(obj{"deletions": obj{"threshold": 1}}))
			run(t, l)
		})
	}
}

// Errors under -o json: one object a line on stderr, nothing else on stdout.
func TestErrorsInJSON(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("anna")), users())
	tell := func(exit int, args ...string) any {
		t.Helper()
		a := l.run(append(args, "-o", "json")...).exits(t, exit)
		told := a.problems(t)
		if len(told) != 1 {
			t.Errorf("%q: got %d errors, want one:\n%s", args, len(told), a.stderr)
			return nil
		}
		if at(told, 0, "code") == nil || at(told, 0, "message") == nil {
			t.Errorf("%q: got %v, want code and message", args, told[0])
		}
		if args[0] != "sync" && len(bytes.TrimSpace(a.stdout)) != 0 {
			t.Errorf("%q: got stdout %s, want nothing", args, a.stdout)
		}
		return told[0]
	}
	t.Run("usage", func(t *testing.T) {
		e := tell(64, "sync", jobName+"x")
		if !strings.Contains(image(e), jobName+`\"`) && !strings.Contains(image(at(e, "action")), jobName) {
			t.Errorf("an unknown job: got %v, want the nearest one named", e)
		}
		tell(64, "plan", "--inital")
		tell(64, "restart", jobName)
	})
	t.Run("configuration", func(t *testing.T) {
		good, err := os.ReadFile(l.config)
		if err != nil {
			t.Fatal(err)
		}
		l.configureText(l.head + "jobs:\n  - name: x\n    source: source\n    target: target\n    scope: {mode: all}\n    deletions:\n      treshold: 5\n")
		e := tell(78, "status")
		expectEqual(t, "file", at(e, "file"), l.config)
		expectEqual(t, "line and column", spaced(at(e, "line"), at(e, "column")), spaced(strings.Count(l.head, "\n")+7, 7))
		if !strings.Contains(image(at(e, "message")), "threshold") {
			t.Errorf("got %v, want the nearest valid word", e)
		}
		if err := os.WriteFile(l.config, good, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("permission", func(t *testing.T) {
		own := obj{"appId": l.access["target"].clientID, "secret": l.access["target"].secret}
		less := obj{"appId": own["appId"], "secret": own["secret"], "roles": list{"User.ReadWrite.All", "User.DeleteRestore.All", "Organization.Read.All", "Policy.Read.All"}}
		l.put("target", obj{"applications": list{less}})
		delete(l.tokens, "target")
		e := tell(4, "sync", jobName)
		expectEqual(t, "permission", at(e, "permission"), "User.Invite.All")
		for _, part := range []string{"cause", "action", "requestId"} {
			if at(e, part) == nil {
				t.Errorf("got %v, want %s", e, part)
			}
		}
		l.put("target", obj{"applications": list{own}})
		delete(l.tokens, "target")
	})
	t.Run("daemon", func(t *testing.T) {
		e := tell(6, "status", "--server", "unix:nobody.sock")
		expectEqual(t, "code", at(e, "code"), "DaemonNotReachable")
	})
	t.Run("before the command line is understood", func(t *testing.T) {
		a := launch(t, l.dir, "-o", "json", "--nosuch", "status").wait().exits(t, 64)
		if len(a.problems(t)) != 1 {
			t.Errorf("got %s, want one error object", a.stderr)
		}
	})
	t.Run("log records", func(t *testing.T) {
		a := l.run("sync", jobName, "-o", "json", "-v").exits(t, 0)
		if a.problems(t); len(a.stderr) == 0 {
			t.Error("got no log record with -v")
		}
	})
}
