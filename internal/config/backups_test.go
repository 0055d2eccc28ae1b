package config_test

import (
	"errors"
	"testing"

	"tenantsync/internal/config"
)

// Backups that would fill the disk, or keep nothing, are refused with their place.
func TestBackupsThatCannotBeMeant(t *testing.T) {
	for rest, want := range map[string]string{
		"every: 59s":         "store.backups.every",
		"every: 1h, keep: 0": "store.backups.keep",
		"keep: 1001":         "store.backups.keep",
		"evry: 1h":           "store.backups.evry",
	} {
		_, err := parse(t, minimal+"store: {backups: {"+rest+"}}\n", nil, nil)
		var invalid *config.Invalid
		if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Path != want {
			t.Errorf("%s: got %v, want one problem at %s", rest, err, want)
		}
	}
	if c, err := parse(t, minimal+"store: {backups: {every: 0}}\n", nil, nil); err != nil || c.Store.Backups.Every != 0 {
		t.Errorf("every: 0: got %v", err)
	}
}
