package mapping

import (
	"errors"

	"tenantsync/directory"
)

// Step is what one mapping did for one user, to be shown to a person. Values of
// sensitive mappings are replaced by "(sensitive)", those of mappings whose
// expression calls Redact by "[Redact]".
type Step struct {
	// Mapping is the index of the mapping in the list that was compiled.
	Mapping int
	Target  string
	Kind    Kind
	// Source is the attribute, the constant or the expression as written.
	Source string
	// Inputs are the source attributes the mapping read, those without a value
	// included.
	Inputs directory.Attributes
	// Result is what is to be written; null when the target is to be cleared,
	// absent when nothing is written.
	Result directory.Value
	// Dropped says why nothing is written.
	Dropped   Dropped
	FlowType  FlowType
	Sensitive bool
	// Err is the failure of this mapping; the other steps are still shown.
	Err *Failure
}

// Trace computes the same as [Schema.Apply] and tells for every mapping, in the
// order of the targets' names, how it came about.
func (s *Schema) Trace(in Input) []Step {
	steps := make([]Step, 0, len(s.rules))
	for i := range s.rules {
		steps = append(steps, s.rules[i].trace(&in))
	}
	return steps
}

func (r *rule) trace(in *Input) Step {
	step := Step{Mapping: r.index, Target: r.target.Name, Kind: r.kind, Source: r.text, FlowType: r.flowType, Sensitive: r.sensitive}
	for _, name := range r.reads() {
		v := in.Source.Get(name)
		if v.IsAbsent() {
			v = directory.NullValue()
		}
		step.Inputs.Set(name, r.shown(v))
	}
	if r.sensitive && r.kind == Constant {
		step.Source = sensitiveText
	}
	switch {
	case r.refused != "":
		step.Dropped = Dropped(r.refused)
		return step
	case !r.written:
		step.Dropped = MatchingOnly
		return step
	case r.flowType == ObjectAddOnly && in.Flow == Update:
		step.Dropped = CreateOnly
		return step
	}
	v, err := r.wanted(in)
	if err == nil {
		v, step.Dropped, err = r.settle(v, in)
	}
	if errors.As(err, &step.Err) {
		return step
	}
	if step.Dropped == Written {
		step.Result = r.shown(v)
	}
	return step
}

// shown returns a value as it may be shown.
func (r *rule) shown(v directory.Value) directory.Value {
	if text := r.hidden(); text != "" && !v.IsEmpty() {
		return directory.TextOf(text)
	}
	return v
}
