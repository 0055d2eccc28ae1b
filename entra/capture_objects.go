package entra

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tenantsync/directory"
)

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
	hidden := 0
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
		slices.Sort(members) // Graph promises no order
		if err := group.add("members", members); err != nil {
			return err
		}
		raw, err := group.json()
		if err != nil {
			return err
		}
		k.out.Groups = append(k.out.Groups, raw)
		k.report("groups", len(k.out.Groups))
		if strings.EqualFold(group.text("visibility"), "HiddenMembership") {
			hidden++
		}
	}
	if hidden > 0 && !k.hidden(ctx) && k.o.Missing != nil {
		k.o.Missing("members of groups that hide them", &directory.Error{Op: callGroup.op, Kind: directory.Denied, Tenant: k.c.name,
			Permission: "Member.Read.Hidden", Message: fmt.Sprintf("the members of %d groups are hidden from this app", hidden)})
	}
	return nil
}

// hidden reports whether the app reads hidden memberships.
func (k *capturing) hidden(ctx context.Context) bool {
	return (&Source{reader: reader{c: k.c, m: k.m}}).ReadsHidden(ctx)
}

func (k *capturing) contacts(ctx context.Context) error {
	link := k.c.graph + "/contacts?$select=id,displayName,mail,proxyAddresses&$top=999"
	return k.collect(ctx, callContacts, link, func(raw json.RawMessage) error {
		contact, err := stripAnnotations(raw)
		if err != nil {
			return err
		}
		k.out.Contacts = append(k.out.Contacts, contact)
		k.report("contacts", len(k.out.Contacts))
		return nil
	})
}

// directoryRoles reads the roles that are in use and who holds them: nobody but
// an administrator changes sensitive attributes of these.
// https://learn.microsoft.com/graph/api/directoryrole-list
func (k *capturing) directoryRoles(ctx context.Context) error {
	var roles []record
	err := k.collect(ctx, callRoles, k.c.graph+"/directoryRoles?$select=id,displayName", func(raw json.RawMessage) error {
		role, err := readRecord(raw)
		roles = append(roles, role)
		return err
	})
	if err != nil {
		return err
	}
	for _, role := range roles {
		name, err := segment(role.text("id"))
		if err != nil {
			return k.c.noSuchID(callRoles, err)
		}
		members := []string{}
		err = k.collect(ctx, callRoles, k.c.graph+"/directoryRoles/"+name+"/members?$select=id", func(raw json.RawMessage) error {
			member, err := readRecord(raw)
			members = append(members, member.text("id"))
			return err
		})
		if err != nil {
			return err
		}
		slices.Sort(members)
		kept := record{}
		for _, p := range role {
			if p.name == "id" || p.name == "displayName" {
				kept = append(kept, p)
			}
		}
		if err := kept.add("members", members); err != nil {
			return err
		}
		raw, err := kept.json()
		if err != nil {
			return err
		}
		k.out.DirectoryRoles = append(k.out.DirectoryRoles, raw)
		k.report("directoryRoles", len(k.out.DirectoryRoles))
	}
	return nil
}

// extensionProperties reads which directory extensions the tenant takes. A
// directory that cannot tell is no error.
// https://learn.microsoft.com/graph/api/directoryobject-getavailableextensionproperties
func (k *capturing) extensionProperties(ctx context.Context) error {
	ans, err := k.c.extensions(ctx, k.m)
	if directory.KindOf(err) == directory.Invalid {
		return nil
	}
	if err != nil {
		return err
	}
	var doc struct {
		Value []json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(ans.body, &doc); err != nil {
		return k.c.malformed(callExtensions, ans, err)
	}
	k.out.ExtensionProperties = []json.RawMessage{} // that there are none is something else than not to know
	for _, raw := range doc.Value {
		extension, err := stripAnnotations(raw)
		if err != nil {
			return k.c.malformed(callExtensions, ans, err)
		}
		k.out.ExtensionProperties = append(k.out.ExtensionProperties, extension)
	}
	slices.SortFunc(k.out.ExtensionProperties, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	k.report("extensionProperties", len(k.out.ExtensionProperties))
	return nil
}
