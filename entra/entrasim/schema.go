package entrasim

import (
	"slices"
	"sort"
	"strings"
)

// valueType is the JSON shape a property takes.
type valueType uint8

const (
	typeString valueType = iota
	typeBool
	typeDate
	typeStrings // collection of text, never null
	typeObjects // collection of objects, never null
	typeObject  // complex value
	typeNumber
	typeExtension // a directory extension: the tenant knows what it holds
)

// access says who may write a property of a user, and how Graph answers others.
type access uint8

const (
	accessWrite      access = iota // app-only, with User.ReadWrite.All
	accessRead                     // 400: read-only
	accessForbidden                // 403: never with application permissions
	accessIdentities               // User.ManageIdentities.All
	accessLeave                    // User-LifeCycleInfo.ReadWrite.All
	accessInternal                 // internal users only: the logon name, the nickname, the password
	accessReference                // by $ref only
)

// property is one declared property of a Graph type.
type property struct {
	name      string
	typ       valueType
	access    access
	max       int  // characters, or elements of a collection; 0 = unlimited
	byDefault bool // returned without $select
	keep      bool // may not be cleared
	sensitive bool // refused on holders of a directory role
	remote    bool // not in the directory store: no collection query serves it
}

// userProperties are the properties of microsoft.graph.user as far as
// application permissions reach them, with the limits of the user resource page:
// https://learn.microsoft.com/graph/api/resources/user
var userProperties = schemaOf([]property{
	{name: "aboutMe", access: accessForbidden, remote: true},
	{name: "accountEnabled", typ: typeBool, keep: true, sensitive: true},
	{name: "ageGroup"},
	{name: "assignedLicenses", typ: typeObjects, access: accessRead},
	{name: "assignedPlans", typ: typeObjects, access: accessRead},
	{name: "authorizationInfo", typ: typeObject, access: accessRead},
	{name: "birthday", typ: typeDate, access: accessForbidden, remote: true},
	{name: "businessPhones", typ: typeStrings, max: 1, byDefault: true, sensitive: true},
	{name: "city", max: 128},
	{name: "companyName", max: 64},
	{name: "consentProvidedForMinor"},
	{name: "country", max: 128},
	{name: "createdDateTime", typ: typeDate, access: accessRead},
	{name: "creationType", access: accessRead},
	{name: "customSecurityAttributes", typ: typeObject, access: accessForbidden},
	{name: "deletedDateTime", typ: typeDate, access: accessRead},
	{name: "department", max: 64},
	{name: "deviceEnrollmentLimit", typ: typeNumber, access: accessForbidden, remote: true},
	{name: "displayName", max: 256, byDefault: true, keep: true},
	{name: "employeeHireDate", typ: typeDate},
	{name: "employeeId", max: 16},
	{name: "employeeLeaveDateTime", typ: typeDate, access: accessLeave},
	{name: "employeeOrgData", typ: typeObject},
	{name: "employeeType"},
	{name: "externalUserState", access: accessRead},
	{name: "externalUserStateChangeDateTime", typ: typeDate, access: accessRead},
	{name: "faxNumber", max: 64},
	{name: "givenName", max: 64, byDefault: true},
	{name: "hireDate", typ: typeDate, access: accessForbidden, remote: true},
	{name: "id", access: accessRead, byDefault: true},
	{name: "identities", typ: typeObjects, access: accessIdentities},
	{name: "imAddresses", typ: typeStrings, access: accessRead},
	{name: "interests", typ: typeStrings, access: accessForbidden, remote: true},
	{name: "isManagementRestricted", typ: typeBool, access: accessRead},
	{name: "isResourceAccount", typ: typeBool, access: accessRead},
	{name: "jobTitle", max: 128, byDefault: true},
	{name: "lastPasswordChangeDateTime", typ: typeDate, access: accessRead},
	{name: "legalAgeGroupClassification", access: accessRead},
	{name: "licenseAssignmentStates", typ: typeObjects, access: accessRead},
	{name: "mail", byDefault: true},
	{name: "mailNickname", max: 64, access: accessInternal, keep: true},
	{name: "mailboxSettings", typ: typeObject, access: accessForbidden, remote: true},
	{name: "manager", typ: typeObject, access: accessReference},
	{name: "mobilePhone", max: 64, byDefault: true, sensitive: true},
	{name: "mySite", access: accessForbidden, remote: true},
	{name: "officeLocation", max: 128, byDefault: true},
	{name: "onPremisesDistinguishedName", access: accessRead},
	{name: "onPremisesDomainName", access: accessRead},
	{name: "onPremisesExtensionAttributes", typ: typeObject},
	{name: "onPremisesImmutableId", access: accessInternal},
	{name: "onPremisesLastSyncDateTime", typ: typeDate, access: accessRead},
	{name: "onPremisesProvisioningErrors", typ: typeObjects, access: accessRead},
	{name: "onPremisesSamAccountName", access: accessRead},
	{name: "onPremisesSecurityIdentifier", access: accessRead},
	{name: "onPremisesSyncEnabled", typ: typeBool, access: accessRead},
	{name: "onPremisesUserPrincipalName", access: accessRead},
	{name: "otherMails", typ: typeStrings, max: 250, sensitive: true},
	{name: "passwordPolicies", access: accessInternal},
	{name: "passwordProfile", typ: typeObject, access: accessInternal, sensitive: true},
	{name: "pastProjects", typ: typeStrings, access: accessForbidden, remote: true},
	{name: "postalCode", max: 40},
	{name: "preferredDataLocation"},
	{name: "preferredLanguage", byDefault: true},
	{name: "preferredName", access: accessForbidden, remote: true},
	{name: "print", typ: typeObject, access: accessForbidden, remote: true},
	{name: "provisionedPlans", typ: typeObjects, access: accessRead},
	{name: "proxyAddresses", typ: typeStrings, access: accessForbidden},
	{name: "responsibilities", typ: typeStrings, access: accessForbidden, remote: true},
	{name: "schools", typ: typeStrings, access: accessForbidden, remote: true},
	{name: "securityIdentifier", access: accessRead},
	{name: "serviceProvisioningErrors", typ: typeObjects, access: accessRead},
	{name: "showInAddressList", typ: typeBool},
	{name: "signInActivity", typ: typeObject, access: accessRead},
	{name: "signInSessionsValidFromDateTime", typ: typeDate, access: accessRead},
	{name: "skills", typ: typeStrings, access: accessForbidden, remote: true},
	{name: "sponsors", typ: typeObjects, access: accessReference},
	{name: "state", max: 128},
	{name: "streetAddress", max: 1024},
	{name: "surname", max: 64, byDefault: true},
	{name: "usageLocation", keep: true},
	{name: "userPrincipalName", access: accessInternal, byDefault: true, keep: true, sensitive: true},
	{name: "userType"},
})

// groupProperties are the properties of microsoft.graph.group that are served.
var groupProperties = schemaOf([]property{
	{name: "allowExternalSenders", typ: typeBool, access: accessRead, remote: true},
	{name: "assignedLabels", typ: typeObjects, access: accessRead},
	{name: "assignedLicenses", typ: typeObjects, access: accessRead},
	{name: "autoSubscribeNewMembers", typ: typeBool, access: accessRead, remote: true},
	{name: "classification", byDefault: true},
	{name: "creationOptions", typ: typeStrings, access: accessRead, byDefault: true},
	{name: "createdDateTime", typ: typeDate, access: accessRead, byDefault: true},
	{name: "deletedDateTime", typ: typeDate, access: accessRead, byDefault: true},
	{name: "description", byDefault: true},
	{name: "displayName", max: 256, byDefault: true, keep: true},
	{name: "expirationDateTime", typ: typeDate, access: accessRead, byDefault: true},
	{name: "groupTypes", typ: typeStrings, byDefault: true},
	{name: "hasMembersWithLicenseErrors", typ: typeBool, access: accessRead},
	{name: "hideFromAddressLists", typ: typeBool, access: accessRead, remote: true},
	{name: "hideFromOutlookClients", typ: typeBool, access: accessRead, remote: true},
	{name: "id", access: accessRead, byDefault: true},
	{name: "isArchived", typ: typeBool, access: accessRead, remote: true},
	{name: "isAssignableToRole", typ: typeBool, access: accessRead, byDefault: true},
	{name: "isManagementRestricted", typ: typeBool, access: accessRead},
	{name: "isSubscribedByMail", typ: typeBool, access: accessRead, remote: true},
	{name: "licenseProcessingState", typ: typeObject, access: accessRead},
	{name: "mail", access: accessRead, byDefault: true},
	{name: "mailEnabled", typ: typeBool, byDefault: true},
	{name: "mailNickname", max: 64, byDefault: true},
	{name: "members", typ: typeObjects, access: accessReference},
	{name: "membershipRule", byDefault: true},
	{name: "membershipRuleProcessingState", byDefault: true},
	{name: "onPremisesDomainName", access: accessRead, byDefault: true},
	{name: "onPremisesLastSyncDateTime", typ: typeDate, access: accessRead, byDefault: true},
	{name: "onPremisesNetBiosName", access: accessRead, byDefault: true},
	{name: "onPremisesProvisioningErrors", typ: typeObjects, access: accessRead, byDefault: true},
	{name: "onPremisesSamAccountName", access: accessRead, byDefault: true},
	{name: "onPremisesSecurityIdentifier", access: accessRead, byDefault: true},
	{name: "onPremisesSyncEnabled", typ: typeBool, access: accessRead, byDefault: true},
	{name: "owners", typ: typeObjects, access: accessReference},
	{name: "preferredDataLocation", byDefault: true},
	{name: "preferredLanguage", byDefault: true},
	{name: "proxyAddresses", typ: typeStrings, access: accessRead, byDefault: true},
	{name: "renewedDateTime", typ: typeDate, access: accessRead, byDefault: true},
	{name: "resourceBehaviorOptions", typ: typeStrings, access: accessRead, byDefault: true},
	{name: "resourceProvisioningOptions", typ: typeStrings, access: accessRead, byDefault: true},
	{name: "securityEnabled", typ: typeBool, byDefault: true},
	{name: "securityIdentifier", access: accessRead, byDefault: true},
	{name: "serviceProvisioningErrors", typ: typeObjects, access: accessRead},
	{name: "theme", byDefault: true},
	{name: "uniqueName", access: accessRead},
	{name: "unseenCount", typ: typeNumber, access: accessRead, remote: true},
	{name: "visibility", byDefault: true},
})

// contactProperties are the properties of microsoft.graph.orgContact that are served.
var contactProperties = schemaOf([]property{
	{name: "addresses", typ: typeObjects, byDefault: true},
	{name: "companyName", byDefault: true},
	{name: "deletedDateTime", typ: typeDate, byDefault: true},
	{name: "department", byDefault: true},
	{name: "displayName", byDefault: true},
	{name: "givenName", byDefault: true},
	{name: "id", byDefault: true},
	{name: "jobTitle", byDefault: true},
	{name: "mail", byDefault: true},
	{name: "mailNickname", byDefault: true},
	{name: "onPremisesLastSyncDateTime", typ: typeDate, byDefault: true},
	{name: "onPremisesProvisioningErrors", typ: typeObjects, byDefault: true},
	{name: "onPremisesSyncEnabled", typ: typeBool, byDefault: true},
	{name: "phones", typ: typeObjects, byDefault: true},
	{name: "proxyAddresses", typ: typeStrings, byDefault: true},
	{name: "serviceProvisioningErrors", typ: typeObjects, byDefault: true},
	{name: "surname", byDefault: true},
})

// schema is the declared properties of a type, by name.
type schema struct {
	props    []property
	index    map[string]int
	defaults []string
}

func schemaOf(props []property) *schema {
	s := &schema{props: props, index: make(map[string]int, len(props))}
	sort.Slice(props, func(i, j int) bool { return props[i].name < props[j].name })
	for i, p := range props {
		s.index[p.name] = i
		if p.byDefault {
			s.defaults = append(s.defaults, p.name)
		}
	}
	return s
}

// schemaFor returns the schema of a kind of object.
func schemaFor(k objectKind) *schema {
	switch k {
	case kindGroup:
		return groupProperties
	case kindContact:
		return contactProperties
	default:
		return userProperties
	}
}

// lookup finds a declared property, or a directory extension such as
// extension_0123456789abcdef0123456789abcdef_costCode: the entity is open.
func (s *schema) lookup(name string) (property, bool) {
	if i, ok := s.index[name]; ok {
		return s.props[i], true
	}
	if extensionName.MatchString(name) {
		return property{name: name, typ: typeExtension}, true
	}
	return property{}, false
}

// intern returns the declared name itself, so that a hundred thousand objects
// share one string.
func (s *schema) intern(name string) string {
	if i, ok := s.index[name]; ok {
		return s.props[i].name
	}
	return strings.Clone(name)
}

// empty is what Graph shows for a property without a value.
func (p property) empty() string {
	switch {
	case p.name == "onPremisesExtensionAttributes":
		return noExtensionAttributes
	case p.typ == typeStrings || p.typ == typeObjects:
		return "[]"
	default:
		return "null"
	}
}

// noExtensionAttributes is how Graph writes a user without any of the fifteen.
const noExtensionAttributes = `{"extensionAttribute1":null,"extensionAttribute2":null,"extensionAttribute3":null,` +
	`"extensionAttribute4":null,"extensionAttribute5":null,"extensionAttribute6":null,"extensionAttribute7":null,` +
	`"extensionAttribute8":null,"extensionAttribute9":null,"extensionAttribute10":null,"extensionAttribute11":null,` +
	`"extensionAttribute12":null,"extensionAttribute13":null,"extensionAttribute14":null,"extensionAttribute15":null}`

// simulatorProperties may stand on a user of a tenant file beside Graph's own
// and are never shown by a query: exchangeMastered marks a user whose mail and
// showInAddressList Exchange owns, homeIdentity the home object of a guest.
var simulatorProperties = []string{"exchangeMastered", "homeIdentity"}

func isSimulatorProperty(name string) bool { return slices.Contains(simulatorProperties, name) }
