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
	"tenantsync/internal/control"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/expr"
)

// mappingTestOptions are the options of mapping test.
type mappingTestOptions struct {
	Expression string
	Attributes string
	User       string
	File       string
	Target     string
	Now        string
}

func newMappingTestCommand(env *environment) *cobra.Command {
	opts := &mappingTestOptions{}
	var cmd *cobra.Command
	cmd = &cobra.Command{
		Use: "test", Short: "Evaluate an expression for a real or made-up user, or a file of cases",
		Long: `Evaluates a mapping expression for a user whose attributes are given as JSON:
text, true and false, whole numbers, null, and lists of text; or with --user for
a user of the job's source tenant, who is read. The value is shown in its text
form, as a directory gets it. With --target the expression is tried as the mapping
of that attribute: what attributes hold is checked, and the value is converted and
bounded as in a cycle that creates the user.

A file of cases is a JSON or YAML list of
  {id, expression, attributes, expect} or {id, expression, attributes, error: true}
where error can also be words that the message contains, and ignored: true expects
that the attribute is left alone. A case may have now (RFC 3339) to set the clock,
taken ({attribute: [values]}) for what the target has already, and target. Further
keys are for people. A file needs no job: keep one beside the configuration, and
let CI run it.`,
		Example: examples(`tenantsync mapping test --expression 'Join(", ", [surname], [givenName])' --attributes '{"surname":"Berg","givenName":"Anna"}'`,
			"tenantsync mapping test --file mapping-cases.yaml"),
		Annotations: exitCodes(exitDone, exitFailed, exitSignIn, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		RunE: env.runs(func(ctx context.Context, _ []string) error {
			switch {
			case !cmd.Flags().Changed("expression") && opts.File == "" && opts.User != "":
				return usagef("what the mappings of a job make of a user shows: tenantsync plan JOB --user "+opts.User, "name the expression to test with --expression.")
			case cmd.Flags().Changed("expression") == (opts.File != ""):
				return usagef("see: tenantsync mapping test --help", "give either --expression or --file.")
			case opts.File != "" && (opts.Attributes != "" || opts.User != "" || opts.Target != "" || opts.Now != ""):
				return usagef("write them into the cases", "--attributes, --user, --target and --now do not go with --file.")
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
	cmd.Flags().StringVar(&opts.Target, "target", "", "try the expression as the mapping of this `ATTRIBUTE`")
	_ = cmd.RegisterFlagCompletionFunc("target", offer(slices.Collect(attribute.Names()))) // fails only for a flag that does not exist
	cmd.Flags().StringVar(&opts.Now, "now", "", "the present `TIME` for the expression, RFC 3339 (default: now)")
	return cmd
}

func runMappingTest(ctx context.Context, env *environment, opts *mappingTestOptions) error {
	t := &trial{Expression: opts.Expression, Target: opts.Target, Now: env.now()}
	if opts.Now != "" {
		var err error
		if t.Now, err = time.Parse(time.RFC3339, opts.Now); err != nil {
			return usagef("write e.g. 2026-11-22T08:20:00Z", "--now %q is not a time.", opts.Now)
		}
	}
	var err error
	switch {
	case opts.User != "" && opts.Attributes != "":
		return usagef("give one of them", "--user and --attributes exclude each other.")
	case opts.User != "":
		err = t.readUser(ctx, env, opts.User)
	default:
		if t.Attributes, err = parseAttributes(opts.Attributes); err != nil {
			return usagef(`write e.g. --attributes '{"surname":"Berg","accountEnabled":true}'`, "--attributes: %s.", err)
		}
		if t.Target == "" {
			for _, told := range notGiven(t.Expression, t.Attributes) {
				env.warn(told, "")
			}
		}
	}
	if err != nil {
		return err
	}
	for _, told := range doubts(t.Expression) {
		env.warn(told, "")
	}
	value, err := t.run()
	if err != nil {
		return err
	}
	return env.printer().Print(trialOutput(t, value))
}

// trialOutput shows the value, and for a target why it would not be written.
func trialOutput(t *trial, value trialResult) result {
	document := struct {
		Value   any    `json:"value"`
		Ignored bool   `json:"ignored,omitempty"`
		Target  string `json:"target,omitempty"`
		Dropped string `json:"dropped,omitempty"`
	}{value.Any(), value.Ignored, t.Target, value.Dropped}
	return result{
		Document: document,
		Table: func() *table {
			all := &table{Columns: []column{{Key: "value", Title: "VALUE"}}, Rows: [][]string{{valueText(value.Result)}}}
			if t.Target != "" {
				all.Columns = append(all.Columns, column{Key: "target", Title: "TARGET"}, column{Key: "dropped", Title: "NOT WRITTEN", Flex: true})
				all.Rows[0] = append(all.Rows[0], t.Target, value.Dropped)
			}
			return all
		},
		Text: func(w io.Writer, _ *printer) error {
			text := escape(valueText(value.Result)) + "\n"
			if value.Dropped != "" {
				text += fmt.Sprintf("%s would not be written: %s\n", escape(t.Target), escape(sentence(value.Dropped)))
			}
			_, err := io.WriteString(w, text)
			return err
		},
	}
}

// readUser reads the attributes of a user of the job's source tenant that the
// expression mentions, and makes the expression read them by their Graph names.
func (t *trial) readUser(ctx context.Context, env *environment, user string) error {
	program, err := expr.Compile(t.Expression, nil)
	if err != nil {
		return t.failed(err)
	}
	if err := readable(program); err != nil {
		return t.failed(err)
	}
	cfg, err := env.LoadConfig()
	if err != nil {
		return err
	}
	job, err := env.configuredJob(nil)
	if err != nil {
		return err
	}
	jobs, err := newWiring(env.log(nil)).jobs(cfg)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(jobs, func(w engine.Job) bool { return w.Name == job.Name })
	selects := renamed(program).Attributes()
	roles := slices.Contains(selects, attribute.AppRoles)
	found, err := jobs[at].Source.Find(ctx, user, slices.DeleteFunc(selects, func(name string) bool { return name == attribute.AppRoles }))
	if graph := (*directory.Error)(nil); errors.As(err, &graph) {
		return engine.SignInError(err, job.Source, checkApp(cfg.Tenants[job.Source].Credential))
	}
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return usagef("name the user by user principal name, mail, display name or object id", "%s has no user %q.", job.Source, user)
	case len(found) > 1:
		return usagef("name the user by user principal name or object id", "%s has %d users %q.", job.Source, len(found), user)
	}
	t.Attributes, t.graph = found[0].Attributes, true
	if roles {
		if err := t.readRoles(ctx, env, found[0].ID, job.Name); err != nil {
			return err
		}
	}
	if program.Redacted() {
		t.hidden = expr.RedactedText
	}
	if slices.ContainsFunc(renamed(program).Attributes(), job.Schema.SensitiveSource) {
		t.hidden = mapping.SensitiveText
	}
	return nil
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

// readRoles adds the app roles of the user.
func (t *trial) readRoles(ctx context.Context, env *environment, id, job string) error {
	return env.withService(ctx, func(s control.Service) error {
		roles, err := s.AppRoles(ctx, id, job)
		if err == nil {
			t.Attributes.Set(attribute.AppRoles, directory.ListOf(roles...))
		}
		return err
	})
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
	at := e.at()
	if at == nil {
		return p
	}
	if mistake := (*expr.Error)(nil); errors.As(e.err, &mistake) {
		p.Code, p.Message = "ExpressionInvalid", sentence(at.Message)
		if at.Suggestion != "" {
			p.Message += fmt.Sprintf(" Did you mean %q?", at.Suggestion)
		} else if strings.HasPrefix(at.Message, "unknown function") {
			p.Action = "see which there are: tenantsync mapping functions"
		}
	}
	before := e.text[:min(at.Offset, len(e.text))]
	p.Line = 1 + strings.Count(before, "\n")
	p.Column = 1 + len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	p.excerpt = "   " + strings.Join(e.caret(), "\n   ")
	return p
}

// at returns the mistake, or an error at the function that failed; nil without a
// place in the expression.
func (e *expressionError) at() *expr.Error {
	var at *expr.Error
	var failed *expr.EvalError
	switch {
	case errors.As(e.err, &at):
	case errors.As(e.err, &failed):
		at = &expr.Error{Offset: failed.Offset}
		if strings.HasPrefix(e.text[min(failed.Offset, len(e.text)):], failed.Function) {
			at.Length = len(failed.Function)
		}
	}
	return at
}

// caret returns the line of the expression that has the mistake, and one with a
// caret under it.
func (e *expressionError) caret() []string {
	at := e.at()
	if at == nil {
		return nil
	}
	return strings.Split(at.Caret(e.text), "\n")
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
		if other := (*json.UnmarshalTypeError)(nil); errors.As(err, &other) {
			return nil, errors.New("a JSON " + other.Value + ", not an object")
		}
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON object")
	}
	return attributesOf(values)
}

// attributesOf makes attributes of what JSON gives. Members of objects such as
// onPremisesExtensionAttributes, as Graph answers them, go by their own names.
func attributesOf(values map[string]any) (directory.Attributes, error) {
	list := make([]directory.Attribute, 0, len(values))
	for name, x := range values {
		if members, ok := x.(map[string]any); ok && holds(name, members) {
			inner, err := attributesOf(members)
			if err != nil {
				return nil, err
			}
			list = append(list, inner...)
			continue
		}
		v, ok := directory.ValueOf(x)
		if !ok {
			return nil, fmt.Errorf("attribute %q is neither text, true or false, a whole number, null nor a list of text", name)
		}
		list = append(list, directory.Attribute{Name: name, Value: v})
	}
	return directory.SortedAttributes(list), nil
}

// holds reports whether every member of an object is an attribute by its own name.
func holds(name string, members map[string]any) bool {
	for member := range members {
		if info, known := attribute.Lookup(name + "/" + member); !known || info.Name != member {
			return false
		}
	}
	return len(members) > 0
}
