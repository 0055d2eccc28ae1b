package entrasim

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Options are the properties of a Cloud. The zero value is a Cloud without
// quotas, delays or faults.
type Options struct {
	// Seed drives every random choice: ids, secrets, replicas, shuffles.
	Seed uint64
	// Quota says whether requests are limited; the zero value does not limit.
	Quota Quota
	// Limits replaces the numbers of QuotaDocumented; nil keeps them.
	Limits *Limits
	// Faults are the deviations to play; see Fault.
	Faults []Fault

	// DeltaPageSize is the number of objects on a page of a delta round,
	// 200 when zero. MemberPageSize is the number of member references on one,
	// 1000 when zero.
	DeltaPageSize  int
	MemberPageSize int
	// ListPageDefault is the page size of a list without $top, 100 when zero.
	ListPageDefault int

	// ReplicationDelay is how long a new object answers 404 to reads and writes
	// by id after its creation was confirmed. With Replicas above one every
	// replica gets a delay of its own below it and each request meets a random
	// replica.
	ReplicationDelay time.Duration
	Replicas         int
	// StaleReads is how long a read by id may still show a user as it was before
	// its last change: every other read does.
	StaleReads time.Duration
	// DeltaLag is the age a change must have before delta queries report it.
	DeltaLag time.Duration

	// TokenLife is the life of an access token, one hour when zero;
	// DeltaTokenLife that of a delta token, seven days when zero.
	TokenLife      time.Duration
	DeltaTokenLife time.Duration

	// AutoRedeem accepts an invitation at once when both sides have automatic
	// redemption on. Without it a guest stays PendingAcceptance until
	// Tenant.Redeem, as Graph shows a guest who never signed in.
	AutoRedeem bool
	// WritableGuestNames lets PATCH change userPrincipalName and mailNickname of
	// external users; Graph refuses it, with some reports to the contrary.
	WritableGuestNames bool

	// JournalSize bounds Tenant.Journal, 10 000 entries when zero; negative
	// switches the journal off.
	JournalSize int
}

// Cloud is a set of simulated tenants behind one http.Handler. All methods may
// be called concurrently.
type Cloud struct {
	opts   Options
	key    []byte // signs tokens
	routes map[string][]route
	quota  *quota
	faults *faultSet

	rngMu sync.Mutex
	rng   *rand.Rand

	mu      sync.RWMutex
	tenants []*Tenant
	claims  map[string]*claims // verified access tokens
}

// New returns a Cloud without tenants.
func New(opts Options) *Cloud {
	setDefault(&opts.DeltaPageSize, 200)
	setDefault(&opts.MemberPageSize, 1000)
	setDefault(&opts.ListPageDefault, 100)
	setDefault(&opts.Replicas, 1)
	setDefault(&opts.TokenLife, time.Hour)
	setDefault(&opts.DeltaTokenLife, 7*24*time.Hour)
	setDefault(&opts.JournalSize, 10_000)
	c := &Cloud{
		opts:   opts,
		routes: routeTable(),
		rng:    rand.New(rand.NewPCG(opts.Seed, 0x746e616e747379)),
		claims: map[string]*claims{},
	}
	sum := hmac.New(sha256.New, []byte(c.newID()))
	fmt.Fprint(sum, time.Now().UnixNano())
	c.key = sum.Sum(nil)
	c.quota = newQuota(opts.Quota, opts.Limits)
	c.faults = newFaultSet(opts.Faults)
	return c
}

func setDefault[T int | time.Duration](p *T, v T) {
	if *p == 0 {
		*p = v
	}
}

// ErrTenantExists reports a second tenant of one name or one tenant id.
var ErrTenantExists = errors.New("tenant exists already")

// AddTenant creates a tenant with the state of a file. What the file leaves out
// gets Graph's defaults; a file with nothing but an organization (or nothing at
// all) is an empty tenant whose policies allow synchronization with every other
// tenant of the Cloud, in both directions.
func (c *Cloud) AddTenant(name string, f File) (*Tenant, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := newTenant(c, name, f)
	if err != nil {
		return nil, fmt.Errorf("tenant %q: %w", name, err)
	}
	for _, other := range c.tenants {
		if strings.EqualFold(other.Name, name) || other.ID == t.ID {
			return nil, fmt.Errorf("tenant %q: %w", name, ErrTenantExists)
		}
	}
	for _, other := range c.tenants {
		other.befriend(t)
		t.befriend(other)
	}
	c.tenants = append(c.tenants, t)
	return t, nil
}

// Tenant finds a tenant by its name, its tenant id or one of its verified domains.
func (c *Cloud) Tenant(name string) (*Tenant, bool) {
	for _, t := range c.Tenants() {
		if strings.EqualFold(t.Name, name) || strings.EqualFold(t.ID, name) {
			return t, true
		}
	}
	t := c.tenantOfDomain(name)
	return t, t != nil
}

// Tenants returns the tenants in the order of their creation.
func (c *Cloud) Tenants() []*Tenant {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.tenants[:len(c.tenants):len(c.tenants)]
}

// SetFaults replaces the faults and starts their counting anew.
func (c *Cloud) SetFaults(faults []Fault) { c.faults.replace("", faults) }

// tenantOfDomain finds the tenant that has verified a domain.
func (c *Cloud) tenantOfDomain(domain string) *Tenant {
	for _, t := range c.Tenants() {
		if t.hasDomain(domain) {
			return t
		}
	}
	return nil
}

// home is where an invited address belongs: the user of another tenant of the
// Cloud, with every address that leads to the same account.
type home struct {
	tenant    *Tenant
	userID    string
	addresses []string // lower case
}

// field is how a guest remembers its home.
func (h home) field() Field {
	return Field{"homeIdentity", `{"id":` + quote(h.userID) + `,"tenantId":` + quote(h.tenant.ID) + `}`}
}

// homeOf resolves an address. The zero home says that no tenant of the Cloud
// has the address's domain; a home without user id that the tenant has no such
// user.
func (c *Cloud) homeOf(address string) home {
	_, domain, _ := strings.Cut(address, "@")
	t := c.tenantOfDomain(domain)
	if t == nil {
		return home{}
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, o := range t.holders(address) {
		if o.kind == kindUser && o.state == stateActive && !o.external() &&
			(strings.EqualFold(o.text("userPrincipalName"), address) || o.holdsProxy(address)) {
			h := home{tenant: t, userID: o.id}
			for _, a := range o.addresses() {
				if strings.EqualFold(o.text("userPrincipalName"), a) || o.holdsProxy(a) {
					h.addresses = append(h.addresses, a)
				}
			}
			return h
		}
	}
	return home{tenant: t}
}

// newID returns a random id in GUID form, the same sequence for the same seed.
func (c *Cloud) newID() string {
	c.rngMu.Lock()
	defer c.rngMu.Unlock()
	return formatID(c.rng.Uint64(), c.rng.Uint64())
}

func (c *Cloud) random(n int) int {
	c.rngMu.Lock()
	defer c.rngMu.Unlock()
	return c.rng.IntN(n)
}

func (c *Cloud) shuffle(items [][]byte) {
	c.rngMu.Lock()
	defer c.rngMu.Unlock()
	c.rng.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
}

func (c *Cloud) randomFloat() float64 {
	c.rngMu.Lock()
	defer c.rngMu.Unlock()
	return c.rng.Float64()
}

// formatID writes 128 bits as a version 4 GUID.
func formatID(hi, lo uint64) string {
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(3<<62) | 2<<62
	b := make([]byte, 0, 36)
	for i := 60; i >= 0; i -= 4 {
		b = append(b, hexDigits[hi>>i&15])
		if i == 32 || i == 16 || i == 0 {
			b = append(b, '-')
		}
	}
	for i := 60; i >= 0; i -= 4 {
		b = append(b, hexDigits[lo>>i&15])
		if i == 48 {
			b = append(b, '-')
		}
	}
	return string(b)
}

// isID reports whether s has the form of a GUID.
func isID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}

// baseOf splits the URL clients are given, such as https://127.0.0.1:9443/v1.0,
// into the root all links are built from.
func baseOf(u *url.URL) string { return u.Scheme + "://" + u.Host }
