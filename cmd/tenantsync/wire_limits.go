package main

import (
	"cmp"

	"tenantsync/entra"
	"tenantsync/internal/config"
)

// budgetKey identifies the app whose writes to a tenant Graph counts together,
// and its rate.
type budgetKey struct {
	tenantID, clientID string
	writesPerSecond    float64
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
