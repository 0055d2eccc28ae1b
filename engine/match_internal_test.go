package engine

import (
	"strings"
	"testing"

	"tenantsync/directory"
)

// guest is a user of the target in the state an invitation leaves it.
func guest(id string, edit ...func(*directory.Object)) directory.Object {
	o := directory.Object{ID: id, Attributes: directory.AttributesOf(map[string]directory.Value{
		attrUPN:           directory.TextOf(id + "_contoso.example#EXT#@fabrikam.onmicrosoft.com"),
		attrMail:          directory.TextOf("ann@contoso.example"),
		attrUserType:      directory.TextOf("Guest"),
		attrExternalState: directory.TextOf(pendingAcceptance),
	})}
	for _, e := range edit {
		e(&o)
	}
	return o
}

func redeemedBy(issuer string) func(*directory.Object) {
	return func(o *directory.Object) {
		o.Attributes.Set(attrExternalState, directory.TextOf("Accepted"))
		o.Identities = []directory.Identity{{SignInType: "federated", Issuer: issuer}}
	}
}

// internal makes a user of the target its own.
func internal(o *directory.Object) {
	o.Attributes.Set(attrExternalState, directory.NullValue())
	o.Attributes.Set(attrUPN, directory.TextOf("ann@fabrikam.example"))
	o.Attributes.Set(attrUserType, directory.TextOf("Member"))
}

func onPremises(o *directory.Object) { o.Attributes.Set(attrOnPremisesSync, directory.BoolOf(true)) }

func TestChoose(t *testing.T) {
	source := directory.Tenant{DefaultDomain: "contoso.example", VerifiedDomain: []string{"contoso.example", "contoso.onmicrosoft.com"}}
	target := directory.Tenant{DefaultDomain: "fabrikam.example", VerifiedDomain: []string{"fabrikam.example", "fabrikam.onmicrosoft.com"}}
	const address = "ann@contoso.example"
	for _, c := range []struct {
		name   string
		found  []candidate
		picked string
		code   Code
		says   string
	}{
		{name: "nobody"},
		{name: "pending guest", found: []candidate{{object: guest("g1"), address: address}}, picked: "g1"},
		{name: "guest redeemed by an Entra account", found: []candidate{{object: guest("g1", redeemedBy("ExternalAzureAD")), address: address}}, picked: "g1"},
		{name: "the same guest by two addresses", found: []candidate{{object: guest("g1"), address: address},
			{object: guest("g1"), address: "a@contoso.example"}}, picked: "g1"},
		{name: "linked to this very user", found: []candidate{{object: guest("g1"), address: address, linked: "s1"}}, picked: "g1"},
		{name: "linked to another user", found: []candidate{{object: guest("g1"), address: address, linked: "s2"}},
			code: CodeLinkedToOther, says: "s2"},
		{name: "redeemed by a Microsoft account", found: []candidate{{object: guest("g1", redeemedBy("MicrosoftAccount")), address: address}},
			code: CodeForeignIdentity, says: "MicrosoftAccount"},
		{name: "redeemed by mail", found: []candidate{{object: guest("g1", redeemedBy("mail")), address: address}},
			code: CodeForeignIdentity, says: "home at mail"},
		{name: "redeemed through a foreign federation", found: []candidate{{object: guest("g1", redeemedBy("https://idp.other.example")), address: address}},
			code: CodeForeignIdentity, says: "https://idp.other.example"},
		{name: "pending, but the address is of another domain", found: []candidate{{object: guest("g1"), address: "ann@other.example"}},
			code: CodeForeignIdentity, says: "other.example"},
		{name: "Entra account, but the address is of another domain",
			found: []candidate{{object: guest("g1", redeemedBy("ExternalAzureAD")), address: "ann@other.example"}},
			code:  CodeForeignIdentity, says: "other.example"},
		{name: "two guests", found: []candidate{{object: guest("g1"), address: address}, {object: guest("g2"), address: address}},
			code: CodeDuplicateTargetEntries, says: "g1, g2"},
		{name: "internal user", found: []candidate{{object: guest("i1", internal), address: address}}, code: CodeAmbiguousUser, says: "i1"},
		{name: "mastered on-premises counts as internal", found: []candidate{{object: guest("i1", onPremises), address: address}},
			code: CodeAmbiguousUser, says: "i1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := choose("s1", c.found, source, target)
			picked := ""
			if got.object != nil {
				picked = got.object.ID
			}
			if picked != c.picked || got.code != c.code || !strings.Contains(got.reason, c.says) {
				t.Errorf("got %q, %q (%s), want %q, %q naming %q", picked, got.code, got.reason, c.picked, c.code, c.says)
			}
		})
	}
}

func TestExternal(t *testing.T) {
	own := directory.Tenant{VerifiedDomain: []string{"fabrikam.example"}}
	set := func(name string, v directory.Value) func(*directory.Object) {
		return func(o *directory.Object) { o.Attributes.Set(name, v) }
	}
	identity := func(kind, issuer string) func(*directory.Object) {
		return func(o *directory.Object) { o.Identities = []directory.Identity{{SignInType: kind, Issuer: issuer}} }
	}
	for _, c := range []struct {
		name string
		edit []func(*directory.Object)
		want bool
	}{
		{"nothing says so", nil, false},
		{"state of an external user", []func(*directory.Object){set(attrExternalState, directory.TextOf("Accepted"))}, true},
		{"logon name of a guest", []func(*directory.Object){set(attrUPN, directory.TextOf("a_b.example#EXT#@fabrikam.example"))}, true},
		{"the mark in any case", []func(*directory.Object){set(attrUPN, directory.TextOf("a_b.example#ext#@fabrikam.example"))}, true},
		{"foreign federation", []func(*directory.Object){identity("federated", "ExternalAzureAD")}, true},
		{"own federation", []func(*directory.Object){identity("federated", "fabrikam.example")}, false},
		{"own sign-in name", []func(*directory.Object){identity("userPrincipalName", "fabrikam.onmicrosoft.com")}, false},
		{"a guest by type alone", []func(*directory.Object){set(attrUserType, directory.TextOf("Guest"))}, false},
		{"invited once, an internal account now", []func(*directory.Object){set(attrCreationType, directory.TextOf("Invitation"))}, false},
		{"external, but mastered on-premises", []func(*directory.Object){set(attrExternalState, directory.TextOf("Accepted")), onPremises}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := guest("u", internal)
			for _, e := range c.edit {
				e(&o)
			}
			if got := isExternal(o, own); got != c.want {
				t.Errorf("external: got %v, want %v", got, c.want)
			}
		})
	}
}
