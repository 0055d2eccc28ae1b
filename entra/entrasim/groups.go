package entrasim

import (
	"slices"
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
