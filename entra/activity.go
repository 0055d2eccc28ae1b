package entra

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

var callProvisioning = call{"read provisioning logs", "AuditLog.Read.All"}

// crossTenantJob begins the ids of Microsoft's own synchronization jobs between
// tenants, in the provisioning log of their source.
const crossTenantJob = "Azure2Azure."

// LastProvisioned returns when Microsoft's own cross-tenant synchronization last
// provisioned a user out of this tenant since the given moment, and by which
// job; the zero time when it did not. It is for preflight checks: cycles never
// call it, and it needs AuditLog.Read.All besides.
// https://learn.microsoft.com/graph/api/provisioningobjectsummary-list
func (s *Source) LastProvisioned(ctx context.Context, since time.Time) (last time.Time, job string, err error) {
	filter := "activityDateTime gt " + since.UTC().Format(time.RFC3339) + " and contains(jobId, " + literal(crossTenantJob) + ")"
	ans, err := s.c.get(ctx, s.m, callProvisioning, s.c.graph+"/auditLogs/provisioning?$filter="+query(filter)+"&$top=1")
	if err != nil {
		return last, "", err
	}
	var doc struct {
		Value *[]struct {
			JobID string    `json:"jobId"`
			At    time.Time `json:"activityDateTime"`
		} `json:"value"`
	}
	if err := json.Unmarshal(ans.body, &doc); err != nil {
		return last, "", s.c.malformed(callProvisioning, ans, err)
	}
	if doc.Value == nil {
		return last, "", s.c.malformed(callProvisioning, ans, errors.New("page without value"))
	}
	for _, v := range *doc.Value {
		if strings.HasPrefix(v.JobID, crossTenantJob) && v.At.After(last) {
			last, job = v.At, v.JobID
		}
	}
	return last, job, nil
}
