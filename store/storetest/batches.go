package storetest

import (
	"errors"
	"fmt"
	"sync"

	"tenantsync/directory"
	"tenantsync/store"
)

// everything is a batch that puts a record of every kind.
func everything(job string) store.Batch {
	return store.Batch{
		Jobs:        []store.Job{{Name: job, Watermark: "w"}},
		PutMembers:  []store.Member{{Job: job, Group: "g", ID: "m"}},
		PutLinks:    []store.Link{{Pair: pairA, SourceID: "s", TargetID: "t", Job: job}},
		PutEscrows:  []store.Escrow{{Job: job, SourceID: "s", Code: "c"}},
		PutIntents:  []store.Intent{{Job: job, SourceID: "s", Address: "a"}},
		PutHolds:    []store.Hold{{Job: job, SourceID: "s", Reason: "r"}},
		PutVerdicts: []store.Verdict{{Job: job, SourceID: "s", Hash: 1}},
		Cycles:      []store.Cycle{{ID: "c", Job: job, StartedAt: day}},
		Log:         []store.Entry{{ID: "e", JobID: job, ActivityDateTime: day}},
		Stage:       []store.StagePage{{Job: job, Seq: 1, Objects: []directory.Object{{ID: "o"}}}},
	}
}

// counts are the numbers of records of every kind that a job has.
type counts struct {
	jobs, members, links, byTarget, escrows, intents, holds, verdicts, cycles, log, pages int
}

func (h *harness) count(job string) counts {
	h.Helper()
	ctx := h.Context()
	var c counts
	_, err := h.s.Job(ctx, job)
	if err == nil {
		c.jobs = 1
	} else if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	members, err1 := h.s.Members(ctx, store.MemberQuery{Job: job})
	links, err2 := h.s.Links(ctx, store.LinkQuery{Pair: pairA})
	byTarget, err3 := h.s.Links(ctx, store.LinkQuery{Pair: pairA, TargetIDs: []string{"t"}})
	waiting, err4 := h.s.Waiting(ctx, job)
	verdicts, err5 := h.s.Verdicts(ctx, store.VerdictQuery{Job: job})
	cycles, err6 := h.s.Cycles(ctx, store.CycleQuery{Job: job})
	log, err7 := h.s.Log(ctx, store.LogQuery{Job: job})
	pages, err8 := h.s.StagePages(ctx, job, 0, 0)
	if err := errors.Join(err, err1, err2, err3, err4, err5, err6, err7, err8); err != nil {
		h.Fatalf("count: %v", err)
	}
	c.members, c.links, c.byTarget, c.pages = len(members), len(links), len(byTarget), len(pages)
	c.escrows, c.intents, c.holds = len(waiting.Escrows), len(waiting.Intents), len(waiting.Holds)
	c.verdicts, c.cycles, c.log = len(verdicts), len(cycles), len(log)
	return c
}

func testAtomic(h *harness) {
	b := everything("job")
	b.Stage = append(b.Stage, store.StagePage{Job: "job", Seq: 3}) // a gap
	refuse := func() {
		h.Helper()
		if err := h.s.Apply(h.Context(), &b); err == nil {
			h.Fatal("a gap in the stage: got no error, want one")
		}
	}
	refuse()
	h.twice(func() { same(h, "after the failed batch", h.count("job"), counts{}) })
	// Nothing that the store keeps in memory may remember it either.
	refuse()
	b.Stage = b.Stage[:1]
	h.apply(b)
	h.twice(func() {
		same(h, "after the same batch without the gap", h.count("job"), counts{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
	})
}

func testRemovalsFirst(h *harness) {
	h.apply(everything("job"))
	b := everything("job")
	key := store.WaitKey{Job: "job", SourceID: "s"}
	b.DropStage = "job"
	b.DropMembers = []store.MemberSet{{Job: "job", Group: "g"}}
	b.CutMembers = b.PutMembers
	b.DropLinks = []store.LinkKey{{Pair: pairA, SourceID: "s"}}
	b.DropEscrows, b.DropIntents = []store.WaitKey{key}, []store.WaitKey{key}
	b.DropHolds, b.DropVerdicts = []store.WaitKey{key}, []store.WaitKey{key}
	b.Prune = day.AddDate(1, 0, 0)
	h.apply(b)
	h.twice(func() { same(h, "after dropping and putting", h.count("job"), counts{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}) })

	b = store.Batch{DropStage: b.DropStage, DropMembers: b.DropMembers, DropLinks: b.DropLinks, DropEscrows: b.DropEscrows,
		DropIntents: b.DropIntents, DropHolds: b.DropHolds, DropVerdicts: b.DropVerdicts, Prune: b.Prune}
	h.apply(b)
	h.twice(func() { same(h, "after dropping all", h.count("job"), counts{jobs: 1}) })
}

func testEmptyBatch(h *harness) {
	h.apply(store.Batch{})
	h.apply(store.Batch{Lease: 1})
}

func testLargeBatch(h *harness) {
	const n = 20_000
	var b store.Batch
	for i := range n {
		// Neither in order of source nor of target.
		id := fmt.Sprintf("%08x-0000-4000-8000-000000000000", uint32(i)*2654435761)
		target := fmt.Sprintf("%08x-0000-4000-8000-000000000001", uint32(i)*40503)
		b.PutLinks = append(b.PutLinks, store.Link{Pair: pairA, SourceID: id, TargetID: target, Job: "job",
			Addresses: []string{"user" + id + "@contoso.example"}, Exported: sampleAttributes()})
		b.PutMembers = append(b.PutMembers, store.Member{Job: "job", Group: "g", ID: id})
		b.PutVerdicts = append(b.PutVerdicts, store.Verdict{Job: "job", SourceID: id, Hash: uint64(i)})
	}
	h.apply(b)
	h.reopen()
	links, err := h.s.Links(h.Context(), store.LinkQuery{Pair: pairA})
	if err != nil || len(links) != n {
		h.Fatalf("walk: got %d links, error %v; want %d", len(links), err, n)
	}
	for i := 1; i < len(links); i++ {
		if links[i-1].SourceID >= links[i].SourceID {
			h.Fatalf("walk: %s before %s", links[i-1].SourceID, links[i].SourceID)
		}
	}
	want := b.PutLinks[n/3]
	queried(h, "one of many by address", []store.Link{want})(
		h.s.Links(h.Context(), store.LinkQuery{Pair: pairA, Addresses: want.Addresses}))
	queried(h, "one of many by target", []store.Link{want})(
		h.s.Links(h.Context(), store.LinkQuery{Pair: pairA, TargetIDs: []string{want.TargetID}}))
	var drop store.Batch
	for i := range b.PutLinks {
		drop.DropLinks = append(drop.DropLinks, b.PutLinks[i].Key())
	}
	drop.DropMembers = []store.MemberSet{{Job: "job", Group: "g"}}
	h.apply(drop)
	h.twice(func() { same(h, "after dropping all", h.count("job"), counts{verdicts: n}) })
}

// Every batch puts the same number into two records of different kinds: a reader
// that sees them differ in one direction saw half a batch.
func testConcurrent(h *harness) {
	const batches, readers = 60, 3
	h.apply(store.Batch{Jobs: []store.Job{{Name: "job"}}, PutLinks: []store.Link{{Pair: pairA, SourceID: "s", UPN: "000"}, {Pair: pairA, SourceID: "t", UPN: "000"}}})
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range readers {
		wg.Go(func() {
			for last := ""; ; {
				links, err := h.s.Links(h.Context(), store.LinkQuery{Pair: pairA})
				if err != nil || len(links) != 2 || links[0].UPN != links[1].UPN || links[0].UPN < last {
					h.Errorf("after %s: got links %+v, error %v; want two from one batch, not older", last, links, err)
					return
				}
				last = links[0].UPN
				if _, err := h.s.Log(h.Context(), store.LogQuery{User: "nobody"}); err != nil {
					h.Errorf("log: %v", err)
				}
				if _, err := h.s.StagePages(h.Context(), "job", 0, 0); err != nil {
					h.Errorf("stage: %v", err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for n := 1; n <= batches; n++ {
		upn := fmt.Sprintf("%03d", n)
		h.apply(store.Batch{
			PutLinks: []store.Link{{Pair: pairA, SourceID: "s", UPN: upn}, {Pair: pairA, SourceID: "t", UPN: upn}},
			Stage:    []store.StagePage{{Job: "job", Seq: n, Objects: make([]directory.Object, n)}},
			Log:      []store.Entry{{ID: upn, ActivityDateTime: day}},
			Jobs:     []store.Job{{Name: fmt.Sprint("job ", n)}}, // a new name with every batch
		})
	}
	close(done)
	wg.Wait()
}
