package pseudonym

import "strings"

// staying is a set of properties, by lower-case name.
func staying(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[strings.ToLower(n)] = true
	}
	return set
}

// The properties that stay, section by section. Whatever is not listed is
// pseudonymized: a property that is forgotten here gives nobody away.
var (
	// userStays is what synchronization decides by and what places a person in the
	// organization, without naming anybody.
	userStays = staying(
		"id", "accountEnabled", "userType", "creationType", "externalUserState", "externalUserStateChangeDateTime",
		"createdDateTime", "deletedDateTime", "onPremisesSyncEnabled", "onPremisesLastSyncDateTime", "showInAddressList",
		"isManagementRestricted", "isResourceAccount", "signInType", "issuer", "passwordPolicies", "exchangeMastered",
		"department", "jobTitle", "companyName", "country", "city", "state", "officeLocation", "usageLocation", "preferredLanguage",
		"preferredDataLocation", "employeeType", "employeeHireDate", "employeeLeaveDateTime", "costCenter", "division",
		"ageGroup", "consentProvidedForMinor", "legalAgeGroupClassification", "tenantId",
	)
	groupStays     = staying("id", "members", "createdDateTime", "groupTypes", "mailEnabled", "securityEnabled", "visibility", "isAssignableToRole", "onPremisesSyncEnabled")
	contactStays   = staying("id", "onPremisesSyncEnabled", "onPremisesLastSyncDateTime")
	principalStays = staying("id", "appId", "displayName", "appRoles", "principalId", "principalType", "appRoleId", "resourceId", "resourceDisplayName", "applicationTemplateId",
		"createdDateTime", "deletedDateTime")
	// sectionsStay say nothing of people: what the tenant is called, what
	// administrators decided, what Microsoft's roles are called.
	sectionsStay = staying("organization", "policies", "directoryRoles", "applications", "extensionProperties")
	// prefixed are lists of addresses with their kinds, such as SMTP:.
	prefixed = staying("proxyAddresses", "imAddresses")
	// addressKinds are the kinds that Exchange knows and writes; another word before
	// a colon may be a name.
	addressKinds = staying("smtp", "x500", "x400", "sip", "spo", "eum", "airsync", "gsmtp", "mrs", "tel", "sms", "fax", "notes", "msmail", "ccmail",
		"gwise", "macmail", "msxchange", "nmail")
)

// section says how a section of a tenant file is treated.
func (p *Pseudonymizer) section(name string) treatment {
	switch name {
	case "users", "deletedUsers":
		return treatment{member: p.property(userStays, p.keep)}
	case "groups":
		return treatment{member: p.property(groupStays, nil)}
	case "contacts":
		return treatment{member: p.property(contactStays, nil)}
	case "servicePrincipals":
		other := p.property(principalStays, nil)
		return treatment{member: func(name string) treatment {
			if strings.EqualFold(name, "synchronization") {
				return p.synchronization()
			}
			return other(name)
		}}
	}
	if sectionsStay[strings.ToLower(name)] {
		return treatment{stays: true}
	}
	return treatment{member: p.property(staying("id"), nil)}
}

// property says how the properties of an object, and those inside them, are
// treated. A property that stays does so with all that is in it.
func (p *Pseudonymizer) property(sets ...map[string]bool) func(name string) treatment {
	var of func(name string) treatment
	of = func(name string) treatment {
		lower := strings.ToLower(name)
		for _, set := range sets {
			if set[lower] {
				return treatment{stays: true}
			}
		}
		return treatment{prefix: prefixed[lower], member: of}
	}
	return of
}

// Stays reports whether a user attribute, by its flat name, keeps its value.
func (p *Pseudonymizer) Stays(attribute string) bool {
	lower := strings.ToLower(attribute)
	return userStays[lower] || p.keep[lower] || lower == "manager"
}
