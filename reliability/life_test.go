package reliability_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tenantsync/engine"
	"tenantsync/entra"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

// lifeJob is the one job of a life: contoso to fabrikam.
const lifeJob = "contoso-to-fabrikam"

// life is one job over two simulated tenants that runs for days, months or a
// year: the daemon by its schedule, the real clients, a real state file, inside a
// bubble of virtual time that begins on 1 January 2000.
type life struct {
	*testing.T
	cloud            *entrasim.Cloud
	contoso          *entrasim.Tenant // the source
	fabrikam         *entrasim.Tenant // the target
	path             string
	st               *bolt.Store
	engine           *engine.Engine
	job              engine.Job
	sourceC, targetC *entra.Client
	wire             http.RoundTripper
	said             *observer.ObservedLogs
}

// live runs f in a bubble over two new tenants, the target empty, and an engine
// over the state file at path, "" for a new one.
func live(t *testing.T, path string, o entrasim.Options, f func(l *life)) {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "state.db")
	}
	synctest.Test(t, func(t *testing.T) {
		o.Seed, o.JournalSize = 1, 1000
		l := &life{T: t, cloud: entrasim.New(o), path: path}
		base := &url.URL{Scheme: "https", Host: "graph.simulation.example"}
		l.wire = l.cloud.Transport(base)
		l.contoso = l.tenant("contoso", `{"organization": {"id": "11111111-1111-4111-8111-111111111111", "displayName": "Contoso", "verifiedDomains": [
			{"name": "contoso.onmicrosoft.com", "isInitial": true}, {"name": "contoso.example", "isDefault": true}]}}`)
		l.fabrikam = l.tenant("fabrikam", `{"organization": {"id": "22222222-2222-4222-8222-222222222222", "displayName": "Fabrikam"}}`)
		l.sourceC, l.targetC = l.client(l.contoso, base), l.client(l.fabrikam, base)
		schema, problems := mapping.Compile(mapping.Default())
		if schema == nil {
			l.Fatalf("default mappings: %v", problems)
		}
		m := entra.NewMeter()
		l.job = engine.Job{Name: lifeJob, Enabled: true, AutoStart: true, SourceName: "contoso", TargetName: "fabrikam",
			Pair:   store.Pair{Source: l.contoso.ID, Target: l.fabrikam.ID},
			Source: l.sourceC.Source(m), Target: l.targetC.Target(m, entra.NewBudget(1000)), Meter: m,
			Schedule: "@every 1h", Scope: engine.Scope{All: true}, Mapping: schema, Rules: "1",
			Actions: engine.Actions{Create: true, Update: true, Delete: true}, Invitation: engine.Invitation{RedirectURL: "https://myapplications.microsoft.com"},
			Prevent: true, Threshold: 500, Percent: 10, ScopeShrink: 50, Changes: 10}
		l.open()
		t.Cleanup(func() { _ = l.st.Close() })
		f(l)
	})
}

func (l *life) tenant(name, text string) *entrasim.Tenant {
	l.Helper()
	file, err := entrasim.ParseFile(strings.NewReader(text))
	l.must(err)
	tenant, err := l.cloud.AddTenant(name, file)
	l.must(err)
	return tenant
}

func (l *life) client(tenant *entrasim.Tenant, base *url.URL) *entra.Client {
	l.Helper()
	c, err := entra.New(entra.Config{Name: tenant.Name, TenantID: tenant.ID, Jitter: func() float64 { return 0.5 },
		Credential: entra.Credential{Kind: entra.SecretCredential, ClientID: tenant.AppID, Secret: tenant.Secret},
		Transport:  l.wire, Graph: base.String() + "/v1.0", Authority: base.String()})
	l.must(err)
	return c
}

// open opens the state file and builds an engine, as a new process would.
func (l *life) open() {
	l.Helper()
	st, err := bolt.Open(l.path, bolt.Options{NoSync: true})
	l.must(err)
	l.st = st
	core, said := observer.New(zap.WarnLevel)
	l.said = said
	l.engine, err = engine.New(engine.Options{Jobs: []engine.Job{l.job}, Store: st, Log: zap.New(core)})
	l.must(err)
}

// restart ends the process and begins another over the same state file.
func (l *life) restart() {
	l.Helper()
	l.must(l.st.Close())
	l.open()
}

// daemon runs the engine until f returns.
func (l *life) daemon(f func()) {
	l.Helper()
	ctx, stop := context.WithCancel(l.Context())
	done := make(chan error, 1)
	go func() { done <- l.engine.Run(ctx) }()
	synctest.Wait()
	f()
	stop()
	if err := <-done; err != nil {
		l.Errorf("run: %v", err)
	}
}

func (l *life) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// sync runs a cycle that is expected to end with the given outcome.
func (l *life) sync(want store.Outcome) engine.SyncResult {
	l.Helper()
	r, err := l.engine.Sync(l.Context(), engine.SyncRequest{Job: lifeJob}, nil)
	l.must(err)
	if r.Outcome != want {
		l.Fatalf("outcome at %v: got %s (%v), want %s", time.Now().UTC(), r.Outcome, r.Error, want)
	}
	return r
}

func (l *life) status() engine.JobStatus {
	l.Helper()
	s, err := l.engine.Status(l.Context(), lifeJob)
	l.must(err)
	return s[0]
}

// cycles returns the cycles that began at or after a time, oldest first.
func (l *life) cycles(since time.Time) []store.Cycle {
	l.Helper()
	all, err := l.st.Cycles(l.Context(), store.CycleQuery{Job: lifeJob})
	l.must(err)
	var out []store.Cycle
	for i := len(all) - 1; i >= 0; i-- {
		if !all[i].StartedAt.Before(since) {
			out = append(out, all[i])
		}
	}
	return out
}

func (l *life) log(q store.LogQuery) []store.Entry {
	l.Helper()
	entries, err := l.engine.Logs(l.Context(), q)
	l.must(err)
	return entries
}

func (l *life) links() []store.Link {
	l.Helper()
	links, err := l.st.Links(l.Context(), store.LinkQuery{Pair: l.job.Pair})
	l.must(err)
	return links
}

func (l *life) waiting() store.Waiting {
	l.Helper()
	w, err := l.st.Waiting(l.Context(), lifeJob)
	l.must(err)
	return w
}

func personID(n int) string { return fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", n) }

// hire creates the n-th source user.
func (l *life) hire(n int) {
	l.Helper()
	address := fmt.Sprintf("person%05d@contoso.example", n)
	_, err := l.contoso.CreateUser(map[string]any{"id": personID(n), "userPrincipalName": address, "displayName": fmt.Sprintf("Person %05d", n),
		"mail": address, "givenName": "Person", "surname": fmt.Sprint(n), "department": "Sales", "jobTitle": "Clerk", "city": "Oslo"})
	l.must(err)
}

// hired creates source users first to last.
func (l *life) hired(first, last int) {
	l.Helper()
	for n := first; n <= last; n++ {
		l.hire(n)
	}
}

// equal expects the target's users to be the source's, by mail and department.
func (l *life) equal() {
	l.Helper()
	values := func(t *entrasim.Tenant) map[string]string {
		out := map[string]string{}
		for _, o := range t.Dump().Users {
			m := o.Map()
			if mail, _ := m["mail"].(string); mail != "" {
				if _, twice := out[mail]; twice {
					l.Errorf("%s: two users have the mail %s", t.Name, mail)
				}
				out[mail] = fmt.Sprint(m["department"], " ", m["accountEnabled"])
			}
		}
		return out
	}
	source, target := values(l.contoso), values(l.fabrikam)
	for mail, want := range source {
		if got := target[mail]; got != want {
			l.Errorf("%s: got %q in the target, want %q", mail, got, want)
		}
	}
	for mail := range target {
		if _, is := source[mail]; !is {
			l.Errorf("%s is in the target and not in the source", mail)
		}
	}
}
