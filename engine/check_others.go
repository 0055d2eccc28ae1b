package engine

import (
	"context"
	"strings"
	"time"

	"tenantsync/directory"
)

// OtherSync tells about synchronization by Microsoft's own service. A [Source]
// may have it; without it the check is skipped.
type OtherSync interface {
	// SynchronizationJobs returns the jobs of Microsoft's own cross-tenant
	// synchronization out of this tenant: of every configuration when
	// servicePrincipal is empty, else of that one.
	SynchronizationJobs(ctx context.Context, servicePrincipal string) ([]directory.SynchronizationJob, error)
	// LastProvisioned returns when Microsoft's own service last provisioned users
	// of this tenant into other tenants, and by which job; the zero time when it
	// has not since the given moment.
	LastProvisioned(ctx context.Context, since time.Time) (last time.Time, job string, err error)
}

// otherFacts is what the source said of Microsoft's own service. The jobs
// themselves tell most; where they may not be read, its provisioning log tells
// whether it did anything.
type otherFacts struct {
	jobs    []directory.SynchronizationJob // those that lead to the target, or may
	jobsErr error
	asked   bool // the provisioning log was asked
	last    time.Time
	lastJob string
	lastErr error
}

// otherSyncWindow is how far back another synchronization is looked for: its
// cycles are at most 40 minutes apart, but only changes leave a trace.
const otherSyncWindow = 24 * time.Hour

// errNoOtherSync stands for a source that cannot be asked.
var errNoOtherSync = &directory.Error{Op: "read synchronization jobs", Kind: directory.NotFound, Message: "the source does not tell"}

// gatherOther asks for the jobs and, where these are refused and the target lets
// Microsoft's own service in, for its log.
func gatherOther(ctx context.Context, job *Job, letsIn bool) otherFacts {
	other, ok := job.Source.(OtherSync)
	if !ok {
		return otherFacts{jobsErr: errNoOtherSync, lastErr: errNoOtherSync}
	}
	var f otherFacts
	var all []directory.SynchronizationJob
	if all, f.jobsErr = other.SynchronizationJobs(ctx, ""); f.jobsErr == nil {
		for _, j := range all {
			if j.TargetTenantID == "" || strings.EqualFold(j.TargetTenantID, job.Pair.Target) {
				f.jobs = append(f.jobs, j)
			}
		}
		return f
	}
	if letsIn {
		f.asked = true
		f.last, f.lastJob, f.lastErr = other.LastProvisioned(ctx, time.Now().Add(-otherSyncWindow))
	}
	return f
}

const otherSynchronization = "other synchronization"

// others judges whether somebody else synchronizes the same pair.
func (j *judgement) others(bothUp bool) {
	source, target := j.s.Job.SourceName, j.s.Job.TargetName
	for _, other := range j.s.Others {
		j.addJob(target, otherSynchronization, CheckWarning, `job "`+other+`" of this configuration works on the same pair of tenants`,
			"let the scopes differ: a user in both belongs to the job that stands first in the file")
	}
	switch f := &j.f.other; {
	case !bothUp:
	case f.jobsErr == nil:
		j.otherJobs(f.jobs)
	case !j.f.target.policy.UserSyncInbound:
		if len(j.s.Others) == 0 && j.f.target.policyErr == nil {
			j.add(target, otherSynchronization, CheckSuccess, "Microsoft's own service may not synchronize users from "+source, "")
		}
	case !f.asked, f.lastErr != nil:
		why := ": " + f.jobsErr.Error()
		if f.lastErr != nil {
			why += "; " + f.lastErr.Error()
		}
		j.add(source, otherSynchronization, CheckSkipped, target+" lets Microsoft's own service synchronize users from "+source+"; whether a job runs could not be told"+why,
			"in "+source+": Cross-tenant synchronization, Configurations: "+stopProvisioning("a configuration with "+target+" as its target", target)+
				". To let check look, grant Synchronization.Read.All and Application.Read.All in "+source+", or AuditLog.Read.All and Directory.Read.All, for the time of the check")
	case f.last.IsZero():
		j.add(source, otherSynchronization, CheckSuccess, "Microsoft's own service provisioned nobody from "+source+" in the last 24 hours", "")
	default:
		j.add(source, otherSynchronization, CheckWarning, "Microsoft's own service provisions users from "+source+" (job "+f.lastJob+", last at "+
			f.last.UTC().Format(time.RFC3339)+"), and "+target+" lets it: two writers fight over the same users",
			"in "+source+": Cross-tenant synchronization, Configurations: "+stopProvisioning("a configuration with "+target+" as its target", target))
	}
}

// otherJobs judges the jobs of Microsoft's own service that lead to the target:
// each that runs is a second writer.
func (j *judgement) otherJobs(jobs []directory.SynchronizationJob) {
	source, target := j.s.Job.SourceName, j.s.Job.TargetName
	running := false
	for _, other := range jobs {
		if !other.Runs() {
			continue
		}
		running = true
		detail := "Microsoft's own synchronization job " + other.ID + " of " + configurationName(other) + " is active"
		if other.State != "" && other.State != "Active" {
			detail += " (" + other.State + ")"
		}
		if other.TargetTenantID == "" {
			detail += " in " + source + "; its target could not be read. If that is " + target + ", two writers fight over the same users"
		} else {
			detail += " from " + source + " to " + target + ": two writers fight over the same users"
		}
		if !j.f.target.policy.UserSyncInbound && j.f.target.policyErr == nil {
			detail += ", as soon as " + target + " lets it in (userSyncInbound)"
		}
		j.add(source, otherSynchronization, CheckWarning, detail,
			"in "+source+": Cross-tenant synchronization, Configurations: "+stopProvisioning(configurationName(other), target))
	}
	if running {
		return
	}
	detail := "no synchronization job of Microsoft's own service leads from " + source + " to " + target
	if len(jobs) > 0 {
		detail = "Microsoft's own synchronization job " + jobs[0].ID + " of " + configurationName(jobs[0]) + " is stopped"
	}
	j.add(source, otherSynchronization, CheckSuccess, detail, "")
}

// configurationName names the configuration a job belongs to.
func configurationName(j directory.SynchronizationJob) string {
	if j.ServicePrincipal == "" {
		return "service principal " + j.ServicePrincipalID
	}
	return `"` + j.ServicePrincipal + `" (service principal ` + j.ServicePrincipalID + ")"
}

// stopProvisioning says how to end the other writer without losing anybody.
func stopProvisioning(where, target string) string {
	return "stop provisioning in " + where + " (Stop, not unassign: unassigning deletes the users in " + target + ")"
}
