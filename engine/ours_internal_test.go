package engine

import (
	"testing"

	"tenantsync/directory"
)

// A linked target user is written while nothing says that it became somebody else's.
func TestIsOurs(t *testing.T) {
	target := directory.Tenant{VerifiedDomain: []string{"fabrikam.example"}}
	guest := func(state string, issuers ...string) directory.Object {
		o := directory.Object{ID: "g", Attributes: directory.AttributesOf(map[string]directory.Value{
			attrUPN: directory.TextOf("ann_contoso.example#EXT#@fabrikam.example"), attrExternalState: directory.TextOf(state)})}
		for _, i := range issuers {
			o.Identities = append(o.Identities, directory.Identity{SignInType: "federated", Issuer: i})
		}
		return o
	}
	member := directory.Object{ID: "m", Attributes: directory.AttributesOf(map[string]directory.Value{attrUPN: directory.TextOf("ann@fabrikam.example")})}
	for name, c := range map[string]struct {
		o    directory.Object
		want bool
	}{
		"pending, issuer is the host":        {guest(pendingAcceptance, "fabrikam.example"), true},
		"redeemed by an Entra account":       {guest("Accepted", issuerEntra), true},
		"identities not told":                {guest("Accepted"), true},
		"redeemed by a Google account":       {guest("Accepted", "google.com"), false},
		"Google and Entra":                   {guest("Accepted", "google.com", issuerEntra), true},
		"converted to an internal account":   {member, false},
		"redeemed with a one-time passcode":  {guest("Accepted", "mail"), false},
		"an internal account, host identity": {directory.Object{Attributes: member.Attributes, Identities: []directory.Identity{{SignInType: "userPrincipalName", Issuer: "fabrikam.example"}}}, false},
	} {
		if got := isOurs(c.o, target); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
