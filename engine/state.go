package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tenantsync/store"
)

// keeper returns what vouches for the state file, or an error for a store that has
// none.
func (e *Engine) keeper() (store.Keeper, error) {
	k, ok := e.store.(store.Keeper)
	if !ok {
		return nil, &Error{Class: ClassFailed, Code: "StateNotAFile", Message: "the state is not kept in a file.",
			Action: "check and back it up with the means of the database that holds it"}
	}
	return k, nil
}

// CheckState verifies the state file and says what is inside. The error wraps
// [store.ErrFormat] when something in it is damaged.
func (e *Engine) CheckState(ctx context.Context) (*store.Facts, error) {
	k, err := e.keeper()
	if err != nil {
		return nil, err
	}
	facts, err := k.Check(ctx)
	if errors.Is(err, store.ErrMoved) {
		return nil, StateMoved(err)
	}
	if err != nil {
		return nil, err
	}
	return &facts, nil
}

// stateMoved is the error code of [StateMoved]. The job keeps its cadence, as with
// a full disk.
const stateMoved = "StateMoved"

// StateMoved is the error of a run that did not begin, or of a check, because the
// state file was removed or replaced below this process.
func StateMoved(cause error) *Error {
	return &Error{Class: ClassFailed, Code: stateMoved, Message: "the state file was moved, removed or replaced while it was in use; nothing was begun.",
		Cause: cause.Error(), Err: cause,
		Action: "save what this process still has: tenantsync state backup FILE; then stop it, and: tenantsync state restore FILE"}
}

// BackUp writes a verified backup of the state to w. Cycles go on meanwhile: what
// is read in one transaction is a file beside the state, which is then handed out
// as slowly as w takes it. Facts.Path is "".
func (e *Engine) BackUp(ctx context.Context, w io.Writer) (*store.Facts, error) {
	k, err := e.keeper()
	if err != nil {
		return nil, err
	}
	// The name is one of those that the next start removes.
	dir, name := filepath.Split(k.Path())
	path := filepath.Join(dir, "."+name+".new-"+rand.Text())
	facts, err := k.Backup(ctx, path)
	if errors.Is(err, store.ErrFull) {
		return nil, &Error{Class: ClassFailed, Code: diskFull, Message: "there is no room for the backup.", Cause: err.Error(), Err: err,
			Action: "make room beside the state file for as much again as it has: the copy is made there, and then goes where it is wanted"}
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(path) }()
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("back up: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	if _, err := io.Copy(w, file); err != nil {
		return nil, fmt.Errorf("back up: %w", err)
	}
	facts.Path = ""
	return &facts, nil
}

// BackUpTo writes a verified backup of the state to a new file.
func (e *Engine) BackUpTo(ctx context.Context, path string) (*store.Facts, error) {
	k, err := e.keeper()
	if err != nil {
		return nil, err
	}
	facts, err := k.Backup(ctx, path)
	if err != nil {
		return nil, err
	}
	return &facts, nil
}
