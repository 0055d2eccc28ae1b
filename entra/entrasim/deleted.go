package entrasim

import (
	"slices"
	"strings"
)

// listDeleted answers GET /directory/deletedItems/microsoft.graph.user.
func (x *call) listDeleted() answer {
	l, refused := x.readList("deleted", userProperties)
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := sortedUnique(slices.Clone(t.deleted))
	keep := func(o *object) bool { return o.state == stateDeleted }
	page, more := l.pick(all, keep)
	total := -1
	if l.token.Count && l.token.After == 0 {
		total = l.countMatching(all, keep)
	}
	return x.writeList(l, l.projection.contextOf("users"), "/directory/deletedItems/microsoft.graph.user", page, more, total, false)
}

// findDeleted finds a user in the recycle bin. The caller holds the lock.
func (x *call) findDeleted() *object {
	o := x.tenant.get(kindUser, x.ids[0])
	if o == nil || o.state != stateDeleted {
		return nil
	}
	return o
}

// getDeleted answers GET /directory/deletedItems/{id}.
func (x *call) getDeleted() answer {
	p, refused := x.compileSelect(userProperties, x.selected(), false)
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	o := x.findDeleted()
	if o == nil {
		return x.notFound(x.ids[0])
	}
	return ok(x.writeTyped(p, o))
}

// writeTyped writes one object of a mixed set.
func (x *call) writeTyped(p *projection, o *object) []byte {
	b := append(make([]byte, 0, 1024), `{"@odata.context":`...)
	b = appendQuoted(b, x.contextURL("directoryObjects/$entity"))
	b = append(b, `,"@odata.type":"`...)
	b = append(b, o.kind.odataType()...)
	b = append(b, '"')
	return append(p.appendMembers(b, o), '}')
}

// restoreDeleted answers POST /directory/deletedItems/{id}/restore. Addresses
// that somebody else took meanwhile refuse the restore, or are given up with
// autoReconcileProxyConflict.
func (x *call) restoreDeleted() answer {
	reconcile := false
	if len(x.body) > 0 && string(x.body) != "null" {
		body, refused := x.readObject()
		if refused != nil {
			return *refused
		}
		reconcile = body.Bool("autoReconcileProxyConflict")
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	o := x.findDeleted()
	if o == nil {
		return x.notFound(x.ids[0])
	}
	if a, no := x.protected(o, true); no {
		return a
	}
	if other := t.userByName(o.text("userPrincipalName")); other != nil && other != o {
		return x.conflict("userPrincipalName", other)
	}
	var kept []string
	for _, p := range o.list("proxyAddresses") {
		other := t.proxyOwner(proxyAddress(p), o)
		if other == nil {
			kept = append(kept, p)
			continue
		}
		if !reconcile {
			return x.conflict("proxyAddresses", other)
		}
	}
	t.restore(o)
	t.set(o, []Field{{"proxyAddresses", quoteList(kept)}})
	p, _ := x.compileSelect(userProperties, nil, false)
	return ok(x.writeTyped(p, o))
}

// purgeDeleted answers DELETE /directory/deletedItems/{id}.
func (x *call) purgeDeleted() answer {
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	o := x.findDeleted()
	if o == nil {
		return x.notFound(x.ids[0])
	}
	if a, no := x.protected(o, true); no {
		return a
	}
	t.purge(o)
	return noContent()
}

// getByIDs answers POST /directoryObjects/getByIds.
func (x *call) getByIDs() answer {
	body, refused := x.readObject()
	if refused != nil {
		return *refused
	}
	ids, isList := stringList(body.Raw("ids"))
	types, _ := stringList(body.Raw("types"))
	if !isList || len(ids) == 0 || len(ids) > 1000 {
		return x.badRequest("Invalid value specified for property 'ids' of resource: 1 to 1000 object ids are expected.")
	}
	p, refused := x.compileSelect(userProperties, x.selected(), false)
	if refused != nil {
		return *refused
	}
	groups, _ := x.compileSelect(groupProperties, nil, false)
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	var items [][]byte
	for _, id := range ids {
		o := t.objects[strings.ToLower(id)]
		if o == nil || !active(o) || !x.visible(o) || len(types) > 0 && !slices.Contains(types, shortType(o.kind)) {
			continue
		}
		if o.kind == kindUser {
			items = append(items, p.appendObject(nil, o, true))
		} else {
			items = append(items, groups.appendObject(nil, o, true))
		}
	}
	return x.writeItems("directoryObjects", items, "")
}

func shortType(k objectKind) string { return strings.TrimPrefix(k.odataType(), "#microsoft.graph.") }

// writeItems writes a collection of ready-made items; next is a link or "".
func (x *call) writeItems(context string, items [][]byte, next string) answer {
	b := append(make([]byte, 0, 1024), `{"@odata.context":`...)
	b = appendQuoted(b, x.contextURL(context))
	if next != "" && x.spoiled != "dropLink" {
		b = append(b, `,"@odata.nextLink":`...)
		b = appendQuoted(b, next)
	}
	b = append(b, `,"value":[`...)
	for i, it := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, it...)
	}
	return ok(append(b, "]}"...))
}

// writeObjects writes a collection of stored objects.
func (x *call) writeObjects(context string, list []Object) answer {
	items := make([][]byte, 0, len(list))
	for _, o := range list {
		items = append(items, []byte(o.text()))
	}
	return x.writeItems(context, items, "")
}

// listProvisioning answers GET /auditLogs/provisioning: Microsoft's own
// provisioning service never ran here.
func (x *call) listProvisioning() answer {
	if !x.allowed("Directory.Read.All", "Directory.ReadWrite.All") {
		return x.denied()
	}
	return x.writeItems("auditLogs/provisioning", nil, "")
}
