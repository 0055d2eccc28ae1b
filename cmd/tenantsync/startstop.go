package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tenantsync/internal/control"
)

// jobVerb is a command that does one thing to a job's schedule.
type jobVerb struct {
	name, short, long string
	done              string // what is then so
	idle              string // the same of a job that is not enabled, "" when that makes no difference
	question          string // asked first, "" for none
	scheduled         bool   // it is the schedule's turn then, which a daemon keeps
	do                func(control.Service, context.Context, string) error
}

func newStartCommand(env *environment) *cobra.Command {
	return newJobVerbCommand(env, jobVerb{
		name: "start", short: "Let the schedule run a job, or run it again after a pause",
		done: "started: the schedule runs it", scheduled: true,
		idle: "started, but not enabled: the schedule runs it once the configuration says enabled: true", do: control.Service.Start,
	})
}

func newPauseCommand(env *environment) *cobra.Command {
	return newJobVerbCommand(env, jobVerb{
		name: "pause", short: "Keep the schedule from running a job",
		long: "Keep the schedule from running a job. A cycle that is running ends as it would have.\n" +
			"Nothing is forgotten: start goes on where the job was paused.",
		done: "paused: the schedule does not run it until it is started", do: control.Service.Pause,
	})
}

func newRestartCommand(env *environment) *cobra.Command {
	return newJobVerbCommand(env, jobVerb{
		name: "restart", short: "Forget watermarks, retries and quarantine of a job and start it",
		long: "Forget watermarks, retries and quarantine of a job and start it: its next cycle compares everybody.\n" +
			"Links are kept, nobody is created twice.",
		done: "restarted: its next cycle is an initial one", scheduled: true,
		question: "Restart job %s? Its watermarks, retries and quarantine are forgotten.",
		do:       control.Service.Restart,
	})
}

func newJobVerbCommand(env *environment, v jobVerb) *cobra.Command {
	cmd := &cobra.Command{
		Use:         v.name + " [JOB]",
		Short:       v.short,
		Long:        v.long,
		Example:     examples("tenantsync "+v.name+" contoso-to-fabrikam", "tenantsync "+v.name+" contoso-to-fabrikam --yes"),
		Annotations: exitCodes(exitDone, exitFailed, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		Args:        cobra.MaximumNArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			job, err := env.jobName(ctx, args)
			if err != nil {
				return err
			}
			if v.question != "" {
				if err := env.confirm(ctx, fmt.Sprintf(v.question, job)); err != nil {
					return err
				}
			}
			return env.withService(ctx, func(s control.Service) error {
				if err := v.do(s, ctx, job); err != nil {
					return err
				}
				if _, daemon := s.(*control.Client); v.scheduled && !daemon {
					env.note("No daemon answers, and only a daemon keeps the schedule. Start it: tenantsync run; or one cycle: tenantsync sync %s", job)
				}
				return env.printer().Print(v.result(ctx, s, job))
			})
		}),
	}
	env.reasonFlag(cmd)
	return cmd
}

// result tells what the job is now.
func (v jobVerb) result(ctx context.Context, s control.Service, job string) result {
	done := v.done
	document := struct {
		Job   string `json:"job"`
		State string `json:"state"`
	}{Job: job}
	// What was asked is done; that its state cannot be read now changes nothing.
	if list, err := s.Status(ctx, job); err == nil && len(list) == 1 {
		document.State = list[0].State
		if !list[0].Enabled && v.idle != "" {
			done = v.idle
		}
	}
	return result{
		Document: document,
		Table: func() *table {
			return &table{Columns: []column{{Key: "job", Title: "JOB"}, {Key: "state", Title: "STATE"}},
				Rows: [][]string{{document.Job, document.State}}}
		},
		Text: func(w io.Writer, _ *printer) error {
			_, err := fmt.Fprintf(w, "Job %s is %s.\n", escape(job), done)
			return err
		},
	}
}
