package entra_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/entra"
	"tenantsync/entra/entrasim"
)

// capturedTenant is a small tenant with one of everything that is captured.
const capturedTenant = `{
"organization": {"id": "11111111-0000-4000-8000-000000000001", "displayName": "Contoso",
	"verifiedDomains": [{"name": "contoso.onmicrosoft.example", "isInitial": true, "isDefault": false}, {"name": "contoso.example", "isInitial": false, "isDefault": true}]},
"users": [
	{"id": "11111111-0000-4000-8000-0000000000a1", "userPrincipalName": "anna@contoso.example", "displayName": "Anna", "accountEnabled": true, "userType": "Member",
	 "businessPhones": ["1"], "onPremisesExtensionAttributes": {"extensionAttribute3": "x"}, "employeeOrgData": {"costCenter": "7"}},
	{"id": "11111111-0000-4000-8000-0000000000a2", "userPrincipalName": "bo@contoso.example", "displayName": "Bo", "accountEnabled": true, "userType": "Member",
	 "manager": {"id": "11111111-0000-4000-8000-0000000000a1"}}],
"groups": [
	{"id": "11111111-0000-4000-8000-0000000000b1", "displayName": "Outer", "mailNickname": "outer", "securityEnabled": true, "mailEnabled": false,
	 "members": ["11111111-0000-4000-8000-0000000000a1", "11111111-0000-4000-8000-0000000000b2"]},
	{"id": "11111111-0000-4000-8000-0000000000b2", "displayName": "Inner", "mailNickname": "inner", "securityEnabled": true, "mailEnabled": false,
	 "members": ["11111111-0000-4000-8000-0000000000a2"]}],
"deletedUsers": [{"id": "11111111-0000-4000-8000-0000000000d1", "userPrincipalName": "gone@contoso.example", "displayName": "Gone", "deletedDateTime": "DELETED"}],
"servicePrincipals": [{"id": "11111111-0000-4000-8000-0000000000e1", "displayName": "Sync",
	"appRoleAssignedTo": [{"principalId": "11111111-0000-4000-8000-0000000000b1", "principalType": "Group", "appRoleId": "00000000-0000-0000-0000-000000000000"}]}],
"applications": [{"appId": "22222222-0000-4000-8000-000000000001", "secret": "s3cret", "roles": ROLES}],
"policies": {"crossTenantAccess": {"partners": [{"tenantId": "33333333-0000-4000-8000-000000000001",
	"automaticUserConsentSettings": {"inboundAllowed": true, "outboundAllowed": true}, "identitySynchronization": {"displayName": "p", "userSyncInbound": {"isSyncAllowed": true}}}]}}
}`

// captureRoles are the permissions to read everything that is captured.
var captureRoles = []string{"User.Read.All", "GroupMember.Read.All", "Application.Read.All", "Policy.Read.All", "Organization.Read.All", "OrgContact.Read.All",
	"RoleManagement.Read.Directory"}

// captureFrom serves the tenant to an app with these permissions.
func captureFrom(t *testing.T, roles ...string) *entra.Source {
	t.Helper()
	return served(t, capturedTenant, roles...)
}

// served serves a tenant file to an app with these permissions.
func served(t *testing.T, tenantFile string, roles ...string) *entra.Source {
	t.Helper()
	return sourceOf(t, tenantFile, entrasim.Options{Seed: 1}, roles...)
}

// sourceOf is served, with options of the simulation.
func sourceOf(t *testing.T, tenantFile string, o entrasim.Options, roles ...string) *entra.Source {
	t.Helper()
	return clientOf(t, tenantFile, o, roles...).Source(entra.NewMeter())
}

// clientOf reaches a simulated tenant as an app with these permissions.
func clientOf(t *testing.T, tenantFile string, o entrasim.Options, roles ...string) *entra.Client {
	t.Helper()
	granted, err := json.Marshal(roles)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("ROLES", string(granted), "DELETED", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)).Replace(tenantFile)
	file, err := entrasim.ParseFile(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	cloud := entrasim.New(o)
	tenant, err := cloud.AddTenant("contoso", file)
	if err != nil {
		t.Fatal(err)
	}
	base := &url.URL{Scheme: "https", Host: "127.0.0.1:9443"}
	client, err := entra.New(entra.Config{
		Name: "contoso", TenantID: tenant.ID, Authority: base.String(), Graph: base.String() + "/v1.0", Transport: cloud.Transport(base),
		Credential: entra.Credential{Kind: entra.SecretCredential, ClientID: "22222222-0000-4000-8000-000000000001", Secret: "s3cret"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestCaptureGivesBackTheTenantItRead(t *testing.T) {
	source := captureFrom(t, captureRoles...)
	got, err := source.Capture(t.Context(), entra.CaptureOptions{ServicePrincipals: []string{"11111111-0000-4000-8000-0000000000e1"},
		Missing: func(section string, err error) { t.Errorf("%s is missing: %v", section, err) }})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	file, err := entrasim.ParseFile(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("the captured file is no tenant file: %v\n%s", err, text)
	}
	// A copy of the tenant that is brought to the captured state does not change.
	cloud := entrasim.New(entrasim.Options{Seed: 2})
	copied, err := cloud.AddTenant("copy", file)
	if err != nil {
		t.Fatal(err)
	}
	dump := copied.Dump()
	if len(dump.Users) != 2 || len(dump.Groups) != 2 || len(dump.DeletedUsers) != 1 || len(dump.ServicePrincipals) != 1 {
		t.Errorf("sections: got %d users, %d groups, %d deleted, %d service principals, want 2, 2, 1, 1",
			len(dump.Users), len(dump.Groups), len(dump.DeletedUsers), len(dump.ServicePrincipals))
	}
	for _, want := range []string{
		`"manager":{"id":"11111111-0000-4000-8000-0000000000a1"}`, `"extensionAttribute3":"x"`, `"costCenter":"7"`,
		`"members":["11111111-0000-4000-8000-0000000000a1","11111111-0000-4000-8000-0000000000b2"]`,
		`"principalId":"11111111-0000-4000-8000-0000000000b1"`, `"isSyncAllowed":true`, `"outboundAllowed":true`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("captured file lacks %s:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "@odata") {
		t.Errorf("captured file has annotations:\n%s", text)
	}
}

func TestCaptureNamesSectionsItMayNotRead(t *testing.T) {
	var missing []string
	source := captureFrom(t, "User.Read.All")
	got, err := source.Capture(t.Context(), entra.CaptureOptions{Missing: func(section string, err error) {
		if directory.KindOf(err) != directory.Denied {
			t.Errorf("%s: got %v, want kind denied", section, err)
		}
		missing = append(missing, section)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "groups contacts directoryRoles extensionProperties policies"; strings.Join(missing, " ") != want {
		t.Errorf("missing sections: got %q, want %q", missing, want)
	}
	if len(got.Users) != 2 || got.Groups != nil || got.Policies != nil {
		t.Errorf("captured: got %d users, groups %v, policies %v; want 2, nil, nil", len(got.Users), got.Groups, got.Policies)
	}
}

func TestCaptureNeedsTheUsers(t *testing.T) {
	_, err := captureFrom(t, "Policy.Read.All", "Organization.Read.All").Capture(t.Context(), entra.CaptureOptions{})
	if directory.KindOf(err) != directory.Denied {
		t.Errorf("got %v, want kind denied", err)
	}
}

func TestLastProvisioned(t *testing.T) {
	last, job, err := captureFrom(t, "AuditLog.Read.All", "Directory.Read.All").LastProvisioned(t.Context(), time.Now().Add(-time.Hour))
	if err != nil || !last.IsZero() || job != "" {
		t.Errorf("a tenant without other synchronization: got %v, %q, %v; want the zero time, no job, no error", last, job, err)
	}
	_, _, err = captureFrom(t, "User.Read.All").LastProvisioned(t.Context(), time.Now())
	if directory.KindOf(err) != directory.Denied {
		t.Errorf("without AuditLog.Read.All: got %v, want kind denied", err)
	}
}
