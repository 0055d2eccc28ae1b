package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"tenantsync/store"
)

var _ store.Store = (*Store)(nil)

// defaultLock is how long Open waits for a lock that somebody else holds: long
// enough for a command that is about to end, short enough for a person.
const defaultLock = time.Second

// Options are choices about opening a state file. The zero value is for daily use.
type Options struct {
	// Lock is how long to wait while another process holds the file; 0 means one second.
	Lock time.Duration
	// ReadOnly opens an existing file for queries only, beside other readers.
	ReadOnly bool
	// NoSync leaves it to the operating system when commits reach the disk: for
	// files that are thrown away after a crash.
	NoSync bool
}

// Store is a state file. It is safe for concurrent use.
type Store struct {
	path string
	db   *bbolt.DB
	// names is what was last read of the names bucket; see namesIn.
	names atomic.Pointer[names]
	// pack belongs to the write transaction that is open.
	pack    packer
	closing sync.Once
	closed  error
	// scratch: the file goes with the store.
	scratch bool
	// watched: how far the state has come is noted beside the file.
	watched bool
	opened  os.FileInfo // of an existing file
}

// Open opens the state file at path and creates it, with mode 0600, where there
// is none. Its directory must exist. Errors wrap [store.ErrLocked] when another
// process holds the file, [store.ErrFormat] when it is not a usable state file,
// and [fs.ErrNotExist] when the directory (or, with ReadOnly, the file) is missing.
func Open(path string, opts Options) (*Store, error) {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("open state file %s: its directory must exist: %w", path, err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("open state file %s: %s is not a directory", path, dir)
	}
	// Two processes may begin at once: who loses the race to create opens what
	// the winner made.
	for attempt := 0; ; attempt++ {
		_, err := os.Lstat(path)
		switch {
		case err == nil:
			s, err := openExisting(path, opts)
			if errors.Is(err, errReplaced) && attempt < 3 {
				continue
			}
			return s, err
		case !errors.Is(err, fs.ErrNotExist) || opts.ReadOnly:
			return nil, fmt.Errorf("open state file: %w", err)
		}
		s, err := create(path, opts)
		lost := errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist)
		if !lost || attempt == 3 {
			return s, err
		}
	}
}

func openExisting(path string, opts Options) (*Store, error) {
	if err := inspect(path); err != nil {
		return nil, fmt.Errorf("open state file %s: %w", path, err)
	}
	db, opened, err := openBolt(path, opts)
	if err != nil {
		return nil, fmt.Errorf("open state file %s: %w", path, err)
	}
	s := &Store{path: path, db: db, opened: opened}
	err = checkPages(path)
	if err == nil {
		err = guarded(func() error { return db.View(checkFormat) })
	}
	if err != nil {
		return nil, fmt.Errorf("open state file %s: %w", path, errors.Join(err, db.Close()))
	}
	if moved, err := s.replaced(); err != nil || moved {
		err = errors.Join(err, db.Close())
		if moved {
			err = errors.Join(errReplaced, err)
		}
		return nil, err
	}
	if opts.ReadOnly {
		return s, nil
	}
	// With the lock in hand every half-made file beside this one is a leftover.
	removeLeftovers(path)
	s.watched = !opts.NoSync
	if err := errors.Join(s.complete(), guarded(s.recognize)); err != nil {
		return nil, fmt.Errorf("open state file %s: %w", path, errors.Join(err, db.Close()))
	}
	return s, nil
}

// complete adds what a file of an earlier version lacks.
func (s *Store) complete() error {
	return guarded(func() error {
		missing := false
		if err := s.db.View(func(tx *bbolt.Tx) error { missing = lacksLater(tx); return nil }); err != nil || !missing {
			return err
		}
		return s.db.Update(addLater)
	})
}

// openBolt opens a bbolt file, tells which file that is, and puts its errors and panics into our words.
func openBolt(path string, opts Options) (db *bbolt.DB, opened os.FileInfo, err error) {
	if opts.Lock <= 0 {
		opts.Lock = defaultLock
	}
	var file *os.File
	err = guarded(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:         opts.Lock,
			ReadOnly:        opts.ReadOnly,
			NoSync:          opts.NoSync,
			InitialMmapSize: firstSize(opts),
			FreelistType:    bbolt.FreelistMapType,
			// Check tells how much of a file is free.
			PreLoadFreelist: opts.ReadOnly,
			NoStatistics:    true,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				var err error
				file, err = os.OpenFile(name, flag, mode)
				return file, err
			},
		})
		return err
	})
	switch {
	case err == nil:
		if opened, err = file.Stat(); err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
		return db, opened, nil
	case errors.Is(err, bolterrors.ErrTimeout):
		if who := holder(path); who != "" {
			return nil, nil, fmt.Errorf("%w: %s", store.ErrLocked, who)
		}
		return nil, nil, store.ErrLocked
	case errors.Is(err, store.ErrFormat):
		// bbolt panicked over a page and left the file open and locked.
		if file != nil {
			err = errors.Join(err, release(file))
		}
		return nil, nil, err
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch),
		errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrInvalidMapping):
		return nil, nil, fmt.Errorf("%w: %w", store.ErrFormat, err)
	}
	return nil, nil, err
}

// throwawaySize is how long files are from the beginning that need not outlast a
// crash, in bytes. Those are many and small, and moving the mapping of each as it
// doubles would cost more than what is written to it.
const throwawaySize = 1 << 20

// firstSize is the least size of a file and of its mapping in bytes; 0 leaves it to bbolt.
func firstSize(opts Options) int {
	if opts.NoSync && !opts.ReadOnly {
		return throwawaySize
	}
	return 0
}

// Scratch opens a temporary store in dir ("" means the system's place for
// temporary files). It never syncs, and its file is gone after Close; where the
// system allows it, already before, so that a crash leaves nothing behind.
func Scratch(dir string) (*Store, error) {
	file, err := os.CreateTemp(dir, "tenantsync-*.scratch")
	if err != nil {
		return nil, fmt.Errorf("create scratch store: %w", err)
	}
	path := file.Name()
	s, err := initialize(file, Options{NoSync: true})
	if err != nil {
		return nil, fmt.Errorf("create scratch store %s: %w", path, errors.Join(err, os.Remove(path)))
	}
	s.scratch = os.Remove(path) != nil
	return s, nil
}

// Close releases the file after the batch and the queries that are under way. It
// may be called more than once.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.markHigh()
		if err := s.db.Close(); err != nil {
			s.closed = fmt.Errorf("close state file %s: %w", s.path, err)
		}
		if s.scratch {
			s.closed = errors.Join(s.closed, os.Remove(s.path))
		}
	})
	return s.closed
}

// Path returns where the file is.
func (s *Store) Path() string { return s.path }

// Size returns the length of the file in bytes.
func (s *Store) Size() (int64, error) {
	var size int64
	err := s.view(context.Background(), "measure", func(tx *bbolt.Tx, _ *names) error {
		size = tx.Size()
		return nil
	})
	return size, err
}

// view runs a query. Everything that fn hands out must be copied: the memory of
// a page is not valid after it.
func (s *Store) view(ctx context.Context, what string, fn func(*bbolt.Tx, *names) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.explain(what, guarded(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			n, err := s.namesIn(tx)
			if err != nil {
				return err
			}
			return fn(tx, n)
		})
	}))
}

// explain adds what was being done, and to which file.
func (s *Store) explain(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrAmbiguousID),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	if full(err) {
		return fmt.Errorf("%s: state file %s: %w: %w", what, s.path, store.ErrFull, err)
	}
	return fmt.Errorf("%s: state file %s: %w", what, s.path, err)
}

// full reports that a commit failed for want of room. bbolt passes some of these
// errors on as text.
func full(err error) bool {
	for _, cause := range []syscall.Errno{syscall.ENOSPC, syscall.EFBIG} {
		if errors.Is(err, cause) || strings.HasSuffix(err.Error(), ": "+cause.Error()) {
			return true
		}
	}
	return false
}

// guarded runs fn and turns what bbolt does on a damaged page into an error: it
// panics, or reads memory that the file does not back.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged("%v", p)
		}
	}()
	return fn()
}

// damaged is the error of a file whose content cannot be what was written.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: damaged: %s", store.ErrFormat, fmt.Sprintf(format, args...))
}
