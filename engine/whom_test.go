package engine_test

import (
	"testing"

	"tenantsync/engine"
	"tenantsync/scope"
	"tenantsync/store"
)

// filtered gives the first job a filter of one group.
func (w *world) filtered(clauses ...scope.Clause) {
	w.Helper()
	f, problems := scope.Compile([]scope.Group{{Title: "who", Clauses: clauses}})
	if f == nil {
		w.Fatalf("filter: %v", problems)
	}
	w.configure(true, func(j *engine.Job) { j.Scope.Filter = f })
}

// absent expects that the given source users are not linked.
func (w *world) absent(users ...int) {
	w.Helper()
	for _, n := range users {
		if l, ok := w.link(n); ok {
			w.Errorf("user %d: got link to %s (%s), want none", n, l.TargetID, l.State)
		}
	}
}

func TestOnlyInternalMembersAreRead(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.person(2, map[string]any{"userType": nil})
		w.person(3, map[string]any{"userType": "Guest"})
		w.person(4, nil)
		w.update(w.contoso, userID(4), map[string]any{"externalUserState": "Accepted", "userType": "Member"})
		w.person(5, map[string]any{"userPrincipalName": "user005_other.example#EXT#@contoso.onmicrosoft.com"})
		w.person(6, nil)
		w.update(w.contoso, userID(6), map[string]any{"identities": []any{map[string]any{
			"signInType": "federated", "issuer": "ExternalAzureAD", "issuerAssignedId": nil}}})
		w.person(7, nil)
		w.update(w.contoso, userID(7), map[string]any{"identities": []any{map[string]any{
			"signInType": "federated", "issuer": "contoso.example", "issuerAssignedId": "immutable"}}})

		w.saidIs(func() {
			w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 3, Skipped: 4})
		}, "create success "+upn(1), "create success "+upn(2), "create success "+upn(7),
			"other skipped "+upn(3)+" ExternalUser", "other skipped "+upn(4)+" ExternalUser",
			"other skipped user005_other.example#EXT#@contoso.onmicrosoft.com ExternalUser", "other skipped "+upn(6)+" ExternalUser")
		w.equal(1, 2, 7)
		w.absent(3, 4, 5, 6)
	})
}

func TestDisabledWhenFirstSeenWaitsUntilEnabled(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.person(2, map[string]any{"accountEnabled": false})
		w.saidIs(func() {
			w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1, Skipped: 1})
		}, "create success "+upn(1), "other skipped "+upn(2)+" NotEffectivelyEntitled")
		w.absent(2)

		w.update(w.contoso, userID(2), map[string]any{"city": "Bergen"})
		w.saidIs(func() { w.sync(store.OutcomeSuccess) })
		w.absent(2)

		w.update(w.contoso, userID(2), map[string]any{"accountEnabled": true})
		w.saidIs(func() {
			w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
		}, "create success "+upn(2))
		w.equal(1, 2)
		if s := w.status(); s.InScope != 2 || s.Linked != 2 {
			t.Errorf("status: got %d in scope, %d linked, want 2 and 2", s.InScope, s.Linked)
		}
	})
}

func TestASkipIsSaidOnce(t *testing.T) {
	story(t, func(w *world) {
		w.filtered(scope.Clause{Attribute: "department", Operator: scope.Equals, Values: []string{"Sales"}})
		w.people(1, 1)
		w.person(2, map[string]any{"department": "Legal"})
		skip := "other skipped " + upn(2) + " OutOfScope"
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "create success "+upn(1), skip)
		w.saidIs(func() { w.sync(store.OutcomeSuccess) })
		w.saidIs(func() { w.syncInitial(store.OutcomeSuccess) })

		// Another attribute changes: the verdict is the same one.
		w.update(w.contoso, userID(2), map[string]any{"city": "Bergen"})
		w.saidIs(func() { w.sync(store.OutcomeSuccess) })

		// Another reason for the same verdict is news.
		w.update(w.contoso, userID(2), map[string]any{"department": "Finance"})
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, skip)

		// In, and out again: said again.
		w.update(w.contoso, userID(2), map[string]any{"department": "Sales"})
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "create success "+upn(2))
	})
}

func TestTheVerdictIsForgottenWhenTheUserIsWanted(t *testing.T) {
	story(t, func(w *world) {
		w.filtered(scope.Clause{Attribute: "department", Operator: scope.Equals, Values: []string{"Sales"}})
		w.person(1, map[string]any{"department": "Legal", "accountEnabled": true})
		skip := "other skipped " + upn(1) + " OutOfScope"
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, skip)
		w.update(w.contoso, userID(1), map[string]any{"accountEnabled": false, "department": "Sales"})
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "other skipped "+upn(1)+" NotEffectivelyEntitled")
		w.update(w.contoso, userID(1), map[string]any{"department": "Legal"})
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, skip)
		w.update(w.contoso, userID(1), map[string]any{"department": "Sales", "accountEnabled": true})
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "create success "+upn(1))
		verdicts, err := w.st.Verdicts(t.Context(), store.VerdictQuery{Job: jobName})
		w.must(err)
		if len(verdicts) != 0 {
			t.Errorf("verdicts: got %d, want none for a linked user", len(verdicts))
		}
	})
}

func TestAFilterOnAnAttributeThatIsNotMapped(t *testing.T) {
	story(t, func(w *world) {
		w.filtered(scope.Clause{Attribute: "companyName", Operator: scope.Equals, Values: []string{"Contoso Retail"}})
		w.person(1, map[string]any{"companyName": "Contoso Retail"})
		w.person(2, map[string]any{"companyName": "Contoso Mining"})
		w.person(3, nil)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1, Skipped: 2})
		w.equal(1)
		w.absent(2, 3)

		w.update(w.contoso, userID(3), map[string]any{"companyName": "Contoso Retail"})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
		w.equal(1, 3)
	})
}

func TestFiltersAndNull(t *testing.T) {
	department := func(o scope.Operator, values ...string) scope.Clause {
		return scope.Clause{Attribute: "department", Operator: o, Values: values}
	}
	for _, c := range []struct {
		name   string
		clause scope.Clause
		create int // of a user without a department and one in Sales
	}{
		{"not equals is false for null", department(scope.NotEquals, "Legal"), 1},
		{"not regex match is false for null", department(scope.NotRegexMatch, "Legal"), 1},
		{"is null", department(scope.IsNull), 1},
		{"is not null", department(scope.IsNotNull), 1},
		{"not equals its value", department(scope.NotEquals, "Sales"), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			story(t, func(w *world) {
				w.filtered(c.clause)
				w.people(1, 1)
				w.person(2, map[string]any{"department": nil})
				w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: c.create, Skipped: 2 - c.create})
			})
		})
	}
}

func TestChangedFilterJudgesEverybodyAgain(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.person(4, map[string]any{"department": "Legal"})
		w.sync(store.OutcomeSuccess)
		w.filtered(scope.Clause{Attribute: "department", Operator: scope.Equals, Values: []string{"Sales"}})
		r := w.sync(store.OutcomeSuccess)
		if r.Cycle != "initial" {
			t.Errorf("cycle: got %s, want initial: the filter has changed", r.Cycle)
		}
		w.summary(r, store.Summary{Delete: 1, Unchanged: 3})
		if r = w.sync(store.OutcomeSuccess); r.Cycle != "incremental" {
			t.Errorf("the cycle after: got %s, want incremental", r.Cycle)
		}
	})
}

func TestMemberWhoBecomesGuestLeavesScope(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		target := w.targetID(1)
		w.update(w.contoso, userID(1), map[string]any{"userType": "Guest"})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1})
		if !w.inBin(target) {
			t.Errorf("target user %s: got kept, want deleted", target)
		}
	})
}
