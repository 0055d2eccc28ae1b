package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/internal/config"
	"tenantsync/internal/control"
	"tenantsync/store"
)

func newStateRestoreCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the state file",
		Long: "Put a backup in the place of the state file, which is kept under another name. The daemon must be\n" +
			"stopped. The backup is verified first. What was done since it was made is not in it: the next cycle of\n" +
			"each job compares everybody, adopts whom the backup does not know, and holds its deletes until\n" +
			"somebody has looked at them (StateRestored).",
		Example: examples("tenantsync state restore backups/state-20261122T174000Z.db",
			"tenantsync state restore /mnt/backup/tenantsync.db --yes"),
		Annotations: exitCodes(exitDone, exitFailed, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		Args:        cobra.ExactArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			cfg, err := env.LoadConfig()
			if err != nil {
				return err
			}
			return env.restoreState(ctx, cfg, args[0])
		}),
	}
	env.reasonFlag(cmd)
	return cmd
}

// restored is what a restore did.
type restored struct {
	State string      `json:"state"`
	From  string      `json:"from"`
	Kept  string      `json:"kept,omitempty"` // where what was there is now
	Facts store.Facts `json:"facts"`
}

func (e *environment) restoreState(ctx context.Context, cfg *config.Config, from string) error {
	if err := e.noDaemon(ctx, cfg); err != nil {
		return err
	}
	if err := e.needsReason(cfg, "state restore"); err != nil {
		return err
	}
	facts, err := checkCopy(ctx, from)
	if err != nil {
		return err
	}
	of := "of unknown time"
	if facts.Backup != nil {
		of = "of " + shortTime(facts.Backup.TakenAt)
	}
	if err := e.confirm(ctx, fmt.Sprintf("Put %s, %s with %s, in the place of %s?", from, of, plural(facts.Links, "link", "links"), cfg.Store.Path)); err != nil {
		return err
	}
	put, kept, err := restoreState(ctx, from, cfg.Store.Path, e.now())
	if err != nil {
		return err
	}
	state, err := openState(cfg)
	if err != nil {
		return err
	}
	err = e.record(ctx, cfg, state, "state restore", map[string]string{"file": from}, kept)
	if err = errors.Join(err, state.Close()); err != nil {
		return err
	}
	return e.printer().Print(restoredResult(&restored{State: cfg.Store.Path, From: from, Kept: kept, Facts: put}))
}

// needsReason refuses an act that discards a state where the configuration wants
// a reason for such acts and none is given.
func (e *environment) needsReason(cfg *config.Config, act string) error {
	if !cfg.Control.RequireReason || strings.TrimSpace(e.caller().Reason) != "" {
		return nil
	}
	return &engine.Error{Class: engine.ClassUsage, Code: "ReasonRequired", Message: act + " needs a reason.",
		Cause: "the configuration says control.requireReason: true", Action: "say why: --reason TEXT"}
}

// noDaemon refuses what must not be done while somebody works with the state.
func (e *environment) noDaemon(ctx context.Context, cfg *config.Config) error {
	if e.options.Server != "" {
		return usagef("run it on the daemon's machine, without --server", "this works on the state file itself.")
	}
	answers, err := e.daemon(ctx, cfg)
	if err != nil {
		return err
	}
	if answers != nil {
		return &engine.Error{Code: "StateLocked", Message: "the state file is held by another process.",
			Cause:  fmt.Sprintf("a daemon answers at %s", listenText(cfg)),
			Action: "stop the daemon, as a service with: systemctl stop tenantsync; then run the same command again", Err: store.ErrLocked}
	}
	return e.unnarrowed(cfg)
}

func restoredResult(r *restored) result {
	return result{
		Document: r,
		Text: func(w io.Writer, _ *printer) error {
			fmt.Fprintf(w, "Restored %s from %s: %s.\n", escape(r.State), escape(r.From), plural(r.Facts.Links, "link", "links"))
			if r.Kept != "" {
				fmt.Fprintf(w, "What was there is kept as %s.\n", escape(r.Kept))
			}
			for _, j := range r.Facts.Jobs {
				fmt.Fprintf(w, "Next: tenantsync plan %s; its first cycle compares everybody and holds its deletes.\n", escape(j.Name))
			}
			return nil
		},
	}
}

// record records an administrative act on a state that this command has to itself.
// kept is where the state is now that was there before, "" for none: the last
// record of its audit is named, since the one that goes on does not have it.
func (e *environment) record(ctx context.Context, cfg *config.Config, state store.Store, act string, details map[string]string, kept string) error {
	if kept != "" {
		details["kept"] = kept
		if last := lastAct(ctx, kept); last != nil {
			details["lastRecord"] = fmt.Sprintf("%d:%s", last.Seq, last.Hash)
		}
	}
	c := e.caller()
	return control.NewAuditor(state, auditedConfiguration(cfg), false, e.log(nil)).Record(ctx,
		store.Audit{At: e.now(), Actor: c.Name, Via: c.Via, Act: act, Reason: c.Reason, Outcome: "done", Details: details, NewHash: cfg.Hash})
}
