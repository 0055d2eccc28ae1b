package entrasim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// listPrincipals answers GET /servicePrincipals. The filters served are eq on
// appId, applicationTemplateId and displayName, and startswith on displayName.
func (x *call) listPrincipals() answer {
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := slices.Clone(t.principals)
	if text := x.query.Get("$filter"); text != "" {
		matches := principalFilter(text)
		if matches == nil {
			return *x.unsupported()
		}
		list = slices.DeleteFunc(list, func(o Object) bool { return !matches(o) })
	}
	for i := range list {
		list[i] = publicPrincipal(list[i])
	}
	return x.writeObjects("servicePrincipals", list)
}

// principalFilter reads a filter on service principals; nil when it is none of
// those served.
func principalFilter(text string) func(Object) bool {
	if len(text) > len(startsWith) && strings.EqualFold(text[:len(startsWith)], startsWith) {
		name, value, _ := strings.Cut(strings.TrimSuffix(text[len(startsWith):], ")"), ",")
		if name != "displayName" {
			return nil
		}
		want := strings.ToLower(filterText(value))
		return func(o Object) bool { return strings.HasPrefix(strings.ToLower(o.String(name)), want) }
	}
	name, value, found := strings.Cut(text, " eq ")
	if !found || name != "appId" && name != "displayName" && name != "applicationTemplateId" {
		return nil
	}
	want := filterText(value)
	return func(o Object) bool { return strings.EqualFold(o.String(name), want) }
}

const startsWith = "startswith("

// filterText reads a text literal of a filter.
func filterText(literal string) string {
	s := strings.TrimSpace(literal)
	s = strings.TrimSuffix(strings.TrimPrefix(s, "'"), "'")
	return strings.ReplaceAll(s, "''", "'")
}

// publicPrincipal hides the assignments and the synchronization, which are
// collections of their own.
func publicPrincipal(o Object) Object {
	return Object{slices.DeleteFunc(slices.Clone(o.fields), func(f Field) bool {
		return f.Name == "appRoleAssignedTo" || f.Name == "synchronization"
	})}
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
