package directory

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"unique"
)

// ErrEncoding says that bytes are not what [AppendAttributes] or [AppendObject] wrote.
var ErrEncoding = errors.New("malformed directory encoding")

// The encoding, all numbers being unsigned varints unless said otherwise:
//
//	text       0 and the 16 bytes of a canonical GUID, or length+1 and the bytes
//	value      one byte (the tags below) and what the tag says
//	attribute  one byte: the code of a well-known name, or 0 and the name as text; a value
//	attributes sizes, count, attributes
//	object     sizes, id, removal, identities+1 (0: not read), identities, count, attributes
//	sizes      bytes of all texts when decoded, members of all lists
//
// The sizes let a decoder make room once. They are hints: a wrong one costs an
// allocation, never a wrong result.
const (
	tagAbsent = iota
	tagNull
	tagFalse
	tagTrue
	tagInt  // zigzag varint
	tagText // text
	tagRef  // text
	tagList // count, texts
)

// smallest number of bytes that one attribute or list member takes: bounds what
// a count may promise.
const (
	minAttribute = 2
	minMember    = 1
)

// AppendAttributes appends the encoding of a set to b. Well-known names take
// one byte, canonical GUIDs sixteen and one.
func AppendAttributes(b []byte, a Attributes) []byte {
	var s sizes
	s.addAttributes(a)
	return appendAttributes(s.append(b), a)
}

// DecodeAttributes reads a set from the front of b and returns what follows it.
// The result shares no memory with b. Names are sorted again if they were not.
// An error is [ErrEncoding].
func DecodeAttributes(b []byte) (a Attributes, rest []byte, err error) {
	d := decoder{b: b}
	d.begin()
	a = d.attributes()
	return a, d.b, d.err
}

// AppendObject appends the encoding of an object to b.
func AppendObject(b []byte, o *Object) []byte {
	var s sizes
	s.addText(o.ID)
	s.addText(string(o.Removed))
	for i := range o.Identities {
		id := &o.Identities[i]
		s.addText(id.SignInType)
		s.addText(id.Issuer)
		s.addText(id.IssuerAssignedID)
	}
	s.addAttributes(o.Attributes)

	b = s.append(b)
	b = AppendText(b, o.ID)
	b = AppendText(b, string(o.Removed))
	if o.Identities == nil {
		b = append(b, 0)
	} else {
		b = binary.AppendUvarint(b, uint64(len(o.Identities))+1)
	}
	for i := range o.Identities {
		id := &o.Identities[i]
		b = AppendText(b, id.SignInType)
		b = AppendText(b, id.Issuer)
		b = AppendText(b, id.IssuerAssignedID)
	}
	return appendAttributes(b, o.Attributes)
}

// DecodeObject reads an object from the front of b and returns what follows it.
// The result shares no memory with b. An error is [ErrEncoding].
func DecodeObject(b []byte) (o Object, rest []byte, err error) {
	d := decoder{b: b}
	d.begin()
	o.ID = d.readText()
	o.Removed = Removal(d.readText())
	if n := d.uvarint(); n > 0 {
		o.Identities = make([]Identity, d.bounded(n-1, 3*minMember))
		for i := range o.Identities {
			o.Identities[i] = Identity{d.readText(), d.readText(), d.readText()}
		}
	}
	o.Attributes = d.attributes()
	if d.err != nil {
		return Object{}, d.b, d.err
	}
	return o, d.b, nil
}

// AppendText appends one text to b: a canonical GUID as 17 bytes, any other as
// its length and bytes.
func AppendText(b []byte, s string) []byte {
	if g, ok := ParseGUID(s); ok {
		return append(append(b, 0), g[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(s))+1)
	return append(b, s...)
}

// DecodeText reads what [AppendText] wrote from the front of b and returns what
// follows it. An error is [ErrEncoding].
func DecodeText(b []byte) (s string, rest []byte, err error) {
	d := decoder{b: b}
	s = d.readText()
	return s, d.b, d.err
}

// sizes counts what a decoder will have to make room for.
type sizes struct{ text, members int }

func (s *sizes) addText(t string) { s.text += len(t) }

func (s *sizes) addAttributes(a Attributes) {
	for i := range a {
		v := &a[i].Value
		s.text += len(v.text)
		s.members += len(v.list)
		for _, m := range v.list {
			s.text += len(m)
		}
		if nameCodes[a[i].Name] == 0 {
			s.text += len(a[i].Name)
		}
	}
}

func (s *sizes) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(s.text))
	return binary.AppendUvarint(b, uint64(s.members))
}

func appendAttributes(b []byte, a Attributes) []byte {
	b = binary.AppendUvarint(b, uint64(len(a)))
	for i := range a {
		code := nameCodes[a[i].Name]
		b = append(b, code)
		if code == 0 {
			b = AppendText(b, a[i].Name)
		}
		b = appendValue(b, &a[i].Value)
	}
	return b
}

func appendValue(b []byte, v *Value) []byte {
	switch v.kind {
	case Null:
		return append(b, tagNull)
	case Bool:
		if v.num != 0 {
			return append(b, tagTrue)
		}
		return append(b, tagFalse)
	case Int:
		return binary.AppendVarint(append(b, tagInt), v.num)
	case Text:
		return AppendText(append(b, tagText), v.text)
	case Ref:
		return AppendText(append(b, tagRef), v.text)
	case List:
		b = binary.AppendUvarint(append(b, tagList), uint64(len(v.list)))
		for _, m := range v.list {
			b = AppendText(b, m)
		}
		return b
	}
	return append(b, tagAbsent)
}

// decoder reads an encoding from the front of b. After the first fault err is
// set and every further read yields a zero value.
//
// All texts of a record are cut from one buffer and all lists from one slice,
// so that a record costs three allocations whatever its size. Growing text
// leaves the strings cut from it intact.
type decoder struct {
	b       []byte
	text    strings.Builder
	members []string
	err     error
}

func (d *decoder) fail() {
	d.b, d.err = nil, ErrEncoding
}

// begin reads the sizes and makes room. A GUID of 17 bytes becomes a text of 36;
// nothing grows more than that.
func (d *decoder) begin() {
	text, members := d.uvarint(), d.uvarint()
	if n := min(text, uint64(len(d.b))*36/17+36); n > 0 {
		d.text.Grow(int(n))
	}
	if n := min(members, uint64(len(d.b))/minMember); n > 0 {
		d.members = make([]string, 0, n)
	}
}

func (d *decoder) uvarint() uint64 {
	if len(d.b) > 0 && d.b[0] < 0x80 {
		n := uint64(d.b[0])
		d.b = d.b[1:]
		return n
	}
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[size:]
	return n
}

// bounded returns count, if that many things of at least size bytes can follow.
func (d *decoder) bounded(count uint64, size int) int {
	if count > uint64(len(d.b)/size) {
		d.fail()
		return 0
	}
	return int(count)
}

func (d *decoder) readByte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) readText() string {
	n := d.uvarint()
	if n == 0 {
		return d.readGUID()
	}
	n--
	if n > uint64(len(d.b)) {
		d.fail()
		return ""
	}
	at := d.text.Len()
	d.text.Write(d.b[:n])
	d.b = d.b[n:]
	return d.text.String()[at:]
}

func (d *decoder) readGUID() string {
	if len(d.b) < len(GUID{}) {
		d.fail()
		return ""
	}
	var canonical [guidText]byte
	GUID(d.b).put(&canonical)
	at := d.text.Len()
	d.text.Write(canonical[:])
	d.b = d.b[len(GUID{}):]
	return d.text.String()[at:]
}

func (d *decoder) attributes() Attributes {
	n := d.bounded(d.uvarint(), minAttribute)
	if n == 0 {
		return nil
	}
	a := make([]Attribute, n)
	for i := range a {
		a[i].Name = d.name()
		d.readValue(&a[i].Value)
	}
	if d.err != nil {
		return nil
	}
	return SortedAttributes(a)
}

func (d *decoder) name() string {
	code := d.readByte()
	if code == 0 {
		// Interned: an unusual name is still the same few names in every record.
		return unique.Make(d.readText()).Value()
	}
	if int(code) > len(wellKnownNames) {
		d.fail()
		return ""
	}
	return wellKnownNames[code-1]
}

func (d *decoder) readValue(v *Value) {
	switch tag := d.readByte(); tag {
	case tagAbsent:
	case tagNull:
		v.kind = Null
	case tagFalse, tagTrue:
		v.kind, v.num = Bool, int64(tag-tagFalse)
	case tagInt:
		n, size := binary.Varint(d.b)
		if size <= 0 {
			d.fail()
			return
		}
		d.b = d.b[size:]
		v.kind, v.num = Int, n
	case tagText:
		v.kind, v.text = Text, d.readText()
	case tagRef:
		v.kind, v.text = Ref, d.readText()
	case tagList:
		v.kind, v.list = List, d.list()
	default:
		d.fail()
	}
}

func (d *decoder) list() []string {
	n := d.bounded(d.uvarint(), minMember)
	if n == 0 {
		return nil
	}
	from := len(d.members)
	d.members = slices.Grow(d.members, n)
	for range n {
		d.members = append(d.members, d.readText())
	}
	return d.members[from:len(d.members):len(d.members)]
}
