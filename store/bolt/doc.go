// Package bolt keeps the state of tenantsync in one bbolt file.
//
// One process owns the file: it is locked while it is open, and a second process
// is told so by [store.ErrLocked]. A file that is damaged, foreign or newer is
// refused with [store.ErrFormat]; an empty state is begun only where there is no
// file at all.
//
// # Layout
//
// Every bucket stands at the top of the file. Tenants' pairs and jobs are
// written as a number of four bytes given out by "names". An id is a tag and
// sixteen bytes for a canonical GUID, or another tag and the text. Numbers in
// keys are big-endian, times are microseconds.
//
//	meta           product, format, created, state, backup
//	names          kind, text                     → number
//	jobs           job, part                      → record; assignments; ids to read
//	stage          job (a bucket of its own): page, part → objects
//	members        job, group, member             → is it a group
//	links          pair, source id                → link
//	linkTargets    pair, target id, source id     →
//	linkAddresses  pair, hash of address, source id →
//	linkManagers   pair, manager's source id, source id →
//	linkDeleted    time, pair, source id          →
//	escrows        job, source id                 → record; likewise intents, holds, verdicts
//	cycles         start, id                      → job, record
//	cycleIDs       id                             → key in cycles
//	log            sequence                       → what is searched for, record (deflated)
//	logIDs         id or change id, sequence      →
//	logSpans       sequence/256                   → earliest and latest time in that span
//	audit          sequence                       → record (absent in files of earlier versions until they are opened for writing)
//
// Beside NAME lies NAME.high, which says how far the state had come; a file that is
// behind it was put back from a copy (see highwater.go).
//
// Random ids in large transactions are many times slower to write than ordered
// ones, so the changes of a batch are sorted by bucket and key before the first
// is made, and a record that is there already with the same bytes is not written
// again.
package bolt
