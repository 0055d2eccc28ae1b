package entra

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"tenantsync/directory"
)

// servicePrincipals reads those that were asked for with their assignments, and
// those of Microsoft's own synchronization.
func (k *capturing) servicePrincipals(ctx context.Context) error {
	ids := slices.Clone(k.o.ServicePrincipals)
	configurations, err := k.configurations(ctx)
	if err != nil {
		return err
	}
	for _, id := range configurations {
		if !slices.ContainsFunc(ids, func(known string) bool { return strings.EqualFold(known, id) }) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		principal, err := k.servicePrincipal(ctx, id)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(configurations, func(known string) bool { return strings.EqualFold(known, id) }) {
			if err := principal.add("applicationTemplateId", crossTenantTemplate); err != nil {
				return err
			}
		}
		if err := k.synchronization(ctx, id, &principal); err != nil {
			return err
		}
		raw, err := principal.json()
		if err != nil {
			return err
		}
		k.out.ServicePrincipals = append(k.out.ServicePrincipals, raw)
		k.report("servicePrincipals", len(k.out.ServicePrincipals))
	}
	return nil
}

func (k *capturing) servicePrincipal(ctx context.Context, id string) (record, error) {
	name, err := segment(id)
	if err != nil {
		return nil, k.c.noSuchID(callAssignments, err)
	}
	ans, err := k.c.get(ctx, k.m, callAssignments, k.c.graph+"/servicePrincipals/"+name+"?$select=id,displayName,appRoles")
	if err != nil {
		return nil, err
	}
	principal, err := readRecord(ans.body)
	if err != nil {
		return nil, k.c.malformed(callAssignments, ans, err)
	}
	principal.drop("applicationTemplateId") // of a tenant that tells more than it is asked
	assignments := []json.RawMessage{}
	err = k.collect(ctx, callAssignments, k.c.graph+"/servicePrincipals/"+name+"/appRoleAssignedTo?$top=999", func(raw json.RawMessage) error {
		a, err := stripAnnotations(raw)
		assignments = append(assignments, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	return principal, principal.add("appRoleAssignedTo", assignments)
}

// configurations returns the ids of the service principals of Microsoft's own
// cross-tenant synchronization, in order; none when the tenant does not tell.
func (k *capturing) configurations(ctx context.Context) ([]string, error) {
	if !k.o.Synchronization {
		return nil, nil
	}
	var ids []string
	link := k.c.graph + "/servicePrincipals?$filter=" + query(ofCrossTenantTemplate) + "&$select=id,displayName"
	err := k.collect(ctx, callPrincipals, link, func(raw json.RawMessage) error {
		one, err := readRecord(raw)
		if id := one.text("id"); id != "" {
			ids = append(ids, id)
		}
		return err
	})
	if k.silent("synchronization", err) {
		return nil, nil
	}
	slices.Sort(ids) // Graph promises no order
	return ids, err
}

// silent reports an error that says that there is nothing to read; what the app
// may not read is told, once.
func (k *capturing) silent(section string, err error) bool {
	var refused *directory.Error
	if !errors.As(err, &refused) {
		return false
	}
	switch {
	case refused.Kind == directory.Denied:
		if k.o.Missing != nil && !slices.Contains(k.told, section) {
			k.told = append(k.told, section)
			k.o.Missing(section, err)
		}
		return true
	case refused.Kind == directory.NotFound, refused.Kind == directory.Invalid, refused.Status == http.StatusNotFound:
		return true // never set up, or not served
	}
	return false
}

// synchronization adds the jobs of a service principal with their schemas, and the
// settings among its secrets. One without jobs stays as it is.
func (k *capturing) synchronization(ctx context.Context, id string, principal *record) error {
	if !k.o.Synchronization {
		return nil
	}
	path, err := synchronizationOf(id)
	if err != nil {
		return k.c.noSuchID(callSync, err)
	}
	var out struct {
		Jobs    []json.RawMessage `json:"jobs"`
		Secrets []json.RawMessage `json:"secrets,omitempty"`
	}
	if out.Jobs, err = k.syncJobs(ctx, path); err != nil && !k.silent("synchronization", err) {
		return err
	}
	if len(out.Jobs) == 0 {
		return nil
	}
	if out.Secrets, err = k.syncSecrets(ctx, path); err != nil && !k.silent("settings of synchronization jobs", err) {
		return err
	}
	return principal.add("synchronization", out)
}

// syncJobs reads the jobs between tenants, each with its schema.
func (k *capturing) syncJobs(ctx context.Context, path string) ([]json.RawMessage, error) {
	var found []record
	err := k.collect(ctx, callSync, k.c.graph+path+"/jobs", func(raw json.RawMessage) error {
		job, err := readRecord(raw)
		if betweenTenants(job.text("id"), job.text("templateId")) {
			found = append(found, job)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b record) int { return strings.Compare(a.text("id"), b.text("id")) })
	var jobs []json.RawMessage
	for _, job := range found {
		kept, err := lastingOf(job)
		if err != nil {
			return nil, err
		}
		id, err := segment(job.text("id"))
		if err != nil {
			return nil, k.c.noSuchID(callSync, err)
		}
		schema, err := k.object(ctx, callSync, path+"/jobs/"+id+"/schema")
		switch {
		case err == nil:
			err = kept.add("schema", schema)
		case k.silent("schemas of synchronization jobs", err): // a job without one is a job all the same
			err = nil
		}
		if err != nil {
			return nil, err
		}
		raw, err := kept.json()
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, raw)
	}
	return jobs, nil
}

// lastingOf is a job without what it tells of its last runs, which may name
// people.
func lastingOf(job record) (record, error) {
	kept := record{}
	for _, p := range job {
		switch p.name {
		case "id", "templateId", "schedule":
			kept = append(kept, p)
		case "status":
			var status struct {
				Code string `json:"code,omitempty"`
			}
			if err := json.Unmarshal(p.raw, &status); err != nil {
				return nil, err
			}
			if err := kept.add("status", status); err != nil {
				return nil, err
			}
		}
	}
	return kept, nil
}

// syncSecrets reads the secrets. Of all but the settings no more is kept than that
// they are there, whatever the tenant tells.
func (k *capturing) syncSecrets(ctx context.Context, path string) ([]json.RawMessage, error) {
	var secrets []json.RawMessage
	err := k.collect(ctx, callSync, k.c.graph+path+"/secrets", func(raw json.RawMessage) error {
		secret, err := readRecord(raw)
		if err != nil {
			return err
		}
		key := secret.text("key")
		if key == "" {
			return nil
		}
		value := "*"
		if slices.Contains(syncSettingKeys, key) {
			value = secret.text("value")
		}
		one := record{}
		if err := one.add("key", key); err != nil {
			return err
		}
		if err := one.add("value", value); err != nil {
			return err
		}
		text, err := one.json()
		secrets = append(secrets, text)
		return err
	})
	slices.SortFunc(secrets, func(a, b json.RawMessage) int { return strings.Compare(string(a), string(b)) })
	return secrets, err
}
