package bolt_test

import (
	"path/filepath"
	"testing"

	"tenantsync/store/bolt"
)

// The medium of a file is told without harm where there is none.
func TestMediumOf(t *testing.T) {
	dir := t.TempDir()
	if m := bolt.MediumOf(dir); m.Free <= 0 {
		t.Errorf("got %+v, want the free space of a place where files can be made", m)
	}
	if got, want := bolt.MediumOf(filepath.Join(dir, "no", "where")), (bolt.Medium{Free: -1}); got != want {
		t.Errorf("no such file: got %+v, want %+v", got, want)
	}
}
