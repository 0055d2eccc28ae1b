package pattern_test

import (
	"strings"
	"testing"
)

// The rules of .NET's regular expressions that other dialects do not share, seen
// through replacement.
// https://learn.microsoft.com/dotnet/standard/base-types/regular-expression-language-quick-reference
func TestDotNetRules(t *testing.T) {
	checkReplacements(t, []replacement{
		{"unnamed groups are numbered before named ones", `(?<n>a)(b)`, "ab", "$1$2", "ba"},
		{"named groups by number behind them", `(?<x>a)(?<y>b)(c)`, "abc", "$2$3$1", "abc"},
		{"name in quotes", `(?'n'a)`, "a", "<${n}>", "<a>"},
		{"group with a number for a name", `(?<5>a)(b)`, "ab", "$5$1", "ab"},
		{"two groups of one name", `(?<n>a)|(?<n>b)`, "ab", "<${n}>", "<a><b>"},
		{"last capture of a repeated group", `(?:(?<d>\d))+`, "123", "${d}", "3"},
		{"names have a case", `(?<n>a)`, "a", "${N}", "${N}"},
		{"group then underscore", `(a)(b)`, "ab", "$2_$1", "b_a"},
		{"group then letter", `(a)`, "a", "$1x", "ax"},
		{"group 10 where there are ten", `(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)`, "abcdefghij", "$10", "j"},
		{"lazy", `<.+?>`, "<a><b>", "#", "##"},
		{"greedy", `<.+>`, "<a><b>", "#", "#"},
		{"lazy padding", `(.*?)(?<id>.{0,4})$`, "0000712", "${id}", "0712"},
		{"look-ahead", `\d+(?= kr)`, "12 kr 13 eur", "#", "# kr 13 eur"},
		{"negative look-ahead", `\bno(?!r)\w*`, "norge node", "#", "norge #"},
		{"look-behind", `(?<=\+)\d\d`, "+47 47", "##", "+## 47"},
		{"look-behind of any length", `(?<=^a*)b`, "aab ab", "#", "aa# ab"},
		{"negative look-behind", `(?<!@)contoso`, "contoso@contoso", "#", "#@contoso"},
		{"reference back by number", `(\w)\1`, "aabbc", "<$1>", "<a><b>c"},
		{"reference back by name", `(?<q>['"])(.*?)\k<q>`, `'a"' "b'"`, "$1", `a" b'`},
		{"atomic group", `(?>a+)ab`, "aaab", "#", "aaab"},
		{"condition on a group", `^(\()?\d+(?(1)\))$`, "(47)", "#", "#"},
		{"condition on a group that is not met", `^(\()?\d+(?(1)\))$`, "(47", "#", "(47"},
		{"balanced groups", `^(?:(?<o>\()|(?<-o>\))|\w)*(?(o)(?!))$`, "(a(b))", "#", "#"},
		{"unbalanced groups", `^(?:(?<o>\()|(?<-o>\))|\w)*(?(o)(?!))$`, "(a(b)", "#", "(a(b)"},
		{"option for the whole pattern", `(?i)OSLO`, "oslo Oslo", "#", "# #"},
		{"option for a part", `(?i:o)slo`, "Oslo OSLO", "#", "# OSLO"},
		{"option switched off", `(?i)o(?-i)slo`, "Oslo OSLO", "#", "# OSLO"},
		{"case beyond ASCII", `(?i)ÅS`, "ås", "#", "#"},
		{"lines", `(?m)^\w`, "a\nb", "#", "#\n#"},
		{"one line", `(?s)a.b`, "a\nb", "#", "#"},
		{"white space in the pattern", "(?x) a \\s b # a comment", "a b", "#", "#"},
		{"comment", `a(?# the first)b`, "ab", "#", "#"},
		{"explicit captures", `(?n)(a)(?<n>b)`, "ab", "$1", "b"},
		{"digits of every script", `\d`, "7٣७", "#", "###"},
		{"word characters of every script", `\w+`, "Øl_é ж", "#", "# #"},
		{"white space of every script", `\s`, "a\u00a0b\u2003c", "#", "a#b#c"},
		{"word boundary beyond ASCII", `\bl`, "øl l", "#", "øl #"},
		{"category", `\p{Lu}`, "aÅB", "#", "a##"},
		{"not in a category", `\P{L}`, "a1-b", "", "ab"},
		{"block", `\p{IsGreek}`, "aπb", "#", "a#b"},
		{"not in a block", `\P{IsBasicLatin}+`, "aπ😀b", "#", "a#b"},
		{"block within a class", `[x\p{IsGreek}-]+`, "aπx-b", "#", "a#b"},
		{"not in a block, within a class", `[x\P{IsBasicLatin}]`, "aπx😀b", "#", "a###b"},
		{"not in a block in the middle, within a class", `[\P{IsGreek}]`, "aπ😀", "#", "#π#"},
		{"class less a block", `[\w-[\p{IsBasicLatin}]]`, "aπb", "#", "a#b"},
		{"block behind a closing bracket in a class", `[]\p{IsCyrillic}]`, "]жa", "#", "##a"},
		{"escaped bracket before a block", `\[\p{IsCyrillic}`, "[жa", "#", "#a"},
		{"class less a class", `[a-z-[aeiou]]`, "hallo", "", "ao"},
		{"negated class less a class", `[^a-c-[x]]`, "abxyz", "#", "abx##"},
		{"character by its number", `\u00e5\x41\101`, "åAA", "#", "#"},
		{"brace that counts nothing", `a{,2}`, "a{,2} aa", "#", "# aa"},
		{"open brace", `^a{`, "a{b", "#", "#b"},
		{"end before a final newline", `a$`, "a\n", "#", "#\n"},
		{"very end", `a\z`, "a\n", "#", "a\n"},
		{"end in the sense of Z", `a\Z`, "a\n", "#", "#\n"},
		{"begin where the last match ended", `\Ga`, "aab a", "#", "##b a"},
		{"empty matches between others", `\d*`, "a12b", "-", "-a--b-"},
		{"empty matches alone", ``, "ab", "-", "-a-b-"},
		{"optional characters that leave the rest", `[a-zA-Z_]*`, "ola_nordmann72", "", "72"},
		{"beyond the basic plane", `.`, "😀b", "#", "##"},
	})
}

// A pattern that matches nothing at every place must end on a long text too.
func TestEmptyMatchesEnd(t *testing.T) {
	p := compile(t, `x*`)
	got, err := p.Replace(strings.Repeat("a", 5_000), p.Replacement("-"), roomy)
	if want := strings.Repeat("-a", 5_000) + "-"; err != nil || got != want {
		t.Errorf("%d bytes (error %v), want %d", len(got), err, len(want))
	}
}
