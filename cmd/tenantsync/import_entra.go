package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/internal/config"
	"tenantsync/internal/config/importer"
)

// importEntraOptions are the options of import entra.
type importEntraOptions struct {
	importOptions
	ServicePrincipal string
	Job              string
}

// declare adds the flags of the options to a command.
func (o *importEntraOptions) declare(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Source, "tenant", "", "the source `TENANT` to ask, by its name in the configuration (default: that of the only possible pair)")
	f.StringVar(&o.Source, "source", "", "the same, as import file calls it")
	_ = f.MarkHidden("source") // fails only for a flag that does not exist
	f.StringVar(&o.ServicePrincipal, "service-principal", "", "the configuration to take over, by the object id or display name (`ID|NAME`) of its service principal")
	f.StringVar(&o.Job, "sync-job", "", "the `ID` of the synchronization job to take over, where there are several")
	f.StringVar(&o.Target, "target", "", "the target `TENANT` by its name in the configuration (default: the one with the id the job writes to)")
	f.StringVar(&o.Name, "name", "", "the job's `NAME` (default: SOURCE-to-TARGET)")
}

func newImportEntraCommand(env *environment) *cobra.Command {
	opts := &importEntraOptions{}
	cmd := &cobra.Command{
		Use: "entra", Short: "Take over a synchronization job from the source tenant itself",
		Long: `Signs in to the source tenant, finds the jobs of Microsoft's own cross-tenant
synchronization there, and reads one with its schema, its assignments and its
settings through Microsoft Graph. Only reads. The job goes to standard output with
comments, as one item for jobs: of the configuration; standard error tells what
could not be taken over and why.

The assignments stay where they are: the scope names the service principal, and
whoever is assigned to it is in scope, as before. Interval and accidental-deletion
prevention come with the job.

The app needs Synchronization.Read.All and Application.Read.All in the source
tenant; the first can be taken away afterwards.`,
		Example:     examples("tenantsync import entra --tenant contoso", "tenantsync import entra --tenant contoso --service-principal Fabrikam --out fabrikam.yaml"),
		Args:        cobra.NoArgs,
		Annotations: exitCodes(exitDone, exitFailed, exitSignIn, exitUsage, exitConfig, exitInterrupted),
		RunE: env.runs(func(ctx context.Context, _ []string) error {
			return runImportEntra(ctx, env, opts)
		}),
	}
	opts.declare(cmd)
	cmd.Flags().StringVar(&opts.Out, "out", "", "write a whole configuration to this `FILE` instead; one that is there is never overwritten")
	return cmd
}

func runImportEntra(ctx context.Context, env *environment, opts *importEntraOptions) error {
	cfg, err := env.LoadConfig()
	if err != nil {
		return err
	}
	if err := opts.chooseTenant(cfg); err != nil {
		return err
	}
	tenant := cfg.Tenants[opts.Source]
	entra, err := newWiring(env.log(nil)).synchronization(tenant)
	if err != nil {
		return err
	}
	if !env.machine() {
		env.note("Asking %s …", tenant.Name)
	}
	jobs, err := entra.SynchronizationJobs(ctx, opts.ServicePrincipal)
	if err != nil {
		return syncReadError(err, tenant, opts)
	}
	job, err := opts.chooseJob(env, cfg, jobs)
	if err != nil {
		return err
	}
	content, err := entra.SynchronizationSchema(ctx, job)
	if err != nil {
		return syncReadError(err, tenant, opts)
	}
	if err := opts.nameTarget(cfg, job); err != nil {
		return err
	}
	imported, err := importer.Schema(content, importer.Settings{
		Name: opts.Name, Source: opts.Source, Target: opts.Target, ServicePrincipalID: job.ServicePrincipalID,
		SyncAll: job.SyncAll, Interval: job.Interval, PreventDeletions: job.PreventDeletions, DeletionThreshold: job.DeletionThreshold,
		Extensions: registeredExtensions(ctx, env, cfg.Tenants[opts.Target], content),
	})
	if fault := (*importer.Error)(nil); errors.As(err, &fault) {
		return &schemaError{"schema of job " + job.ID, fault}
	}
	if err != nil {
		return err
	}
	imported.Notes = append(imported.Notes, entraNotes(job, opts)...)
	return writeImport(env, &opts.importOptions, cfg, imported, map[string]string{opts.Source: tenant.TenantID, opts.Target: job.TargetTenantID})
}

// registeredExtensions returns what the directory extensions of the target tenant
// hold, where the schema names any and the configuration knows the tenant. The
// schema says so itself, as a rule: that the tenant does not tell is no reason to
// stop, and check compares them once more.
func registeredExtensions(ctx context.Context, env *environment, target *config.Tenant, schema []byte) map[string]importer.Extension {
	if target == nil || !bytes.Contains(schema, []byte("extension_")) {
		return nil
	}
	reader, err := newWiring(env.log(nil)).synchronization(target)
	if err != nil {
		return nil
	}
	list, err := reader.Extensions(ctx)
	if err != nil {
		return nil
	}
	out := make(map[string]importer.Extension, len(list))
	for _, e := range list {
		if e.Type == "LargeInteger" { // a schema knows one kind of whole number
			e.Type = "Integer"
		}
		out[e.Name] = importer.Extension{Type: e.Type, Multivalued: e.Multivalued}
	}
	return out
}

// synchronizationReader reads Microsoft's own synchronization jobs of a tenant.
type synchronizationReader interface {
	engine.ExtensionReader
	SynchronizationJobs(ctx context.Context, servicePrincipal string) ([]directory.SynchronizationJob, error)
	SynchronizationSchema(ctx context.Context, job directory.SynchronizationJob) ([]byte, error)
}

// chooseTenant makes sure that the source tenant is one of the configuration.
func (o *importEntraOptions) chooseTenant(cfg *config.Config) error {
	if o.Source == "" {
		o.Source, _ = onlyPair(cfg)
		if names := cfg.TenantNames(); len(names) == 1 {
			o.Source = names[0]
		}
		if cfg.Tenants[o.Source] == nil || len(cfg.Jobs) == 0 && len(cfg.Tenants) > 1 {
			return usagef("tenantsync import entra --tenant "+cfg.TenantNames()[0], "name the source tenant with --tenant: the configuration has %s.",
				strings.Join(cfg.TenantNames(), ", "))
		}
	}
	if cfg.Tenants[o.Source] == nil {
		return unknownWord("tenant", o.Source, cfg.TenantNames())
	}
	return nil
}

// chooseJob returns the one job that the options mean. Of several that are left,
// the person has to name one.
func (o *importEntraOptions) chooseJob(env *environment, cfg *config.Config, jobs []directory.SynchronizationJob) (directory.SynchronizationJob, error) {
	left := slices.DeleteFunc(slices.Clone(jobs), func(j directory.SynchronizationJob) bool {
		if o.Job != "" {
			return !strings.EqualFold(j.ID, o.Job)
		}
		target := cfg.Tenants[o.Target]
		return target != nil && j.TargetTenantID != "" && !strings.EqualFold(j.TargetTenantID, target.TenantID)
	})
	switch {
	case len(left) == 1:
		return left[0], nil
	case len(left) > 1:
		listJobs(env, cfg, left)
		return directory.SynchronizationJob{}, usagef("tenantsync import entra --tenant "+o.Source+" --sync-job "+left[0].ID,
			"%s has %d synchronization jobs: choose one with --sync-job, --service-principal or --target.", o.Source, len(left))
	case len(jobs) > 0:
		listJobs(env, cfg, jobs)
		return directory.SynchronizationJob{}, usagef("take one of the list", "no synchronization job of %s is the one that is asked for.", o.Source)
	case o.ServicePrincipal != "":
		return directory.SynchronizationJob{}, &engine.Error{Class: engine.ClassFailed, Code: "NoSynchronizationJob",
			Message: fmt.Sprintf("the service principal %q of %s has no job of cross-tenant synchronization.", o.ServicePrincipal, o.Source),
			Action:  "look for the configuration in " + o.Source + ": Cross-tenant synchronization, Configurations"}
	}
	return directory.SynchronizationJob{}, &engine.Error{Class: engine.ClassFailed, Code: "NoSynchronizationJob",
		Message: o.Source + " has no job of cross-tenant synchronization.",
		Cause:   "no service principal made from the template of cross-tenant synchronization has one",
		Action:  "ask the tenant that pushes its users; or name the service principal with --service-principal, or export the schema and use import file"}
}

// listJobs tells on standard error which jobs there are.
func listJobs(env *environment, cfg *config.Config, jobs []directory.SynchronizationJob) {
	var b strings.Builder
	for _, j := range jobs {
		target := "unknown"
		if j.TargetTenantID != "" {
			target = j.TargetTenantID
		}
		if name := tenantWithID(cfg, j.TargetTenantID); name != "" {
			target = name
		}
		fmt.Fprintf(&b, "  --sync-job %s   of %q to %s, %s\n", j.ID, cmp.Or(j.ServicePrincipal, j.ServicePrincipalID), target, cmp.Or(j.State, "state unknown"))
	}
	env.note("%s", strings.TrimRight(b.String(), "\n"))
}

// tenantWithID returns the name of the tenant with an id, "" when the
// configuration has none.
func tenantWithID(cfg *config.Config, id string) string {
	for _, name := range cfg.TenantNames() {
		if id != "" && strings.EqualFold(cfg.Tenants[name].TenantID, id) {
			return name
		}
	}
	return ""
}

// nameTarget names the target: as the flag says, or as the configuration calls
// the tenant that the job writes to, or else as nothing does yet.
func (o *importEntraOptions) nameTarget(cfg *config.Config, job directory.SynchronizationJob) error {
	known := tenantWithID(cfg, job.TargetTenantID)
	if o.Target == "" {
		o.Target = known
	}
	named := cfg.Tenants[o.Target]
	switch {
	case o.Target == "" && job.TargetTenantID == "":
		return o.complete(cfg)
	case o.Target == "":
		o.Target = "target"
		if cfg.Tenants[o.Target] != nil { // some other tenant
			o.Target = "target-" + job.TargetTenantID[:8]
		}
	case named == nil && known != "": // a slip of the pen must not make a second tenant of one
		return usagef("leave --target out, or name it "+known, "the job writes to tenant %s, which the configuration calls %s, not %s.", job.TargetTenantID, known, o.Target)
	case named != nil && job.TargetTenantID != "" && !strings.EqualFold(named.TenantID, job.TargetTenantID):
		return usagef("leave --target out, or correct the tenantId of "+o.Target, "the job writes to tenant %s, and %s is tenant %s.", job.TargetTenantID, o.Target, named.TenantID)
	}
	if o.Source == o.Target {
		return usagef("name another tenant with --target", "source and target are both %q.", o.Source)
	}
	return nil
}

// entraNotes says what a person has to see to besides the schema.
func entraNotes(job directory.SynchronizationJob, opts *importEntraOptions) []importer.Note {
	var notes []importer.Note
	where := "synchronization job"
	if job.SettingsHidden {
		notes = append(notes, importer.Note{Kind: importer.Check, Where: "settings", What: "the secrets of the service principal",
			Why: "they may not be read: whether everybody is synchronized or only who is assigned, the target tenant and accidental-deletion prevention are not known",
			Do:  "compare scope and deletions with the portal"})
	}
	if !job.SettingsHidden && job.SyncAll == nil {
		notes = append(notes, importer.Note{Kind: importer.Check, Where: "scope", What: "mode: assigned",
			Why: "the job does not tell whether it synchronizes everybody or only who is assigned", Do: "write mode: all if it is everybody"})
	}
	if job.Notifies {
		notes = append(notes, importer.Note{Kind: importer.LeftOut, Where: "notification e-mails",
			Why: "this program sends no mails", Do: "watch it instead: tenantsync status ends with exit code 5 while a job is in quarantine or deletions wait"})
	}
	if job.TargetTenantID == "" {
		notes = append(notes, importer.Note{Kind: importer.Check, Where: "target", What: opts.Target,
			Why: "the job does not tell which tenant it writes to", Do: "make sure that it is this one"})
	}
	if job.Runs() {
		notes = append(notes, importer.Note{Kind: importer.Check, Where: where, What: job.ID,
			Why: "it is active (" + cmp.Or(job.State, "state unknown") + "): two writers would fight over the same users",
			Do:  "stop provisioning in " + cmp.Or(job.ServicePrincipal, job.ServicePrincipalID) + " before this job starts: Stop, do not unassign, unassigning deletes the users in " + opts.Target})
	}
	return notes
}

// syncReadError turns an error of reading the jobs into what an operator reads.
func syncReadError(err error, tenant *config.Tenant, opts *importEntraOptions) error {
	graph := (*directory.Error)(nil)
	switch {
	case !errors.As(err, &graph):
		return err
	case graph.Kind == directory.NotFound && opts.ServicePrincipal != "":
		return usagef("tenantsync import entra --tenant "+tenant.Name+" shows the jobs there are",
			"there is no service principal %q with a synchronization job in %s.", opts.ServicePrincipal, tenant.Name)
	case graph.Kind == directory.NotFound:
		return &engine.Error{Class: engine.ClassFailed, Code: graph.Code, Message: "the synchronization job of " + tenant.Name + " cannot be read.",
			Cause: err.Error(), Action: "run the command again; the job may have been deleted meanwhile", RequestID: graph.RequestID, Err: err}
	}
	return engine.SignInError(err, tenant.Name, checkApp(tenant.Credential))
}
