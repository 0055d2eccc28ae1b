package engine_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// A server of the target that has not heard of a leaver says that nobody is there:
// that alone does not end the delete.
func TestALeaverNotFoundOnceIsDeleted(t *testing.T) {
	inSales(t, 20, nil, func(w *world) {
		id := w.targetID(4)
		w.leave(4)
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "GET", Path: "/users/" + id, Item: "inner", Status: 404, Code: "Request_ResourceNotFound", Nth: 1}})
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "DELETE /users/"+id)
		if !w.inBin(id) {
			t.Error("leaver: got still in the target, want in the recycle bin")
		}
	})
}

// Who waits for deleteAfter and comes back while provision on demand reads a
// replica that lags is seen soon, not when the delete would have been due.
func TestReturnBesideAStaleProvision(t *testing.T) {
	month := func(j *engine.Job) { j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, 30*24*time.Hour }
	inSales(t, 5, month, func(w *world) {
		w.leave(1)
		w.sync(store.OutcomeSuccess)
		w.pass(time.Hour)
		w.enabled(1, false)
		w.back(1)
		lags := w.lag("department", "Legal")
		done := false
		w.wire.set(nil, func(r *http.Request, resp *http.Response) (*http.Response, error) {
			if !done && strings.Contains(r.URL.Path, "delta") {
				done = true
				w.wire.set(nil, nil)
				lags.Store(true)
				w.provision(engine.ProvisionRequest{User: upn(1)})
				lags.Store(false)
			}
			return resp, nil
		})
		w.sync(store.OutcomeSuccess)
		if !done {
			t.Fatal("nobody was provisioned beside the cycle")
		}
		w.pass(time.Hour)
		w.sync(store.OutcomeSuccess)
		w.enabled(1, true)
	})
}

// A failure from before does not take the wait for deleteAfter with it when the
// user is disabled on leaving.
func TestDeleteAfterOfOneWhoWaitedForARetry(t *testing.T) {
	twoDays := func(j *engine.Job) { j.Deprovision, j.DeleteAfter = engine.DeprovisionDisable, 48*time.Hour }
	inSales(t, 5, twoDays, func(w *world) {
		id := w.targetID(2)
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "PATCH", Path: "/users/" + id, Item: "inner", Status: 400, Code: "Request_BadRequest", Nth: 1}})
		w.sync(store.OutcomePartial)
		w.fabrikam.SetFaults(nil)
		w.leave(2)
		w.sync(store.OutcomeSuccess)
		w.enabled(2, false)
		for range 50 {
			w.pass(time.Hour)
			w.sync(store.OutcomeSuccess)
		}
		if !w.inBin(id) {
			t.Error("50 hours after leaving: got still in the target, want deleted after 48")
		}
	})
}

// Whoever is deleted by hand between the look into the recycle bin and the look at
// the users was deleted, not purged: nobody is invited in that user's place.
func TestDeletedBetweenTwoLooks(t *testing.T) {
	for at := 2; at <= 7; at++ {
		story(t, func(w *world) {
			w.people(1, 3)
			w.sync(store.OutcomeSuccess)
			id := w.targetID(2)
			w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
			w.fabrikam.SetFaults([]entrasim.Fault{{Path: "/users/" + id, Method: "GET", Item: "inner", Times: 1, Status: 404, Code: "Request_ResourceNotFound"}})
			n := 0
			w.wire.set(nil, func(r *http.Request, resp *http.Response) (*http.Response, error) {
				if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/$batch") {
					if n++; n == at {
						w.must(w.fabrikam.Delete(id))
					}
				}
				return resp, nil
			})
			r, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
			if w.targetID(2) != id {
				t.Errorf("deleted after batch %d: got linked to %s, want %s; %+v %v", at, w.targetID(2), id, r.Summary, err)
			}
		})
	}
}
