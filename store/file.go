package store

import (
	"context"
	"time"
)

// Keeper is a store that keeps its state in one file and can vouch for it. It is
// safe for concurrent use with all that a [Store] does.
type Keeper interface {
	// Path is where the file is.
	Path() string
	// Check reads the whole file and says what is inside. The error wraps ErrFormat
	// with the first fault that was found, ErrMoved when the file is no longer in its
	// place; the facts hold what was learned before.
	Check(ctx context.Context) (Facts, error)
	// Backup writes a verified copy of what is committed now to a new file at path,
	// with mode 0600; the copy says of itself that it is one. It never replaces a
	// file: the error is then like [fs.ErrExist]. Writers need not wait.
	Backup(ctx context.Context, path string) (Facts, error)
}

// Facts are what a state file says of itself.
type Facts struct {
	Path    string    `json:"path"`
	Format  int       `json:"format"`
	State   string    `json:"stateId"` // the same in all copies of one state
	Created time.Time `json:"created"`
	Size    int64     `json:"size"` // bytes
	Free    int64     `json:"free"` // bytes in it that nothing uses; they are used again
	// Backup is set in a copy that Keeper.Backup made.
	Backup *Mark `json:"backup"`

	Jobs    []JobFacts `json:"jobs"`
	Links   int        `json:"links"`
	Entries int        `json:"logEntries"`
	Cycles  int        `json:"cycles"`
	Escrows int        `json:"retries"`
	Intents int        `json:"openIntents"`
	Holds   int        `json:"heldDeletions"`
}

// Mark says of when a backup is.
type Mark struct {
	TakenAt time.Time `json:"takenAt"`
	Cycle   string    `json:"lastCycle,omitempty"` // the cycle that had ended last, of any job
}

// JobFacts is what a state file knows of a job.
type JobFacts struct {
	Name      string    `json:"name"`
	Source    string    `json:"sourceTenantId"`
	Target    string    `json:"targetTenantId"`
	Linked    int       `json:"linked"`
	LastCycle string    `json:"lastCycle,omitempty"`
	EndedAt   time.Time `json:"lastCycleEndedAt,omitzero"`
	// Restored is since when the job's state is known to be an old one that was put
	// back, until a cycle has compared everybody.
	Restored time.Time `json:"restored,omitzero"`
}
