package storetest

import (
	"fmt"
	"time"

	"tenantsync/store"
)

func testLinkQueries(h *harness) {
	links := make([]store.Link, len(ids))
	for i, id := range ids {
		links[i] = store.Link{Pair: pairA, SourceID: id, TargetID: "target " + id, Job: "job",
			Addresses: []string{fmt.Sprintf("user%d@contoso.example", i), "shared@contoso.example"}}
		if i > 0 {
			links[i].ManagerSource = ids[(i-1)/4+1]
		}
	}
	links[3].TargetID = ids[6] // an id
	links[5].TargetID = ""
	links[6].TargetID = links[7].TargetID // two with one target, which a store has no say in
	h.apply(store.Batch{PutLinks: links})
	q := func(what string, q store.LinkQuery, want ...store.Link) {
		h.Helper()
		q.Pair = pairA
		queried(h, what, want)(h.s.Links(h.Context(), q))
	}
	h.twice(func() {
		q("by source, unordered and repeated", store.LinkQuery{SourceIDs: []string{ids[8], ids[2], ids[0], ids[2], "nobody"}},
			links[0], links[2], links[8])
		q("by source, mixed kinds", store.LinkQuery{SourceIDs: ids[1:]}, links[1:]...)
		q("by target", store.LinkQuery{TargetIDs: []string{links[4].TargetID, ids[6], "nobody"}}, links[3], links[4])
		q("by a target of two", store.LinkQuery{TargetIDs: []string{links[7].TargetID}}, links[6], links[7])
		q("by no target", store.LinkQuery{TargetIDs: []string{""}})
		q("by address", store.LinkQuery{Addresses: []string{"user4@contoso.example", "user1@contoso.example", "nobody@contoso.example"}},
			links[1], links[4])
		q("by an address of all", store.LinkQuery{Addresses: []string{"shared@contoso.example"}}, links...)
		q("by manager", store.LinkQuery{Managers: []string{ids[2]}}, links[5:9]...)
		q("by no manager", store.LinkQuery{Managers: []string{""}})
		// A list that came out empty must not turn a look-up into a walk.
		q("by an empty list of sources", store.LinkQuery{SourceIDs: []string{}})
		q("by an empty list of targets", store.LinkQuery{TargetIDs: []string{}})
		q("by an empty list of addresses", store.LinkQuery{Addresses: []string{}})
		q("by an empty list of managers", store.LinkQuery{Managers: []string{}})
		q("all", store.LinkQuery{}, links...)
	})
}

func testLinkIndexes(h *harness) {
	l := store.Link{Pair: pairA, SourceID: "s", TargetID: "t1", ManagerSource: "m1", Addresses: []string{"a1@b", "a2@b"}}
	finds := func(q store.LinkQuery) bool {
		h.Helper()
		q.Pair = pairA
		links, err := h.s.Links(h.Context(), q)
		if err != nil {
			h.Fatal(err)
		}
		return len(links) == 1 && links[0].SourceID == "s"
	}
	check := func(when string, want map[string]bool) {
		h.Helper()
		h.twice(func() {
			h.Helper()
			got := map[string]bool{}
			for _, id := range []string{"t1", "t2"} {
				got[id] = finds(store.LinkQuery{TargetIDs: []string{id}})
			}
			for _, id := range []string{"m1", "m2"} {
				got[id] = finds(store.LinkQuery{Managers: []string{id}})
			}
			for _, id := range []string{"a1@b", "a2@b", "a3@b"} {
				got[id] = finds(store.LinkQuery{Addresses: []string{id}})
			}
			same(h, when+", found by", got, want)
		})
	}
	put := func() { h.apply(store.Batch{PutLinks: []store.Link{l}}) }

	put()
	check("first", map[string]bool{"t1": true, "t2": false, "m1": true, "m2": false, "a1@b": true, "a2@b": true, "a3@b": false})
	put()
	check("put again", map[string]bool{"t1": true, "t2": false, "m1": true, "m2": false, "a1@b": true, "a2@b": true, "a3@b": false})
	l.TargetID = "t2"
	put()
	check("another target", map[string]bool{"t1": false, "t2": true, "m1": true, "m2": false, "a1@b": true, "a2@b": true, "a3@b": false})
	l.ManagerSource = "m2"
	put()
	check("another manager", map[string]bool{"t1": false, "t2": true, "m1": false, "m2": true, "a1@b": true, "a2@b": true, "a3@b": false})
	l.Addresses = []string{"a3@b", "a2@b"}
	put()
	check("other addresses", map[string]bool{"t1": false, "t2": true, "m1": false, "m2": true, "a1@b": false, "a2@b": true, "a3@b": true})
	l.TargetID, l.ManagerSource, l.Addresses = "", "", nil
	put()
	check("nothing left", map[string]bool{"t1": false, "t2": false, "m1": false, "m2": false, "a1@b": false, "a2@b": false, "a3@b": false})
	l.TargetID, l.ManagerSource, l.Addresses = "t1", "m1", []string{"a1@b"}
	h.apply(store.Batch{DropLinks: []store.LinkKey{l.Key()}, PutLinks: []store.Link{{Pair: pairA, SourceID: "s", TargetID: "t2"}, l}})
	check("dropped and put twice", map[string]bool{"t1": true, "t2": false, "m1": true, "m2": false, "a1@b": true, "a2@b": false, "a3@b": false})
	h.apply(store.Batch{DropLinks: []store.LinkKey{l.Key()}})
	check("dropped", map[string]bool{"t1": false, "t2": false, "m1": false, "m2": false, "a1@b": false, "a2@b": false, "a3@b": false})
}

func testLinkWalk(h *harness) {
	var b store.Batch
	ids := ids[1:]
	for _, id := range ids {
		b.PutLinks = append(b.PutLinks, store.Link{Pair: pairA, SourceID: id, UPN: "user " + id})
	}
	h.apply(b)
	for limit := range len(ids) + 2 {
		var got []string
		after := ""
		for range len(ids) + 1 {
			links, err := h.s.Links(h.Context(), store.LinkQuery{Pair: pairA, After: after, Limit: limit})
			if err != nil {
				h.Fatal(err)
			}
			if limit > 0 && len(links) > limit {
				h.Fatalf("got %d links, want at most %d", len(links), limit)
			}
			if len(links) == 0 {
				break
			}
			for _, l := range links {
				got = append(got, l.SourceID)
			}
			after = got[len(got)-1]
		}
		same(h, fmt.Sprintf("walk in pages of %d", limit), got, ids)
	}
	queried(h, "after an id that is not there", b.PutLinks[4:])(h.s.Links(h.Context(), store.LinkQuery{Pair: pairA, After: "8"}))
	queried(h, "after a GUID that is not there", b.PutLinks[1:])(
		h.s.Links(h.Context(), store.LinkQuery{Pair: pairA, After: "0f5c1a52-8a3e-4b7d-9c60-1d2e3f405161"}))
	queried(h, "after all", []store.Link{})(h.s.Links(h.Context(), store.LinkQuery{Pair: pairA, After: "zzz"}))
}

func testApart(h *harness) {
	a := store.Link{Pair: pairA, SourceID: "s", TargetID: "t", Addresses: []string{"a@b"}, ManagerSource: "m", UPN: "a"}
	b := a
	b.Pair, b.UPN = pairB, "b"
	swapped := a
	swapped.Pair, swapped.UPN = store.Pair{Source: pairA.Target, Target: pairA.Source}, "swapped"
	h.apply(store.Batch{
		PutLinks:    []store.Link{a, b, swapped},
		PutMembers:  []store.Member{{Job: "x", Group: "g", ID: "1"}, {Job: "x", Group: "gg", ID: "2"}, {Job: "xx", Group: "g", ID: "3"}},
		PutVerdicts: []store.Verdict{{Job: "x", SourceID: "s", Hash: 1}, {Job: "xx", SourceID: "s", Hash: 2}},
		Stage:       []store.StagePage{{Job: "x", Seq: 1}, {Job: "xx", Seq: 1}, {Job: "x", Seq: 2}},
	})
	for _, want := range []store.Link{a, b, swapped} {
		for _, q := range []store.LinkQuery{{}, {SourceIDs: []string{"s"}}, {TargetIDs: []string{"t"}}, {Managers: []string{"m"}}, {Addresses: []string{"a@b"}}} {
			q.Pair = want.Pair
			queried(h, fmt.Sprintf("%+v", q), []store.Link{want})(h.s.Links(h.Context(), q))
		}
	}
	members := func(what string, q store.MemberQuery, want ...string) {
		h.Helper()
		q.Job = "x"
		found, err := h.s.Members(h.Context(), q)
		got := []string{}
		for _, m := range found {
			got = append(got, m.Group+"/"+m.ID)
		}
		queried(h, what, want)(got, err)
	}
	members("all", store.MemberQuery{}, "g/1", "gg/2")
	members("one group", store.MemberQuery{Groups: []string{"g"}}, "g/1")
	members("two groups, repeated", store.MemberQuery{Groups: []string{"gg", "g", "gg"}}, "g/1", "gg/2")
	members("one member of all groups", store.MemberQuery{IDs: []string{"2", "3"}}, "gg/2")
	members("one member of one group", store.MemberQuery{Groups: []string{"g"}, IDs: []string{"2", "1"}}, "g/1")

	h.apply(store.Batch{DropStage: "x", DropMembers: []store.MemberSet{{Job: "x", Group: "g"}}, DropLinks: []store.LinkKey{a.Key()}})
	h.twice(func() {
		members("after dropping a group", store.MemberQuery{}, "gg/2")
		queried(h, "the other job's members", []store.Member{{Job: "xx", Group: "g", ID: "3"}})(h.s.Members(h.Context(), store.MemberQuery{Job: "xx"}))
		queried(h, "the other job's stage", []store.StagePage{{Job: "xx", Seq: 1}})(h.stageWithoutObjects("xx"))
		queried(h, "the other job's verdicts", []store.Verdict{{Job: "xx", SourceID: "s", Hash: 2}})(
			h.s.Verdicts(h.Context(), store.VerdictQuery{Job: "xx"}))
		queried(h, "the pair's links", []store.Link{})(h.s.Links(h.Context(), store.LinkQuery{Pair: pairA}))
		queried(h, "the other pair's links", []store.Link{b})(h.s.Links(h.Context(), store.LinkQuery{Pair: pairB, TargetIDs: []string{"t"}}))
	})
}

func (h *harness) stageWithoutObjects(job string) ([]store.StagePage, error) {
	pages, err := h.s.StagePages(h.Context(), job, 0, 0)
	for i := range pages {
		if len(pages[i].Objects) == 0 {
			pages[i].Objects = nil
		}
	}
	return pages, err
}

func testPruneDeleted(h *harness) {
	link := func(id string, state store.LinkState, deleted time.Time) store.Link {
		return store.Link{Pair: pairA, SourceID: id, TargetID: "t" + id, State: state, DeletedAt: deleted}
	}
	old, older := day.AddDate(0, 0, -31), day.AddDate(0, 0, -60)
	h.apply(store.Batch{PutLinks: []store.Link{
		link("a", store.LinkDeleted, old), link("b", store.LinkDeleted, older), link("c", store.LinkDeleted, day),
		link("d", store.LinkMissing, older), link("e", store.LinkActive, time.Time{}), link("f", store.LinkDeleted, old),
		link("g", store.LinkDeleted, old.Add(time.Microsecond)), link("h", store.LinkDeleted, older),
	}})
	h.apply(store.Batch{PutLinks: []store.Link{link("f", store.LinkActive, time.Time{})}}) // restored
	// One is restored in the very batch that prunes.
	h.apply(store.Batch{PruneDeleted: old.Add(time.Microsecond), PutLinks: []store.Link{link("h", store.LinkActive, time.Time{})}})
	h.twice(func() {
		links, err := h.s.Links(h.Context(), store.LinkQuery{Pair: pairA})
		var got []string
		for _, l := range links {
			got = append(got, l.SourceID)
		}
		queried(h, "left", []string{"c", "d", "e", "f", "g", "h"})(got, err)
		queried(h, "by the target of a pruned link", []store.Link{})(
			h.s.Links(h.Context(), store.LinkQuery{Pair: pairA, TargetIDs: []string{"ta", "tb"}}))
	})
}
