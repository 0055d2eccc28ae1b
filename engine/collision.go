package engine

import (
	"cmp"
	"context"
	"slices"

	"tenantsync/directory"
)

// AddressHolders lists the objects of a target that hold addresses and are not
// users. A [Target] may have it; without it a plan does not check them.
type AddressHolders interface {
	// AddressHolders reads one page of all objects of a type (deletedUser, group,
	// contact), each with its display name and its addresses: mail, proxyAddresses
	// and, of users, userPrincipalName and otherMails. An empty cursor begins; the
	// last page has no Next.
	AddressHolders(ctx context.Context, of directory.HolderType, cursor string) (directory.Page, error)
}

// Effect is what becomes of a create whose address somebody holds.
type Effect string

// The effects of a collision. Source: the answers of POST /invitations and
// PATCH /users to an address that is known already.
const (
	// EffectRefused: the user is not created.
	EffectRefused Effect = "refused"
	// EffectRestoreFirst: the user is not created until the deleted user who has
	// the address is restored or purged.
	EffectRestoreFirst Effect = "restoreFirst"
	// EffectAnsweredWithHolder: the invitation creates nobody and leads to the holder.
	EffectAnsweredWithHolder Effect = "answeredWithHolder"
	// EffectWithoutProxyAddresses: the user is created, without proxy addresses.
	EffectWithoutProxyAddresses Effect = "createdWithoutProxyAddresses"
	// EffectUpdateRefused: the user is created, and the update that gives it its
	// attributes is refused.
	EffectUpdateRefused Effect = "updateRefused"
	// EffectRestoreConflict: the user is created, and the deleted user who had the
	// address cannot get it back.
	EffectRestoreConflict Effect = "restoreConflict"
)

// Collision is an address that a user to be created needs and that somebody
// holds in the target.
type Collision struct {
	Source  ChangeSource  `json:"source"`
	Address string        `json:"address"` // in lower case, without "smtp:"
	Holder  AddressHolder `json:"holder"`
	Effect  Effect        `json:"effect"`
	Detail  string        `json:"detail"` // the effect in words, with what to do
}

// AddressHolder is who holds an address.
type AddressHolder struct {
	Type        directory.HolderType `json:"type"`
	ID          string               `json:"id"`
	DisplayName string               `json:"displayName"`
}

// claim is a user to be created with the addresses that go with it, in normal form.
type claim struct {
	source  ChangeSource
	invited string
	mail    string // what the update after the invitation writes; "" for none
	hidden  bool   // mail is the value of a sensitive mapping
	// matched are the addresses by which matching found somebody it must not take,
	// and refused is what it says of that.
	matched []string
	refused string
}

// holding is how somebody holds an address.
type holding struct {
	of       directory.HolderType
	proxy    bool // among the proxy addresses, or as mail without any
	logon    bool // as the user principal name
	external bool // a user whose home is elsewhere
}

// owns reports a claim on the address that keeps others out: other mails are none.
func (h holding) owns() bool { return h.proxy || h.logon }

// holdingOf says how an object holds an address; ok is false when it does not.
func holdingOf(of directory.HolderType, o directory.Object, address string, own directory.Tenant) (h holding, ok bool) {
	h.of = of
	h.external = of == directory.HolderUser && isExternal(o, own)
	proxies := directory.Object{}
	proxies.Attributes.Set(attrProxyAddresses, o.Attributes.Get(attrProxyAddresses))
	list := proxies.Addresses()
	h.proxy = slices.Contains(list, address) ||
		len(list) == 0 && directory.NormalAddress(o.Attributes.Get(attrMail).Text()) == address
	h.logon = directory.NormalAddress(o.UPN()) == address
	return h, slices.Contains(o.Addresses(), address)
}

// effect says what Graph does about a claim on a held address; "" when nothing
// stands in its way. It is this table:
//
//	address          holder            effect
//	invited          internal user     refused
//	invited          external user     answeredWithHolder, or refused when matching must not take it
//	invited          deleted user      restoreFirst
//	invited          group             refused
//	invited          contact           createdWithoutProxyAddresses
//	mail             user, group,
//	                 contact           updateRefused
//	mail             deleted user      restoreConflict
//	found by         user              refused
//	  matching only
func (cl *claim) effect(address string, h holding) (Effect, string) {
	user := h.of == directory.HolderUser
	switch {
	case user && cl.refused != "" && slices.Contains(cl.matched, address):
		return EffectRefused, cl.refused
	case address != cl.invited:
		return cl.mailEffect(address, h)
	case h.of == directory.HolderDeletedUser:
		return EffectRestoreFirst, "the invitation is refused while the deleted user has the address: restore that user, or delete it permanently"
	case user && h.external:
		return EffectAnsweredWithHolder, "the invitation creates nobody and leads to this external user, who is taken if its home is the source tenant and nobody else is linked to it"
	case !h.owns():
		return "", ""
	case user:
		return EffectRefused, "the invitation is refused: an internal user of the target has the address. Give it another one, or leave the person out of scope"
	case h.of == directory.HolderGroup:
		return EffectRefused, "the invitation is refused: a group of the target has the address. Give the group another one"
	}
	return EffectWithoutProxyAddresses, "the user is created without proxy addresses, because a contact of the target has the address. Delete the contact first if mail shall reach the user"
}

func (cl *claim) mailEffect(address string, h holding) (Effect, string) {
	switch {
	case address != cl.mail || !h.proxy:
		return "", ""
	case h.of == directory.HolderDeletedUser:
		return EffectRestoreConflict, "the mail is written, and the deleted user cannot get the address back by a restore"
	}
	return EffectUpdateRefused, "the user is invited, and the update that writes this mail is refused as long as the address is held: free it, or map another value to mail"
}

func sortCollisions(list []Collision) {
	slices.SortFunc(list, func(a, b Collision) int {
		return cmp.Or(cmp.Compare(a.Source.UPN, b.Source.UPN), cmp.Compare(a.Source.ID, b.Source.ID), cmp.Compare(a.Address, b.Address),
			cmp.Compare(a.Holder.Type, b.Holder.Type), cmp.Compare(a.Holder.ID, b.Holder.ID))
	})
}
