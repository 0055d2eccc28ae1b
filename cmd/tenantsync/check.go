package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/internal/config"
	"tenantsync/mapping"
)

// checkOptions are the options of check.
type checkOptions struct {
	Permissions bool
}

func newCheckCommand(env *environment) *cobra.Command {
	opts := &checkOptions{}
	cmd := &cobra.Command{
		Use: "check [JOB]", Short: "Check configuration, sign-in, permissions and policies of both sides",
		Long: `Checks a job, or every enabled job: the configuration, signing in to both tenants,
the permissions of the apps, and the policies that decide about B2B users. Reads
only; nothing is written to any tenant or to the state.

With --permissions nothing is asked: it prints the least permissions that the job
needs in each tenant, and how they are granted to its kind of credential.`,
		Example:     examples("tenantsync check contoso-to-fabrikam", "tenantsync check --permissions"),
		Args:        cobra.MaximumNArgs(1),
		Annotations: exitCodes(exitDone, exitFailed, exitSignIn, exitUsage, exitConfig, exitInterrupted),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			cfg, err := env.LoadConfig()
			if err != nil {
				return err
			}
			jobs, err := checkedJobs(env, cfg, args)
			if err != nil {
				return err
			}
			if opts.Permissions {
				return printPermissions(env, cfg, jobs)
			}
			return runCheck(ctx, env, cfg, jobs)
		}),
	}
	cmd.Flags().BoolVar(&opts.Permissions, "permissions", false, "print the least permissions instead, without asking anybody")
	return cmd
}

// checkedJobs returns the job that is named, else all enabled ones, else all.
func checkedJobs(env *environment, cfg *config.Config, args []string) ([]*config.Job, error) {
	if err := env.oneJob(args); err != nil {
		return nil, err
	}
	name := env.options.Job
	if len(args) > 0 {
		name = args[0]
	}
	if name != "" {
		job := cfg.Job(name)
		if job == nil {
			return nil, unknownWord("job", name, cfg.JobNames())
		}
		return []*config.Job{job}, nil
	}
	enabled := slices.DeleteFunc(slices.Clone(cfg.Jobs), func(j *config.Job) bool { return !j.Enabled })
	if len(enabled) == 0 {
		enabled = cfg.Jobs
	}
	if len(enabled) == 0 {
		return nil, usagef("add a job to the configuration; to take one over from Microsoft Entra: tenantsync import entra", "the configuration has no job to check.")
	}
	return enabled, nil
}

func runCheck(ctx context.Context, env *environment, cfg *config.Config, jobs []*config.Job) error {
	wired, err := newWiring(env.log(nil)).jobs(cfg)
	if err != nil {
		return err
	}
	subjects := make([]engine.CheckSubject, 0, len(jobs))
	for _, j := range jobs {
		i := slices.IndexFunc(wired, func(w engine.Job) bool { return w.Name == j.Name })
		subjects = append(subjects, checkSubject(cfg, j, wired[i]))
	}
	if !env.machine() {
		env.note("Asking %s …", strings.Join(checkedTenants(jobs), ", "))
	}
	found, err := engine.RunChecks(ctx, subjects)
	if err != nil {
		return err
	}
	checks := append([]engine.Check{configurationCheck(cfg)}, found...)
	if err := env.printer().Print(result{
		Document: map[string]any{"checks": checks}, Items: items(checks),
		Table: func() *table { return checkTable(checks) },
		Text:  func(w io.Writer, p *printer) error { return writeChecks(w, p, checks) },
	}); err != nil {
		return err
	}
	if slices.ContainsFunc(checks, func(c engine.Check) bool { return c.Status == engine.CheckFailure }) {
		return exitWith(exitSignIn)
	}
	return nil
}

// checkedTenants names the tenants of jobs, each once.
func checkedTenants(jobs []*config.Job) []string {
	var names []string
	for _, j := range jobs {
		names = append(names, j.Source, j.Target)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// configurationCheck is the first check: the file is valid, or the command would
// have ended before.
func configurationCheck(cfg *config.Config) engine.Check {
	c := engine.Check{Name: "configuration", Status: engine.CheckSuccess,
		Detail: fmt.Sprintf("%s: %s, %s", cfg.File, plural(len(cfg.Tenants), "tenant", "tenants"), plural(len(cfg.Jobs), "job", "jobs"))}
	if n := len(cfg.Warnings); n > 0 {
		c.Status, c.Action = engine.CheckWarning, "see: tenantsync config validate"
		c.Detail += ", " + plural(n, "warning", "warnings")
	}
	return c
}

// checkSubject adds what the configuration knows to a wired job.
func checkSubject(cfg *config.Config, j *config.Job, wired engine.Job) engine.CheckSubject {
	source, target := cfg.Tenants[j.Source], cfg.Tenants[j.Target]
	s := engine.CheckSubject{
		Job:             wired,
		SourceApp:       checkApp(source.Credential),
		TargetApp:       checkApp(target.ForWriting()),
		SourceNeeds:     needsOf(cfg, appOf(source, source.Credential)),
		TargetNeeds:     needsOf(cfg, appOf(target, target.ForWriting())),
		MemberByDefault: createsMembers(j),
		MemberAlways:    slices.ContainsFunc(j.Mappings, func(m config.Mapping) bool { return makesMembers(m) && m.FlowType == "Always" }),
		TypeFromSource:  slices.ContainsFunc(j.Mappings, typedBySource),
	}
	for _, other := range cfg.Jobs {
		if other != j && other.Enabled && other.Source == j.Source && other.Target == j.Target {
			s.Others = append(s.Others, other.Name)
		}
	}
	return s
}

func checkApp(c *config.Credential) engine.App {
	return engine.App{Kind: string(c.Kind), ClientID: c.ClientID}
}

// needsOf collects what the enabled jobs need of one app, on either side.
func needsOf(cfg *config.Config, app appKey) []string {
	var names []string
	for _, j := range cfg.Jobs {
		if !j.Enabled {
			continue
		}
		job := engineJob(cfg, j)
		source, target := cfg.Tenants[j.Source], cfg.Tenants[j.Target]
		var needs []engine.Permission
		if appOf(source, source.Credential) == app {
			needs = append(needs, engine.SourcePermissions(&job)...)
		}
		if appOf(target, target.ForWriting()) == app {
			needs = append(needs, engine.TargetPermissions(&job)...)
		}
		for _, p := range needs {
			names = append(names, p.Name)
		}
	}
	return names
}

// createsMembers reports whether the job makes new users members of the target.
func createsMembers(j *config.Job) bool {
	if len(j.Mappings) == 0 {
		return slices.ContainsFunc(mapping.Default(), func(m mapping.Mapping) bool {
			return m.Target == "userType" && isMember(m.Constant)
		})
	}
	return slices.ContainsFunc(j.Mappings, makesMembers)
}

func makesMembers(m config.Mapping) bool {
	return m.Target == "userType" && isMember(m.Constant.Value)
}

// typedBySource reports a mapping by which data of the source can make a member.
func typedBySource(m config.Mapping) bool {
	members := len(m.AllowedValues) == 0 || slices.ContainsFunc(m.AllowedValues, func(v config.Word) bool { return strings.EqualFold(string(v), "Member") })
	return m.Target == "userType" && (m.Source != "" || m.Expression != "") && members
}

func isMember(v directory.Value) bool { return strings.EqualFold(v.Text(), "Member") }

func checkTable(checks []engine.Check) *table {
	t := &table{
		Columns: []column{
			{Key: "status", Title: "STATUS"}, {Key: "tenant", Title: "TENANT"}, {Key: "name", Title: "CHECK"},
			{Key: "detail", Title: "DETAIL", Flex: true}, {Key: "action", Title: "ACTION", Flex: true},
			{Key: "job", Title: "JOB", Wide: true}, {Key: "permission", Title: "PERMISSION", Wide: true},
		},
		Colours: func(key, cell string) text.Color {
			if key == "status" {
				return actionColour(cell)
			}
			return 0
		},
	}
	for _, c := range checks {
		t.Rows = append(t.Rows, []string{string(c.Status), c.Tenant, c.Name, c.Detail, c.Action, c.Job, c.Permission})
	}
	return t
}

// writeChecks writes the checks under their tenants, each with what to do, and
// the totals.
func writeChecks(w io.Writer, p *printer, checks []engine.Check) error {
	var order []string
	groups := map[string][]engine.Check{}
	totals := map[engine.CheckStatus]int{}
	for _, c := range checks {
		if groups[c.Tenant] == nil {
			order = append(order, c.Tenant)
		}
		groups[c.Tenant] = append(groups[c.Tenant], c)
		totals[c.Status]++
	}
	var b strings.Builder
	for _, tenant := range order {
		if tenant != "" {
			fmt.Fprintf(&b, "\n%s\n", escape(tenant))
		}
		for _, c := range groups[tenant] {
			name := c.Name
			if c.Job != "" {
				name += " (" + c.Job + ")"
			}
			fmt.Fprintf(&b, "  %s  %s: %s\n", p.paint(actionColour(string(c.Status)), fmt.Sprintf("%-7s", c.Status)), escape(name), escape(c.Detail))
			if c.Action != "" {
				fmt.Fprintf(&b, "           do: %s\n", escape(c.Action))
			}
		}
	}
	fmt.Fprintf(&b, "\n%s failed, %s, %s passed, %s skipped. Nothing was written.\n",
		count(totals[engine.CheckFailure]), plural(totals[engine.CheckWarning], "warning", "warnings"),
		count(totals[engine.CheckSuccess]), count(totals[engine.CheckSkipped]))
	_, err := io.WriteString(w, strings.TrimPrefix(b.String(), "\n"))
	return err
}

// permissionRow is one permission of check --permissions.
type permissionRow struct {
	Tenant     string `json:"tenant"`
	Job        string `json:"job"`
	Side       string `json:"side"` // source, target
	Credential string `json:"credential"`
	ClientID   string `json:"clientId,omitempty"`
	engine.Permission
	How string `json:"how"`
}

// printPermissions prints the least set per tenant and credential kind.
func printPermissions(env *environment, cfg *config.Config, jobs []*config.Job) error {
	rows := []permissionRow{}
	for _, j := range jobs {
		job := engineJob(cfg, j)
		source, target := cfg.Tenants[j.Source], cfg.Tenants[j.Target]
		rows = append(rows, permissionRows(j.Source, j.Name, "source", source.Credential, engine.SourcePermissions(&job))...)
		rows = append(rows, permissionRows(j.Target, j.Name, "target", target.ForWriting(), engine.TargetPermissions(&job))...)
	}
	slices.SortStableFunc(rows, func(a, b permissionRow) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.ClientID, b.ClientID), cmp.Compare(a.Job, b.Job))
	})
	return env.printer().Print(result{
		Document: map[string]any{"permissions": rows}, Items: items(rows),
		Table: func() *table {
			t := &table{Columns: []column{
				{Key: "tenant", Title: "TENANT"}, {Key: "job", Title: "JOB"}, {Key: "side", Title: "SIDE"}, {Key: "credential", Title: "CREDENTIAL"},
				{Key: "clientId", Title: "CLIENT ID", Wide: true}, {Key: "permission", Title: "PERMISSION"}, {Key: "reason", Title: "NEEDED TO", Flex: true},
				{Key: "how", Title: "GRANT", Wide: true},
			}}
			for _, r := range rows {
				t.Rows = append(t.Rows, []string{r.Tenant, r.Job, r.Side, r.Credential, r.ClientID, r.Name, r.Reason, r.How})
			}
			return t
		},
		Text: func(w io.Writer, _ *printer) error { return writePermissions(w, rows) },
	})
}

func permissionRows(tenant, job, side string, c *config.Credential, perms []engine.Permission) []permissionRow {
	rows := make([]permissionRow, len(perms))
	for i, p := range perms {
		rows[i] = permissionRow{Tenant: tenant, Job: job, Side: side, Credential: string(c.Kind), ClientID: c.ClientID, Permission: p, How: checkApp(c).How()}
	}
	return rows
}

func writePermissions(w io.Writer, rows []permissionRow) error {
	var b strings.Builder
	last := permissionRow{}
	for _, r := range rows {
		if r.Tenant != last.Tenant || r.Job != last.Job || r.Side != last.Side {
			app := r.Credential
			if r.ClientID != "" {
				app += " " + r.ClientID
			}
			fmt.Fprintf(&b, "\n%s, %s of job %s (%s)\nGrant %s:\n", escape(r.Tenant), r.Side, escape(r.Job), escape(app), r.How)
		}
		fmt.Fprintf(&b, "  %-24s %s\n", r.Name, r.Reason)
		last = r
	}
	b.WriteString("\nMember.Read.Hidden is needed in the source as well where a scope group hides its members.\n" +
		"Optional in the source: Synchronization.Read.All, with Application.Read.All, lets check see the jobs of Microsoft's own service.\n")
	_, err := io.WriteString(w, strings.TrimPrefix(b.String(), "\n"))
	return err
}
