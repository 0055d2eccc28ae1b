package directory

import (
	"bytes"
	"encoding/json"
	"slices"
	"sort"
	"strings"
)

// Attribute is a named value. Names are Graph v1.0 names; members of
// onPremisesExtensionAttributes and of employeeOrgData stand by their own names
// (extensionAttribute1, costCenter).
type Attribute struct {
	Name  string
	Value Value
}

// Attributes is a set of attributes, sorted by name, each name once. The zero
// value is the empty set. Methods that change it need the only reference.
type Attributes []Attribute

// AttributesOf builds a set from a map.
func AttributesOf(m map[string]Value) Attributes {
	a := make(Attributes, 0, len(m))
	for name, v := range m {
		a = append(a, Attribute{name, v})
	}
	a.sort()
	return a
}

// SortedAttributes takes ownership of a slice in any order and makes it a set;
// of attributes with the same name the last one stays.
func SortedAttributes(list []Attribute) Attributes {
	a := Attributes(list)
	for i := 1; i < len(a); i++ {
		if a[i-1].Name >= a[i].Name {
			sort.SliceStable(a, func(i, j int) bool { return a[i].Name < a[j].Name })
			return a.dropRepeated()
		}
	}
	return a
}

func (a Attributes) dropRepeated() Attributes {
	out := a[:0]
	for i := range a {
		if i+1 < len(a) && a[i+1].Name == a[i].Name {
			continue
		}
		out = append(out, a[i])
	}
	return out
}

func (a Attributes) sort() {
	slices.SortFunc(a, func(x, y Attribute) int { return strings.Compare(x.Name, y.Name) })
}

func (a Attributes) find(name string) (int, bool) {
	lo, hi := 0, len(a)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if a[mid].Name < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(a) && a[lo].Name == name
}

// Get returns the value of an attribute, absent when the set does not have it.
func (a Attributes) Get(name string) Value {
	if i, ok := a.find(name); ok {
		return a[i].Value
	}
	return Value{}
}

// Has reports whether the set mentions the attribute, be it with null.
func (a Attributes) Has(name string) bool {
	_, ok := a.find(name)
	return ok
}

// Set puts a value; an absent value removes the attribute.
func (a *Attributes) Set(name string, v Value) {
	i, ok := a.find(name)
	switch {
	case ok && v.IsAbsent():
		*a = slices.Delete(*a, i, i+1)
	case ok:
		(*a)[i].Value = v
	case !v.IsAbsent():
		*a = slices.Insert(*a, i, Attribute{name, v})
	}
}

// Merge puts every attribute of b over a and returns the result as a new set:
// absent keeps, null clears.
func (a Attributes) Merge(b Attributes) Attributes {
	out := make(Attributes, 0, len(a)+len(b))
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case j == len(b) || i < len(a) && a[i].Name < b[j].Name:
			out = append(out, a[i])
			i++
		case i == len(a) || b[j].Name < a[i].Name:
			out = append(out, b[j])
			j++
		default:
			out = append(out, b[j])
			i, j = i+1, j+1
		}
	}
	return out
}

// Clone returns a copy that can be changed on its own.
func (a Attributes) Clone() Attributes { return slices.Clone(a) }

// Names returns the names in order.
func (a Attributes) Names() []string {
	names := make([]string, len(a))
	for i := range a {
		names[i] = a[i].Name
	}
	return names
}

// MarshalJSON writes one JSON object, names in order.
func (a Attributes) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, at := range a {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(at.Name)
		if err != nil {
			return nil, err
		}
		value, err := at.Value.MarshalJSON()
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
