package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// limit stops a process that hangs; every command here takes well under it.
const limit = 2 * time.Minute

// buildOnce builds the binary that all tests of the package drive.
var buildOnce = sync.OnceValues(func() (string, error) { return build() })

// buildCrashing builds the one that ends at the point which its environment names.
var buildCrashing = sync.OnceValues(func() (string, error) { return build("-tags", "crashpoints") })

// builds is the folder of all binaries.
var builds = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "tenantsync-e2e") })

func build(flags ...string) (string, error) {
	dir, err := builds()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, strings.Join(append([]string{"tenantsync"}, flags...), ""))
	args := append(append([]string{"build"}, flags...), "-o", bin, "../cmd/tenantsync")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return bin, fmt.Errorf("build tenantsync: %w\n%s", err, out)
	}
	return bin, nil
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := builds(); dir != "" {
		_ = os.RemoveAll(dir) // a temporary folder
	}
	os.Exit(code)
}

// answer is what a command left behind.
type answer struct {
	args   []string
	stdout []byte
	stderr []byte
	exit   int // −1: ended by a signal
}

// process is a tenantsync that runs.
type process struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr lockedBuffer
	done           chan struct{} // closed when it has ended
}

// lockedBuffer is written by a process and read by the test meanwhile.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

// launch starts the binary in dir with an environment of its own.
func launch(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	bin, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return launchBinary(t, bin, dir, nil, args...)
}

// launchBinary is launch for one binary, with these variables besides.
func launchBinary(t *testing.T, bin, dir string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, done: make(chan struct{})}
	p.cmd = exec.Command(bin, args...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.stdout, &p.stderr
	p.cmd.Env = append(env, "HOME="+dir, "TMPDIR="+dir, "PATH="+os.Getenv("PATH"), "NO_COLOR=1", "TERM=dumb", "TZ=UTC")
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("tenantsync %q: %v", args, err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // the exit code tells
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends the process as a crash would and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // gone already is fine
	<-p.done
}

// stop ends the process as an administrator would.
func (p *process) stop() {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // gone already is fine
	p.wait()
}

// wait returns once the process has ended.
func (p *process) wait() answer {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		p.kill()
		p.t.Fatalf("tenantsync %q: no end within %s\n%s", p.cmd.Args[1:], limit, p.stderr.Bytes())
	}
	return answer{args: p.cmd.Args[1:], stdout: p.stdout.Bytes(), stderr: p.stderr.Bytes(), exit: p.cmd.ProcessState.ExitCode()}
}

// until waits for a condition that the process brings about.
func (p *process) until(what string, ready func() bool) {
	p.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(limit)
	for !ready() {
		select {
		case <-tick.C:
		case <-p.done:
			p.t.Fatalf("tenantsync %q ended before %s:\n%s", p.cmd.Args[1:], what, p.stderr.Bytes())
		case <-late:
			p.t.Fatalf("tenantsync %q: not %s within %s:\n%s", p.cmd.Args[1:], what, limit, p.stderr.Bytes())
		}
	}
}

// into decodes what a command printed.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(a.stdout))
	err := decoder.Decode(v)
	if err == nil && decoder.More() {
		err = errors.New("more than one document")
	}
	if err != nil {
		t.Fatalf("tenantsync %q (exit %d): %v\nstdout: %s\nstderr: %s", a.args, a.exit, err, a.stdout, a.stderr)
	}
}
