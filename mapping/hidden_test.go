package mapping_test

import (
	"errors"
	"testing"

	"tenantsync/mapping"
)

func TestWhatStandsForHiddenValues(t *testing.T) {
	s := schema(t,
		mapping.Mapping{Target: "city", Source: "city"},
		mapping.Mapping{Target: "state", Expression: `Redact([state])`},
		mapping.Mapping{Target: "employeeId", Source: "employeeId", Sensitive: true},
		mapping.Mapping{Target: "jobTitle", Expression: `Append(Redact([state]), [employeeId])`, Sensitive: true},
		mapping.Mapping{Target: "companyName", Expression: `IIF([city]="x", Redact([city]), [employeeType])`})
	for target, want := range map[string]string{"city": "", "state": "[Redact]", "employeeId": "(sensitive)", "jobTitle": "(sensitive)", "companyName": "[Redact]", "unmapped": ""} {
		if got := s.Hidden(target); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
		if s.Sensitive(target) != (want == "(sensitive)") {
			t.Errorf("%s: sensitive %v", target, s.Sensitive(target))
		}
	}
	for source, want := range map[string]string{"city": "[Redact]", "state": "(sensitive)", "employeeId": "(sensitive)", "employeeType": "[Redact]", "mail": ""} {
		if got := s.HiddenSource(source); got != want {
			t.Errorf("source %s: %q, want %q", source, got, want)
		}
		if s.SensitiveSource(source) != (want == "(sensitive)") {
			t.Errorf("source %s: sensitive %v", source, s.SensitiveSource(source))
		}
	}
}

// The value flows; nowhere is it shown.
func TestRedactedValuesFlowUnseen(t *testing.T) {
	s := schema(t, mapping.Mapping{Target: "employeeId", Expression: `Redact([employeeId])`})
	source := attributes("employeeId", text("4711"))
	result, err := s.Apply(mapping.Input{Source: source})
	if err != nil || len(result.Desired) != 1 || result.Desired[0].Value.Text() != "4711" {
		t.Errorf("wanted %v, %v; want the value itself", show(result.Desired), err)
	}
	step := s.Trace(mapping.Input{Source: source})[0]
	if step.Result.Text() != "[Redact]" || step.Inputs.Get("employeeId").Text() != "[Redact]" {
		t.Errorf("the trace shows %v from %v, want [Redact] for both", step.Result, step.Inputs)
	}
	_, err = s.Apply(mapping.Input{Source: attributes("employeeId", text("12345678901234567"))})
	var f *mapping.Failure
	if !errors.As(err, &f) || f.Value != "[Redact]" {
		t.Errorf("failure %v, want one without the value", err)
	}
}

// IgnoreFlowIfNullOrEmpty leaves the target alone: nothing is cleared, and the
// default value does not apply.
func TestIgnoredAttributesAreLeftAlone(t *testing.T) {
	s := schema(t, mapping.Mapping{Target: "city", Expression: `IgnoreFlowIfNullOrEmpty([city])`, Default: text("Oslo"), FlowNull: yes()})
	for _, flow := range []mapping.Flow{mapping.Create, mapping.Update} {
		in := mapping.Input{Flow: flow, Current: attributes("city", text("Bergen"))}
		result, err := s.Apply(in)
		if err != nil || len(result.Desired) != 0 {
			t.Errorf("flow %d: wanted %v, %v; want nothing", flow, show(result.Desired), err)
		}
		if step := s.Trace(in)[0]; step.Dropped != mapping.Ignored {
			t.Errorf("flow %d: dropped %q, want %q", flow, step.Dropped, mapping.Ignored)
		}
	}
	result, err := s.Apply(mapping.Input{Source: attributes("city", text("Bodø"))})
	if err != nil || len(result.Desired) != 1 || result.Desired[0].Value.Text() != "Bodø" {
		t.Errorf("with a value: %v, %v", show(result.Desired), err)
	}
}

// A value that differs each time is written whenever the user changes, unless the
// mapping keeps the first.
func TestRandomValuesAreWarnedOf(t *testing.T) {
	for flow, warned := range map[mapping.FlowType]bool{mapping.Always: true, mapping.ObjectAddOnly: false, mapping.AttributeAddOnly: false, mapping.ValueAddOnly: true} {
		s, problems := mapping.Compile([]mapping.Mapping{{Target: "extensionAttribute1", Expression: `Append("x", Guid())`, FlowType: flow}})
		if s == nil || len(problems) > 1 || (len(problems) == 1) != warned {
			t.Errorf("%s: problems %+v, want a warning %v", flow, problems, warned)
		}
		if warned && (problems[0].Severity != mapping.Warning || problems[0].Field != "flowType") {
			t.Errorf("%s: %+v, want a warning at flowType", flow, problems[0])
		}
	}
}
