package entrasim

import (
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// listing is one list query after reading its options.
type listing struct {
	token      listToken
	projection *projection
	filter     *filter
}

// readList reads the options of a list query, or the token that carries them
// over to the next page.
func (x *call) readList(set string, s *schema) (*listing, *answer) {
	l := &listing{}
	if raw := x.query.Get("$skiptoken"); raw != "" {
		if x.cloud.open(raw, &l.token) != nil || l.token.Set != set || l.token.Tenant != x.tenant.ID {
			a := x.fail(http.StatusBadRequest, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
			return nil, &a
		}
	} else {
		top, refused := x.top()
		if refused != nil {
			return nil, refused
		}
		l.token = listToken{
			Set: set, Tenant: x.tenant.ID, Top: top, Select: x.selected(), Filter: x.query.Get("$filter"),
			Order: x.query.Get("$orderby"), Expand: x.query.Get("$expand"), Count: x.query.Get("$count") == "true",
		}
		if l.token.Count && !x.advanced() {
			l.token.Count = false // Graph ignores $count without the header
		}
		if x.query.Has("$search") || l.token.Order != "" && l.token.Filter != "" && !x.advanced() {
			return nil, x.unsupported()
		}
		if x.query.Has("$skip") {
			a := x.parseError("'$skip' is not supported by the service.")
			return nil, &a
		}
	}
	var refused *answer
	if l.projection, refused = x.compileSelect(s, l.token.Select, true); refused != nil {
		return nil, refused
	}
	if l.token.Expand != "" {
		if s != userProperties || !strings.HasPrefix(l.token.Expand, "manager") {
			a := x.parseError("Parsing OData Select and Expand failed: '%s' cannot be expanded.", l.token.Expand)
			return nil, &a
		}
		l.projection.manager = true
	}
	if l.filter, refused = x.compileFilter(s, l.token.Filter); refused != nil {
		return nil, refused
	}
	return l, nil
}

// compileFilter reads a $filter and holds it to the rules of advanced queries:
// https://learn.microsoft.com/graph/aad-advanced-queries
func (x *call) compileFilter(s *schema, text string) (*filter, *answer) {
	if text == "" {
		return nil, nil
	}
	f, err := parseFilter(s, text)
	if err != nil {
		a := x.parseError("Invalid filter clause: %v.", err)
		return nil, &a
	}
	if f.advanced && !x.advanced() && !x.query.Has("$skiptoken") {
		return nil, x.unsupported()
	}
	return f, nil
}

// pick returns the next page of matching objects, and whether more follow.
// source yields the objects of the set in their order; keep drops some.
func (l *listing) pick(all []*object, keep func(*object) bool) (page []*object, more bool) {
	if l.token.Order != "" {
		return l.pickOrdered(all, keep)
	}
	for _, o := range all {
		if o.order <= l.token.After || !keep(o) || l.filter != nil && !l.filter.root.matches(o) {
			continue
		}
		if len(page) == l.token.Top {
			return page, true
		}
		page = append(page, o)
	}
	return page, false
}

// pickOrdered sorts the whole set by the $orderby property first.
func (l *listing) pickOrdered(all []*object, keep func(*object) bool) (page []*object, more bool) {
	var matching []*object
	for _, o := range all {
		if keep(o) && (l.filter == nil || l.filter.root.matches(o)) {
			matching = append(matching, o)
		}
	}
	name, direction, _ := strings.Cut(l.token.Order, " ")
	sort.SliceStable(matching, func(i, j int) bool {
		a, b := strings.ToLower(matching[i].text(name)), strings.ToLower(matching[j].text(name))
		if strings.TrimSpace(direction) == "desc" {
			return a > b
		}
		return a < b
	})
	from := min(l.token.Offset, len(matching))
	to := min(from+l.token.Top, len(matching))
	return matching[from:to], to < len(matching)
}

// next is the token of the page after this one.
func (l *listing) next(page []*object) listToken {
	t := l.token
	if t.Order != "" {
		t.Offset += len(page)
	} else if len(page) > 0 {
		t.After = page[len(page)-1].order
	}
	return t
}

// writeList answers one page. total is the number of all matching objects, -1
// when it was not asked for.
func (x *call) writeList(l *listing, context, path string, page []*object, more bool, total int, typed bool) answer {
	b := make([]byte, 0, 256+len(page)*(64+len(l.projection.columns)*32))
	b = append(b, `{"@odata.context":`...)
	b = appendQuoted(b, x.contextURL(context))
	if total >= 0 {
		b = append(b, `,"@odata.count":`...)
		b = strconv.AppendInt(b, int64(total), 10)
	}
	if more && x.spoiled != "dropLink" {
		b = append(b, `,"@odata.nextLink":`...)
		token := x.cloud.seal(l.next(page))
		if x.spoiled == "sameLink" && x.query.Has("$skiptoken") {
			token = x.query.Get("$skiptoken")
		}
		b = appendQuoted(b, x.link(path, "$skiptoken", token))
	}
	b = append(b, `,"value":[`...)
	for i, o := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = l.projection.appendObject(b, o, typed)
		if l.projection.manager && o.kind == kindUser {
			b = x.tenant.appendManager(b, o)
		}
	}
	return ok(append(b, "]}"...))
}

// appendManager puts the expanded manager into an object just written.
func (t *Tenant) appendManager(dst []byte, o *object) []byte {
	m := t.objects[o.manager]
	if o.manager == "" || m == nil || m.state != stateActive {
		return dst
	}
	dst = dst[:len(dst)-1]
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, `"manager":{"@odata.type":"`...)
	dst = append(dst, m.kind.odataType()...)
	dst = append(dst, `","id":`...)
	dst = appendQuoted(dst, m.id)
	return append(dst, "}}"...)
}

// active keeps what queries show.
func active(o *object) bool { return o.state == stateActive }

// visible reports whether the replica this request met knows the object.
func (x *call) visible(o *object) bool {
	if x.cloud.opts.ReplicationDelay <= 0 || o.delay == nil {
		return true
	}
	if x.replica < 0 {
		x.replica = x.cloud.random(x.cloud.opts.Replicas)
	}
	return x.now.Sub(o.born) >= o.delay[x.replica]
}

// replicate gives a new object its delay on every replica.
func (x *call) replicate(o *object) {
	d := x.cloud.opts.ReplicationDelay
	if d <= 0 {
		return
	}
	o.delay = make([]time.Duration, x.cloud.opts.Replicas)
	for i := range o.delay {
		o.delay[i] = d
		if len(o.delay) > 1 {
			o.delay[i] = time.Duration(x.cloud.randomFloat() * float64(d))
		}
	}
}

// countMatching counts what a list would show in all.
func (l *listing) countMatching(all []*object, keep func(*object) bool) int {
	n := 0
	for _, o := range all {
		if keep(o) && (l.filter == nil || l.filter.root.matches(o)) {
			n++
		}
	}
	return n
}

// sortedUnique brings index hits into list order.
func sortedUnique(list []*object) []*object {
	slices.SortFunc(list, func(a, b *object) int { return int(int64(a.order) - int64(b.order)) })
	return slices.Compact(list)
}
