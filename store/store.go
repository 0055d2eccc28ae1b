package store

import (
	"context"
	"errors"
)

// Errors of opening and querying a store.
var (
	// ErrNotFound: there is no such record.
	ErrNotFound = errors.New("not found")
	// ErrLocked: another process holds the state file.
	ErrLocked = errors.New("state is held by another process")
	// ErrMoved: the open file has lost its name: it was removed, or another one was put
	// in its place. What is committed now is lost when the file is closed.
	ErrMoved = errors.New("the state file is no longer where it was opened")
	// ErrFormat: the file is not a state file, is damaged, or was written by a newer version.
	ErrFormat = errors.New("not a usable state file")
	// ErrFull: there is no room to commit; what was committed before is there.
	ErrFull = errors.New("no room for the state")
	// ErrLease: the batch carries a token that is no longer valid.
	ErrLease = errors.New("lease lost")
	// ErrAmbiguousID: a prefix names more than one log entry.
	ErrAmbiguousID = errors.New("prefix is not unique")
)

// Store keeps the state of all jobs. It is safe for concurrent use.
type Store interface {
	// Apply commits a batch: all of it, durably, or nothing.
	Apply(ctx context.Context, b *Batch) error
	// Job returns a job's record; ErrNotFound for a job that never ran.
	Job(ctx context.Context, name string) (Job, error)
	// Links returns the links that a query asks for, ordered by source id.
	Links(ctx context.Context, q LinkQuery) ([]Link, error)
	// Members returns member records of scope groups, ordered by group and member.
	Members(ctx context.Context, q MemberQuery) ([]Member, error)
	// StagePages returns up to limit pages of a job's stage with Seq > after, in order.
	StagePages(ctx context.Context, job string, after, limit int) ([]StagePage, error)
	// Waiting returns the escrows, intents and holds of a job, each ordered by source id.
	Waiting(ctx context.Context, job string) (Waiting, error)
	// Verdicts returns what was last decided about source users without a link, ordered by source id.
	Verdicts(ctx context.Context, q VerdictQuery) ([]Verdict, error)
	// Cycles returns cycles, newest first.
	Cycles(ctx context.Context, q CycleQuery) ([]Cycle, error)
	// Log returns provisioning log entries, newest first (oldest first with
	// q.Follow). ErrAmbiguousID and ErrNotFound apply to q.ID only.
	Log(ctx context.Context, q LogQuery) ([]Entry, error)
	// Audit returns records of administrative acts, newest first (oldest first with q.Follow).
	Audit(ctx context.Context, q AuditQuery) ([]Audit, error)
	// Close releases the state; a batch under way is finished first.
	Close() error
}

// Batch is a set of changes to commit together. Zero fields change nothing.
// Within one batch removals are carried out before puts.
type Batch struct {
	// Lease is the token of the writer; constant where one process owns the state.
	Lease uint64

	Jobs []Job // replaced whole, by Name

	DropStage string      // job whose stage is dropped
	Stage     []StagePage // appended; Seq must follow the pages that are there

	DropMembers []MemberSet // whole sets dropped
	PutMembers  []Member
	CutMembers  []Member

	DropLinks []LinkKey
	PutLinks  []Link

	DropEscrows []WaitKey
	PutEscrows  []Escrow
	DropIntents []WaitKey
	PutIntents  []Intent
	DropHolds   []WaitKey
	PutHolds    []Hold

	DropVerdicts []WaitKey
	PutVerdicts  []Verdict

	Cycles []Cycle // put by ID
	Log    []Entry // appended; Seq is given by the store
	// AmendLog adds to entries that are there; an unknown id changes nothing.
	AmendLog []Amendment
	// Audit records are appended and sealed (see Audit.Seal) by the store, in place:
	// after Apply they say which place they got. Nothing ever changes or removes one.
	Audit []Audit

	// Prune drops log entries and cycles older than it (zero: none), and links in
	// state LinkDeleted whose DeletedAt is before PruneDeleted: the oldest first, and
	// of each kind PruneLimit at most, so that a commit stays small however much has
	// become old at once.
	Prune, PruneDeleted Time
	// PruneMore is set by Apply: more is old enough than one batch may drop.
	PruneMore bool
}

// PruneLimit is how many records of a kind one batch drops for their age at most.
const PruneLimit = 1000

// Empty reports whether the batch would change nothing.
func (b *Batch) Empty() bool {
	return len(b.Jobs) == 0 && b.DropStage == "" && len(b.Stage) == 0 && len(b.DropMembers) == 0 &&
		len(b.PutMembers) == 0 && len(b.CutMembers) == 0 && len(b.DropLinks) == 0 && len(b.PutLinks) == 0 &&
		len(b.DropEscrows) == 0 && len(b.PutEscrows) == 0 && len(b.DropIntents) == 0 && len(b.PutIntents) == 0 &&
		len(b.DropHolds) == 0 && len(b.PutHolds) == 0 && len(b.DropVerdicts) == 0 && len(b.PutVerdicts) == 0 &&
		len(b.Cycles) == 0 && len(b.Log) == 0 && len(b.AmendLog) == 0 && len(b.Audit) == 0 && b.Prune.IsZero() && b.PruneDeleted.IsZero()
}
