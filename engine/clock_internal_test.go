package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/store"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestStoredTimesFromAWrongClock(t *testing.T) {
	for name, c := range map[string]struct {
		until time.Time
		want  bool
	}{
		"past":                    {noon.Add(-time.Second), true},
		"now":                     {noon, true},
		"soon":                    {noon.Add(time.Second), false},
		"the longest there is":    {noon.Add(longestWait), false},
		"longer than ever waited": {noon.Add(longestWait + time.Second), true},
		"next year":               {noon.AddDate(1, 0, 0), true},
	} {
		if got := waited(c.until, noon); got != c.want {
			t.Errorf("waited, %s: got %v, want %v", name, got, c.want)
		}
	}
	for name, c := range map[string]struct {
		began time.Time
		want  bool
	}{
		"just now":      {noon, true},
		"a moment ago":  {noon.Add(-59 * time.Minute), true},
		"an hour ago":   {noon.Add(-time.Hour), false},
		"in the future": {noon.Add(time.Second), false},
	} {
		if got := youngerThan(time.Hour, c.began, noon); got != c.want {
			t.Errorf("younger than an hour, %s: got %v, want %v", name, got, c.want)
		}
	}
}

// A clock that leaps ahead throws nothing away before it has stood for a day.
func TestRetentionDoubtsALeap(t *testing.T) {
	day := func(n float64) time.Time { return noon.Add(time.Duration(n * float64(24*time.Hour))) }
	type step struct{ end, now, horizon time.Time }
	for name, steps := range map[string][]step{
		"cycle after cycle": {{day(0), day(0.1), day(0.1)}, {day(0.1), day(0.2), day(0.2)}, {day(1), day(2), day(2)}},
		"a year ahead, and on from there": {{day(0), day(365), day(1)}, {day(365), day(365.5), day(1)}, {day(365.5), day(365.9), day(1)},
			{day(365.9), day(366), day(366)}, {day(366), day(366.5), day(366.5)}},
		"a year ahead, and set right": {{day(0), day(365), day(1)}, {day(365), day(0.2), day(0.2)}, {day(0.2), day(0.3), day(0.3)}},
		"ahead, and ahead again":      {{day(0), day(30), day(1)}, {day(30), day(400), day(31)}, {day(400), day(400.5), day(31)}},
		"ahead twice within a day":    {{day(0), day(30), day(1)}, {day(30), day(30.5), day(1)}, {day(30.5), day(60), day(31.5)}},
		"set back a year":             {{day(365), day(0), day(0)}, {day(0), day(0.1), day(0.1)}},
		"a cycle a week":              {{day(0), day(7), day(1)}, {day(7), day(14), day(8)}, {day(14), day(21), day(15)}},
	} {
		rec := &store.Job{}
		for i, s := range steps {
			doubt(rec, &store.Cycle{EndedAt: s.end}, s.now)
			if got := retentionHorizon(rec, s.now); !got.Equal(s.horizon) {
				t.Errorf("%s, cycle %d: got %v, want %v", name, i+1, got, s.horizon)
			}
		}
	}
	rec := &store.Job{}
	doubt(rec, nil, noon)
	if diff := cmp.Diff(&store.Job{}, rec); diff != "" {
		t.Errorf("first cycle (-want +got):\n%s", diff)
	}
}

// What a doubted clock leapt over is no time that has passed; what came before and
// after the leap is.
func TestElapsedTime(t *testing.T) {
	day := func(n float64) time.Time { return noon.Add(time.Duration(n * float64(24*time.Hour))) }
	leapt := &store.Job{ClockLeap: &store.ClockLeap{From: day(10), To: day(375)}}
	for name, c := range map[string]struct {
		rec        *store.Job
		began, now time.Time
		want       float64 // days
	}{
		"no leap":                     {&store.Job{}, day(0), day(30), 30},
		"began before the leap":       {leapt, day(9), day(375), 1},
		"and some time after it":      {leapt, day(9), day(375.5), 1.5},
		"began after the leap":        {leapt, day(375.25), day(375.5), 0.25},
		"began while nobody was here": {leapt, day(200), day(375.5), 0.5},
		"began in the future":         {&store.Job{}, day(365), day(0), 0},
	} {
		if got := elapsed(c.rec, c.began, c.now); got != time.Duration(c.want*float64(24*time.Hour)) {
			t.Errorf("%s: got %v, want %v days", name, got, c.want)
		}
	}
}

// A start that lies too far ahead is replaced once, not put off again and again.
func TestStartTooFarAhead(t *testing.T) {
	a := newActivity()
	next := func(now time.Time) time.Time { return now.Add(40 * time.Minute) }
	for i, c := range []struct{ planned, now, want time.Time }{
		{noon.Add(40 * time.Minute), noon, noon.Add(40 * time.Minute)},
		{noon.AddDate(1, 0, 0), noon, noon.Add(40 * time.Minute)},
		{noon.AddDate(1, 0, 0), noon.Add(30 * time.Minute), noon.Add(40 * time.Minute)},
		{noon.AddDate(1, 0, 0), noon.Add(-2 * time.Hour), noon.Add(-80 * time.Minute)}, // set back once more
		{noon.Add(-time.Hour), noon, noon.Add(-time.Hour)},                             // overdue
		{noon.AddDate(1, 0, 0), noon, noon.Add(40 * time.Minute)},
	} {
		if got := a.notLater(c.planned, next(c.now)); !got.Equal(c.want) {
			t.Errorf("%d: got %v, want %v", i, got, c.want)
		}
	}
}
