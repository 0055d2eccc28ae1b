package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// world is a simulator, its tenants behind their taps, and a configuration.
type world struct {
	t      *testing.T
	dir    string
	config string // with the taps as endpoints
	admin  string // with the tenants themselves: what their administrators use
	wires  map[string]*wire
	daemon *process // nil: commands open the state file themselves
}

// seat is a tenant to simulate; file may be empty.
type seat struct{ name, file string }

// newWorld simulates the tenants and writes the configuration with these jobs.
func newWorld(t *testing.T, seats []seat, jobs string) *world {
	t.Helper()
	// Short, because the path of a unix socket is limited to about a hundred bytes.
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	args := []string{"simulate", "--config-out", "sim"}
	for _, s := range seats {
		arg := s.name
		if s.file != "" {
			arg += "=" + s.file
		}
		args = append(args, "--tenant", arg)
	}
	simulator := launch(t, dir, args...)
	simulator.until("ready", func() bool { return bytes.Contains(simulator.stdout.Bytes(), []byte("\n")) })
	var ready struct {
		Ready                    bool
		Graph, Authority, Config string
	}
	if err := json.Unmarshal(simulator.stdout.Bytes(), &ready); err != nil || !ready.Ready {
		t.Fatalf("simulate printed %s (%v), want one line of JSON with ready: true", simulator.stdout.Bytes(), err)
	}
	w := &world{t: t, dir: dir, admin: ready.Config, config: filepath.Join(dir, "sim", "tapped.yaml"), wires: map[string]*wire{}}
	w.tap(seats, ready.Graph, jobs)
	return w
}

// tap writes the configuration: what the simulator wrote, with every tenant's
// Graph behind its own tap and these jobs.
func (w *world) tap(seats []seat, graph, jobs string) {
	w.t.Helper()
	raw, err := os.ReadFile(w.admin)
	if err != nil {
		w.t.Fatal(err)
	}
	trust, err := os.ReadFile(filepath.Join(w.dir, "sim", "ca.pem"))
	if err != nil {
		w.t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(raw), "\njobs:")
	parts := strings.Split(head, "'"+graph+"'")
	if !ok || len(parts) != len(seats)+1 {
		w.t.Fatalf("%s does not name %s once for each of %d tenants, before its jobs:\n%s", w.admin, graph, len(seats), raw)
	}
	var text strings.Builder
	for i, s := range seats {
		w.wires[s.name] = newWire(w.t, graph)
		text.WriteString(parts[i] + "'" + w.wires[s.name].graph() + "'")
	}
	trust = append(trust, w.wires[seats[0].name].certificate()...) // the same for all
	text.WriteString(parts[len(seats)] + "\njobs:" + jobs + "store: {kind: bolt, path: state.db}\ncontrol: {listen: \"unix:control.sock\"}\n")
	content := strings.ReplaceAll(text.String(), "ca.pem", "tapped.pem")
	for path, b := range map[string][]byte{w.config: []byte(content), filepath.Join(w.dir, "sim", "tapped.pem"): trust} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

// run runs a command to its end.
func (w *world) run(args ...string) answer {
	w.t.Helper()
	return launch(w.t, w.dir, append([]string{"-c", w.config}, args...)...).wait()
}

// must runs a command that has to end with this exit code, and decodes its JSON.
func (w *world) must(exit int, v any, args ...string) {
	w.t.Helper()
	a := w.run(append(args, "-o", "json")...)
	if a.exit != exit {
		w.t.Fatalf("tenantsync %q: exit %d, want %d\nstdout: %s\nstderr: %s", args, a.exit, exit, a.stdout, a.stderr)
	}
	a.into(w.t, v)
}

// startDaemon lets the commands after it go through a daemon.
func (w *world) startDaemon() {
	w.t.Helper()
	w.daemon = launch(w.t, w.dir, "-c", w.config, "run")
	// Its answer to a command is the proof, not its socket: one may be left over.
	w.daemon.until("answering", func() bool {
		return w.daemon.holdsState(w) && w.run("status", "-o", "json").exit != 6
	})
}

// holdsState tells whether the process has the state file and its socket.
func (p *process) holdsState(w *world) bool {
	_, err := os.Stat(filepath.Join(w.dir, "sim", "control.sock"))
	return err == nil
}

// load brings a tenant to a file's state.
func (w *world) load(tenant, file string) {
	w.t.Helper()
	if a := launch(w.t, w.dir, "-c", w.admin, "simulate", "load", tenant, file).wait(); a.exit != 0 {
		w.t.Fatalf("simulate load %s %s: exit %d\n%s", tenant, file, a.exit, a.stderr)
	}
}

// dump returns a tenant's present state.
func (w *world) dump(tenant string) tenantFile {
	w.t.Helper()
	a := launch(w.t, w.dir, "-c", w.admin, "simulate", "dump", tenant).wait()
	if a.exit != 0 {
		w.t.Fatalf("simulate dump %s: exit %d\n%s", tenant, a.exit, a.stderr)
	}
	return parseTenant(w.t, a.stdout)
}

// traffic takes what all wires carried: in all, and by tenant.
func (w *world) traffic() (all traffic, by map[string]traffic, trail []string) {
	by = map[string]traffic{}
	for name, tap := range w.wires {
		counted, lines := tap.take()
		by[name], all = counted, all.plus(counted)
		for _, l := range lines {
			trail = append(trail, name+": "+l)
		}
	}
	return all, by, trail
}

// summary is the Summary of a cycle.
type summary struct{ Create, Update, Disable, Delete, Restore, Unchanged, Skipped, Failed, Held int }

// cycle is what `sync` printed.
type cycle struct {
	Job, CycleID, Cycle, Outcome string
	Summary                      summary
	Graph                        struct{ Requests, Writes, Throttled int }
	Exit                         int `json:"-"`
}

// cycleOf runs one cycle.
func (w *world) cycleOf(job string, args ...string) cycle {
	w.t.Helper()
	a := w.run(append([]string{"sync", job, "-o", "json"}, args...)...)
	var c cycle
	a.into(w.t, &c)
	c.Exit = a.exit
	return c
}

// sync runs one cycle and holds the figures that it reports against the wire.
func (w *world) sync(job string, args ...string) (cycle, traffic) {
	w.t.Helper()
	w.traffic()
	c := w.cycleOf(job, args...)
	all, by, trail := w.traffic()
	if c.Graph.Requests != all.Requests || c.Graph.Writes != all.writes() || c.Graph.Throttled != 0 {
		w.t.Errorf("sync %s reports %+v, the wire carried %d requests and %d writes (%d refused)\n%s", job, c.Graph,
			all.Requests, all.writes(), all.Refused, strings.Join(trail, "\n"))
	}
	if n := by["source"].writes() + by["source"].Refused; n != 0 {
		w.t.Errorf("sync %s: %d writes to the source tenant, want none", job, n)
	}
	return c, all
}

// held is one entry of the deletions that wait.
type held struct{ SourceID, UserPrincipalName, TargetID, Reason string }

// heldIDs lists the source ids of a job's held deletions.
func (w *world) heldIDs(job string) []string {
	w.t.Helper()
	var list struct {
		Job  string
		Held []held
	}
	w.must(0, &list, "deletions", "list", job)
	return sourceIDs(list.Held)
}

func sourceIDs(list []held) []string {
	ids := make([]string, len(list))
	for i, h := range list {
		ids[i] = h.SourceID
	}
	slices.Sort(ids)
	return ids
}

// allow carries out all held deletions and returns whose they were.
func (w *world) allow(job string) ([]string, traffic) {
	w.t.Helper()
	w.traffic()
	var done struct {
		Job           string
		Held, Deleted []held
	}
	w.must(0, &done, "deletions", "allow", job, "--all", "--yes")
	if len(done.Held) != 0 {
		w.t.Errorf("deletions allow %s --all: still held: %v", job, done.Held)
	}
	all, _, _ := w.traffic()
	return sourceIDs(done.Deleted), all
}

// expectEqual fails with both values when they differ.
func expectEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}
