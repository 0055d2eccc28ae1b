package expr_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
)

// words draws texts as people's attributes have them, empty ones included.
var words = rapid.OneOf(rapid.StringMatching(`[A-Za-zÅØæéñİı ,;"\\.-]{0,12}`), rapid.SampledFrom([]string{"", " ", "Åse", "Zoe\u0308", "straße", "한글", "True", "007"}))

// give evaluates an expression over the attributes a, b and c.
func give(t *rapid.T, text string, values ...string) expr.Result {
	p, err := expr.Compile(text, nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var list []directory.Attribute
	for i, v := range values {
		list = append(list, directory.Attribute{Name: string(rune('a' + i)), Value: directory.TextOf(v)})
	}
	r, err := p.Result(expr.Env{Attributes: directory.SortedAttributes(list)})
	if err != nil {
		t.Fatalf("%s of %q: %v", text, values, err)
	}
	return r
}

// quote writes a text as a constant of the language.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func TestConstantsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := words.Draw(t, "text")
		if got := give(t, quote(s)); got.Null || got.Text != s {
			t.Fatalf("%s gives %q (null %v), want %q", quote(s), got.Text, got.Null, s)
		}
	})
}

func TestAnAttributeMeansTheSameAsItsConstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := words.Filter(func(s string) bool { return s != "" }).Draw(t, "text")
		for _, f := range []string{`ToLower(%)`, `ToUpper(%, "tr")`, `StripSpaces(%)`, `NormalizeDiacritics(%)`, `IsPresent(%)`, `Left(%, 2)`,
			`Replace(%, , "\\w", , "$&$&", , )`, `Switch(%, "d", "True", "yes", "7", "seven")`, `Not(%)`, `IIF(%=7, "seven", "other")`} {
			constant, attribute := give(t, strings.ReplaceAll(f, "%", quote(s))), give(t, strings.ReplaceAll(f, "%", "[a]"), s)
			if constant.Text != attribute.Text || constant.Null != attribute.Null {
				t.Fatalf("%s of the constant %q gives %+v, of the attribute %+v", f, s, constant, attribute)
			}
		}
	})
}

func TestLeftAndMidMakeTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, n := words.Draw(t, "text"), rapid.IntRange(0, 15).Draw(t, "length")
		got := give(t, `Append(Left([a], `+strconv.Itoa(n)+`), Mid([a], `+strconv.Itoa(n+1)+`, 99))`, s)
		if got.Text != s {
			t.Fatalf("the first %d and the other characters of %q make %q", n, s, got.Text)
		}
		if left := give(t, `Left([a], `+strconv.Itoa(n)+`)`, s).Text; utf8.RuneCountInString(left) != min(n, utf8.RuneCountInString(s)) {
			t.Fatalf("the first %d characters of %q are %q", n, s, left)
		}
	})
}

func TestJoinLeavesOutWhatIsEmpty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(words, 3, 3).Draw(t, "values")
		var want []string
		for _, v := range values {
			if v != "" {
				want = append(want, v)
			}
		}
		if got := give(t, `Join("|", [a], [b], [c])`, values...).Text; got != strings.Join(want, "|") {
			t.Fatalf("%q joined: %q, want %q", values, got, strings.Join(want, "|"))
		}
	})
}

func TestSplitUndoesJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.StringMatching(`[a-zæøå]{1,5}`), 3, 3).Draw(t, "values")
		got := give(t, `Split(Join("; ", [a], [b], [c]), ";")`, values...)
		if strings.Join(got.Members, "|") != strings.Join(values, "|") {
			t.Fatalf("%q joined and split: %q", values, got.Members)
		}
		for i, want := range values {
			if item := give(t, `Item(Split(Join(";", [a], [b], [c]), ";"), `+strconv.Itoa(i+1)+`)`, values...); item.Text != want {
				t.Fatalf("item %d of %q is %q", i+1, values, item.Text)
			}
		}
	})
}

func TestOppositesAreOpposite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := words.Draw(t, "text")
		for _, pair := range [][2]string{{`IsPresent([a])`, `IsNullOrEmpty([a])`}, {`IsNull([a])`, `Not(IsNull([a]))`}, {`Not([a]="True")`, `Not(Not([a]="True"))`}} {
			one, other := give(t, pair[0], s).Text, give(t, pair[1], s).Text
			if one == other || one != "True" && one != "False" {
				t.Fatalf("of %q %s is %s and %s is %s", s, pair[0], one, pair[1], other)
			}
		}
	})
}

func TestSwitchIsAChainOfIIF(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom([]string{"NO", "SE", "no", "", "DK "}).Draw(t, "key")
		one := give(t, `Switch([a], "other", "NO", "Norge", "SE", "Sverige")`, key).Text
		other := give(t, `IIF([a]="NO", "Norge", IIF([a]="SE", "Sverige", "other"))`, key).Text
		if one != other {
			t.Fatalf("%q: Switch gives %q, IIF %q", key, one, other)
		}
	})
}

func TestReplacingIsWhatItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, with := words.Draw(t, "text"), words.Draw(t, "with")
		old := rapid.SampledFrom([]string{"a", "s", " ", "å", "\\", ".", "ss"}).Draw(t, "old")
		got := give(t, `Replace([a], `+quote(old)+`, , , `+quote(with)+`, , )`, s)
		if want := strings.ReplaceAll(s, old, with); got.Text != want {
			t.Fatalf("%q in %q by %q: %q, want %q", old, s, with, got.Text, want)
		}
		// The template rule is the literal rule seen from the other side.
		if s != "" {
			if got, want := give(t, `Replace([a], "<x>", , , , , "1<x>2<x>")`, s).Text, "1"+s+"2"+s; got != want {
				t.Fatalf("%q in the template: %q, want %q", s, got, want)
			}
		}
	})
}

func TestPlainLettersAreFinal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		if !utf8.ValidString(s) || s == "" {
			return
		}
		once := give(t, `NormalizeDiacritics([a])`, s)
		if once.Text == "" {
			return
		}
		if twice := give(t, `NormalizeDiacritics([a])`, once.Text); twice.Text != once.Text {
			t.Fatalf("%q without diacritics is %q, once more %q", s, once.Text, twice.Text)
		}
	})
}

func TestLatinLettersBecomePlain(t *testing.T) {
	for _, r := range "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöøùúûüýÿĀāĂăĄąĆćĈĉĊċČčĎďĒēĔĕĖėĘęĚěĜĝĞğĠġĢģĤĥĨĩĪīĬĭĮįİıĴĵĶķĹĺĻļĽľŁłŃńŅņŇňŌōŎŏŐőŒœŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽžÆæß" {
		p, err := expr.Compile(`NormalizeDiacritics([a])`, nil)
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Evaluate(expr.Env{Attributes: directory.Attributes{{Name: "a", Value: directory.TextOf(string(r))}}})
		if err != nil || v.Text() == "" || strings.ContainsFunc(v.Text(), func(r rune) bool { return r >= 0x80 }) {
			t.Errorf("%q becomes %q (error %v), want plain letters", r, v.Text(), err)
		}
	}
}
