package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// daemon runs the engine until f returns.
func (w *world) daemon(f func()) {
	w.Helper()
	ctx, stop := context.WithCancel(w.Context())
	done := make(chan error, 1)
	go func() { done <- w.engine.Run(ctx) }()
	synctest.Wait()
	f()
	stop()
	if err := <-done; err != nil {
		w.Errorf("run: %v", err)
	}
}

// starts returns when the cycles of a job began, oldest first, since a time.
func (w *world) starts(job string, since time.Time) []time.Time {
	w.Helper()
	cycles, err := w.st.Cycles(w.Context(), store.CycleQuery{Job: job})
	w.must(err)
	var out []time.Time
	for i := len(cycles) - 1; i >= 0; i-- {
		if !cycles[i].StartedAt.Before(since) {
			out = append(out, cycles[i].StartedAt)
		}
	}
	return out
}

func TestDaemonKeepsTheCadence(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.pass(40 * time.Minute)
		began := time.Now()
		w.daemon(func() {
			w.pass(24*time.Hour + time.Minute)
		})
		got := w.starts(jobName, began)
		if len(got) != 37 {
			t.Errorf("cycles in a day: got %d, want 37: one at once, then every 40 minutes", len(got))
		}
		for i := 1; i < len(got); i++ {
			if gap := got[i].Sub(got[i-1]); gap < 39*time.Minute || gap > 41*time.Minute {
				t.Errorf("gap before cycle %d: got %v, want 40 minutes", i, gap)
			}
		}
	})
}

func TestDaemonBeginsWithWhatIsOverdue(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.restart()
		began := time.Now()
		w.daemon(func() {
			w.pass(10 * time.Minute)
			if got := w.starts(jobName, began.Add(time.Second)); len(got) != 0 {
				t.Errorf("cycles before one is due: got %d, want none", len(got))
			}
		})
		w.pass(3 * time.Hour)
		w.people(2, 2)
		w.daemon(func() { w.pass(time.Minute) })
		w.equal(1, 2)
	})
}

func TestDaemonWaitsForAFirstStart(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.daemon(func() {
			w.pass(24 * time.Hour)
			if s := w.status(); s.State != "NotRun" || s.LastCycle != nil {
				t.Errorf("status: got %s after %v, want NotRun without a cycle", s.State, s.LastCycle)
			}
			w.must(w.engine.Start(w.Context(), jobName))
			w.pass(time.Minute)
			if s := w.status(); s.State != "Active" || s.Linked != 1 {
				t.Errorf("status after start: got %s with %d linked, want Active with 1", s.State, s.Linked)
			}
		})
	})
}

func TestDaemonStartsByItself(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.configure(false, func(j *engine.Job) { j.AutoStart = true })
		w.second("disabled", func(j *engine.Job) { j.Enabled, j.AutoStart = false, true })
		w.daemon(func() { w.pass(time.Minute) })
		w.linked(1)
		if got := w.starts("disabled", time.Time{}); len(got) != 0 {
			t.Errorf("cycles of a disabled job: got %d, want none", len(got))
		}
	})
}

func TestDaemonByCronInATimeZone(t *testing.T) {
	story(t, func(w *world) {
		oslo, err := time.LoadLocation("Europe/Oslo")
		w.must(err)
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.configure(false, func(j *engine.Job) { j.Schedule, j.TimeZone = "30 2 * * 1-5", "Europe/Oslo" })
		w.pass(time.Second)
		began := time.Now()
		w.daemon(func() { w.pass(14 * 24 * time.Hour) })
		got := w.starts(jobName, began)
		if len(got) != 10 {
			t.Errorf("cycles in two weeks: got %d, want 10", len(got))
		}
		for _, at := range got {
			local := at.In(oslo)
			if local.Hour() != 2 || local.Minute() != 30 || local.Weekday() == time.Saturday || local.Weekday() == time.Sunday {
				t.Errorf("cycle began at %v, want 2:30 on a weekday", local)
			}
		}
	})
}

func TestPauseStartAndRestart(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.daemon(func() {
			w.must(w.engine.Pause(w.Context(), jobName))
			w.pass(time.Second)
			began := time.Now()
			w.pass(6 * time.Hour)
			if s := w.status(); s.State != "Paused" || s.NextStart != nil {
				t.Errorf("status: got %s, next start %v, want Paused and none", s.State, s.NextStart)
			}
			if got := w.starts(jobName, began); len(got) != 0 {
				t.Errorf("cycles while paused: got %d, want none", len(got))
			}
			w.must(w.engine.Start(w.Context(), jobName))
			w.pass(time.Minute)
			if got := w.starts(jobName, began); len(got) != 1 {
				t.Errorf("cycles after start: got %d, want 1 at once", len(got))
			}
			w.must(w.engine.Restart(w.Context(), jobName))
			w.pass(time.Minute)
			if s := w.status(); s.LastCycle == nil || s.LastCycle.Cycle != "initial" || s.Linked != 1 {
				t.Errorf("after restart: got %+v, want an initial cycle, the link kept", s.LastCycle)
			}
		})
	})
}

// A cycle that is longer than the interval leaves ticks out; it never runs twice.
func TestDaemonNeverRunsACycleTwice(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 60)
		w.configure(false, func(j *engine.Job) {
			j.Schedule, j.AutoStart = "@every 2s", true
			j.Target = slow{j.Target}
		})
		w.daemon(func() {
			go func() { _, _ = w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil) }()
			w.pass(time.Minute)
		})
		if s := w.status(); s.SkippedStarts != 0 {
			t.Errorf("status after short cycles: got %d starts left out, want none", s.SkippedStarts)
		}
		cycles, err := w.st.Cycles(w.Context(), store.CycleQuery{Job: jobName})
		w.must(err)
		for i := 1; i < len(cycles); i++ {
			if newer, older := cycles[i-1], cycles[i]; newer.StartedAt.Before(older.EndedAt) {
				t.Errorf("cycle began at %v while another ran until %v", newer.StartedAt, older.EndedAt)
			}
		}
		if got := w.fabrikam.Counts().Writes["invite"]; got != 60 {
			t.Errorf("invitations: got %d, want 60", got)
		}
	})
}

func TestQuarantineBySignIn(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.pass(2 * time.Hour) // the tokens have expired
		w.cloud.SetFaults([]entrasim.Fault{{Path: "**/oauth2/v2.0/token", Status: 401, Code: "invalid_client",
			Body: `{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired."}`}})
		began := time.Now()
		w.daemon(func() {
			w.pass(time.Minute)
			s := w.status()
			if s.State != "Quarantine" || s.Quarantine == nil || s.Quarantine.Reason != "EncounteredQuarantineException" || s.Quarantine.NextAttempt == nil {
				t.Fatalf("status: got %s, %+v, want Quarantine by EncounteredQuarantineException with a next attempt", s.State, s.Quarantine)
			}
			w.pass(10 * 24 * time.Hour)
			got := w.starts(jobName, began)
			var gaps []time.Duration
			for i := 1; i < len(got); i++ {
				gaps = append(gaps, got[i].Sub(got[i-1]).Round(time.Hour))
				if i > 1 && gaps[i-1] < gaps[i-2] {
					t.Errorf("gaps between attempts: got %v, want them to grow", gaps)
				}
			}
			if len(gaps) < 6 || gaps[0] > time.Hour || gaps[len(gaps)-1] != 24*time.Hour {
				t.Errorf("gaps between attempts: got %v, want stepwise from an hour to a day", gaps)
			}
			if q := w.status().Quarantine; q == nil || q.Since.After(began.Add(time.Minute)) {
				t.Errorf("quarantine: got %+v, want it since the first failure", q)
			}

			// One good run ends it, and the cadence is back.
			w.cloud.SetFaults(nil)
			w.sync(store.OutcomeSuccess)
			if s := w.status(); s.State != "Active" || s.Quarantine != nil {
				t.Errorf("after a good run: got %s, %+v, want Active", s.State, s.Quarantine)
			}
			began = time.Now()
			w.pass(4 * time.Hour)
			if got := len(w.starts(jobName, began)); got < 5 {
				t.Errorf("cycles in four hours after the quarantine: got %d, want one every 40 minutes", got)
			}
		})
	})
}

func TestStopFinishesRunningWrites(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 60)
		w.configure(false, func(j *engine.Job) { j.AutoStart, j.Target = true, slow{j.Target} })
		w.daemon(func() { w.pass(2500 * time.Millisecond) })
		cycles, err := w.st.Cycles(w.Context(), store.CycleQuery{Job: jobName})
		w.must(err)
		if len(cycles) != 1 || cycles[0].Outcome != store.OutcomeInterrupted {
			t.Fatalf("cycles: got %+v, want one, interrupted", cycles)
		}
		w.configure(false, func(j *engine.Job) { j.Target = j.Target.(slow).Target })
		w.restart()
		w.sync(store.OutcomeSuccess)
		w.equal(through(1, 60)...)
		if got := w.fabrikam.Counts().Writes["invite"]; got > 80 || len(w.fabrikam.Users()) != 60 {
			t.Errorf("invitations: got %d for 60 users and %d users, want no second user", got, len(w.fabrikam.Users()))
		}
	})
}

func TestReloadWhileTheDaemonRuns(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.pass(40 * time.Minute)
		w.daemon(func() {
			w.pass(time.Minute)
			w.configure(false, func(j *engine.Job) { j.Schedule = "@every 5m" })
			began := time.Now()
			w.pass(3*time.Hour + time.Second)
			if got := len(w.starts(jobName, began)); got < 27 {
				t.Errorf("cycles in three hours by the new schedule: got %d, want one every 5 minutes after the next start", got)
			}
			twice := append(w.jobs[:1:1], w.jobs[0])
			if err := w.engine.Reload(twice); err == nil {
				t.Error("reload of one job twice: got no error")
			}
			w.must(w.engine.Reload(nil))
			began = time.Now()
			w.pass(time.Hour)
			if got := len(w.starts(jobName, began)); got != 0 {
				t.Errorf("cycles of a job that is gone: got %d, want none", got)
			}
		})
	})
}
