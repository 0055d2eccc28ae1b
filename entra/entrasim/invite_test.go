package entrasim_test

import (
	"net/http"
	"strings"
	"testing"

	"tenantsync/entra/entrasim"
)

func TestInvitationCreatesGuest(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{Seed: 2})
	r := b.fabrikam.invite("Ann@contoso.example").want(t, http.StatusCreated, "")
	if got := r.str("status"); got != "PendingAcceptance" {
		t.Errorf("status: got %q, want PendingAcceptance", got)
	}
	if got := r.str("invitedUserType"); got != "Guest" {
		t.Errorf("invitedUserType: got %q, want Guest", got)
	}
	const sel = "?$select=accountEnabled,creationType,displayName,externalUserState,identities,mail,otherMails,proxyAddresses,showInAddressList,userPrincipalName,userType,mailNickname"
	u := b.fabrikam.call(http.MethodGet, "/users/"+r.invitedID()+sel, nil).want(t, http.StatusOK, "")
	delete(u.body, "@odata.context")
	want := `{"accountEnabled":true,"creationType":"Invitation","displayName":"Ann","externalUserState":"PendingAcceptance",` +
		`"identities":[{"issuer":"fabrikam.onmicrosoft.com","issuerAssignedId":"Ann_contoso.example#EXT#@fabrikam.onmicrosoft.com","signInType":"userPrincipalName"}],` +
		`"mail":"Ann@contoso.example","mailNickname":"Ann_contoso.example#EXT#","otherMails":["Ann@contoso.example"],"proxyAddresses":["SMTP:Ann@contoso.example"],` +
		`"showInAddressList":false,"userPrincipalName":"Ann_contoso.example#EXT#@fabrikam.onmicrosoft.com","userType":"Guest"}`
	if got := compactJSON(t, u.body); got != want {
		t.Errorf("guest:\n got %s\nwant %s", got, want)
	}
	byName := b.fabrikam.call(http.MethodGet, "/users/Ann_contoso.example%23EXT%23@fabrikam.onmicrosoft.com", nil)
	byName.want(t, http.StatusOK, "")
	if err := b.fabrikam.tenant.Redeem(r.invitedID()); err != nil {
		t.Fatal(err)
	}
	if got := b.fabrikam.invite("ann@contoso.example").want(t, http.StatusCreated, "").str("status"); got != "Completed" {
		t.Errorf("status after redemption: got %q, want Completed", got)
	}
	u = b.fabrikam.call(http.MethodGet, "/users/"+r.invitedID()+"?$select=identities", nil)
	if !strings.Contains(string(u.raw), `"issuer":"ExternalAzureAD"`) {
		t.Errorf("identities after redemption: got %s", u.raw)
	}
}

// fabrikamFile holds one of everything that can own an address.
const fabrikamFile = `{
 "organization": {"id": "22222222-2222-4222-8222-222222222222", "verifiedDomains": [
  {"name": "fabrikam.onmicrosoft.com", "isInitial": true}, {"name": "fabrikam.example", "isDefault": true}]},
 "users": [
  {"id": "cccccccc-0000-4000-8000-000000000001", "userPrincipalName": "ann_contoso.example#EXT#@fabrikam.onmicrosoft.com", "mail": "ann@contoso.example",
   "otherMails": ["ann@contoso.example"], "externalUserState": "Accepted", "userType": "Guest"},
  {"id": "cccccccc-0000-4000-8000-000000000002", "userPrincipalName": "carl@fabrikam.example", "mail": "carl@partner.example"},
  {"id": "cccccccc-0000-4000-8000-000000000003", "userPrincipalName": "dora@fabrikam.example"}],
 "deletedUsers": [
  {"id": "cccccccc-0000-4000-8000-000000000004", "userPrincipalName": "gone_contoso.example#EXT#@fabrikam.onmicrosoft.com", "mail": "gone@contoso.example",
   "externalUserState": "PendingAcceptance"}],
 "groups": [{"id": "cccccccc-0000-4000-8000-000000000005", "displayName": "Sales", "mail": "sales@partner.example", "mailEnabled": true}],
 "contacts": [{"id": "cccccccc-0000-4000-8000-000000000006", "displayName": "Zoe", "mail": "zoe@partner.example"}]
}`

func TestInvitationOfKnownAddress(t *testing.T) {
	t.Parallel()
	const annGuest = "cccccccc-0000-4000-8000-000000000001"
	tests := []struct {
		name    string
		address string
		status  int
		code    string
		message string // part of it
		id      string // the invited user's, when it must be an old one
		created bool
	}{
		{"external user, same home identity → the same user", "ANN@contoso.example", 201, "", "", annGuest, false},
		{"other alias of an invited home account → the same user", "ann.bell@contoso.example", 201, "", "", annGuest, false},
		{"internal user owns the address → refused by id", "carl@partner.example", 400, "BadRequest", "object ID: cccccccc-0000-4000-8000-000000000002", "", false},
		{"internal logon name → refused by id", "dora@fabrikam.example", 400, "BadRequest", "object ID: cccccccc-0000-4000-8000-000000000003", "", false},
		{"verified domain of the target → refused", "nobody@fabrikam.example", 400, "BadRequest", "Invitee is in inviter tenant", "", false},
		{"address of a group → refused", "sales@partner.example", 400, "BadRequest", "Group email address is not supported", "", false},
		{"address of a contact → created without proxy addresses", "zoe@partner.example", 201, "", "", "", true},
		{"soft-deleted user → refused by id", "gone@contoso.example", 400, "BadRequest", "object ID: cccccccc-0000-4000-8000-000000000004", "", false},
		{"unknown address → created", "new@partner.example", 201, "", "", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud := entrasim.New(entrasim.Options{Seed: 3})
			b := &bench{cloud: cloud}
			b.contoso = b.add(t, "contoso", contosoFile)
			b.fabrikam = b.add(t, "fabrikam", fabrikamFile)
			before := len(b.fabrikam.tenant.Users())
			r := b.fabrikam.invite(tt.address).want(t, tt.status, tt.code)
			if !strings.Contains(r.message(), tt.message) {
				t.Errorf("message: got %q, want it to contain %q", r.message(), tt.message)
			}
			if tt.id != "" && r.invitedID() != tt.id {
				t.Errorf("invited user: got %s, want %s", r.invitedID(), tt.id)
			}
			if got := len(b.fabrikam.tenant.Users()) - before; (got == 1) != tt.created || got > 1 {
				t.Errorf("users created: got %d, want created=%v", got, tt.created)
			}
			if r.status == http.StatusCreated {
				again := b.fabrikam.invite(tt.address).want(t, http.StatusCreated, "")
				if again.invitedID() != r.invitedID() {
					t.Errorf("repeated invitation: got %s, want %s", again.invitedID(), r.invitedID())
				}
			}
		})
	}
}

func TestInvitationOfAliasMovesMail(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	id := b.fabrikam.invite("ann@contoso.example").want(t, http.StatusCreated, "").invitedID()
	if got := b.fabrikam.invite("ann.bell@contoso.example").want(t, http.StatusCreated, "").invitedID(); got != id {
		t.Fatalf("invited user: got %s, want %s", got, id)
	}
	u, _ := b.fabrikam.tenant.User(id)
	if got := u.String("mail"); got != "ann.bell@contoso.example" {
		t.Errorf("mail: got %q", got)
	}
	if got := strings.Join(u.Strings("otherMails"), " "); got != "ann@contoso.example ann.bell@contoso.example" {
		t.Errorf("otherMails: got %q", got)
	}
	if got := strings.Join(u.Strings("proxyAddresses"), " "); got != "SMTP:ann.bell@contoso.example smtp:ann@contoso.example" {
		t.Errorf("proxyAddresses: got %q", got)
	}
}

func TestInvitationOfContactAddress(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	b.fabrikam = b.add(t, "fabrikam", fabrikamFile)
	id := b.fabrikam.invite("zoe@partner.example").want(t, http.StatusCreated, "").invitedID()
	u, _ := b.fabrikam.tenant.User(id)
	if u.String("mail") != "zoe@partner.example" || len(u.Strings("proxyAddresses")) != 0 {
		t.Errorf("guest: got mail %q and proxies %v, want the mail without proxies", u.String("mail"), u.Strings("proxyAddresses"))
	}
}

func TestInvitationSyntax(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	for _, address := range []string{
		"", "plain", "@contoso.example", "a@", "a@b", "a b@contoso.example", ".a@contoso.example", "a.@contoso.example", "-a@contoso.example", "a-@contoso.example",
		"a+b@contoso.example", "a&b@contoso.example", "a!b@contoso.example", "a#b@contoso.example", "a@con_toso.example", "a@b@contoso.example", "é@contoso.example",
		`a"b@contoso.example`, "a@contoso..example", "a,b@contoso.example", "a~b@contoso.example",
	} {
		b.fabrikam.invite(address).want(t, http.StatusBadRequest, "BadRequest")
	}
	for _, address := range []string{"_a@partner.example", "a_@partner.example", "a.b-c_d@partner.example", "1@sub.partner.example"} {
		b.fabrikam.invite(address).want(t, http.StatusCreated, "")
	}
	b.fabrikam.call(http.MethodPost, "/invitations", map[string]any{"invitedUserEmailAddress": "x@partner.example"}).want(t, http.StatusBadRequest, "BadRequest")
	b.fabrikam.call(http.MethodPost, "/invitations", map[string]any{"invitedUserEmailAddress": "x@partner.example", "inviteRedirectUrl": "https://a.example", "department": "x"}).
		want(t, http.StatusBadRequest, "BadRequest")
}

func TestGuestNamesStepAside(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	one := b.fabrikam.invite("a_b@partner.example").want(t, http.StatusCreated, "").invitedID()
	other := b.fabrikam.invite("a@b.partner.example") // another name
	other.want(t, http.StatusCreated, "")
	if err := b.fabrikam.tenant.Update(one, map[string]any{"mail": nil, "otherMails": []string{}, "proxyAddresses": []string{}}); err != nil {
		t.Fatal(err)
	}
	two := b.fabrikam.invite("a_b@partner.example").want(t, http.StatusCreated, "").invitedID()
	u, _ := b.fabrikam.tenant.User(two)
	if got := u.String("userPrincipalName"); got != "a_b_partner.example1#EXT#@fabrikam.onmicrosoft.com" {
		t.Errorf("second name: got %q", got)
	}
}

func TestInvitationAsMemberNeedsRights(t *testing.T) {
	t.Parallel()
	cloud := entrasim.New(entrasim.Options{})
	b := &bench{cloud: cloud}
	c := b.add(t, "fabrikam", `{"applications": [
	 {"appId": "dddddddd-0000-4000-8000-000000000001", "secret": "s1", "roles": ["User.Invite.All"]},
	 {"appId": "dddddddd-0000-4000-8000-000000000002", "secret": "s2", "roles": ["User.ReadWrite.All"]},
	 {"appId": "dddddddd-0000-4000-8000-000000000003", "secret": "s3", "roles": ["User.Invite.All", "User.ReadWrite.All"]}]}`)
	body := map[string]any{"invitedUserEmailAddress": "x@partner.example", "inviteRedirectUrl": "https://a.example", "invitedUserType": "Member"}
	c.call(http.MethodPost, "/invitations", body).want(t, http.StatusForbidden, "Authorization_RequestDenied")
	c.invite("x@partner.example").want(t, http.StatusCreated, "")
	c.as("dddddddd-0000-4000-8000-000000000002", "s2").invite("y@partner.example").want(t, http.StatusForbidden, "Authorization_RequestDenied")
	body["invitedUserEmailAddress"] = "z@partner.example"
	id := c.as("dddddddd-0000-4000-8000-000000000003", "s3").call(http.MethodPost, "/invitations", body).want(t, http.StatusCreated, "").invitedID()
	if u, _ := c.tenant.User(id); u.String("userType") != "Member" {
		t.Errorf("userType: got %q, want Member", u.String("userType"))
	}
}

func TestInvitationPolicies(t *testing.T) {
	t.Parallel()
	everybodyOut := map[string]any{"usersAndGroups": map[string]any{"accessType": "blocked", "targets": []any{map[string]any{"target": "AllUsers", "targetType": "user"}}}}
	tests := []struct {
		name     string
		fabrikam map[string]any
		contoso  map[string]any
		status   int
		code     string
	}{
		{"invitations from everyone", map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "everyone"}}, nil, 201, ""},
		{"members may invite", map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "adminsGuestInvitersAndAllMembers"}}, nil, 201, ""},
		{"invitations off", map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "none"}}, nil, 403, "Authorization_RequestDenied"},
		{"admins only", map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "adminsAndGuestInviters"}}, nil, 403, "Authorization_RequestDenied"},
		{"inbound blocked by default", map[string]any{"crossTenantAccess": map[string]any{"default": map[string]any{"b2bCollaborationInbound": everybodyOut}, "partners": []any{}}}, nil, 403, "Authorization_RequestDenied"},
		{"inbound blocked for the partner", map[string]any{"crossTenantAccess": map[string]any{"partners": []any{map[string]any{"tenantId": "11111111-1111-4111-8111-111111111111", "b2bCollaborationInbound": everybodyOut}}}}, nil, 403, "Authorization_RequestDenied"},
		{"outbound blocked at home", nil, map[string]any{"crossTenantAccess": map[string]any{"default": map[string]any{"b2bCollaborationOutbound": everybodyOut}}}, 403, "Authorization_RequestDenied"},
		{"domain on the deny list", map[string]any{"invitationDomains": map[string]any{"blocked": []any{"contoso.example"}}}, nil, 400, "BadRequest"},
		{"domain not on the allow list", map[string]any{"invitationDomains": map[string]any{"allowed": []any{"other.example"}}}, nil, 400, "BadRequest"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, entrasim.Options{})
			for tenant, section := range map[*entrasim.Tenant]map[string]any{b.fabrikam.tenant: tt.fabrikam, b.contoso.tenant: tt.contoso} {
				if section == nil {
					continue
				}
				if err := tenant.SetPolicies(section); err != nil {
					t.Fatal(err)
				}
			}
			b.fabrikam.invite("ann@contoso.example").want(t, tt.status, tt.code)
		})
	}
}

func TestConvertAndResetRedemption(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	b.contoso = b.add(t, "contoso", contosoFile)
	b.fabrikam = b.add(t, "fabrikam", fabrikamFile)
	const dora, annGuest = "cccccccc-0000-4000-8000-000000000003", "cccccccc-0000-4000-8000-000000000001"
	body := func(id, address string, reset bool) map[string]any {
		return map[string]any{"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://a.example", "invitedUser": map[string]any{"id": id}, "resetRedemption": reset}
	}
	r := b.fabrikam.call(http.MethodPost, "/invitations", body(dora, "dora@partner.example", false)).want(t, http.StatusCreated, "")
	u, _ := b.fabrikam.tenant.User(dora)
	if r.invitedID() != dora || u.String("userType") != "Member" || u.String("externalUserState") != "PendingAcceptance" || u.String("userPrincipalName") != "dora@fabrikam.example" {
		t.Errorf("converted user: got %v", u.Map())
	}
	b.fabrikam.call(http.MethodPost, "/invitations", body(annGuest, "bob@contoso.example", false)).want(t, http.StatusBadRequest, "BadRequest")
	b.fabrikam.call(http.MethodPost, "/invitations", body(annGuest, "bob@contoso.example", true)).want(t, http.StatusCreated, "")
	u, _ = b.fabrikam.tenant.User(annGuest)
	if u.String("mail") != "bob@contoso.example" || u.String("externalUserState") != "PendingAcceptance" {
		t.Errorf("reset user: got %v", u.Map())
	}
	b.fabrikam.call(http.MethodPost, "/invitations", body("cccccccc-0000-4000-8000-0000000000ff", "q@partner.example", false)).want(t, http.StatusNotFound, "Request_ResourceNotFound")
}

func TestAutomaticRedemption(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{AutoRedeem: true})}
	b.contoso = b.add(t, "contoso", `{}`)
	b.fabrikam = b.add(t, "fabrikam", `{}`)
	if _, err := b.contoso.tenant.CreateUser(map[string]any{"userPrincipalName": "ann@contoso.onmicrosoft.com"}); err != nil {
		t.Fatal(err)
	}
	if got := b.fabrikam.invite("ann@contoso.onmicrosoft.com").want(t, http.StatusCreated, "").str("status"); got != "Completed" {
		t.Errorf("status with automatic redemption on both sides: got %q, want Completed", got)
	}
	if got := b.fabrikam.invite("x@partner.example").want(t, http.StatusCreated, "").str("status"); got != "PendingAcceptance" {
		t.Errorf("status of a stranger: got %q, want PendingAcceptance", got)
	}
}

func TestRedeemedGuestIsBoundToItsAccount(t *testing.T) {
	t.Parallel()
	for _, redeemed := range []bool{true, false} {
		b := newBench(t, entrasim.Options{})
		id := b.fabrikam.invite("bob@contoso.example").want(t, http.StatusCreated, "").invitedID()
		if redeemed {
			if err := b.fabrikam.tenant.Redeem(id); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.contoso.tenant.Update(bobID, map[string]any{"userPrincipalName": "robert@contoso.example", "mail": "robert@contoso.example", "proxyAddresses": []string{"SMTP:robert@contoso.example"}}); err != nil {
			t.Fatal(err)
		}
		got := b.fabrikam.invite("robert@contoso.example").want(t, http.StatusCreated, "").invitedID()
		if (got == id) != redeemed {
			t.Errorf("redeemed %v: renamed account invited as %s, first as %s", redeemed, got, id)
		}
	}
}
