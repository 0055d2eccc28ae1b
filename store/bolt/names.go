package bolt

import (
	"encoding/binary"
	"maps"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

// names are the numbers of jobs and pairs. A number is never given up, so an
// older or newer reading than the transaction's is as good as its own for every
// number that the transaction can see.
type names struct {
	codes map[string]code // by key in the names bucket
	jobs  map[code]string
	last  uint64 // sequence of the bucket when this was read
}

func jobNameKey(job string) string { return "j" + job }

func pairNameKey(p store.Pair) string {
	b := binary.AppendUvarint([]byte{'p'}, uint64(len(p.Source)))
	return string(append(append(b, p.Source...), p.Target...))
}

// job returns a job's number, if it has one.
func (n *names) job(name string) (code, bool) {
	c, ok := n.codes[jobNameKey(name)]
	return c, ok
}

// pair returns a pair's number, if it has one.
func (n *names) pair(p store.Pair) (code, bool) {
	c, ok := n.codes[pairNameKey(p)]
	return c, ok
}

// namesIn returns names with every number that tx can see.
func (s *Store) namesIn(tx *bbolt.Tx) (*names, error) {
	b := tx.Bucket(bucketNames[inNames])
	if n := s.names.Load(); n != nil && n.last >= b.Sequence() {
		return n, nil
	}
	n := &names{codes: map[string]code{}, jobs: map[code]string{}, last: b.Sequence()}
	err := b.ForEach(func(k, v []byte) error {
		if len(v) != codeSize || len(k) == 0 {
			return damaged("name %q", k)
		}
		n.add(string(k), codeAt(v))
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.names.Store(n)
	return n, nil
}

func (n *names) add(key string, c code) {
	n.codes[key] = c
	if key[0] == 'j' {
		n.jobs[c] = key[1:]
	}
}

// allocate gives a number to a name in a write transaction.
func (w *writer) allocate(key string) (code, error) {
	if c, ok := w.names.codes[key]; ok {
		return c, nil
	}
	if !w.ownNames {
		// Others read the shared value; and the transaction may yet fail.
		w.names = &names{codes: maps.Clone(w.names.codes), jobs: maps.Clone(w.names.jobs)}
		w.ownNames = true
	}
	b := w.bucket(inNames)
	n, err := b.NextSequence()
	if err != nil {
		return 0, err
	}
	c := code(n)
	w.names.add(key, c)
	return c, b.Put([]byte(key), appendCode(nil, c))
}

func (w *writer) job(name string) (code, error) { return w.allocate(jobNameKey(name)) }

func (w *writer) pair(p store.Pair) (code, error) { return w.allocate(pairNameKey(p)) }
