package bolt

import (
	"bytes"
	"context"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

// A cycle's record: its job, one byte of flags, JSON.
const cycleHead = codeSize + 1

// cycleInitial: the cycle is an initial one, which its JSON does not say.
const cycleInitial = 1

// cycles collects the changes of cycles: those that began before b.Prune go
// first, as many as a batch may drop.
func (w *writer) cycles(b *store.Batch) error {
	if !b.Prune.IsZero() {
		end := appendTime(nil, microseconds(b.Prune))
		c := w.bucket(inCycles).Cursor()
		pruned := 0
		for k, _ := c.First(); k != nil && bytes.Compare(k[:timeSize], end) < 0; k, _ = c.Next() {
			if pruned++; pruned > store.PruneLimit {
				b.PruneMore = true
				break
			}
			w.remove(inCycles, bytes.Clone(k))
			w.remove(inCycleIDs, bytes.Clone(k[timeSize:]))
		}
	}
	for i := range b.Cycles {
		cycle := &b.Cycles[i]
		job, err := w.job(cycle.Job)
		if err != nil {
			return err
		}
		id := appendID(nil, cycle.ID)
		key := append(appendTime(nil, microseconds(cycle.StartedAt)), id...)
		if old := w.bucket(inCycleIDs).Get(id); old != nil && !bytes.Equal(old, key) {
			w.remove(inCycles, bytes.Clone(old))
		}
		var flags byte
		if cycle.Initial {
			flags |= cycleInitial
		}
		record, err := appendJSON(append(appendCode(nil, job), flags), cycle)
		if err != nil {
			return err
		}
		w.put(inCycles, key, record)
		w.put(inCycleIDs, id, key)
	}
	return nil
}

// Cycles returns cycles, the one that began last first.
func (s *Store) Cycles(ctx context.Context, q store.CycleQuery) ([]store.Cycle, error) {
	var found []store.Cycle
	err := s.view(ctx, "read cycles", func(tx *bbolt.Tx, n *names) error {
		cycles := tx.Bucket(bucketNames[inCycles])
		job, known := n.job(q.Job)
		if q.Job != "" && !known {
			return nil
		}
		add := func(v []byte) error {
			if len(v) < cycleHead {
				return damaged("cycle of %d bytes", len(v))
			}
			if q.Job != "" && codeAt(v) != job {
				return nil
			}
			var c store.Cycle
			if err := decodeJSON(v[cycleHead:], &c); err != nil {
				return err
			}
			c.Initial = v[codeSize]&cycleInitial != 0
			found = append(found, c)
			return nil
		}
		if q.ID != "" {
			key := tx.Bucket(bucketNames[inCycleIDs]).Get(appendID(nil, q.ID))
			if key == nil {
				return nil
			}
			return add(cycles.Get(key))
		}
		var since []byte
		if !q.Since.IsZero() {
			since = appendTime(nil, microseconds(q.Since))
		}
		c := cycles.Cursor()
		for k, v := c.Last(); k != nil && bytes.Compare(k[:timeSize], since) >= 0 && (q.Limit == 0 || len(found) < q.Limit); k, v = c.Prev() {
			if err := add(v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}
