package importer

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Tenant is a tenant that a whole configuration gets.
type Tenant struct {
	// Name is its key.
	Name string
	// ID is the tenant's id; "" leaves it to the environment variable
	// NAME_TENANT_ID, as the client id and the secret always are.
	ID string
}

// Tenants returns the tenants section of a configuration, to be completed: what is
// not known is a reference to an environment variable.
func Tenants(list ...Tenant) string {
	var b strings.Builder
	b.WriteString("tenants:\n")
	for _, t := range list {
		variable := variableOf(t.Name)
		id := word(t.ID)
		if t.ID == "" {
			id = "${" + variable + "_TENANT_ID}"
		}
		fmt.Fprintf(&b, "  %s:\n    tenantId: %s\n    credential:\n      kind: secret # secret | certificate | managedIdentity | workloadIdentity | azureCLI\n", word(t.Name), id)
		fmt.Fprintf(&b, "      clientId: ${%s_CLIENT_ID}\n      secret: ${%[1]s_CLIENT_SECRET} # from the environment or from a file, ${file:PATH}\n", variable)
	}
	return b.String()
}

// variableOf makes the first part of a variable's name of a tenant's.
func variableOf(name string) string {
	text := strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9') {
			return r
		}
		return '_'
	}, name)
	if text == "" || text[0] >= '0' && text[0] <= '9' {
		text = "TENANT_" + text
	}
	return strings.ToUpper(text)
}

// WriteConfig writes a whole configuration with the job as its only one. tenants
// is the section of that name, from [Tenants] or from another configuration.
func (j *Job) WriteConfig(w io.Writer, tenants string) error {
	b := bufio.NewWriter(w)
	b.WriteString("# Configuration of tenantsync, with a job imported from Microsoft Entra.\n" +
		"# Editors complete it with: tenantsync config schema > config.schema.json\n" +
		"# yaml-language-server: $schema=./config.schema.json\nversion: 1\n\n")
	b.WriteString(strings.TrimRight(tenants, "\n") + "\n\njobs:\n")
	if err := j.writeYAML(b, "  "); err != nil {
		return err
	}
	b.WriteString("\nstore:\n  path: state.db # a relative path is relative to this file\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}
