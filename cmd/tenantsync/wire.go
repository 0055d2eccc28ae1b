package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

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

// wiring puts the implementations together. This file and those named wire_ beside
// it are the only place that knows them all.
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

func newWiring(log *zap.Logger) *wiring {
	return &wiring{log: log, clients: map[clientKey]*entra.Client{}, budgets: map[budgetKey]*entra.Budget{}}
}

// openEngine opens the state file and returns an engine over it, as one caller uses
// it. The error wraps store.ErrLocked when another process holds the file. done
// closes the file. With looks, no state file is created where there is none: an
// empty state is looked at, and thrown away.
func openEngine(cfg *config.Config, log *zap.Logger, who store.Initiator, caller control.Caller, looks bool) (_ control.Service, done func(), err error) {
	w := newWiring(log)
	jobs, err := w.jobs(cfg)
	if err != nil {
		return nil, nil, &configError{err}
	}
	open := openState
	if looks && !present(cfg.Store.Path) {
		open = func(*config.Config) (store.Store, error) { return scratchState() }
	}
	state, err := open(cfg)
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
	if folder := filepath.Dir(cfg.Store.Path); errors.Is(err, fs.ErrNotExist) && !isFolder(folder) {
		return nil, &engine.Error{Class: engine.ClassFailed, Code: "StateNotWritable", Message: "the folder of the state file is not there: " + folder + ".",
			Cause: err.Error(), Err: err,
			Action: "make the folder, which only the user that runs this program should read and write, or correct store.path in " + cfg.File}
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

// endOf says when a credential expires, nothing when that is not known: a
// certificate says so itself, of a secret the configuration does.
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
		Schedule: j.Schedule, TimeZone: zone, AutoStart: j.AutoStart, CompareEvery: j.CompareEvery.Std(),
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
