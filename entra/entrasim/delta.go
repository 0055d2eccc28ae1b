package entrasim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// deltaToken is the state of a delta query, in a nextLink (Round set) or in a
// deltaLink. It fixes what was selected: a change to another property does not
// surface, and does not show.
type deltaToken struct {
	Set    string    `json:"s"`
	Tenant string    `json:"t"`
	Epoch  int64     `json:"e"`
	Issued time.Time `json:"i"`
	Select []string  `json:"p,omitempty"`
	IDs    []string  `json:"f,omitempty"`

	// Base is what the client knows: changes above it are new to it.
	Base uint64 `json:"b"`
	// Round is "first" while the objects are listed, "next" while changes are.
	Round string `json:"r,omitempty"`
	// Cursor is the position in the round: an order number or a sequence number.
	Cursor uint64 `json:"c,omitempty"`
	// Member is the position in the members of the group the cursor points at,
	// plus one; 0 when no group was cut.
	Member int `json:"m,omitempty"`
	// Upto is what a first round knew when it began.
	Upto    uint64 `json:"u,omitempty"`
	Minimal bool   `json:"l,omitempty"`
	// Empty counts pages without objects, so that no two links are the same.
	Empty int `json:"n,omitempty"`
}

// maxDeltaIDs is the number of objects a delta query can be narrowed to.
const maxDeltaIDs = 50

func (x *call) usersDelta() answer { return x.delta("users", userProperties) }

func (x *call) groupsDelta() answer { return x.delta("groups", groupProperties) }

// delta answers a delta query:
// https://learn.microsoft.com/graph/delta-query-overview
func (x *call) delta(set string, s *schema) answer {
	tok, refused := x.readDelta(set, s)
	if refused != nil {
		return *refused
	}
	p, refused := x.compileSelect(s, tok.Select, true)
	if refused != nil {
		return *refused
	}
	p.id = true
	p.columns = slices.DeleteFunc(p.columns, func(c column) bool { return c.name == "id" || c.name == "deletedDateTime" })
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	if strings.EqualFold(x.query.Get("$deltatoken"), "latest") {
		tok.Base = t.log.visible(t.clock, x.cloud.opts.DeltaLag)
		return x.writeDelta(set, p, nil, "$deltatoken", tok)
	}
	d := &deltaPage{call: x, token: tok, projection: p, room: x.cloud.opts.DeltaPageSize, refs: x.cloud.opts.MemberPageSize}
	if x.pageSize > 0 {
		d.room = x.pageSize
	}
	if x.spoiled == "emptyPage" {
		d.room = 0
		d.token.Empty++
	}
	if tok.Round == "first" {
		d.first(set)
	} else {
		d.next()
	}
	d.spoil()
	if d.more {
		return x.writeDelta(set, p, d.items, "$skiptoken", d.token)
	}
	end := deltaToken{Set: set, Tenant: t.ID, Epoch: t.deltaEpoch, Select: tok.Select, IDs: tok.IDs, Base: d.upto}
	return x.writeDelta(set, p, d.items, "$deltatoken", end)
}

// readDelta reads the token of a delta query or begins a first round.
func (x *call) readDelta(set string, s *schema) (deltaToken, *answer) {
	t := x.tenant
	for _, name := range []string{"$top", "$orderby", "$expand", "$search", "$skip", "$count"} {
		if x.query.Has(name) {
			a := x.fail(http.StatusBadRequest, "Request_UnsupportedQuery", "The query option '"+name+"' is not supported by delta queries on this resource.")
			return deltaToken{}, &a
		}
	}
	raw := x.query.Get("$deltatoken")
	if raw == "" {
		raw = x.query.Get("$skiptoken")
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if raw != "" && !strings.EqualFold(raw, "latest") {
		return x.resumeDelta(set, raw)
	}
	tok := deltaToken{Set: set, Tenant: t.ID, Epoch: t.deltaEpoch, Select: x.selected(), Round: "first",
		Upto: t.log.visible(t.clock, x.cloud.opts.DeltaLag)}
	if text := x.query.Get("$filter"); text != "" {
		f, err := parseFilter(s, text)
		if err != nil {
			a := x.parseError("Invalid filter clause: %v.", err)
			return tok, &a
		}
		ids, only := f.root.idsOnly()
		if !only || len(ids) > maxDeltaIDs {
			a := x.fail(http.StatusBadRequest, "Request_UnsupportedQuery", "Delta queries can be filtered by at most 50 object ids and by nothing else.")
			return tok, &a
		}
		tok.IDs = ids
	}
	if strings.EqualFold(raw, "latest") {
		tok.Round = ""
	}
	return tok, nil
}

// resumeDelta reads a token a client sent back. The caller holds the lock.
func (x *call) resumeDelta(set, raw string) (deltaToken, *answer) {
	t := x.tenant
	var tok deltaToken
	if x.cloud.open(raw, &tok) != nil || tok.Set != set || tok.Tenant != t.ID {
		a := x.fail(http.StatusBadRequest, "Request_BadRequest", "Badly formed token.")
		if _, err := decodeOpaque(raw); err == nil { // ours by form, of another life of the tenant
			a = x.resync(set, tok)
		}
		return tok, &a
	}
	if tok.Epoch != t.deltaEpoch || x.now.Sub(tok.Issued) > x.cloud.opts.DeltaTokenLife {
		a := x.resync(set, tok)
		return tok, &a
	}
	if strings.Contains(strings.ToLower(x.header.Get("Prefer")), "return=minimal") {
		tok.Minimal = true
	}
	if tok.Round == "" {
		tok.Round, tok.Cursor = "next", tok.Base
	}
	return tok, nil
}

// resync is the answer to an expired token: start anew, here is where.
func (x *call) resync(set string, tok deltaToken) answer {
	a := x.fail(http.StatusGone, "syncStateNotFound", "The sync state generation is not found. Resync required.")
	where := x.root + "/" + x.version + "/" + set + "/delta?$deltatoken="
	if len(tok.Select) > 0 {
		where += "&$select=" + strings.Join(tok.Select, ",")
	}
	a.header = map[string]string{"Location": where}
	return a
}

// deltaPage collects the entries of one page.
type deltaPage struct {
	*call
	token      deltaToken
	projection *projection
	room       int // objects that still fit
	refs       int // member references that still fit
	items      [][]byte
	more       bool
	upto       uint64
}

// first lists the objects there are.
func (d *deltaPage) first(set string) {
	t := d.tenant
	list, cursor := &t.users, d.token.Cursor
	if set == "groups" {
		list = &t.groups
	}
	d.upto = d.token.Upto
	if d.token.Member > 0 { // the cursor's own group goes on
		cursor--
	}
	for _, o := range list.after(cursor) {
		if !active(o) || !d.wanted(o) {
			continue
		}
		if d.room <= 0 || d.refs <= 0 {
			d.more = true
			return
		}
		d.room--
		if !d.write(o, true) {
			d.token.Cursor = o.order
			d.more = true
			return
		}
		d.token.Cursor = o.order
	}
	if d.spoiled == "tombstones" {
		for _, o := range t.deleted {
			if set == "users" && d.wanted(o) {
				d.items = append(d.items, tombstone(o))
			}
		}
	}
}

// next lists what changed since the base. It runs up to the present of the page,
// not of the round: an object that changes again while the round is on comes
// again, with all its changes since the base.
func (d *deltaPage) next() {
	t := d.tenant
	limit := t.log.visible(t.clock, d.cloud.opts.DeltaLag)
	d.upto = max(limit, d.token.Base)
	cursor := d.token.Cursor
	if d.token.Member > 0 {
		cursor--
	}
	for _, e := range t.log.after(cursor) {
		if e.seq > limit {
			break
		}
		if e.seq != e.o.seq && e.o.seq <= limit || !d.wanted(e.o) || !d.concerns(e.o) {
			continue // a later entry of this round stands for it, or it is none of the client's business
		}
		if d.room <= 0 || d.refs <= 0 {
			d.more = true
			return
		}
		d.room--
		if !d.write(e.o, false) {
			d.token.Cursor = e.seq
			d.more = true
			return
		}
		d.token.Cursor = e.seq
	}
}

// wanted applies the kind and the id filter.
func (d *deltaPage) wanted(o *object) bool {
	if (d.token.Set == "groups") != (o.kind == kindGroup) || o.kind == kindContact {
		return false
	}
	return len(d.token.IDs) == 0 || slices.Contains(d.token.IDs, o.id)
}

// concerns reports whether anything the client selected changed since its base.
func (d *deltaPage) concerns(o *object) bool {
	base := d.token.Base
	if o.goneSeq > base || o.fullSeq > base {
		return true
	}
	if o.state != stateActive {
		return false
	}
	props := o.props
	for _, c := range d.projection.columns {
		for len(props) > 0 && props[0].name < c.name {
			props = props[1:]
		}
		if len(props) > 0 && props[0].name == c.name && props[0].seq > base {
			return true
		}
	}
	if d.projection.manager && o.managerSeq > base {
		return true
	}
	if d.projection.members && d.mayListMembers(o) {
		return slices.ContainsFunc(o.members.list, func(m membership) bool { return m.seq > base })
	}
	return false
}

// write appends one object; false means that its members go on on the next page.
func (d *deltaPage) write(o *object, first bool) bool {
	if o.state != stateActive {
		d.items = append(d.items, tombstone(o))
		return true
	}
	base := d.token.Base
	full := first || o.fullSeq > base
	b := append(make([]byte, 0, 512), `{"id":`...)
	b = appendQuoted(b, o.id)
	props := o.props
	for _, c := range d.projection.columns {
		for len(props) > 0 && props[0].name < c.name {
			props = props[1:]
		}
		if len(props) == 0 || props[0].name != c.name {
			continue // never had a value
		}
		if d.token.Minimal && !full && props[0].seq <= base {
			continue
		}
		b = append(b, ',')
		b = append(b, c.key...)
		if isNull(props[0].raw) {
			b = append(b, c.empty...)
			continue
		}
		b = append(b, props[0].raw...)
	}
	if d.projection.manager && o.kind == kindUser && (full && o.manager != "" || o.managerSeq > base) {
		b = d.appendManagerDelta(b, o, full)
	}
	done := true
	if d.projection.members && o.kind == kindGroup && d.mayListMembers(o) {
		b, done = d.appendMembersDelta(b, o, full, first)
	}
	d.items = append(d.items, append(b, '}'))
	return done
}

// appendManagerDelta writes the change of a manager: the former one removed, the
// present one added.
func (d *deltaPage) appendManagerDelta(b []byte, o *object, full bool) []byte {
	var refs []membership
	if !full && o.oldManager != "" && o.oldManager != o.manager {
		refs = append(refs, membership{id: o.oldManager, removed: true})
	}
	if o.manager != "" {
		refs = append(refs, membership{id: o.manager})
	}
	return d.appendReferences(append(b, `,"manager@delta":[`...), refs)
}

// appendMembersDelta writes the slice of a group's membership that still fits. A
// group that is new since the base may have been told before, by a list of what
// there was that ran ahead of its own link: who left it since is told all the same.
func (d *deltaPage) appendMembersDelta(b []byte, o *object, full, first bool) (out []byte, done bool) {
	var refs []membership
	from := 0
	if d.token.Member > 0 {
		from = d.token.Member - 1
		d.token.Member = 0
	}
	for i := from; i < len(o.members.list); i++ {
		m := o.members.list[i]
		if first && m.removed || m.seq <= d.token.Base && (!full || m.removed) {
			continue
		}
		if d.refs <= 0 {
			d.token.Member = i + 1
			break
		}
		d.refs--
		refs = append(refs, m)
	}
	if len(refs) > 0 {
		b = d.appendReferences(append(b, `,"members@delta":[`...), refs)
	}
	return b, d.token.Member == 0
}

func (d *deltaPage) appendReferences(b []byte, refs []membership) []byte {
	for i, m := range refs {
		if i > 0 {
			b = append(b, ',')
		}
		kind := kindUser
		if o := d.tenant.objects[m.id]; o != nil {
			kind = o.kind
		}
		b = append(b, `{"@odata.type":"`...)
		b = append(b, kind.odataType()...)
		b = append(b, `","id":`...)
		b = appendQuoted(b, m.id)
		if m.removed {
			b = append(b, `,"@removed":{"reason":"deleted"}`...)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// tombstone writes an object that is gone: changed can be restored, deleted cannot.
func tombstone(o *object) []byte {
	reason := "changed"
	if o.state == statePurged || o.kind == kindGroup {
		reason = "deleted"
	}
	b := append([]byte(`{"id":`), quote(o.id)...)
	return append(b, `,"@removed":{"reason":"`+reason+`"}}`...)
}

// spoil plays the faults of a round: nothing here breaks the promise that every
// change comes at least once.
func (d *deltaPage) spoil() {
	switch d.spoiled {
	case "duplicate":
		d.items = append(d.items, d.items...)
	case "replay":
		n := 0
		for _, e := range d.tenant.log.after(0) {
			if n < 10 && e.seq <= d.token.Base && e.o.seq == e.seq && d.wanted(e.o) && active(e.o) {
				d.items = append(d.items, nil)
				saved := d.items
				d.items = nil
				d.write(e.o, true)
				saved[len(saved)-1] = d.items[0]
				d.items = saved
				n++
			}
		}
	case "shuffle":
		d.cloud.shuffle(d.items)
	}
}

// writeDelta writes one page and its link.
func (x *call) writeDelta(set string, p *projection, items [][]byte, option string, tok deltaToken) answer {
	tok.Issued = x.now
	size := 512
	for _, it := range items {
		size += len(it) + 1
	}
	b := append(make([]byte, 0, size), `{"@odata.context":`...)
	b = appendQuoted(b, x.contextURL(p.contextOf(set)))
	name := "@odata.nextLink"
	if option == "$deltatoken" {
		name = "@odata.deltaLink"
	}
	if x.spoiled != "dropLink" {
		b = append(b, `,"`+name+`":`...)
		token := x.cloud.seal(tok)
		if x.spoiled == "sameLink" && option == "$skiptoken" && x.query.Has(option) {
			token = x.query.Get(option)
		}
		b = appendQuoted(b, x.link("/"+set+"/delta", option, token))
	}
	b = append(b, `,"value":[`...)
	for i, it := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, it...)
	}
	a := ok(append(b, "]}"...))
	if tok.Minimal {
		a.header = map[string]string{"Preference-Applied": "return=minimal"}
	}
	return a
}
