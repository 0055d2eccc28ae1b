package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/internal/control"
	"tenantsync/store"
)

// statusOptions are the flags of status.
type statusOptions struct {
	Watch    bool
	Interval time.Duration
}

func newStatusCommand(env *environment) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:         "status [JOB]",
		Short:       "State of jobs: the cycle, counts, quarantine, next start",
		Example:     examples("tenantsync status", "tenantsync status contoso-to-fabrikam --watch"),
		Annotations: exitCodes(exitDone, exitFailed, exitHeld, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		Args:        cobra.MaximumNArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			if err := env.oneJob(args); err != nil {
				return err
			}
			job := env.options.Job
			if len(args) > 0 {
				job = args[0]
			}
			if job != "" {
				if err := env.knowsJob(job); err != nil {
					return err
				}
			}
			return runStatus(ctx, env, job, o)
		}),
	}
	cmd.Flags().BoolVar(&o.Watch, "watch", false, "show it again and again until Ctrl-C")
	cmd.Flags().DurationVar(&o.Interval, "interval", 2*time.Second, "with --watch: time between two looks")
	return cmd
}

func runStatus(ctx context.Context, env *environment, job string, o statusOptions) error {
	if o.Interval < 100*time.Millisecond {
		return usagef("give a duration such as 2s", "--interval must be at least 100ms.")
	}
	env.looks = true
	for {
		code, err := showStatus(ctx, env, job, o.Watch)
		switch {
		case o.Watch && ctx.Err() != nil:
			return nil // Ctrl-C is how a watch ends
		case err != nil:
			return err
		case !o.Watch:
			return exitWith(code)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(o.Interval):
		}
	}
}

// showStatus asks and prints once. The service is asked for anew each time, so
// that a watch neither keeps the state file from a daemon nor misses one.
func showStatus(ctx context.Context, env *environment, job string, watch bool) (code int, err error) {
	err = env.withService(ctx, func(s control.Service) error {
		list, err := s.Status(ctx, job)
		if err != nil {
			return err
		}
		if list == nil {
			list = []engine.JobStatus{}
		}
		for _, j := range list {
			if j.Quarantine != nil || j.State == "Quarantine" || j.Held > 0 {
				code = exitHeld
			}
		}
		if watch && isTerminal(env.stdout) && !env.machine() {
			fmt.Fprint(env.stdout, "\x1b[H\x1b[2J")
		}
		_, daemon := s.(*control.Client)
		p := env.printer()
		return p.Print(statusResult(list, env.now(), daemon, p.format))
	})
	return code, err
}

// statusResult shows jobs; daemon says that one answered.
func statusResult(list []engine.JobStatus, now time.Time, daemon bool, format outputFormat) result {
	return result{
		Document: struct {
			Jobs []engine.JobStatus `json:"jobs"`
		}{list},
		Items: items(list),
		Table: func() *table { return statusTable(list, now, format == formatCSV) },
		Text: func(w io.Writer, p *printer) error {
			if len(list) == 0 {
				_, err := fmt.Fprintln(w, "The configuration has no job.")
				return err
			}
			if err := p.table(statusTable(list, now, false)); err != nil {
				return err
			}
			for _, j := range list {
				for _, line := range []string{attention(j), failure(j), stopped(j), putBack(j), overdue(j, now, daemon)} {
					if line == "" {
						continue
					}
					if _, err := fmt.Fprintln(w, p.paint(text.FgRed, escape(line))); err != nil {
						return err
					}
				}
				for _, line := range j.Warnings {
					if _, err := fmt.Fprintln(w, p.paint(text.FgYellow, escape("! "+j.Name+": "+line+". Renew it."))); err != nil {
						return err
					}
				}
			}
			if line := notTaken(list[0]); line != "" { // the daemon's own, said once
				_, err := fmt.Fprintln(w, p.paint(text.FgRed, escape(line)))
				return err
			}
			return nil
		},
	}
}

// attention is the line below the table for a job that waits for somebody.
func attention(j engine.JobStatus) string {
	switch {
	case j.Quarantine != nil:
		line := fmt.Sprintf("! %s: %s", j.Name, j.Quarantine.Reason)
		if j.Quarantine.Message != "" {
			line += ": " + j.Quarantine.Message
		}
		return sentence(line) + " " + capital(quarantineAction(j.Name, j.Quarantine.Reason, j.Held))
	case j.Held > 0:
		return fmt.Sprintf("! %s: %s for approval. Review: tenantsync deletions list %s", j.Name,
			plural(j.Held, "deletion waits", "deletions wait"), j.Name)
	case j.SkippedStarts > 0:
		return fmt.Sprintf("! %s lags: the last cycle by schedule ran into %s, left out. A longer interval, or more writesPerSecond, ends that.",
			j.Name, plural(j.SkippedStarts, "further start", "further starts"))
	}
	return ""
}

// untouched ends what the error of a refused plan says before it goes into details.
const untouched = "nothing was written"

// failure is the line for a last cycle that failed and put nothing in quarantine: a
// saved plan that was refused, a disk that is full, a state file that is gone.
func failure(j engine.JobStatus) string {
	c := j.LastCycle
	if c == nil || j.Quarantine != nil || c.Outcome != store.OutcomeFailed || c.Error == "" {
		return ""
	}
	why, refused := c.Error, engine.Error{Code: c.Code}
	if at := strings.Index(why, untouched); refused.Refused() && at >= 0 {
		why = why[:at+len(untouched)] // what follows can be a long list
	}
	line := fmt.Sprintf("! %s: the last cycle failed", j.Name)
	if c.Code != "" {
		line += " (" + c.Code + ")"
	}
	line = sentence(line + ": " + why)
	switch moved := engine.StateMoved(store.ErrMoved); {
	case refused.Refused():
		line += " The schedule goes on. Look again: tenantsync plan " + j.Name + " --out FILE"
	case c.Code == moved.Code:
		line += " " + capital(moved.Action)
	}
	return line
}

// notTaken is the line for a changed configuration that the daemon was told to take
// and refused.
func notTaken(j engine.JobStatus) string {
	r := j.ConfigurationRefused
	if r == nil {
		return ""
	}
	message, do := r.Message, r.Action
	if r.More > 0 {
		message += " And " + plural(r.More, "further problem", "further problems") + "."
	}
	if do == "" || r.More > 0 {
		do = "see tenantsync config validate"
	}
	return fmt.Sprintf("! The daemon refused the configuration at %s and goes on with the one before: %s %s, then reload again.",
		shortTime(r.At), message, capital(do))
}

// stopped is the line for a last cycle that was interrupted, or whose process died:
// what it left undone is not lost, and nobody sees that by its numbers.
func stopped(j engine.JobStatus) string {
	c := j.LastCycle
	if j.Unfinished != nil {
		return fmt.Sprintf("! %s: the process died in the cycle that began at %s; what it did is kept, and the next one goes on from there. Now: tenantsync sync %s",
			j.Name, shortTime(*j.Unfinished), j.Name)
	}
	if c == nil || j.Running != nil || c.Outcome != store.OutcomeInterrupted {
		return ""
	}
	return fmt.Sprintf("! %s: the last cycle was interrupted at %s; what it did is kept, and the next one goes on from there. Now: tenantsync sync %s",
		j.Name, shortTime(c.EndedAt), j.Name)
}

// putBack is the line for a job whose state is an older one that was put back.
func putBack(j engine.JobStatus) string {
	if j.Restored == nil {
		return ""
	}
	return fmt.Sprintf("! %s: its state is an older one, of %s, that was put back (%s): the next cycle compares everybody and holds its deletes. Look: tenantsync plan %s",
		j.Name, shortTime(*j.Restored), engine.CodeStateRestored, j.Name)
}

// overdue is the line for a job that nobody starts though it is time: a daemon that
// was stopped, or killed, says so no more.
func overdue(j engine.JobStatus, now time.Time, daemon bool) string {
	if daemon || !isDue(j, now) {
		return ""
	}
	return fmt.Sprintf("! %s was due at %s, and no daemon answers. Start it: tenantsync run; or one cycle: tenantsync sync %s",
		j.Name, shortTime(*j.NextStart), j.Name)
}

// isDue reports a job whose next start is past. The daemon takes a moment to begin.
func isDue(j engine.JobStatus, now time.Time) bool {
	return j.Enabled && j.Running == nil && j.NextStart != nil && now.Sub(*j.NextStart) > time.Minute
}

// statusTable shows jobs to people, or to programs: those get digits, the next start as
// a moment or empty, and whether it is past in a column of its own.
func statusTable(list []engine.JobStatus, now time.Time, programs bool) *table {
	number, next := count, nextCell
	if programs {
		number, next = strconv.Itoa, nextMoment
	}
	t := &table{
		Columns: []column{
			{Key: "name", Title: "JOB"}, {Key: "state", Title: "STATE"}, {Key: "cycle", Title: "CYCLE", Flex: true},
			{Key: "inScope", Title: "IN SCOPE", Right: true}, {Key: "linked", Title: "LINKED", Right: true, Wide: true},
			{Key: "created", Title: "CREATED", Right: true}, {Key: "updated", Title: "UPDATED", Right: true},
			{Key: "deleted", Title: "DELETED", Right: true}, {Key: "failed", Title: "FAILED", Right: true},
			{Key: "retries", Title: "RETRIES", Right: true, Wide: true}, {Key: "held", Title: "HELD", Right: true, Wide: true},
			{Key: "source", Title: "SOURCE", Wide: true}, {Key: "target", Title: "TARGET", Wide: true},
			{Key: "next", Title: "NEXT (UTC)"},
		},
		Colours: func(key, cell string) text.Color {
			if key == "state" {
				return actionColour(cell)
			}
			return 0
		},
	}
	if programs {
		t.Columns = append(t.Columns, column{Key: "due"}, column{Key: "enabled"})
	}
	for _, j := range list {
		cycle, summary := cycleCell(j, now)
		deleted := number(summary.Delete)
		if j.Held > 0 && !programs { // there is a column for it
			deleted = "held " + count(j.Held)
		}
		row := []string{j.Name, j.State, cycle, number(j.InScope), number(j.Linked), number(summary.Create), number(summary.Update),
			deleted, number(summary.Failed), number(j.Retries), number(j.Held), j.Source, j.Target, next(j, now)}
		if programs {
			row = append(row, strconv.FormatBool(isDue(j, now)), strconv.FormatBool(j.Enabled))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// counts are those of the running cycle, else of the last one.
type counts struct{ Create, Update, Delete, Failed int }

// cycleCell tells the running cycle with its progress, else the last one with
// when it ended.
func cycleCell(j engine.JobStatus, now time.Time) (string, counts) {
	if r := j.Running; r != nil {
		cell := r.Cycle + " " + r.Phase
		if r.Total > 0 {
			cell = fmt.Sprintf("%s %d %%", r.Cycle, percentOf(r.Done, r.Total))
		}
		if !r.StartedAt.IsZero() {
			cell += "  " + duration(now.Sub(r.StartedAt))
		}
		return strings.TrimSpace(cell), counts{r.Summary.Create, r.Summary.Update, r.Summary.Delete, r.Summary.Failed}
	}
	if c := j.LastCycle; c != nil {
		cell := c.Cycle + " " + string(c.Outcome) + " " + shortTime(c.EndedAt)
		if j.Quarantine != nil {
			cell = j.Quarantine.Reason + " " + shortTime(j.Quarantine.Since)
		}
		return cell, counts{c.Summary.Create, c.Summary.Update, c.Summary.Delete, c.Summary.Failed}
	}
	return "none", counts{}
}

// nextMoment is when the job runs next, "" when it does not.
func nextMoment(j engine.JobStatus, _ time.Time) string {
	if !j.Enabled || j.NextStart == nil {
		return ""
	}
	return j.NextStart.UTC().Format(time.RFC3339)
}

// nextCell tells when the job runs next, with the date only when it is not today.
func nextCell(j engine.JobStatus, now time.Time) string {
	switch {
	case !j.Enabled:
		return "disabled"
	case j.NextStart == nil:
		return "-"
	}
	next := j.NextStart.UTC()
	if isDue(j, now) {
		return "due since " + dayOrTime(next, now)
	}
	return dayOrTime(next, now)
}

// dayOrTime writes a moment, in UTC, with the date only when it is not today.
func dayOrTime(next, now time.Time) string {
	if next.Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return next.Format("15:04")
	}
	return next.Format("2006-01-02 15:04")
}
