package entra_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tenantsync/directory"
	"tenantsync/entra"
	"tenantsync/entra/entrasim"
)

// crowdedTenant has what is easily lost between a tenant and its file: values
// that are not set, addresses of everybody, guests of every state.
const crowdedTenant = `{
"organization": {"id": "11111111-0000-4000-8000-000000000001", "displayName": "Contoso", "onPremisesSyncEnabled": true,
	"verifiedDomains": [{"name": "contoso.onmicrosoft.example", "isInitial": true, "isDefault": false}, {"name": "contoso.example", "isInitial": false, "isDefault": true}]},
"users": [
	{"id": "11111111-0000-4000-8000-0000000000a1", "userPrincipalName": "old@contoso.example", "displayName": "Old", "userType": null, "mail": "old@contoso.example", "proxyAddresses": []},
	{"id": "11111111-0000-4000-8000-0000000000a2", "userPrincipalName": "bo@contoso.example", "displayName": "Bo", "accountEnabled": false, "userType": "Member",
	 "manager": {"id": "11111111-0000-4000-8000-0000000000c1"}, "isManagementRestricted": true, "onPremisesSyncEnabled": true, "employeeHireDate": "2020-01-02T00:00:00Z",
	 "extension_0123456789abcdef0123456789abcdef_costCode": "A", "passwordPolicies": "None", "mail": "bo@contoso.example", "showInAddressList": true},
	{"id": "11111111-0000-4000-8000-0000000000a3", "userPrincipalName": "ann_fabrikam.example#EXT#@contoso.onmicrosoft.example", "displayName": "Ann", "userType": "Member",
	 "externalUserState": "Accepted", "creationType": "Invitation", "mail": "ann@fabrikam.example", "otherMails": ["ann@fabrikam.example"], "proxyAddresses": []},
	{"id": "11111111-0000-4000-8000-0000000000a4", "userPrincipalName": "zoe_fabrikam.example#EXT#@contoso.onmicrosoft.example", "displayName": "Zoë", "userType": "Guest",
	 "creationType": null, "mail": "zoe@fabrikam.example"}],
"groups": [
	{"id": "11111111-0000-4000-8000-0000000000b1", "displayName": "Mail", "mail": "mail@contoso.example", "mailNickname": "mail", "mailEnabled": true, "securityEnabled": false,
	 "groupTypes": ["Unified"], "proxyAddresses": ["SMTP:mail@contoso.example", "smtp:post@contoso.example"], "visibility": "HiddenMembership",
	 "members": ["11111111-0000-4000-8000-0000000000a2", "11111111-0000-4000-8000-0000000000a1"]},
	{"id": "11111111-0000-4000-8000-0000000000b2", "displayName": "Plain", "mailNickname": "plain",
	 "members": ["11111111-0000-4000-8000-0000000000b1", "11111111-0000-4000-8000-0000000000a4", "11111111-0000-4000-8000-0000000000a1"]}],
"deletedUsers": [{"id": "11111111-0000-4000-8000-0000000000d1", "userPrincipalName": "1111111100004000800000000000000d1gone@contoso.example", "displayName": "Gone",
	"userType": null, "mail": "gone@contoso.example", "deletedDateTime": "DELETED"}],
"contacts": [{"id": "11111111-0000-4000-8000-0000000000c1", "displayName": "Outside", "mail": "out@partner.example", "proxyAddresses": ["SMTP:out@partner.example", "smtp:ann@fabrikam.example"]},
	{"id": "11111111-0000-4000-8000-0000000000c2", "mail": "nameless@partner.example"}],
"servicePrincipals": [{"id": "11111111-0000-4000-8000-0000000000e1", "displayName": "Sync", "appRoles": [{"id": "11111111-0000-4000-8000-0000000000f1", "value": "staff", "displayName": "Staff"}],
	"appRoleAssignedTo": [{"principalId": "11111111-0000-4000-8000-0000000000b1", "principalType": "Group", "appRoleId": "11111111-0000-4000-8000-0000000000f1"}]}],
"directoryRoles": [{"id": "11111111-0000-4000-8000-000000000091", "displayName": "User Administrator",
	"members": ["11111111-0000-4000-8000-0000000000a2", "11111111-0000-4000-8000-0000000000a1"]}, {"id": "11111111-0000-4000-8000-000000000092", "displayName": "Empty", "members": []}],
"applications": [{"appId": "22222222-0000-4000-8000-000000000001", "secret": "s3cret", "roles": ROLES}],
"policies": {"authorizationPolicy": {"allowInvitesFrom": "adminsGuestInvitersAndAllMembers"},
	"crossTenantAccess": {"default": {"inboundTrust": {"isMfaAccepted": true}}, "partners": [
	{"tenantId": "44444444-0000-4000-8000-000000000001", "b2bCollaborationInbound": {"usersAndGroups": {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]}}},
	{"tenantId": "33333333-0000-4000-8000-000000000001", "automaticUserConsentSettings": {"inboundAllowed": true, "outboundAllowed": true}}]}}
}`

// captured reads a tenant into the text of its file, as the command writes it.
func captured(t *testing.T, tenantFile string, roles ...string) (text string, missing []string) {
	t.Helper()
	return capturedBy(t, served(t, tenantFile, roles...), entra.CaptureOptions{
		ServicePrincipals: []string{"11111111-0000-4000-8000-0000000000e1"},
		Attributes:        []string{"extension_0123456789abcdef0123456789abcdef_costCode", "passwordPolicies", "manager", "extensionAttribute1"},
	})
}

// capturedBy is captured with the options of a capture. missing are the sections
// that could not be read.
func capturedBy(t *testing.T, s *entra.Source, o entra.CaptureOptions) (text string, missing []string) {
	t.Helper()
	o.Missing = func(section string, _ error) { missing = append(missing, section) }
	got, err := s.Capture(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	file, err := entrasim.ParseFile(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("the captured file is no tenant file: %v\n%s", err, raw)
	}
	var b bytes.Buffer
	if err := file.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String(), missing
}

// registering is the crowded tenant with its directory extensions registered.
var registering = strings.Replace(crowdedTenant, "{", `{"extensionProperties": [{"name": "extension_0123456789abcdef0123456789abcdef_number", "dataType": "Integer"},
	{"name": "extension_0123456789abcdef0123456789abcdef_costCode", "dataType": "String", "appDisplayName": "HR", "targetObjects": ["User", "Group"]}],`, 1)

// withApplication adds the application that reads, which is never captured.
func withApplication(text string) string {
	return strings.Replace(text, "{", `{"applications": [{"appId": "22222222-0000-4000-8000-000000000001", "secret": "s3cret", "roles": ROLES}],`, 1)
}

// A tenant that is captured, served and captured again gives the same file: what
// is rehearsed with is what there is.
func TestCaptureOfACaptureIsTheSame(t *testing.T) {
	roles := append(slices.Clone(captureRoles), "Member.Read.Hidden")
	for _, tenant := range []string{crowdedTenant, registering} {
		once, missing := captured(t, tenant, roles...)
		if len(missing) > 0 {
			t.Errorf("not read: got %q, want everything", missing)
		}
		again, _ := captured(t, withApplication(once), roles...)
		if once != again {
			a, b := strings.Split(once, "\n"), strings.Split(again, "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Errorf("line %d:\nonce  %s\nagain %s", i+1, a[i], b[i])
				}
			}
			t.Errorf("got %d lines again, want %d", len(b), len(a))
		}
	}
	once, _ := captured(t, registering, roles...)
	for _, want := range []string{
		`"appDisplayName":"HR"`, `"dataType":"Integer"`,
		`"userType":null`, `"creationType":null`, `"isManagementRestricted":true`, `"extension_0123456789abcdef0123456789abcdef_costCode":"A"`, `"passwordPolicies":"None"`,
		`"proxyAddresses":["SMTP:out@partner.example","smtp:ann@fabrikam.example"]`, `"smtp:post@contoso.example"`, `"manager":{"id":"11111111-0000-4000-8000-0000000000c1"}`,
		`"displayName":"User Administrator","members":["11111111-0000-4000-8000-0000000000a1","11111111-0000-4000-8000-0000000000a2"]`,
	} {
		if !strings.Contains(once, want) {
			t.Errorf("captured file lacks %s:\n%s", want, once)
		}
	}
}

func TestCaptureNamesHiddenMembers(t *testing.T) {
	text, missing := captured(t, crowdedTenant, captureRoles...)
	if want := []string{"members of groups that hide them"}; !slices.Equal(missing, want) {
		t.Errorf("missing: got %q, want %q", missing, want)
	}
	if !strings.Contains(text, `"members":[]`) {
		t.Errorf("hidden members: got\n%s\nwant an empty list", text)
	}
}

// A manager who is a contact is left out with the contacts: the file can be served.
func TestCaptureWithoutContacts(t *testing.T) {
	roles := slices.DeleteFunc(slices.Clone(captureRoles), func(r string) bool { return r == "OrgContact.Read.All" })
	text, missing := captured(t, crowdedTenant, roles...)
	if !slices.Contains(missing, "contacts") || strings.Contains(text, `"manager"`) || !strings.Contains(text, `"userType":null`) {
		t.Errorf("missing %q, file\n%s\nwant contacts missing and no manager", missing, text)
	}
	captured(t, withApplication(text), roles...)
}

// A cloud that does not know restricted management units is read all the same.
func TestCaptureOfATenantThatKnowsLess(t *testing.T) {
	o := entrasim.Options{Seed: 1, Faults: []entrasim.Fault{{Path: "/users", Status: 400, Code: "BadRequest", Message: "no such property", Nth: 1}}}
	got, err := sourceOf(t, crowdedTenant, o, captureRoles...).Capture(t.Context(), entra.CaptureOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Users) != 4 || strings.Contains(fmt.Sprintf("%s", got.Users), "isManagementRestricted") {
		t.Errorf("got %d users %s, want 4 without isManagementRestricted", len(got.Users), got.Users)
	}
}

// targetOf is the crowded tenant as a target.
func targetOf(t *testing.T, roles ...string) *entra.Target {
	t.Helper()
	return clientOf(t, crowdedTenant, entrasim.Options{Seed: 1}, roles...).Target(entra.NewMeter(), entra.NewBudget(10))
}

func TestAddressHolders(t *testing.T) {
	for of, want := range map[directory.HolderType]string{
		directory.HolderDeletedUser: "Gone [1111111100004000800000000000000d1gone@contoso.example gone@contoso.example]",
		directory.HolderGroup:       "Mail [mail@contoso.example post@contoso.example] Plain []",
		directory.HolderContact:     "Outside [out@partner.example ann@fabrikam.example]  [nameless@partner.example]",
	} {
		var got []string
		target := targetOf(t, captureRoles...)
		for cursor := ""; ; {
			page, err := target.AddressHolders(t.Context(), of, cursor)
			if err != nil {
				t.Fatalf("%s: %v", of, err)
			}
			for _, o := range page.Objects {
				got = append(got, fmt.Sprint(o.DisplayName(), " ", o.Addresses()))
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: got %s, want %s", of, s, want)
		}
		if _, err := targetOf(t, "Policy.Read.All").AddressHolders(t.Context(), of, ""); directory.KindOf(err) != directory.Denied {
			t.Errorf("%s without permission: got %v, want kind denied", of, err)
		}
	}
}
