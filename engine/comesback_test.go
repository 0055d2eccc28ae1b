package engine_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tenantsync/engine"
	"tenantsync/store"
)

// A plan says of who comes back into scope what the cycle then does, wherever the
// target user is meanwhile.
func TestPlanOfWhoComesBack(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile      func(w *world, id string)
		action, reason string
		outcome        store.Outcome
		summary        store.Summary
	}{
		"in the recycle bin": {func(*world, string) {}, "restore", "its deleted target user is restored", store.OutcomeSuccess, store.Summary{Restore: 1}},
		"deleted for good":   {func(w *world, id string) { w.must(w.fabrikam.Purge(id)) }, "create", "its access is lost", store.OutcomeSuccess, store.Summary{Create: 1}},
		"restored by hand": {func(w *world, id string) {
			w.must(w.fabrikam.Restore(id))
			w.must(w.fabrikam.SetManager(id, w.targetID(1)))
		}, "none", "", store.OutcomeSuccess, store.Summary{Unchanged: 1}},
		"restored by hand, without the manager": {func(w *world, id string) {
			w.must(w.fabrikam.Restore(id))
			w.must(w.fabrikam.SetManager(id, ""))
		}, "update", "", store.OutcomeSuccess, store.Summary{Update: 1}},
		"restored by hand, and blocked": {func(w *world, id string) {
			w.must(w.fabrikam.Restore(id))
			w.must(w.fabrikam.SetManager(id, w.targetID(1)))
			w.setEnabled(w.fabrikam, id, false)
		}, "none", "blocked by hand", store.OutcomeSuccess, store.Summary{Skipped: 1}},
		"restored by hand, and changed": {func(w *world, id string) {
			w.must(w.fabrikam.Restore(id))
			w.update(w.fabrikam, id, map[string]any{"city": "Rome"})
		}, "update", "", store.OutcomeSuccess, store.Summary{Update: 1}},
		"restored by hand and made internal": {func(w *world, id string) {
			w.must(w.fabrikam.Restore(id))
			w.update(w.fabrikam, id, map[string]any{"externalUserState": nil, "userPrincipalName": "two@" + domainOf(w.fabrikam), "creationType": nil,
				"identities": []any{map[string]any{"signInType": "userPrincipalName", "issuer": domainOf(w.fabrikam), "issuerAssignedId": "two@" + domainOf(w.fabrikam)}}})
		}, "fail", "no longer an external user", store.OutcomePartial, store.Summary{Failed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			inSales(t, 5, nil, func(w *world) {
				w.manages(1, 2)
				w.sync(store.OutcomeSuccess)
				id := w.targetID(2)
				w.leave(2)
				w.sync(store.OutcomeSuccess)
				c.meanwhile(w, id)
				w.back(2)
				var plan *engine.PlanResult
				w.journalIs(func() { plan = w.plan(engine.PlanRequest{}) })
				if len(plan.Changes) != 1 || plan.Changes[0].Action != c.action || !strings.Contains(plan.Changes[0].Reason, c.reason) || plan.Changes[0].Source.UPN != upn(2) {
					t.Errorf("plan: got %+v, want one %s: %s", plan.Changes, c.action, c.reason)
				}
				onlyOnCreate := slices.ContainsFunc(plan.Changes[0].Modified, func(p engine.ChangeProperty) bool { return p.Name == "showInAddressList" })
				if onlyOnCreate != (c.action == "create") {
					t.Errorf("plan: got %+v of a %s, want what is written on create there alone", plan.Changes[0].Modified, c.action)
				}
				if plan.Summary != c.summary {
					t.Errorf("plan: got %+v, want %+v", plan.Summary, c.summary)
				}
				w.summary(w.sync(c.outcome), c.summary)
			})
		})
	}
}

// A listing of the target that lacks a linked user proves nothing: the user is read
// by id, stays linked, and what was changed by hand is put right.
func TestListingWithoutALinkedUserProvesNothing(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.sync(store.OutcomeSuccess)
		unlisted, gone := w.targetID(2), w.targetID(3)
		w.update(w.fabrikam, unlisted, map[string]any{"city": "Rome"})
		w.must(w.fabrikam.Delete(gone))
		w.wire.set(nil, func(r *http.Request, resp *http.Response) (*http.Response, error) {
			return unlisting(t, r, resp, unlisted), nil
		})
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) }, "PATCH /users/"+unlisted+` {"city":"Oslo"}`)
		w.wire.set(nil, nil)
		w.linked(1, 2, 4)
		if l, _ := w.link(3); l.State != store.LinkMissing {
			t.Errorf("who was deleted by hand: got the link %s, want %s", l.State, store.LinkMissing)
		}
		w.equal(1, 2, 4)
		w.counted(4, 3, 0)
	})
}

// unlisting leaves one user out of the answers to GET /users.
func unlisting(t *testing.T, r *http.Request, resp *http.Response, id string) *http.Response {
	t.Helper()
	if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/users") || resp.StatusCode != http.StatusOK {
		return resp
	}
	var page map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	var kept []any
	for _, u := range page["value"].([]any) {
		if u.(map[string]any)["id"] != id {
			kept = append(kept, u)
		}
	}
	page["value"] = append([]any{}, kept...)
	text, err := json.Marshal(page)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	resp.Header.Del("Content-Length")
	return resp
}
