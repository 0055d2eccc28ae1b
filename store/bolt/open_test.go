package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"tenantsync/directory"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

var pair = store.Pair{Source: "11111111-1111-1111-1111-111111111111", Target: "22222222-2222-2222-2222-222222222222"}

// quick is for tests that are not about disks.
var quick = bolt.Options{NoSync: true}

func open(t testing.TB, path string, opts bolt.Options) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func apply(t testing.TB, s *bolt.Store, b store.Batch) {
	t.Helper()
	if err := s.Apply(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
}

func closeStore(t testing.TB, s *bolt.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// names lists a directory.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}

func TestOpenCreatesOneFileForItsOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	s := open(t, path, bolt.Options{})
	if got := names(t, dir); got != "state.db state.db.high" {
		t.Errorf("the directory holds %q, want state.db and state.db.high", got)
	}
	if s.Path() != path {
		t.Errorf("path: got %s, want %s", s.Path(), path)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %o, want 600", info.Mode().Perm())
	}
}

func TestOpenNeedsADirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "state.db")
	_, err := bolt.Open(path, bolt.Options{})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "directory must exist") {
		t.Errorf("got error %v, want one like fs.ErrNotExist that names the path and says that the directory must exist", err)
	}
}

func TestOpenBelowAFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(filepath.Join(path, "state.db"), bolt.Options{}); err == nil || !strings.Contains(err.Error(), path+" is not a directory") {
		t.Errorf("got error %v, want one that says that %s is no directory", err, path)
	}
}

func TestReadOnlyNeedsAFileAndTakesNoChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if _, err := bolt.Open(path, bolt.Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: got error %v, want fs.ErrNotExist", err)
	}
	s := open(t, path, quick)
	apply(t, s, store.Batch{Jobs: []store.Job{{Name: "job"}}})
	closeStore(t, s)
	one := open(t, path, bolt.Options{ReadOnly: true})
	two := open(t, path, bolt.Options{ReadOnly: true})
	for _, s := range []*bolt.Store{one, two} {
		if _, err := s.Job(t.Context(), "job"); err != nil {
			t.Errorf("read: %v", err)
		}
	}
	if err := one.Apply(t.Context(), &store.Batch{Jobs: []store.Job{{Name: "job"}}}); err == nil {
		t.Error("apply: got no error, want one")
	}
	if _, err := bolt.Open(path, bolt.Options{Lock: time.Millisecond}); !errors.Is(err, store.ErrLocked) {
		t.Errorf("writer beside readers: got error %v, want ErrLocked", err)
	}
}

func TestASecondOpenIsLockedOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, quick)
	_, err := bolt.Open(path, bolt.Options{Lock: time.Millisecond})
	if !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want ErrLocked with the path", err)
	}
	closeStore(t, s)
	open(t, path, quick)
}

// Who asks while the owner writes is told who has the file, never that it is damaged.
func TestAFileInUseIsNotCalledDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, quick)
	done := make(chan error)
	go func() {
		var err error
		for n := 0; n < 100 && err == nil; n++ {
			b := someBatch(n)
			err = s.Apply(t.Context(), &b)
		}
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
			if _, err := bolt.Open(path, bolt.Options{Lock: time.Millisecond}); !errors.Is(err, store.ErrLocked) {
				t.Errorf("got error %v, want ErrLocked", err)
			}
		}
	}
}

func TestManyFirstStartsMakeOneState(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	type result struct {
		s   *bolt.Store
		err error
	}
	results := make(chan result)
	for range 8 {
		go func() {
			s, err := bolt.Open(path, bolt.Options{Lock: time.Millisecond})
			results <- result{s, err}
		}()
	}
	opened := 0
	for range 8 {
		switch r := <-results; {
		case r.err == nil:
			opened++
			defer func() { _ = r.s.Close() }()
		case !errors.Is(r.err, store.ErrLocked):
			t.Errorf("got error %v, want ErrLocked or none", r.err)
		}
	}
	if got := names(t, dir); opened != 1 || got != "state.db state.db.high" {
		t.Errorf("%d opened it, the directory holds %q; want 1 and both", opened, got)
	}
}

func TestLeftoversOfACrashAtTheFirstStartGo(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	leftover := func() {
		t.Helper()
		for _, name := range []string{".state.db.new-1234", ".state.db.new-"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("half a file"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".other.db.new-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"creating", "opening"} {
		leftover()
		closeStore(t, open(t, path, quick))
		if got := names(t, dir); got != ".other.db.new-1 state.db" {
			t.Errorf("after %s the directory holds %q, want state.db and the other's", when, got)
		}
	}
}

func TestCloseTwiceAndUseAfterwards(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), quick)
	closeStore(t, s)
	closeStore(t, s)
	if _, err := s.Job(t.Context(), "job"); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("query after close: got error %v, want another than ErrNotFound", err)
	}
	if err := s.Apply(t.Context(), &store.Batch{Jobs: []store.Job{{Name: "job"}}}); err == nil {
		t.Error("apply after close: got no error, want one")
	}
}

func TestScratchLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s, err := bolt.Scratch(dir)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s, store.Batch{PutLinks: []store.Link{{Pair: pair, SourceID: "s"}}})
	if links, err := s.Links(t.Context(), store.LinkQuery{Pair: pair}); err != nil || len(links) != 1 {
		t.Errorf("got %d links, error %v; want 1", len(links), err)
	}
	closeStore(t, s)
	if got := names(t, dir); got != "" {
		t.Errorf("after close the directory holds %q, want nothing", got)
	}
}

// filledFile makes a state file with some of everything and returns the bytes
// that are in use; bbolt makes files longer than that.
func filledFile(t *testing.T, path string) []byte {
	t.Helper()
	s := open(t, path, quick)
	for n := range 5 {
		apply(t, s, someBatch(n))
	}
	size, err := s.Size()
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content[:size]
}

// someBatch is the n-th of a series of batches with some of everything.
func someBatch(n int) store.Batch {
	at := time.Date(2026, 3, 14, 9, n, 0, 0, time.UTC)
	job := fmt.Sprint("job ", n%3)
	b := store.Batch{
		Jobs:       []store.Job{{Name: job, HeldChanges: n}},
		PutMembers: []store.Member{{Job: job, Group: "g", ID: fmt.Sprint(n)}},
		PutEscrows: []store.Escrow{{Job: job, SourceID: fmt.Sprint(n), First: at}},
		Cycles:     []store.Cycle{{ID: fmt.Sprint(n), Job: job, StartedAt: at}},
		Log:        []store.Entry{{ID: fmt.Sprintf("entry %04d", n), JobID: job, ActivityDateTime: at}},
		Stage:      []store.StagePage{{Job: "staged", Seq: n + 1, Objects: make([]directory.Object, 30)}},
	}
	for i := range 20 {
		id := fmt.Sprintf("%08x-8a3e-4b7d-9c60-%012x", uint32(n*20+i)*2654435761, n)
		b.PutLinks = append(b.PutLinks, store.Link{Pair: pair, SourceID: id, TargetID: "t" + id, Job: job, ManagerSource: "m",
			Addresses: []string{id + "@contoso.example"},
			Exported:  directory.AttributesOf(map[string]directory.Value{"displayName": directory.TextOf("user " + id)})})
		b.Stage[0].Objects[i].ID = id
	}
	return b
}

func TestForeignFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	state := filledFile(t, filepath.Join(dir, "good.db"))
	edited := func(edit func(*bbolt.Tx) error) []byte {
		t.Helper()
		path := filepath.Join(dir, "edited.db")
		if err := os.WriteFile(path, state, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Update(edit), db.Close()); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	meta := func(key, value string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte(key), []byte(value)) }
	}
	tests := []struct {
		name    string
		content []byte
		says    string
	}{
		{"empty", nil, "it is empty"},
		{"text", []byte(strings.Repeat("version: 1\n", 1000)), "belongs to another program"},
		{"short", []byte("x"), "belongs to another program"},
		{"zeros", make([]byte, len(state)), "belongs to another program"},
		{"another bbolt file", edited(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("meta")) }), "another program"},
		{"another product", edited(meta("product", "something else")), "another program"},
		{"newer", edited(meta("format", "2")), "has format 2, written by a newer version; this version reads up to format 1"},
		{"format without number", edited(meta("format", "x")), `format version "x"`},
		{"format zero", edited(meta("format", "0")), `format version "0"`},
		{"a bucket missing", edited(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("links")) }), "bucket links is missing"},
		{"cut off", state[:len(state)-1], "cut off"},
		{"cut in half", state[:len(state)/2], "cut off"},
		{"cut after the head", state[:2*os.Getpagesize()], "cut off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			if err := os.WriteFile(path, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, opts := range []bolt.Options{{}, {ReadOnly: true}} {
				_, err := bolt.Open(path, opts)
				if !errors.Is(err, store.ErrFormat) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) {
					t.Errorf("%+v: got error %v, want ErrFormat with the path and %q", opts, err, tt.says)
				}
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, tt.content) {
				t.Errorf("the refused file was changed (error %v)", err)
			}
		})
	}
	t.Run("directory", func(t *testing.T) {
		if _, err := bolt.Open(t.TempDir(), bolt.Options{}); !errors.Is(err, store.ErrFormat) {
			t.Errorf("got error %v, want ErrFormat", err)
		}
	})
}

// Whatever page is destroyed, the store says so or does not need it; nothing
// ends the process.
func TestDamagedPagesAreErrors(t *testing.T) {
	dir := t.TempDir()
	state := filledFile(t, filepath.Join(dir, "good.db"))
	path := filepath.Join(dir, "state.db")
	page := os.Getpagesize()
	refused, found := 0, 0
	// A whole page shows when the file is opened, the values at its end only later.
	for n := range 6 {
		fill, part := []byte{0x00, 0xFF, 0x5A}[n%3], []int{page, page / 2}[n/3]
		for at := 3*page - part; at < len(state); at += page {
			damaged := bytes.Clone(state)
			copy(damaged[at:], bytes.Repeat([]byte{fill}, part))
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := bolt.Open(path, bolt.Options{NoSync: true, Lock: time.Millisecond})
			if err != nil {
				refused++
				if !errors.Is(err, store.ErrFormat) {
					t.Errorf("page %d filled with %x: got error %v, want ErrFormat", at/page, fill, err)
				}
				continue
			}
			if err := s.Verify(t.Context()); err != nil {
				found++
				if !errors.Is(err, store.ErrFormat) {
					t.Errorf("page %d filled with %x: verify: got error %v, want ErrFormat", at/page, fill, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Errorf("page %d filled with %x: close: %v", at/page, fill, err)
			}
		}
	}
	if refused == 0 || found == 0 {
		t.Errorf("%d pages were missed when opening and %d when verifying, want some of each", refused, found)
	}
}

func TestVerifyComparesLinksWithTheirIndexes(t *testing.T) {
	for _, in := range []string{"linkTargets", "linkAddresses", "linkManagers", "logIDs"} {
		for _, what := range []string{"missing", "surplus"} {
			path := filepath.Join(t.TempDir(), "state.db")
			filledFile(t, path)
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bbolt.Tx) error {
				b := tx.Bucket([]byte(in))
				if what == "surplus" {
					return b.Put([]byte("surplus"), nil)
				}
				k, _ := b.Cursor().First()
				return b.Delete(k)
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			if err := open(t, path, quick).Verify(t.Context()); !errors.Is(err, store.ErrFormat) {
				t.Errorf("%s entry in %s: got error %v, want ErrFormat", what, in, err)
			}
		}
	}
}
