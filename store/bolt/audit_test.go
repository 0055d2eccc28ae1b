package bolt_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"tenantsync/store"
	"tenantsync/store/bolt"
)

// raw edits a state file with bbolt alone.
func raw(t *testing.T, path string, edit func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(edit), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func withActs(t *testing.T, path string, n int) {
	t.Helper()
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		act := store.Audit{At: time.Now(), Actor: "alice", Act: "pause", Outcome: "begun"}
		if err := s.Apply(t.Context(), &store.Batch{Audit: []store.Audit{act}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A file that an earlier version wrote lacks the bucket: it opens, reads as
// having no acts, and takes them from then on.
func TestFilesOfBeforeTheAudit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	withActs(t, path, 0)
	raw(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("audit")) })
	for _, opts := range []bolt.Options{{ReadOnly: true}, {}} {
		s, err := bolt.Open(path, opts)
		if err != nil {
			t.Fatalf("%+v: %v", opts, err)
		}
		found, err := s.Audit(t.Context(), store.AuditQuery{})
		if err := errors.Join(err, s.Verify(t.Context())); err != nil || len(found) != 0 {
			t.Errorf("%+v: got %d acts, error %v; want none", opts, len(found), err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	withActs(t, path, 2)
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if found, err := s.Audit(t.Context(), store.AuditQuery{}); err != nil || len(found) != 2 {
		t.Errorf("after two acts: got %d, error %v", len(found), err)
	}
}

func TestVerifyFindsAChangedAudit(t *testing.T) {
	key := func(n byte) []byte { return []byte{0, 0, 0, 0, 0, 0, 0, n} }
	for name, c := range map[string]struct {
		edit func(*bbolt.Bucket) error
		says string
	}{
		"a name": {func(b *bbolt.Bucket) error {
			return b.Put(key(2), []byte(strings.ReplaceAll(string(b.Get(key(2))), "alice", "mallory")))
		}, "record 2 was changed"},
		"removed": {func(b *bbolt.Bucket) error { return b.Delete(key(2)) }, "record 2 is missing"},
		"moved":   {func(b *bbolt.Bucket) error { return b.Put(key(9), b.Get(key(3))) }, "audit record 3"},
		"no JSON": {func(b *bbolt.Bucket) error { return b.Put(key(3), []byte("{")) }, "record"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			withActs(t, path, 3)
			raw(t, path, func(tx *bbolt.Tx) error { return c.edit(tx.Bucket([]byte("audit"))) })
			s, err := bolt.Open(path, bolt.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Verify(t.Context()); !errors.Is(err, store.ErrFormat) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want ErrFormat with %q", err, c.says)
			}
		})
	}
}
