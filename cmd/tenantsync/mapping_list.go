package main

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tenantsync/directory"
	"tenantsync/internal/config"
	"tenantsync/mapping"
)

func newMappingListCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "list [JOB]", Short: "List the attribute mappings of a job",
		Long: `Lists the attribute mappings of a job as the admin centre does: their kind, the
source, the target attribute, when they apply, and the matching precedence. The
matching attributes come first, in the order they are tried; then the others, in
the order they are computed. A job without mappings of its own has the default
ones. A mapping that is left out, because Graph does not let an app write its
target, or that means less than it says, is marked with "!": the warnings say why.
With -o wide also the default value, whether no value clears the target, what is
kept out of logs, and the warnings.`,
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
				Text:  func(_ io.Writer, p *printer) error { return writeMappings(p, rows) },
			})
		}),
	}
}

// mappingRow is one mapping as mapping list shows it.
type mappingRow struct {
	Type    string `json:"type"` // Direct, Constant, Expression
	Source  string `json:"source"`
	Target  string `json:"target"`
	Applies string `json:"flowType"`
	// Drift is what becomes of a value changed in the target, if it is not overwritten.
	Drift   string `json:"drift,omitempty"`
	Match   int    `json:"matchingPriority,omitempty"`
	Default string `json:"defaultValue,omitempty"`
	// FlowNull says that no value in the source clears the target.
	FlowNull  bool `json:"flowNull,omitempty"`
	Sensitive bool `json:"sensitive,omitempty"`
	// Graph is the attribute's name in Graph where the mapping uses an old one.
	Graph string `json:"graphName,omitempty"`
	// Warnings say why the mapping is left out, or means less than it says.
	Warnings []string `json:"warnings,omitempty"`
}

// mappingRows lists the mappings a job works with: matching attributes in the
// order they are tried, then the others in the order they are computed.
func mappingRows(job *config.Job) []mappingRow {
	mappings := job.Effective()
	rows := make([]mappingRow, 0, len(mappings))
	for _, m := range mappings {
		rows = append(rows, rowOf(m))
	}
	_, problems := mapping.Compile(mappings)
	for _, p := range problems {
		rows[p.Mapping].Warnings = append(rows[p.Mapping].Warnings, p.Message)
	}
	slices.SortStableFunc(rows, func(a, b mappingRow) int {
		switch {
		case a.Match > 0 && b.Match > 0:
			return cmp.Compare(a.Match, b.Match)
		case a.Match > 0 || b.Match > 0:
			return cmp.Compare(b.Match, a.Match)
		}
		return cmp.Compare(cmp.Or(a.Graph, a.Target), cmp.Or(b.Graph, b.Target))
	})
	return rows
}

func rowOf(m mapping.Mapping) mappingRow {
	row := mappingRow{Type: capital(m.Kind().String()), Target: m.Target, Applies: m.FlowType.String(), Match: m.MatchingPriority,
		Sensitive: m.Sensitive}
	info, _ := mapping.Attribute(m.Target)
	if info.Name != m.Target {
		row.Graph = info.Name
	}
	row.FlowNull = info.Kind == directory.Ref
	if m.Drift != mapping.Overwrite {
		row.Drift = m.Drift.String()
	}
	if m.FlowNull != nil {
		row.FlowNull = *m.FlowNull
	}
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
	return row
}

func shownConstant(v directory.Value, sensitive bool) string {
	switch {
	case sensitive:
		return mapping.SensitiveText
	case v.IsEmpty():
		return "(none)"
	case v.Kind() == directory.Text:
		return strconv.Quote(v.Text())
	}
	return v.String()
}

func mappingTable(rows []mappingRow) *table {
	t := &table{Columns: []column{
		{Key: "type", Title: "TYPE"}, {Key: "source", Title: "SOURCE", Flex: true}, {Key: "target", Title: "TARGET", Flex: true},
		{Key: "flowType", Title: "APPLIES"}, {Key: "matchingPriority", Title: "MATCH", Right: true},
		{Key: "defaultValue", Title: "DEFAULT", Wide: true}, {Key: "flowNull", Title: "NULL CLEARS", Wide: true},
		{Key: "sensitive", Title: "SENSITIVE", Wide: true}, {Key: "warnings", Title: "WARNING", Wide: true, Flex: true},
	}}
	for _, r := range rows {
		match := ""
		if r.Match > 0 {
			match = strconv.Itoa(r.Match)
		}
		t.Rows = append(t.Rows, []string{r.Type, r.Source, r.Target, r.Applies, match, r.Default, yes(r.FlowNull), yes(r.Sensitive), strings.Join(r.Warnings, "; ")})
	}
	if slices.ContainsFunc(rows, func(r mappingRow) bool { return r.Drift != "" }) {
		t.Columns = append(t.Columns, column{Key: "drift", Title: "DRIFT"})
		for i, r := range rows {
			t.Rows[i] = append(t.Rows[i], r.Drift)
		}
	}
	return t
}

// writeMappings writes the list. What is wrong with a marked mapping was told with
// the warnings of the configuration.
func writeMappings(p *printer, rows []mappingRow) error {
	marked := slices.Clone(rows)
	for i := range marked {
		if len(marked[i].Warnings) > 0 {
			marked[i].Target += " !"
		}
	}
	return p.table(mappingTable(marked))
}

// yes is how a table says so, and says nothing otherwise.
func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}
