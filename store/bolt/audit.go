package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

// audit appends records of administrative acts, each sealed onto the one before
// it in the same transaction: two of them never share a predecessor.
func (w *writer) audit(b *store.Batch) error {
	if len(b.Audit) == 0 {
		return nil
	}
	records := w.bucket(inAudit)
	records.FillPercent = 1 // nothing is ever put in between
	var before *store.Audit
	if _, v := records.Cursor().Last(); v != nil {
		before = &store.Audit{}
		if err := decodeJSON(v, before); err != nil {
			return err
		}
	}
	for i := range b.Audit {
		a := &b.Audit[i]
		a.Seal(before)
		text, err := appendJSON(nil, a)
		if err != nil {
			return err
		}
		if err := records.Put(seqKey(a.Seq), text); err != nil {
			return err
		}
		before = a
	}
	return nil
}

// Audit returns records of administrative acts.
func (s *Store) Audit(ctx context.Context, q store.AuditQuery) ([]store.Audit, error) {
	var found []store.Audit
	err := s.view(ctx, "read audit", func(tx *bbolt.Tx, _ *names) error {
		records := tx.Bucket(bucketNames[inAudit])
		if records == nil {
			return nil // a file from before there were any, opened for reading only
		}
		c := records.Cursor()
		step := c.Prev
		if q.Follow {
			step = c.Next
		}
		k, v := from(c, q.Follow, q.AfterSeq, q.BeforeSeq)
		for n := 1; k != nil && (q.Limit <= 0 || len(found) < q.Limit); n++ {
			if n%checkEvery == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			var a store.Audit
			if err := decodeJSON(v, &a); err != nil {
				return err
			}
			if q.Matches(&a) {
				found = append(found, a)
			}
			k, v = step()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// addLater makes the buckets that files of earlier versions lack. A version that
// does not know them leaves them alone, so they are no new format.
func addLater(tx *bbolt.Tx) error {
	_, err := tx.CreateBucketIfNotExists(bucketNames[inAudit])
	return err
}

// lacksLater reports that addLater has something to do.
func lacksLater(tx *bbolt.Tx) bool { return tx.Bucket(bucketNames[inAudit]) == nil }
