package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// troubled runs a first cycle over 45 users under faults that pass, and expects
// every user in the target, once.
func troubled(t *testing.T, o entrasim.Options, check func(w *world, r engine.SyncResult), faults ...entrasim.Fault) {
	t.Helper()
	storyOf(t, o, "{}", func(w *world) {
		w.people(1, 45)
		for n := 2; n <= 45; n += 3 {
			w.manages(1, n)
		}
		w.cloud.SetFaults(faults)
		r := w.sync(store.OutcomeSuccess)
		w.summary(r, store.Summary{Create: 45})
		w.cloud.SetFaults(nil)
		w.equal(through(1, 45)...)
		if got := len(w.fabrikam.Users()); got != 45 {
			t.Errorf("users of the target: got %d, want 45", got)
		}
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.sourceUntouched()
		check(w, r)
	})
}

func anyway(*world, engine.SyncResult) {}

func TestThrottledBatch(t *testing.T) {
	troubled(t, entrasim.Options{}, func(w *world, r engine.SyncResult) {
		if r.Graph.Throttled == 0 || r.EndedAt.Sub(r.StartedAt) < 10*time.Second {
			t.Errorf("cycle: got %d throttled answers in %v, want some, and ten seconds of waiting", r.Graph.Throttled, r.EndedAt.Sub(r.StartedAt))
		}
	}, entrasim.Fault{Preset: "throttled", Tenant: "fabrikam", Method: "POST", Path: "/$batch", Item: "outer", Nth: 2})
}

func TestThrottledItems(t *testing.T) {
	troubled(t, entrasim.Options{}, anyway,
		entrasim.Fault{Preset: "throttled", Tenant: "fabrikam", Path: "/invitations", Item: "inner", Nth: 5, Times: 10},
		entrasim.Fault{Preset: "throttledSilently", Tenant: "fabrikam", Method: "PATCH", Path: "/users/*", Item: "inner", Nth: 3, Times: 4})
}

func TestThrottledReads(t *testing.T) {
	troubled(t, entrasim.Options{}, anyway,
		entrasim.Fault{Preset: "throttled", Tenant: "contoso", Path: "/users/delta", Nth: 1, Times: 2},
		entrasim.Fault{Preset: "throttledFraction", Tenant: "fabrikam", Method: "GET", Path: "/users", Nth: 1})
}

func TestUnavailableService(t *testing.T) {
	for _, f := range []entrasim.Fault{
		{Preset: "gateway", Tenant: "fabrikam", Path: "/$batch", Item: "outer", Nth: 2, Times: 2},
		{Preset: "unavailable", Tenant: "contoso", Path: "/users/delta", Nth: 1},
		{Preset: "invitationHiccup", Item: "inner", Nth: 7, Times: 2},
		{Preset: "emptyError", Tenant: "fabrikam", Method: "PATCH", Path: "/users/*", Item: "inner", Nth: 9},
		{Preset: "lostAnswer", Tenant: "fabrikam", Path: "/$batch", Item: "outer", Nth: 1},
	} {
		t.Run(f.Preset, func(t *testing.T) { troubled(t, entrasim.Options{}, anyway, f) })
	}
}

func TestReplicationDelay(t *testing.T) {
	troubled(t, entrasim.Options{ReplicationDelay: 20 * time.Second}, anyway)
	troubled(t, entrasim.Options{ReplicationDelay: 30 * time.Second, Replicas: 3}, anyway)
}

func TestNewUserThatStaysInvisible(t *testing.T) {
	storyOf(t, entrasim.Options{ReplicationDelay: 30 * time.Minute}, "{}", func(w *world) {
		w.people(1, 2)
		w.saidIs(func() { w.summary(w.sync(store.OutcomePartial), store.Summary{Failed: 2}) },
			"create failure "+upn(1)+" ReplicationDelay", "create failure "+upn(2)+" ReplicationDelay")
		w.pass(40 * time.Minute)
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 2}) },
			"create success "+upn(1), "create success "+upn(2))
		w.equal(1, 2)
		if got := w.targetUser(1).String("userType"); got != "Member" {
			t.Errorf("userType: got %q, want Member: create-only attributes are still written", got)
		}
		if got := w.fabrikam.Counts().Writes["invite"]; got != 2 {
			t.Errorf("invitations: got %d, want 2", got)
		}
	})
}

// inbound is a cross-tenant access policy towards the source.
func inbound(access string) map[string]any {
	return map[string]any{"partners": []any{map[string]any{"tenantId": "11111111-1111-4111-8111-111111111111",
		"b2bCollaborationInbound": map[string]any{"usersAndGroups": map[string]any{"accessType": access,
			"targets": []any{map[string]any{"target": "AllUsers", "targetType": "user"}}}}}}}
}

func TestPoliciesThatForbidInvitations(t *testing.T) {
	for name, c := range map[string]struct {
		policies map[string]any
		code     string
	}{
		"nobody may invite":           {map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "none"}}, "AzureActiveDirectoryForbidden"},
		"only administrators":         {map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "adminsAndGuestInviters"}}, "AzureActiveDirectoryForbidden"},
		"no collaboration from there": {map[string]any{"crossTenantAccess": inbound("blocked")}, "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure"},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 2)
				w.sync(store.OutcomeSuccess)
				w.must(w.fabrikam.SetPolicies(c.policies))
				w.people(3, 30)
				w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})

				// No noise for each user, no invitation; updates go on.
				w.saidIs(func() {
					w.journalIs(func() {
						r := w.sync(store.OutcomeFailed)
						if r.Error == nil || r.Error.Class != engine.ClassSignIn || r.Error.Code != c.code || r.Error.Action == "" {
							t.Errorf("error: got %+v, want %s of class signIn, with what to do", r.Error, c.code)
						}
					}, "PATCH /users/"+w.targetID(1)+` {"city":"Bergen"}`)
				}, "update success "+upn(1))
				w.saidIs(func() { w.journalIs(func() { w.sync(store.OutcomeFailed) }) })
				if s := w.status(); s.State != "Quarantine" {
					t.Errorf("state: got %s, want Quarantine", s.State)
				}

				w.must(w.fabrikam.SetPolicies(map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "everyone"},
					"crossTenantAccess": inbound("allowed")}))
				w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 28})
				w.equal(through(1, 30)...)
				if s := w.status(); s.State != "Active" || s.Retries != 0 {
					t.Errorf("status: got %s with %d retries, want Active with none", s.State, s.Retries)
				}
			})
		})
	}
}

func TestAllInvitationsDenied(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.people(2, 60)
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.fabrikam.SetFaults([]entrasim.Fault{{Preset: "suspicious"}})
		var invited int
		for _, line := range w.journal(func() {
			r := w.sync(store.OutcomeFailed)
			if r.Error == nil || r.Error.Class != engine.ClassSignIn || !strings.Contains(r.Error.Error(), "suspicious activity") {
				t.Errorf("error: got %+v, want one of class signIn with Graph's words", r.Error)
			}
		}) {
			if strings.HasPrefix(line, "POST /invitations") {
				invited++
			}
		}
		if invited > 20 {
			t.Errorf("invitations sent: got %d, want one batch at most", invited)
		}
		w.equal(1) // the update has gone through

		w.fabrikam.SetFaults(nil)
		w.pass(40 * time.Minute)
		w.sync(store.OutcomeSuccess)
		w.equal(through(1, 60)...)
	})
}

func TestOneInvitationDenied(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.fabrikam.SetFaults([]entrasim.Fault{{Preset: "suspicious", Item: "inner", Nth: 2}})
		r := w.sync(store.OutcomePartial)
		w.summary(r, store.Summary{Create: 2, Failed: 1})
		got := w.log(store.LogQuery{Statuses: []string{"failure"}})
		if len(got) != 1 || got[0].StatusInfo.Error.Code != "AzureActiveDirectoryForbidden" {
			t.Errorf("failures: got %d, want one AzureActiveDirectoryForbidden", len(got))
		}
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
	})
}

func TestAllWritesDenied(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 30)
		w.sync(store.OutcomeSuccess)
		for n := 1; n <= 30; n++ {
			w.update(w.contoso, userID(n), map[string]any{"city": "Bergen"})
		}
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "PATCH", Path: "/users/*", Status: 403, Code: "Authorization_RequestDenied",
			Message: "Insufficient privileges to complete the operation."}})
		r := w.sync(store.OutcomeFailed)
		if r.Error == nil || r.Error.Class != engine.ClassSignIn {
			t.Errorf("error: got %+v, want one of class signIn", r.Error)
		}
		w.fabrikam.SetFaults(nil)
		w.pass(40 * time.Minute)
		w.sync(store.OutcomeSuccess)
		w.equal(through(1, 30)...)
	})
}

func TestPolicyIsReadBeforeTheFirstCreateOnly(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		reads := func() int {
			c := w.fabrikam.Counts().Reads
			n := 0
			for kind, count := range c {
				if slices.Contains([]string{"getAuthorizationPolicy", "authorizationPolicy", "getCrossTenantPartner", "crossTenantPartner"}, kind) ||
					strings.Contains(strings.ToLower(kind), "polic") {
					n += count
				}
			}
			return n
		}
		before := reads()
		if before == 0 {
			t.Fatalf("policies read before the first create: got none of %v", w.fabrikam.Counts().Reads)
		}
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.sync(store.OutcomeSuccess)
		if got := reads(); got != before {
			t.Errorf("policies read in a cycle without a create: got %d, want none", got-before)
		}
	})
}
