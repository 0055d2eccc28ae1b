package entrasim

import (
	"net/http"
	"strconv"
	"strings"
)

// listUsers answers GET /users.
func (x *call) listUsers() answer {
	l, refused := x.readList("users", userProperties)
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := t.users.items
	if l.token.Order == "" {
		all = t.users.after(l.token.After)
	}
	if l.filter != nil {
		if few, ok := l.filter.root.candidates(t); ok {
			all = sortedUnique(few)
		}
	}
	keep := func(o *object) bool { return o.kind == kindUser && active(o) && x.visible(o) }
	page, more := l.pick(all, keep)
	total := -1
	if l.token.Count && l.token.After == 0 && l.token.Offset == 0 {
		total = l.countMatching(all, keep)
	}
	return x.writeList(l, l.projection.contextOf("users"), "/users", page, more, total, false)
}

// countUsers answers GET /users/$count, an advanced query of its own.
func (x *call) countUsers() answer {
	if !strings.EqualFold(x.header.Get("ConsistencyLevel"), "eventual") {
		return *x.unsupported()
	}
	f, err := parseFilter(userProperties, "id ne null")
	if text := x.query.Get("$filter"); text != "" {
		f, err = parseFilter(userProperties, text)
	}
	if err != nil {
		return x.parseError("Invalid filter clause: %v.", err)
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	l := &listing{filter: f}
	a := ok([]byte(strconv.Itoa(l.countMatching(t.users.items, active))))
	a.header = map[string]string{"Content-Type": "text/plain"}
	return a
}

// findUser finds the user a path names; the caller holds the lock. Soft-deleted
// users, and users the replica has not heard of yet, do not exist here.
func (x *call) findUser(name string) *object {
	o := x.tenant.userByName(name)
	if o == nil || o.state != stateActive || !x.visible(o) {
		return nil
	}
	return o
}

// getUser answers GET /users/{id | userPrincipalName}.
func (x *call) getUser() answer {
	p, refused := x.compileSelect(userProperties, x.selected(), false)
	if refused != nil {
		return *refused
	}
	if e := x.query.Get("$expand"); e != "" {
		if !strings.HasPrefix(e, "manager") {
			return x.parseError("Parsing OData Select and Expand failed: '%s' cannot be expanded.", e)
		}
		p.manager = true
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	o := x.findUser(x.ids[0])
	if o == nil {
		return x.notFound(x.ids[0])
	}
	b := x.writeEntity(p, x.maybeStale(o), "users")
	if p.manager {
		b = t.appendManager(b, o)
	}
	return ok(b)
}

// maybeStale returns the object as the replica this request met knows it.
func (x *call) maybeStale(o *object) *object {
	d := x.cloud.opts.StaleReads
	if d <= 0 || o.before == nil || x.now.Sub(o.changedAt) >= d || x.cloud.random(2) == 0 {
		return o
	}
	old := *o
	old.props = o.before
	return &old
}

// writeEntity writes one object with its context.
func (x *call) writeEntity(p *projection, o *object, set string) []byte {
	b := append(make([]byte, 0, 1024), `{"@odata.context":`...)
	b = appendQuoted(b, x.contextURL(p.contextOf(set)+"/$entity"))
	return append(p.appendMembers(b, o), '}')
}

// deleteUser answers DELETE /users/{id}: into the recycle bin.
func (x *call) deleteUser() answer {
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	o := x.findUser(x.ids[0])
	if o == nil {
		return x.notFound(x.ids[0])
	}
	if a, refused := x.protected(o, true); refused {
		return a
	}
	t.softDelete(o, x.now)
	return noContent()
}

// protected refuses writes to users whom an application may not touch: members
// of a restricted management unit, and the sensitive side of role holders.
func (x *call) protected(o *object, sensitive bool) (answer, bool) {
	if o.raw("isManagementRestricted") == "true" {
		return x.restricted(), true
	}
	if sensitive && x.tenant.roleHolders[o.id] && !x.claims.grants["RoleManagement.ReadWrite.Directory"] {
		return x.denied(), true
	}
	return answer{}, false
}

// getManager answers GET /users/{id}/manager.
func (x *call) getManager() answer {
	p, refused := x.compileSelect(userProperties, x.selected(), false)
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	m, a := x.managerOf()
	if m == nil {
		return a
	}
	b := append(make([]byte, 0, 1024), `{"@odata.context":`...)
	b = appendQuoted(b, x.contextURL("directoryObjects/$entity"))
	b = append(b, `,"@odata.type":"`...)
	b = append(b, m.kind.odataType()...)
	b = append(b, '"')
	return ok(append(p.appendMembers(b, m), '}'))
}

// getManagerRef answers GET /users/{id}/manager/$ref.
func (x *call) getManagerRef() answer {
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	m, a := x.managerOf()
	if m == nil {
		return a
	}
	return ok([]byte(`{"@odata.id":` + quote(x.root+"/"+x.version+"/"+t.ID+"/directoryObjects/"+m.id) + `}`))
}

// managerOf finds the manager of the user in the path.
func (x *call) managerOf() (*object, answer) {
	o := x.findUser(x.ids[0])
	if o == nil {
		return nil, x.notFound(x.ids[0])
	}
	m := x.tenant.objects[o.manager]
	if o.manager == "" || m == nil || m.state != stateActive {
		return nil, x.fail(http.StatusNotFound, "Request_ResourceNotFound", "Resource 'manager' does not exist or one of its queried reference-property objects are not present.")
	}
	return m, answer{}
}

// putManager answers PUT /users/{id}/manager/$ref.
func (x *call) putManager() answer {
	id, refused := x.readReference()
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	o := x.findUser(x.ids[0])
	if o == nil {
		return x.notFound(x.ids[0])
	}
	if a, refused := x.protected(o, false); refused {
		return a
	}
	if o.raw("onPremisesSyncEnabled") == "true" {
		return x.externalMaster()
	}
	m := t.objects[id]
	if m == nil || m.state != stateActive || m.kind == kindGroup || !x.visible(m) {
		return x.notFound(id)
	}
	if m == o {
		return x.badRequest("A user cannot be the manager of itself.")
	}
	t.setManager(o, m.id)
	return noContent()
}

// deleteManager answers DELETE /users/{id}/manager/$ref.
func (x *call) deleteManager() answer {
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	o := x.findUser(x.ids[0])
	if o == nil {
		return x.notFound(x.ids[0])
	}
	if a, refused := x.protected(o, false); refused {
		return a
	}
	if o.raw("onPremisesSyncEnabled") == "true" {
		return x.externalMaster()
	}
	if o.manager == "" {
		return x.fail(http.StatusNotFound, "Request_ResourceNotFound", "Resource 'manager' does not exist or one of its queried reference-property objects are not present.")
	}
	t.setManager(o, "")
	return noContent()
}

// readReference reads a body {"@odata.id": "https://…/users/{id}"} and returns
// the id, in lower case.
func (x *call) readReference() (string, *answer) {
	body, refused := x.readObject()
	if refused != nil {
		return "", refused
	}
	ref := body.String("@odata.id")
	id := referencedID(ref)
	if id == "" {
		a := x.badRequest("Invalid URL format specified in payload.")
		return "", &a
	}
	return id, nil
}

// referencedID takes the object id off the end of a reference URL, "" when the
// URL is none.
func referencedID(ref string) string {
	rest, found := strings.CutPrefix(ref, "https://")
	if !found {
		if rest, found = strings.CutPrefix(ref, "http://"); !found {
			return ""
		}
	}
	path := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	if len(path) < 4 {
		return ""
	}
	set, id := path[len(path)-2], path[len(path)-1]
	switch set {
	case "users", "directoryObjects", "groups", "contacts":
		return strings.ToLower(id)
	}
	return ""
}

// readObject reads the body as one JSON object.
func (x *call) readObject() (Object, *answer) {
	if len(x.body) == 0 {
		a := x.parseError("Empty Payload. JSON content expected.")
		return Object{}, &a
	}
	if ct := x.header.Get("Content-Type"); !strings.HasPrefix(strings.ToLower(ct), "application/json") {
		a := x.parseError("A Content-Type header of application/json is required for the payload.")
		return Object{}, &a
	}
	text, err := compact(x.body)
	if err != nil {
		a := x.parseError("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
		return Object{}, &a
	}
	o, err := parseObject(text)
	if err != nil {
		a := x.parseError("Unable to read JSON request payload: %v.", err)
		return Object{}, &a
	}
	return o, nil
}
