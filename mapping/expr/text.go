package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The functions that make texts out of texts.

func appendText(c call) (value, error) {
	source, _, err := c.text(0)
	if err != nil {
		return value{}, err
	}
	suffix, _, err := c.text(1)
	if err != nil {
		return value{}, err
	}
	if len(source)+len(suffix) > maxText {
		return value{}, c.fail("", tooLong)
	}
	return textValue(source + suffix), nil
}

// join leaves out sources that are null or empty, so that no separator is doubled
// or stands at an end.
func join(c call) (value, error) {
	separator, _, err := c.text(0)
	if err != nil {
		return value{}, err
	}
	var few [8]string
	parts := few[:0]
	for i := 1; i < c.count(); i++ {
		if s, ok := c.plain(i); ok {
			if s != "" {
				parts = append(parts, s)
			}
			continue
		}
		v, err := c.value(i)
		if err != nil {
			return value{}, err
		}
		if v.kind == list {
			for _, m := range v.members {
				if m != "" {
					parts = append(parts, m)
				}
			}
		} else if s, _, _ := v.scalar(); s != "" {
			parts = append(parts, s)
		}
	}
	size := 0
	for _, p := range parts {
		if size += len(p) + len(separator); size > maxText+len(separator) {
			return value{}, c.fail("", tooLong)
		}
	}
	return textValue(strings.Join(parts, separator)), nil
}

// left counts characters, not bytes. A null source is empty text.
func left(c call) (value, error) {
	source, _, err := c.text(0)
	if err != nil {
		return value{}, err
	}
	length, err := c.integer(1)
	if err != nil {
		return value{}, err
	}
	if length < 0 {
		return textValue(source), nil
	}
	return textValue(source[:offset(source, length)]), nil
}

func mid(c call) (value, error) {
	source, _, err := c.text(0)
	if err != nil {
		return value{}, err
	}
	start, err := c.integer(1)
	if err != nil {
		return value{}, err
	}
	length, err := c.integer(2)
	switch {
	case err != nil:
		return value{}, err
	case start < 1:
		return value{}, c.fail(source, "the start must be 1 or more")
	case length < 0:
		return value{}, c.fail(source, "the length must not be negative")
	}
	rest := source[offset(source, start-1):]
	return textValue(rest[:offset(rest, length)]), nil
}

// offset returns where in s the first n characters end, in bytes.
func offset(s string, n int64) int {
	at := 0
	for ; n > 0 && at < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

func stripSpaces(c call) (value, error) {
	source, some, err := c.text(0)
	if err != nil || !some {
		return value{}, err
	}
	return textValue(strings.ReplaceAll(source, " ", "")), nil
}

func toLower(c call) (value, error) {
	return changeCase(c, func(s string, rules culture) string {
		switch {
		case rules == turkic:
			return strings.ToLowerSpecial(unicode.TurkishCase, s)
		case rules == invariant && !isASCII(s):
			// Only a culture with a name lowers İ.
			return strings.Map(func(r rune) rune {
				if r == 'İ' {
					return r
				}
				return unicode.ToLower(r)
			}, s)
		}
		return strings.ToLower(s)
	})
}

func toUpper(c call) (value, error) {
	return changeCase(c, func(s string, rules culture) string {
		switch {
		case rules == turkic:
			return strings.ToUpperSpecial(unicode.TurkishCase, s)
		case rules == invariant && !isASCII(s):
			return strings.Map(func(r rune) rune {
				if r == 'ı' {
					return r
				}
				return unicode.ToUpper(r)
			}, s)
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
