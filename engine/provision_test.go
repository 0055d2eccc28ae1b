package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/mapping"
	"tenantsync/scope"
	"tenantsync/store"
)

// provisioned compares what provision says in short: action, status, code, and
// the types of its steps with their results.
func (w *world) provisioned(req engine.ProvisionRequest, action, status, code, steps string) *engine.ProvisionResult {
	w.Helper()
	r := w.provision(req)
	var got []string
	for _, s := range r.Steps {
		got = append(got, s.Type+":"+s.Status)
		if s.Name == "" || s.Description == "" || s.Details == nil {
			w.Errorf("step %s: got %+v, want a name, a description and details", s.Type, s)
		}
	}
	want := []string{action, status, code, steps}
	if diff := cmp.Diff(want, []string{r.Action, r.Status, r.Code, strings.Join(got, " ")}); diff != "" {
		w.Errorf("provision %s (-want +got):\n%s%s", req.User, diff, r.Reason)
	}
	return r
}

const (
	allDone    = "import:success scoping:success matching:success export:success"
	notInScope = "import:success scoping:skipped"
)

func TestProvisionCreatesUpdatesAndSkips(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.manages(1, 2)
		w.sync(store.OutcomeSuccess)
		w.people(3, 3)
		w.manages(1, 3)
		w.saidIs(func() {
			r := w.provisioned(engine.ProvisionRequest{User: upn(3)}, "create", "success", "", allDone)
			if r.Target.ID != w.targetID(3) || r.Source.ID != userID(3) {
				t.Errorf("identities: got %s → %s, want %s → %s", r.Source.ID, r.Target.ID, userID(3), w.targetID(3))
			}
			if !slices.ContainsFunc(r.Modified, func(p engine.ChangeProperty) bool {
				return p.Name == "department" && p.Old == nil && p.New != nil && *p.New == "Sales"
			}) {
				t.Errorf("modified properties: got %+v, want department from nothing to Sales", r.Modified)
			}
			if !slices.ContainsFunc(r.Modified, func(p engine.ChangeProperty) bool {
				return p.Name == "manager" && p.New != nil && *p.New == w.targetID(1)
			}) {
				t.Errorf("modified properties: got %+v, want the manager as well", r.Modified)
			}
		}, "create success "+upn(3)) // a create is one entry, its manager included
		w.equal(1, 2, 3)

		w.update(w.contoso, userID(3), map[string]any{"city": "Bergen"})
		w.journalIs(func() {
			w.provisioned(engine.ProvisionRequest{User: userID(3)}, "update", "success", "", allDone)
		}, "PATCH /users/"+w.targetID(3)+` {"city":"Bergen"}`)

		w.journalIs(func() {
			w.provisioned(engine.ProvisionRequest{User: "User 003"}, "other", "skipped", "RedundantExport",
				"import:success scoping:success matching:success export:skipped")
		})
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Unchanged: 1}) })
		if s := w.status(); s.InScope != 3 || s.Linked != 3 {
			t.Errorf("status: got %d in scope, %d linked, want 3 and 3", s.InScope, s.Linked)
		}
	})
}

// Provision on demand reads the target, so it mends what was changed there.
func TestProvisionMendsTheTarget(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.update(w.fabrikam, w.targetID(1), map[string]any{"city": "Elsewhere"})
		r := w.provisioned(engine.ProvisionRequest{User: upn(1)}, "update", "success", "", allDone)
		old, now := "Elsewhere", "Oslo"
		if diff := cmp.Diff([]engine.ChangeProperty{{Name: "city", Old: &old, New: &now}}, r.Modified); diff != "" {
			t.Errorf("modified properties (-want +got):\n%s", diff)
		}
		w.equal(1)
	})
}

func TestProvisionFails(t *testing.T) {
	story(t, func(w *world) {
		w.people(9, 9)
		w.sync(store.OutcomeSuccess)
		w.native(1, map[string]any{"mail": upn(1)})
		w.people(1, 1)
		w.saidIs(func() {
			w.provisioned(engine.ProvisionRequest{User: upn(1)}, "create", "failure", "InvitationCreationFailureAmbiguousUser",
				"import:success scoping:success matching:failure")
		}, "create failure "+upn(1)+" InvitationCreationFailureAmbiguousUser")
		if s := w.status(); s.Retries != 1 {
			t.Errorf("retries: got %d, want 1", s.Retries)
		}
		w.person(2, map[string]any{"userPrincipalName": "one+two@contoso.example"})
		w.provisioned(engine.ProvisionRequest{User: userID(2)}, "create", "failure", "InvitationCreationFailureInvalidPropertyValue",
			"import:success scoping:success matching:success export:failure")

		_, err := w.engine.Provision(w.Context(), engine.ProvisionRequest{Job: jobName, User: "nobody@contoso.example"})
		if e := engine.AsError(err); err == nil || e.Class != engine.ClassUsage || !strings.Contains(e.Message, "nobody@contoso.example") {
			t.Errorf("unknown user: got %v, want an error of usage that names it", err)
		}
	})
}

func TestProvisionNeverDeletes(t *testing.T) {
	for name, deprovision := range map[string]engine.Deprovision{"delete": engine.DeprovisionDelete, "disable": engine.DeprovisionDisable} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 3)
				w.group(1, userID(1), userID(2))
				w.assignedTo(1)
				w.configure(false, func(j *engine.Job) { j.Deprovision = deprovision })
				w.sync(store.OutcomeSuccess)
				w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
				w.journalIs(func() {
					r := w.provisioned(engine.ProvisionRequest{User: upn(1)}, "other", "skipped", "PendingDelete", notInScope)
					if !strings.Contains(r.Reason, "pending action "+name) {
						t.Errorf("reason: got %q, want the pending action %s", r.Reason, name)
					}
					w.provisioned(engine.ProvisionRequest{User: upn(3)}, "other", "skipped", "OutOfScope", notInScope)
				})
				w.linked(1, 2)
				r := w.sync(store.OutcomeSuccess)
				if r.Summary.Delete+r.Summary.Disable != 1 {
					t.Errorf("the cycle after: got %+v, want the pending %s", r.Summary, name)
				}
			})
		})
	}
}

func TestProvisionOfDisabledUsers(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.person(2, map[string]any{"accountEnabled": false})
		w.provisioned(engine.ProvisionRequest{User: upn(2)}, "other", "skipped", "NotEffectivelyEntitled", notInScope)
		w.setEnabled(w.contoso, userID(1), false)
		w.provisioned(engine.ProvisionRequest{User: upn(1)}, "disable", "success", "", allDone)
		w.enabled(1, false)
	})
}

func TestProvisionDryRunWritesNothing(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.people(2, 2)
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.saidIs(func() {
			w.journalIs(func() {
				const steps = "import:success scoping:success matching:success export:skipped"
				r := w.provisioned(engine.ProvisionRequest{User: upn(2), DryRun: true}, "create", "success", "", steps)
				if len(r.Modified) == 0 || len(r.Values) == 0 {
					t.Errorf("dry run of a create: got %d modified properties, %d values, want some", len(r.Modified), len(r.Values))
				}
				r = w.provisioned(engine.ProvisionRequest{User: upn(1), DryRun: true}, "update", "success", "", steps)
				old, now := "Oslo", "Bergen"
				if diff := cmp.Diff([]engine.ChangeProperty{{Name: "city", Old: &old, New: &now, From: "[city]"}}, r.Modified); diff != "" {
					t.Errorf("dry run of an update (-want +got):\n%s", diff)
				}
			})
		})
		w.absent(2)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1, Update: 1})
	})
}

// A dry run must not promise what the run then refuses.
func TestProvisionDryRunFailsAsTheRunDoes(t *testing.T) {
	cases := map[string]struct{ expression, action, status, code, steps string }{
		"no value": {`Item(Split([mail], "@"), 3)`, "create", "failure", "AttributeValidationFailed",
			"import:success scoping:success matching:success export:failure"},
		"left out": {"IgnoreObjectFlow", "other", "skipped", "IgnoreObjectFlow",
			"import:success scoping:success matching:success export:skipped"},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.mapped(defaultsWith(mapping.Mapping{Target: "city", Expression: tt.expression})...)
				w.person(1, map[string]any{"mail": upn(1)})
				reasons := map[bool]string{}
				for _, dry := range []bool{true, false} {
					r := w.provisioned(engine.ProvisionRequest{User: upn(1), DryRun: dry}, tt.action, tt.status, tt.code, tt.steps)
					if len(r.Modified) != 0 {
						t.Errorf("dry run %t: got %d modified properties, want none", dry, len(r.Modified))
					}
					reasons[dry] = r.Reason
				}
				if reasons[true] != reasons[false] || !strings.Contains(reasons[true], "city") {
					t.Errorf("reasons: got %q in a dry run and %q in the run, want the same, naming city", reasons[true], reasons[false])
				}
			})
		})
	}
}

func TestProvisionRespectsOwnership(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.group(1, userID(1))
		w.group(2, userID(1), userID(2))
		w.twoJobs()
		w.syncJob(jobName)
		w.syncJob("second")
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.journalIs(func() {
			w.provisioned(engine.ProvisionRequest{User: upn(1), Job: "second"}, "other", "skipped", "OwnedByOtherJob", notInScope)
		})
		w.owner(1, jobName)
	})
}

func TestProvisionBetweenTwoBatches(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 50)
		var once bool
		inner := w.jobs[0].Target
		w.configure(false, func(j *engine.Job) {
			j.Target = interrupted{inner, func() {
				if once {
					return
				}
				once = true
				// The cycle has read user 50 already; the source changes meanwhile.
				w.update(w.contoso, userID(50), map[string]any{"city": "Bergen"})
				done := make(chan struct{})
				go func() {
					defer close(done)
					w.provision(engine.ProvisionRequest{User: upn(50)})
				}()
			}}
		})
		w.sync(store.OutcomeSuccess)
		if !once {
			t.Fatal("nothing was provisioned while the cycle ran")
		}
		w.equal(through(1, 50)...)
		if got := w.targetUser(50).String("city"); got != "Bergen" {
			t.Errorf("city of user 50: got %q, want Bergen: the older image of the cycle is ignored", got)
		}
		if got := w.fabrikam.Counts().Writes["invite"]; got != 50 {
			t.Errorf("invitations: got %d, want 50: nobody is invited twice", got)
		}
	})
}

// interrupted is a target that calls back after its first write.
type interrupted struct {
	engine.Target
	wrote func()
}

func (s interrupted) Write(ctx context.Context, ws []directory.Write) ([]directory.Written, error) {
	out, err := s.Target.Write(ctx, ws)
	s.wrote()
	return out, err
}

func TestProvisionRestores(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		target := w.targetID(1)
		w.must(w.fabrikam.Delete(target))
		w.journalIs(func() {
			w.provisioned(engine.ProvisionRequest{User: upn(1)}, "other", "skipped", "DeletedInTarget",
				"import:success scoping:success matching:success export:skipped")
		})
		w.provisioned(engine.ProvisionRequest{User: upn(1), Restore: true}, "update", "success", "", allDone)
		w.expectLinkedTo(1, target)
		w.equal(1, 2)
	})
}

func TestExplainAndScopeTest(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.person(2, map[string]any{"department": "Legal"})
		w.person(3, map[string]any{"accountEnabled": false})
		w.person(4, map[string]any{"userType": "Guest"})
		w.people(5, 5)
		w.group(1, userID(1), userID(2), userID(3), userID(4))
		w.assignedTo(1)
		w.filtered(scope.Clause{Attribute: "department", Operator: scope.Equals, Values: []string{"Sales"}})
		w.sync(store.OutcomeSuccess)
		for n, says := range map[int]string{
			1: "in scope: assigned through group " + groupID(1),
			2: "department",
			3: "sign-in is disabled in the source tenant",
			4: `userType is "Guest"`,
			5: "not assigned to the job",
		} {
			e, err := w.engine.Explain(w.Context(), upn(n), jobName)
			w.must(err)
			if !strings.Contains(strings.Join(e.Reasons, "\n"), says) {
				t.Errorf("explain user %d: got %q, want it to say %q", n, e.Reasons, says)
			}
			if linked := e.Link != nil; linked != (n == 1) || (n <= 4) != (e.LastChange != nil) {
				t.Errorf("explain user %d: got link %v, last change %v", n, e.Link, e.LastChange)
			}
			s, err := w.engine.ScopeTest(w.Context(), upn(n), jobName)
			w.must(err)
			if s.InScope != (n == 1) {
				t.Errorf("scope of user %d: got %v (%s)", n, s.InScope, s.Reason)
			}
			failed := []string{}
			for _, c := range s.Checks {
				if !c.Passed {
					failed = append(failed, c.Name)
				}
			}
			want := map[int][]string{1: {}, 2: {`filter "who"`, `who: department EQUALS "Sales"`}, 3: {"Active in source system"},
				4: {"Internal member"}, 5: {"Assigned to application"}}[n]
			if diff := cmp.Diff(want, failed); diff != "" {
				t.Errorf("failed checks of user %d (-want +got):\n%s", n, diff)
			}
		}
		// Somebody who was deleted in the source is remembered by the link.
		w.must(w.contoso.Delete(userID(1)))
		e, err := w.engine.Explain(w.Context(), upn(1), jobName)
		w.must(err)
		if e.InScope || e.Link == nil || !strings.Contains(strings.Join(e.Reasons, "\n"), "deleted in the source tenant") {
			t.Errorf("explain a deleted user: got %+v", e)
		}
	})
}

func TestProvisionHidesSensitiveValues(t *testing.T) {
	story(t, func(w *world) {
		m := mapping.Mapping{Target: "companyName", Source: "employeeId", Sensitive: true}
		w.mapped(defaultsWith(m)...)
		w.person(1, map[string]any{"employeeId": "S3CRET"})
		for _, dry := range []bool{true, false} {
			r := w.provision(engine.ProvisionRequest{User: upn(1), DryRun: dry})
			for _, p := range r.Modified {
				if p.Name == "companyName" && (p.New == nil || *p.New != "(sensitive)") {
					t.Errorf("companyName: got %v, want (sensitive)", p.New)
				}
			}
		}
	})
}
