package entrasim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Field is one property of an [Object]: its Graph name and its value as compact
// JSON text.
type Field struct {
	Name string
	Raw  string
}

// Object is a directory object in the shape Graph v1.0 writes it. It is an
// immutable value: it may be shared between goroutines.
type Object struct {
	fields []Field
}

// NewObject builds an Object from Go values: strings, booleans, numbers,
// []string, maps and whatever else encoding/json writes; nil is JSON null.
func NewObject(properties map[string]any) (Object, error) {
	var o Object
	for name, v := range properties {
		raw, err := rawOf(v)
		if err != nil {
			return Object{}, fmt.Errorf("property %q: %w", name, err)
		}
		o.fields = append(o.fields, Field{Name: name, Raw: raw})
	}
	slices.SortFunc(o.fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return o, nil
}

// Fields returns the properties in their order. The slice must not be changed.
func (o Object) Fields() []Field { return o.fields }

// Raw returns a property as JSON text, "" when the object does not have it.
func (o Object) Raw(name string) string {
	for _, f := range o.fields {
		if f.Name == name {
			return f.Raw
		}
	}
	return ""
}

// String returns a text property, "" when it is absent, null or not a text.
func (o Object) String(name string) string {
	s, _ := unquote(o.Raw(name))
	return s
}

// Strings returns a collection of texts, nil when it is absent or something else.
func (o Object) Strings(name string) []string {
	list, _ := stringList(o.Raw(name))
	return list
}

// Bool returns a Boolean property, false when it is absent, null or not one.
func (o Object) Bool(name string) bool { return o.Raw(name) == "true" }

// ID returns the object's id.
func (o Object) ID() string { return o.String("id") }

// Map decodes the object as encoding/json would.
func (o Object) Map() map[string]any {
	m := make(map[string]any, len(o.fields))
	for _, f := range o.fields {
		var v any
		if json.Unmarshal([]byte(f.Raw), &v) == nil {
			m[f.Name] = v
		}
	}
	return m
}

// MarshalJSON writes the properties in their order.
func (o Object) MarshalJSON() ([]byte, error) { return []byte(o.text()), nil }

// UnmarshalJSON reads a JSON object; a repeated property is an error.
func (o *Object) UnmarshalJSON(src []byte) error {
	s, err := compact(src)
	if err != nil {
		return err
	}
	parsed, err := parseObject(s)
	if err != nil {
		return err
	}
	*o = parsed
	return nil
}

func (o Object) text() string {
	b := []byte{'{'}
	for i, f := range o.fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, f.Name)
		b = append(b, ':')
		b = append(b, f.Raw...)
	}
	return string(append(b, '}'))
}

// with returns a copy of the object with one property set.
func (o Object) with(name, raw string) Object {
	fields := slices.Clone(o.fields)
	for i := range fields {
		if fields[i].Name == name {
			fields[i].Raw = raw
			return Object{fields}
		}
	}
	return Object{append(fields, Field{name, raw})}
}

// parseObject reads compact JSON text.
func parseObject(s string) (Object, error) {
	o := Object{fields: make([]Field, 0, 16)}
	err := eachMember(s, func(key, raw string) error {
		for _, f := range o.fields {
			if f.Name == key {
				return fmt.Errorf("%q occurs twice", key)
			}
		}
		o.fields = append(o.fields, Field{Name: key, Raw: raw})
		return nil
	})
	return o, err
}

// objectKind says what a directory object is.
type objectKind uint8

const (
	kindUser objectKind = iota
	kindGroup
	kindContact
)

// odataType is the type name Graph writes into mixed collections.
func (k objectKind) odataType() string {
	switch k {
	case kindGroup:
		return "#microsoft.graph.group"
	case kindContact:
		return "#microsoft.graph.orgContact"
	default:
		return "#microsoft.graph.user"
	}
}

// objectState is where an object stands in its life.
type objectState uint8

const (
	stateActive  objectState = iota
	stateDeleted             // soft-deleted: restorable for 30 days
	statePurged              // gone; kept as a tombstone for delta queries
)

// prop is one stored property and the sequence number of its last change.
// Raw "null" says that the property had a value once; a property that never had
// one is not stored.
type prop struct {
	name string
	raw  string
	seq  uint64
}

// object is a user, group or contact of one tenant. It is guarded by the
// tenant's lock.
type object struct {
	kind  objectKind
	state objectState
	id    string
	props []prop // by name

	order   uint64 // position in lists, never reused
	seq     uint64 // last change of any kind
	fullSeq uint64 // creation or restore: from here on delta reports all of it
	goneSeq uint64 // soft delete or purge

	deletedAt time.Time
	born      time.Time // replication is counted from here
	delay     []time.Duration

	manager    string // id, users only
	oldManager string
	managerSeq uint64

	before    []prop // what stale reads show, kept only where there are some
	changedAt time.Time

	members *memberSet // groups only
}

// raw returns a stored property, "" when it never had a value.
func (o *object) raw(name string) string {
	if i, ok := o.find(name); ok {
		return o.props[i].raw
	}
	return ""
}

func (o *object) find(name string) (int, bool) {
	lo, hi := 0, len(o.props)
	for lo < hi {
		mid := (lo + hi) / 2
		if o.props[mid].name < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(o.props) && o.props[lo].name == name
}

// text returns a stored text property, "" when there is none.
func (o *object) text(name string) string {
	s, _ := unquote(o.raw(name))
	return s
}

// list returns a stored collection of texts.
func (o *object) list(name string) []string {
	l, _ := stringList(o.raw(name))
	return l
}

// put stores a property without touching indexes or the change log.
func (o *object) put(name, raw string, seq uint64) {
	i, ok := o.find(name)
	if ok {
		o.props[i].raw, o.props[i].seq = raw, seq
		return
	}
	o.props = slices.Insert(o.props, i, prop{name: name, raw: raw, seq: seq})
}

// drop forgets a property as if it had never had a value.
func (o *object) drop(name string) {
	if i, ok := o.find(name); ok {
		o.props = slices.Delete(o.props, i, i+1)
	}
}

// external reports whether a user's home is another tenant or no tenant at all.
func (o *object) external() bool {
	return !isNull(o.raw("externalUserState")) || o.text("creationType") == "Invitation" ||
		strings.Contains(o.text("userPrincipalName"), "#EXT#")
}

// addresses returns the distinct addresses of an object in lower case: logon
// name, mail, other mails and proxy addresses without their prefix.
func (o *object) addresses() []string {
	var out []string
	add := func(a string) {
		a = strings.ToLower(a)
		if a != "" && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	add(o.text("userPrincipalName"))
	add(o.text("mail"))
	for _, a := range o.list("otherMails") {
		add(a)
	}
	for _, p := range o.list("proxyAddresses") {
		add(proxyAddress(p))
	}
	return out
}

// indexKeys are what an object is found by: its addresses and its home account.
func (o *object) indexKeys() []string {
	keys := o.addresses()
	if raw := o.raw("homeIdentity"); !isNull(raw) {
		keys = append(keys, homeKey(memberString(raw, "tenantId"), memberString(raw, "id")))
	}
	return keys
}

// homeKey is the index key of a home account; no address begins like it.
func homeKey(tenantID, userID string) string {
	return "home " + strings.ToLower(tenantID) + "/" + strings.ToLower(userID)
}

// proxyAddress strips the prefix of an SMTP proxy address; other kinds give "".
func proxyAddress(p string) string {
	if len(p) > 5 && strings.EqualFold(p[:5], "smtp:") {
		return p[5:]
	}
	return ""
}

// holdsProxy reports whether the object owns an address in the sense of the
// tenant-wide uniqueness rule: as a proxy address, or as mail without proxies.
func (o *object) holdsProxy(address string) bool {
	proxies := o.list("proxyAddresses")
	for _, p := range proxies {
		if strings.EqualFold(proxyAddress(p), address) {
			return true
		}
	}
	return len(proxies) == 0 && strings.EqualFold(o.text("mail"), address)
}

// snapshot copies the object in Graph's shape, id first.
func (o *object) snapshot() Object {
	out := Object{fields: make([]Field, 0, len(o.props)+3)}
	out.fields = append(out.fields, Field{"id", quote(o.id)})
	for _, p := range o.props {
		if p.name != "id" {
			out.fields = append(out.fields, Field{p.name, p.raw})
		}
	}
	if o.manager != "" {
		out.fields = append(out.fields, Field{"manager", `{"id":` + quote(o.manager) + `}`})
	}
	if o.members != nil {
		out.fields = append(out.fields, Field{"members", quoteList(o.members.ids())})
	}
	return out
}
