package engine

import (
	"time"

	"tenantsync/store"
)

// SyncRequest asks for one cycle now.
type SyncRequest struct {
	Job     string `json:"job"`
	Initial bool   `json:"initial,omitempty"`
	Accept  bool   `json:"accept,omitempty"` // let through the changes that are held
	Trigger string `json:"trigger,omitempty"`
	// Rebuilt makes the cycle one of Engine.Rebuild, which sets it, and takes its result.
	Rebuilt *RebuildResult `json:"-"`
	// Plan, when given, is what the cycle does, or else it does nothing: see
	// SavedPlan.Request. What it has is approved, but held deletions stay held.
	Plan *PlanApproval `json:"plan,omitempty"`
}

// SyncResult is what a cycle did.
type SyncResult struct {
	Job       string            `json:"job"`
	CycleID   string            `json:"cycleId"`
	Cycle     string            `json:"cycle"` // initial, incremental
	Outcome   store.Outcome     `json:"outcome"`
	Summary   store.Summary     `json:"summary"`
	StartedAt time.Time         `json:"startedAt"`
	EndedAt   time.Time         `json:"endedAt"`
	Graph     store.GraphCounts `json:"graph"`
	// Error is why a cycle failed or was interrupted, nil otherwise.
	Error *Error `json:"error,omitempty"`
	// Quarantine and Held say what waits for somebody.
	Quarantine *Quarantine `json:"quarantine,omitempty"`
}

// PlanRequest asks what a cycle would do.
type PlanRequest struct {
	Job     string `json:"job"`
	Initial bool   `json:"initial,omitempty"`
	User    string `json:"user,omitempty"` // only this source user
	// Unchanged asks for users without a difference as well, with the action none.
	Unchanged bool `json:"unchanged,omitempty"`
	// Collisions asks who in the target holds addresses of users to be created:
	// reads users, deleted users, groups, contacts and both tenants' policies.
	Collisions bool `json:"collisions,omitempty"`
	// Save asks for the plan as it can be applied, for so long: 0 = not. Creates and
	// updates that a guard holds are described as if approved, since applying approves.
	Save time.Duration `json:"save,omitempty"`
}

// PlanResult is what a cycle would do now.
type PlanResult struct {
	Job       string            `json:"job"`
	Cycle     string            `json:"cycle"`
	Changes   []Change          `json:"changes"`
	Summary   store.Summary     `json:"summary"`
	Threshold DeletionThreshold `json:"deletionThreshold"`
	// HeldChanges says which creates and updates would wait for an approval, nil when
	// none would.
	HeldChanges *HeldChanges `json:"heldChanges,omitempty"`
	// For people: where from, where to, how many.
	Source  string    `json:"source"`
	Target  string    `json:"target"`
	Since   time.Time `json:"since,omitzero"` // watermark's time of an incremental plan
	InScope int       `json:"inScope"`
	Read    int       `json:"read"`
	Linked  int       `json:"linked"`
	Writes  int       `json:"writes"` // about how many writes the cycle would send
	// Attributes tells every mapping of the user that was asked for, by target.
	Attributes []PlanAttribute `json:"attributes,omitempty"`
	// Mails is how many people may get a mail from Microsoft: everybody who would be
	// invited.
	Mails int `json:"mails"`
	// InvitationMail says that the job asks Microsoft to send the invitations.
	InvitationMail bool `json:"invitationMail,omitempty"`
	// With PlanRequest.Collisions: what the policies say of automatic redemption, who
	// holds addresses of users to be created, and which lists could not be read.
	Redemption Redemption  `json:"redemption,omitempty"`
	Collisions []Collision `json:"collisions,omitzero"`
	NotChecked []string    `json:"notChecked,omitzero"`
	// Kept are values that somebody else set in the target and that the cycle would
	// leave there, as the mappings say. Only a comparing plan knows them.
	Kept []KeptInTarget `json:"keptInTarget,omitempty"`
	// GoneGroups are the groups of the scope that do not exist: the deletes of their
	// members would be held, and the cycle end in quarantine.
	GoneGroups []string `json:"goneGroups,omitempty"`
	// Saved is the plan as it can be applied, with PlanRequest.Save.
	Saved *SavedPlan `json:"saved,omitempty"`
}

// KeptInTarget names the attributes of one target user that somebody else changed
// and that are left as they are.
type KeptInTarget struct {
	Source     ChangeSource `json:"source"`
	Target     ChangeTarget `json:"target"`
	Attributes []string     `json:"attributes"`
}

// PlanAttribute tells how one mapping comes to its value for one user, whether or
// not that is written. Values of sensitive mappings are hidden.
type PlanAttribute struct {
	Target string `json:"targetAttribute"`
	Type   string `json:"type"` // direct, constant, expression
	// Sources are the source attributes that are read; nil means no value.
	Sources    map[string]*string `json:"sourceValues"`
	Expression string             `json:"expression"` // the attribute in brackets, the constant in quotes, or the expression
	FlowType   string             `json:"flowType"`
	// Result is what the mapping gives, nil for nothing; Current what the target
	// user is known to have.
	Result  *string `json:"result"`
	Current *string `json:"current"`
	// ResultName and CurrentName are the user principal names of a reference's
	// users, where they are known.
	ResultName  string `json:"resultName,omitempty"`
	CurrentName string `json:"currentName,omitempty"`
	// Dropped says why the cycle would not write the result, "" when it would.
	Dropped string `json:"dropped,omitempty"`
	// Error is why the mapping has no value for this user.
	Error string `json:"error,omitempty"`
}

// Redemption is whether invitations between two tenants are redeemed
// automatically, without a question to the person.
type Redemption string

// Automatic redemption works when the source allows it outbound and the target
// inbound; in every other case a person is asked for consent.
// https://learn.microsoft.com/graph/api/resources/inboundoutboundpolicyconfiguration
const (
	RedemptionUnknown   Redemption = ""          // the policies were not read
	RedemptionAutomatic Redemption = "automatic" // set on both sides
	RedemptionMissing   Redemption = "missing"   // not set on one side or both
)

// DeletionThreshold is what the guard says of a plan.
type DeletionThreshold struct {
	Held  bool `json:"held"`
	Count int  `json:"count"`
	Limit int  `json:"limit"`
	// Percent is the share of the linked users that fires as well, 0 for none.
	Percent float64 `json:"percent,omitempty"`
	// Reason is TooManyDeletes, TooManyDeletesInWindow or ScopeShrunk when the deletions
	// would be held, or else why changes would be.
	Reason string `json:"reason,omitempty"`
}

// HeldChanges are creates and updates that wait until sync --accept or apply.
type HeldChanges struct {
	Count   int    `json:"count"`
	Reason  string `json:"reason"` // TooManyChanges, TooManyCreates, TooManyUpdates or TooManyMembers
	Message string `json:"message"`
}

// Change is one planned change. Action is create, update, disable, delete,
// restore, stagedDelete, none or fail.
type Change struct {
	Action   string           `json:"action"`
	Source   ChangeSource     `json:"source"`
	Target   *ChangeTarget    `json:"target"`
	Modified []ChangeProperty `json:"modifiedProperties"`
	Reason   string           `json:"reason"`
	Code     string           `json:"code,omitempty"`   // error code of a fail, skip reason of a none
	Advice   string           `json:"advice,omitempty"` // what to do
}

// ChangeSource names a source user.
type ChangeSource struct {
	ID  string `json:"id"`
	UPN string `json:"userPrincipalName"`
}

// ChangeTarget names a target user.
type ChangeTarget struct {
	ID string `json:"id"`
}

// ChangeProperty is one attribute that would change; nil means no value. From
// is the mapping's text, e.g. `Join(", ", [surname], [givenName])`.
type ChangeProperty struct {
	Name string  `json:"displayName"`
	Old  *string `json:"oldValue"`
	New  *string `json:"newValue"`
	From string  `json:"expression,omitempty"`
	Note string  `json:"note,omitempty"`
	// OldName and NewName are the user principal names of a reference's users,
	// where they are known.
	OldName string `json:"oldName,omitempty"`
	NewName string `json:"newName,omitempty"`
	// Access says that rules of a tenant commonly let the attribute decide what
	// the user may do.
	Access bool `json:"decidesAccess,omitempty"`
	// Drift says that somebody else set the old value in the target.
	Drift bool `json:"changedInTarget,omitempty"`
}

// ProvisionRequest asks for one user to be provisioned now.
type ProvisionRequest struct {
	User    string `json:"user"`
	Job     string `json:"job"`
	DryRun  bool   `json:"dryRun,omitempty"`
	Restore bool   `json:"restore,omitempty"`
}

// ProvisionResult is what happened to one user. Status is success, failure,
// skipped or warning; Action as in the provisioning log.
type ProvisionResult struct {
	Job        string           `json:"job"`
	ChangeID   string           `json:"changeId"`
	Action     string           `json:"action"`
	Status     string           `json:"status"`
	Steps      []ProvisionStep  `json:"steps"`
	Modified   []ChangeProperty `json:"modifiedProperties"`
	Source     store.Identity   `json:"sourceIdentity"`
	Target     store.Identity   `json:"targetIdentity"`
	SourceName string           `json:"sourceName"`
	TargetName string           `json:"targetName"`
	Code       string           `json:"errorCode,omitempty"`
	Reason     string           `json:"reason,omitempty"`
	Advice     string           `json:"recommendedAction,omitempty"`
	DryRun     bool             `json:"dryRun,omitempty"`
	DurationMS int              `json:"durationInMilliseconds"`
	Values     []ProvisionValue `json:"attributes,omitempty"`
}

// ProvisionStep is one of the four steps, in the order import, scoping, matching, export.
type ProvisionStep struct {
	Name        string            `json:"name"`
	Type        string            `json:"provisioningStepType"`
	Status      string            `json:"status"`
	Description string            `json:"description"`
	Details     map[string]string `json:"details"`
	DurationMS  int               `json:"durationInMilliseconds"`
}

// ProvisionValue is one row of the last step's table.
type ProvisionValue struct {
	Attribute  string  `json:"targetAttribute"`
	Source     string  `json:"sourceValue"`
	Expression string  `json:"expression"`
	Before     *string `json:"before"`
	After      *string `json:"after"`
}

// JobStatus is the state of one job. State is Active, Paused, Quarantine or NotRun.
type JobStatus struct {
	Name       string      `json:"name"`
	State      string      `json:"state"`
	Quarantine *Quarantine `json:"quarantine"`
	InScope    int         `json:"inScope"`
	Linked     int         `json:"linked"`
	Held       int         `json:"held"`
	Retries    int         `json:"retries"`
	LastCycle  *CycleInfo  `json:"lastCycle"`
	NextStart  *time.Time  `json:"nextStart"`
	// SkippedStarts counts the starts that were left out because the last scheduled
	// cycle was still running: the job lags behind its schedule.
	SkippedStarts int `json:"skippedStarts,omitempty"`
	// Running is the cycle under way, if this process (or the daemon) runs one.
	Running *Progress `json:"running,omitempty"`
	Source  string    `json:"source"`
	Target  string    `json:"target"`
	Enabled bool      `json:"enabled"`
	// Warnings are what is about to need somebody, in sentences.
	Warnings []string `json:"warnings,omitempty"`
	// Restored is of when the state is, where an older one was put back and no cycle
	// has compared everybody since: the next one does, and holds its deletes.
	Restored *time.Time `json:"restored,omitempty"`
	// Unfinished is when a cycle began whose process died before it ended: the next
	// one goes on from what it left.
	Unfinished *time.Time `json:"unfinished,omitempty"`
	// ConfigurationRefused is set by a daemon that was told to take a changed
	// configuration, could not, and goes on with the one it has.
	ConfigurationRefused *ConfigurationRefused `json:"configurationRefused,omitempty"`
}

// ConfigurationRefused is why a daemon did not take a changed configuration.
type ConfigurationRefused struct {
	At      time.Time `json:"at"`
	Code    string    `json:"code"`
	Message string    `json:"message"` // with its place, a sentence
	Action  string    `json:"action,omitempty"`
	// More counts the problems that the configuration has besides.
	More int `json:"more,omitempty"`
}

// Quarantine is why a job runs slower or holds something.
type Quarantine struct {
	Reason      string     `json:"reason"`
	Message     string     `json:"message,omitempty"`
	Since       time.Time  `json:"since"`
	NextAttempt *time.Time `json:"nextAttempt"`
}

// CycleInfo is a cycle as status shows it.
type CycleInfo struct {
	CycleID   string            `json:"cycleId"`
	Cycle     string            `json:"cycle"`
	Trigger   string            `json:"trigger"`
	Outcome   store.Outcome     `json:"outcome"`
	Summary   store.Summary     `json:"summary"`
	Graph     store.GraphCounts `json:"graph"`
	StartedAt time.Time         `json:"startedAt"`
	EndedAt   time.Time         `json:"endedAt"`
	Code      string            `json:"code,omitempty"` // of Error
	Error     string            `json:"error,omitempty"`
}

// Progress is how far a cycle has come.
type Progress struct {
	Job       string        `json:"job"`
	CycleID   string        `json:"cycleId"`
	Cycle     string        `json:"cycle"`
	Phase     string        `json:"phase"` // "reading groups", "reading SOURCE", "reading TARGET", "evaluating", "writing", "deleting"
	Done      int           `json:"done"`
	Total     int           `json:"total"` // 0 = not known
	Summary   store.Summary `json:"summary"`
	StartedAt time.Time     `json:"startedAt"`
	// Synced is the first user that came into sync in this cycle, "" before.
	Synced string `json:"synced,omitempty"`
}

// Deletions lists held (or retained) deletions of a job.
type Deletions struct {
	Job  string         `json:"job"`
	Held []HeldDeletion `json:"held"`
	// Deleted, Dropped and Failed are filled by allow; Retained by reject.
	Deleted  []HeldDeletion `json:"deleted,omitempty"`
	Dropped  []HeldDeletion `json:"dropped,omitempty"`
	Failed   []HeldDeletion `json:"failed,omitempty"`
	Retained []HeldDeletion `json:"retained,omitempty"`
}

// HeldDeletion is one user whose deletion waits.
type HeldDeletion struct {
	SourceID string    `json:"sourceId"`
	UPN      string    `json:"userPrincipalName"`
	TargetID string    `json:"targetId"`
	Reason   string    `json:"reason"`
	Since    time.Time `json:"since"`
	Message  string    `json:"message,omitempty"`
}

// Retries lists the escrows of a job.
type Retries struct {
	Job     string  `json:"job"`
	Retries []Retry `json:"retries"`
}

// Retry is one object waiting after a failure.
type Retry struct {
	SourceID    string    `json:"sourceId"`
	UPN         string    `json:"userPrincipalName"`
	Step        string    `json:"step"`
	Code        string    `json:"errorCode"`
	Message     string    `json:"message,omitempty"`
	Attempts    int       `json:"attempts"`
	NextAttempt time.Time `json:"nextAttempt"`
}

// Explanation answers why a user is, or is not, in the target. Reasons are whole
// sentences; Topics says of each what it is about: scope, link, owner, block,
// refused, pending, held, failure or retry.
type Explanation struct {
	Job        string       `json:"job"`
	User       ChangeSource `json:"user"`
	InScope    bool         `json:"inScope"`
	Reasons    []string     `json:"reasons"`
	Topics     []string     `json:"topics,omitempty"`
	Link       *LinkInfo    `json:"link"`
	LastChange *store.Entry `json:"lastChange"`
	Retry      *Retry       `json:"retry"`
}

// LinkInfo is a link as commands show it.
type LinkInfo struct {
	SourceID string `json:"sourceId"`
	TargetID string `json:"targetId"`
	Job      string `json:"job"`
	State    string `json:"state"`
}

// ScopeTest is each part of the scoping verdict of one user.
type ScopeTest struct {
	Job     string       `json:"job"`
	User    ChangeSource `json:"user"`
	InScope bool         `json:"inScope"`
	Reason  string       `json:"reason"`
	Checks  []ScopeCheck `json:"checks"`
}

// ScopeCheck is one condition of scope: a rule, the assignment, a filter or one of
// its clauses.
type ScopeCheck struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Passed bool   `json:"passed"`
	// Filter is set for filters and their clauses; Clause counts the clauses from 1.
	Filter string `json:"filter,omitempty"`
	Clause int    `json:"clause,omitempty"`
	Text   string `json:"text,omitempty"` // the clause
	// Resolved says what relative dates of the clause are now.
	Resolved string `json:"resolved,omitempty"`
	// Error is why the clause could not be judged.
	Error string `json:"error,omitempty"`
}
