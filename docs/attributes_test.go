package docs_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"tenantsync/mapping/attribute"
)

// attributeTables writes the tables of attributes.md from what the code knows.
func attributeTables() map[string]string {
	var written, read, old, missing strings.Builder
	written.WriteString("| Attribute | Type | Limit | Cleared | Searched |\n|---|---|---|---|---|\n")
	read.WriteString("| Attribute | As source | As target |\n|---|---|---|\n")
	old.WriteString("| Old name | Graph v1.0 |\n|---|---|\n")
	missing.WriteString("| Name | Reason |\n|---|---|\n")
	for name := range attribute.Names() {
		info, _ := attribute.Lookup(name)
		switch {
		case info.Name != name && info.First:
			fmt.Fprintf(&old, "| `%s` | the first of `%s` |\n", name, info.Name)
		case info.Name != name:
			fmt.Fprintf(&old, "| `%s` | `%s` |\n", name, info.Name)
		case name != "extensionAttribute1" && strings.HasPrefix(name, "extensionAttribute"): // all fifteen stand in one row
		case info.Refused == "":
			name = strings.Replace(name, "extensionAttribute1", "extensionAttribute1` … `extensionAttribute15", 1)
			fmt.Fprintf(&written, "| `%s` | %s | %s | %s | %s |\n", name, typeOf(info), limitOf(info), yes(!info.Fixed), searchOf(info))
		case info.Unreadable != "":
			fmt.Fprintf(&read, "| `%s` | no: %s | no |\n", name, info.Unreadable)
		default:
			fmt.Fprintf(&read, "| `%s` | %s | no: %s |\n", name, typeOf(info), info.Refused)
		}
	}
	for _, name := range attribute.MissingNames() {
		fmt.Fprintf(&missing, "| `%s` | %s |\n", name, attribute.Missing(name))
	}
	return map[string]string{"written": written.String(), "read": read.String(), "old": old.String(), "missing": missing.String()}
}

func typeOf(info attribute.Info) string {
	if info.Multivalued() {
		return "several of " + info.TypeName()
	}
	return info.TypeName()
}

func limitOf(info attribute.Info) string {
	switch {
	case len(info.Values) > 0:
		return strings.Join(info.Values, ", ")
	case info.MaxLength > 0:
		return strconv.Itoa(info.MaxLength) + " characters"
	case info.MaxMembers == 1:
		return "1 value"
	case info.MaxMembers > 0:
		return strconv.Itoa(info.MaxMembers) + " values"
	}
	return ""
}

func searchOf(info attribute.Info) string {
	switch {
	case info.Unsearchable == "":
		return "yes"
	case strings.Contains(info.Unsearchable, "advanced queries"):
		return "advanced queries only"
	}
	return "no"
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func TestAttributeTablesAreTheCodes(t *testing.T) {
	for name, want := range attributeTables() {
		checkPart(t, "attributes.md", "table "+name, want)
	}
}
