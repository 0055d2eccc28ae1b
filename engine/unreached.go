package engine

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"syscall"

	"tenantsync/directory"
)

// unreached is a request that got no answer, as an operator reads it.
type unreached struct {
	host   string // what was to be reached, with the port where the address has one
	cause  string
	action string // what to correct; nothing about what to run then
}

// message says what could not be reached.
func (u unreached) message(tenant string) string {
	return "cannot reach " + tenant + " at " + u.host + "."
}

// whyUnreached tells why a tenant gave no answer. It reports false for an error that
// is an answer, or that does not say which host was asked.
func whyUnreached(d *directory.Error, tenant string) (unreached, bool) {
	var asked *url.Error
	if d.Status != 0 || !errors.As(d.Err, &asked) {
		return unreached{}, false
	}
	at, err := url.Parse(asked.URL)
	if err != nil || at.Host == "" {
		return unreached{}, false
	}
	u := unreached{host: at.Host, cause: asked.Err.Error()}
	var (
		name *net.DNSError
		op   *net.OpError
	)
	switch {
	case errors.As(asked.Err, &op) && op.Op == "proxyconnect":
		u.action = "correct endpoints.proxy of " + tenant
	case errors.As(asked.Err, &name) && name.IsNotFound:
		u.cause = "no address is known for " + name.Name + " (" + asked.Err.Error() + ")"
		u.action = "correct cloud or endpoints of " + tenant + ", or the name resolution of this machine; " + behindProxy
	case isCertificate(asked.Err):
		u.action = "if " + at.Host + " is right and its certificate is signed by an authority of your own, name that authority in endpoints.caFile of " + tenant
	case errors.Is(asked.Err, syscall.ECONNREFUSED):
		u.cause = "nothing listens there (" + asked.Err.Error() + ")"
		u.action = "correct endpoints of " + tenant + ", or start what should listen there; " + behindProxy
	default:
		u.action = "check the network and a firewall on the way, and cloud and endpoints of " + tenant + "; " + behindProxy
	}
	return u, true
}

// behindProxy is told where a connection fails because HTTPS_PROXY is expected to count.
const behindProxy = "behind a proxy, set endpoints.proxy: HTTPS_PROXY alone does nothing"

// isCertificate reports that the other side's certificate was not taken.
func isCertificate(err error) bool {
	var (
		failed   *tls.CertificateVerificationError
		unknown  x509.UnknownAuthorityError
		invalid  x509.CertificateInvalidError
		hostname x509.HostnameError
	)
	return errors.As(err, &failed) || errors.As(err, &unknown) || errors.As(err, &invalid) || errors.As(err, &hostname)
}
