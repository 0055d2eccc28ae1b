package expr_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
)

// FuzzExpression holds that no text makes the compiler or the evaluator panic,
// that mistakes lie inside the text, and that the canonical text of what compiles
// means the same.
func FuzzExpression(f *testing.F) {
	for _, c := range []string{`Join(", ", [surname], [givenName])`, `IIF([country]="NO" , "a" & [b], &HF7)`, `Replace([a], , "(?<x>\\d+)", "x", "$1", , )`,
		`Switch([a], , "1", Mid("abc", 2, -1), "", Item(Split([l], ","), 2))`, `"\"\\\d"`, `Append([`, `Left("æøå", 2.5)`, "ToUpper(\"\xff\")",
		`Not(Not(Not(IsNull([a]))))`, `Replace([a], , "(a+)+$", , "$&$_", , )`, `Coalesce(,,)`, `NormalizeDiacritics([s])`} {
		f.Add(c, "Kari Nordmann")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		p, err := expr.Compile(text, kinds)
		if err != nil {
			var e *expr.Error
			if !errors.As(err, &e) {
				t.Fatalf("error is a %T", err)
			}
			if e.Offset < 0 || e.Length < 0 || e.Offset+e.Length > len(text) {
				t.Fatalf("the mistake lies at %d+%d in a text of %d bytes", e.Offset, e.Length, len(text))
			}
			e.Caret(text)
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
		attributes := directory.AttributesOf(map[string]directory.Value{
			"a": directory.TextOf(value), "b": directory.NullValue(), "l": directory.ListOf(value, "x"), "s": directory.TextOf(value + "é"),
		})
		env := expr.Env{Attributes: attributes}
		first, err := p.Evaluate(env)
		second, errAgain := again.Evaluate(env)
		if (err == nil) != (errAgain == nil) || first.Compare(second) != 0 {
			t.Fatalf("%s gives %q (%v), its canonical text %s gives %q (%v)", text, first, err, p, second, errAgain)
		}
	})
}
