package importer

import (
	"fmt"
	"io"
	"strings"
)

// WriteReport writes for people what was taken over and, a line for each note,
// what was not, sorted by kind. The order within a kind is that of the schema.
func (j *Job) WriteReport(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Took over %d of %s and %d of %s: %s.\n", len(j.Mappings), counted(j.MappingCount, "mapping"),
		len(j.Filters), counted(j.FilterCount, "filter"), oneLine(j.Origin))
	if !j.Enabled {
		b.WriteString("The job is written with enabled: false. Look at this before it runs:\n")
		for _, line := range j.warning {
			fmt.Fprintf(&b, "  %s\n", oneLine(line))
		}
	}
	if len(j.Notes) == 0 {
		b.WriteString("Nothing was left out or changed.\n")
	}
	for _, k := range []Kind{LeftOut, Changed, Check} {
		j.section(&b, k)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// section writes the notes of a kind, in two columns.
func (j *Job) section(b *strings.Builder, k Kind) {
	width, n := 0, 0
	for _, note := range j.Notes {
		if note.Kind == k {
			n++
			if l := len([]rune(oneLine(note.Where))); l <= 40 {
				width = max(width, l)
			}
		}
	}
	if n == 0 {
		return
	}
	title := map[Kind]string{LeftOut: "Left out", Changed: "Changed", Check: "To check"}[k]
	fmt.Fprintf(b, "\n%s (%d):\n", title, n)
	for _, note := range j.Notes {
		if note.Kind == k {
			note.write(b, width)
		}
	}
}

func (n Note) write(b *strings.Builder, width int) {
	fmt.Fprintf(b, "  %-*s  %s", width, oneLine(n.Where), n.sentence())
	b.WriteByte('\n')
	for line := range strings.SplitSeq(n.Excerpt, "\n") {
		if line != "" {
			fmt.Fprintf(b, "      %s\n", strings.TrimRight(printable(line), " "))
		}
	}
}

// sentence says what, why and what to do, on one line.
func (n Note) sentence() string {
	text := n.Why
	if n.What != "" {
		text = shorten(n.What, 120) + ": " + n.Why
	}
	if n.Do != "" {
		text += "; " + n.Do
	}
	return oneLine(text)
}

// Message returns the note on one line: where, what, why, and what to do.
func (n Note) Message() string {
	return n.Kind.String() + ": " + oneLine(n.Where) + ": " + n.sentence()
}

func counted(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
