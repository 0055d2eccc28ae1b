package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"tenantsync/directory"
	"tenantsync/internal/config"
	"tenantsync/mapping"
	"tenantsync/mapping/expr"
)

// mappingTestOptions are the options of mapping test.
type mappingTestOptions struct {
	Expression string
	Attributes string
	File       string
	Now        string
}

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

func newMappingTestCommand(env *environment) *cobra.Command {
	opts := &mappingTestOptions{}
	cmd := &cobra.Command{
		Use: "test", Short: "Evaluate an expression for a made-up user, or a file of cases",
		Long: `Evaluates a mapping expression for a user whose attributes are given as JSON:
text, true and false, whole numbers, null, and lists of text. The value is shown
in its text form, as a directory gets it.

A file of cases is a JSON or YAML list of
  {id, expression, attributes, expect} or {id, expression, attributes, error: true},
with now (RFC 3339) to set the clock. It needs no job: keep one beside the
configuration, and let CI run it.`,
		Example: examples(`tenantsync mapping test --expression 'Join(", ", [surname], [givenName])' --attributes '{"surname":"Berg","givenName":"Anna"}'`,
			"tenantsync mapping test --file mapping-cases.yaml"),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage),
		RunE: env.runs(func(context.Context, []string) error {
			switch {
			case (opts.Expression == "") == (opts.File == ""):
				return usagef("see: tenantsync mapping test --help", "give either --expression or --file.")
			case opts.File != "":
				return runMappingCases(env, opts.File)
			}
			return runMappingTest(env, opts)
		}),
	}
	cmd.Flags().StringVar(&opts.Expression, "expression", "", "the expression to evaluate, `TEXT`")
	cmd.Flags().StringVar(&opts.Attributes, "attributes", "", "the source user's attributes as `JSON`, e.g. {\"surname\":\"Berg\"}")
	cmd.Flags().StringVarP(&opts.File, "file", "F", "", "a `FILE` of cases, - for standard input")
	cmd.Flags().StringVar(&opts.Now, "now", "", "the present `TIME` for the expression, RFC 3339 (default: now)")
	return cmd
}

func runMappingTest(env *environment, opts *mappingTestOptions) error {
	attributes, err := parseAttributes(opts.Attributes)
	if err != nil {
		return usagef(`write e.g. --attributes '{"surname":"Berg","accountEnabled":true}'`, "--attributes: %s.", err)
	}
	now := env.now()
	if opts.Now != "" {
		if now, err = time.Parse(time.RFC3339, opts.Now); err != nil {
			return usagef("write e.g. 2026-11-22T08:20:00Z", "--now %q is not a time.", opts.Now)
		}
	}
	value, err := evaluate(opts.Expression, attributes, now)
	if err != nil {
		return &expressionError{text: opts.Expression, err: err}
	}
	return env.printer().Print(result{
		Document: map[string]any{"value": value.Any()},
		Table: func() *table {
			return &table{Columns: []column{{Key: "value", Title: "VALUE"}}, Rows: [][]string{{valueText(value)}}}
		},
		Text: func(w io.Writer, _ *printer) error {
			_, err := fmt.Fprintln(w, escape(valueText(value)))
			return err
		},
	})
}

// valueText writes a result for a person, telling no value, empty text and lists.
func valueText(r expr.Result) string {
	switch {
	case r.Ignored:
		return "(ignored)"
	case r.Null:
		return "(none)"
	case r.IsList:
		return jsonText(r.Members)
	case r.Text == "":
		return `""`
	}
	return r.Text
}

// evaluate compiles and evaluates an expression. Types are not assumed: what the
// attributes hold is what counts.
func evaluate(text string, attributes directory.Attributes, now time.Time) (expr.Result, error) {
	program, err := expr.Compile(text, nil)
	if err != nil {
		return expr.Result{}, err
	}
	return program.Result(expr.Env{Attributes: attributes, Now: now})
}

// expressionError is a mistake in an expression that was typed, or an evaluation
// that failed.
type expressionError struct {
	text string
	err  error
}

// Error returns the mistake on one line.
func (e *expressionError) Error() string { return e.err.Error() }

// Unwrap returns the mistake.
func (e *expressionError) Unwrap() error { return e.err }

// problem shows the mistake with its place in the expression.
func (e *expressionError) problem() problem {
	p := problem{Code: "ExpressionFailed", Message: sentence(e.err.Error())}
	at := &expr.Error{}
	var failed *expr.EvalError
	switch {
	case errors.As(e.err, &at):
		p.Code, p.Message = "ExpressionInvalid", sentence(at.Message)
		if at.Suggestion != "" {
			p.Message += fmt.Sprintf(" Did you mean %q?", at.Suggestion)
		}
	case errors.As(e.err, &failed):
		at = &expr.Error{Offset: failed.Offset}
	default:
		return p
	}
	before := e.text[:min(at.Offset, len(e.text))]
	p.Line = 1 + strings.Count(before, "\n")
	p.Column = 1 + len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	p.excerpt = "   " + strings.ReplaceAll(at.Caret(e.text), "\n", "\n   ")
	return p
}

// parseAttributes reads a JSON object of attribute values.
func parseAttributes(text string) (directory.Attributes, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var values map[string]any
	if err := decoder.Decode(&values); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON object")
	}
	return attributesOf(values)
}

func attributesOf(values map[string]any) (directory.Attributes, error) {
	list := make([]directory.Attribute, 0, len(values))
	for name, x := range values {
		v, ok := directory.ValueOf(x)
		if !ok {
			return nil, fmt.Errorf("attribute %q is neither text, true or false, a whole number, null nor a list of text", name)
		}
		list = append(list, directory.Attribute{Name: name, Value: v})
	}
	return directory.SortedAttributes(list), nil
}

// mappingCase is one case of a file.
type mappingCase struct {
	ID         string         `json:"id"`
	Expression string         `json:"expression"`
	Attributes map[string]any `json:"attributes"`
	Expect     caseValue      `json:"expect"`
	Error      bool           `json:"error"`
	Now        string         `json:"now"`
	Ignored    bool           `json:"ignored"`
}

// caseValue is a value that a case may leave out, which is not the same as null.
type caseValue struct {
	given bool
	value any
}

// UnmarshalJSON is called for null as well.
func (v *caseValue) UnmarshalJSON(b []byte) error {
	v.given = true
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	return decoder.Decode(&v.value)
}

// caseResult is the outcome of one case.
type caseResult struct {
	ID    string  `json:"id"`
	Value any     `json:"value"`
	Error *string `json:"error"`
	OK    bool    `json:"ok"`

	expected string
}

func runMappingCases(env *environment, path string) error {
	cases, err := readCases(env, path)
	if err != nil {
		return err
	}
	summary := struct {
		Passed int          `json:"passed"`
		Failed int          `json:"failed"`
		Cases  []caseResult `json:"cases"`
	}{Cases: make([]caseResult, 0, len(cases))}
	for _, c := range cases {
		r := c.run(env.now())
		if r.OK {
			summary.Passed++
		} else {
			summary.Failed++
		}
		summary.Cases = append(summary.Cases, r)
	}
	err = env.printer().Print(result{
		Document: summary, Items: items(summary.Cases),
		Table: func() *table { return caseTable(summary.Cases) },
		Text: func(w io.Writer, p *printer) error {
			return writeCases(w, p, summary.Cases, summary.Passed, summary.Failed, env.options.Verbose)
		},
	})
	if err == nil && summary.Failed > 0 {
		return exitWith(exitFailed)
	}
	return err
}

func caseTable(cases []caseResult) *table {
	t := &table{Columns: []column{{Key: "id", Title: "CASE"}, {Key: "ok", Title: "OK"}, {Key: "value", Title: "VALUE", Flex: true},
		{Key: "error", Title: "ERROR", Flex: true}, {Key: "expected", Title: "EXPECTED", Flex: true}}}
	for _, c := range cases {
		t.Rows = append(t.Rows, []string{c.ID, strconv.FormatBool(c.OK), jsonText(c.Value), textOr(c.Error, ""), c.expected})
	}
	return t
}

// writeCases tells the cases that failed, all with -v, and the totals.
func writeCases(w io.Writer, p *printer, cases []caseResult, passed, failed int, all bool) error {
	var b strings.Builder
	for _, c := range cases {
		got := jsonText(c.Value)
		if c.Error != nil {
			got = "error: " + *c.Error
		}
		switch {
		case !c.OK:
			fmt.Fprintf(&b, "%s  %s\n  got       %s\n  expected  %s\n", p.paint(actionColour("failure"), "failed"), escape(c.ID), escape(got), escape(c.expected))
		case all:
			fmt.Fprintf(&b, "%s  %s  %s\n", p.paint(actionColour("success"), "passed"), escape(c.ID), escape(got))
		}
	}
	fmt.Fprintf(&b, "%d passed, %d failed.\n", passed, failed)
	_, err := io.WriteString(w, b.String())
	return err
}

// readCases reads a file of cases, JSON or YAML.
func readCases(env *environment, path string) ([]mappingCase, error) {
	var (
		b   []byte
		err error
	)
	if path == "-" {
		b, err = io.ReadAll(env.stdin)
	} else {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	if !json.Valid(b) {
		if b, err = yaml.YAMLToJSON(b); err != nil {
			return nil, usagef("correct the file; it is a JSON or YAML list of cases", "%s is neither JSON nor YAML: %s", path, err)
		}
	}
	var cases []mappingCase
	if err := json.Unmarshal(b, &cases); err != nil {
		return nil, usagef("see: tenantsync mapping test --help", "%s is not a list of cases: %s.", path, err)
	}
	for i, c := range cases {
		if !c.Expect.given && !c.Error {
			return nil, usagef("give expect or error: true", "%s: case %d (%q) expects nothing.", path, i+1, c.ID)
		}
	}
	return cases, nil
}

// run evaluates a case. An error is expected whether the expression cannot be
// compiled or has no value for this user.
func (c *mappingCase) run(now time.Time) caseResult {
	r := caseResult{ID: c.ID}
	fail := func(err error) caseResult {
		text := err.Error()
		r.Error, r.OK = &text, c.Error
		return r
	}
	r.expected = jsonText(textForm(c.Expect.value))
	switch {
	case c.Error:
		r.expected = "an error"
	case c.Ignored:
		r.expected = "the attribute is ignored"
	}
	attributes, err := attributesOf(c.Attributes)
	if err != nil {
		c.Error = false // the case itself is wrong, whatever it expects
		return fail(err)
	}
	if c.Now != "" {
		if now, err = time.Parse(time.RFC3339, c.Now); err != nil {
			c.Error = false
			return fail(fmt.Errorf("now: %w", err))
		}
	}
	value, err := evaluate(c.Expression, attributes, now)
	if err != nil {
		return fail(err)
	}
	r.Value = value.Any()
	r.OK = !c.Error && value.Ignored == c.Ignored && jsonText(r.Value) == jsonText(textForm(c.Expect.value))
	return r
}

// textForm gives an expected value the text form in which results are compared:
// True and False, decimal numbers, lists of text.
func textForm(x any) any {
	switch x := x.(type) {
	case bool:
		if x {
			return "True"
		}
		return "False"
	case json.Number:
		return x.String()
	case []any:
		list := make([]any, len(x))
		for i, m := range x {
			list[i] = textForm(m)
		}
		return list
	}
	return x
}
