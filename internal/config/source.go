package config

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"tenantsync/mapping"
)

// source is the text of a file by lines, to find and to show places in it.
type source struct {
	lines []string
	// hidden are lines of which an excerpt shows nothing: they hold a secret.
	hidden map[int]bool
}

func newSource(text []byte) *source {
	return &source{lines: strings.Split(string(text), "\n"), hidden: map[int]bool{}}
}

// hide blots out the lines of a scalar in every excerpt.
func (s *source) hide(n *node) {
	last := n.line
	switch n.style {
	case literalBlock, foldedBlock:
		last += strings.Count(n.text, "\n") + 1
	default:
		if end, ok := s.locate(n, len(n.text)); ok {
			last = end.line
		}
	}
	for l := n.line; l <= last; l++ {
		s.hidden[l] = true
	}
}

// secretOnLine finds what must not be shown where the tree does not tell, as
// in a text that cannot be parsed.
var secretOnLine = regexp.MustCompile(`(?i)(["']?\b(?:secret|password|token)["']?\s*:\s*)(.*)$`)

// excerpt draws a place of the file, secrets blotted out.
func (s *source) excerpt(line, column int) string {
	if line < 1 || line > len(s.lines) {
		return ""
	}
	shown := make([]string, line)
	for i := max(0, line-2); i < line; i++ {
		text := s.lines[i]
		switch m := secretOnLine.FindStringSubmatchIndex(text); {
		case m != nil && !isReference(text[m[4]:m[5]]):
			text = text[:m[4]] + hiddenText
		case s.hidden[i+1]:
			text = hiddenText
			if name, _, ok := strings.Cut(s.lines[i], ":"); ok && !strings.ContainsAny(name, "{[,") {
				text = name + ": " + hiddenText
			}
		}
		shown[i] = text
	}
	return excerpt(shown, line, column)
}

// hiddenText stands wherever a secret would.
const hiddenText = mapping.SensitiveText

// isReference reports a text that only refers to a secret. What follows the
// reference on the line is shown, so nothing but closing marks may.
func isReference(text string) bool {
	text = strings.Trim(strings.TrimSpace(text), `"'} ,`)
	return strings.HasPrefix(text, "${") && !strings.Contains(text, ":-") && !strings.ContainsAny(text[2:], "{ ")
}

// locate returns the place in the file of a byte offset in a scalar's text.
// ok is false where the text cannot be followed through the file; the place
// is then that of the scalar.
func (s *source) locate(n *node, offset int) (at place, ok bool) {
	start := place{n.line, n.column}
	w := walker{lines: s.lines, line: n.line, style: n.style}
	if !w.begin(n) {
		return start, false
	}
	for i, r := range n.text {
		if !w.atEnd() && i >= offset {
			w.skipContinuation(r)
			return w.place(), true
		}
		if !w.consume(r) {
			return start, false
		}
	}
	return w.place(), true
}

// walker follows the text of a scalar through the source, character by
// character: escapes, doubled quotes, folded lines and indentation lie between.
type walker struct {
	lines  []string
	line   int // from 1
	column int // byte offset in the line, from 0
	indent int // of a block's lines
	style  style
}

func (w *walker) atEnd() bool { return w.line > len(w.lines) }

func (w *walker) rest() string {
	if w.atEnd() || w.column > len(w.lines[w.line-1]) {
		return ""
	}
	return strings.TrimSuffix(w.lines[w.line-1][w.column:], "\r")
}

func (w *walker) place() place {
	if w.atEnd() {
		return place{len(w.lines), 1}
	}
	text := w.lines[w.line-1]
	return place{w.line, utf8.RuneCountInString(text[:min(w.column, len(text))]) + 1}
}

// begin puts the walker on the first character of the text.
func (w *walker) begin(n *node) bool {
	if w.atEnd() || w.line < 1 {
		return false
	}
	text := w.lines[w.line-1]
	for i := 1; i < n.column && w.column < len(text); i++ {
		_, size := utf8.DecodeRuneInString(text[w.column:])
		w.column += size
	}
	switch n.style {
	case singleQuoted, doubleQuoted:
		if !strings.HasPrefix(w.rest(), `'`) && !strings.HasPrefix(w.rest(), `"`) {
			return false
		}
		w.column++
	case literalBlock, foldedBlock:
		w.line, w.column = w.line+1, 0
		for !w.atEnd() && strings.TrimSpace(w.rest()) == "" {
			if !strings.HasPrefix(n.text, "\n") {
				return false
			}
			w.line++
		}
		rest := w.rest()
		w.indent = len(rest) - len(strings.TrimLeft(rest, " "))
		w.column = w.indent
	}
	return true
}

// skipContinuation moves over an escaped line break, which stands for nothing.
func (w *walker) skipContinuation(rune) {
	for w.style == doubleQuoted && w.rest() == `\` {
		w.nextLine()
	}
}

// consume moves over the source of one character of the text.
func (w *walker) consume(r rune) bool {
	w.skipContinuation(r)
	rest := w.rest()
	switch {
	case w.style == doubleQuoted && strings.HasPrefix(rest, `\`):
		w.column += escapeLength(rest)
		return true
	case w.style == singleQuoted && strings.HasPrefix(rest, `''`):
		w.column += 2
		return r == '\''
	case (r == ' ' || r == '\n') && strings.TrimSpace(rest) == "" && (r == '\n' || rest == ""):
		return w.consumeBreak(r)
	}
	got, size := utf8.DecodeRuneInString(rest)
	if size == 0 || got != r {
		return false
	}
	w.column += size
	return true
}

// consumeBreak moves over a line break: a blank in folded text, else itself.
func (w *walker) consumeBreak(r rune) bool {
	folded := w.style != literalBlock
	w.nextLine()
	if folded && r == '\n' && !w.atEnd() && w.rest() == "" {
		w.nextLine()
	}
	return true
}

func (w *walker) nextLine() {
	w.line, w.column = w.line+1, 0
	if w.atEnd() {
		return
	}
	rest := w.rest()
	switch w.style {
	case literalBlock, foldedBlock:
		w.column = min(w.indent, len(rest))
	default:
		w.column = len(rest) - len(strings.TrimLeft(rest, " \t"))
	}
}

// escapeLength is how many bytes a backslash sequence takes.
func escapeLength(rest string) int {
	if len(rest) < 2 {
		return len(rest)
	}
	var length int
	switch rest[1] {
	case 'x':
		length = 4
	case 'u':
		length = 6
	case 'U':
		length = 10
	default:
		_, size := utf8.DecodeRuneInString(rest[1:])
		length = 1 + size
	}
	return min(length, len(rest))
}
