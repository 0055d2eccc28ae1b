package main

import (
	"cmp"
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
	"tenantsync/mapping"
	"tenantsync/store"
)

// planShown is how many changes a plan lists for people; --only and --verbose list all.
const planShown = 50

// planOptions are the flags of plan.
type planOptions struct {
	Initial      bool
	User         string
	Collisions   bool
	Only         []string
	DetailedExit bool
	Out          string        // where the plan is saved, "" = nowhere
	Valid        time.Duration // how long it may be applied
	Force        bool          // a file that is there is overwritten
}

func newPlanCommand(env *environment) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan [JOB]",
		Short: "Tell what the next cycle would do, and write nothing",
		Long: "Tell what the next cycle would do, and write nothing: neither to a tenant nor to the state.\n" +
			"Two plans of the same state print the same.\n\n" +
			"With --user, every mapping is listed with what it reads, what it gives, what the target has, and\n" +
			"why it is not written where it is not.\n\n" +
			"With --out, the plan is saved for tenantsync apply, which does exactly this or nothing. Values of\n" +
			"sensitive mappings are not in the file.\n\n" +
			"With --collisions it also reads the target's users, deleted users, groups and contacts, and names\n" +
			"everybody who holds an address of a user to be created, with what Microsoft Graph makes of that.\n" +
			"Lists that the app may not read are named.\n\n" +
			"Both are in the text, in JSON, and as tables of their own in wide and markdown; csv and ndjson\n" +
			"have the changes only.",
		Example: examples("tenantsync plan contoso-to-fabrikam", "tenantsync plan contoso-to-fabrikam --only delete,disable -o markdown",
			"tenantsync plan contoso-to-fabrikam --user anna.berg@contoso.com",
			"tenantsync plan contoso-to-fabrikam --out today.plan && tenantsync apply today.plan"),
		Annotations: exitCodes(exitDone, exitFailed, exitPending, exitSignIn, exitUnreachable, exitUsage, exitConfig,
			exitInterrupted),
		Args: cobra.MaximumNArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error { return runPlan(ctx, env, args, o) }),
	}
	f := cmd.Flags()
	f.BoolVar(&o.Initial, "initial", false, "compare everybody instead of what changed")
	f.StringVar(&o.User, "user", "", "plan for this source user only, by `UPN` or object id")
	f.BoolVar(&o.Collisions, "collisions", false, "name who in the target holds addresses of users to be created")
	f.StringSliceVar(&o.Only, "only", nil, "list these actions only: `create,update,…`")
	f.StringVar(&o.Out, "out", "", "save the plan to `FILE` for tenantsync apply")
	o.Valid = planValid
	f.Var((*span)(&o.Valid), "valid", "with --out: how long the plan may be applied, a `DURATION` such as 8h or 2d")
	f.BoolVar(&o.Force, "force", false, "with --out: overwrite a file that is there")
	f.BoolVar(&o.DetailedExit, "detailed-exitcode", false, "end with 2 when changes are pending")
	return cmd
}

// planActions returns the actions of a plan in the order they are listed.
func planActions() []string {
	return []string{"create", "restore", "update", "disable", "stagedDelete", "delete", "fail", "none"}
}

func runPlan(ctx context.Context, env *environment, args []string, o planOptions) error {
	for _, action := range o.Only {
		if !slices.Contains(planActions(), action) {
			return unknownWord("action", action, planActions())
		}
	}
	if err := o.checkOut(); err != nil {
		return err
	}
	job, err := env.jobName(ctx, args)
	if err != nil {
		return err
	}
	env.looks = true
	return env.withService(ctx, func(s control.Service) error {
		show := env.progress()
		defer show.Stop()
		r, err := s.Plan(ctx, engine.PlanRequest{Job: job, Initial: o.Initial, User: o.User, Collisions: o.Collisions, Save: o.save(),
			Unchanged: env.options.Verbose || slices.Contains(o.Only, "none")}, show.Report)
		show.Stop()
		if err != nil {
			return err
		}
		if err := o.write(r.Saved); err != nil {
			return err
		}
		valid := r.Saved
		r.Saved = nil // it is in its file
		pending := slices.ContainsFunc(r.Changes, func(c engine.Change) bool { return c.Action != "none" && c.Action != "fail" })
		unchanged := env.options.Verbose || o.User != "" // who is asked for by name is told also when nothing happens
		arrange(r, o.Only, unchanged)
		shown := planShown
		if len(o.Only) > 0 || unchanged {
			shown = len(r.Changes)
		}
		if err := env.printer().Print(planResult(r, shown, unchanged)); err != nil {
			return err
		}
		if err := env.printPlanParts(r); err != nil {
			return err
		}
		if valid != nil {
			env.note("Saved to %s, valid until %s. To do exactly this: tenantsync apply %s", o.Out, valid.Expires.Format("2006-01-02 15:04 MST"), o.Out)
		}
		if o.DetailedExit && pending {
			return exitStatus(exitPending)
		}
		return nil
	})
}

// arrange puts the changes in the order of a plan and drops what was not asked
// for: users without a change are listed on request only.
func arrange(r *engine.PlanResult, only []string, verbose bool) {
	order := planActions()
	changes := make([]engine.Change, 0, len(r.Changes))
	for _, c := range r.Changes {
		unchanged := c.Action == "none" && (c.Code == "" || c.Code == string(engine.CodeRedundantExport))
		switch {
		case len(only) > 0 && !slices.Contains(only, c.Action):
		case len(only) == 0 && unchanged && !verbose:
		default:
			if c.Modified == nil {
				c.Modified = []engine.ChangeProperty{}
			}
			changes = append(changes, c)
		}
	}
	slices.SortStableFunc(changes, func(a, b engine.Change) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Action), slices.Index(order, b.Action)),
			cmp.Compare(a.Source.UPN, b.Source.UPN),
			cmp.Compare(a.Source.ID, b.Source.ID),
		)
	})
	r.Changes = changes
}

func planResult(r *engine.PlanResult, shown int, verbose bool) result {
	return result{
		Document: r,
		Items:    items(r.Changes),
		Table:    func() *table { return planTable(r) },
		Text: func(w io.Writer, p *printer) error {
			var b strings.Builder
			planHead(&b, r)
			planChanges(&b, p, r, shown, verbose)
			if err := planAttributes(&b, p, r); err != nil {
				return err
			}
			planCollisions(&b, p, r, shown)
			planFoot(&b, r)
			_, err := io.WriteString(w, b.String())
			return err
		},
	}
}

func planHead(b *strings.Builder, r *engine.PlanResult) {
	since := ""
	if !r.Since.IsZero() {
		since = " since " + r.Since.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	fmt.Fprintf(b, "Job %s   %s -> %s   %s%s\n", escape(r.Job), escape(r.Source), escape(r.Target), r.Cycle, since)
	if r.Cycle == "initial" && len(r.Attributes) > 0 { // of one user: how many are in scope was not counted
		is := "is"
		if r.InScope == 0 {
			is = "is not"
		}
		fmt.Fprintf(b, "One of %s, who %s in scope\n\n", plural(r.Read, "user", "users"), is)
		return
	}
	if r.Cycle == "initial" {
		fmt.Fprintf(b, "In scope %s of %s\n\n", count(r.InScope), plural(r.Read, "user", "users"))
		return
	}
	fmt.Fprintf(b, "In scope %s, %s read\n\n", plural(r.InScope, "user", "users"), plural(r.Read, "change", "changes"))
}

// planChanges lists changes, each with its attributes.
func planChanges(b *strings.Builder, p *printer, r *engine.PlanResult, shown int, verbose bool) {
	listed := 0
	for _, c := range r.Changes {
		if c.Action == "none" && !verbose && shown < len(r.Changes) {
			continue
		}
		if listed == shown {
			break
		}
		listed++
		planChange(b, p, c)
	}
	if rest := len(r.Changes) - listed; rest > 0 {
		fmt.Fprintf(b, "  … %s more; all: --output ndjson, or --only create|update|delete|disable|fail\n", count(rest))
	}
	if listed > 0 {
		b.WriteByte('\n')
	}
}

// planMark returns the sign that stands before an action.
func planMark(action string) string {
	switch action {
	case "create", "restore":
		return "+"
	case "update", "disable":
		return "~"
	case "delete", "stagedDelete":
		return "-"
	case "fail":
		return "!"
	}
	return "="
}

func planChange(b *strings.Builder, p *printer, c engine.Change) {
	head := fmt.Sprintf("%s %-7s", planMark(c.Action), c.Action)
	line := "  " + p.paint(actionColour(c.Action), head) + " " + escape(cmp.Or(c.Source.UPN, c.Source.ID))
	after := ""
	switch {
	case c.Action == "fail" || c.Action == "none":
		after = c.Code
	case c.Target != nil && c.Target.ID != "":
		after = "-> " + c.Target.ID
	}
	if after != "" {
		width := text.StringWidth("  " + head + " " + escape(cmp.Or(c.Source.UPN, c.Source.ID)))
		line += strings.Repeat(" ", max(3, 45-width)) + escape(after)
	}
	b.WriteString(line + "\n")
	width, names := notesAt, namesAt
	for _, m := range c.Modified {
		names = max(names, min(text.StringWidth(escape(m.Name)), namesAtMost))
		if planNote(c.Action, m) != "" {
			width = max(width, min(text.StringWidth(planValue(c.Action, m))+3, notesAtMost))
		}
	}
	for _, m := range c.Modified {
		planProperty(b, c.Action, m, names, width)
	}
	switch {
	case c.Action == "fail":
		detail := sentence(c.Reason)
		if c.Advice != "" {
			detail = strings.TrimSuffix(detail, ".") + ": " + c.Advice
		}
		if detail != "" {
			b.WriteString("      " + escape(detail) + "\n")
		}
	case c.Reason != "":
		fmt.Fprintf(b, "      %-*s %s\n", names, "because", escape(c.Reason))
	}
}

// notesAt and notesAtMost are how far right of its value a property's note
// begins: in one column for all properties of a change, unless a value is long.
const notesAt, notesAtMost = 22, 42

// namesAt and namesAtMost are the room for the names of a change's properties:
// extensionAttribute15 fits, and a directory extension stands out.
const namesAt, namesAtMost = 18, 20

// planValue writes the value a property gets, and the one it has.
func planValue(action string, m engine.ChangeProperty) string {
	from, to := shownValue(m.Old), shownValue(m.New)
	if m.OldName != "" { // people are named, not numbered
		from = escape(m.OldName)
	}
	if m.NewName != "" {
		to = escape(m.NewName)
	}
	if m.Old != nil || (action != "create" && action != "restore") {
		return from + " -> " + to
	}
	return to
}

// planNote says where a value comes from and when it is written, and that rules of
// the target may give rights by it.
func planNote(action string, m engine.ChangeProperty) string {
	from := ""
	if m.From != "" && action == "create" {
		from = "<- " + m.From
	}
	note := m.Note
	if m.Access && action != "create" { // a new user has no access yet
		note = strings.TrimSpace(note + "   (may decide access)")
	}
	if m.Drift {
		note = strings.TrimSpace(note + "   (changed in the target)")
	}
	return strings.TrimSpace(strings.Join([]string{from, note}, "   "))
}

func planProperty(b *strings.Builder, action string, m engine.ChangeProperty, names, width int) {
	value, note := planValue(action, m), planNote(action, m)
	pad := ""
	if note != "" {
		pad = strings.Repeat(" ", max(3, width-text.StringWidth(value)))
	}
	fmt.Fprintf(b, "      %-*s %s%s%s\n", names, escape(m.Name), value, pad, escape(note))
}

// shownValue writes a value in quotes, or that there is none.
func shownValue(v *string) string {
	switch {
	case v == nil:
		return "(none)"
	case *v == mapping.SensitiveText:
		return mapping.SensitiveText
	}
	return `"` + strings.ReplaceAll(escape(*v), `"`, `\"`) + `"`
}

func planFoot(b *strings.Builder, r *engine.PlanResult) {
	fmt.Fprintf(b, "Plan: %s.\n", planSentence(r.Summary))
	t := r.Threshold
	if t.Limit > 0 || t.Count > 0 {
		share := ""
		if r.Linked > 0 {
			percent := 100 * float64(t.Count) / float64(r.Linked)
			share = fmt.Sprintf("%.2f %% of %s linked", percent, count(r.Linked))
			if t.Percent > 0 {
				share += fmt.Sprintf("; limit %g %%", t.Percent)
				if percent > t.Percent && t.Count < engine.MinPercentDeletes {
					share += fmt.Sprintf(" from %d deletions on", engine.MinPercentDeletes)
				}
			}
			share = " (" + share + ")"
		}
		limit := "no limit"
		if t.Limit > 0 {
			limit = count(t.Limit)
		}
		fmt.Fprintf(b, "Deletion threshold: %s of %s%s. %s\n", count(t.Count), limit, share, heldSentence(r))
	} else if t.Held {
		b.WriteString(heldSentence(r) + "\n")
	}
	if h := r.HeldChanges; h != nil {
		fmt.Fprintf(b, "Held: %s (%s): %s. Let them through: tenantsync sync %s --accept\n",
			plural(h.Count, "change", "changes"), h.Reason, escape(h.Message), escape(r.Job))
	}
	if n := len(r.Kept); n > 0 {
		fmt.Fprintf(b, "Changed in %s by somebody else, and kept: %s of %s.\n", escape(r.Target), keptNames(r.Kept), plural(n, "user", "users"))
	}
	for _, g := range r.GoneGroups {
		fmt.Fprintf(b, "! group %s of the scope does not exist: nobody counts as being in it, and the cycle would end in quarantine (%s).\n", escape(g), engine.CodeScopeGroupDeleted)
	}
	planMails(b, r)
	fmt.Fprintf(b, "Requests: about %s to %s.\n", plural(r.Writes, "write", "writes"), escape(r.Target))
	fmt.Fprintf(b, "Nothing was written. To run the cycle: tenantsync sync %s\n", escape(r.Job))
}

// keptNames are the attributes that are kept, of all users together.
func keptNames(list []engine.KeptInTarget) string {
	var names []string
	for _, k := range list {
		names = append(names, k.Attributes...)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

func heldSentence(r *engine.PlanResult) string {
	switch {
	case r.Threshold.Held:
		return fmt.Sprintf("The deletions would be held for approval (%s).", cmp.Or(r.Threshold.Reason, string(engine.CodeTooManyDeletes)))
	case heldDeletions(r) > 0: // one by one, or held before
		why := ""
		if i := slices.IndexFunc(r.Changes, func(c engine.Change) bool { return c.Action == "stagedDelete" && c.Code != "" }); i >= 0 {
			why = " (" + r.Changes[i].Code + ")"
		}
		return fmt.Sprintf("%s would wait for approval%s.", plural(heldDeletions(r), "deletion", "deletions"), why)
	case r.HeldChanges != nil:
		return "No deletion would be held."
	}
	return "The cycle would run without approval."
}

// heldDeletions counts the deletions that would wait after the cycle.
func heldDeletions(r *engine.PlanResult) int {
	if r.HeldChanges != nil {
		return r.Summary.Held - r.HeldChanges.Count
	}
	return r.Summary.Held
}

// planSentence tells a summary as intentions.
func planSentence(s store.Summary) string {
	parts := []string{
		count(s.Create) + " to create", count(s.Update) + " to update",
		count(s.Disable) + " to disable", count(s.Delete) + " to delete",
	}
	if s.Restore > 0 {
		parts = append(parts, count(s.Restore)+" to restore")
	}
	parts = append(parts, count(s.Unchanged)+" unchanged")
	if s.Skipped > 0 {
		parts = append(parts, count(s.Skipped)+" skipped")
	}
	if s.Held > 0 {
		parts = append(parts, count(s.Held)+" held")
	}
	return strings.Join(append(parts, count(s.Failed)+" would fail"), ", ")
}

// planTable has one row for each change.
func planTable(r *engine.PlanResult) *table {
	t := &table{
		Columns: []column{
			{Key: "action", Title: "ACTION"}, {Key: "user", Title: "USER"}, {Key: "sourceId", Title: "SOURCE ID", Wide: true},
			{Key: "targetId", Title: "TARGET ID"}, {Key: "changes", Title: "CHANGES", Flex: true},
			{Key: "code", Title: "CODE"}, {Key: "reason", Title: "REASON", Flex: true}, {Key: "advice", Title: "ADVICE", Wide: true, Flex: true},
		},
		Colours: func(key, cell string) text.Color {
			if key == "action" {
				return actionColour(cell)
			}
			return 0
		},
	}
	for _, c := range r.Changes {
		id := ""
		if c.Target != nil {
			id = c.Target.ID
		}
		changes := make([]string, len(c.Modified))
		for i, m := range c.Modified {
			changes[i] = m.Name + ": " + shownValue(m.Old) + " -> " + shownValue(m.New)
		}
		t.Rows = append(t.Rows, []string{c.Action, c.Source.UPN, c.Source.ID, id, strings.Join(changes, "; "), c.Code, c.Reason, c.Advice})
	}
	return t
}

// shortTime writes a moment for a table, in UTC.
func shortTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}
