package main

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"tenantsync/engine"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

// checkCopy verifies a state file that nobody works with, without changing it.
func checkCopy(ctx context.Context, path string) (*store.Facts, error) {
	copied, err := bolt.Open(path, bolt.Options{ReadOnly: true})
	if err != nil {
		return nil, unusableCopy(path, err)
	}
	defer func() { _ = copied.Close() }() // only read
	facts, err := copied.Check(ctx)
	return &facts, unusableCopy(path, err)
}

// unusableCopy says of a file that somebody named that it is no state: what to do
// about the job's own state is no answer there.
func unusableCopy(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &engine.Error{Class: engine.ClassUsage, Code: "FileNotFound", Message: "there is no such file: " + path + ".", Cause: err.Error(),
			Action: "name a backup: the daemon keeps them in the folder backups beside the state file"}
	case errors.Is(err, store.ErrFormat):
		return &engine.Error{Class: engine.ClassFailed, Code: "StateUnusable", Message: "the file cannot be used as a state; nothing was changed.",
			Cause: err.Error(), Action: "choose another backup: the daemon keeps them in the folder backups beside the state file"}
	}
	return err
}

// restoreState puts a backup in the place of the state file; see bolt.Restore.
func restoreState(ctx context.Context, from, path string, at time.Time) (store.Facts, string, error) {
	return bolt.Restore(ctx, from, path, at)
}

// lastAct returns the last record of the audit of a state file that nobody works
// with, nil where it has none or cannot be read.
func lastAct(ctx context.Context, path string) *store.Audit {
	state, err := bolt.Open(path, bolt.Options{ReadOnly: true})
	if err != nil {
		return nil
	}
	defer func() { _ = state.Close() }() // only read
	if list, err := state.Audit(ctx, store.AuditQuery{Limit: 1}); err == nil && len(list) == 1 {
		return &list[0]
	}
	return nil
}

// beginState puts an empty state in the place of the state file; see bolt.Begin.
func beginState(path string, at time.Time) (string, error) { return bolt.Begin(path, at) }

// highFile is beside a state file and says how far it had come; see bolt.HighFile.
func highFile(path string) string { return bolt.HighFile(path) }

// mediumOf tells what a file lies on.
func mediumOf(path string) bolt.Medium { return bolt.MediumOf(path) }

// scratchState is a state that is thrown away when it is closed.
func scratchState() (store.Store, error) { return bolt.Scratch("") }
