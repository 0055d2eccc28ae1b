package entrasim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Microsoft's own provisioning keeps its jobs under the service principal that
// its users are assigned to. In a tenant file they are the service principal's
// property synchronization: {"jobs": [{id, templateId, schedule, status,
// synchronizationJobSettings, schema}], "secrets": [{key, value}]}. The jobs are
// there to be read, paused and started; none ever provisions anybody.
// https://learn.microsoft.com/graph/api/resources/synchronization-overview

// checkSynchronization validates the property in a tenant file.
func checkSynchronization(raw string) error {
	if raw[0] != '{' {
		return fmt.Errorf("synchronization: an object is expected")
	}
	return eachMember(raw, func(key, raw string) error {
		switch key {
		case "jobs":
			seen := map[string]bool{}
			return within("synchronization.jobs", raw, func(e string) error {
				id := memberString(e, "id")
				if id == "" || strings.ContainsAny(id, "/?# ") {
					return fmt.Errorf("id: is missing or no id")
				}
				if seen[id] {
					return fmt.Errorf("id: %q occurs twice", id)
				}
				seen[id] = true
				if schema := member(e, "schema"); !isNull(schema) && schema[0] != '{' {
					return fmt.Errorf("schema: an object is expected")
				}
				return nil
			})
		case "secrets":
			return within("synchronization.secrets", raw, func(e string) error {
				if memberString(e, "key") == "" {
					return fmt.Errorf("key: is missing")
				}
				if v := member(e, "value"); !isNull(v) && v[0] != '"' {
					return fmt.Errorf("value: a text is expected")
				}
				return nil
			})
		}
		return fmt.Errorf("synchronization.%s: there is no such property", key)
	})
}

// within checks the objects of a list and puts the place before an error.
func within(place, raw string, check func(element string) error) error {
	if raw[0] != '[' {
		return fmt.Errorf("%s: a list is expected", place)
	}
	return eachElement(raw, func(i int, e string) error {
		if e[0] != '{' {
			return fmt.Errorf("%s[%d]: an object is expected", place, i)
		}
		if err := check(e); err != nil {
			return fmt.Errorf("%s[%d].%w", place, i, err)
		}
		return nil
	})
}

// synchronization returns the jobs or secrets of the call's service principal,
// in their order.
func (x *call) synchronization(list string) (elements []string, found bool) {
	sp, found := x.findPrincipal()
	if !found {
		return nil, false
	}
	if all := member(orNull(sp.Raw("synchronization")), list); all != "" {
		_ = eachElement(all, func(_ int, e string) error { // checked on load
			elements = append(elements, e)
			return nil
		})
	}
	return elements, true
}

// synchronizationJob returns the job that the call's second key names.
func (x *call) synchronizationJob() (Object, bool) {
	jobs, _ := x.synchronization("jobs")
	for _, raw := range jobs {
		if job, err := parseObject(raw); err == nil && strings.EqualFold(job.String("id"), x.ids[1]) {
			return job, true
		}
	}
	return Object{}, false
}

// shownJob is a job as Graph lists it: its schema is a document of its own.
func shownJob(job Object) Object {
	job = Object{slices.DeleteFunc(slices.Clone(job.fields), func(f Field) bool { return f.Name == "schema" })}
	for _, def := range []Field{
		{"templateId", `"Azure2Azure"`},
		{"schedule", `{"expiration":null,"interval":"PT40M","state":"Active"}`},
		{"status", `{"countSuccessiveCompleteFailures":0,"escrowsPruned":false,"code":"Active","lastExecution":null,"lastSuccessfulExecution":null,"lastSuccessfulExecutionWithExports":null,"quarantine":null,"progress":[],"synchronizedEntryCountByType":[]}`},
		{"synchronizationJobSettings", `[]`},
	} {
		if job.Raw(def.Name) == "" {
			job = job.with(def.Name, def.Raw)
		}
	}
	return job
}

// listSyncJobs answers GET /servicePrincipals/{id}/synchronization/jobs.
func (x *call) listSyncJobs() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	jobs, found := x.synchronization("jobs")
	if !found {
		return x.notFound(x.ids[0])
	}
	var items [][]byte
	for _, raw := range jobs {
		job, _ := parseObject(raw) // checked on load
		items = append(items, []byte(shownJob(job).text()))
	}
	return x.writeItems("servicePrincipals('"+x.ids[0]+"')/synchronization/jobs", items, "")
}

// getSyncJob answers GET …/synchronization/jobs/{id}.
func (x *call) getSyncJob() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	job, found := x.synchronizationJob()
	if !found {
		return x.notFound(x.ids[1])
	}
	return ok(x.entityOf("servicePrincipals('"+x.ids[0]+"')/synchronization/jobs/$entity", shownJob(job)))
}

// getSyncSchema answers GET …/synchronization/jobs/{id}/schema.
func (x *call) getSyncSchema() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	job, found := x.synchronizationJob()
	schema, err := parseObject(orNull(job.Raw("schema")))
	if !found || err != nil {
		return x.notFound(x.ids[1])
	}
	return ok(x.entityOf("servicePrincipals('"+x.ids[0]+"')/synchronization/jobs('"+x.ids[1]+"')/schema/$entity", schema))
}

// readableSecrets are the settings among the secrets; of the others Graph shows
// no more than that there is a value.
var readableSecrets = map[string]bool{
	"AuthenticationType": true, "BaseAddress": true, "CompanyId": true, "Domain": true, "SyncAll": true, "SyncNotificationSettings": true, "UserName": true,
}

// listSyncSecrets answers GET …/synchronization/secrets.
func (x *call) listSyncSecrets() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	secrets, found := x.synchronization("secrets")
	if !found {
		return x.notFound(x.ids[0])
	}
	var items [][]byte
	for _, raw := range secrets {
		secret, _ := parseObject(raw) // checked on load
		if !readableSecrets[secret.String("key")] {
			secret = secret.with("value", `"*"`)
		}
		items = append(items, []byte(secret.text()))
	}
	return x.writeItems("Collection(microsoft.graph.synchronizationSecretKeyStringValuePair)", items, "")
}

func (x *call) pauseSyncJob() answer { return x.turnSyncJob("Paused", "Disabled") }

func (x *call) startSyncJob() answer { return x.turnSyncJob("Active", "Active") }

// turnSyncJob answers POST …/synchronization/jobs/{id}/pause and …/start.
func (x *call) turnSyncJob(code, state string) answer {
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, found := x.synchronizationJob(); !found {
		return x.notFound(x.ids[1])
	}
	jobs, _ := x.synchronization("jobs")
	list := make([]Object, 0, len(jobs))
	for _, raw := range jobs {
		job, _ := parseObject(raw) // checked on load
		if strings.EqualFold(job.String("id"), x.ids[1]) {
			shown := shownJob(job)
			job = job.with("status", mergeObjects(shown.Raw("status"), `{"code":`+quote(code)+`}`)).
				with("schedule", mergeObjects(shown.Raw("schedule"), `{"state":`+quote(state)+`}`))
		}
		list = append(list, job)
	}
	raw, err := rawOf(list)
	if err != nil {
		return x.fail(http.StatusInternalServerError, "InternalServerError", err.Error())
	}
	principals := slices.Clone(t.principals)
	for i, sp := range principals {
		if strings.EqualFold(sp.ID(), x.ids[0]) {
			principals[i] = sp.with("synchronization", mergeObjects(sp.Raw("synchronization"), `{"jobs":`+raw+`}`))
		}
	}
	t.principals = principals
	return noContent()
}
