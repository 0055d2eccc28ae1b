package engine_test

import (
	"slices"
	"testing"

	"tenantsync/engine"
	"tenantsync/store"
)

// protect names target users that the first job leaves alone.
func (w *world) protect(users ...string) {
	w.Helper()
	w.configure(true, func(j *engine.Job) { j.Protection = engine.NewProtection(users) })
}

// A linked user that was put under protection is not updated, given a manager,
// disabled or deleted, and the plan says so before.
func TestProtectedUserIsLeftAlone(t *testing.T) {
	for name, act := range map[string]func(w *world){
		"update":  func(w *world) { w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"}) },
		"manager": func(w *world) { w.manages(2, 1) },
		"disable": func(w *world) { w.setEnabled(w.contoso, userID(1), false) },
		"delete":  func(w *world) { w.must(w.contoso.Delete(userID(1))) },
	} {
		for _, by := range []string{"id", "mail", "name"} {
			for _, initial := range []bool{false, true} {
				t.Run(name+" by "+by+map[bool]string{false: " incremental", true: " initial"}[initial], func(t *testing.T) {
					story(t, func(w *world) {
						w.people(1, 3)
						w.sync(store.OutcomeSuccess)
						o := w.targetUser(1)
						w.configure(false, func(j *engine.Job) {
							j.Protection = engine.NewProtection([]string{map[string]string{"id": w.targetID(1), "mail": "USER001@contoso.example", "name": o.Map()["userPrincipalName"].(string)}[by]})
						})
						act(w)
						if name != "manager" { // references are settled by the export alone
							plan := w.plan(engine.PlanRequest{Initial: initial})
							at := slices.IndexFunc(plan.Changes, func(c engine.Change) bool { return c.Source.ID == userID(1) })
							if at < 0 || plan.Changes[at].Action != "fail" || plan.Changes[at].Code != "Protected" {
								t.Errorf("plan: got %+v, want the failure Protected", plan.Changes)
							}
						}
						w.journalIs(func() {
							r := w.syncWith(engine.SyncRequest{Job: jobName, Initial: initial}, store.OutcomePartial)
							if r.Summary.Failed != 1 {
								t.Errorf("summary: got %+v, want one failure%s", r.Summary, w.failures())
							}
						})
						e := w.log(store.LogQuery{User: userID(1), Limit: 1})[0]
						if e.StatusInfo.Status != "failure" || e.StatusInfo.Error.Code != "Protected" {
							t.Errorf("log: got %+v, want the failure Protected", e.StatusInfo)
						}
					})
				})
			}
		}
	}
}

// Who is protected is not adopted, neither by a match nor by the id that an
// invitation answers with.
func TestProtectedUserIsNotAdopted(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		id := w.targetID(1)
		w.must(w.st.Close())
		w.path += "2" // the state is lost
		w.open()
		w.protect(id)
		w.journalIs(func() {
			w.saidIs(func() { w.sync(store.OutcomePartial) }, "create failure "+upn(1)+" Protected")
		})
		w.absent(1)
	})
}

// A user who was deleted by the job and protected since is not restored.
func TestProtectedUserIsNotRestored(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		id := w.targetID(2)
		w.leave(2)
		w.sync(store.OutcomeSuccess)
		if !w.inBin(id) {
			t.Fatalf("target user %s is not in the recycle bin", id)
		}
		w.configure(false, func(j *engine.Job) { j.Protection = engine.NewProtection([]string{id}) })
		w.update(w.contoso, userID(2), map[string]any{"department": "Sales"})
		w.journalIs(func() {
			w.saidIs(func() { w.sync(store.OutcomePartial) }, "update failure "+upn(2)+" Protected")
		})
	})
}

// Provision on demand and allowed deletions keep to the protection as well.
func TestProtectedUserOnDemandAndAllowed(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.configure(false, func(j *engine.Job) {
			j.Protection = engine.NewProtection([]string{w.targetID(1)})
			j.Threshold, j.Percent = 0, 0
		})
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.journalIs(func() {
			if r := w.provision(engine.ProvisionRequest{User: upn(1)}); r.Status != "failure" || r.Code != "Protected" {
				t.Errorf("provision: got %s %s, want the failure Protected", r.Status, r.Code)
			}
		})
		w.must(w.contoso.Delete(userID(1)))
		w.sync(store.OutcomeQuarantine)
		w.journalIs(func() {
			_, err := w.engine.Allow(w.Context(), jobName, nil, true)
			w.must(err)
		})
	})
}

// Only addresses of an allowed domain are invited; users who are linked already
// stay in sync.
func TestOnlyAllowedDomainsAreInvited(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.configure(true, func(j *engine.Job) { j.AllowedDomains = []string{"Contoso.OnMicrosoft.com"} })
		w.person(2, nil)
		w.person(3, map[string]any{"userPrincipalName": "three@contoso.onmicrosoft.com"})
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.saidIs(func() { w.sync(store.OutcomePartial) }, "update success "+upn(1),
			"create failure "+upn(2)+" InvalidDomain", "create success three@contoso.onmicrosoft.com")
	})
}
