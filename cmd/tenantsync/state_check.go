package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tenantsync/internal/config"
	"tenantsync/internal/control"
	"tenantsync/store"
)

func newStateCheckCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Verify the state file, or a backup, and say what is inside",
		Long: "Verify the state file, or a backup, and say what is inside: everything is read, every link and log\n" +
			"entry decoded and compared with its indexes. A running daemon goes on meanwhile. What the file lies\n" +
			"on, who may read it and how old its backups are is looked at as well; that gives warnings only.",
		Example:     examples("tenantsync state check", "tenantsync state check backups/state-20261122T174000Z.db -o json"),
		Annotations: exitCodes(exitDone, exitFailed, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		Args:        cobra.MaximumNArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			if len(args) == 1 {
				facts, err := checkCopy(ctx, args[0])
				if err != nil {
					return err
				}
				return env.printer().Print(checkedResult(&checkedState{Verified: true, Facts: *facts}))
			}
			return env.checkState(ctx)
		}),
	}
}

// checkedState is what is known of a state file.
type checkedState struct {
	Verified bool `json:"verified"`
	store.Facts
	Medium   string         `json:"fileSystem,omitempty"`
	Backups  []backupFile   `json:"backups,omitempty"`
	Warnings []stateWarning `json:"warnings,omitempty"`
}

// stateWarning is something about a state file that should be looked at.
type stateWarning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Action  string `json:"action"`
}

// checkState checks the state of the configuration. A file that is not there is not
// created for it.
func (e *environment) checkState(ctx context.Context) error {
	cfg, err := e.LoadConfig()
	if err != nil && e.options.Server == "" {
		return err
	}
	if err := e.needState(ctx, cfg); err != nil {
		return err
	}
	return e.withService(ctx, func(s control.Service) error {
		facts, err := s.CheckState(ctx)
		if err != nil {
			return err
		}
		c := &checkedState{Verified: true, Facts: *facts}
		if err := c.look(cfg, e); err != nil {
			return err
		}
		return e.printer().Print(checkedResult(c))
	})
}

// needState refuses where there is no state file: to open it would create an empty
// one. A daemon answers for its own; without a configuration there is but that.
func (e *environment) needState(ctx context.Context, cfg *config.Config) error {
	if cfg == nil || e.options.Server != "" {
		return nil
	}
	if _, err := os.Stat(cfg.Store.Path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if answers, err := e.daemon(ctx, cfg); err != nil || answers != nil {
		return err
	}
	return usagef("a first cycle creates it; if there was one: tenantsync state restore FILE, or tenantsync state rebuild",
		"there is no state file at %s.", cfg.Store.Path)
}

// look adds what lies around the file. Without a configuration of its own, a
// command that asks another daemon does not know its settings.
func (c *checkedState) look(cfg *config.Config, e *environment) error {
	medium := mediumOf(c.Path)
	c.Medium = medium.Type
	warn := func(code, action, format string, args ...any) {
		c.Warnings = append(c.Warnings, stateWarning{code, fmt.Sprintf(format, args...), action})
	}
	if medium.Network {
		warn("NetworkFileSystem", "move it to a local disk", "the state file lies on %s: locks and memory maps are not reliable there", medium.Type)
	}
	if medium.FastCommit {
		warn("FastCommit", "update the kernel to 5.10.94, 5.15.27 or 5.17 and later, or turn fast_commit off with tune2fs",
			"this kernel can damage growing files on ext4 with the fast_commit feature when the power fails")
	}
	if info, err := os.Stat(c.Path); err == nil && info.Mode().Perm()&0o077 != 0 {
		warn("FileMode", "chmod 600 "+c.Path, "others than the owner may use the state file, which has mode %04o", info.Mode().Perm())
	}
	if info, err := os.Stat(filepath.Dir(c.Path)); err == nil && info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0 {
		warn("FolderMode", "chmod go-w "+filepath.Dir(c.Path), "others than the owner may replace the state file: its folder has mode %04o", info.Mode().Perm())
	}
	for _, j := range c.Jobs {
		if !j.Restored.IsZero() {
			warn("StateRestored", "see what it would do: tenantsync plan "+j.Name,
				"job %s works with a state of %s that was put back: its next cycle compares everybody and holds its deletes", j.Name, shortTime(j.Restored))
		}
	}
	var err error
	if c.Backups, err = backupsOf(c.Path); err != nil && !errors.Is(err, os.ErrPermission) {
		return err
	}
	if n := len(c.Backups); n > 0 && len(c.Jobs) == 0 && c.Created.After(c.Backups[0].TakenAt) {
		warn("EmptyState", "if one was lost: tenantsync state restore "+c.Backups[0].Path+", or tenantsync state rebuild",
			"no job ever ran with this state, which was begun after the newest backup was made")
	}
	if cfg == nil || cfg.Store.Backups.Every == 0 {
		return nil
	}
	every := cfg.Store.Backups.Every.Std()
	if len(c.Backups) > 0 && e.now().Sub(c.Backups[0].TakenAt) > 2*every {
		warn("OldBackup", "see the daemon's log, or make one: tenantsync state backup", "the newest backup is of %s, and one is wanted every %s",
			shortTime(c.Backups[0].TakenAt), cfg.Store.Backups.Every)
	}
	return nil
}

// checkedResult shows what is known of a state file.
func checkedResult(c *checkedState) result {
	return result{
		Document: c,
		Table:    func() *table { return stateJobs(c) },
		Text:     func(w io.Writer, p *printer) error { return writeChecked(w, p, c) },
	}
}

func writeChecked(w io.Writer, p *printer, c *checkedState) error {
	share := ""
	if c.Size > 0 {
		share = fmt.Sprintf(", %d %% of it free", c.Free*100/c.Size)
	}
	what := "The state file"
	if c.Backup != nil {
		what = "The backup of " + shortTime(c.Backup.TakenAt)
	}
	fmt.Fprintf(w, "%s %s is sound: format %d, begun %s, %s%s.\n", what, escape(c.Path), c.Format, shortTime(c.Created), inBytes(c.Size), share)
	fmt.Fprintf(w, "It holds %s, %s, %s; %s, %s, %s.\n", plural(c.Links, "link", "links"), plural(c.Entries, "log entry", "log entries"),
		plural(c.Cycles, "cycle", "cycles"), plural(c.Escrows, "retry", "retries"), plural(c.Intents, "open intent", "open intents"),
		plural(c.Holds, "held deletion", "held deletions"))
	if len(c.Jobs) > 0 {
		fmt.Fprintln(w)
		if err := p.table(stateJobs(c)); err != nil {
			return err
		}
	}
	if n := len(c.Backups); n > 0 {
		fmt.Fprintf(w, "\n%s in %s, the newest of %s.\n", plural(n, "backup", "backups"), escape(filepath.Dir(c.Backups[0].Path)), shortTime(c.Backups[0].TakenAt))
	}
	for _, x := range c.Warnings {
		fmt.Fprintf(w, "\nWarning: %s.\n", escape(x.Message))
		fmt.Fprintf(w, "Do:      %s\n", escape(x.Action))
	}
	return nil
}

func stateJobs(c *checkedState) *table {
	t := &table{Columns: []column{{Key: "job", Title: "JOB"}, {Key: "sourceTenantId", Title: "SOURCE TENANT"}, {Key: "targetTenantId", Title: "TARGET TENANT"},
		{Key: "linked", Title: "LINKED"}, {Key: "lastCycleEndedAt", Title: "LAST CYCLE (UTC)"}}}
	for _, j := range c.Jobs {
		ended := ""
		if !j.EndedAt.IsZero() {
			ended = shortTime(j.EndedAt)
		}
		t.Rows = append(t.Rows, []string{j.Name, j.Source, j.Target, count(j.Linked), ended})
	}
	return t
}
