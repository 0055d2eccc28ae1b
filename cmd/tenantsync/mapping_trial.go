package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/expr"
)

// trial is one evaluation of an expression, outside of any job.
type trial struct {
	Expression string
	Attributes directory.Attributes
	Now        time.Time
	// graph says that the attributes go by Graph's names, as a tenant gave them.
	graph bool
	// hidden stands for the values of a real user that must appear nowhere, "" when
	// they may.
	hidden string
	// Target is the attribute that the value is for; "" evaluates the expression
	// alone, without assuming what attributes hold.
	Target string
	// Taken reports whether the target has a value already; nil: it has none.
	Taken func(value string) bool
}

// trialResult is what a trial gives.
type trialResult struct {
	expr.Result
	// Dropped says why a create would not write the value to the target.
	Dropped string
}

// run compiles and evaluates the expression. Its error is an *expressionError, or
// says that the target cannot be what was asked for.
func (t *trial) run() (trialResult, error) {
	out, err := t.evaluate()
	if t.hidden == "" {
		return out, err
	}
	if !out.Null && !out.Ignored {
		out.Result = expr.Result{Text: t.hidden}
	}
	return out, t.conceal(err)
}

// conceal takes the value out of the error of an evaluation.
func (t *trial) conceal(err error) error {
	var failed *expr.EvalError
	var misfit *mapping.Failure
	switch {
	case errors.As(err, &failed):
		concealed := *failed
		concealed.Value, concealed.Err = t.hidden, nil
		return t.failed(&concealed)
	case errors.As(err, &misfit):
		concealed := *misfit
		concealed.Value, concealed.Err = t.hidden, nil
		return t.failed(&concealed)
	}
	return err
}

func (t *trial) evaluate() (trialResult, error) {
	program, err := expr.Compile(t.Expression, nil)
	if err != nil {
		return trialResult{}, t.failed(err)
	}
	if t.Target != "" {
		return t.runFor(program)
	}
	if t.graph {
		program = renamed(program)
	} else {
		program = readingGiven(program, t.Attributes)
	}
	value, err := program.Result(expr.Env{Attributes: t.Attributes, Now: t.Now, Taken: t.Taken})
	if err != nil {
		return trialResult{}, t.failed(err)
	}
	return trialResult{Result: value}, nil
}

func (t *trial) failed(err error) error { return &expressionError{text: t.Expression, err: err} }

// runFor evaluates the expression as the mapping of a target attribute, for a
// user that is being created: checked, converted and bounded as in a cycle.
func (t *trial) runFor(program *expr.Program) (trialResult, error) {
	m := mapping.Mapping{Target: t.Target, Expression: t.Expression}
	if program.Rules() > 0 || program.Random() {
		m.FlowType = mapping.ObjectAddOnly
	}
	schema, problems := mapping.Compile([]mapping.Mapping{m})
	for _, p := range problems {
		switch {
		case p.Severity != mapping.Error:
		case p.Field == "target":
			return trialResult{}, unknownTarget(p)
		default:
			return trialResult{}, t.failed(&expr.Error{Offset: max(p.Offset, 0), Length: p.Length, Message: p.Message, Suggestion: p.Suggestion})
		}
	}
	attributes := graphNames(t.Attributes)
	env := expr.Env{Attributes: attributes, Now: t.Now, Taken: t.Taken}
	named := renamed(program)
	value, err := named.Evaluate(env)
	if err != nil {
		return trialResult{}, t.failed(err)
	}
	info, _ := mapping.Attribute(t.Target)
	in := mapping.Input{Source: attributes, Flow: mapping.Create, Now: t.Now}
	if program.Rules() > 0 {
		in.Unique = map[string]directory.Value{info.Name: value}
	}
	step := schema.Trace(in)[0]
	if step.Err != nil {
		return trialResult{}, t.failed(step.Err)
	}
	out := trialResult{Dropped: string(step.Dropped)}
	v := step.Result
	if step.Dropped != mapping.Written {
		v = step.Value // what it gives is of interest all the same
	}
	switch {
	case step.Dropped == mapping.Ignored:
		out.Ignored = true
	case v.IsEmpty():
		out.Null = true
	case v.Kind() == directory.List:
		out.IsList, out.Members = true, v.List()
	default:
		out.Text = v.String()
	}
	return out, nil
}

// unknownTarget tells that a target attribute cannot be mapped to.
func unknownTarget(p mapping.Problem) error {
	if p.Suggestion == "" {
		return usagef("", "target: %s.", p.Message)
	}
	return usagef(fmt.Sprintf("did you mean %q?", p.Suggestion), "target: %s.", p.Message)
}

// renamed returns the program reading attributes by their Graph names, whatever
// old names it is written with.
func renamed(program *expr.Program) *expr.Program {
	return program.Renamed(func(name string) (string, bool) {
		info, known := attribute.Lookup(name)
		if !known {
			return name, false
		}
		return info.Name, info.First
	})
}

// graphNames gives attributes that go by an old name their Graph name.
func graphNames(a directory.Attributes) directory.Attributes {
	list := slices.Clone(a)
	for i := range list {
		if info, known := attribute.Lookup(list[i].Name); known {
			list[i].Name = info.Name
		}
	}
	return directory.SortedAttributes(list)
}

// readable reports the first attribute of an expression that no user of a tenant
// has, or that cannot be read; the error is an *expr.Error.
func readable(program *expr.Program) error {
	for _, ref := range program.References() {
		info, known := attribute.Lookup(ref.Name)
		at := expr.Error{Offset: ref.Offset, Length: ref.Length}
		switch why := attribute.Missing(ref.Name); {
		case why != "":
			at.Message = fmt.Sprintf("Graph v1.0 has no attribute %s: %s", ref.Name, why)
		case !known:
			at.Message, at.Suggestion = fmt.Sprintf("unknown attribute %q", ref.Name), attribute.Nearest(ref.Name)
		case info.Unreadable != "":
			at.Message = fmt.Sprintf("%s cannot be read: %s", ref.Name, info.Unreadable)
		case info.Kind == directory.Ref:
			at.Message = fmt.Sprintf("[%s] is a reference to another user: only a direct mapping can carry it", ref.Name)
		default:
			continue
		}
		return &at
	}
	return nil
}

// readingGiven returns the program reading the attributes that are given: each by
// the name it is written with, else by another name of the same attribute. Nothing
// is assumed of names that mean no attribute.
func readingGiven(program *expr.Program, given directory.Attributes) *expr.Program {
	return program.Renamed(func(name string) (string, bool) {
		info, known := attribute.Lookup(name)
		if !known || given.Has(name) {
			return name, false
		}
		for _, a := range given {
			if other, ok := attribute.Lookup(a.Name); ok && other.Name == info.Name {
				return a.Name, info.First
			}
		}
		return name, false
	})
}

// doubts says what an expression probably does not mean.
func doubts(text string) []string {
	program, err := expr.Compile(text, nil)
	if err != nil {
		return nil
	}
	var said []string
	for _, d := range program.Doubts() {
		said = append(said, sentence(d.Message))
	}
	return said
}

// notGiven says of each attribute of an expression that is neither given nor known
// that it has no value, with the one that was probably meant.
func notGiven(text string, given directory.Attributes) []string {
	program, err := expr.Compile(text, nil)
	if err != nil {
		return nil
	}
	var said []string
	for _, name := range program.Attributes() {
		if _, known := attribute.Lookup(name); known || given.Has(name) {
			continue
		}
		told := fmt.Sprintf("[%s] is not among the attributes given, so it has no value.", name)
		if why := attribute.Missing(name); why != "" {
			told = fmt.Sprintf("[%s] has no value: Graph v1.0 has no such attribute: %s.", name, why)
		} else if near := attribute.Nearest(name); near != "" {
			told += fmt.Sprintf(" Did you mean [%s]?", near)
		} else if len(given) == 0 {
			continue // made up, to try out what comes of no value
		}
		said = append(said, told)
	}
	return said
}
