package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newStateCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: "The state file: check, back up, restore, rebuild",
		Long: "The state file holds which target user belongs to which source user, and the provisioning log.\n" +
			"check and backup work beside a running daemon; restore and rebuild need the daemon stopped.",
		Example: examples("tenantsync state check", "tenantsync state backup"),
	}
	cmd.AddCommand(newStateCheckCommand(env), newStateBackupCommand(env), newStateRestoreCommand(env), newStateRebuildCommand(env))
	return cmd
}

// backupStamp is how names of backups tell their time.
const backupStamp = "20060102T150405Z"

// backupsDir is the folder of the backups of a state file.
func backupsDir(state string) string { return filepath.Join(filepath.Dir(state), "backups") }

// backupName is the name of a backup of a state file: state-20261122T174000Z.db.
func backupName(state string, at time.Time) string {
	stem, suffix := backupParts(state)
	return stem + at.UTC().Format(backupStamp) + suffix
}

func backupParts(state string) (stem, suffix string) {
	name := filepath.Base(state)
	suffix = filepath.Ext(name)
	return strings.TrimSuffix(name, suffix) + "-", suffix
}

// backupFile is a backup that lies in the folder.
type backupFile struct {
	Path    string    `json:"path"`
	TakenAt time.Time `json:"takenAt"`
	Size    int64     `json:"size"`
}

// backupsOf lists the backups of a state file, newest first. Files of other names
// are somebody's own.
func backupsOf(state string) ([]backupFile, error) {
	dir := backupsDir(state)
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return []backupFile{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}
	stem, suffix := backupParts(state)
	found := []backupFile{}
	for _, e := range entries {
		at, begins := strings.CutPrefix(e.Name(), stem)
		at, ends := strings.CutSuffix(at, suffix)
		if !begins || !ends {
			continue
		}
		taken, err := time.Parse(backupStamp, at)
		info, infoErr := e.Info()
		if err != nil || infoErr != nil || !info.Mode().IsRegular() {
			continue
		}
		found = append(found, backupFile{Path: filepath.Join(dir, e.Name()), TakenAt: taken, Size: info.Size()})
	}
	slices.SortFunc(found, func(a, b backupFile) int { return b.TakenAt.Compare(a.TakenAt) })
	return found, nil
}

// inBytes writes a size with the unit that fits it.
func inBytes(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", (n+1023)>>10)
}
