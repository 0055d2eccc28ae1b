package pattern

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// The classes of .NET reach over all of Unicode.
// https://learn.microsoft.com/dotnet/standard/base-types/character-classes-in-regular-expressions
const (
	digitClass = `\p{Nd}`
	wordClass  = `\p{L}\p{Mn}\p{Nd}\p{Pc}`
	spaceClass = `\f\n\r\t\v\x{85}\p{Z}`
)

// matcher returns a function that tells whether a text matches, for patterns that
// can be judged without backtracking; nil for all others. steps is what it costs
// at most for each byte of the text, 0 when that is next to nothing.
func matcher(text string) (match func(string) bool, steps int) {
	if m := plain(text); m != nil {
		return m, 0
	}
	translated, ok := translate(text)
	if !ok {
		return nil, 0
	}
	parsed, err := syntax.Parse(translated, syntax.Perl)
	if err != nil {
		return nil, 0
	}
	if steps = size(parsed); steps > maxQuickSize {
		return nil, 0
	}
	re, err := regexp.Compile(translated)
	if err != nil {
		return nil, 0
	}
	return re.MatchString, steps
}

const (
	// maxQuickSize bounds the program that Go's engine makes of a pattern: counted
	// repetitions are written out, so a short pattern can become millions of
	// instructions.
	maxQuickSize = 4_000
	// maxQuickSteps bounds one match. Go's engine has no time limit, and in the worst
	// case it is at every instruction at once, for each byte of the text: this many
	// steps take it about as long as the other engine's time limit.
	maxQuickSteps = 8_000_000
)

// size returns about how many instructions a pattern has; beyond maxQuickSize it
// stops counting.
func size(re *syntax.Regexp) int {
	n := 1
	for _, sub := range re.Sub {
		if n += size(sub); n > maxQuickSize {
			return n
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		n += len(re.Rune)
	case syntax.OpRepeat:
		n *= max(re.Min+1, re.Max)
	}
	return n
}

// plain returns the matcher of a pattern that is literal text, perhaps tied to
// the start or the end.
func plain(text string) func(string) bool {
	rest, atStart := strings.CutPrefix(text, "^")
	want, rest, ok := literalText(rest)
	if !ok || rest != "" && rest != "$" || !utf8.ValidString(want) {
		return nil
	}
	switch atEnd := rest == "$"; {
	case atStart && atEnd:
		return func(s string) bool { return s == want || beforeFinalNewline(s) == want }
	case atStart:
		return func(s string) bool { return strings.HasPrefix(s, want) }
	case atEnd:
		return func(s string) bool {
			return strings.HasSuffix(s, want) || strings.HasSuffix(beforeFinalNewline(s), want)
		}
	}
	return func(s string) bool { return strings.Contains(s, want) }
}

// beforeFinalNewline returns s without a newline at its end: $ holds there too.
func beforeFinalNewline(s string) string { return strings.TrimSuffix(s, "\n") }

// literalText reads literal characters up to the first one that means something,
// and reports false when that one is not an end of text.
func literalText(text string) (want, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '$':
			return b.String(), text[i:], true
		case c == '\\':
			if i+1 == len(text) || !isPunctuation(text[i+1]) {
				return "", "", false
			}
			i++
			b.WriteByte(text[i])
		case strings.IndexByte(`.*+?()[]{}|^#`, c) >= 0:
			return "", "", false
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", true
}

func isPunctuation(c byte) bool {
	return c > ' ' && c < 0x7f && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '_'
}

// translate turns a .NET pattern into one for Go's engine that matches the same
// texts. It reports false for whatever could mean something else there, such as
// options, references back, look-around, word boundaries and case folding.
func translate(text string) (string, bool) {
	if !utf8.ValidString(text) {
		return "", false
	}
	var b strings.Builder
	depth := 0
	for i := 0; i < len(text); {
		n := 1
		switch c := text[i]; c {
		case '\\':
			class, ok := escape(text[i:], false)
			if !ok {
				return "", false
			}
			n = 2
			b.WriteString(class)
		case '[':
			class, length, ok := class(text[i:])
			if !ok {
				return "", false
			}
			n = length
			b.WriteString(class)
		case '(':
			depth++
			b.WriteString("(?:")
			if strings.HasPrefix(text[i:], "(?") {
				if n = groupStart(text[i:]); n == 0 {
					return "", false
				}
			}
		case ')':
			depth--
			b.WriteByte(c)
		case '$':
			// Go's $ is the very end; .NET's also lies before a final newline.
			// At the end of the pattern nothing can follow that newline.
			if depth != 0 || i+1 != len(text) && text[i+1] != '|' {
				return "", false
			}
			b.WriteString(`(?:\n?\z)`)
		case '{':
			if n = repetition(text[i:]); n == 0 {
				n = 1
				b.WriteString(`\{`)
			} else {
				count := text[i : i+n]
				if leadingZero(count) {
					return "", false // Go's engine takes {007} for text
				}
				b.WriteString(count)
			}
		case '}', ']':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
		i += n
	}
	return b.String(), depth == 0
}

// groupStart returns the length of the opening of a group that only groups or
// captures: "(?:" or "(?<name>"; 0 for any other construct.
func groupStart(text string) int {
	if strings.HasPrefix(text, "(?:") {
		return 3
	}
	end := strings.IndexByte(text, '>')
	if !strings.HasPrefix(text, "(?<") || end < 4 {
		return 0
	}
	for _, c := range []byte(text[3:end]) {
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return 0 // look-behind, or a balancing group
		}
	}
	return end + 1
}

// repetition returns the length of {n}, {n,} or {n,m} at the start of text, 0
// when the brace stands for itself.
func repetition(text string) int {
	end := strings.IndexByte(text, '}')
	if end < 2 {
		return 0
	}
	low, high, comma := strings.Cut(text[1:end], ",")
	if !isNumber(low) || comma && high != "" && !isNumber(high) {
		return 0
	}
	return end + 1
}

// leadingZero reports whether a number of a repetition begins with a zero and goes
// on.
func leadingZero(count string) bool {
	for i := 1; i+1 < len(count); i++ {
		if count[i] == '0' && isNumber(count[i+1:i+2]) && !isNumber(count[i-1:i]) {
			return true
		}
	}
	return false
}

func isNumber(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// escape translates an escaped character at the start of text.
func escape(text string, inClass bool) (string, bool) {
	if len(text) < 2 {
		return "", false
	}
	c := text[1]
	if isPunctuation(c) {
		return text[:2], true
	}
	set, negated := "", false
	switch c {
	case 'd', 'D':
		set, negated = digitClass, c == 'D'
	case 'w', 'W':
		set, negated = wordClass, c == 'W'
	case 's', 'S':
		set, negated = spaceClass, c == 'S'
	default:
		return "", false
	}
	switch {
	case inClass && negated:
		return "", false
	case inClass:
		return set, true
	case negated:
		return "[^" + set + "]", true
	}
	return "[" + set + "]", true
}

// class translates the character class at the start of text and returns its
// length there.
func class(text string) (string, int, bool) {
	var b strings.Builder
	b.WriteByte('[')
	i := 1
	if strings.HasPrefix(text[i:], "^") {
		b.WriteByte('^')
		i++
	}
	for first := i; i < len(text); {
		switch c := text[i]; {
		case c == ']' && i > first:
			b.WriteByte(']')
			return b.String(), i + 1, true
		case c == '[' || c == ']':
			return "", 0, false // subtraction, or a bracket that comes first
		case c == '\\':
			set, ok := escape(text[i:], true)
			if !ok {
				return "", 0, false
			}
			b.WriteString(set)
			i += 2
		default:
			b.WriteByte(c)
			i++
		}
	}
	return "", 0, false
}
