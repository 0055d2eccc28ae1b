package scope

import (
	"errors"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/mapping/pattern"
)

// A clause that panics over a value leaves that user undecided.
func TestPanicLeavesTheUserUndecided(t *testing.T) {
	f := &Filter{groups: []group{{clauses: []clause{{name: "department", operator: RegexMatch, patterns: []*pattern.Pattern{nil}}}}}}
	d := f.Evaluate(directory.Attributes{{Name: "department", Value: directory.TextOf("Sales")}}, time.Now())
	var fault *directory.Fault
	if !errors.As(d.Err, &fault) || d.InScope {
		t.Errorf("got %+v, want it undecided by a fault", d)
	}
}
