package importer

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// expression is a text in which the configuration looks for no references: in all
// other texts the characters ${ are escaped.
type expression string

// WriteYAML writes the job as an item of the configuration's jobs, with comments:
// lines that begin at the margin and fit below "jobs:" as they are.
func (j *Job) WriteYAML(w io.Writer) error { return j.writeYAML(w, "") }

func (j *Job) writeYAML(w io.Writer, indent string) error {
	b := bufio.NewWriter(w)
	y := &yamlWriter{b}
	y.comments(indent, []string{"Imported: " + j.Origin + ".", "What is not taken over is told below where it would stand."})
	y.items(indent, []item{{keys: j.document()}})
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write job: %w", err)
	}
	return nil
}

// yamlWriter writes keys and lists. Errors stick in the buffer.
type yamlWriter struct{ *bufio.Writer }

// widest is the longest line that holds a whole mapping.
const widest = 110

func (y *yamlWriter) comments(indent string, lines []string) {
	for _, text := range lines {
		margin := text[:len(text)-len(strings.TrimLeft(text, " "))]
		for _, line := range wrap(oneLine(text), widest-len(indent)) {
			fmt.Fprintf(y, "%s# %s%s\n", indent, margin, line)
		}
	}
}

// wrap breaks a text at blanks into lines of a width; margin lines are indented.
func wrap(text string, width int) []string {
	var lines []string
	for at := ""; ; at = "  " {
		if len(text) <= width {
			return append(lines, at+text)
		}
		end := strings.LastIndexByte(text[:width], ' ')
		if end <= 0 {
			if end = strings.IndexByte(text, ' '); end < 0 {
				return append(lines, at+text)
			}
		}
		lines = append(lines, at+text[:end])
		text = strings.TrimLeft(text[end:], " ")
	}
}

// key writes one key, its comments above it. first says that the indentation, and
// the dash of a list, are written already.
func (y *yamlWriter) key(indent string, k key, first bool) {
	list, isList := k.value.([]item)
	if isList && !written(list) {
		// Nothing is left of the list: its comments take its place.
		y.items(indent, list)
		return
	}
	if !first {
		y.comments(indent, k.above)
		y.WriteString(indent)
	}
	keys, isGroup := k.value.([]key)
	if !isList && !isGroup {
		fmt.Fprintf(y, "%s: %s%s\n", k.name, scalar(k.value), behind(k.comment))
		return
	}
	fmt.Fprintf(y, "%s:%s\n", k.name, behind(k.comment))
	y.items(indent+"  ", list)
	for _, sub := range keys {
		y.key(indent+"  ", sub, false)
	}
}

// items writes a list, members without keys as comments.
func (y *yamlWriter) items(indent string, list []item) {
	for _, it := range list {
		y.comments(indent, it.above)
		if len(it.keys) == 0 {
			continue
		}
		y.WriteString(indent + "- ")
		if isFlat(it.keys) {
			if line := flow(it.keys); len(indent)+len(line) <= widest {
				y.WriteString(line + behind(it.comment) + "\n")
				continue
			}
		}
		for i, k := range it.keys {
			if i == 0 && it.comment != "" {
				k.comment = it.comment
			}
			y.key(indent+"  ", k, i == 0)
		}
	}
}

// behind is a comment at the end of a line.
func behind(comment string) string {
	if comment == "" {
		return ""
	}
	return " # " + oneLine(comment)
}

func isFlat(keys []key) bool {
	return !slices.ContainsFunc(keys, func(k key) bool {
		switch k.value.(type) {
		case []key, []item:
			return true
		}
		return false
	})
}

// flow writes keys on one line.
func flow(keys []key) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = k.name + ": " + scalar(k.value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func scalar(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return word(v)
	case expression:
		return quoted(string(v))
	case []string:
		return "[" + words(v) + "]"
	}
	return fmt.Sprint(v)
}

// word writes a text, in quotes unless it means the same without.
func word(text string) string {
	if plainText.MatchString(text) && !slices.Contains(reserved, strings.ToLower(text)) {
		return text
	}
	return quoted(escapeReferences(text))
}

func words(list []string) string {
	parts := make([]string, len(list))
	for i, text := range list {
		parts[i] = word(text)
	}
	return strings.Join(parts, ", ")
}

// plainText is text that means the same in YAML with and without quotes.
var plainText = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// reserved are the words that YAML, in one of its versions, takes for no text.
var reserved = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

// escapeReferences keeps the configuration from taking a text for a reference.
func escapeReferences(text string) string { return strings.ReplaceAll(text, "${", "$${") }

// quoted writes a text in quotes: single ones, in which nothing else is special,
// unless it holds characters that only an escape can write.
func quoted(text string) string {
	if !strings.ContainsFunc(text, needsEscape) {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case needsEscape(r) && r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case needsEscape(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// needsEscape reports a character that a line of YAML cannot hold, or that could
// command a terminal.
func needsEscape(r rune) bool {
	return unicode.IsControl(r) || r == 0x2028 || r == 0x2029 || r == 0xfeff || unicode.Is(unicode.Bidi_Control, r)
}

// oneLine makes a text safe for a comment.
func oneLine(text string) string { return strings.TrimSpace(printable(text)) }

// printable puts a blank in place of every character that needs an escape, so that
// columns stay what they are.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if needsEscape(r) {
			return ' '
		}
		return r
	}, text)
}
