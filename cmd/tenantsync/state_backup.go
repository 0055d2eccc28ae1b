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

	"tenantsync/internal/control"
	"tenantsync/store"
)

func newStateBackupCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup [FILE]",
		Short: "Make a verified backup of the state",
		Long: "Make a verified backup of the state, also while a daemon works with it. The copy is one moment of the\n" +
			"state, was read back whole, and says of itself that it is a backup. It has mode 0600 and never replaces\n" +
			"a file. Without FILE it goes into the folder backups beside the state file, named by its time.",
		Example:     examples("tenantsync state backup", "tenantsync state backup /mnt/backup/tenantsync.db -o json"),
		Annotations: exitCodes(exitDone, exitFailed, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		Args:        cobra.MaximumNArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			cfg, err := env.LoadConfig()
			if err != nil && env.options.Server == "" {
				return err
			}
			if err := env.needState(ctx, cfg); err != nil {
				return err
			}
			path, err := env.backupPath(args)
			if err != nil {
				return err
			}
			return env.withService(ctx, func(s control.Service) error {
				facts, err := receiveBackup(ctx, s, path)
				if err != nil {
					return err
				}
				return env.printer().Print(backupResult(facts))
			})
		}),
	}
	env.reasonFlag(cmd)
	return cmd
}

// backupPath is where a backup goes.
func (e *environment) backupPath(args []string) (string, error) {
	if len(args) == 1 {
		if _, err := os.Lstat(args[0]); err == nil {
			return "", usagef("choose a name that is free", "%s is there already, and a backup never replaces a file.", args[0])
		}
		return args[0], nil
	}
	cfg, err := e.LoadConfig()
	if err != nil {
		return "", err
	}
	dir := backupsDir(cfg.Store.Path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("create the folder of backups: %w", err)
	}
	return filepath.Join(dir, backupName(cfg.Store.Path, e.now())), nil
}

// receiveBackup writes a backup to a file that appears under its name when it is
// complete and on disk.
func receiveBackup(ctx context.Context, s control.Service, path string) (*store.Facts, error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("back up: %w", asPath(err, path))
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone already where it got its name
	facts, err := s.BackUp(ctx, file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return nil, fmt.Errorf("back up to %s: %w", path, err)
	}
	if err := name(file.Name(), path); err != nil {
		return nil, fmt.Errorf("back up to %s: %w", path, err)
	}
	facts.Path = path
	return facts, nil
}

// name gives a finished file its name, which must be free.
func name(temporary, path string) error {
	err := os.Link(temporary, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// A file system without hard links.
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	return os.Rename(temporary, path)
}

func backupResult(f *store.Facts) result {
	return result{
		Document: f,
		Text: func(w io.Writer, _ *printer) error {
			_, err := fmt.Fprintf(w, "Backed up to %s: %s, %s, verified.\n", escape(f.Path), inBytes(f.Size), plural(f.Links, "link", "links"))
			return err
		},
	}
}
