package mapping

import (
	"errors"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
)

// A mapping that panics fails the user it panics over, naming the attribute.
func TestPanicFailsTheUser(t *testing.T) {
	s, problems := Compile([]Mapping{{Target: "displayName", Source: "displayName"}, {Target: "department", Expression: `ToUpper([department])`}})
	if s == nil {
		t.Fatal(problems)
	}
	for i := range s.rules {
		if s.rules[i].target.Name == "department" {
			s.rules[i].program = new(expr.Program) // as a fault in the evaluation would
		}
	}
	in := Input{Source: directory.Attributes{{Name: "department", Value: directory.TextOf("Sales")}}, Flow: Update, Now: time.Now()}
	_, err := s.Apply(in)
	var f *Failure
	var fault *directory.Fault
	if !errors.As(err, &f) || !errors.As(err, &fault) || f.Target != "department" {
		t.Errorf("got %v, want a failure of department that says it is a fault", err)
	}
	for _, step := range s.Trace(in) {
		if failed := step.Err != nil; failed != (step.Target == "department") {
			t.Errorf("%s: got error %v", step.Target, step.Err)
		}
	}
	r := &rule{target: s.rules[0].target}
	if _, err := r.candidate(0, in.Source, in.Now); !errors.As(err, &fault) {
		t.Errorf("candidate: got %v, want a fault", err)
	}
}
