package engine_test

import (
	"strings"
	"testing"

	"tenantsync/store"
)

// Who was deleted in the target before this job knew the user cannot be invited:
// the log says whom to restore, and the next attempt links the user.
func TestAddressOfADeletedUserIsNamed(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		id := w.targetID(1)
		w.must(w.fabrikam.Delete(id))
		w.forget()
		own := "dddddddd-0000-4000-8000-000000000003"
		_, err := w.fabrikam.CreateUser(map[string]any{"id": own, "userPrincipalName": "own@" + domainOf(w.fabrikam), "mail": upn(3), "displayName": "Own"})
		w.must(err)
		w.person(3, map[string]any{"mail": "third@contoso.example"})
		w.summary(w.sync(store.OutcomePartial), store.Summary{Unchanged: 1, Failed: 2})

		for _, e := range w.log(store.LogQuery{Statuses: []string{"failure"}}) {
			info := e.StatusInfo.Error
			switch e.SourceIdentity.ID {
			case userID(1):
				if info.Code != "InvitationCreationFailureAmbiguousUser" || !strings.Contains(info.Reason, "user "+id+", who is deleted in fabrikam") ||
					!strings.Contains(info.RecommendedAction, "restore that user in fabrikam") || e.Steps[len(e.Steps)-1].Description != info.Reason {
					t.Errorf("failure of the deleted one: got %+v", info)
				}
			case userID(3):
				if strings.Contains(info.Reason, "deleted") || strings.Contains(info.RecommendedAction, "restore") {
					t.Errorf("failure by an internal user: got %+v", info)
				}
			}
		}
		// Explain says the same, not what else the code stands for.
		told, err := w.engine.Explain(w.Context(), userID(1), jobName)
		w.must(err)
		if text := strings.Join(told.Reasons, "\n"); !strings.Contains(text, "Restore that user in fabrikam within 30 days") || strings.Contains(text, "internal user") {
			t.Errorf("explain: got\n%s\nwant the advice of the log entry", text)
		}
		w.must(w.fabrikam.Restore(id))
		w.journalIs(func() {
			_, err = w.engine.RetryNow(w.Context(), jobName, nil)
			w.must(err)
		})
		if got := w.targetID(1); got != id {
			t.Errorf("restored user: got linked to %s, want %s", got, id)
		}
	})
}
