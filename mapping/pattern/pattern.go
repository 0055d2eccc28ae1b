package pattern

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// MaxLength is the greatest length of a pattern in bytes.
const MaxLength = 10_000

// timeLimit bounds one match, or all matches of one replacement. The engine
// looks at the time every 100 ms, so the limit is kept to within that.
const timeLimit = 250 * time.Millisecond

var (
	// ErrTimeout says that a match took longer than it may: the pattern
	// backtracks without end on this text.
	ErrTimeout = errors.New("the regular expression takes too long on this value")
	// ErrTooLong says that a replacement would make a text longer than the limit
	// the caller gave.
	ErrTooLong = errors.New("the result is too long")
	// errEngine stands for a fault of the backtracking engine itself.
	errEngine = errors.New("the regular expression cannot be carried out on this value")
)

// Pattern is a compiled .NET regular expression. It is safe for concurrent use.
type Pattern struct {
	text    string
	quick   func(string) bool // nil: ask the engine
	steps   int               // that quick takes at most for each byte
	engine  *regexp2.Regexp
	numbers map[string]int // of the capturing groups, by their names and by their numbers
}

// Compile compiles a .NET pattern without options; options can be given in the
// pattern itself, as in (?i). The error says what is wrong with the pattern.
func Compile(text string) (p *Pattern, err error) {
	if len(text) > MaxLength {
		return nil, fmt.Errorf("a regular expression has at most %d characters", MaxLength)
	}
	defer func() {
		if recover() != nil {
			p, err = nil, errors.New("the regular expression is not understood")
		}
	}()
	expanded := expandBlocks(text)
	engine, err := regexp2.Compile(expanded, regexp2.None)
	if err != nil {
		return nil, fmt.Errorf("the regular expression is wrong: %s", reason(err, expanded))
	}
	engine.MatchTimeout = timeLimit
	p = &Pattern{text: text, engine: engine, numbers: make(map[string]int)}
	for _, number := range engine.GetGroupNumbers() {
		p.numbers[strconv.Itoa(number)] = number
		p.numbers[engine.GroupNameFromNumber(number)] = number
	}
	p.quick, p.steps = matcher(text)
	return p, nil
}

// reason shortens the engine's message: "error parsing regexp: missing closing ]
// in `[`" carries the whole pattern, which the caller shows anyway.
func reason(err error, text string) string {
	s := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	return strings.TrimSuffix(s, " in `"+text+"`")
}

// String returns the pattern as it was written.
func (p *Pattern) String() string { return p.text }

// HasGroup reports whether the pattern has a capturing group of that name or
// number.
func (p *Pattern) HasGroup(name string) bool {
	_, ok := p.group(name)
	return ok
}

// Match reports whether the pattern matches anywhere in s. The error is
// [ErrTimeout] or one that tells of a fault of the engine.
func (p *Pattern) Match(s string) (matched bool, err error) {
	if p.isQuick(s) {
		return p.quick(s), nil
	}
	defer contain(&err)
	matched, err = p.engine.MatchString(s)
	if err != nil {
		return false, ErrTimeout
	}
	return matched, nil
}

// isQuick reports whether a text is judged without backtracking.
func (p *Pattern) isQuick(s string) bool { return p.quick != nil && p.steps*len(s) <= maxQuickSteps }

// Group returns what a group captured in the first match, and whether there was
// a match in which the group took part.
func (p *Pattern) Group(s, name string) (captured string, ok bool, err error) {
	defer contain(&err)
	m, err := p.engine.FindStringMatch(s)
	if err != nil {
		return "", false, ErrTimeout
	}
	number, known := p.group(name)
	if m == nil || !known {
		return "", false, nil
	}
	g := m.GroupByNumber(number)
	if g == nil || len(g.Captures) == 0 {
		return "", false, nil
	}
	return g.String(), true, nil
}

// Replace replaces every match by the expanded replacement; text without a match
// comes back unchanged. A result of more than limit bytes is [ErrTooLong].
func (p *Pattern) Replace(s string, r *Replacement, limit int) (string, error) {
	return p.each(s, limit, func(out *output, m *regexp2.Match) { r.expand(out, m) })
}

// ReplaceGroup replaces, in every match, only what the named group captured and
// keeps the rest of the match. The replacement is taken as it is.
func (p *Pattern) ReplaceGroup(s, group, replacement string, limit int) (string, error) {
	number, ok := p.group(group)
	if !ok {
		number = -1
	}
	return p.each(s, limit, func(out *output, m *regexp2.Match) {
		at, end := m.Index, m.Index+m.Length
		if g := m.GroupByNumber(number); g != nil {
			// Look-around can capture outside the match: such text stays.
			for _, c := range g.Captures {
				if c.Index >= at && c.Index+c.Length <= end {
					out.runes(out.source[at:c.Index])
					out.text(replacement)
					at = c.Index + c.Length
				}
			}
		}
		out.runes(out.source[at:end])
	})
}

// each walks the matches from left to right and lets put write what takes the
// place of each one. The engine's own replacing function is not used: it answers
// empty text when a later match times out.
func (p *Pattern) each(s string, limit int, put func(*output, *regexp2.Match)) (result string, err error) {
	defer contain(&err)
	out := &output{source: []rune(s), limit: limit}
	deadline := time.Now().Add(timeLimit + regexp2.DefaultClockPeriod)
	m, err := p.engine.FindRunesMatch(out.source)
	if err != nil {
		return "", ErrTimeout
	}
	if m == nil {
		return s, nil
	}
	at := 0
	for m != nil {
		// A pattern that runs from right to left would find matches backwards.
		if m.Index < at {
			return "", errEngine
		}
		out.runes(out.source[at:m.Index])
		put(out, m)
		at = m.Index + m.Length
		if out.full {
			return "", ErrTooLong
		}
		if m, err = p.engine.FindNextMatch(m); err != nil || time.Now().After(deadline) {
			return "", ErrTimeout
		}
	}
	out.runes(out.source[at:])
	if out.full {
		return "", ErrTooLong
	}
	return out.b.String(), nil
}

// contain turns a panic of the backtracking engine into an error, so that one
// odd value fails one object and not the program.
func contain(err *error) {
	if recover() != nil {
		*err = errEngine
	}
}

// output collects a result and notices when it outgrows its limit.
type output struct {
	source []rune
	b      strings.Builder
	limit  int
	full   bool
}

func (o *output) text(s string) {
	if o.full = o.full || o.b.Len()+len(s) > o.limit; !o.full {
		o.b.WriteString(s)
	}
}

func (o *output) runes(rs []rune) {
	for _, r := range rs {
		if o.full = o.full || o.b.Len() >= o.limit; o.full {
			return
		}
		o.b.WriteRune(r)
	}
}
