package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/internal/config"
	"tenantsync/store"
)

func newStateRebuildCommand(env *environment) *cobra.Command {
	var plan bool
	cmd := &cobra.Command{
		Use:   "rebuild [JOB]",
		Short: "Make a new state from what is in the target, after the old one is lost",
		Long: "Make a new state from what is in the target, after the old one is lost or damaged. The daemon must be\n" +
			"stopped. Users in scope are linked to the users who are in the target already, as matching finds them;\n" +
			"nothing is written to any tenant. Who was not found, who is ambiguous and whom nobody claims is listed.\n" +
			"The jobs are left paused: look at the result, then start them. What was in the file's place is kept\n" +
			"under another name. --plan only shows the result. Without JOB all enabled jobs are rebuilt.",
		Example:     examples("tenantsync state rebuild --plan", "tenantsync state rebuild contoso-to-fabrikam --yes -o json"),
		Annotations: exitCodes(exitDone, exitFailed, exitSomeFailed, exitSignIn, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		Args:        cobra.MaximumNArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			cfg, err := env.LoadConfig()
			if err != nil {
				return err
			}
			jobs, err := env.jobsToRebuild(cfg, args)
			if err != nil {
				return err
			}
			return env.rebuildState(ctx, cfg, jobs, plan)
		}),
	}
	env.reasonFlag(cmd)
	cmd.Flags().BoolVar(&plan, "plan", false, "show the result and change nothing")
	return cmd
}

// jobsToRebuild is the job that was named, or every enabled one.
func (e *environment) jobsToRebuild(cfg *config.Config, args []string) ([]string, error) {
	if len(args) > 0 || e.options.Job != "" {
		name, err := e.configuredName(args)
		return []string{name}, err
	}
	var names []string
	for _, j := range cfg.Jobs {
		if j.Enabled {
			names = append(names, j.Name)
		}
	}
	if len(names) == 0 {
		return nil, usagef("name a job, or enable one", "no job of the configuration is enabled.")
	}
	return names, nil
}

// rebuiltState is what a rebuild did, or would do.
type rebuiltState struct {
	State string                 `json:"state"`
	Plan  bool                   `json:"plan"`
	Kept  string                 `json:"kept,omitempty"` // where what was there is now
	Jobs  []engine.RebuildResult `json:"jobs"`
}

func (e *environment) rebuildState(ctx context.Context, cfg *config.Config, jobs []string, plan bool) error {
	if err := e.noDaemon(ctx, cfg); err != nil {
		return err
	}
	if err := e.needsReason(cfg, "state rebuild"); err != nil && !plan {
		return err
	}
	out := &rebuiltState{State: cfg.Store.Path, Plan: plan}
	var state store.Store
	var err error
	if plan {
		state, err = scratchState()
	} else {
		state, out.Kept, err = e.stateToRebuild(ctx, cfg, jobs)
	}
	if err != nil {
		return err
	}
	defer func() { _ = state.Close() }() // every batch is on disk
	if !plan {
		if err := e.record(ctx, cfg, state, "state rebuild", map[string]string{"jobs": strings.Join(jobs, ", ")}, out.Kept); err != nil {
			return err
		}
	}
	log := e.log(nil)
	compiled, err := newWiring(log).jobs(cfg)
	if err != nil {
		return &configError{err}
	}
	eng, err := newEngine(cfg, compiled, state, log, person())
	if err != nil {
		return err
	}
	show := e.progress()
	out.Jobs, err = eng.Rebuild(ctx, jobs, show.Report)
	show.Stop()
	if err != nil {
		return err
	}
	if err := e.printer().Print(rebuiltResult(out)); err != nil {
		return err
	}
	for i := range out.Jobs {
		if out.Jobs[i].Error != nil {
			return out.Jobs[i].Error
		}
	}
	for i := range out.Jobs {
		if len(out.Jobs[i].Failed) > 0 {
			return exitStatus(exitSomeFailed)
		}
	}
	return nil
}

// stateToRebuild opens a state in which the jobs never ran: the one that is there,
// if that is so, else a new one in its place.
func (e *environment) stateToRebuild(ctx context.Context, cfg *config.Config, jobs []string) (store.Store, string, error) {
	path := cfg.Store.Path
	question := fmt.Sprintf("Make a new state at %s?", path)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		state, err := openState(cfg)
		switch {
		case err == nil:
			known, err := knownJob(ctx, state, jobs)
			if err == nil && known == "" {
				return state, "", nil
			}
			if err := errors.Join(err, state.Close()); err != nil {
				return nil, "", err
			}
			question = fmt.Sprintf("The state at %s is sound and knows job %s. Put a new one in its place?", path, known)
		case errors.Is(err, store.ErrFormat):
			question = fmt.Sprintf("The state at %s cannot be used. Put a new one in its place?", path)
		default:
			return nil, "", err
		}
	}
	if err := e.confirm(ctx, question); err != nil {
		return nil, "", err
	}
	kept, err := beginState(path, e.now())
	if err != nil {
		return nil, "", err
	}
	if kept != "" {
		e.note("What was there is kept as %s.", kept)
	}
	state, err := openState(cfg)
	return state, kept, err
}

// knownJob returns the first of the jobs that ran with this state, "" when none did.
func knownJob(ctx context.Context, state store.Store, jobs []string) (string, error) {
	for _, name := range jobs {
		rec, err := state.Job(ctx, name)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return "", err
		case rec.Ran:
			return name, nil
		}
	}
	return "", nil
}

// rebuiltResult shows what was found.
func rebuiltResult(r *rebuiltState) result {
	return result{
		Document: r,
		Items:    items(r.Jobs),
		Table:    func() *table { return rebuiltTable(r.Jobs) },
		Text: func(w io.Writer, p *printer) error {
			if r.Plan {
				fmt.Fprintln(w, "Plan: nothing was changed.")
			}
			for i := range r.Jobs {
				if err := writeRebuilt(w, p, &r.Jobs[i], r.Plan); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func writeRebuilt(w io.Writer, p *printer, r *engine.RebuildResult, plan bool) error {
	if r.Error != nil {
		return nil // told as the command's error
	}
	fmt.Fprintf(w, "Job %s: %s adopted, %s not found in the target, %s failed; %s of the target unclaimed.\n", escape(r.Job), count(r.Adopted),
		count(len(r.NotFound)), count(len(r.Failed)), plural(len(r.Unclaimed), "user", "users"))
	if len(r.NotFound)+len(r.Failed)+len(r.Unclaimed) > 0 {
		fmt.Fprintln(w)
		if err := p.table(rebuiltTable([]engine.RebuildResult{*r})); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	if !plan {
		fmt.Fprintf(w, "The job is paused. See what its next cycle would do: tenantsync plan %s; then: tenantsync start %s\n", escape(r.Job), escape(r.Job))
	}
	return nil
}

func rebuiltTable(list []engine.RebuildResult) *table {
	t := &table{Columns: []column{{Key: "job", Title: "JOB", Wide: true}, {Key: "outcome", Title: "OUTCOME"}, {Key: "userPrincipalName", Title: "USER"},
		{Key: "id", Title: "ID"}, {Key: "reason", Title: "BECAUSE", Flex: true}}}
	for _, r := range list {
		for _, u := range r.NotFound {
			t.Rows = append(t.Rows, []string{r.Job, "not found", u.UPN, u.SourceID, "the next cycle would try to create the user"})
		}
		for _, u := range r.Failed {
			t.Rows = append(t.Rows, []string{r.Job, "failed", u.UPN, u.SourceID, u.Code + ": " + u.Reason})
		}
		for _, u := range r.Unclaimed {
			t.Rows = append(t.Rows, []string{r.Job, "unclaimed", u.UPN, u.TargetID, "its home is the source, and nobody in scope matches"})
		}
	}
	return t
}
