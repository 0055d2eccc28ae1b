package pattern

import (
	"strconv"
	"strings"

	"github.com/dlclark/regexp2"
)

// Replacement is a parsed .NET replacement text: literal text with the
// substitutions $1, ${1}, ${name}, $$, $&, $`, $', $+ and $_. It belongs to the
// pattern it was made for and is safe for concurrent use. See
// https://learn.microsoft.com/dotnet/standard/base-types/substitutions-in-regular-expressions.
type Replacement struct {
	parts []part
}

type part struct {
	kind  partKind
	text  string // literal
	group int    // captured
}

type partKind uint8

const (
	literal partKind = iota
	captured
	wholeMatch
	beforeMatch
	afterMatch
	lastGroup
	wholeText
)

// Replacement parses a replacement text for this pattern. Every text is valid:
// what names no group of the pattern stays as it is written. $12 is group 12 and
// never group 1 followed by "2"; $2_ is group 2 followed by "_".
func (p *Pattern) Replacement(text string) *Replacement {
	r := &Replacement{}
	for {
		dollar := strings.IndexByte(text, '$')
		if dollar < 0 {
			r.literal(text)
			return r
		}
		r.literal(text[:dollar])
		text = text[dollar:]
		n, substitution := p.substitution(text)
		if n == 0 {
			n = 1
			r.literal("$")
		} else {
			r.parts = append(r.parts, substitution)
		}
		text = text[n:]
	}
}

func (r *Replacement) literal(s string) {
	if s == "" {
		return
	}
	if n := len(r.parts); n > 0 && r.parts[n-1].kind == literal {
		r.parts[n-1].text += s
		return
	}
	r.parts = append(r.parts, part{text: s})
}

// substitution reads the substitution at the start of text, which begins with a
// dollar, and returns its length, 0 when there is none.
func (p *Pattern) substitution(text string) (int, part) {
	if len(text) < 2 {
		return 0, part{}
	}
	switch c := text[1]; {
	case c == '$':
		return 2, part{text: "$"}
	case c == '&':
		return 2, part{kind: wholeMatch}
	case c == '`':
		return 2, part{kind: beforeMatch}
	case c == '\'':
		return 2, part{kind: afterMatch}
	case c == '+':
		return 2, part{kind: lastGroup}
	case c == '_':
		return 2, part{kind: wholeText}
	case c >= '0' && c <= '9':
		end := 2
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		if group, ok := p.group(text[1:end]); ok {
			return end, part{kind: captured, group: group}
		}
	case c == '{':
		if end := strings.IndexByte(text, '}'); end > 2 {
			if group, ok := p.group(text[2:end]); ok {
				return end + 1, part{kind: captured, group: group}
			}
		}
	}
	return 0, part{}
}

// group returns the number of the group with that name or number; leading zeros
// of a number do not count.
func (p *Pattern) group(name string) (int, bool) {
	if n, err := strconv.ParseUint(name, 10, 16); err == nil {
		name = strconv.FormatUint(n, 10)
	}
	n, ok := p.numbers[name]
	return n, ok
}

func (r *Replacement) expand(out *output, m *regexp2.Match) {
	for i := range r.parts {
		switch p := &r.parts[i]; p.kind {
		case literal:
			out.text(p.text)
		case captured:
			writeGroup(out, m.GroupByNumber(p.group))
		case wholeMatch:
			out.runes(out.source[m.Index : m.Index+m.Length])
		case beforeMatch:
			out.runes(out.source[:m.Index])
		case afterMatch:
			out.runes(out.source[m.Index+m.Length:])
		case lastGroup:
			writeGroup(out, &m.Groups()[m.GroupCount()-1])
		case wholeText:
			out.runes(out.source)
		}
	}
}

func writeGroup(out *output, g *regexp2.Group) {
	if g != nil && len(g.Captures) > 0 {
		out.runes(out.source[g.Index : g.Index+g.Length])
	}
}
