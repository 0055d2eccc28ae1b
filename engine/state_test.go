package engine_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"tenantsync/engine"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

// A state that is kept in no file has no backup, and says so.
func TestAStateThatIsNoFile(t *testing.T) {
	story(t, func(w *world) {
		e, _ := w.failing(0) // hides that the store is a file
		_, err1 := e.CheckState(w.Context())
		_, err2 := e.BackUp(w.Context(), io.Discard)
		_, err3 := e.BackUpTo(w.Context(), filepath.Join(w.TempDir(), "b.db"))
		for i, err := range []error{err1, err2, err3} {
			var told *engine.Error
			if !errors.As(err, &told) || told.Code != "StateNotAFile" {
				w.Errorf("call %d: got %v, want StateNotAFile", i+1, err)
			}
		}
	})
}

// A backup that is handed out is the one that is written to a file, and nothing of
// it stays beside the state, whoever breaks off.
func TestBackupsOfTheState(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		facts, err := w.engine.CheckState(w.Context())
		if err != nil || facts.Links != 2 {
			w.Fatalf("check: got %+v, %v, want 2 links", facts, err)
		}
		beside := func() []string {
			left, err := filepath.Glob(filepath.Join(filepath.Dir(facts.Path), ".*"))
			if err != nil {
				w.Fatal(err)
			}
			return left
		}
		dir := w.TempDir()
		var out bytes.Buffer
		handed, err := w.engine.BackUp(w.Context(), &out)
		if err != nil || handed.Links != 2 || handed.Path != "" || handed.Backup == nil {
			w.Fatalf("handed out: got %+v, %v, want a marked backup of 2 links at no path", handed, err)
		}
		streamed := filepath.Join(dir, "streamed.db")
		if err := os.WriteFile(streamed, out.Bytes(), 0o600); err != nil {
			w.Fatal(err)
		}
		s, err := bolt.Open(streamed, bolt.Options{ReadOnly: true})
		if err != nil {
			w.Fatal(err)
		}
		if err := errors.Join(s.Verify(w.Context()), s.Close()); err != nil {
			w.Error(err)
		}
		written, err := w.engine.BackUpTo(w.Context(), filepath.Join(dir, "written.db"))
		if err != nil || written.Links != 2 || written.Path != filepath.Join(dir, "written.db") {
			w.Errorf("written: got %+v, %v, want 2 links at its path", written, err)
		}
		if _, err := w.engine.BackUpTo(w.Context(), filepath.Join(dir, "written.db")); err == nil {
			w.Error("written over an earlier backup: got no error")
		}
		if _, err := w.engine.BackUp(w.Context(), brokenWriter{}); !errors.Is(err, errFailing) {
			w.Errorf("broken off: got %v, want the writer's error", err)
		}
		if left := beside(); len(left) != 0 {
			w.Errorf("beside the state: got %q, want nothing left", left)
		}
	})
}

// brokenWriter is a client that went away.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errFailing }
