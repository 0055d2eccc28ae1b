package store

import "tenantsync/directory"

// Job is what is remembered of a synchronization job.
type Job struct {
	Name string
	Pair Pair

	Paused bool // stopped by an administrator
	Ran    bool // a first cycle was begun (else NotRun)

	// Query identifies what Watermark was read with (attributes selected, scope
	// groups' mode); Rules identifies mappings, filters and scope. A change of
	// either makes the next cycle an initial one.
	Query, Rules string
	// NeedInitial says that the next cycle must be an initial one (restart).
	NeedInitial bool
	// Restored is of when the state is, where an older copy was put in the place of a
	// newer state; zero: nothing speaks for that. The next cycle compares everybody and
	// holds its deletes; it clears this when it ends.
	Restored Time
	// Watermark is the delta link of users; "" before the first round ended.
	Watermark string
	// Groups are the rounds of group membership with their watermarks.
	Groups []GroupRound
	// Assigned are principals of the service principal's assignments, and users named in the configuration by UPN.
	Assigned []Member
	// Roles are the app roles of those principals, sorted; kept only while a mapping reads them.
	Roles []AssignedRole
	// GoneGroups are scope groups that no longer exist.
	GoneGroups []string

	// Stage is the round that is being read, nil when none is.
	Stage *Stage

	Quarantine *Quarantine
	// Circuit is set while the target takes no invitations.
	Circuit *Circuit
	// HeldChanges counts the creates and updates that the last cycle held.
	HeldChanges int
	// Held are marks of them, sorted, HeldRules the Rules they follow from and HeldAt
	// when they were found: an approval is of these and of no others.
	Held      []uint64
	HeldRules string
	HeldAt    Time
	// CountedFrom is when an administrator last approved all deletions that were
	// held: the moving window of deletions does not reach farther back.
	CountedFrom Time
	// GoodInScope is the last good number of users in scope, for ScopeShrunk.
	GoodInScope int
	// ScopeShrunk says that deletes are held because the scope shrank.
	ScopeShrunk bool
	// InScope counts the users in scope at the end of the last cycle, Linked the links
	// that are active or retained; status adds the held ones to Linked.
	InScope, Linked int
	// ComparedAt is when the last initial cycle that ended began.
	ComparedAt Time
	// LastCycle is the id of the last cycle that ended.
	LastCycle string
	// ClockLeap says that the clock has moved on further than it should, and since
	// when; nil while it is believed.
	ClockLeap *ClockLeap
	// SkippedStarts counts the starts that the last scheduled cycle ran into.
	SkippedStarts int
	// NextStart is when the schedule fires next, for status without a daemon.
	NextStart Time
}

// ClockLeap is a leap of the wall clock between two cycles.
type ClockLeap struct {
	From Time // when the cycle before it ended
	To   Time // when the one after it began
}

// AssignedRole is an app role that a user or a group is assigned to.
type AssignedRole struct {
	Principal string // object id of the user or group
	Role      string // id of the role
	IsGroup   bool
}

// GroupRound is one delta query over up to 50 groups.
type GroupRound struct {
	Groups []string
	Link   string // delta link, "" = must be read from the start
}

// Stage is the state of a round that is being read.
type Stage struct {
	CycleID string
	Initial bool
	Query   string // what it was begun with; another one drops the stage
	Cursor  string // the next page; "" when the round is complete
	// Watermark is the delta link at the end of the round.
	Watermark string
	Groups    []GroupRound // the rounds' new watermarks, moved with Watermark
	Pages     int
	// Extra are source ids to be read besides the stage: membership changed, retries.
	Extra []string
	Began Time
}

// StagePage is one page of a round.
type StagePage struct {
	Job     string
	Seq     int // from 1, without gaps
	Objects []directory.Object
}

// Quarantine is why and since when a job runs at a reduced pace or holds something.
type Quarantine struct {
	Reason      string
	Message     string
	Since       Time
	NextAttempt Time
	Series      int // consecutive cycles in quarantine
}

// Circuit says that the target refuses invitations as such, why, and when the next
// one may be sent to see whether it still does.
type Circuit struct {
	Code, Message, Cause, Action, Permission string // of the error an operator reads
	Since                                    Time
	Probe                                    Time // no invitation before this time
	Series                                   int  // refusals in a row
}

// MemberSet names the members of one group for one job.
type MemberSet struct{ Job, Group string }

// Member is one direct member of a scope group.
type Member struct {
	Job, Group, ID string
	IsGroup        bool
}

// MemberQuery asks for members of a job's groups.
type MemberQuery struct {
	Job    string
	Groups []string // these groups only; nil = all
	IDs    []string // these members only; nil = all
}
