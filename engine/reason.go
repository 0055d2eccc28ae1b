package engine

// Code names why an object failed, was skipped or carries a warning, or why a
// job is in quarantine. The names are Entra's where Entra has one.
// https://learn.microsoft.com/entra/identity/app-provisioning/howto-analyze-provisioning-logs
type Code string

// Why an object was skipped.
const (
	CodeNotEffectivelyEntitled Code = "NotEffectivelyEntitled" // disabled at first sight, or not assigned
	CodeOutOfScope             Code = "OutOfScope"             // a filter or the assignment excludes it
	CodeExternalSource         Code = "ExternalUser"           // a guest or external user of the source
	CodeRedundantExport        Code = "RedundantExport"        // source and target are equal
	CodeOwnedByOtherJob        Code = "OwnedByOtherJob"
	CodeBlockedInTarget        Code = "BlockedInTarget"
	CodeDeletedInTarget        Code = "DeletedInTarget"
	CodeActionNotAllowed       Code = "ActionNotAllowed" // targetObjectActions
	CodePendingDelete          Code = "PendingDelete"    // provision on demand never deletes
	CodeRetained               Code = "Retained"
	CodeIgnored                Code = "IgnoreObjectFlow"   // an expression says so
	CodeUnconfirmed            Code = "DeleteNotConfirmed" // a second look at the source spoke against it
)

// Why an object failed.
const (
	CodeDuplicateTargetEntries Code = "DuplicateTargetEntries"
	CodeDuplicateSourceEntries Code = "DuplicateSourceEntries"
	CodeForeignIdentity        Code = "ForeignIdentity"
	CodeLinkedToOther          Code = "LinkedToOtherUser"
	CodeOwnedByOtherUser       Code = "OwnedByOtherUser"  // the target user bears the stamp of somebody else
	CodeOwnershipConflict      Code = "OwnershipConflict" // stamp and address lead to two users
	CodeInvalidDomain          Code = "InvalidDomain"
	CodeImportSkipped          Code = "ImportSkipped" // no address to invite
	CodeAmbiguousUser          Code = "InvitationCreationFailureAmbiguousUser"
	CodeInvalidInvitation      Code = "InvitationCreationFailureInvalidPropertyValue"
	CodeInvitationFailed       Code = "InvitationCreationFailure"
	CodeInvitationForbidden    Code = "AzureActiveDirectoryForbidden"
	CodeQuotaExceeded          Code = "AzureActiveDirectoryQuotaLimitExceeded"
	CodeOnPremises             Code = "AzureActiveDirectoryCannotUpdateObjectsMasteredOnPremises"
	CodeExternalService        Code = "AzureActiveDirectoryCannotUpdateObjectsOriginatedInExternalService"
	CodeConflict               Code = "Conflict"
	CodeInsufficientRights     Code = "InsufficientRights"
	CodeRestrictedManagement   Code = "RestrictedManagement"
	CodeInvalidAnchor          Code = "InvalidAnchor" // the linked target user is gone or no longer external
	CodeAttributeValidation    Code = "AttributeValidationFailed"
	CodeInvalidValue           Code = "InvalidValue"
	CodeTooManyRequests        Code = "TooManyRequests"
	CodeTimeout                Code = "Timeout" // the outcome of a write is not known
	CodeServerError            Code = "InternalServerError"
	CodeReplication            Code = "ReplicationDelay"
	CodeFilterFailed           Code = "ScopeEvaluationFailed"
	CodeProtected              Code = "Protected"     // protectedUsers names the target user
	CodeFault                  Code = "InternalFault" // of this program
	CodeNoUniqueValue          Code = "NoUniqueValue" // every candidate of SelectUniqueValue is taken
)

// Warnings.
const (
	CodeUnresolvedReference   Code = "UnableToResolveReferenceAttributeValue"
	CodePendingAddressChanged Code = "PendingAddressChanged"
	CodeChangedInTarget       Code = "ChangedInTarget"
)

// Why a job is in quarantine, or holds something.
const (
	CodeTooManyDeletes         Code = "TooManyDeletes"
	CodeTooManyDeletesInWindow Code = "TooManyDeletesInWindow"
	CodeScopeShrunk            Code = "ScopeShrunk"
	CodeScopeGroupDeleted      Code = "ScopeGroupDeleted"
	CodeStateRestored          Code = "StateRestored"  // an older state was put back: its deletes wait for a person
	CodeTooManyChanges         Code = "TooManyChanges" // after a change of the configuration
	CodeTooManyCreates         Code = "TooManyCreates"
	CodeTooManyUpdates         Code = "TooManyUpdates"
	CodeTooManyMembers         Code = "TooManyMembers" // guests who become members
	CodeConnection             Code = "EncounteredQuarantineException"
	CodeProportion             Code = "EncounteredEscrowProportionThreshold"
	CodeTotal                  Code = "EncounteredTotalEscrowThreshold"
)

// HoldsChanges reports a reason that holds creates or updates, which sync --accept
// and apply let through; other reasons hold deletions.
func (c Code) HoldsChanges() bool {
	switch c {
	case CodeTooManyChanges, CodeTooManyCreates, CodeTooManyUpdates, CodeTooManyMembers:
		return true
	}
	return false
}

// CodeInvitationsBlocked says that Microsoft has stopped the target's invitations, and the
// job is in quarantine for its creates.
const CodeInvitationsBlocked Code = "InvitationsBlocked"

// Internal marks of escrows that are no failures: the object is to be looked at
// again. They are not listed as retries.
const (
	markDeleteAfter    Code = "DeleteAfter"
	markOwnershipMoved Code = "OwnershipMoved"
	markProvisioned    Code = "Provisioned" // on demand, by a run that has not ended
	markLookAgain      Code = "LookAgain"   // when no replica of the source lags any more
	markUnconfirmed    Code = "Unconfirmed"
	markManagerLinked  Code = "ManagerLinked"
)

// advice says what to do about a code; every code has one line.
var advice = map[Code]string{
	CodeNotEffectivelyEntitled: "enable the user in the source tenant, or assign it to the job's scope",
	CodeOutOfScope:             "nothing to do if that is intended; else change the assignment or the filter",
	CodeExternalSource:         "nothing to do: only internal members of the source are synchronized",
	CodeRedundantExport:        "nothing to do: source and target are equal",
	CodeOwnedByOtherJob:        "nothing to do: the job that comes first in the configuration keeps this user in sync",
	CodeBlockedInTarget:        "if the user may sign in again, unblock it in the target tenant",
	CodeDeletedInTarget:        "to undo the deletion: tenantsync provision USER --restore",
	CodeActionNotAllowed:       "add the action to targetObjectActions if it is wanted",
	CodePendingDelete:          "the next cycle does it, once the deletion threshold has been judged",
	CodeRetained:               "nothing to do: the deletion was rejected",
	CodeIgnored:                "nothing to do if that is intended; else change the expression",
	CodeUnconfirmed:            "nothing to do: the next cycle looks at the user again",

	CodeDuplicateTargetEntries: "remove or rename one of the target users, or change the matching attribute",
	CodeDuplicateSourceEntries: "give one of the source users another address, or take it out of scope",
	CodeForeignIdentity:        "this target user belongs to another home; remove it, or take the source user out of scope",
	CodeLinkedToOther:          "give one of the two source users another address",
	CodeOwnedByOtherUser:       "if the target user is this one's after all, clear the stamp in the target; else give one of the two another address",
	CodeOwnershipConflict:      "decide which target user is right: clear the stamp of one, or take the address from the other",
	CodeInvalidDomain:          "use a user principal name in a domain that is verified in the source tenant and not in the target",
	CodeImportSkipped:          "fill in the attribute that is invited (user principal name, or mail)",
	CodeAmbiguousUser:          "an internal user of the target has this address: remove the address there, or exclude the source user",
	CodeInvalidInvitation:      "correct the address in the source tenant",
	CodeInvitationFailed:       "see what the target tenant answered; it is retried by itself",
	CodeInvitationForbidden:    "allow invitations in the target's external collaboration settings, then run: tenantsync check",
	CodeQuotaExceeded:          "remove objects from the target directory or ask for a higher quota",
	CodeOnPremises:             "the target user is mastered on-premises and cannot be changed here",
	CodeExternalService:        "change this attribute in Exchange",
	CodeConflict:               "another object of the target has this value: change one of them",
	CodeInsufficientRights:     "the target user holds a directory role: change it by hand, or give the app a higher role",
	CodeRestrictedManagement:   "the target user is in a restricted management administrative unit: change it by hand there",
	CodeInvalidAnchor:          "the target user is gone or no longer an external user of this source; look at it in the target tenant",
	CodeAttributeValidation:    "correct the value in the source, or the mapping",
	CodeInvalidValue:           "correct the value in the source, or the mapping",
	CodeTooManyRequests:        "nothing to do: it is retried in the next cycle",
	CodeTimeout:                "nothing to do: the next cycle looks the user up before it writes again",
	CodeServerError:            "nothing to do: it is retried by itself",
	CodeReplication:            "nothing to do: the new or restored user is not visible everywhere yet; it is retried by itself",
	CodeFilterFailed:           "correct the filter's pattern or the value it was applied to",
	CodeProtected:              "nothing to do: protectedUsers of the configuration names this target user",
	CodeFault:                  "report the stack that the program logged; the other users are not affected",
	CodeNoUniqueValue:          "give SelectUniqueValue a further rule, or free one of the values in the target",

	CodeUnresolvedReference:   "bring the manager into scope; the reference is set as soon as the manager is linked",
	CodeChangedInTarget:       "set the value in the target as the mapping has it, or write drift: overwrite or keep for the attribute",
	CodePendingAddressChanged: "the invitation still goes to the old address: have it redeemed, or reset the redemption",

	CodeTooManyDeletes:         "review them: tenantsync deletions list JOB; then deletions allow or reject",
	CodeTooManyDeletesInWindow: "review them: tenantsync deletions list JOB; then deletions allow or reject; allow --all counts from zero again",
	CodeScopeShrunk:            "repair the scope, or confirm it: tenantsync deletions allow JOB --all",
	CodeScopeGroupDeleted:      "restore the group, or take it out of the configuration",
	CodeStateRestored:          "look at the list: tenantsync deletions list, then allow or reject; what the state did not know of was adopted",
	CodeTooManyChanges:         "review them: tenantsync plan JOB; then tenantsync sync JOB --accept",
	CodeTooManyCreates:         "review them: tenantsync plan JOB; then tenantsync sync JOB --accept",
	CodeTooManyUpdates:         "review them: tenantsync plan JOB; then tenantsync sync JOB --accept",
	CodeTooManyMembers:         "review them: tenantsync plan JOB; then tenantsync sync JOB --accept",
	CodeConnection:             "run: tenantsync check JOB",
	CodeProportion:             "see what they have in common: tenantsync logs --status failure",
	CodeTotal:                  "see what they have in common: tenantsync logs --status failure",

	CodeInvitationsBlocked: "open a support request with Microsoft from the target tenant; afterwards: tenantsync retries now JOB",
}

// Advice returns what to do about a code, "" for a code this package does not use.
func Advice(code string) string { return advice[Code(code)] }

// Codes returns every code with its advice, for the documentation.
func Codes() map[string]string {
	out := make(map[string]string, len(advice))
	for c, a := range advice {
		out[string(c)] = a
	}
	return out
}
