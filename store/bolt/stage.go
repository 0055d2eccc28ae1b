package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"tenantsync/directory"
	"tenantsync/store"
)

// A page of a stage is cut into parts of which two fill four pages of the file.
// bbolt rewrites the last leaf with every page appended: one part for each page
// would write every page several times over, many small ones would cost CPU.
const stagePart = (4*4096 - pageHeader - 2*(16+stageKey)) / 2

// stageKey is the size of a key: page and part.
const stageKey = 4 + 4

// stage drops and appends stage pages.
func (w *writer) stage(b *store.Batch) error {
	if b.DropStage != "" {
		if job, known := w.names.job(b.DropStage); known {
			err := w.bucket(inStage).DeleteBucket(appendCode(nil, job))
			if err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
				return err
			}
		}
	}
	var blob []byte
	for i := range b.Stage {
		p := &b.Stage[i]
		job, err := w.job(p.Job)
		if err != nil {
			return err
		}
		pages, err := w.bucket(inStage).CreateBucketIfNotExists(appendCode(nil, job))
		if err != nil {
			return err
		}
		pages.FillPercent = 1 // nothing is ever put in between
		last := 0
		if k, _ := pages.Cursor().Last(); k != nil {
			last = int(binary.BigEndian.Uint32(k))
		}
		if p.Seq != last+1 {
			return fmt.Errorf("stage of job %q: page %d after page %d", p.Job, p.Seq, last)
		}
		blob = appendStagePage(blob[:0], p)
		if err := putStagePage(pages, uint32(p.Seq), blob); err != nil {
			return err
		}
	}
	return nil
}

func appendStagePage(b []byte, p *store.StagePage) []byte {
	b = binary.AppendUvarint(b, uint64(len(p.Objects)))
	for i := range p.Objects {
		b = directory.AppendObject(b, &p.Objects[i])
	}
	return b
}

func putStagePage(pages *bbolt.Bucket, seq uint32, blob []byte) error {
	for part := uint32(0); ; part++ {
		n := min(len(blob), stagePart)
		key := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, seq), part)
		// bbolt keeps the value until the commit; the blob is used again before.
		if err := pages.Put(key, bytes.Clone(blob[:n])); err != nil {
			return err
		}
		if blob = blob[n:]; len(blob) == 0 {
			return nil
		}
	}
}

// StagePages returns pages of a job's stage; limit 0 means all that follow.
func (s *Store) StagePages(ctx context.Context, job string, after, limit int) ([]store.StagePage, error) {
	var found []store.StagePage
	err := s.view(ctx, "read stage", func(tx *bbolt.Tx, n *names) error {
		number, known := n.job(job)
		if !known {
			return nil
		}
		pages := tx.Bucket(bucketNames[inStage]).Bucket(appendCode(nil, number))
		if pages == nil {
			return nil
		}
		var blob []byte
		c := pages.Cursor()
		k, v := c.Seek(binary.BigEndian.AppendUint32(nil, uint32(after)+1))
		for k != nil && (limit == 0 || len(found) < limit) {
			seq := binary.BigEndian.Uint32(k)
			blob = blob[:0]
			for ; k != nil && binary.BigEndian.Uint32(k) == seq; k, v = c.Next() {
				blob = append(blob, v...)
			}
			objects, err := decodeStagePage(blob)
			if err != nil {
				return damaged("stage of job %q, page %d: %v", job, seq, err)
			}
			found = append(found, store.StagePage{Job: job, Seq: int(seq), Objects: objects})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func decodeStagePage(b []byte) ([]directory.Object, error) {
	r := reader{b: b}
	n := r.count()
	if r.bad {
		return nil, directory.ErrEncoding
	}
	var err error
	objects := make([]directory.Object, n)
	for i := range objects {
		if objects[i], r.b, err = directory.DecodeObject(r.b); err != nil {
			return nil, err
		}
	}
	return objects, nil
}
