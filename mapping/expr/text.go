package expr

import (
	"strings"
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

// word counts words from 1. Delimiters in a row separate once, so there are no
// empty words.
func word(c call) (value, error) {
	source, _, err := c.text(0)
	if err != nil {
		return value{}, err
	}
	number, err := c.integer(1)
	if err != nil {
		return value{}, err
	}
	delimiters, _, err := c.text(2)
	if err != nil {
		return value{}, err
	}
	for w := range strings.FieldsFuncSeq(source, func(r rune) bool { return strings.ContainsRune(delimiters, r) }) {
		if number--; number == 0 {
			return textValue(w), nil
		}
	}
	return textValue(""), nil
}

// inStr counts characters from 1, from the beginning of the text wherever the
// search starts. Nothing to look for is found nowhere.
func inStr(c call) (value, error) {
	source, _, err := c.text(0)
	if err != nil {
		return value{}, err
	}
	find, _, err := c.text(1)
	if err != nil {
		return value{}, err
	}
	start := int64(1)
	if c.given(2) {
		if start, err = c.integer(2); err != nil {
			return value{}, err
		}
	}
	how, err := c.word(3)
	switch {
	case err != nil:
		return value{}, err
	case start < 1:
		return value{}, c.fail(source, "the start must be 1 or more")
	case find == "":
		return intValue(0), nil
	}
	source, find = comparable(source, how), comparable(find, how)
	from := offset(source, start-1)
	at := strings.Index(source[from:], find)
	if at < 0 {
		return intValue(0), nil
	}
	return intValue(int64(utf8.RuneCountInString(source[:from+at])) + 1), nil
}

// comparable returns a text in the form in which vbBinaryCompare or vbTextCompare
// compares it. Characters keep their positions.
func comparable(s, how string) string {
	if how == textCompare {
		return upperInvariant(s)
	}
	return s
}

// length counts characters, not bytes.
func length(c call) (value, error) {
	source, _, err := c.text(0)
	return intValue(int64(utf8.RuneCountInString(source))), err
}

// trim takes white space off both ends, of each member of a list; members that
// are nothing else are left out.
func trim(c call) (value, error) {
	v, err := c.value(0)
	if err != nil || v.none() {
		return value{}, err
	}
	if v.kind != list {
		s, _, _ := v.scalar()
		return textValue(strings.TrimSpace(s)), nil
	}
	members := make([]string, 0, len(v.members))
	for _, m := range v.members {
		if m = strings.TrimSpace(m); m != "" {
			members = append(members, m)
		}
	}
	return listValue(members), nil
}

// cstr gives the text form of a value; null has none.
func cstr(c call) (value, error) {
	s, some, err := c.text(0)
	if err != nil || !some {
		return value{}, err
	}
	return textValue(s), nil
}

// unchanged lets its argument through.
func unchanged(c call) (value, error) { return c.value(0) }

// dnComponent returns the value of one component of a distinguished name, counted
// from the left; null when there are not as many.
func dnComponent(c call) (value, error) {
	source, some, err := c.text(0)
	if err != nil {
		return value{}, err
	}
	number, err := c.integer(1)
	switch {
	case err != nil || !some:
		return value{}, err
	case number < 1:
		return value{}, c.fail(source, "the number must be 1 or more")
	}
	for rest, more := source, true; more; {
		var component string
		component, rest, more = cutUnescaped(rest)
		if number--; number > 0 {
			continue
		}
		_, content, ok := strings.Cut(component, "=")
		if !ok {
			return value{}, c.fail(component, "this is no component of a distinguished name")
		}
		return textValue(unescapeDN(content)), nil
	}
	return value{}, nil
}

// cutUnescaped cuts a distinguished name at its first comma without a backslash.
func cutUnescaped(dn string) (component, rest string, more bool) {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',':
			return dn[:i], dn[i+1:], true
		}
	}
	return dn, "", false
}

// unescapeDN resolves the escapes of a component's value, by RFC 4514: a backslash
// and two hexadecimal digits are a byte, a backslash and another character that
// character. Blanks around the value do not count.
func unescapeDN(s string) string {
	s = strings.TrimLeft(s, " ")
	var b strings.Builder
	ended := 0 // where the value ends when blanks follow
	for i := 0; i < len(s); i++ {
		escaped := s[i] == '\\' && i+1 < len(s)
		switch {
		case escaped && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b.WriteByte(hexDigit(s[i+1])<<4 | hexDigit(s[i+2]))
			i += 2
		case escaped:
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
		if escaped || s[i] != ' ' {
			ended = b.Len()
		}
	}
	return strings.ToValidUTF8(b.String()[:ended], "\uFFFD")
}

func hexDigit(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
