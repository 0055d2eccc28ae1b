package storetest

import (
	"context"
	"errors"
	"reflect"
	"time"

	"pgregory.net/rapid"

	"tenantsync/directory"
	"tenantsync/store"
)

func testLinkFields(h *harness) {
	check := func(field string, want store.Link) {
		h.apply(store.Batch{PutLinks: []store.Link{want}})
		h.twice(func() {
			queried(h, "link with "+field, []store.Link{want})(h.s.Links(h.Context(), store.LinkQuery{Pair: pairA}))
		})
	}
	eachField([]string{"Pair", "SourceID"}, check)
	check("every field", filled[store.Link]())
}

func testJobFields(h *harness) {
	check := func(field string, want store.Job) {
		h.apply(store.Batch{Jobs: []store.Job{want}})
		h.twice(func() {
			got, err := h.s.Job(h.Context(), want.Name)
			if err != nil {
				h.Fatalf("job with %s: %v", field, err)
			}
			same(h, "job with "+field, got, want)
		})
	}
	check("every field", filled[store.Job]())
	eachField([]string{"Name"}, check)
	check("an empty stage", store.Job{Name: "job", Stage: &store.Stage{}})
	check("an empty quarantine", store.Job{Name: "job", Quarantine: &store.Quarantine{}})
}

func testWaitingFields(h *harness) {
	key := []string{"Job", "SourceID"}
	check := func(field, job string, b store.Batch) {
		h.apply(b)
		want := store.Waiting{Escrows: b.PutEscrows, Intents: b.PutIntents, Holds: b.PutHolds}
		h.twice(func() {
			got, err := h.s.Waiting(h.Context(), job)
			if err != nil {
				h.Fatalf("waiting with %s: %v", field, err)
			}
			same(h, "waiting with "+field, got, want)
		})
		h.apply(store.Batch{
			DropEscrows: keysOf(b.PutEscrows, (*store.Escrow).Key),
			DropIntents: keysOf(b.PutIntents, (*store.Intent).Key),
			DropHolds:   keysOf(b.PutHolds, (*store.Hold).Key),
		})
	}
	eachField(key, func(f string, e store.Escrow) { check(f, e.Job, store.Batch{PutEscrows: []store.Escrow{e}}) })
	eachField(key, func(f string, i store.Intent) { check(f, i.Job, store.Batch{PutIntents: []store.Intent{i}}) })
	eachField(key, func(f string, x store.Hold) { check(f, x.Job, store.Batch{PutHolds: []store.Hold{x}}) })
	check("every kind", filled[store.Escrow]().Job, store.Batch{
		PutEscrows: []store.Escrow{filled[store.Escrow]()},
		PutIntents: []store.Intent{filled[store.Intent]()},
		PutHolds:   []store.Hold{filled[store.Hold]()},
	})
}

// testWaitingInOrder asks for what waits by source id, whatever an id looks like.
func testWaitingInOrder(h *harness) {
	var b store.Batch
	var want []string
	for _, id := range []string{"0-no-guid", "aaaaaaaa-0000-4000-8000-000000000001", "b-no-guid", "cccccccc-0000-4000-8000-000000000001", "z-no-guid"} {
		want = append(want, id)
		b.PutEscrows = append([]store.Escrow{{Job: "job", SourceID: id}}, b.PutEscrows...)
		b.PutIntents = append([]store.Intent{{Job: "job", SourceID: id}}, b.PutIntents...)
		b.PutHolds = append([]store.Hold{{Job: "job", SourceID: id}}, b.PutHolds...)
	}
	h.apply(b)
	w, err := h.s.Waiting(h.Context(), "job")
	if err != nil {
		h.Fatal(err)
	}
	ids := func(keys []store.WaitKey) []string {
		var out []string
		for _, k := range keys {
			out = append(out, k.SourceID)
		}
		return out
	}
	same(h, "order of escrows", ids(keysOf(w.Escrows, (*store.Escrow).Key)), want)
	same(h, "order of intents", ids(keysOf(w.Intents, (*store.Intent).Key)), want)
	same(h, "order of holds", ids(keysOf(w.Holds, (*store.Hold).Key)), want)
}

func keysOf[T any](records []T, key func(*T) store.WaitKey) []store.WaitKey {
	keys := make([]store.WaitKey, len(records))
	for i := range records {
		keys[i] = key(&records[i])
	}
	return keys
}

func testCycleFields(h *harness) {
	check := func(field string, want store.Cycle) {
		h.apply(store.Batch{Cycles: []store.Cycle{want}})
		h.twice(func() {
			queried(h, "cycle with "+field, []store.Cycle{want})(h.s.Cycles(h.Context(), store.CycleQuery{ID: want.ID}))
		})
	}
	eachField([]string{"ID"}, check)
	check("every field", filled[store.Cycle]())
}

func testEntryFields(h *harness) {
	var seq uint64
	check := func(field string, want store.Entry) {
		h.apply(store.Batch{Log: []store.Entry{want}})
		h.twice(func() {
			got, err := h.s.Log(h.Context(), store.LogQuery{Limit: 1})
			if err != nil || len(got) != 1 {
				h.Fatalf("entry with %s: got %d entries, error %v; want 1", field, len(got), err)
			}
			if got[0].Seq <= seq {
				h.Errorf("entry with %s: got sequence %d after %d, want a greater one", field, got[0].Seq, seq)
			}
			want.Seq = got[0].Seq
			same(h, "entry with "+field, got[0], want)
		})
		seq = want.Seq
	}
	eachField(nil, check)
	check("every field", filled[store.Entry]())
}

func testMembersAndVerdicts(h *harness) {
	var members []store.Member
	var verdicts []store.Verdict
	for i, id := range ids {
		members = append(members, store.Member{Job: "job", Group: ids[2], ID: id, IsGroup: i%2 == 0})
		verdicts = append(verdicts, store.Verdict{Job: "job", SourceID: id, Hash: 1<<63 + uint64(i)})
	}
	h.apply(store.Batch{PutMembers: members, PutVerdicts: verdicts})
	h.twice(func() {
		queried(h, "members", members)(h.s.Members(h.Context(), store.MemberQuery{Job: "job"}))
		queried(h, "verdicts", verdicts)(h.s.Verdicts(h.Context(), store.VerdictQuery{Job: "job"}))
	})
	queried(h, "members of no group", []store.Member{})(
		h.s.Members(h.Context(), store.MemberQuery{Job: "job", Groups: []string{}}))
	queried(h, "members that are nobody", []store.Member{})(
		h.s.Members(h.Context(), store.MemberQuery{Job: "job", IDs: []string{}}))
	queried(h, "verdicts on nobody", []store.Verdict{})(
		h.s.Verdicts(h.Context(), store.VerdictQuery{Job: "job", SourceIDs: []string{}}))
	queried(h, "members by id, unordered and repeated", []store.Member{members[1], members[4]})(
		h.s.Members(h.Context(), store.MemberQuery{Job: "job", IDs: []string{ids[4], ids[1], ids[4], "nobody"}}))
	queried(h, "verdicts by id, unordered and repeated", []store.Verdict{verdicts[1], verdicts[4]})(
		h.s.Verdicts(h.Context(), store.VerdictQuery{Job: "job", SourceIDs: []string{ids[4], ids[1], ids[4], "nobody"}}))
}

func testStage(h *harness) {
	var pages []store.StagePage
	for seq := range 5 {
		// Sizes around every border an implementation may cut at.
		p := store.StagePage{Job: "job", Seq: seq + 1, Objects: make([]directory.Object, []int{3, 0, 1, 40, 2500}[seq])}
		for i := range p.Objects {
			p.Objects[i] = directory.Object{ID: ids[i%len(ids)], Attributes: sampleAttributes()}
		}
		pages = append(pages, p)
	}
	pages[0].Objects[1] = directory.Object{ID: "gone", Removed: directory.SoftDeleted}
	pages[0].Objects[2].Identities = []directory.Identity{{SignInType: "federated", Issuer: "x", IssuerAssignedID: ""}}
	pages[2].Objects[0].Identities = []directory.Identity{}

	h.apply(store.Batch{Stage: pages[:2]})
	h.apply(store.Batch{Stage: pages[2:3]})
	h.reopen()
	h.apply(store.Batch{Stage: pages[3:]})
	h.twice(func() {
		queried(h, "all pages", pages)(h.s.StagePages(h.Context(), "job", 0, 0))
		queried(h, "two pages", pages[:2])(h.s.StagePages(h.Context(), "job", 0, 2))
		queried(h, "pages after the second", pages[2:])(h.s.StagePages(h.Context(), "job", 2, 10))
		queried(h, "pages after the last", []store.StagePage{})(h.s.StagePages(h.Context(), "job", 5, 1))
		queried(h, "pages of another job", []store.StagePage{})(h.s.StagePages(h.Context(), "other", 0, 0))
	})
	for _, seq := range []int{5, 7, 0, -1} {
		b := store.Batch{Stage: []store.StagePage{{Job: "job", Seq: seq}}}
		if err := h.s.Apply(h.Context(), &b); err == nil {
			h.Errorf("page %d after page 5: got no error, want one", seq)
		}
	}
	h.apply(store.Batch{DropStage: "job", Stage: pages[:1]})
	h.twice(func() {
		queried(h, "the stage begun anew", pages[:1])(h.s.StagePages(h.Context(), "job", 0, 0))
	})
}

func testValues(h *harness) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`))
	value := rapid.Custom(func(t *rapid.T) directory.Value {
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			return directory.NullValue()
		case 1:
			return directory.BoolOf(rapid.Bool().Draw(t, "bool"))
		case 2:
			return directory.IntOf(rapid.Int64().Draw(t, "int"))
		case 3:
			return directory.RefOf(text.Draw(t, "ref"))
		case 4:
			// The members of a list without members are no slice at all.
			return directory.ListOf(append([]string(nil), rapid.SliceOfN(text, 0, 3).Draw(t, "list")...)...)
		}
		return directory.TextOf(text.Draw(t, "text"))
	})
	rapid.Check(h.T, func(t *rapid.T) {
		want := store.Link{Pair: pairA, SourceID: ids[2], UPN: text.Draw(t, "upn"), Addresses: []string{text.Draw(t, "address")},
			Exported: directory.AttributesOf(rapid.MapOfN(text, value, 1, 6).Draw(t, "values"))}
		page := store.StagePage{Job: "job", Seq: 1, Objects: []directory.Object{{ID: want.UPN, Attributes: want.Exported}}}
		b := store.Batch{PutLinks: []store.Link{want}, DropStage: "job", Stage: []store.StagePage{page}}
		if err := h.s.Apply(h.Context(), &b); err != nil {
			t.Fatal(err)
		}
		links, err := h.s.Links(h.Context(), store.LinkQuery{Pair: pairA, SourceIDs: []string{ids[2]}})
		if err != nil || !reflect.DeepEqual(links, []store.Link{want}) {
			t.Fatalf("link:\n got %+v, error %v\nwant %+v", links, err, want)
		}
		pages, err := h.s.StagePages(h.Context(), "job", 0, 1)
		if err != nil || !reflect.DeepEqual(pages, []store.StagePage{page}) {
			t.Fatalf("page:\n got %+v, error %v\nwant %+v", pages, err, page)
		}
	})
}

func testTimes(h *harness) {
	zone := time.FixedZone("somewhere", -5*3600)
	for _, put := range []time.Time{
		day.Add(999 * time.Nanosecond),
		day.In(zone),
		time.Now(), // has a monotonic reading, which must not stay
		time.Unix(0, 0),
		time.Date(1601, 1, 1, 0, 0, 0, 1000, time.UTC),
		{},
	} {
		at := put.UTC().Truncate(time.Microsecond)
		h.apply(store.Batch{
			Jobs:       []store.Job{{Name: "job", NextStart: put, Quarantine: &store.Quarantine{Since: put}}},
			PutLinks:   []store.Link{{Pair: pairA, SourceID: "a", LeftScopeAt: put, DeletedAt: put}},
			PutEscrows: []store.Escrow{{Job: "job", SourceID: "a", First: put}},
			Cycles:     []store.Cycle{{ID: "c", StartedAt: put}},
			Log:        []store.Entry{{ActivityDateTime: put}},
		})
		got := map[string]time.Time{}
		job, err := h.s.Job(h.Context(), "job")
		if err != nil {
			h.Fatal(err)
		}
		got["job"], got["quarantine"] = job.NextStart, job.Quarantine.Since
		if links, err := h.s.Links(h.Context(), store.LinkQuery{Pair: pairA}); err == nil && len(links) == 1 {
			got["left scope"], got["deleted"] = links[0].LeftScopeAt, links[0].DeletedAt
		}
		if w, err := h.s.Waiting(h.Context(), "job"); err == nil && len(w.Escrows) == 1 {
			got["escrow"] = w.Escrows[0].First
		}
		if cycles, err := h.s.Cycles(h.Context(), store.CycleQuery{ID: "c"}); err == nil && len(cycles) == 1 {
			got["cycle"] = cycles[0].StartedAt
		}
		if entries, err := h.s.Log(h.Context(), store.LogQuery{Limit: 1}); err == nil && len(entries) == 1 {
			got["entry"] = entries[0].ActivityDateTime
		}
		want := map[string]time.Time{"job": at, "quarantine": at, "left scope": at, "deleted": at,
			"escrow": at, "cycle": at, "entry": at}
		same(h, "times of "+put.String(), got, want)
	}
}

func testNothing(h *harness) {
	h.twice(func() {
		ctx := h.Context()
		if _, err := h.s.Job(ctx, "job"); !errors.Is(err, store.ErrNotFound) {
			h.Errorf("job: got error %v, want ErrNotFound", err)
		}
		if _, err := h.s.Log(ctx, store.LogQuery{ID: "0f5c1a52"}); !errors.Is(err, store.ErrNotFound) {
			h.Errorf("log entry: got error %v, want ErrNotFound", err)
		}
		queried(h, "links", []store.Link{})(h.s.Links(ctx, store.LinkQuery{Pair: pairA}))
		queried(h, "links by address", []store.Link{})(h.s.Links(ctx, store.LinkQuery{Pair: pairA, Addresses: []string{"a@b"}}))
		queried(h, "members", []store.Member{})(h.s.Members(ctx, store.MemberQuery{Job: "job"}))
		queried(h, "stage", []store.StagePage{})(h.s.StagePages(ctx, "job", 0, 1))
		queried(h, "verdicts", []store.Verdict{})(h.s.Verdicts(ctx, store.VerdictQuery{Job: "job"}))
		queried(h, "cycles", []store.Cycle{})(h.s.Cycles(ctx, store.CycleQuery{Job: "job"}))
		queried(h, "log", []store.Entry{})(h.s.Log(ctx, store.LogQuery{}))
		if w, err := h.s.Waiting(ctx, "job"); err != nil || len(w.Escrows)+len(w.Intents)+len(w.Holds) > 0 {
			h.Errorf("waiting: got %+v, error %v; want nothing", w, err)
		}
		// Removing what is not there is no error.
		key := store.WaitKey{Job: "job", SourceID: "a"}
		h.apply(store.Batch{DropStage: "job", DropMembers: []store.MemberSet{{Job: "job", Group: "g"}},
			CutMembers: []store.Member{{Job: "job", Group: "g", ID: "a"}}, DropLinks: []store.LinkKey{{Pair: pairA, SourceID: "a"}},
			DropEscrows: []store.WaitKey{key}, DropIntents: []store.WaitKey{key}, DropHolds: []store.WaitKey{key},
			DropVerdicts: []store.WaitKey{key}, Prune: day, PruneDeleted: day})
	})
}

// What a store hands out must stay as it is when the store moves on.
func testCopies(h *harness) {
	link := filled[store.Link]()
	page := store.StagePage{Job: "job", Seq: 1, Objects: []directory.Object{{ID: "o", Attributes: sampleAttributes()}}}
	entry := filled[store.Entry]()
	h.apply(store.Batch{PutLinks: []store.Link{link}, Stage: []store.StagePage{page}, Log: []store.Entry{entry}})
	links, err := h.s.Links(h.Context(), store.LinkQuery{Pair: pairA})
	pages, err2 := h.s.StagePages(h.Context(), "job", 0, 0)
	entries, err3 := h.s.Log(h.Context(), store.LogQuery{})
	if err := errors.Join(err, err2, err3); err != nil || len(entries) != 1 {
		h.Fatalf("got %d entries, error %v; want 1", len(entries), err)
	}
	entry.Seq = entries[0].Seq
	for i := range 20 {
		h.apply(store.Batch{DropLinks: []store.LinkKey{link.Key()}, DropStage: "job", Prune: day.Add(time.Hour),
			PutLinks: []store.Link{{Pair: pairA, SourceID: ids[i%len(ids)], UPN: "overwritten"}}})
	}
	h.close()
	same(h, "links", links, []store.Link{link})
	same(h, "pages", pages, []store.StagePage{page})
	same(h, "entries", entries, []store.Entry{entry})
}

func testCanceled(h *harness) {
	ctx, cancel := context.WithCancel(h.Context())
	cancel()
	err := h.s.Apply(ctx, &store.Batch{Jobs: []store.Job{{Name: "job"}}})
	if !errors.Is(err, context.Canceled) {
		h.Errorf("apply: got error %v, want context.Canceled", err)
	}
	if _, err := h.s.Job(h.Context(), "job"); !errors.Is(err, store.ErrNotFound) {
		h.Errorf("job after a canceled commit: got error %v, want ErrNotFound", err)
	}
	if _, err := h.s.Links(ctx, store.LinkQuery{Pair: pairA}); !errors.Is(err, context.Canceled) {
		h.Errorf("links: got error %v, want context.Canceled", err)
	}
}
