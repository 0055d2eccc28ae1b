package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tenantsync/entra/pseudonym"
	"tenantsync/internal/config"
	"tenantsync/internal/config/importer"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
	"tenantsync/scope"
)

// keyFile is the file that a key is looked for in, and made in, beside the first
// tenant file that is pseudonymized.
const keyFile = "pseudonyms.key"

// masking is what capture does to names; nil leaves them.
type masking struct {
	path    string
	key     []byte // nil: not made yet
	options pseudonym.Options
	stays   func(attribute string) bool
	shared  bool     // words were left beside the key
	told    []string // warnings of mappings
}

// masking reads the options of capture that are about names.
func (o *captureOptions) masking(env *environment, cfg *config.Config) (*masking, error) {
	if !o.Pseudonymize {
		if o.Key != "" || len(o.Keep) > 0 {
			return nil, usagef("add --pseudonymize, or leave them out", "--key and --keep are about pseudonyms, and none were asked for.")
		}
		return nil, nil
	}
	m := &masking{path: o.Key}
	if m.path == "" {
		m.path = filepath.Join(filepath.Dir(o.File), keyFile)
	}
	for _, name := range o.Keep {
		info, known := attribute.Lookup(name)
		if !known {
			return nil, unknownWord("attribute", name, slices.Collect(attribute.Names()))
		}
		m.options.Keep = append(m.options.Keep, info.Name)
	}
	key, err := os.ReadFile(m.path)
	switch {
	case err == nil:
		m.key = key
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the key of the pseudonyms: %w", err)
	}
	probe := m.key
	if probe == nil {
		probe = make([]byte, pseudonym.KeySize)
	}
	p, err := pseudonym.New(probe, m.options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.path, err)
	}
	m.stays = p.Stays
	m.compared(env, cfg)
	for _, j := range cfg.Jobs {
		m.options.Words = append(m.options.Words, m.mapped(env, "job "+j.Name, j.Schema)...)
	}
	return m, nil
}

// compared keeps the words that jobs compare attributes with which do not stay, and
// warns of comparisons that look inside words.
func (m *masking) compared(env *environment, cfg *config.Config) {
	for _, j := range cfg.Jobs {
		for _, user := range j.Scope.Users {
			m.options.Words = append(m.options.Words, withoutDomain(user))
		}
		for _, f := range j.Scope.Filters {
			for _, c := range f.Clauses {
				var values []string
				for _, v := range c.Values {
					values = append(values, string(v))
				}
				if c.Value != nil {
					values = append(values, string(*c.Value))
				}
				if op, err := scope.ParseOperator(c.Operator); err == nil {
					m.options.Words = append(m.options.Words, m.compare(env, "job "+j.Name, c.Attribute, op, values)...)
				}
			}
		}
	}
}

// namedByEntra returns the words that filters and mappings of the synchronization
// jobs that were captured leave as they are.
func (m *masking) namedByEntra(env *environment, content []byte) (words []string) {
	var file struct {
		ServicePrincipals []struct {
			Synchronization struct {
				Jobs []struct {
					ID     string          `json:"id"`
					Schema json.RawMessage `json:"schema"`
				} `json:"jobs"`
			} `json:"synchronization"`
		} `json:"servicePrincipals"`
	}
	if json.Unmarshal(content, &file) != nil {
		return nil
	}
	for _, principal := range file.ServicePrincipals {
		for _, job := range principal.Synchronization.Jobs {
			imported, err := importer.Schema(job.Schema, importer.Settings{})
			if err != nil { // nor will it be taken over
				continue
			}
			if schema, _ := mapping.Compile(imported.Mappings); schema != nil {
				words = append(words, m.mapped(env, "synchronization job "+job.ID, schema)...)
			}
			for _, group := range imported.Filters {
				for _, c := range group.Clauses {
					words = append(words, m.compare(env, "synchronization job "+job.ID, c.Attribute, c.Operator, c.Values)...)
				}
			}
		}
	}
	return words
}

// compare returns the words of one comparison that have to stay, and warns of one
// that looks inside words.
func (m *masking) compare(env *environment, job, name string, op scope.Operator, values []string) (words []string) {
	canonical := name
	if info, known := attribute.Lookup(name); known {
		canonical = info.Name
	}
	if m.stays(canonical) || canonical == scope.MemberOf || op.Unary() {
		return nil
	}
	for _, v := range values {
		words = append(words, withoutDomain(v))
	}
	if op != scope.Equals && op != scope.NotEquals {
		env.warn(fmt.Sprintf("A filter of %s compares %s by %s: pseudonyms may be judged otherwise.", job, name, op),
			"--keep "+name+" leaves its values as they are")
	}
	return words
}

// withoutDomain is what stands before the @ of an address.
func withoutDomain(s string) string {
	local, _, _ := strings.Cut(s, "@")
	return local
}

// apply pseudonymizes the text of a tenant file.
func (m *masking) apply(env *environment, content []byte) ([]byte, error) {
	if m == nil {
		return content, nil
	}
	if err := m.shareWords(env, m.namedByEntra(env, content)); err != nil {
		return nil, err
	}
	if m.key == nil {
		if err := m.makeKey(content); err != nil {
			return nil, fmt.Errorf("make a key for the pseudonyms: %w", err)
		}
	}
	p, err := pseudonym.New(m.key, m.options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.path, err)
	}
	return p.File(content)
}

// makeKey writes a new key for a tenant file. A key that appeared meanwhile is
// never overwritten.
func (m *masking) makeKey(content []byte) (err error) {
	if m.key, err = pseudonym.Choose(rand.Reader, content, m.options); err != nil {
		return err
	}
	return createFile(m.path, bytesTo(m.key))
}

// notice says what the file that was written is.
func (m *masking) notice() string {
	if m == nil {
		return "It holds personal data."
	}
	stay := ""
	if len(m.options.Words) > 0 {
		stay = "The words that filters, scope.users and mappings of the jobs name stay as they are, names among them. "
	}
	words := ""
	if m.shared {
		words = " Delete " + m.wordsPath() + " too: it holds those words."
	}
	return "Names are replaced by pseudonyms; departments, titles and managers may still tell who somebody is. " + stay +
		"The key is in " + m.path + ": capture the other tenant with the same key, then delete it." + words
}
