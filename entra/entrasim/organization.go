package entrasim

import (
	"slices"
	"strconv"
	"strings"
)

// shownOrganization is the organization as the caller's permission shows it.
func (x *call) shownOrganization() Object {
	names := []string{"id", "displayName", "verifiedDomains"} // what User.Read.All sees
	if x.allowed("Organization.Read.All") {
		names = nil
		for _, f := range x.tenant.organization.fields {
			names = append(names, f.Name)
		}
		for _, name := range []string{"tenantType", "onPremisesSyncEnabled"} {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if sel := x.selected(); len(sel) > 0 {
		names = slices.DeleteFunc(sel, func(name string) bool {
			return !slices.Contains(names, name) && x.tenant.organization.Raw(name) != ""
		})
	}
	var o Object
	for _, name := range names {
		raw := x.tenant.organization.Raw(name)
		if raw == "" && name == "tenantType" {
			raw = `"AAD"`
		}
		o = o.with(name, orNull(raw))
	}
	return o
}

func (x *call) listOrganization() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	return x.writeObjects("organization", []Object{x.shownOrganization()})
}

func (x *call) getOrganization() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	if !strings.EqualFold(x.ids[0], x.tenant.ID) {
		return x.notFound(x.ids[0])
	}
	return ok(x.entityOf("organization/$entity", x.shownOrganization()))
}

// listDomains answers GET /domains.
func (x *call) listDomains() answer {
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	var items [][]byte
	_ = eachElement(t.organization.Raw("verifiedDomains"), func(_ int, raw string) error { // checked on load
		items = append(items, []byte(`{"id":`+quote(memberString(raw, "name"))+`,"isDefault":`+orFalse(member(raw, "isDefault"))+
			`,"isInitial":`+orFalse(member(raw, "isInitial"))+`,"isVerified":true}`))
		return nil
	})
	return x.writeItems("domains", items, "")
}

func orFalse(raw string) string {
	return strconv.FormatBool(raw == "true")
}

// listContacts answers GET /contacts.
func (x *call) listContacts() answer {
	l, refused := x.readList("contacts", contactProperties)
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := make([]*object, 0, len(t.contacts))
	for _, id := range t.contacts {
		if o := t.get(kindContact, id); o != nil {
			all = append(all, o)
		}
	}
	all = sortedUnique(all)
	page, more := l.pick(all, active)
	total := -1
	if l.token.Count && l.token.After == 0 {
		total = l.countMatching(all, active)
	}
	return x.writeList(l, l.projection.contextOf("contacts"), "/contacts", page, more, total, false)
}

// listRoles answers GET /directoryRoles.
func (x *call) listRoles() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	list := slices.Clone(x.tenant.roles)
	for i := range list {
		list[i] = Object{slices.DeleteFunc(slices.Clone(list[i].fields), func(f Field) bool { return f.Name == "members" })}
	}
	return x.writeObjects("directoryRoles", list)
}

// listRoleMembers answers GET /directoryRoles/{id}/members.
func (x *call) listRoleMembers() answer {
	p, refused := x.compileSelect(userProperties, x.selected(), true)
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, r := range t.roles {
		if !strings.EqualFold(r.ID(), x.ids[0]) {
			continue
		}
		var items [][]byte
		for _, id := range r.Strings("members") {
			if o := t.get(kindUser, id); o != nil && active(o) {
				items = append(items, p.appendObject(nil, o, true))
			}
		}
		return x.writeItems("directoryObjects", items, "")
	}
	return x.notFound(x.ids[0])
}
