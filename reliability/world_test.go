package reliability_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

// The jobs of a world: the first always, the others where the setup asks for them.
const (
	firstJob   = "contoso-to-fabrikam"
	secondJob  = "second"
	reverseJob = "fabrikam-to-contoso"
)

// When deferred steps happen.
const (
	onRequest = iota
	onCommit
)

// world is one run: the tenants, the process that synchronizes them, and what is
// known for certain of both.
type world struct {
	script  Script
	dir     string
	verbose bool
	began   time.Time
	base    *url.URL

	cloud          *entrasim.Cloud
	source, target *entrasim.Tenant
	job            Settings // of the first job, as configured now
	jobs           []string // enabled, in the order of the configuration
	p              *process
	truth          *truth
	cycles         []cycle
	faults         []entrasim.Fault // in play until the end of the next cycle
	lasting        []entrasim.Fault // in play until the faults stop

	mu       sync.Mutex
	armed    []Step      // deferred into the next cycle
	pending  []Step      // deferred into the cycle under way
	requests int         // of the cycle under way
	running  bool        // a cycle is under way
	saved    time.Time   // when the backup of the state was made, zero: there is none
	old      []string    // jobs that have not come to the end of a cycle since a state was put back
	ran      bool        // the state remembers that a cycle of the second job has ended
	ranThen  bool        // so did the backup
	full     bool        // a commit of the cycle under way found no space
	commit   time.Time   // the last one that was made
	approved []string    // target users whose deletion was let go since the cycle under way began
	lost     []time.Time // when requests ended of whose effect nothing was learned
	story    []string
	broken   []string // invariants found broken while running
}

// cycle is what is known of one cycle that was run.
type cycle struct {
	job           string
	began, ended  time.Time
	journal, upto int // its part of the target's journal
	initial       bool
	dead, stopped bool
	request       engine.SyncRequest
	result        engine.SyncResult
	resumed       time.Time // when the reading began, if a cycle before was stopped
	full          bool      // a commit found no space
	old           bool      // it is the first to compare everybody over a state that was put back
	decided       decisions // what had been decided when it began
	commit        time.Time // the last one that was made, before the end or in it
	threshold     int       // of deletions: the highest that was set while it ran
	approved      []string  // target users whose deletion was let go while it ran
}

// process is the program between its start and its end.
type process struct {
	w                *world
	ctx              context.Context
	cancel           context.CancelFunc
	dead             atomic.Bool
	st               *disk
	engine           *engine.Engine
	sourceC, targetC *entra.Client
	there, back      *entra.Budget
	wg               sync.WaitGroup
}

// newWorld builds the tenants and starts the first process. It runs inside a bubble.
func newWorld(t testing.TB, script Script, dir string, verbose bool) *world {
	s := script.Setup
	o := entrasim.Options{Seed: script.Seed + 1, DeltaPageSize: s.PageSize, AutoRedeem: s.AutoRedeem, ReplicationDelay: time.Duration(s.Replication),
		Replicas: s.Replicas, StaleReads: time.Duration(s.Stale), MemberPageSize: s.MemberPage, DeltaLag: time.Duration(s.DeltaLag), TokenLife: time.Duration(s.TokenLife), JournalSize: 100_000}
	if s.Quota {
		o.Quota = entrasim.QuotaDocumented
	}
	w := &world{script: script, dir: dir, verbose: verbose, began: time.Now(), cloud: entrasim.New(o), job: s.Job,
		base: &url.URL{Scheme: "https", Host: "graph.simulation.example"}}
	w.source = w.tenant(t, "contoso", `{"organization": {"id": "11111111-1111-4111-8111-111111111111", "displayName": "Contoso", "verifiedDomains": [
		{"name": "contoso.onmicrosoft.com", "isInitial": true}, {"name": "contoso.example", "isDefault": true}]}}`)
	w.target = w.tenant(t, "fabrikam", `{"organization": {"id": "22222222-2222-4222-8222-222222222222", "displayName": "Fabrikam", "verifiedDomains": [
		{"name": "fabrikam.onmicrosoft.com", "isInitial": true}, {"name": "fabrikam.example", "isDefault": true}]}}`)
	w.truth = newTruth(w)
	w.populate(t)
	w.jobs = []string{firstJob}
	if s.Second {
		w.jobs = append(w.jobs, secondJob)
	}
	if s.Reverse {
		w.jobs = append(w.jobs, reverseJob)
	}
	w.must(t, w.start())
	w.truth.observe()
	return w
}

func (w *world) must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("seed %d: the world cannot be built: %v", w.script.Seed, err)
	}
}

func (w *world) tenant(t testing.TB, name, text string) *entrasim.Tenant {
	file, err := entrasim.ParseFile(strings.NewReader(text))
	w.must(t, err)
	tenant, err := w.cloud.AddTenant(name, file)
	w.must(t, err)
	return tenant
}

// populate fills the source, and gives the target people and things of its own.
func (w *world) populate(t testing.TB) {
	for n := 1; n <= w.script.Setup.Users; n++ {
		w.must(t, w.hire(n, upn(n), nil))
	}
	for n := 1; n <= w.script.Setup.Groups; n++ {
		var members []string
		for u := 1; u <= w.script.Setup.Users; u++ {
			if (u+n)%3 != 0 || n == 1 && u%7 != 0 {
				members = append(members, userID(u))
			}
		}
		w.must(t, w.group(n, members))
	}
	for n := 1; n <= 3; n++ {
		_, err := w.target.CreateUser(map[string]any{"id": localID(n), "userPrincipalName": fmt.Sprintf("local%d@fabrikam.example", n),
			"displayName": fmt.Sprintf("Local %d", n), "mail": fmt.Sprintf("local%d@fabrikam.example", n), "department": "Home"})
		w.must(t, err)
	}
}

// userID is the id of the n-th source user, groupID of the n-th source group,
// localID of the n-th user that the target has of its own.
func userID(n int) string  { return fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", n) }
func groupID(n int) string { return fmt.Sprintf("bbbbbbbb-0000-4000-8000-%012d", n) }
func localID(n int) string { return fmt.Sprintf("cccccccc-0000-4000-8000-%012d", n) }

// upn is the user principal name that the n-th source user begins with.
func upn(n int) string { return fmt.Sprintf("u%d@contoso.example", n) }

// start begins a process over the state file.
func (w *world) start() error {
	p := &process{w: w, there: entra.NewBudget(w.writes()), back: entra.NewBudget(w.writes())}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	st, err := bolt.Open(w.statePath(), bolt.Options{NoSync: true})
	if err != nil {
		return err
	}
	p.st = &disk{Store: st, p: p}
	if p.sourceC, err = p.client(w.source); err != nil {
		return err
	}
	if p.targetC, err = p.client(w.target); err != nil {
		return err
	}
	p.engine, err = engine.New(engine.Options{Jobs: p.jobs(), Store: p.st,
		Scratch: func(context.Context) (store.Store, error) { return bolt.Scratch(w.dir) }})
	w.p = p
	return err
}

func (w *world) statePath() string { return filepath.Join(w.dir, "state.db") }

func (w *world) writes() float64 {
	if w.script.Setup.Writes > 0 {
		return w.script.Setup.Writes
	}
	return 18
}

func (p *process) client(t *entrasim.Tenant) (*entra.Client, error) {
	return entra.New(entra.Config{Name: t.Name, TenantID: t.ID, Jitter: p.random,
		Credential: entra.Credential{Kind: entra.SecretCredential, ClientID: t.AppID, Secret: t.Secret},
		Transport:  &network{p: p, next: p.w.cloud.Transport(p.w.base)}, Graph: p.w.base.String() + "/v1.0", Authority: p.w.base.String()})
}

// random spreads retries: numbers that depend on the moment and not on who asks first.
func (p *process) random() float64 {
	x := uint64(time.Since(p.w.began)) ^ p.w.script.Seed*0x9e3779b97f4a7c15
	x ^= x >> 31
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	return float64(x%1000) / 1000
}

// stop ends a process that is not dead in good order.
func (w *world) stop() error {
	w.p.cancel()
	w.p.wg.Wait()
	return w.p.st.Close()
}

// restart begins another process, after a crash or not.
func (w *world) restart() {
	if err := w.stop(); err != nil {
		w.violate("the state file closes", "%v", err)
	}
	time.Sleep(10 * time.Second) // a service manager waits as long; the write budget knows nothing of the process before
	if err := w.start(); err != nil {
		w.violate("the state file opens after a crash", "%v", err)
	}
}

// die ends a process at once: nothing it does from now on has an effect.
func (p *process) die() {
	p.dead.Store(true)
	p.cancel()
}

// run executes a script and returns how it went. It runs inside a bubble.
func (w *world) run() {
	for _, s := range w.script.Steps {
		if len(w.broken) > 0 {
			return
		}
		w.step(s)
	}
	w.settle()
}

// step does one step now, or defers it into the next cycle.
func (w *world) step(s Step) {
	if s.At > 0 && s.Do != "cycle" {
		w.mu.Lock()
		w.armed = append(w.armed, s)
		w.mu.Unlock()
		return
	}
	w.act(s)
}

// due returns the steps that the n-th request or commit meets.
func (w *world) due(kind, n int) []Step {
	w.mu.Lock()
	defer w.mu.Unlock()
	var met, rest []Step
	for _, s := range w.pending {
		if s.At <= n && kindOf(s.Do) == kind {
			met = append(met, s)
		} else {
			rest = append(rest, s)
		}
	}
	w.pending = rest
	return met
}

func kindOf(do string) int {
	switch do {
	case "disk full", "crash before commit", "crash after commit":
		return onCommit
	}
	return onRequest
}

func (w *world) request() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	return w.requests
}

func (w *world) committed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.full { // what is committed after one that found no space does not tell of the writes before
		w.commit = time.Now()
	}
}

// unanswered notes a request that may have had an effect, and got no answer.
func (w *world) unanswered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = append(w.lost, time.Now())
}

func (w *world) failedCommit() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.full = true
}

// cycle runs one cycle of a job, and what was deferred into it.
func (w *world) cycle(req engine.SyncRequest) *cycle {
	w.mu.Lock()
	w.pending, w.armed, w.requests, w.running, w.full, w.approved = w.armed, nil, 0, true, false, nil
	w.mu.Unlock()
	w.p.st.commits = 0
	w.cloud.SetFaults(append(append([]entrasim.Fault{}, w.lasting...), w.faults...))
	w.faults = nil
	c := cycle{job: req.Job, request: req, began: time.Now(), journal: len(w.target.Journal()), threshold: w.job.threshold(), decided: w.decisions(req.Job)}
	p := w.p
	ctx, cancel := context.WithTimeout(p.ctx, 7*24*time.Hour)
	defer cancel()
	result, err := p.engine.Sync(ctx, req, nil)
	if ctx.Err() != nil && p.ctx.Err() == nil {
		w.violate("a cycle ends", "job %s was still running after a week", req.Job)
	}
	if err != nil && !p.dead.Load() {
		w.violate("a cycle begins", "%v", err)
	}
	p.wg.Wait()
	c.result, c.ended, c.upto, c.initial, c.dead, c.stopped = result, time.Now(), len(w.target.Journal()), result.Cycle == "initial", p.dead.Load(), p.ctx.Err() != nil
	w.mu.Lock()
	left := w.pending
	c.full, c.commit, c.threshold, c.approved = w.full, w.commit, max(c.threshold, w.job.threshold()), w.approved
	w.pending, w.running = nil, false
	w.mu.Unlock()
	w.cloud.SetFaults(w.lasting)
	w.ran = w.ran || c.job == secondJob && result.Error == nil
	if c.old = slices.Contains(w.old, c.job); c.old && !c.dead && !c.stopped {
		w.old = slices.DeleteFunc(w.old, func(job string) bool { return job == c.job })
	}
	w.truth.ended(&c)
	w.judgedOnce(&c)
	w.cycles = append(w.cycles, c)
	w.noteCycle(&c)
	if p.ctx.Err() != nil {
		w.restart()
	}
	for _, s := range left { // the cycle was too short for them
		if !strings.HasPrefix(s.Do, "crash") && s.Do != "disk full" && s.Do != "stop" {
			w.act(s)
		}
	}
	return &w.cycles[len(w.cycles)-1]
}

// note adds a line to the story.
func (w *world) note(format string, args ...any) {
	line := span(time.Since(w.began)) + "  " + fmt.Sprintf(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.story = append(w.story, line)
}

// violate records an invariant that does not hold.
func (w *world) violate(invariant, format string, args ...any) {
	said := fmt.Sprintf(format, args...)
	w.note("VIOLATED %s: %s", invariant, said)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, invariant+": "+said)
}

// answered tells of a request that got no good answer.
func (w *world) answered(n int, r *http.Request, body []byte, resp *http.Response, err error) {
	if !w.verbose {
		return
	}
	switch {
	case err != nil:
		w.note("    %3d %s %s: %v", n, r.Method, short(r), err)
	case resp.StatusCode >= 400:
		w.note("    %3d %s %s: %s", n, r.Method, short(r), resp.Status)
	default:
		w.note("    %3d %s %s", n, r.Method, short(r))
	}
}

// noteCycle tells how a cycle went.
func (w *world) noteCycle(c *cycle) {
	s := c.result.Summary
	how := string(c.result.Outcome)
	if c.dead {
		how = "died"
	}
	if c.result.Error != nil && !c.dead {
		how += " (" + c.result.Error.Code + ": " + c.result.Error.Cause + ")"
	}
	if q := c.result.Quarantine; q != nil {
		how += " [" + q.Reason + "]"
	}
	w.note("%s cycle of %s: %s; create %d update %d disable %d delete %d restore %d unchanged %d skipped %d failed %d held %d; %d requests, %d writes",
		c.result.Cycle, c.job, how, s.Create, s.Update, s.Disable, s.Delete, s.Restore, s.Unchanged, s.Skipped, s.Failed, s.Held,
		c.result.Graph.Requests, c.result.Graph.Writes)
	if !w.verbose {
		return
	}
	for _, e := range w.target.Journal()[c.journal:c.upto] {
		w.note("    %s %s %s → %d %s", e.Method, w.named(e.Path), w.named(e.Body), e.Status, e.Code)
	}
}
