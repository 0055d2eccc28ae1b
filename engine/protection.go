package engine

import (
	"strings"

	"tenantsync/directory"
)

// Protection is a set of target users that a job leaves alone whatever the source
// says: they are never adopted, updated, disabled or deleted. A nil Protection
// protects nobody. It is not changed once made and may be shared.
type Protection map[string]bool

// NewProtection returns the protection of users given by object id, user principal
// name, mail or any other address they have. Case does not count.
func NewProtection(users []string) Protection {
	p := make(Protection, len(users))
	for _, u := range users {
		p[directory.NormalAddress(u)] = true
	}
	return p
}

// covers reports whether a target user is protected.
func (p Protection) covers(o directory.Object) bool {
	if len(p) == 0 {
		return false
	}
	if p[strings.ToLower(o.ID)] {
		return true
	}
	for _, a := range o.Addresses() {
		if p[a] {
			return true
		}
	}
	return false
}

// spares says why nothing may be written to a target user: it is not an external
// user of the source any more, or it is protected. The code is "" for one that may
// be written; the reason is the end of a sentence that begins with the user.
func (j *Job) spares(o directory.Object, target directory.Tenant) (code Code, reason string) {
	switch {
	case !isOurs(o, target):
		return CodeInvalidAnchor, "is no longer an external user of the source: it is left alone"
	case j.Protection.covers(o):
		return CodeProtected, protectedReason
	}
	return "", ""
}

// protectedReason is why a protected user is left alone.
const protectedReason = "is protected by protectedUsers: it is left alone"

// unprotected is a choice of matching, unless it is a protected user.
func (j *Job) unprotected(pick choice) choice {
	if pick.object != nil && j.Protection.covers(*pick.object) {
		return choice{code: CodeProtected, reason: "target user " + pick.object.ID + " " + protectedReason}
	}
	return pick
}

// admits reports whether addresses of a domain may be invited; a job that names no
// domain admits all.
func (j *Job) admits(domain string) bool {
	if len(j.AllowedDomains) == 0 {
		return true
	}
	for _, d := range j.AllowedDomains {
		if strings.EqualFold(d, domain) {
			return true
		}
	}
	return false
}
