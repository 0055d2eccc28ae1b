package entrasim

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Quota says whether the simulation throttles.
type Quota string

// The quotas there are.
const (
	QuotaOff        Quota = "off"        // no limit; the zero value means the same
	QuotaDocumented Quota = "documented" // the limits Microsoft documents, see DocumentedLimits
)

// Limit is a token bucket: N units that refill over Per.
type Limit struct {
	N   float64
	Per time.Duration
}

// Limits are the numbers of a quota. A zero Limit does not limit.
type Limits struct {
	UnitsSmall  Limit // resource units of an app in a tenant below 50 users
	UnitsMedium Limit // 50 to 500 users
	UnitsLarge  Limit // more
	UnitsApp    Limit // resource units of an app over all tenants

	WritesAppTenant Limit
	WritesApp       Limit // over all tenants
	WritesTenant    Limit // over all apps
	Invitations     Limit // of a tenant, over all apps
	Audit           Limit // of an app in a tenant

	// InvitationsAreWrites charges an invitation to the write limits as well; the
	// documentation does not say whether Graph does.
	InvitationsAreWrites bool
	// Debt is how far refused calls, which keep counting, may drive a bucket below
	// zero, as a share of its size.
	Debt float64
	// HintFrom is the use of a bucket from which x-ms-throttle-limit-percentage
	// is sent.
	HintFrom float64
}

// DocumentedLimits returns the limits of the identity and access services:
// https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits
func DocumentedLimits() Limits {
	return Limits{
		UnitsSmall:  Limit{3500, 10 * time.Second},
		UnitsMedium: Limit{5000, 10 * time.Second},
		UnitsLarge:  Limit{8000, 10 * time.Second},
		UnitsApp:    Limit{150_000, 20 * time.Second},

		WritesAppTenant: Limit{3000, 150 * time.Second},
		WritesApp:       Limit{70_000, 300 * time.Second},
		WritesTenant:    Limit{18_000, 300 * time.Second},
		Invitations:     Limit{150, 5 * time.Second},
		Audit:           Limit{5, 10 * time.Second},

		InvitationsAreWrites: true,
		Debt:                 0.01,
		HintFrom:             0.8,
	}
}

// quota holds the buckets of a Cloud.
type quota struct {
	limits Limits
	on     bool

	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	level float64
	last  time.Time
}

func newQuota(q Quota, limits *Limits) *quota {
	out := &quota{on: q == QuotaDocumented, limits: DocumentedLimits(), buckets: map[string]*bucket{}}
	if limits != nil {
		out.limits = *limits
		out.on = out.on || q == ""
	}
	return out
}

// charge is one bucket a call draws from.
type charge struct {
	key    string
	limit  Limit
	amount float64
	scope  string // x-ms-throttle-scope, without the ids
	reason string // x-ms-throttle-information
}

// take charges a call. It returns headers for the answer and, when a bucket is
// empty, the 429 to give instead of performing the call.
func (q *quota) take(x *call) (map[string]string, *answer) {
	units := x.units()
	headers := map[string]string{"x-ms-resource-unit": strconv.Itoa(units)}
	if !q.on || x.route.kind == "batch" {
		return headers, nil
	}
	charges := q.charges(x, float64(units))
	q.mu.Lock()
	defer q.mu.Unlock()
	var worst time.Duration
	var by *charge
	use := 0.0
	for i := range charges {
		c := &charges[i]
		b := q.fill(c, x.now)
		if b.level < c.amount {
			if wait := c.limit.wait(c.amount - b.level); by == nil || wait > worst {
				worst, by = wait, c
			}
		}
		use = max(use, 1-(b.level-c.amount)/c.limit.N)
	}
	for i := range charges {
		c := &charges[i]
		b := q.buckets[c.key]
		b.level -= c.amount
		if by != nil {
			b.level = max(b.level, -q.limits.Debt*c.limit.N)
		}
	}
	if use > q.limits.HintFrom {
		headers["x-ms-throttle-limit-percentage"] = fmt.Sprintf("%.1f", min(max(use, 0.8), 1.8))
	}
	if by == nil {
		return headers, nil
	}
	x.tenant.counts.throttled()
	a := x.fail(http.StatusTooManyRequests, "TooManyRequests", "Too many requests from the application. Please wait before retrying.")
	headers["Retry-After"] = seconds(worst)
	headers["x-ms-throttle-scope"] = by.scope + "/" + x.claims.AppID + "/" + x.tenant.ID
	headers["x-ms-throttle-information"] = by.reason
	a.header = headers
	return headers, &a
}

// charges lists the buckets a call draws from.
func (q *quota) charges(x *call, units float64) []charge {
	app, tenant := x.claims.AppID, x.tenant.ID
	l := &q.limits
	out := []charge{
		{"unit/" + app + "/" + tenant, l.unitsFor(x.tenant.size()), units, "Tenant_Application/ReadWrite", "ResourceUnitLimitExceeded"},
		{"unit/" + app, l.UnitsApp, units, "Application/ReadWrite", "ResourceUnitLimitExceeded"},
	}
	if x.route.kind == "invite" {
		out = append(out, charge{"invite/" + tenant, l.Invitations, 1, "Tenant/Write", "WriteLimitExceeded"})
	}
	if x.route.kind == "listProvisioning" {
		out = append(out, charge{"audit/" + app + "/" + tenant, l.Audit, 1, "Tenant_Application/Read", "ResourceUnitLimitExceeded"})
	}
	if x.route.write && (x.route.kind != "invite" || l.InvitationsAreWrites) {
		out = append(out,
			charge{"write/" + app + "/" + tenant, l.WritesAppTenant, 1, "Tenant_Application/Write", "WriteLimitExceeded"},
			charge{"write/" + app, l.WritesApp, 1, "Application/Write", "WriteLimitExceeded"},
			charge{"write//" + tenant, l.WritesTenant, 1, "Tenant/Write", "WriteLimitExceeded"})
	}
	kept := out[:0]
	for _, c := range out {
		if c.limit.N > 0 && c.limit.Per > 0 {
			kept = append(kept, c)
		}
	}
	return kept
}

func (l *Limits) unitsFor(users int) Limit {
	switch {
	case users < 50:
		return l.UnitsSmall
	case users <= 500:
		return l.UnitsMedium
	default:
		return l.UnitsLarge
	}
}

// wait is how long the bucket takes to gain so many units.
func (l Limit) wait(units float64) time.Duration {
	return time.Duration(units / l.N * float64(l.Per))
}

// fill brings a bucket up to now.
func (q *quota) fill(c *charge, now time.Time) *bucket {
	b := q.buckets[c.key]
	if b == nil {
		b = &bucket{level: c.limit.N, last: now}
		q.buckets[c.key] = b
	}
	if d := now.Sub(b.last); d > 0 {
		b.level = min(c.limit.N, b.level+c.limit.N*float64(d)/float64(c.limit.Per))
		b.last = now
	}
	return b
}

// units is the cost of a call in resource units.
func (x *call) units() int {
	n := x.route.cost
	if x.method == http.MethodGet {
		if x.query.Has("$select") {
			n--
		}
		if x.query.Has("$expand") {
			n++
		}
		if top, err := strconv.Atoi(x.query.Get("$top")); err == nil && top < 20 {
			n--
		}
	}
	return max(n, 1)
}

func (t *Tenant) size() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.users.live
}

// pathOnly drops the query of a batch item's URL.
func pathOnly(raw string) (path string, query url.Values, err error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", nil, err
	}
	query, err = parseQuery(u.RawQuery)
	return u.EscapedPath(), query, err
}
