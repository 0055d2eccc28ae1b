package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/internal/config"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
	"tenantsync/scope"
)

func newScopeCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "scope", Short: "Who is in scope: list a job's rules, test a user",
		Long:    "Shows the scoping rules of a job, and tests them on a user of the source tenant.",
		Example: examples("tenantsync scope list contoso-to-fabrikam", "tenantsync scope test anna.berg@contoso.com"),
	}
	cmd.AddCommand(newScopeTestCommand(env), newScopeListCommand(env))
	return cmd
}

func newScopeTestCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "test USER", Short: "Test whether a user is in scope, clause by clause",
		Long: `Reads a user of the source tenant and shows every condition of the job's scope
with the user's value and its verdict. USER is a user principal name, a mail
address, a display name or an object id. Writes nothing.`,
		Example:     examples("tenantsync scope test anna.berg@contoso.com", "tenantsync scope test anna.berg@contoso.com --job contoso-to-fabrikam -o json"),
		Args:        cobra.ExactArgs(1),
		Annotations: exitCodes(exitDone, exitFailed, exitSignIn, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			job, err := env.jobName(ctx, nil)
			if err != nil {
				return err
			}
			svc, done, err := env.Service(ctx)
			if err != nil {
				return err
			}
			defer done()
			test, err := svc.ScopeTest(ctx, args[0], job)
			if err != nil {
				return err
			}
			if test.Checks == nil {
				test.Checks = []engine.ScopeCheck{}
			}
			return env.printer().Print(result{
				Document: test,
				Table:    func() *table { return scopeTestTable(test) },
				Text: func(w io.Writer, p *printer) error {
					return writeScopeTest(w, p, test)
				},
			})
		}),
	}
}

func scopeTestTable(test *engine.ScopeTest) *table {
	t := &table{Columns: []column{{Key: "passed", Title: "PASSED"}, {Key: "name", Title: "CONDITION", Flex: true}, {Key: "value", Title: "VALUE", Flex: true}}}
	for _, c := range test.Checks {
		name, value := c.Name, c.Value
		if c.Clause > 0 {
			name = fmt.Sprintf("  clause %d: %s", c.Clause, c.Text)
		}
		if c.Resolved != "" {
			value += " (" + c.Resolved + ")"
		}
		if c.Error != "" {
			value += " (cannot be judged: " + c.Error + ")"
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(c.Passed), name, value})
	}
	return t
}

func writeScopeTest(w io.Writer, p *printer, test *engine.ScopeTest) error {
	verdict := p.paint(actionColour("success"), "in scope")
	if !test.InScope {
		verdict = p.paint(actionColour("failure"), "not in scope")
	}
	if _, err := fmt.Fprintf(w, "%s (%s) is %s of job %s\n", escape(test.User.UPN), escape(test.User.ID), verdict, escape(test.Job)); err != nil {
		return err
	}
	if test.Reason != "" {
		if _, err := fmt.Fprintf(w, "because %s\n", escape(test.Reason)); err != nil {
			return err
		}
	}
	if len(test.Checks) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return p.table(scopeTestTable(test))
}

// scopeRule is one rule of a job's scope.
type scopeRule struct {
	Rule  string `json:"rule"` // mode, group, user, servicePrincipal, clause
	Title string `json:"filter,omitempty"`
	Value string `json:"value"`
	// Beyond says that Microsoft's own service could not have the clause.
	Beyond bool `json:"beyondEntra,omitempty"`
}

func newScopeListCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "list [JOB]", Short: "List the scoping rules of a job",
		Long: `Lists who a job is for: the mode, the groups, users and application that assign,
and the scoping filters. A user is in scope who is assigned and for whom one
filter is true; a filter is true when all of its clauses are. Needs no network.`,
		Example:     examples("tenantsync scope list contoso-to-fabrikam", "tenantsync scope list -o json"),
		Args:        cobra.MaximumNArgs(1),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage, exitConfig),
		RunE: env.runs(func(_ context.Context, args []string) error {
			job, err := env.configuredJob(args)
			if err != nil {
				return err
			}
			rules := scopeRules(job)
			return env.printer().Print(result{
				Document: map[string]any{"job": job.Name, "rules": rules}, Items: items(rules),
				Table: func() *table {
					t := &table{Columns: []column{{Key: "rule", Title: "RULE"}, {Key: "filter", Title: "FILTER"}, {Key: "value", Title: "VALUE", Flex: true}}}
					for _, r := range rules {
						value := r.Value
						if r.Beyond {
							value += " (beyond Entra)"
						}
						t.Rows = append(t.Rows, []string{r.Rule, r.Title, value})
					}
					return t
				},
			})
		}),
	}
}

// scopeRules lists a job's scope as it is configured.
func scopeRules(job *config.Job) []scopeRule {
	s := &job.Scope
	mode := "all internal members of " + job.Source
	if s.Mode != config.All {
		mode = "assigned internal members of " + job.Source
	}
	rules := []scopeRule{{Rule: "mode", Value: mode}}
	nested := ""
	if s.NestedGroups {
		nested = ", with the groups inside it"
	}
	for _, id := range s.Groups {
		rules = append(rules, scopeRule{Rule: "group", Value: id + nested})
	}
	for _, id := range s.Users {
		rules = append(rules, scopeRule{Rule: "user", Value: id})
	}
	if s.ServicePrincipalID != "" {
		rules = append(rules, scopeRule{Rule: "servicePrincipal", Value: s.ServicePrincipalID})
	}
	for i, group := range s.Filters {
		title := group.Title
		if title == "" {
			title = fmt.Sprintf("filter %d", i+1)
		}
		for _, c := range group.Clauses {
			rules = append(rules, scopeRule{Rule: "clause", Title: title, Value: clauseText(c, job.Schema), Beyond: beyondEntra(c)})
		}
	}
	return rules
}

// clauseText is a clause as people see it; what a sensitive attribute is compared
// with is not shown, because it is the value of whoever passes.
func clauseText(c config.Clause, schema *mapping.Schema) string {
	words := make([]string, 0, len(c.Values)+1)
	if c.Value != nil {
		words = append(words, fmt.Sprintf("%q", string(*c.Value)))
	}
	for _, v := range c.Values {
		words = append(words, fmt.Sprintf("%q", string(v)))
	}
	if info, ok := attribute.Lookup(c.Attribute); ok && schema.SensitiveSource(info.Name) && len(words) > 0 {
		words = []string{mapping.SensitiveText}
	}
	text := strings.TrimSpace(c.Attribute + " " + operatorText(c.Operator) + " " + strings.Join(words, " or "))
	if c.Members != "" {
		text = string(c.Members) + " of " + text
	}
	if c.IgnoreCase {
		text += ", ignoring case"
	}
	return text
}

// beyondEntra reports a clause that Microsoft's own service could not have.
func beyondEntra(c config.Clause) bool {
	operator, _ := scope.ParseOperator(c.Operator) // it was compiled
	members, _ := scope.ParseMembers(string(c.Members))
	return scope.Clause{Attribute: c.Attribute, Operator: operator, IgnoreCase: c.IgnoreCase, Members: members}.Beyond()
}

// operatorText gives an operator its own spelling, however it is written.
func operatorText(written string) string {
	operator, err := scope.ParseOperator(written)
	if err != nil {
		return written
	}
	return operator.String()
}
