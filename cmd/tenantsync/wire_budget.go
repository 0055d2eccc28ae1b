package main

import (
	"context"
	"time"

	"tenantsync/internal/config"
	"tenantsync/store"
)

// writesAtOnce is how many writes of a process that died may be without a record.
const writesAtOnce = 20

// remember tells the write budgets what processes before this one wrote a moment
// ago, as far as the state knows: the limit is one of the app in the tenant, not of
// a process. What is not known exactly counts for more, never for less.
func (w *wiring) remember(ctx context.Context, cfg *config.Config, state store.Store, now time.Time) error {
	rates, _ := sharedLimits(cfg)
	for _, j := range cfg.Jobs {
		n, last, err := writtenSince(ctx, state, j.Name, now.Add(-budgetWindow))
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		w.mu.Lock()
		b := w.budget(cfg.Tenants[j.Target], j, rates)
		w.mu.Unlock()
		b.Spent(n, last)
	}
	return nil
}

// writtenSince returns about how many writes a job has sent since then, at most, and
// when the last of them.
func writtenSince(ctx context.Context, state store.Store, job string, since time.Time) (n int, last time.Time, err error) {
	entries, err := state.Log(ctx, store.LogQuery{Job: job, Since: since, Statuses: []string{"success", "failure", "warning"}})
	if err != nil {
		return 0, last, err
	}
	byCycle := map[string]int{}
	for i := range entries {
		e := &entries[i]
		if e.ActivityDateTime.After(last) {
			last = e.ActivityDateTime
		}
		byCycle[e.CycleID] += 2 // the user and its manager
		if e.Action == "create" {
			byCycle[e.CycleID]++ // and the invitation
		}
	}
	for id, most := range byCycle {
		cycles, err := state.Cycles(ctx, store.CycleQuery{Job: job, ID: id, Limit: 1})
		if err != nil {
			return 0, last, err
		}
		if len(cycles) > 0 {
			sent := cycles[0].Graph.Writes
			if cycles[0].EndedAt.IsZero() {
				sent += writesAtOnce
			}
			most = min(most, sent)
		}
		n += most
	}
	return n, last, nil
}
