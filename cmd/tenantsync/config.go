package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"tenantsync/internal/config"
)

func newConfigCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "Validate and show the configuration",
		Long:    "Judges the configuration file, shows what is in effect, and prints the schema that\nlets editors complete it. Needs no network.",
		Example: examples("tenantsync config validate", "tenantsync config schema > config.schema.json"),
	}
	cmd.AddCommand(newConfigValidateCommand(env), newConfigSchemaCommand(env), newConfigShowCommand(env))
	return cmd
}

func newConfigValidateCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "validate", Short: "Report every problem of the configuration",
		Long: `Reads the configuration as every command does and reports all problems at once,
each with its place, an excerpt, and the nearest word where one is misspelt.`,
		Example:     examples("tenantsync config validate", "tenantsync config validate -c /etc/tenantsync/config.yaml -o json"),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage, exitConfig),
		RunE: env.runs(func(context.Context, []string) error {
			cfg, err := env.LoadConfig()
			if err != nil {
				return err
			}
			return env.printer().Print(result{
				Document: map[string]bool{"valid": true},
				Text: func(w io.Writer, _ *printer) error {
					_, err := fmt.Fprintf(w, "%s is valid: %s, %s.\n", escape(cfg.File),
						plural(len(cfg.Tenants), "tenant", "tenants"), plural(len(cfg.Jobs), "job", "jobs"))
					return err
				},
			})
		}),
	}
}

func newConfigSchemaCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of the configuration",
		Long: `Prints the JSON Schema of the configuration file. Editors with a YAML language
server complete and check the file with it when its first line is
  # yaml-language-server: $schema=./config.schema.json`,
		Example:     examples("tenantsync config schema > config.schema.json", "tenantsync config schema | jq .required"),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage),
		RunE: env.runs(func(context.Context, []string) error {
			return printBytes(env, config.Schema)
		}),
	}
}

func newConfigShowCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Print the configuration in effect, secrets masked",
		Long: `Prints the configuration as it is in effect: defaults filled in, variables and
files replaced, relative paths resolved, secrets masked.`,
		Example:     examples("tenantsync config show", "tenantsync config show -c ./config.yaml"),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage, exitConfig),
		RunE: env.runs(func(context.Context, []string) error {
			cfg, err := env.LoadConfig()
			if err != nil {
				return err
			}
			if !env.machine() {
				return printBytes(env, cfg.Masked)
			}
			return printMaskedJSON(env, cfg)
		}),
	}
}

// printBytes writes a document that comes ready to standard output.
func printBytes(env *environment, make func() ([]byte, error)) error {
	b, err := make()
	if err != nil {
		return err
	}
	if n := len(b); n == 0 || b[n-1] != '\n' {
		b = append(b, '\n')
	}
	_, err = env.stdout.Write(b)
	return err
}

// printMaskedJSON writes what config show writes, as JSON.
func printMaskedJSON(env *environment, cfg *config.Config) error {
	masked, err := cfg.Masked()
	if err != nil {
		return err
	}
	document, err := yaml.YAMLToJSON(masked)
	if err != nil {
		return fmt.Errorf("show configuration: %w", err)
	}
	return env.printer().Print(result{Document: json.RawMessage(document)})
}
