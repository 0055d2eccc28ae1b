package bolt_test

import (
	"path/filepath"
	"testing"

	"tenantsync/store"
	"tenantsync/store/bolt"
	"tenantsync/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) store.Store {
		t.Helper()
		// Most of the suite is about what is kept, not about disks.
		s, err := bolt.Open(filepath.Join(dir, "state.db"), bolt.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
