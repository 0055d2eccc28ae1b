package engine

import (
	"slices"
	"time"

	"tenantsync/mapping"
	"tenantsync/scope"
	"tenantsync/store"
)

// Job is one synchronization job, compiled and ready to run. The order of jobs
// in Options decides which of two jobs on one pair owns a user.
type Job struct {
	Name    string
	Enabled bool

	// Credentials say when those of the job expire, where that is known.
	Credentials []CredentialEnd

	SourceName, TargetName string     // names of the tenants in the configuration
	Pair                   store.Pair // their tenant ids

	Source Source
	Target Target
	Meter  Meter

	Schedule  string // "@every 40m" or five cron fields
	TimeZone  string // of the cron fields; "" = UTC
	AutoStart bool
	// CompareEvery is after what time a cycle compares everybody again; 0 = never.
	CompareEvery time.Duration

	Scope   Scope
	Mapping *mapping.Schema
	Actions Actions

	Invitation     Invitation
	Protection     Protection // target users that are never touched
	AllowedDomains []string   // domains that may be invited; none: every one of the source's

	YieldBlock  bool          // targetBlock: yield
	Deprovision Deprovision   // what leaving scope does
	DeleteAfter time.Duration // with DeprovisionDisable; 0 = never
	Prevent     bool          // deletions.prevent
	Threshold   int           // more than so many deletes in one cycle are held
	Percent     float64       // … or more than this share of the linked users; 0 = off
	// The moving window of deletions: how far back it reaches (0 = off), and how many
	// deletes, or which share of the most users linked in it, are held; 0 = off.
	Window          time.Duration
	WindowThreshold int
	WindowPercent   float64

	ScopeShrink   float64 // guards.scopeShrink, percent; 0 = off
	Changes       float64 // guards.changes, percent; 0 = off
	Creates       float64 // guards.creates, percent; 0 = off
	CreatesPerDay int     // guards.createsPerDay; 0 = off
	Updates       float64 // guards.updates, percent; 0 = off
	Members       float64 // guards.members, percent; 0 = off

	// Ownership is the target attribute that bears the stamp of the source user, "" for none.
	Ownership    string
	Rules        string // hash of everything whose change needs an initial cycle
	LogRetention time.Duration
}

// Scope says which source users a job is for.
type Scope struct {
	All              bool
	Groups           []string
	Users            []string // object ids or user principal names
	ServicePrincipal string
	Nested           bool
	Filter           *scope.Filter
}

// Actions are the target object actions that are allowed.
type Actions struct{ Create, Update, Delete bool }

// Deprovision is what leaving scope does.
type Deprovision uint8

// The ways to deprovision.
const (
	DeprovisionDelete Deprovision = iota
	DeprovisionDisable
	DeprovisionNone
)

// Invitation says how users are invited.
type Invitation struct {
	ByMail      bool // invite the mail address instead of the user principal name
	RedirectURL string
	SendMessage bool
}

// mapsManager reports whether the job keeps the manager in sync.
func (j *Job) mapsManager() bool { return slices.Contains(j.Mapping.References(), attrManager) }
