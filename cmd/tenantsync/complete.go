package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tenantsync/internal/config"
)

// completions lets shells complete what a command takes: jobs and tenants of the
// configuration, and the words that flags know. Names come from a configuration
// that is valid as it stands; where it is not, nothing is offered and nothing said.
func (e *environment) completions(root *cobra.Command) {
	words := map[string][]string{
		"output": outputFormats(), "color": {"auto", "always", "never"}, "log-format": {"text", "json"},
		"only": planActions(), "action": logActions(), "status": logStatuses(), "schema": exportSchemas(), "quota": {"off", "documented"},
		"role": tokenRoles(), "outcome": auditOutcomes(),
	}
	for _, f := range []string{"output", "color", "log-format"} {
		_ = root.RegisterFlagCompletionFunc(f, offer(words[f])) // fails only for a flag that does not exist
	}
	_ = root.RegisterFlagCompletionFunc("job", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return e.configured((*config.Config).JobNames), cobra.ShellCompDirectiveNoFileComp
	})
	e.completeCommands(root, words)
}

func (e *environment) completeCommands(c *cobra.Command, words map[string][]string) {
	for _, sub := range c.Commands() {
		e.completeCommands(sub, words)
		for _, name := range []string{"only", "action", "status", "schema", "quota", "role", "outcome"} {
			if sub.Flags().Lookup(name) != nil {
				_ = sub.RegisterFlagCompletionFunc(name, offer(words[name]))
			}
		}
		sub.Flags().VisitAll(func(f *pflag.Flag) {
			if takes, _ := pflag.UnquoteUsage(f); takes == "TENANT" {
				_ = sub.RegisterFlagCompletionFunc(f.Name, e.offerTenants) // once for each flag
			}
		})
		if sub.HasSubCommands() || sub.ValidArgs != nil {
			continue
		}
		_, usage, _ := strings.Cut(sub.Use, " ")
		takes := strings.Fields(usage)
		sub.ValidArgsFunction = func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) >= len(takes) {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			switch strings.Trim(takes[len(given)], "[]") {
			case "JOB":
				return e.configured((*config.Config).JobNames), cobra.ShellCompDirectiveNoFileComp
			case "TENANT", "NAME":
				return e.offerTenants(nil, nil, "")
			case "FILE":
				return nil, cobra.ShellCompDirectiveDefault
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
}

// configured returns names from the configuration, none if it cannot be read.
func (e *environment) configured(names func(*config.Config) []string) []string {
	cfg, err := e.readConfig()
	if err != nil {
		return nil
	}
	return names(cfg)
}

// offerTenants completes with the tenants of the configuration.
func (e *environment) offerTenants(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return e.configured(tenantNames), cobra.ShellCompDirectiveNoFileComp
}

func tenantNames(cfg *config.Config) []string { return slices.Sorted(maps.Keys(cfg.Tenants)) }

// offer completes with a fixed list of words.
func offer(words []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}
