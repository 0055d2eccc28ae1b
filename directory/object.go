package directory

import "strings"

// Removal says that a record is a tombstone, and of which kind.
type Removal string

// The reasons Graph gives in @removed.
const (
	// NotRemoved: the record is an object.
	NotRemoved Removal = ""
	// SoftDeleted: in the recycle bin, restorable for 30 days ("changed").
	SoftDeleted Removal = "changed"
	// Purged: gone for good ("deleted").
	Purged Removal = "deleted"
)

// Identity is one entry of a user's identities.
type Identity struct {
	SignInType       string
	Issuer           string
	IssuerAssignedID string
}

// Object is a user as a directory tells of it. In a delta record attributes that
// the record does not mention are absent.
type Object struct {
	ID         string
	Removed    Removal
	Attributes Attributes
	// Identities is nil when they were not read.
	Identities []Identity
}

// UPN returns the user principal name, "" when it is not known.
func (o Object) UPN() string { return o.Attributes.Get("userPrincipalName").Text() }

// DisplayName returns the display name, "" when it is not known.
func (o Object) DisplayName() string { return o.Attributes.Get("displayName").Text() }

// Enabled reports accountEnabled; a user whose record does not say is enabled.
func (o Object) Enabled() bool {
	enabled, known := o.Attributes.Get("accountEnabled").Bool()
	return enabled || !known
}

// Addresses returns every address that leads to the user, in lower case and
// without "smtp:", each once: user principal name, mail, other mails and the
// SMTP proxy addresses.
func (o Object) Addresses() []string { return o.addresses(true) }

// OwnAddresses is Addresses without other mails: those may be somebody else's.
func (o Object) OwnAddresses() []string { return o.addresses(false) }

func (o Object) addresses(others bool) []string {
	out := withAddress(nil, o.UPN())
	out = withAddress(out, o.Attributes.Get("mail").Text())
	if others {
		for _, m := range o.Attributes.Get("otherMails").List() {
			out = withAddress(out, m)
		}
	}
	for _, p := range o.Attributes.Get("proxyAddresses").List() {
		if kind, rest, ok := strings.Cut(p, ":"); ok && strings.EqualFold(kind, "smtp") {
			out = withAddress(out, rest)
		}
	}
	return out
}

// withAddress appends an address in normal form unless it is there.
func withAddress(list []string, address string) []string {
	address = NormalAddress(address)
	if address == "" {
		return list
	}
	for _, have := range list {
		if have == address {
			return list
		}
	}
	return append(list, address)
}

// NormalAddress returns an address in the form in which two addresses are
// compared: without surrounding blanks, in lower case.
func NormalAddress(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// Domain returns what follows the last @ of an address, in lower case, or "".
func Domain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return ""
	}
	return strings.ToLower(address[at+1:])
}
