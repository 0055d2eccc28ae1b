package entra

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"tenantsync/directory"
)

// crossTenantTemplate is the gallery template that every configuration of
// cross-tenant synchronization is made from, crossTenantJobs the template of its
// jobs.
// https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-configure-graph
const (
	crossTenantTemplate = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
	crossTenantJobs     = "Azure2Azure"

	// ofCrossTenantTemplate is the filter for these configurations.
	ofCrossTenantTemplate = "applicationTemplateId eq '" + crossTenantTemplate + "'"
)

// SynchronizationJobs returns the jobs of Microsoft's own cross-tenant
// synchronization out of this tenant: of every configuration when principal is
// empty, else of the service principals with that object id or display name,
// whatever template they come from. It only reads; cycles never call it. It needs
// Synchronization.Read.All, and Application.Read.All besides. An error of kind
// NotFound says that there is no such service principal.
// https://learn.microsoft.com/graph/api/synchronization-synchronization-list-jobs
func (s *Source) SynchronizationJobs(ctx context.Context, principal string) ([]directory.SynchronizationJob, error) {
	principals, err := s.configurations(ctx, principal)
	if err != nil {
		return nil, err
	}
	var jobs []directory.SynchronizationJob
	for _, p := range principals {
		of, err := s.jobsOf(ctx, p)
		if err != nil {
			return nil, err
		}
		if len(of) == 0 {
			continue
		}
		settings, err := s.syncSettings(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		for i := range of {
			settings.tell(&of[i], s.c.tenantID)
		}
		jobs = append(jobs, of...)
	}
	return jobs, nil
}

// SynchronizationSchema returns the schema of a job as the tenant wrote it: its
// mappings and scoping filters.
// https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-get
func (s *Source) SynchronizationSchema(ctx context.Context, job directory.SynchronizationJob) ([]byte, error) {
	path, err := synchronizationOf(job.ServicePrincipalID)
	if err != nil {
		return nil, s.c.noSuchID(callSync, err)
	}
	id, err := segment(job.ID)
	if err != nil {
		return nil, s.c.noSuchID(callSync, err)
	}
	ans, err := s.c.get(ctx, s.m, callSync, s.c.graph+path+"/jobs/"+id+"/schema")
	return ans.body, err
}

func synchronizationOf(principal string) (string, error) {
	id, err := segment(principal)
	return "/servicePrincipals/" + id + "/synchronization", err
}

// configuration is a service principal that may have synchronization jobs.
type configuration struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

// configurations returns the service principals to look at.
func (s *Source) configurations(ctx context.Context, principal string) ([]configuration, error) {
	if _, isID := directory.ParseGUID(strings.ToLower(principal)); isID {
		id, _ := segment(principal) // a GUID needs no escape
		ans, err := s.c.get(ctx, s.m, callPrincipals, s.c.graph+"/servicePrincipals/"+id+"?$select=id,displayName")
		if err != nil {
			return nil, err
		}
		var one configuration
		if err := json.Unmarshal(ans.body, &one); err != nil || one.ID == "" {
			return nil, s.c.malformed(callPrincipals, ans, errors.Join(err, errors.New("service principal without id")))
		}
		return []configuration{one}, nil
	}
	filter := ofCrossTenantTemplate
	if principal != "" {
		filter = "displayName eq " + literal(principal)
	}
	var list []configuration
	err := s.c.collect(ctx, s.m, callPrincipals, s.c.graph+"/servicePrincipals?$filter="+query(filter)+"&$select=id,displayName", func(raw json.RawMessage) error {
		var one configuration
		if err := json.Unmarshal(raw, &one); err != nil {
			return err
		}
		list = append(list, one)
		return nil
	})
	if err == nil && principal != "" && len(list) == 0 {
		return nil, s.c.noSuchID(callPrincipals, errors.New("no service principal is called "+strconv.Quote(principal)))
	}
	return list, err
}

// betweenTenants reports a job of cross-tenant synchronization by its id and its
// template.
func betweenTenants(id, template string) bool {
	return strings.EqualFold(template, crossTenantJobs) || strings.HasPrefix(id, crossTenantJob)
}

// jobsOf returns the jobs between tenants of one service principal.
func (s *Source) jobsOf(ctx context.Context, of configuration) ([]directory.SynchronizationJob, error) {
	path, err := synchronizationOf(of.ID)
	if err != nil {
		return nil, s.c.noSuchID(callSync, err)
	}
	var jobs []directory.SynchronizationJob
	err = s.c.collect(ctx, s.m, callSync, s.c.graph+path+"/jobs", func(raw json.RawMessage) error {
		var doc struct {
			ID         string `json:"id"`
			TemplateID string `json:"templateId"`
			Schedule   struct {
				Interval string `json:"interval"`
				State    string `json:"state"`
			} `json:"schedule"`
			Status struct {
				Code string `json:"code"`
			} `json:"status"`
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			return err
		}
		if doc.ID == "" {
			return errors.New("synchronization job without id")
		}
		if !betweenTenants(doc.ID, doc.TemplateID) {
			return nil
		}
		jobs = append(jobs, directory.SynchronizationJob{
			ID: doc.ID, Template: doc.TemplateID, ServicePrincipalID: of.ID, ServicePrincipal: of.DisplayName,
			State: doc.Status.Code, Schedule: doc.Schedule.State, Interval: isoInterval(doc.Schedule.Interval),
		})
		return nil
	})
	if directory.KindOf(err) == directory.NotFound { // provisioning was never set up
		return nil, nil
	}
	return jobs, err
}

// syncSettings are the settings that cross-tenant synchronization keeps among
// the secrets of its service principal. Values that are secret come as "*".
type syncSettings struct {
	hidden    bool
	companyID string
	syncAll   *bool
	deletions *bool
	threshold *int
	notifies  bool
}

// syncSettingKeys are the keys of these settings.
var syncSettingKeys = []string{"CompanyId", "SyncAll", "SyncNotificationSettings"}

// syncSettings reads them. Not being allowed to, or there being none, is no
// error: a job can be understood without.
func (s *Source) syncSettings(ctx context.Context, principal string) (syncSettings, error) {
	path, err := synchronizationOf(principal)
	if err != nil {
		return syncSettings{}, s.c.noSuchID(callSync, err)
	}
	var out syncSettings
	err = s.c.collect(ctx, s.m, callSync, s.c.graph+path+"/secrets", func(raw json.RawMessage) error {
		var pair struct {
			Key   string  `json:"key"`
			Value *string `json:"value"`
		}
		if err := json.Unmarshal(raw, &pair); err != nil {
			return err
		}
		if pair.Value != nil {
			out.set(pair.Key, *pair.Value)
		}
		return nil
	})
	if kind := directory.KindOf(err); kind == directory.Denied || kind == directory.NotFound || kind == directory.Invalid {
		return syncSettings{hidden: true}, nil
	}
	return out, err
}

func (o *syncSettings) set(key, value string) {
	switch key {
	case "CompanyId":
		o.companyID = tenantIDIn(value)
	case "SyncAll":
		if all, err := strconv.ParseBool(strings.ToLower(value)); err == nil {
			o.syncAll = &all
		}
	case "SyncNotificationSettings":
		var doc struct {
			Notifies  bool  `json:"Enabled"`
			Enabled   *bool `json:"DeleteThresholdEnabled"`
			Threshold *int  `json:"DeleteThresholdValue"`
		}
		// A text that is none of JSON says nothing of deletions.
		if json.Unmarshal([]byte(value), &doc) == nil {
			o.deletions, o.threshold, o.notifies = doc.Enabled, doc.Threshold, doc.Notifies
		}
	}
}

// tell puts the settings into a job. The job's id names a tenant as well; it is
// the target only where it is not the tenant that is asked.
func (o *syncSettings) tell(job *directory.SynchronizationJob, own string) {
	job.SettingsHidden = o.hidden
	job.TargetTenantID, job.SyncAll = o.companyID, o.syncAll
	job.PreventDeletions, job.DeletionThreshold, job.Notifies = o.deletions, o.threshold, o.notifies
	if job.TargetTenantID != "" {
		return
	}
	if parts := strings.Split(job.ID, "."); len(parts) == 3 {
		if id := tenantIDIn(parts[1]); id != "" && !strings.EqualFold(id, own) {
			job.TargetTenantID = id
		}
	}
}

// tenantIDIn returns a GUID written with or without hyphens in its usual form,
// "" for anything else.
func tenantIDIn(s string) string {
	s = strings.ToLower(strings.Trim(strings.TrimSpace(s), "{}"))
	if len(s) == 32 && !strings.Contains(s, "-") {
		s = s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
	}
	if _, isGUID := directory.ParseGUID(s); !isGUID {
		return ""
	}
	return s
}

// isoInterval reads a duration of ISO 8601 down from days. What is not one, or
// as good as never, is 0.
// https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationschedule
func isoInterval(s string) time.Duration {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok {
		return 0
	}
	days, clock, _ := strings.Cut(rest, "T")
	var total float64
	type unit struct {
		sign   string
		length time.Duration
	}
	for _, part := range []struct {
		text  string
		units []unit
	}{
		{days, []unit{{"W", 7 * 24 * time.Hour}, {"D", 24 * time.Hour}}},
		{clock, []unit{{"H", time.Hour}, {"M", time.Minute}, {"S", time.Second}}},
	} {
		text := part.text
		for _, u := range part.units {
			number, after, found := strings.Cut(text, u.sign)
			if !found {
				continue
			}
			n, err := strconv.ParseFloat(number, 64)
			if err != nil || n < 0 {
				return 0
			}
			total, text = total+n*float64(u.length), after
		}
		if text != "" {
			return 0
		}
	}
	if math.IsNaN(total) || total > float64(365*24*time.Hour) {
		return 0
	}
	return time.Duration(total)
}
