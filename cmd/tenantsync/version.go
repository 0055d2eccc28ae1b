package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"tenantsync/internal/bill"
)

// version is set by the build with -ldflags "-X main.version=v1.2.3"; otherwise
// the version control system's word is taken.
var version string

// versionInfo is what `version -o json` prints.
type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersionCommand(env *environment) *cobra.Command {
	var wantsBill bool
	cmd := &cobra.Command{
		Use:         "version",
		Short:       "Version of this program, and what it is made of",
		Example:     examples("tenantsync version", "tenantsync version -o json", "tenantsync version --sbom > tenantsync.cdx.json"),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage),
		RunE: env.runs(func(context.Context, []string) error {
			if wantsBill {
				return writeBill(env.stdout)
			}
			info := readVersion()
			return env.printer().Print(result{
				Document: info,
				Table: func() *table {
					return &table{
						Columns: []column{{Key: "version", Title: "VERSION"}, {Key: "revision", Title: "REVISION"},
							{Key: "time", Title: "TIME"}, {Key: "go", Title: "GO"}, {Key: "platform", Title: "PLATFORM"}},
						Rows: [][]string{{info.Version, info.Revision, info.Time, info.Go, info.Platform}},
					}
				},
				Text: func(w io.Writer, _ *printer) error {
					_, err := fmt.Fprintf(w, "tenantsync %s (%s, %s)\n", info.Version, info.Go, info.Platform)
					return err
				},
			})
		}),
	}
	cmd.Flags().BoolVar(&wantsBill, "sbom", false, "the modules that are linked, with their versions and sums, as CycloneDX 1.5 (JSON whatever -o says)")
	return cmd
}

// readVersion gathers what the binary knows about itself.
func readVersion() versionInfo {
	info := versionInfo{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	if info.Version == "" {
		info.Version = build.Main.Version
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			info.Revision = s.Value
		case "vcs.time":
			info.Time = s.Value
		}
	}
	return info
}

// writeBill writes the bill of materials of this very binary.
func writeBill(w io.Writer) error {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("the binary does not say what it is made of: it was built without modules")
	}
	b := bill.Of(build, version)
	return b.Write(w)
}
