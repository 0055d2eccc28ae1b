package bolt

import (
	"bytes"
	"context"
	"slices"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

// Apply commits a batch in one transaction. The lease is not looked at: whoever
// has the file open is the only writer.
func (s *Store) Apply(ctx context.Context, b *store.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.Empty() {
		return nil
	}
	err := s.explain("commit", guarded(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			n, err := s.namesIn(tx)
			if err != nil {
				return err
			}
			w := &writer{tx: tx, names: n, pack: &s.pack}
			return w.apply(b)
		})
	}))
	if err == nil && endsCycle(b) {
		s.markHigh()
	}
	return err
}

// edit is a change of one key: a put, or a removal where value is nil.
type edit struct {
	in         bucket
	key, value []byte
}

// writer carries out one batch in one transaction. Stage pages and log entries
// only ever follow what is there and are written as they come; everything else
// is collected, and written in the order of keys by flush.
type writer struct {
	tx       *bbolt.Tx
	names    *names
	ownNames bool // names is a copy that may be added to
	pack     *packer
	edits    []edit
}

func (w *writer) bucket(in bucket) *bbolt.Bucket { return w.tx.Bucket(bucketNames[in]) }

// Of several edits of one key the last one counts: removals are collected first.
func (w *writer) put(in bucket, key, value []byte) { w.edits = append(w.edits, edit{in, key, value}) }
func (w *writer) remove(in bucket, key []byte)     { w.edits = append(w.edits, edit{in, key, nil}) }

func (w *writer) apply(b *store.Batch) error {
	b.PruneMore = false
	for _, step := range []func(*store.Batch) error{
		w.members, w.links, w.waiting, w.verdicts, w.jobs, w.cycles, w.log, w.audit, w.flush, w.stage,
	} {
		if err := step(b); err != nil {
			return err
		}
	}
	return nil
}

// flush makes the collected edits.
func (w *writer) flush(*store.Batch) error {
	slices.SortStableFunc(w.edits, func(a, b edit) int {
		if a.in != b.in {
			return int(a.in) - int(b.in)
		}
		return bytes.Compare(a.key, b.key)
	})
	for i, e := range w.edits {
		if i+1 < len(w.edits) && w.edits[i+1].in == e.in && bytes.Equal(w.edits[i+1].key, e.key) {
			continue
		}
		if err := w.make(e); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) make(e edit) error {
	b := w.bucket(e.in)
	have := b.Get(e.key)
	switch {
	case e.value == nil && have == nil:
		return nil
	case e.value == nil:
		return b.Delete(e.key)
	case have != nil && bytes.Equal(have, e.value):
		return nil
	}
	return b.Put(e.key, e.value)
}

// removeAll removes every key that begins with prefix.
func (w *writer) removeAll(in bucket, prefix []byte) {
	c := w.bucket(in).Cursor()
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		w.remove(in, bytes.Clone(k))
	}
}

// present is the value of a key that says all by being there.
var present = []byte{}
