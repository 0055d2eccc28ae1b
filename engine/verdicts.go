package engine

import (
	"context"
	"hash/fnv"

	"tenantsync/store"
)

// verdicts collects what is said of users without a link on one page, so that
// the log says it once.
type verdicts struct {
	c       *cycle
	ids     []string
	pending []pendingVerdict
}

type pendingVerdict struct {
	j      *judged
	code   Code
	reason string
}

func newVerdicts(c *cycle, ids []string) *verdicts { return &verdicts{c: c, ids: ids} }

func (v *verdicts) say(j *judged, code Code, reason string) {
	copied := *j
	v.pending = append(v.pending, pendingVerdict{&copied, code, reason})
}

// commit adds a log entry for each verdict that is new.
func (v *verdicts) commit(ctx context.Context, b *store.Batch) error {
	if len(v.pending) == 0 {
		return nil
	}
	ids := make([]string, len(v.pending))
	for i, p := range v.pending {
		ids[i] = p.j.o.ID
	}
	before, err := v.c.st.Verdicts(ctx, store.VerdictQuery{Job: v.c.job.Name, SourceIDs: ids})
	if err != nil {
		return err
	}
	known := make(map[string]uint64, len(before))
	for _, k := range before {
		known[k.SourceID] = k.Hash
	}
	for _, p := range v.pending {
		h := hashText(string(p.code) + "\x00" + p.reason)
		if old, ok := known[p.j.o.ID]; ok && old == h {
			continue
		}
		b.PutVerdicts = append(b.PutVerdicts, store.Verdict{Job: v.c.job.Name, SourceID: p.j.o.ID, Hash: h})
		r := v.c.newRecord(p.j.o, p.j.link, now()).importStep(p.j.o, p.j.link != nil).scopingStep(p.j.v, p.j.o.Enabled())
		r.step("EntrySynchronizationSkip", stepProcessing, statusSkipped, p.reason, "SkipReason", string(p.code),
			"ReportableIdentifier", p.j.o.UPN())
		r.result(statusSkipped, p.code, p.reason)
		b.Log = append(b.Log, r.done(now()))
	}
	return nil
}

func hashText(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // a hash never fails
	return h.Sum64()
}
