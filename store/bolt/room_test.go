package bolt_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"tenantsync/store/bolt"
)

// The reserve counts, but never more than a tenth of the file system, so that one
// that is nearly empty always has room.
func TestRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	for _, reserve := range []uint64{0, 1} {
		if err := bolt.Room(path, reserve); err != nil {
			t.Errorf("reserve %d: got %v, want room", reserve, err)
		}
	}
	err := error(&bolt.FullError{Path: path, Free: 1 << 19, Need: 64 << 20})
	if full := (*bolt.FullError)(nil); !errors.As(err, &full) || !strings.Contains(err.Error(), "0.5 MiB left, less than the reserve of 64.0 MiB") {
		t.Errorf("got %v, want both figures", err)
	}
	if err := bolt.Room(filepath.Join(path, "nowhere", "state.db"), 1<<60); err != nil {
		t.Errorf("where the system does not tell: got %v, want room", err)
	}
}
