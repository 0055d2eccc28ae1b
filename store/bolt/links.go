package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"tenantsync/directory"
	"tenantsync/store"
)

// The booleans of a link, as bits of its record. New ones are added at the end.
func linkFlags(l *store.Link) [6]*bool {
	return [...]*bool{&l.InScope, &l.Creating, &l.DisabledByJob, &l.BlockedInTarget, &l.ManagerUnknown, &l.SourceDisabled}
}

// The texts of a link that no index holds.
func linkTexts(l *store.Link) [5]*string {
	return [...]*string{&l.ManagerTarget, &l.UPN, &l.DisplayName, &l.RetainedFor, &l.Invited}
}

// appendLink appends a link's record. What the indexes hold comes first, so that
// replacing a link need not decode its attributes.
func appendLink(b []byte, l *store.Link, owner code) []byte {
	b = append(b, byte(l.State))
	b = appendWhen(b, l.DeletedAt)
	b = directory.AppendText(b, l.TargetID)
	b = directory.AppendText(b, l.ManagerSource)
	b = appendTexts(b, l.Addresses)

	var flags uint64
	for i, f := range linkFlags(l) {
		if *f {
			flags |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, flags)
	b = binary.AppendUvarint(b, uint64(owner))
	for _, text := range linkTexts(l) {
		b = directory.AppendText(b, *text)
	}
	b = appendTexts(b, l.Refused)
	b = appendWhen(b, l.LeftScopeAt)
	return directory.AppendAttributes(b, l.Exported)
}

// readLinkHead reads the part of a record that the indexes hold.
func readLinkHead(r *reader, l *store.Link) {
	if len(r.b) == 0 {
		r.fail()
		return
	}
	l.State = store.LinkState(r.b[0])
	r.b = r.b[1:]
	l.DeletedAt = r.time()
	l.TargetID = r.text()
	l.ManagerSource = r.text()
	l.Addresses = r.texts()
}

func decodeLink(b []byte, l *store.Link, n *names) error {
	r := reader{b: b}
	readLinkHead(&r, l)
	flags := r.uvarint()
	for i, f := range linkFlags(l) {
		*f = flags>>i&1 != 0
	}
	l.Job = n.jobs[code(r.uvarint())]
	for _, text := range linkTexts(l) {
		*text = r.text()
	}
	l.Refused = r.texts()
	l.LeftScopeAt = r.time()
	if r.bad {
		return damaged("link of %q", l.SourceID)
	}
	var err error
	if l.Exported, _, err = directory.DecodeAttributes(r.b); err != nil {
		return damaged("link of %q: %v", l.SourceID, err)
	}
	return nil
}

// indexEntries returns the index entries of a link, key being its own key.
func indexEntries(key []byte, l *store.Link) []edit {
	pair, source := key[:codeSize], key[codeSize:]
	var entries []edit
	add := func(in bucket, key []byte) { entries = append(entries, edit{in, key, present}) }
	if l.TargetID != "" {
		add(inLinkTargets, append(appendInnerID(bytes.Clone(pair), l.TargetID), source...))
	}
	if l.ManagerSource != "" {
		add(inLinkManagers, append(appendInnerID(bytes.Clone(pair), l.ManagerSource), source...))
	}
	for _, a := range l.Addresses {
		add(inLinkAddresses, append(appendAddress(bytes.Clone(pair), a), source...))
	}
	if l.State == store.LinkDeleted {
		add(inLinkDeleted, append(appendTime(nil, l.DeletedAt), key...))
	}
	return entries
}

// links collects the changes of links and of their indexes: per link, from what
// is in the file to what the whole batch makes of it.
func (w *writer) links(b *store.Batch) error {
	final := make(map[string]*store.Link, len(b.DropLinks)+len(b.PutLinks))
	if !b.PruneDeleted.IsZero() {
		end := string(appendTime(nil, microseconds(b.PruneDeleted)))
		c := w.bucket(inLinkDeleted).Cursor()
		pruned := 0
		for k, _ := c.First(); k != nil && string(k[:timeSize]) < end; k, _ = c.Next() {
			if pruned++; pruned > store.PruneLimit {
				b.PruneMore = true
				break
			}
			final[string(k[timeSize:])] = nil
		}
	}
	for _, k := range b.DropLinks {
		if pair, known := w.names.pair(k.Pair); known {
			final[string(codeKey(pair, k.SourceID))] = nil
		}
	}
	for i := range b.PutLinks {
		l := &b.PutLinks[i]
		pair, err := w.pair(l.Pair)
		if err != nil {
			return err
		}
		final[string(codeKey(pair, l.SourceID))] = l
	}
	// In order, so that reading the old records walks through the file once.
	for _, key := range slices.Sorted(maps.Keys(final)) {
		if err := w.link([]byte(key), final[key]); err != nil {
			return err
		}
	}
	return nil
}

// link collects the edits that make l the link under key; nil removes it.
func (w *writer) link(key []byte, l *store.Link) error {
	old := w.bucket(inLinks).Get(key)
	var record []byte
	if l != nil {
		owner, err := w.job(l.Job)
		if err != nil {
			return err
		}
		record = appendLink(nil, l, owner)
	}
	if l != nil && old != nil && bytes.Equal(old, record) {
		return nil
	}
	if old != nil {
		var was store.Link
		r := reader{b: old}
		readLinkHead(&r, &was)
		if r.bad {
			return damaged("link %x", key)
		}
		for _, e := range indexEntries(key, &was) {
			w.remove(e.in, e.key)
		}
	}
	if l == nil {
		w.remove(inLinks, key)
		return nil
	}
	w.edits = append(w.edits, indexEntries(key, l)...)
	w.put(inLinks, key, record)
	return nil
}

// Links answers a query for links. A list that is empty but not nil names
// nothing; of a walk without limit the whole result is in memory at once.
func (s *Store) Links(ctx context.Context, q store.LinkQuery) ([]store.Link, error) {
	var found []store.Link
	err := s.view(ctx, "read links", func(tx *bbolt.Tx, n *names) error {
		pair, known := n.pair(q.Pair)
		if !known {
			return nil
		}
		r := linkReader{pair: q.Pair, code: pair, names: n, links: tx.Bucket(bucketNames[inLinks])}
		var err error
		switch {
		case q.SourceIDs != nil:
			keys := make([][]byte, len(q.SourceIDs))
			for i, id := range q.SourceIDs {
				keys[i] = codeKey(pair, id)
			}
			found, err = r.get(keys)
		case q.TargetIDs != nil:
			found, err = r.lookUp(tx.Bucket(bucketNames[inLinkTargets]), q.TargetIDs, appendInnerID)
		case q.Managers != nil:
			found, err = r.lookUp(tx.Bucket(bucketNames[inLinkManagers]), q.Managers, appendInnerID)
		case q.Addresses != nil:
			found, err = r.addresses(tx.Bucket(bucketNames[inLinkAddresses]), q.Addresses)
		default:
			found, err = r.walk(q.After, q.Limit)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// linkReader reads links of one pair in one transaction.
type linkReader struct {
	pair  store.Pair
	code  code
	names *names
	links *bbolt.Bucket
}

func (r *linkReader) decode(key, value []byte, l *store.Link) error {
	id, ok := idOf(key[codeSize:])
	if !ok {
		return damaged("link key %x", key)
	}
	l.Pair, l.SourceID = r.pair, id
	return decodeLink(value, l, r.names)
}

// get returns the links with these keys, those that there are.
func (r *linkReader) get(keys [][]byte) ([]store.Link, error) {
	keys = sortedKeys(keys)
	found := make([]store.Link, 0, len(keys))
	for _, k := range keys {
		v := r.links.Get(k)
		if v == nil {
			continue
		}
		var l store.Link
		if err := r.decode(k, v, &l); err != nil {
			return nil, err
		}
		found = append(found, l)
	}
	bySource := func(a, b store.Link) int { return strings.Compare(a.SourceID, b.SourceID) }
	if !slices.IsSortedFunc(found, bySource) {
		slices.SortFunc(found, bySource)
	}
	return found, nil
}

// lookUp returns the links that an index has under these ids.
func (r *linkReader) lookUp(index *bbolt.Bucket, ids []string, part func([]byte, string) []byte) ([]store.Link, error) {
	var keys [][]byte
	c := index.Cursor()
	for _, id := range ids {
		prefix := part(appendCode(nil, r.code), id)
		for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			keys = append(keys, append(appendCode(nil, r.code), k[len(prefix):]...))
		}
	}
	return r.get(keys)
}

// addresses returns the links that have one of these addresses. The index has
// only their hashes, so what it finds is looked at again.
func (r *linkReader) addresses(index *bbolt.Bucket, addresses []string) ([]store.Link, error) {
	wanted := make(map[string]bool, len(addresses))
	normal := make([]string, len(addresses))
	for i, a := range addresses {
		normal[i] = directory.NormalAddress(a)
		wanted[normal[i]] = true
	}
	found, err := r.lookUp(index, normal, appendAddress)
	return slices.DeleteFunc(found, func(l store.Link) bool {
		return !slices.ContainsFunc(l.Addresses, func(a string) bool { return wanted[a] })
	}), err
}

// Room that a walk takes at once: for few links first, since a page is mostly asked
// for larger than what there is, and then for the page.
const (
	fewLinks  = 32
	manyLinks = 4096
)

// walk returns links in the order of source ids from after on. GUIDs and other
// ids stand apart in the file, so two cursors are merged.
func (r *linkReader) walk(after string, limit int) ([]store.Link, error) {
	guids, err := r.runFrom(tagGUID, after)
	if err != nil {
		return nil, err
	}
	texts, err := r.runFrom(tagText, after)
	if err != nil {
		return nil, err
	}
	found := make([]store.Link, 0, min(limit, fewLinks))
	for limit == 0 || len(found) < limit {
		run := guids
		if guids.key == nil || texts.key != nil && texts.id < guids.id {
			run = texts
		}
		if run.key == nil {
			break
		}
		if len(found) == fewLinks && limit > fewLinks {
			found = slices.Grow(found, min(limit, manyLinks)-fewLinks)
		}
		l := store.Link{Pair: r.pair, SourceID: run.id}
		if err := decodeLink(run.value, &l, r.names); err != nil {
			return nil, err
		}
		found = append(found, l)
		if err := run.step(run.cursor.Next()); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// linkRun is a walk over the links of one kind of id; key is nil at its end.
type linkRun struct {
	cursor     *bbolt.Cursor
	prefix     []byte
	key, value []byte
	id         string
}

// runFrom begins a run at the first id greater than after.
func (r *linkReader) runFrom(tag byte, after string) (*linkRun, error) {
	run := &linkRun{cursor: r.links.Cursor(), prefix: append(appendCode(nil, r.code), tag)}
	start := codeKey(r.code, after)
	switch {
	case after == "":
		start = run.prefix
	case tag == tagText:
		start = append(bytes.Clone(run.prefix), after...)
	case start[codeSize] != tagGUID:
		// An id of the other kind: GUIDs that do not come after it are passed over.
		start = run.prefix
	}
	err := run.step(run.cursor.Seek(start))
	for err == nil && run.key != nil && after != "" && run.id <= after {
		err = run.step(run.cursor.Next())
	}
	return run, err
}

func (run *linkRun) step(key, value []byte) error {
	if key == nil || !bytes.HasPrefix(key, run.prefix) {
		run.key = nil
		return nil
	}
	id, ok := idOf(key[codeSize:])
	if !ok {
		return damaged("link key %x", key)
	}
	run.key, run.value, run.id = key, value, id
	return nil
}
