package engine

import (
	"time"

	"tenantsync/store"
)

// staleFor is how long a read of the source by id is not believed over what a round
// has told: replicas lag by seconds, at times by minutes. A round tells a change once.
const staleFor = 5 * time.Minute

// toldAMomentAgo reports that the cycle that ended last, nil for none, ended so short
// a time before at that a read of the source by id may be older than what it was told.
func toldAMomentAgo(last *store.Cycle, at time.Time) bool {
	return last != nil && youngerThan(staleFor, last.EndedAt, at)
}

// doubtRetries has those looked at once more, when no replica lags any more, who were
// tried again within moments of the cycle before: what that one was told of them, and
// could not carry over, this one may not have read. Who still waits is read again
// anyway. On schedule nobody is doubted.
func (c *cycle) doubtRetries(b *store.Batch, waiting []store.Escrow) {
	if !c.soon {
		return
	}
	for _, e := range c.retried {
		if escrowIn(waiting, e.SourceID) == nil {
			b.PutEscrows = append(b.PutEscrows, lookedAtAgain(c.job.Name, e.SourceID, e.UPN, c.began, now().Add(staleFor)))
		}
	}
}

// lookedAtAgain is the mark of a user who is read once more from a time on.
func lookedAtAgain(job, sourceID, upn string, since, from time.Time) store.Escrow {
	return store.Escrow{Job: job, SourceID: sourceID, UPN: upn, Code: string(markProvisioned), First: since, Next: from}
}
