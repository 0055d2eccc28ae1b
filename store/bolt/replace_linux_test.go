package bolt_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tenantsync/store/bolt"
)

// What lies in the place of the state and is no file is neither replaced nor waited for.
func TestRestoreAndBeginOntoAPipeAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	begun(t, path+".old", 1)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	before := names(t, filepath.Dir(path))
	_, _, restore := bolt.Restore(t.Context(), path+".old", path, backupTime)
	_, begin := bolt.Begin(path, backupTime)
	for what, err := range map[string]error{"restore": restore, "begin": begin} {
		if err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: got %v, want a refusal", what, err)
		}
	}
	if got := names(t, filepath.Dir(path)); got != before {
		t.Errorf("the directory holds %q, want %q as before", got, before)
	}
}
