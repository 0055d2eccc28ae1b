package mapping

import (
	"errors"
	"fmt"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
)

// SensitiveText stands in every output for a value of a mapping marked sensitive.
// Where an expression calls Redact, [expr.RedactedText] does.
const SensitiveText = "(sensitive)"

// Failure says why one user cannot be mapped. It concerns that user only.
type Failure struct {
	// Mapping is the index of the mapping in the list that was compiled.
	Mapping int
	// Target is the Graph name of the attribute.
	Target string
	// Function is the function of the expression that failed, or "".
	Function string
	// Value is what it failed on; "(sensitive)" or "[Redact]" when it is not to be
	// shown.
	Value string
	// Message says what is wrong, without the value.
	Message string
	// Err is the cause where there is one, such as the time limit of a regular
	// expression.
	Err error
}

// Error names the target and what is wrong, with the value unless it is hidden.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mapping of %s: ", f.Target)
	if f.Function != "" {
		b.WriteString(f.Function + ": ")
	}
	b.WriteString(f.Message)
	if f.Value != "" {
		fmt.Fprintf(&b, " (value %s)", quote(f.Value))
	}
	return b.String()
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

func quote(s string) string {
	const most = 80
	if s == SensitiveText || s == expr.RedactedText {
		return s
	}
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most-1]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// failure turns the error of an expression into a failure of this mapping.
func (r *rule) failure(err error) *Failure {
	f := &Failure{Mapping: r.index, Target: r.target.Name, Message: err.Error()}
	var e *expr.EvalError
	if errors.As(err, &e) {
		f.Function, f.Value, f.Message, f.Err = e.Function, e.Value, e.Message, e.Err
	}
	return r.hide(f)
}

// contain is deferred: a panic over one user's values becomes the failure of that
// user, with a [*directory.Fault] as its cause.
func (r *rule) contain(err *error) {
	if p := recover(); p != nil {
		fault := directory.NewFault(p)
		*err = &Failure{Mapping: r.index, Target: r.target.Name, Message: fault.Error(), Err: fault}
	}
}

// misfit is the failure of a value that the target cannot hold.
func (r *rule) misfit(v directory.Value, err error) *Failure {
	return r.hide(&Failure{Mapping: r.index, Target: r.target.Name, Value: v.String(), Message: err.Error()})
}

func (r *rule) hide(f *Failure) *Failure {
	if text := r.hidden(); text != "" && f.Value != "" {
		f.Value = text
	}
	return f
}

// hidden returns what stands for the values of this mapping in every output, ""
// when they may be shown.
func (r *rule) hidden() string {
	switch {
	case r.sensitive:
		return SensitiveText
	case r.redacted():
		return expr.RedactedText
	}
	return ""
}

// redacted reports whether the expression calls Redact.
func (r *rule) redacted() bool { return r.program != nil && r.program.Redacted() }
