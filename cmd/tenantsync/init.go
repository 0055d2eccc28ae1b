package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tenantsync/internal/config"
)

// initOptions are the options of init.
type initOptions struct {
	importEntraOptions
	FromEntra bool
}

func newInitCommand(env *environment) *cobra.Command {
	opts := &initOptions{}
	cmd := &cobra.Command{
		Use: "init", Short: "Write a commented configuration to begin with",
		Long: `Writes a commented configuration for one job between two tenants. A file that is
there already is never overwritten. The tenants' ids and the apps' client ids are
yours to fill in; the secrets stay outside, in environment variables.

With --from-entra the job is the one that Microsoft's own cross-tenant
synchronization runs now: it is read from the source tenant with the credential
that the configuration (-c) has for it, as import entra does, and written to --out
together with the tenants.`,
		Example: examples("tenantsync init", "tenantsync init --out /etc/tenantsync/config.yaml",
			"tenantsync init --from-entra --tenant contoso -c tenants.yaml --out config.yaml"),
		Annotations: exitCodes(exitDone, exitFailed, exitSignIn, exitUsage, exitConfig, exitInterrupted),
		RunE: env.runs(func(ctx context.Context, _ []string) error {
			if opts.FromEntra {
				return runInitFromEntra(ctx, env, opts)
			}
			if opts.importEntraOptions != (importEntraOptions{importOptions: importOptions{Out: opts.Out}}) {
				return usagef("tenantsync init --from-entra …", "--tenant, --target, --name, --service-principal and --sync-job go with --from-entra.")
			}
			return runInit(env, opts)
		}),
	}
	cmd.Flags().StringVar(&opts.Out, "out", "", "the `FILE` to write, - for standard output (default: --config, else config.yaml)")
	cmd.Flags().BoolVar(&opts.FromEntra, "from-entra", false, "take the job over that Microsoft's own service runs in the source tenant")
	opts.declare(cmd)
	return cmd
}

// runInitFromEntra is import entra with a whole file as its result: there -c names
// the credential, so the file needs a name of its own.
func runInitFromEntra(ctx context.Context, env *environment, opts *initOptions) error {
	if opts.Out == "" || opts.Out == "-" {
		return usagef("tenantsync init --from-entra --out FILE; to see the job alone: tenantsync import entra", "name the file to write with --out.")
	}
	return runImportEntra(ctx, env, &opts.importEntraOptions)
}

func runInit(env *environment, opts *initOptions) error {
	path := opts.Out
	if path == "" {
		path = env.options.Config
	}
	if path == "" {
		path = "config.yaml"
	}
	if path == "-" {
		return config.WriteStarter(env.stdout)
	}
	if err := createConfig(path, config.WriteStarter); err != nil {
		return err
	}
	return env.printer().Print(result{
		Document: map[string]string{"config": path},
		Text: func(w io.Writer, _ *printer) error {
			_, err := fmt.Fprintf(w, `Wrote %[1]s.

Next steps:
  1. In each tenant register an app; put the ids and the scope into the file, or set
     its variables. Secrets stay outside.
  2. tenantsync check --permissions -c %[1]s      the permissions to consent to
  3. tenantsync check -c %[1]s                    file, sign-in, permissions, policies; writes nothing
  4. tenantsync plan -c %[1]s                     what a first cycle would do; writes nothing
  5. tenantsync run -c %[1]s                      the daemon, then: tenantsync start JOB
`, escape(path))
			return err
		},
	})
}
