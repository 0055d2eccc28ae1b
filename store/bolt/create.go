package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// beginning marks files that are being made: .NAME.new-RANDOM beside NAME.
const beginning = ".new-"

// create makes a new state file. bbolt can leave a file unusable when the power
// fails while it is first written, so it is made under another name and takes
// its own only when it is complete and on disk. The lock is held throughout:
// nobody can slip in between. It returns an error like [fs.ErrExist] when
// somebody else was faster.
func create(path string, opts Options) (*Store, error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+beginning+"*")
	if err != nil {
		return nil, fmt.Errorf("create state file %s: %w", path, err)
	}
	temporary := file.Name()
	s, err := initialize(file, opts)
	if err != nil {
		return nil, fmt.Errorf("create state file %s: %w", path, errors.Join(err, os.Remove(temporary)))
	}
	if err := settle(s, temporary, path); err != nil {
		err = errors.Join(err, s.Close())
		_ = os.Remove(temporary) // gone already where settle got as far as renaming it
		return nil, fmt.Errorf("create state file %s: %w", path, err)
	}
	s.path = path
	if s.opened, err = os.Stat(path); err != nil {
		return nil, fmt.Errorf("create state file %s: %w", path, errors.Join(err, s.Close()))
	}
	s.watched = !opts.NoSync
	s.markHigh()
	removeLeftovers(path)
	return s, nil
}

// initialize makes an empty file a state file.
func initialize(empty *os.File, opts Options) (*Store, error) {
	if err := empty.Close(); err != nil {
		return nil, err
	}
	db, _, err := openBolt(empty.Name(), opts)
	if err != nil {
		return nil, err
	}
	if err := db.Update(func(tx *bbolt.Tx) error { return prepare(tx, time.Now()) }); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Store{path: empty.Name(), db: db}, nil
}

// settle gives the finished file its name without ever replacing another file.
func settle(s *Store, temporary, path string) error {
	if err := s.db.Sync(); err != nil {
		return err
	}
	err := os.Link(temporary, path)
	switch {
	case err == nil:
		_ = os.Remove(temporary) // a second name does no harm and goes with the leftovers
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
		return err
	default:
		// A file system without hard links: a rename that could replace a file made
		// in this very moment is the best there is.
		if _, err := os.Lstat(path); err == nil {
			return fs.ErrExist
		}
		if err := os.Rename(temporary, path); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a new name durable.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// removeLeftovers removes what crashes in the middle of create left beside path.
// A process that is in there just now loses nothing: path exists, so its link
// would be refused as well.
func removeLeftovers(path string) {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // a leftover is harmless
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+filepath.Base(path)+beginning) {
			_ = os.Remove(filepath.Join(dir, e.Name())) // harmless, and the next start tries again
		}
	}
}
