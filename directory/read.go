package directory

// Tenant is what an organization says of itself.
type Tenant struct {
	ID             string
	DisplayName    string
	InitialDomain  string   // the …onmicrosoft.com domain, "" when not told
	DefaultDomain  string   // the domain shown to people
	VerifiedDomain []string // in lower case
}

// Verified reports whether a domain (any case) is a verified domain of the tenant.
func (t Tenant) Verified(domain string) bool {
	for _, d := range t.VerifiedDomain {
		if d != "" && d == Domain("@"+domain) {
			return true
		}
	}
	return false
}

// Page is one page of users. Exactly one of Next and Watermark is set in a delta
// round; the last page of a plain list has neither.
type Page struct {
	Objects   []Object
	Next      string // opaque: the next page
	Watermark string // opaque: where the next delta round begins
}

// Lookup is the answer to a read of one object by id. Err is nil when Object is
// set; its kind is NotFound when there is no such object.
type Lookup struct {
	ID     string
	Object Object
	Err    error
}

// GroupPage is one page of a delta round over groups.
type GroupPage struct {
	Groups    []GroupChange
	Next      string
	Watermark string
}

// GroupChange is what a record says of one group. A group may come several times
// in a round, with other members each time.
type GroupChange struct {
	ID          string
	DisplayName string
	Removed     Removal
	Added       []Membership
	Dropped     []string // ids that are no longer members
}

// Membership is one direct member.
type Membership struct {
	ID      string
	IsGroup bool
	IsUser  bool
}

// Group is a group's own record.
type Group struct {
	ID              string
	DisplayName     string
	SecurityEnabled bool
	// HiddenMembership says that members come back empty without Member.Read.Hidden.
	HiddenMembership bool
}

// Assignment is one app-role assignment of a service principal.
type Assignment struct {
	PrincipalID string
	IsGroup     bool
	IsUser      bool
	AppRoleID   string
	DisplayName string
}

// AppRole is a role that an application defines, to which users and groups are
// assigned.
type AppRole struct {
	ID          string
	Value       string // what the application knows the role by
	DisplayName string
}

// Policy is what a tenant's policies say about a partner tenant, defaults applied.
type Policy struct {
	// AllowInvitesFrom of the authorization policy: none, adminsAndGuestInviters,
	// adminsGuestInvitersAndAllMembers, everyone; "" when it could not be told.
	AllowInvitesFrom string
	// AutoRedeemInbound and AutoRedeemOutbound are automatic redemption for the partner.
	AutoRedeemInbound, AutoRedeemOutbound bool
	// InboundBlocked and OutboundBlocked: B2B collaboration with the partner is blocked for everybody.
	InboundBlocked, OutboundBlocked bool
	// MFATrusted: inbound trust accepts the partner's multi-factor claims.
	MFATrusted bool
	// PartnerExists: the tenant has an entry of its own for the partner.
	PartnerExists bool
	// UserSyncInbound is what Microsoft's own service needs; information only.
	UserSyncInbound bool
}
