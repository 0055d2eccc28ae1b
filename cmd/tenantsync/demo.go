package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/internal/config"
	"tenantsync/store"
)

// demoOptions are the options of demo.
type demoOptions struct {
	Keep bool
}

func newDemoCommand(env *environment) *cobra.Command {
	opts := &demoOptions{}
	cmd := &cobra.Command{
		Use: "demo", Short: "See two simulated tenants come into sync, without an account",
		Long: `Starts two simulated tenants in this process, contoso with 200 made-up users and
fabrikam, and synchronizes them once. A few users are wrong on purpose, to show
what a failure looks like. Needs no account, no file and no network.

On a terminal, or with --keep, the tenants and a daemon then keep running until
Ctrl-C, so that the commands it prints can be tried from another shell. Nothing
is kept after it ends. Exit code 0 means that exactly the users who are wrong on
purpose failed.`,
		Example:     examples("tenantsync demo", "tenantsync demo --keep"),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage, exitInterrupted),
		RunE:        env.runs(func(ctx context.Context, _ []string) error { return runDemo(ctx, env, opts) }),
	}
	cmd.Flags().BoolVar(&opts.Keep, "keep", false, "keep running until Ctrl-C, also without a terminal")
	return cmd
}

// demoResult is what `demo -o json` prints.
type demoResult struct {
	engine.SyncResult
	FirstSynced string        `json:"firstSynced"`
	FirstAfter  string        `json:"firstSyncedAfter"`
	Planted     []string      `json:"planted"`
	Failures    []demoFailure `json:"failures"`
	Config      string        `json:"config,omitempty"`

	total time.Duration
}

// demoFailure is a user who failed.
type demoFailure struct {
	UPN      string `json:"userPrincipalName"`
	Code     string `json:"errorCode"`
	Reason   string `json:"reason"`
	Action   string `json:"recommendedAction"`
	ChangeID string `json:"changeId"`
}

// runDemo plays the demonstration in a folder of its own, which it removes.
func runDemo(ctx context.Context, env *environment, opts *demoOptions) (err error) {
	began := env.now()
	dir, err := os.MkdirTemp("", "tenantsync-demo-")
	if err != nil {
		return fmt.Errorf("start demonstration: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	sim, err := demoSimulation()
	if err != nil {
		return err
	}
	// The tenants outlive the interrupt: the daemon finishes its writes first.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	var ended sync.WaitGroup
	ended.Go(func() { _ = sim.serve(serving) }) // it ends with serving, which is its good end
	defer func() { stop(); ended.Wait() }()

	d, done, err := demoDaemon(env, sim, dir)
	if err != nil {
		return err
	}
	defer done()
	if !env.machine() {
		env.note("Two simulated tenants: %s with %d users, and %s.", demoSource, demoSize, demoTarget)
	}
	r, err := demoCycle(ctx, d, began)
	if err != nil {
		return err
	}
	if r.Outcome == store.OutcomeInterrupted {
		env.note("Interrupted; nothing is kept.")
		return exitWith(exitInterrupted)
	}
	keep := opts.Keep || isTerminal(env.stdout)
	if keep {
		r.Config = d.cfg.File
	}
	if err := env.printer().Print(result{Document: r, Text: func(w io.Writer, p *printer) error { return writeDemo(w, p, r) }}); err != nil {
		return err
	}
	if err := r.judge(); err != nil {
		return err
	}
	if keep {
		return d.serve(ctx)
	}
	return nil
}

// demoSimulation starts the two tenants, without a quota.
func demoSimulation() (*simulation, error) {
	cloud := entrasim.New(entrasim.Options{Seed: 1})
	for _, t := range []struct {
		name string
		file func() (entrasim.File, error)
	}{{demoSource, demoSourceFile}, {demoTarget, demoTargetFile}} {
		file, err := t.file()
		if err != nil {
			return nil, fmt.Errorf("start demonstration: %w", err)
		}
		if _, err := cloud.AddTenant(t.name, file); err != nil {
			return nil, fmt.Errorf("start demonstration: %w", err)
		}
	}
	return listenSimulation("127.0.0.1:0", cloud)
}

// demoDaemon opens a daemon over the simulated tenants, with its state in dir.
func demoDaemon(env *environment, sim *simulation, dir string) (*daemon, func(), error) {
	path, err := sim.writeConfig(env, dir, nil)
	if err != nil {
		return nil, nil, err
	}
	if err := raiseLimit(path); err != nil {
		return nil, nil, err
	}
	own := newEnvironment(nil, env.stdin, env.stdout, env.stderr, env.lookup)
	own.options = env.options
	own.options.Config, own.options.Job, own.options.Server = path, "", ""
	cfg, err := own.LoadConfig()
	if err != nil {
		return nil, nil, err
	}
	log := own.log(nil)
	d, closeState, err := openDaemon(own, cfg, log, person())
	if err != nil {
		return nil, nil, err
	}
	return d, func() { _ = closeState() }, nil // the folder is removed anyway
}

// raiseLimit lets the job write as fast as the simulated tenants answer.
func raiseLimit(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("start demonstration: %w", err)
	}
	const after = "    enabled: true\n"
	if !strings.Contains(string(content), after) {
		return errors.New("start demonstration: the configuration has no job")
	}
	raised := strings.Replace(string(content), after, after+"    limits: {writesPerSecond: 500}\n", 1)
	return writeBytes(path, []byte(raised))
}

// demoCycle runs the initial cycle and gathers what it led to.
func demoCycle(ctx context.Context, d *daemon, began time.Time) (*demoResult, error) {
	r := &demoResult{Planted: slices.Sorted(maps.Keys(demoPlanted())), Failures: []demoFailure{}}
	show := d.env.progress()
	defer show.Stop()
	var mu sync.Mutex // reports may come from several goroutines
	report := func(p engine.Progress) {
		mu.Lock()
		defer mu.Unlock()
		if r.FirstSynced == "" && p.Synced != "" {
			r.FirstSynced, r.FirstAfter = p.Synced, d.env.now().Sub(began).Round(time.Millisecond).String()
		}
		show.Report(p)
	}
	job := config.Job{}
	if len(d.cfg.Jobs) > 0 {
		job = *d.cfg.Jobs[0]
	}
	var err error
	r.SyncResult, err = d.engine.Sync(ctx, engine.SyncRequest{Job: job.Name, Initial: true, Trigger: "command"}, report)
	show.Stop()
	if err != nil {
		return nil, err
	}
	if r.SyncResult.Error != nil && r.Outcome != store.OutcomeInterrupted {
		return nil, r.SyncResult.Error
	}
	r.total = d.env.now().Sub(began)
	entries, err := d.engine.Logs(context.WithoutCancel(ctx), store.LogQuery{Statuses: []string{"failure"}})
	if err != nil {
		return nil, err
	}
	for i := range entries {
		f := demoFailure{UPN: upnOf(entries[i].SourceIdentity), ChangeID: entries[i].ChangeID}
		if info := entries[i].StatusInfo.Error; info != nil {
			f.Code, f.Reason, f.Action = info.Code, info.Reason, info.RecommendedAction
		}
		r.Failures = append(r.Failures, f)
	}
	slices.SortFunc(r.Failures, func(a, b demoFailure) int { return strings.Compare(a.UPN, b.UPN) })
	return r, nil
}

// judge is nil when exactly the users failed who are wrong on purpose.
func (r *demoResult) judge() error {
	failed := map[string]bool{}
	for _, f := range r.Failures {
		failed[f.UPN] = true
	}
	var wrong []string
	for _, upn := range r.Planted {
		if !failed[upn] {
			wrong = append(wrong, upn+" did not fail")
		}
		delete(failed, upn)
	}
	for _, upn := range slices.Sorted(maps.Keys(failed)) {
		wrong = append(wrong, upn+" failed")
	}
	if len(wrong) == 0 && r.Summary.Failed == len(r.Planted) {
		return nil
	}
	return &engine.Error{Class: engine.ClassFailed, Code: "DemoUnexpected", Message: "the demonstration went otherwise than planned.",
		Cause:  fmt.Sprintf("%d of %d planted failures; %s", r.Summary.Failed, len(r.Planted), strings.Join(wrong, ", ")),
		Action: "this is a mistake of the program: please report it with the output of tenantsync demo -o json"}
}

// writeDemo tells the totals, one failure with its advice, and what to try.
func writeDemo(w io.Writer, p *printer, r *demoResult) error {
	var b strings.Builder
	s := r.Summary
	if r.FirstSynced != "" {
		fmt.Fprintf(&b, "First user in sync after %s: %s\n", r.FirstAfter, escape(r.FirstSynced))
	}
	fmt.Fprintf(&b, "Initial cycle in %.1f s: %s created, %s updated, %s unchanged, %s skipped, %s failed on purpose.\n", r.total.Seconds(),
		count(s.Create), count(s.Update), count(s.Unchanged), count(s.Skipped), count(s.Failed))
	fmt.Fprintf(&b, "%s to the simulated Graph, %s.\n", plural(r.Graph.Requests, "request", "requests"), plural(r.Graph.Writes, "write", "writes"))
	if len(r.Failures) > 0 {
		f := r.Failures[len(r.Failures)-1]
		fmt.Fprintf(&b, "\nOne of the failures:\n  %s  %s  %s\n  Why:  %s\n", p.paint(actionColour("fail"), "! fail"), escape(f.UPN), escape(f.Code), escape(f.Reason))
		if f.Action != "" {
			fmt.Fprintf(&b, "  Do:   %s\n", escape(f.Action))
		}
	}
	path := r.Config
	if path == "" {
		b.WriteString("\nTo look around, keep the tenants running with: tenantsync demo --keep\nand then, from another shell, with the configuration it names:\n")
		path = "CONFIG"
	} else {
		b.WriteString("\nThe tenants and a daemon keep running until Ctrl-C. From another shell:\n")
	}
	const job = demoSource + "-to-" + demoTarget
	fmt.Fprintf(&b, "  tenantsync -c %[1]s plan %[2]s\n  tenantsync -c %[1]s provision anna.berg@%[3]s\n  tenantsync -c %[1]s deletions list %[2]s\n", path, job, demoSourceDomain)
	b.WriteString("\nFor your own tenants: tenantsync init, then check, plan and run.\n")
	_, err := io.WriteString(w, b.String())
	return err
}
