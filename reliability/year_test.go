package reliability_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// quarter is what one quarter of the year needed at most, heap at least.
type quarter struct {
	file       int64 // bytes of the state file up to its last page in use
	heap       uint64
	goroutines int
	links      int
	waiting    int // escrows, intents and holds
	cycles     int // that the state remembers
	entries    int // of the log, in the state
	idle       map[int]int
	busy       int
}

// A year of hourly cycles with people coming, moving, leaving and coming back
// needs no more in its last quarter than in its second: no byte of the state
// file, no heap, no goroutine; and an idle cycle costs one request throughout.
func TestYear(t *testing.T) {
	const people, day = 300, 24 * time.Hour
	days := 364
	if testing.Short() {
		days = 84
	}
	began := cpu()
	var quarters [4]quarter
	live(t, "", entrasim.Options{}, func(l *life) {
		l.job.LogRetention = time.Duration(days) * day / 14 // twice over within the first quarter
		l.restart()
		l.hired(1, people)
		l.daemon(func() {
			time.Sleep(30 * time.Minute)
			oldest, newest := 1, people
			for d := range days {
				oldest, newest = l.turnover(d, oldest, newest)
				from := time.Now()
				time.Sleep(day)
				l.measure(&quarters[d*4/days], from, d%7 == 6)
			}
		})
		l.equal()
		if err := l.st.Verify(l.Context()); err != nil {
			l.Errorf("state file after a year: %v", err)
		}
	})
	for i, q := range quarters {
		t.Logf("quarter %d: file %d KiB, heap %d KiB, %d goroutines, %d links, %d waiting, %d cycles, %d entries; idle cycles by requests %v, others %d",
			i+1, q.file>>10, q.heap>>10, q.goroutines, q.links, q.waiting, q.cycles, q.entries, q.idle, q.busy)
		if len(q.idle) != 1 || q.idle[1] == 0 {
			t.Errorf("quarter %d: idle cycles by their requests: got %v, want all with one", i+1, q.idle)
		}
	}
	second, last := quarters[1], quarters[3]
	for what, c := range map[string]struct{ got, was float64 }{
		"bytes of the state file": {float64(last.file), float64(second.file)},
		// Of a heap of four MiB, buffers that a sample happens to meet are a tenth: 1 KiB
		// that every cycle left behind would be seen all the same.
		"bytes of heap":     {float64(last.heap), float64(second.heap) + 1<<19},
		"goroutines":        {float64(last.goroutines), float64(second.goroutines) + 2}, // a request may be under way
		"links":             {float64(last.links), float64(second.links)},
		"objects waiting":   {float64(last.waiting), float64(second.waiting)},
		"cycles remembered": {float64(last.cycles), float64(second.cycles)},
		"log entries":       {float64(last.entries), float64(second.entries)},
	} {
		if c.got > 1.1*c.was {
			t.Errorf("%s: got %.0f at most in the last quarter, %.0f in the second, want no more", what, c.got, c.was)
		}
	}
	if second.links > people+60 || second.entries == 0 || second.waiting == 0 {
		t.Errorf("second quarter: got %+v, want the links of those who left given up, a log, and something waiting at times", second)
	}
	t.Logf("%d days, CPU %v", days, cpu()-began)
}

// turnover is one day of the source's administrators: somebody comes, somebody
// leaves, four move to another department, one is disabled, one enabled again;
// every fifth day who left the day before comes back out of the recycle bin, for a
// day, and every seventh one comes whose address the target has already.
func (l *life) turnover(d, oldest, newest int) (int, int) {
	l.Helper()
	l.hire(newest + 1)
	l.must(l.contoso.Delete(personID(oldest)))
	span := newest - oldest
	for i := range 4 {
		l.must(l.contoso.Update(personID(oldest+2+(d*7+i*61)%(span-2)), map[string]any{"department": fmt.Sprintf("Department %d", d)}))
	}
	l.must(l.contoso.Update(personID(newest-20), map[string]any{"accountEnabled": false}))
	l.must(l.contoso.Update(personID(newest-21), map[string]any{"accountEnabled": true}))
	switch {
	case d%5 == 4:
		l.must(l.contoso.Restore(personID(oldest - 1)))
	case d%5 == 0 && d > 0:
		l.must(l.contoso.Delete(personID(oldest - 2)))
	}
	const taken = 900_000
	if d%7 == 2 {
		_, err := l.fabrikam.CreateUser(map[string]any{"userPrincipalName": fmt.Sprintf("own%d@%s", d, "fabrikam.onmicrosoft.com"),
			"displayName": "Own", "otherMails": []string{fmt.Sprintf("person%05d@contoso.example", taken+d)}})
		l.must(err)
		l.hire(taken + d)
	}
	if d%7 == 5 {
		l.must(l.contoso.Delete(personID(taken + d - 3)))
	}
	return oldest + 1, newest + 1
}

// measure notes what the day needed; what takes long is looked at once a week.
func (l *life) measure(q *quarter, from time.Time, weekly bool) {
	l.Helper()
	size, err := l.st.Size()
	l.must(err)
	w := l.waiting()
	q.file = max(q.file, size)
	q.waiting = max(q.waiting, len(w.Escrows)+len(w.Intents)+len(w.Holds))
	q.goroutines = max(q.goroutines, runtime.NumGoroutine())
	if !weekly {
		return
	}
	all := l.cycles(time.Time{})
	q.cycles = max(q.cycles, len(all))
	if q.idle == nil {
		q.idle = map[int]int{}
	}
	for i := range all {
		switch c := &all[i]; {
		case c.StartedAt.Before(from):
		case c.Summary == (store.Summary{}) && c.Graph.Writes == 0:
			q.idle[c.Graph.Requests]++
		default:
			q.busy++
		}
	}
	q.links = max(q.links, len(l.links()))
	q.entries = max(q.entries, len(l.log(store.LogQuery{})))
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if q.heap == 0 || m.HeapAlloc < q.heap {
		q.heap = m.HeapAlloc // what is always there, without what a sample happens to meet
	}
}
