package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Audit is one record of the administrative acts: who did what, when, by which
// way, why, and what came of it. Records are only ever appended; nothing prunes
// them. An act leaves one record before it begins and one when it has ended.
type Audit struct {
	// Seq is the place in the record, from 1 without gaps, given by the store.
	Seq uint64 `json:"seq"`
	At  Time   `json:"at"`
	// Actor is who acted: a user of the machine, the name of a token, or the
	// program itself.
	Actor string `json:"actor"`
	// Via is the way by which the act came: command, socket, tcp, signal, process.
	Via string `json:"via"`
	Act string `json:"act"`
	// Outcome is begun, done, failed, interrupted or refused.
	Outcome string `json:"outcome"`
	// Of is the Seq of the record that says that the act began, 0 in that record.
	Of  uint64 `json:"of,omitempty"`
	Job string `json:"job,omitempty"`
	// Reason is why, in the words of who acted.
	Reason string `json:"reason,omitempty"`
	// Details are what the act was about: ids, counts, codes. Never a secret.
	Details map[string]string `json:"details,omitempty"`
	// OldHash and NewHash are SHA-256 of the configuration's text before and after.
	OldHash string `json:"oldHash,omitempty"`
	NewHash string `json:"newHash,omitempty"`
	// Previous is the Hash of the record before, "" in the first; Hash is over
	// Previous and every other field. Both are given by the store.
	Previous string `json:"previous"`
	Hash     string `json:"hash"`
}

// AuditQuery selects records of administrative acts. Zero fields do not restrict.
// Records come newest first, those before BeforeSeq when it is set, or oldest first
// from AfterSeq when Follow is set.
type AuditQuery struct {
	Since, Until time.Time // from Since on, before Until
	Actor        string    // part of it, in any case
	Act          string
	Outcome      string
	Job          string
	Limit        int
	Follow       bool
	AfterSeq     uint64 // with Follow
	BeforeSeq    uint64 // without Follow
}

// Matches reports whether a record is asked for, place and limit aside.
func (q *AuditQuery) Matches(a *Audit) bool {
	return (q.Since.IsZero() || !a.At.Before(q.Since)) && (q.Until.IsZero() || a.At.Before(q.Until)) &&
		strings.Contains(strings.ToLower(a.Actor), strings.ToLower(q.Actor)) &&
		(q.Act == "" || q.Act == a.Act) && (q.Outcome == "" || q.Outcome == a.Outcome) && (q.Job == "" || q.Job == a.Job)
}

// Seal makes a record the one after another, nil for the first: it gives it its
// place and its hash. Texts lose what is not UTF-8 and the time what is below
// microseconds, so that the record reads back as it was sealed.
func (a *Audit) Seal(before *Audit) {
	a.Seq, a.Previous = 1, ""
	if before != nil {
		a.Seq, a.Previous = before.Seq+1, before.Hash
	}
	a.At = a.At.UTC().Truncate(time.Microsecond)
	for _, text := range a.texts() {
		*text = strings.ToValidUTF8(*text, "�")
	}
	var details map[string]string
	for key, value := range a.Details {
		if details == nil {
			details = make(map[string]string, len(a.Details))
		}
		details[strings.ToValidUTF8(key, "�")] = strings.ToValidUTF8(value, "�")
	}
	a.Details = details
	a.Hash = a.sum()
}

// texts are the fields that a writer fills with words.
func (a *Audit) texts() []*string {
	return []*string{&a.Actor, &a.Via, &a.Act, &a.Outcome, &a.Job, &a.Reason, &a.OldHash, &a.NewHash}
}

// sum is the record's hash. Every part stands with its length before it, so that
// no two records have the same text.
func (a *Audit) sum() string {
	b := binary.AppendUvarint(nil, a.Seq)
	b = binary.AppendVarint(b, a.At.UnixMicro())
	b = binary.AppendUvarint(b, a.Of)
	add := func(s string) {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	add(a.Previous)
	for _, text := range a.texts() {
		add(*text)
	}
	b = binary.AppendUvarint(b, uint64(len(a.Details)))
	for _, key := range slices.Sorted(maps.Keys(a.Details)) {
		add(key)
		add(a.Details[key])
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// AuditChain checks records one after the other, oldest first. Its zero value
// expects the first of all.
type AuditChain struct {
	last *Audit
}

// Next checks that a record follows the one before it and is as it was sealed.
func (c *AuditChain) Next(a *Audit) error {
	seq, previous := uint64(1), ""
	if c.last != nil {
		seq, previous = c.last.Seq+1, c.last.Hash
	}
	switch {
	case a.Seq != seq:
		return fmt.Errorf("record %d is missing: record %d follows record %d", seq, a.Seq, seq-1)
	case a.Previous != previous:
		return fmt.Errorf("record %d does not follow record %d as it is: one of them was replaced", a.Seq, seq-1)
	case a.sum() != a.Hash:
		return fmt.Errorf("record %d was changed after it was written", a.Seq)
	}
	kept := *a
	c.last = &kept
	return nil
}

// Last returns the last record that was checked, nil before the first.
func (c *AuditChain) Last() *Audit { return c.last }
