package engine

import (
	"fmt"
	"strings"

	"tenantsync/directory"
)

// candidate is a target user that a matching attribute led to.
type candidate struct {
	object  directory.Object
	address string // the value that matched, in normal form
	linked  string // the source id it is linked to, "" when it is free
}

// choice is the result of matching: a target user, none, or a failure.
type choice struct {
	object *directory.Object
	code   Code
	reason string
}

// choose picks the target user for a source user among what its matching
// attributes led to. Only a free external user whose home is the source tenant
// is taken: an account that is internal, of another home, or linked to somebody
// else is a failure that says so.
func choose(sourceID string, found []candidate, source, target directory.Tenant) choice {
	var external []candidate
	for _, c := range found {
		if !isExternal(c.object, target) {
			continue
		}
		if !containsCandidate(external, c.object.ID) {
			external = append(external, c)
		}
	}
	switch {
	case len(external) == 0:
		return internalOwner(found, target)
	case len(external) > 1:
		ids := make([]string, len(external))
		for i, c := range external {
			ids[i] = c.object.ID
		}
		return choice{code: CodeDuplicateTargetEntries, reason: fmt.Sprintf("%d users in the target have the address %s: %s",
			len(external), external[0].address, strings.Join(ids, ", "))}
	}
	c := external[0]
	if c.linked != "" && c.linked != sourceID {
		return choice{code: CodeLinkedToOther, reason: fmt.Sprintf("target user %s, which has the address %s, is linked to source user %s",
			c.object.ID, c.address, c.linked)}
	}
	if ok, issuer := homeIsSource(c.object, c.address, source); !ok {
		return choice{code: CodeForeignIdentity, reason: fmt.Sprintf("target user %s, which has the address %s, has its home at %s, not in %s",
			c.object.ID, c.address, issuer, source.DefaultDomain)}
	}
	return choice{object: &c.object}
}

func containsCandidate(list []candidate, id string) bool {
	for _, c := range list {
		if c.object.ID == id {
			return true
		}
	}
	return false
}

// internalOwner says that an address belongs to an internal account, if it does.
func internalOwner(found []candidate, target directory.Tenant) choice {
	for _, c := range found {
		if !isExternal(c.object, target) {
			return choice{code: CodeAmbiguousUser, reason: fmt.Sprintf("the address %s belongs to the internal user %s of the target, which is never taken over",
				c.address, c.object.ID)}
		}
	}
	return choice{}
}

// homeIsSource reports whether an external user may be taken for a user of the
// source tenant: redeemed by an Entra account or not redeemed yet, and the
// address that led to it lies in a verified domain of the source. Otherwise it
// names the home that was found.
func homeIsSource(o directory.Object, address string, source directory.Tenant) (ok bool, issuer string) {
	trusted := strings.EqualFold(o.Attributes.Get(attrExternalState).Text(), pendingAcceptance)
	for _, id := range o.Identities {
		if strings.EqualFold(id.Issuer, issuerEntra) {
			trusted = true
		} else if strings.EqualFold(id.SignInType, "federated") && issuer == "" {
			issuer = id.Issuer
		}
	}
	if trusted && source.Verified(directory.Domain(address)) {
		return true, ""
	}
	if trusted || issuer == "" {
		issuer = "another directory (domain " + directory.Domain(address) + ")"
	}
	return false, issuer
}
