package engine_test

import (
	"strings"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// enabled expects whether a target user may sign in.
func (w *world) enabled(n int, want bool) {
	w.Helper()
	if got := w.targetUser(n).Bool("accountEnabled"); got != want {
		w.Errorf("user %d in the target: got accountEnabled %v, want %v", n, got, want)
	}
}

func (w *world) setEnabled(tenant *entrasim.Tenant, id string, on bool) {
	w.Helper()
	w.update(tenant, id, map[string]any{"accountEnabled": on})
}

func TestBlockOfTheSourceComesAndGoes(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.setEnabled(w.contoso, userID(1), false)
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Disable: 1}) }, "disable success "+upn(1))
		w.enabled(1, false)
		w.setEnabled(w.contoso, userID(1), true)
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1}) }, "update success "+upn(1))
		w.enabled(1, true)
	})
}

// A block set by hand stays, whatever the source does afterwards.
func TestBlockedByHandStaysBlocked(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.setEnabled(w.fabrikam, w.targetID(1), false)

		// Other attributes go on.
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "PATCH /users/"+w.targetID(1)+` {"city":"Bergen"}`)
		w.enabled(1, false)

		// A full comparison finds the block: said once, nothing written.
		w.journalIs(func() {
			w.saidIs(func() { w.summary(w.syncInitial(store.OutcomeSuccess), store.Summary{Skipped: 1}) }, "other skipped "+upn(1)+" BlockedInTarget")
		})
		w.saidIs(func() { w.syncInitial(store.OutcomeSuccess) })
		w.enabled(1, false)

		// The source goes off and on: the block is the target's own.
		w.setEnabled(w.contoso, userID(1), false)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.setEnabled(w.contoso, userID(1), true)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.enabled(1, false)

		// Unblocked by hand: in step again.
		w.setEnabled(w.fabrikam, w.targetID(1), true)
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		w.setEnabled(w.contoso, userID(1), false)
		w.sync(store.OutcomeSuccess)
		w.enabled(1, false)
		w.setEnabled(w.contoso, userID(1), true)
		w.sync(store.OutcomeSuccess)
		w.enabled(1, true)
	})
}

// The target was blocked by hand before the source's own block arrived.
func TestBlockedByHandFirst(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.setEnabled(w.fabrikam, w.targetID(1), false)
		w.setEnabled(w.contoso, userID(1), false)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.setEnabled(w.contoso, userID(1), true)
		w.journalIs(func() {
			w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Skipped: 1}) }, "other skipped "+upn(1)+" BlockedInTarget")
		})
		w.enabled(1, false)
		w.saidIs(func() { w.journalIs(func() { w.sync(store.OutcomeSuccess) }) })
	})
}

func TestBlockThatYields(t *testing.T) {
	story(t, func(w *world) {
		w.configure(false, func(j *engine.Job) { j.YieldBlock = true })
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.setEnabled(w.fabrikam, w.targetID(1), false)

		// The source does not change: the block is kept even so.
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		w.enabled(1, false)

		// The source itself goes from disabled to enabled: the block yields.
		w.setEnabled(w.contoso, userID(1), false)
		w.sync(store.OutcomeSuccess)
		w.setEnabled(w.contoso, userID(1), true)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "PATCH /users/"+w.targetID(1)+` {"accountEnabled":true}`)
		w.enabled(1, true)
	})
}

func TestAdoptedUserWhoIsBlockedStaysBlocked(t *testing.T) {
	bothWays(t, func(w *world) {
		w.guest(1, upn(1), map[string]any{"accountEnabled": false})
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.enabled(1, false)
		if got := w.targetUser(1).String("department"); got != "Sales" {
			t.Errorf("department: got %q, want Sales: other attributes go on", got)
		}
	})
}

func TestExchangeMastersTheMail(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.wire.set(nil, nil)
		w.cloud.SetFaults([]entrasim.Fault{exchange(w.targetID(1))})
		w.update(w.contoso, userID(1), map[string]any{"mail": "new@contoso.example", "city": "Bergen"})
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1}) },
			"update warning "+upn(1)+" AzureActiveDirectoryCannotUpdateObjectsOriginatedInExternalService")
		if got := w.targetUser(1).String("city"); got != "Bergen" {
			t.Errorf("city: got %q, want Bergen: the rest is written", got)
		}

		// Remembered: another change goes through at once, without the attribute.
		w.cloud.SetFaults(nil)
		w.update(w.contoso, userID(1), map[string]any{"city": "Oslo"})
		w.journalIs(func() { w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "update success "+upn(1)) },
			"PATCH /users/"+w.targetID(1)+` {"city":"Oslo"}`)

		// The next initial cycle tries again.
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) }, "PATCH /users/"+w.targetID(1)+` {"mail":"new@contoso.example"}`)
	})
}

// exchange refuses the first update of a user as Graph does where Exchange
// masters an attribute.
func exchange(id string) entrasim.Fault {
	return entrasim.Fault{Method: "PATCH", Path: "/users/" + id, Item: "inner", Nth: 1, Status: 400, Code: "Request_BadRequest",
		Message: "Unable to update the specified properties for objects that have originated within an external service."}
}

func TestRoleHolderInTheTarget(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		role, err := entrasim.NewObject(map[string]any{"id": "eeeeeeee-0000-4000-8000-000000000001", "displayName": "User Administrator",
			"members": []string{w.targetID(1), w.targetID(2)}})
		w.must(err)
		_, err = w.fabrikam.Load(entrasim.File{DirectoryRoles: []entrasim.Object{role}})
		w.must(err)

		// What is not sensitive is written, the rest is a warning.
		w.update(w.contoso, userID(1), map[string]any{"businessPhones": []string{"+47 1"}, "city": "Bergen"})
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1}) }, "update warning "+upn(1)+" InsufficientRights")
		if got := w.targetUser(1).String("city"); got != "Bergen" {
			t.Errorf("city: got %q, want Bergen", got)
		}
		w.journalIs(func() { w.saidIs(func() { w.sync(store.OutcomeSuccess) }) })

		// A block that cannot be written is a failure, once.
		w.setEnabled(w.contoso, userID(2), false)
		w.saidIs(func() { w.summary(w.sync(store.OutcomePartial), store.Summary{Failed: 1}) }, "update failure "+upn(2)+" InsufficientRights")
		for range 3 {
			w.pass(24 * time.Hour)
			w.journalIs(func() { w.saidIs(func() { w.sync(store.OutcomeSuccess) }) })
		}
	})
}

func TestRestrictedManagementInTheTarget(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.update(w.fabrikam, w.targetID(1), map[string]any{"isManagementRestricted": true})
		w.setEnabled(w.contoso, userID(1), false)
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		r := w.sync(store.OutcomePartial)
		if r.Summary.Failed != 1 {
			t.Errorf("summary: got %+v, want one failure", r.Summary)
		}
		e := w.log(store.LogQuery{User: userID(1), Limit: 1})[0]
		if e.StatusInfo.Error == nil || e.StatusInfo.Error.Code != "RestrictedManagement" {
			t.Errorf("log: got %+v, want RestrictedManagement", e.StatusInfo)
		}
	})
}

func TestAddressChangesWhileTheInvitationIsPending(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.must(w.fabrikam.Redeem(w.targetID(2)))
		for n := 1; n <= 2; n++ {
			name := "renamed" + upn(n)
			w.update(w.contoso, userID(n), map[string]any{"userPrincipalName": name, "mail": name, "proxyAddresses": []string{"SMTP:" + name}})
		}
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 2}) },
			"update warning renamed"+upn(1)+" PendingAddressChanged", "update success renamed"+upn(2))
		if got := w.targetUser(1).String("mail"); got != "renamed"+upn(1) {
			t.Errorf("mail: got %q, want renamed%s: attributes are updated", got, upn(1))
		}
		// Not said every cycle.
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "update success renamed"+upn(1))
	})
}

func TestTargetUserMasteredOnPremisesIsLeftAlone(t *testing.T) {
	leftAlone(t, map[string]any{"onPremisesSyncEnabled": true})
}

func TestTargetUserConvertedToInternalIsLeftAlone(t *testing.T) {
	leftAlone(t, map[string]any{"externalUserState": nil, "userPrincipalName": "one@fabrikam.example", "creationType": nil, "identities": []any{
		map[string]any{"signInType": "userPrincipalName", "issuer": "fabrikam.onmicrosoft.com", "issuerAssignedId": "one@fabrikam.example"}}})
}

// leftAlone converts a linked target user and expects that it is never written
// again: not updated, disabled nor deleted.
func leftAlone(t *testing.T, conversion map[string]any) {
	for name, act := range map[string]func(w *world){
		"update":  func(w *world) { w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"}) },
		"manager": func(w *world) { w.manages(2, 1) },
		"disable": func(w *world) { w.setEnabled(w.contoso, userID(1), false) },
		"delete":  func(w *world) { w.must(w.contoso.Delete(userID(1))) },
	} {
		for _, initial := range []bool{false, true} {
			kind := map[bool]string{false: "incremental", true: "initial"}[initial]
			t.Run(name+" "+kind, func(t *testing.T) {
				story(t, func(w *world) {
					w.people(1, 3)
					w.sync(store.OutcomeSuccess)
					w.update(w.fabrikam, w.targetID(1), conversion)
					act(w)
					w.journalIs(func() {
						r := w.syncWith(engine.SyncRequest{Job: jobName, Initial: initial}, store.OutcomePartial)
						if r.Summary.Failed != 1 {
							t.Errorf("summary: got %+v, want one failure", r.Summary)
						}
					})
					e := w.log(store.LogQuery{User: userID(1), Limit: 1})[0]
					if e.StatusInfo.Status != "failure" || e.StatusInfo.Error.Code != "InvalidAnchor" {
						t.Errorf("log: got %+v, want the failure InvalidAnchor", e.StatusInfo)
					}
				})
			})
		}
	}
}

// The manager of a user is linked later: the user itself is not in that cycle.
func TestManagerComesForAnInternalAccount(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.person(2, map[string]any{"accountEnabled": false})
		w.manages(2, 1)
		w.sync(store.OutcomeSuccess)
		w.update(w.fabrikam, w.targetID(1), map[string]any{"externalUserState": nil, "userPrincipalName": "one@fabrikam.example", "creationType": nil})
		w.setEnabled(w.contoso, userID(2), true)
		for _, line := range w.journal(func() { w.sync(store.OutcomeSuccess) }) {
			if strings.Contains(line, w.targetID(1)) {
				t.Errorf("writes: got %s, want none to the internal account", line)
			}
		}
		w.managed(1, 0)
	})
}
