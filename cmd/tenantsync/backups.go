package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"tenantsync/internal/config"
	"tenantsync/store"
)

// backer makes a verified backup of the state under a new name.
type backer interface {
	BackUpTo(ctx context.Context, path string) (*store.Facts, error)
}

const (
	// firstBackup is when the first backup of a state is made, where that is sooner
	// than the interval: a new state changes most in its first hour.
	firstBackup = time.Hour
	// backupSettle is how long a daemon that was just started works before it makes a
	// backup that is due.
	backupSettle = time.Minute
	// backupRetry is how long a backup that failed waits at most.
	backupRetry = time.Hour
)

// keepBackups makes backups of the state at their times until ctx ends, and keeps
// as many as are wanted. stop waits for one that is being made.
func keepBackups(ctx context.Context, b backer, s config.Store, log *zap.Logger) (stop func()) {
	if s.Backups.Every == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		started, failed := time.Now(), time.Time{}
		for {
			due := backupDue(s, started)
			if !failed.IsZero() {
				due = failed.Add(min(backupRetry, s.Backups.Every.Std()))
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(due)):
			}
			failed = time.Time{}
			facts, err := backUp(ctx, b, s)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				failed = time.Now()
				log.Error("backup failed", zap.Error(err))
			default:
				log.Info("backup made", zap.String("file", facts.Path), zap.Int64("bytes", facts.Size))
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// backupDue returns when the next backup is to be made: an interval after the
// newest one. What is dated ahead of the present, by a clock that was wrong, delays
// it by one interval at most.
func backupDue(s config.Store, started time.Time) time.Time {
	every, now := s.Backups.Every.Std(), time.Now()
	due := started.Add(min(every, firstBackup))
	if found, err := backupsOf(s.Path); err == nil && len(found) > 0 {
		due = found[0].TakenAt.Add(every)
	}
	if latest := now.Add(every); due.After(latest) {
		due = latest
	}
	if earliest := started.Add(min(every, backupSettle)); due.Before(earliest) {
		due = earliest
	}
	return due
}

// backUp makes one backup and removes those that are too many.
func backUp(ctx context.Context, b backer, s config.Store) (*store.Facts, error) {
	dir := backupsDir(s.Path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Stat(s.Path); err == nil {
		// A copy that fills the disk would stop the cycles.
		if free := mediumOf(dir).Free; free >= 0 && free < 2*info.Size() {
			return nil, fmt.Errorf("%s is free at %s, a backup needs %s and as much again", inBytes(free), dir, inBytes(info.Size()))
		}
	}
	facts, err := b.BackUpTo(ctx, filepath.Join(dir, backupName(s.Path, time.Now())))
	if err != nil {
		return nil, err
	}
	found, err := backupsOf(s.Path)
	if err == nil && facts.Links == 0 && len(found) > s.Backups.Keep {
		// A state that was begun anew after a loss must not push out what it can be restored from.
		return nil, errors.Join(errors.New("the state holds no links, and no earlier backup is given up for that: if it was lost, see tenantsync state restore"),
			os.Remove(facts.Path))
	}
	for i := s.Backups.Keep; err == nil && i < len(found); i++ {
		if rm := os.Remove(found[i].Path); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
			err = rm
		}
	}
	return facts, err
}
