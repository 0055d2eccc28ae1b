package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// squat makes an internal user of the target hold the address of a source user,
// so that the source user cannot be invited. It returns the internal user's id.
func (w *world) squat(n int) string {
	w.Helper()
	id, err := w.fabrikam.CreateUser(map[string]any{"userPrincipalName": "squatter@" + domainOf(w.fabrikam), "displayName": "Squatter",
		"mail": upn(n)})
	w.must(err)
	return id
}

func (w *world) retries() []engine.Retry {
	w.Helper()
	r, err := w.engine.Retries(w.Context(), jobName)
	w.must(err)
	return r.Retries
}

func TestFailureNeverStopsOthers(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 45)
		squatter := w.squat(20)
		r := w.sync(store.OutcomePartial)
		w.summary(r, store.Summary{Create: 44, Failed: 1})
		w.equal(append(through(1, 19), through(21, 45)...)...)
		w.counted(45, 44, 0)
		if got := w.retries(); len(got) != 1 || got[0].UPN != upn(20) || got[0].Attempts != 1 || got[0].Code != "InvitationCreationFailureAmbiguousUser" {
			t.Errorf("retries: got %+v, want one of user 20", got)
		}
		if s := w.status(); s.Retries != 1 || s.State != "Active" {
			t.Errorf("status: got %s with %d retries, want Active with 1", s.State, s.Retries)
		}
		w.must(w.fabrikam.Purge(squatter))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
		if got := w.retries(); len(got) != 0 {
			t.Errorf("retries: got %+v, want none", got)
		}
		w.equal(through(1, 45)...)
		w.counted(45, 45, 0)
	})
}

// The next cycle tries again, then 6, 12 and 24 hours after the first failure,
// then daily, without end. Cycles in between neither try nor complain.
func TestRetriesFollowTheBackOff(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		squatter := w.squat(2)
		began := time.Now()
		var tried []time.Duration
		for time.Since(began) < 5*24*time.Hour {
			failures := len(w.log(store.LogQuery{Statuses: []string{"failure"}}))
			r, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
			w.must(err)
			if len(w.log(store.LogQuery{Statuses: []string{"failure"}})) > failures {
				tried = append(tried, time.Since(began).Round(40*time.Minute))
			} else if r.Outcome != store.OutcomeSuccess {
				t.Fatalf("a cycle that tries nothing: got %s, want success", r.Outcome)
			}
			w.pass(40 * time.Minute)
		}
		h := time.Hour
		want := []time.Duration{0, 40 * time.Minute, 6 * h, 12 * h, 24 * h, 48 * h, 72 * h, 96 * h}
		if diff := cmp.Diff(want, tried); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		w.must(w.fabrikam.Purge(squatter))
		w.pass(24 * h)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
		w.equal(1, 2)
	})
}

func TestRetryNow(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		squatter := w.squat(2)
		w.sync(store.OutcomePartial)
		w.sync(store.OutcomePartial) // due again in six hours
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		if _, err := w.engine.RetryNow(w.Context(), jobName, nil); err != nil {
			t.Fatal(err)
		}
		if got := w.retries(); len(got) != 1 || got[0].Attempts != 3 {
			t.Errorf("retries: got %+v, want one after three attempts", got)
		}
		w.must(w.fabrikam.Purge(squatter))
		got, err := w.engine.RetryNow(w.Context(), jobName, []string{upn(2)})
		if err != nil || len(got.Retries) != 0 {
			t.Errorf("retries: got %+v, %v, want none", got, err)
		}
		w.equal(1, 2)
		if _, err := w.engine.RetryNow(w.Context(), jobName, []string{upn(1)}); err == nil {
			t.Error("retry of somebody who does not wait: got no error")
		}
	})
}

func TestUpdateThatIsRefused(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 30)
		w.sync(store.OutcomeSuccess)
		id := w.targetID(5)
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "PATCH", Path: "/users/" + id, Item: "inner", Status: 400, Code: "Request_BadRequest",
			Message: "Invalid value specified for property 'city' of resource 'User'."}})
		for n := 1; n <= 30; n++ {
			w.update(w.contoso, userID(n), map[string]any{"city": "Rome"})
		}
		w.summary(w.sync(store.OutcomePartial), store.Summary{Update: 29, Failed: 1})
		e := w.log(store.LogQuery{Statuses: []string{"failure"}})[0]
		if e.StatusInfo.Error.Code != "InvalidValue" || e.Action != "update" || e.TargetIdentity.ID != id {
			t.Errorf("log: got %s %s for %s, want update InvalidValue for %s", e.Action, e.StatusInfo.Error.Code, e.TargetIdentity.ID, id)
		}
		w.fabrikam.SetFaults(nil)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1})
		w.equal(through(1, 30)...)
	})
}

// An address that a delete of the same cycle frees is written after that delete.
func TestConflictIsRepeatedAfterTheDeletes(t *testing.T) {
	inSales(t, 12, nil, func(w *world) {
		w.leave(1)
		w.update(w.contoso, userID(1), map[string]any{"mail": "old@contoso.example", "proxyAddresses": []string{"SMTP:old@contoso.example"}})
		w.update(w.contoso, userID(2), map[string]any{"mail": upn(1)})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1, Delete: 1})
		if got := w.fabrikam.Counts().Refused; got != 1 {
			t.Errorf("writes that the target refused: got %d, want 1, the update before the delete", got)
		}
		w.equal(through(2, 12)...)
		if got := w.retries(); len(got) != 0 {
			t.Errorf("retries: got %+v, want none", got)
		}
	})
}

func TestConflictIsRepeatedAfterAllow(t *testing.T) {
	inSales(t, 12, threshold(0), func(w *world) {
		w.leave(1)
		w.update(w.contoso, userID(1), map[string]any{"mail": "old@contoso.example", "proxyAddresses": []string{"SMTP:old@contoso.example"}})
		w.update(w.contoso, userID(2), map[string]any{"mail": upn(1), "city": "Rome"})
		w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Failed: 1, Held: 1})
		if got := w.retries(); len(got) != 1 || got[0].Code != "Conflict" {
			t.Fatalf("retries: got %+v, want one Conflict", got)
		}
		w.allow()
		w.equal(through(2, 12)...)
		if got := w.retries(); len(got) != 0 {
			t.Errorf("retries: got %+v, want none", got)
		}
	})
}

// Who could not be invited and may not be created any more waits for nothing.
func TestARetryEndsWhenCreatingIsNotAllowed(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.must(w.fabrikam.SetPolicies(map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "none"}}))
		w.sync(store.OutcomeFailed)
		w.must(w.fabrikam.SetPolicies(map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "everyone"}}))
		w.configure(true, func(j *engine.Job) { j.Actions.Create = false })
		w.sync(store.OutcomeSuccess)
		if s := w.status(); s.Retries != 0 {
			t.Errorf("retries: got %d, want none", s.Retries)
		}
		w.idle(1, "the delta call for users")
	})
}

// Whose target user was purged, and who could not be invited again and is disabled
// since, waits for nothing.
func TestARetryEndsWhenNobodyIsToBeInvitedAgain(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.must(w.fabrikam.Purge(w.targetID(1)))
		w.must(w.fabrikam.SetPolicies(map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "none"}}))
		_, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName, Initial: true}, nil)
		w.must(err)
		if got := len(w.retries()); got != 1 {
			t.Fatalf("retries while nobody may be invited: got %d, want 1", got)
		}
		w.update(w.contoso, userID(1), map[string]any{"accountEnabled": false})
		w.must(w.fabrikam.SetPolicies(map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "everyone"}}))
		w.pass(7 * time.Hour)
		w.sync(store.OutcomeSuccess)
		if got := w.retries(); len(got) != 0 {
			t.Errorf("retries: got %+v, want none", got)
		}
		w.idle(1, "the delta call for users")
	})
}

// A process died over an invitation that never arrived, and creating is not allowed
// since: nobody is looked for for ever.
func TestALostInvitationIsForgottenWhenCreatingIsNotAllowed(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.people(2, 2)
		w.must(w.st.Apply(w.Context(), &store.Batch{PutIntents: []store.Intent{{Job: jobName, SourceID: userID(2), Address: upn(2), Began: time.Now()}}}))
		w.configure(true, func(j *engine.Job) { j.Actions.Create = false })
		w.sync(store.OutcomeSuccess)
		if waiting, err := w.st.Waiting(w.Context(), jobName); err != nil || len(waiting.Intents) != 1 {
			t.Errorf("an invitation that may still come to light: got intents %+v %v, want it kept", waiting.Intents, err)
		}
		w.pass(10 * time.Minute)
		w.sync(store.OutcomeSuccess)
		w.noIntents()
		w.idle(1, "the delta call for users")
	})
}
