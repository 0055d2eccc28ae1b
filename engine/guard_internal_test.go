package engine

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// guarded is a job with the settings that a configuration has when it names none.
func guarded(edit func(j *Job)) *Job {
	j := &Job{Prevent: true, Threshold: 500, Percent: 10, ScopeShrink: 50, Changes: 10}
	if edit != nil {
		edit(j)
	}
	return j
}

func TestGuardHoldsDeletes(t *testing.T) {
	percentOff := func(j *Job) { j.Percent = 0 }
	for _, c := range []struct {
		name string
		edit func(j *Job)
		in   census
		want Code
	}{
		{"nobody leaves", nil, census{linked: 1000, inScope: 1000, good: 1000}, ""},
		{"as many as the threshold", percentOff, census{linked: 9000, leavers: 500, inScope: 8500, good: 9000}, ""},
		{"one more than the threshold", percentOff, census{linked: 9000, leavers: 501, inScope: 8499, good: 9000}, CodeTooManyDeletes},
		{"a threshold of zero holds the first", func(j *Job) { j.Threshold = 0 }, census{linked: 9000, leavers: 1, inScope: 8999, good: 9000}, CodeTooManyDeletes},
		{"exactly the percentage", nil, census{linked: 1000, leavers: 100, inScope: 900, good: 1000}, ""},
		{"one more than the percentage", nil, census{linked: 1000, leavers: 101, inScope: 899, good: 1000}, CodeTooManyDeletes},
		{"the percentage does not count below ten", nil, census{linked: 15, leavers: 9, inScope: 10, good: 19}, ""},
		{"the percentage counts from ten", nil, census{linked: 15, leavers: 10, inScope: 10, good: 19}, CodeTooManyDeletes},
		{"the percentage is off", percentOff, census{linked: 1000, leavers: 400, inScope: 600, good: 1000}, ""},
		{"prevention is off", func(j *Job) { j.Prevent = false }, census{linked: 9000, leavers: 4000, inScope: 5000, good: 9000}, ""},
		{"exactly the share of the scope", percentOff, census{linked: 20, leavers: 10, inScope: 10, good: 20}, ""},
		{"more than the share of the scope", percentOff, census{linked: 20, leavers: 11, inScope: 9, good: 20}, CodeScopeShrunk},
		{"the share does not count below twenty", percentOff, census{linked: 19, leavers: 18, inScope: 1, good: 19}, ""},
		{"zero counts below twenty", percentOff, census{linked: 1, leavers: 1, inScope: 0, good: 1}, CodeScopeShrunk},
		{"the share is off", func(j *Job) { j.Percent, j.ScopeShrink = 0, 0 }, census{linked: 100, leavers: 99, inScope: 1, good: 100}, ""},
		{"the share is off, zero is not", func(j *Job) { j.Percent, j.ScopeShrink = 0, 0 }, census{linked: 100, leavers: 100, inScope: 0, good: 100}, CodeScopeShrunk},
		{"shrunk with prevention off", func(j *Job) { j.Prevent = false }, census{linked: 100, leavers: 100, inScope: 0, good: 100}, CodeScopeShrunk},
		{"never anybody in scope", nil, census{linked: 0, inScope: 0, good: 0}, ""},
		{"shrunk goes before too many", nil, census{linked: 9000, leavers: 9000, inScope: 0, good: 9000}, CodeScopeShrunk},
	} {
		if got := guard(c.in, guarded(c.edit)); got.holdDeletes != c.want || (got.message == "") != (c.want == "") {
			t.Errorf("%s: got %q (%s), want %q", c.name, got.holdDeletes, got.message, c.want)
		}
	}
}

func TestGuardHoldsChanges(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(j *Job)
		in   census
		want Code
	}{
		{"a hundred", nil, census{linked: 300, changes: 100, rulesChanged: true}, ""},
		{"more than a hundred, more than the percentage", nil, census{linked: 300, changes: 101, rulesChanged: true}, CodeTooManyChanges},
		{"exactly the percentage", nil, census{linked: 5000, changes: 500, rulesChanged: true}, ""},
		{"more than the percentage", nil, census{linked: 5000, changes: 501, rulesChanged: true}, CodeTooManyChanges},
		{"the configuration is the same", nil, census{linked: 300, changes: 300}, ""},
		{"a first cycle", nil, census{changes: 300, rulesChanged: true, first: true}, ""},
		{"accepted", nil, census{linked: 300, changes: 300, rulesChanged: true, accepted: true}, ""},
		{"off", func(j *Job) { j.Changes = 0 }, census{linked: 300, changes: 300, rulesChanged: true}, ""},
	} {
		c.in.inScope, c.in.good = c.in.linked, c.in.linked
		if got := guard(c.in, guarded(c.edit)); got.holdChanges() != c.want || got.holdDeletes != "" {
			t.Errorf("%s: got %q and deletes %q, want %q", c.name, got.holdChanges(), got.holdDeletes, c.want)
		}
	}
}

func TestGuardLooksBack(t *testing.T) {
	week := func(edit func(j *Job)) *Job {
		return guarded(func(j *Job) {
			j.Window, j.WindowThreshold, j.WindowPercent = 7*24*time.Hour, 5000, 25
			if edit != nil {
				edit(j)
			}
		})
	}
	for _, c := range []struct {
		name string
		job  *Job
		in   census
		want Code
	}{
		{"exactly the share", week(nil), census{linked: 160, windowLinked: 200, windowGone: 40, windowLeavers: 10}, ""},
		{"more than the share", week(nil), census{linked: 160, windowLinked: 200, windowGone: 40, windowLeavers: 11}, CodeTooManyDeletesInWindow},
		{"the share counts from fifty", week(nil), census{linked: 60, windowLinked: 100, windowGone: 40, windowLeavers: 9}, ""},
		{"exactly the number", week(nil), census{linked: 90000, windowGone: 4999, windowLeavers: 1}, ""},
		{"more than the number", week(nil), census{linked: 90000, windowGone: 4999, windowLeavers: 2}, CodeTooManyDeletesInWindow},
		{"the number is off", week(func(j *Job) { j.WindowThreshold = 0 }), census{linked: 90000, windowGone: 4999, windowLeavers: 2}, ""},
		{"the share is off", week(func(j *Job) { j.WindowPercent = 0 }), census{linked: 100, windowGone: 90, windowLeavers: 2}, ""},
		{"the window is off", week(func(j *Job) { j.Window = 0 }), census{linked: 100, windowGone: 90, windowLeavers: 2}, ""},
		{"prevention is off", week(func(j *Job) { j.Prevent = false }), census{linked: 100, windowGone: 90, windowLeavers: 2}, ""},
		{"nobody leaves now", week(nil), census{linked: 100, windowGone: 90}, ""},
	} {
		c.in.inScope, c.in.good, c.in.leavers = c.in.linked, c.in.linked, c.in.windowLeavers
		if got := guard(c.in, c.job); got.holdDeletes != c.want || (got.message == "") != (c.want == "") {
			t.Errorf("%s: got %q (%s), want %q", c.name, got.holdDeletes, got.message, c.want)
		}
	}
}

func TestGuardHoldsWaves(t *testing.T) {
	job := func(edit func(j *Job)) *Job {
		return guarded(func(j *Job) {
			j.Creates, j.Updates, j.Members = 50, 50, 10
			if edit != nil {
				edit(j)
			}
		})
	}
	perDay := job(func(j *Job) { j.CreatesPerDay = 20 })
	for _, c := range []struct {
		name                      string
		job                       *Job
		in                        census
		creates, updates, members Code
	}{
		{"a thousand creates", job(nil), census{linked: 10, creates: 1000}, "", "", ""},
		{"more than a thousand", job(nil), census{linked: 10, creates: 1001}, CodeTooManyCreates, "", ""},
		{"half of the links", job(nil), census{linked: 4000, creates: 2000}, "", "", ""},
		{"more than half of the links", job(nil), census{linked: 4000, creates: 2001}, CodeTooManyCreates, "", ""},
		{"nobody is linked yet", job(nil), census{creates: 5000}, "", "", ""},
		{"a first cycle", job(nil), census{linked: 10, creates: 5000, updates: 5000, first: true}, "", "", ""},
		{"accepted", job(nil), census{linked: 10, creates: 5000, accepted: true}, "", "", ""},
		{"creates off", job(func(j *Job) { j.Creates = 0 }), census{linked: 10, creates: 5000}, "", "", ""},
		{"as many as a day may", perDay, census{linked: 10, dayCreates: 10, creates: 10}, "", "", ""},
		{"more than a day may", perDay, census{linked: 10, dayCreates: 10, creates: 11}, CodeTooManyCreates, "", ""},
		{"more than a day may, a first cycle", perDay, census{creates: 21, first: true}, CodeTooManyCreates, "", ""},
		{"a day is full, nobody is created", perDay, census{linked: 10, dayCreates: 30}, "", "", ""},
		{"half of the links updated", job(nil), census{linked: 4000, updates: 2000}, "", "", ""},
		{"more than half of the links updated", job(nil), census{linked: 4000, updates: 2001}, "", CodeTooManyUpdates, CodeTooManyUpdates},
		{"updates off", job(func(j *Job) { j.Updates = 0 }), census{linked: 4000, updates: 4000}, "", "", ""},
		{"a hundred members", job(nil), census{linked: 500, updates: 100, members: 100}, "", "", ""},
		{"more members", job(nil), census{linked: 500, updates: 101, members: 101}, "", "", CodeTooManyMembers},
		{"a tenth of the links", job(nil), census{linked: 5000, updates: 500, members: 500}, "", "", ""},
		{"members off", job(func(j *Job) { j.Members = 0 }), census{linked: 500, updates: 500, members: 500}, "", "", ""},
		{"both waves", job(nil), census{linked: 10, creates: 1001, updates: 1001}, CodeTooManyCreates, CodeTooManyUpdates, CodeTooManyUpdates},
		{"a changed configuration goes before", job(nil), census{linked: 4000, changes: 3000, creates: 3000, rulesChanged: true}, CodeTooManyChanges, CodeTooManyChanges, CodeTooManyChanges},
	} {
		c.in.inScope, c.in.good = c.in.linked, c.in.linked
		got := guard(c.in, c.job)
		if got.holdCreates != c.creates || got.holdUpdates != c.updates || got.holdMembers != c.members || (got.changes == "") != (got.holdChanges() == "") {
			t.Errorf("%s: got %q, %q, %q (%s), want %q, %q, %q", c.name, got.holdCreates, got.holdUpdates, got.holdMembers, got.changes, c.creates, c.updates, c.members)
		}
	}
}

// Whatever the numbers: deletes go within the threshold or not at all, and a scope
// that fell to nothing always holds them.
func TestGuardIsNeverLenient(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 2000)
		c := census{linked: n.Draw(t, "linked"), leavers: n.Draw(t, "leavers"), inScope: n.Draw(t, "in scope"), good: n.Draw(t, "good")}
		j := guarded(func(j *Job) {
			j.Threshold = n.Draw(t, "threshold")
			j.Percent, j.ScopeShrink = rapid.Float64Range(0, 100).Draw(t, "percent"), rapid.Float64Range(0, 100).Draw(t, "shrink")
		})
		got := guard(c, j)
		if got.holdDeletes == "" && c.leavers > j.Threshold {
			t.Errorf("%d deletes go, the threshold is %d", c.leavers, j.Threshold)
		}
		if got.holdDeletes == "" && c.good > 0 && c.inScope == 0 {
			t.Errorf("deletes go from a scope that fell from %d to nothing", c.good)
		}
	})
}
