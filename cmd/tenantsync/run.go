package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"tenantsync/engine"
	"tenantsync/internal/config"
	"tenantsync/internal/control"
	"tenantsync/store"
)

func newRunCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Run as a daemon: synchronize by schedule and answer the other commands",
		Long: "Run as a daemon: synchronize by schedule and answer the other commands.\n\n" +
			"Logs go to standard error, nothing goes to standard output. An interrupt or termination signal\n" +
			"finishes the writes under way and saves; a second one stops at once. A hang-up signal (SIGHUP)\n" +
			"reloads the configuration if it is valid, else the daemon goes on with the one it has.",
		Example:     examples("tenantsync run", "tenantsync run -c /etc/tenantsync/config.yaml --log-format text"),
		Annotations: exitCodes(exitDone, exitFailed, exitUnreachable, exitUsage, exitConfig),
		// --timeout is for commands that wait; the daemon is stopped by a signal.
		RunE: func(cmd *cobra.Command, _ []string) error { return runDaemon(cmd.Context(), env) },
	}
}

// daemon is a running `tenantsync run`.
type daemon struct {
	env     *environment
	log     *zap.Logger
	cfg     *config.Config
	wiring  *wiring
	engine  *engine.Engine
	auditor *control.Auditor
	tokens  atomic.Pointer[[]control.Token] // valid now
	// refused is why the last reload changed nothing; nil when it did, or was none.
	refused atomic.Pointer[engine.ConfigurationRefused]
}

// openDaemon opens the state and puts a daemon together; the caller closes the
// state when it has served.
func openDaemon(env *environment, cfg *config.Config, log *zap.Logger, who store.Initiator) (_ *daemon, closeState func() error, err error) {
	d := &daemon{env: env, log: log, cfg: cfg, wiring: newWiring(log)}
	jobs, err := d.wiring.jobs(cfg)
	if err != nil {
		return nil, nil, &configError{err}
	}
	tokens, err := controlTokens(cfg)
	if err != nil {
		return nil, nil, &configError{err}
	}
	d.tokens.Store(&tokens)
	if lost := lostState(cfg.Store.Path); lost != nil {
		log.Warn(lost.message, zap.String("action", lost.action))
	}
	state, err := openState(cfg)
	if err != nil {
		return nil, nil, err
	}
	err = d.wiring.remember(context.Background(), cfg, state, time.Now())
	if err == nil {
		d.engine, err = newEngine(d.cfg, jobs, state, log, who)
	}
	if err != nil {
		_ = state.Close() // the error that counts is the one returned
		return nil, nil, err
	}
	d.wiring.settle()
	d.auditor = control.NewAuditor(state, auditedConfiguration(cfg), cfg.Control.RequireReason, log)
	return d, state.Close, nil
}

// warnOf logs the warnings of a configuration.
func warnOf(log *zap.Logger, cfg *config.Config) {
	for _, w := range cfg.Warnings {
		log.Warn("configuration", zap.String("problem", w.Error()), zap.String("action", w.Action))
	}
}

// runDaemon opens everything, serves until ctx ends and closes everything in
// reverse.
func runDaemon(ctx context.Context, env *environment) (err error) {
	cfg, err := env.daemonConfig()
	if err != nil {
		return err
	}
	log := env.log(&cfg.Logs)
	defer func() { _ = log.Sync() }()
	warnOf(log, cfg)
	d, closeState, err := openDaemon(env, cfg, log, ownName())
	if err != nil {
		return err
	}
	defer func() {
		if e := closeState(); err == nil && e != nil {
			err = fmt.Errorf("close state file: %w", e)
		}
	}()
	return d.serve(ctx)
}

// daemonConfig loads the configuration for a daemon, which reads it without
// anybody watching: credentials that belong to a person are refused.
func (e *environment) daemonConfig() (*config.Config, error) {
	cfg, err := e.readConfig()
	if err != nil {
		return nil, err
	}
	if cfg.AllowInteractive {
		return cfg, nil
	}
	for _, j := range cfg.Jobs {
		source, target := cfg.Tenants[j.Source], cfg.Tenants[j.Target]
		for _, side := range []struct {
			tenant     *config.Tenant
			credential *config.Credential
		}{{source, source.Credential}, {target, target.ForWriting()}} {
			if j.Enabled && side.credential.Kind == config.AzureCLI {
				return nil, &configError{fmt.Errorf("tenant %s signs in as the user of the Azure CLI, who may be gone when the daemon needs a token: "+
					"give it a credential of its own, or set allowInteractive: true", side.tenant.Name)}
			}
		}
	}
	return cfg, nil
}

// serve runs the control interface and the engine until ctx ends. The control
// interface answers as long as the engine works, also while it finishes.
func (d *daemon) serve(ctx context.Context) error {
	// Before anybody can see that it runs: a hang-up that is not waited for ends it.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	stopServer, err := d.listen(ctx)
	if err != nil {
		return err
	}
	defer stopServer()
	if err := d.recordStart(ctx); err != nil {
		return err
	}
	defer d.recordStop(ctx)
	reloading, stopReloading := context.WithCancel(ctx)
	defer stopReloading()
	go d.reloads(reloading, hangups)
	stopBackups := keepBackups(ctx, d.engine, d.cfg.Store, d.log.Named("backups"))
	defer stopBackups()

	d.log.Info("daemon started", zap.String("config", d.cfg.File), zap.Strings("jobs", d.cfg.JobNames()),
		zap.String("control", d.cfg.Control.Listen), zap.String("state", d.cfg.Store.Path))
	d.warnOfIdleJobs(ctx)
	err = d.engine.Run(ctx)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil // being stopped is how a daemon ends
	}
	d.log.Info("daemon stopped", zap.Error(err))
	return err
}

// listen begins to answer commands; stop ends that and waits for requests under
// way.
func (d *daemon) listen(ctx context.Context) (stop func(), err error) {
	if d.cfg.Control.Listen == "" {
		return func() {}, nil
	}
	address, err := control.ParseAddress(d.cfg.Control.Listen)
	if err != nil {
		return nil, &configError{err}
	}
	server, err := control.Listen(address, tokenFile(d.cfg))
	if err != nil {
		return nil, err
	}
	serving, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(serving, d.controlOptions()); err != nil {
			d.log.Error("control interface", zap.Error(err))
		}
	}()
	return func() {
		end()
		<-done
		if err := server.Close(); err != nil {
			d.log.Warn("close control interface", zap.Error(err))
		}
	}, nil
}

// controlOptions say whom the control interface answers: everybody through the
// auditor.
func (d *daemon) controlOptions() control.Options {
	return control.Options{
		Service: func(c control.Caller) control.Service { return d.auditor.For(c, reloading{d.engine, &d.refused}) },
		Tokens:  func() []control.Token { return *d.tokens.Load() },
		Refused: d.auditor.Refused,
		Log:     d.log.Named("control"),
	}
}

// warnOfIdleJobs says which jobs wait for a person because they never ran with this
// state: after a loss of the state file that would be a silent end of their work.
func (d *daemon) warnOfIdleJobs(ctx context.Context) {
	jobs, err := d.engine.Status(ctx, "")
	if err != nil {
		d.log.Warn("status", zap.Error(err))
		return
	}
	for i := range jobs {
		name := jobs[i].Name
		mine := slices.IndexFunc(d.cfg.Jobs, func(j *config.Job) bool { return j.Name == name })
		if mine < 0 || !d.cfg.Jobs[mine].Enabled || d.cfg.Jobs[mine].AutoStart || jobs[i].State != "NotRun" {
			continue
		}
		action := "look at tenantsync plan " + name + ", then: tenantsync start " + name
		if found, err := backupsOf(d.cfg.Store.Path); err == nil && len(found) > 0 {
			action += "; if the state file was lost: tenantsync state restore " + found[0].Path + ", or tenantsync state rebuild"
		}
		d.log.Warn("the job never ran with this state and waits for a start", zap.String("job", name), zap.String("action", action))
	}
}

// recordStart records that the daemon begins and under which configuration. One
// that cannot is not run: what it did would not be known.
func (d *daemon) recordStart(ctx context.Context) error {
	who := actorName(person())
	if err := d.auditor.Configured(ctx, who, viaProcess, false); err != nil {
		return err
	}
	return d.auditor.Record(ctx, store.Audit{At: d.env.now(), Actor: who, Via: viaProcess, Act: control.ActDaemonStart,
		Outcome: "done", NewHash: d.cfg.Hash})
}

// recordStop records that the daemon ends, and what was counted and not recorded.
func (d *daemon) recordStop(ctx context.Context) {
	d.auditor.Flush()
	err := d.auditor.Record(context.WithoutCancel(ctx), store.Audit{At: d.env.now(), Actor: actorName(person()), Via: viaProcess,
		Act: control.ActDaemonStop, Outcome: "done"})
	if err != nil {
		d.log.Error("end of the daemon not recorded", zap.Error(err))
	}
}
