package bolt

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

// minPrefix is the length from which a prefix of an id is looked up.
const minPrefix = 4

// checkEvery is how many entries a scan reads before it looks at its context.
const checkEvery = 4096

// Log returns log entries. Since is included, Until is not; User is part of an
// identity's id, display name, userPrincipalName or mail.
func (s *Store) Log(ctx context.Context, q store.LogQuery) ([]store.Entry, error) {
	var found []store.Entry
	err := s.view(ctx, "read log", func(tx *bbolt.Tx, _ *names) error {
		var err error
		if q.ID != "" {
			found, err = entriesNamed(tx, q.ID)
			return err
		}
		scan := logScan{q: q, spans: tx.Bucket(bucketNames[inLogSpans]), log: tx.Bucket(bucketNames[inLog]).Cursor()}
		scan.prepare()
		found, err = scan.run(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// entriesNamed returns the entry with this id, or the entries of the change with
// this id, newest first. A prefix will do if it leads to one entry or change.
func entriesNamed(tx *bbolt.Tx, id string) ([]store.Entry, error) {
	log := tx.Bucket(bucketNames[inLog])
	index := tx.Bucket(bucketNames[inLogIDs]).Cursor()
	wanted := normalID(id)
	seqs := seqsUnder(index, append([]byte(wanted), idEnd), 0)
	exact := len(seqs) > 0
	if !exact {
		if len(wanted) < minPrefix {
			return nil, fmt.Errorf("log entry %q: at least %d characters are needed: %w", id, minPrefix, store.ErrAmbiguousID)
		}
		seqs = seqsUnder(index, []byte(wanted), manyNamed)
	}
	if len(seqs) == 0 {
		return nil, fmt.Errorf("log entry %q: %w", id, store.ErrNotFound)
	}
	found := make([]store.Entry, 0, len(seqs))
	var u unpacker
	for _, seq := range seqs {
		e, err := entryAt(log, seq, &u)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 && !exact && e.ChangeID != found[0].ChangeID {
			return nil, fmt.Errorf("log entry %q: %w", id, store.ErrAmbiguousID)
		}
		found = append(found, e)
	}
	return found, nil
}

// manyNamed bounds what is read for a prefix; so many entries are not one change.
const manyNamed = 100

// seqsUnder returns the numbers of the entries whose id begins with prefix,
// newest first, each once; at most limit keys are read if limit is not 0.
func seqsUnder(index *bbolt.Cursor, prefix []byte, limit int) []uint64 {
	var seqs []uint64
	for k, _ := index.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = index.Next() {
		seqs = append(seqs, seqAt(k[len(k)-seqSize:]))
		if len(seqs) == limit {
			break
		}
	}
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	slices.Reverse(seqs)
	return seqs
}

// logScan is one pass over the log.
type logScan struct {
	q     store.LogQuery
	log   *bbolt.Cursor
	spans *bbolt.Bucket

	bounded      bool // by time
	since, until int64
	user         []byte
	unpack       unpacker
}

func (s *logScan) prepare() {
	s.bounded = !s.q.Since.IsZero() || !s.q.Until.IsZero()
	s.since, s.until = -1<<63, 1<<63-1
	if !s.q.Since.IsZero() {
		s.since = microseconds(s.q.Since).UnixMicro()
	}
	if !s.q.Until.IsZero() {
		s.until = microseconds(s.q.Until).UnixMicro()
	}
	s.user = []byte(strings.ToLower(strings.TrimSpace(s.q.User)))
}

// run returns matching entries, newest first, or oldest first from AfterSeq when
// following, and ends as soon as there are enough.
func (s *logScan) run(ctx context.Context) ([]store.Entry, error) {
	var found []store.Entry
	step := s.log.Prev
	if s.q.Follow {
		step = s.log.Next
	}
	k, v := from(s.log, s.q.Follow, s.q.AfterSeq, s.q.BeforeSeq)
	span := ^uint64(0)
	for n := 1; k != nil && (s.q.Limit == 0 || len(found) < s.q.Limit); n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		seq := seqAt(k)
		if s.bounded && seq/spanEntries != span {
			span = seq / spanEntries
			if s.outside(span) {
				k, v = s.leave(span)
				continue
			}
		}
		var h entryHead
		rest, ok := readHead(v, &h)
		if !ok {
			return nil, damaged("log entry %d", seq)
		}
		if s.matches(&h) {
			e, err := decodeEntry(seq, &h, rest, &s.unpack)
			if err != nil {
				return nil, err
			}
			found = append(found, e)
		}
		k, v = step()
	}
	return found, nil
}

// from moves a cursor over numbered records to where a query begins: behind after
// when following, else below before, or at the end when that is 0.
func from(c *bbolt.Cursor, follow bool, after, before uint64) (key, value []byte) {
	switch {
	case follow:
		return c.Seek(seqKey(after + 1))
	case before == 0:
		return c.Last()
	}
	if k, _ := c.Seek(seqKey(before)); k == nil { // all are below
		return c.Last()
	}
	return c.Prev()
}

// outside reports whether no entry of a span can be in the time asked for.
func (s *logScan) outside(span uint64) bool {
	earliest, latest, ok := spanAt(s.spans, seqKey(span))
	return ok && (latest < s.since || earliest >= s.until)
}

// leave moves to the first entry beyond a span, in the direction of the scan.
func (s *logScan) leave(span uint64) (key, value []byte) {
	if s.q.Follow {
		return s.log.Seek(seqKey((span + 1) * spanEntries))
	}
	s.log.Seek(seqKey(span * spanEntries))
	return s.log.Prev()
}

func (s *logScan) matches(h *entryHead) bool {
	q := &s.q
	return h.micro >= s.since && h.micro < s.until &&
		is(h.text[headJob], q.Job) && is(h.text[headCycle], q.Cycle) && is(h.text[headChange], q.Change) &&
		is(h.text[headCode], q.Code) && isAny(h.text[headAction], q.Actions) && isAny(h.text[headStatus], q.Statuses) &&
		(len(s.user) == 0 || bytes.Contains(h.text[headFolded], s.user))
}

// is reports whether a text is the wanted one, if one is wanted.
func is(text []byte, wanted string) bool { return wanted == "" || string(text) == wanted }

func isAny(text []byte, wanted []string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return string(text) == w })
}
