package entrasim

import (
	"slices"
	"strings"
)

// loadSettings takes over the sections that are not directory objects.
func (t *Tenant) loadSettings(f File) {
	if f.ServicePrincipals != nil {
		t.principals = f.ServicePrincipals
	}
	if f.DirectoryRoles != nil {
		t.roles = f.DirectoryRoles
		t.roleHolders = map[string]bool{}
		for _, r := range t.roles {
			for _, id := range r.Strings("members") {
				t.roleHolders[id] = true
			}
		}
	}
	t.extensions.register(f.ExtensionProperties)
	if f.Applications != nil {
		t.loadApplications(f.Applications)
	}
	for _, p := range f.Policies.fields {
		switch p.Name {
		case "authorizationPolicy":
			t.policies.authorization = overlay(defaultPolicies().authorization, p.Raw)
		case "invitationDomains":
			t.policies.domains, _ = parseObject(p.Raw) // checked
		case "crossTenantAccess":
			t.loadCrossTenant(p.Raw)
		}
	}
}

func overlay(o Object, raw string) Object {
	over, _ := parseObject(raw) // checked
	for _, f := range over.fields {
		o = o.with(f.Name, f.Raw)
	}
	return o
}

func (t *Tenant) loadCrossTenant(raw string) {
	if d := member(raw, "default"); d != "" {
		t.policies.defaults = overlay(defaultPolicies().defaults, d)
	}
	partners := member(raw, "partners")
	if partners == "" {
		return
	}
	t.policies.partners, t.policies.sync = map[string]Object{}, map[string]Object{}
	_ = eachElement(partners, func(_ int, e string) error { // checked
		o, _ := parseObject(e)
		id := strings.ToLower(o.String("tenantId"))
		if s := o.Raw("identitySynchronization"); !isNull(s) {
			t.policies.sync[id], _ = parseObject(s)
		}
		o = Object{slices.DeleteFunc(slices.Clone(o.fields), func(f Field) bool { return f.Name == "identitySynchronization" })}
		t.policies.partners[id] = o.with("tenantId", quote(id))
		return nil
	})
}

// loadApplications replaces the app registrations; one without a secret keeps
// its old one, one without roles gets what synchronization needs.
func (t *Tenant) loadApplications(list []Object) {
	old := t.apps
	t.apps, t.generatedApp = nil, false
	for _, o := range list {
		id, secret := o.String("appId"), o.String("secret")
		roles := o.Strings("roles")
		if isNull(o.Raw("roles")) {
			roles = syncPermissions()
		}
		for _, a := range old {
			if secret == "" && a.id == id {
				secret = a.secret
			}
		}
		if secret == "" {
			secret = "sim~" + strings.ReplaceAll(t.cloud.newID(), "-", "")
		}
		t.apps = append(t.apps, newApplication(id, secret, roles))
	}
}
