package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"tenantsync/internal/config"
	"tenantsync/store"
)

// disk writes backups as a state would, and fails when told to.
type disk struct {
	err   error
	empty bool // the state knows nobody
	made  []time.Time
}

func (d *disk) BackUpTo(_ context.Context, path string) (*store.Facts, error) {
	if d.err != nil {
		return nil, d.err
	}
	d.made = append(d.made, time.Now())
	facts := &store.Facts{Path: path, Links: 7}
	if d.empty {
		facts.Links = 0
	}
	return facts, os.WriteFile(path, nil, 0o600)
}

// A daemon makes its first backup after an hour and one each interval from then on,
// also over restarts; it keeps as many as are wanted and leaves other files alone.
func TestBackupsAreMadeAndKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := config.Store{Path: filepath.Join(dir, "state.db"), Backups: config.Backups{Every: config.Duration(24 * time.Hour), Keep: 3}}
		d, begun := &disk{}, time.Now()
		run := func(span time.Duration) {
			stop := keepBackups(t.Context(), d, s, zap.NewNop())
			time.Sleep(span)
			synctest.Wait()
			stop()
		}
		run(50 * time.Hour)
		wantMade(t, d, begun, time.Hour, 25*time.Hour, 49*time.Hour)
		own := filepath.Join(dir, "backups", "state-before-upgrade.db")
		if err := os.WriteFile(own, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		run(time.Hour) // another start: the next is due 24 hours after the last, not after the start
		wantMade(t, d, begun, time.Hour, 25*time.Hour, 49*time.Hour)
		time.Sleep(40 * time.Hour) // overdue: made a minute after the start
		run(2 * time.Minute)
		wantMade(t, d, begun, time.Hour, 25*time.Hour, 49*time.Hour, 91*time.Hour+time.Minute)

		found, err := backupsOf(s.Path)
		if err != nil || len(found) != 3 || !found[2].TakenAt.Equal(begun.Add(25*time.Hour).UTC().Truncate(time.Second)) {
			t.Errorf("kept: got %+v, %v; want the newest three", found, err)
		}
		if _, err := os.Stat(own); err != nil {
			t.Errorf("a file of another name: %v, want it to stay", err)
		}
	})
}

func TestBackupThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := config.Store{Path: filepath.Join(t.TempDir(), "state.db"), Backups: config.Backups{Every: config.Duration(24 * time.Hour), Keep: 3}}
		d, begun := &disk{err: errors.New("no space")}, time.Now()
		defer keepBackups(t.Context(), d, s, zap.NewNop())()
		time.Sleep(90 * time.Minute)
		synctest.Wait()
		d.err = nil
		time.Sleep(time.Hour)
		synctest.Wait()
		wantMade(t, d, begun, 2*time.Hour)
	})
}

// A backup that is dated ahead, by a clock that was wrong, does not end backups.
func TestBackupOfTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := config.Store{Path: filepath.Join(t.TempDir(), "state.db"), Backups: config.Backups{Every: config.Duration(time.Hour), Keep: 3}}
		d, begun := &disk{}, time.Now()
		if err := os.MkdirAll(backupsDir(s.Path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(backupsDir(s.Path), backupName(s.Path, begun.AddDate(1, 0, 0))), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		defer keepBackups(t.Context(), d, s, zap.NewNop())()
		time.Sleep(61 * time.Minute)
		synctest.Wait()
		wantMade(t, d, begun, time.Hour)
	})
}

func wantMade(t *testing.T, d *disk, begun time.Time, want ...time.Duration) {
	t.Helper()
	var got, wanted []string
	for _, at := range d.made {
		got = append(got, at.Sub(begun).String())
	}
	for _, w := range want {
		wanted = append(wanted, w.String())
	}
	if strings.Join(got, " ") != strings.Join(wanted, " ") {
		t.Errorf("backups were made at %v, want %v", got, wanted)
	}
}

// A state that was lost and begun anew pushes out no backup that it could be
// restored from, however long nobody looks.
func TestEmptyStatePushesOutNoBackup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := config.Store{Path: filepath.Join(t.TempDir(), "state.db"), Backups: config.Backups{Every: config.Duration(24 * time.Hour), Keep: 3}}
		d := &disk{}
		run := func(span time.Duration) {
			stop := keepBackups(t.Context(), d, s, zap.NewNop())
			time.Sleep(span)
			synctest.Wait()
			stop()
		}
		run(50 * time.Hour)
		before, err := backupsOf(s.Path)
		if err != nil || len(before) != 3 {
			t.Fatalf("got %v, %v; want three backups", before, err)
		}
		d.empty, d.made = true, nil
		run(10 * 24 * time.Hour)
		if after, err := backupsOf(s.Path); err != nil || !slices.Equal(after, before) {
			t.Errorf("got %v, %v; want %v as they were", after, err, before)
		}
		if n := len(d.made); n == 0 || n > 10*24 {
			t.Errorf("it was tried %d times in ten days, want at most hourly", n)
		}
	})
}
