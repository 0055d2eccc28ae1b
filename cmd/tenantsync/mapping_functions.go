package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tenantsync/mapping/expr"
)

func newMappingFunctionsCommand(env *environment) *cobra.Command {
	var known []string
	for _, f := range expr.Functions() {
		known = append(known, f.Name)
	}
	return &cobra.Command{
		Use: "functions [NAME]", Short: "List the functions of mapping expressions",
		Long: "Lists the functions of mapping expressions. Names are case-sensitive; a parameter\n" +
			"with a question mark can be left out. With a NAME it tells all about that one: its\nparameters, the rules worth knowing, and an example.",
		Example:     examples("tenantsync mapping functions", "tenantsync mapping functions Switch"),
		Args:        cobra.MaximumNArgs(1),
		ValidArgs:   known,
		Annotations: exitCodes(exitDone, exitFailed, exitUsage),
		RunE: env.runs(func(_ context.Context, args []string) error {
			all := expr.Functions()
			rows := make([]functionRow, 0, len(all))
			names := make([]string, 0, len(all))
			for _, f := range all {
				names = append(names, f.Name)
				if len(args) == 0 || f.Name == args[0] {
					rows = append(rows, functionRowOf(f))
				}
			}
			if len(rows) == 0 {
				return unknownWord("function", args[0], names)
			}
			return env.printer().Print(result{
				Document: rows, Items: items(rows),
				Table: func() *table { return functionTable(rows) },
				Text:  functionText(rows, len(args) > 0),
			})
		}),
	}
}

// functionRow is one function as mapping functions shows it.
type functionRow struct {
	Name       string         `json:"name"`
	Signature  string         `json:"signature"`
	Summary    string         `json:"summary"`
	Parameters []parameterRow `json:"parameters"`
	Result     string         `json:"result"`
	Notes      []string       `json:"notes,omitempty"`
	Example    string         `json:"example"`
	Attributes map[string]any `json:"exampleAttributes,omitempty"`
	Gives      any            `json:"exampleResult"`
}

// parameterRow is one parameter of a function.
type parameterRow struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required"`
	// Blank says that its place may stay empty between the commas.
	Blank bool `json:"blank,omitempty"`
	// Repeats says that it, with the others that repeat, can be given many times.
	Repeats bool `json:"allowMultipleOccurrences,omitempty"`
	// Words are the only texts it takes.
	Words []string `json:"words,omitempty"`
}

func functionRowOf(f expr.Function) functionRow {
	row := functionRow{Name: f.Name, Signature: f.Signature(), Summary: f.Summary, Parameters: make([]parameterRow, 0, len(f.Parameters)),
		Result: f.Result.String(), Notes: f.Notes, Example: f.Example.Expression, Attributes: f.Example.Attributes, Gives: f.Example.Result}
	for _, p := range f.Parameters {
		row.Parameters = append(row.Parameters, parameterRow{Name: p.Name, Type: p.Type.String(), Required: p.Required, Blank: p.Blank, Repeats: p.Repeat, Words: p.Words})
	}
	return row
}

func functionTable(rows []functionRow) *table {
	t := &table{Columns: []column{
		{Key: "name", Title: "NAME", Wide: true}, {Key: "signature", Title: "FUNCTION", Flex: true}, {Key: "summary", Title: "GIVES", Flex: true},
		{Key: "example", Title: "EXAMPLE", Wide: true}, {Key: "exampleAttributes", Title: "FOR", Wide: true}, {Key: "exampleResult", Title: "RESULT", Wide: true},
	}}
	for _, r := range rows {
		attributes := ""
		if len(r.Attributes) > 0 {
			attributes = jsonText(r.Attributes)
		}
		t.Rows = append(t.Rows, []string{r.Name, r.Signature, r.Summary, r.Example, attributes, jsonText(r.Gives)})
	}
	return t
}

// functionText describes functions in full; the list of all is a table.
func functionText(rows []functionRow, full bool) func(io.Writer, *printer) error {
	if !full {
		return nil
	}
	return func(w io.Writer, p *printer) error {
		var b strings.Builder
		for i := range rows {
			if err := rows[i].describe(&b, p); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
}

// describe writes one function: signature, summary, parameters, notes, example.
func (r *functionRow) describe(b *strings.Builder, p *printer) error {
	fmt.Fprintf(b, "%s\n  %s Gives %s.\n", r.Signature, r.Summary, withArticle(r.Result))
	if len(r.Parameters) > 0 {
		b.WriteString("\nParameters:\n")
		t := &table{Columns: []column{{Key: "name"}, {Key: "type"}, {Key: "use", Flex: true}}}
		for _, q := range r.Parameters {
			t.Rows = append(t.Rows, []string{"  " + q.Name, q.Type, q.use()})
		}
		var rows strings.Builder
		if err := t.text(&rows, p.width, false); err != nil {
			return err
		}
		for line := range strings.Lines(rows.String()) {
			if line = strings.TrimRight(line, " \n"); line != "" { // the headings are empty
				b.WriteString(line + "\n")
			}
		}
	}
	if len(r.Notes) > 0 {
		b.WriteString("\nNotes:\n")
		for _, note := range r.Notes {
			b.WriteString("  - " + note + "\n")
		}
	}
	fmt.Fprintf(b, "\nExample:\n  %s\n", r.Example)
	if len(r.Attributes) > 0 {
		fmt.Fprintf(b, "  for    %s\n", jsonText(r.Attributes))
	}
	fmt.Fprintf(b, "  gives  %s\n", jsonText(r.Gives))
	return nil
}

func withArticle(kind string) string {
	switch kind {
	case "any":
		return "any value"
	case "text":
		return kind
	}
	return "a " + kind
}

// use says how a parameter is given, and what it takes.
func (q parameterRow) use() string {
	var words []string
	switch {
	case q.Repeats:
		words = append(words, "can be repeated")
	case !q.Required:
		words = append(words, "can be left out")
	}
	if q.Blank {
		words = append(words, "its place can be left empty")
	}
	if len(q.Words) > 0 {
		words = append(words, strings.Join(q.Words, " or "))
	}
	return strings.Join(words, ", ")
}
