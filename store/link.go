package store

import (
	"time"

	"tenantsync/directory"
)

// Time is an instant; stores keep it with microseconds, in UTC.
type Time = time.Time

// Pair is a source and a target tenant, by tenant id. Links belong to a pair.
type Pair struct{ Source, Target string }

// LinkState is the state of a link.
type LinkState uint8

// The states of a link.
const (
	// LinkActive: the target user is kept in sync.
	LinkActive LinkState = iota
	// LinkHeld: a delete of the target user waits for approval (see Hold).
	LinkHeld
	// LinkRetained: a held delete was rejected; the user stays, and is still
	// disabled together with the source user.
	LinkRetained
	// LinkDeleted: this engine deleted the target user; kept for the restore.
	LinkDeleted
	// LinkMissing: somebody else deleted the target user; left deleted.
	LinkMissing
)

// String returns the state as commands print it.
func (s LinkState) String() string {
	return [...]string{"active", "held", "retained", "deleted", "deletedInTarget"}[s%5]
}

// LinkKey identifies a link.
type LinkKey struct {
	Pair     Pair
	SourceID string
}

// Link pairs a source user with its target user. It is owned by one job.
type Link struct {
	Pair     Pair
	SourceID string
	TargetID string
	Job      string // the owner
	State    LinkState

	// Exported holds, under target attribute names, what the target user is known
	// to have: written by us or read since. References are not among them.
	Exported directory.Attributes
	// ManagerSource is the source id of the wanted manager, ManagerTarget the
	// target id last written (or read) as manager; "" none. They disagree while
	// the manager is not linked.
	ManagerSource, ManagerTarget string

	// Addresses are the source user's addresses in normal form (directory.NormalAddress).
	Addresses []string
	// UPN and DisplayName of the source user when last seen.
	UPN, DisplayName string

	InScope         bool     // the verdict when last judged
	Creating        bool     // invited, not yet updated: create-only attributes are still to be written
	DisabledByJob   bool     // the target's accountEnabled false was written by this job
	BlockedInTarget bool     // a block set by hand in the target is being kept
	ManagerUnknown  bool     // the target's manager has not been read yet (adopted)
	SourceDisabled  bool     // the source user was disabled when last seen
	Refused         []string // target attributes the target refuses until the next initial cycle

	// RetainedFor is the reason for which a delete was asked and rejected
	// (LinkRetained): another reason is a new event.
	RetainedFor string
	// Invited is the address that was invited, "" for an adopted user.
	Invited string

	LeftScopeAt Time // since when it is out of scope (zero: in scope)
	DeletedAt   Time // when it was deleted (LinkDeleted, LinkMissing) or its deletion rejected (LinkRetained)
}

// Key returns the link's identity.
func (l *Link) Key() LinkKey { return LinkKey{l.Pair, l.SourceID} }

// LinkQuery asks for links of one pair: by exactly one of the id lists, or,
// when all are nil, a walk in source id order. A list that is empty but not nil
// names nothing.
type LinkQuery struct {
	Pair      Pair
	SourceIDs []string
	TargetIDs []string
	Addresses []string // links whose source user has one of these addresses
	Managers  []string // links whose ManagerSource is one of these source ids
	After     string   // walk: source ids greater than this
	Limit     int      // walk: at most so many; 0 = all
}
