package scope

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// contains reports whether part occurs in s.
func (c *clause) contains(s, part string) bool {
	if !c.ignoreCase {
		return strings.Contains(s, part)
	}
	for i := range s {
		if startsFold(s[i:], part) {
			return true
		}
	}
	return false
}

func (c *clause) starts(s, part string) bool {
	if !c.ignoreCase {
		return strings.HasPrefix(s, part)
	}
	return startsFold(s, part)
}

func (c *clause) ends(s, part string) bool {
	if !c.ignoreCase {
		return strings.HasSuffix(s, part)
	}
	return endsFold(s, part)
}

func (c *clause) equals(s, other string) bool {
	return s == other || c.ignoreCase && strings.EqualFold(s, other)
}

// startsFold and endsFold compare letter by letter, because upper and lower case
// of one letter may differ in length; neither allocates.
func startsFold(s, part string) bool {
	for part != "" {
		if s == "" {
			return false
		}
		a, n := utf8.DecodeRuneInString(s)
		b, m := utf8.DecodeRuneInString(part)
		if !sameLetter(a, b) {
			return false
		}
		s, part = s[n:], part[m:]
	}
	return true
}

func endsFold(s, part string) bool {
	for part != "" {
		if s == "" {
			return false
		}
		a, n := utf8.DecodeLastRuneInString(s)
		b, m := utf8.DecodeLastRuneInString(part)
		if !sameLetter(a, b) {
			return false
		}
		s, part = s[:len(s)-n], part[:len(part)-m]
	}
	return true
}

// sameLetter compares two letters as [strings.EqualFold] does.
func sameLetter(a, b rune) bool {
	if a == b {
		return true
	}
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return false
}
