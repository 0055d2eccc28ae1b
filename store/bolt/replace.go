package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tenantsync/store"
)

// Restore puts a copy of the state file at from in the place of the one at path.
// The copy is verified, and marked as a backup if it is not yet, so that who opens
// it next knows it for an old state. What is at path is kept: it is named
// aside afterwards ("" when there was nothing). At no moment is path without a
// file, and the lock of the old file is held until the new one has its place.
//
// Errors wrap [store.ErrLocked] when somebody holds the state, and
// [store.ErrFormat] when from cannot be used; nothing has changed then.
func Restore(ctx context.Context, from, path string, now time.Time) (facts store.Facts, aside string, err error) {
	fail := func(err error) (store.Facts, string, error) {
		return facts, "", fmt.Errorf("restore %s to %s: %w", from, path, err)
	}
	if here, err := os.Stat(path); err == nil {
		if there, err := os.Stat(from); err == nil && os.SameFile(here, there) {
			return fail(errors.New("they are the same file"))
		}
	}
	old, err := hold(path)
	if err != nil {
		return fail(err)
	}
	defer func() { err = errors.Join(err, old.release()) }()
	temporary, err := duplicate(ctx, from, path)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = os.Remove(temporary) }() // gone already where it got its name
	ready := temporary + ".ready"
	facts, err = finishCopy(ctx, temporary, ready, func(c *Store) error { return c.markBackup(now) })
	if err != nil {
		return fail(err)
	}
	defer func() { _ = os.Remove(ready) }()
	facts.Path = path
	if aside, err = old.giveWay(ready, "before-restore", now); err != nil {
		return fail(err)
	}
	return facts, aside, nil
}

// Begin puts an empty state in the place of the file at path, be that usable or
// not, and keeps what is there under the name it returns ("" when there was
// nothing). See [Restore] for its errors.
func Begin(path string, now time.Time) (aside string, err error) {
	old, err := hold(path)
	if err != nil {
		return "", fmt.Errorf("begin a state at %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, old.release()) }()
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+beginning+"*")
	if err != nil {
		return "", fmt.Errorf("begin a state at %s: %w", path, err)
	}
	temporary := file.Name()
	defer func() { _ = os.Remove(temporary) }() // gone already where it got its name
	s, err := initialize(file, Options{})
	if err == nil {
		err = errors.Join(s.db.Sync(), s.Close())
	}
	if err == nil {
		aside, err = old.giveWay(temporary, "before-rebuild", now)
	}
	if err != nil {
		return "", fmt.Errorf("begin a state at %s: %w", path, err)
	}
	return aside, nil
}

// held is the file in a place, locked by us. It may be damaged, or missing.
type held struct {
	path string
	file *os.File // nil when there is none
}

// hold locks the file at path as an open store would.
func hold(path string) (*held, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return &held{path: path}, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err == nil && !lock(file) {
		err = store.ErrLocked
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &held{path: path, file: file}, nil
}

func (h *held) release() error {
	if h.file == nil {
		return nil
	}
	return release(h.file)
}

// giveWay gives the place to a finished file; the old one stays under the name
// that is returned.
func (h *held) giveWay(finished, why string, now time.Time) (aside string, err error) {
	if h.file != nil {
		if aside, err = h.keep(why, now); err != nil {
			return "", err
		}
	}
	if err := os.Rename(finished, h.path); err != nil {
		return "", err
	}
	return aside, syncDir(filepath.Dir(h.path))
}

// keep gives the old file a second name. A file system without hard links gets a
// copy.
func (h *held) keep(why string, now time.Time) (string, error) {
	stem := fmt.Sprintf("%s.%s-%s", h.path, why, now.UTC().Format(stamp))
	for n := 1; ; n++ {
		aside := stem
		if n > 1 {
			aside = fmt.Sprintf("%s-%d", stem, n)
		}
		err := os.Link(h.path, aside)
		switch {
		case err == nil:
			return aside, nil
		case errors.Is(err, fs.ErrExist) && n < 100:
			continue
		case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
			return "", err
		}
		return aside, copyFile(context.Background(), h.path, aside)
	}
}

// stamp is how names of files tell a time.
const stamp = "20060102T150405Z"

// duplicate copies a state file beside another path, under a temporary name.
func duplicate(ctx context.Context, from, path string) (string, error) {
	if err := inspect(from); err != nil {
		return "", err
	}
	// Whoever writes to it now would make the copy a mix: the lock says so.
	db, _, err := openBolt(from, Options{ReadOnly: true})
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }() // only read
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+beginning+"restore-"+fmt.Sprint(os.Getpid()))
	return temporary, copyFile(ctx, from, temporary)
}

// copyFile copies to a new file of mode 0600 and syncs it.
func copyFile(ctx context.Context, from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(&canceller{ctx: ctx, w: out}, in, make([]byte, 1<<20))
	err = errors.Join(err, out.Sync(), out.Close())
	if err != nil {
		_ = os.Remove(to) // half a copy is none
	}
	return err
}
