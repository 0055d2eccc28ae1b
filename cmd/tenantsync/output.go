package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"tenantsync/mapping/suggest"
)

// outputFormat is the form of what goes to standard output.
type outputFormat string

// The output formats.
const (
	formatTable    outputFormat = "table"
	formatWide     outputFormat = "wide"
	formatJSON     outputFormat = "json"
	formatNDJSON   outputFormat = "ndjson"
	formatCSV      outputFormat = "csv"
	formatMarkdown outputFormat = "markdown"
)

// outputFormats returns all formats, in the order help names them.
func outputFormats() []string {
	return []string{string(formatTable), string(formatWide), string(formatJSON), string(formatNDJSON), string(formatCSV), string(formatMarkdown)}
}

// String returns the format's name.
func (f *outputFormat) String() string { return string(*f) }

// Set takes a format by name.
func (f *outputFormat) Set(name string) error {
	if !slices.Contains(outputFormats(), name) {
		return unknownWord("output format", name, outputFormats())
	}
	*f = outputFormat(name)
	return nil
}

// Type names the value in help.
func (f *outputFormat) Type() string { return strings.Join(outputFormats(), "|") }

// unknownWord returns the error of a word that is not one of known, with the
// nearest of them and those that it begins.
func unknownWord(what, word string, known []string) error {
	if near := nearWords(word, known); len(near) > 0 {
		return usagef("did you mean "+orList(near)+"?", "unknown %s %q.", what, word)
	}
	return usagef("use one of: "+strings.Join(known, ", "), "unknown %s %q.", what, word)
}

// nearWords returns the words that may be meant: the nearest, and those of which word
// is the beginning, unless they are many.
func nearWords(word string, known []string) []string {
	var near []string
	if one := suggest.Nearest(word, slices.Values(known)); one != "" {
		near = append(near, one)
	}
	var begun []string
	for _, k := range known {
		if len(word) > 1 && strings.HasPrefix(strings.ToLower(k), strings.ToLower(word)) && !slices.Contains(near, k) {
			begun = append(begun, k)
		}
	}
	if len(begun) > 3 {
		return near
	}
	return append(near, begun...)
}

// orList writes words in quotes, as alternatives.
func orList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

// printer writes results to standard output.
type printer struct {
	w       io.Writer
	format  outputFormat
	columns []string // asked for with --columns
	width   int      // of the terminal, 0 = none
	colour  bool
}

// result is what a command has to show, in each form it can be asked for. A form
// that is nil falls back: Text to the table, Items to the document as one line.
type result struct {
	// Document is the one JSON document.
	Document any
	// Items are the objects of ndjson, one a line; nil for a single document.
	Items []any
	// Table is what table, wide, csv and markdown show.
	Table func() *table
	// Text replaces the table for people.
	Text func(w io.Writer, p *printer) error
}

// Print writes a result in the form that was asked for.
func (p *printer) Print(r result) error {
	switch p.format {
	case formatJSON:
		return writeJSON(p.w, r.Document)
	case formatNDJSON:
		items := r.Items
		if items == nil {
			items = []any{r.Document}
		}
		for _, item := range items {
			if err := writeJSONLine(p.w, item); err != nil {
				return err
			}
		}
		return nil
	case formatCSV, formatMarkdown, formatWide:
		if r.Table != nil {
			return p.table(r.Table())
		}
	}
	if r.Text != nil && len(p.columns) == 0 {
		return r.Text(p.w, p)
	}
	if r.Table != nil {
		return p.table(r.Table())
	}
	return nil
}

// table writes a table in the printer's form.
func (p *printer) table(t *table) error {
	t, err := t.choose(p.columns, p.format == formatWide || p.format == formatCSV)
	if err != nil {
		return err
	}
	switch p.format {
	case formatCSV:
		return t.csv(p.w)
	case formatMarkdown:
		return t.markdown(p.w)
	}
	width := p.width
	if p.format == formatWide {
		width = 0
	}
	return t.text(p.w, width, p.colour)
}

// items turns a slice into the objects of ndjson.
func items[T any](list []T) []any {
	all := make([]any, len(list))
	for i := range list {
		all[i] = list[i]
	}
	return all
}

// writeJSON writes one document, indented.
func writeJSON(w io.Writer, document any) error {
	return encodeJSON(w, document, "  ")
}

// writeJSONLine writes one document on one line.
func writeJSONLine(w io.Writer, document any) error {
	return encodeJSON(w, document, "")
}

// encodeJSON writes a document in one call of Write. Characters that could
// command a terminal or turn the direction of text are escaped, which changes
// nothing for a JSON reader.
func encodeJSON(w io.Writer, document any, indent string) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	text := b.String()
	if strings.ContainsFunc(text, hidden) {
		text = escapeJSON(text)
	}
	_, err := io.WriteString(w, text)
	return err
}

func escapeJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r != '\n' && hidden(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
