package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/internal/control"
)

func newRetriesCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "retries",
		Short:   "Objects that wait after a failure: list them, or try them now",
		Example: examples("tenantsync retries list contoso-to-fabrikam", "tenantsync retries now contoso-to-fabrikam"),
	}
	list := &cobra.Command{
		Use:         "list [JOB]",
		Short:       "List the objects that wait after a failure",
		Example:     examples("tenantsync retries list contoso-to-fabrikam", "tenantsync retries list contoso-to-fabrikam -o csv"),
		Annotations: exitCodes(exitDone, exitFailed, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		Args:        cobra.MaximumNArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			return runRetries(ctx, env, args, func(s control.Service, job string) (*engine.Retries, error) { return s.Retries(ctx, job) })
		}),
	}
	var users []string
	now := &cobra.Command{
		Use:   "now [JOB] [--user UPN]...",
		Short: "Make waiting objects due with the next cycle",
		Long: "Make waiting objects due: the next cycle tries them, whatever their back-off. Without --user, all of them.\n" +
			"To try one user at once: tenantsync provision USER",
		Example:     examples("tenantsync retries now contoso-to-fabrikam", "tenantsync retries now contoso-to-fabrikam --user j.doe@contoso.com"),
		Annotations: exitCodes(exitDone, exitFailed, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		Args:        cobra.MaximumNArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			return runRetries(ctx, env, args, func(s control.Service, job string) (*engine.Retries, error) { return s.RetryNow(ctx, job, users) })
		}),
	}
	now.Flags().StringArrayVar(&users, "user", nil, "this user, by `UPN` or object id; can be repeated")
	env.reasonFlag(now)
	cmd.AddCommand(list, now)
	return cmd
}

func runRetries(ctx context.Context, env *environment, args []string, ask func(control.Service, string) (*engine.Retries, error)) error {
	job, err := env.jobName(ctx, args)
	if err != nil {
		return err
	}
	return env.withService(ctx, func(s control.Service) error {
		r, err := ask(s, job)
		if err != nil {
			return err
		}
		if r.Retries == nil {
			r.Retries = []engine.Retry{}
		}
		return env.printer().Print(result{
			Document: r,
			Items:    items(r.Retries),
			Table:    func() *table { return retryTable(r) },
			Text: func(w io.Writer, p *printer) error {
				if len(r.Retries) == 0 {
					_, err := fmt.Fprintf(w, "No object of job %s waits for a retry.\n", escape(r.Job))
					return err
				}
				return p.table(retryTable(r))
			},
		})
	})
}

func retryTable(r *engine.Retries) *table {
	t := &table{Columns: []column{{Key: "userPrincipalName", Title: "USER"}, {Key: "sourceId", Title: "SOURCE ID", Wide: true},
		{Key: "step", Title: "STEP"}, {Key: "errorCode", Title: "ERROR"}, {Key: "attempts", Title: "ATTEMPTS", Right: true},
		{Key: "nextAttempt", Title: "NEXT (UTC)"}, {Key: "message", Title: "REASON", Flex: true}}}
	for _, x := range r.Retries {
		t.Rows = append(t.Rows, []string{x.UPN, x.SourceID, x.Step, x.Code, fmt.Sprint(x.Attempts), shortTime(x.NextAttempt), x.Message})
	}
	return t
}
