package reliability_test

import (
	"slices"
	"testing"
	"time"

	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// Both changes of the clocks in one year: a cycle at half past two comes once on
// each day, on the Sunday in March at the moment at which that time is jumped
// over.
func TestClockChangesOfAYear(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	live(t, "", entrasim.Options{}, func(l *life) {
		l.job.Schedule, l.job.TimeZone, l.job.LogRetention = "30 2 * * *", "Europe/Oslo", 0
		l.restart()
		l.hired(1, 2)
		l.sync(store.OutcomeSuccess)
		began := time.Now().Add(time.Second)
		l.daemon(func() { time.Sleep(366*24*time.Hour - time.Minute) })
		days := map[string]int{}
		for _, c := range l.cycles(began) {
			at := c.StartedAt.In(oslo)
			days[at.Format(time.DateOnly)]++
			want := "02:30"
			if at.Format(time.DateOnly) == "2000-03-26" {
				want = "03:00"
			}
			if got := at.Format("15:04"); got != want {
				l.Errorf("cycle of %s: began at %s, want %s", at.Format(time.DateOnly), got, want)
			}
		}
		for d := began.In(oslo); d.Year() == 2000; d = d.AddDate(0, 0, 1) {
			if got := days[d.Format(time.DateOnly)]; got != 1 {
				l.Errorf("cycles on %s: got %d, want 1", d.Format(time.DateOnly), got)
			}
		}
	})
}

// A clock that leaps ahead: schedules go on at once, and nothing is thrown away
// by the new time before it has stood for a day.
func TestClockLeapsAhead(t *testing.T) {
	for name, leap := range map[string]time.Duration{"an hour": time.Hour, "a month": 30 * 24 * time.Hour, "a year": 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			live(t, "", entrasim.Options{}, func(l *life) {
				l.job.LogRetention = 7 * 24 * time.Hour
				l.restart()
				l.hired(1, 20)
				l.sync(store.OutcomeSuccess)
				l.must(l.contoso.Delete(personID(1)))
				l.sync(store.OutcomeSuccess)
				entries, links := len(l.log(store.LogQuery{})), len(l.links())
				time.Sleep(leap)
				l.hire(21)
				began := time.Now()
				l.daemon(func() {
					time.Sleep(23*time.Hour + 30*time.Minute)
					if got := len(l.cycles(began)); got != 24 {
						l.Errorf("cycles in the 23½ hours after the leap: got %d, want 24", got)
					}
					if got := len(l.log(store.LogQuery{})); got != entries+1 {
						l.Errorf("log entries 23 hours after the leap: got %d, want the %d of before and one", got, entries)
					}
					if got := len(l.links()); got != links+1 {
						l.Errorf("links 23 hours after the leap: got %d, want the %d of before and one", got, links)
					}
					time.Sleep(3 * time.Hour)
					want := entries + 1
					if leap > 7*24*time.Hour {
						want = 1
					}
					if got := len(l.log(store.LogQuery{})); got != want {
						l.Errorf("log entries once the new time is believed: got %d, want %d", got, want)
					}
				})
				l.equal()
			})
		})
	}
}

// A clock that was wrong and is set back an hour, a month or a year: with records
// from the future the job goes on by its schedule, no retry waits for the time
// that was, the last cycle is the one that ended last, and the log stands in the
// order in which things happened.
func TestClockIsSetBack(t *testing.T) {
	for name, back := range map[string]time.Duration{"an hour": time.Hour, "a month": 30 * 24 * time.Hour, "a year": 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			live(t, "", entrasim.Options{}, func(l *life) {
				own, err := l.fabrikam.CreateUser(map[string]any{"userPrincipalName": "own@fabrikam.onmicrosoft.com", "displayName": "Own",
					"otherMails": []string{"person00003@contoso.example"}})
				l.must(err)
				l.hired(1, 4)
				l.daemon(func() { time.Sleep(90 * time.Minute) })
				l.must(l.contoso.Delete(personID(4)))
				l.sync(store.OutcomeSuccess)
				if w := l.waiting(); len(w.Escrows) != 1 || w.Escrows[0].Attempts < 2 {
					l.Fatalf("before: got escrows %+v, want one that waits for hours", w.Escrows)
				}
				l.shift(back)

				l.restart()
				l.must(l.fabrikam.Update(own, map[string]any{"otherMails": []string{}}))
				l.must(l.contoso.Update(personID(1), map[string]any{"department": "Legal"}))
				l.hire(5)
				began := time.Now()
				l.daemon(func() {
					time.Sleep(3*time.Hour + time.Minute)
					if got := len(l.cycles(began)) - len(l.cycles(began.Add(4*time.Hour))); got < 3 {
						l.Errorf("cycles in the three hours after: got %d, want one an hour", got)
					}
					if s := l.status(); s.LastCycle == nil || s.LastCycle.EndedAt.After(time.Now()) {
						l.Errorf("last cycle: got %+v, want the one that ended last", s.LastCycle)
					}
					time.Sleep(24 * time.Hour)
				})
				l.equal()
				entries := l.log(store.LogQuery{})
				if !slices.IsSortedFunc(entries, func(a, b store.Entry) int { return int(b.Seq) - int(a.Seq) }) {
					l.Error("the log is not in the order in which things happened")
				}
				if i := slices.IndexFunc(entries, func(e store.Entry) bool { return e.ID == "future" }); i < 1 {
					l.Errorf("the entry of the wrong time stands at place %d, want those after it above it", i)
				}
				if w := l.waiting(); len(w.Escrows) != 0 {
					l.Errorf("after a day: got escrows %+v, want none", w.Escrows)
				}
			})
		})
	}
}

// shift dates what the state remembers as a clock would have that ran ahead.
func (l *life) shift(by time.Duration) {
	l.Helper()
	later := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.Add(by)
	}
	rec, err := l.st.Job(l.Context(), lifeJob)
	l.must(err)
	rec.NextStart, rec.ComparedAt = later(time.Now().Add(time.Hour)), later(rec.ComparedAt)
	b := &store.Batch{Jobs: []store.Job{rec}, Log: []store.Entry{{ID: "future", ActivityDateTime: later(time.Now()), JobID: lifeJob, Action: "other",
		StatusInfo: store.StatusInfo{Status: "success"}}}}
	b.Cycles = l.cycles(time.Time{})
	for i := range b.Cycles {
		b.Cycles[i].StartedAt, b.Cycles[i].EndedAt = later(b.Cycles[i].StartedAt), later(b.Cycles[i].EndedAt)
	}
	b.PutEscrows = l.waiting().Escrows
	for i := range b.PutEscrows {
		b.PutEscrows[i].First, b.PutEscrows[i].Next = later(b.PutEscrows[i].First), later(b.PutEscrows[i].Next)
	}
	b.PutLinks = l.links()
	for i := range b.PutLinks {
		b.PutLinks[i].DeletedAt, b.PutLinks[i].LeftScopeAt = later(b.PutLinks[i].DeletedAt), later(b.PutLinks[i].LeftScopeAt)
	}
	l.must(l.st.Apply(l.Context(), b))
}
