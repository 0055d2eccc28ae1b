package pattern

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// agree checks that the quick matcher of a pattern, where it has one, gives the
// verdict of the engine it stands in for.
func agree(t *testing.T, text, on string) {
	t.Helper()
	p, err := Compile(text)
	if err != nil || p.quick == nil {
		return
	}
	engine, err := regexp2.Compile(text, regexp2.None)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	engine.MatchTimeout = 50 * time.Millisecond
	want, err := engine.MatchString(on)
	if err != nil {
		return
	}
	if got := p.quick(on); got != want {
		t.Errorf("%q on %q: quick says %v, the engine %v", text, on, got, want)
	}
}

var (
	patternSeeds = []string{`^svc-`, `svc$`, `^svc$`, ``, `^`, `$`, `a|b$`, `(a|b)c`, `(?:ab)+`, `a{2}`, `a{2,}?`, `a{,2}`, `x{`, `}`, `]`, `[a-c]`,
		`[^a-c\d]`, `[\w.-]+@[\w-]+\.[a-z]{2,}`, `\.`, `\d\D\w\W\s\S`, `[\s]`, `(?<n>a)b`, `^a.c$`, `\$`, `a\`, `[]a]`, `[a\]]`, `[^^]`, `a**`, `a$\n`, `(a$)`, `[a-\d]`,
		`a{10,20}`, `a{0}`, `#x`, `a b`, `é`, `[é-ü]`}
	textSeeds = []string{"", "svc-1", "a", "abc", "ab\n", "a\n", "aac", "x{", "ann@contoso.no", "É é", "٣", "a\u00a0b", "\n", "a,2", "a{,2}", "]", "^", "\u0085\u200b"}
)

func TestQuickMatchersAgreeWithTheEngine(t *testing.T) {
	quick := 0
	for _, text := range patternSeeds {
		if p, err := Compile(text); err == nil && p.quick != nil {
			quick++
		}
		for _, on := range textSeeds {
			agree(t, text, on)
		}
	}
	if quick < 20 {
		t.Errorf("only %d of the patterns have a quick matcher: the test says little", quick)
	}
}

func TestWhatIsLeftToTheEngine(t *testing.T) {
	for _, text := range []string{`(?i)a`, `a(?=b)`, `(?<!a)b`, `(a)\1`, `\ba`, `\p{L}`, `\x41`, `[a-z-[b]]`, `[\D]`, `a$\n`, `(?>a)`, `(?<a-b>x)`, "\xff", `a{00}`, `a{1,02}`} {
		if quick, _ := matcher(text); quick != nil {
			t.Errorf("%q has a quick matcher, want none", text)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for i, text := range patternSeeds {
		f.Add(text, textSeeds[i%len(textSeeds)], "$1${n}$&")
	}
	f.Fuzz(func(t *testing.T, text, on, replacement string) {
		if len(on) > 200 || len(text) > 200 || !utf8.ValidString(on) {
			return
		}
		began := time.Now()
		defer func() {
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%q on %q takes %v", text, on, took)
			}
		}()
		agree(t, text, on)
		p, err := Compile(text)
		if err != nil {
			return
		}
		if out, err := p.Replace(on, p.Replacement(replacement), 1<<12); err == nil && len(out) > 1<<12 && out != on {
			t.Errorf("%q on %q gives %d bytes", text, on, len(out))
		}
	})
}

// Go's engine is linear, but in the product of pattern and text, and nothing stops
// it: patterns that are long once their repetitions are written out, and long
// texts, go to the engine with a time limit.
func TestNoMatchRunsAway(t *testing.T) {
	for _, tt := range []struct{ name, text, on string }{
		{"a repetition often", strings.Repeat(`a{0,1000}`, 1100) + "b", strings.Repeat("a", 256)},
		{"a class repeated often", strings.Repeat(`[ab]{0,1000}`, 800) + "b$", strings.Repeat("a", 256)},
		{"many stars on a long text", strings.Repeat(`.*`, 4900) + "c", strings.Repeat("b", 60_000)},
		{"many classes on a long text", strings.Repeat(`[^a]*`, 700) + "c", strings.Repeat("b", 60_000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			p, err := Compile(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			matched, err := p.Match(tt.on)
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("takes %v, want about %v at most", took, timeLimit)
			}
			if matched || err != nil && err != ErrTimeout {
				t.Errorf("matched %v, error %v; want no match, or %v", matched, err, ErrTimeout)
			}
		})
	}
}
