package entrasim

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Counts is what a tenant was asked since it was created or reset.
type Counts struct {
	// Requests counts HTTP requests to Graph; a batch is one, token requests and
	// the administrators' door are none. Batches counts those that were batches.
	Requests int `json:"requests"`
	Batches  int `json:"batches"`
	// Reads and Writes count operations by their kind, those inside batches one
	// by one: getUser, usersDelta, invite, updateUser, putManager … A write counts
	// whatever came of it; Refused counts the writes answered with an error.
	Reads   map[string]int `json:"reads"`
	Writes  map[string]int `json:"writes"`
	Refused int            `json:"refused"`
	// Throttled counts the 429 answers.
	Throttled int `json:"throttled"`
	// MaxWritesIn10s is the largest number of writes seen within any 10 seconds,
	// by application id.
	MaxWritesIn10s map[string]int `json:"maxWritesIn10s"`
}

// TotalWrites sums the writes of all kinds.
func (c Counts) TotalWrites() int {
	n := 0
	for _, v := range c.Writes {
		n += v
	}
	return n
}

// TotalReads sums the reads of all kinds.
func (c Counts) TotalReads() int {
	n := 0
	for _, v := range c.Reads {
		n += v
	}
	return n
}

// rateWindow is the span MaxWritesIn10s looks at.
const rateWindow = 10 * time.Second

// counter is the live form of Counts.
type counter struct {
	mu     sync.Mutex
	counts Counts
	recent map[string][]time.Time
}

func (c *counter) init() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = Counts{Reads: map[string]int{}, Writes: map[string]int{}, MaxWritesIn10s: map[string]int{}}
	c.recent = map[string][]time.Time{}
}

func (c *counter) request() {
	c.mu.Lock()
	c.counts.Requests++
	c.mu.Unlock()
}

func (c *counter) throttled() {
	c.mu.Lock()
	c.counts.Throttled++
	c.mu.Unlock()
}

// add counts one operation.
func (c *counter) add(x *call, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case x.route.kind == "batch":
		c.counts.Batches++
	case !x.route.write:
		c.counts.Reads[x.route.kind]++
	default:
		c.counts.Writes[x.route.kind]++
		if status >= http.StatusBadRequest {
			c.counts.Refused++
		}
		app := x.claims.AppID
		recent := append(c.recent[app], x.now)
		for len(recent) > 0 && x.now.Sub(recent[0]) >= rateWindow {
			recent = recent[1:]
		}
		c.recent[app] = recent
		c.counts.MaxWritesIn10s[app] = max(c.counts.MaxWritesIn10s[app], len(recent))
	}
}

// Counts returns what the tenant was asked so far.
func (t *Tenant) Counts() Counts {
	t.counts.mu.Lock()
	defer t.counts.mu.Unlock()
	out := t.counts.counts
	out.Reads, out.Writes = maps.Clone(out.Reads), maps.Clone(out.Writes)
	out.MaxWritesIn10s = maps.Clone(out.MaxWritesIn10s)
	return out
}

// ResetCounts starts counting from zero.
func (t *Tenant) ResetCounts() { t.counts.init() }

// Entry is one write in the journal.
type Entry struct {
	Time   time.Time `json:"time"`
	AppID  string    `json:"appId"`
	Kind   string    `json:"kind"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Body   string    `json:"body,omitempty"`
	Status int       `json:"status"`
	Code   string    `json:"code,omitempty"`
}

// journal is the latest writes, oldest first.
type journal struct {
	mu      sync.Mutex
	limit   int // negative: off
	entries []Entry
}

func (j *journal) add(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) >= 2*j.limit {
		j.entries = slices.Clone(j.entries[len(j.entries)-j.limit:]) // what was handed out stays as it is
	}
	j.entries = append(j.entries, e)
}

// Journal returns the latest writes, oldest first, at most Options.JournalSize. The
// slice must not be changed.
func (t *Tenant) Journal() []Entry {
	t.journal.mu.Lock()
	defer t.journal.mu.Unlock()
	from := 0
	if n := len(t.journal.entries); t.journal.limit >= 0 && n > t.journal.limit {
		from = n - t.journal.limit
	}
	return slices.Clip(t.journal.entries[from:])
}

// record counts an operation and enters a write into the journal.
func (t *Tenant) record(x *call, a answer) {
	t.counts.add(x, a.status)
	if !x.route.write || t.journal.limit < 0 {
		return
	}
	t.journal.add(Entry{
		Time: x.now, AppID: x.claims.AppID, Kind: x.route.kind, Method: x.method, Path: x.path,
		Body: string(x.body), Status: a.status, Code: a.code,
	})
}
