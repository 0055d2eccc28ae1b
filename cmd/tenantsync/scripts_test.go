package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tenantsync": func() { os.Exit(process()) },
	})
}

// TestScripts drives the program as a user does. The scripts know, besides what
// testscript offers:
//
//	exits N COMMAND…     runs the command; its exit code must be N
//	field PATH VALUE     the JSON on the last stdout has VALUE at PATH, e.g. jobs.0.state;
//	                     # (quoted) at the end of a path counts, VALUE !absent says that there is none
//	appears FILE…        waits until the files exist
//	answers SOCKET       waits until somebody accepts connections there
//	signal SIG WORD      sends a signal to the background command that has WORD among its arguments
//	until TEXT COMMAND…  runs the command until its stdout contains TEXT
//	freeport NAME        puts a free port of loopback into the variable NAME
//	rewrite FILE OLD NEW replaces OLD in the file; an empty OLD appends NEW as a line;
//	                     NEW can be @FILE, the content of that file
//	masked FILE          puts the last stdout into the file, with ID for ids and TIME for moments
//	repeat NAME TEXT N   puts TEXT, N times, into the variable NAME
//	saved NAME PATH     puts the value at PATH of the last stdout into the variable NAME
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			for name, folder := range map[string]string{"TENANTS": "testdata/tenants", "SCHEMAS": "../../testdata/import", "ENTRA": "../../testdata/entra"} {
				path, err := filepath.Abs(folder)
				if err != nil {
					return err
				}
				e.Setenv(name, path)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   scriptExits,
			"field":   scriptField,
			"appears": scriptAppears,
			"answers": scriptAnswers,
			"saved":   scriptSaved,

			"freeport": scriptFreePort,
			"signal":   scriptSignal,
			"until":    scriptUntil,
			"rewrite":  scriptRewrite,
			"repeat":   scriptRepeat,
			"masked":   scriptMasked,
		},
	})
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%s: %v", strings.Join(args[1:], " "), err)
	}
	if got != want {
		ts.Fatalf("%s: got exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// lookUp walks the JSON on the last standard output.
func lookUp(ts *testscript.TestScript, path string) (string, bool) {
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	decoder.UseNumber()
	var at any
	ts.Check(decoder.Decode(&at))
	for _, key := range strings.Split(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			if key == "#" {
				return fmt.Sprint(len(v)), true
			}
			next, ok := v[key]
			if !ok {
				return "", false
			}
			at = next
		case []any:
			if key == "#" {
				return fmt.Sprint(len(v)), true
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(v) {
				return "", false
			}
			at = v[i]
		default:
			return "", false
		}
	}
	if text, ok := at.(string); ok {
		return text, true
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	ts.Check(encoder.Encode(at))
	return strings.TrimSpace(b.String()), true
}

func scriptField(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: field PATH VALUE")
	}
	got, ok := lookUp(ts, args[0])
	if !ok {
		got = "!absent"
	}
	if (got == args[1]) == neg {
		ts.Fatalf("%s: got %s, want %s (negated: %v)", args[0], got, args[1], neg)
	}
}

func scriptSaved(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: saved NAME PATH")
	}
	got, ok := lookUp(ts, args[1])
	if !ok {
		ts.Fatalf("no %s on stdout", args[1])
	}
	ts.Setenv(args[0], got)
}

// patience is how long a script waits for another process.
const patience = 30 * time.Second

// await asks until the answer is yes. Other processes give no other sign.
func await(ts *testscript.TestScript, what string, ready func() bool) {
	deadline := time.Now().Add(patience)
	for !ready() {
		if time.Now().After(deadline) {
			ts.Fatalf("%s: not after %s", what, patience)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func scriptAppears(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		await(ts, name, func() bool {
			info, err := os.Stat(ts.MkAbs(name))
			return (err == nil && info.Size() > 0) != neg
		})
	}
}

func scriptAnswers(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: answers SOCKET")
	}
	await(ts, args[0], func() bool {
		c, err := net.Dial("unix", ts.MkAbs(args[0]))
		if err == nil {
			_ = c.Close()
		}
		return (err == nil) != neg
	})
}

func scriptFreePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv(args[0], port)
}

func scriptSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}
	if neg || len(args) != 2 || signals[args[0]] == nil {
		ts.Fatalf("usage: signal INT|TERM|HUP|KILL WORD")
	}
	for _, c := range ts.BackgroundCmds() {
		if slices.Contains(c.Args, args[1]) && c.ProcessState == nil {
			ts.Check(c.Process.Signal(signals[args[0]]))
			return
		}
	}
	ts.Fatalf("no background command with the argument %s", args[1])
}

func scriptUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until TEXT COMMAND…")
	}
	await(ts, args[0], func() bool {
		// A command that fails has not got there yet.
		_ = ts.Exec(args[1], args[2:]...)
		return strings.Contains(ts.ReadFile("stdout"), args[0])
	})
}

func scriptRewrite(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: rewrite FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if name, is := strings.CutPrefix(args[2], "@"); is {
		args[2] = strings.TrimSuffix(ts.ReadFile(name), "\n")
	}
	if args[1] == "" {
		text += args[2] + "\n"
	} else if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	} else {
		text = strings.ReplaceAll(text, args[1], args[2])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func scriptRepeat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: repeat NAME TEXT N")
	}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Setenv(args[0], strings.Repeat(args[1], n))
}

var (
	anyID     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	anyMoment = regexp.MustCompile(`\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(\.\d+)?(Z| UTC)`)
)

func scriptMasked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: masked FILE")
	}
	text := anyMoment.ReplaceAllString(anyID.ReplaceAllString(ts.ReadFile("stdout"), "ID"), "TIME")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
