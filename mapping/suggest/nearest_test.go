package suggest_test

import (
	"slices"
	"strings"
	"testing"

	"tenantsync/mapping/suggest"
)

func TestNearest(t *testing.T) {
	known := []string{"Append", "Coalesce", "IIF", "Join", "Left", "IsNullOrEmpty", "IsNull", "Not", "ToUpper"}
	tests := []struct {
		name, word, want string
	}{
		{"one letter missing", "Apend", "Append"},
		{"one letter too many", "Joiin", "Join"},
		{"neighbours swapped", "Jion", "Join"},
		{"case does not count", "iif", "IIF"},
		{"the closer of two", "IsNul", "IsNull"},
		{"long word with two slips", "IsNulOrEmty", "IsNullOrEmpty"},
		{"the first of equals", "Notx", "Not"},
		{"nothing close", "Frobnicate", ""},
		{"short and different", "xy", ""},
		{"short, and less than half of it right", "Foo", ""},
		{"short, with one slip", "IF", "IIF"},
		{"a sign", "=", ""},
		{"empty", "", ""},
		{"far too long", strings.Repeat("Append", 100), ""},
		{"not UTF-8", "Appen\xff", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := suggest.Nearest(tt.word, slices.Values(known)); got != tt.want {
				t.Errorf("Nearest(%q) = %q, want %q", tt.word, got, tt.want)
			}
		})
	}
}

func TestNearestOfNothing(t *testing.T) {
	if got := suggest.Nearest("Append", slices.Values([]string(nil))); got != "" {
		t.Errorf("Nearest among no words = %q, want none", got)
	}
}
