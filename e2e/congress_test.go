package e2e_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"tenantsync/internal/sharedtest"
)

// The Senate committees that scope the second job, with their subcommittees.
var committees = []string{
	"Senate Committee on Appropriations", "Senate Committee on Finance",
	"Senate Committee on Banking, Housing, and Urban Affairs", "Senate Select Committee on Intelligence",
}

// snapshots returns the files of the run on real data in time order.
func snapshots(t *testing.T) []string {
	t.Helper()
	files := sharedtest.Files(t, "data/congress/*.json")
	if len(files) == 0 {
		t.Log("The run on real data is NOT part of this test run: its snapshots are no part of the repository, and are not there.")
		t.Skip("no data: TENANTSYNC_SHARED names the folder above data/congress")
	}
	return files
}

// Twelve years of a real directory, without a daemon and with one: both must come
// to the same, cycle by cycle.
func TestCongress(t *testing.T) {
	files := snapshots(t)
	var alone []row
	t.Run("alone", func(t *testing.T) { alone = twelveYears(t, files, false) })
	t.Run("through a daemon", func(t *testing.T) { sameRows(t, twelveYears(t, files, true), alone) })
	if t.Failed() {
		return
	}
	var table strings.Builder
	for _, r := range alone {
		table.WriteString(r.String())
	}
	t.Logf("measured:\n%s%s", rowHead, &table)
	onPage(t, alone)
}

// sameRows compares what a daemon did with what commands did by themselves.
func sameRows(t *testing.T, daemon, alone []row) {
	t.Helper()
	for i := range max(len(daemon), len(alone)) {
		if i >= len(daemon) || i >= len(alone) {
			t.Errorf("%d rows through a daemon, %d without", len(daemon), len(alone))
			return
		}
		expectEqual(t, "through a daemon, against without", daemon[i].done(), alone[i].done())
	}
}

// job is a job of the story with the state its target has to have.
type job struct {
	name, target string
	scope        []string // groups
	nested       bool
	replica      *replica
}

// groups counts the groups that scope the job: the named ones and, when nested,
// those inside them.
func (j *job) groups(source *tenantFile) int {
	if !j.nested {
		return len(j.scope)
	}
	return len(closure(source, j.scope))
}

// congress is a world with both jobs; the second has the default threshold.
func congress(t *testing.T, file string) (*world, []job) {
	t.Helper()
	first := readTenant(t, file)
	chambers := first.named(t, "All of the Senate", "All of the House")
	senate := first.named(t, committees...)
	w := newWorld(t, []seat{{"source", file}, {name: "target"}, {name: "northwind"}}, fmt.Sprintf(`
  - name: source-to-target
    source: source
    target: target
    scope: {mode: assigned, groups: [%s]}
    deletions: {threshold: 50, percent: 0}
    limits: {writesPerSecond: 1000}
  - name: source-to-northwind
    source: source
    target: northwind
    scope: {mode: assigned, groups: [%s], nestedGroups: true}
    limits: {writesPerSecond: 1000}
`, strings.Join(chambers, ", "), strings.Join(senate, ", ")))
	return w, []job{
		{"source-to-target", "target", chambers, false, newReplica(membersOf(false, chambers...), func(leaving, _ int) bool { return leaving > 50 })},
		{"source-to-northwind", "northwind", senate, true, newReplica(membersOf(true, senate...), func(leaving, linked int) bool {
			return leaving > 500 || leaving >= 10 && leaving*100 > linked*10
		})},
	}
}

func twelveYears(t *testing.T, files []string, daemon bool) []row {
	t.Helper()
	w, jobs := congress(t, files[0])
	if daemon {
		w.startDaemon()
		defer w.stopDaemon()
	}
	var rows []row
	for i, file := range files {
		if i > 0 {
			w.load("source", file)
		}
		source := readTenant(t, file)
		day := strings.TrimSuffix(filepath.Base(file), ".json")
		for _, j := range jobs {
			rows = append(rows, w.cycle(day, j, &source, i == 0)...)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	return rows
}

// cycle runs one cycle of a job, allows what it held, and compares everything
// with the model; it returns the rows of the page.
func (w *world) cycle(day string, j job, source *tenantFile, initial bool) []row {
	w.t.Helper()
	where := day + " " + j.name
	want := j.replica.advance(source)
	got, wire := w.sync(j.name)
	target := w.dump(j.target)
	j.replica.learn(target)
	w.judge(where, got, wire, want, initial)
	j.replica.compare(w.t, where, target)
	rows := []row{rowOf(day, got)}
	if want.Held > 0 {
		expectEqual(w.t, where+": held", w.heldIDs(j.name), j.replica.waiting())
		again, _ := w.sync(j.name)
		expectEqual(w.t, where+": exit code of a cycle with nothing but old holds", again.Exit, 5)
		outcome := "success"
		if want.Failed > 0 {
			outcome = "partial" // what a held user stands in the way of is tried again, in vain
		}
		expectEqual(w.t, where+": its outcome", again.Outcome, outcome)
		ids := j.replica.allow()
		retried := j.replica.advance(source) // updates that a held user's address stood in the way of
		deleted, wire := w.allow(j.name)
		expectEqual(w.t, where+": deleted after allow", deleted, ids)
		expectEqual(w.t, where+": deletes on the wire", wire.Deletes, len(ids))
		expectEqual(w.t, where+": other writes of allow", wire.writes()-wire.Deletes, retried.writes.writes())
		j.replica.compare(w.t, where+" after allow", w.dump(j.target))
		rows = append(rows, row{When: day, Job: j.name, What: "allowed", Updated: retried.Update, Deleted: len(deleted), Requests: wire.Requests, Writes: wire.writes()})
	}
	idle, wire := w.sync(j.name)
	expectEqual(w.t, where+": an idle cycle", idle.count(), forecast{})
	expectEqual(w.t, where+": exit code of an idle cycle", idle.Exit, 0)
	expectEqual(w.t, where+": writes of an idle cycle", wire.writes()+wire.Refused, 0)
	expectEqual(w.t, where+": requests of an idle cycle", wire.Requests, 1+(j.groups(source)+49)/50)
	return rows
}

// judge holds a cycle against its forecast.
func (w *world) judge(where string, got cycle, wire traffic, want forecast, initial bool) {
	w.t.Helper()
	counts := want
	counts.writes = traffic{}
	expectEqual(w.t, where+": summary", got.count(), counts)
	expectEqual(w.t, where+": cycle", got.Cycle, map[bool]string{true: "initial", false: "incremental"}[initial])
	outcome, exit := "success", 0
	switch {
	case want.Held > 0:
		outcome, exit = "quarantine", 5
	case want.Failed > 0:
		outcome, exit = "partial", 3
	}
	expectEqual(w.t, where+": outcome", got.Outcome, outcome)
	expectEqual(w.t, where+": exit code", got.Exit, exit)
	made := wire
	made.Requests, made.WriteRequests, made.Refused = 0, 0, 0
	expectEqual(w.t, where+": writes", made, want.writes)
	// Each kind of write may leave one batch that is not full.
	writes := wire.writes() + wire.Refused
	if most := (writes+19)/20*102/100 + 4; wire.WriteRequests > most {
		w.t.Errorf("%s: %d requests carried %d writes, want at most %d", where, wire.WriteRequests, writes, most)
	}
}

// stopDaemon ends the daemon as an administrator would.
func (w *world) stopDaemon() {
	w.t.Helper()
	if w.daemon != nil {
		w.daemon.stop()
		w.daemon = nil
	}
}
