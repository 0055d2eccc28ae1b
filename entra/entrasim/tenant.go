package entrasim

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// Tenant is one simulated directory. All methods may be called concurrently.
type Tenant struct {
	// ID is the tenant id, Name the name it was added under.
	ID   string
	Name string
	// AppID and Secret are the client credentials of the tenant's first
	// application: the file's, or one generated with every permission a
	// synchronization needs in either direction.
	AppID  string
	Secret string

	cloud *Cloud

	mu    sync.RWMutex
	clock uint64 // sequence number of the last change

	objects map[string]*object   // every user, group and contact, purged ones too
	byAddr  map[string][]*object // by address in lower case and by home account
	users   collection
	groups  collection
	deleted []*object // soft-deleted users, oldest first
	log     changeLog

	organization Object
	domains      []string // verified, lower case
	initial      string   // the initial domain, as written
	apps         []*application
	generatedApp bool
	principals   []Object
	roles        []Object
	roleHolders  map[string]bool
	contacts     []string
	extensions   extensions
	policies     policies
	openPartners bool // an empty tenant: every other tenant becomes a partner

	deltaEpoch int64 // tokens of another epoch are expired

	counts  counter
	journal journal
}

// collection is the objects of one kind in the order of their creation, the
// order of lists and of first delta rounds.
type collection struct {
	items []*object // ascending order; purged ones are compacted away
	live  int
	gone  int
}

func (l *collection) add(o *object) {
	l.items = append(l.items, o)
	l.live++
}

// after returns the objects whose order is above n.
func (l *collection) after(n uint64) []*object {
	i := sort.Search(len(l.items), func(i int) bool { return l.items[i].order > n })
	return l.items[i:]
}

// purged notes that one object is gone and compacts when most are.
func (l *collection) purged() {
	l.gone++
	if l.gone > 64 && l.gone > len(l.items)/2 {
		l.items = slices.DeleteFunc(slices.Clone(l.items), func(o *object) bool { return o.state == statePurged })
		l.gone = 0
	}
}

// newTenant builds a tenant from a file. The caller holds the Cloud's lock.
func newTenant(c *Cloud, name string, f File) (*Tenant, error) {
	if name == "" {
		return nil, fmt.Errorf("a tenant needs a name")
	}
	t := &Tenant{
		Name:        name,
		cloud:       c,
		objects:     map[string]*object{},
		byAddr:      map[string][]*object{},
		roleHolders: map[string]bool{},
		deltaEpoch:  time.Now().UnixNano(),
	}
	t.counts.init()
	t.journal.limit = c.opts.JournalSize
	t.openPartners = f.empty()
	t.policies = defaultPolicies()
	if err := t.setOrganization(f.Organization); err != nil {
		return nil, err
	}
	if f.Applications == nil {
		t.apps = []*application{newApplication(c.newID(), "sim~"+strings.ReplaceAll(c.newID(), "-", ""), syncPermissions())}
		t.generatedApp = true
	}
	if _, err := t.load(f); err != nil {
		return nil, err
	}
	t.journal.entries = nil
	if len(t.apps) > 0 {
		t.AppID, t.Secret = t.apps[0].id, t.apps[0].secret
	}
	return t, nil
}

// setOrganization takes the organization of a file and fills what it lacks.
func (t *Tenant) setOrganization(o Object) error {
	if t.ID == "" {
		t.ID = strings.ToLower(o.ID())
		if t.ID == "" {
			t.ID = t.cloud.newID()
		}
	}
	if id := o.ID(); id != "" && !strings.EqualFold(id, t.ID) {
		return fmt.Errorf("organization.id: the tenant is %s, the file says %s", t.ID, id)
	}
	if !isID(t.ID) {
		return fmt.Errorf("organization.id: %q is not a GUID", t.ID)
	}
	o = o.with("id", quote(t.ID))
	if o.String("displayName") == "" {
		o = o.with("displayName", quote(t.Name))
	}
	if isEmpty(o.Raw("verifiedDomains")) {
		domain := quote(domainLabel(t.Name) + ".onmicrosoft.com")
		o = o.with("verifiedDomains", `[{"capabilities":"Email, OfficeCommunicationsOnline","isDefault":true,"isInitial":true,"name":`+domain+`,"type":"Managed"}]`)
	}
	var domains []string
	initial := ""
	err := eachElement(o.Raw("verifiedDomains"), func(i int, raw string) error {
		name := memberString(raw, "name")
		if name == "" {
			return fmt.Errorf("organization.verifiedDomains[%d].name: a domain name is expected", i)
		}
		if slices.Contains(domains, strings.ToLower(name)) {
			return fmt.Errorf("organization.verifiedDomains[%d].name: %q occurs twice", i, name)
		}
		domains = append(domains, strings.ToLower(name))
		if member(raw, "isInitial") == "true" {
			initial = name
		}
		return nil
	})
	if err != nil {
		return err
	}
	if initial == "" {
		initial = domains[0]
	}
	t.organization, t.domains, t.initial = o, domains, initial
	return nil
}

// domainLabel makes a DNS label of a tenant's name.
func domainLabel(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return "tenant"
	}
	return b.String()
}

func (t *Tenant) hasDomain(domain string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Contains(t.domains, strings.ToLower(domain))
}

// holders returns every object that has an address in any role. The caller
// holds the lock.
func (t *Tenant) holders(address string) []*object { return t.byAddr[strings.ToLower(address)] }

// userByName finds a user by id or logon name, whatever its state. The caller
// holds the lock.
func (t *Tenant) userByName(name string) *object {
	if o := t.objects[strings.ToLower(name)]; o != nil && o.kind == kindUser {
		return o
	}
	if !strings.Contains(name, "@") {
		return nil
	}
	for _, o := range t.holders(name) {
		if o.kind == kindUser && o.state == stateActive && strings.EqualFold(o.text("userPrincipalName"), name) {
			return o
		}
	}
	return nil
}

// get finds an object of a kind by id. The caller holds the lock.
func (t *Tenant) get(k objectKind, id string) *object {
	if o := t.objects[strings.ToLower(id)]; o != nil && o.kind == k {
		return o
	}
	return nil
}

// insert adds a new object with the given properties and reports it to delta
// queries. The caller holds the lock and has checked uniqueness.
func (t *Tenant) insert(k objectKind, id string, fields []Field) *object {
	t.clock++
	o := &object{kind: k, id: id, order: t.clock, fullSeq: t.clock, born: time.Now()}
	o.props = make([]prop, 0, len(fields)+1)
	s := schemaFor(k)
	for _, f := range fields {
		o.props = append(o.props, prop{s.intern(f.Name), f.Raw, t.clock})
		t.extensions.learned(f.Name, f.Raw)
	}
	if _, ok := o.findUnsorted("id"); !ok {
		o.props = append(o.props, prop{"id", quote(id), t.clock})
	}
	sort.Slice(o.props, func(i, j int) bool { return o.props[i].name < o.props[j].name })
	t.objects[strings.ToLower(id)] = o
	switch k {
	case kindUser:
		t.users.add(o)
	case kindGroup:
		o.members = newMemberSet()
		t.groups.add(o)
	}
	t.index(o)
	t.touch(o)
	return o
}

func (o *object) findUnsorted(name string) (int, bool) {
	i := slices.IndexFunc(o.props, func(p prop) bool { return p.name == name })
	return i, i >= 0
}

// touch records that an object changed at the present sequence number.
func (t *Tenant) touch(o *object) {
	o.seq = t.clock
	t.log.add(o, t.cloud.opts.DeltaLag)
}

// index enters an object under its keys; unindex takes it out.
func (t *Tenant) index(o *object) {
	for _, a := range o.indexKeys() {
		t.byAddr[a] = append(t.byAddr[a], o)
	}
}

func (t *Tenant) unindex(o *object) {
	for _, a := range o.indexKeys() {
		rest := slices.DeleteFunc(slices.Clone(t.byAddr[a]), func(x *object) bool { return x == o })
		if len(rest) == 0 {
			delete(t.byAddr, a)
		} else {
			t.byAddr[a] = rest
		}
	}
}

// isAddressProperty reports whether a property feeds the address index.
func isAddressProperty(name string) bool {
	return name == "mail" || name == "homeIdentity" || name == "otherMails" || name == "proxyAddresses" || name == "userPrincipalName"
}

// set changes properties of an object in one act; equal values change nothing.
// It reports whether anything changed. The caller holds the lock.
func (t *Tenant) set(o *object, fields []Field) bool {
	var changed []Field
	addresses := false
	for _, f := range fields {
		if sameJSON(o.raw(f.Name), f.Raw) {
			continue
		}
		changed = append(changed, f)
		addresses = addresses || isAddressProperty(f.Name)
	}
	if len(changed) == 0 {
		return false
	}
	if addresses {
		t.unindex(o)
	}
	if t.cloud.opts.StaleReads > 0 {
		o.before, o.changedAt = slices.Clone(o.props), time.Now()
	}
	t.clock++
	s := schemaFor(o.kind)
	for _, f := range changed {
		o.put(s.intern(f.Name), f.Raw, t.clock)
		t.extensions.learned(f.Name, f.Raw)
	}
	if addresses {
		t.index(o)
	}
	t.touch(o)
	return true
}

// retention is how long a soft-deleted user can be restored.
const retention = 30 * 24 * time.Hour

// softDelete moves a user to the recycle bin.
func (t *Tenant) softDelete(o *object, at time.Time) {
	t.clock++
	o.state, o.goneSeq, o.deletedAt = stateDeleted, t.clock, at.UTC()
	o.put("deletedDateTime", quote(timestamp(at)), t.clock)
	t.users.live--
	t.deleted = append(t.deleted, o)
	if n := len(t.deleted); n > 1 && t.deleted[n-2].deletedAt.After(at) {
		sort.SliceStable(t.deleted, func(i, j int) bool { return t.deleted[i].deletedAt.Before(t.deleted[j].deletedAt) })
	}
	t.touch(o)
}

// restore brings a user back with its id, properties and memberships.
func (t *Tenant) restore(o *object) {
	t.clock++
	t.forgetDeleted(o)
	o.state, o.fullSeq, o.deletedAt = stateActive, t.clock, time.Time{}
	o.drop("deletedDateTime")
	t.users.live++
	t.touch(o)
}

func (t *Tenant) forgetDeleted(o *object) {
	if i := slices.Index(t.deleted, o); i >= 0 {
		t.deleted = slices.Delete(t.deleted, i, i+1)
	}
}

// purge removes an object for good: its addresses are free again, its
// memberships and the references to it end.
func (t *Tenant) purge(o *object) {
	if o.state == stateActive {
		t.collectionOf(o.kind).live--
	}
	t.forgetDeleted(o)
	t.unindex(o)
	t.clock++
	o.state, o.goneSeq = statePurged, t.clock
	o.props = nil
	t.collectionOf(o.kind).purged()
	t.touch(o)
	for _, g := range t.groups.items {
		if g.state == stateActive && g.members.has(o.id) {
			t.removeMember(g, o.id)
		}
	}
	if o.kind != kindGroup {
		for _, u := range t.users.items {
			if u.manager == o.id {
				t.setManager(u, "")
			}
		}
	}
}

func (t *Tenant) collectionOf(k objectKind) *collection {
	switch k {
	case kindUser:
		return &t.users
	case kindGroup:
		return &t.groups
	default:
		return &collection{} // contacts have no list of their own
	}
}

// purgeExpired drops the users whose 30 days in the recycle bin are over.
func (t *Tenant) purgeExpired(now time.Time) {
	for len(t.deleted) > 0 && now.Sub(t.deleted[0].deletedAt) >= retention {
		t.purge(t.deleted[0])
	}
}

// setManager sets or clears (id "") a manager; the same one changes nothing.
func (t *Tenant) setManager(o *object, id string) bool {
	if o.manager == id {
		return false
	}
	t.clock++
	if o.manager != "" {
		o.oldManager = o.manager
	}
	o.manager, o.managerSeq = id, t.clock
	t.touch(o)
	return true
}

// timestamp writes a time as Graph does.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
