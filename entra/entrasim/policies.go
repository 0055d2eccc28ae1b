package entrasim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// policies are the settings that decide about invitations.
type policies struct {
	authorization Object
	defaults      Object            // crossTenantAccessPolicy/default
	partners      map[string]Object // by tenant id, without identitySynchronization
	sync          map[string]Object // identitySynchronization by tenant id
	domains       Object            // invitationDomains {allowed, blocked} of the tenant file
}

// defaultPolicies are those of a new tenant.
func defaultPolicies() policies {
	must := func(s string) Object { o, _ := parseObject(s); return o }
	const open = `{"usersAndGroups":{"accessType":"allowed","targets":[{"target":"AllUsers","targetType":"user"}]},"applications":{"accessType":"allowed","targets":[{"target":"AllApplications","targetType":"application"}]}}`
	return policies{
		authorization: must(`{"id":"authorizationPolicy","displayName":"Authorization Policy","allowInvitesFrom":"everyone","allowEmailVerifiedUsersToJoinOrganization":false}`),
		defaults: must(`{"isServiceDefault":true,"automaticUserConsentSettings":{"inboundAllowed":false,"outboundAllowed":false},` +
			`"b2bCollaborationInbound":` + open + `,"b2bCollaborationOutbound":` + open + `,` +
			`"inboundTrust":{"isMfaAccepted":false,"isCompliantDeviceAccepted":false,"isHybridAzureADJoinedDeviceAccepted":false}}`),
		partners: map[string]Object{},
		sync:     map[string]Object{},
	}
}

// befriend lets an empty tenant synchronize with another one in both directions.
// The Cloud's lock is held.
func (t *Tenant) befriend(other *Tenant) {
	if !t.openPartners {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, exists := t.policies.partners[other.ID]; exists {
		return
	}
	p, _ := parseObject(`{"tenantId":` + quote(other.ID) + `,"automaticUserConsentSettings":{"inboundAllowed":true,"outboundAllowed":true}}`)
	s, _ := parseObject(`{"tenantId":` + quote(other.ID) + `,"displayName":` + quote(other.Name) + `,"userSyncInbound":{"isSyncAllowed":true}}`)
	t.policies.partners[other.ID], t.policies.sync[other.ID] = p, s
}

// policyOf returns a setting for a partner: the partner's own, else the
// default's. The caller holds the lock.
func (p *policies) policyOf(tenantID, name string) string {
	if raw := p.partners[tenantID].Raw(name); !isEmpty(raw) {
		return raw
	}
	return p.defaults.Raw(name)
}

// blocked reports whether a B2B setting keeps everybody out.
func blocked(setting string) bool {
	ug := member(setting, "usersAndGroups")
	if memberString(ug, "accessType") != "blocked" {
		return false
	}
	targets := member(ug, "targets")
	return isEmpty(targets) || strings.Contains(targets, `"AllUsers"`)
}

// outboundTo says whether this tenant keeps its users out of another one, and
// whether it redeems invitations there for them.
func (t *Tenant) outboundTo(tenantID string) (shut, consented bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return blocked(t.policies.policyOf(tenantID, "b2bCollaborationOutbound")),
		member(t.policies.policyOf(tenantID, "automaticUserConsentSettings"), "outboundAllowed") == "true"
}

// redeemsFrom reports whether this tenant lets invitations of another tenant's
// users redeem themselves; the other one must consent as well. The caller holds
// the lock.
func (t *Tenant) redeemsFrom(tenantID string) bool {
	return member(t.policies.policyOf(tenantID, "automaticUserConsentSettings"), "inboundAllowed") == "true"
}

// invitationPolicy holds an invitation to the tenant's policies. The caller
// holds the lock.
func (x *call) invitationPolicy(inv *invitation, outboundBlocked bool) *answer {
	t := x.tenant
	switch t.policies.authorization.String("allowInvitesFrom") {
	case "none", "adminsAndGuestInviters":
		a := x.fail(http.StatusForbidden, "Authorization_RequestDenied", "Guest invitations not allowed for your company. Contact your company administrator for more details.")
		return &a
	}
	_, domain, _ := strings.Cut(strings.ToLower(inv.address), "@")
	lists := func(name string) []string {
		l, _ := stringList(t.policies.domains.Raw(name))
		for i := range l {
			l[i] = strings.ToLower(l[i])
		}
		return l
	}
	if allowed := lists("allowed"); slices.Contains(lists("blocked"), domain) || len(allowed) > 0 && !slices.Contains(allowed, domain) {
		a := x.parseError("The domain of the invited address '%s' is not allowed by the collaboration restrictions of the organization.", inv.address)
		return &a
	}
	if inv.home.tenant == nil || inv.home.tenant == t {
		return nil
	}
	if outboundBlocked || blocked(t.policies.policyOf(inv.home.tenant.ID, "b2bCollaborationInbound")) {
		a := x.fail(http.StatusForbidden, "Authorization_RequestDenied",
			fmt.Sprintf("B2B collaboration with the organization of '%s' is blocked by the cross-tenant access policy.", inv.address))
		return &a
	}
	return nil
}

// entityOf writes a policy object with its context.
func (x *call) entityOf(context string, o Object) []byte {
	b := append([]byte(`{"@odata.context":`), quote(x.contextURL(context))...)
	for _, f := range o.fields {
		b = append(b, ',')
		b = appendQuoted(b, f.Name)
		b = append(b, ':')
		b = append(b, f.Raw...)
	}
	return append(b, '}')
}

func (x *call) getAuthorizationPolicy() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	return ok(x.entityOf("policies/authorizationPolicy/$entity", x.tenant.policies.authorization))
}

func (x *call) getCrossTenantDefault() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	return ok(x.entityOf("policies/crossTenantAccessPolicy/default/$entity", x.tenant.policies.defaults))
}

// partnerSettings are the properties of a partner that default to null, which
// means that the default configuration holds.
var partnerSettings = []string{
	"automaticUserConsentSettings", "b2bCollaborationInbound", "b2bCollaborationOutbound", "b2bDirectConnectInbound",
	"b2bDirectConnectOutbound", "inboundTrust", "isServiceProvider", "isInMultiTenantOrganization", "tenantRestrictions",
}

// shownPartner completes a partner as Graph shows it.
func shownPartner(o Object) Object {
	for _, name := range partnerSettings {
		if o.Raw(name) == "" {
			raw := "null"
			if name == "automaticUserConsentSettings" {
				raw = `{"inboundAllowed":null,"outboundAllowed":null}`
			}
			o = o.with(name, raw)
		}
	}
	return o
}

func (x *call) listPartners() answer {
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	var list []Object
	for _, id := range slices.Sorted(maps.Keys(t.policies.partners)) {
		list = append(list, shownPartner(t.policies.partners[id]))
	}
	return x.writeObjects("policies/crossTenantAccessPolicy/partners", list)
}

// partner finds the partner the path names. The caller holds the lock.
func (x *call) partner() (Object, bool) {
	o, found := x.tenant.policies.partners[strings.ToLower(x.ids[0])]
	return o, found
}

func (x *call) getPartner() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	o, found := x.partner()
	if !found {
		return x.notFound(x.ids[0])
	}
	o = shownPartner(o)
	if strings.HasPrefix(x.query.Get("$expand"), "identitySynchronization") {
		raw := "null"
		if s, exists := x.tenant.policies.sync[strings.ToLower(x.ids[0])]; exists {
			raw = s.text()
		}
		o = o.with("identitySynchronization", raw)
	}
	return ok(x.entityOf("policies/crossTenantAccessPolicy/partners/$entity", o))
}

func (x *call) createPartner() answer {
	body, refused := x.readObject()
	if refused != nil {
		return *refused
	}
	id := strings.ToLower(body.String("tenantId"))
	if !isID(id) {
		return x.badRequest("Invalid value specified for property 'tenantId' of resource 'CrossTenantAccessPolicyConfigurationPartner'.")
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, exists := t.policies.partners[id]; exists {
		return x.fail(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "A conflicting object with one or more of the specified property values is present in the directory.")
	}
	o := withoutAnnotations(body).with("tenantId", quote(id))
	t.policies.partners[id] = o
	return answer{status: http.StatusCreated, body: x.entityOf("policies/crossTenantAccessPolicy/partners/$entity", shownPartner(o))}
}

func (x *call) updatePartner() answer {
	body, refused := x.readObject()
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	o, found := x.partner()
	if !found {
		return x.notFound(x.ids[0])
	}
	for _, f := range withoutAnnotations(body).fields {
		if f.Name == "tenantId" {
			return x.badRequest("Property 'tenantId' is read-only and cannot be set.")
		}
		raw := f.Raw
		if f.Name == "automaticUserConsentSettings" && !isNull(raw) {
			raw = mergeObjects(o.Raw(f.Name), raw)
		}
		o = o.with(f.Name, raw)
	}
	t.policies.partners[strings.ToLower(x.ids[0])] = o
	return noContent()
}

func (x *call) deletePartner() answer {
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, found := x.partner(); !found {
		return x.notFound(x.ids[0])
	}
	id := strings.ToLower(x.ids[0])
	if _, syncs := t.policies.sync[id]; syncs {
		return x.badRequest("Delete identitySynchronization before the partner configuration.")
	}
	delete(t.policies.partners, id)
	return noContent()
}

func (x *call) getIdentitySync() answer {
	x.tenant.mu.RLock()
	defer x.tenant.mu.RUnlock()
	o, found := x.tenant.policies.sync[strings.ToLower(x.ids[0])]
	if !found {
		return x.notFound(x.ids[0])
	}
	return ok(x.entityOf("policies/crossTenantAccessPolicy/partners('"+x.ids[0]+"')/identitySynchronization/$entity", o))
}

func (x *call) putIdentitySync() answer { return x.writeIdentitySync(true) }

func (x *call) patchIdentitySync() answer { return x.writeIdentitySync(false) }

// writeIdentitySync creates (PUT) or updates (PATCH) the synchronization policy
// of a partner.
func (x *call) writeIdentitySync(create bool) answer {
	body, refused := x.readObject()
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, found := x.partner(); !found {
		return x.notFound(x.ids[0])
	}
	id := strings.ToLower(x.ids[0])
	o, exists := t.policies.sync[id]
	if create && exists {
		return x.fail(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "A conflicting object with one or more of the specified property values is present in the directory.")
	}
	if !create && !exists {
		return x.notFound(x.ids[0])
	}
	o = o.with("tenantId", quote(id))
	for _, f := range withoutAnnotations(body).fields {
		if f.Name != "tenantId" {
			o = o.with(f.Name, f.Raw)
		}
	}
	t.policies.sync[id] = o
	return noContent()
}

func (x *call) deleteIdentitySync() answer {
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	id := strings.ToLower(x.ids[0])
	if _, found := t.policies.sync[id]; !found {
		return x.notFound(x.ids[0])
	}
	delete(t.policies.sync, id)
	return noContent()
}

// withoutAnnotations drops the @odata members clients add.
func withoutAnnotations(o Object) Object {
	return Object{slices.DeleteFunc(slices.Clone(o.fields), func(f Field) bool { return strings.Contains(f.Name, "@odata.") })}
}
