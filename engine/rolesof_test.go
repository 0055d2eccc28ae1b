package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
)

// Roles can be asked for before any mapping of the job reads them.
func TestAppRolesOfOneUser(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.group(1, userID(1), userID(2))
		w.assignRoles(role("User", userID(1), editorRole), role("Group", groupID(1), readerRole))
		if _, err := w.engine.AppRoles(w.Context(), upn(1), jobName); err == nil {
			t.Error("roles without an application: got no error, want one")
		}
		w.assigned(engine.Scope{ServicePrincipal: roleApp})
		editor := `{"id":"` + editorRole + `","value":"edit","displayName":"Editor"}`
		reader := `{"id":"` + readerRole + `","value":"read","displayName":"Reader"}`
		for n, want := range map[int][]string{1: {editor, reader}, 2: {reader}, 3: nil} {
			got, err := w.engine.AppRoles(w.Context(), upn(n), jobName)
			w.must(err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("roles of user %d (-want +got):\n%s", n, diff)
			}
		}
		if _, err := w.engine.AppRoles(w.Context(), "nobody", jobName); err == nil {
			t.Error("roles of nobody: got no error, want one")
		}
	})
}
