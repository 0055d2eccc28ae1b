package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"tenantsync/internal/config/importer"
)

// importFileOptions are the options of import file.
type importFileOptions struct {
	importOptions
	All              bool
	ServicePrincipal string
}

func newImportFileCommand(env *environment) *cobra.Command {
	opts := &importFileOptions{}
	cmd := &cobra.Command{
		Use: "file FILE", Short: "Take over an exported synchronization schema",
		Long: `Reads a synchronization schema, exported from Microsoft Entra or read with Graph
(GET /servicePrincipals/{id}/synchronization/jobs/{id}/schema), and writes the job
it describes, with comments, as one item for jobs: of the configuration. Standard
error tells what could not be taken over and why. FILE may be - for standard input,
in UTF-8 or UTF-16. Needs no network and no configuration; where there is one, its
tenants give the names.

A schema does not say who is assigned: write the scope yourself, or use --all or
--service-principal. A job that lost a restriction of its scope is written with
enabled: false.`,
		Example: examples("tenantsync import file schema.json", "tenantsync import file schema.json --source contoso --target fabrikam --out config.yaml",
			"tenantsync import file - -o json < schema.json"),
		Args:        cobra.ExactArgs(1),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage, exitConfig),
		RunE: env.runs(func(_ context.Context, args []string) error {
			return runImportFile(env, opts, args[0])
		}),
	}
	opts.declare(cmd)
	cmd.Flags().BoolVar(&opts.All, "all", false, "every user is in scope, as far as the filters let them")
	cmd.Flags().StringVar(&opts.ServicePrincipal, "service-principal", "", "the object `ID` of the configuration in the source tenant, whose assignments decide")
	return cmd
}

func runImportFile(env *environment, opts *importFileOptions, path string) error {
	if opts.All && opts.ServicePrincipal != "" {
		return usagef("give one of the two", "--all and --service-principal exclude each other.")
	}
	content, err := readInput(env, path)
	if err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	cfg, err := env.optionalConfig()
	if err != nil {
		return err
	}
	if err := opts.complete(cfg); err != nil {
		return err
	}
	settings := importer.Settings{Name: opts.Name, Source: opts.Source, Target: opts.Target, ServicePrincipalID: opts.ServicePrincipal}
	if opts.All {
		settings.SyncAll = &opts.All
	}
	job, err := importer.Schema(content, settings)
	var fault *importer.Error
	if errors.As(err, &fault) {
		if path == "-" {
			path = "standard input"
		}
		return &schemaError{path, fault}
	}
	if err != nil {
		return err
	}
	return writeImport(env, &opts.importOptions, cfg, job, nil)
}

// schemaError is a file that is no synchronization schema.
type schemaError struct {
	path  string
	fault *importer.Error
}

// Error names the file and says what is wrong.
func (e *schemaError) Error() string { return e.path + ": " + e.fault.Error() }

// problem returns the error as it is shown.
func (e *schemaError) problem() problem {
	return problem{Code: "SchemaInvalid", Message: sentence(e.fault.Message), Action: e.fault.Action,
		File: e.path, Line: e.fault.Line, Column: e.fault.Column}
}
