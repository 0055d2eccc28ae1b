package datetime

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxLength is the greatest length of a format in bytes.
const MaxLength = 10_000

// maxFraction is the number of digits that a second is divided into at most.
const maxFraction = 7

// SyntaxError is a mistake in a format or in a list of styles.
type SyntaxError struct {
	// Offset is its place in bytes.
	Offset int
	// Message says what is wrong, on one line and without a period.
	Message string
}

// Error returns the message.
func (e *SyntaxError) Error() string { return e.Message }

// Format is a compiled .NET date format. It is immutable and safe for concurrent
// use.
type Format struct {
	text     string
	elements []element
}

// element is one specifier of a format, or text that stands for itself.
type element struct {
	letter byte   // of the specifier; 0: text
	count  int    // how often the letter stands
	text   string // as it is written in a date
	quoted bool   // text between quotes; any other text is a single character
}

// Compile compiles a format of .NET
// (https://learn.microsoft.com/dotnet/standard/base-types/custom-date-and-time-format-strings).
// A single character is a standard format, as d for MM/dd/yyyy; with a percent
// sign it is the custom one, as %d for the day. The error is a [*SyntaxError].
func Compile(format string) (*Format, error) {
	if len(format) > MaxLength {
		return nil, &SyntaxError{MaxLength, fmt.Sprintf("a date format has at most %d characters", MaxLength)}
	}
	pattern := format
	if utf8.RuneCountInString(format) <= 1 {
		standard, err := standardPattern(format)
		if err != nil {
			return nil, err
		}
		pattern = standard
	}
	f := &Format{text: format}
	for at := 0; at < len(pattern); {
		e, length, err := next(pattern[at:], at)
		if err != nil {
			return nil, err
		}
		f.elements = append(f.elements, e)
		at += length
	}
	return f, nil
}

// mustCompile compiles a format of this package.
func mustCompile(format string) *Format {
	f, err := Compile(format)
	if err != nil {
		panic(err)
	}
	return f
}

// String returns the format as it was written.
func (f *Format) String() string { return f.text }

// next reads the element at the start of rest, which lies at the given offset of
// the format, and tells how many bytes it takes.
func next(rest string, offset int) (e element, length int, err error) {
	switch c := rest[0]; c {
	case 'd', 'M', 'y', 'H', 'h', 'm', 's', 'f', 'F', 't', 'z', 'g':
		count := len(rest) - len(strings.TrimLeft(rest, rest[:1]))
		if (c == 'f' || c == 'F') && count > maxFraction {
			return e, 0, &SyntaxError{offset, fmt.Sprintf("%s: a fraction has at most %d digits", rest[:count], maxFraction)}
		}
		return element{letter: c, count: count}, count, nil
	case 'K':
		return element{letter: c, count: 1}, 1, nil
	case '%':
		return single(rest, offset)
	case '\'', '"':
		return quote(rest, offset)
	case '\\':
		if len(rest) == 1 {
			return e, 0, &SyntaxError{offset, `nothing follows the last \ of the format`}
		}
		_, size := utf8.DecodeRuneInString(rest[1:])
		return element{text: rest[1 : 1+size], quoted: true}, 1 + size, nil
	}
	_, size := utf8.DecodeRuneInString(rest)
	return element{text: rest[:size]}, size, nil
}

// single reads a percent sign and the one character that it makes a custom
// specifier of its own.
func single(rest string, offset int) (element, int, error) {
	if len(rest) == 1 || strings.IndexByte(`%'"\`, rest[1]) >= 0 {
		return element{}, 0, &SyntaxError{offset, "a letter must follow %"}
	}
	_, size := utf8.DecodeRuneInString(rest[1:])
	e, _, err := next(rest[1:1+size], offset+1)
	return e, 1 + size, err
}

// quote reads text between quotes, in which a backslash takes the character after
// it as it is.
func quote(rest string, offset int) (element, int, error) {
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case rest[0]:
			return element{text: b.String(), quoted: true}, i + 1, nil
		case '\\':
			if i++; i == len(rest) {
				return element{}, 0, &SyntaxError{i - 1 + offset, `nothing follows the last \ of the format`}
			}
		}
		b.WriteByte(rest[i])
	}
	return element{}, 0, &SyntaxError{offset, fmt.Sprintf("the quotation that begins with %c does not end", rest[0])}
}
