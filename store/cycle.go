package store

import "time"

// Outcome is how a cycle ended.
type Outcome string

// The outcomes of a cycle, as `sync` prints them.
const (
	OutcomeRunning     Outcome = "running"
	OutcomeSuccess     Outcome = "success"
	OutcomePartial     Outcome = "partial"
	OutcomeQuarantine  Outcome = "quarantine"
	OutcomeFailed      Outcome = "failed"
	OutcomeInterrupted Outcome = "interrupted"
)

// Summary counts what a cycle (or plan) did to objects.
type Summary struct {
	Create    int `json:"create"`
	Update    int `json:"update"`
	Disable   int `json:"disable"`
	Delete    int `json:"delete"`
	Restore   int `json:"restore"`
	Unchanged int `json:"unchanged"`
	Skipped   int `json:"skipped"`
	Failed    int `json:"failed"`
	Held      int `json:"held"`
}

// GraphCounts counts calls to Graph: Requests are HTTP requests (a batch is one,
// token requests are none), Writes are changes sent, each inside a batch counted.
type GraphCounts struct {
	Requests  int `json:"requests"`
	Writes    int `json:"writes"`
	Throttled int `json:"throttled"`
}

// Cycle is one pass of a job.
type Cycle struct {
	ID        string      `json:"cycleId"`
	Job       string      `json:"job"`
	Initial   bool        `json:"-"`
	Trigger   string      `json:"trigger"` // schedule, command, start
	Outcome   Outcome     `json:"outcome"`
	Summary   Summary     `json:"summary"`
	Graph     GraphCounts `json:"graph"`
	StartedAt time.Time   `json:"startedAt"`
	EndedAt   time.Time   `json:"endedAt"`
	Code      string      `json:"code,omitempty"`  // error code of a failed cycle
	Error     string      `json:"error,omitempty"` // what happened, why, what to do

	// What the guards of later cycles look back at: the links at the start, the
	// deletes and disables by leaving scope, and the creates and restores, of which
	// those that an administrator approved do not count.
	Linked  int `json:"linked,omitempty"`
	Removed int `json:"removed,omitempty"`
	Added   int `json:"added,omitempty"`
}

// CycleQuery asks for cycles.
type CycleQuery struct {
	Job   string
	ID    string
	Limit int
	Since Time // those that began at this moment or later; zero = all
}
