package e2e_test

import (
	"path/filepath"
	"slices"
	"testing"
)

// The directory of testdata/e2e, in three states. Of its thirteen people:
//
//	Ada O'Neill, on top     an apostrophe in her address
//	Søren, Дарья, 太郎, …    names that no address may hold
//	Mohammed and Lena       of the Lab, which the second day no longer counts among the Staff
//	Rita                    leaves and comes back
//	Leo                     leaves
//	Dora                    is disabled and enabled again
//	Nils                    is disabled when he is first seen, and enabled later
//	Gus                     a guest of the source
//	Jo                      joins on the third day, and reports to Rita
const (
	ada, zoe, mohammed, lena, rita, leo, dora, nils = 1, 5, 6, 7, 8, 9, 10, 11
	staffGroup, labGroup, boardGroup                = 1, 4, 5
)

func personID(n int) string { return "e2e00000-0000-4000-8000-0000000000" + twoDigits(n) }
func groupID(n int) string  { return "e2e00000-0000-4000-9000-0000000000" + twoDigits(n) }

func twoDigits(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }

// A job for the Staff with all groups in it, one for the Board in another
// tenant, and one for the Lab in the same tenant as the Staff.
var storyJobs = `
  - name: staff
    source: source
    target: target
    scope: {mode: assigned, groups: [` + groupID(staffGroup) + `], nestedGroups: true}
    deletions: {threshold: 1, percent: 0}
    limits: {writesPerSecond: 1000}
  - name: board
    source: source
    target: partner
    scope: {mode: assigned, groups: [` + groupID(boardGroup) + `]}
    limits: {writesPerSecond: 1000}
  - name: lab
    source: source
    target: target
    scope: {mode: assigned, groups: [` + groupID(labGroup) + `]}
    limits: {writesPerSecond: 1000}
`

// day is one state of the directory and what each job makes of it, in order.
type day struct {
	file string
	jobs []row
}

var storyDays = []day{
	{"1-founding.json", []row{
		// Ten people at two writes, nine of whom have a manager. Nils is disabled, Gus a guest.
		{Job: "staff", What: "initial", Created: 10, Writes: 29},
		{Job: "board", What: "initial", Created: 3, Writes: 8},
		// Mohammed and Lena belong to the Staff: the first job of the file owns them.
		{Job: "lab", What: "initial"},
	}},
	{"2-reorganized.json", []row{
		// Nils is created; Дарья has another manager, Zoë another name and address; Dora is disabled; Rita and Leo are held.
		{Job: "staff", What: "incremental", Created: 1, Updated: 2, Disabled: 1, Held: 2, Writes: 6},
		{Job: "staff", What: "allowed", Deleted: 2, Writes: 2},
		// Søren goes and Zoë comes; her manager is there.
		{Job: "board", What: "incremental", Created: 1, Deleted: 1, Writes: 4},
		// The Lab is the second job's own now: nothing is written for it.
		{Job: "lab", What: "incremental"},
	}},
	{"3-grown.json", []row{
		// Rita is restored, with the manager she had, and has another title; Jo is created and reports to her; Dora is enabled; Дарья
		// has no manager any more. Zoë has gone to the Lab, whose job takes her over.
		{Job: "staff", What: "incremental", Created: 1, Restored: 1, Updated: 2, Writes: 7},
		// Søren comes back as he was; Zoë has another title.
		{Job: "board", What: "incremental", Restored: 1, Updated: 1, Writes: 2},
		// Lena has left the Lab; Zoë has another title.
		{Job: "lab", What: "incremental", Updated: 1, Deleted: 1, Writes: 2},
	}},
}

func TestStory(t *testing.T) {
	for _, way := range []string{"alone", "through a daemon"} {
		t.Run(way, func(t *testing.T) { tellStory(t, way != "alone") })
	}
}

func tellStory(t *testing.T, daemon bool) {
	dir, err := filepath.Abs(filepath.Join("..", "testdata", "e2e"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, []seat{{"source", filepath.Join(dir, storyDays[0].file)}, {name: "target"}, {name: "partner"}}, storyJobs)
	if daemon {
		w.startDaemon()
		defer w.stopDaemon()
	}
	staff := membersOf(true, groupID(staffGroup))
	lab := membersOf(true, groupID(labGroup))
	shared := newReplica(func(f *tenantFile) map[string]bool { // what the two jobs of one pair make of it together
		in := staff(f)
		for id := range lab(f) {
			in[id] = true
		}
		return in
	}, func(int, int) bool { return false })
	partner := newReplica(membersOf(false, groupID(boardGroup)), func(int, int) bool { return false })

	for i, d := range storyDays {
		if i > 0 {
			w.load("source", filepath.Join(dir, d.file))
		}
		source := readTenant(t, filepath.Join(dir, d.file))
		for _, want := range d.jobs {
			w.tell(d.file, want)
		}
		for target, r := range map[string]*replica{"target": shared, "partner": partner} {
			r.advance(&source)
			state := w.dump(target)
			r.learn(state)
			r.compare(t, d.file+" "+target, state)
		}
		w.nothingLeft(d.file)
		w.expectOwners(i)
		if t.Failed() {
			t.FailNow()
		}
	}
	w.expectSkips()
}

// tell runs what one row says and compares.
func (w *world) tell(when string, want row) {
	w.t.Helper()
	want.When = when
	if want.What == "allowed" {
		ids, wire := w.allow(want.Job)
		expectEqual(w.t, when+" "+want.Job+": deleted after allow", ids, []string{personID(rita), personID(leo)})
		expectEqual(w.t, when+" "+want.Job+": writes of allow", wire.writes(), want.Writes)
		return
	}
	c, _ := w.sync(want.Job)
	expectEqual(w.t, "cycle", rowOf(when, c).done(), want)
	exit := 0
	if want.Held > 0 {
		exit = 5
		expectEqual(w.t, when+" "+want.Job+": held", w.heldIDs(want.Job), []string{personID(rita), personID(leo)})
	}
	expectEqual(w.t, when+" "+want.Job+": exit code", c.Exit, exit)
}

// nothingLeft runs every job once more: all is done.
func (w *world) nothingLeft(when string) {
	w.t.Helper()
	for _, name := range []string{"staff", "board", "lab"} {
		c, wire := w.sync(name)
		expectEqual(w.t, when+" "+name+": an idle cycle", c.count(), forecast{})
		expectEqual(w.t, when+" "+name+": exit code of an idle cycle", c.Exit, 0)
		expectEqual(w.t, when+" "+name+": writes of an idle cycle", wire.writes()+wire.Refused, 0)
	}
}

// expectOwners asks who owns the people that two jobs have in scope.
func (w *world) expectOwners(day int) {
	w.t.Helper()
	for n, owners := range map[int][]string{
		ada: {"staff", "staff", "staff"}, mohammed: {"staff", "lab", "lab"}, lena: {"staff", "lab", "lab"}, zoe: {"staff", "staff", "lab"},
	} {
		var answer struct {
			Link *struct{ Job string }
		}
		w.must(0, &answer, "explain", personID(n), "--job", owners[day])
		if answer.Link == nil || answer.Link.Job != owners[day] {
			w.t.Errorf("%s: explain %s: link is %+v, want one owned by %s", storyDays[day].file, personID(n), answer.Link, owners[day])
		}
	}
}

// expectSkips reads in the log why nothing was done for somebody.
func (w *world) expectSkips() {
	w.t.Helper()
	for _, want := range []struct {
		job    string
		person int
		code   string
	}{
		{"lab", mohammed, "OwnedByOtherJob"},
		{"lab", lena, "OwnedByOtherJob"},
		{"staff", nils, "NotEffectivelyEntitled"},
	} {
		var entries []struct {
			SourceIdentity         struct{ ID string }
			ProvisioningStatusInfo struct {
				Status           string
				ErrorInformation struct{ ErrorCode string }
			}
		}
		w.must(0, &entries, "logs", "--job", want.job, "--status", "skipped")
		count := 0
		for _, e := range entries {
			if e.SourceIdentity.ID == personID(want.person) && e.ProvisioningStatusInfo.ErrorInformation.ErrorCode == want.code {
				count++
			}
		}
		if count != 1 {
			w.t.Errorf("log of %s: %d entries %s for %s, want one; %d skips in all", want.job, count, want.code, personID(want.person), len(entries))
		}
	}
	// Dora was invited and got her manager, which is one entry, was disabled, and enabled again.
	var entries []struct {
		SourceIdentity     struct{ ID string }
		ProvisioningAction string
	}
	w.must(0, &entries, "logs", "--job", "staff", "--user", personID(dora))
	var actions []string
	for _, e := range slices.Backward(entries) {
		actions = append(actions, e.ProvisioningAction)
	}
	expectEqual(w.t, "what the log says of Dora", actions, []string{"create", "disable", "update"})
}
