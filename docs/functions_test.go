package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tenantsync/mapping/expr"
)

// The function reference is what the functions say of themselves; its examples
// are commands, which are run as those of every page.
func TestFunctionReferenceIsTheFunctions(t *testing.T) {
	var b strings.Builder
	b.WriteString("| Function | |\n|---|---|\n")
	for _, f := range expr.Functions() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", f.Name, strings.ToLower(f.Name), cell(f.Summary))
	}
	checkPart(t, "functions.md", "table", b.String())
	b.Reset()
	for _, f := range expr.Functions() {
		describeFunction(t, &b, f)
	}
	checkPart(t, "functions.md", "functions", b.String())
}

// cell keeps a text from ending the cell of a table, or becoming markup.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`, "_", `\_`, "[", `\[`).Replace(text)
}

func describeFunction(t *testing.T, b *strings.Builder, f expr.Function) {
	t.Helper()
	fmt.Fprintf(b, "\n### %s\n\n%s `%s` gives %s.\n", f.Name, cell(f.Summary), f.Signature(), kind(f.Result))
	if len(f.Parameters) > 0 {
		b.WriteString("\n| Parameter | Type | |\n|---|---|---|\n")
	}
	for _, p := range f.Parameters {
		var use []string
		if p.Repeat {
			use = append(use, "can be repeated")
		} else if !p.Required {
			use = append(use, "can be left out")
		}
		if p.Blank {
			use = append(use, "its place can be left empty")
		}
		if len(p.Words) > 0 {
			use = append(use, strings.Join(p.Words, " or "))
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", p.Name, p.Type, strings.Join(use, "; "))
	}
	if len(f.Notes) > 0 {
		b.WriteByte('\n')
	}
	for _, note := range f.Notes {
		b.WriteString("- " + cell(note) + "\n")
	}
	line := "$ tenantsync mapping test --expression " + quoted(f.Example.Expression)
	if len(f.Example.Attributes) > 0 {
		line += " \\\n    --attributes " + quoted(compact(t, f.Example.Attributes))
	}
	fmt.Fprintf(b, "\n```console\n%s\n%s\n```\n", line, shownResult(t, f.Example.Result))
}

func kind(result expr.Type) string {
	switch result {
	case expr.Any:
		return "the kind of value it is given"
	case expr.Text:
		return "text"
	}
	return "a " + result.String()
}

// quoted writes a text for the shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func compact(t *testing.T, value any) string {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// shownResult is how mapping test shows a value.
func shownResult(t *testing.T, result any) string {
	t.Helper()
	switch r := result.(type) {
	case nil:
		return "(none)"
	case string:
		if r == "" {
			return `""`
		}
		return r
	}
	return compact(t, result)
}
