package engine_test

import (
	"strings"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/scope"
	"tenantsync/store"
)

// memberOf is a clause on groups.
func memberOf(o scope.Operator, groups ...int) scope.Clause {
	c := scope.Clause{Attribute: scope.MemberOf, Operator: o}
	for _, n := range groups {
		c.Values = append(c.Values, groupID(n))
	}
	return c
}

// reasonFor is why the n-th source user is not in scope, as scope test says it.
func (w *world) reasonFor(n int) string {
	w.Helper()
	s, err := w.engine.ScopeTest(w.Context(), userID(n), jobName)
	w.must(err)
	return s.Reason
}

func TestFilterByGroup(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(1), userID(2))
		w.filtered(memberOf(scope.Equals, 1))
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 2, Skipped: 2})
		w.linked(1, 2)
		if got, want := w.reasonFor(3), `clause 1 of filter "who" is false: memberOf EQUALS "`+groupID(1)+`" (not a member)`; got != want {
			t.Errorf("reason: got %s\nwant %s", got, want)
		}

		// Nothing of the users themselves changes.
		w.must(w.contoso.AddMember(groupID(1), userID(3)))
		w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
		r := w.sync(store.OutcomeSuccess)
		w.summary(r, store.Summary{Create: 1, Delete: 1})
		if r.Cycle != "incremental" {
			t.Errorf("cycle: got %s, want incremental", r.Cycle)
		}
		w.linked(2, 3)
		if s := w.status(); s.InScope != 2 || s.Linked != 2 {
			t.Errorf("status: got %d in scope, %d linked, want 2 and 2", s.InScope, s.Linked)
		}
		w.idle(2, "one for groups, one for users")
	})
}

func TestFilterAgainstAGroup(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.group(1, userID(1))
		w.group(2)
		w.filtered(memberOf(scope.NotEquals, 1, 2))
		w.sync(store.OutcomeSuccess)
		w.linked(2, 3)
		w.must(w.contoso.AddMember(groupID(2), userID(2)))
		w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
		w.sync(store.OutcomeSuccess)
		w.linked(1, 3)
	})
}

// The members of a filter's group are not assigned by it, nor do those of a scope
// group count for the filter.
func TestFilterGroupsAssignNobody(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(1), userID(2))
		w.group(2, userID(2), userID(3))
		w.filtered(memberOf(scope.Equals, 2))
		filter := w.jobs[0].Scope.Filter
		w.assigned(engine.Scope{Groups: []string{groupID(1)}, Users: []string{userID(4)}, Filter: filter})
		w.sync(store.OutcomeSuccess)
		w.linked(2)
		if got := w.reasonFor(3); got != "not assigned to the job" {
			t.Errorf("a member of the filter's group: got %q, want that it is not assigned", got)
		}

		w.must(w.contoso.AddMember(groupID(1), userID(3)))
		w.must(w.contoso.AddMember(groupID(2), userID(4)))
		w.must(w.contoso.RemoveMember(groupID(2), userID(2)))
		w.sync(store.OutcomeSuccess)
		w.linked(3, 4)

		// One group can be both.
		w.assigned(engine.Scope{Groups: []string{groupID(2)}, Filter: filter})
		w.configure(false, func(j *engine.Job) { j.ScopeShrink = 0 })
		w.sync(store.OutcomeSuccess)
		w.linked(3, 4)
	})
}

func TestFilterByNestedGroups(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 5)
		w.group(3, userID(3))
		w.group(2, userID(2), groupID(3))
		w.group(1, userID(1), groupID(2))
		w.group(4, userID(1), userID(2), userID(3), userID(4), userID(5))
		w.filtered(memberOf(scope.Equals, 1))
		filter := w.jobs[0].Scope.Filter
		w.assigned(engine.Scope{Groups: []string{groupID(4)}, Filter: filter})
		w.sync(store.OutcomeSuccess)
		w.linked(1)

		w.configure(true, func(j *engine.Job) { j.Scope.Nested = true; j.ScopeShrink = 0; j.Changes = 0 })
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2, 3)
		w.must(w.contoso.AddMember(groupID(3), userID(4)))
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2, 3, 4)
		w.must(w.contoso.RemoveMember(groupID(2), groupID(3)))
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2)
		w.idle(2, "one for groups, one for users")
	})
}

// A group that vanishes takes nobody out, and lets nobody in.
func TestFilterGroupDeleted(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(1), userID(2))
		w.filtered(memberOf(scope.Equals, 1))
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2)

		w.must(w.contoso.DeleteGroup(groupID(1)))
		w.journalIs(func() {
			r := w.sync(store.OutcomeQuarantine)
			w.summary(r, store.Summary{Held: 2})
			if r.Quarantine == nil || r.Quarantine.Reason != "ScopeGroupDeleted" {
				t.Errorf("quarantine: got %+v, want ScopeGroupDeleted", r.Quarantine)
			}
		})
		held, err := w.engine.Held(w.Context(), jobName, false)
		w.must(err)
		for _, h := range held.Held {
			if !strings.HasSuffix(h.Message, "; group "+groupID(1)+" no longer exists") {
				t.Errorf("hold: got %q, want that the group no longer exists", h.Message)
			}
		}

		// A user who is out for another reason is no concern of the group.
		w.update(w.contoso, userID(2), map[string]any{"userType": "Guest"})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Delete: 1, Held: 1})

		w.group(1, userID(1), userID(3))
		w.sync(store.OutcomeSuccess)
		w.linked(1, 3)
		if s := w.status(); s.Held != 0 || s.State != "Active" {
			t.Errorf("status: got %s with %d held, want Active with none", s.State, s.Held)
		}
	})
}

func TestFilterAgainstADeletedGroup(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.group(1, userID(1))
		w.filtered(memberOf(scope.NotEquals, 1))
		w.sync(store.OutcomeSuccess)
		w.linked(2, 3)
		w.must(w.contoso.DeleteGroup(groupID(1)))
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.linked(2, 3)
		if got := w.reasonFor(1); !strings.HasSuffix(got, "no longer exists") {
			t.Errorf("the member it had: got %q, want that the group no longer exists", got)
		}
	})
}

// A group that never was, as by a mistyped id, is no reason to delete anybody.
func TestFilterByAGroupThatIsNotThere(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.filtered(memberOf(scope.Equals, 7))
		w.journalIs(func() { w.summary(w.sync(store.OutcomeQuarantine), store.Summary{Held: 3}) })
		w.filtered(scope.Clause{Attribute: "department", Operator: scope.Equals, Values: []string{"Sales"}})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Unchanged: 3})
		w.linked(1, 2, 3)
	})
}

func TestFilterByAHiddenGroup(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		_, err := w.contoso.CreateGroup(map[string]any{"id": groupID(2), "displayName": "Secret", "securityEnabled": true,
			"visibility": "HiddenMembership", "members": []string{userID(2)}})
		w.must(err)
		w.withoutPermission("Member.Read.Hidden")
		w.filtered(memberOf(scope.Equals, 2))
		w.journalIs(func() {
			r := w.sync(store.OutcomeFailed)
			if r.Error == nil || r.Error.Class != engine.ClassSignIn || r.Error.Permission != "Member.Read.Hidden" ||
				!strings.Contains(r.Error.Message, "which a filter asks for") {
				t.Errorf("error: got %+v, want one of class signIn that names Member.Read.Hidden and the filter", r.Error)
			}
		})
		w.linked(1, 2)
	})
}

func TestFilterOverManyGroups(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		var groups []int
		for n := 1; n <= 60; n++ {
			w.group(n)
			groups = append(groups, n)
		}
		w.must(w.contoso.AddMember(groupID(60), userID(2)))
		w.filtered(memberOf(scope.Equals, groups...))
		w.sync(store.OutcomeSuccess)
		w.linked(2)
		w.idle(3, "two for 60 groups, one for users")
	})
}

// The same answer comes without a cycle: for one user, and in a plan.
func TestFilterByGroupOnDemand(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.group(1, userID(1))
		w.filtered(memberOf(scope.Equals, 1))
		w.sync(store.OutcomeSuccess)
		w.must(w.contoso.AddMember(groupID(1), userID(2)))
		if p := w.plan(engine.PlanRequest{}); len(p.Changes) != 1 || p.Changes[0].Action != "create" || p.Changes[0].Source.ID != userID(2) {
			t.Errorf("plan: got %+v, want one create of user 2", p.Changes)
		}
		if r := w.provision(engine.ProvisionRequest{User: userID(2)}); r.Status != "success" {
			t.Errorf("provision: got %s %s, want success", r.Status, r.Reason)
		}
		if r := w.provision(engine.ProvisionRequest{User: userID(3)}); r.Status != "skipped" || r.Code != "OutOfScope" {
			t.Errorf("provision: got %s %s, want skipped OutOfScope", r.Status, r.Code)
		}
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2)
	})
}

// Who goes from the filter group of one job to that of another keeps the account.
func TestFilterGroupsOfTwoJobs(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.group(1, userID(1), userID(2))
		w.group(2)
		w.filtered(memberOf(scope.Equals, 1))
		second := w.newJob("second")
		f, problems := scope.Compile([]scope.Group{{Clauses: []scope.Clause{memberOf(scope.Equals, 2)}}})
		if f == nil {
			t.Fatal(problems)
		}
		second.Scope.Filter = f
		w.jobs = append(w.jobs, second)
		w.must(w.engine.Reload(w.jobs))
		w.sync(store.OutcomeSuccess)
		w.syncWith(engine.SyncRequest{Job: "second"}, store.OutcomeSuccess)
		w.linked(1, 2)
		w.must(w.contoso.RemoveMember(groupID(1), userID(1)))
		w.must(w.contoso.AddMember(groupID(2), userID(1)))
		w.journalIs(func() {
			w.sync(store.OutcomeSuccess)
			w.syncWith(engine.SyncRequest{Job: "second"}, store.OutcomeSuccess)
		})
		if l, _ := w.link(1); l.Job != "second" {
			t.Errorf("owner: got %s, want second", l.Job)
		}
	})
}

func TestFilterByManager(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.must(w.contoso.SetManager(userID(2), userID(1)))
		w.mapped(direct("displayName", "displayName")) // nothing else reads the manager
		w.filtered(scope.Clause{Attribute: "manager", Operator: scope.Equals, Values: []string{userID(1)}})
		w.sync(store.OutcomeSuccess)
		w.linked(2)
		w.must(w.contoso.SetManager(userID(3), userID(1)))
		w.must(w.contoso.SetManager(userID(2), ""))
		r := w.sync(store.OutcomeSuccess)
		w.summary(r, store.Summary{Create: 1, Delete: 1})
		if r.Cycle != "incremental" {
			t.Errorf("cycle: got %s, want incremental", r.Cycle)
		}
		w.linked(3)
	})
}

// A date passes although nothing of the user changes: once a day the cycle
// compares everybody.
func TestFilterByADateThatPasses(t *testing.T) {
	story(t, func(w *world) {
		day := func(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(time.RFC3339) }
		w.person(1, map[string]any{"employeeHireDate": day(-10)})
		w.person(2, map[string]any{"employeeHireDate": day(16)})
		w.person(3, map[string]any{"employeeHireDate": day(90)})
		w.person(4, nil)
		w.filtered(scope.Clause{Attribute: "employeeHireDate", Operator: scope.LessThanOrEquals, Values: []string{"now+14d"}})
		w.sync(store.OutcomeSuccess)
		w.linked(1)

		w.pass(12 * time.Hour)
		if r := w.sync(store.OutcomeSuccess); r.Cycle != "incremental" {
			t.Errorf("after half a day: got %s, want incremental", r.Cycle)
		}
		w.pass(12 * time.Hour)
		if r := w.sync(store.OutcomeSuccess); r.Cycle != "initial" {
			t.Errorf("after a day: got %s, want initial", r.Cycle)
		}
		if r := w.sync(store.OutcomeSuccess); r.Cycle != "incremental" {
			t.Errorf("the cycle after: got %s, want incremental", r.Cycle)
		}
		w.linked(1)
		w.pass(25 * time.Hour)
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2)
	})
}

// A filter without a relative date never needs it.
func TestFilterByAFixedDate(t *testing.T) {
	story(t, func(w *world) {
		w.person(1, map[string]any{"employeeHireDate": "2020-01-01T00:00:00Z"})
		w.filtered(scope.Clause{Attribute: "employeeHireDate", Operator: scope.LessThan, Values: []string{"2021-01-01"}})
		w.sync(store.OutcomeSuccess)
		w.linked(1)
		w.pass(72 * time.Hour)
		if r := w.sync(store.OutcomeSuccess); r.Cycle != "incremental" {
			t.Errorf("after three days: got %s, want incremental", r.Cycle)
		}
	})
}

// The daemon does so by itself.
func TestTheScheduleLetsDatesPass(t *testing.T) {
	story(t, func(w *world) {
		w.person(1, map[string]any{"employeeHireDate": time.Now().UTC().AddDate(0, 0, 15).Format(time.RFC3339)})
		w.filtered(scope.Clause{Attribute: "employeeHireDate", Operator: scope.LessThan, Values: []string{"now+14d"}})
		w.sync(store.OutcomeSuccess)
		w.daemon(func() { w.pass(73 * time.Hour) })
		w.linked(1)
		initial := 0
		cycles, err := w.st.Cycles(w.Context(), store.CycleQuery{Job: jobName})
		w.must(err)
		for _, c := range cycles {
			if c.Initial {
				initial++
			}
		}
		if initial != 4 || len(cycles) < 100 {
			t.Errorf("in three days: got %d initial cycles of %d, want the first and one a day of about 108", initial, len(cycles))
		}
	})
}

func TestFilterOnSeveralValues(t *testing.T) {
	story(t, func(w *world) {
		w.person(1, map[string]any{"otherMails": []any{"one@private.example", "one@Partner.example"}})
		w.person(2, map[string]any{"otherMails": []any{"two@private.example"}})
		w.person(3, nil)
		w.filtered(scope.Clause{Attribute: "otherMails", Operator: scope.EndsWith, Values: []string{"@partner.example"}, IgnoreCase: true, Members: scope.Any})
		w.sync(store.OutcomeSuccess)
		w.linked(1)
		w.update(w.contoso, userID(3), map[string]any{"otherMails": []any{"three@partner.example"}})
		w.update(w.contoso, userID(1), map[string]any{"otherMails": []any{}})
		w.sync(store.OutcomeSuccess)
		w.linked(3)
	})
}
