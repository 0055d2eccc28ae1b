package engine_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// stopping is a target whose next write stops the cycle before it is sent.
type stopping struct {
	engine.Target
	stop *context.CancelFunc
}

func (s stopping) Write(ctx context.Context, ws []directory.Write) ([]directory.Written, error) {
	if *s.stop == nil {
		return s.Target.Write(ctx, ws)
	}
	(*s.stop)()
	out := make([]directory.Written, len(ws))
	for i := range out {
		out[i].Err = context.Canceled
	}
	return out, context.Canceled
}

// What a cycle had read before it was stopped long ago decides about nobody.
func TestStageOfLongAgo(t *testing.T) {
	inSales(t, 20, nil, func(w *world) {
		var stop context.CancelFunc
		inner := w.jobs[0].Target
		w.configure(false, func(j *engine.Job) { j.Target = stopping{inner, &stop} })
		w.leave(1)
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		ctx, cancel := context.WithCancel(w.Context())
		stop = cancel
		r, err := w.engine.Sync(ctx, engine.SyncRequest{Job: jobName, Initial: true}, nil)
		if err != nil || r.Outcome != store.OutcomeInterrupted {
			t.Fatalf("got %s, %v, want interrupted", r.Outcome, err)
		}
		stop = nil
		w.back(1)
		w.pass(20 * 24 * time.Hour)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "PATCH /users/"+w.targetID(2)+` {"city":"Rome"}`)
		w.equal(through(1, 20)...)
	})
}

// A cycle that was stopped and goes on soon after does not put back what
// provision on demand wrote in between.
func TestStageOlderThanProvision(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		var stop context.CancelFunc
		inner := w.jobs[0].Target
		w.configure(false, func(j *engine.Job) { j.Target = stopping{inner, &stop} })
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		ctx, cancel := context.WithCancel(w.Context())
		stop = cancel
		r, err := w.engine.Sync(ctx, engine.SyncRequest{Job: jobName, Initial: true}, nil)
		if err != nil || r.Outcome != store.OutcomeInterrupted {
			t.Fatalf("got %s, %v, want interrupted", r.Outcome, err)
		}
		stop = nil
		w.update(w.contoso, userID(2), map[string]any{"city": "Bergen"})
		w.journalIs(func() {
			w.provisioned(engine.ProvisionRequest{User: upn(2)}, "update", "success", "", allDone)
		}, "PATCH /users/"+w.targetID(2)+` {"city":"Bergen"}`)
		w.pass(time.Minute)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.equal(through(1, 5)...)
		w.counted(5, 5, 0)
	})
}

// A read by id may come from a replica that has not heard of a change yet, which
// the round has told and will not tell again.
func TestAStaleReadDoesNotUndoWhatTheRoundTold(t *testing.T) {
	storyOf(t, entrasim.Options{StaleReads: 20 * time.Second}, "{}", func(w *world) {
		w.people(1, 4)
		w.sync(store.OutcomeSuccess)
		w.pass(time.Hour)
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		w.update(w.contoso, userID(2), map[string]any{"jobTitle": nil, "department": "Legal"})
		w.setEnabled(w.contoso, userID(3), false)
		w.must(w.contoso.SetManager(userID(4), userID(1)))
		w.sync(store.OutcomeSuccess)
		w.equal(1, 3, 4)
		if got := w.targetUser(2).String("department"); got != "Legal" {
			t.Errorf("department of user 2: got %s, want Legal", got)
		}
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.pass(time.Minute)
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
	})
}

// lagging is a source whose reads by id, while it lags, come from a replica that has
// not heard of one attribute of the first user yet.
type lagging struct {
	engine.Source
	lags      *atomic.Bool
	name, old string
}

func (l lagging) Users(ctx context.Context, ids, selects []string) ([]directory.Lookup, error) {
	out, err := l.Source.Users(ctx, ids, selects)
	for i := range out {
		if l.lags.Load() && out[i].ID == userID(1) && out[i].Err == nil {
			out[i].Object.Attributes = out[i].Object.Attributes.Clone()
			out[i].Object.Attributes.Set(l.name, directory.TextOf(l.old))
		}
	}
	return out, err
}

// lag makes the source of the first job one that can lag with an attribute.
func (w *world) lag(name, old string) *atomic.Bool {
	lags := &atomic.Bool{}
	inner := w.jobs[0].Source
	w.configure(false, func(j *engine.Job) { j.Source = lagging{inner, lags, name, old} })
	return lags
}

// Provision on demand may read such a replica too: what it takes back of what a
// cycle has just carried over comes again, once no replica lags any more.
func TestProvisionThatReadsWhatIsStale(t *testing.T) {
	inSales(t, 2, nil, func(w *world) {
		w.pass(time.Hour)
		lags, id := w.lag("city", "Oslo"), w.targetID(1)
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "PATCH /users/"+id+` {"city":"Rome"}`)
		lags.Store(true)
		w.journalIs(func() { w.provision(engine.ProvisionRequest{User: upn(1)}) }, "PATCH /users/"+id+` {"city":"Oslo"}`)
		w.idle(1, "the changes of users") // it would find the same replica
		lags.Store(false)
		w.pass(10 * time.Minute)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "PATCH /users/"+id+` {"city":"Rome"}`)
		w.idle(1, "the changes of users")
		w.equal(1, 2)

		w.pass(time.Hour)
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		w.provision(engine.ProvisionRequest{User: upn(2)}) // long after the last cycle: its round has yet to tell
		w.noMarks()
	})
}

// So it is when the run was broken off anywhere, when it is given again at once and
// finds what it has written, and of whoever had failed before.
func TestProvisionThatReadsWhatIsStaleTwice(t *testing.T) {
	for _, failed := range []bool{false, true} {
		for _, again := range []bool{false, true} {
			broke, ended := 0, false
			for n := 1; !ended && !t.Failed(); n++ {
				inSales(t, 2, nil, func(w *world) {
					broken, toTheEnd := w.staleAndBrokenOff(n, failed, again)
					if broken {
						broke++
					}
					ended = toTheEnd
				})
				if t.Failed() {
					t.Errorf("broken off at call %d to the state; failed before: %t, given again: %t", n, failed, again)
				}
			}
			if broke < 5 {
				t.Errorf("failed before: %t, given again: %t: broken off %d times, want at least 5", failed, again, broke)
			}
		}
	}
}

// staleAndBrokenOff has a cycle told of a change, provisions the user from a replica
// that has not heard of it, in a run whose n-th call to the state fails, and expects the
// change in the target when no replica lags any more.
func (w *world) staleAndBrokenOff(n int, failed, again bool) (broken, toTheEnd bool) {
	w.Helper()
	w.pass(time.Hour)
	lags, at := w.lag("city", "Oslo"), "/users/"+w.targetID(1)
	w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
	if failed {
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "PATCH", Path: at, Item: "inner", Status: 400, Code: "Request_BadRequest"}})
		w.sync(store.OutcomePartial)
		w.fabrikam.SetFaults(nil)
	} else {
		w.sync(store.OutcomeSuccess)
	}
	lags.Store(true)
	breaks, left := w.failing(n)
	_, err := breaks.Provision(w.Context(), engine.ProvisionRequest{Job: jobName, User: upn(1)})
	broken, toTheEnd = err != nil, left() > 0
	if !toTheEnd && !broken {
		w.Errorf("call %d to the state failed: got no error", n)
	}
	if again {
		w.provision(engine.ProvisionRequest{User: upn(1)})
	}
	if got := w.targetUser(1).String("city"); got != "Oslo" && (again || toTheEnd) {
		w.Fatalf("got city %s, want the stale one, else nothing is shown", got)
	}
	lags.Store(false)
	w.pass(10 * time.Minute)
	w.sync(store.OutcomeSuccess)
	w.equal(1, 2)
	w.pass(10 * time.Minute)
	w.sync(store.OutcomeSuccess)
	w.noMarks()
	return broken, toTheEnd
}

// Whom a cycle failed at and the next one, given at once, reads from such a replica
// is looked at once more; on schedule nobody is.
func TestARetryThatReadsWhatIsStale(t *testing.T) {
	for name, again := range map[string]func(*world){
		"by the next cycle": func(w *world) { w.sync(store.OutcomeSuccess) },
		"when all are asked for": func(w *world) {
			_, err := w.engine.RetryNow(w.Context(), jobName, nil)
			w.must(err)
		},
		"on demand": func(w *world) { w.provision(engine.ProvisionRequest{User: upn(1)}) },
	} {
		inSales(t, 2, nil, func(w *world) {
			w.pass(time.Hour)
			lags, id := w.lag("city", "Oslo"), w.targetID(1)
			refused := entrasim.Fault{Method: "PATCH", Path: "/users/" + id, Item: "inner", Status: 400, Code: "Request_BadRequest"}
			fails := func(city string) {
				w.update(w.contoso, userID(1), map[string]any{"city": city})
				w.fabrikam.SetFaults([]entrasim.Fault{refused})
				w.sync(store.OutcomePartial)
				w.fabrikam.SetFaults(nil)
			}
			fails("Rome")
			w.pass(time.Minute)
			lags.Store(true)
			w.journalIs(func() { again(w) })
			lags.Store(false)
			w.pass(10 * time.Minute)
			w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "PATCH /users/"+id+` {"city":"Rome"}`)
			w.noMarks()
			if w.Failed() {
				w.Fatalf("tried again %s", name)
			}

			w.pass(time.Hour)
			fails("Bergen")
			w.pass(40 * time.Minute)
			w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "PATCH /users/"+id+` {"city":"Bergen"}`)
			w.noMarks()
			w.equal(1, 2)
		})
	}
}

// A cycle under way leaves a user alone who is provisioned beside it; what it has
// read of the user may have been the newer of the two.
func TestProvisionThatReadsWhatIsStaleBesideACycle(t *testing.T) {
	inSales(t, 2, nil, func(w *world) {
		w.pass(time.Hour)
		lags, id := w.lag("city", "Oslo"), w.targetID(1)
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		w.wire.set(nil, func(r *http.Request, resp *http.Response) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/$batch") { // the round is read, and nothing judged yet
				w.wire.set(nil, nil)
				lags.Store(true)
				w.provision(engine.ProvisionRequest{User: upn(1)})
				lags.Store(false)
			}
			return resp, nil
		})
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.pass(10 * time.Minute)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "PATCH /users/"+id+` {"city":"Rome"}`)
		w.noMarks()
		w.equal(1, 2)
	})
}

// So it is of whoever enters or leaves a group a moment after a cycle was told of a
// change, once, however often the job runs.
func TestAMoveThatReadsWhatIsStale(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.group(1, userID(1), userID(2), userID(3))
		w.group(2)
		w.assigned(engine.Scope{Groups: []string{groupID(1), groupID(2)}})
		w.sync(store.OutcomeSuccess)
		w.pass(time.Hour)
		lags, id := w.lag("city", "Oslo"), w.targetID(1)
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		w.sync(store.OutcomeSuccess)
		lags.Store(true)
		w.must(w.contoso.AddMember(groupID(2), userID(1)))
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "PATCH /users/"+id+` {"city":"Oslo"}`)
		lags.Store(false)
		w.journalIs(func() {
			for range 5 {
				w.pass(2 * time.Minute)
				w.sync(store.OutcomeSuccess)
			}
		}, "PATCH /users/"+id+` {"city":"Rome"}`)
		w.equal(1, 2, 3)
		w.noMarks()

		w.person(4, map[string]any{"accountEnabled": false}) // nobody's target user, and gone a moment later
		w.must(w.contoso.AddMember(groupID(2), userID(4)))
		w.sync(store.OutcomeSuccess)
		w.must(w.contoso.Delete(userID(4)))
		w.must(w.contoso.RemoveMember(groupID(2), userID(2)))
		w.must(w.contoso.Delete(userID(3)))
		w.sync(store.OutcomeSuccess)
		w.pass(10 * time.Minute)
		w.sync(store.OutcomeSuccess)
		w.noMarks()
		w.idle(2, "the changes of users and of groups")

		w.pass(time.Hour) // as on schedule: nobody is doubted
		w.must(w.contoso.RemoveMember(groupID(2), userID(1)))
		w.sync(store.OutcomeSuccess)
		w.noMarks()
	})
}

// Whoever was blocked by such a reading does not wait for the end of deleteAfter.
func TestABlockByWhatIsStale(t *testing.T) {
	month := func(j *engine.Job) {
		j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, 30*24*time.Hour
		j.Scope.Groups, j.Scope.All = []string{groupID(1), groupID(2)}, false
	}
	story(t, func(w *world) {
		w.people(1, 5)
		w.group(1, userID(1), userID(2), userID(3), userID(4), userID(5))
		w.group(2)
		w.onlySales()
		w.configure(true, month)
		w.leave(1)
		w.sync(store.OutcomeSuccess)
		w.pass(time.Hour)
		w.back(1)
		lags := w.lag("department", "Retired")
		w.sync(store.OutcomeSuccess)
		w.enabled(1, true)
		lags.Store(true)
		w.must(w.contoso.AddMember(groupID(2), userID(1)))
		w.sync(store.OutcomeSuccess)
		w.enabled(1, false)
		lags.Store(false)
		w.pass(10 * time.Minute)
		w.sync(store.OutcomeSuccess)
		w.enabled(1, true)

		w.leave(1) // and who is told to have left waits on
		w.sync(store.OutcomeSuccess)
		w.must(w.contoso.RemoveMember(groupID(2), userID(1)))
		w.sync(store.OutcomeSuccess)
		w.pass(10 * time.Minute)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.enabled(1, false)
		id := w.targetID(1)
		w.passIdle(30 * 24 * time.Hour)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "DELETE /users/"+id)
	})
}

// Who fails once more is a failure still, and no mark takes its place.
func TestARetryThatFailsAtOnceAgain(t *testing.T) {
	inSales(t, 2, nil, func(w *world) {
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "PATCH", Path: "/users/" + w.targetID(1), Item: "inner", Status: 400, Code: "Request_BadRequest"}})
		w.sync(store.OutcomePartial)
		w.pass(time.Minute)
		w.sync(store.OutcomePartial)
		r, err := w.engine.Retries(w.Context(), jobName)
		w.must(err)
		if len(r.Retries) != 1 || r.Retries[0].Attempts != 2 {
			t.Errorf("after the second failure: got %+v, want one user with two attempts", r.Retries)
		}
	})
}

// Whoever had failed before and is provisioned by a run that is broken off anywhere,
// between the values and the manager too, is settled by the next cycle.
func TestABrokenRunOfWhoHadFailed(t *testing.T) {
	broke, ended := 0, false
	for n := 1; !ended && !t.Failed(); n++ {
		inSales(t, 2, nil, func(w *world) {
			at := "/users/" + w.targetID(1)
			w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
			w.must(w.contoso.SetManager(userID(1), userID(2)))
			refused := entrasim.Fault{Item: "inner", Status: 400, Code: "Request_BadRequest"}
			values, manager := refused, refused
			values.Method, values.Path = "PATCH", at
			manager.Method, manager.Path = "PUT", at+"/manager/$ref"
			w.fabrikam.SetFaults([]entrasim.Fault{values, manager})
			w.sync(store.OutcomePartial)
			for range 5 { // the next retry is hours ahead then
				_, err := w.engine.RetryNow(w.Context(), jobName, nil)
				w.must(err)
			}
			w.fabrikam.SetFaults(nil)
			w.pass(time.Hour)
			breaks, left := w.failing(n)
			if _, err := breaks.Provision(w.Context(), engine.ProvisionRequest{Job: jobName, User: upn(1)}); err != nil {
				broke++
			}
			ended = left() > 0
			w.pass(40 * time.Minute)
			before := w.targetUser(1).String("city")
			w.sync(store.OutcomeSuccess)
			if before == "Rome" || ended { // else the failure waits as it did
				w.equal(1, 2)
				w.noMarks()
			}
			w.pass(24 * time.Hour)
			w.sync(store.OutcomeSuccess)
			w.equal(1, 2)
			w.noMarks()
		})
	}
	if broke < 8 {
		t.Errorf("broken off %d times, want at least 8", broke)
	}
}

// noMarks expects that nobody is to be looked at again.
func (w *world) noMarks() {
	w.Helper()
	waiting, err := w.st.Waiting(w.Context(), jobName)
	w.must(err)
	if len(waiting.Escrows) != 0 {
		w.Errorf("to be looked at again: got %+v, want nobody", waiting.Escrows)
	}
}
