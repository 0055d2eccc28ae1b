package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tenantsync/store"
)

// exportOptions are the options of logs export.
type exportOptions struct {
	logsOptions
	Schema string
	Out    string
}

// exportSchemas are the forms of logs export.
func exportSchemas() []string { return []string{"json", "ndjson", "entra-csv", "azure-monitor"} }

func newLogsExportCommand(env *environment) *cobra.Command {
	opts := &exportOptions{}
	cmd := &cobra.Command{
		Use: "export", Short: "Export the provisioning log",
		Long: `Exports provisioning log entries, newest first, in one of four forms:

  json           one array without indentation, as the admin centre downloads it
  ndjson         one entry a line
  entra-csv      three files as the admin centre downloads them, joined on changeId:
                 ` + strings.Join(entraFiles[:], ",\n                 ") + `
  azure-monitor  one record a line with the columns of the AADProvisioningLogs table

json, ndjson and azure-monitor go to standard output, or with --out to a file of
mode 0600. entra-csv goes to the folder --out, the working directory unless
given; its cells are safe to open in a spreadsheet. Without --schema the output
format decides: -o csv is entra-csv, -o ndjson is ndjson, everything else json.`,
		Example:     examples("tenantsync logs export --since 7d --schema entra-csv --out ./export", "tenantsync logs export --since 24h --schema azure-monitor > records.ndjson"),
		Annotations: logExits(),
		RunE:        env.runs(func(ctx context.Context, _ []string) error { return runLogsExport(ctx, env, opts) }),
	}
	opts.flags(cmd)
	cmd.Flags().StringVar(&opts.Schema, "schema", "", strings.Join(exportSchemas(), "|"))
	cmd.Flags().StringVar(&opts.Out, "out", "", "file to write, or folder for entra-csv")
	return cmd
}

func runLogsExport(ctx context.Context, env *environment, opts *exportOptions) error {
	schema := opts.Schema
	if schema == "" {
		switch env.options.Output {
		case formatCSV:
			schema = "entra-csv"
		case formatNDJSON:
			schema = "ndjson"
		default:
			schema = "json"
		}
	}
	if !slices.Contains(exportSchemas(), schema) {
		return unknownWord("schema", schema, exportSchemas())
	}
	q, err := opts.query(env)
	if err != nil {
		return err
	}
	entries, err := fetchLogs(ctx, env, q)
	if err != nil {
		return err
	}
	if schema == "entra-csv" {
		dir := opts.Out
		if dir == "" {
			dir = "."
		}
		paths, err := writeEntraCSV(dir, entries)
		if err == nil {
			env.note("%s written to %s", plural(len(entries), "entry", "entries"), strings.Join(paths, ", "))
		}
		return err
	}
	write := func(w io.Writer) error { return writeExport(w, schema, entries) }
	if opts.Out == "" {
		return write(env.stdout)
	}
	if err := writeFile(opts.Out, write); err != nil {
		return fmt.Errorf("export logs: %w", err)
	}
	env.note("%s written to %s", plural(len(entries), "entry", "entries"), opts.Out)
	return nil
}

// writeExport writes a stream form of the log.
func writeExport(w io.Writer, schema string, entries []store.Entry) error {
	if schema == "json" {
		return writeJSONLine(w, entries)
	}
	for i := range entries {
		var record any = &entries[i]
		if schema == "azure-monitor" {
			record = monitorOf(&entries[i])
		}
		if err := writeJSONLine(w, record); err != nil {
			return err
		}
	}
	return nil
}
