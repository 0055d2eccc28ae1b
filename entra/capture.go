package entra

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	ServicePrincipals []json.RawMessage `json:"servicePrincipals,omitempty"`
	Policies          *CapturedPolicies `json:"policies,omitempty"`
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
	// Attributes are further user attributes by their flat names, such as
	// directory extensions.
	Attributes []string
	// ServicePrincipals are object ids whose app-role assignments are read.
	ServicePrincipals []string
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
		{"groups", k.groups}, {"deletedUsers", k.deletedUsers}, {"servicePrincipals", k.servicePrincipals}, {"policies", k.policies},
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
	return k.out, nil
}

type capturing struct {
	c   *Client
	m   *Meter
	o   CaptureOptions
	out *Capture
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

func (k *capturing) userSelect() string {
	names := slices.Clone(capturedUserProperties)
	for _, a := range k.o.Attributes {
		if strings.HasPrefix(a, "extension_") {
			names = append(names, a)
		}
	}
	slices.Sort(names)
	return "$select=id," + strings.Join(slices.Compact(names), ",")
}

func (k *capturing) users(ctx context.Context) error {
	link := k.c.graph + "/users?" + k.userSelect() + "&$expand=manager($select=id)&$top=999"
	return k.collect(ctx, callList, link, func(raw json.RawMessage) error {
		user, err := stripAnnotations(raw)
		if err != nil {
			return err
		}
		k.out.Users = append(k.out.Users, user)
		k.report("users", len(k.out.Users))
		return nil
	})
}

func (k *capturing) deletedUsers(ctx context.Context) error {
	link := k.c.graph + "/directory/deletedItems/microsoft.graph.user?" + k.userSelect() + ",deletedDateTime&$top=999"
	return k.collect(ctx, callDeletedFind, link, func(raw json.RawMessage) error {
		user, err := stripAnnotations(raw)
		if err != nil {
			return err
		}
		k.out.DeletedUsers = append(k.out.DeletedUsers, user)
		k.report("deletedUsers", len(k.out.DeletedUsers))
		return nil
	})
}

func (k *capturing) groups(ctx context.Context) error {
	var groups []record
	link := k.c.graph + "/groups?$select=id,displayName,description,mail,mailNickname,mailEnabled,securityEnabled,groupTypes,visibility,proxyAddresses&$top=999"
	err := k.collect(ctx, callGroup, link, func(raw json.RawMessage) error {
		group, err := readRecord(raw)
		groups = append(groups, group)
		return err
	})
	if err != nil {
		return err
	}
	for _, group := range groups {
		name, err := segment(group.text("id"))
		if err != nil {
			return k.c.noSuchID(callGroup, err)
		}
		members := []string{}
		err = k.collect(ctx, callGroup, k.c.graph+"/groups/"+name+"/members?$select=id&$top=999", func(raw json.RawMessage) error {
			var member struct {
				Type string `json:"@odata.type"`
				ID   string `json:"id"`
			}
			err := json.Unmarshal(raw, &member)
			// Devices, contacts and service principals are nobody to synchronize.
			if kind := strings.ToLower(member.Type); kind == "" || strings.HasSuffix(kind, ".user") || strings.HasSuffix(kind, ".group") {
				members = append(members, member.ID)
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := group.add("members", members); err != nil {
			return err
		}
		raw, err := group.json()
		if err != nil {
			return err
		}
		k.out.Groups = append(k.out.Groups, raw)
		k.report("groups", len(k.out.Groups))
	}
	return nil
}

func (k *capturing) servicePrincipals(ctx context.Context) error {
	for _, id := range k.o.ServicePrincipals {
		name, err := segment(id)
		if err != nil {
			return k.c.noSuchID(callAssignments, err)
		}
		ans, err := k.c.get(ctx, k.m, callAssignments, k.c.graph+"/servicePrincipals/"+name+"?$select=id,displayName,appRoles")
		if err != nil {
			return err
		}
		principal, err := readRecord(ans.body)
		if err != nil {
			return k.c.malformed(callAssignments, ans, err)
		}
		assignments := []json.RawMessage{}
		err = k.collect(ctx, callAssignments, k.c.graph+"/servicePrincipals/"+name+"/appRoleAssignedTo?$top=999", func(raw json.RawMessage) error {
			a, err := stripAnnotations(raw)
			assignments = append(assignments, a)
			return err
		})
		if err != nil {
			return err
		}
		if err := principal.add("appRoleAssignedTo", assignments); err != nil {
			return err
		}
		raw, err := principal.json()
		if err != nil {
			return err
		}
		k.out.ServicePrincipals = append(k.out.ServicePrincipals, raw)
		k.report("servicePrincipals", len(k.out.ServicePrincipals))
	}
	return nil
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

// record is a JSON object whose properties keep the order Graph wrote them in.
type record []recordField

type recordField struct {
	name string
	raw  json.RawMessage
}

// readRecord decodes an object without OData's annotations, and without nulls,
// which is what a tenant file takes for left out.
func readRecord(raw []byte) (record, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.Join(errors.New("an object is expected"), err)
	}
	out := record{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string) // the decoder lets nothing else be a key
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		switch {
		case strings.Contains(name, "@"), string(value) == "null":
			continue
		case value[0] == '{':
			if value, err = stripAnnotations(value); err != nil {
				return nil, err
			}
		}
		out = append(out, recordField{name, value})
	}
	return out, nil
}

// text returns a text property, "" when there is none.
func (r record) text(name string) string {
	for _, p := range r {
		var s string
		if p.name == name && json.Unmarshal(p.raw, &s) == nil {
			return s
		}
	}
	return ""
}

// add puts a property at the end.
func (r *record) add(name string, value any) error {
	raw, err := json.Marshal(value)
	*r = append(*r, recordField{name, raw})
	return err
}

// json writes the object.
func (r record) json() (json.RawMessage, error) {
	b := []byte{'{'}
	for i, p := range r {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), p.raw...)
	}
	return append(b, '}'), nil
}

// stripAnnotations returns an object as a tenant file has it.
func stripAnnotations(raw []byte) (json.RawMessage, error) {
	r, err := readRecord(raw)
	if err != nil {
		return nil, err
	}
	return r.json()
}
