package expr

import (
	"strings"
	"unicode"
)

// The functions that change the case of letters.

func toLower(c call) (value, error) {
	return changeCase(c, func(s string, rules culture) string {
		switch rules {
		case turkic:
			return strings.ToLowerSpecial(unicode.TurkishCase, s)
		case invariant:
			return lowerInvariant(s)
		}
		return strings.ToLower(s)
	})
}

func toUpper(c call) (value, error) {
	return changeCase(c, func(s string, rules culture) string {
		switch rules {
		case turkic:
			return strings.ToUpperSpecial(unicode.TurkishCase, s)
		case invariant:
			return upperInvariant(s)
		}
		return strings.ToUpper(s)
	})
}

// culture is a set of rules for changing case. All of them map one character to
// one character, as .NET does: ß stays ß.
type culture uint8

const (
	invariant culture = iota
	named
	turkic // i and I are different letters from ı and İ
)

func changeCase(c call, change func(string, culture) string) (value, error) {
	source, some, err := c.text(0)
	if err != nil || !some {
		return value{}, err
	}
	rules, prepared := c.node.prepared.(culture)
	if !prepared {
		name, _, err := c.text(1)
		if err != nil {
			return value{}, err
		}
		var ok bool
		if rules, ok = cultureNamed(name); !ok {
			return value{}, c.fail(name, "the culture is not a name such as en-US")
		}
	}
	return textValue(change(source, rules)), nil
}

// prepareCulture resolves a culture that is constant or left out.
func prepareCulture(n *node) *Error {
	if len(n.args) < 2 || n.args[1].op == opOmitted {
		n.prepared = invariant
		return nil
	}
	arg := n.args[1]
	if arg.op != opConstant {
		return nil
	}
	rules, ok := cultureNamed(arg.constant.String())
	if !ok {
		return &Error{Offset: arg.at, Length: arg.end - arg.at,
			Message: n.function.Name + ": argument 2 must be a culture such as en-US"}
	}
	n.prepared = rules
	return nil
}

// cultureNamed reads a culture name by RFC 4646.
func cultureNamed(name string) (culture, bool) {
	if name == "" {
		return invariant, true
	}
	subtags := strings.Split(name, "-")
	for i, tag := range subtags {
		if tag == "" || len(tag) > 8 {
			return invariant, false
		}
		for _, ch := range []byte(tag) {
			if !(ch|0x20 >= 'a' && ch|0x20 <= 'z') && (i == 0 || !isDigit(ch)) {
				return invariant, false
			}
		}
	}
	switch strings.ToLower(subtags[0]) {
	case "tr", "az":
		return turkic, true
	}
	return named, true
}

// lowerInvariant lowers by the invariant culture. Only a culture with a name
// lowers İ.
func lowerInvariant(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return strings.Map(func(r rune) rune {
		if r == 'İ' {
			return r
		}
		return unicode.ToLower(r)
	}, s)
}

// upperInvariant is the counterpart, with ı.
func upperInvariant(s string) string {
	if isASCII(s) {
		return strings.ToUpper(s)
	}
	return strings.Map(func(r rune) rune {
		if r == 'ı' {
			return r
		}
		return unicode.ToUpper(r)
	}, s)
}

// pcase lowers everything and then capitalises the first letter of each word. A
// word ends at one of the given characters, or else at what separates words in
// general.
func pcase(c call) (value, error) {
	source, some, err := c.text(0)
	if err != nil || !some {
		return value{}, err
	}
	separates := separatesWords
	if c.given(1) {
		separators, _, err := c.text(1)
		if err != nil {
			return value{}, err
		}
		separates = func(r rune) bool { return strings.ContainsRune(separators, r) }
	}
	runes := []rune(lowerInvariant(source))
	begun := false
	for i, r := range runes {
		switch {
		case separates(r) && !(r == '\'' && !c.given(1) && insideWord(runes, i)):
			begun = false
		case !begun && unicode.IsLetter(r):
			begun = true
			if r != 'ı' {
				runes[i] = unicode.ToTitle(r)
			}
		}
	}
	return textValue(string(runes)), nil
}

// insideWord reports whether there are letters on both sides: the apostrophe of
// "o'neil" does not end a word, by .NET's rules for title case.
func insideWord(runes []rune, i int) bool {
	return i > 0 && i+1 < len(runes) && unicode.IsLetter(runes[i-1]) && unicode.IsLetter(runes[i+1])
}

// separators are the categories of characters between words.
var separators = []*unicode.RangeTable{unicode.Z, unicode.Cc, unicode.Cf, unicode.P, unicode.Sm, unicode.Sc, unicode.Sk}

func separatesWords(r rune) bool { return unicode.In(r, separators...) }
