package e2e_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tenantsync/store"
	"tenantsync/store/bolt"
)

// refusedWith expects a command to have ended with this exit code and one error of
// this code that says what happened, why and what to do, and without a stack trace.
func (a answer) refusedWith(t *testing.T, exit int, code string) {
	t.Helper()
	a.exits(t, exit)
	told := a.problems(t)
	if len(told) != 1 || at(told, 0, "code") != code {
		t.Errorf("%q: got %s, want one error %s", a.args, a.stderr, code)
		return
	}
	for _, part := range []string{"message", "cause", "action"} {
		if at(told, 0, part) == nil {
			t.Errorf("%q: got %v, want its %s", a.args, told[0], part)
		}
	}
	a.noStack(t)
}

func (a answer) noStack(t *testing.T) {
	t.Helper()
	if bytes.Contains(a.stderr, []byte("goroutine ")) || bytes.Contains(a.stderr, []byte("panic:")) {
		t.Errorf("%q: a stack trace:\n%s", a.args, a.stderr)
	}
}

// confined runs a command whose files may not grow beyond this size, which is what
// a full disk looks like to it.
func (l *lab) confined(size int64, args ...string) answer {
	l.t.Helper()
	bin, err := buildOnce()
	if err != nil {
		l.t.Fatal(err)
	}
	// A shell counts in blocks of 512 bytes.
	script := fmt.Sprintf(`ulimit -f %d; exec "$0" "$@"`, size/512)
	return launchBinary(l.t, "/bin/sh", l.dir, nil, append([]string{"-c", script, bin, "-c", l.config}, args...)...).wait()
}

// The disk is full in the middle of a cycle: no further batch is written, the state
// stays readable, nothing is done over and over, and with room again the next cycle
// ends the work.
func TestFullDiskInTheMiddleOfACycle(t *testing.T) {
	t.Parallel()
	const people = 80
	l := newLab(t, users(team("user", 2)...), nil)
	l.sync(0, "success")
	l.put("source", obj{"users": team("user", people)})
	state := filepath.Join(l.dir, "sim", "state.db")
	full := 0
	for range 8 {
		info, err := os.Stat(state)
		if err != nil {
			t.Fatal(err)
		}
		a := l.confined(info.Size(), "sync", jobName, "-o", "json")
		if a.exit == 0 {
			break
		}
		full++
		a.refusedWith(t, 1, "DiskFull")
		l.json(0, nil, "status")
		if there, known := len(l.section("target", "users")), l.linked(); there > known+batchOfWrites {
			t.Errorf("%d users in the target, %d in the state: want at most a batch between them", there, known)
		}
		again := l.during("target", func() { l.confined(info.Size(), "sync", jobName, "-o", "json").exits(t, 1) })
		if len(again) > 0 {
			t.Errorf("another cycle with the disk full wrote %v, want nothing", kinds(again))
		}
		// A little room: the next limit is met further on.
		if err := os.Truncate(state, 2*info.Size()); err != nil {
			t.Fatal(err)
		}
	}
	if full == 0 {
		t.Error("the disk was never full")
	}
	l.sync(0, "success")
	l.everyoneOnce("user", people)
}

// linked counts the links in the state file, which nobody has open.
func (l *lab) linked() int {
	l.t.Helper()
	st, err := bolt.Open(filepath.Join(l.dir, "sim", "state.db"), bolt.Options{ReadOnly: true})
	if err != nil {
		l.t.Fatal(err)
	}
	defer st.Close() // read only
	links, err := st.Links(l.t.Context(), store.LinkQuery{Pair: store.Pair{Source: sourceTenant, Target: targetTenant}})
	if err != nil {
		l.t.Fatal(err)
	}
	return len(links)
}

// Bytes that changed, and a file that was cut: a command refuses the file and leaves
// it as it is, or does not need what is broken and is right. Nothing begins anew.
func TestDamagedStateFiles(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(team("user", 25)...), nil)
	l.sync(0, "success")
	state := filepath.Join(l.dir, "sim", "state.db")
	good, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	before := image(l.section("target", "users"))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	page := os.Getpagesize()
	damages := map[string][]byte{"cut to one byte": good[:1], "empty": {}, "cut after the first page": good[:page],
		"cut after the heads": good[:2*page], "cut in half": good[:len(good)/2],
		"heads overwritten": append(bytes.Repeat([]byte{0xFF}, 2*page), good[2*page:]...)}
	for n := range 10 {
		flipped := bytes.Clone(good)
		for range 1 << n {
			flipped[random.IntN(len(flipped))] ^= byte(1 + random.IntN(255))
		}
		damages[strconv.Itoa(1<<n)+" bytes flipped"] = flipped
	}
	for name, content := range damages {
		if err := os.WriteFile(state, content, 0o600); err != nil {
			t.Fatal(err)
		}
		func() {
			a := l.run("sync", jobName, "-o", "json")
			a.noStack(t)
			if a.exit == 0 || a.exit == 5 && strings.Contains(string(a.stderr), "StateRestored") {
				return // did not need it, or took it for an old state and holds what it would do
			}
			if told := a.problems(t); a.exit != 1 || len(told) == 0 || at(told, 0, "message") == nil || at(told, 0, "action") == nil {
				t.Errorf("%s: exit %d, %s", name, a.exit, a.stderr)
			}
			// What opens, and turns out to be damaged later, may say so in its own record.
			refused := strings.Contains(image(at(a.problems(t), 0, "cause")), "open state file")
			if after, err := os.ReadFile(state); err == nil && refused && !bytes.Equal(after, content) {
				t.Errorf("%s: the refused file was changed", name)
			}
		}()
		// Who is not found in the state any more may be invited once more, which changes nothing.
		if after := image(l.section("target", "users")); after != before {
			t.Errorf("%s: got the target\n%s\nwant it as it was\n%s", name, after, before)
		}
		l.run("status", "-o", "json").noStack(t)
	}
	if err := os.WriteFile(state, good, 0o600); err != nil {
		t.Fatal(err)
	}
	l.sync(0, "success")
	l.everyoneOnce("user", 25)
}

// A second daemon is told who has the state.
func TestSecondDaemonNamesTheHolder(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("anna")), nil)
	l.startDaemon()
	a := l.run("run", "-o", "json")
	a.refusedWith(t, 6, "StateLocked")
	if want := "process " + strconv.Itoa(l.daemon.cmd.Process.Pid) + " ("; !strings.Contains(string(a.stderr), want) {
		t.Errorf("got %s, want %q in it", a.stderr, want)
	}
	l.stopDaemon()
}

// Stop means stop: a daemon that is told to end in the middle of a cycle ends soon,
// with 0, and the next cycle goes on.
func TestTerminatedInTheMiddleOfACycle(t *testing.T) {
	t.Parallel()
	const people = 100
	l := newLab(t, users(team("user", people)...), nil)
	l.configure(jobWith(obj{"autoStart": true}))
	l.faults("target", obj{"method": "POST", "path": "/$batch", "item": "outer", "delay": "300ms"})
	p := launch(t, l.dir, "-c", l.config, "run")
	p.until("writing", func() bool { return len(l.journal("target")) > 0 })
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // the exit code tells
	p.wait().exits(t, 0)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v to end, want it soon", took)
	}
	if n := len(l.section("target", "users")); n == people {
		t.Error("the cycle went on to its end")
	}
	l.faults("target")
	l.sync(0, "success")
	l.everyoneOnce("user", people)
}

// The state file is moved away below a daemon: nothing more is written that nobody
// would remember, and what the daemon has can be saved and put back.
func TestStateMovedBelowTheDaemon(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(team("user", 3)...), nil)
	l.sync(0, "success")
	l.startDaemon()
	if err := os.Rename(filepath.Join(l.dir, "sim", "state.db"), filepath.Join(l.dir, "moved.db")); err != nil {
		t.Fatal(err)
	}
	l.put("source", obj{"users": team("user", 5)})
	wrote := l.during("target", func() {
		l.run("sync", jobName, "-o", "json").refusedWith(t, 1, "StateMoved")
		l.run("provision", "user4@contoso.example", "-o", "json").refusedWith(t, 1, "StateMoved")
		l.run("state", "check", "-o", "json").refusedWith(t, 1, "StateMoved")
	})
	if len(wrote) > 0 {
		t.Errorf("got writes %v, want none", kinds(wrote))
	}
	if s := l.status(0); s.State != "Active" {
		t.Errorf("got %s, want Active: no tenant has anything to do with it", s.State)
	}
	saved := filepath.Join(l.dir, "saved.db")
	l.json(0, nil, "state", "backup", saved)
	l.stopDaemon()
	for _, command := range []string{"check", "backup"} { // neither begins an empty state
		a := l.run("state", command, "-o", "json").exits(t, 64)
		if !strings.Contains(string(a.stderr), "state restore") {
			t.Errorf("state %s: got %s, want the way out", command, a.stderr)
		}
	}
	l.json(0, nil, "state", "restore", saved, "--yes")
	l.sync(0, "success")
	l.everyoneOnce("user", 5)
}
