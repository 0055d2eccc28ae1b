package bolt

import (
	"bytes"
	"context"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

// Verify reads the whole file and decodes what it holds, but for pages that were read
// and not judged yet, and compares links with their indexes. It wraps [store.ErrFormat] with the first fault
// found. It reads what was committed when it began; writers need not wait.
func (s *Store) Verify(ctx context.Context) error {
	return s.view(ctx, "verify", func(tx *bbolt.Tx, n *names) error {
		v := verifier{ctx: ctx, tx: tx, names: n}
		err := tx.ForEach(func(name []byte, b *bbolt.Bucket) error { return v.walk(string(name), b) })
		if err != nil {
			return err
		}
		if err := v.links(); err != nil {
			return err
		}
		if err := v.log(); err != nil {
			return err
		}
		if err := v.jobs(); err != nil {
			return err
		}
		if err := v.waiting(); err != nil {
			return err
		}
		return v.audit()
	})
}

// verifier is one reading of a file.
type verifier struct {
	ctx   context.Context
	tx    *bbolt.Tx
	names *names
}

// walk reads all keys and values of a bucket and of those in it.
func (v *verifier) walk(name string, b *bbolt.Bucket) error {
	var last []byte
	n := 0
	return b.ForEach(func(key, value []byte) error {
		if last != nil && bytes.Compare(last, key) >= 0 {
			return damaged("%s: key %x after %x", name, key, last)
		}
		last = key
		if n++; n%checkEvery == 0 && v.ctx.Err() != nil {
			return v.ctx.Err()
		}
		if inner := b.Bucket(key); value == nil && inner != nil {
			return v.walk(name, inner)
		}
		// The last byte may lie on another page than the first.
		if len(value) > 0 {
			_ = value[len(value)-1]
		}
		return nil
	})
}

// links compares links with what the indexes say of them: every entry that a
// link calls for is there, and there are no others.
func (v *verifier) links() error {
	wanted := map[bucket]int{}
	names := []bucket{inLinkTargets, inLinkAddresses, inLinkManagers, inLinkDeleted}
	indexes := map[bucket]*bbolt.Bucket{}
	for _, in := range names {
		indexes[in] = v.tx.Bucket(bucketNames[in])
	}
	err := v.tx.Bucket(bucketNames[inLinks]).ForEach(func(key, value []byte) error {
		var l store.Link
		if _, ok := idOf(key[min(len(key), codeSize):]); !ok {
			return damaged("link key %x", key)
		}
		if err := decodeLink(value, &l, v.names); err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, e := range indexEntries(key, &l) {
			if seen[string(e.key)] {
				continue
			}
			seen[string(e.key)] = true
			wanted[e.in]++
			if indexes[e.in].Get(e.key) == nil {
				return damaged("%s lacks link %x", bucketNames[e.in], key)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, in := range names {
		if have := count(indexes[in]); have != wanted[in] {
			return damaged("%s has %d entries instead of %d", bucketNames[in], have, wanted[in])
		}
	}
	return nil
}

// log reads every entry and looks for it by its ids.
func (v *verifier) log() error {
	ids := v.tx.Bucket(bucketNames[inLogIDs])
	wanted := 0
	var u unpacker
	err := v.tx.Bucket(bucketNames[inLog]).ForEach(func(key, value []byte) error {
		var h entryHead
		rest, ok := readHead(value, &h)
		if !ok || len(key) != seqSize {
			return damaged("log entry %x", key)
		}
		seq := seqAt(key)
		if _, err := decodeEntry(seq, &h, rest, &u); err != nil {
			return err
		}
		keys := sortedKeys(idKeys(h.text[headID], h.text[headChange], seq))
		wanted += len(keys)
		for _, k := range keys {
			if ids.Get(k) == nil {
				return damaged("logIDs lacks entry %d", seq)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if have := count(ids); have != wanted {
		return damaged("logIDs has %d entries instead of %d", have, wanted)
	}
	return nil
}

// jobs decodes the records of all jobs, their members and cycles.
func (v *verifier) jobs() error {
	jobs := v.tx.Bucket(bucketNames[inJobs])
	for _, number := range sortedCodes(v.names) {
		record := jobs.Get(jobKey(number, jobRecord))
		if record == nil {
			continue // only named
		}
		if err := readJob(jobs, number, v.names.jobs[number], record, &store.Job{}); err != nil {
			return err
		}
	}
	r := memberReader{}
	err := v.tx.Bucket(bucketNames[inMembers]).ForEach(func(key, value []byte) error {
		r.found = r.found[:0]
		return r.add(key, value)
	})
	if err != nil {
		return err
	}
	return v.tx.Bucket(bucketNames[inCycles]).ForEach(func(key, value []byte) error {
		if len(value) < cycleHead {
			return damaged("cycle %x", key)
		}
		return decodeJSON(value[cycleHead:], &store.Cycle{})
	})
}

// waiting decodes what jobs have open, and their verdicts.
func (v *verifier) waiting() error {
	for in, decode := range map[bucket]func(value []byte) error{
		inEscrows: func(value []byte) error { return decodeJSON(value, &store.Escrow{}) },
		inIntents: func(value []byte) error { return decodeJSON(value, &store.Intent{}) },
		inHolds:   func(value []byte) error { return decodeJSON(value, &store.Hold{}) },
		inVerdicts: func(value []byte) error {
			if len(value) != 8 {
				return damaged("a verdict of %d bytes", len(value))
			}
			return nil
		},
	} {
		err := v.tx.Bucket(bucketNames[in]).ForEach(func(key, value []byte) error {
			if _, ok := idOf(key[min(len(key), codeSize):]); !ok {
				return damaged("%s: key %x", bucketNames[in], key)
			}
			return decode(value)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// audit recomputes the chain of the records of administrative acts.
func (v *verifier) audit() error {
	records := v.tx.Bucket(bucketNames[inAudit])
	if records == nil {
		return nil // see addLater
	}
	var chain store.AuditChain
	return records.ForEach(func(key, value []byte) error {
		var a store.Audit
		if err := decodeJSON(value, &a); err != nil {
			return err
		}
		if !bytes.Equal(key, seqKey(a.Seq)) {
			return damaged("audit record %d at %x", a.Seq, key)
		}
		if err := chain.Next(&a); err != nil {
			return damaged("audit: %v", err)
		}
		return nil
	})
}

func count(b *bbolt.Bucket) int {
	n := 0
	c := b.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		n++
	}
	return n
}
