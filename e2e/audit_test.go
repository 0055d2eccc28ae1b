package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Who may do less than the owner of the state file: a named token over TCP, with
// the exit codes of somebody who lacks a permission, and a record of each attempt.
func TestControlRolesAndAudit(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(team("s", 3)...), users())
	secrets := map[string]string{}
	entries := ""
	for _, role := range []string{"reader", "operator", "approver"} {
		var drawn struct{ Token, TokenFile string }
		l.json(0, &drawn, "token", "new", role, "--role", role, "--out", filepath.Join("sim", role+".token"))
		held, err := os.ReadFile(filepath.Join(l.dir, "sim", role+".token"))
		if err != nil || strings.Contains(string(held), drawn.Token) || !strings.HasPrefix(string(held), "sha256:") {
			t.Fatalf("the file of hashes holds %q (%v), the token is %q", held, err, drawn.Token)
		}
		secrets[role] = filepath.Join(l.dir, role+".secret")
		if err := os.WriteFile(secrets[role], []byte(drawn.Token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		entries += "    - {name: " + role + ", role: " + role + ", tokenFile: " + role + ".token}\n"
	}
	port := freePort(t)
	text := l.head + "jobs: [{name: " + jobName + ", source: source, target: target, scope: {mode: all}, limits: {writesPerSecond: 1000}}]\n" +
		"store: {path: state.db}\ncontrol:\n  listen: \"127.0.0.1:" + port + "\"\n  requireReason: true\n  tokens:\n" + entries
	if err := os.WriteFile(l.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.daemon = launch(t, l.dir, "-c", l.config, "run")
	l.daemon.until("answering", func() bool {
		_, err := os.Stat(filepath.Join(l.dir, "sim", "state.db.token"))
		return err == nil && l.run("status", "--server", "http://127.0.0.1:"+port).exit == 0
	})
	as := func(role string, exit int, args ...string) answer {
		t.Helper()
		args = append(args, "--server", "http://127.0.0.1:"+port, "--token-file", secrets[role], "-o", "json")
		return launch(t, l.dir, args...).wait().exits(t, exit)
	}
	as("reader", 0, "status")
	as("reader", 0, "plan", jobName)
	if a := as("reader", 4, "sync", jobName); !strings.Contains(string(a.stderr), "role operator") {
		t.Errorf("the refusal does not name the role: %s", a.stderr)
	}
	as("operator", 0, "sync", jobName)
	as("operator", 4, "restart", jobName, "--yes", "--reason", "because")
	as("approver", 64, "restart", jobName, "--yes")
	as("approver", 0, "restart", jobName, "--yes", "--reason", "ticket 4711")
	var verdict struct {
		Whole   bool
		Records int
	}
	as("reader", 0, "audit", "verify").into(t, &verdict)
	if !verdict.Whole || verdict.Records < 8 {
		t.Errorf("audit verify: got %+v, want a whole record", verdict)
	}
	exported := string(as("reader", 0, "audit", "export").stdout)
	l.stopDaemon()
	for _, want := range []string{
		`"actor":"token operator","via":"tcp","act":"sync","outcome":"begun","job":"` + jobName + `"`,
		`"actor":"token approver","via":"tcp","act":"restart","outcome":"begun","job":"` + jobName + `","reason":"ticket 4711"`,
		`"act":"control refused","outcome":"refused","details":{"code":"RoleTooLow","count":"1"}`,
	} {
		if !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(exported, "\n", ""), " ", ""), strings.ReplaceAll(want, " ", "")) {
			t.Errorf("the export lacks %s:\n%s", want, exported)
		}
	}
	// Without a daemon the owner of the file acts, and no token is a help against it.
	l.json(0, nil, "pause", jobName)
	var last []struct{ Actor, Via, Act string }
	l.json(0, &last, "audit", "list", "--limit", "1")
	if len(last) != 1 || last[0].Via != "command" || last[0].Act != "pause" || last[0].Actor == "" {
		t.Errorf("the last act: got %+v, want a pause by a command", last)
	}

	// A backup that is put back is an audit that is short of its end: it says so, and
	// how the rest is verified that is kept.
	backup := filepath.Join(l.dir, "sim", "copy.db")
	l.json(0, nil, "state", "backup", backup)
	l.json(0, nil, "start", jobName)
	var replaced struct{ Hash string }
	l.json(0, &replaced, "audit", "verify")
	for _, act := range [][]string{{"state", "restore", backup, "--yes"}, {"state", "rebuild", "--yes"}} {
		if a := l.run(append(act, "-o", "json")...).exits(t, 64); !strings.Contains(string(a.stderr), "ReasonRequired") {
			t.Errorf("%q without a reason: got %s", act, a.stderr)
		}
	}
	l.json(0, nil, "state", "restore", backup, "--yes", "--reason", "a drill")
	var restored []struct {
		Act, Reason string
		Details     map[string]string
	}
	l.json(0, &restored, "audit", "list", "--limit", "1")
	if len(restored) != 1 || restored[0].Act != "state restore" || restored[0].Reason != "a drill" || !strings.HasSuffix(restored[0].Details["lastRecord"], ":"+replaced.Hash) {
		t.Errorf("the restore in the audit: got %+v, want it to name the record %s", restored, replaced.Hash)
	}
}
