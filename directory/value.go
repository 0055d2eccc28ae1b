package directory

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Kind says what a [Value] holds.
type Kind uint8

// The kinds of a value. The zero Kind is Absent.
const (
	// Absent: nothing is known about the attribute.
	Absent Kind = iota
	// Null: the attribute is known to have no value.
	Null
	// Text: a non-empty string; dates and GUIDs are text as Graph writes them.
	Text
	// Bool: true or false.
	Bool
	// Int: a 64-bit integer.
	Int
	// List: an ordered list of strings, possibly empty.
	List
	// Ref: a reference to another object, by its id.
	Ref
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	names := [...]string{"absent", "null", "text", "boolean", "integer", "list", "reference"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Value is the value of one attribute. The zero Value is absent. Values are
// immutable: the list given to [ListOf] must not be changed afterwards.
type Value struct {
	kind Kind
	num  int64
	text string
	list []string
}

// NullValue returns the value of an attribute that is known to be empty.
func NullValue() Value { return Value{kind: Null} }

// TextOf returns a text value. Empty text is null: a directory cannot store it.
func TextOf(s string) Value {
	if s == "" {
		return NullValue()
	}
	return Value{kind: Text, text: s}
}

// BoolOf returns a boolean value.
func BoolOf(b bool) Value {
	v := Value{kind: Bool}
	if b {
		v.num = 1
	}
	return v
}

// IntOf returns an integer value.
func IntOf(n int64) Value { return Value{kind: Int, num: n} }

// ListOf returns a multi-valued value in the given order.
func ListOf(members ...string) Value { return Value{kind: List, list: members} }

// RefOf returns a reference to the object with the given id; an empty id is null.
func RefOf(id string) Value {
	if id == "" {
		return NullValue()
	}
	return Value{kind: Ref, text: id}
}

// Kind says what the value holds.
func (v Value) Kind() Kind { return v.kind }

// IsAbsent reports whether nothing is known about the attribute.
func (v Value) IsAbsent() bool { return v.kind == Absent }

// IsEmpty reports whether there is no value to use: absent, null or an empty list.
func (v Value) IsEmpty() bool {
	return v.kind <= Null || (v.kind == List && len(v.list) == 0)
}

// Text returns the text of a text value or the id of a reference, else "".
func (v Value) Text() string {
	if v.kind == Text || v.kind == Ref {
		return v.text
	}
	return ""
}

// Bool returns the boolean and whether the value is one.
func (v Value) Bool() (value, ok bool) { return v.num != 0, v.kind == Bool }

// Int returns the integer and whether the value is one.
func (v Value) Int() (value int64, ok bool) { return v.num, v.kind == Int }

// List returns the members of a multi-valued value, nil for any other. The
// caller must not change it.
func (v Value) List() []string {
	if v.kind == List {
		return v.list
	}
	return nil
}

// String returns the value as people read it: text as it is, booleans as True
// and False, lists joined by ", ", empty text for no value.
func (v Value) String() string {
	switch v.kind {
	case Text, Ref:
		return v.text
	case Bool:
		if v.num != 0 {
			return "True"
		}
		return "False"
	case Int:
		return strconv.FormatInt(v.num, 10)
	case List:
		return strings.Join(v.list, ", ")
	}
	return ""
}

// Equal reports whether two values mean the same to a directory. Absent, null
// and the empty list are all "no value"; the members of a list have no order.
func (v Value) Equal(o Value) bool {
	if v.IsEmpty() || o.IsEmpty() {
		return v.IsEmpty() && o.IsEmpty()
	}
	if v.kind != o.kind {
		return false
	}
	switch v.kind {
	case Text, Ref:
		return v.text == o.text
	case Bool, Int:
		return v.num == o.num
	}
	return equalLists(v.list, o.list)
}

func equalLists(a, b []string) bool {
	if slices.Equal(a, b) {
		return true
	}
	if len(a) != len(b) {
		return false
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// Compare orders values for stable output: by kind, then by content.
func (v Value) Compare(o Value) int {
	return cmp.Or(cmp.Compare(v.kind, o.kind), cmp.Compare(v.num, o.num),
		cmp.Compare(v.text, o.text), slices.Compare(v.list, o.list))
}

// MarshalJSON writes the value as Graph writes it; absent is null, a reference
// its id.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case Text, Ref:
		return json.Marshal(v.text)
	case Bool:
		return strconv.AppendBool(nil, v.num != 0), nil
	case Int:
		return strconv.AppendInt(nil, v.num, 10), nil
	case List:
		if v.list == nil {
			return []byte("[]"), nil
		}
		return json.Marshal(v.list)
	}
	return []byte("null"), nil
}

// ValueOf converts what encoding/json decodes (string, bool, float64,
// json.Number, nil, []any of strings) and plain Go values (int, []string) into a
// Value. It reports false for anything else.
func ValueOf(x any) (Value, bool) {
	switch x := x.(type) {
	case nil:
		return NullValue(), true
	case Value:
		return x, true
	case string:
		return TextOf(x), true
	case bool:
		return BoolOf(x), true
	case int:
		return IntOf(int64(x)), true
	case int64:
		return IntOf(x), true
	case uint64:
		return IntOf(int64(x)), x <= 1<<63-1
	case float64:
		n := int64(x)
		return IntOf(n), float64(n) == x
	case json.Number:
		n, err := x.Int64()
		return IntOf(n), err == nil
	case []string:
		return ListOf(x...), true
	case []any:
		members := make([]string, 0, len(x))
		for _, m := range x {
			s, ok := m.(string)
			if !ok {
				return Value{}, false
			}
			members = append(members, s)
		}
		return ListOf(members...), true
	}
	return Value{}, false
}
