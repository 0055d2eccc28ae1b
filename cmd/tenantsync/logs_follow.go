package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tenantsync/store"
)

// followEvery is how often new entries are asked for.
const followEvery = time.Second

func newLogsFollowCommand(env *environment) *cobra.Command {
	opts := &logsOptions{}
	cmd := &cobra.Command{
		Use: "follow", Short: "Show new provisioning log entries as they come",
		Long: `Shows entries of the provisioning log as they are written, oldest first, until
it is interrupted, which is its normal end. With --since it begins with the
entries that are there already. -o json and -o ndjson write one entry a line.

The log is asked for once a second, through the daemon if one runs; in between
the state file is not held, so that other commands can work.`,
		Example:     examples("tenantsync logs follow", "tenantsync logs follow --since 1h --status failure -o ndjson"),
		Annotations: exitCodes(exitDone, exitFailed, exitUnreachable, exitUsage, exitConfig),
		RunE:        env.runs(func(ctx context.Context, _ []string) error { return runLogsFollow(ctx, env, opts) }),
	}
	opts.flags(cmd)
	_ = cmd.Flags().MarkHidden("limit") // it has no meaning without an end
	_ = cmd.Flags().MarkHidden("until")
	return cmd
}

func runLogsFollow(ctx context.Context, env *environment, opts *logsOptions) error {
	if opts.Until != "" || opts.Limit != 0 {
		return usagef("use: tenantsync logs list", "follow has no end: --until and --limit do not go with it.")
	}
	q, err := opts.query(env)
	if err != nil {
		return err
	}
	if opts.Since == "" {
		newest, err := fetchLogs(ctx, env, store.LogQuery{Limit: 1})
		if err != nil {
			return followEnd(ctx, err)
		}
		if len(newest) > 0 {
			q.AfterSeq = newest[0].Seq
		}
	}
	q.Follow = true
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		entries, err := fetchLogs(ctx, env, q)
		if err != nil && !errors.Is(err, store.ErrLocked) {
			return followEnd(ctx, err)
		}
		for i := range entries {
			if err := writeFollowed(env, opts, &entries[i]); err != nil {
				return err
			}
			q.AfterSeq = entries[i].Seq
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// followEnd makes an interruption the good end that it is for follow.
func followEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// writeFollowed writes one entry on one line.
func writeFollowed(env *environment, opts *logsOptions, e *store.Entry) error {
	if env.machine() {
		return writeJSONLine(env.stdout, e)
	}
	p := env.printer()
	who := nameOf(e)
	if upn := upnOf(e.SourceIdentity); upn != "" && upn != who {
		who += "  " + upn
	}
	cells := []string{
		e.ActivityDateTime.In(opts.zone()).Format("2006-01-02 15:04:05"),
		p.paint(actionColour(e.Action), fmt.Sprintf("%-12s", capital(e.Action))),
		p.paint(actionColour(e.StatusInfo.Status), fmt.Sprintf("%-7s", capital(e.StatusInfo.Status))),
		escape(who), escape(e.SourceSystem.DisplayName + " -> " + e.TargetSystem.DisplayName),
	}
	if reason := shortReason(e); reason != "" {
		cells = append(cells, escape(reason))
	}
	_, err := fmt.Fprintln(env.stdout, strings.Join(cells, "  "))
	return err
}
