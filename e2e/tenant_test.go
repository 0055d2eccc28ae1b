package e2e_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// tenantFile is a tenant file, read without the code under test.
type tenantFile struct {
	Organization struct {
		ID              string
		VerifiedDomains []struct {
			Name      string
			IsInitial bool
		}
	}
	Users        []user
	DeletedUsers []user
	Groups       []group
}

// user is a user as Graph writes it.
type user map[string]any

type group struct {
	ID, DisplayName string
	Members         []string
}

func parseTenant(t *testing.T, raw []byte) tenantFile {
	t.Helper()
	var f tenantFile
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatalf("tenant file: %v", err)
	}
	return f
}

func readTenant(t *testing.T, path string) tenantFile {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parseTenant(t, raw)
}

// text is a value of the user; what is absent or null is empty.
func (u user) text(name string) string {
	s, _ := u[name].(string)
	return s
}

func (u user) id() string { return u.text("id") }

// manager is the id of the user's manager, or empty.
func (u user) manager() string {
	m, _ := u["manager"].(map[string]any)
	return user(m).id()
}

// home is the id that the user has in the tenant it was invited from.
func (u user) home() string {
	h, _ := u["homeIdentity"].(map[string]any)
	return user(h).id()
}

// initialDomain is the one that every tenant is born with.
func (f *tenantFile) initialDomain() string {
	for _, d := range f.Organization.VerifiedDomains {
		if d.IsInitial {
			return d.Name
		}
	}
	return ""
}

// named returns the ids of groups by their names, each of which must be there.
func (f *tenantFile) named(t *testing.T, names ...string) []string {
	t.Helper()
	ids := make([]string, len(names))
	for i, name := range names {
		at := slices.IndexFunc(f.Groups, func(g group) bool { return g.DisplayName == name })
		if at < 0 {
			t.Fatalf("the tenant has no group %q", name)
		}
		ids[i] = f.Groups[at].ID
	}
	return ids
}

// everybody is a scope that all users are in.
func everybody(f *tenantFile) map[string]bool {
	all := map[string]bool{}
	for _, u := range f.Users {
		all[u.id()] = true
	}
	return all
}

// membersOf is the scope of some groups; nested also counts the members of
// groups that are members.
func membersOf(nested bool, groups ...string) func(*tenantFile) map[string]bool {
	return func(f *tenantFile) map[string]bool {
		of := map[string]bool{}
		for _, id := range groups {
			of[id] = true
		}
		if nested {
			of = closure(f, groups)
		}
		exists, found := everybody(f), map[string]bool{}
		for _, g := range f.Groups {
			for _, m := range g.Members {
				if of[g.ID] && exists[m] {
					found[m] = true
				}
			}
		}
		return found
	}
}

// closure is a set of groups with all groups inside them.
func closure(f *tenantFile, groups []string) map[string]bool {
	members := map[string][]string{}
	for _, g := range f.Groups {
		members[g.ID] = g.Members
	}
	found, open := map[string]bool{}, slices.Clone(groups)
	for len(open) > 0 {
		id := open[0]
		open = open[1:]
		if _, isGroup := members[id]; isGroup && !found[id] {
			found[id] = true
			open = append(open, members[id]...)
		}
	}
	return found
}
