package entrasim_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tenantsync/entra/entrasim"
)

const (
	syncReaderApp = "dddddddd-0000-4000-8000-000000000001"
	syncWriterApp = "dddddddd-0000-4000-8000-000000000002"
	nobodyApp     = "dddddddd-0000-4000-8000-000000000003"

	// crossTenantTemplate is the gallery template of cross-tenant synchronization.
	crossTenantTemplate = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"

	synchronized = `{"applications": [
	 {"appId": "` + syncReaderApp + `", "secret": "s", "roles": ["Synchronization.Read.All", "Application.Read.All"]},
	 {"appId": "` + syncWriterApp + `", "secret": "s", "roles": ["Synchronization.ReadWrite.All"]},
	 {"appId": "` + nobodyApp + `", "secret": "s", "roles": ["Application.Read.All"]}],
	"servicePrincipals": [
	 {"id": "sp0", "displayName": "Payroll"},
	 {"id": "sp1", "displayName": "Fabrikam's", "appId": "app1", "applicationTemplateId": "` + crossTenantTemplate + `",
	  "synchronization": {
	   "jobs": [{"id": "Azure2Azure.x.y", "status": {"code": "Quarantine", "escrowsPruned": true}, "schema": {"id": "s1", "version": "v1.2", "synchronizationRules": []}},
	            {"id": "Azure2Azure.x.z", "templateId": "Other", "schedule": {"interval": "PT1H"}}],
	   "secrets": [{"key": "CompanyId", "value": "f1"}, {"key": "SyncAll", "value": "false"}, {"key": "Password", "value": "hidden"}]}}]}`
)

func TestSynchronizationJobs(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "contoso", synchronized)

	r := c.call(http.MethodGet, "/servicePrincipals/sp1/synchronization/jobs", nil).want(t, 200, "")
	jobs := r.value()
	if got := r.ids(); !slices.Equal(got, []string{"Azure2Azure.x.y", "Azure2Azure.x.z"}) || strings.Contains(string(r.raw), "synchronizationRules") {
		t.Fatalf("jobs: got %s, want two without their schemas", r.raw)
	}
	if got := compactJSON(t, jobs[0]["schedule"]); got != `{"expiration":null,"interval":"PT40M","state":"Active"}` || jobs[0]["templateId"] != "Azure2Azure" {
		t.Errorf("defaults of a job: got %s", r.raw)
	}
	if jobs[1]["templateId"] != "Other" || compactJSON(t, jobs[1]["schedule"]) != `{"interval":"PT1H"}` {
		t.Errorf("a job's own values: got %s", r.raw)
	}
	r = c.call(http.MethodGet, "/servicePrincipals/sp1/synchronization/jobs/Azure2Azure.x.y", nil).want(t, 200, "")
	if got := compactJSON(t, r.body["status"]); got != `{"code":"Quarantine","escrowsPruned":true}` {
		t.Errorf("status: got %s", got)
	}
	r = c.call(http.MethodGet, "/servicePrincipals/sp1/synchronization/jobs/Azure2Azure.x.y/schema", nil).want(t, 200, "")
	if r.str("version") != "v1.2" {
		t.Errorf("schema: got %s", r.raw)
	}
	r = c.call(http.MethodGet, "/servicePrincipals/sp1/synchronization/secrets", nil).want(t, 200, "")
	if got := compactJSON(t, r.body["value"]); got != `[{"key":"CompanyId","value":"f1"},{"key":"SyncAll","value":"false"},{"key":"Password","value":"*"}]` {
		t.Errorf("secrets: got %s, want the settings and no password", got)
	}
	if got := c.call(http.MethodGet, "/servicePrincipals/sp0/synchronization/jobs", nil).want(t, 200, "").value(); len(got) != 0 {
		t.Errorf("jobs of an application without synchronization: got %v", got)
	}
	c.call(http.MethodGet, "/servicePrincipals/sp9/synchronization/jobs", nil).want(t, 404, "Request_ResourceNotFound")
	c.call(http.MethodGet, "/servicePrincipals/sp1/synchronization/jobs/none", nil).want(t, 404, "Request_ResourceNotFound")
	c.call(http.MethodGet, "/servicePrincipals/sp1/synchronization/jobs/Azure2Azure.x.z/schema", nil).want(t, 404, "Request_ResourceNotFound")
	if r := c.call(http.MethodGet, "/servicePrincipals/sp1", nil).want(t, 200, ""); strings.Contains(string(r.raw), "CompanyId") {
		t.Errorf("service principal: got %s, want it without its jobs and secrets", r.raw)
	}

	other := c.as(nobodyApp, "s")
	for _, path := range []string{"jobs", "jobs/Azure2Azure.x.y", "jobs/Azure2Azure.x.y/schema", "secrets"} {
		other.call(http.MethodGet, "/servicePrincipals/sp1/synchronization/"+path, nil).want(t, 403, "Authorization_RequestDenied")
	}
}

func TestServicePrincipalFilters(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "contoso", synchronized)
	for _, tt := range []struct {
		filter string
		want   []string
	}{
		{"applicationTemplateId%20eq%20'" + crossTenantTemplate + "'", []string{"sp1"}},
		{"displayName%20eq%20'Fabrikam''s'", []string{"sp1"}},
		{"startswith(displayName,'pay')", []string{"sp0"}},
		{"startsWith(displayName,%20'x')", nil},
	} {
		if got := c.call(http.MethodGet, "/servicePrincipals?$filter="+tt.filter, nil).want(t, 200, "").ids(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.filter, got, tt.want)
		}
	}
	c.call(http.MethodGet, "/servicePrincipals?$filter=startswith(tags,'x')", nil).want(t, 400, "Request_UnsupportedQuery")
	c.call(http.MethodGet, "/servicePrincipals?$filter=tags%20eq%20'x'", nil).want(t, 400, "Request_UnsupportedQuery")
}

func TestPausedSynchronizationIsDumped(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "contoso", synchronized)
	const job = "/servicePrincipals/sp1/synchronization/jobs/Azure2Azure.x.y"
	c.call(http.MethodPost, job+"/pause", nil).want(t, 403, "Authorization_RequestDenied")
	writer := c.as(syncWriterApp, "s")
	writer.call(http.MethodPost, "/servicePrincipals/sp1/synchronization/jobs/none/pause", nil).want(t, 404, "Request_ResourceNotFound")
	writer.call(http.MethodPost, job+"/pause", nil).want(t, 204, "")
	r := writer.call(http.MethodGet, job, nil).want(t, 200, "")
	if got := compactJSON(t, r.body["status"]); got != `{"code":"Paused","escrowsPruned":true}` {
		t.Errorf("status of a paused job: got %s", got)
	}
	if got := compactJSON(t, r.body["schedule"]); got != `{"expiration":null,"interval":"PT40M","state":"Disabled"}` {
		t.Errorf("schedule of a paused job: got %s", got)
	}
	var dumped bytes.Buffer
	if err := c.tenant.Dump().Write(&dumped); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"code":"Paused"`, `"version":"v1.2"`, `{"key":"Password","value":"hidden"}`} {
		if !strings.Contains(dumped.String(), want) {
			t.Errorf("dump: lacks %s: %s", want, dumped.String())
		}
	}
	if changes, err := c.tenant.Load(parseFile(t, dumped.String())); err != nil || !changes.None() {
		t.Errorf("loading the dump: got %+v, %v, want no change", changes, err)
	}
	writer.call(http.MethodPost, job+"/start", nil).want(t, 204, "")
	if r := writer.call(http.MethodGet, job, nil); !strings.Contains(string(r.raw), `"code":"Active"`) {
		t.Errorf("started again: got %s", r.raw)
	}
}

func TestSynchronizationOfAFileIsChecked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, want string }{
		{"no object", `[]`, "servicePrincipals[0].synchronization: an object is expected"},
		{"unknown property", `{"job": []}`, "synchronization.job: there is no such property"},
		{"jobs no list", `{"jobs": {}}`, "synchronization.jobs: a list is expected"},
		{"job no object", `{"jobs": ["a"]}`, "synchronization.jobs[0]: an object is expected"},
		{"job without id", `{"jobs": [{"id": "a"}, {}]}`, "synchronization.jobs[1].id: is missing or no id"},
		{"job twice", `{"jobs": [{"id": "a"}, {"id": "a"}]}`, `synchronization.jobs[1].id: "a" occurs twice`},
		{"schema no object", `{"jobs": [{"id": "a", "schema": 1}]}`, "synchronization.jobs[0].schema: an object is expected"},
		{"secret without key", `{"secrets": [{"value": "a"}]}`, "synchronization.secrets[0].key: is missing"},
		{"secret no text", `{"secrets": [{"key": "a", "value": 1}]}`, "synchronization.secrets[0].value: a text is expected"},
	} {
		_, err := entrasim.ParseFile(strings.NewReader(`{"servicePrincipals": [{"id": "sp1", "synchronization": ` + tt.value + `}]}`))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}
