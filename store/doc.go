// Package store is the contract for everything tenantsync remembers: links with
// the values last exported, the stage of a round, watermarks, member sets of
// scope groups, intents, escrows, held deletions, verdicts, cycles, the
// provisioning log and the record of administrative acts.
//
// A store takes changes as a [Batch], committed whole or not at all, and answers
// value queries: nothing it returns is tied to a transaction, and no query is
// held open over a call to a tenant. Implementations live below this package and
// prove themselves with package storetest.
//
// The package knows neither Graph nor jobs' configuration; it only keeps what
// the engine tells it.
package store
