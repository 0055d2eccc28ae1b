package attribute

import (
	"slices"
	"strings"

	"tenantsync/directory"
)

// Type is the data type of a directory extension, by the names Graph gives them.
// https://learn.microsoft.com/graph/api/resources/extensionproperty
type Type string

// The data types.
const (
	Binary       Type = "Binary"       // at most 256 bytes, Base64 in JSON
	Boolean      Type = "Boolean"      //
	DateTime     Type = "DateTime"     // ISO 8601, kept in UTC
	Integer      Type = "Integer"      // 32 bits
	LargeInteger Type = "LargeInteger" // 64 bits
	String       Type = "String"       // at most 256 characters
)

var types = [...]Type{Binary, Boolean, DateTime, Integer, LargeInteger, String}

// Types returns the names of all data types.
func Types() []string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return names
}

// Known reports whether t is a data type; the empty Type is none.
func (t Type) Known() bool { return slices.Contains(types[:], t) }

// extensionLength is the greatest length of one value of a directory extension:
// characters of a text, bytes of a binary value.
const extensionLength = 256

// IsExtension reports whether a name is that of a directory extension:
// extension_<app id without dashes>_<name>.
func IsExtension(name string) bool {
	rest, ok := strings.CutPrefix(name, "extension_")
	if !ok || len(rest) < 34 || rest[32] != '_' {
		return false
	}
	for _, c := range []byte(rest[:32]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	for _, c := range []byte(rest[33:]) {
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}

// Extension returns what is known of a directory extension that holds values of
// a type. Without a type it takes any single value, and the directory judges it.
func Extension(name string, t Type, multivalued bool) Info {
	info := Info{Name: name, Type: t, MaxLength: extensionLength, Date: t == DateTime}
	switch {
	case multivalued:
		info.Kind = directory.List
		info.Unfiltered = several
	case t == Boolean:
		info.Kind = directory.Bool
	case t == Integer, t == LargeInteger:
		info.Kind = directory.Int
	case t != "":
		info.Kind = directory.Text
	}
	if multivalued || t != "" && t != String {
		info.Unsearchable = "only a directory extension with single texts can be searched"
	}
	return info
}
