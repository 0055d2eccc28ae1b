package docs_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the outputs shown in the pages (not those with … in them)")

// commandLimit stops a command that hangs; a page's commands take well under it.
const commandLimit = 2 * time.Minute

var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tenantsync-docs")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "tenantsync"), "../cmd/tenantsync").CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("build tenantsync: %w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := buildOnce(); dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// session is the shell in which a page's commands run, in their order.
type session struct {
	t       *testing.T
	dir     string
	env     []string
	running []*background
}

// background is a command that a page leaves running ("&").
type background struct {
	cmd  *exec.Cmd
	out  *lockedBuffer
	done chan struct{}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newSession(t *testing.T) *session {
	t.Helper()
	bin, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	// Short, because the path of a unix socket is limited to about a hundred bytes.
	dir, err := os.MkdirTemp("", "doc")
	if err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, dir: dir}
	s.env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+dir, "TMPDIR="+dir, "NO_COLOR=1", "TERM=dumb", "COLUMNS=140", "TZ=UTC", "TENANTSYNC_CONFIG=")
	t.Cleanup(func() {
		s.stop()
		os.RemoveAll(dir)
	})
	return s
}

// stop ends what a page left running, the newest first, as Ctrl-C would.
func (s *session) stop() {
	for i := len(s.running) - 1; i >= 0; i-- {
		b := s.running[i]
		_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-b.done:
		case <-time.After(30 * time.Second):
			_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
			s.t.Errorf("%v did not stop within 30 s of a SIGTERM:\n%s", b.cmd.Args, b.out)
		}
	}
	s.running = nil
}

func (s *session) shell(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-c", line)
	cmd.Dir, cmd.Env = s.dir, s.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// run executes one command line and returns what it printed and its exit code.
func (s *session) run(line string) (string, int) {
	s.t.Helper()
	line = strings.ReplaceAll(line, "go run ./cmd/tenantsync", "tenantsync")
	if rest, ok := strings.CutSuffix(strings.TrimSpace(line), "&"); ok && !strings.HasSuffix(rest, "&") {
		return s.start(strings.TrimSpace(rest)), 0
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), commandLimit)
	defer cancel()
	out, err := s.shell(ctx, line).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		s.t.Fatalf("%s: no end within %s\n%s", line, commandLimit, out)
	case errors.As(err, &exit):
		return string(out), exit.ExitCode()
	case err != nil:
		s.t.Fatalf("%s: %v", line, err)
	}
	return string(out), 0
}

// start runs a command in the background and returns once it is ready: when it
// has printed its first line, or, for the daemon, when that answers.
func (s *session) start(line string) string {
	s.t.Helper()
	b := &background{out: &lockedBuffer{}, done: make(chan struct{})}
	b.cmd = s.shell(context.Background(), "exec "+line)
	b.cmd.Stdout, b.cmd.Stderr = b.out, b.out
	if err := b.cmd.Start(); err != nil {
		s.t.Fatalf("%s: %v", line, err)
	}
	go func() {
		defer close(b.done)
		_ = b.cmd.Wait()
	}()
	s.running = append(s.running, b)
	ready := func() bool { return strings.Contains(b.out.String(), "\n") }
	if strings.Contains(line, "tenantsync") && strings.Contains(line+" ", " run ") {
		socket := func() []string { found, _ := filepath.Glob(filepath.Join(s.dir, "*", "control.sock")); return found }
		ready = func() bool { return len(socket()) > 0 }
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !ready() {
		select {
		case <-tick.C:
		case <-b.done:
			s.t.Fatalf("%s: ended before it was ready:\n%s", line, b.out)
		case <-limit:
			s.t.Fatalf("%s: not ready within 30 s:\n%s", line, b.out)
		}
	}
	return b.out.String()
}

// prepare does what the page's session comment asks for.
func (s *session) prepare(p page) {
	s.t.Helper()
	m := regexp.MustCompile(`<!-- session: (\w+) -->`).FindStringSubmatch(p.Text)
	if m == nil {
		return
	}
	s.env = append(s.env, "TENANTSYNC_CONFIG=sim/config.yaml")
	if m[1] == "entra" {
		s.copy("../testdata/entra/contoso.json")
		s.copy("../testdata/entra/fabrikam.json")
		s.start("tenantsync simulate --tenant contoso=contoso.json --tenant fabrikam=fabrikam.json --config-out sim")
		return
	}
	s.copy("testdata/contoso.json")
	s.start("tenantsync simulate --tenant contoso=contoso.json --tenant fabrikam --config-out sim")
	switch m[1] {
	case "simulated":
	case "synced":
		if out, code := s.run("tenantsync sync contoso-to-fabrikam"); code != 0 {
			s.t.Fatalf("first cycle: exit %d\n%s", code, out)
		}
	default:
		s.t.Fatalf("session %q is not known", m[1])
	}
}

// copy puts a file into the session's folder.
func (s *session) copy(path string) {
	s.t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, filepath.Base(path)), raw, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// command is one "$ " line of a block with the output shown below it.
type command struct {
	line       string
	at         int // index of its first line in the block
	from, to   int // output lines in the block
	want       []string
	wantedExit int
}

func commands(b *block) []command {
	var all []command
	for i := 0; i < len(b.Text); i++ {
		line, ok := strings.CutPrefix(b.Text[i], "$ ")
		if !ok {
			if n := len(all); n > 0 {
				all[n-1].to = i + 1
				all[n-1].want = append(all[n-1].want, b.Text[i])
			}
			continue
		}
		at := i
		for strings.HasSuffix(line, "\\") && i+1 < len(b.Text) {
			i++
			line += "\n" + b.Text[i]
		}
		all = append(all, command{line: line, at: at, from: i + 1, to: i + 1})
	}
	if exit := b.arg("exit"); exit != "" && len(all) > 0 {
		all[len(all)-1].wantedExit, _ = strconv.Atoi(exit)
	}
	return all
}

var (
	idPattern     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b(?:[0-9a-f]{8}|[0-9a-f]{64})\b`)
	datePattern   = regexp.MustCompile(`\b[0-9]{4}-[0-9]{2}-[0-9]{2} ([0-9]{2}:[0-9]{2})\b`)
	numberPattern = regexp.MustCompile(`[0-9][0-9.,:]*[0-9]|[0-9]`)
	spacePattern  = regexp.MustCompile(`[\s─━]+`)
)

// normal makes lines comparable: ids and numbers differ from run to run, and
// with them the width of columns.
func normal(line string) string {
	line = idPattern.ReplaceAllString(line, "ID")
	line = datePattern.ReplaceAllString(line, "$1") // near midnight the same thing is of another day
	line = numberPattern.ReplaceAllString(line, "N")
	return strings.TrimSpace(spacePattern.ReplaceAllString(line, " "))
}

// missing returns the first wanted line that the output lacks, in order; a
// line of … alone stands for any number of lines.
func missing(want []string, output string) (string, bool) {
	scan := bufio.NewScanner(strings.NewReader(output))
	scan.Buffer(nil, 1<<20)
	for _, w := range want {
		n := normal(w)
		if n == "" || n == "…" {
			continue
		}
		parts := strings.Split(n, "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(strings.TrimSpace(parts[i]))
		}
		pattern := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
		found := false
		for !found && scan.Scan() {
			found = pattern.MatchString(normal(scan.Text()))
		}
		if !found {
			return w, true
		}
	}
	return "", false
}

// Every command of every page works, in the order in which a reader meets them.
func TestCommandsRun(t *testing.T) {
	for _, p := range pages(t) {
		var runs bool
		for _, b := range p.Blocks {
			runs = runs || b.Lang == "console"
		}
		if !runs {
			continue
		}
		t.Run(filepath.Base(p.Name), func(t *testing.T) {
			if !*update {
				t.Parallel()
			}
			s := newSession(t)
			s.prepare(p)
			lines := strings.Split(p.Text, "\n")
			shift := 0
			for i := range p.Blocks {
				shift += s.block(&p.Blocks[i], &lines, shift)
			}
			if *update {
				if err := os.WriteFile(p.Name, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// block runs or writes one block; with -update it replaces outputs in lines and
// returns by how many lines the page grew.
func (s *session) block(b *block, lines *[]string, shift int) (grown int) {
	s.t.Helper()
	if name := b.arg("file"); name != "" {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(strings.Join(b.Text, "\n")+"\n"), 0o600); err != nil {
			s.t.Fatal(err)
		}
		return 0
	}
	if b.Lang != "console" {
		return 0
	}
	for _, c := range commands(b) {
		out, exit := s.run(c.line)
		if exit != c.wantedExit {
			s.t.Fatalf("%s:%d: $ %s\nexit %d, want %d; output:\n%s", b.Page, b.Line+1+c.at, c.line, exit, c.wantedExit, out)
		}
		line, lacks := missing(c.want, out)
		if !lacks {
			continue
		}
		if !*update || strings.Contains(strings.Join(c.want, "\n"), "…") {
			s.t.Errorf("%s:%d: $ %s\nthe page shows %q; output:\n%s", b.Page, b.Line+1+c.at, c.line, line, out)
			continue
		}
		fresh := strings.Split(strings.TrimRight(strings.ReplaceAll(out, s.dir, "/tmp/demo"), "\n"), "\n")
		at := b.Line + shift + grown
		head := append([]string{}, (*lines)[:at+c.from]...)
		*lines = append(append(head, fresh...), (*lines)[at+c.to:]...)
		grown += len(fresh) - (c.to - c.from)
	}
	return grown
}
