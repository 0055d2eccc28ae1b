package engine

import (
	"fmt"
	"strings"
	"time"

	"tenantsync/directory"
	"tenantsync/scope"
)

// Attributes the engine itself reads, besides those of mappings and filters.
const (
	attrAccountEnabled    = "accountEnabled"
	attrUPN               = "userPrincipalName"
	attrDisplayName       = "displayName"
	attrMail              = "mail"
	attrOtherMails        = "otherMails"
	attrProxyAddresses    = "proxyAddresses"
	attrUserType          = "userType"
	attrExternalState     = "externalUserState"
	attrCreationType      = "creationType"
	attrIdentities        = "identities"
	attrOnPremisesSync    = "onPremisesSyncEnabled"
	attrManager           = "manager"
	attrShowInAddressList = "showInAddressList"
)

// issuerEntra is the issuer of an identity that an Entra account of another
// tenant redeemed.
const issuerEntra = "ExternalAzureAD"

const pendingAcceptance = "PendingAcceptance"

// sourceState is what a source user is to a job.
type sourceState uint8

const (
	sourceGone       sourceState = iota // soft-deleted or purged in the source
	sourceOutOfScope                    // not assigned, filtered out, or no internal member
	sourceDisabled                      // in scope, sign-in disabled
	sourceActive                        // in scope
)

// verdict is the answer to "does this job want this user in the target".
type verdict struct {
	state  sourceState
	code   Code   // why it is not active
	reason string // a sentence
	// hold is set when a delete that follows from the verdict must wait.
	hold Code
	err  error // the filter could not be evaluated: the object fails

	through  string // what assigned it
	decision scope.Decision
}

func (v verdict) inScope() bool { return v.state >= sourceDisabled && v.err == nil }

// judge decides about one source user. It is pure: own is the source tenant, as
// the assignment found for the user, now the moment that relative dates count from.
func judge(o directory.Object, own directory.Tenant, as assignment, j *Job, now time.Time) (v verdict) {
	var fault error
	defer func() {
		if fault != nil {
			v = verdict{state: sourceOutOfScope, code: CodeFault, reason: fault.Error(), err: fault}
		}
	}()
	defer directory.Contain(&fault)
	if o.Removed != directory.NotRemoved {
		reason := "deleted in the source tenant, restorable there for 30 days"
		if o.Removed == directory.Purged {
			reason = "deleted in the source tenant for good"
		}
		return verdict{state: sourceGone, code: CodeNotEffectivelyEntitled, reason: reason}
	}
	if reason, no := notInternalMember(o, own); no {
		return verdict{state: sourceOutOfScope, code: CodeExternalSource, reason: reason}
	}
	if !as.assigned {
		v := verdict{state: sourceOutOfScope, code: CodeOutOfScope, reason: "not assigned to the job"}
		if as.goneGroup != "" {
			v.hold = CodeScopeGroupDeleted
			v.reason = "assigned only through group " + as.goneGroup + ", which no longer exists"
		}
		return v
	}
	d, gone := filtered(o, as, j.Scope.Filter, now)
	if d.Err != nil {
		return verdict{state: sourceOutOfScope, code: CodeFilterFailed, reason: d.ReasonHiding(j.Mapping.SensitiveSource), err: d.Err, decision: d}
	}
	if !d.InScope {
		v := verdict{state: sourceOutOfScope, code: CodeOutOfScope, reason: d.ReasonHiding(j.Mapping.SensitiveSource), decision: d, through: as.through}
		if gone != "" {
			v.hold = CodeScopeGroupDeleted
			v.reason += "; group " + gone + " no longer exists"
		}
		return v
	}
	v = verdict{state: sourceActive, through: as.through, decision: d}
	if !o.Enabled() {
		v.state, v.code = sourceDisabled, CodeNotEffectivelyEntitled
		v.reason = "sign-in is disabled in the source tenant"
	}
	return v
}

// notInternalMember reports whether a source user is a guest or external, and
// says why. A userType that is null counts as Member.
func notInternalMember(o directory.Object, own directory.Tenant) (string, bool) {
	if t := o.Attributes.Get(attrUserType).Text(); t != "" && !strings.EqualFold(t, "Member") {
		return fmt.Sprintf("userType is %q: only internal members of the source are synchronized", t), true
	}
	if isExternal(o, own) {
		return "an external user of the source tenant: only internal members are synchronized", true
	}
	return "", false
}

// isExternal reports whether a user has its home in another directory than own.
// What is unclear, and what is mastered on-premises, counts as internal.
func isExternal(o directory.Object, own directory.Tenant) bool {
	if synced, _ := o.Attributes.Get(attrOnPremisesSync).Bool(); synced {
		return false
	}
	if !o.Attributes.Get(attrExternalState).IsEmpty() || strings.Contains(strings.ToUpper(o.UPN()), "#EXT#") {
		return true
	}
	for _, id := range o.Identities {
		if strings.EqualFold(id.SignInType, "federated") && !own.Verified(id.Issuer) {
			return true
		}
	}
	return false
}

// sourceAddresses returns what a source user is matched by: its user principal
// name, mail and SMTP proxy addresses, in normal form.
func sourceAddresses(o directory.Object) []string {
	return o.OwnAddresses()
}

// isOurs reports whether a linked target user may still be written: external, and
// without a sign that its home is another one than an Entra tenant. An invited
// user that was redeemed with, say, a Google account is somebody else's.
func isOurs(o directory.Object, target directory.Tenant) bool {
	if !isExternal(o, target) {
		return false
	}
	foreign := false
	for _, id := range o.Identities {
		if strings.EqualFold(id.Issuer, issuerEntra) {
			return true
		}
		foreign = foreign || strings.EqualFold(id.SignInType, "federated") && !target.Verified(id.Issuer)
	}
	return !foreign
}
