package control

import (
	"context"
	"io"

	"tenantsync/engine"
	"tenantsync/store"
)

// Service is what commands ask of an engine, be it one in this process or the
// one of a running daemon. It is safe for concurrent use.
//
// Errors are *[engine.Error] where the engine knows a cause and advice. A
// cancelled ctx ends Sync and Plan in an orderly way: writes under way are
// finished and saved, and Sync returns what was done with the outcome
// interrupted.
type Service interface {
	// Sync runs one cycle of a job now. The error is set only when no cycle began.
	Sync(ctx context.Context, r engine.SyncRequest, report func(engine.Progress)) (engine.SyncResult, error)
	// Plan tells what a cycle would do now, and writes nothing.
	Plan(ctx context.Context, r engine.PlanRequest, report func(engine.Progress)) (*engine.PlanResult, error)
	// Provision provisions one user now.
	Provision(ctx context.Context, r engine.ProvisionRequest) (*engine.ProvisionResult, error)
	// Status tells the state of one job, or of all for "".
	Status(ctx context.Context, job string) ([]engine.JobStatus, error)
	// Explain tells why a user is, or is not, in the target.
	Explain(ctx context.Context, user, job string) (*engine.Explanation, error)
	// ScopeTest tells each part of the scoping verdict of a user.
	ScopeTest(ctx context.Context, user, job string) (*engine.ScopeTest, error)
	// AppRoles returns the app roles of a user as expressions of the job read them.
	AppRoles(ctx context.Context, user, job string) ([]string, error)
	// Start lets the schedule run the job again.
	Start(ctx context.Context, job string) error
	// Pause keeps the schedule from running the job.
	Pause(ctx context.Context, job string) error
	// Restart forgets watermarks, retries and quarantine of the job.
	Restart(ctx context.Context, job string) error
	// Held lists deletions that wait for approval, or the retained ones.
	Held(ctx context.Context, job string, retained bool) (*engine.Deletions, error)
	// Allow carries out held deletions: of these users, or all.
	Allow(ctx context.Context, job string, users []string, all bool) (*engine.Deletions, error)
	// Reject ends the hold of these users, or all, without deleting.
	Reject(ctx context.Context, job string, users []string, all bool) (*engine.Deletions, error)
	// Retries lists objects that wait after a failure.
	Retries(ctx context.Context, job string) (*engine.Retries, error)
	// RetryNow makes waiting objects due at once: these users, or all when none is named.
	RetryNow(ctx context.Context, job string, users []string) (*engine.Retries, error)
	// CheckState verifies the state file and says what is inside.
	CheckState(ctx context.Context) (*store.Facts, error)
	// BackUp writes a verified backup of the state to w. What arrived is whole only
	// when no error is returned.
	BackUp(ctx context.Context, w io.Writer) (*store.Facts, error)
	// Logs returns provisioning log entries.
	Logs(ctx context.Context, q store.LogQuery) ([]store.Entry, error)
	// Audit returns records of administrative acts.
	Audit(ctx context.Context, q store.AuditQuery) ([]store.Audit, error)
}
