package config

import (
	"errors"
	"slices"
	"strings"
)

// excuseUnused turns what is missing for a credential that no enabled job uses
// into a warning, and puts the reason into the credential: a person who tries
// one tenant out does not need the secrets of all others.
func (r *report) excuseUnused(c *Config) {
	reads, writes := map[string]bool{}, map[string]bool{}
	for _, j := range c.Jobs {
		if j.Enabled {
			reads[j.Source], writes[j.Target] = true, true
		}
	}
	for name, t := range c.Tenants {
		base := join("tenants", name)
		if t.WriteCredential != nil {
			if !writes[name] {
				r.excuse(base+".writeCredential", t.WriteCredential)
			}
			if !reads[name] {
				r.excuse(base+".credential", t.Credential)
			}
		} else if !reads[name] && !writes[name] {
			r.excuse(base+".credential", t.Credential)
		}
	}
}

// excuse makes warnings of the missing variables and files of one credential.
func (r *report) excuse(path string, c *Credential) {
	if c == nil {
		return
	}
	excusable := []Code{MissingVariable, UnreadableFile}
	for i, f := range r.findings {
		if f.severity == fatal && parent(f.path) == path && slices.Contains(excusable, f.code) {
			r.findings[i].severity = warning
			r.findings[i].action = strings.TrimPrefix(f.action+"; no enabled job uses it yet", "; ")
			c.Err = errors.New(f.message)
		}
	}
}
