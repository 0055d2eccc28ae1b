package mapping

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"tenantsync/directory"
)

// Changes returns, in the order of their names, the wanted attributes whose value
// the target does not have, with the value as it is wanted. Texts that differ
// only in their Unicode form are the same, and so are addresses that differ only
// in case and dates that mean one instant, because the directory treats them so:
// writing them would change nothing, again in every cycle.
func (s *Schema) Changes(current, desired directory.Attributes) []directory.Modified {
	differences := directory.Diff(current, desired)
	return slices.DeleteFunc(differences, func(m directory.Modified) bool {
		return same(m.Name, s.dates[m.Name], m.Old, m.New)
	})
}

// same reports whether two values that are not equal mean the same.
func same(name string, date bool, a, b directory.Value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case directory.Text:
		if date {
			return sameInstant(a.Text(), b.Text())
		}
		return sameText(a.Text(), b.Text(), name == "mail" || name == "userPrincipalName")
	case directory.List:
		return directory.ListOf(normal(a.List())...).Equal(directory.ListOf(normal(b.List())...))
	}
	return false
}

func sameText(a, b string, fold bool) bool {
	if !isASCII(a) || !isASCII(b) {
		a, b = norm.NFC.String(a), norm.NFC.String(b)
	}
	return a == b || fold && strings.EqualFold(a, b)
}

func sameInstant(a, b string) bool {
	first, err := time.Parse(time.RFC3339Nano, a)
	if err != nil {
		return false
	}
	second, err := time.Parse(time.RFC3339Nano, b)
	return err == nil && first.Equal(second)
}

func normal(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = norm.NFC.String(s)
	}
	return out
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
