package engine_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// calls are the reads and writes a tenant was asked for while f ran, by kind.
func calls(tenant *entrasim.Tenant, f func()) (reads, writes map[string]int, requests int) {
	before := tenant.Counts()
	f()
	after := tenant.Counts()
	less := func(a, b map[string]int) map[string]int {
		out := map[string]int{}
		for k, n := range a {
			if n -= b[k]; n > 0 {
				out[k] = n
			}
		}
		return out
	}
	return less(after.Reads, before.Reads), less(after.Writes, before.Writes), after.Requests - before.Requests
}

func TestInitialCycleCostsTwoWritesAUser(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 450)
		managed := 0
		for n := 2; n <= 450; n += 3 {
			w.must(w.contoso.SetManager(userID(n), userID(1)))
			managed++
		}
		var sourceReads map[string]int
		reads, writes, requests := calls(w.fabrikam, func() {
			sourceReads, _, _ = calls(w.contoso, func() {
				r := w.sync(store.OutcomeSuccess)
				w.summary(r, store.Summary{Create: 450})
				if total := 2*450 + managed; r.Graph.Writes != total {
					t.Errorf("writes of the cycle: got %d, want %d", r.Graph.Writes, total)
				}
			})
		})
		if diff := cmp.Diff(map[string]int{"invite": 450, "updateUser": 450, "putManager": managed}, writes); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
		total := 2*450 + managed
		if got, most := requests-sum(reads), (total+19)/20+total*2/100; got > most {
			t.Errorf("batches of writes: got %d for %d writes, want at most %d", got, total, most)
		}
		// One pass over each tenant, its organization, the target's policies, no look-ups.
		if diff := cmp.Diff(map[string]int{"getOrganization": 1, "usersDelta": 3}, sourceReads); diff != "" {
			t.Errorf("reads of the source (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]int{"getOrganization": 1, "listUsers": 1, "getAuthorizationPolicy": 1, "getCrossTenantDefault": 1,
			"getPartner": 1, "getIdentitySynchronization": 1}, reads); diff != "" {
			t.Errorf("reads of the target (-want +got):\n%s", diff)
		}
		w.equal(through(1, 450)...)
		w.sourceUntouched()
	})
}

func sum(m map[string]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

func TestIdleCycleIsOneRequest(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 45)
		w.sync(store.OutcomeSuccess)
		w.saidIs(func() {
			source, target := w.requests(func() {
				r := w.sync(store.OutcomeSuccess)
				w.summary(r, store.Summary{})
				if r.Cycle != "incremental" || r.Graph.Requests != 1 || r.Graph.Writes != 0 {
					t.Errorf("got %s with %+v, want incremental with one request", r.Cycle, r.Graph)
				}
			})
			if source != 1 || target != 0 {
				t.Errorf("requests: got %d to the source and %d to the target, want 1 and 0", source, target)
			}
		})
	})
}

func TestInitialCycleAgainChangesNothing(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 45)
		for n := 2; n <= 45; n++ {
			w.must(w.contoso.SetManager(userID(n), userID(n/2)))
		}
		w.sync(store.OutcomeSuccess)
		w.saidIs(func() {
			w.journalIs(func() {
				r := w.syncInitial(store.OutcomeSuccess)
				w.summary(r, store.Summary{Unchanged: 45})
			})
		})
	})
}

func TestChangedUserIsOnePatchOfWhatDiffers(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 5)
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(3), map[string]any{"department": "Legal", "city": nil, "jobTitle": "Clerk"})
		w.saidIs(func() {
			w.journalIs(func() {
				r := w.sync(store.OutcomeSuccess)
				w.summary(r, store.Summary{Update: 1})
			}, fmt.Sprintf(`PATCH /users/%s {"department":"Legal"}`, w.targetID(3)))
		}, "update success "+upn(3))
		if e := w.log(store.LogQuery{Limit: 1})[0]; len(e.Modified) != 1 || e.Modified[0].DisplayName != "department" ||
			*e.Modified[0].OldValue != "Sales" || *e.Modified[0].NewValue != "Legal" {
			t.Errorf("modified properties: got %+v, want department from Sales to Legal", e.Modified)
		}
	})
}

func TestManagersAreSetChangedAndRemoved(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		for _, manager := range []int{1, 2, 0} {
			id := ""
			if manager > 0 {
				id = userID(manager)
			}
			w.must(w.contoso.SetManager(userID(3), id))
			r := w.sync(store.OutcomeSuccess)
			w.summary(r, store.Summary{Update: 1})
			if r.Graph.Writes != 1 {
				t.Errorf("manager %d: got %d writes, want 1", manager, r.Graph.Writes)
			}
			w.equal(1, 2, 3)
		}
	})
}

func TestDisabledAndEnabledAgain(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(2), map[string]any{"accountEnabled": false})
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Disable: 1}) }, "disable success "+upn(2))
		w.equal(1, 2)
		w.update(w.contoso, userID(2), map[string]any{"accountEnabled": true})
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1}) }, "update success "+upn(2))
		w.equal(1, 2)
	})
}

func TestDisabledAtFirstSightIsSkippedUntilEnabled(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.update(w.contoso, userID(2), map[string]any{"accountEnabled": false})
		w.saidIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1, Skipped: 1}) },
			"create success "+upn(1), "other skipped "+upn(2)+" NotEffectivelyEntitled")
		w.update(w.contoso, userID(2), map[string]any{"city": "Bergen"})
		w.saidIs(func() { w.sync(store.OutcomeSuccess) }) // said once
		w.update(w.contoso, userID(2), map[string]any{"accountEnabled": true})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
		w.equal(1, 2)
	})
}

func TestCountsOfStatus(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 6)
		w.update(w.contoso, userID(6), map[string]any{"accountEnabled": false})
		w.sync(store.OutcomeSuccess)
		count := func(inScope, linked int) {
			t.Helper()
			if s := w.status(); s.InScope != inScope || s.Linked != linked {
				t.Errorf("got %d in scope and %d linked, want %d and %d", s.InScope, s.Linked, inScope, linked)
			}
		}
		count(5, 5)
		w.must(w.contoso.Delete(userID(1)))
		w.person(7, nil)
		w.sync(store.OutcomeSuccess)
		count(5, 5)
		w.must(w.contoso.Restore(userID(1)))
		w.update(w.contoso, userID(6), map[string]any{"accountEnabled": true})
		w.sync(store.OutcomeSuccess)
		count(7, 7)
		w.syncInitial(store.OutcomeSuccess)
		count(7, 7)
	})
}
