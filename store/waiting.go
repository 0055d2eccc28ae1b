package store

// WaitKey identifies an escrow, intent, hold or verdict.
type WaitKey struct{ Job, SourceID string }

// Waiting is what a job has open.
type Waiting struct {
	Escrows []Escrow
	Intents []Intent
	Holds   []Hold
}

// Escrow is an object-level failure kept for retry.
type Escrow struct {
	Job, SourceID string
	UPN           string
	Step          string // provisioning step that failed
	Code          string // error code
	Message       string
	Reference     bool // only the manager could not be resolved
	InScope       bool // the user is in scope and not linked: it counts as in scope
	Attempts      int  // failures so far, from 1
	First, Next   Time // first failure, next attempt
}

// Key returns the escrow's identity.
func (e *Escrow) Key() WaitKey { return WaitKey{e.Job, e.SourceID} }

// IntentKind is what a write to the target is.
type IntentKind string

// The kinds of intents.
const (
	IntentCreate  IntentKind = ""
	IntentUpdate  IntentKind = "update" // attributes or the manager
	IntentRestore IntentKind = "restore"
	IntentDelete  IntentKind = "delete"
)

// Intent is written before a write to the target is sent and stays until its
// outcome is committed. Of a create it proves that no match existed before the
// call; what became of the others is read in the target.
type Intent struct {
	Job, SourceID string
	Kind          IntentKind
	Address       string     // of a create: the address that is invited
	TargetID      string     // the target user; of a create the id the invitation answered with, once known
	Modified      []Property // of an update or a restore: what it changes, as the log shows it
	Began         Time
}

// Key returns the intent's identity.
func (i *Intent) Key() WaitKey { return WaitKey{i.Job, i.SourceID} }

// Hold is a deletion (or disable by leaving scope) that waits for approval.
type Hold struct {
	Job, SourceID string
	TargetID      string
	UPN           string
	DisplayName   string
	Reason        string // TooManyDeletes, ScopeShrunk, ScopeGroupDeleted
	Message       string // why the user is to be deleted, in a sentence
	Disable       bool   // the deprovisioning is a disable
	Since         Time
}

// Key returns the hold's identity.
func (h *Hold) Key() WaitKey { return WaitKey{h.Job, h.SourceID} }

// Verdict is what was last decided about a source user without a link, so that
// the log says it once.
type Verdict struct {
	Job, SourceID string
	Hash          uint64 // of the reason
}

// VerdictQuery asks for verdicts of a job: of these users, or, where SourceIDs
// is nil, all.
type VerdictQuery struct {
	Job       string
	SourceIDs []string
}
