package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// column describes one column of a table.
type column struct {
	Key   string // for --columns, e.g. nextStart; also the header of csv
	Title string // for people, in capitals
	Wide  bool   // shown by wide and csv only, and when asked for
	Right bool   // numbers
	Flex  bool   // may be cut to the width of the terminal; never an id
}

// titled reports whether a word is the column's heading as people read it, with
// or without its spaces and its unit.
func (c column) titled(word string) bool {
	plain := func(s string) string {
		s, _, _ = strings.Cut(s, "(")
		return strings.NewReplacer(" ", "", "-", "", "_", "").Replace(s)
	}
	return c.Title != "" && strings.EqualFold(plain(c.Title), plain(word))
}

// table is a list of rows under columns. Cells hold plain values; escaping,
// cutting and colour are the table's business.
type table struct {
	Columns []column
	Rows    [][]string
	// Colours gives the colour of a row's cell by its column key, 0 for none.
	Colours func(key, cell string) text.Color
}

// choose returns the table with the columns that are to be shown.
func (t *table) choose(keys []string, wide bool) (*table, error) {
	var at []int
	if len(keys) > 0 {
		known := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			known[i] = c.Key
		}
		for _, key := range keys {
			i := slices.IndexFunc(t.Columns, func(c column) bool { return strings.EqualFold(c.Key, key) || c.titled(key) })
			if i < 0 {
				return nil, unknownWord("column", key, known)
			}
			at = append(at, i)
		}
	} else {
		for i, c := range t.Columns {
			if wide || !c.Wide {
				at = append(at, i)
			}
		}
	}
	chosen := &table{Colours: t.Colours, Columns: make([]column, len(at)), Rows: make([][]string, len(t.Rows))}
	for j, i := range at {
		chosen.Columns[j] = t.Columns[i]
	}
	for r, row := range t.Rows {
		cells := make([]string, len(at))
		for j, i := range at {
			cells[j] = row[i]
		}
		chosen.Rows[r] = cells
	}
	return chosen, nil
}

// csv writes RFC 4180 with a header, safe to open in a spreadsheet.
func (t *table) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	header := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		header[i] = c.Key
	}
	if err := out.Write(header); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	for _, row := range t.Rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = formulaSafe(cell)
		}
		if err := out.Write(cells); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}

// markdown writes a table for a ticket.
func (t *table) markdown(w io.Writer) error {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("|")
		for _, cell := range cells {
			b.WriteString(" " + markdownCell(cell) + " |")
		}
		b.WriteString("\n")
	}
	titles, rule := make([]string, len(t.Columns)), make([]string, len(t.Columns))
	for i, c := range t.Columns {
		titles[i], rule[i] = c.Title, "---"
		if c.Right {
			rule[i] = "---:"
		}
	}
	line(titles)
	line(rule)
	for _, row := range t.Rows {
		line(row)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownCell keeps a value from becoming markup.
func markdownCell(cell string) string {
	var b strings.Builder
	for _, r := range escape(cell) {
		switch r {
		case '|', '\\', '`', '*', '_', '<', '[', ']':
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// columnGap separates columns.
const columnGap = "  "

// leastWidth is how narrow a column may get before lines may wrap.
const leastWidth = 12

// text writes aligned columns. With a width, long cells of flexible columns are
// cut so that a line fits where possible.
func (t *table) text(w io.Writer, width int, colour bool) error {
	cells := make([][]string, len(t.Rows))
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = text.StringWidth(c.Title)
	}
	for r, row := range t.Rows {
		cells[r] = make([]string, len(row))
		for i, cell := range row {
			cells[r][i] = escape(cell)
			widths[i] = max(widths[i], text.StringWidth(cells[r][i]))
		}
	}
	t.fit(widths, width)
	var b strings.Builder
	titles := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		titles[i] = c.Title
	}
	t.line(&b, titles, widths, false)
	for _, row := range cells {
		t.line(&b, row, widths, colour)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// readable writes the table where all of it fits into the width, else each row as
// a block: every cell below the other with its column's heading, nothing cut. It is
// for tables whose long cells are what people look for.
func (t *table) readable(w io.Writer, width int, colour bool) error {
	longest := 0
	titles := 0
	for i, c := range t.Columns {
		most := text.StringWidth(c.Title)
		for _, row := range t.Rows {
			most = max(most, text.StringWidth(escape(row[i])))
		}
		longest += most + len(columnGap)
		if i > 0 {
			titles = max(titles, len(c.Title))
		}
	}
	if width <= 0 || longest-len(columnGap) <= width {
		return t.text(w, width, colour)
	}
	var b strings.Builder
	for _, row := range t.Rows {
		b.WriteString("  " + escape(row[0]) + "\n")
		for i, cell := range row[1:] {
			if cell != "" {
				fmt.Fprintf(&b, "    %-*s  %s\n", titles, strings.ToLower(t.Columns[i+1].Title), escape(cell))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fit takes room from the widest flexible column until a line fits.
func (t *table) fit(widths []int, width int) {
	if width <= 0 {
		return
	}
	total := len(columnGap) * (len(widths) - 1)
	for _, n := range widths {
		total += n
	}
	for total > width {
		widest := -1
		for i, c := range t.Columns {
			if c.Flex && widths[i] > leastWidth && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
		total--
	}
}

func (t *table) line(b *strings.Builder, row []string, widths []int, colour bool) {
	for i, cell := range row {
		if i > 0 {
			b.WriteString(columnGap)
		}
		shown := cell
		if text.StringWidth(cell) > widths[i] {
			shown = text.Snip(cell, widths[i], "…")
		}
		pad := strings.Repeat(" ", max(0, widths[i]-text.StringWidth(shown)))
		if colour && t.Colours != nil {
			shown = paint(t.Colours(t.Columns[i].Key, cell), shown)
		}
		switch {
		case t.Columns[i].Right:
			b.WriteString(pad + shown)
		case i == len(row)-1:
			b.WriteString(shown)
		default:
			b.WriteString(shown + pad)
		}
	}
	b.WriteByte('\n')
}

// paint colours a text when colours are on. Colour never says anything that the
// words do not.
func (p *printer) paint(c text.Color, s string) string {
	if !p.colour {
		return s
	}
	return paint(c, s)
}

// paint colours a text. Whether colours are wanted is decided by the caller, from
// flags and the stream; the library's own switch looks at the process instead.
func paint(c text.Color, s string) string {
	if c == 0 {
		return s
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", int(c), s)
}

// actionColour returns the colour of an action or a status, 0 for none.
func actionColour(word string) text.Color {
	switch strings.ToLower(word) {
	case "create", "success", "restore", "active":
		return text.FgGreen
	case "update", "warning", "disable", "paused":
		return text.FgYellow
	case "delete", "failure", "fail", "quarantine", "failed":
		return text.FgRed
	case "skipped", "none", "stageddelete", "notrun":
		return text.Faint
	}
	return 0
}
