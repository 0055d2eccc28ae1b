package expr

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// plainLetters are the letters that have no decomposition, or that become two.
var plainLetters = map[rune]string{
	'ø': "oe", 'Ø': "OE", 'æ': "ae", 'Æ': "AE", 'œ': "oe", 'Œ': "OE",
	'ß': "ss", 'ł': "l", 'Ł': "L", 'ı': "i",
}

func normalize(c call) (value, error) {
	source, some, err := c.text(0)
	if err != nil || !some {
		return value{}, err
	}
	return textValue(withoutDiacritics(source)), nil
}

// withoutDiacritics takes the marks off Latin letters. Letters of other scripts
// keep theirs: й is not и, and a vowel sign in Devanagari is no ornament.
func withoutDiacritics(s string) string {
	if isASCII(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	latin := false
	for _, r := range norm.NFD.String(s) {
		if unicode.Is(unicode.Mn, r) {
			if !latin {
				b.WriteRune(r)
			}
			continue
		}
		latin = unicode.Is(unicode.Latin, r)
		if plain, ok := plainLetters[r]; ok {
			b.WriteString(plain)
		} else {
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
