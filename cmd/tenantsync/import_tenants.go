package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"tenantsync/internal/config"
	"tenantsync/internal/config/importer"
)

// copiedTenants returns the tenants section of the configuration as it stands in
// its file, secrets unresolved; "" when it has none of the job's tenants, or would
// not be valid in the other file. A tenant of the job that it does not have is
// added with the id that is known, to be completed, and named.
func copiedTenants(env *environment, opts *importOptions, cfg *config.Config, job *importer.Job, ids map[string]string) (section, missing string, err error) {
	if cfg == nil {
		return "", "", nil
	}
	for _, name := range []string{job.Source, job.Target} {
		if cfg.Tenants[name] != nil {
			continue
		}
		if missing != "" {
			return "", "", nil
		}
		missing = name
	}
	raw, err := readInput(env, cfg.File)
	if err != nil {
		return "", "", fmt.Errorf("read configuration: %w", err)
	}
	if section = tenantsSection(string(raw)); section == "" {
		return "", "", nil
	}
	lookup := env.lookup
	if missing != "" {
		section += strings.TrimPrefix(importer.Tenants(importer.Tenant{Name: missing, ID: ids[missing]}), "tenants:\n")
		lookup = func(name string) (string, bool) { // its variables are still to be set
			if value, set := env.lookup(name); set {
				return value, true
			}
			return "33333333-3333-3333-3333-333333333333", true
		}
	}
	var b strings.Builder
	if err := job.WriteConfig(&b, section); err != nil {
		return "", "", err
	}
	if _, err := config.Parse(opts.Out, []byte(b.String()), config.Options{Env: lookup}); err != nil {
		why := ""
		if from, to := filepath.Dir(cfg.File), filepath.Dir(opts.Out); filepath.Clean(from) != filepath.Clean(to) {
			why = " What they name by a relative path is looked for beside the file: to keep them, use --out " + filepath.Join(from, filepath.Base(opts.Out)) + "."
		}
		env.note("The tenants of %s cannot stand in %s as they are; complete the ones written there.%s", cfg.File, opts.Out, why)
		return "", "", nil
	}
	return section, missing, nil
}

var (
	tenantsKey  = regexp.MustCompile(`(?m)^tenants:[ \t]*(#.*)?$`)
	topLevelKey = regexp.MustCompile(`(?m)^[^\s#]`)
)

// tenantsSection cuts the tenants out of a configuration: the key with the lines
// below it, "" when it is not written that way.
func tenantsSection(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	key := tenantsKey.FindStringIndex(text)
	if key == nil {
		return ""
	}
	body := text[key[1]:]
	if end := topLevelKey.FindStringIndex(body); end != nil {
		body = body[:end[0]]
	}
	// Comments in front of the next key belong to that key.
	lines := strings.Split(strings.TrimRight(body, "\n"), "\n")
	for len(lines) > 1 && (strings.TrimSpace(lines[len(lines)-1]) == "" || strings.HasPrefix(lines[len(lines)-1], "#")) {
		lines = lines[:len(lines)-1]
	}
	return text[key[0]:key[1]] + strings.Join(lines, "\n") + "\n"
}
