package storetest

import (
	"errors"
	"fmt"
	"time"

	"tenantsync/store"
)

func testCycleQueries(h *harness) {
	cycle := func(id, job string, minutes int) store.Cycle {
		return store.Cycle{ID: id, Job: job, StartedAt: day.Add(time.Duration(minutes) * time.Minute)}
	}
	one, two, three, four := cycle("d", "x", 1), cycle("c", "y", 2), cycle("b", "x", 3), cycle("a", "x", 4)
	h.apply(store.Batch{Cycles: []store.Cycle{three, one}})
	h.apply(store.Batch{Cycles: []store.Cycle{four, two}})
	h.twice(func() {
		queried(h, "all", []store.Cycle{four, three, two, one})(h.s.Cycles(h.Context(), store.CycleQuery{}))
		queried(h, "of a job", []store.Cycle{four, three, one})(h.s.Cycles(h.Context(), store.CycleQuery{Job: "x"}))
		queried(h, "two of a job", []store.Cycle{four, three})(h.s.Cycles(h.Context(), store.CycleQuery{Job: "x", Limit: 2}))
		queried(h, "since the third began", []store.Cycle{four, three})(h.s.Cycles(h.Context(), store.CycleQuery{Job: "x", Since: three.StartedAt}))
		queried(h, "since a moment later", []store.Cycle{four})(h.s.Cycles(h.Context(), store.CycleQuery{Since: three.StartedAt.Add(time.Microsecond)}))
		queried(h, "by id", []store.Cycle{two})(h.s.Cycles(h.Context(), store.CycleQuery{ID: "c"}))
		queried(h, "by id of another job", []store.Cycle{})(h.s.Cycles(h.Context(), store.CycleQuery{ID: "c", Job: "x"}))
		queried(h, "by an unknown id", []store.Cycle{})(h.s.Cycles(h.Context(), store.CycleQuery{ID: "z"}))
	})
	three.Outcome, three.EndedAt = store.OutcomeSuccess, three.StartedAt.Add(time.Minute)
	four.StartedAt = day // moved
	h.apply(store.Batch{Cycles: []store.Cycle{three, four}})
	h.twice(func() {
		queried(h, "after putting two again", []store.Cycle{three, two, one, four})(h.s.Cycles(h.Context(), store.CycleQuery{}))
	})
}

// entry n is n minutes later than day and differs from its neighbors in all
// that can be asked for.
func entry(n int) store.Entry {
	e := store.Entry{
		ID:       fmt.Sprintf("%08x-8a3e-7b7d-9c60-1d2e3f405162", n+0xa0000000),
		ChangeID: fmt.Sprintf("%08x-8a3e-7b7d-9c60-1d2e3f405163", n+0xb0000000),
		CycleID:  fmt.Sprint("cycle ", n/4), JobID: fmt.Sprint("job ", n%2),
		ActivityDateTime: day.Add(time.Duration(n) * time.Minute),
		Action:           []string{"create", "update", "disable", "delete"}[n%4],
		StatusInfo:       store.StatusInfo{Status: []string{"success", "failure", "skipped"}[n%3]},
		SourceIdentity: store.Identity{ID: fmt.Sprintf("source-%d.", n), DisplayName: fmt.Sprintf("Adèle Vance %d.", n),
			Details: map[string]string{"userPrincipalName": fmt.Sprintf("Adele%d@Contoso.example", n), "odatatype": "User"}},
		TargetIdentity: store.Identity{ID: fmt.Sprintf("target-%d.", n)},
	}
	if n%2 == 1 {
		e.TargetIdentity.Details = map[string]string{"UserPrincipalName": fmt.Sprintf("adele%d_contoso#EXT#@fabrikam.example", n)}
	}
	if n%3 == 1 {
		e.StatusInfo.Error = &store.ErrorInfo{Code: fmt.Sprint("Code", n%2), Reason: "because"}
	}
	return e
}

// fillLog appends n entries in batches of different sizes and returns them with
// the places the store gave them.
func (h *harness) fillLog(n int) []store.Entry {
	h.Helper()
	for at, size := 0, 1; at < n; at, size = at+size, size%7+1 {
		var b store.Batch
		for i := at; i < min(at+size, n); i++ {
			b.Log = append(b.Log, entry(i))
		}
		h.apply(b)
	}
	all, err := h.s.Log(h.Context(), store.LogQuery{Follow: true})
	if err != nil || len(all) != n {
		h.Fatalf("log: got %d entries, error %v; want %d", len(all), err, n)
	}
	for i := range all {
		want := entry(i)
		want.Seq = all[i].Seq
		same(h, fmt.Sprint("entry ", i), all[i], want)
		if i > 0 && all[i].Seq <= all[i-1].Seq {
			h.Errorf("entry %d: sequence %d after %d", i, all[i].Seq, all[i-1].Seq)
		}
	}
	return all
}

func testLogFilters(h *harness) {
	const n = 60
	all := h.fillLog(n)
	at := func(minutes int) time.Time { return day.Add(time.Duration(minutes) * time.Minute) }
	tests := []struct {
		name string
		q    store.LogQuery
		want func(n int, e store.Entry) bool
	}{
		{"nothing", store.LogQuery{}, func(int, store.Entry) bool { return true }},
		{"job", store.LogQuery{Job: "job 1"}, func(n int, e store.Entry) bool { return n%2 == 1 }},
		{"unknown job", store.LogQuery{Job: "job"}, func(int, store.Entry) bool { return false }},
		{"since", store.LogQuery{Since: at(50)}, func(n int, e store.Entry) bool { return n >= 50 }},
		{"until", store.LogQuery{Until: at(50)}, func(n int, e store.Entry) bool { return n < 50 }},
		{"since and until", store.LogQuery{Since: at(10), Until: at(20)}, func(n int, e store.Entry) bool { return n >= 10 && n < 20 }},
		{"since the future", store.LogQuery{Since: at(1000)}, func(int, store.Entry) bool { return false }},
		{"source id", store.LogQuery{User: "SOURCE-7."}, func(n int, e store.Entry) bool { return n == 7 }},
		{"target id", store.LogQuery{User: "target-7."}, func(n int, e store.Entry) bool { return n == 7 }},
		{"display name, another case", store.LogQuery{User: "aDÈLE vance 1"}, func(n int, e store.Entry) bool { return n == 1 || n >= 10 && n < 20 }},
		{"user principal name", store.LogQuery{User: "adele7@contoso.example"}, func(n int, e store.Entry) bool { return n == 7 }},
		{"user principal name, spelled as Entra's logs do", store.LogQuery{User: "adele7_CONTOSO#ext#"}, func(n int, e store.Entry) bool { return n == 7 }},
		{"not the name of a detail", store.LogQuery{User: "userPrincipal"}, func(int, store.Entry) bool { return false }},
		{"an action", store.LogQuery{Actions: []string{"disable"}}, func(n int, e store.Entry) bool { return n%4 == 2 }},
		{"actions", store.LogQuery{Actions: []string{"disable", "create"}}, func(n int, e store.Entry) bool { return n%2 == 0 }},
		{"statuses", store.LogQuery{Statuses: []string{"failure", "skipped"}}, func(n int, e store.Entry) bool { return n%3 > 0 }},
		{"code", store.LogQuery{Code: "Code1"}, func(n int, e store.Entry) bool { return n%3 == 1 && n%2 == 1 }},
		{"cycle", store.LogQuery{Cycle: "cycle 3"}, func(n int, e store.Entry) bool { return n/4 == 3 }},
		{"change", store.LogQuery{Change: entry(5).ChangeID}, func(n int, e store.Entry) bool { return n == 5 }},
		{"all together", store.LogQuery{Job: "job 1", Since: at(1), Until: at(40), User: "contoso", Actions: []string{"update"},
			Statuses: []string{"failure"}, Code: "Code1"}, func(n int, e store.Entry) bool { return n < 40 && n%12 == 1 }},
	}
	h.twice(func() {
		for _, tt := range tests {
			want := []store.Entry{}
			for i := n - 1; i >= 0; i-- {
				if tt.want(i, all[i]) {
					want = append(want, all[i])
				}
			}
			queried(h, tt.name, want)(h.s.Log(h.Context(), tt.q))
		}
	})
}

func testLogOrder(h *harness) {
	all := h.fillLog(20)
	queried(h, "three", []store.Entry{all[19], all[18], all[17]})(h.s.Log(h.Context(), store.LogQuery{Limit: 3}))
	queried(h, "two of a job", []store.Entry{all[19], all[17]})(h.s.Log(h.Context(), store.LogQuery{Job: "job 1", Limit: 2}))
	queried(h, "more than there are", []store.Entry{all[1], all[0]})(
		h.s.Log(h.Context(), store.LogQuery{Until: day.Add(2 * time.Minute), Limit: 5}))
}

func testLogBefore(h *harness) {
	all := h.fillLog(20)
	queried(h, "before a place", []store.Entry{all[4], all[3], all[2]})(h.s.Log(h.Context(), store.LogQuery{BeforeSeq: all[5].Seq, Limit: 3}))
	queried(h, "before a place, filtered", []store.Entry{all[3], all[1]})(h.s.Log(h.Context(), store.LogQuery{BeforeSeq: all[5].Seq, Job: "job 1"}))
	queried(h, "before a place, by time", []store.Entry{all[4], all[3]})(
		h.s.Log(h.Context(), store.LogQuery{BeforeSeq: all[5].Seq, Since: all[3].ActivityDateTime}))
	queried(h, "before the first", []store.Entry{})(h.s.Log(h.Context(), store.LogQuery{BeforeSeq: all[0].Seq}))
	queried(h, "beyond the end", []store.Entry{all[19]})(h.s.Log(h.Context(), store.LogQuery{BeforeSeq: all[19].Seq + 100, Limit: 1}))
	queried(h, "following, where it has no meaning", all)(h.s.Log(h.Context(), store.LogQuery{Follow: true, BeforeSeq: all[5].Seq}))
	var pages []store.Entry
	for q := (store.LogQuery{Limit: 3}); len(pages) < len(all)+3; {
		page, err := h.s.Log(h.Context(), q)
		if err != nil {
			h.Fatalf("page: %v", err)
		}
		if len(page) == 0 {
			break
		}
		pages, q.BeforeSeq = append(pages, page...), page[len(page)-1].Seq
	}
	whole, err := h.s.Log(h.Context(), store.LogQuery{})
	queried(h, "page by page", whole)(pages, err)
}

func testLogFollow(h *harness) {
	all := h.fillLog(20)
	queried(h, "from a place", all[5:8])(h.s.Log(h.Context(), store.LogQuery{Follow: true, AfterSeq: all[4].Seq, Limit: 3}))
	queried(h, "from a place, filtered", []store.Entry{all[6], all[8]})(
		h.s.Log(h.Context(), store.LogQuery{Follow: true, AfterSeq: all[4].Seq, Job: "job 0", Limit: 2}))
	queried(h, "from the end", []store.Entry{})(h.s.Log(h.Context(), store.LogQuery{Follow: true, AfterSeq: all[19].Seq}))
	h.apply(store.Batch{Log: []store.Entry{{ID: "next"}}})
	next, err := h.s.Log(h.Context(), store.LogQuery{Follow: true, AfterSeq: all[19].Seq})
	if err != nil || len(next) != 1 || next[0].ID != "next" {
		h.Errorf("what came since: got %+v, error %v; want the entry next", next, err)
	}
}

func testLogClock(h *harness) {
	// The clock runs an hour ahead for a while, then falls back, over many entries.
	const n = 1500
	var b store.Batch
	for i := range n {
		e := entry(i)
		e.ActivityDateTime = day.Add(time.Duration(i) * time.Second)
		if i > 300 && i < 900 {
			e.ActivityDateTime = e.ActivityDateTime.Add(time.Hour)
		}
		b.Log = append(b.Log, e)
	}
	h.apply(b)
	for _, window := range [][2]int{{0, 1}, {0, 1500}, {250, 310}, {600, 601}, {895, 1100}, {1499, 9000}, {3600, 4000}, {4499, 4500}, {-10, 0}} {
		from, to := day.Add(time.Duration(window[0])*time.Second), day.Add(time.Duration(window[1])*time.Second)
		var want []string
		for i := n - 1; i >= 0; i-- {
			if at := b.Log[i].ActivityDateTime; !at.Before(from) && at.Before(to) {
				want = append(want, b.Log[i].ID)
			}
		}
		for _, follow := range []bool{false, true} {
			found, err := h.s.Log(h.Context(), store.LogQuery{Since: from, Until: to, Follow: follow})
			var got []string
			for i := range found {
				if follow {
					i = len(found) - 1 - i
				}
				got = append(got, found[i].ID)
			}
			queried(h, fmt.Sprintf("seconds %d to %d, follow %t", window[0], window[1], follow), want)(got, err)
		}
	}
}

func testLogIDs(h *harness) {
	all := h.fillLog(40)
	twin := entry(3)
	twin.ID, twin.ActivityDateTime = "ccccccc1-0000", day.AddDate(0, 0, 1) // a second entry of one change
	h.apply(store.Batch{Log: []store.Entry{twin, {ID: "ab"}, {ID: "abcd"}, {ID: "abcdef", ChangeID: "abcdeg"}, {ID: "ABCX-Y"}}})
	h.twice(func() {
		for id, want := range map[string]string{
			all[7].ID:       all[7].ID,
			all[7].ChangeID: all[7].ID,
			"a0000007":      all[7].ID,
			"B0000007":      all[7].ID,
			" a0000007-8a ": all[7].ID,
			"ab":            "ab",     // exact, however short
			"abcd":          "abcd",   // exact, though others begin so
			"abcde":         "abcdef", // id and change id of one entry
			"abcx":          "ABCX-Y",
			all[3].ChangeID: "ccccccc1-0000", // the newest of a change
			"b0000003":      "ccccccc1-0000",
		} {
			found, err := h.s.Log(h.Context(), store.LogQuery{ID: id, Job: "ignored"})
			if err != nil || len(found) == 0 || found[0].ID != want {
				h.Errorf("%q: got %+v, error %v; want %s first", id, found, err, want)
			}
		}
		for id, want := range map[string]error{
			"a000000": store.ErrAmbiguousID, "b000000": store.ErrAmbiguousID, "a00": store.ErrAmbiguousID,
			"dddd": store.ErrNotFound, all[7].ID + "0": store.ErrNotFound,
		} {
			if found, err := h.s.Log(h.Context(), store.LogQuery{ID: id}); !errors.Is(err, want) {
				h.Errorf("%q: got %+v, error %v; want error %v", id, found, err, want)
			}
		}
	})
}

func testPrune(h *harness) {
	const n = 600
	all := h.fillLog(n)
	var b store.Batch
	for i := range 10 {
		b.Cycles = append(b.Cycles, store.Cycle{ID: fmt.Sprint(i), Job: "job", StartedAt: day.Add(time.Duration(i) * time.Minute)})
	}
	h.apply(b)
	check := func(kept, cycles int) {
		h.Helper()
		h.twice(func() {
			h.Helper()
			queried(h, "log", all[kept:])(h.s.Log(h.Context(), store.LogQuery{Follow: true}))
			queried(h, "log by time", all[kept:])(h.s.Log(h.Context(), store.LogQuery{Follow: true, Since: day}))
			left, err := h.s.Cycles(h.Context(), store.CycleQuery{})
			if err != nil || len(left) != cycles {
				h.Errorf("got %d cycles, error %v; want %d", len(left), err, cycles)
			}
		})
		if kept > 0 {
			if _, err := h.s.Log(h.Context(), store.LogQuery{ID: all[kept-1].ID}); !errors.Is(err, store.ErrNotFound) {
				h.Errorf("entry that was pruned: got error %v, want ErrNotFound", err)
			}
			if _, err := h.s.Log(h.Context(), store.LogQuery{ID: all[kept-1].ChangeID}); !errors.Is(err, store.ErrNotFound) {
				h.Errorf("change that was pruned: got error %v, want ErrNotFound", err)
			}
		}
		if kept < n {
			queried(h, "oldest entry left", all[kept:kept+1])(h.s.Log(h.Context(), store.LogQuery{ID: all[kept].ID}))
		}
	}
	h.apply(store.Batch{Prune: day.Add(-time.Hour)})
	check(0, 10)
	h.apply(store.Batch{Prune: day.Add(5 * time.Minute)})
	check(5, 5)
	h.apply(store.Batch{Prune: day.Add(300 * time.Minute)})
	check(300, 0)
	h.apply(store.Batch{Prune: day.AddDate(1, 0, 0)})
	check(n, 0)
	// Places are never given out twice: somebody may follow the log.
	h.apply(store.Batch{Log: []store.Entry{{ID: "after"}}})
	found, err := h.s.Log(h.Context(), store.LogQuery{Follow: true, AfterSeq: all[n-1].Seq})
	if err != nil || len(found) != 1 {
		h.Errorf("after pruning everything: got %d entries, error %v; want 1", len(found), err)
	}
}

// However much is too old, one batch drops no more than the limit of each kind, the
// oldest first, and says that there is more.
func testPruneLimit(h *harness) {
	const n = 2*store.PruneLimit + 300
	begin := day.AddDate(-1, 0, 0)
	for at := 0; at < n; at += 100 {
		var b store.Batch
		for i := at; i < at+100; i++ {
			when := begin.Add(time.Duration(i) * time.Second)
			b.Log = append(b.Log, store.Entry{ID: fmt.Sprint("entry ", i), ActivityDateTime: when})
			b.Cycles = append(b.Cycles, store.Cycle{ID: fmt.Sprint("cycle ", i), Job: "job", StartedAt: when})
			b.PutLinks = append(b.PutLinks, store.Link{Pair: pairA, SourceID: fmt.Sprintf("link %05d", i), State: store.LinkDeleted, DeletedAt: when})
		}
		h.apply(b)
	}
	for kept := n - store.PruneLimit; ; kept -= store.PruneLimit {
		b := store.Batch{Prune: day, PruneDeleted: day}
		if err := h.s.Apply(h.Context(), &b); err != nil {
			h.Fatalf("prune: %v", err)
		}
		same(h, fmt.Sprintf("more after %d of each kind were to be left", kept), b.PruneMore, kept > 0)
		kept := max(kept, 0)
		log, err := h.s.Log(h.Context(), store.LogQuery{Follow: true})
		if err != nil || len(log) != kept || kept > 0 && log[0].ID != fmt.Sprint("entry ", n-kept) {
			h.Errorf("log: got %d entries, error %v; want the last %d", len(log), err, kept)
		}
		cycles, err := h.s.Cycles(h.Context(), store.CycleQuery{})
		if err != nil || len(cycles) != kept || kept > 0 && cycles[kept-1].ID != fmt.Sprint("cycle ", n-kept) {
			h.Errorf("got %d cycles, error %v; want the last %d", len(cycles), err, kept)
		}
		links, err := h.s.Links(h.Context(), store.LinkQuery{Pair: pairA})
		if err != nil || len(links) != kept || kept > 0 && links[0].SourceID != fmt.Sprintf("link %05d", n-kept) {
			h.Errorf("got %d links, error %v; want the last %d", len(links), err, kept)
		}
		if kept == 0 {
			return
		}
	}
}

func testAmendLog(h *harness) {
	all := h.fillLog(5)
	more := store.Amendment{ID: all[2].ID, Steps: []store.Step{{Name: "EntryReferenceResolution", Type: "referenceResolution", Status: "success"}},
		Modified: []store.Property{{DisplayName: "manager"}}}
	h.apply(store.Batch{AmendLog: []store.Amendment{more, {ID: "no such entry", Steps: more.Steps}}})
	want := all[2]
	want.Steps, want.Modified = append(want.Steps, more.Steps...), append(want.Modified, more.Modified...)
	h.twice(func() {
		queried(h, "amended", []store.Entry{want})(h.s.Log(h.Context(), store.LogQuery{ID: want.ID}))
		for _, i := range []int{0, 1, 3, 4} {
			queried(h, "left alone", []store.Entry{all[i]})(h.s.Log(h.Context(), store.LogQuery{ID: all[i].ID}))
		}
	})
}
