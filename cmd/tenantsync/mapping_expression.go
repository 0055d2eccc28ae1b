package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/expr"
)

// mappingTestOptions are the options of mapping test.
type mappingTestOptions struct {
	Expression string
	Attributes string
	User       string
	File       string
	Now        string
}

func newMappingTestCommand(env *environment) *cobra.Command {
	opts := &mappingTestOptions{}
	cmd := &cobra.Command{
		Use: "test", Short: "Evaluate an expression for a real or made-up user, or a file of cases",
		Long: `Evaluates a mapping expression for a user whose attributes are given as JSON:
text, true and false, whole numbers, null, and lists of text; or with --user for
a user of the job's source tenant, who is read. The value is shown in its text
form, as a directory gets it.

A file of cases is a JSON or YAML list of
  {id, expression, attributes, expect} or {id, expression, attributes, error: true},
with now (RFC 3339) to set the clock. It needs no job: keep one beside the
configuration, and let CI run it.`,
		Example: examples(`tenantsync mapping test --expression 'Join(", ", [surname], [givenName])' --attributes '{"surname":"Berg","givenName":"Anna"}'`,
			"tenantsync mapping test --file mapping-cases.yaml"),
		Annotations: exitCodes(exitDone, exitFailed, exitSignIn, exitUsage, exitConfig, exitInterrupted),
		RunE: env.runs(func(ctx context.Context, _ []string) error {
			switch {
			case (opts.Expression == "") == (opts.File == ""):
				return usagef("see: tenantsync mapping test --help", "give either --expression or --file.")
			case opts.File != "":
				return runMappingCases(env, opts.File)
			}
			return runMappingTest(ctx, env, opts)
		}),
	}
	cmd.Flags().StringVar(&opts.Expression, "expression", "", "the expression to evaluate, `TEXT`")
	cmd.Flags().StringVar(&opts.Attributes, "attributes", "", "the source user's attributes as `JSON`, e.g. {\"surname\":\"Berg\"}")
	cmd.Flags().StringVar(&opts.User, "user", "", "read this `USER` of the job's source instead: name, mail, display name or id")
	cmd.Flags().StringVarP(&opts.File, "file", "F", "", "a `FILE` of cases, - for standard input")
	cmd.Flags().StringVar(&opts.Now, "now", "", "the present `TIME` for the expression, RFC 3339 (default: now)")
	return cmd
}

func runMappingTest(ctx context.Context, env *environment, opts *mappingTestOptions) error {
	now := env.now()
	if opts.Now != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, opts.Now); err != nil {
			return usagef("write e.g. 2026-11-22T08:20:00Z", "--now %q is not a time.", opts.Now)
		}
	}
	var (
		value expr.Result
		err   error
	)
	switch {
	case opts.User != "" && opts.Attributes != "":
		return usagef("give one of them", "--user and --attributes exclude each other.")
	case opts.User != "":
		value, err = evaluateUser(ctx, env, opts, now)
	default:
		attributes, bad := parseAttributes(opts.Attributes)
		if bad != nil {
			return usagef(`write e.g. --attributes '{"surname":"Berg","accountEnabled":true}'`, "--attributes: %s.", bad)
		}
		value, err = evaluate(opts.Expression, attributes, now)
	}
	if err != nil {
		return err
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
// attributes hold is what counts. Its error is an *expressionError.
func evaluate(text string, attributes directory.Attributes, now time.Time) (expr.Result, error) {
	program, err := expr.Compile(text, nil)
	if err != nil {
		return expr.Result{}, &expressionError{text: text, err: err}
	}
	value, err := program.Result(expr.Env{Attributes: attributes, Now: now})
	if err != nil {
		return expr.Result{}, &expressionError{text: text, err: err}
	}
	return value, nil
}

// evaluateUser evaluates an expression for a user of the job's source tenant.
func evaluateUser(ctx context.Context, env *environment, opts *mappingTestOptions, now time.Time) (expr.Result, error) {
	program, err := expr.Compile(opts.Expression, nil)
	if err != nil {
		return expr.Result{}, &expressionError{text: opts.Expression, err: err}
	}
	program = program.Renamed(func(name string) (string, bool) {
		info, known := attribute.Lookup(name)
		if !known {
			return name, false
		}
		return info.Name, info.First
	})
	cfg, err := env.LoadConfig()
	if err != nil {
		return expr.Result{}, err
	}
	job, err := env.configuredJob(nil)
	if err != nil {
		return expr.Result{}, err
	}
	jobs, err := newWiring(env.log(nil)).jobs(cfg)
	if err != nil {
		return expr.Result{}, err
	}
	at := slices.IndexFunc(jobs, func(w engine.Job) bool { return w.Name == job.Name })
	found, err := jobs[at].Source.Find(ctx, opts.User, program.Attributes())
	if graph := (*directory.Error)(nil); errors.As(err, &graph) {
		return expr.Result{}, engine.SignInError(err, job.Source, checkApp(cfg.Tenants[job.Source].Credential))
	}
	switch {
	case err != nil:
		return expr.Result{}, err
	case len(found) == 0:
		return expr.Result{}, usagef("name the user by user principal name, mail, display name or object id", "%s has no user %q.", job.Source, opts.User)
	case len(found) > 1:
		return expr.Result{}, usagef("name the user by user principal name or object id", "%s has %d users %q.", job.Source, len(found), opts.User)
	}
	value, err := program.Result(expr.Env{Attributes: found[0].Attributes, Now: now})
	if err != nil {
		return expr.Result{}, &expressionError{text: opts.Expression, err: err}
	}
	return value, nil
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
		} else if strings.HasPrefix(at.Message, "unknown function") {
			p.Action = "see which there are: tenantsync mapping functions"
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
