package entra_test

import (
	"testing"
	"testing/synctest"

	"tenantsync/directory"
)

func TestPolicy(t *testing.T) {
	blockedInbound := `"b2bCollaborationInbound":{"usersAndGroups":{"accessType":"blocked","targets":[{"target":"AllUsers","targetType":"user"}]},"applications":{"accessType":"allowed","targets":[{"target":"AllApplications"}]}}`
	openOutbound := `"b2bCollaborationOutbound":{"usersAndGroups":{"accessType":"allowed","targets":[{"target":"AllUsers"}]}}`
	tests := []struct {
		name, byDefault, partner, sync string
		want                           directory.Policy
	}{
		{"no partner, all open", `{` + openOutbound + `}`, "", "", directory.Policy{AllowInvitesFrom: "everyone"}},
		{"no partner, default blocks and trusts", `{` + blockedInbound + `,"inboundTrust":{"isMfaAccepted":true}}`, "", "",
			directory.Policy{AllowInvitesFrom: "everyone", InboundBlocked: true, MFATrusted: true}},
		{"partner is silent, default stands", `{` + blockedInbound + `}`, `{"tenantId":"p","b2bCollaborationInbound":null,"automaticUserConsentSettings":{"inboundAllowed":true,"outboundAllowed":null}}`, `{"userSyncInbound":{"isSyncAllowed":true}}`,
			directory.Policy{AllowInvitesFrom: "everyone", PartnerExists: true, InboundBlocked: true, AutoRedeemInbound: true, UserSyncInbound: true}},
		{"partner opens what the default blocks", `{` + blockedInbound + `,"inboundTrust":{"isMfaAccepted":true}}`,
			`{"b2bCollaborationInbound":{"usersAndGroups":{"accessType":"allowed","targets":[{"target":"AllUsers"}]}},"inboundTrust":{"isMfaAccepted":false},"automaticUserConsentSettings":{"outboundAllowed":true}}`, "",
			directory.Policy{AllowInvitesFrom: "everyone", PartnerExists: true, AutoRedeemOutbound: true}},
		{"some users blocked is not everybody", `{"b2bCollaborationOutbound":{"usersAndGroups":{"accessType":"blocked","targets":[{"target":"some-group"}]}}}`, "", "",
			directory.Policy{AllowInvitesFrom: "everyone"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, batches(t, func(it item) outcome {
					body := map[string]string{
						"/policies/authorizationPolicy":                                        `{"allowInvitesFrom":"everyone"}`,
						"/policies/crossTenantAccessPolicy/default":                            tt.byDefault,
						"/policies/crossTenantAccessPolicy/partners/p":                         tt.partner,
						"/policies/crossTenantAccessPolicy/partners/p/identitySynchronization": tt.sync,
					}[it.URL]
					if body == "" {
						return outcome{status: 404, body: graphError("ResourceNotFound", "no")}
					}
					return outcome{status: 200, body: body}
				}))
				got, err := f.client().Source(nil).Policy(t.Context(), "p")
				if err != nil || got != tt.want {
					t.Errorf("got  %+v, %v\nwant %+v", got, err, tt.want)
				}
			})
		})
	}
}
