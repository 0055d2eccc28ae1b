package pseudonym

import (
	"unicode"
	"unicode/utf8"
)

// blockSize is how many neighbouring code points count as one script: within a
// block of this size all letters take the same number of bytes.
const blockSize = 128

// class is what a letter and its pseudonym have in common: the block it comes
// from, its kind, and whether it has a capital form.
type class struct {
	block rune
	kind  kind
	cased bool
}

// kind is the category of a letter.
type kind uint8

const (
	small kind = iota
	capital
	other // without case: ideographs and the like
	modifier
	number
)

func kindOf(r rune) kind {
	switch {
	case unicode.IsNumber(r):
		return number
	case unicode.Is(unicode.Ll, r):
		return small
	case unicode.Is(unicode.Lm, r):
		return modifier
	case unicode.Is(unicode.Lo, r):
		return other
	}
	return capital
}

// fold returns a letter in the case in which words are compared, and whether it was
// a capital. A letter whose capital has another length, or another small letter,
// counts as a letter without case.
func fold(r rune) (folded rune, wasCapital bool) {
	folded = unicode.ToLower(r)
	if folded == r || unicode.ToUpper(folded) != r || utf8.RuneLen(folded) != utf8.RuneLen(r) {
		return r, false
	}
	return folded, true
}

// cased reports a small letter with a capital that leads back to it.
func cased(r rune) bool {
	folded, wasCapital := fold(unicode.ToUpper(r))
	return wasCapital && folded == r
}

// isDigit reports an ASCII digit; those of other scripts count as letters.
func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isLetter(r rune) bool { return unicode.IsLetter(r) || r >= utf8.RuneSelf && unicode.IsNumber(r) }

// classOf returns the class of a folded letter or digit.
func classOf(r rune) class { return class{r / blockSize, kindOf(r), cased(r)} }

// alphabet returns the members of a class in their order.
func (c class) alphabet() []rune {
	var out []rune
	for r := c.block * blockSize; r < (c.block+1)*blockSize; r++ {
		if folded, _ := fold(r); folded == r && (isLetter(r) || isDigit(r)) && classOf(r) == c {
			out = append(out, r)
		}
	}
	return out
}
