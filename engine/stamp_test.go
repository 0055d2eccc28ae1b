package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

const stampAttribute = "extensionAttribute15"

// stamping gives the first job an ownership stamp.
func (w *world) stamping() {
	w.Helper()
	w.configure(true, func(j *engine.Job) { j.Ownership = stampAttribute })
}

func (w *world) stampOf(n int) string { return "tenantsync:" + w.contoso.ID + "/" + userID(n) }

func extension(text string) map[string]any {
	return map[string]any{"onPremisesExtensionAttributes": map[string]any{stampAttribute: text}}
}

// stampOn is what a target user bears.
func stampOn(o entrasim.Object) string {
	m, _ := o.Map()["onPremisesExtensionAttributes"].(map[string]any)
	s, _ := m[stampAttribute].(string)
	return s
}

// Users whose every address changed while the state was lost are found by their
// stamp, each its own, and nobody is created.
func TestRebuildByStampWhereAddressesChanged(t *testing.T) {
	for _, stamped := range []bool{true, false} {
		story(t, func(w *world) {
			if stamped {
				w.stamping()
			}
			w.people(1, 10)
			w.sync(store.OutcomeSuccess)
			targets := map[int]string{}
			for n := 1; n <= 10; n++ {
				targets[n] = w.targetID(n)
				if got := stampOn(w.targetUser(n)); stamped && got != w.stampOf(n) {
					t.Fatalf("stamp of user %d: got %q, want %q", n, got, w.stampOf(n))
				}
			}
			for n := 1; n <= 5; n++ {
				w.update(w.contoso, userID(n), map[string]any{"userPrincipalName": "renamed" + upn(n), "mail": "renamed" + upn(n),
					"proxyAddresses": []string{"SMTP:renamed" + upn(n)}})
			}
			w.update(w.contoso, userID(6), map[string]any{"userPrincipalName": "tmp@contoso.example", "mail": "tmp@contoso.example", "proxyAddresses": []string{"SMTP:tmp@contoso.example"}})
			w.update(w.contoso, userID(7), map[string]any{"userPrincipalName": upn(6), "mail": upn(6)}) // has the address of 6 now
			w.forget()

			var got engine.RebuildResult
			w.journalIs(func() { got = w.rebuild() })
			if !stamped { // the limit without a stamp: the renamed are not found, and 7 has two answers
				if got.Adopted != 3 || len(got.NotFound) != 6 || len(got.Failed) != 1 || got.Failed[0].Code != "DuplicateTargetEntries" {
					t.Errorf("without a stamp: got %+v; want 3 adopted, 6 not found, 1 failed", got)
				}
				return
			}
			if got.Adopted != 10 || len(got.NotFound)+len(got.Failed)+len(got.Unclaimed) > 0 {
				t.Errorf("got %+v, want 10 adopted and nobody else", got)
			}
			for n, id := range targets {
				if w.targetID(n) != id {
					t.Errorf("user %d: got target %s, want %s", n, w.targetID(n), id)
				}
			}
		})
	}
}

// Adopted users, and those linked before the key was added, are stamped with one
// write each; then all is quiet. A stamp that somebody removes is written again.
func TestStampOnAdoptionAndLater(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.people(3, 3)
		w.guest(3, upn(3), nil)
		w.stamping()
		p := w.plan(engine.PlanRequest{User: upn(1)})
		if len(p.Changes) != 1 || len(p.Changes[0].Modified) != 1 || p.Changes[0].Modified[0].Name != stampAttribute || *p.Changes[0].Modified[0].New != w.stampOf(1) {
			t.Errorf("plan: got %+v, want the stamp as the only difference", p.Changes)
		}
		r := w.sync(store.OutcomeSuccess)
		w.summary(r, store.Summary{Update: 3})
		for n := 1; n <= 3; n++ {
			if got := stampOn(w.targetUser(n)); got != w.stampOf(n) {
				t.Errorf("user %d: got stamp %q, want %q", n, got, w.stampOf(n))
			}
		}
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		w.update(w.fabrikam, w.targetID(1), extension(""))
		w.summary(w.syncInitial(store.OutcomeSuccess), store.Summary{Update: 1, Unchanged: 2})
		if got := stampOn(w.targetUser(1)); got != w.stampOf(1) {
			t.Errorf("after it was removed: got stamp %q, want %q", got, w.stampOf(1))
		}
	})
}

// A stamp is no proof, and an address does not outweigh one.
func TestStampsThatAreNotTrusted(t *testing.T) {
	other := userID(77)
	for _, c := range []struct {
		name string
		put  func(w *world)
		code string
	}{
		{"the address leads to a user with the stamp of another", func(w *world) {
			w.guest(1, upn(1), extension("tenantsync:"+w.contoso.ID+"/"+other))
		}, "OwnedByOtherUser"},
		{"the address leads to a user with the stamp of another tenant", func(w *world) {
			w.guest(1, upn(1), extension("tenantsync:99999999-9999-4999-8999-999999999999/"+userID(1)))
		}, "OwnedByOtherUser"},
		{"the stamp is on an internal account", func(w *world) { w.native(1, extension(w.stampOf(1))) }, "InvitationCreationFailureAmbiguousUser"},
		{"the stamp is on a user of another home", func(w *world) {
			w.guest(1, "someone@gmail.example", extension(w.stampOf(1)))
		}, "ForeignIdentity"},
		{"two users bear it", func(w *world) {
			w.guest(1, "a@contoso.example", extension(w.stampOf(1)))
			w.guest(2, "b@contoso.example", extension(w.stampOf(1)))
		}, "DuplicateTargetEntries"},
		{"the address leads to another user", func(w *world) {
			w.guest(1, "a@contoso.example", extension(w.stampOf(1)))
			w.guest(2, upn(1), nil)
		}, "OwnershipConflict"},
		{"a text that is no stamp is written over", func(w *world) { w.guest(1, upn(1), extension("cost centre 7")) }, ""},
		{"another's address before it changed hands", func(w *world) {
			w.guest(1, "a@contoso.example", extension(w.stampOf(1)))
			w.guest(2, "c@contoso.example", map[string]any{"otherMails": []string{upn(1)},
				"onPremisesExtensionAttributes": map[string]any{stampAttribute: "tenantsync:" + w.contoso.ID + "/" + other}})
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			story(t, func(w *world) {
				w.stamping()
				w.people(1, 1)
				c.put(w)
				before := dumped(w.fabrikam)
				if c.code == "" {
					w.sync(store.OutcomeSuccess)
					if id := w.targetID(1); before[id] == nil || stampOn(w.targetUser(1)) != w.stampOf(1) {
						t.Errorf("linked to %s, stamp %q; want the user who was there, with the stamp", id, stampOn(w.targetUser(1)))
					}
					return
				}
				w.journalIs(func() { w.sync(store.OutcomePartial) })
				w.refused(1, c.code)
				if diff := cmp.Diff(before, dumped(w.fabrikam)); diff != "" {
					t.Errorf("the target has changed (-before +after):\n%s", diff)
				}
			})
		})
	}
}

// Between initial cycles users are looked up by address; a stamp of somebody else
// counts there as well, also when the invitation itself leads to its bearer.
func TestStampOfAnotherInALookUp(t *testing.T) {
	story(t, func(w *world) {
		w.stamping()
		w.sync(store.OutcomeSuccess)
		w.people(1, 1)
		w.guest(1, upn(1), extension("tenantsync:"+w.contoso.ID+"/"+userID(77)))
		w.journalIs(func() { w.sync(store.OutcomePartial) })
		w.refused(1, "OwnedByOtherUser", userID(77))
	})
}
