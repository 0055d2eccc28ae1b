package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
)

func TestWriteChecks(t *testing.T) {
	var b strings.Builder
	err := writeChecks(&b, &printer{}, []engine.Check{
		{Name: "configuration", Status: engine.CheckSuccess, Detail: "config.yaml: 2 tenants, 1 job"},
		{Tenant: "contoso", Name: "sign-in", Status: engine.CheckSuccess, Detail: "signed in\x07"},
		{Tenant: "fabrikam", Name: "permissions", Status: engine.CheckFailure, Detail: "lacks User.Invite.All", Action: "grant it", Permission: "User.Invite.All"},
		{Tenant: "contoso", Name: "scope groups", Status: engine.CheckWarning, Detail: "gone", Action: "take it out", Job: "a"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `  success  configuration: config.yaml: 2 tenants, 1 job

contoso
  success  sign-in: signed in\u0007
  warning  scope groups (a): gone
           do: take it out

fabrikam
  failure  permissions: lacks User.Invite.All
           do: grant it

1 failed, 1 warning, 2 passed, 0 skipped. Nothing was written.
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}
