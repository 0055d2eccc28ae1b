package entra

import (
	"context"
	"fmt"

	"tenantsync/directory"
)

// holderLists are the collections whose objects hold addresses, users apart.
var holderLists = map[directory.HolderType]struct {
	what   call
	path   string
	fields []string
}{
	directory.HolderDeletedUser: {callDeletedList, deletedUsers, []string{"displayName", "mail", "otherMails", "proxyAddresses", "userPrincipalName"}},
	directory.HolderGroup:       {callGroups, "/groups", []string{"displayName", "mail", "proxyAddresses"}},
	directory.HolderContact:     {callContacts, "/contacts", []string{"displayName", "mail", "proxyAddresses"}},
}

// AddressHolders reads one page of all deleted users, groups or contacts with
// their display names and addresses. An empty cursor begins; the last page has no
// Next. It is no part of any cycle.
// https://learn.microsoft.com/graph/api/orgcontact-list
func (t *Target) AddressHolders(ctx context.Context, of directory.HolderType, cursor string) (directory.Page, error) {
	l, known := holderLists[of]
	if !known {
		return directory.Page{}, fmt.Errorf("there is no list of %ss that hold addresses", of)
	}
	link := cursor
	if link == "" {
		link = t.c.graph + l.path + "?" + selectOf(l.fields, false) + "&$top=999"
	}
	ans, page, err := t.c.usersPage(ctx, t.m, l.what, link, l.fields)
	if err != nil {
		return directory.Page{}, err
	}
	passed := map[directory.HolderType]*trail{directory.HolderDeletedUser: &t.binned, directory.HolderGroup: &t.groups, directory.HolderContact: &t.contacts}[of]
	if !passed.step(cursor, page.Next) {
		return directory.Page{}, t.c.malformed(l.what, ans, errCircle)
	}
	return page, nil
}
