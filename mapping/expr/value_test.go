package expr

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	for _, s := range []string{"0", "-0", "7", "-7", "007", "1.5", "-1.50", "0.0", "123456789012345678901234567890.1"} {
		if _, ok := parseDecimal(s); !ok {
			t.Errorf("%q is no number, want one", s)
		}
	}
	for _, s := range []string{"", "-", ".", "1.", ".5", "+1", "1e3", "0x1", " 1", "1 ", "1,5", "--1", "1.2.3", "١"} {
		if d, ok := parseDecimal(s); ok {
			t.Errorf("%q is the number %+v, want none", s, d)
		}
	}
}

// Numbers of any length compare as numbers do.
func TestDecimalsCompareExactly(t *testing.T) {
	numbers := rapid.StringMatching(`-?[0-9]{1,25}(\.[0-9]{1,8})?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers.Draw(t, "a"), numbers.Draw(t, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		want := x.Cmp(y)
		for operator, holds := range map[string]bool{"=": want == 0, "<>": want != 0, "<": want < 0, "<=": want <= 0, ">": want > 0, ">=": want >= 0} {
			if got, many := compare(operator, textValue(a), textValue(b)); got != holds || many {
				t.Fatalf("%s %s %s is %v, want %v", a, operator, b, got, holds)
			}
		}
	})
}

func TestCompare(t *testing.T) {
	null, empty := value{}, textValue("")
	tests := []struct {
		name     string
		a        value
		operator string
		b        value
		want     bool
	}{
		{"null equals null", null, "=", null, true},
		{"null is not unequal to null", null, "<>", null, false},
		{"null does not equal empty text", null, "=", empty, false},
		{"null is not unequal to text either", null, "<>", textValue("x"), false},
		{"null is not less", null, "<", intValue(1), false},
		{"null is not at least", null, ">=", null, false},
		{"an empty list is null", listValue(nil), "=", null, true},
		{"empty text equals itself", empty, "=", empty, true},
		{"a boolean is its text", boolValue(true), "=", textValue("True"), true},
		{"with case", boolValue(true), "=", textValue("true"), false},
		{"a number is its text", intValue(7), "=", textValue("7.0"), true},
		{"text is not a number", textValue("7a"), ">", intValue(70), true},
		{"a list of one is its member", listValue([]string{"x"}), "=", textValue("x"), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, many := compare(tt.operator, tt.a, tt.b); got != tt.want || many {
				t.Errorf("%v %s %v is %v (many %v), want %v", tt.a, tt.operator, tt.b, got, many, tt.want)
			}
		})
	}
	if _, many := compare("=", listValue([]string{"x", "y"}), null); !many {
		t.Error("a list of two compares, want that it does not")
	}
}

func TestTruth(t *testing.T) {
	tests := []struct {
		name      string
		v         value
		holds, ok bool
	}{
		{"null", value{}, false, true},
		{"true", boolValue(true), true, true},
		{"false", boolValue(false), false, true},
		{"zero", intValue(0), false, true},
		{"negative", intValue(-1), true, true},
		{"text True in any case", textValue("tRuE"), true, true},
		{"text False in any case", textValue("FALSE"), false, true},
		{"empty text", textValue(""), false, true},
		{"text zero", textValue("0.00"), false, true},
		{"text number", textValue("0.01"), true, true},
		{"other text", textValue("yes"), false, false},
		{"list of one", listValue([]string{"True"}), true, true},
		{"list of two", listValue([]string{"True", "True"}), false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if holds, ok := tt.v.truth(); holds != tt.holds || ok != tt.ok {
				t.Errorf("%v means %v, %v; want %v, %v", tt.v, holds, ok, tt.holds, tt.ok)
			}
		})
	}
}

func TestEveryFunctionFitsTheTable(t *testing.T) {
	for _, f := range functionTable {
		if f.eval == nil {
			t.Errorf("%s does nothing", f.Name)
		}
		free := len(slices.DeleteFunc(slices.Clone(f.Parameters), func(p Parameter) bool { return p.Required }))
		if f.fewest != 0 && f.fewest != len(f.Parameters)-free {
			t.Errorf("%s: %d arguments are the fewest, but %d of %d parameters can be left out", f.Name, f.fewest, free, len(f.Parameters))
		}
		repeating := false
		for i, p := range f.Parameters {
			if repeating && !p.Repeat {
				t.Errorf("%s: parameter %s follows one that repeats", f.Name, p.Name)
			}
			repeating = p.Repeat
			if i > 0 && p.Required && !f.Parameters[i-1].Required && f.fewest == 0 {
				t.Errorf("%s: parameter %s is required after one that is not", f.Name, p.Name)
			}
			if p.Name == "" {
				t.Errorf("%s: parameter %d has no name", f.Name, i+1)
			}
		}
	}
}
