package entrasim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Dump returns the present state as a tenant file, everything included: also
// the secrets of the simulated applications.
func (t *Tenant) Dump() File {
	t.mu.RLock()
	defer t.mu.RUnlock()
	f := t.dumpSettings()
	f.Users = snapshots(t.users.items, active)
	f.Groups = snapshots(t.groups.items, active)
	if len(t.deleted) > 0 {
		f.DeletedUsers = snapshots(t.deleted, func(*object) bool { return true })
	}
	return f
}

func snapshots(list []*object, keep func(*object) bool) []Object {
	out := []Object{}
	for _, o := range list {
		if keep(o) {
			out = append(out, o.snapshot())
		}
	}
	return out
}

// dumpSettings writes the sections other than users and groups.
func (t *Tenant) dumpSettings() File {
	f := File{Organization: t.organization, ServicePrincipals: t.principals, DirectoryRoles: t.roles, ExtensionProperties: t.extensions.registered}
	for _, id := range t.contacts {
		if o := t.get(kindContact, id); o != nil && active(o) {
			f.Contacts = append(f.Contacts, o.snapshot())
		}
	}
	for _, a := range t.apps {
		o, err := NewObject(map[string]any{"appId": a.id, "secret": a.secret, "roles": a.roles})
		if err == nil { // texts only
			f.Applications = append(f.Applications, o)
		}
	}
	partners := make([]Object, 0, len(t.policies.partners))
	for _, id := range slices.Sorted(maps.Keys(t.policies.partners)) {
		p := t.policies.partners[id]
		if s, exists := t.policies.sync[id]; exists {
			p = p.with("identitySynchronization", s.text())
		}
		partners = append(partners, p)
	}
	list, _ := rawOf(partners) // objects of valid text
	f.Policies = Object{[]Field{
		{"authorizationPolicy", t.policies.authorization.text()},
		{"crossTenantAccess", `{"default":` + t.policies.defaults.text() + `,"partners":` + list + `}`},
	}}
	if t.policies.domains.fields != nil {
		f.Policies = f.Policies.with("invitationDomains", t.policies.domains.text())
	}
	return f
}

// settings writes the sections other than users and groups, to compare them: the
// order of properties does not count.
func (t *Tenant) settings() map[string]string {
	f := t.dumpSettings()
	text := func(list []Object) string {
		var b strings.Builder
		for _, o := range list {
			b.WriteString(sorted(o.text()))
		}
		return b.String()
	}
	return map[string]string{
		"applications": text(f.Applications), "contacts": text(f.Contacts), "directoryRoles": text(f.DirectoryRoles),
		"extensionProperties": text(f.ExtensionProperties),
		"organization":        text([]Object{f.Organization}), "policies": text([]Object{f.Policies}), "servicePrincipals": text(f.ServicePrincipals),
	}
}

// sorted writes a JSON object with its members in the order of their names.
func sorted(text string) string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return text
	}
	b, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return string(b)
}
