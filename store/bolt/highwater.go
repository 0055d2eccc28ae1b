package bolt

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

// A state that is put back from a copy knows nothing of what was done since, and
// would act on it. Two things give such a file away: a backup says of itself that
// it is one, and a plain copy is behind the number that is kept beside the file
// (NAME.high: id of the state, number of its last transaction). The number is
// written after the commit it names, so it can only be behind a file that nobody
// put back. Who puts back both files, or a whole disk, is not found out.

// HighFile is the path of the file beside a state file that says how far it had come.
func HighFile(path string) string { return path + ".high" }

// errReplaced: the file that was opened is not the one that bears its name now.
var errReplaced = errors.New("the state file was replaced while it was being opened")

// replaced reports whether the open file has lost its name: somebody who held it
// put another in its place meanwhile.
func (s *Store) replaced() (bool, error) {
	if s.opened == nil {
		return false, nil // it has no name of its own
	}
	named, err := os.Stat(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return !os.SameFile(named, s.opened), nil
}

// InPlace returns an error like [store.ErrMoved] when the open file is no longer the
// one at its path. It costs one look at the folder.
func (s *Store) InPlace() error {
	moved, err := s.replaced()
	if err == nil && moved {
		err = store.ErrMoved
	}
	if err != nil {
		return fmt.Errorf("state file %s: %w", s.path, err)
	}
	return nil
}

// recognize finds out whether the file was put back from a copy, and tells each of
// its jobs. It makes sure that the state has an id.
func (s *Store) recognize() error {
	var (
		mark   *store.Mark
		state  string
		latest uint64
	)
	err := s.db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		state, latest = string(meta.Get(stateKey)), transactionOf(tx)
		var err error
		mark, err = markIn(meta)
		return err
	})
	if err != nil {
		return err
	}
	was, high := readHigh(s.path)
	behind := state != "" && was == state && high > latest
	if state == "" || mark != nil || behind && s.watched {
		err = s.db.Update(func(tx *bbolt.Tx) error {
			meta := tx.Bucket(metaBucket)
			if state == "" { // made before states had one
				if err := meta.Put(stateKey, []byte(rand.Text())); err != nil {
					return err
				}
			}
			if mark == nil && !behind {
				return nil
			}
			return errors.Join(s.tellJobs(tx, mark), meta.Delete(backupKey))
		})
	}
	if err == nil {
		s.markHigh()
	}
	return err
}

// tellJobs notes in every job that its state is an old one, and of when it is.
func (s *Store) tellJobs(tx *bbolt.Tx, mark *store.Mark) error {
	n, err := s.namesIn(tx)
	if err != nil {
		return err
	}
	of := createdOf(tx)
	if ended := lastEnded(tx); ended.After(of) {
		of = ended
	}
	if mark != nil {
		of = mark.TakenAt
	}
	jobs := tx.Bucket(bucketNames[inJobs])
	for _, number := range sortedCodes(n) {
		key := jobKey(number, jobRecord)
		text := jobs.Get(key)
		if text == nil {
			continue
		}
		var j store.Job
		if err := decodeJSON(text, &j); err != nil {
			return err
		}
		j.Restored = of
		if text, err = appendJSON(nil, j); err != nil {
			return err
		}
		if err := jobs.Put(key, text); err != nil {
			return err
		}
	}
	return nil
}

func sortedCodes(n *names) []code {
	var list []code
	for c := range n.jobs {
		list = append(list, c)
	}
	slices.Sort(list)
	return list
}

func markIn(meta *bbolt.Bucket) (*store.Mark, error) {
	text := meta.Get(backupKey)
	if text == nil {
		return nil, nil
	}
	m := &store.Mark{}
	return m, decodeJSON(text, m)
}

func createdOf(tx *bbolt.Tx) time.Time {
	at, err := time.Parse(time.RFC3339, string(tx.Bucket(metaBucket).Get(createdKey)))
	if err != nil {
		return time.Unix(0, 0).UTC()
	}
	return at
}

// lastEnded returns when the cycle that began last ended, or began.
func lastEnded(tx *bbolt.Tx) time.Time {
	c, ok := lastCycle(tx)
	if !ok {
		return time.Time{}
	}
	if c.EndedAt.IsZero() {
		return c.StartedAt
	}
	return c.EndedAt
}

func lastCycle(tx *bbolt.Tx) (c store.Cycle, ok bool) {
	_, v := tx.Bucket(bucketNames[inCycles]).Cursor().Last()
	if len(v) < cycleHead {
		return c, false
	}
	return c, decodeJSON(v[cycleHead:], &c) == nil
}

// transactionOf is the number of the last commit that a reading transaction sees.
func transactionOf(tx *bbolt.Tx) uint64 { return uint64(max(tx.ID(), 0)) }

// endsCycle reports a batch that closes a cycle.
func endsCycle(b *store.Batch) bool {
	return slices.ContainsFunc(b.Cycles, func(c store.Cycle) bool { return !c.EndedAt.IsZero() })
}

// markHigh notes how far the state has come. That is only a hint for a later
// start: where it cannot be written the state is none the worse, so it is neither
// synced nor an error.
func (s *Store) markHigh() {
	if !s.watched || s.InPlace() != nil { // what lies there now is not this state
		return
	}
	var state string
	var latest uint64
	err := guarded(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			state, latest = string(tx.Bucket(metaBucket).Get(stateKey)), transactionOf(tx)
			return nil
		})
	})
	if err == nil && state != "" {
		_ = writeHigh(s.path, state, latest)
	}
}

func writeHigh(path, state string, latest uint64) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+beginning+"*") // mode 0600; a leftover goes with the others
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s %d\n", state, latest)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), HighFile(path))
	}
	if err != nil {
		_ = os.Remove(file.Name()) // goes with the leftovers at the latest
	}
	return err
}

// readHigh returns what is noted beside a state file, "" where nothing usable is.
func readHigh(path string) (state string, latest uint64) {
	text, err := os.ReadFile(HighFile(path))
	if err != nil || len(text) > 1<<10 {
		return "", 0
	}
	if n, err := fmt.Sscanf(string(text), "%s %d\n", &state, &latest); n != 2 || err != nil {
		return "", 0
	}
	return state, latest
}
