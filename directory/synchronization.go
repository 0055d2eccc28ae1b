package directory

import "time"

// SynchronizationJob is one job of Microsoft's own cross-tenant synchronization,
// as its source tenant tells of it. What the tenant leaves out or hides is the
// zero value.
// https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationjob
type SynchronizationJob struct {
	ID       string
	Template string // Azure2Azure between tenants
	// ServicePrincipalID and ServicePrincipal are object id and display name of
	// the configuration: the service principal that users are assigned to.
	ServicePrincipalID, ServicePrincipal string
	// State is the job's code (NotConfigured, NotRun, Active, Paused, Quarantine),
	// Schedule the state of its schedule (Active, Disabled, Paused).
	State, Schedule string
	// Interval lies between two starts; 0 when the job does not say or never starts
	// by itself.
	Interval time.Duration
	// TargetTenantID is the tenant it writes to, in lower case; "" when it could
	// not be told.
	TargetTenantID string
	// SyncAll says that everybody is synchronized rather than those assigned.
	SyncAll *bool
	// PreventDeletions and DeletionThreshold are its accidental-deletion
	// prevention.
	PreventDeletions  *bool
	DeletionThreshold *int
	// Notifies says that the service writes a mail to somebody when the job goes into
	// quarantine.
	Notifies bool
	// SettingsHidden says that the app may not read the settings above.
	SettingsHidden bool
}

// Runs reports whether the job writes to its target by itself: one in quarantine
// does so too, only less often.
func (j *SynchronizationJob) Runs() bool {
	switch j.State {
	case "Paused", "NotConfigured":
		return false
	}
	return j.Schedule != "Disabled" && j.Schedule != "Paused"
}
