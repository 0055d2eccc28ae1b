package engine_test

import (
	"slices"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/mapping"
	"tenantsync/scope"
	"tenantsync/store"
)

// windowed adds deletions up over a week; nothing else holds them.
func windowed(j *engine.Job) {
	j.Percent, j.ScopeShrink = 0, 0
	j.Window, j.WindowPercent = 7*24*time.Hour, 25
}

const day = 24 * time.Hour

// holds runs a cycle in which so many deletions or changes are held for the
// reason, and nothing is written.
func (w *world) holds(reason string, held int) {
	w.Helper()
	w.journalIs(func() {
		if r := w.sync(store.OutcomeQuarantine); r.Summary.Held != held || r.Summary.Update+r.Summary.Create+r.Summary.Delete != 0 {
			w.Errorf("summary: got %+v, want %d held and nothing done", r.Summary, held)
		}
	})
	w.quarantine("Quarantine", reason)
}

func TestManySmallStepsAreHeld(t *testing.T) {
	inSales(t, 200, windowed, func(w *world) {
		for first := 1; first <= 46; first += 15 { // 15, 30, 45, 60 of 200: more than 50, and 30 %
			w.leave(through(first, first+14)...)
			if first < 46 {
				w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 15})
				w.pass(day)
				continue
			}
			w.holds("TooManyDeletesInWindow", 15)
		}
		w.leave(61) // judged with those that went: 46, which is below 50
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1, Held: 15})
		w.restart() // what has gone is in the state
		w.leave(62, 63, 64, 65)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 4, Held: 15})
		w.leave(66)
		w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Held: 16})
		w.leave(through(67, 70)...)
		w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Held: 20})
		w.pass(8 * day)
		w.leave(71)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1, Unchanged: 149, Held: 20})
	})
}

func TestApprovedDeletionsDoNotCountInTheWindow(t *testing.T) {
	for name, first := range map[string]int{"of single users": 1, "of all": 0} {
		t.Run(name, func(t *testing.T) {
			inSales(t, 160, windowed, func(w *world) {
				w.leave(through(1, 39)...)
				w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 39})
				w.leave(through(40, 60)...)
				w.holds("TooManyDeletesInWindow", 21)
				if first == 0 {
					w.allow()
				} else {
					for n := 40; n <= 60; n++ {
						w.allow(upn(n))
					}
				}
				w.quarantine("Active", "")
				w.pass(time.Minute)
				w.leave(61) // 40 without approval
				w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1})
				w.leave(through(62, 72)...) // 51, or, where all were approved, 12
				if first == 0 {
					w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 11})
					return
				}
				w.holds("TooManyDeletesInWindow", 11)
			})
		})
	}
}

// Who is disabled for leaving scope and deleted later counts in the window once,
// at the disable; the delete is judged by the threshold of its own cycle.
func TestDisabledThenDeletedCountsOnceInTheWindow(t *testing.T) {
	inSales(t, 160, func(j *engine.Job) {
		windowed(j)
		j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, 2*day
	}, func(w *world) {
		for first := 1; first <= 21; first += 20 {
			w.leave(through(first, first+19)...)
			w.summary(w.sync(store.OutcomeSuccess), store.Summary{Disable: 20})
		}
		w.passIdle(2 * day)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 40})
		w.leave(through(41, 60)...)
		w.holds("TooManyDeletesInWindow", 20)
	})
}

func TestDeletesThatAreDueAreJudgedByTheThreshold(t *testing.T) {
	inSales(t, 40, func(j *engine.Job) {
		j.Percent, j.ScopeShrink, j.Threshold = 0, 0, 5
		j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, 2*day
	}, func(w *world) {
		w.leave(1, 2, 3, 4)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Disable: 4})
		w.leave(5, 6, 7, 8)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Disable: 4})
		w.passIdle(2 * day)
		w.holds("TooManyDeletes", 8)
		w.allow()
		w.counted(32, 32, 0)
	})
}

func TestCreatesOfADayAreHeld(t *testing.T) {
	story(t, func(w *world) {
		w.configure(false, func(j *engine.Job) { j.CreatesPerDay = 10 })
		w.people(1, 6)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 6})
		w.pass(time.Hour)
		w.people(7, 11)
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		w.journalIs(func() { w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Update: 1, Held: 5}) },
			`PATCH /users/`+w.targetID(1)+` {"city":"Rome"}`)
		w.quarantine("Quarantine", "TooManyCreates")
		w.counted(11, 6, 5)
		why, err := w.engine.Explain(w.Context(), upn(8), jobName)
		w.must(err)
		want := "Its change is held with 4 others since 2000-01-01 01:00 UTC: TooManyCreates, 11 users would be created within a day, 5 of them in this cycle, " +
			"more than 10. Review them: tenantsync plan contoso-to-fabrikam; then tenantsync sync contoso-to-fabrikam --accept."
		if !slices.Contains(why.Reasons, want) {
			t.Errorf("explain: got %q, want it to say %q", why.Reasons, want)
		}
		w.restart()
		w.summary(w.syncWith(engine.SyncRequest{Job: jobName, Accept: true}, store.OutcomeSuccess), store.Summary{Create: 5, Unchanged: 6})
		w.quarantine("Active", "")
		w.people(12, 15) // what was approved does not count: 10
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 4})
		w.people(16, 16)
		w.holds("TooManyCreates", 1)
		w.pass(day)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1, Unchanged: 15})
	})
}

func TestWavesAreHeld(t *testing.T) {
	inSales(t, 1010, func(j *engine.Job) { j.Creates, j.Updates = 50, 50 }, func(w *world) {
		for n := 1; n <= 1002; n++ {
			w.update(w.contoso, userID(n), map[string]any{"city": "Rome"})
		}
		w.holds("TooManyUpdates", 1002)
		w.setEnabled(w.contoso, userID(1), false) // nothing delays that
		w.people(2001, 2003)
		r := w.sync(store.OutcomeQuarantine)
		w.summary(r, store.Summary{Create: 3, Disable: 1, Unchanged: 8, Held: 1002})
		w.enabled(1, false)
		if got := w.targetUser(2).String("city"); got != "Oslo" {
			t.Errorf("city: got %s, want Oslo while the update is held", got)
		}
		w.people(3001, 4001)
		w.journalIs(func() { w.sync(store.OutcomeQuarantine) })
		if s := w.status(); s.Held != 2003 || s.Quarantine.Reason != "TooManyCreates" {
			t.Errorf("status: got %d held for %s, want 2003 for TooManyCreates", s.Held, s.Quarantine.Reason)
		}
		w.summary(w.syncWith(engine.SyncRequest{Job: jobName, Accept: true}, store.OutcomeSuccess), store.Summary{Create: 1001, Update: 1002, Unchanged: 11})
		w.quarantine("Active", "")
	})
}

// graded is a mapping that makes members of the people with a certain title.
func graded(j *engine.Job) {
	ms := mapping.Default()
	for i := range ms {
		if ms[i].Target == "userType" {
			ms[i] = mapping.Mapping{Target: "userType", Expression: `IIF([jobTitle] = "Clerk", "Guest", "Member")`}
		}
	}
	j.Mapping, _ = mapping.Compile(ms)
}

func TestGuestsWhoBecomeMembersAreHeld(t *testing.T) {
	inSales(t, 110, func(j *engine.Job) {
		graded(j)
		if j.Members = 10; j.Mapping == nil {
			t.Fatal("the mapping is refused")
		}
	}, func(w *world) {
		for n := 1; n <= 101; n++ {
			w.update(w.contoso, userID(n), map[string]any{"jobTitle": "Manager"})
		}
		w.update(w.contoso, userID(105), map[string]any{"city": "Rome"}) // goes on
		w.journalIs(func() { w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Update: 1, Held: 101}) },
			`PATCH /users/`+w.targetID(105)+` {"city":"Rome"}`)
		w.quarantine("Quarantine", "TooManyMembers")
		if got := w.targetUser(1).String("userType"); got != "Guest" {
			t.Errorf("userType: got %s, want Guest", got)
		}
		w.update(w.contoso, userID(1), map[string]any{"jobTitle": "Clerk"}) // a hundred may
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 100, Unchanged: 10})
		w.quarantine("Active", "")
	})
}

// A configuration that empties or widens the scope: nothing goes out either way.
func TestConfigurationThatMovesTheScopeIsHeld(t *testing.T) {
	sales := scope.Clause{Attribute: "department", Operator: scope.Equals, Values: []string{"Sales"}}
	oslo := scope.Clause{Attribute: "city", Operator: scope.Equals, Values: []string{"Oslo"}}
	for _, c := range []struct {
		name   string
		edit   func(w *world)
		reason string
		held   int
	}{
		{"a filter lost its clause", func(w *world) { w.filtered(oslo) }, "TooManyChanges", 105},
		{"no filter any more", func(w *world) {
			w.configure(true, func(j *engine.Job) { j.Scope.Filter = &scope.Filter{} })
		}, "TooManyChanges", 105},
		{"a value with a typing error", func(w *world) {
			w.filtered(scope.Clause{Attribute: "department", Operator: scope.Equals, Values: []string{"Salse"}})
		}, "ScopeShrunk", 20},
		{"a clause too many", func(w *world) {
			w.filtered(sales, scope.Clause{Attribute: "city", Operator: scope.Equals, Values: []string{"Bergen"}})
		}, "ScopeShrunk", 20},
		{"assigned to nobody", func(w *world) {
			w.configure(true, func(j *engine.Job) { j.Scope.All = false })
		}, "ScopeShrunk", 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSales(t, 20, nil, func(w *world) {
				for n := 1001; n <= 1105; n++ {
					w.person(n, map[string]any{"department": "Legal"})
				}
				w.sync(store.OutcomeSuccess)
				c.edit(w)
				w.holds(c.reason, c.held)
				w.holdsOn(c.reason, c.held)
			})
		})
	}
}

// holdsOn runs another cycle, in which nothing changes about what is held.
func (w *world) holdsOn(reason string, held int) {
	w.Helper()
	w.journalIs(func() {
		r, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
		w.must(err)
		if r.Summary.Held != held {
			w.Errorf("held in the next cycle: got %d, want %d", r.Summary.Held, held)
		}
	})
	w.quarantine("Quarantine", reason)
}

func TestModeAllByMistakeIsHeld(t *testing.T) {
	inGroup(t, 5, func(w *world) {
		w.people(1001, 1101)
		w.sync(store.OutcomeSuccess)
		w.configure(true, func(j *engine.Job) { j.Scope.All = true })
		w.holds("TooManyChanges", 101)
		w.configure(true, func(j *engine.Job) { j.Scope.All = false }) // corrected
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.quarantine("Active", "")
	})
}

// An approval is of the users who were held when it was given.
func TestApprovalNamesWhoWasHeld(t *testing.T) {
	accept := engine.SyncRequest{Job: jobName, Accept: true}
	held := func(w *world) {
		w.configure(true, func(j *engine.Job) { j.Mapping = renamed(w.T) })
		w.holds("TooManyChanges", 101)
	}
	for _, c := range []struct {
		name  string
		since func(w *world)
		want  store.Summary
		then  string
	}{
		{"nothing happened since", func(*world) {}, store.Summary{Update: 101}, ""},
		{"some came, who are few", func(w *world) { w.people(1001, 1004) }, store.Summary{Update: 101, Create: 4}, ""},
		{"some came, who are too many by themselves", func(w *world) { w.people(1001, 1101) }, store.Summary{Update: 101, Held: 101}, "TooManyChanges"},
		{"the configuration changed again", func(w *world) {
			w.configure(true, func(j *engine.Job) { j.Actions.Delete = false })
		}, store.Summary{Held: 101}, "TooManyChanges"},
		{"it was too long ago", func(w *world) { w.pass(day + time.Hour) }, store.Summary{Held: 101}, "TooManyChanges"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSales(t, 101, nil, func(w *world) {
				held(w)
				c.since(w)
				r, err := w.engine.Sync(w.Context(), accept, nil)
				w.must(err)
				w.summary(r, c.want)
				state := "Quarantine"
				if c.then == "" {
					state = "Active"
				}
				w.quarantine(state, c.then)
				if c.want.Update == 0 { // what it holds now has been shown: the next approval counts
					w.summary(w.syncWith(accept, store.OutcomeSuccess), store.Summary{Update: 101})
				}
			})
		})
	}
}
