package crashpoint

import "tenantsync/store"

// The kinds of commits.
const (
	Begin      = "begin"      // a cycle and the round it reads
	Membership = "membership" // members of scope groups, or the round that reads them
	StagePage  = "page"       // a page of a round, with the link to the next
	Intent     = "intent"     // invitations or restores that are about to be sent
	Hold       = "hold"       // deletions that wait from now on
	Result     = "result"     // what was written to the target, with its log entries
	Seen       = "seen"       // what was read in the target
	Judged     = "judged"     // verdicts and failures without a write
	Watermark  = "watermark"  // the end of a cycle
	Record     = "record"     // a job's record alone
)

var commits = []string{Begin, Membership, StagePage, Seen, Judged, Intent, Hold, Result, Watermark, Record}

// OfBatch names a commit by what it changes.
func OfBatch(b *store.Batch) string {
	switch {
	case len(b.PutIntents) > 0:
		return Intent
	case len(b.PutHolds) > 0:
		return Hold
	case len(b.PutMembers)+len(b.CutMembers)+len(b.DropMembers) > 0:
		return Membership
	case len(b.Stage) > 0:
		return StagePage
	case ends(b.Cycles):
		return Watermark
	case len(b.PutLinks)+len(b.DropLinks)+len(b.DropIntents) > 0 && len(b.Log)+len(b.AmendLog) > 0, len(b.DropIntents) > 0:
		return Result
	case len(b.PutLinks)+len(b.DropLinks) > 0:
		return Seen
	case len(b.Log)+len(b.AmendLog)+len(b.PutVerdicts)+len(b.DropVerdicts)+len(b.PutEscrows)+len(b.DropEscrows)+len(b.DropHolds) > 0:
		return Judged
	case len(b.Cycles) > 0:
		return Begin
	}
	return Record
}

func ends(cycles []store.Cycle) bool {
	for i := range cycles {
		if !cycles[i].EndedAt.IsZero() {
			return true
		}
	}
	return false
}
