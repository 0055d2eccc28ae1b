package engine_test

import (
	"strings"
	"testing"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/scope"
)

// A check looks at the groups that filters ask for as at those that assign.
func TestCheckCoversTheGroupsOfFilters(t *testing.T) {
	f, problems := scope.Compile([]scope.Group{{Clauses: []scope.Clause{memberOf(scope.Equals, 1)}}})
	if f == nil {
		t.Fatal(problems)
	}
	for _, tt := range []struct {
		name, want string
		spoil      func(*checkWorld)
		texts      []string
	}{
		{"readable", "", func(w *checkWorld) { w.source.groups[groupID(1)] = directory.Group{ID: groupID(1)} }, []string{"1 group and the members can be read"}},
		{"gone", "warning contoso scope groups\n", func(*checkWorld) {}, []string{"the deletes of its members are held", "take the clause out of scope.filters"}},
		{"hidden", "failure contoso scope groups\n", func(w *checkWorld) {
			w.source.groups[groupID(1)] = directory.Group{ID: groupID(1), HiddenMembership: true}
		}, []string{"Member.Read.Hidden", "take the clause out of scope.filters"}},
		{"permission missing", "failure contoso permissions\n", func(w *checkWorld) {
			w.source.groups[groupID(1)] = directory.Group{ID: groupID(1)}
			w.source.roles = without(w.source.roles, "GroupMember.Read.All")
		}, []string{"GroupMember.Read.All", "read the members of the groups that filters ask for"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := goodWorld()
			w.source.roles = append(w.source.roles, "GroupMember.Read.All")
			w.subject.Job.Scope.Filter = f
			tt.spoil(w)
			checks := w.run(t)
			if got := told(checks); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			var said strings.Builder
			for _, c := range checks {
				said.WriteString(c.Detail + "\n" + c.Action + "\n")
			}
			for _, text := range tt.texts {
				if !strings.Contains(said.String(), text) {
					t.Errorf("%q is not said in:\n%s", text, said.String())
				}
			}
		})
	}
	job := engine.Job{Scope: engine.Scope{All: true, Filter: f}}
	if got, want := permissionNames(engine.SourcePermissions(&job)), "GroupMember.Read.All Organization.Read.All Policy.Read.All User.Read.All"; got != want {
		t.Errorf("permissions: got %s, want %s", got, want)
	}
}
