package entra

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Attribute names are flat; Graph nests some of them in a complex property.
const (
	extensionHolder = "onPremisesExtensionAttributes"
	orgDataHolder   = "employeeOrgData"
)

// holderOf returns the complex property that holds an attribute, or "".
func holderOf(name string) string {
	switch {
	case name == "costCenter", name == "division":
		return orgDataHolder
	case strings.HasPrefix(name, "extensionAttribute"):
		if n, err := strconv.Atoi(name[len("extensionAttribute"):]); err == nil && n >= 1 && n <= 15 {
			return extensionHolder
		}
	}
	return ""
}

// selectOf returns the $select for attributes: id first, each property once,
// nested ones by their holder. The order does not depend on the caller's, so
// that the same selection gives the same request. The manager is a navigation
// property, which only delta queries accept here.
func selectOf(attributes []string, withManager bool) string {
	names := make([]string, 0, len(attributes))
	for _, a := range attributes {
		switch {
		case a == "id" || a == "manager" && !withManager:
			continue
		case holderOf(a) != "":
			a = holderOf(a)
		}
		names = append(names, a)
	}
	slices.Sort(names)
	return "$select=" + strings.Join(append([]string{"id"}, slices.Compact(names)...), ",")
}

// openNames returns the attributes that Graph leaves out of a record when they
// have no value: directory extensions, the open part of a user.
func openNames(attributes []string) []string {
	var names []string
	for _, a := range attributes {
		if isOpen(a) {
			names = append(names, a)
		}
	}
	return names
}

func isOpen(name string) bool { return strings.HasPrefix(name, "extension_") }

// query escapes the value of a query option. Blanks become %20: a plus sign is
// not a blank to every service.
func query(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// literal returns an OData string literal.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// segment escapes an id or user principal name as one segment of a path; the #
// in the name of a guest becomes %23. Names that would change the path are
// refused.
func segment(id string) (string, error) {
	if id == "" || id == "." || id == ".." || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f || r == '/' || r == '\\' }) {
		return "", fmt.Errorf("%q is not an id", id)
	}
	return url.PathEscape(id), nil
}

// chunks cuts a list into parts of at most n.
func chunks[T any](list []T, n int) [][]T {
	return slices.Collect(slices.Chunk(list, n))
}
