package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/internal/control"
)

// deletionOptions are the flags of the deletions commands.
type deletionOptions struct {
	Users    []string
	All      bool
	Retained bool
}

func newDeletionsCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "deletions",
		Short:   "Deletions that wait for approval: list, allow or reject them",
		Example: examples("tenantsync deletions list contoso-to-fabrikam", "tenantsync deletions allow contoso-to-fabrikam --all"),
	}
	cmd.AddCommand(newDeletionsListCommand(env), newDeletionsAllowCommand(env), newDeletionsRejectCommand(env))
	return cmd
}

func newDeletionsListCommand(env *environment) *cobra.Command {
	var o deletionOptions
	cmd := &cobra.Command{
		Use:         "list [JOB]",
		Short:       "List the deletions that wait for approval",
		Example:     examples("tenantsync deletions list contoso-to-fabrikam", "tenantsync deletions list contoso-to-fabrikam --retained -o csv"),
		Annotations: exitCodes(exitDone, exitFailed, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		Args:        cobra.MaximumNArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			job, err := env.jobName(ctx, args)
			if err != nil {
				return err
			}
			return env.withService(ctx, func(s control.Service) error {
				d, err := s.Held(ctx, job, o.Retained)
				if err != nil {
					return err
				}
				return env.printer().Print(heldResult(d, o.Retained))
			})
		}),
	}
	cmd.Flags().BoolVar(&o.Retained, "retained", false, "list the users whose deletion was rejected instead")
	return cmd
}

func newDeletionsAllowCommand(env *environment) *cobra.Command {
	return newDecisionCommand(env, decision{
		name: "allow", short: "Carry out deletions that wait, now",
		long: "Carry out deletions that wait, now. Each user is read again first: one who is back in scope is not\n" +
			"deleted. Deleted users can be restored in the target for 30 days.",
		question: "Delete %s of job %s in the target tenant?",
		codes:    []int{exitDone, exitFailed, exitSomeFailed, exitSignIn, exitUnreachable, exitUsage, exitConfig, exitInterrupted},
		do:       control.Service.Allow,
	})
}

func newDeletionsRejectCommand(env *environment) *cobra.Command {
	return newDecisionCommand(env, decision{
		name: "reject", short: "Keep users whose deletion waits",
		long: "Keep users whose deletion waits: they stay linked and go on to be disabled with their source.\n" +
			"A new event, such as their deletion in the source, is judged anew. Nothing else takes a\n" +
			"rejection back: to have such a user deleted after all, delete the user in the target tenant, or\n" +
			"bring the source user back into scope for a cycle and out again.",
		question: "Keep %s of job %s in the target tenant?",
		codes:    []int{exitDone, exitFailed, exitUnreachable, exitUsage, exitConfig, exitInterrupted},
		do:       control.Service.Reject,
	})
}

// decision is what an administrator does about held deletions.
type decision struct {
	name, short, long, question string
	codes                       []int
	do                          func(control.Service, context.Context, string, []string, bool) (*engine.Deletions, error)
}

func newDecisionCommand(env *environment, v decision) *cobra.Command {
	var o deletionOptions
	cmd := &cobra.Command{
		Use: v.name + " [JOB] {--user UPN... | --all}", Short: v.short, Long: v.long,
		Example: examples("tenantsync deletions "+v.name+" contoso-to-fabrikam --user tom.orr@contoso.com",
			"tenantsync deletions "+v.name+" contoso-to-fabrikam --all --yes"),
		Annotations: exitCodes(v.codes...),
		Args:        cobra.MaximumNArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			return runDecision(ctx, env, v, args, o)
		}),
	}
	cmd.Flags().StringArrayVar(&o.Users, "user", nil, "this user, by `UPN` or object id; can be repeated")
	cmd.Flags().BoolVar(&o.All, "all", false, "all users of the list")
	env.reasonFlag(cmd)
	return cmd
}

func runDecision(ctx context.Context, env *environment, v decision, args []string, o deletionOptions) error {
	if o.All == (len(o.Users) > 0) {
		if o.All {
			return usagef("leave one of them out", "deletions %s takes --user or --all, not both.", v.name)
		}
		return usagef("name users with --user, or take --all", "deletions %s needs either --user or --all.", v.name)
	}
	job, err := env.jobName(ctx, args)
	if err != nil {
		return err
	}
	who := "all held users"
	if !o.All {
		who = strings.Join(o.Users, ", ")
	}
	if err := env.confirm(ctx, fmt.Sprintf(v.question, who, job)); err != nil {
		return err
	}
	return env.withService(ctx, func(s control.Service) error {
		d, err := v.do(s, ctx, job, o.Users, o.All)
		if err != nil {
			return err
		}
		if err := env.printer().Print(decisionResult(d)); err != nil {
			return err
		}
		if len(d.Failed) > 0 {
			return exitStatus(exitSomeFailed)
		}
		return nil
	})
}

// undoRetained says how a user whose deletion was rejected is deleted after all:
// nothing takes a rejection back.
const undoRetained = "A rejection is not taken back: to have such a user deleted after all, delete the user in the target tenant, " +
	"or bring the source user back into scope for a cycle and out again."

// heldResult shows the list.
func heldResult(d *engine.Deletions, retained bool) result {
	if d.Held == nil {
		d.Held = []engine.HeldDeletion{}
	}
	return result{
		Document: d,
		Items:    items(d.Held),
		Table:    func() *table { return deletionTable([]deletionRows{{"", d.Held}}) },
		Text: func(w io.Writer, p *printer) error {
			what, hint := "waits for approval", fmt.Sprintf("Decide: tenantsync deletions allow|reject %s --user UPN | --all", d.Job)
			if retained {
				what, hint = "is retained", undoRetained
			}
			if len(d.Held) == 0 {
				_, err := fmt.Fprintf(w, "No deletion of job %s %s.\n", escape(d.Job), what)
				return err
			}
			if err := p.table(deletionTable([]deletionRows{{"", d.Held}})); err != nil {
				return err
			}
			_, err := fmt.Fprintf(w, "%s. %s\n", plural(len(d.Held), "deletion", "deletions"), escape(hint))
			return err
		},
	}
}

// deletionRows are users with what happened to them.
type deletionRows struct {
	outcome string
	list    []engine.HeldDeletion
}

// decisionResult shows what became of each user.
func decisionResult(d *engine.Deletions) result {
	if d.Held == nil {
		d.Held = []engine.HeldDeletion{}
	}
	rows := []deletionRows{{"deleted", d.Deleted}, {"back in scope, not deleted", d.Dropped}, {"retained", d.Retained}, {"failed", d.Failed}}
	return result{
		Document: d,
		Table:    func() *table { return deletionTable(rows) },
		Text: func(w io.Writer, p *printer) error {
			n := 0
			for _, r := range rows {
				n += len(r.list)
			}
			if n > 0 {
				if err := p.table(deletionTable(rows)); err != nil {
					return err
				}
			}
			_, err := fmt.Fprintf(w, "%s deleted, %s dropped, %s retained, %s failed; %s still held.\n", count(len(d.Deleted)),
				count(len(d.Dropped)), count(len(d.Retained)), count(len(d.Failed)), count(len(d.Held)))
			if err == nil && len(d.Retained) > 0 {
				_, err = fmt.Fprintf(w, "%s List: tenantsync deletions list %s --retained\n", undoRetained, escape(d.Job))
			}
			return err
		},
	}
}

func deletionTable(groups []deletionRows) *table {
	t := &table{Columns: []column{{Key: "userPrincipalName", Title: "USER"}, {Key: "sourceId", Title: "SOURCE ID", Wide: true},
		{Key: "targetId", Title: "TARGET ID"}, {Key: "reason", Title: "REASON"}, {Key: "since", Title: "SINCE (UTC)"},
		{Key: "message", Title: "BECAUSE", Flex: true}}}
	outcomes := len(groups) > 1
	if outcomes {
		t.Columns = append([]column{{Key: "outcome", Title: "OUTCOME"}}, t.Columns...)
	}
	for _, g := range groups {
		for _, h := range g.list {
			row := []string{h.UPN, h.SourceID, h.TargetID, h.Reason, shortTime(h.Since), h.Message}
			if outcomes {
				row = append([]string{g.outcome}, row...)
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}
