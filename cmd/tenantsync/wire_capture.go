package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/entra"
	"tenantsync/internal/config"
)

// synchronization returns what reads Microsoft's own synchronization jobs of a
// tenant, with its reading credential.
func (w *wiring) synchronization(t *config.Tenant) (synchronizationReader, error) {
	if err := t.Credential.Err; err != nil {
		return nil, err
	}
	client, err := w.client(t, t.Credential, nil)
	if err != nil {
		return nil, fmt.Errorf("tenant %s: %w", t.Name, err)
	}
	return client.Source(entra.NewMeter()), nil
}

// capture reads a tenant with its reading credential into the text of a tenant
// file. missing is told each section that the app may not read.
func (w *wiring) capture(ctx context.Context, t *config.Tenant, needs captureNeeds, missing func(section string, err error)) ([]byte, error) {
	if err := t.Credential.Err; err != nil {
		return nil, err
	}
	client, err := w.client(t, t.Credential, nil)
	if err != nil {
		return nil, fmt.Errorf("tenant %s: %w", t.Name, err)
	}
	source := client.Source(entra.NewMeter())
	captured, err := source.Capture(ctx, entra.CaptureOptions{
		ServicePrincipals: needs.Principals, Attributes: needs.Attributes, Synchronization: needs.Synchronization, Missing: missing,
	})
	if err == nil {
		return json.Marshal(captured)
	}
	if graph := (*directory.Error)(nil); errors.As(err, &graph) {
		return nil, engine.SignInError(err, t.Name, checkApp(t.Credential))
	}
	return nil, err
}
