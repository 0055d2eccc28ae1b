package storetest

import (
	"reflect"
	"testing"
	"time"

	"tenantsync/store"
)

// Run runs the suite. open opens the store that is kept in dir, making it when
// there is none; after Close, opening the same dir must bring back what was
// committed. The suite closes what it opens.
func Run(t *testing.T, open func(t *testing.T, dir string) store.Store) {
	tests := []struct {
		name string
		run  func(*harness)
	}{
		{"every field of a link comes back", testLinkFields},
		{"every field of a job comes back", testJobFields},
		{"every field of what waits comes back", testWaitingFields},
		{"what waits comes in the order of source ids", testWaitingInOrder},
		{"every field of a cycle comes back", testCycleFields},
		{"every field of a log entry comes back", testEntryFields},
		{"members and verdicts come back", testMembersAndVerdicts},
		{"stage pages come back in order", testStage},
		{"values come back as they were", testValues},
		{"times have microseconds and are UTC", testTimes},
		{"what is not there", testNothing},
		{"results are copies", testCopies},

		{"a batch that fails changes nothing", testAtomic},
		{"removals come before puts", testRemovalsFirst},
		{"an empty batch is accepted", testEmptyBatch},
		{"a canceled context stops before the commit", testCanceled},
		{"a large batch", testLargeBatch},

		{"links are found by each kind of id", testLinkQueries},
		{"indexes follow a link that changes", testLinkIndexes},
		{"a walk over links goes in pages", testLinkWalk},
		{"links of pairs and members of jobs stay apart", testApart},
		{"deleted links are pruned", testPruneDeleted},

		{"cycles come newest first", testCycleQueries},
		{"entries are amended", testAmendLog},
		{"each filter of the log", testLogFilters},
		{"the log comes newest first and ends at the limit", testLogOrder},
		{"the log is read before a place", testLogBefore},
		{"the log is followed from a place", testLogFollow},
		{"time filters survive a clock that jumps", testLogClock},
		{"ids of log entries may be shortened", testLogIDs},
		{"old log entries and cycles are pruned", testPrune},
		{"a batch prunes no more than the limit", testPruneLimit},

		{"administrative acts come back in their order", testAudit},
		{"administrative acts stay", testAuditStays},
		{"administrative acts of a refused batch leave nothing", testAuditAtomic},
		{"administrative acts make one chain", testAuditChain},
		{"administrative acts hold any text", testAuditTexts},

		{"readers beside a writer see whole batches", testConcurrent},
		{"random batches agree with a model", testRandom},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := &harness{T: t, dir: t.TempDir(), open: open}
			h.reopen()
			defer h.close()
			tt.run(h)
		})
	}
}

// harness is one test with its store.
type harness struct {
	*testing.T
	dir  string
	open func(*testing.T, string) store.Store
	s    store.Store
}

func (h *harness) reopen() {
	h.Helper()
	h.close()
	h.s = h.open(h.T, h.dir)
}

func (h *harness) close() {
	h.Helper()
	if h.s == nil {
		return
	}
	if err := h.s.Close(); err != nil {
		h.Fatalf("close: %v", err)
	}
	h.s = nil
}

func (h *harness) apply(b store.Batch) {
	h.Helper()
	if err := h.s.Apply(h.Context(), &b); err != nil {
		h.Fatalf("apply: %v", err)
	}
}

// twice runs a check on the open store and again after it was opened anew.
func (h *harness) twice(check func()) {
	h.Helper()
	check()
	h.reopen()
	check()
	if h.Failed() {
		h.FailNow()
	}
}

// same compares whole values, states of attributes and time zones included.
func same[T any](h *harness, what string, got, want T) {
	h.Helper()
	if !reflect.DeepEqual(got, want) {
		h.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// queried compares the result of a query; no result may be nil or empty.
func queried[T any](h *harness, what string, want []T) func([]T, error) {
	h.Helper()
	return func(got []T, err error) {
		h.Helper()
		if err != nil {
			h.Errorf("%s: %v", what, err)
			return
		}
		if len(got) == 0 && len(want) == 0 {
			return
		}
		same(h, what, got, want)
	}
}

// day is the time the tests speak of; with microseconds, since these must stay.
var day = time.Date(2026, time.March, 14, 9, 26, 53, 589793000, time.UTC)

var (
	pairA = store.Pair{Source: "11111111-1111-1111-1111-111111111111", Target: "22222222-2222-2222-2222-222222222222"}
	pairB = store.Pair{Source: "11111111-1111-1111-1111-111111111111", Target: "33333333-3333-3333-3333-333333333333"}
)

// ids in the order of a store: as texts, whatever their form.
var ids = [...]string{
	"",
	"0000000f-8a3e-4b7d-9c60-1d2e3f405162",
	"0f5c1a52-8a3e-4b7d-9c60-1d2e3f405162",
	"0f5c1a52-8a3e-4b7d-9c60-1d2e3f405163",
	"7",
	"9F5C1A52-8A3E-4B7D-9C60-1D2E3F405162",
	"9f5c1a52-8a3e-4b7d-9c60-1d2e3f405162",
	"ffffffff-ffff-ffff-ffff-ffffffffffff",
	"user-é",
	"user-é-2",
}
