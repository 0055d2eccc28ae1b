package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hangup sends the daemon SIGHUP and waits for what it then logs, once more than
// before.
func (l *lab) hangup(message string) {
	l.t.Helper()
	before := bytes.Count(l.daemon.stderr.Bytes(), []byte(message))
	if err := l.daemon.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		l.t.Fatal(err)
	}
	l.daemon.until(message, func() bool { return bytes.Count(l.daemon.stderr.Bytes(), []byte(message)) > before })
}

// A secret is changed while the daemon runs: a wrong one is refused and changes
// nothing, the right one is taken, and every cycle of all this succeeds.
func TestSecretRotation(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(team("s", 3)...), users())
	l.configure(jobWith(obj{"autoStart": true, "schedule": "@every 1s"}))
	l.startDaemon()
	ended := func() int { return bytes.Count(l.daemon.stderr.Bytes(), []byte(`"msg":"cycle ended"`)) }
	further := func(n int) {
		t.Helper()
		from := ended()
		l.daemon.until("further cycles", func() bool { return ended() >= from+n })
	}
	further(2)

	// The administrators of the source draw a new secret.
	fresh := "a-fresh-secret-of-the-source"
	l.edit("source", "applications", func(apps []user) []user {
		for _, a := range apps {
			if a["appId"] == l.access["source"].clientID {
				a["secret"] = fresh
			}
		}
		return apps
	})
	file := filepath.Join(l.dir, "sim", "source.secret")
	write := func(secret string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a-mistyped-secret")
	l.hangup("configuration not reloaded")
	further(2)
	write(fresh)
	text, err := os.ReadFile(l.config)
	if err != nil {
		t.Fatal(err)
	}
	day := time.Now().UTC().AddDate(0, 0, 5).Format(time.DateOnly)
	told := strings.Replace(string(text), "kind: secret\n", "kind: secret\n      expires: "+day+"\n", 1)
	if err := os.WriteFile(l.config, []byte(told), 0o600); err != nil {
		t.Fatal(err)
	}
	l.hangup(`"msg":"configuration reloaded"`)
	if log := string(l.daemon.stderr.Bytes()); !strings.Contains(log, `"changedCredentials":["source"]`) {
		t.Errorf("the log does not name the tenant of the new secret:\n%s", log)
	}
	l.hangup(`"msg":"configuration reloaded"`)
	if log := string(l.daemon.stderr.Bytes()); !strings.Contains(log, `"changedCredentials":[]`) {
		t.Errorf("the log of a reload without a new secret names one:\n%s", log)
	}
	if log := string(l.daemon.stderr.Bytes()); !strings.Contains(log, "the secret for source expires on "+day) {
		t.Errorf("the log does not say that the secret expires on %s:\n%s", day, log)
	}
	if status := l.run("status"); !strings.Contains(string(status.stdout), "the secret for source expires on "+day) {
		t.Errorf("status does not say that the secret expires on %s:\n%s", day, status.stdout)
	}
	l.add("source", staff("late"))
	further(3)
	if got := len(l.section("target", "users")); got != 4 {
		t.Errorf("users in the target: got %d, want 4 with the one who came after the change", got)
	}
	// A new process would tell if the file were not right.
	log := string(l.daemon.stderr.Bytes())
	l.stopDaemon()
	l.sync(0, "success")

	for _, failed := range []string{`"msg":"cycle failed"`, `"outcome":"failed"`} {
		if strings.Contains(log, failed) {
			t.Errorf("the log has %s:\n%s", failed, log)
		}
	}
	for _, secret := range []string{fresh, "a-mistyped-secret", l.access["source"].secret} {
		if strings.Contains(log, secret) {
			t.Errorf("the log gives a secret away: %s", secret)
		}
	}
	var acts []struct{ Act, Outcome, Via string }
	l.json(0, &acts, "audit", "list", "--act", "configuration", "--limit", "0")
	got := ""
	for _, a := range acts {
		got = a.Via + " " + a.Outcome + ", " + got
	}
	expectEqual(t, "configurations in the audit", got, "process done, signal refused, signal done, signal done, ")
}
