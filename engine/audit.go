package engine

import (
	"context"

	"tenantsync/store"
)

// Audit returns records of administrative acts. The engine writes none: it does not
// know who asks.
func (e *Engine) Audit(ctx context.Context, q store.AuditQuery) ([]store.Audit, error) {
	return e.store.Audit(ctx, q)
}
