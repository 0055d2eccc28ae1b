package config_test

import (
	"errors"
	"strings"
	"testing"

	"tenantsync/internal/config"
)

// What would protect nobody, or restrict nothing, is refused with its place.
func TestProtectionThatCannotBeMeant(t *testing.T) {
	for rest, want := range map[string]string{
		"protectedUsers: [breakglass]":                                       "protectedUsers[0]",
		`protectedUsers: [""]`:                                               "protectedUsers[0]",
		"protectedUsers: [a@x.com, a@x.com]":                                 "protectedUsers[1]",
		"allowedDomains: []":                                                 "allowedDomains",
		"allowedDomains: ['@contoso.com']":                                   "allowedDomains[0]",
		"allowedDomains: [contoso]":                                          "allowedDomains[0]",
		"mappings: [{target: city, source: city, allowedValues: []}]":        "mappings[0].allowedValues",
		"mappings: [{target: city, source: city, allowedValues: [a, a]}]":    "mappings[0].allowedValues[1]",
		"mappings: [{target: manager, source: manager, allowedValues: [a]}]": "mappings[0].allowedValues",
	} {
		_, err := parse(t, strings.Replace(minimal, "scope: {mode: all}}", "scope: {mode: all}, "+rest+"}", 1), nil, nil)
		var invalid *config.Invalid
		if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Path != "jobs[0]."+want {
			t.Errorf("%s: got %v, want one problem at jobs[0].%s", rest, err, want)
		}
	}
}

// The values that a sensitive mapping allows are masked.
func TestMaskedHidesAllowedValues(t *testing.T) {
	out, err := mustParse(t, strings.Replace(minimal, "scope: {mode: all}}", "scope: {mode: all}, mappings: [{target: city, source: city, sensitive: true, allowedValues: [hunter2]}, {target: state, source: state, allowedValues: [Bavaria, 7]}]}", 1), nil, nil).Masked()
	if err != nil || strings.Contains(string(out), "hunter2") || !strings.Contains(string(out), "Bavaria") {
		t.Errorf("got %v\n%s\nwant no hunter2, and Bavaria", err, out)
	}
}
