package e2e_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// On a file system that is full, too full to begin, or read-only: one that is mounted
// for the test, by root or in a namespace of its own, where the system lets anybody
// do that; and, everywhere, by a limit of the size of files and by their modes.
func TestSmallAndReadOnlyFileSystems(t *testing.T) {
	t.Parallel()
	if os.Getenv(inNamespace) != "" {
		onOneOfItsOwn(t) // this is the process in the namespace
		return
	}
	t.Run("mounted", func(t *testing.T) {
		dir := t.TempDir()
		switch err := mount(dir, "1m"); {
		case err == nil:
			unmount(dir)
			t.Log("mounted by this process")
			onOneOfItsOwn(t)
		case namespaced(exec.Command("mount", "-t", "tmpfs", "none", dir)).Run() == nil:
			t.Log("mounted in a namespace of its own")
			again := namespaced(exec.Command(os.Args[0], "-test.run=^TestSmallAndReadOnlyFileSystems$", "-test.v"))
			again.Env = append(os.Environ(), inNamespace+"=1")
			if out, err := again.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestSmallAndReadOnlyFileSystems") {
				t.Errorf("in the namespace: %v\n%s", err, out)
			}
		default:
			t.Logf("this system lets nobody mount (%v): what limits and modes show has to do", err)
		}
	})
	t.Run("limits and modes", byLimitsAndModes)
}

// inNamespace is set where the test runs again in a namespace of its own.
const inNamespace = "TENANTSYNC_TEST_NAMESPACE"

func mount(dir, size string) error {
	return exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "none", dir).Run()
}

func unmount(dir string) { _ = exec.Command("umount", dir).Run() } // the folder goes anyway

// onOneOfItsOwn is for who may mount.
func onOneOfItsOwn(t *testing.T) {
	l := newLab(t, users(team("user", 30)...), nil)
	disk := filepath.Join(l.dir, "sim", "disk")
	if err := os.MkdirAll(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := mount(disk, "4m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unmount(disk) })
	filler := filepath.Join(disk, "filler")
	fill := func(leave int) {
		t.Helper()
		_ = os.Remove(filler) // the first time there is none
		var fs syscall.Statfs_t
		if err := syscall.Statfs(disk, &fs); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filler, make([]byte, int(fs.Bavail)*int(fs.Bsize)-leave), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.stored("64MiB")
	l.sync(0, "success", "--initial") // a tenth of four megabytes is enough to ask for
	l.put("source", obj{"users": team("user", 90)})
	fill(300 << 10)
	l.counts("source")
	for _, args := range [][]string{{"sync", jobName}, {"provision", "user40@contoso.example"}} {
		a := l.run(append(args, "-o", "json")...)
		a.refusedWith(t, 1, "DiskFull")
		if !strings.Contains(string(a.stderr), "store.reserve") {
			t.Errorf("%q: got %s, want it to name store.reserve", args, a.stderr)
		}
	}
	if asked := l.counts("source"); asked.Requests != 0 {
		t.Errorf("%d requests without room to begin, want none", asked.Requests)
	}
	l.json(0, nil, "status")

	l.stored("0")
	fill(16 << 10)
	l.run("sync", jobName, "-o", "json").refusedWith(t, 1, "DiskFull")
	l.json(0, nil, "logs", "--limit", "1")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	l.sync(0, "success")
	l.everyoneOnce("user", 90)

	if out, err := exec.Command("mount", "-o", "remount,ro", disk).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l.readOnly("read-only file system", l.run)
}

// stored puts the state file into the folder disk.
func (l *lab) stored(reserve string) {
	l.t.Helper()
	raw := l.head + "jobs: [{name: " + jobName + ", source: source, target: target, scope: {mode: all}, limits: {writesPerSecond: 1000}}]\n" +
		"store: {path: disk/state.db, reserve: " + reserve + "}\ncontrol: {listen: \"\"}\n"
	if err := os.WriteFile(l.config, []byte(raw), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// readOnly expects that a cycle writes nothing to the target, and says why, where the
// state cannot be written.
func (l *lab) readOnly(cause string, run func(args ...string) answer) {
	l.t.Helper()
	wrote := l.during("target", func() {
		a := run("sync", jobName, "-o", "json")
		a.refusedWith(l.t, 1, "StateNotWritable")
		if !strings.Contains(string(a.stderr), cause) {
			l.t.Errorf("got %s, want the cause, %s", a.stderr, cause)
		}
	})
	if len(wrote) > 0 {
		l.t.Errorf("got writes %v without a state to keep, want none", kinds(wrote))
	}
	run("state", "check", filepath.Join(l.dir, "sim", "disk", "state.db"), "-o", "json").exits(l.t, 0)
}

// nobody is a user without rights, if this process may become one.
const nobody = 65534

// byLimitsAndModes needs no rights: to the program a limit of the size of files is a
// disk without room, and a folder that it may not write a read-only one. Modes do not
// bind root, so then the program runs as somebody else.
func byLimitsAndModes(t *testing.T) {
	l := newLab(t, users(team("user", 30)...), nil)
	disk := filepath.Join(l.dir, "sim", "disk")
	if err := os.MkdirAll(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	l.stored("0")
	l.sync(0, "success", "--initial")
	state := filepath.Join(disk, "state.db")
	info, err := os.Stat(state)
	if err != nil {
		t.Fatal(err)
	}
	l.put("source", obj{"users": team("user", 90)})
	l.confined(info.Size(), "sync", jobName, "-o", "json").refusedWith(t, 1, "DiskFull")
	l.sync(0, "success")
	l.everyoneOnce("user", 90)

	l.put("source", obj{"users": team("user", 95)})
	run := l.run
	if os.Getuid() == 0 {
		t.Log("as another user: modes do not bind this one")
		run = l.asNobody()
	}
	for path, mode := range map[string]fs.FileMode{state: 0o400, disk: 0o500} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(disk, 0o700) }) // so that it can be removed
	l.readOnly("permission denied", run)
}

// asNobody gives the lab to a user without rights, and returns how to run commands as
// that one.
func (l *lab) asNobody() func(args ...string) answer {
	l.t.Helper()
	built, err := buildOnce()
	if err != nil {
		l.t.Fatal(err)
	}
	content, err := os.ReadFile(built)
	if err != nil {
		l.t.Fatal(err)
	}
	bin := filepath.Join(l.dir, "tenantsync") // the folder of the built one is ours alone
	if err := os.WriteFile(bin, content, 0o700); err != nil {
		l.t.Fatal(err)
	}
	err = filepath.WalkDir(l.dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, nobody, nobody)
		}
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return func(args ...string) answer {
		l.t.Helper()
		args = append([]string{"-c", l.config}, args...)
		cmd := exec.Command(bin, args...)
		var stdout, stderr lockedBuffer
		cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, &stdout, &stderr
		cmd.Env = []string{"HOME=" + l.dir, "TMPDIR=" + l.dir, "PATH=" + os.Getenv("PATH"), "NO_COLOR=1", "TERM=dumb", "TZ=UTC"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true}}
		var exit *exec.ExitError
		if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
			l.t.Fatal(err)
		}
		return answer{args: args, stdout: stdout.Bytes(), stderr: stderr.Bytes(), exit: cmd.ProcessState.ExitCode()}
	}
}
