package entrasim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// hiddenMembers is the visibility of a group whose members are not for everybody.
const hiddenMembers = "HiddenMembership"

// maxLinkChanges is the number of members one PATCH may add.
const maxLinkChanges = 20

// listGroups answers GET /groups.
func (x *call) listGroups() answer {
	l, refused := x.readList("groups", groupProperties)
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	page, more := l.pick(t.groups.items, active)
	total := -1
	if l.token.Count && l.token.After == 0 {
		total = l.countMatching(t.groups.items, active)
	}
	return x.writeList(l, l.projection.contextOf("groups"), "/groups", page, more, total, false)
}

// findGroup finds the group the path names. The caller holds the lock.
func (x *call) findGroup() *object {
	g := x.tenant.get(kindGroup, x.ids[0])
	if g == nil || !active(g) {
		return nil
	}
	return g
}

// getGroup answers GET /groups/{id}.
func (x *call) getGroup() answer {
	p, refused := x.compileSelect(groupProperties, x.selected(), false)
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	g := x.findGroup()
	if g == nil {
		return x.notFound(x.ids[0])
	}
	return ok(x.writeEntity(p, g, "groups"))
}

// updateGroup answers PATCH /groups/{id}: descriptive properties, and up to 20
// new members by members@odata.bind, all or nothing.
func (x *call) updateGroup() answer {
	body, refused := x.readObject()
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	g := x.findGroup()
	if g == nil {
		return x.notFound(x.ids[0])
	}
	var ids []string
	var fields []Field
	for _, f := range body.fields {
		if f.Name == "members@odata.bind" {
			if ids, refused = x.readBind(g, f.Raw); refused != nil {
				return *refused
			}
			continue
		}
		if strings.HasPrefix(f.Name, "@odata.") {
			continue
		}
		p, found := groupProperties.lookup(f.Name)
		if !found || p.access != accessWrite {
			return x.badRequest("Property '%s' cannot be set on resource 'Group'.", f.Name)
		}
		if !x.allowed("Group.ReadWrite.All") {
			return x.denied()
		}
		raw, err := checkValue(p, f.Raw)
		if err != nil {
			return x.badRequest("Invalid value specified for property '%s' of resource 'Group'. %v", f.Name, err)
		}
		fields = append(fields, Field{p.name, raw})
	}
	t.set(g, fields)
	for _, id := range ids {
		t.addMember(g, id)
	}
	return noContent()
}

// readBind validates the references of members@odata.bind.
func (x *call) readBind(g *object, raw string) ([]string, *answer) {
	refs, isList := stringList(raw)
	if !isList {
		a := x.badRequest("Invalid value specified for property 'members@odata.bind'.")
		return nil, &a
	}
	if len(refs) > maxLinkChanges {
		a := x.badRequest("A resource cannot contain more than %d link changes.", maxLinkChanges)
		return nil, &a
	}
	var ids []string
	for _, ref := range refs {
		id := referencedID(ref)
		if slices.Contains(ids, id) {
			a := x.badRequest("An object reference '%s' can only be present once.", id)
			return nil, &a
		}
		if a := x.checkMember(g, id); a != nil {
			return nil, a
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// checkMember says whether an object can become a member of a group.
func (x *call) checkMember(g *object, id string) *answer {
	o := x.tenant.objects[id]
	switch {
	case id == "":
		a := x.badRequest("Invalid URL format specified in payload.")
		return &a
	case o == nil || !active(o) || !x.visible(o):
		a := x.badRequest("The source resource object or one of the objects being referenced do not exist: '%s'.", id)
		if o == nil {
			a = x.notFound(id)
		}
		return &a
	case g.members.has(id):
		a := x.badRequest("One or more added object references already exist for the following modified properties: 'members'.")
		return &a
	case g.text("membershipRule") != "" || g.raw("onPremisesSyncEnabled") == "true":
		a := x.badRequest("Insufficient privileges to complete the operation: the members of this group are managed elsewhere.")
		return &a
	}
	return nil
}

// addMemberRef answers POST /groups/{id}/members/$ref.
func (x *call) addMemberRef() answer {
	id, refused := x.readReference()
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	g := x.findGroup()
	if g == nil {
		return x.notFound(x.ids[0])
	}
	if a := x.checkMember(g, id); a != nil {
		return *a
	}
	t.addMember(g, id)
	return noContent()
}

// removeMemberRef answers DELETE /groups/{id}/members/{id}/$ref.
func (x *call) removeMemberRef() answer {
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	g := x.findGroup()
	if g == nil {
		return x.notFound(x.ids[0])
	}
	if !t.removeMember(g, strings.ToLower(x.ids[1])) {
		return x.notFound(x.ids[1])
	}
	return noContent()
}

// mayListMembers reports whether the application sees who is in a group.
func (x *call) mayListMembers(g *object) bool {
	return g.text("visibility") != hiddenMembers || x.allowed("Member.Read.Hidden")
}

// listMembers answers GET /groups/{id}/members, with or without a cast.
func (x *call) listMembers() answer { return x.memberList(false) }

// listTransitive answers GET /groups/{id}/transitiveMembers.
func (x *call) listTransitive() answer { return x.memberList(true) }

func (x *call) memberList(transitive bool) answer {
	cast := ""
	if len(x.ids) > 1 {
		cast = x.ids[1]
		if !x.advanced() {
			return *x.unsupported() // a cast is an advanced query
		}
	}
	if x.query.Has("$filter") && !x.advanced() {
		return *x.unsupported()
	}
	l, refused := x.readList("members/"+x.ids[0], userProperties)
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	g := x.findGroup()
	if g == nil {
		return x.notFound(x.ids[0])
	}
	var all []*object
	switch {
	case !x.mayListMembers(g): // an empty list, not an error
	case transitive:
		all = t.closure(g)
	default:
		for _, id := range g.members.ids() {
			if o := t.objects[id]; o != nil {
				all = append(all, o)
			}
		}
	}
	all = sortedUnique(all)
	keep := func(o *object) bool {
		return active(o) && (cast == "" || "#"+cast == o.kind.odataType())
	}
	page, more := l.pick(all, keep)
	total := -1
	if l.token.Count && l.token.After == 0 {
		total = l.countMatching(all, keep)
	}
	path := "/groups/" + x.ids[0] + "/members"
	if transitive {
		path = "/groups/" + x.ids[0] + "/transitiveMembers"
	}
	context := "directoryObjects"
	if cast != "" {
		path += "/" + cast
		context = l.projection.contextOf(strings.TrimPrefix(cast, "microsoft.graph.") + "s")
	}
	return x.writeList(l, context, path, page, more, total, cast == "")
}

// memberOf answers GET /users/{id}/memberOf: the groups a user is in directly.
func (x *call) memberOf() answer {
	l, refused := x.readList("memberOf/"+x.ids[0], groupProperties)
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	o := x.findUser(x.ids[0])
	if o == nil {
		return x.notFound(x.ids[0])
	}
	var all []*object
	for _, g := range t.groups.items {
		if g.members.has(o.id) {
			all = append(all, g)
		}
	}
	page, more := l.pick(all, active)
	return x.writeList(l, "directoryObjects", "/users/"+o.id+"/memberOf", page, more, -1, true)
}

// listPrincipals answers GET /servicePrincipals; the one filter served is appId
// or displayName eq.
func (x *call) listPrincipals() answer {
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := slices.Clone(t.principals)
	if text := x.query.Get("$filter"); text != "" {
		name, value, found := strings.Cut(text, " eq ")
		if !found || name != "appId" && name != "displayName" {
			return *x.unsupported()
		}
		want := strings.ReplaceAll(strings.Trim(value, "'"), "''", "'")
		list = slices.DeleteFunc(list, func(o Object) bool { return !strings.EqualFold(o.String(name), want) })
	}
	for i := range list {
		list[i] = publicPrincipal(list[i])
	}
	return x.writeObjects("servicePrincipals", list)
}

// publicPrincipal hides the assignments, which are a collection of their own.
func publicPrincipal(o Object) Object {
	return Object{slices.DeleteFunc(slices.Clone(o.fields), func(f Field) bool { return f.Name == "appRoleAssignedTo" })}
}

func (x *call) findPrincipal() (Object, bool) {
	for _, o := range x.tenant.principals {
		if strings.EqualFold(o.ID(), x.ids[0]) {
			return o, true
		}
	}
	return Object{}, false
}

// getPrincipal answers GET /servicePrincipals/{id}.
func (x *call) getPrincipal() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	o, found := x.findPrincipal()
	if !found {
		return x.notFound(x.ids[0])
	}
	return ok(x.entityOf("servicePrincipals/$entity", publicPrincipal(o)))
}

// listAssignments answers GET /servicePrincipals/{id}/appRoleAssignedTo.
func (x *call) listAssignments() answer {
	top, refused := x.top()
	if refused != nil {
		return *refused
	}
	var tok listToken
	set := "assignments/" + x.ids[0]
	if raw := x.query.Get("$skiptoken"); raw != "" {
		if x.cloud.open(raw, &tok) != nil || tok.Set != set {
			return x.fail(http.StatusBadRequest, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
		}
		top = tok.Top
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	o, found := x.findPrincipal()
	if !found {
		return x.notFound(x.ids[0])
	}
	var items [][]byte
	next := ""
	_ = eachElement(o.Raw("appRoleAssignedTo"), func(i int, raw string) error { // an array, or absent
		switch {
		case i < tok.Offset:
		case len(items) == top:
			next = x.link("/servicePrincipals/"+x.ids[0]+"/appRoleAssignedTo", "$skiptoken",
				x.cloud.seal(listToken{Set: set, Tenant: t.ID, Offset: tok.Offset + top, Top: top}))
		case len(items) < top:
			items = append(items, t.assignment(o, i, raw))
		}
		return nil
	})
	return x.writeItems("appRoleAssignments", items, next)
}

// assignment completes an app role assignment of the file as Graph shows it.
func (t *Tenant) assignment(sp Object, i int, raw string) []byte {
	a, _ := parseObject(raw) // checked on load
	set := func(name, value string) {
		if a.Raw(name) == "" {
			a = a.with(name, value)
		}
	}
	if p := t.objects[strings.ToLower(a.String("principalId"))]; p != nil {
		set("principalDisplayName", orNull(p.raw("displayName")))
	}
	set("id", quote(fmt.Sprintf("%s-%d", sp.ID(), i)))
	set("resourceId", quote(sp.ID()))
	set("resourceDisplayName", orNull(sp.Raw("displayName")))
	set("appRoleId", `"00000000-0000-0000-0000-000000000000"`)
	set("principalType", `"User"`)
	return []byte(a.text())
}

func orNull(raw string) string {
	if raw == "" {
		return "null"
	}
	return raw
}

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
	p, refused := x.compileSelect(contactProperties, x.selected(), true)
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	var items [][]byte
	for _, id := range t.contacts {
		if o := t.get(kindContact, id); o != nil && active(o) {
			items = append(items, p.appendObject(nil, o, false))
		}
	}
	return x.writeItems(p.contextOf("contacts"), items, "")
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
