package main

import (
	"context"

	"tenantsync/internal/control"
)

// mayWrite is asked before a command writes for a job. One that is not enabled may
// have lost a restriction of its scope when it was imported: it is run only for
// somebody who names it, and not without a warning.
func (e *environment) mayWrite(ctx context.Context, s control.Service, command, job string, named bool) error {
	list, err := s.Status(ctx, job)
	if err != nil || len(list) != 1 || list[0].Enabled {
		return nil //nolint:nilerr // the command itself tells better what is wrong
	}
	if !named {
		return usagef("look at it with tenantsync plan, then remove enabled: false, or name the job to run it all the same: "+command,
			"job %s is not enabled in the configuration.", job)
	}
	e.warn("Job "+job+" is not enabled in the configuration; it runs now because it was named.",
		"look why it says enabled: false, and what tenantsync plan "+job+" announces")
	return nil
}

// named reports whether a command says which job it is about.
func (e *environment) named(args []string) bool { return len(args) > 0 || e.options.Job != "" }
