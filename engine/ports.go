package engine

import (
	"context"

	"tenantsync/directory"
)

// Source reads a source tenant. It has no method that writes.
type Source interface {
	// Changes reads one page of the delta round over users: from the start when
	// cursor is empty, else where an earlier page pointed.
	Changes(ctx context.Context, selects []string, cursor string) (directory.Page, error)
	// Users reads users by id, in batches, answers in the order of ids. Every
	// selected attribute that the tenant does not mention is null.
	Users(ctx context.Context, ids, selects []string) ([]directory.Lookup, error)
	// Find looks a user up by object id, user principal name, mail or display name.
	Find(ctx context.Context, text string, selects []string) ([]directory.Object, error)
	Membership
	Organization
}

// Membership reads who belongs to scope groups and assignments.
type Membership interface {
	// Groups reads one page of the delta round over up to 50 groups.
	Groups(ctx context.Context, ids []string, cursor string) (directory.GroupPage, error)
	// Group reads a group's own record.
	Group(ctx context.Context, id string) (directory.Group, error)
	// ReadsHidden reports whether the credential may read hidden memberships.
	ReadsHidden(ctx context.Context) bool
	// Assignments lists the app-role assignments of a service principal.
	Assignments(ctx context.Context, servicePrincipalID string) ([]directory.Assignment, error)
	// AppRoles lists the roles that the application of a service principal defines.
	AppRoles(ctx context.Context, servicePrincipalID string) ([]directory.AppRole, error)
}

// Organization is what both sides are asked about themselves.
type Organization interface {
	// Tenant returns the organization; it fails when the credential leads to
	// another tenant than the configured one.
	Tenant(ctx context.Context) (directory.Tenant, error)
	// Policy returns what the tenant's policies say about a partner tenant.
	Policy(ctx context.Context, partnerTenantID string) (directory.Policy, error)
	// Permissions returns the application permissions of the credential; known is
	// false when the token does not tell.
	Permissions(ctx context.Context) (roles []string, known bool, err error)
}

// Target reads and writes a target tenant.
type Target interface {
	// List reads one page of all users.
	List(ctx context.Context, selects []string, cursor string) (directory.Page, error)
	// Users reads users by id, like Source.Users.
	Users(ctx context.Context, ids, selects []string) ([]directory.Lookup, error)
	// Deleted reads soft-deleted users by id.
	Deleted(ctx context.Context, ids, selects []string) ([]directory.Lookup, error)
	// Lookup finds users that hold one of the addresses.
	Lookup(ctx context.Context, addresses, selects []string) ([]directory.Object, error)
	// LookupBy finds users whose attribute has one of the values.
	LookupBy(ctx context.Context, attribute string, values, selects []string) ([]directory.Object, error)
	// DeletedLookup finds soft-deleted users that hold one of the addresses.
	DeletedLookup(ctx context.Context, addresses, selects []string) ([]directory.Object, error)
	// Write carries out changes, one outcome for each, in order. An error is
	// returned only for what ends a cycle: sign-in, cancellation, a foreign link.
	Write(ctx context.Context, ws []directory.Write) ([]directory.Written, error)
	Organization
}

// Meter counts the calls that one job makes to both of its tenants.
type Meter interface {
	Counts() (requests, writes, throttled int)
}
