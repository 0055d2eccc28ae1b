package mapping

import (
	"tenantsync/directory"
	"tenantsync/mapping/attribute"
)

// ExtensionUse is a mapping to a directory extension, with what is certain of the
// values it writes.
type ExtensionUse struct {
	// Mapping is the index of the mapping in the list that was compiled.
	Mapping int
	// Target is the name of the directory extension.
	Target string
	// Type and Multivalued are what the mapping says of the target; Type is ""
	// when it says nothing.
	Type        attribute.Type
	Multivalued bool
	// Source is the attribute of a direct mapping; the zero value for any other.
	Source AttributeInfo
	// Kind is the kind of value that flows where the mapping gives no type; Absent
	// when it is not certain.
	Kind directory.Kind
}

// IsExtension reports whether an attribute is a directory extension.
func IsExtension(name string) bool { return attribute.IsExtension(name) }

// Extensions returns, by the names of their targets, the mappings that write
// directory extensions.
func (s *Schema) Extensions() []ExtensionUse {
	var list []ExtensionUse
	for i := range s.rules {
		r := &s.rules[i]
		if !r.written || !attribute.IsExtension(r.target.Name) {
			continue
		}
		use := ExtensionUse{Mapping: r.index, Target: r.target.Name, Type: r.target.Type, Multivalued: r.target.Multivalued(), Source: r.source}
		switch r.kind {
		case Direct:
			use.Kind = r.source.ValueKind()
		case Constant:
			use.Kind = r.constant.Kind()
		case Expression:
			use.Kind = directory.Text // an expression gives text, or a list
		}
		list = append(list, use)
	}
	return list
}
