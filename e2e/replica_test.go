package e2e_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// direct are the default mappings that copy a value as it is.
var direct = []string{
	"accountEnabled", "streetAddress", "city", "state", "postalCode", "country", "department", "employeeId", "displayName", "givenName",
	"jobTitle", "officeLocation", "preferredLanguage", "surname", "businessPhones", "mail",
}

// ofGraph are the properties of an invited user that no mapping sets.
var ofGraph = []string{
	"id", "createdDateTime", "externalUserStateChangeDateTime", "identities", "mailNickname", "otherMails", "proxyAddresses", "homeIdentity", "manager",
}

// presence is where a person stands in a target tenant.
type presence int

const (
	present presence = iota
	waiting          // out of scope, the deletion held
	gone             // soft-deleted by the job
)

// person is one source user in a target tenant.
type person struct {
	address  string         // the UPN of the day of the invitation
	values   map[string]any // what the mappings have set, by attribute
	manager  string         // source id of the manager that was set
	where    presence
	targetID string // as first seen; it never changes
}

// replica is a target tenant as the source and the default mappings make it. It
// is computed from tenant files alone.
type replica struct {
	scope  func(*tenantFile) map[string]bool
	holds  func(leaving, linked int) bool // the accidental-deletion threshold
	people map[string]*person             // by source id
}

func newReplica(scope func(*tenantFile) map[string]bool, holds func(leaving, linked int) bool) *replica {
	return &replica{scope: scope, holds: holds, people: map[string]*person{}}
}

// forecast is what a cycle has to do.
type forecast struct {
	Create, Update, Disable, Restore, Delete, Held, Failed int

	writes traffic // the counts of writes by kind
}

// count makes a summary comparable with the forecast. What was looked at and
// left alone is not forecast: it depends on what a delta query happens to report.
func (c cycle) count() forecast {
	s := c.Summary
	return forecast{Create: s.Create, Update: s.Update, Disable: s.Disable, Restore: s.Restore, Delete: s.Delete, Held: s.Held, Failed: s.Failed}
}

// empty is true for values that do not flow: null, empty text, empty list.
func empty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	}
	return false
}

// image is a value in a form that can be compared.
func image(v any) string {
	raw, _ := json.Marshal(v) // decoded JSON
	return string(raw)
}

// flow sets what has a value in the source, and tells whether anything differs.
// An empty source value leaves the target as it is: flowNull is false by default.
func (p *person) flow(u user) (changed bool) {
	for _, name := range direct {
		if v := u[name]; !empty(v) && image(p.values[name]) != image(v) {
			p.values[name], changed = v, true
		}
	}
	return changed
}

// mailTaken tells whether somebody else in the target holds the address that a
// user is about to get: Graph then refuses the whole update.
func (r *replica) mailTaken(id string, u user) bool {
	mail := u.text("mail")
	if mail == "" || strings.EqualFold(mail, user(r.people[id].values).text("mail")) {
		return false
	}
	for other, p := range r.people {
		if other != id && p.where == waiting && strings.EqualFold(mail, user(p.values).text("mail")) {
			return true
		}
	}
	return false
}

// advance brings the replica to the source's present state, as one cycle has to.
func (r *replica) advance(source *tenantFile) forecast {
	var f forecast
	in, linked := r.entitled(source), 0
	refers := maps.Clone(in) // deletes come last: who leaves is still there when references are written
	leaving := []string{}
	for id, p := range r.people {
		if p.where != gone {
			linked++
			refers[id] = true
			if !in[id] {
				leaving = append(leaving, id)
			}
		}
	}
	held := r.holds(len(leaving), linked)
	for _, id := range leaving {
		r.people[id].where = waiting
	}
	for _, u := range source.Users {
		if in[u.id()] {
			r.bring(u, refers, held, &f)
		}
	}
	if held {
		f.Held = len(leaving)
		return f
	}
	r.remove(leaving)
	f.Delete, f.writes.Deletes = len(leaving), len(leaving)
	return f
}

// entitled is the scope less those who are not synchronized: guests, and users
// who are disabled when they are first seen.
func (r *replica) entitled(source *tenantFile) map[string]bool {
	in := r.scope(source)
	for _, u := range source.Users {
		p := r.people[u.id()]
		enabled, _ := u["accountEnabled"].(bool)
		if u.text("userType") == "Guest" || !enabled && (p == nil || p.where == gone) {
			delete(in, u.id())
		}
	}
	exists := everybody(source)
	maps.DeleteFunc(in, func(id string, _ bool) bool { return !exists[id] })
	return in
}

// bring makes one user in scope what it has to be.
func (r *replica) bring(u user, refers map[string]bool, held bool, f *forecast) {
	id := u.id()
	p := r.people[id]
	isNew := p == nil
	if isNew {
		upn := u.text("userPrincipalName")
		p = &person{address: upn, values: map[string]any{"mail": upn}} // Graph's mail for an invited user
		r.people[id] = p
	} else if held && r.mailTaken(id, u) {
		f.Failed++ // the address is free once the deletions are allowed
		return
	}
	was, wasEnabled := p.where, p.values["accountEnabled"] != false
	p.where = present
	changed := p.flow(u)
	manager := u.manager()
	if !refers[manager] {
		manager = ""
	}
	moved := p.manager != manager
	p.manager = manager
	if moved {
		f.writes.Managers++
	}
	switch {
	case isNew:
		f.Create++
		f.writes.Invitations++
		f.writes.Patches++
		return
	case was == gone:
		f.Restore++
		f.writes.Restores++
	case changed && wasEnabled && p.values["accountEnabled"] == false:
		f.Disable++
	case changed || moved:
		f.Update++
	}
	if changed {
		f.writes.Patches++
	}
}

// remove soft-deletes people in the target. Whoever they managed has no manager
// then, and gets the reference back when they come back.
func (r *replica) remove(ids []string) {
	for _, id := range ids {
		r.people[id].where = gone
		for _, p := range r.people {
			if p.manager == id {
				p.manager = ""
			}
		}
	}
}

// allow lets the held deletions happen, and returns whose they are.
func (r *replica) allow() []string {
	ids := r.waiting()
	r.remove(ids)
	return ids
}

// waiting lists the people whose deletion is held.
func (r *replica) waiting() []string {
	ids := []string{}
	for id, p := range r.people {
		if p.where == waiting {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// compare reports every difference between the replica and a tenant.
func (r *replica) compare(t *testing.T, where string, target tenantFile) {
	t.Helper()
	got := map[string]user{}
	for _, u := range target.Users {
		if u.home() == "" {
			continue // an account of the tenant's own
		}
		if got[u.home()] != nil {
			t.Errorf("%s: two users for source user %s: %s and %s", where, u.home(), got[u.home()].id(), u.id())
		}
		got[u.home()] = u
	}
	for id, p := range r.people {
		u := got[id]
		delete(got, id)
		if (p.where == gone) != (u == nil) {
			t.Errorf("%s: %s: in the target: %t, want %t", where, p.address, u != nil, p.where != gone)
			continue
		}
		if u != nil {
			p.compare(t, where+": "+p.address, u, r, target.initialDomain())
		}
	}
	for id, u := range got {
		t.Errorf("%s: %s is in the target, for source user %s, and should not be", where, u.text("userPrincipalName"), id)
	}
	if len(r.people) == 0 {
		t.Errorf("%s: nobody was compared", where)
	}
}

// compare reports where a target user is not what it has to be.
func (p *person) compare(t *testing.T, where string, u user, r *replica, domain string) {
	t.Helper()
	want := maps.Clone(p.values)
	want["userType"], want["showInAddressList"] = "Member", true
	want["creationType"], want["externalUserState"] = "Invitation", "PendingAcceptance"
	want["userPrincipalName"] = strings.ReplaceAll(p.address, "@", "_") + "#EXT#@" + domain
	for name, v := range u {
		if slices.Contains(ofGraph, name) {
			continue
		}
		if image(v) != image(want[name]) && !(empty(v) && empty(want[name])) {
			t.Errorf("%s: %s is %s, want %s", where, name, image(v), image(want[name]))
		}
		delete(want, name)
	}
	for name, v := range want {
		if !empty(v) {
			t.Errorf("%s: %s is missing, want %s", where, name, image(v))
		}
	}
	manager := ""
	if m := r.people[p.manager]; m != nil && m.where != gone {
		manager = m.targetID
	}
	if got := r.visible(u.manager()); got != manager {
		t.Errorf("%s: manager is %q, want %q", where, got, manager)
	}
	if addresses := image(u["proxyAddresses"]); !strings.Contains(strings.ToLower(addresses), `smtp:`+strings.ToLower(p.address)+`"`) {
		t.Errorf("%s: proxyAddresses are %s, want the invited address among them", where, addresses)
	}
	if p.targetID != u.id() {
		t.Errorf("%s: target id is %s, want %s", where, u.id(), p.targetID)
	}
}

// visible is a reference as Graph shows it: not while it leads to a deleted user.
func (r *replica) visible(targetID string) string {
	for _, p := range r.people {
		if p.targetID == targetID && p.where == gone {
			return ""
		}
	}
	return targetID
}

// learn notes the target ids of people who are new.
func (r *replica) learn(target tenantFile) {
	for _, u := range target.Users {
		if p := r.people[u.home()]; p != nil && p.targetID == "" {
			p.targetID = u.id()
		}
	}
}
