package storetest

import (
	"fmt"
	"sync"
	"time"

	"tenantsync/store"
)

// act is the n-th administrative act as a caller hands it to a store.
func act(n int) store.Audit {
	return store.Audit{At: day.Add(time.Duration(n) * time.Minute), Actor: fmt.Sprintf("Adèle %d", n%3), Via: "socket",
		Act: []string{"pause", "deletions allow"}[n%2], Outcome: "begun", Job: fmt.Sprintf("job %d", n%4), Reason: "ticket <1> & \"2\"",
		Details: map[string]string{"deleted": fmt.Sprint(n), "": "empty key"}, OldHash: "a", NewHash: "b", Of: uint64(n)}
}

// sealed are the first n acts as they have to come back.
func sealed(n int) []store.Audit {
	list := make([]store.Audit, n)
	for i := range list {
		list[i] = act(i)
		if i == 0 {
			list[i].Seal(nil)
		} else {
			list[i].Seal(&list[i-1])
		}
	}
	return list
}

func testAudit(h *harness) {
	queried(h, "before the first", []store.Audit(nil))(h.s.Audit(h.Context(), store.AuditQuery{}))
	const n = 20
	for at, size := 0, 1; at < n; at, size = at+size, size%3+1 {
		var b store.Batch
		for i := at; i < min(at+size, n); i++ {
			b.Audit = append(b.Audit, act(i))
		}
		h.apply(b)
	}
	all := sealed(n)
	minutes := func(m int) time.Time { return day.Add(time.Duration(m) * time.Minute) }
	for name, tt := range map[string]struct {
		q    store.AuditQuery
		want func(i int) bool
	}{
		"all":             {store.AuditQuery{}, func(int) bool { return true }},
		"since and until": {store.AuditQuery{Since: minutes(5), Until: minutes(9)}, func(i int) bool { return i >= 5 && i < 9 }},
		"actor":           {store.AuditQuery{Actor: "adèLE 1"}, func(i int) bool { return i%3 == 1 }},
		"act and job":     {store.AuditQuery{Act: "pause", Job: "job 2"}, func(i int) bool { return i%4 == 2 }},
		"nothing":         {store.AuditQuery{Act: "allow"}, func(int) bool { return false }},
	} {
		var want, newest []store.Audit
		for i := range all {
			if tt.want(i) {
				want, newest = append(want, all[i]), append([]store.Audit{all[i]}, newest...)
			}
		}
		h.twice(func() {
			queried(h, name+", newest first", newest)(h.s.Audit(h.Context(), tt.q))
			q := tt.q
			q.Follow = true
			queried(h, name+", oldest first", want)(h.s.Audit(h.Context(), q))
		})
	}
	queried(h, "from a place", all[7:10])(h.s.Audit(h.Context(), store.AuditQuery{Follow: true, AfterSeq: 7, Limit: 3}))
	queried(h, "before a place", []store.Audit{all[6], all[5]})(h.s.Audit(h.Context(), store.AuditQuery{BeforeSeq: all[7].Seq, Limit: 2}))
	queried(h, "before the first", []store.Audit(nil))(h.s.Audit(h.Context(), store.AuditQuery{BeforeSeq: all[0].Seq}))
	queried(h, "the last", all[19:])(h.s.Audit(h.Context(), store.AuditQuery{Limit: 1}))
}

// Whatever else a batch drops, administrative acts stay.
func testAuditStays(h *harness) {
	b := everything("job")
	b.Audit = []store.Audit{act(0), act(1)}
	h.apply(b)
	late := day.AddDate(100, 0, 0)
	h.apply(store.Batch{DropStage: "job", DropMembers: []store.MemberSet{{Job: "job", Group: "g"}},
		DropLinks: []store.LinkKey{{Pair: pairA, SourceID: "s"}}, Prune: late, PruneDeleted: late})
	h.twice(func() {
		queried(h, "acts", sealed(2))(h.s.Audit(h.Context(), store.AuditQuery{Follow: true}))
	})
	more := store.Batch{Audit: []store.Audit{act(2)}}
	h.apply(more)
	same(h, "the act that the caller has", more.Audit, sealed(3)[2:])
	queried(h, "acts after one more", sealed(3))(h.s.Audit(h.Context(), store.AuditQuery{Follow: true}))
}

// A batch that is refused leaves no act, and its place is given to the next.
func testAuditAtomic(h *harness) {
	h.apply(store.Batch{Audit: []store.Audit{act(0)}})
	if err := h.s.Apply(h.Context(), &store.Batch{Audit: []store.Audit{act(9)},
		Stage: []store.StagePage{{Job: "job", Seq: 3}}}); err == nil {
		h.Fatal("a gap in the stage: got no error, want one")
	}
	h.apply(store.Batch{Audit: []store.Audit{act(1)}})
	h.twice(func() {
		queried(h, "acts", sealed(2))(h.s.Audit(h.Context(), store.AuditQuery{Follow: true}))
	})
}

// Acts that come at once make one chain.
func testAuditChain(h *harness) {
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := h.s.Apply(h.Context(), &store.Batch{Audit: []store.Audit{act(i)}}); err != nil {
				h.Errorf("apply: %v", err)
			}
		})
	}
	wg.Wait()
	h.twice(func() {
		found, err := h.s.Audit(h.Context(), store.AuditQuery{Follow: true})
		if err != nil || len(found) != 20 {
			h.Fatalf("got %d acts, error %v; want 20", len(found), err)
		}
		var chain store.AuditChain
		for i := range found {
			if err := chain.Next(&found[i]); err != nil {
				h.Errorf("chain: %v", err)
			}
		}
	})
}

// Text that is no text, and details that are none, are sealed as they come back.
func testAuditTexts(h *harness) {
	odd := act(0)
	odd.Actor, odd.Reason, odd.Details = "a\xff", "\xc3\x28\x00", map[string]string{"k\xfe": "\xfd", "n": ""}
	odd.At = odd.At.Add(999).In(time.FixedZone("here", 3600))
	h.apply(store.Batch{Audit: []store.Audit{odd, {At: day, Details: map[string]string{}}}})
	want := []store.Audit{odd, {At: day}}
	want[0].Seal(nil)
	want[1].Seal(&want[0])
	h.twice(func() {
		found, err := h.s.Audit(h.Context(), store.AuditQuery{Follow: true})
		queried(h, "acts", want)(found, err)
		var chain store.AuditChain
		for i := range found {
			if err := chain.Next(&found[i]); err != nil {
				h.Errorf("chain: %v", err)
			}
		}
	})
}
