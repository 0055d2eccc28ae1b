package engine_test

import (
	"fmt"
	"os"
	"testing"

	"tenantsync/engine"
	"tenantsync/mapping"
	"tenantsync/store"
)

// forget ends the process and loses its state file.
func (w *world) forget() {
	w.Helper()
	w.must(w.st.Close())
	w.must(os.Remove(w.path))
	w.open()
}

func TestLostStateIsAdoptedByMatching(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 25)
		for n := 2; n <= 25; n++ {
			w.must(w.contoso.SetManager(userID(n), userID(1)))
		}
		w.sync(store.OutcomeSuccess)
		ids := map[int]string{}
		for n := 1; n <= 25; n++ {
			ids[n] = w.targetID(n)
		}
		w.update(w.fabrikam, ids[7], map[string]any{"userType": "Guest", "city": "Rome"})
		w.must(w.contoso.Delete(userID(25))) // nobody knows any more whose its target user is
		w.forget()
		w.journalIs(func() {
			r := w.sync(store.OutcomeSuccess)
			w.summary(r, store.Summary{Update: 1, Unchanged: 23})
		}, fmt.Sprintf(`PATCH /users/%s {"city":"Oslo"}`, ids[7]))
		w.equal(through(1, 24)...)
		for n := 1; n <= 24; n++ {
			if got := w.targetID(n); got != ids[n] {
				t.Errorf("user %d: got target user %s, want %s", n, got, ids[n])
			}
		}
		if got := w.targetUser(7).String("userType"); got != "Guest" {
			t.Errorf("userType of an adopted user: got %s, want Guest, as it was", got)
		}
		if _, there := w.fabrikam.User(ids[25]); !there {
			t.Error("the target user of somebody unknown was deleted")
		}
		w.saidIs(func() { w.journalIs(func() { w.sync(store.OutcomeSuccess) }) })
	})
}

func TestAdoptionNeedsNoLeaveToCreate(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.person(4, nil)
		w.forget()
		w.configure(false, func(j *engine.Job) { j.Actions.Create = false })
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Unchanged: 3, Skipped: 1}) })
		w.equal(1, 2, 3)
		if _, linked := w.link(4); linked {
			t.Error("user 4 was created, which is not allowed")
		}
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{}) })
	})
}

func TestAdoptionLinksWhoIsDisabledOnBothSides(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 6)
		w.must(w.contoso.SetManager(userID(2), userID(1)))
		w.sync(store.OutcomeSuccess)
		for _, n := range []int{1, 3, 4} {
			w.update(w.contoso, userID(n), map[string]any{"accountEnabled": false})
		}
		w.sync(store.OutcomeSuccess)
		ids := map[int]string{}
		for n := 1; n <= 6; n++ {
			ids[n] = w.targetID(n)
		}
		w.update(w.fabrikam, ids[3], map[string]any{"accountEnabled": true}) // disabled in the source alone
		w.update(w.contoso, userID(5), map[string]any{"city": "Rome"})
		w.person(7, map[string]any{"accountEnabled": false}) // never was in the target
		w.forget()
		w.journalIs(func() {
			r := w.sync(store.OutcomeSuccess)
			w.summary(r, store.Summary{Update: 1, Unchanged: 4, Skipped: 2})
		}, fmt.Sprintf(`PATCH /users/%s {"city":"Rome"}`, ids[5]))
		for _, n := range []int{1, 2, 4, 5, 6} {
			if got := w.targetID(n); got != ids[n] {
				t.Errorf("user %d: got target user %s, want %s", n, got, ids[n])
			}
		}
		for _, n := range []int{3, 7} {
			if l, linked := w.link(n); linked {
				t.Errorf("user %d, disabled in the source alone: got linked to %s, want no link", n, l.TargetID)
			}
		}
		if s := w.status(); s.InScope != 5 || s.Linked != 5 {
			t.Errorf("counters: got %d in scope, %d linked, want 5 and 5", s.InScope, s.Linked)
		}
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.must(w.contoso.Delete(userID(4)))
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "DELETE /users/"+ids[4])
	})
}

func TestAdoptionPlanShowsNoChangeForWhoIsDisabledOnBothSides(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(1), map[string]any{"accountEnabled": false})
		w.sync(store.OutcomeSuccess)
		w.forget()
		r := w.plan(engine.PlanRequest{})
		if r.Summary != (store.Summary{Unchanged: 2}) || len(r.Changes) != 2 || r.Changes[0].Action != "none" || r.Changes[1].Action != "none" {
			t.Errorf("plan: got %+v, %+v, want two users who match and do not change", r.Changes, r.Summary)
		}
	})
}

// Who is blocked in the target alone stays blocked when matched, and the plan says
// so as the cycle does.
func TestAdoptionPlanKeepsABlockOfTheTarget(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		id := w.targetID(2)
		w.update(w.fabrikam, id, map[string]any{"accountEnabled": false})
		w.update(w.fabrikam, w.targetID(3), map[string]any{"accountEnabled": false, "city": "Rome"})
		w.forget()
		r := w.plan(engine.PlanRequest{})
		want := store.Summary{Unchanged: 1, Update: 1, Skipped: 1}
		if r.Summary != want {
			t.Errorf("plan: got summary %+v, want %+v", r.Summary, want)
		}
		for _, ch := range r.Changes {
			for _, m := range ch.Modified {
				if m.Name == "accountEnabled" {
					t.Errorf("plan: got %s of %s with %+v, want the block kept", ch.Action, ch.Source.UPN, m)
				}
			}
		}
		w.summary(w.sync(store.OutcomeSuccess), want)
	})
}

// The enabled one of two source users with one address is who the target user is
// for: a disabled one does not stand in the way.
func TestAdoptionPrefersWhoIsEnabled(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		id := w.targetID(1)
		w.update(w.fabrikam, id, map[string]any{"accountEnabled": false})
		w.person(2, map[string]any{"accountEnabled": false, "proxyAddresses": []string{"smtp:old@contoso.example"}})
		w.update(w.fabrikam, id, map[string]any{"otherMails": []string{"old@contoso.example"}})
		w.forget()
		// Skipped: the disabled one, and the enabled one's block, which is the target's own.
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Skipped: 2})
		if got := w.targetID(1); got != id {
			t.Errorf("enabled user: got target user %s, want %s", got, id)
		}
		if l, linked := w.link(2); linked {
			t.Errorf("disabled user: got linked to %s, want no link", l.TargetID)
		}
	})
}

// keepsManagers lets a manager stay in the target whom the source does not have,
// as Microsoft's own service does.
func (w *world) keepsManagers() {
	w.Helper()
	ms := mapping.Default()
	for i := range ms {
		if ms[i].Target == "manager" {
			ms[i].FlowNull = new(false)
		}
	}
	w.mapped(ms...)
}

func TestAdoptionPlanKnowsTheManagersThatAreThere(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.manages(1, 2)
		w.manages(1, 3)
		w.sync(store.OutcomeSuccess)
		w.must(w.fabrikam.SetManager(w.targetID(3), w.targetID(2)))
		w.manages(1, 4)
		w.forget()
		r := w.plan(engine.PlanRequest{})
		if want := (store.Summary{Update: 2, Unchanged: 2}); r.Summary != want {
			t.Errorf("plan: got %+v, want %+v: user 2 has the manager already, users 3 and 4 do not", r.Summary, want)
		}
		got := w.journal(func() { w.summary(w.sync(store.OutcomeSuccess), r.Summary) })
		if len(got) != 2 {
			t.Errorf("writes: got %q, want the managers of users 3 and 4", got)
		}
		w.equal(1, 2, 3, 4)
	})
}

func TestManagersStayWhereNullDoesNotFlow(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.person(4, map[string]any{"userType": "Guest"})
		w.manages(1, 2)
		w.manages(1, 3)
		w.sync(store.OutcomeSuccess)
		w.keepsManagers()
		w.manages(0, 2) // nobody any more
		w.manages(4, 3) // somebody who is not in the target
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.managed(2, 1)
		w.managed(3, 1)

		w.forget()
		if r := w.plan(engine.PlanRequest{}); r.Summary != (store.Summary{Unchanged: 3, Skipped: 1}) {
			t.Errorf("plan of an adoption: got %+v, want three unchanged users", r.Summary)
		}
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.managed(2, 1)
		w.managed(3, 1)
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })

		w.manages(2, 3)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) },
			`PUT /users/`+w.targetID(3)+`/manager/$ref {"@odata.id":"https://graph.simulation.example/v1.0/users/`+w.targetID(2)+`"}`)
	})
}

// A user of the target who cannot be taken over, because a mapping fails or says
// to leave the user out, is counted once, however often that is tried.
func TestAdoptionThatFailsIsCountedOnce(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.mapped(mapping.Mapping{Target: "displayName", Source: "displayName"},
			mapping.Mapping{Target: "jobTitle", Expression: `Switch([jobTitle], [jobTitle], "bad", Error("no"), "out", IgnoreObjectFlow)`})
		w.update(w.contoso, userID(1), map[string]any{"jobTitle": "bad"})
		w.update(w.contoso, userID(2), map[string]any{"jobTitle": "out"})
		w.forget()
		expect := func(when string, inScope, linked int) {
			t.Helper()
			if s := w.status(); s.InScope != inScope || s.Linked != linked {
				t.Errorf("%s: got %d in scope, %d linked, want %d and %d", when, s.InScope, s.Linked, inScope, linked)
			}
		}
		w.sync(store.OutcomePartial)
		expect("first", 2, 1)
		w.sync(store.OutcomePartial)
		expect("tried again", 2, 1)
		w.syncInitial(store.OutcomePartial)
		expect("initial", 2, 1)
		for n := 1; n <= 2; n++ {
			w.update(w.contoso, userID(n), map[string]any{"jobTitle": "good"})
		}
		w.sync(store.OutcomeSuccess)
		expect("adopted", 3, 3)
	})
}

// A job that may not update leaves the manager of a user whom it adopts, too.
func TestAdoptionWithoutUpdateKeepsTheManager(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.guest(1, upn(1), nil)
		w.guest(2, upn(2), nil)
		w.must(w.fabrikam.SetManager(guestID(1), guestID(2)))
		w.configure(true, func(j *engine.Job) { j.Actions.Update = false })
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Unchanged: 2}) })
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
	})
}
