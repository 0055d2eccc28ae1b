package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/internal/control"
)

func newApplyCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: "Do exactly what a saved plan says, or nothing",
		Long: "Do exactly what a saved plan says, or nothing: tenantsync plan JOB --out FILE saves one.\n" +
			"A cycle reads and judges everything anew, and compares what it is about to do with the plan before\n" +
			"its first write. If that differs, if the plan has expired, or if the configuration has changed,\n" +
			"nothing is written, and what differs is named.\n\n" +
			"Creates and updates that a guard holds are let through; deletions that the plan shows as held stay held.",
		Example: examples("tenantsync plan contoso-to-fabrikam --out today.plan && tenantsync apply today.plan",
			"tenantsync apply today.plan --yes -o json"),
		Annotations: exitCodes(exitDone, exitFailed, exitSomeFailed, exitSignIn, exitHeld, exitUnreachable,
			exitUsage, exitConfig, exitInterrupted),
		Args: cobra.ExactArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error { return runApply(ctx, env, args[0]) }),
	}
	env.reasonFlag(cmd)
	return cmd
}

func runApply(ctx context.Context, env *environment, path string) error {
	content, err := os.ReadFile(path) // as long as the plan was
	if err != nil {
		return usagef("name a file that tenantsync plan --out has written", "%s", err)
	}
	plan, err := engine.ParseSavedPlan(content)
	if err != nil {
		return usagef("save one: tenantsync plan JOB --out FILE", "%s: %s.", path, err)
	}
	if env.jobFlag && env.options.Job != plan.Job {
		return usagef("leave --job out: the plan says which job it is of", "%s is a plan of job %s, not of %s.", path, plan.Job, env.options.Job)
	}
	question := fmt.Sprintf("Apply %s to the target of job %s: %s?", path, plan.Job, planSentence(plan.Summary))
	if err := env.confirm(ctx, question); err != nil {
		return err
	}
	return env.withService(ctx, func(s control.Service) error {
		if err := env.mayWrite(ctx, s, "tenantsync apply "+path, plan.Job, true); err != nil {
			return err
		}
		return env.runCycle(ctx, s, plan.Request())
	})
}
