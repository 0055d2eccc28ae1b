package engine

import (
	"context"
	"time"

	"tenantsync/store"
)

// staleFor is how long a read of the source by id is not believed over what a round
// has told: replicas lag by seconds, at times by minutes. A round tells a change once.
const staleFor = 5 * time.Minute

// toldAMomentAgo reports that the cycle that ended last, nil for none, ended so short
// a time before at, or after it, that a read of the source by id may be older than what
// it was told.
func toldAMomentAgo(last *store.Cycle, at time.Time) bool {
	return last != nil && at.Sub(last.EndedAt) < staleFor
}

// doubtful notes a user whom a cycle reads by id within moments of the cycle before, for
// another reason than a change of its own: what that one was told of the user is told
// once, and may not be in what this one reads. Where five minutes lie between two
// cycles, as by default, nobody is doubted.
func (c *cycle) doubtful(id string) {
	if !c.soon {
		return
	}
	if c.doubted == nil {
		c.doubted = map[string]bool{}
	}
	c.doubted[id] = true
}

// lookAgain has those in doubt read once more, when no replica lags any more. Who
// failed is read again anyway; who waits for deleteAfter waits on when it is seen that
// nothing has changed.
func (c *cycle) lookAgain(b *store.Batch, waiting []store.Escrow) {
	for _, id := range sortedNames(c.doubted) {
		e := escrowIn(waiting, id)
		if e == nil {
			e = &store.Escrow{}
		} else if e.Code != string(markDeleteAfter) {
			continue
		}
		b.PutEscrows = append(b.PutEscrows, lookedAtAgain(c.job.Name, id, e.UPN, c.began))
	}
}

// lookAgain settles what was read here with what the cycles of the pair have read. A
// cycle under way is to leave the user alone: its image is older. But a read by id
// may come from a replica that has not heard of a change yet which a round has told
// already, to the cycle under way or to one that ended a moment ago, and a round
// tells a change once. Then the user is read once more, by a cycle that begins when
// no replica lags any more.
func (p *provision) lookAgain(ctx context.Context) error {
	for _, other := range p.e.all() { // what another job of the pair has read is older too
		if other.pair != p.r.pair {
			continue
		}
		other.markFresh(p.o.ID)
		doubted, err := p.doubted(ctx, other)
		if err != nil {
			return err
		}
		if !doubted {
			continue
		}
		waiting, err := p.c.st.Waiting(ctx, other.job.Name)
		if err != nil {
			return err
		}
		again := lookedAtAgain(other.job.Name, p.o.ID, p.o.UPN(), p.c.began)
		if e := escrowIn(waiting.Escrows, p.o.ID); e != nil {
			switch {
			case !e.Next.After(again.Next):
				continue // it is looked at by then anyway
			case e.Code != string(markDeleteAfter): // that one comes back when it is seen that the user still waits
				e.Next = again.Next
				again = *e
			}
		}
		err = p.c.st.Apply(ctx, &store.Batch{PutEscrows: []store.Escrow{again}})
		if err != nil {
			return err
		}
	}
	return nil
}

// doubted reports that a round of the job may have told what was not read here.
// Where nothing was done, and nothing waited to be done, what a cycle that ended has
// carried over stands.
func (p *provision) doubted(ctx context.Context, other *runner) (bool, error) {
	if other.running() != nil {
		return true, nil
	}
	if other != p.r || p.x == nil || len(p.x.logged) == 0 && !p.waited {
		return false, nil
	}
	last, err := p.e.lastEnded(ctx, other.job.Name)
	return err == nil && toldAMomentAgo(last, p.began), err
}

// lookedAtAgain is the mark of a user who is read once more when no replica lags.
func lookedAtAgain(job, sourceID, upn string, since time.Time) store.Escrow {
	return store.Escrow{Job: job, SourceID: sourceID, UPN: upn, Code: string(markLookAgain), First: since, Next: now().Add(staleFor)}
}
