package attribute

import (
	"maps"
	"slices"
	"strconv"

	"tenantsync/directory"
)

// Why an attribute cannot be read, written, searched or asked for in a filter.
const (
	readOnly     = "it is read-only in Graph: to carry a value over, map it to an extensionAttribute or a directory extension"
	external     = "Graph refuses it for external users"
	ofMail       = "it is read-only in Graph and follows mail: map mail instead"
	recomputed   = "the directory recomputes it from the addresses of an external user: map mail instead"
	sharePoint   = "it is kept outside the directory: Graph neither lists it with users nor reports its changes"
	several      = "scoping filters cannot judge attributes with several values"
	dates        = "scoping filters cannot judge dates"
	permission   = "writing it needs a permission of its own, which this program does not ask for"
	onlyMembers  = "only internal members of the source are read, so userType decides nothing"
	onlyManager  = "scoping filters cannot judge references"
	advanced     = "Graph finds users by it with advanced queries only, whose index lags"
	unlisted     = "Graph does not search by it"
	indistinct   = "it has only a few values"
	namedPassing = "it is an object of several properties, not a value"
	passwordless = "an external user has no password in the target"
	objects      = "it is a list of objects, not of values"
	assigned     = "it is what the source assigns, not an attribute of the target user"
)

func text(max int) Info { return Info{Kind: directory.Text, MaxLength: max} }

func boolean() Info { return Info{Kind: directory.Bool} }

func list(max int) Info {
	return Info{Kind: directory.List, MaxMembers: max, Unfiltered: several}
}

func date() Info { return Info{Kind: directory.Text, Date: true, Unfiltered: dates} }

func oneOf(values ...string) Info { return Info{Kind: directory.Text, Values: values} }

func (i Info) refused(why string) Info { i.Refused = why; return i }

func (i Info) fixed() Info { i.Fixed = true; return i }

func (i Info) unfiltered(why string) Info { i.Unfiltered = why; return i }

func (i Info) unsearchable(why string) Info { i.Unsearchable = why; return i }

func (i Info) unreadable(why string) Info {
	i.Unreadable, i.Refused, i.Unfiltered = why, why, why
	return i
}

// table is filled once, when the program starts, and never changed.
var table = build(map[string]Info{
	// Writable by an app for an external user that is mastered in the cloud.
	"accountEnabled":          boolean().fixed().unsearchable(indistinct),
	"ageGroup":                oneOf("Minor", "NotAdult", "Adult").unsearchable(indistinct),
	"businessPhones":          list(1),
	"city":                    text(128),
	"companyName":             text(64).unsearchable(advanced),
	"consentProvidedForMinor": oneOf("Granted", "Denied", "NotRequired").unsearchable(indistinct),
	"costCenter":              text(0).unsearchable(unlisted),
	"country":                 text(128),
	"department":              text(64),
	"displayName":             text(256).fixed(),
	"division":                text(0).unsearchable(unlisted),
	"employeeHireDate":        date().unsearchable(advanced),
	"employeeId":              text(16),
	"employeeType":            text(0).unsearchable(advanced),
	"faxNumber":               text(0).unsearchable(unlisted),
	"givenName":               text(64),
	"jobTitle":                text(128),
	"mail":                    text(0),
	"mobilePhone":             text(64).unsearchable(advanced),
	"officeLocation":          text(128).unsearchable(advanced),
	"postalCode":              text(40).unsearchable(advanced),
	"preferredDataLocation":   text(0).unsearchable(unlisted),
	"preferredLanguage":       text(0).unsearchable(advanced),
	"showInAddressList":       boolean().unsearchable(indistinct),
	"state":                   text(128),
	"streetAddress":           text(1024).unsearchable(advanced),
	"surname":                 text(64),
	"usageLocation":           text(2).fixed().unsearchable(indistinct),
	"userType":                oneOf("Member", "Guest").fixed().unfiltered(onlyMembers).unsearchable(indistinct),
	"manager":                 {Kind: directory.Ref, Unfiltered: onlyManager, Unsearchable: unlisted},

	// Refused for external users.
	"userPrincipalName": text(0).refused(external + ": it is derived from the invited address"),
	"mailNickname":      text(64).refused(external + ": the directory derives it from the user principal name"),
	"proxyAddresses":    list(0).refused(ofMail),
	"otherMails":        list(250).refused(recomputed),
	"identities":        list(0).refused(permission).unreadable(namedPassing),
	"passwordPolicies":  text(0).refused(passwordless).unsearchable(advanced),
	"passwordProfile":   text(0).unreadable(passwordless),

	// Read-only, or with rules of their own.
	"id":                              text(0).refused(readOnly),
	"createdDateTime":                 date().refused(readOnly),
	"deletedDateTime":                 date().refused(readOnly),
	"creationType":                    text(0).refused(readOnly),
	"employeeLeaveDateTime":           date().refused(permission),
	"externalUserState":               text(0).refused(readOnly),
	"externalUserStateChangeDateTime": date().refused(readOnly),
	"imAddresses":                     list(0).refused(readOnly),
	"isManagementRestricted":          boolean().refused(readOnly),
	"isResourceAccount":               boolean().refused(readOnly),
	"lastPasswordChangeDateTime":      date().refused(readOnly),
	"legalAgeGroupClassification":     text(0).refused(readOnly),
	"onPremisesDistinguishedName":     text(0).refused(readOnly),
	"onPremisesDomainName":            text(0).refused(readOnly),
	"onPremisesImmutableId":           text(0).refused(external + ": it belongs to users synchronized from on-premises"),
	"onPremisesLastSyncDateTime":      date().refused(readOnly),
	"onPremisesSamAccountName":        text(0).refused(readOnly),
	"onPremisesSecurityIdentifier":    text(0).refused(readOnly),
	"onPremisesSyncEnabled":           boolean().refused(readOnly),
	"onPremisesUserPrincipalName":     text(0).refused(readOnly),
	"securityIdentifier":              text(0).refused(readOnly),
	"signInSessionsValidFromDateTime": date().refused(readOnly),

	// Objects, of which no value can be taken.
	"assignedLicenses":              list(0).unreadable(objects),
	"assignedPlans":                 list(0).unreadable(objects),
	"authorizationInfo":             text(0).unreadable(namedPassing),
	"customSecurityAttributes":      text(0).unreadable("reading and writing it needs permissions of its own, which this program does not ask for"),
	"employeeOrgData":               text(0).unreadable(namedPassing + "; name costCenter or division"),
	"licenseAssignmentStates":       list(0).unreadable(objects),
	"onPremisesExtensionAttributes": text(0).unreadable(namedPassing + "; name extensionAttribute1 to extensionAttribute15"),
	"onPremisesProvisioningErrors":  list(0).unreadable(objects),
	"provisionedPlans":              list(0).unreadable(objects),
	"serviceProvisioningErrors":     list(0).unreadable(objects),
	"signInActivity":                text(0).unreadable(namedPassing),
	"sponsors":                      list(0).unreadable("it is a list of references to other users: only manager is carried over"),

	// Not a property of the user: the roles that the source's application gives.
	AppRoles: list(0).refused(assigned),

	// Kept by other services.
	"aboutMe":               text(0).unreadable(sharePoint),
	"birthday":              date().unreadable(sharePoint),
	"deviceEnrollmentLimit": text(0).unreadable(sharePoint),
	"hireDate":              date().unreadable(sharePoint),
	"interests":             list(0).unreadable(sharePoint),
	"mailboxSettings":       text(0).unreadable(sharePoint),
	"mySite":                text(0).unreadable(sharePoint),
	"pastProjects":          list(0).unreadable(sharePoint),
	"preferredName":         text(0).unreadable(sharePoint),
	"print":                 text(0).unreadable(sharePoint),
	"responsibilities":      list(0).unreadable(sharePoint),
	"schools":               list(0).unreadable(sharePoint),
	"skills":                list(0).unreadable(sharePoint),
})

var names = slices.Sorted(func(yield func(string) bool) {
	for name := range maps.Keys(table) {
		if !yield(name) {
			return
		}
	}
	for name := range maps.Keys(aliases) {
		if !yield(name) {
			return
		}
	}
})

func build(t map[string]Info) map[string]Info {
	for n := 1; n <= 15; n++ {
		t["extensionAttribute"+strconv.Itoa(n)] = text(1024).unsearchable(advanced)
	}
	for name, info := range t {
		info.Name = name
		t[name] = info
	}
	return t
}
