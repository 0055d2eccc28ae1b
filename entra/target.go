package entra

import (
	"context"

	"tenantsync/directory"
)

// Target reads and writes a tenant. It is safe for concurrent use; writes of
// several callers share its budget.
type Target struct {
	reader
	budget *Budget
	users  trail
	// Of AddressHolders, one for each list.
	binned, groups, contacts trail
}

// List reads one page of all users of the tenant, without a filter: the index
// behind filters lags. An empty cursor begins; the last page has no Next. The
// manager does not come with a list; select it in Users. A directory extension
// that a record leaves out is null.
func (t *Target) List(ctx context.Context, selects []string, cursor string) (directory.Page, error) {
	link := cursor
	if link == "" {
		link = t.c.graph + "/users?" + selectOf(selects, false) + "&$top=999"
	}
	ans, page, err := t.c.usersPage(ctx, t.m, callList, link, selects)
	if err != nil {
		return directory.Page{}, err
	}
	if !t.users.step(cursor, page.Next) {
		return directory.Page{}, t.c.malformed(callList, ans, errCircle)
	}
	if open := openNames(selects); len(open) > 0 {
		for i := range page.Objects {
			complete(&page.Objects[i], open)
		}
	}
	return page, nil
}

// Deleted reads users in the recycle bin by id, as Users does among the living.
func (t *Target) Deleted(ctx context.Context, ids []string, selects []string) ([]directory.Lookup, error) {
	return t.c.readDeleted(ctx, t.m, ids, selects)
}
