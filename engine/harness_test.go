package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/entra"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

// jobName is the job every world begins with: contoso to fabrikam.
const jobName = "contoso-to-fabrikam"

// world is two simulated tenants, the real clients that reach them without a
// network, a state file and an engine, inside a bubble of virtual time.
type world struct {
	*testing.T
	cloud            *entrasim.Cloud
	contoso          *entrasim.Tenant // the source
	fabrikam         *entrasim.Tenant // the target
	path             string
	st               store.Store
	engine           *engine.Engine
	jobs             []engine.Job
	scratchDir       string
	base             *url.URL
	sourceC, targetC *entra.Client
	budget           *entra.Budget
	wire             *wire
}

// story runs f in a bubble over a new world with an empty target.
func story(t *testing.T, f func(w *world)) { storyOf(t, entrasim.Options{}, "{}", f) }

// storyOf is story with options of the simulation and a tenant file of the target.
func storyOf(t *testing.T, o entrasim.Options, target string, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if o.Seed == 0 {
			o.Seed = 1
		}
		w := &world{T: t, cloud: entrasim.New(o), path: filepath.Join(t.TempDir(), "state.db"), scratchDir: t.TempDir(),
			base: &url.URL{Scheme: "https", Host: "graph.simulation.example"}, budget: entra.NewBudget(1000)}
		w.wire = &wire{next: w.cloud.Transport(w.base)}
		w.contoso = w.tenant("contoso", `{"organization": {"id": "11111111-1111-4111-8111-111111111111", "displayName": "Contoso", "verifiedDomains": [
			{"name": "contoso.onmicrosoft.com", "isInitial": true}, {"name": "contoso.example", "isDefault": true}]}}`)
		w.fabrikam = w.tenant("fabrikam", target)
		w.sourceC, w.targetC = w.client(w.contoso), w.client(w.fabrikam)
		w.jobs = []engine.Job{w.newJob(jobName)}
		w.open()
		t.Cleanup(func() { _ = w.st.Close() })
		f(w)
	})
}

func (w *world) tenant(name, text string) *entrasim.Tenant {
	w.Helper()
	file, err := entrasim.ParseFile(strings.NewReader(text))
	w.must(err)
	tenant, err := w.cloud.AddTenant(name, file)
	w.must(err)
	return tenant
}

func (w *world) client(tenant *entrasim.Tenant) *entra.Client {
	w.Helper()
	c, err := entra.New(entra.Config{Name: tenant.Name, TenantID: tenant.ID, Jitter: func() float64 { return 0.5 },
		Credential: entra.Credential{Kind: entra.SecretCredential, ClientID: tenant.AppID, Secret: tenant.Secret},
		Transport:  w.wire, Graph: w.base.String() + "/v1.0", Authority: w.base.String()})
	w.must(err)
	return c
}

// newJob is a job over both tenants with the settings that a configuration has
// when it names none.
func (w *world) newJob(name string) engine.Job {
	schema, problems := mapping.Compile(mapping.Default())
	if schema == nil {
		w.Fatalf("default mappings: %v", problems)
	}
	m := entra.NewMeter()
	return engine.Job{Name: name, Enabled: true, SourceName: "contoso", TargetName: "fabrikam",
		Pair:   store.Pair{Source: w.contoso.ID, Target: w.fabrikam.ID},
		Source: w.sourceC.Source(m), Target: w.targetC.Target(m, w.budget), Meter: m,
		Schedule: "@every 40m", Scope: engine.Scope{All: true}, Mapping: schema, Rules: "1",
		Actions:    engine.Actions{Create: true, Update: true, Delete: true},
		Invitation: engine.Invitation{RedirectURL: "https://myapplications.microsoft.com/?tenantid=" + w.fabrikam.ID},
		Prevent:    true, Threshold: 500, Percent: 10, ScopeShrink: 50, Changes: 10}
}

// open opens the state file and builds an engine, as a new process would.
func (w *world) open() {
	w.Helper()
	st, err := bolt.Open(w.path, bolt.Options{NoSync: true})
	w.must(err)
	w.st = st
	w.engine, err = engine.New(engine.Options{Jobs: w.jobs, Store: st,
		Scratch: func(context.Context) (store.Store, error) { return bolt.Scratch(w.scratchDir) }})
	w.must(err)
}

// restart ends the process and begins another over the same state file.
func (w *world) restart() {
	w.Helper()
	w.must(w.st.Close())
	w.open()
}

// configure changes the first job as an edit of the configuration would; rules
// says that mappings, filters or scope are among what changed.
func (w *world) configure(rules bool, edit func(j *engine.Job)) {
	w.Helper()
	edit(&w.jobs[0])
	if rules {
		w.jobs[0].Rules += "+"
	}
	w.must(w.engine.Reload(w.jobs))
}

// mapped compiles mappings into the first job.
func (w *world) mapped(ms ...mapping.Mapping) {
	w.Helper()
	schema, problems := mapping.Compile(ms)
	if schema == nil {
		w.Fatalf("mappings: %v", problems)
	}
	w.configure(true, func(j *engine.Job) { j.Mapping = schema })
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// sync runs a cycle that is expected to end with the given outcome.
func (w *world) sync(want store.Outcome) engine.SyncResult {
	w.Helper()
	return w.syncWith(engine.SyncRequest{Job: jobName}, want)
}

// syncInitial is sync from the start.
func (w *world) syncInitial(want store.Outcome) engine.SyncResult {
	w.Helper()
	return w.syncWith(engine.SyncRequest{Job: jobName, Initial: true}, want)
}

func (w *world) syncWith(req engine.SyncRequest, want store.Outcome) engine.SyncResult {
	w.Helper()
	r, err := w.engine.Sync(w.Context(), req, nil)
	w.must(err)
	if r.Outcome != want {
		w.Fatalf("outcome: got %s (%v), want %s", r.Outcome, r.Error, want)
	}
	return r
}

func (w *world) plan(req engine.PlanRequest) *engine.PlanResult {
	w.Helper()
	req.Job = jobName
	r, err := w.engine.Plan(w.Context(), req, nil)
	w.must(err)
	return r
}

func (w *world) provision(req engine.ProvisionRequest) *engine.ProvisionResult {
	w.Helper()
	if req.Job == "" {
		req.Job = jobName
	}
	r, err := w.engine.Provision(w.Context(), req)
	w.must(err)
	return r
}

func (w *world) status() engine.JobStatus {
	w.Helper()
	s, err := w.engine.Status(w.Context(), jobName)
	w.must(err)
	return s[0]
}

// summary compares a cycle's summary.
func (w *world) summary(r engine.SyncResult, want store.Summary) {
	w.Helper()
	if diff := cmp.Diff(want, r.Summary); diff != "" {
		w.Errorf("summary (-want +got):\n%s%s", diff, w.failures())
	}
}

// failures prints the entries of the log that are failures.
func (w *world) failures() string {
	var b strings.Builder
	for _, e := range w.log(store.LogQuery{Statuses: []string{"failure"}, Limit: 10}) {
		fmt.Fprintf(&b, "failure: %s %s: %s\n", e.SourceIdentity.DisplayName, e.StatusInfo.Error.Code, e.StatusInfo.Error.Reason)
	}
	return b.String()
}

// userID is the id of the n-th source user made by people.
func userID(n int) string { return fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", n) }

// upn is the user principal name of the n-th source user.
func upn(n int) string { return fmt.Sprintf("user%03d@contoso.example", n) }

// people creates source users first to last, without managers.
func (w *world) people(first, last int) {
	w.Helper()
	for n := first; n <= last; n++ {
		w.person(n, nil)
	}
}

// person creates the n-th source user, with further properties.
func (w *world) person(n int, more map[string]any) {
	w.Helper()
	p := map[string]any{"id": userID(n), "userPrincipalName": upn(n), "displayName": fmt.Sprintf("User %03d", n), "mail": upn(n),
		"givenName": "User", "surname": fmt.Sprint(n), "department": "Sales", "jobTitle": "Clerk", "city": "Oslo"}
	for k, v := range more {
		p[k] = v
	}
	_, err := w.contoso.CreateUser(p)
	w.must(err)
}

func (w *world) update(tenant *entrasim.Tenant, id string, properties map[string]any) {
	w.Helper()
	w.must(tenant.Update(id, properties))
}

// link returns the link of the n-th source user; ok is false when there is none.
func (w *world) link(n int) (store.Link, bool) {
	w.Helper()
	links, err := w.st.Links(w.Context(), store.LinkQuery{Pair: w.jobs[0].Pair, SourceIDs: []string{userID(n)}})
	w.must(err)
	if len(links) == 0 {
		return store.Link{}, false
	}
	return links[0], true
}

// targetID is the id of the target user that the n-th source user is linked to.
func (w *world) targetID(n int) string {
	w.Helper()
	l, ok := w.link(n)
	if !ok {
		w.Fatalf("user %d: no link%s", n, w.failures())
	}
	return l.TargetID
}

// targetUser is the target user that the n-th source user is linked to.
func (w *world) targetUser(n int) entrasim.Object {
	w.Helper()
	o, ok := w.fabrikam.User(w.targetID(n))
	if !ok {
		w.Fatalf("user %d: target user %s is not there", n, w.targetID(n))
	}
	return o
}

// inBin reports whether a target user is soft-deleted.
func (w *world) inBin(id string) bool {
	return slices.ContainsFunc(w.fabrikam.DeletedUsers(), func(o entrasim.Object) bool { return o.ID() == id })
}

// compared are the attributes that the default mappings keep equal.
var compared = []string{"accountEnabled", "streetAddress", "city", "state", "postalCode", "country", "department", "employeeId",
	"displayName", "givenName", "jobTitle", "officeLocation", "preferredLanguage", "surname", "businessPhones", "mail"}

// equal expects the target users of the given source users to be what the default
// mappings want of them, the manager included, and each to be there once.
func (w *world) equal(users ...int) {
	w.Helper()
	source, target := dumped(w.contoso), dumped(w.fabrikam)
	for _, n := range users {
		l, ok := w.link(n)
		if !ok {
			w.Errorf("user %d: got no link, want one%s", n, w.failures())
			continue
		}
		s, t := source[userID(n)], target[l.TargetID]
		if t == nil {
			w.Errorf("user %d: target user %s is not there", n, l.TargetID)
			continue
		}
		want, got := map[string]any{}, map[string]any{}
		for _, name := range compared {
			want[name], got[name] = s[name], t[name]
		}
		want["manager"], got["manager"] = w.targetOf(managerOf(s)), managerOf(t)
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("user %d (-want +got):\n%s", n, diff)
		}
		same := 0
		for _, o := range target {
			if o["mail"] == s["mail"] {
				same++
			}
		}
		if same != 1 {
			w.Errorf("user %d: %d target users have the mail %v, want one", n, same, s["mail"])
		}
	}
}

// targetOf is the target id of a source id's link, "" when there is none.
func (w *world) targetOf(sourceID string) string {
	if sourceID == "" {
		return ""
	}
	links, err := w.st.Links(w.Context(), store.LinkQuery{Pair: w.jobs[0].Pair, SourceIDs: []string{sourceID}})
	w.must(err)
	if len(links) == 0 || links[0].State == store.LinkDeleted || links[0].State == store.LinkMissing {
		return ""
	}
	return links[0].TargetID
}

func managerOf(o map[string]any) string {
	m, _ := o["manager"].(map[string]any)
	id, _ := m["id"].(string)
	return id
}

// dumped is every active user of a tenant by id, with its manager.
func dumped(t *entrasim.Tenant) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, o := range t.Dump().Users {
		out[o.ID()] = o.Map()
	}
	return out
}

// through returns the numbers first to last.
func through(first, last int) []int {
	var out []int
	for n := first; n <= last; n++ {
		out = append(out, n)
	}
	return out
}

// journal runs f and returns the writes that the target took meanwhile, in their
// order: "PATCH /users/{id} {body}".
func (w *world) journal(f func()) []string {
	w.Helper()
	before := len(w.fabrikam.Journal())
	f()
	var out []string
	for _, e := range w.fabrikam.Journal()[before:] {
		out = append(out, strings.TrimSpace(e.Method+" "+e.Path+" "+compact(e.Body)))
	}
	return out
}

// compact writes a JSON body with its members in the order of their names.
func compact(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	b, _ := json.Marshal(v) // of what was just decoded: cannot fail
	return string(b)
}

// journalIs runs f and compares the writes that the target took.
func (w *world) journalIs(f func(), want ...string) {
	w.Helper()
	if diff := cmp.Diff(want, w.journal(f)); diff != "" {
		w.Errorf("writes (-want +got):\n%s", diff)
	}
}

// sourceUntouched expects that nothing was ever written to the source.
func (w *world) sourceUntouched() {
	w.Helper()
	if j := w.contoso.Journal(); len(j) > 0 {
		w.Errorf("the source took %d writes, want none; the first: %+v", len(j), j[0])
	}
}

func (w *world) log(q store.LogQuery) []store.Entry {
	w.Helper()
	entries, err := w.engine.Logs(w.Context(), q)
	w.must(err)
	return entries
}

// said runs f and returns the log entries it left, oldest first, in short:
// "update success user001@contoso.example", with the code of what is no success.
func (w *world) said(f func()) []string {
	w.Helper()
	last := uint64(0)
	if e := w.log(store.LogQuery{Limit: 1}); len(e) > 0 {
		last = e[0].Seq
	}
	f()
	var out []string
	for _, e := range w.log(store.LogQuery{Follow: true, AfterSeq: last}) {
		name := e.SourceIdentity.Details["UserPrincipalName"]
		line := e.Action + " " + e.StatusInfo.Status + " " + name
		if e.StatusInfo.Error != nil {
			line += " " + e.StatusInfo.Error.Code
		}
		out = append(out, line)
	}
	return out
}

// saidIs runs f and compares the log entries it left, in any order.
func (w *world) saidIs(f func(), want ...string) {
	w.Helper()
	got := w.said(f)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("log (-want +got):\n%s", diff)
	}
}

// requests runs f and returns the HTTP requests each tenant got meanwhile.
func (w *world) requests(f func()) (source, target int) {
	s, t := w.contoso.Counts().Requests, w.fabrikam.Counts().Requests
	f()
	return w.contoso.Counts().Requests - s, w.fabrikam.Counts().Requests - t
}

// idle runs a cycle that has nothing to do, and wants so many requests to the
// source and none to the target.
func (w *world) idle(want int, why string) {
	w.Helper()
	if source, target := w.requests(func() { w.sync(store.OutcomeSuccess) }); source != want || target != 0 {
		w.Errorf("idle cycle: got %d requests to the source, %d to the target, want %d and 0: %s", source, target, want, why)
	}
}

// pass lets virtual time go by.
func (w *world) pass(d time.Duration) { time.Sleep(d) }

// passIdle is pass for a job that goes on meanwhile, with a cycle twice a day in
// which nothing happens: a clock that leaps ahead is doubted.
func (w *world) passIdle(d time.Duration) {
	w.Helper()
	for step := 12 * time.Hour; d > step; d -= step {
		w.pass(step)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
	}
	w.pass(d)
}

// wire is the way to the simulation. It can be told to look at each request
// before it goes, and to change an answer.
type wire struct {
	next http.RoundTripper

	mu     sync.Mutex
	before func(r *http.Request) error
	after  func(r *http.Request, resp *http.Response) (*http.Response, error)
}

func (t *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	before, after := t.before, t.after
	t.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if before != nil {
		if err := before(r); err != nil {
			return nil, err
		}
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil || after == nil {
		return resp, err
	}
	return after(r, resp)
}

func (t *wire) set(before func(*http.Request) error, after func(*http.Request, *http.Response) (*http.Response, error)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.before, t.after = before, after
}

// domainOf is the initial domain of a tenant.
func domainOf(t *entrasim.Tenant) string {
	var o struct {
		VerifiedDomains []struct {
			Name      string
			IsInitial bool
		}
	}
	b, _ := t.Dump().Organization.MarshalJSON()
	if json.Unmarshal(b, &o) == nil {
		for _, d := range o.VerifiedDomains {
			if d.IsInitial {
				return d.Name
			}
		}
	}
	return ""
}

// renamed are the default mappings with another display name.
func renamed(t *testing.T) *mapping.Schema {
	t.Helper()
	ms := mapping.Default()
	for i := range ms {
		if ms[i].Target == "displayName" {
			ms[i] = mapping.Mapping{Target: "displayName", Expression: `Append([displayName], " (Contoso)")`}
		}
	}
	schema, problems := mapping.Compile(ms)
	if schema == nil {
		t.Fatal(problems)
	}
	return schema
}
