// Package engine runs synchronization jobs: it reads the changes of a source
// tenant, decides what they mean for the target tenant, and writes that.
//
// One cycle of a job goes through the steps that design documents name: import,
// complete, scoping, matching, guard, processing, export, commit, watermark. The
// functions that decide are pure and take the present time; those that wait take
// a context. Nothing is written to a source tenant: [Source] has no method that
// could.
//
// Words used here and everywhere: a job pairs a source with a target tenant. A
// cycle is one pass, initial (everything) or incremental (what changed since the
// watermark). A link pairs a source user with its target user and holds what was
// last exported. An escrow is an object that failed and is retried. A job in
// quarantine runs at a slower pace or holds its deletes.
//
// An [Engine] is safe for concurrent use; it never runs two cycles of one job at
// once.
package engine
