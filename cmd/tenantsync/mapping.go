package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tenantsync/directory"
	"tenantsync/internal/config"
	"tenantsync/mapping"
	"tenantsync/mapping/expr"
)

func newMappingCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "mapping", Short: "Attribute mappings: list them, test expressions",
		Long:    "Shows the attribute mappings of a job and the functions of expressions, and tests\nexpressions on made-up users. Needs no network.",
		Example: examples("tenantsync mapping list contoso-to-fabrikam", `tenantsync mapping test --expression 'ToUpper([surname])' --attributes '{"surname":"Berg"}'`),
	}
	cmd.AddCommand(newMappingListCommand(env), newMappingFunctionsCommand(env), newMappingTestCommand(env))
	return cmd
}

func newMappingListCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "list [JOB]", Short: "List the attribute mappings of a job",
		Long: `Lists the attribute mappings of a job as the admin centre does: their kind, the
source, the target attribute, when they apply, and the matching precedence. A job
without mappings of its own has the default ones.`,
		Example:     examples("tenantsync mapping list contoso-to-fabrikam", "tenantsync mapping list -o markdown"),
		Args:        cobra.MaximumNArgs(1),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage, exitConfig),
		RunE: env.runs(func(_ context.Context, args []string) error {
			job, err := env.configuredJob(args)
			if err != nil {
				return err
			}
			rows := mappingRows(job)
			return env.printer().Print(result{
				Document: map[string]any{"job": job.Name, "mappings": rows}, Items: items(rows),
				Table: func() *table { return mappingTable(rows) },
			})
		}),
	}
}

// configuredJob returns the job of the configuration that a command is about.
func (e *environment) configuredJob(args []string) (*config.Job, error) {
	cfg, err := e.LoadConfig()
	if err != nil {
		return nil, err
	}
	name, err := e.jobName(args)
	if err != nil {
		return nil, err
	}
	if job := cfg.Job(name); job != nil {
		return job, nil
	}
	return nil, unknownWord("job", name, cfg.JobNames())
}

// mappingRow is one mapping as mapping list shows it.
type mappingRow struct {
	Type    string `json:"type"` // Direct, Constant, Expression
	Source  string `json:"source"`
	Target  string `json:"target"`
	Applies string `json:"flowType"`
	Match   int    `json:"matchingPriority,omitempty"`
	Default string `json:"defaultValue,omitempty"`
}

// mappingRows lists the mappings a job works with.
func mappingRows(job *config.Job) []mappingRow {
	mappings := mapping.Default()
	if len(job.Mappings) > 0 {
		mappings = mappings[:0]
		for _, m := range job.Mappings {
			flow, _ := mapping.ParseFlowType(string(m.FlowType)) // validated when it was loaded
			mappings = append(mappings, mapping.Mapping{
				Target: m.Target, Source: m.Source, Constant: m.Constant.Value, Expression: string(m.Expression), Default: m.DefaultValue.Value,
				FlowType: flow, FlowNull: m.FlowNull, MatchingPriority: m.MatchingPriority, Sensitive: m.Sensitive,
			})
		}
	}
	rows := make([]mappingRow, 0, len(mappings))
	for _, m := range mappings {
		row := mappingRow{Type: capital(m.Kind().String()), Target: m.Target, Applies: m.FlowType.String(), Match: m.MatchingPriority}
		switch m.Kind() {
		case mapping.Expression:
			row.Source = m.Expression
		case mapping.Constant:
			row.Source = shownConstant(m.Constant, m.Sensitive)
		default:
			row.Source = "[" + m.Source + "]"
		}
		if !m.Default.IsAbsent() {
			row.Default = shownConstant(m.Default, m.Sensitive)
		}
		rows = append(rows, row)
	}
	return rows
}

// sensitiveText stands for a value that must appear nowhere.
const sensitiveText = "(sensitive)"

func shownConstant(v directory.Value, sensitive bool) string {
	switch {
	case sensitive:
		return sensitiveText
	case v.IsEmpty():
		return "(none)"
	case v.Kind() == directory.Text:
		return strconv.Quote(v.Text())
	}
	return v.String()
}

func mappingTable(rows []mappingRow) *table {
	t := &table{Columns: []column{
		{Key: "type", Title: "TYPE"}, {Key: "source", Title: "SOURCE", Flex: true}, {Key: "target", Title: "TARGET"},
		{Key: "flowType", Title: "APPLIES"}, {Key: "matchingPriority", Title: "MATCH", Right: true},
		{Key: "defaultValue", Title: "DEFAULT", Wide: true},
	}}
	for _, r := range rows {
		match := ""
		if r.Match > 0 {
			match = strconv.Itoa(r.Match)
		}
		t.Rows = append(t.Rows, []string{r.Type, r.Source, r.Target, r.Applies, match, r.Default})
	}
	return t
}

func newMappingFunctionsCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "functions [NAME]", Short: "List the functions of mapping expressions",
		Long:        "Lists the functions of mapping expressions with an example each. Names are\ncase-sensitive; a parameter with a question mark can be left out.",
		Example:     examples("tenantsync mapping functions", "tenantsync mapping functions Switch"),
		Args:        cobra.MaximumNArgs(1),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage),
		RunE: env.runs(func(_ context.Context, args []string) error {
			all := expr.Functions()
			rows := make([]functionRow, 0, len(all))
			names := make([]string, 0, len(all))
			for _, f := range all {
				names = append(names, f.Name)
				if len(args) == 0 || f.Name == args[0] {
					rows = append(rows, functionRow{f.Name, f.Signature(), f.Summary, f.Result.String(), f.Example.Expression, f.Example.Attributes, f.Example.Result})
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
	Result     string         `json:"result"`
	Example    string         `json:"example"`
	Attributes map[string]any `json:"exampleAttributes,omitempty"`
	Gives      any            `json:"exampleResult"`
}

func functionTable(rows []functionRow) *table {
	t := &table{Columns: []column{
		{Key: "name", Title: "NAME", Wide: true}, {Key: "signature", Title: "FUNCTION"}, {Key: "summary", Title: "GIVES", Flex: true},
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

// functionText describes one function in full; a list of them is a table.
func functionText(rows []functionRow, full bool) func(io.Writer, *printer) error {
	if !full {
		return nil
	}
	return func(w io.Writer, _ *printer) error {
		var b strings.Builder
		for _, r := range rows {
			fmt.Fprintf(&b, "%s\n  %s\n\nExample:\n  %s", r.Signature, r.Summary, r.Example)
			if len(r.Attributes) > 0 {
				fmt.Fprintf(&b, "   for %s", jsonText(r.Attributes))
			}
			fmt.Fprintf(&b, "   gives %s\n", jsonText(r.Gives))
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
}
