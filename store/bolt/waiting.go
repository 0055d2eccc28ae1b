package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

// waiting collects the changes of escrows, intents and holds. Their keys say
// job and source id, so the records leave them out.
func (w *writer) waiting(b *store.Batch) error {
	w.dropWaiting(inEscrows, b.DropEscrows)
	w.dropWaiting(inIntents, b.DropIntents)
	w.dropWaiting(inHolds, b.DropHolds)
	for _, e := range b.PutEscrows {
		key := e.Key()
		e.Job, e.SourceID = "", ""
		if err := w.putWaiting(inEscrows, key, e); err != nil {
			return err
		}
	}
	for _, i := range b.PutIntents {
		key := i.Key()
		i.Job, i.SourceID = "", ""
		if err := w.putWaiting(inIntents, key, i); err != nil {
			return err
		}
	}
	for _, h := range b.PutHolds {
		key := h.Key()
		h.Job, h.SourceID = "", ""
		if err := w.putWaiting(inHolds, key, h); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) dropWaiting(in bucket, keys []store.WaitKey) {
	for _, k := range keys {
		if job, known := w.names.job(k.Job); known {
			w.remove(in, codeKey(job, k.SourceID))
		}
	}
}

func (w *writer) putWaiting(in bucket, k store.WaitKey, record any) error {
	job, err := w.job(k.Job)
	if err != nil {
		return err
	}
	value, err := appendJSON(nil, record)
	w.put(in, codeKey(job, k.SourceID), value)
	return err
}

// Waiting returns what a job has open.
func (s *Store) Waiting(ctx context.Context, job string) (store.Waiting, error) {
	var found store.Waiting
	err := s.view(ctx, "read what is waiting", func(tx *bbolt.Tx, n *names) error {
		number, known := n.job(job)
		if !known {
			return nil
		}
		err := eachOf(tx, inEscrows, number, func(id string, v []byte) error {
			e := store.Escrow{}
			err := decodeJSON(v, &e)
			e.Job, e.SourceID = job, id
			found.Escrows = append(found.Escrows, e)
			return err
		})
		if err != nil {
			return err
		}
		err = eachOf(tx, inIntents, number, func(id string, v []byte) error {
			i := store.Intent{}
			err := decodeJSON(v, &i)
			i.Job, i.SourceID = job, id
			found.Intents = append(found.Intents, i)
			return err
		})
		if err != nil {
			return err
		}
		return eachOf(tx, inHolds, number, func(id string, v []byte) error {
			h := store.Hold{}
			err := decodeJSON(v, &h)
			h.Job, h.SourceID = job, id
			found.Holds = append(found.Holds, h)
			return err
		})
	})
	if err != nil {
		return store.Waiting{}, err
	}
	orderBy(found.Escrows, func(e *store.Escrow) string { return e.SourceID })
	orderBy(found.Intents, func(i *store.Intent) string { return i.SourceID })
	orderBy(found.Holds, func(h *store.Hold) string { return h.SourceID })
	return found, nil
}

// eachOf calls fn for each record of a job, GUIDs before other ids.
func eachOf(tx *bbolt.Tx, in bucket, job code, fn func(id string, value []byte) error) error {
	prefix := appendCode(nil, job)
	c := tx.Bucket(bucketNames[in]).Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		id, ok := idOf(k[codeSize:])
		if !ok {
			return damaged("%s: key %x", bucketNames[in], k)
		}
		if err := fn(id, v); err != nil {
			return err
		}
	}
	return nil
}

// orderBy puts records in the order of their ids where keys did not.
func orderBy[T any](list []T, id func(*T) string) {
	inOrder := func(a, b T) int { return strings.Compare(id(&a), id(&b)) }
	if !slices.IsSortedFunc(list, inOrder) {
		slices.SortFunc(list, inOrder)
	}
}

// verdicts collects the changes of verdicts.
func (w *writer) verdicts(b *store.Batch) error {
	w.dropWaiting(inVerdicts, b.DropVerdicts)
	for _, v := range b.PutVerdicts {
		job, err := w.job(v.Job)
		if err != nil {
			return err
		}
		w.put(inVerdicts, codeKey(job, v.SourceID), binary.BigEndian.AppendUint64(nil, v.Hash))
	}
	return nil
}

// Verdicts returns verdicts of a job. A list of ids that is empty but not nil
// names nobody.
func (s *Store) Verdicts(ctx context.Context, q store.VerdictQuery) ([]store.Verdict, error) {
	var found []store.Verdict
	err := s.view(ctx, "read verdicts", func(tx *bbolt.Tx, n *names) error {
		job, known := n.job(q.Job)
		if !known {
			return nil
		}
		add := func(id string, v []byte) error {
			if len(v) != 8 {
				return damaged("verdict on %q", id)
			}
			found = append(found, store.Verdict{Job: q.Job, SourceID: id, Hash: binary.BigEndian.Uint64(v)})
			return nil
		}
		if q.SourceIDs == nil {
			return eachOf(tx, inVerdicts, job, add)
		}
		keys := make([][]byte, len(q.SourceIDs))
		for i, id := range q.SourceIDs {
			keys[i] = codeKey(job, id)
		}
		verdicts := tx.Bucket(bucketNames[inVerdicts])
		for _, k := range sortedKeys(keys) {
			id, _ := idOf(k[codeSize:])
			if v := verdicts.Get(k); v != nil {
				if err := add(id, v); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	orderBy(found, func(v *store.Verdict) string { return v.SourceID })
	return found, nil
}
