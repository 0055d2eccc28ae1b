package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/internal/control"
	"tenantsync/store"
)

// syncOptions are the flags of sync.
type syncOptions struct {
	Initial bool
	Accept  bool
	DryRun  bool
}

func newSyncCommand(env *environment) *cobra.Command {
	var o syncOptions
	cmd := &cobra.Command{
		Use:   "sync [JOB]",
		Short: "Run one cycle of a job now",
		Long: "Run one cycle of a job now. A cycle of the job that is running is waited for.\n" +
			"A job that is not enabled must be named, and runs with a warning.\n" +
			"Deletions above the threshold are held, see: tenantsync deletions",
		Example: examples("tenantsync sync contoso-to-fabrikam", "tenantsync sync contoso-to-fabrikam --initial -o json"),
		Annotations: exitCodes(exitDone, exitFailed, exitSomeFailed, exitSignIn, exitHeld, exitUnreachable,
			exitUsage, exitConfig, exitInterrupted),
		Args: cobra.MaximumNArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			if o.DryRun {
				return runPlan(ctx, env, args, planOptions{Initial: o.Initial})
			}
			return runSync(ctx, env, args, o)
		}),
	}
	cmd.Flags().BoolVar(&o.Initial, "initial", false, "compare everybody instead of what changed")
	cmd.Flags().BoolVar(&o.Accept, "accept", false, "let through the creates and updates that are held")
	env.reasonFlag(cmd)
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "tell what the cycle would do, as plan does")
	return cmd
}

func runSync(ctx context.Context, env *environment, args []string, o syncOptions) error {
	job, err := env.jobName(ctx, args)
	if err != nil {
		return err
	}
	return env.withService(ctx, func(s control.Service) error {
		if err := env.mayWrite(ctx, s, "tenantsync sync "+job, job, env.named(args)); err != nil {
			return err
		}
		return env.runCycle(ctx, s, engine.SyncRequest{Job: job, Initial: o.Initial, Accept: o.Accept, Trigger: "command"})
	})
}

// runCycle runs one cycle and tells how it ended.
func (e *environment) runCycle(ctx context.Context, s control.Service, req engine.SyncRequest) error {
	show := e.progress()
	defer show.Stop()
	r, err := s.Sync(ctx, req, show.Report)
	show.Stop()
	if err != nil {
		return err
	}
	if err := e.printer().Print(syncResult(r)); err != nil {
		return err
	}
	if r.Error != nil {
		e.tell(r.Error)
	}
	if r.Error.Refused() {
		return exitWith(exitFailed)
	}
	if q := r.Quarantine; q != nil {
		if r.Error != nil && strings.HasPrefix(q.Message, strings.TrimSuffix(r.Error.Message, ".")) {
			brief := *q // the error has just told why
			brief.Message = "the job runs at a slower pace until a cycle succeeds"
			if q.NextAttempt == nil {
				brief.Message = "nobody is created until that is over; everything else goes on"
			}
			q = &brief
		}
		e.warnQuarantine(req.Job, q, r.Summary.Held)
	}
	return exitWith(syncExit(r))
}

// syncExit returns the exit code of a cycle. The order is that of importance:
// interrupted, sign-in, held, some failed, failed.
func syncExit(r engine.SyncResult) int {
	class := engine.ErrorClass("")
	if r.Error != nil {
		class = r.Error.Class
	}
	switch {
	case r.Outcome == store.OutcomeInterrupted || class == engine.ClassInterrupted:
		return exitInterrupted
	case class == engine.ClassSignIn:
		return exitSignIn
	case r.Outcome == store.OutcomeQuarantine || r.Summary.Held > 0:
		return exitHeld
	case r.Outcome == store.OutcomeFailed: // the quarantine of a lost connection says no more than that
		return exitFailed
	case r.Quarantine != nil:
		return exitHeld
	case r.Outcome == store.OutcomePartial || r.Summary.Failed > 0:
		return exitSomeFailed
	case r.Outcome != store.OutcomeSuccess:
		return exitFailed
	}
	return exitDone
}

func syncResult(r engine.SyncResult) result {
	return result{
		Document: r,
		Table: func() *table {
			t := summaryTable()
			t.Columns = append([]column{{Key: "job", Title: "JOB"}, {Key: "cycle", Title: "CYCLE"}, {Key: "outcome", Title: "OUTCOME"}}, t.Columns...)
			t.Columns = append(t.Columns, column{Key: "requests", Title: "REQUESTS", Right: true, Wide: true},
				column{Key: "writes", Title: "WRITES", Right: true, Wide: true}, column{Key: "cycleId", Title: "CYCLE ID", Wide: true})
			row := append([]string{r.Job, r.Cycle, string(r.Outcome)}, summaryCells(r.Summary)...)
			t.Rows = [][]string{append(row, fmt.Sprint(r.Graph.Requests), fmt.Sprint(r.Graph.Writes), r.CycleID)}
			return t
		},
		Text: func(w io.Writer, p *printer) error {
			took := r.EndedAt.Sub(r.StartedAt)
			if _, err := fmt.Fprintf(w, "Job %s   %s cycle   %s   %s\n", escape(r.Job), r.Cycle,
				p.paint(actionColour(string(r.Outcome)), string(r.Outcome)), duration(took)); err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "%s.\n", summarySentence(r.Summary)); err != nil {
				return err
			}
			details := "   Details: tenantsync logs --cycle " + escape(r.CycleID)
			if r.Error.Refused() { // before anything could be logged
				details = ""
			}
			_, err := fmt.Fprintf(w, "Requests: %s, writes: %s, throttled: %s.%s\n",
				count(r.Graph.Requests), count(r.Graph.Writes), count(r.Graph.Throttled), details)
			return err
		},
	}
}

// summaryTable has one column for each count of a summary.
func summaryTable() *table {
	t := &table{}
	for _, c := range [][2]string{{"create", "CREATED"}, {"update", "UPDATED"}, {"disable", "DISABLED"}, {"delete", "DELETED"},
		{"restore", "RESTORED"}, {"unchanged", "UNCHANGED"}, {"skipped", "SKIPPED"}, {"failed", "FAILED"}, {"held", "HELD"}} {
		t.Columns = append(t.Columns, column{Key: c[0], Title: c[1], Right: true})
	}
	return t
}

func summaryCells(s store.Summary) []string {
	cells := make([]string, 0, 9)
	for _, n := range []int{s.Create, s.Update, s.Disable, s.Delete, s.Restore, s.Unchanged, s.Skipped, s.Failed, s.Held} {
		cells = append(cells, fmt.Sprint(n))
	}
	return cells
}

// summarySentence tells a summary in one line, zeros left out but for the three
// that people look for.
func summarySentence(s store.Summary) string {
	text := fmt.Sprintf("%s created, %s updated, %s deleted", count(s.Create), count(s.Update), count(s.Delete))
	for _, part := range []struct {
		n    int
		word string
	}{{s.Disable, "disabled"}, {s.Restore, "restored"}, {s.Unchanged, "unchanged"}, {s.Skipped, "skipped"},
		{s.Failed, "failed"}, {s.Held, "held"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %s %s", count(part.n), part.word)
		}
	}
	return text
}

// duration writes a span as a person reads it.
func duration(d time.Duration) string {
	switch {
	case d < 0:
		return "0 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	d = d.Round(time.Second)
	if d < time.Hour {
		return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

// warnQuarantine tells what a job holds and what to do about it.
func (e *environment) warnQuarantine(job string, q *engine.Quarantine, held int) {
	message := fmt.Sprintf("%s: %s", job, q.Reason)
	if q.Message != "" {
		message += ": " + q.Message
	}
	e.warn(message, quarantineAction(job, q.Reason, held))
}

// quarantineAction says what an administrator can do about a quarantine.
func quarantineAction(job, reason string, held int) string {
	switch code := engine.Code(reason); {
	case code == engine.CodeInvitationsBlocked:
		return "open a support request with Microsoft from the target tenant; when they have lifted it: tenantsync retries now " + job
	case code == engine.CodeQuotaExceeded:
		return "delete objects of the target directory or ask for a higher quota, then run: tenantsync retries now " + job
	case code.HoldsChanges():
		return fmt.Sprintf("review with: tenantsync plan %s, then let it through with: tenantsync sync %s --accept", job, job)
	case held > 0:
		return "review: tenantsync deletions list " + job
	case code == engine.CodeScopeGroupDeleted:
		return "correct the id, bring the group back, or take it out of the configuration, then run: tenantsync sync " + job
	}
	return "correct the cause, then run: tenantsync sync " + job
}
