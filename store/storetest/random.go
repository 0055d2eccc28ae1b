package storetest

import (
	"reflect"
	"time"

	"pgregory.net/rapid"

	"tenantsync/directory"
	"tenantsync/store"
)

// The world of the random test is small, so that records meet.
var (
	drawID    = rapid.SampledFrom(ids[1:])
	drawJob   = rapid.SampledFrom([]string{"job", "job 2"})
	drawPair  = rapid.SampledFrom([]store.Pair{pairA, pairB})
	drawGroup = rapid.SampledFrom([]string{ids[1], ids[7], "group"})
	drawMail  = rapid.SampledFrom([]string{"a@contoso.example", "b@contoso.example", "c@contoso.example"})
	drawTime  = rapid.Custom(func(t *rapid.T) time.Time {
		return day.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "hours")) * time.Hour)
	})
)

// Outside ids an empty text stands for no target and no manager.
var drawOther = rapid.SampledFrom(append([]string{"", "other"}, ids[1:4]...))

func drawLink(t *rapid.T) store.Link {
	l := store.Link{
		Pair: drawPair.Draw(t, "pair"), SourceID: drawID.Draw(t, "source"), TargetID: drawOther.Draw(t, "target"),
		Job: drawJob.Draw(t, "owner"), ManagerSource: drawOther.Draw(t, "manager"),
		State: store.LinkState(rapid.IntRange(0, 4).Draw(t, "state")), InScope: rapid.Bool().Draw(t, "in scope"),
	}
	if l.State == store.LinkDeleted {
		l.DeletedAt = drawTime.Draw(t, "deleted")
	}
	if n := rapid.IntRange(0, 2).Draw(t, "addresses"); n > 0 {
		l.Addresses = rapid.SliceOfNDistinct(drawMail, n, n, rapid.ID).Draw(t, "address")
	}
	if rapid.Bool().Draw(t, "exported") {
		l.Exported = sampleAttributes()
	}
	return l
}

func drawMember(t *rapid.T) store.Member {
	return store.Member{Job: drawJob.Draw(t, "job"), Group: drawGroup.Draw(t, "group"), ID: drawID.Draw(t, "member"),
		IsGroup: rapid.Bool().Draw(t, "is group")}
}

func drawKey(t *rapid.T) store.WaitKey {
	return store.WaitKey{Job: drawJob.Draw(t, "job"), SourceID: drawID.Draw(t, "source")}
}

func drawBatch(t *rapid.T, m *model) store.Batch {
	var b store.Batch
	some := func(what string, add func()) {
		for range rapid.IntRange(0, 3).Draw(t, what) {
			add()
		}
	}
	some("drop links", func() {
		b.DropLinks = append(b.DropLinks, store.LinkKey{Pair: drawPair.Draw(t, "pair"), SourceID: drawID.Draw(t, "source")})
	})
	some("put links", func() { b.PutLinks = append(b.PutLinks, drawLink(t)) })
	some("drop members", func() {
		b.DropMembers = append(b.DropMembers, store.MemberSet{Job: drawJob.Draw(t, "job"), Group: drawGroup.Draw(t, "group")})
	})
	some("cut members", func() { b.CutMembers = append(b.CutMembers, drawMember(t)) })
	some("put members", func() { b.PutMembers = append(b.PutMembers, drawMember(t)) })
	some("drop escrows", func() { b.DropEscrows = append(b.DropEscrows, drawKey(t)) })
	some("put escrows", func() {
		k := drawKey(t)
		b.PutEscrows = append(b.PutEscrows, store.Escrow{Job: k.Job, SourceID: k.SourceID, Attempts: rapid.IntRange(1, 9).Draw(t, "attempts")})
	})
	some("drop verdicts", func() { b.DropVerdicts = append(b.DropVerdicts, drawKey(t)) })
	some("put verdicts", func() {
		k := drawKey(t)
		b.PutVerdicts = append(b.PutVerdicts, store.Verdict{Job: k.Job, SourceID: k.SourceID, Hash: rapid.Uint64().Draw(t, "hash")})
	})
	if rapid.IntRange(0, 3).Draw(t, "prune") == 0 {
		b.PruneDeleted = drawTime.Draw(t, "prune deleted")
	}
	if rapid.IntRange(0, 5).Draw(t, "drop stage") == 0 {
		b.DropStage = drawJob.Draw(t, "stage to drop")
	}
	some("stage pages", func() {
		p := store.StagePage{Job: drawJob.Draw(t, "job"), Objects: make([]directory.Object, rapid.SampledFrom([]int{1, 2, 150}).Draw(t, "objects"))}
		for i := range p.Objects {
			p.Objects[i] = directory.Object{ID: drawID.Draw(t, "object"), Attributes: sampleAttributes()}
		}
		p.Seq = 1
		if p.Job != b.DropStage {
			p.Seq += len(m.pages[p.Job])
		}
		for i := range b.Stage {
			if b.Stage[i].Job == p.Job {
				p.Seq++
			}
		}
		b.Stage = append(b.Stage, p)
	})
	return b
}

func testRandom(h *harness) {
	rapid.Check(h.T, func(t *rapid.T) {
		// A store and a model of their own for each run.
		run := &harness{T: h.T, dir: h.TempDir(), open: h.open}
		run.reopen()
		defer run.close()
		m := newModel()
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			b := drawBatch(t, m)
			if err := run.s.Apply(h.Context(), &b); err != nil {
				t.Fatalf("apply: %v", err)
			}
			m.apply(&b)
			if rapid.IntRange(0, 5).Draw(t, "reopen") == 0 {
				run.reopen()
			}
			compare(t, run, m)
		}
	})
}

// compare asks the store and the model the same questions.
func compare(t *rapid.T, h *harness, m *model) {
	ctx := h.Context()
	some := rapid.SliceOfN(drawID, 1, 4)
	for _, pair := range []store.Pair{pairA, pairB} {
		for _, q := range []store.LinkQuery{
			{}, {SourceIDs: some.Draw(t, "sources")}, {TargetIDs: some.Draw(t, "targets")}, {Managers: some.Draw(t, "managers")},
			{Addresses: []string{drawMail.Draw(t, "mail")}}, {After: drawID.Draw(t, "after"), Limit: rapid.IntRange(0, 4).Draw(t, "limit")},
		} {
			q.Pair = pair
			agree(t, q, m.queryLinks(q))(h.s.Links(ctx, q))
		}
	}
	for _, job := range []string{"job", "job 2"} {
		for _, q := range []store.MemberQuery{
			{}, {Groups: []string{drawGroup.Draw(t, "group")}}, {IDs: some.Draw(t, "members")},
			{Groups: []string{drawGroup.Draw(t, "group")}, IDs: some.Draw(t, "members")},
		} {
			q.Job = job
			agree(t, q, m.queryMembers(q))(h.s.Members(ctx, q))
		}
		for _, q := range []store.VerdictQuery{{Job: job}, {Job: job, SourceIDs: some.Draw(t, "verdicts")}} {
			agree(t, q, m.queryVerdicts(q))(h.s.Verdicts(ctx, q))
		}
		waiting, err := h.s.Waiting(ctx, job)
		agree(t, job, m.queryEscrows(job))(waiting.Escrows, err)
		agree(t, job, m.pages[job])(h.s.StagePages(ctx, job, 0, 0))
	}
}

func agree[T any](t *rapid.T, q any, want []T) func([]T, error) {
	return func(got []T, err error) {
		if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("%T %+v:\n got %+v, error %v\nwant %+v", q, q, got, err, want)
		}
	}
}
