package control

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"tenantsync/engine"
	"tenantsync/store"
)

// For returns the service as one caller uses it: what he asks for is answered by s,
// and what he does is recorded.
//
// The type names every method of Service instead of embedding it, so that a new one
// does not compile until somebody has decided whether it is an act.
func (a *Auditor) For(c Caller, s Service) Service { return &audited{a: a, c: c, s: s} }

type audited struct {
	a *Auditor
	c Caller
	s Service
}

var _ Service = (*audited)(nil)

// Sync implements Service.
func (x *audited) Sync(ctx context.Context, r engine.SyncRequest, report func(engine.Progress)) (engine.SyncResult, error) {
	details := map[string]string{}
	if r.Initial {
		details["initial"] = "true"
	}
	if r.Accept {
		details["accept"] = "true"
	}
	if r.Plan != nil {
		details["plan"] = r.Plan.Digest
	}
	act, err := x.a.begin(ctx, x.c, "sync", needs("sync", whenSync(r)), r.Job, details)
	if err != nil {
		return engine.SyncResult{}, err
	}
	result, err := x.s.Sync(ctx, r, report)
	if err != nil {
		return result, act.end(ctx, nil, err)
	}
	details = map[string]string{"cycleId": result.CycleID, "outcome": string(result.Outcome), "summary": summaryText(result.Summary)}
	// The cycle has run, so its result is the answer; that its end is not recorded
	// stands in it.
	if err := act.finish(ctx, cycleOutcome(result, details), details); err != nil && result.Error == nil {
		result.Error, result.Outcome = engine.AsError(err), store.OutcomeFailed
	}
	return result, nil
}

// cycleOutcome is what came of the act that a cycle was, and adds the code of its
// error to the details. Objects that failed, or are held, leave the act done.
func cycleOutcome(r engine.SyncResult, details map[string]string) string {
	if r.Error != nil {
		details["error"] = r.Error.Code
	}
	switch r.Outcome {
	case store.OutcomeFailed:
		return outcomeFailed
	case store.OutcomeInterrupted:
		return outcomeInterrupted
	}
	return outcomeDone
}

func summaryText(s store.Summary) string {
	return fmt.Sprintf("create %d, update %d, disable %d, delete %d, restore %d, failed %d, held %d",
		s.Create, s.Update, s.Disable, s.Delete, s.Restore, s.Failed, s.Held)
}

// Provision implements Service.
func (x *audited) Provision(ctx context.Context, r engine.ProvisionRequest) (*engine.ProvisionResult, error) {
	if r.DryRun {
		return x.s.Provision(ctx, r)
	}
	details := map[string]string{"user": r.User}
	if r.Restore {
		details["restore"] = "true"
	}
	act, err := x.a.begin(ctx, x.c, "provision", needs("provision", whenProvision(r)), r.Job, details)
	if err != nil {
		return nil, err
	}
	result, err := x.s.Provision(ctx, r)
	details = nil
	if err == nil {
		details = map[string]string{"sourceId": result.Source.ID, "targetId": result.Target.ID, "changeId": result.ChangeID,
			"action": result.Action, "status": result.Status}
	}
	return result, act.end(ctx, details, err)
}

// Start implements Service.
func (x *audited) Start(ctx context.Context, job string) error {
	return x.one(ctx, "start", job, x.s.Start)
}

// Pause implements Service.
func (x *audited) Pause(ctx context.Context, job string) error {
	return x.one(ctx, "pause", job, x.s.Pause)
}

// Restart implements Service.
func (x *audited) Restart(ctx context.Context, job string) error {
	return x.one(ctx, "restart", job, x.s.Restart)
}

// one is an act on a job that says no more than that it is done.
func (x *audited) one(ctx context.Context, name, job string, do func(context.Context, string) error) error {
	act, err := x.a.begin(ctx, x.c, name, needs(name, ""), job, nil)
	if err != nil {
		return err
	}
	return act.end(ctx, nil, do(ctx, job))
}

// Allow implements Service.
func (x *audited) Allow(ctx context.Context, job string, users []string, all bool) (*engine.Deletions, error) {
	return x.decide(ctx, "allow", job, users, all, x.s.Allow)
}

// Reject implements Service.
func (x *audited) Reject(ctx context.Context, job string, users []string, all bool) (*engine.Deletions, error) {
	return x.decide(ctx, "reject", job, users, all, x.s.Reject)
}

func (x *audited) decide(ctx context.Context, name, job string, users []string, all bool,
	do func(context.Context, string, []string, bool) (*engine.Deletions, error)) (*engine.Deletions, error) {
	act, err := x.a.begin(ctx, x.c, "deletions "+name, needs(name, ""), job, map[string]string{"users": usersText(users, all)})
	if err != nil {
		return nil, err
	}
	d, err := do(ctx, job, users, all)
	details := map[string]string{}
	if err == nil {
		for key, list := range map[string][]engine.HeldDeletion{"deleted": d.Deleted, "dropped": d.Dropped, "failed": d.Failed, "retained": d.Retained} {
			if len(list) > 0 {
				details[key] = idsText(list)
			}
		}
		details["stillHeld"] = strconv.Itoa(len(d.Held))
	}
	return d, act.end(ctx, details, err)
}

func usersText(users []string, all bool) string {
	if all {
		return "all"
	}
	return strings.Join(users, ", ")
}

// idsText names users by their source ids: an id stays what it is when a name is
// given to somebody else.
func idsText(list []engine.HeldDeletion) string {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].SourceID
	}
	return strings.Join(ids, ", ")
}

// RetryNow implements Service.
func (x *audited) RetryNow(ctx context.Context, job string, users []string) (*engine.Retries, error) {
	act, err := x.a.begin(ctx, x.c, "retries now", needs("retrynow", ""), job, map[string]string{"users": usersText(users, len(users) == 0)})
	if err != nil {
		return nil, err
	}
	r, err := x.s.RetryNow(ctx, job, users)
	return r, act.end(ctx, nil, err)
}

// BackUp implements Service. A backup holds all that the state holds, so that it was
// taken is recorded; it changes nothing, so nobody is asked why.
func (x *audited) BackUp(ctx context.Context, w io.Writer) (*store.Facts, error) {
	act, err := x.a.begin(ctx, x.c, "state backup", Operator, "", nil)
	if err != nil {
		return nil, err
	}
	facts, err := x.s.BackUp(ctx, w)
	return facts, act.end(ctx, nil, err)
}

// What follows only looks.

// CheckState implements Service.
func (x *audited) CheckState(ctx context.Context) (*store.Facts, error) { return x.s.CheckState(ctx) }

// Plan implements Service.
func (x *audited) Plan(ctx context.Context, r engine.PlanRequest, report func(engine.Progress)) (*engine.PlanResult, error) {
	return x.s.Plan(ctx, r, report)
}

// Status implements Service.
func (x *audited) Status(ctx context.Context, job string) ([]engine.JobStatus, error) {
	return x.s.Status(ctx, job)
}

// Explain implements Service.
func (x *audited) Explain(ctx context.Context, user, job string) (*engine.Explanation, error) {
	return x.s.Explain(ctx, user, job)
}

// ScopeTest implements Service.
func (x *audited) ScopeTest(ctx context.Context, user, job string) (*engine.ScopeTest, error) {
	return x.s.ScopeTest(ctx, user, job)
}

// AppRoles implements Service.
func (x *audited) AppRoles(ctx context.Context, user, job string) ([]string, error) {
	return x.s.AppRoles(ctx, user, job)
}

// Held implements Service.
func (x *audited) Held(ctx context.Context, job string, retained bool) (*engine.Deletions, error) {
	return x.s.Held(ctx, job, retained)
}

// Retries implements Service.
func (x *audited) Retries(ctx context.Context, job string) (*engine.Retries, error) {
	return x.s.Retries(ctx, job)
}

// Logs implements Service.
func (x *audited) Logs(ctx context.Context, q store.LogQuery) ([]store.Entry, error) {
	return x.s.Logs(ctx, q)
}

// Audit implements Service.
func (x *audited) Audit(ctx context.Context, q store.AuditQuery) ([]store.Audit, error) {
	return x.s.Audit(ctx, q)
}
