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
	// Source is the attribute by its Graph name, the constant, or the expression in
	// canonical form with its attributes by their Graph names.
	Source string
	// Inputs are the source attributes the mapping read, those without a value
	// included.
	Inputs directory.Attributes
	// Value is what the source gives, before default value, conversion and flow
	// type, and also where nothing is written; absent when that fails, or when the
	// next evaluation may give another value.
	Value directory.Value
	// Result is what is to be written; null when the target is to be cleared,
	// absent when nothing is written.
	Result directory.Value
	// Dropped says why nothing is written.
	Dropped Dropped
	// Unchanged says that the target has the result already.
	Unchanged bool
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
		step.Source = SensitiveText
	}
	v, err := r.wanted(in)
	if err == nil && r.repeatable() {
		step.Value = r.shown(v)
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
	if err == nil {
		v, step.Dropped, err = r.settle(v, in)
	}
	if errors.As(err, &step.Err) {
		return step
	}
	if step.Dropped == Written {
		step.Result = r.shown(v)
		step.Unchanged = len(directory.Diff(in.Current, directory.Attributes{{Name: r.target.Name, Value: v}})) == 0 ||
			same(r.target.Name, r.target.Date, in.Current.Get(r.target.Name), v)
	}
	return step
}

// repeatable reports whether the same user gives the same value again: a unique
// or a random one is settled when it is written, and at no other time.
func (r *rule) repeatable() bool {
	return r.kind != Expression || r.rules() == 0 && !r.program.Random()
}

// shown returns a value as it may be shown.
func (r *rule) shown(v directory.Value) directory.Value {
	if text := r.hidden(); text != "" && !v.IsEmpty() {
		return directory.TextOf(text)
	}
	return v
}
