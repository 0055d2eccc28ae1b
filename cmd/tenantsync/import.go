package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tenantsync/internal/config"
	"tenantsync/internal/config/importer"
)

func newImportCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "import", Short: "Take over a synchronization of Microsoft Entra as a job",
		Long: `Turns a cross-tenant synchronization of Microsoft Entra into a job of this
program: attribute mappings, expressions and scoping filters. The job goes to
standard output with comments, the report of what could not be taken over, and why,
to standard error.`,
		Example: examples("tenantsync import entra --tenant contoso", "tenantsync import file schema.json --out config.yaml"),
	}
	cmd.AddCommand(newImportFileCommand(env), newImportEntraCommand(env))
	return cmd
}

// importOptions are the options that every import has.
type importOptions struct {
	Name, Source, Target string
	Out                  string
}

// declare adds the flags of the options to a command.
func (o *importOptions) declare(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Name, "name", "", "the job's `NAME` (default: SOURCE-to-TARGET)")
	f.StringVar(&o.Source, "source", "", "the source `TENANT` by its name in the configuration (default: that of the only possible pair, else source)")
	f.StringVar(&o.Target, "target", "", "the target `TENANT`, likewise")
	f.StringVar(&o.Out, "out", "", "write a whole configuration to this `FILE` instead; one that is there is never overwritten")
}

// complete fills in the tenants that no flag named from a configuration, nil if
// there is none.
func (o *importOptions) complete(cfg *config.Config) error {
	source, target := onlyPair(cfg)
	switch {
	case o.Source == "" && o.Target == "":
		o.Source, o.Target = source, target
	case o.Source == "":
		o.Source = otherThan(o.Target, source, target, "source")
	case o.Target == "":
		o.Target = otherThan(o.Source, target, source, "target")
	}
	if o.Source == o.Target {
		return usagef("name two tenants with --source and --target", "source and target are both %q.", o.Source)
	}
	return nil
}

// otherThan returns the first name that is not taken.
func otherThan(taken string, names ...string) string {
	return names[slices.IndexFunc(names, func(n string) bool { return n != taken })]
}

// onlyPair returns the pair of tenants when a configuration allows no other: the
// one of its jobs, or its two tenants. Else they are called source and target.
func onlyPair(cfg *config.Config) (source, target string) {
	source, target = "source", "target"
	if cfg == nil {
		return source, target
	}
	type pair struct{ source, target string }
	var pairs []pair
	for _, j := range cfg.Jobs {
		if p := (pair{j.Source, j.Target}); !slices.Contains(pairs, p) {
			pairs = append(pairs, p)
		}
	}
	if names := cfg.TenantNames(); len(pairs) == 0 && len(names) == 2 {
		pairs = []pair{{names[0], names[1]}}
	}
	if len(pairs) == 1 {
		source, target = pairs[0].source, pairs[0].target
	}
	return source, target
}

// optionalConfig returns the configuration for its names, nil where there is none.
// One that is there and cannot be used is an error only if a flag named it.
func (e *environment) optionalConfig() (*config.Config, error) {
	cfg, err := e.readConfig()
	var none *config.NotFoundError
	switch {
	case err == nil:
		return cfg, nil
	case e.options.Config != "":
		return nil, err
	case !errors.As(err, &none):
		e.note("The configuration cannot be read for the names of its tenants; they are called source and target. See: tenantsync config validate")
	}
	return nil, nil
}

// writeImport writes an imported job, or a whole configuration with --out, and its
// report. Tenants of the configuration come with it; ids are the tenant ids that
// are known of others, by name.
func writeImport(env *environment, opts *importOptions, cfg *config.Config, job *importer.Job, ids map[string]string) error {
	if err := checkImport(env, job); err != nil {
		return err
	}
	if opts.Out != "" {
		return writeImportedConfig(env, opts, cfg, job, ids)
	}
	if err := env.printer().Print(result{Document: job, Text: func(w io.Writer, _ *printer) error { return job.WriteYAML(w) }}); err != nil {
		return err
	}
	if err := reportImport(env, job); err != nil {
		return err
	}
	if !env.machine() {
		env.note("\nNext steps:\n%s", strings.Join(nextSteps("put the job below jobs: of the configuration, or write a whole one with --out FILE", "", job), "\n"))
	}
	return nil
}

// nextSteps are what to do with an imported job; flags select the configuration.
func nextSteps(first, flags string, job *importer.Job) []string {
	steps := []string{first}
	if !job.Assigned() {
		steps = append(steps, "say in scope who is assigned: nobody is yet")
	}
	width := len("tenantsync config validate" + flags)
	for _, c := range [][2]string{{"config validate", "judges the file"}, {"check", "sign-in, permissions, policies; writes nothing"}, {"plan", "what a first cycle would do; writes nothing"}} {
		steps = append(steps, fmt.Sprintf("%-*s   %s", width, "tenantsync "+c[0]+flags, c[1]))
	}
	for i, step := range steps {
		steps[i] = fmt.Sprintf("  %d. %s", i+1, step)
	}
	return steps
}

// checkImport judges the job as the configuration will, with names from the
// command line that may be unfit.
func checkImport(env *environment, job *importer.Job) error {
	var b strings.Builder
	tenants := importer.Tenants(importer.Tenant{Name: job.Source, ID: "11111111-1111-1111-1111-111111111111"},
		importer.Tenant{Name: job.Target, ID: "22222222-2222-2222-2222-222222222222"})
	if err := job.WriteConfig(&b, tenants); err != nil {
		return err
	}
	_, err := config.Parse("imported.yaml", []byte(b.String()), config.Options{
		Env:      func(string) (string, bool) { return "33333333-3333-3333-3333-333333333333", true },
		ReadFile: func(string) ([]byte, error) { return nil, errors.ErrUnsupported },
	})
	var invalid *config.Invalid
	if errors.As(err, &invalid) {
		p := invalid.Problems[0]
		return usagef(p.Action, "the job would not be valid: %s.", p.Message)
	}
	return err
}

// writeImportedConfig writes the whole configuration.
func writeImportedConfig(env *environment, opts *importOptions, cfg *config.Config, job *importer.Job, ids map[string]string) error {
	tenants := importer.Tenants(importer.Tenant{Name: job.Source, ID: ids[job.Source]}, importer.Tenant{Name: job.Target, ID: ids[job.Target]})
	copied, missing, err := copiedTenants(env, opts, cfg, job, ids)
	if err != nil {
		return err
	}
	if copied != "" {
		tenants = copied
	}
	err = createConfig(opts.Out, func(w io.Writer) error { return job.WriteConfig(w, tenants) })
	if err != nil {
		return err
	}
	if err := reportImport(env, job); err != nil {
		return err
	}
	return env.printer().Print(result{
		Document: map[string]string{"config": opts.Out},
		Text: func(w io.Writer, _ *printer) error {
			step := "complete the tenants, or set their variables"
			switch {
			case copied != "" && missing != "":
				step = "complete tenant " + missing + ", or set its variables"
			case copied != "":
				step = "nothing to do for the tenants: they are those of " + cfg.File
			}
			_, err := fmt.Fprintf(w, "Wrote %s.\n\nNext steps:\n%s\n", escape(opts.Out), escapeLines(strings.Join(nextSteps(step, " -c "+opts.Out, job), "\n")))
			return err
		},
	})
}

// reportImport writes the report to standard error: text, or a log record for
// each note where that stream carries JSON.
func reportImport(env *environment, job *importer.Job) error {
	if !env.machine() {
		return job.WriteReport(env.stderr)
	}
	env.say("info", fmt.Sprintf("took over %d of %d mappings and %d of %d filters", len(job.Mappings), job.MappingCount, len(job.Filters), job.FilterCount), "")
	for _, n := range job.Notes {
		level := "warn"
		if n.Kind == importer.Changed {
			level = "info"
		}
		record := struct {
			Level   string        `json:"level"`
			Time    string        `json:"ts"`
			Message string        `json:"msg"`
			Kind    importer.Kind `json:"kind"`
			Where   string        `json:"where"`
			What    string        `json:"what,omitempty"`
			Why     string        `json:"why"`
			Action  string        `json:"action,omitempty"`
		}{level, env.now().UTC().Format(time.RFC3339), n.Message(), n.Kind, n.Where, n.What, n.Why, n.Do}
		if err := writeJSONLine(env.stderr, record); err != nil {
			return err
		}
	}
	return nil
}
