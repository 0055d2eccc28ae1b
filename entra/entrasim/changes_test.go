package entrasim_test

import (
	"reflect"
	"strings"
	"testing"

	"tenantsync/entra/entrasim"
)

// A tenant counts every change of its users and groups, and nothing else.
func TestChanges(t *testing.T) {
	file, err := entrasim.ParseFile(strings.NewReader(`{"organization": {"id": "11111111-1111-4111-8111-111111111111", "displayName": "Contoso",
		"verifiedDomains": [{"name": "contoso.onmicrosoft.com", "isInitial": true}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := entrasim.New(entrasim.Options{Seed: 1}).AddTenant("contoso", file)
	if err != nil {
		t.Fatal(err)
	}
	const user, boss, group = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002", "bbbbbbbb-0000-4000-8000-000000000001"
	create := func(id, name string) error {
		_, err := tenant.CreateUser(map[string]any{"id": id, "userPrincipalName": name + "@contoso.onmicrosoft.com", "displayName": name})
		return err
	}
	type picture struct{ users, deleted, groups []entrasim.Object }
	look := func() picture { return picture{tenant.Users(), tenant.DeletedUsers(), tenant.Groups()} }
	for _, c := range []struct {
		name string
		act  func() error
	}{
		{"create", func() error { return create(user, "ada") }},
		{"create another", func() error { return create(boss, "bo") }},
		{"update", func() error { return tenant.Update(user, map[string]any{"department": "Legal"}) }},
		{"the same again", func() error { return tenant.Update(user, map[string]any{"department": "Legal"}) }},
		{"manager", func() error { return tenant.SetManager(user, boss) }},
		{"create a group", func() error {
			_, err := tenant.CreateGroup(map[string]any{"id": group, "displayName": "All"})
			return err
		}},
		{"join", func() error { return tenant.AddMember(group, user) }},
		{"leave", func() error { return tenant.RemoveMember(group, user) }},
		{"delete", func() error { return tenant.Delete(user) }},
		{"restore", func() error { return tenant.Restore(user) }},
		{"purge", func() error { return tenant.Purge(boss) }},
		{"delete the group", func() error { return tenant.DeleteGroup(group) }},
		{"nothing", func() error { return nil }},
	} {
		before, count := look(), tenant.Changes()
		if err := c.act(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		changed := !reflect.DeepEqual(look(), before)
		if got := tenant.Changes() != count; got != changed {
			t.Errorf("%s: counted as a change: got %v, want %v", c.name, got, changed)
		}
	}
}
