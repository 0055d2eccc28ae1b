package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Only files with the whole name of a backup are backups of this state, so that
// none of somebody else's is ever removed as the oldest.
func TestBackupsOfAState(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.db")
	at := time.Date(2026, 11, 22, 17, 40, 0, 0, time.UTC)
	if list, err := backupsOf(state); err != nil || len(list) != 0 {
		t.Errorf("no folder: got %v, %v, want none", list, err)
	}
	dir := backupsDir(state)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ours := []string{backupName(state, at), backupName(state, at.Add(-time.Hour))}
	for _, name := range append(ours, "20261122T164000Z.db", "other-20261122T164000Z.db", "state-20261122T164000Z", "state-notes.db") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, backupName(state, at.Add(time.Hour))), 0o700); err != nil {
		t.Fatal(err)
	}
	list, err := backupsOf(state)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range list {
		got = append(got, filepath.Base(b.Path))
	}
	if len(got) != 2 || got[0] != ours[0] || got[1] != ours[1] || !list[0].TakenAt.Equal(at) {
		t.Errorf("got %q taken at %v, want %q, the newer one first", got, list, ours)
	}
}
