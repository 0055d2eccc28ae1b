package mapping_test

import (
	"strings"
	"testing"

	"tenantsync/directory"
	"tenantsync/mapping"
)

// Control characters in names, NUL and invalid UTF-8 anywhere, and texts longer than
// the directory takes are refused before anything is sent; lines of an address are not.
func TestCharactersAndLengths(t *testing.T) {
	for _, c := range []struct {
		target, value string
		refused       string // what the reason says; "" for accepted
	}{
		{"displayName", "Anna Ærø \u202eBerg", ""},
		{"displayName", "Anna\x1b[2JBerg", "control characters"},
		{"givenName", "Anna\nBerg", "control characters"},
		{"surname", "Berg\u0085", "control characters"},
		{"mail", "a\r\n@x.example", "control characters"},
		{"streetAddress", "Street 1\r\nBack yard", ""},
		{"streetAddress", "Street 1\x00", "NUL"},
		{"city", "Os\xfflo", "UTF-8"},
		{"displayName", strings.Repeat("é", 256), ""},
		{"displayName", strings.Repeat("é", 257), "at most 256 characters"},
		{"department", strings.Repeat("x", 64<<10), "at most 64 characters"},
	} {
		s, problems := mapping.Compile([]mapping.Mapping{{Target: c.target, Source: c.target}})
		if s == nil {
			t.Fatal(problems)
		}
		_, err := s.Apply(mapping.Input{Source: directory.AttributesOf(map[string]directory.Value{c.target: directory.TextOf(c.value)})})
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s %.40q: got %v, want it accepted", c.target, c.value, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s %.40q: got %v, want a refusal that says %q", c.target, c.value, err, c.refused)
		}
	}
}
