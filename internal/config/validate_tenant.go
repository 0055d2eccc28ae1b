package config

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func (v *validator) validateTenant(path string, t *Tenant) {
	v.checkName(path, t.Name)
	if t.Name == "" {
		v.fatal(path, InvalidValue, "a tenant in tenants has no name", "give it a name")
	}
	v.checkGUID(path+".tenantId", t.TenantID)
	v.checkEndpoint(path+".endpoints.authority", t.Endpoints.Authority)
	v.checkEndpoint(path+".endpoints.graph", t.Endpoints.Graph)
	v.checkProxy(path+".endpoints.proxy", t.Endpoints.Proxy)
	if file := t.Endpoints.CAFile; file != "" && v.sound(path+".endpoints.caFile") {
		if content := v.readable(path+".endpoints.caFile", file); content != nil && !holdsCertificate(content) {
			v.fatal(path+".endpoints.caFile", InvalidValue, fmt.Sprintf("file %s holds no certificate in PEM form", v.shown(file)), "")
		}
	}
	if t.Credential != nil {
		v.validateCredential(path+".credential", t.Credential)
	}
	if t.WriteCredential != nil {
		v.validateCredential(path+".writeCredential", t.WriteCredential)
	}
}

// checkEndpoint reports an address that cannot be a service's. Tokens travel
// to it: without TLS it may only be on this machine.
func (v *validator) checkEndpoint(path, address string) {
	if !v.written(path) || !v.sound(path) {
		return
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http"):
		v.fatal(path, InvalidValue, path+" must be an address such as https://127.0.0.1:9443", "")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		v.fatal(path, InvalidValue, path+" must not carry a user, a query or a fragment", "")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		v.fatal(path, InvalidValue, fmt.Sprintf("%s must begin with https://: tokens would travel to %s in the clear", path, u.Hostname()), "")
	}
}

// checkProxy reports an address that is no proxy's. It sees host names only, so it
// may be reached without TLS; a password in it would be shown with it.
func (v *validator) checkProxy(path, address string) {
	if !v.written(path) || !v.sound(path) {
		return
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		v.fatal(path, InvalidValue, path+" must be an address such as http://proxy.contoso.com:3128", "")
	case u.User != nil:
		if n := v.nodes[path]; n != nil {
			v.hideAll(n)
		}
		v.fatal(path, InvalidValue, path+" must not carry a user or a password", "let the proxy know this machine by its address")
	}
}

// holdsCertificate reports whether a PEM text holds at least one certificate.
func holdsCertificate(text []byte) bool {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			if _, err := x509.ParseCertificate(block.Bytes); err == nil {
				return true
			}
		}
	}
	return false
}

// belongings are the keys of each kind of credential: what must be there and
// what may be.
func belongings(kind CredentialKind) (required, optional []string) {
	switch kind {
	case ClientSecret:
		return []string{"clientId", "secret"}, []string{"expires"}
	case ClientCertificate:
		return []string{"clientId", "certificateFile"}, []string{"passwordFile"}
	case ManagedIdentity:
		return nil, []string{"clientId"}
	case WorkloadIdentity:
		return []string{"clientId", "tokenFile"}, nil
	}
	return nil, nil
}

func (v *validator) validateCredential(path string, c *Credential) {
	if c.Kind == "" || !v.sound(path+".kind") {
		return
	}
	values := []struct {
		key   string
		empty bool
	}{
		{"clientId", c.ClientID == ""},
		{"secret", c.Secret.IsEmpty()},
		{"expires", c.Expires == Moment{}},
		{"certificateFile", c.CertificateFile == ""},
		{"passwordFile", c.PasswordFile == ""},
		{"tokenFile", c.TokenFile == ""},
	}
	required, optional := belongings(c.Kind)
	for _, x := range values {
		sub := join(path, x.key)
		switch {
		case slices.Contains(required, x.key):
			if x.empty && v.sound(sub) {
				v.needKey(path, x.key, c.Kind)
			}
		case slices.Contains(optional, x.key):
		case v.written(sub):
			v.fatal(sub, Conflict, fmt.Sprintf("%s does not belong to a credential of kind %s", sub, c.Kind), "remove it, or correct kind")
		}
	}
	if c.ClientID != "" {
		v.checkGUID(path+".clientId", c.ClientID)
	}
	if c.Kind == ClientSecret {
		v.checkSecret(path + ".secret")
	}
	if c.Kind == ClientCertificate && c.CertificateFile != "" {
		v.readable(path+".certificateFile", c.CertificateFile)
		v.private(path+".certificateFile", c.CertificateFile)
		if c.PasswordFile != "" {
			v.readable(path+".passwordFile", c.PasswordFile)
			v.private(path+".passwordFile", c.PasswordFile)
		}
	}
}

func (v *validator) needKey(path, key string, kind CredentialKind) {
	sub := join(path, key)
	if v.written(sub) {
		v.fatal(sub, InvalidValue, sub+" is empty", "")
		return
	}
	action := ""
	if key == "tokenFile" {
		action = "write tokenFile, or set AZURE_FEDERATED_TOKEN_FILE"
	}
	v.fatal(sub, MissingKey, fmt.Sprintf("key %q is missing in %s: kind %s needs it", key, path, kind), action)
}

// wholeFile matches a text that is nothing but one file reference, whose path may
// hold references itself, as to a folder of credentials.
var wholeFile = regexp.MustCompile(`^\$\{file:(.+)\}$`)

// checkSecret warns of a secret's file that others may read, be it this very file.
func (v *validator) checkSecret(path string) {
	n := v.nodes[path]
	if n == nil {
		return
	}
	m := wholeFile.FindStringSubmatch(strings.TrimSpace(n.text))
	if m == nil {
		if !strings.Contains(n.text, "${") {
			v.private(path, filepath.Join(v.config.Dir, filepath.Base(v.config.File)))
		}
		return
	}
	r := resolver{dir: v.config.Dir, env: v.opts.Env, readFile: v.opts.ReadFile}
	if file, problem := r.expand(m[1]); problem == nil {
		v.private(path, absolute(v.config.Dir, file))
	}
}
