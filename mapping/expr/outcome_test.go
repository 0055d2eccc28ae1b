package expr_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
)

func texts(of map[string]string) directory.Attributes {
	values := make(map[string]directory.Value, len(of))
	for name, text := range of {
		values[name] = directory.TextOf(text)
	}
	return directory.AttributesOf(values)
}

func TestIgnoringAnAttribute(t *testing.T) {
	for _, text := range []string{`IgnoreAttributeFlow`, `IgnoreFlowIfNullOrEmpty([a])`, `IIF(IsNull([a]), IgnoreAttributeFlow, "x")`} {
		p := compile(t, text)
		v, err := p.Evaluate(expr.Env{})
		if err != nil || !v.IsAbsent() {
			t.Errorf("%s gives %s %q (error %v), want that it is absent", text, v.Kind(), v, err)
		}
		r, err := p.Result(expr.Env{})
		if diff := cmp.Diff(expr.Result{Ignored: true}, r); err != nil || diff != "" {
			t.Errorf("%s: error %v, result (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestIgnoringAnObject(t *testing.T) {
	p := compile(t, `Append("x", IIF([type]="svc", IgnoreObjectFlow, [type]))`)
	_, err := p.Evaluate(expr.Env{Attributes: texts(map[string]string{"type": "svc"})})
	if !errors.Is(err, expr.ErrObjectIgnored) || err.Error() != "the expression leaves this user out" {
		t.Errorf("error %v, want %v", err, expr.ErrObjectIgnored)
	}
	var e *expr.EvalError
	if !errors.As(err, &e) || e.Offset != 30 {
		t.Errorf("error %#v, want an *expr.EvalError with the offset 30", err)
	}
	if v, err := p.Evaluate(expr.Env{Attributes: texts(map[string]string{"type": "person"})}); err != nil || v.Text() != "xperson" {
		t.Errorf("another user gives %q, error %v; want xperson", v, err)
	}
}

func TestUniqueValues(t *testing.T) {
	p := compile(t, `SelectUniqueValue([given], Left([given], 0), Join(".", [given], [surname]), Error("no more rules"))`)
	env := expr.Env{Attributes: texts(map[string]string{"given": "kari", "surname": "nordmann"})}
	var asked []string
	env.Taken = func(value string) bool {
		asked = append(asked, value)
		return value == "kari"
	}
	v, err := p.Evaluate(env)
	if err != nil || v.Text() != "kari.nordmann" {
		t.Errorf("got %q, error %v; want kari.nordmann", v, err)
	}
	if diff := cmp.Diff([]string{"kari", "kari.nordmann"}, asked); diff != "" {
		t.Errorf("values that were looked up (-want +got):\n%s", diff)
	}
	if p.Rules() != 4 {
		t.Errorf("%d rules, want 4", p.Rules())
	}
	// Each rule can be had alone, and then nothing is asked.
	asked = nil
	for i, want := range []string{"kari", "", "kari.nordmann"} {
		if got, err := p.Rule(i, env); err != nil || got != want {
			t.Errorf("rule %d gives %q (error %v), want %q", i, got, err, want)
		}
	}
	if _, err := p.Rule(3, env); err == nil || err.Error() != "Error: no more rules" {
		t.Errorf("rule 3: error %v, want its own", err)
	}
	if got, err := p.Rule(4, env); got != "" || err != nil {
		t.Errorf("a rule behind the last gives %q, error %v; want nothing", got, err)
	}
	if got, err := p.Rule(-1, env); got != "" || err != nil {
		t.Errorf("a rule before the first gives %q, error %v; want nothing", got, err)
	}
	if len(asked) > 0 {
		t.Errorf("rules alone asked about %q, want nothing", asked)
	}
}

func TestNoUniqueValue(t *testing.T) {
	all := func(string) bool { return true }
	tests := []struct{ name, text, message, value string }{
		{"all are taken", `SelectUniqueValue([a], Append([a], "2"))`, "every value that the rules give exists already", "kari, kari2"},
		{"no rule gives one", `SelectUniqueValue([b], [c])`, "none of the rules gives a value", ""},
	}
	for _, tt := range tests {
		_, err := compile(t, tt.text).Evaluate(expr.Env{Attributes: texts(map[string]string{"a": "kari"}), Taken: all})
		var e *expr.EvalError
		if !errors.Is(err, expr.ErrNoUniqueValue) || !errors.As(err, &e) || e.Message != tt.message || e.Value != tt.value {
			t.Errorf("%s: error %#v, want %q with the value %q", tt.name, err, tt.message, tt.value)
		}
	}
	if n := compile(t, `Append("a", "b")`).Rules(); n != 0 {
		t.Errorf("Append has %d rules, want none", n)
	}
}

func TestWhatAProgramCalls(t *testing.T) {
	tests := []struct {
		text             string
		random, redacted bool
	}{
		{`[a]`, false, false},
		{`Append("Guid()", Left("Redact(", 1))`, false, false},
		{`Guid()`, true, false},
		{`IIF([a]="x" & RandomString(1, 1, 0, 0, 0), "a", "b")`, true, false},
		{`Append("a", Redact([a]))`, false, true},
		{`SelectUniqueValue([a], Append(Redact([a]), Guid()))`, true, true},
	}
	for _, tt := range tests {
		p := compile(t, tt.text)
		q := p.Renamed(func(name string) (string, bool) { return name, false })
		for _, program := range []*expr.Program{p, q} {
			if program.Random() != tt.random || program.Redacted() != tt.redacted {
				t.Errorf("%s: random %v, redacted %v; want %v, %v", tt.text, program.Random(), program.Redacted(), tt.random, tt.redacted)
			}
		}
	}
}

// What Redact keeps out of the logs must not come back through an error.
func TestErrorsOfRedactedExpressions(t *testing.T) {
	env := expr.Env{Attributes: texts(map[string]string{"a": "secret"}), Taken: func(string) bool { return true }}
	for _, text := range []string{`Item(Redact([a]), 2)`, `Left(Redact([a]), [a])`, `SelectUniqueValue(Redact([a]), [a])`, `Error(Redact([a]))`} {
		p := compile(t, text)
		_, err := p.Evaluate(env)
		_, resultErr := p.Result(env)
		for _, err := range []error{err, resultErr} {
			if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "[Redact]") {
				t.Errorf("%s: error %v, want one with [Redact] for the value", text, err)
			}
		}
	}
	if _, err := compile(t, `SelectUniqueValue(Item(Redact([a]), 2), "x")`).Rule(0, env); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a rule: error %v, want one without the value", err)
	}
}

func TestErrorFunction(t *testing.T) {
	env := expr.Env{Attributes: texts(map[string]string{"name": "Kari"})}
	tests := []struct {
		text string
		want expr.EvalError
	}{
		{`Error("a mail address is needed")`, expr.EvalError{Function: "Error", Message: "a mail address is needed"}},
		{`Error("no mail for " & [name])`, expr.EvalError{Function: "Error", Value: "no mail for Kari", Message: "the expression refuses this user"}},
	}
	for _, tt := range tests {
		_, err := compile(t, tt.text).Evaluate(env)
		var e *expr.EvalError
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v, want an *expr.EvalError", tt.text, err)
			continue
		}
		if diff := cmp.Diff(tt.want, *e); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestRandomnessIsWhatTheCallerGives(t *testing.T) {
	zeros := func() expr.Env { return expr.Env{Random: bytes.NewReader(make([]byte, 4096))} }
	for text, want := range map[string]string{
		`Guid()`: "00000000-0000-4000-8000-000000000000", `RandomString(3, 3, 0, 0, 0)`: "000", `RandomString(4, 0, 0, 4, 0, "AB")`: "CCCC",
	} {
		if v, err := compile(t, text).Evaluate(zeros()); err != nil || v.Text() != want {
			t.Errorf("%s of nothing but zeros gives %q (error %v), want %q", text, v, err, want)
		}
	}
	for _, text := range []string{`Guid()`, `RandomString(3, 3, 0, 0, 0)`} {
		if v, err := compile(t, text).Evaluate(expr.Env{Random: bytes.NewReader(nil)}); err == nil {
			t.Errorf("%s without randomness gives %q, want an error", text, v)
		}
	}
	seen := map[string]bool{}
	for range 100 {
		v, err := compile(t, `Guid()`).Evaluate(expr.Env{})
		if err != nil || seen[v.Text()] {
			t.Fatalf("Guid gives %q (error %v), which came before or is none", v, err)
		}
		seen[v.Text()] = true
	}
}

// Every character of every class is drawn, and the classes do not keep their
// places.
func TestRandomTextsAreMixed(t *testing.T) {
	p := compile(t, `RandomString(256, 64, 64, 64, 64)`)
	drawn, digitsFirst := map[rune]bool{}, 0
	for range 40 {
		v, err := p.Evaluate(expr.Env{})
		if err != nil || len(v.Text()) != 256 {
			t.Fatalf("%d characters, error %v; want 256", len(v.Text()), err)
		}
		counts := map[string]int{}
		for _, r := range v.Text() {
			drawn[r] = true
			switch {
			case r >= '0' && r <= '9':
				counts["number"]++
			case r >= 'A' && r <= 'Z':
				counts["capital"]++
			case r >= 'a' && r <= 'z':
				counts["lower"]++
			default:
				counts["special"]++
			}
		}
		if diff := cmp.Diff(map[string]int{"number": 64, "capital": 64, "lower": 64, "special": 64}, counts); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", v, diff)
		}
		if !slices.ContainsFunc([]rune(v.Text()[:64]), func(r rune) bool { return r < '0' || r > '9' }) {
			digitsFirst++
		}
	}
	if len(drawn) != 10+32+26+26 || digitsFirst > 0 {
		t.Errorf("%d different characters were drawn, want 94; numbers alone came first %d times, want never", len(drawn), digitsFirst)
	}
}
