package entrasim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The methods below are the acts of a tenant's administrators. They need no
// permission and count as no request; delta queries report what they change.

// Users returns the active users, in the order of their creation.
func (t *Tenant) Users() []Object {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return snapshots(t.users.items, active)
}

// DeletedUsers returns the users in the recycle bin, oldest deletion first.
func (t *Tenant) DeletedUsers() []Object {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return snapshots(t.deleted, func(*object) bool { return true })
}

// Groups returns the groups, with the ids of their members as "members".
func (t *Tenant) Groups() []Object {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return snapshots(t.groups.items, active)
}

// Changes returns how often users, groups and contacts have changed so far: as
// long as it is the same, Users, DeletedUsers and Groups return the same.
func (t *Tenant) Changes() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.clock
}

// User returns an active user by id or logon name.
func (t *Tenant) User(name string) (Object, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	o := t.userByName(name)
	if o == nil || !active(o) {
		return Object{}, false
	}
	return o.snapshot(), true
}

// CreateUser creates an internal user and returns its id. Properties need a
// userPrincipalName; an "id" is taken over.
func (t *Tenant) CreateUser(properties map[string]any) (string, error) {
	u, err := NewObject(properties)
	if err != nil {
		return "", err
	}
	if u, err = checkFileObject("users", u); err != nil {
		return "", fmt.Errorf("create user: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if u.ID() == "" {
		u = u.with("id", quote(t.cloud.newID()))
	}
	if o := t.objects[u.ID()]; o != nil && o.state != statePurged {
		return "", fmt.Errorf("create user: the id %s is taken", u.ID())
	}
	if err := cmp.Or(t.checkAddresses(nil, u.fields), t.checkExtensions(u.fields)); err != nil {
		return "", fmt.Errorf("create user: %w", err)
	}
	m := fileManager(u)
	if m != "" && t.objects[m] == nil {
		return "", fmt.Errorf("create user: manager %s: %w", m, ErrUnknown)
	}
	o := t.createFromFile(u, time.Now())
	t.setManager(o, m)
	return o.id, nil
}

// checkAddresses refuses a logon name or address that somebody else has.
func (t *Tenant) checkAddresses(o *object, fields []Field) error {
	for _, f := range fields {
		switch s, _ := unquote(f.Raw); f.Name {
		case "userPrincipalName":
			if other := t.userByName(s); other != nil && other != o && active(other) {
				return fmt.Errorf("userPrincipalName %s: belongs to %s", s, other.id)
			}
		case "mail":
			if other := t.proxyOwner(s, o); s != "" && other != nil {
				return fmt.Errorf("mail %s: belongs to %s", s, other.id)
			}
		case "proxyAddresses":
			list, _ := stringList(f.Raw)
			for _, p := range list {
				if other := t.proxyOwner(proxyAddress(p), o); other != nil {
					return fmt.Errorf("proxy address %s: belongs to %s", p, other.id)
				}
			}
		}
	}
	return nil
}

// Update sets properties of an active user or group; nil clears one. It may set
// what applications cannot write, such as isManagementRestricted,
// onPremisesSyncEnabled or externalUserState.
func (t *Tenant) Update(id string, properties map[string]any) error {
	change, err := NewObject(properties)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.objects[strings.ToLower(id)]
	if o == nil || !active(o) {
		return fmt.Errorf("update %s: %w", id, ErrUnknown)
	}
	for _, f := range change.fields {
		if err := checkFileProperty(schemaFor(o.kind), f); err != nil {
			return fmt.Errorf("update %s: %w", id, err)
		}
		if f.Name == "id" || f.Name == "manager" || f.Name == "members" {
			return fmt.Errorf("update %s: %s is not set this way", id, f.Name)
		}
	}
	if err := cmp.Or(t.checkAddresses(o, change.fields), t.checkExtensions(change.fields)); err != nil {
		return fmt.Errorf("update %s: %w", id, err)
	}
	fields := change.fields
	if change.Raw("proxyAddresses") == "" {
		fields = t.derive(o, slices.Clone(fields))
	}
	t.set(o, fields)
	return nil
}

// Delete puts an active user into the recycle bin.
func (t *Tenant) Delete(id string) error {
	return t.act("delete", id, kindUser, stateActive, func(o *object) { t.softDelete(o, time.Now()) })
}

// Purge deletes a user for good, out of the recycle bin or at once.
func (t *Tenant) Purge(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.get(kindUser, id)
	if o == nil || o.state == statePurged {
		return fmt.Errorf("purge %s: %w", id, ErrUnknown)
	}
	t.purge(o)
	return nil
}

// Restore brings a user back from the recycle bin.
func (t *Tenant) Restore(id string) error {
	return t.act("restore", id, kindUser, stateDeleted, t.restore)
}

// DeleteGroup deletes a group for good.
func (t *Tenant) DeleteGroup(id string) error {
	return t.act("delete group", id, kindGroup, stateActive, t.purge)
}

// CreateGroup creates a group and returns its id; "members" lists ids.
func (t *Tenant) CreateGroup(properties map[string]any) (string, error) {
	g, err := NewObject(properties)
	if err != nil {
		return "", err
	}
	if g, err = checkFileObject("groups", g); err != nil {
		return "", fmt.Errorf("create group: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	id := g.ID()
	if id == "" {
		id = t.cloud.newID()
	}
	if o := t.objects[id]; o != nil && o.state != statePurged {
		return "", fmt.Errorf("create group: the id %s is taken", id)
	}
	fields := slices.DeleteFunc(slices.Clone(g.fields), func(f Field) bool { return f.Name == "members" || f.Name == "id" })
	o := t.createGroup(id, fields, time.Now())
	t.setMembers(o, g.Strings("members"))
	return id, nil
}

// AddMember makes an object a direct member of a group; RemoveMember ends that.
// A membership that is there, or is not, already is no error.
func (t *Tenant) AddMember(group, id string) error {
	t.mu.Lock()
	known := t.objects[strings.ToLower(id)] != nil
	t.mu.Unlock()
	if !known {
		return fmt.Errorf("add member %s: %w", id, ErrUnknown)
	}
	return t.act("add member to", group, kindGroup, stateActive, func(g *object) { t.addMember(g, strings.ToLower(id)) })
}

// RemoveMember ends a direct membership.
func (t *Tenant) RemoveMember(group, id string) error {
	return t.act("remove member from", group, kindGroup, stateActive, func(g *object) { t.removeMember(g, strings.ToLower(id)) })
}

// SetManager sets a user's manager; an empty id takes the manager away.
func (t *Tenant) SetManager(id, manager string) error {
	t.mu.Lock()
	m := t.objects[strings.ToLower(manager)]
	t.mu.Unlock()
	if manager != "" && (m == nil || m.kind == kindGroup) {
		return fmt.Errorf("set manager %s: %w", manager, ErrUnknown)
	}
	return t.act("set manager of", id, kindUser, stateActive, func(o *object) { t.setManager(o, strings.ToLower(manager)) })
}

// Redeem lets a guest accept the invitation with the account of the home tenant:
// externalUserState Accepted, and ExternalAzureAD as the issuer of the identity.
func (t *Tenant) Redeem(id string) error {
	u, found := t.User(id)
	if !found {
		return fmt.Errorf("redeem %s: %w", id, ErrUnknown)
	}
	h := t.cloud.homeOf(u.String("mail")) // before this tenant's lock
	return t.act("redeem", u.ID(), kindUser, stateActive, func(o *object) {
		fields := accepted(nil, quote(timestamp(time.Now())))
		if h.userID != "" && h.tenant != t && isNull(o.raw("homeIdentity")) {
			fields = append(fields, h.field())
		}
		t.set(o, fields)
	})
}

// SetPolicies replaces the given members of the policies section of a tenant
// file: authorizationPolicy, crossTenantAccess {default, partners}, invitationDomains.
func (t *Tenant) SetPolicies(section map[string]any) error {
	o, err := NewObject(section)
	if err != nil {
		return err
	}
	_, err = t.Load(File{Policies: o})
	return err
}

// SetFaults replaces the faults of this tenant alone.
func (t *Tenant) SetFaults(faults []Fault) { t.cloud.faults.replace(t.Name, faults) }

// ExpireDeltaTokens makes every delta token issued so far invalid: the next use
// is answered 410.
func (t *Tenant) ExpireDeltaTokens() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deltaEpoch++
}

// act runs one change under the lock.
func (t *Tenant) act(what, id string, k objectKind, s objectState, f func(*object)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.get(k, id)
	if o == nil || o.state != s {
		return fmt.Errorf("%s %s: %w", what, id, ErrUnknown)
	}
	f(o)
	return nil
}
