package bolt

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"tenantsync/directory"
	"tenantsync/store"
)

// spanEntries is how many entries share one record of their earliest and latest
// time. The clock may jump, so the sequence alone does not tell where a time
// begins; with the spans a query for a time passes over what cannot match.
const spanEntries = 256

// Ends of keys in logIDs: the text of an id holds no zero byte.
const idEnd = 0

// seqSize is the size of a sequence number in keys.
const seqSize = 8

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func seqAt(key []byte) uint64 { return binary.BigEndian.Uint64(key) }

// entryHead is what queries ask of an entry. It stands before the packed JSON of the
// rest, so that a scan does not decode what it passes over.
type entryHead struct {
	micro int64
	text  [headTexts][]byte
}

// The texts of a head. All but folded and errorCode are left out of the JSON.
const (
	headID = iota
	headChange
	headCycle
	headJob
	headAction
	headStatus
	headCode
	headFolded // identities' ids and names in lower case, each on its own line
	headTexts
)

// appendEntry appends an entry's record: time, texts, packed JSON.
func appendEntry(b []byte, e store.Entry, p *packer) ([]byte, error) {
	b = binary.BigEndian.AppendUint64(b, uint64(microseconds(e.ActivityDateTime).UnixMicro()))
	var errorCode string
	if e.StatusInfo.Error != nil {
		errorCode = e.StatusInfo.Error.Code
	}
	for _, s := range [headTexts]string{
		e.ID, e.ChangeID, e.CycleID, e.JobID, e.Action, e.StatusInfo.Status, errorCode, foldedIdentities(&e),
	} {
		b = appendPlain(b, s)
	}
	e.ID, e.ChangeID, e.CycleID, e.JobID, e.Action, e.StatusInfo.Status = "", "", "", "", "", ""
	e.ActivityDateTime = time.Time{}
	text, err := appendJSON(nil, &e)
	if err != nil {
		return nil, err
	}
	return p.appendPacked(b, text)
}

func appendPlain(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// readHead reads an entry's head, which stays in the memory of record, and
// returns the packed JSON after it.
func readHead(record []byte, h *entryHead) (rest []byte, ok bool) {
	if len(record) < timeSize {
		return nil, false
	}
	h.micro = int64(binary.BigEndian.Uint64(record))
	rest = record[timeSize:]
	for i := range h.text {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return nil, false
		}
		h.text[i], rest = rest[size:size+int(n)], rest[size+int(n):]
	}
	return rest, true
}

func decodeEntry(seq uint64, h *entryHead, rest []byte, u *unpacker) (store.Entry, error) {
	var e store.Entry
	text, err := u.unpack(rest)
	if err == nil {
		err = decodeJSON(text, &e)
	}
	if err != nil {
		return store.Entry{}, err
	}
	e.Seq = seq
	e.ActivityDateTime = time.UnixMicro(h.micro).UTC()
	e.ID, e.ChangeID, e.CycleID = string(h.text[headID]), string(h.text[headChange]), string(h.text[headCycle])
	e.JobID, e.Action = string(h.text[headJob]), string(h.text[headAction])
	e.StatusInfo.Status = string(h.text[headStatus])
	return e, nil
}

// foldedIdentities is what a query for a user is looked for in.
func foldedIdentities(e *store.Entry) string {
	var b strings.Builder
	for _, id := range []*store.Identity{&e.SourceIdentity, &e.TargetIdentity} {
		for _, s := range [...]string{id.ID, id.DisplayName, detail(id, "userPrincipalName"), detail(id, "mail")} {
			if s != "" {
				b.WriteString(strings.ToLower(s))
				b.WriteByte('\n')
			}
		}
	}
	return b.String()
}

// detail returns a detail of an identity; Entra's logs spell the names of
// details now with a small, now with a capital letter.
func detail(id *store.Identity, name string) string {
	if s, ok := id.Details[name]; ok {
		return s
	}
	for key, s := range id.Details {
		if strings.EqualFold(key, name) {
			return s
		}
	}
	return ""
}

// log prunes and appends entries.
func (w *writer) log(b *store.Batch) error {
	if !b.Prune.IsZero() {
		more, err := w.pruneLog(microseconds(b.Prune).UnixMicro())
		if err != nil {
			return err
		}
		b.PruneMore = b.PruneMore || more
	}
	log := w.bucket(inLog)
	log.FillPercent = 1 // nothing is ever put in between
	for _, e := range b.Log {
		seq, err := log.NextSequence()
		if err != nil {
			return err
		}
		record, err := appendEntry(nil, e, w.pack)
		if err != nil {
			return err
		}
		if err := log.Put(seqKey(seq), record); err != nil {
			return err
		}
		for _, key := range idKeys([]byte(e.ID), []byte(e.ChangeID), seq) {
			w.put(inLogIDs, key, present)
		}
		if err := w.widenSpan(seq, microseconds(e.ActivityDateTime).UnixMicro()); err != nil {
			return err
		}
	}
	return w.amendLog(b.AmendLog)
}

// amendLog adds steps and properties to entries that are there.
func (w *writer) amendLog(list []store.Amendment) error {
	var u unpacker
	for _, a := range list {
		seqs := seqsUnder(w.bucket(inLogIDs).Cursor(), append([]byte(normalID(a.ID)), idEnd), 1)
		if a.ID == "" || len(seqs) == 0 {
			continue
		}
		e, err := entryAt(w.bucket(inLog), seqs[0], &u)
		if err != nil {
			return err
		}
		e.Seq = 0
		e.Steps, e.Modified = append(e.Steps, a.Steps...), append(e.Modified, a.Modified...)
		record, err := appendEntry(nil, e, w.pack)
		if err != nil {
			return err
		}
		if err := w.bucket(inLog).Put(seqKey(seqs[0]), record); err != nil {
			return err
		}
	}
	return nil
}

// pruneLog removes entries from the oldest on, as long as they are older and no
// more than a batch may; it reports whether that left some.
func (w *writer) pruneLog(before int64) (more bool, err error) {
	c := w.bucket(inLog).Cursor()
	kept := ^uint64(0)
	pruned := 0
	for k, v := c.First(); k != nil; k, v = c.Next() {
		seq := seqAt(k)
		var h entryHead
		if _, ok := readHead(v, &h); !ok {
			return false, damaged("log entry %d", seq)
		}
		if old := h.micro < before; !old || pruned == store.PruneLimit {
			kept, more = seq, old
			break
		}
		pruned++
		w.remove(inLog, bytes.Clone(k))
		for _, key := range idKeys(h.text[headID], h.text[headChange], seq) {
			w.remove(inLogIDs, key)
		}
	}
	if pruned == 0 {
		return false, nil
	}
	if last := w.bucket(inLog).Sequence(); kept > last {
		kept = last + 1
	}
	spans := w.bucket(inLogSpans).Cursor()
	for k, _ := spans.First(); k != nil && seqAt(k) < kept/spanEntries; k, _ = spans.Next() {
		w.remove(inLogSpans, bytes.Clone(k))
	}
	return more, nil
}

// widenSpan notes the time of an entry in its span.
func (w *writer) widenSpan(seq uint64, micro int64) error {
	spans := w.bucket(inLogSpans)
	key := seqKey(seq / spanEntries)
	earliest, latest, ok := spanAt(spans, key)
	if ok && earliest <= micro && micro <= latest {
		return nil
	}
	if ok {
		earliest, latest = min(earliest, micro), max(latest, micro)
	} else {
		earliest, latest = micro, micro
	}
	value := binary.BigEndian.AppendUint64(nil, uint64(earliest))
	return spans.Put(key, binary.BigEndian.AppendUint64(value, uint64(latest)))
}

func spanAt(spans *bbolt.Bucket, key []byte) (earliest, latest int64, ok bool) {
	v := spans.Get(key)
	if len(v) != 2*timeSize {
		return 0, 0, false
	}
	return int64(binary.BigEndian.Uint64(v)), int64(binary.BigEndian.Uint64(v[timeSize:])), true
}

// idKeys returns the keys under which an entry is found by id and change id.
func idKeys(id, change []byte, seq uint64) [][]byte {
	var keys [][]byte
	for _, s := range [...][]byte{id, change} {
		if len(s) > 0 {
			key := append(bytes.ToLower(s), idEnd)
			keys = append(keys, append(key, seqKey(seq)...))
		}
	}
	return keys
}

// entryAt returns the entry with a sequence number.
func entryAt(log *bbolt.Bucket, seq uint64, u *unpacker) (store.Entry, error) {
	var h entryHead
	rest, ok := readHead(log.Get(seqKey(seq)), &h)
	if !ok {
		return store.Entry{}, damaged("log entry %d", seq)
	}
	return decodeEntry(seq, &h, rest, u)
}

// A log id is looked for in lower case; see directory.NormalAddress for the
// same treatment of what a person types.
func normalID(s string) string { return directory.NormalAddress(s) }
