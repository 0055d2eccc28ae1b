package config

import (
	"bytes"
	"fmt"
	"strings"
)

// SimulatedTenant is a tenant that Simulated writes an entry for.
type SimulatedTenant struct {
	Name       string
	TenantID   string
	ClientID   string
	SecretFile string // relative to the configuration file, or absolute
}

// Simulated returns a configuration for simulated tenants, ready to be used and
// edited: an entry for each tenant, and a job FIRST-to-NAME for every tenant
// after the first, which takes all users with the default mappings. Jobs, as
// JobsBetween returns them, take the place of these unless there are none.
func Simulated(tenants []SimulatedTenant, authority, graph, caFile string, jobs []byte) []byte {
	var b strings.Builder
	b.WriteString("# Simulated tenants: this file works while `tenantsync simulate` runs.\nversion: 1\ntenants:\n")
	for _, t := range tenants {
		fmt.Fprintf(&b, "  %s:\n    tenantId: %s\n", quoted(t.Name), quoted(t.TenantID))
		fmt.Fprintf(&b, "    endpoints:\n      authority: %s\n      graph: %s\n", quoted(authority), quoted(graph))
		if caFile != "" {
			fmt.Fprintf(&b, "      caFile: %s\n", quoted(caFile))
		}
		fmt.Fprintf(&b, "    credential:\n      kind: secret\n      clientId: %s\n      secret: %s\n",
			quoted(t.ClientID), quoted("${file:"+t.SecretFile+"}"))
	}
	if len(jobs) == 0 {
		jobs = defaultJobs(tenants)
	}
	if len(jobs) == 0 {
		b.WriteString("jobs: []\n")
	} else {
		fmt.Fprintf(&b, "jobs:\n%s", jobs)
	}
	b.WriteString("store:\n  kind: bolt\n  path: state.db\n")
	return []byte(b.String())
}

func defaultJobs(tenants []SimulatedTenant) []byte {
	var b bytes.Buffer
	for i := 1; i < len(tenants); i++ {
		first, name := tenants[0].Name, tenants[i].Name
		fmt.Fprintf(&b, "  - name: %s\n    source: %s\n    target: %s\n", quoted(first+"-to-"+name), quoted(first), quoted(name))
		b.WriteString("    enabled: true\n    scope:\n      mode: all\n")
	}
	return b.Bytes()
}

// quoted writes a text so that YAML reads exactly that text.
func quoted(text string) string {
	plainText := text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
	if n := (&node{text: text}); plainText && plainType(n) == "text" && !n.isNull() && text[0] != '-' {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
