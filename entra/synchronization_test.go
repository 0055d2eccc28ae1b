package entra_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/entra"
	"tenantsync/entra/entrasim"
)

const (
	syncTenant    = "11111111-0000-4000-8000-000000000001"
	fabrikamSync  = "11111111-0000-4000-8000-0000000000e1"
	syncTarget    = "33333333-0000-4000-8000-000000000001"
	otherTarget   = "44444444-0000-4000-8000-000000000001"
	syncTemplate  = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
	ownSyncTenant = "Azure2Azure.11111111000040008000000000000001.a"

	synchronizedTenant = `{
"organization": {"id": "` + syncTenant + `", "displayName": "Contoso", "verifiedDomains": [{"name": "contoso.onmicrosoft.example", "isInitial": true, "isDefault": true}]},
"applications": [{"appId": "22222222-0000-4000-8000-000000000001", "secret": "s3cret", "roles": ROLES}],
"servicePrincipals": [
 {"id": "11111111-0000-4000-8000-0000000000e0", "displayName": "Payroll", "synchronization": {"jobs": [{"id": "scim.1", "templateId": "scim"}]}},
 {"id": "` + fabrikamSync + `", "displayName": "Fabrikam", "applicationTemplateId": "` + syncTemplate + `", "synchronization": {
   "jobs": [{"id": "` + ownSyncTenant + `", "schedule": {"interval": "PT40M", "state": "Active"}, "status": {"code": "Quarantine"},
             "schema": {"id": "s", "version": "v1.2", "synchronizationRules": []}}],
   "secrets": [{"key": "AuthenticationType", "value": "SyncPolicy"}, {"key": "CompanyId", "value": "33333333-0000-4000-8000-000000000001"},
     {"key": "SyncAll", "value": "False"}, {"key": "SyncNotificationSettings", "value": "{\"Enabled\":true,\"DeleteThresholdEnabled\":true,\"DeleteThresholdValue\":20}"},
     {"key": "Password", "value": "x"}]}},
 {"id": "11111111-0000-4000-8000-0000000000e2", "displayName": "Empty", "applicationTemplateId": "` + syncTemplate + `"},
 {"id": "11111111-0000-4000-8000-0000000000e3", "displayName": "Adatum", "applicationTemplateId": "` + syncTemplate + `", "synchronization": {
   "jobs": [{"id": "Azure2Azure.44444444000040008000000000000001.b", "schedule": {"interval": "P10675199DT2H48M5.4775807S", "state": "Disabled"}, "status": {"code": "Paused"}}]}}]}`
)

// synchronizedSource serves the tenant to an app with these permissions.
func synchronizedSource(t *testing.T, roles ...string) *entra.Source {
	t.Helper()
	return faultySource(t, nil, roles...)
}

// faultySource is synchronizedSource with faults.
func faultySource(t *testing.T, faults []entrasim.Fault, roles ...string) *entra.Source {
	t.Helper()
	return sourceOf(t, synchronizedTenant, entrasim.Options{Seed: 1, Faults: faults}, roles...)
}

func TestSynchronizationJobsOfATenant(t *testing.T) {
	s := synchronizedSource(t, "Synchronization.Read.All", "Application.Read.All")
	jobs, err := s.SynchronizationJobs(t.Context(), "")
	if err != nil || len(jobs) != 2 {
		t.Fatalf("got %+v, %v; want the jobs of Fabrikam and Adatum", jobs, err)
	}
	j := jobs[0]
	if j.ID != ownSyncTenant || j.ServicePrincipalID != fabrikamSync || j.ServicePrincipal != "Fabrikam" || j.Template != "Azure2Azure" ||
		j.State != "Quarantine" || j.Interval != 40*time.Minute || j.TargetTenantID != syncTarget || j.SettingsHidden ||
		j.SyncAll == nil || *j.SyncAll || j.PreventDeletions == nil || !*j.PreventDeletions || j.DeletionThreshold == nil || *j.DeletionThreshold != 20 ||
		!j.Notifies {
		t.Errorf("job of Fabrikam: got %+v", j)
	}
	if !j.Runs() {
		t.Error("a job in quarantine: got one that does not run")
	}
	j = jobs[1]
	if j.TargetTenantID != otherTarget || j.Interval != 0 || j.Runs() || j.SyncAll != nil || j.PreventDeletions != nil || j.DeletionThreshold != nil || j.Notifies {
		t.Errorf("job without secrets: got %+v, want its target from its id, no interval and no settings", j)
	}
	schema, err := s.SynchronizationSchema(t.Context(), jobs[0])
	if err != nil || !strings.Contains(string(schema), `"version":"v1.2"`) {
		t.Errorf("schema: got %s, %v", schema, err)
	}
	if _, err := s.SynchronizationSchema(t.Context(), jobs[1]); directory.KindOf(err) != directory.NotFound {
		t.Errorf("schema that is not there: got %v, want not found", err)
	}
}

func TestSynchronizationJobsOfOneServicePrincipal(t *testing.T) {
	s := synchronizedSource(t, "Synchronization.Read.All", "Application.Read.All")
	for _, tt := range []struct {
		principal string
		want      []string
		kind      directory.ErrorKind
	}{
		{fabrikamSync, []string{ownSyncTenant}, 0},
		{"fabrikam", []string{ownSyncTenant}, 0},
		{"Payroll", nil, 0},
		{"Nobody", nil, directory.NotFound},
		{"11111111-0000-4000-8000-0000000000e9", nil, directory.NotFound},
	} {
		jobs, err := s.SynchronizationJobs(t.Context(), tt.principal)
		var ids []string
		for _, j := range jobs {
			ids = append(ids, j.ID)
		}
		if !slices.Equal(ids, tt.want) || directory.KindOf(err) != tt.kind {
			t.Errorf("%s: got %v, %v; want %v, %v", tt.principal, ids, err, tt.want, tt.kind)
		}
	}
}

func TestSynchronizationJobsNeedTheirPermissions(t *testing.T) {
	for _, tt := range []struct{ granted, missing string }{
		{"Application.Read.All", "Synchronization.Read.All"},
		{"Synchronization.Read.All", "Application.Read.All"},
	} {
		_, err := synchronizedSource(t, tt.granted).SynchronizationJobs(t.Context(), "")
		e, ok := err.(*directory.Error)
		if !ok || e.Kind != directory.Denied || e.Permission != tt.missing {
			t.Errorf("with %s alone: got %v, want denied for lack of %s", tt.granted, err, tt.missing)
		}
	}
}

// What is refused besides the jobs leaves gaps, and is no error.
func TestSynchronizationJobsWithoutTheirSettings(t *testing.T) {
	s := faultySource(t, []entrasim.Fault{
		{Name: "secrets", Path: "/servicePrincipals/*/synchronization/secrets", Status: 403, Code: "Authorization_RequestDenied"},
		{Name: "never set up", Path: "/servicePrincipals/11111111-0000-4000-8000-0000000000e2/synchronization/jobs", Status: 404, Code: "ResourceNotFound"},
	}, "Synchronization.Read.All", "Application.Read.All")
	jobs, err := s.SynchronizationJobs(t.Context(), "")
	if err != nil || len(jobs) != 2 {
		t.Fatalf("got %+v, %v; want both jobs", jobs, err)
	}
	if j := jobs[0]; !j.SettingsHidden || j.TargetTenantID != "" || j.SyncAll != nil || j.DeletionThreshold != nil {
		t.Errorf("job of Fabrikam: got %+v, want hidden settings, and no target: its id names its own tenant", j)
	}
	if j := jobs[1]; !j.SettingsHidden || j.TargetTenantID != otherTarget {
		t.Errorf("job of Adatum: got %+v, want hidden settings and the target from its id", j)
	}
}
