package expr_test

import (
	"bytes"
	"errors"
	"testing"
	"time"
	"unicode/utf8"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
	"tenantsync/mapping/pattern"
)

// largest is the greatest size in bytes of a text that an expression may make.
const largest = 1 << 16

// FuzzExpression holds that no text makes the compiler or the evaluator panic,
// that mistakes lie inside the text, that results are bounded, and that the
// canonical text of what compiles means the same. Every case and every example
// is a seed, so that all functions are reached.
func FuzzExpression(f *testing.F) {
	for _, c := range []string{`Replace([a], , "(?<x>\\d+)", "x", "$1", , )`, `"\"\\\d"`, `Append([`, "ToUpper(\"\xff\")", `Not(Not(Not(IsNull([a]))))`,
		`Replace([a], , "(a+)+$", , "$&$_", , )`, `Coalesce(,,)`, `Replace([a], , [s], , [b], , )`, `Item([l], [a])`, `RandomString([a], 0, 0, 0, 1, [s])`} {
		f.Add(c, "Kari Nordmann")
	}
	for _, c := range allCases(f) {
		f.Add(c.Expression, "7")
	}
	for _, function := range expr.Functions() {
		f.Add(function.Example.Expression, "2026-01-31")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		p, err := expr.Compile(text, kinds)
		if err != nil {
			checkMistake(t, text, err)
			return
		}
		again, err := expr.Compile(p.String(), kinds)
		if err != nil {
			// Escaping can take an expression over the limit of its length.
			if utf8.RuneCountInString(p.String()) <= expr.MaxLength {
				t.Fatalf("%s: the canonical text %s does not compile: %v", text, p, err)
			}
			return
		}
		first, err := evaluateFuzzed(t, p, value)
		second, errAgain := evaluateFuzzed(t, again, value)
		if errors.Is(err, pattern.ErrTimeout) || errors.Is(errAgain, pattern.ErrTimeout) {
			return // whether a limit of time is reached may differ
		}
		if (err == nil) != (errAgain == nil) || first.Compare(second) != 0 {
			t.Fatalf("%s gives %q (%v), its canonical text %s gives %q (%v)", text, first, err, p, second, errAgain)
		}
	})
}

func checkMistake(t *testing.T, text string, err error) {
	t.Helper()
	var e *expr.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is a %T", err)
	}
	if e.Offset < 0 || e.Length < 0 || e.Offset+e.Length > len(text) {
		t.Fatalf("the mistake lies at %d+%d in a text of %d bytes", e.Offset, e.Length, len(text))
	}
	e.Caret(text)
}

// evaluateFuzzed evaluates for a user whose attributes are of every kind. The same
// randomness makes random functions comparable.
func evaluateFuzzed(t *testing.T, p *expr.Program, value string) (directory.Value, error) {
	t.Helper()
	attributes := map[string]directory.Value{
		"b": directory.NullValue(), "l": directory.ListOf(value, "x"), "s": directory.TextOf(value + "é"), "n": directory.IntOf(514),
		"accountEnabled": directory.BoolOf(true), "empty": directory.ListOf(),
	}
	for _, name := range p.Attributes() {
		if _, ok := attributes[name]; !ok {
			attributes[name] = directory.TextOf(value)
		}
	}
	env := expr.Env{Attributes: directory.AttributesOf(attributes), Random: bytes.NewReader(make([]byte, 1<<14)),
		Taken: func(s string) bool { return s == value }}
	began := time.Now()
	v, err := p.Evaluate(env)
	if took := time.Since(began); took > 5*time.Second {
		t.Fatalf("%s takes %v", p, took)
	}
	var e *expr.EvalError
	if err != nil && (!errors.As(err, &e) || e.Message == "") {
		t.Fatalf("%s: error %#v, want an *expr.EvalError with a message", p, err)
	}
	if n := len(v.Text()); n > max(largest, len(value)+2, len(p.String())) {
		t.Fatalf("%s gives %d bytes", p, n)
	}
	for i := range p.Rules() {
		if _, err := p.Rule(i, env); err != nil && !errors.As(err, &e) {
			t.Fatalf("%s: rule %d: error %#v, want an *expr.EvalError", p, i, err)
		}
	}
	return v, err
}
