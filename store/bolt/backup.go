package bolt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

var _ store.Keeper = (*Store)(nil)

// Backup writes a verified copy of what is committed now to a new file at path.
// The copy is made under another name, marked, read back whole and on disk before
// it takes its own. The transaction that it is read in is held for the copying
// alone, which goes at the speed of the disk: no page is kept alive for a slow
// reader.
func (s *Store) Backup(ctx context.Context, path string) (store.Facts, error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+beginning+"*") // mode 0600
	if err != nil {
		return store.Facts{}, fmt.Errorf("back up to %s: %w", path, err)
	}
	temporary := file.Name()
	defer func() { _ = os.Remove(temporary) }() // gone already where it got its name
	if err := s.copyTo(ctx, file); err != nil {
		return store.Facts{}, fmt.Errorf("back up to %s: %w", path, errors.Join(err, file.Close()))
	}
	if err := file.Close(); err != nil {
		return store.Facts{}, fmt.Errorf("back up to %s: %w", path, err)
	}
	facts, err := finishCopy(ctx, temporary, path, func(c *Store) error { return c.markBackup(time.Now()) })
	if err != nil {
		return facts, fmt.Errorf("back up to %s: %w", path, err)
	}
	return facts, nil
}

// copyTo copies the committed pages in one reading transaction.
func (s *Store) copyTo(ctx context.Context, file *os.File) error {
	w := bufio.NewWriterSize(&canceller{ctx: ctx, w: file}, 1<<20)
	return s.view(ctx, "copy", func(tx *bbolt.Tx, _ *names) error {
		if _, err := tx.WriteTo(w); err != nil {
			return err
		}
		return w.Flush()
	})
}

// canceller ends a copy when its context does.
type canceller struct {
	ctx context.Context
	w   io.Writer
}

// Write implements io.Writer.
func (c *canceller) Write(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(b)
}

// finishCopy opens a finished copy under its temporary name, changes it, verifies
// it and gives it its own name, which must be free.
func finishCopy(ctx context.Context, temporary, path string, change func(*Store) error) (store.Facts, error) {
	if err := inspect(temporary); err != nil {
		return store.Facts{}, err
	}
	db, _, err := openBolt(temporary, Options{})
	if err != nil {
		return store.Facts{}, err
	}
	c := &Store{path: temporary, db: db}
	err = guarded(func() error { return db.View(checkFormat) })
	if err == nil {
		err = change(c)
	}
	var facts store.Facts
	if err == nil {
		facts, err = c.Check(ctx)
	}
	if err == nil {
		err = settle(c, temporary, path)
	}
	facts.Path = path
	return facts, errors.Join(err, c.Close())
}

// markBackup makes the copy say of itself that it is one. A copy of a copy stays
// as old as that one was.
func (s *Store) markBackup(now time.Time) error {
	return guarded(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			meta := tx.Bucket(metaBucket)
			if meta.Get(backupKey) != nil {
				return nil
			}
			m := store.Mark{TakenAt: microseconds(now)}
			if c, ok := lastCycle(tx); ok {
				m.Cycle = c.ID
			}
			text, err := appendJSON(nil, m)
			if err != nil {
				return err
			}
			return meta.Put(backupKey, text)
		})
	})
}

// Check verifies the file and says what is inside.
func (s *Store) Check(ctx context.Context) (store.Facts, error) {
	facts := store.Facts{Path: s.path, Jobs: []store.JobFacts{}}
	err := s.view(ctx, "check", func(tx *bbolt.Tx, n *names) error { return s.facts(tx, n, &facts) })
	if err == nil {
		err = s.InPlace()
	}
	if err != nil {
		return facts, err
	}
	return facts, s.Verify(ctx)
}

func (s *Store) facts(tx *bbolt.Tx, n *names, f *store.Facts) error {
	meta := tx.Bucket(metaBucket)
	f.Format, _ = strconv.Atoi(string(meta.Get(formatKey))) // was read when the file was opened
	f.State, f.Created, f.Size = string(meta.Get(stateKey)), createdOf(tx), tx.Size()
	var err error
	if f.Backup, err = markIn(meta); err != nil {
		return err
	}
	for _, c := range []struct {
		in bucket
		to *int
	}{{inLinks, &f.Links}, {inLog, &f.Entries}, {inCycles, &f.Cycles}, {inEscrows, &f.Escrows}, {inIntents, &f.Intents}, {inHolds, &f.Holds}} {
		*c.to = count(tx.Bucket(bucketNames[c.in]))
	}
	if f.Free, err = freeIn(tx); err != nil {
		return err
	}
	for _, number := range sortedCodes(n) {
		text := tx.Bucket(bucketNames[inJobs]).Get(jobKey(number, jobRecord))
		if text == nil {
			continue // only named: by an entry of the log, or by a link it once owned
		}
		var j store.Job
		if err := decodeJSON(text, &j); err != nil {
			return err
		}
		about := store.JobFacts{Name: n.jobs[number], Source: j.Pair.Source, Target: j.Pair.Target, Linked: j.Linked,
			LastCycle: j.LastCycle, Restored: j.Restored}
		if key := tx.Bucket(bucketNames[inCycleIDs]).Get(appendID(nil, j.LastCycle)); j.LastCycle != "" && key != nil {
			var c store.Cycle
			if v := tx.Bucket(bucketNames[inCycles]).Get(key); len(v) >= cycleHead && decodeJSON(v[cycleHead:], &c) == nil {
				about.EndedAt = c.EndedAt
			}
		}
		f.Jobs = append(f.Jobs, about)
	}
	return nil
}

// freeIn counts the bytes of pages that nothing uses.
func freeIn(tx *bbolt.Tx) (int64, error) {
	size := int64(tx.DB().Info().PageSize)
	free := int64(0)
	for id, pages := 0, int(tx.Size()/size); id < pages; {
		p, err := tx.Page(id)
		if err != nil {
			return 0, err
		}
		if p == nil {
			break
		}
		if p.Type == "free" {
			free += size
			id++
			continue
		}
		id += 1 + p.OverflowCount
	}
	return free, nil
}
