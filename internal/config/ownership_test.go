package config_test

import (
	"errors"
	"strings"
	"testing"

	"tenantsync/internal/config"
)

// A stamp that could not be written, or would be written over, is refused with its place.
func TestOwnershipThatCannotBeMeant(t *testing.T) {
	for rest, want := range map[string]string{
		"ownership: {attribute: employeeId}":                                                                   "jobs[0].ownership.attribute",
		"ownership: {attribute: extensionAttribute16}":                                                         "jobs[0].ownership.attribute",
		"ownership: {attribute: extensionAttribute07}":                                                         "jobs[0].ownership.attribute",
		"ownership: {attribute: extensionAttribute3}, mappings: [{target: extensionAttribute3, source: city}]": "jobs[0].ownership.attribute",
	} {
		_, err := parse(t, strings.Replace(minimal, "scope: {mode: all}}", "scope: {mode: all}, "+rest+"}", 1), nil, nil)
		var invalid *config.Invalid
		if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Path != want {
			t.Errorf("%s: got %v, want one problem at %s", rest, err, want)
		}
	}
	two := strings.Replace(minimal, "scope: {mode: all}}", "scope: {mode: all}}\n  - {name: two, source: contoso, target: fabrikam, scope: {mode: all}, ownership: {attribute: extensionAttribute1}}", 1)
	var invalid *config.Invalid
	if _, err := parse(t, two, nil, nil); !errors.As(err, &invalid) || len(invalid.Problems) != 1 || !strings.HasPrefix(invalid.Problems[0].Path, "jobs[1].ownership") {
		t.Errorf("two jobs of one pair that differ: got %v, want one problem at jobs[1].ownership", err)
	}
	one := strings.Replace(minimal, "scope: {mode: all}}", "scope: {mode: all}, ownership: {attribute: extensionAttribute15}}", 1)
	if c, err := parse(t, one, nil, nil); err != nil || c.Jobs[0].Ownership.Attribute != "extensionAttribute15" {
		t.Errorf("one job: got %v", err)
	}
}
