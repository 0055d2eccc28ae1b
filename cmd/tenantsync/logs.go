package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"tenantsync/internal/config"
	"tenantsync/store"
)

// logsOptions are the filters that all log commands share.
type logsOptions struct {
	Since, Until string
	User         string
	Actions      []string
	Statuses     []string
	Code         string
	Cycle        string
	Change       string
	Limit        int
	UTC, Local   bool

	limitGiven bool
}

// tableLimit is how many entries a person is shown unless --limit says otherwise.
const tableLimit = 50

func newLogsCommand(env *environment) *cobra.Command {
	opts := &logsOptions{}
	list := func(use, short, long, example string) *cobra.Command {
		cmd := &cobra.Command{Use: use, Short: short, Long: long, Example: example, Annotations: logExits()}
		cmd.RunE = func(_ *cobra.Command, args []string) error {
			opts.limitGiven = cmd.Flags().Changed("limit")
			return env.runs(func(ctx context.Context, _ []string) error { return runLogsList(ctx, env, opts) })(cmd, args)
		}
		opts.flags(cmd)
		return cmd
	}
	const long = `Shows the provisioning log, newest entry first: one entry for each user and
action, with its steps, its modified properties, the reason and advice. The
field names of json and ndjson are those of Graph's provisioningObjectSummary.`
	logs := list("logs", "Show the provisioning log", long, examples("tenantsync logs --since 24h --status failure,skipped", "tenantsync logs --user anna.berg@contoso.com -o json"))
	logs.AddCommand(
		list("list", "List provisioning log entries", long, examples("tenantsync logs list --since 2026-11-01 --until 2026-11-08", "tenantsync logs list --action create,delete --limit 0 -o csv")),
		newLogsShowCommand(env), newLogsExportCommand(env), newLogsFollowCommand(env))
	return logs
}

func (o *logsOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Since, "since", "", "only entries from this `TIME` on: 24h, 7d, 2026-11-22, 2026-11-22T08:20:00Z")
	f.StringVar(&o.Until, "until", "", "only entries before this `TIME`")
	f.StringVar(&o.User, "user", "", "only entries whose source or target user has this `TEXT` in id, name or address")
	f.StringSliceVar(&o.Actions, "action", nil, "only these `ACTIONS`: "+strings.Join(logActions(), ","))
	f.StringSliceVar(&o.Statuses, "status", nil, "only these `RESULTS`: "+strings.Join(logStatuses(), ","))
	f.StringVar(&o.Code, "code", "", "only entries with this error `CODE`")
	f.StringVar(&o.Cycle, "cycle", "", "only entries of the cycle with this `ID`")
	f.StringVar(&o.Change, "change", "", "only entries of the change with this `ID`")
	f.IntVar(&o.Limit, "limit", 0, fmt.Sprintf("at most `NUMBER` entries, 0 = all (tables: %d unless given)", tableLimit))
	o.zoneFlags(cmd)
}

// zoneFlags declares the flags that decide how dates are shown.
func (o *logsOptions) zoneFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.UTC, "utc", false, "dates in UTC (default)")
	cmd.Flags().BoolVar(&o.Local, "local", false, "dates in this machine's time zone")
}

// checkZone refuses two time zones at once.
func (o *logsOptions) checkZone() error {
	if o.UTC && o.Local {
		return usagef("give one of them", "--utc and --local exclude each other.")
	}
	return nil
}

// logExits are the exit codes of commands that ask for the log.
func logExits() map[string]string {
	return exitCodes(exitDone, exitFailed, exitUnreachable, exitUsage, exitConfig, exitInterrupted)
}

func logActions() []string {
	return []string{"create", "update", "disable", "delete", "stagedDelete", "other"}
}

func logStatuses() []string { return []string{"success", "failure", "skipped", "warning"} }

// zone returns the time zone of the dates that are shown and typed.
func (o *logsOptions) zone() *time.Location {
	if o.Local {
		return time.Local
	}
	return time.UTC
}

// query builds the store's query from the filters.
func (o *logsOptions) query(env *environment) (store.LogQuery, error) {
	q := store.LogQuery{Job: env.options.Job, User: o.User, Code: o.Code, Cycle: o.Cycle, Change: o.Change, Limit: o.Limit}
	if o.Limit < 0 {
		return q, usagef("0 means all", "--limit must not be negative.")
	}
	err := o.checkZone()
	if err != nil {
		return q, err
	}
	if q.Since, err = parseMoment("since", o.Since, env.now(), o.zone()); err != nil {
		return q, err
	}
	if q.Until, err = parseMoment("until", o.Until, env.now(), o.zone()); err != nil {
		return q, err
	}
	if q.Actions, err = knownWords("action", o.Actions, logActions()); err != nil {
		return q, err
	}
	q.Statuses, err = knownWords("status", o.Statuses, logStatuses())
	return q, err
}

// knownWords checks a list of words, in any case, and returns them as they are
// spelled in the log.
func knownWords(what string, words, known []string) ([]string, error) {
	var out []string
	for _, w := range words {
		i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, w) })
		if i < 0 {
			return nil, unknownWord(what, w, known)
		}
		out = append(out, known[i])
	}
	return out, nil
}

// parseMoment reads a time: a span before now, a date, a date with a time, or RFC 3339.
func parseMoment(flag, value string, now time.Time, zone *time.Location) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	if span, err := config.ParseDuration(value); err == nil {
		return now.Add(-time.Duration(span)), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, value, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("write 24h, 7d, 2026-11-22, 2026-11-22T08:20 or 2026-11-22T08:20:00Z", "--%s %q is not a time.", flag, value)
}

func runLogsList(ctx context.Context, env *environment, opts *logsOptions) error {
	q, err := opts.query(env)
	if err != nil {
		return err
	}
	short := !opts.limitGiven && env.options.Output == formatTable
	if short {
		q.Limit = tableLimit + 1
	}
	entries, err := fetchLogs(ctx, env, q)
	if err != nil {
		return err
	}
	more := short && len(entries) > tableLimit
	if more {
		entries = entries[:tableLimit]
	}
	err = env.printer().Print(result{
		Document: entries, Items: items(entries),
		Table: func() *table { return logTable(entries, opts.zone()) },
	})
	if err != nil || env.machine() {
		return err
	}
	switch {
	case more, opts.Limit > 0 && len(entries) == opts.Limit:
		env.note("The newest %s; all: --limit 0. Details: tenantsync logs show CHANGE-ID (column with -o wide)", plural(len(entries), "entry", "entries"))
	case len(entries) == 0:
		env.note("No entry matches.")
	default:
		env.note("%s. Details: tenantsync logs show CHANGE-ID (column with -o wide)", plural(len(entries), "entry", "entries"))
	}
	return nil
}

// fetchLogs asks the service. Lists are never null in what it returns: they are
// printed as they are.
func fetchLogs(ctx context.Context, env *environment, q store.LogQuery) ([]store.Entry, error) {
	env.looks = true
	svc, done, err := env.Service(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	entries, err := svc.Logs(ctx, q)
	if err != nil {
		return nil, err
	}
	if entries == nil {
		entries = []store.Entry{}
	}
	for i := range entries {
		completeEntry(&entries[i])
	}
	if len(entries) == 0 && q.ID == "" {
		if err := env.unknownJob(q.Job); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// completeEntry gives an entry empty lists and maps where it has none.
func completeEntry(e *store.Entry) {
	if e.Steps == nil {
		e.Steps = []store.Step{}
	}
	if e.Modified == nil {
		e.Modified = []store.Property{}
	}
	for i := range e.Steps {
		completeMap(&e.Steps[i].Details)
	}
	for _, m := range []*map[string]string{&e.SourceSystem.Details, &e.TargetSystem.Details, &e.SourceIdentity.Details, &e.TargetIdentity.Details} {
		completeMap(m)
	}
}

func completeMap(m *map[string]string) {
	if *m == nil {
		*m = map[string]string{}
	}
}

// logTable is the list as people know it from the admin centre.
func logTable(entries []store.Entry, zone *time.Location) *table {
	t := &table{
		Columns: []column{
			{Key: "date", Title: "DATE (" + zoneName(zone) + ")"},
			{Key: "identity", Title: "IDENTITY", Flex: true},
			{Key: "userPrincipalName", Title: "USER PRINCIPAL NAME", Flex: true},
			{Key: "action", Title: "ACTION"},
			{Key: "source", Title: "SOURCE", Flex: true},
			{Key: "target", Title: "TARGET", Flex: true},
			{Key: "status", Title: "STATUS"},
			{Key: "reason", Title: "REASON", Flex: true},
			{Key: "changeId", Title: "CHANGE ID", Wide: true},
			{Key: "cycleId", Title: "CYCLE ID", Wide: true},
			{Key: "job", Title: "JOB", Wide: true},
			{Key: "sourceId", Title: "SOURCE ID", Wide: true},
			{Key: "targetId", Title: "TARGET ID", Wide: true},
			{Key: "detail", Title: "DETAIL", Wide: true},
		},
		Colours: func(key, cell string) text.Color {
			if c := actionColour(cell); c != 0 && (key == "action" || key == "status") {
				return c
			}
			return 0
		},
	}
	for i := range entries {
		e := &entries[i]
		info := e.StatusInfo.Error
		if info == nil {
			info = &store.ErrorInfo{}
		}
		t.Rows = append(t.Rows, []string{
			e.ActivityDateTime.In(zone).Format("2006-01-02 15:04:05"), nameOf(e), upnOf(e.SourceIdentity), capital(e.Action),
			e.SourceSystem.DisplayName, e.TargetSystem.DisplayName, capital(e.StatusInfo.Status), shortReason(e),
			e.ChangeID, e.CycleID, e.JobID, e.SourceIdentity.ID, e.TargetIdentity.ID, info.Reason,
		})
	}
	return t
}

// shortReason is a failure's code, which can be looked up, and a skip's sentence.
func shortReason(e *store.Entry) string {
	info := e.StatusInfo.Error
	switch {
	case info == nil:
		return ""
	case e.StatusInfo.Status == "skipped" && info.Reason != "":
		return info.Reason
	case info.Code != "":
		return info.Code
	}
	return info.Reason
}

// nameOf returns the name under which an entry is listed: the source user's, or
// the target user's where the source has none.
func nameOf(e *store.Entry) string {
	for _, s := range []string{e.SourceIdentity.DisplayName, e.TargetIdentity.DisplayName, upnOf(e.SourceIdentity), e.SourceIdentity.ID, e.TargetIdentity.ID} {
		if s != "" {
			return s
		}
	}
	return ""
}

func zoneName(zone *time.Location) string {
	if zone == time.UTC {
		return "UTC"
	}
	name, _ := time.Now().In(zone).Zone()
	return name
}
