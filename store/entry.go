package store

import "time"

// Entry is one provisioning log entry: Graph's provisioningObjectSummary, with
// our job's name in jobId and a few fields of our own.
// https://learn.microsoft.com/graph/api/resources/provisioningobjectsummary
type Entry struct {
	// Seq is the place in the log, given by the store; not part of the record.
	Seq uint64 `json:"-"`

	ID               string     `json:"id"`
	ActivityDateTime time.Time  `json:"activityDateTime"`
	TenantID         string     `json:"tenantId"`
	JobID            string     `json:"jobId"`
	CycleID          string     `json:"cycleId"`
	ChangeID         string     `json:"changeId"`
	Action           string     `json:"provisioningAction"` // create, update, disable, delete, stagedDelete, other
	DurationMS       int        `json:"durationInMilliseconds"`
	InitiatedBy      Initiator  `json:"initiatedBy"`
	ServicePrincipal Named      `json:"servicePrincipal"`
	SourceSystem     System     `json:"sourceSystem"`
	TargetSystem     System     `json:"targetSystem"`
	SourceIdentity   Identity   `json:"sourceIdentity"`
	TargetIdentity   Identity   `json:"targetIdentity"`
	StatusInfo       StatusInfo `json:"provisioningStatusInfo"`
	Steps            []Step     `json:"provisioningSteps"`
	Modified         []Property `json:"modifiedProperties"`
}

// Amendment is what happened to the object of an entry later in the same cycle:
// the manager of a user that was created. ID is the entry's own, in full.
type Amendment struct {
	ID       string
	Steps    []Step
	Modified []Property
}

// Initiator is who started a cycle.
type Initiator struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Type        string `json:"initiatorType"` // user, application, system
}

// Named is an id with a name.
type Named struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

// System is the source or target directory.
type System struct {
	ID          string            `json:"id"`
	DisplayName string            `json:"displayName"`
	Details     map[string]string `json:"details"`
}

// Identity is the source or target user of an entry; ID is "" where there is none.
type Identity struct {
	ID          string            `json:"id"`
	DisplayName string            `json:"displayName"`
	Type        string            `json:"identityType"`
	Details     map[string]string `json:"details"`
}

// StatusInfo is the result of an entry.
type StatusInfo struct {
	Status string     `json:"status"` // success, failure, skipped, warning
	Error  *ErrorInfo `json:"errorInformation"`
}

// ErrorInfo says what is wrong and what to do.
type ErrorInfo struct {
	Code              string `json:"errorCode"`
	Reason            string `json:"reason"`
	AdditionalDetails string `json:"additionalDetails"`
	Category          string `json:"errorCategory"` // failure, nonServiceFailure, success
	RecommendedAction string `json:"recommendedAction"`
}

// Step is one provisioning step.
type Step struct {
	Name        string            `json:"name"`
	Type        string            `json:"provisioningStepType"` // import, scoping, matching, processing, referenceResolution, export
	Status      string            `json:"status"`
	Description string            `json:"description"`
	Details     map[string]string `json:"details"`
}

// Property is a modified property; nil means no value.
type Property struct {
	DisplayName string  `json:"displayName"`
	OldValue    *string `json:"oldValue"`
	NewValue    *string `json:"newValue"`
}

// LogQuery selects entries. Zero fields do not restrict. Entries come newest
// first, those before BeforeSeq when it is set, or oldest first from AfterSeq when
// Follow is set.
type LogQuery struct {
	ID           string // id or changeId, a unique prefix is enough; other fields are ignored
	Job          string
	Since, Until time.Time // from Since on, before Until
	User         string    // part of a source or target identity: id, name, or userPrincipalName or mail of its details, in any case
	Actions      []string  // any of
	Statuses     []string  // any of
	Code         string
	Cycle        string
	Change       string
	Limit        int
	Follow       bool
	AfterSeq     uint64 // with Follow
	BeforeSeq    uint64 // without Follow
}
