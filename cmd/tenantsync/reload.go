package main

import (
	"context"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/internal/config"
	"tenantsync/internal/control"
	"tenantsync/store"
)

// signInTimeout is how long a reload waits for a token by a changed credential.
const signInTimeout = 30 * time.Second

// reloads takes a changed configuration at each hang-up.
func (d *daemon) reloads(ctx context.Context, hangups <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			d.reload(ctx)
		}
	}
}

// reload replaces the jobs and the named tokens if the file is valid and its new
// credentials can sign in; else everything stays as it is. What belongs to the
// process, the state file and the control interface's address, stays as it was
// begun with. A cycle under way goes on with the credential it began with.
func (d *daemon) reload(ctx context.Context) {
	cfg, err := d.env.daemonConfig()
	if err == nil && (cfg.Store != d.cfg.Store || cfg.Control.Listen != d.cfg.Control.Listen) {
		d.log.Warn("store and control.listen take effect with the next start")
	}
	var renewed []freshClient
	if err == nil {
		renewed, err = d.replace(ctx, cfg)
	}
	if err == nil {
		d.refused.Store(nil)
		warnOf(d.log, cfg)
		// Whoever changed a secret sees whether the process has read another one than before.
		d.log.Info("configuration reloaded", zap.Strings("jobs", cfg.JobNames()), zap.Strings("changedCredentials", tenantsOf(renewed)))
		return
	}
	problems := problemsOf(err)
	for _, p := range problems {
		d.log.Error("configuration not reloaded, the daemon goes on with the one it has", zap.String("code", p.Code),
			zap.String("problem", p.Message), zap.String("cause", p.Cause), zap.String("file", p.File), zap.Int("line", p.Line), zap.Int("column", p.Column))
	}
	refused := store.Audit{At: d.env.now(), Actor: hangupSender, Via: viaSignal, Act: control.ActConfiguration, Outcome: "refused",
		OldHash: d.cfg.Hash}
	if len(problems) > 0 {
		refused.Details = map[string]string{"code": problems[0].Code}
		first := problems[0]
		d.refused.Store(&engine.ConfigurationRefused{At: refused.At, Code: first.Code, Message: first.line(), Action: first.Action, More: len(problems) - 1})
	}
	if err := d.auditor.Record(ctx, refused); err != nil {
		d.log.Error("refused configuration not recorded", zap.Error(err))
	}
}

// reloading is the engine of a daemon as commands see it: its status also tells of a
// configuration that was refused.
type reloading struct {
	*engine.Engine
	refused *atomic.Pointer[engine.ConfigurationRefused]
}

// Status implements control.Service.
func (r reloading) Status(ctx context.Context, job string) ([]engine.JobStatus, error) {
	list, err := r.Engine.Status(ctx, job)
	refused := r.refused.Load()
	for i := range list {
		list[i].ConfigurationRefused = refused
	}
	return list, err
}

// hangupSender is who sends a signal, as far as it can be known.
const hangupSender = "whoever may send signals to the daemon"

// replace puts a valid configuration in the place of the present one, in this
// order: who cannot sign in changes nothing, and what is not recorded does not
// take effect. It returns the clients whose credentials changed.
func (d *daemon) replace(ctx context.Context, cfg *config.Config) ([]freshClient, error) {
	jobs, err := d.wiring.jobs(cfg)
	if err != nil {
		return nil, &configError{err}
	}
	tokens, err := controlTokens(cfg)
	if err != nil {
		return nil, &configError{err}
	}
	renewed := d.wiring.fresh()
	if err := d.signIn(ctx, renewed); err != nil {
		return nil, err
	}
	d.auditor.SetConfiguration(auditedConfiguration(cfg), cfg.Control.RequireReason)
	if err := d.auditor.Configured(ctx, hangupSender, viaSignal, true); err != nil {
		d.auditor.SetConfiguration(auditedConfiguration(d.cfg), d.cfg.Control.RequireReason)
		return nil, err
	}
	if err := d.engine.Reload(jobs); err != nil {
		return nil, err
	}
	d.tokens.Store(&tokens)
	d.cfg = cfg
	d.wiring.settle()
	d.engine.Hasten(ctx, jobsOf(renewed))
	return renewed, nil
}

// signIn asks for a token with each credential that is new. A token service that
// refuses one keeps the daemon from taking it; one that does not answer does not,
// since the cycles try again by themselves.
func (d *daemon) signIn(ctx context.Context, renewed []freshClient) error {
	limited, cancel := context.WithTimeout(ctx, signInTimeout)
	defer cancel()
	for _, f := range renewed {
		err := f.signIn(limited)
		switch {
		case err == nil:
		case directory.KindOf(err) == directory.SignIn:
			return engine.SignInError(err, f.tenant, f.app)
		default:
			d.log.Warn("a changed credential could not be tried", zap.String("tenant", f.tenant), zap.Error(err))
		}
	}
	return nil
}

// tenantsOf names the tenants for which credentials are new, each once, in order.
func tenantsOf(renewed []freshClient) []string {
	names := make([]string, len(renewed))
	for i, f := range renewed {
		names[i] = f.tenant
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// jobsOf returns the jobs that use a new credential.
func jobsOf(renewed []freshClient) []string {
	var jobs []string
	for _, f := range renewed {
		jobs = append(jobs, f.jobs...)
	}
	return jobs
}
