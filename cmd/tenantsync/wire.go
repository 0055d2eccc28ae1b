package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/entra"
	"tenantsync/internal/config"
	"tenantsync/internal/control"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

var (
	_ engine.OtherSync       = (*entra.Source)(nil)
	_ engine.ExtensionReader = (*entra.Source)(nil)
	_ engine.ExtensionReader = (*entra.Target)(nil)
)

// wiring puts the implementations together: the only place that knows them all.
// It keeps clients and budgets, so that jobs share them and a reloaded
// configuration goes on with what is unchanged. It is safe for concurrent use.
type wiring struct {
	log *zap.Logger

	mu      sync.Mutex
	clients map[clientKey]*entra.Client
	budgets map[budgetKey]*entra.Budget
	wanted  map[clientKey]*freshClient // what the jobs that were made last use
	settled map[clientKey]*freshClient // the same of the jobs that are in effect
}

// freshClient is a tenant's client that the jobs in effect do not use.
type freshClient struct {
	tenant string
	app    engine.App
	jobs   []string // enabled ones that would use it
	signIn func(context.Context) error
}

// clientKey is all that makes two clients the same.
type clientKey struct {
	name, tenantID, cloud, authority, graph, caFile, proxy string
	credential                                             entra.Credential
	files                                                  string // what the files hold that are read once, so that a renewed certificate is another client
	unusable                                               string // why the credential cannot be used
	parallelReads                                          int
}

// budgetKey identifies the app whose writes to a tenant Graph counts together,
// and its rate.
type budgetKey struct {
	tenantID, clientID string
	writesPerSecond    float64
}

func newWiring(log *zap.Logger) *wiring {
	return &wiring{log: log, clients: map[clientKey]*entra.Client{}, budgets: map[budgetKey]*entra.Budget{}}
}

// openEngine opens the state file and returns an engine over it, as one caller uses
// it. The error wraps store.ErrLocked when another process holds the file. done
// closes the file.
func openEngine(cfg *config.Config, log *zap.Logger, who store.Initiator, caller control.Caller) (_ control.Service, done func(), err error) {
	w := newWiring(log)
	jobs, err := w.jobs(cfg)
	if err != nil {
		return nil, nil, &configError{err}
	}
	state, err := openState(cfg)
	if err != nil {
		return nil, nil, err
	}
	err = w.remember(context.Background(), cfg, state, time.Now())
	var e *engine.Engine
	if err == nil {
		e, err = newEngine(cfg, jobs, state, log, who)
	}
	if err != nil {
		_ = state.Close()
		return nil, nil, err
	}
	auditor := control.NewAuditor(state, auditedConfiguration(cfg), cfg.Control.RequireReason, log)
	return auditor.For(caller, e), func() {
		if err := state.Close(); err != nil {
			log.Error("close state file", zap.Error(err))
		}
	}, nil
}

// openState opens the state file. The error wraps store.ErrLocked when another
// process holds it, store.ErrFormat when it cannot be used.
func openState(cfg *config.Config) (store.Store, error) {
	state, err := bolt.Open(cfg.Store.Path, bolt.Options{})
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return nil, &engine.Error{Class: engine.ClassFailed, Code: "StateNotWritable", Message: "the state file cannot be opened for writing.",
			Cause: err.Error(), Err: err,
			Action: "let this user write the file and its folder; to look into it all the same: tenantsync state check FILE"}
	}
	if err != nil {
		return nil, err
	}
	return stepsOf(state), nil
}

// newEngine returns the engine over an open state.
func newEngine(cfg *config.Config, jobs []engine.Job, state store.Store, log *zap.Logger, who store.Initiator) (*engine.Engine, error) {
	return engine.New(engine.Options{
		Jobs:  jobs,
		Store: state,
		Scratch: func(context.Context) (store.Store, error) {
			return bolt.Scratch("")
		},
		Room:      func() error { return roomFor(cfg, state) },
		Log:       log,
		Initiator: who,
	})
}

// roomFor makes sure that there is room for what a cycle has to remember, and that
// it is remembered in the file of the configuration.
func roomFor(cfg *config.Config, state store.Store) error {
	if file, ok := state.(interface{ InPlace() error }); ok {
		if err := file.InPlace(); err != nil {
			return engine.StateMoved(err)
		}
	}
	err := bolt.Room(cfg.Store.Path, uint64(cfg.Store.Reserve))
	if err == nil {
		return nil
	}
	return engine.NoRoom(err, "make room, or lower store.reserve in the configuration")
}

// jobs turns the configuration's jobs into the engine's, in their order.
func (w *wiring) jobs(cfg *config.Config) ([]engine.Job, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rates, reads := sharedLimits(cfg)
	w.wanted = map[clientKey]*freshClient{}
	list := make([]engine.Job, 0, len(cfg.Jobs))
	for _, j := range cfg.Jobs {
		source, target := cfg.Tenants[j.Source], cfg.Tenants[j.Target]
		reader, err := w.client(source, source.Credential, reads)
		if err != nil {
			return nil, fmt.Errorf("tenant %s: %w", j.Source, err)
		}
		writer, err := w.client(target, target.ForWriting(), reads)
		if err != nil {
			return nil, fmt.Errorf("tenant %s: %w", j.Target, err)
		}
		if j.Enabled {
			w.want(source, source.Credential, reads, reader, j.Name)
			w.want(target, target.ForWriting(), reads, writer, j.Name)
		}
		meter := entra.NewMeter()
		job := engineJob(cfg, j)
		job.Source = reader.Source(meter)
		job.Target = writer.Target(meter, w.budget(target, j, rates))
		job.Meter = meter
		job.Credentials = slices.Concat(endOf(source, source.Credential), endOf(target, target.ForWriting()))
		list = append(list, job)
	}
	return list, nil
}

// endOf says when a credential expires, nothing when that is not known: of a
// certificate itself says so, of a secret the configuration.
func endOf(t *config.Tenant, c *config.Credential) []engine.CredentialEnd {
	at, known := keyOf(t, c, nil).credential.NotAfter()
	if c.Kind == config.ClientSecret {
		at, known = c.Expires.Time()
	}
	if !known {
		return nil
	}
	return []engine.CredentialEnd{{Tenant: t.Name, Kind: string(c.Kind), NotAfter: at}}
}

// client returns the one client of a tenant and credential.
func (w *wiring) client(t *config.Tenant, c *config.Credential, reads map[appKey]int) (*entra.Client, error) {
	key := keyOf(t, c, reads)
	settings := entra.Config{
		Name: t.Name, TenantID: t.TenantID, Cloud: string(t.Cloud),
		Authority: t.Endpoints.Authority, Graph: t.Endpoints.Graph, CAFile: t.Endpoints.CAFile, Proxy: t.Endpoints.Proxy,
		Credential: key.credential, ParallelReads: key.parallelReads, Log: w.log, Wrap: requestsOf,
	}
	if c.Err != nil {
		// The tenant's jobs are disabled, so nobody should sign in; whoever does
		// is told why that cannot work.
		settings.Credential = entra.Credential{Kind: entra.SecretCredential, ClientID: cmp.Or(c.ClientID, t.TenantID), Secret: "unset"}
		settings.Transport = unusable{c.Err}
	}
	if known := w.clients[key]; known != nil {
		return known, nil
	}
	client, err := entra.New(settings)
	if err != nil {
		return nil, err
	}
	w.clients[key] = client
	return client, nil
}

// keyOf is all that makes the client of a tenant and credential.
func keyOf(t *config.Tenant, c *config.Credential, reads map[appKey]int) clientKey {
	key := clientKey{
		name: t.Name, tenantID: t.TenantID, cloud: string(t.Cloud),
		authority: t.Endpoints.Authority, graph: t.Endpoints.Graph, caFile: t.Endpoints.CAFile, proxy: t.Endpoints.Proxy,
		credential: entra.Credential{
			Kind: string(c.Kind), ClientID: c.ClientID, Secret: c.Secret.Reveal(),
			CertificateFile: c.CertificateFile, PasswordFile: c.PasswordFile, TokenFile: c.TokenFile,
		},
		files:         contentOf(t.Endpoints.CAFile, c.CertificateFile, c.PasswordFile),
		parallelReads: reads[appOf(t, c)],
	}
	if c.Err != nil {
		key.unusable = c.Err.Error()
	}
	return key
}

// contentOf condenses what files hold. One that cannot be read counts as empty:
// whoever uses it says so better.
func contentOf(paths ...string) string {
	sum := sha256.New()
	for _, path := range paths {
		var content []byte
		if path != "" {
			content, _ = os.ReadFile(path)
		}
		part := sha256.Sum256(content)
		sum.Write(part[:])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// want notes that an enabled job uses a client.
func (w *wiring) want(t *config.Tenant, c *config.Credential, reads map[appKey]int, client *entra.Client, job string) {
	key := keyOf(t, c, reads)
	f := w.wanted[key]
	if f == nil {
		f = &freshClient{tenant: t.Name, app: checkApp(c), signIn: func(ctx context.Context) error {
			_, _, err := client.Source(nil).Permissions(ctx)
			return err
		}}
		w.wanted[key] = f
	}
	f.jobs = append(f.jobs, job)
}

// fresh returns the clients that the jobs made last use and the jobs in effect do
// not, by the names of their tenants.
func (w *wiring) fresh() []freshClient {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []freshClient
	for key, f := range w.wanted {
		if w.settled[key] == nil {
			list = append(list, *f)
		}
	}
	slices.SortFunc(list, func(a, b freshClient) int { return strings.Compare(a.tenant, b.tenant) })
	return list
}

// settle says that the jobs made last are in effect. Clients that they do not use
// are let go, and the secrets with them.
func (w *wiring) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled = w.wanted
	maps.DeleteFunc(w.clients, func(key clientKey, _ *entra.Client) bool { return w.settled[key] == nil })
}

// unusable stands in for the network where a credential cannot be used. It
// answers as the token service refuses a client, so that nothing is tried again.
type unusable struct{ err error }

// RoundTrip implements http.RoundTripper.
func (u unusable) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := json.Marshal(map[string]string{"error": "invalid_client", "error_description": u.err.Error()})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: "401 Unauthorized", StatusCode: http.StatusUnauthorized, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}, nil
}

// budgetWindow is how far back the writes of an app count.
const budgetWindow = entra.BudgetWindow

// budget returns the write budget that all jobs with this app and target share.
func (w *wiring) budget(t *config.Tenant, j *config.Job, rates map[appKey]float64) *entra.Budget {
	app := appOf(t, t.ForWriting())
	key := budgetKey{tenantID: app.tenantID, clientID: app.clientID, writesPerSecond: rates[app]}
	if key.writesPerSecond == 0 { // no enabled job writes with this app
		key.writesPerSecond = j.Limits.WritesPerSecond
	}
	if w.budgets[key] == nil {
		w.budgets[key] = entra.NewBudget(key.writesPerSecond)
	}
	return w.budgets[key]
}

// appKey is an app in a tenant, which is what Graph throttles.
type appKey struct{ tenantID, clientID string }

func appOf(t *config.Tenant, c *config.Credential) appKey {
	return appKey{t.TenantID, cmp.Or(c.ClientID, string(c.Kind))}
}

// sharedLimits returns the lowest limit of the enabled jobs that share an app:
// writes a second to its tenant, and parallel reads from it.
func sharedLimits(cfg *config.Config) (writes map[appKey]float64, reads map[appKey]int) {
	writes, reads = map[appKey]float64{}, map[appKey]int{}
	for _, j := range cfg.Jobs {
		if !j.Enabled {
			continue
		}
		source, target := cfg.Tenants[j.Source], cfg.Tenants[j.Target]
		from, to := appOf(source, source.Credential), appOf(target, target.ForWriting())
		if w, ok := writes[to]; !ok || j.Limits.WritesPerSecond < w {
			writes[to] = j.Limits.WritesPerSecond
		}
		for _, app := range []appKey{from, to} {
			if n, ok := reads[app]; !ok || j.Limits.ParallelReads < n {
				reads[app] = j.Limits.ParallelReads
			}
		}
	}
	return writes, reads
}

// engineJob translates a job's settings; source, target and meter are added by
// the caller.
func engineJob(cfg *config.Config, j *config.Job) engine.Job {
	source, target := cfg.Tenants[j.Source], cfg.Tenants[j.Target]
	zone := j.TimeZone
	if zone == "" {
		zone = "Local"
	}
	return engine.Job{
		Name: j.Name, Enabled: j.Enabled,
		SourceName: j.Source, TargetName: j.Target,
		Pair:     store.Pair{Source: source.TenantID, Target: target.TenantID},
		Schedule: j.Schedule, TimeZone: zone, AutoStart: j.AutoStart,
		Scope: engine.Scope{
			All: j.Scope.Mode == config.All, Groups: j.Scope.Groups, Users: j.Scope.Users,
			ServicePrincipal: j.Scope.ServicePrincipalID, Nested: j.Scope.NestedGroups, Filter: j.Filter,
		},
		Mapping: j.Schema,
		Actions: engine.Actions{
			Create: j.Allows(config.CreateObjects), Update: j.Allows(config.UpdateObjects), Delete: j.Allows(config.DeleteObjects),
		},
		Invitation: engine.Invitation{
			ByMail: j.Invitation.By == config.ByMail, RedirectURL: j.Invitation.RedirectURL, SendMessage: j.Invitation.SendMessage,
		},
		Protection: engine.NewProtection(j.ProtectedUsers), AllowedDomains: j.AllowedDomains,
		YieldBlock:      j.TargetBlock == config.YieldBlock,
		Deprovision:     deprovisionOf(j.Deprovision),
		DeleteAfter:     j.DeleteAfter.Std(),
		Prevent:         j.Deletions.Prevent,
		Threshold:       j.Deletions.Threshold,
		Percent:         j.Deletions.Percent,
		ScopeShrink:     j.Guards.ScopeShrink,
		Changes:         j.Guards.Changes,
		Window:          j.Deletions.Window.Std(),
		WindowThreshold: j.Deletions.WindowThreshold,
		WindowPercent:   j.Deletions.WindowPercent,
		Creates:         j.Guards.Creates,
		CreatesPerDay:   j.Guards.CreatesPerDay,
		Updates:         j.Guards.Updates,
		Members:         j.Guards.Members,
		Ownership:       j.Ownership.Attribute,
		Rules:           rulesOf(j),
		LogRetention:    cfg.Logs.Retention.Std(),
	}
}

func deprovisionOf(d config.Deprovision) engine.Deprovision {
	switch d {
	case config.Disable:
		return engine.DeprovisionDisable
	case config.Nothing:
		return engine.DeprovisionNone
	}
	return engine.DeprovisionDelete
}

// rulesOf condenses what decides who is in the target and with which values: a
// change of it makes the next cycle compare everybody. Names, schedules, limits
// and guards do not count, nor does the order of keys in the file.
func rulesOf(j *config.Job) string {
	// What was added later is left out while it is empty, so that an upgrade alone
	// changes nothing.
	type rule struct {
		Target, Source, Constant, Expression, Default, Flow string
		FlowNull                                            *bool
		Priority                                            int
		Type                                                config.DataType `json:",omitempty"`
		Multivalued                                         bool            `json:",omitempty"`
		Allowed                                             []config.Word   `json:",omitempty"`
	}
	rules := make([]rule, len(j.Mappings))
	for i, m := range j.Mappings {
		rules[i] = rule{
			Target: m.Target, Source: m.Source, Expression: string(m.Expression), Flow: string(m.FlowType),
			FlowNull: m.FlowNull, Priority: m.MatchingPriority,
			Constant: literalText(m.Constant), Default: literalText(m.DefaultValue),
			Type: m.Type, Multivalued: m.Multivalued, Allowed: m.AllowedValues,
		}
	}
	encoded, err := json.Marshal(struct {
		Scope       config.Scope
		Mappings    []rule
		Actions     [3]bool
		Deprovision config.Deprovision
		Block       config.TargetBlock
		By          config.InviteBy
		Protected   []string `json:",omitempty"`
		Domains     []string `json:",omitempty"`
		Ownership   string   `json:",omitempty"`
	}{
		j.Scope, rules,
		[3]bool{j.Allows(config.CreateObjects), j.Allows(config.UpdateObjects), j.Allows(config.DeleteObjects)},
		j.Deprovision, j.TargetBlock, j.Invitation.By, j.ProtectedUsers, j.AllowedDomains, j.Ownership.Attribute,
	})
	if err != nil {
		// Plain values always encode; a rule that could not be compared would make
		// every cycle an initial one, which is safe.
		return err.Error()
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:16])
}

// literalText writes a value so that text, number, null and nothing differ.
func literalText(l config.Literal) string {
	if !l.Written() {
		return ""
	}
	return fmt.Sprintf("%v:%v", l.Value.Kind(), l.Value)
}

// ownName is the daemon as the log names who starts its cycles.
func ownName() store.Initiator {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return store.Initiator{ID: host, DisplayName: "tenantsync", Type: "system"}
}

// synchronization returns what reads Microsoft's own synchronization jobs of a
// tenant, with its reading credential.
func (w *wiring) synchronization(t *config.Tenant) (synchronizationReader, error) {
	if err := t.Credential.Err; err != nil {
		return nil, err
	}
	client, err := w.client(t, t.Credential, nil)
	if err != nil {
		return nil, fmt.Errorf("tenant %s: %w", t.Name, err)
	}
	return client.Source(entra.NewMeter()), nil
}

// capture reads a tenant with its reading credential into the text of a tenant
// file. missing is told each section that the app may not read.
func (w *wiring) capture(ctx context.Context, t *config.Tenant, needs captureNeeds, missing func(section string, err error)) ([]byte, error) {
	if err := t.Credential.Err; err != nil {
		return nil, err
	}
	client, err := w.client(t, t.Credential, nil)
	if err != nil {
		return nil, fmt.Errorf("tenant %s: %w", t.Name, err)
	}
	source := client.Source(entra.NewMeter())
	captured, err := source.Capture(ctx, entra.CaptureOptions{
		ServicePrincipals: needs.Principals, Attributes: needs.Attributes, Synchronization: needs.Synchronization, Missing: missing,
	})
	if err == nil {
		return json.Marshal(captured)
	}
	if graph := (*directory.Error)(nil); errors.As(err, &graph) {
		return nil, engine.SignInError(err, t.Name, checkApp(t.Credential))
	}
	return nil, err
}

// checkCopy verifies a state file that nobody works with, without changing it.
func checkCopy(ctx context.Context, path string) (*store.Facts, error) {
	copied, err := bolt.Open(path, bolt.Options{ReadOnly: true})
	if err != nil {
		return nil, unusableCopy(path, err)
	}
	defer func() { _ = copied.Close() }() // only read
	facts, err := copied.Check(ctx)
	return &facts, unusableCopy(path, err)
}

// unusableCopy says of a file that somebody named that it is no state: what to do
// about the job's own state is no answer there.
func unusableCopy(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &engine.Error{Class: engine.ClassUsage, Code: "FileNotFound", Message: "there is no such file: " + path + ".", Cause: err.Error(),
			Action: "name a backup: the daemon keeps them in the folder backups beside the state file"}
	case errors.Is(err, store.ErrFormat):
		return &engine.Error{Class: engine.ClassFailed, Code: "StateUnusable", Message: "the file cannot be used as a state; nothing was changed.",
			Cause: err.Error(), Action: "choose another backup: the daemon keeps them in the folder backups beside the state file"}
	}
	return err
}

// restoreState puts a backup in the place of the state file; see bolt.Restore.
func restoreState(ctx context.Context, from, path string, at time.Time) (store.Facts, string, error) {
	return bolt.Restore(ctx, from, path, at)
}

// lastAct returns the last record of the audit of a state file that nobody works
// with, nil where it has none or cannot be read.
func lastAct(ctx context.Context, path string) *store.Audit {
	state, err := bolt.Open(path, bolt.Options{ReadOnly: true})
	if err != nil {
		return nil
	}
	defer func() { _ = state.Close() }() // only read
	if list, err := state.Audit(ctx, store.AuditQuery{Limit: 1}); err == nil && len(list) == 1 {
		return &list[0]
	}
	return nil
}

// beginState puts an empty state in the place of the state file; see bolt.Begin.
func beginState(path string, at time.Time) (string, error) { return bolt.Begin(path, at) }

// mediumOf tells what a file lies on.
func mediumOf(path string) bolt.Medium { return bolt.MediumOf(path) }

// scratchState is a state that is thrown away when it is closed.
func scratchState() (store.Store, error) { return bolt.Scratch("") }
