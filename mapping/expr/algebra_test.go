package expr_test

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
)

// giveList evaluates an expression over the list l.
func giveList(t *rapid.T, text string, members []string) expr.Result {
	p, err := expr.Compile(text, nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	r, err := p.Result(expr.Env{Attributes: directory.Attributes{{Name: "l", Value: directory.ListOf(members...)}}})
	if err != nil {
		t.Fatalf("%s of %q: %v", text, members, err)
	}
	return r
}

// valid draws texts of any characters, as a directory holds them.
var valid = rapid.OneOf(words, rapid.String()).Filter(utf8.ValidString)

func TestWhatIsDoneOnceIsDone(t *testing.T) {
	for _, f := range []string{`ToLower(%)`, `ToUpper(%)`, `ToLower(%, "tr")`, `Trim(%)`, `StripSpaces(%)`, `PCase(%)`, `PCase(%, " -")`, `CStr(%)`,
		`NormalizeDiacritics(%)`, `Left(%, 5)`, `Replace(%, , "\\d+", , "", , )`} {
		t.Run(f, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := valid.Draw(t, "text")
				once := give(t, strings.ReplaceAll(f, "%", "[a]"), s)
				twice := give(t, strings.ReplaceAll(f, "%", strings.ReplaceAll(f, "%", "[a]")), s)
				if once.Text != twice.Text {
					t.Fatalf("of %q: once %q, twice %q", s, once.Text, twice.Text)
				}
			})
		})
	}
}

func TestPCaseForgetsTheCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := valid.Draw(t, "text")
		one, other := give(t, `PCase([a])`, s).Text, give(t, `PCase(ToLower([a]))`, s).Text
		if one != other || utf8.RuneCountInString(one) != utf8.RuneCountInString(s) {
			t.Fatalf("%q: %q, lowered before %q", s, one, other)
		}
	})
}

func TestEncodingsAreUndone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := valid.Draw(t, "text")
		if got := give(t, `ConvertFromBase64(ConvertToBase64([a]))`, s).Text; got != s {
			t.Fatalf("%q to Base64 and back: %q", s, got)
		}
		digits := give(t, `ConvertToUTF8Hex([a])`, s).Text
		if raw, err := hex.DecodeString(digits); err != nil || string(raw) != s || digits != strings.ToUpper(digits) {
			t.Fatalf("%q in hexadecimal: %s (error %v)", s, digits, err)
		}
	})
}

func TestInStrFindsWhatMidGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, start, length := valid.Draw(t, "text"), rapid.IntRange(1, 10).Draw(t, "start"), rapid.IntRange(1, 4).Draw(t, "length")
		part := give(t, `Mid([a], `+strconv.Itoa(start)+`, `+strconv.Itoa(length)+`)`, s).Text
		at, err := strconv.Atoi(give(t, `InStr([a], [b])`, s, part).Text)
		if err != nil || (part == "") != (at == 0) || at > start {
			t.Fatalf("%q in %q: position %d (error %v), want one from 1 to %d", part, s, at, err, start)
		}
		if at > 0 {
			if got := give(t, `Mid([a], InStr([a], [b]), Len([b]))`, s, part).Text; got != part {
				t.Fatalf("%q in %q is found where %q stands", part, s, got)
			}
			folded := give(t, `InStr(ToUpper([a]), ToUpper([b]))`, s, part).Text
			if got := give(t, `InStr([a], [b], 1, vbTextCompare)`, s, part).Text; got != folded {
				t.Fatalf("%q in %q without case: position %s, of the capitals %s", part, s, got, folded)
			}
		}
	})
}

func TestWordsMakeTheTextWithoutItsDelimiters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[a-zæ ,;]{0,20}`).Draw(t, "text")
		want := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,;", r) })
		for i := range len(want) + 2 {
			expected := ""
			if i > 0 && i <= len(want) {
				expected = want[i-1]
			}
			if got := give(t, `Word([a], `+strconv.Itoa(i)+`, " ,;")`, s).Text; got != expected {
				t.Fatalf("word %d of %q is %q, want %q", i, s, got, expected)
			}
		}
	})
}

func TestListsWithoutDuplicates(t *testing.T) {
	members := rapid.SliceOfN(rapid.StringMatching(`[ab ]{1,2}`), 0, 8)
	rapid.Check(t, func(t *rapid.T) {
		list := members.Draw(t, "list")
		var want []string
		for _, m := range list {
			if !slices.Contains(want, m) {
				want = append(want, m)
			}
		}
		if got := giveList(t, `RemoveDuplicates([l])`, list).Members; !slices.Equal(got, want) {
			t.Fatalf("%q without duplicates: %q, want %q", list, got, want)
		}
		if got := giveList(t, `Count([l])`, list).Text; got != strconv.Itoa(len(list)) {
			t.Fatalf("%q has %s members, want %d", list, got, len(list))
		}
		for i, m := range list {
			if got := giveList(t, `Item([l], `+strconv.Itoa(i+1)+`)`, list).Text; got != m {
				t.Fatalf("item %d of %q is %q", i+1, list, got)
			}
		}
		at := slices.IndexFunc(list, func(m string) bool { return strings.Contains(m, "a") }) + 1
		if got := giveList(t, `Contains([l], "a")`, list).Text; got != strconv.Itoa(at) {
			t.Fatalf("an a in %q: position %s, want %d", list, got, at)
		}
	})
}

func TestBitAndIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		want := strconv.FormatInt(a&b, 10)
		decimal := give(t, `BitAnd([a], [b])`, strconv.FormatInt(a, 10), strconv.FormatInt(b, 10)).Text
		hexadecimal := give(t, `BitAnd(&H`+strconv.FormatUint(uint64(a), 16)+`, [b])`, "", strconv.FormatInt(b, 10)).Text
		if decimal != want || hexadecimal != want {
			t.Fatalf("%d and %d: %s, hexadecimal %s, want %s", a, b, decimal, hexadecimal, want)
		}
	})
}

func TestRandomTextsKeepTheirMinimumNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := rapid.SliceOfN(rapid.IntRange(0, 5), 4, 4).Draw(t, "least")
		length := least[0] + least[1] + least[2] + least[3] + rapid.IntRange(0, 9).Draw(t, "rest")
		text := `RandomString(` + strconv.Itoa(length)
		for _, n := range least {
			text += `, ` + strconv.Itoa(n)
		}
		got := give(t, text+`, "aB3?")`).Text
		counts := make([]int, 4)
		for _, r := range got {
			switch {
			case r >= '0' && r <= '9':
				counts[0]++
			case r >= 'A' && r <= 'Z':
				counts[2]++
			case r >= 'a' && r <= 'z':
				counts[3]++
			default:
				counts[1]++
			}
		}
		for i := range counts {
			if counts[i] < least[i] {
				t.Fatalf("%s gives %q: %v of each class", text, got, counts)
			}
		}
		if len(got) != length || strings.ContainsAny(got, "aB3?") {
			t.Fatalf("%s gives %q, want %d characters and none to avoid", text, got, length)
		}
	})
}
