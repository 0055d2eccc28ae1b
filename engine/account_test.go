package engine_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/mapping"
	"tenantsync/scope"
	"tenantsync/store"
)

// drawnID are ids that the target draws.
var drawnID = regexp.MustCompile(`target user [0-9a-f-]{36}`)

// explains expects the sentences of an explanation, one a line, behind their topics.
func (w *world) explains(n int, job string, want ...string) {
	w.Helper()
	e, err := w.engine.Explain(w.Context(), userID(n), job)
	w.must(err)
	if len(e.Topics) != len(e.Reasons) {
		w.Fatalf("%d topics for %d sentences", len(e.Topics), len(e.Reasons))
	}
	var got []string
	for i, s := range e.Reasons {
		got = append(got, e.Topics[i]+": "+drawnID.ReplaceAllString(s, "target user T"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("explain user %d (-want +got):\n%s", n, diff)
	}
}

const (
	inAll       = "scope: The user is in scope: assigned through all users."
	linkInvited = "link: It is linked to target user T in fabrikam, which was invited as "
)

func TestExplainAUserWhoNeverCame(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.explains(1, jobName, inAll, "link: It is not linked, because no cycle of the job has ended yet; to begin: tenantsync sync contoso-to-fabrikam.")
		w.sync(store.OutcomeSuccess)
		w.people(2, 2)
		w.explains(2, jobName, inAll, "link: No user of fabrikam is linked to it yet: the next cycle finds or creates one.")
		w.configure(false, func(j *engine.Job) { j.Actions.Create = false })
		w.explains(2, jobName, inAll, "link: No user of fabrikam is linked to it, and none is created: targetObjectActions lacks create.")
	})
}

func TestExplainALinkedUser(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.person(2, nil)
		w.guest(2, upn(2), nil)
		w.sync(store.OutcomeSuccess)
		w.explains(1, jobName, inAll, linkInvited+upn(1)+".")
		w.explains(2, jobName, inAll, "link: It is linked to target user T in fabrikam, which was there before.")

		// Blocked by hand.
		w.setEnabled(w.fabrikam, w.targetID(1), false)
		w.setEnabled(w.contoso, userID(1), false)
		w.sync(store.OutcomeSuccess)
		w.setEnabled(w.contoso, userID(1), true)
		w.sync(store.OutcomeSuccess)
		w.explains(1, jobName, inAll, linkInvited+upn(1)+".",
			"block: Sign-in was blocked by hand in fabrikam, which is kept. If the user may sign in again, unblock it in the target tenant.")

		w.setEnabled(w.contoso, userID(2), false)
		w.sync(store.OutcomeSuccess)
		w.explains(2, jobName, "scope: The user is in scope (assigned through all users); sign-in is disabled in the source tenant, and is therefore disabled in fabrikam.",
			"link: It is linked to target user T in fabrikam, which was there before.")

		// Deleted by hand in the target.
		w.must(w.fabrikam.Delete(w.targetID(2)))
		w.setEnabled(w.contoso, userID(2), true)
		w.sync(store.OutcomeSuccess)
		w.explains(2, jobName, inAll, "link: Its target user T was deleted in fabrikam by somebody else, which is left so; to undo: tenantsync provision "+upn(2)+" --restore.")
	})
}

func TestExplainALeaver(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.filtered(scope.Clause{Attribute: "department", Operator: scope.Equals, Values: []string{"Sales"}})
		w.sync(store.OutcomeSuccess)
		out := `scope: The user is not in scope: clause 1 of filter "who" is false: department EQUALS "Sales" (value "Legal").`
		w.update(w.contoso, userID(1), map[string]any{"department": "Legal"})
		next := func(edit func(j *engine.Job), want string) {
			t.Helper()
			before := w.jobs[0]
			w.configure(false, edit)
			w.explains(1, jobName, out, linkInvited+upn(1)+".", want)
			w.jobs[0] = before
		}
		next(func(*engine.Job) {}, "pending: The next cycle deletes it from fabrikam, unless the deletion is held or another job wants the user.")
		next(func(j *engine.Job) { j.Deprovision = engine.DeprovisionNone }, "pending: It stays in fabrikam, because deprovision is none.")
		next(func(j *engine.Job) { j.Actions.Delete = false }, "pending: It stays in fabrikam, because targetObjectActions lacks delete.")
		disable := func(j *engine.Job) { j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, 30*24*time.Hour }
		next(disable, "pending: The next cycle disables it in fabrikam, unless another job wants the user.")
		w.configure(false, func(j *engine.Job) { disable(j); j.ScopeShrink, j.Threshold, j.Percent = 0, 500, 0 })
		w.people(2, 2)
		w.sync(store.OutcomeSuccess)
		w.explains(1, jobName, out, linkInvited+upn(1)+".", "pending: It was disabled when it left scope, and is deleted after 2000-01-31 00:00 UTC.")
		w.configure(false, func(j *engine.Job) { j.Deprovision = engine.DeprovisionDelete })
		w.syncInitial(store.OutcomeSuccess)
		w.explains(1, jobName, out, "link: Its target user T was deleted by tenantsync on 2000-01-01 00:00 UTC, and is restored if the user comes back into scope within 30 days.")
	})
}

func TestExplainAnOwner(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.group(1, userID(1))
		w.group(2, userID(1))
		w.twoJobs()
		w.syncJob(jobName)
		w.explains(1, "second", "scope: The user is in scope: assigned through group "+groupID(2)+".", linkInvited+upn(1)+".",
			"owner: Job contoso-to-fabrikam, which stands before this one in the configuration, owns the link and keeps the user in sync.")
		w.must(w.contoso.RemoveMember(groupID(2), userID(1)))
		w.explains(1, "second", "scope: The user is not in scope: not assigned to the job.", linkInvited+upn(1)+".",
			"owner: Job contoso-to-fabrikam, which stands before this one in the configuration, owns the link and keeps the user in sync.")
		w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
		w.configure(false, func(j *engine.Job) { j.Prevent, j.Threshold = true, 0 })
		w.sync(store.OutcomeQuarantine) // held: the owner does not want the user any more
		w.must(w.contoso.AddMember(groupID(2), userID(1)))
		w.explains(1, "second", "scope: The user is in scope: assigned through group "+groupID(2)+".", linkInvited+upn(1)+".",
			"owner: Job contoso-to-fabrikam owns the link; this job takes it over in its next cycle.")
	})
}

func TestExplainAFailure(t *testing.T) {
	story(t, func(w *world) {
		w.person(1, map[string]any{"userPrincipalName": "one@other.example", "mail": "one@other.example"})
		w.sync(store.OutcomePartial)
		w.explains(1, jobName, inAll, "link: No user of fabrikam is linked to it, because that failed.",
			"failure: The last attempt failed with InvalidDomain: the address one@other.example lies in other.example, which is not a verified domain of the source tenant. "+
				"Use a user principal name in a domain that is verified in the source tenant and not in the target.",
			"retry: It is tried again by the first cycle after 2000-01-01 00:00 UTC; at once: tenantsync provision one@other.example.")
	})
}

// What a filter compares a sensitive attribute with is as secret as the value.
func TestFilterConstantsBesideSensitiveAttributes(t *testing.T) {
	story(t, func(w *world) {
		const secret = "TOPSECRET"
		w.mapped(defaultsWith(mapping.Mapping{Target: "companyName", Source: "employeeType", Sensitive: true})...)
		w.filtered(scope.Clause{Attribute: "employeeType", Operator: scope.Equals, Values: []string{secret}})
		w.person(1, map[string]any{"employeeType": secret})
		w.person(2, map[string]any{"employeeType": secret + "2"})
		w.person(3, nil)
		show := func(what string, v any) {
			t.Helper()
			b, err := json.Marshal(v)
			w.must(err)
			if i := strings.Index(string(b), secret); i >= 0 {
				t.Errorf("%s shows a sensitive value: …%s…", what, b[max(0, i-120):min(len(b), i+40)])
			}
		}
		look := func() {
			t.Helper()
			for n := 1; n <= 3; n++ {
				e, err := w.engine.Explain(w.Context(), userID(n), jobName)
				w.must(err)
				show("explain", e)
				s, err := w.engine.ScopeTest(w.Context(), userID(n), jobName)
				w.must(err)
				show("scope test", s)
				show("dry run", w.provision(engine.ProvisionRequest{User: userID(n), DryRun: true}))
				show("plan of one", w.plan(engine.PlanRequest{User: userID(n)}))
			}
			show("plan", w.plan(engine.PlanRequest{Unchanged: true}))
			show("log", w.log(store.LogQuery{}))
		}
		look()
		show("sync", w.sync(store.OutcomeSuccess))
		look()
		w.update(w.contoso, userID(1), map[string]any{"employeeType": secret + "1"})
		w.configure(false, func(j *engine.Job) { j.Threshold = 0 })
		_, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
		w.must(err)
		held, err := w.engine.Held(w.Context(), jobName, false)
		w.must(err)
		if len(held.Held) != 1 {
			t.Errorf("held: got %d, want 1", len(held.Held))
		}
		show("holds", held)
		show("status", w.status())
		look()
		if got := w.reasonFor(2); got != `clause 1 of filter "who" is false: employeeType EQUALS (sensitive) (value (sensitive))` {
			t.Errorf("reason: got %s", got)
		}
	})
}
