package pattern_test

import (
	"errors"
	"strings"
	"testing"

	"tenantsync/mapping/pattern"
)

const roomy = 1 << 16

func compile(t testing.TB, text string) *pattern.Pattern {
	t.Helper()
	p, err := pattern.Compile(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

func TestMatch(t *testing.T) {
	tests := []struct {
		name, pattern, text string
		want                bool
	}{
		{"plain text anywhere", `svc`, "my-svc-1", true},
		{"plain text with case", `svc`, "SVC-1", false},
		{"at the start", `^svc-`, "svc-1", true},
		{"at the start, not later", `^svc-`, "a-svc-1", false},
		{"at the end", `-svc$`, "my-svc", true},
		{"at the end, not earlier", `-svc$`, "my-svc-1", false},
		{"before a final newline", `svc$`, "svc\n", true},
		{"before a newline and more", `svc$`, "svc\nx", false},
		{"whole text", `^svc$`, "svc", true},
		{"whole text and more", `^svc$`, "svcs", false},
		{"escaped dot", `@contoso\.no$`, "a@contoso.no", true},
		{"escaped dot is no wildcard", `@contoso\.no$`, "a@contosoxno", false},
		{"documented sample", `.*\@domain.com`, "ann@domain.com", true},
		{"documented number range", `(1[0-9][0-9][0-9][0-9][0-9][0-9])`, "1000042", true},
		{"not anchored", `([1-9][0-9])`, "100", true},
		{"unescaped brace", `^SystemMailbox{`, "SystemMailbox{1f05", true},
		{"alternatives", `^(svc|adm)-`, "adm-1", true},
		{"alternatives with ends", `^a$|^b$`, "b", true},
		{"class with range and dash", `^[a-c_-]+$`, "a-b_c", true},
		{"negated class", `^[^0-9]+$`, "ab1", false},
		{"counted", `^\d{2,3}$`, "1234", false},
		{"digits of other scripts", `^\d+$`, "٣٤", true},
		{"letters of other scripts", `^\w+$`, "Ødegård", true},
		{"no-break space is white space", `^a\sb$`, "a b", true},
		{"empty line start", `^`, "x", true},
		{"dot is not a newline", `a.b`, "a\nb", false},
		{"option in the pattern", `(?i)^SVC-`, "svc-1", true},
		{"look-ahead", `^(?!svc-)`, "svc-1", false},
		{"look-behind", `(?<=@)contoso`, "a@contoso", true},
		{"reference back", `(.)\1`, "abba", true},
		{"word boundary", `\badm\b`, "x adm y", true},
		{"class subtraction", `^[a-z-[aeiou]]+$`, "bcd", true},
		{"named group", `^(?<prefix>svc)-`, "svc-1", true},
		{"category", `^\p{Lu}`, "Æ", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := compile(t, tt.pattern).Match(tt.text)
			if err != nil || got != tt.want {
				t.Errorf("%s on %q: %v (error %v), want %v", tt.pattern, tt.text, got, err, tt.want)
			}
		})
	}
}

func TestMatchTimesOut(t *testing.T) {
	// The reference back keeps the pattern from the linear engine.
	_, err := compile(t, `^(a+)+\1$`).Match(strings.Repeat("a", 40) + "!")
	if !errors.Is(err, pattern.ErrTimeout) {
		t.Errorf("error %v, want %v", err, pattern.ErrTimeout)
	}
}

func TestMatchWithoutBacktrackingNeedsNoTime(t *testing.T) {
	got, err := compile(t, `^(a+)+$`).Match(strings.Repeat("a", 10_000) + "!")
	if got || err != nil {
		t.Errorf("got %v, error %v; want no match and no time limit", got, err)
	}
}

func TestCompileErrors(t *testing.T) {
	tests := []struct{ name, pattern, want string }{
		{"open group", `(a`, "the regular expression is wrong: missing closing )"},
		{"open class", `[a`, "the regular expression is wrong: unterminated [] set"},
		{"nothing to repeat", `*a`, "the regular expression is wrong: missing argument to repetition operator"},
		{"block that is none", `\p{IsKlingon}`, "the regular expression is wrong: unknown unicode category"},
		{"category that is none", `\p{Xy}`, "the regular expression is wrong: unknown unicode category"},
		{"category without an end", `\p{IsGreek`, "the regular expression is wrong: "},
		{"reference to a group that is none", `\2(a)`, "the regular expression is wrong: reference to undefined group"},
		{"range the wrong way round", `[z-a]`, "the regular expression is wrong: [z-a] range in reverse order"},
		{"too long", strings.Repeat("a", pattern.MaxLength+1), "a regular expression has at most 10000 characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := pattern.Compile(tt.pattern)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v, want it to begin with %q", err, tt.want)
			}
		})
	}
}

// replacement is what a text is with every match of a pattern replaced.
type replacement struct{ name, pattern, text, replacement, want string }

func checkReplacements(t *testing.T, tests []replacement) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := compile(t, tt.pattern)
			got, err := p.Replace(tt.text, p.Replacement(tt.replacement), roomy)
			if err != nil || got != tt.want {
				t.Errorf("%s in %q by %q: %q (error %v), want %q", tt.pattern, tt.text, tt.replacement, got, err, tt.want)
			}
		})
	}
}

func TestReplace(t *testing.T) {
	checkReplacements(t, []replacement{
		{"all matches", `\d+`, "a1b22", "#", "a#b#"},
		{"no match", `z`, "abc", "#", "abc"},
		{"empty matches", `x*`, "abc", "-", "-a-b-c-"},
		{"empty matches beside others", `[a-z]*`, "ab1", "-", "--1-"},
		{"groups by number", `(\w+) (\w+)`, "Kari Nordmann", "$2_$1", "Nordmann_Kari"},
		{"groups by name", `(?<g>\w+) (?<s>\w+)`, "Kari Nordmann", "${s}, ${g}", "Nordmann, Kari"},
		{"group number in braces", `(a)`, "a", "${1}0", "a0"},
		{"leading zeros of a number", `(a)`, "a", "<$01>", "<a>"},
		{"two digits are one number", `(a)`, "a", "$12", "$12"},
		{"whole match as group 0", `a`, "a", "[$0]", "[a]"},
		{"group that took no part", `(a)|(b)`, "b", "<$1>", "<>"},
		{"unknown name", `a`, "a", "${x}$x", "${x}$x"},
		{"open brace", `a`, "a", "${", "${"},
		{"empty braces", `a`, "a", "${}", "${}"},
		{"dollar at the end", `a`, "a", "1$", "1$"},
		{"escaped dollar", `(a)`, "a", "$$1", "$1"},
		{"three dollars", `(a)`, "a", "$$$1", "$a"},
		{"match, before, after, all", `b`, "abc", "$&$`$'$_", "abacabcc"},
		{"last group", `(a)(b)?`, "a", "<$+>", "<>"},
		{"named group by its number", `(?<n>a)(b)`, "ab", "$2", "a"},
		{"named group by its number in braces", `(?<n>a)(b)`, "ab", "${2}${1}", "ab"},
		{"huge number", `(a)`, "a", "$99999999999999999999", "$99999999999999999999"},
		{"other than ASCII", `ø`, "bjørn", "oe", "bjoern"},
	})
}

func TestReplaceGroup(t *testing.T) {
	tests := []struct{ name, pattern, text, group, replacement, want string }{
		{"only the group", `tel:(?<n>\d)-`, "tel:1-2;tel:3-4", "n", "x", "tel:x-2;tel:x-4"},
		{"group in a look-ahead outside the match stays", `a(?=(?<n>b))`, "ab", "n", "x", "ab"},
		{"group that took no part", `a(?<n>b)?`, "ac", "n", "x", "ac"},
		{"every capture of a repeated group", `(?:(?<n>\d),)+`, "1,2,3", "n", "x", "x,x,3"},
		{"replacement as it is", `(?<n>a)`, "a", "n", "$0", "$0"},
		{"no match", `(?<n>z)`, "a", "n", "x", "a"},
		{"group by its number", `(a)(?<n>b)`, "ab", "2", "x", "ax"},
		{"group that is not in the pattern", `(?<n>a)`, "ab", "m", "x", "ab"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := compile(t, tt.pattern).ReplaceGroup(tt.text, tt.group, tt.replacement, roomy)
			if err != nil || got != tt.want {
				t.Errorf("got %q (error %v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestGroup(t *testing.T) {
	p := compile(t, `\+(?<code>\d+) (?<rest>\d+)?`)
	tests := []struct {
		name, text, group, want string
		ok                      bool
	}{
		{"captured", "+47 112", "code", "47", true},
		{"took no part", "+47 x", "rest", "", false},
		{"no match", "47", "code", "", false},
		{"by its number", "+47 112", "1", "47", true},
		{"unknown group", "+47 112", "zone", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok, err := p.Group(tt.text, tt.group)
			if err != nil || got != tt.want || ok != tt.ok {
				t.Errorf("got %q, %v (error %v); want %q, %v", got, ok, err, tt.want, tt.ok)
			}
		})
	}
	if !p.HasGroup("code") || !p.HasGroup("0") || p.HasGroup("zone") {
		t.Errorf("groups: code %v, 0 %v, zone %v; want true, true, false", p.HasGroup("code"), p.HasGroup("0"), p.HasGroup("zone"))
	}
}

func TestReplaceIsBounded(t *testing.T) {
	p := compile(t, `a`)
	if _, err := p.Replace("aaaa", p.Replacement("xxxx"), 15); !errors.Is(err, pattern.ErrTooLong) {
		t.Errorf("16 bytes within 15: error %v, want %v", err, pattern.ErrTooLong)
	}
	if got, err := p.Replace("aaaa", p.Replacement("xxxx"), 16); err != nil || len(got) != 16 {
		t.Errorf("16 bytes within 16: %d bytes, error %v", len(got), err)
	}
	if _, err := p.Replace("abbbb", p.Replacement(""), 3); !errors.Is(err, pattern.ErrTooLong) {
		t.Errorf("rest of the text beyond the limit: error %v, want %v", err, pattern.ErrTooLong)
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	for _, text := range []string{`^svc-`, `@contoso\.no$`, `^(svc|adm)-\d+$`} {
		p := compile(t, text)
		n := testing.AllocsPerRun(100, func() {
			if _, err := p.Match("svc-1@contoso.no"); err != nil {
				t.Fatal(err)
			}
		})
		if n > 0 {
			t.Errorf("%s takes %v allocations, want none", text, n)
		}
	}
}
