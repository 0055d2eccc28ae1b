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
	Out string
}

func newInitCommand(env *environment) *cobra.Command {
	opts := &initOptions{}
	cmd := &cobra.Command{
		Use: "init", Short: "Write a commented configuration to begin with",
		Long: `Writes a commented configuration for one job between two tenants. A file that is
there already is never overwritten. The tenants' ids and the apps' client ids are
yours to fill in; the secrets stay outside, in environment variables.`,
		Example:     examples("tenantsync init", "tenantsync init --out /etc/tenantsync/config.yaml"),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage),
		RunE:        env.runs(func(context.Context, []string) error { return runInit(env, opts) }),
	}
	cmd.Flags().StringVar(&opts.Out, "out", "", "the `FILE` to write, - for standard output (default: --config, else config.yaml)")
	return cmd
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
	if err := createFile(path, config.WriteStarter); err != nil {
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
