package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/internal/control"
)

// provisionOptions are the flags of provision.
type provisionOptions struct {
	DryRun  bool
	Restore bool
}

func newProvisionCommand(env *environment) *cobra.Command {
	var o provisionOptions
	cmd := &cobra.Command{
		Use:   "provision USER",
		Short: "Provision one user now, step by step",
		Long: "Provision one user now, step by step: import, scope, match, action.\n" +
			"USER is a user principal name, mail address, display name or object id of the source. Nobody is ever deleted.",
		Example: examples("tenantsync provision anna.berg@contoso.com", "tenantsync provision anna.berg@contoso.com --job contoso-to-fabrikam --dry-run"),
		Annotations: exitCodes(exitDone, exitFailed, exitSomeFailed, exitSignIn, exitUnreachable, exitUsage, exitConfig,
			exitInterrupted),
		Args: cobra.ExactArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error { return runProvision(ctx, env, args[0], o) }),
	}
	env.reasonFlag(cmd)
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "stop before the last step's writes")
	cmd.Flags().BoolVar(&o.Restore, "restore", false, "restore the target user if somebody deleted it there by hand")
	return cmd
}

func runProvision(ctx context.Context, env *environment, user string, o provisionOptions) error {
	job, err := env.jobName(ctx, nil)
	if err != nil {
		return err
	}
	return env.withService(ctx, func(s control.Service) error {
		if !o.DryRun {
			if err := env.mayWrite(ctx, s, "--job "+job, job, env.named(nil)); err != nil {
				return err
			}
		}
		r, err := s.Provision(ctx, engine.ProvisionRequest{User: user, Job: job, DryRun: o.DryRun, Restore: o.Restore})
		if err != nil {
			return err
		}
		complete(r)
		if err := env.printer().Print(provisionResult(r, env.options.Verbose)); err != nil {
			return err
		}
		if r.Status == "failure" {
			return exitStatus(exitSomeFailed)
		}
		return nil
	})
}

// complete gives lists that are empty their JSON form.
func complete(r *engine.ProvisionResult) {
	if r.Steps == nil {
		r.Steps = []engine.ProvisionStep{}
	}
	for i := range r.Steps {
		if r.Steps[i].Details == nil {
			r.Steps[i].Details = map[string]string{}
		}
	}
	if r.Modified == nil {
		r.Modified = []engine.ChangeProperty{}
	}
}

func provisionResult(r *engine.ProvisionResult, verbose bool) result {
	return result{
		Document: r,
		Table: func() *table {
			t := &table{Columns: []column{{Key: "step", Title: "STEP", Right: true}, {Key: "name", Title: "NAME"}, {Key: "status", Title: "STATUS"},
				{Key: "durationInMilliseconds", Title: "MS", Right: true}, {Key: "description", Title: "DESCRIPTION", Flex: true}}}
			for i, s := range r.Steps {
				t.Rows = append(t.Rows, []string{fmt.Sprint(i + 1), s.Name, s.Status, fmt.Sprint(s.DurationMS), s.Description})
			}
			return t
		},
		Text: func(w io.Writer, p *printer) error {
			var b strings.Builder
			heading := "Provision on demand"
			if r.DryRun {
				heading = "Provision on demand (dry run, nothing is written)"
			}
			fmt.Fprintf(&b, "%s   %s -> %s   job %s\n\n", heading, escape(r.SourceName), escape(r.TargetName), escape(r.Job))
			for i, s := range r.Steps {
				provisionStep(&b, p, i+1, s, verbose)
				if s.Type == "export" {
					provisionValues(&b, p, r)
				}
			}
			provisionFoot(&b, p, r)
			_, err := io.WriteString(w, b.String())
			return err
		},
	}
}

// stepTitle is what a step does, in the words of the admin centre. Its name in
// the log is that of Entra's own records.
func stepTitle(s engine.ProvisionStep) string {
	switch s.Type {
	case "import":
		return "Import user"
	case "scoping":
		return "Determine if user is in scope"
	case "matching":
		return "Match user between source and target"
	case "export":
		return "Perform action"
	}
	return s.Name
}

// stepDetails is how many details of a step are shown without --verbose.
const stepDetails = 8

// detailsAt is how far right of its name a detail's value begins at most, so that
// the verdict on a clause of a filter still stands on the line of a terminal.
const detailsAt = 64

// provisionStep writes a step's line and its details.
func provisionStep(b *strings.Builder, p *printer, number int, s engine.ProvisionStep, verbose bool) {
	took := duration(time.Duration(s.DurationMS) * time.Millisecond)
	fmt.Fprintf(b, "%d %-46s %s%s %8s\n", number, escape(stepTitle(s)), p.paint(actionColour(s.Status), s.Status),
		strings.Repeat(" ", max(0, 8-len(s.Status))), took)
	if s.Description != "" {
		b.WriteString("    " + escape(s.Description) + "\n")
	}
	names := make([]string, 0, len(s.Details))
	width := 0
	for name := range s.Details {
		names = append(names, name)
		width = max(width, text.StringWidth(escape(name)))
	}
	slices.Sort(names)
	width = min(width, detailsAt)
	for i, name := range names {
		if i == stepDetails && !verbose {
			fmt.Fprintf(b, "    … %d more: --verbose\n", len(names)-i)
			break
		}
		shown := escape(name)
		fmt.Fprintf(b, "    %s%s   %s\n", shown, strings.Repeat(" ", max(0, width-text.StringWidth(shown))), escape(s.Details[name]))
	}
}

// provisionValues writes the table of the last step: each attribute with where it
// comes from, before and after.
func provisionValues(b *strings.Builder, p *printer, r *engine.ProvisionResult) {
	if len(r.Values) == 0 {
		return
	}
	t := &table{Columns: []column{{Key: "attribute", Title: "ATTRIBUTE"}, {Key: "source", Title: "SOURCE VALUE", Flex: true},
		{Key: "expression", Title: "EXPRESSION", Flex: true}, {Key: "before", Title: "BEFORE", Flex: true}, {Key: "after", Title: "AFTER", Flex: true}}}
	plain := func(v *string) string {
		if v == nil {
			return "(none)"
		}
		return *v
	}
	for _, v := range r.Values {
		t.Rows = append(t.Rows, []string{v.Attribute, v.Source, v.Expression, plain(v.Before), plain(v.After)})
	}
	var lines strings.Builder
	// A strings.Builder never fails.
	_ = t.readable(&lines, max(0, p.width-4), false)
	for line := range strings.Lines(lines.String()) {
		b.WriteString("    " + line)
	}
}

func provisionFoot(b *strings.Builder, p *printer, r *engine.ProvisionResult) {
	b.WriteByte('\n')
	if r.Status == "failure" || r.Status == "skipped" || r.Status == "warning" {
		word := map[string]string{"failure": "Failed", "skipped": "Skipped", "warning": "Warning"}[r.Status]
		text := word
		if r.Code != "" {
			text += ": " + r.Code
		}
		b.WriteString(p.paint(actionColour(r.Status), escape(text)) + "\n")
		if r.Reason != "" {
			part(b, "Why:   ", sentence(r.Reason))
		}
		if r.Advice != "" {
			part(b, "Do:    ", r.Advice)
		}
	}
	fmt.Fprintf(b, "Done in %s.", duration(time.Duration(r.DurationMS)*time.Millisecond))
	if r.ChangeID != "" && !r.DryRun {
		fmt.Fprintf(b, " Change %s   details: tenantsync logs show %s", r.ChangeID, r.ChangeID)
	}
	b.WriteByte('\n')
}
