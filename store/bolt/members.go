package bolt

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

// members collects the changes of member sets.
func (w *writer) members(b *store.Batch) error {
	for _, set := range b.DropMembers {
		if job, known := w.names.job(set.Job); known {
			w.removeAll(inMembers, memberPrefix(job, set.Group))
		}
	}
	for _, m := range b.CutMembers {
		if job, known := w.names.job(m.Job); known {
			w.remove(inMembers, appendID(memberPrefix(job, m.Group), m.ID))
		}
	}
	for _, m := range b.PutMembers {
		job, err := w.job(m.Job)
		if err != nil {
			return err
		}
		value := []byte{0}
		if m.IsGroup {
			value[0] = 1
		}
		w.put(inMembers, appendID(memberPrefix(job, m.Group), m.ID), value)
	}
	return nil
}

func memberPrefix(job code, group string) []byte { return appendInnerID(appendCode(nil, job), group) }

// Members returns members of a job's groups. A list that is empty but not nil
// names nothing.
func (s *Store) Members(ctx context.Context, q store.MemberQuery) ([]store.Member, error) {
	var found []store.Member
	err := s.view(ctx, "read members", func(tx *bbolt.Tx, n *names) error {
		job, known := n.job(q.Job)
		if !known {
			return nil
		}
		r := memberReader{job: q.Job, members: tx.Bucket(bucketNames[inMembers])}
		prefixes := [][]byte{appendCode(nil, job)}
		switch {
		case q.Groups != nil:
			prefixes = prefixes[:0]
			for _, g := range q.Groups {
				prefixes = append(prefixes, memberPrefix(job, g))
			}
		case q.IDs != nil:
			var err error
			if prefixes, err = r.groups(prefixes[0]); err != nil {
				return err
			}
		}
		for _, prefix := range sortedKeys(prefixes) {
			if err := r.read(prefix, q.IDs); err != nil {
				return err
			}
		}
		found = r.found
		return nil
	})
	if err != nil {
		return nil, err
	}
	inOrder := func(a, b store.Member) int { return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.ID, b.ID)) }
	if !slices.IsSortedFunc(found, inOrder) {
		slices.SortFunc(found, inOrder)
	}
	return found, nil
}

// memberReader reads the members of one job in one transaction.
type memberReader struct {
	job     string
	members *bbolt.Bucket
	found   []store.Member
}

// read adds the members under a prefix: with these ids, or all where ids is nil.
func (r *memberReader) read(prefix []byte, ids []string) error {
	if ids == nil {
		c := r.members.Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			if err := r.add(k, v); err != nil {
				return err
			}
		}
		return nil
	}
	keys := make([][]byte, len(ids))
	for i, id := range ids {
		keys[i] = appendID(bytes.Clone(prefix), id)
	}
	for _, k := range sortedKeys(keys) {
		if v := r.members.Get(k); v != nil {
			if err := r.add(k, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *memberReader) add(key, value []byte) error {
	group, size, ok := innerIDOf(key[codeSize:])
	if !ok || len(value) != 1 {
		return damaged("member %x", key)
	}
	if n := len(r.found); n > 0 && r.found[n-1].Group == group {
		group = r.found[n-1].Group // one text for all members of a group
	}
	id, ok := idOf(key[codeSize+size:])
	if !ok {
		return damaged("member %x", key)
	}
	r.found = append(r.found, store.Member{Job: r.job, Group: group, ID: id, IsGroup: value[0] != 0})
	return nil
}

// groups returns the prefix of each group of a job, passing over the members.
func (r *memberReader) groups(job []byte) ([][]byte, error) {
	var prefixes [][]byte
	c := r.members.Cursor()
	k, _ := c.Seek(job)
	for k != nil && bytes.HasPrefix(k, job) {
		_, size, ok := innerIDOf(k[codeSize:])
		if !ok {
			return nil, damaged("member %x", k)
		}
		prefix := bytes.Clone(k[:codeSize+size])
		prefixes = append(prefixes, prefix)
		after := next(prefix)
		if after == nil {
			break
		}
		k, _ = c.Seek(after)
	}
	return prefixes, nil
}
