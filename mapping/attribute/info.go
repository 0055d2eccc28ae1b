package attribute

import (
	"iter"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping/suggest"
)

// AppRoles is the source attribute that holds a user's app roles. It is no property
// of a user in Graph: the assignments of the application that a job's scope names
// tell it.
const AppRoles = "appRoleAssignments"

// Info tells of one user attribute.
type Info struct {
	// Name is the name in Graph v1.0. Members of onPremisesExtensionAttributes
	// and of employeeOrgData go by their own names.
	Name string
	// Kind is the kind of value the attribute holds. Absent means that it is not
	// certain: a directory extension can hold any single value.
	Kind directory.Kind
	// First says that the name asked for stands for the first value of a
	// multi-valued attribute, as telephoneNumber does for businessPhones.
	First bool
	// Type is what a directory extension was declared to hold; "" for an undeclared
	// one and for every other attribute.
	Type Type
	// Date says that the text is a date, or an instant, in ISO 8601.
	Date bool
	// MaxLength is the greatest number of characters, 0 when none is known.
	MaxLength int
	// MaxMembers is the greatest number of values of a multi-valued attribute,
	// 0 when none is known.
	MaxMembers int
	// Values are the only texts the attribute takes; empty when any will do.
	Values []string
	// Unreadable is empty when the attribute can be read with a list of users,
	// else the reason why it cannot.
	Unreadable string
	// Refused is empty when Graph lets an app write the attribute of an external
	// user, else the reason and, where there is one, what to use instead.
	Refused string
	// Fixed says that the attribute can be set but never cleared.
	Fixed bool
	// Unfiltered is empty when a scoping filter of Microsoft's own service may ask
	// for the attribute, else the reason why it may not. Filters here go further.
	Unfiltered string
	// Unsearchable is empty when Graph finds users by the attribute with a plain
	// filter (eq or in), else the reason why it does not. Advanced queries are
	// served from an index that lags, so they prove nothing.
	// https://learn.microsoft.com/graph/aad-advanced-queries
	Unsearchable string
}

// Multivalued reports whether the attribute, under the name asked for, holds
// several values.
func (i Info) Multivalued() bool { return i.Kind == directory.List && !i.First }

// ValueKind returns the kind of value that a reader of the attribute sees: text
// when the name stands for the first of several values.
func (i Info) ValueKind() directory.Kind {
	if i.First {
		return directory.Text
	}
	return i.Kind
}

// TypeName returns the attribute's type as the synchronization schema calls it:
// String, Boolean, Integer, DateTime or Reference; a directory extension's as it
// was declared, "" when it was not.
func (i Info) TypeName() string {
	if i.Type != "" {
		return string(i.Type)
	}
	switch i.ValueKind() {
	case directory.Bool:
		return "Boolean"
	case directory.Int:
		return "Integer"
	case directory.Ref:
		return "Reference"
	case directory.Text, directory.List:
		if i.Date {
			return "DateTime"
		}
		return "String"
	}
	return ""
}

// Lookup returns what is known of an attribute. Names are case-sensitive, as
// Graph's are. Besides Graph's own names it knows the old directory names that
// synchronization schemas use and paths such as employeeOrgData/division, and it
// accepts every well-formed name of a directory extension
// (extension_<appId without dashes>_<name>).
func Lookup(name string) (Info, bool) {
	name = unholder(name)
	if a, ok := aliases[name]; ok {
		info := table[a.name]
		info.First = a.first
		if a.first {
			info.Unfiltered = ""
		}
		return info, true
	}
	if info, ok := table[name]; ok {
		return info, true
	}
	if IsExtension(name) {
		return Extension(name, "", false), true
	}
	return Info{}, false
}

// Names returns every known name and alias in order, directory extensions apart.
func Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range names {
			if !yield(name) {
				return
			}
		}
	}
}

// Nearest returns the known attribute whose name is closest to name, or "". Of a
// path such as employeeOrgData.division or user.department the last part counts,
// first of all where it is exact.
func Nearest(name string) string {
	if info, ok := Lookup(strings.ReplaceAll(name, ".", "/")); ok && strings.Contains(name, ".") {
		return info.Name
	}
	if near := suggest.Nearest(name, Names()); near != "" {
		return near
	}
	if at := strings.LastIndexAny(name, "./"); at >= 0 {
		return suggest.Nearest(name[at+1:], Names())
	}
	return ""
}
