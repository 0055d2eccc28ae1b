package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"tenantsync/store"
	"tenantsync/store/bolt"
)

var backupTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ended is a batch that closes the n-th cycle of a job, with one more link.
func ended(n int) store.Batch {
	id, at := fmt.Sprintf("cccccccc-0000-4000-8000-%012d", n), backupTime.Add(time.Duration(n)*time.Hour)
	source := fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", n)
	return store.Batch{
		Jobs:     []store.Job{{Name: "j", Pair: pair, Ran: true, Linked: n, LastCycle: id, Watermark: "w"}},
		PutLinks: []store.Link{{Pair: pair, SourceID: source, TargetID: "t-" + source, Job: "j"}},
		Cycles:   []store.Cycle{{ID: id, Job: "j", Outcome: store.OutcomeSuccess, StartedAt: at, EndedAt: at.Add(time.Minute)}},
	}
}

func restored(t *testing.T, s *bolt.Store) time.Time {
	t.Helper()
	j, err := s.Job(t.Context(), "j")
	if err != nil {
		t.Fatal(err)
	}
	return j.Restored
}

// begun is a closed state file after n cycles.
func begun(t *testing.T, path string, n int) {
	t.Helper()
	s := open(t, path, bolt.Options{})
	for i := 1; i <= n; i++ {
		apply(t, s, ended(i))
	}
	closeStore(t, s)
}

func copied(t *testing.T, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBackupIsWholeMarkedAndPrivate(t *testing.T) {
	dir := t.TempDir()
	path, to := filepath.Join(dir, "state.db"), filepath.Join(dir, "b.db")
	s := open(t, path, bolt.Options{})
	for i := 1; i <= 3; i++ {
		apply(t, s, ended(i))
	}
	before := time.Now()
	facts, err := s.Backup(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	if facts.Links != 3 || facts.Cycles != 3 || facts.Path != to || len(facts.Jobs) != 1 || facts.Jobs[0].EndedAt.IsZero() {
		t.Errorf("facts: got %+v, want 3 links and 3 cycles of job j at %s", facts, to)
	}
	if m := facts.Backup; m == nil || m.TakenAt.Before(before.Add(-time.Second)) || m.Cycle != "cccccccc-0000-4000-8000-000000000003" {
		t.Errorf("mark: got %+v, want the present time and the third cycle", m)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %v %v, want 0600", info.Mode(), err)
	}
	if _, err := s.Backup(t.Context(), to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second backup to the same name: got %v, want an error like fs.ErrExist", err)
	}
	if got := restored(t, s); !got.IsZero() {
		t.Errorf("the state that was backed up says it is of %s", got)
	}
	if got := names(t, dir); got != "b.db state.db state.db.high" {
		t.Errorf("the directory holds %q, want the backup, the state and state.db.high", got)
	}
}

// A backup is one moment: while batches are committed, it has whole ones only.
func TestBackupWhileWritingIsOneMoment(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "state.db"), quick)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 1; ; i++ {
			b := ended(i)
			if err := s.Apply(t.Context(), &b); err != nil {
				t.Error(err)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for i := range 5 {
		facts, err := s.Backup(t.Context(), filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			t.Error(err)
		}
		if facts.Links != facts.Cycles || facts.Links > 0 && facts.Jobs[0].Linked != facts.Links {
			t.Errorf("backup %d is a mix: %+v", i, facts)
		}
	}
	close(stop)
	writer.Wait()
}

// Each way of putting an old state in the place of a newer one is found out, and
// nothing else is taken for one.
func TestOldStateIsKnown(t *testing.T) {
	for _, c := range []struct {
		name string
		// put changes what lies at path; old is a copy of it after the first of two cycles.
		put  func(t *testing.T, path, old string)
		want bool
	}{
		{"nothing was put back", func(*testing.T, string, string) {}, false},
		{"a copy made while it was stopped", func(t *testing.T, path, old string) { copied(t, old, path) }, true},
		{"a copy, with the file that says how far the state had come", func(t *testing.T, path, old string) {
			copied(t, old, path)
			if err := os.Remove(path + ".high"); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a backup of this very moment", func(t *testing.T, path, _ string) {
			s := open(t, path, bolt.Options{})
			if _, err := s.Backup(t.Context(), path+".backup"); err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			copied(t, path+".backup", path)
		}, true},
		{"the state of somebody else", func(t *testing.T, path, _ string) {
			begun(t, path+".other", 1)
			copied(t, path+".other", path)
		}, false},
		{"a note that is cut off", func(t *testing.T, path, _ string) {
			if err := os.WriteFile(path+".high", []byte("X"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"stopped in the middle of the next cycle", func(t *testing.T, path, _ string) {
			s := open(t, path, bolt.Options{})
			b := ended(3)
			b.Cycles[0].EndedAt = time.Time{}
			apply(t, s, b)
			copied(t, path, path+".killed") // as a kill leaves it
			closeStore(t, s)
			high, err := os.ReadFile(path + ".high")
			if err != nil {
				t.Fatal(err)
			}
			copied(t, path+".killed", path)
			if err := os.WriteFile(path+".high", high, 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			begun(t, path, 1)
			copied(t, path, path+".old")
			s := open(t, path, bolt.Options{})
			apply(t, s, ended(2))
			closeStore(t, s)
			c.put(t, path, path+".old")
			s = open(t, path, bolt.Options{})
			if got := restored(t, s); got.IsZero() == c.want {
				t.Errorf("restored: got %v, want a time: %v", got, c.want)
			}
			closeStore(t, s)
			s = open(t, path, bolt.Options{})
			if got := restored(t, s); got.IsZero() == c.want {
				t.Errorf("after another start, restored: got %v, want a time: %v", got, c.want)
			}
			if facts, err := s.Check(t.Context()); err != nil || facts.Backup != nil {
				t.Errorf("after a start: got mark %v, error %v; want neither", facts.Backup, err)
			}
		})
	}
}

func TestRestoreKeepsWhatWasThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	begun(t, path, 1)
	copied(t, path, path+".old")
	s := open(t, path, bolt.Options{})
	apply(t, s, ended(2))
	if _, _, err := bolt.Restore(t.Context(), path+".old", path, backupTime); !errors.Is(err, store.ErrLocked) {
		t.Errorf("restore of a state that is in use: got %v, want ErrLocked", err)
	}
	closeStore(t, s)
	for range 2 { // twice in one second: two files are kept
		facts, aside, err := bolt.Restore(t.Context(), path+".old", path, backupTime)
		if err != nil {
			t.Fatal(err)
		}
		if facts.Links != 1 || facts.Backup == nil || !strings.HasPrefix(aside, path+".before-restore-20260301T120000Z") {
			t.Errorf("got %+v, kept as %s; want one link, a mark, and .before-restore-20260301T120000Z", facts, aside)
		}
	}
	kept := open(t, path+".before-restore-20260301T120000Z", bolt.Options{ReadOnly: true})
	if facts, err := kept.Check(t.Context()); err != nil || facts.Links != 2 {
		t.Errorf("what was kept: got %d links, %v; want 2", facts.Links, err)
	}
	s = open(t, path, bolt.Options{})
	if got := restored(t, s); !got.Equal(backupTime) {
		t.Errorf("restored: got %v, want %v", got, backupTime)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %v %v, want 0600", info.Mode(), err)
	}
}

func TestRestoreRefusesADamagedCopy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	begun(t, path, 1)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{"cut off": raw[:len(raw)/2], "empty": nil, "text": []byte("not a state file")} {
		if err := os.WriteFile(path+".bad", damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := bolt.Restore(t.Context(), path+".bad", path, backupTime); !errors.Is(err, store.ErrFormat) {
			t.Errorf("%s: got %v, want ErrFormat", name, err)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != string(raw) {
			t.Errorf("%s: the state has changed (%v)", name, err)
		}
	}
	if got := names(t, filepath.Dir(path)); got != "state.db state.db.bad state.db.high" {
		t.Errorf("the directory holds %q, want nothing new", got)
	}
}

func TestBeginKeepsADamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	aside, err := bolt.Begin(path, backupTime)
	if err != nil || aside != path+".before-rebuild-20260301T120000Z" {
		t.Fatalf("got %q, %v; want the name of the old file", aside, err)
	}
	if raw, err := os.ReadFile(aside); err != nil || string(raw) != "damaged" {
		t.Errorf("what was kept: got %q, %v", raw, err)
	}
	s := open(t, path, bolt.Options{})
	if facts, err := s.Check(t.Context()); err != nil || facts.Links+facts.Cycles != 0 {
		t.Errorf("got %+v, %v; want an empty state", facts, err)
	}
	if _, err := bolt.Begin(path, backupTime); !errors.Is(err, store.ErrLocked) {
		t.Errorf("while it is open: got %v, want ErrLocked", err)
	}
}

func TestCheckTellsWhatIsFree(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), quick)
	var b store.Batch
	for i := range 3000 {
		b.PutLinks = append(b.PutLinks, ended(i).PutLinks...)
	}
	apply(t, s, b)
	full, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	drop := store.Batch{}
	for i := range b.PutLinks {
		drop.DropLinks = append(drop.DropLinks, b.PutLinks[i].Key())
	}
	apply(t, s, drop)
	apply(t, s, ended(1))
	empty, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if full.Links != 3000 || empty.Links != 1 || empty.Size < full.Size || empty.Free < full.Size/2 {
		t.Errorf("full: %d links, %d of %d bytes free; emptied: %d links, %d of %d free; want most of it free", full.Links, full.Free, full.Size,
			empty.Links, empty.Free, empty.Size)
	}
}

// A file that is removed or replaced while it is open is noticed, can still be
// saved, and leaves no word of itself beside the one that has its name now.
func TestOpenFileThatLostItsName(t *testing.T) {
	for _, way := range []string{"removed", "replaced"} {
		for _, opened := range []string{"new", "old"} {
			path := filepath.Join(t.TempDir(), "state.db")
			if opened == "old" {
				begun(t, path, 1)
			}
			s := open(t, path, bolt.Options{})
			apply(t, s, ended(2))
			if err := s.InPlace(); err != nil {
				t.Errorf("%s: in its place: got %v, want no error", opened, err)
			}
			other := filepath.Join(filepath.Dir(path), "other.db")
			begun(t, other, 1)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if way == "replaced" {
				copied(t, other, path)
				copied(t, other+".high", path+".high")
			}
			want := readAll(t, path+".high")
			apply(t, s, ended(3))
			if err := s.InPlace(); !errors.Is(err, store.ErrMoved) {
				t.Errorf("%s, %s: got %v, want %v", opened, way, err, store.ErrMoved)
			}
			if _, err := s.Check(t.Context()); !errors.Is(err, store.ErrMoved) {
				t.Errorf("%s, %s: check: got %v, want %v", opened, way, err, store.ErrMoved)
			}
			saved := filepath.Join(filepath.Dir(path), "saved.db")
			if _, err := s.Backup(t.Context(), saved); err != nil {
				t.Errorf("%s, %s: backup: got %v, want one", opened, way, err)
			}
			closeStore(t, s)
			if got := readAll(t, path+".high"); got != want {
				t.Errorf("%s, %s: beside the file: got %q, want %q as it was", opened, way, got, want)
			}
		}
	}
	s, err := bolt.Scratch(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	if err := s.InPlace(); err != nil {
		t.Errorf("a state that never had a name: got %v, want no error", err)
	}
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// A state that is gone comes back from a backup; it is of when the backup was taken,
// however often it was copied since, and nothing is kept aside where nothing was.
func TestRestoreWhereNothingIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	begun(t, path, 1)
	s := open(t, path, bolt.Options{})
	backup, err := s.Backup(t.Context(), path+".backup")
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	later := backup.Backup.TakenAt.Add(30 * 24 * time.Hour)
	facts, aside, err := bolt.Restore(t.Context(), path+".backup", path, later)
	if err != nil || aside != "" || facts.Links != 1 {
		t.Fatalf("got %d links, kept aside as %q, error %v; want one link and nothing kept", facts.Links, aside, err)
	}
	s = open(t, path, bolt.Options{})
	if got, want := restored(t, s), backup.Backup.TakenAt; !got.Equal(want) {
		t.Errorf("restored: got the state of %v, want that of %v, when the backup was taken", got, want)
	}
}

func TestRestoreOfItselfIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	begun(t, path, 1)
	if err := os.Link(path, path+".other-name"); err != nil {
		t.Skipf("no hard links here: %v", err)
	}
	for _, from := range []string{path, path + ".other-name"} {
		if _, _, err := bolt.Restore(t.Context(), from, path, backupTime); err == nil || !strings.Contains(err.Error(), "the same file") {
			t.Errorf("from %s: got %v, want a refusal", filepath.Base(from), err)
		}
	}
	s := open(t, path, bolt.Options{})
	if got := restored(t, s); !got.IsZero() {
		t.Errorf("restored: got %v, want a state as it was", got)
	}
}

// A copy that does not say when it was taken is of when its last cycle ended.
func TestOldStateIsOfItsLastCycle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, bolt.Options{})
	b := ended(1)
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Second) // after the file was made
	b.Cycles[0].StartedAt, b.Cycles[0].EndedAt = at, at.Add(time.Minute)
	apply(t, s, b)
	closeStore(t, s)
	copied(t, path, path+".old")
	s = open(t, path, bolt.Options{})
	apply(t, s, ended(2))
	closeStore(t, s)
	copied(t, path+".old", path)
	s = open(t, path, bolt.Options{})
	if got := restored(t, s); !got.Equal(at.Add(time.Minute)) {
		t.Errorf("restored: got %v, want %v, the end of the last cycle", got, at.Add(time.Minute))
	}
}

// A file of before states had an id gets one when it is opened to write, and keeps it;
// it is not taken for an old one.
func TestFilesOfBeforeStatesHadAnID(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	begun(t, path, 1)
	raw(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Delete([]byte("state")) })
	id := ""
	for start := range 2 {
		s := open(t, path, bolt.Options{})
		facts, err := s.Check(t.Context())
		if err != nil || facts.State == "" || id != "" && facts.State != id {
			t.Errorf("start %d: got id %q, error %v; before it was %q", start, facts.State, err, id)
		}
		if got := restored(t, s); !got.IsZero() {
			t.Errorf("start %d: restored: got %v, want no time", start, got)
		}
		id = facts.State
		closeStore(t, s)
	}
}

func TestRestoreThatIsCancelledLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	begun(t, path, 2)
	copied(t, path, path+".old")
	before := names(t, filepath.Dir(path))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, aside, err := bolt.Restore(ctx, path+".old", path, backupTime); !errors.Is(err, context.Canceled) || aside != "" {
		t.Errorf("got error %v, kept aside as %q; want it cancelled and nothing kept", err, aside)
	}
	if got := names(t, filepath.Dir(path)); got != before {
		t.Errorf("the directory holds %q, want %q as before", got, before)
	}
	s := open(t, path, bolt.Options{})
	if got := restored(t, s); !got.IsZero() {
		t.Errorf("restored: got %v, want a state as it was", got)
	}
}
