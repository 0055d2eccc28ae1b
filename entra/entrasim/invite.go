package entrasim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// invitation is the body of POST /invitations, read.
type invitation struct {
	address     string
	redirect    string
	displayName string
	member      bool
	userID      string // an existing user to convert or reset
	reset       bool
	send        bool
	home        home
	consented   bool // the home tenant redeems for its users
}

// invite answers POST /invitations. What an address that is known already
// leads to:
//
//	group                                     → 400 BadRequest
//	active internal user                      → 400 BadRequest, naming the object id
//	soft-deleted user                         → 400 BadRequest, naming the object id
//	a verified domain of this tenant          → 400 BadRequest
//	external user holding the address         → 201, the same user, nothing changed
//	external user of the same home account    → 201, the same user, the address becomes its mail
//	contact                                   → 201, a new user without proxy addresses
//	nobody                                    → 201, a new user
//
// https://learn.microsoft.com/graph/api/invitation-post
func (x *call) invite() answer {
	inv, refused := x.readInvitation()
	if refused != nil {
		return *refused
	}
	t := x.tenant
	inv.home = x.cloud.homeOf(inv.address) // before this tenant's lock: homes lock theirs
	outboundBlocked := false
	if h := inv.home.tenant; h != nil && h != t {
		outboundBlocked, inv.consented = h.outboundTo(t.ID)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if refused := x.invitationPolicy(inv, outboundBlocked); refused != nil {
		return *refused
	}
	if inv.userID != "" {
		return x.reinvite(inv)
	}
	o, contact, refused := x.addressee(inv)
	switch {
	case refused != nil:
		return *refused
	case o == nil:
		if a, full := x.quotaExceeded(); full {
			return a
		}
		o = x.createGuest(inv, contact)
	case !holdsAddress(o, inv.address):
		t.adoptAlias(o, inv.address)
	}
	return x.invited(inv, o)
}

// readInvitation reads and validates the body.
func (x *call) readInvitation() (*invitation, *answer) {
	body, refused := x.readObject()
	if refused != nil {
		return nil, refused
	}
	inv := &invitation{
		address:     strings.TrimSpace(body.String("invitedUserEmailAddress")),
		redirect:    body.String("inviteRedirectUrl"),
		displayName: body.String("invitedUserDisplayName"),
		reset:       body.Bool("resetRedemption"),
		send:        body.Bool("sendInvitationMessage"),
		userID:      strings.ToLower(memberString(body.Raw("invitedUser"), "id")),
	}
	for _, f := range body.fields {
		if !strings.HasPrefix(f.Name, "@odata.") && !slices.Contains(invitationFields, f.Name) {
			a := x.parseError("The property '%s' does not exist on type 'microsoft.graph.invitation'.", f.Name)
			return nil, &a
		}
	}
	switch kind := body.String("invitedUserType"); kind {
	case "", "Guest":
	case "Member":
		inv.member = true
	default:
		a := x.parseError("Invalid value specified for property 'invitedUserType' of resource 'Invitation'.")
		return nil, &a
	}
	if inv.address == "" {
		a := x.parseError("Invalid value specified for property 'invitedUserEmailAddress' of resource 'Invitation'.")
		return nil, &a
	}
	if u, err := url.Parse(inv.redirect); err != nil || u.Host == "" {
		a := x.parseError("Invalid value specified for property 'inviteRedirectUrl' of resource 'Invitation'.")
		return nil, &a
	}
	if !invitable(inv.address) {
		a := x.parseError("The invited user email address '%s' is not valid: it contains characters that are not permitted.", inv.address)
		return nil, &a
	}
	if len(inv.displayName) > 256 {
		a := x.parseError("Invalid value specified for property 'invitedUserDisplayName' of resource 'Invitation'.")
		return nil, &a
	}
	if inv.member && !x.allowed("User.ReadWrite.All") {
		a := x.denied()
		return nil, &a
	}
	return inv, nil
}

// invitationFields are the properties of an invitation a client may send.
var invitationFields = []string{
	"invitedUserEmailAddress", "inviteRedirectUrl", "invitedUserDisplayName", "invitedUserType", "sendInvitationMessage",
	"invitedUserMessageInfo", "invitedUser", "resetRedemption", "invitedUserSponsors",
}

// forbiddenInAddress are the characters Graph refuses in an invited address:
// https://learn.microsoft.com/graph/api/resources/invitation#properties
const forbiddenInAddress = "~!#$%^&*()+=[]{}\\/|;:\"<>?, \t"

// invitable holds an address to the syntax of invitations.
func invitable(address string) bool {
	local, domain, found := strings.Cut(address, "@")
	if !found || local == "" || len(address) > 254 || strings.Contains(domain, "@") {
		return false
	}
	if strings.ContainsAny(local, forbiddenInAddress) || strings.ContainsAny(domain, forbiddenInAddress+"_") {
		return false
	}
	if strings.ContainsAny(local[:1]+local[len(local)-1:], ".-") {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return strings.Contains(domain, ".") && !strings.ContainsFunc(address, func(r rune) bool { return r < ' ' || r > 0x7e })
}

// addressee finds who an address leads to in this tenant: nobody, an external
// user, or a refusal. contact says that a contact has the address.
func (x *call) addressee(inv *invitation) (o *object, contact bool, refused *answer) {
	t := x.tenant
	fail := func(format string, args ...any) (*object, bool, *answer) {
		a := x.parseError(format, args...)
		return nil, false, &a
	}
	var guest, gone *object
	for _, h := range t.holders(inv.address) {
		owns := h.holdsProxy(inv.address) || strings.EqualFold(h.text("userPrincipalName"), inv.address)
		switch {
		case h.state == statePurged:
		case h.kind == kindContact:
			contact = contact || owns
		case h.kind == kindGroup:
			if owns {
				return fail("Group email address is not supported. The invited address belongs to the group %s.", h.id)
			}
		case h.state == stateDeleted:
			gone = h
		case h.external():
			if guest == nil {
				guest = h
			}
		case owns:
			return fail("The invited user already exists in the directory as object ID: %s. They can use that account to sign in to shared apps and resources.", h.id)
		}
	}
	if guest != nil {
		return guest, false, nil
	}
	_, domain, _ := strings.Cut(inv.address, "@")
	if slices.Contains(t.domains, strings.ToLower(domain)) {
		return fail("Invitee is in inviter tenant")
	}
	if other := x.sameHome(inv); other != nil {
		return other, false, nil
	}
	if gone != nil {
		return fail("The invited user already exists in the directory as object ID: %s. They can use that account to sign in to shared apps and resources.", gone.id)
	}
	return nil, contact, nil
}

// sameHome finds the external user who was invited under another address of the
// same home account.
func (x *call) sameHome(inv *invitation) *object {
	if inv.home.userID == "" {
		return nil
	}
	for _, a := range inv.home.addresses {
		for _, h := range x.tenant.holders(a) {
			if h.kind == kindUser && h.state == stateActive && h.external() {
				return h
			}
		}
	}
	// Once redeemed, a guest is bound to the account and no longer to an address.
	for _, h := range x.tenant.byAddr[homeKey(inv.home.tenant.ID, inv.home.userID)] {
		if h.state == stateActive && h.text("externalUserState") == "Accepted" {
			return h
		}
	}
	return nil
}

// adoptAlias makes an address the mail of an external user who was invited
// under another one.
func (t *Tenant) adoptAlias(o *object, address string) {
	others := o.list("otherMails")
	if !slices.ContainsFunc(others, func(m string) bool { return strings.EqualFold(m, address) }) {
		others = append(others, address)
	}
	t.set(o, []Field{
		{"mail", quote(address)},
		{"otherMails", quoteList(others)},
		{"proxyAddresses", quoteList(withPrimary(o.list("proxyAddresses"), address))},
	})
}

func holdsAddress(o *object, address string) bool {
	return slices.Contains(o.addresses(), strings.ToLower(address))
}

// createGuest inserts the object an invitation creates:
// https://learn.microsoft.com/entra/external-id/user-properties
func (x *call) createGuest(inv *invitation, contact bool) *object {
	t := x.tenant
	local, _, _ := strings.Cut(inv.address, "@")
	name := inv.displayName
	if name == "" {
		name = local
	}
	kind := "Guest"
	if inv.member {
		kind = "Member"
	}
	upn := t.guestName(inv.address)
	nickname, _, _ := strings.Cut(upn, "@")
	proxies := quoteList([]string{"SMTP:" + inv.address})
	if contact {
		proxies = "[]"
	}
	now := quote(timestamp(x.now))
	fields := []Field{
		{"accountEnabled", "true"},
		{"createdDateTime", now},
		{"creationType", `"Invitation"`},
		{"displayName", quote(name)},
		{"externalUserState", `"PendingAcceptance"`},
		{"externalUserStateChangeDateTime", now},
		{"identities", pendingIdentities(t.initial, upn)},
		{"mail", quote(inv.address)},
		{"mailNickname", quote(nickname[:min(len(nickname), 64)])},
		{"otherMails", quoteList([]string{inv.address})},
		{"proxyAddresses", proxies},
		{"showInAddressList", "false"},
		{"userPrincipalName", quote(upn)},
		{"userType", quote(kind)},
	}
	if inv.home.userID != "" {
		fields = append(fields, inv.home.field())
	}
	if x.cloud.opts.AutoRedeem && inv.consented && t.redeemsFrom(inv.home.tenant.ID) {
		fields = accepted(fields, now)
	}
	o := t.insert(kindUser, x.cloud.newID(), fields)
	x.replicate(o)
	return o
}

// accepted turns the properties of a pending guest into those of one who has
// redeemed the invitation with an Entra account.
func accepted(fields []Field, now string) []Field {
	o := Object{fields}
	o = o.with("externalUserState", `"Accepted"`)
	o = o.with("externalUserStateChangeDateTime", now)
	o = o.with("identities", redeemedIdentities)
	return o.fields
}

const redeemedIdentities = `[{"signInType":"federated","issuer":"ExternalAzureAD","issuerAssignedId":null}]`

func pendingIdentities(initial, upn string) string {
	return `[{"signInType":"userPrincipalName","issuer":` + quote(initial) + `,"issuerAssignedId":` + quote(upn) + `}]`
}

// guestName derives the logon name of a guest and steps aside for one that is
// taken already.
func (t *Tenant) guestName(address string) string {
	local := strings.ReplaceAll(address, "@", "_")
	if len(local) > 113-len("#EXT#")-4 {
		local = local[:113-len("#EXT#")-4]
	}
	name := local + "#EXT#@" + t.initial
	for i := 1; t.userByName(name) != nil; i++ {
		name = fmt.Sprintf("%s%d#EXT#@%s", local, i, t.initial)
	}
	return name
}

// reinvite converts an internal user or resets the redemption of an external one.
func (x *call) reinvite(inv *invitation) answer {
	t := x.tenant
	o := x.findUser(inv.userID)
	if o == nil {
		return x.notFound(inv.userID)
	}
	if t.roleHolders[o.id] {
		return x.denied()
	}
	if o.text("onPremisesUserPrincipalName") != "" {
		return x.parseError("The user %s is synchronized from on-premises and cannot be invited.", o.id)
	}
	if o.external() && !inv.reset && !holdsAddress(o, inv.address) {
		return x.parseError("The invited user already exists in the directory as object ID: %s. Use resetRedemption to invite it under another address.", o.id)
	}
	if other := t.proxyOwner(inv.address, o); other != nil {
		return x.conflict("proxyAddresses", other)
	}
	now := quote(timestamp(x.now))
	fields := []Field{{"externalUserState", `"PendingAcceptance"`}, {"externalUserStateChangeDateTime", now}}
	if o.external() {
		fields = append(fields, Field{"identities", pendingIdentities(t.initial, o.text("userPrincipalName"))})
	}
	if !strings.EqualFold(o.text("mail"), inv.address) {
		fields = append(fields, Field{"mail", quote(inv.address)})
	}
	if inv.home.userID != "" {
		fields = append(fields, inv.home.field())
	}
	t.set(o, t.derive(o, fields))
	return x.invited(inv, o)
}

// invited writes the answer: of the user only the id is certain.
func (x *call) invited(inv *invitation, o *object) answer {
	status := "PendingAcceptance"
	if o.text("externalUserState") == "Accepted" {
		status = "Completed"
	}
	id := x.cloud.newID()
	kind := o.text("userType")
	if kind == "" {
		kind = "Guest"
	}
	name := "null"
	if inv.displayName != "" {
		name = quote(inv.displayName)
	}
	a := answer{status: http.StatusCreated, body: fmt.Appendf(nil,
		`{"@odata.context":%s,"id":%s,"inviteRedeemUrl":%s,"invitedUserDisplayName":%s,"invitedUserType":%s,`+
			`"invitedUserEmailAddress":%s,"sendInvitationMessage":%t,"resetRedemption":%t,"inviteRedirectUrl":%s,"status":%s,`+
			`"invitedUserMessageInfo":{"messageLanguage":null,"customizedMessageBody":null,"ccRecipients":[{"emailAddress":{"name":null,"address":null}}]},`+
			`"invitedUser":{"id":%s}}`,
		quote(x.contextURL("invitations/$entity")), quote(id), quote(x.root+"/redeem?rd="+id), name, quote(kind),
		quote(inv.address), inv.send, inv.reset, quote(inv.redirect), quote(status), quote(o.id))}
	a.header = map[string]string{"Location": x.root + "/" + x.version + "/invitations/" + id}
	return a
}
