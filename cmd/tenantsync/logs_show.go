package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/store"
)

func newLogsShowCommand(env *environment) *cobra.Command {
	opts := &logsOptions{}
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show one provisioning log entry",
		Long: `Shows one entry with its steps, its modified properties, the reason and what to
do. ID is the entry's id or its change id; the beginning is enough if only one
entry begins so.`,
		Example: examples("tenantsync logs show 91ab40f7", "tenantsync logs show 91ab40f7-2c1e-4a5d-9f60-0d7c2f1e8a11 -o json"),
		Args:    cobra.ExactArgs(1), Annotations: logExits(),
		RunE: env.runs(func(ctx context.Context, args []string) error { return runLogsShow(ctx, env, opts, args[0]) }),
	}
	opts.zoneFlags(cmd)
	return cmd
}

func runLogsShow(ctx context.Context, env *environment, opts *logsOptions, id string) error {
	if err := opts.checkZone(); err != nil {
		return err
	}
	entries, err := fetchLogs(ctx, env, store.LogQuery{ID: id})
	switch {
	case named(err, "AmbiguousEntry") && !isPartOfID(id):
		return usagef("list the entries with: tenantsync logs -o wide", "no log entry has an id or change id that begins with %q: ids have the digits 0-9 and a-f.", id)
	case named(err, "AmbiguousEntry") && len(strings.ReplaceAll(id, "-", "")) < shortestID:
		return usagef("give more of the id: tenantsync logs -o wide shows it whole", "%q is too short for an id: at least %d characters are needed.", id, shortestID)
	case named(err, "AmbiguousEntry"):
		return usagef("give more of the id: tenantsync logs -o wide shows it whole", "more than one log entry begins with %q.", id)
	case errors.Is(err, store.ErrNotFound), err == nil && len(entries) == 0:
		return usagef("list the entries with: tenantsync logs -o wide", "no log entry has an id or change id that begins with %q.", id)
	case err != nil:
		return err
	}
	e := entries[0]
	return env.printer().Print(result{
		Document: e,
		Table:    func() *table { return logTable(entries[:1], opts.zone()) },
		Text: func(w io.Writer, p *printer) error {
			return writeEntry(w, p, &e, waitingRetry(ctx, env, &e), opts.zone())
		},
	})
}

// shortestID is how much of an id a state file looks up.
const shortestID = 4

// isPartOfID reports whether an id can begin so.
func isPartOfID(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF-") == "" }

// named reports whether an error has this code, be it of a daemon's answer or of
// the engine in this process.
func named(err error, code string) bool {
	var known *engine.Error
	return errors.As(err, &known) && known.Code == code
}

// waitingRetry finds the retry that an entry's user waits for, nil when there is
// none. It is only a hint: an error is no reason to show nothing.
func waitingRetry(ctx context.Context, env *environment, e *store.Entry) *engine.Retry {
	if e.StatusInfo.Status != "failure" || e.JobID == "" {
		return nil
	}
	svc, done, err := env.Service(ctx)
	if err != nil {
		return nil
	}
	defer done()
	list, err := svc.Retries(ctx, e.JobID)
	if err != nil {
		return nil
	}
	for i := range list.Retries {
		if list.Retries[i].SourceID == e.SourceIdentity.ID {
			return &list.Retries[i]
		}
	}
	return nil
}

// labelWidth is the width of the left column of an entry's layout.
const labelWidth = 17

// writeEntry writes an entry for a person: summary, steps, modified properties,
// troubleshooting.
func writeEntry(w io.Writer, p *printer, e *store.Entry, retry *engine.Retry, zone *time.Location) error {
	var b strings.Builder
	line := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "%-*s%s\n", labelWidth, label, fmt.Sprintf(format, args...))
	}
	line("Summary", "%s   %s %s   %s", p.paint(actionColour(e.StatusInfo.Status), escape(headline(e))),
		e.ActivityDateTime.In(zone).Format("2006-01-02 15:04:05"), zoneName(zone), time.Duration(e.DurationMS)*time.Millisecond)
	line("", "change %s   cycle %s   job %s   started by %s", escape(e.ChangeID), escape(orNone(e.CycleID)), escape(e.JobID), escape(starter(e.InitiatedBy)))
	line("", "%s %s -> %s %s", escape(e.SourceSystem.DisplayName), escape(orNone(e.SourceIdentity.ID)), escape(e.TargetSystem.DisplayName), escape(orNone(e.TargetIdentity.ID)))
	steps := make([]string, len(e.Steps))
	for i, s := range e.Steps {
		steps[i] = escape(s.Type) + " " + p.paint(actionColour(s.Status), escape(s.Status))
	}
	line("Steps", "%s", strings.Join(steps, " · "))
	for _, s := range e.Steps {
		if s.Description != "" {
			line("", "%s: %s", escape(s.Type), escape(s.Description))
		}
	}
	if len(e.Modified) == 0 {
		line("Modified", "nothing was written")
	}
	for i, m := range e.Modified {
		label := ""
		if i == 0 {
			label = "Modified"
		}
		line(label, "%s  %s -> %s", escape(m.DisplayName), escape(textOr(m.OldValue, "(none)")), escape(textOr(m.NewValue, "(none)")))
	}
	if info := e.StatusInfo.Error; info != nil {
		line("Troubleshooting", "%s", escape(strings.TrimPrefix(info.Code+": "+info.Reason, ": ")))
		if info.AdditionalDetails != "" {
			line("", "%s", strings.ReplaceAll(escapeLines(info.AdditionalDetails), "\n", "\n"+strings.Repeat(" ", labelWidth)))
		}
		if info.RecommendedAction != "" {
			line("  Do", "%s", escape(info.RecommendedAction))
		}
	}
	if retry != nil {
		line("", "retried by itself at %s %s (attempt %d)", retry.NextAttempt.In(zone).Format("2006-01-02 15:04"), zoneName(zone), retry.Attempts+1)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// headline tells in a phrase what happened to whom.
func headline(e *store.Entry) string {
	who := nameOf(e)
	if upn := upnOf(e.SourceIdentity); upn != "" && upn != who {
		who += " (" + upn + ")"
	}
	action := capital(e.Action)
	switch e.Action {
	case "stagedDelete":
		action = "Staged delete"
	case "other":
		action = "Provisioning"
	}
	switch e.StatusInfo.Status {
	case "failure":
		return action + " failed for " + who
	case "skipped":
		return "Skipped " + who
	case "warning":
		return action + " succeeded with a warning for " + who
	}
	return action + " succeeded for " + who
}

// starter names who started the cycle of an entry.
func starter(i store.Initiator) string {
	for _, s := range []string{i.DisplayName, i.ID, i.Type} {
		if s != "" {
			return s
		}
	}
	return "(unknown)"
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}
