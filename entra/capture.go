package entra

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"tenantsync/directory"
)

// Capture is a tenant as its own answers describe it, in the shape of a tenant
// file: every object as Graph wrote it.
type Capture struct {
	Organization      json.RawMessage   `json:"organization"`
	Users             []json.RawMessage `json:"users"`
	Groups            []json.RawMessage `json:"groups,omitempty"`
	DeletedUsers      []json.RawMessage `json:"deletedUsers,omitempty"`
	Contacts          []json.RawMessage `json:"contacts,omitempty"`
	ServicePrincipals []json.RawMessage `json:"servicePrincipals,omitempty"`
	DirectoryRoles    []json.RawMessage `json:"directoryRoles,omitempty"`
	// ExtensionProperties is nil when the tenant does not tell: then it is not known
	// which directory extensions it takes.
	ExtensionProperties []json.RawMessage `json:"extensionProperties,omitzero"`
	Policies            *CapturedPolicies `json:"policies,omitempty"`
}

// CapturedPolicies are the policies that decide about users of other tenants.
type CapturedPolicies struct {
	Authorization json.RawMessage `json:"authorizationPolicy"`
	Access        struct {
		Default  json.RawMessage   `json:"default"`
		Partners []json.RawMessage `json:"partners"`
	} `json:"crossTenantAccess"`
}

// CaptureOptions say what to read besides users, groups and policies.
type CaptureOptions struct {
	// Attributes are further user attributes by their flat names: directory
	// extensions, and others that are not usually read.
	Attributes []string
	// ServicePrincipals are object ids whose app-role assignments are read.
	ServicePrincipals []string
	// Synchronization adds the service principals of Microsoft's own cross-tenant
	// synchronization, and the jobs of all of them with schema and settings. What
	// the app may not read of it is told to Missing; what the tenant does not have
	// or serve is not.
	Synchronization bool
	// Report is told how many objects of a section have been read; may be nil.
	Report func(section string, objects int)
	// Missing is told a section that the app may not read, which is then left
	// out; may be nil.
	Missing func(section string, err error)
}

// capturedUserProperties are the user properties that synchronization reads or
// writes, or that decide what Graph accepts.
var capturedUserProperties = []string{
	"userPrincipalName", "displayName", "givenName", "surname", "mail", "mailNickname", "otherMails", "proxyAddresses",
	"accountEnabled", "userType", "creationType", "externalUserState", "identities", "onPremisesSyncEnabled", "createdDateTime",
	"jobTitle", "companyName", "department", "employeeId", "employeeType", "employeeHireDate", "employeeOrgData", "officeLocation",
	"streetAddress", "city", "state", "postalCode", "country", "usageLocation", "preferredLanguage", "businessPhones", "mobilePhone",
	"faxNumber", "ageGroup", "consentProvidedForMinor", "onPremisesExtensionAttributes", "showInAddressList",
}

// Capture reads the tenant. It is not part of any cycle. A section that the app
// may not read is left out and reported, except organization and users.
func (s *Source) Capture(ctx context.Context, o CaptureOptions) (*Capture, error) {
	k := &capturing{c: s.c, m: s.m, o: o, out: &Capture{Users: []json.RawMessage{}}}
	if err := k.organization(ctx); err != nil {
		return nil, err
	}
	if err := k.users(ctx); err != nil {
		return nil, err
	}
	optional := []struct {
		name string
		read func(context.Context) error
	}{
		{"groups", k.groups}, {"deletedUsers", k.deletedUsers}, {"contacts", k.contacts}, {"servicePrincipals", k.servicePrincipals},
		{"directoryRoles", k.directoryRoles}, {"extensionProperties", k.extensionProperties}, {"policies", k.policies},
	}
	for _, section := range optional {
		err := section.read(ctx)
		if directory.KindOf(err) == directory.Denied {
			if o.Missing != nil {
				o.Missing(section.name, err)
			}
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return k.out, k.dropUnknownManagers()
}

type capturing struct {
	c   *Client
	m   *Meter
	o   CaptureOptions
	out *Capture
	// plain: the tenant does not know every property that is asked for.
	plain bool
	// told are the parts of a section that Missing was told of.
	told []string
}

func (k *capturing) report(section string, n int) {
	if k.o.Report != nil {
		k.o.Report(section, n)
	}
}

// collect reads a list to its end, object by object.
func (k *capturing) collect(ctx context.Context, what call, link string, each func(json.RawMessage) error) error {
	return k.c.collect(ctx, k.m, what, link, each)
}

// object reads one document; a denied or missing one is an error.
func (k *capturing) object(ctx context.Context, what call, path string) (json.RawMessage, error) {
	ans, err := k.c.get(ctx, k.m, what, k.c.graph+path)
	if err != nil {
		return nil, err
	}
	return stripAnnotations(ans.body)
}

func (k *capturing) organization(ctx context.Context) error {
	return k.collect(ctx, callOrganization, k.c.graph+"/organization?$select=id,displayName,verifiedDomains,onPremisesSyncEnabled",
		func(raw json.RawMessage) (err error) {
			k.out.Organization, err = stripAnnotations(raw)
			return err
		})
}

// notOfUsers are attributes by name that no list of users carries.
var notOfUsers = []string{"id", "manager", "memberOf", "appRoleAssignments"}

// userSelect names what is read of users. Not every cloud knows restricted
// management units.
func (k *capturing) userSelect() string {
	names := slices.Clone(capturedUserProperties)
	if !k.plain {
		names = append(names, "isManagementRestricted")
	}
	for _, a := range k.o.Attributes {
		if !slices.Contains(notOfUsers, a) && holderOf(a) == "" {
			names = append(names, a)
		}
	}
	slices.Sort(names)
	return "$select=id," + strings.Join(slices.Compact(names), ",")
}

func (k *capturing) users(ctx context.Context) error {
	err := k.listUsers(ctx)
	if directory.KindOf(err) == directory.Invalid && len(k.out.Users) == 0 {
		k.plain = true
		err = k.listUsers(ctx)
	}
	return err
}

func (k *capturing) listUsers(ctx context.Context) error {
	link := k.c.graph + "/users?" + k.userSelect() + "&$expand=manager($select=id)&$top=999"
	return k.collect(ctx, callList, link, func(raw json.RawMessage) error {
		user, err := capturedUser(raw)
		if err != nil {
			return err
		}
		k.out.Users = append(k.out.Users, user)
		k.report("users", len(k.out.Users))
		return nil
	})
}

// capturedUser is a user as a tenant file has it. A type or an origin that is not
// set stays so: what is left out gets the value of a new user.
func capturedUser(raw json.RawMessage) (json.RawMessage, error) {
	r, err := readRecord(raw)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"creationType", "userType"} {
		if r.text(name) == "" {
			if err := r.add(name, nil); err != nil {
				return nil, err
			}
		}
	}
	return r.json()
}

// dropUnknownManagers takes away managers that are not in the file, such as
// contacts that could not be read: a tenant file has no references to nobody.
func (k *capturing) dropUnknownManagers() error {
	known := map[string]bool{}
	for _, list := range [][]json.RawMessage{k.out.Users, k.out.Contacts} {
		for _, raw := range list {
			var o struct{ ID string }
			if err := json.Unmarshal(raw, &o); err != nil {
				return err
			}
			known[o.ID] = true
		}
	}
	for i, raw := range k.out.Users {
		var o struct{ Manager struct{ ID string } }
		if err := json.Unmarshal(raw, &o); err != nil {
			return err
		}
		if o.Manager.ID == "" || known[o.Manager.ID] {
			continue
		}
		r, err := readRecordWithNulls(raw)
		if err != nil {
			return err
		}
		r.drop("manager")
		if k.out.Users[i], err = r.json(); err != nil {
			return err
		}
	}
	return nil
}

func (k *capturing) deletedUsers(ctx context.Context) error {
	link := k.c.graph + "/directory/deletedItems/microsoft.graph.user?" + k.userSelect() + ",deletedDateTime&$top=999"
	return k.collect(ctx, callDeletedFind, link, func(raw json.RawMessage) error {
		user, err := capturedUser(raw)
		if err != nil {
			return err
		}
		k.out.DeletedUsers = append(k.out.DeletedUsers, user)
		k.report("deletedUsers", len(k.out.DeletedUsers))
		return nil
	})
}

func (k *capturing) policies(ctx context.Context) error {
	const access = "/policies/crossTenantAccessPolicy/"
	p := &CapturedPolicies{}
	p.Access.Partners = []json.RawMessage{}
	var err error
	if p.Authorization, err = k.object(ctx, callPolicy, "/policies/authorizationPolicy"); err != nil {
		return err
	}
	if p.Access.Default, err = k.object(ctx, callPolicy, access+"default"); err != nil {
		return err
	}
	err = k.collect(ctx, callPolicy, k.c.graph+access+"partners", func(raw json.RawMessage) error {
		partner, err := readRecord(raw)
		if err != nil {
			return err
		}
		if err := k.partnerSync(ctx, access, &partner); err != nil {
			return err
		}
		whole, err := partner.json()
		p.Access.Partners = append(p.Access.Partners, whole)
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(p.Access.Partners, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	k.out.Policies = p
	return nil
}

// partnerSync adds a partner's inbound user synchronization, which is a document
// of its own.
func (k *capturing) partnerSync(ctx context.Context, access string, partner *record) error {
	name, err := segment(partner.text("tenantId"))
	if err != nil {
		return err
	}
	sync, err := k.object(ctx, callPolicy, access+"partners/"+name+"/identitySynchronization")
	if directory.KindOf(err) == directory.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	return partner.add("identitySynchronization", sync)
}
