package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"tenantsync/internal/config"
	"tenantsync/internal/control"
	"tenantsync/store"
)

// The ways by which acts come that the control interface does not bring.
const (
	viaCommand = "command" // a command that has the state file to itself
	viaProcess = "process" // the daemon by itself
	viaSignal  = "signal"
)

// caller is whoever typed this command, for the record of administrative acts. He
// has the state file, so there is nothing that he may not do.
func (e *environment) caller() control.Caller {
	return control.Caller{Name: actorName(person()), Via: viaCommand, Role: control.Approver, Reason: e.reason}
}

// actorName is a user of this machine as the record names him.
func actorName(who store.Initiator) string {
	if who.DisplayName == "" {
		return "unknown user"
	}
	return who.DisplayName
}

// reasonFlag lets a command that is an administrative act say why it is done.
func (e *environment) reasonFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&e.reason, "reason", "", "why, for the audit: a `TEXT` such as a ticket's number")
}

// isAct reports whether a command is an administrative act, so that it has a reason.
func isAct(cmd *cobra.Command) bool { return cmd.Flags().Lookup("reason") != nil }

// unnarrowed refuses an act without a daemon for which a file with a token is
// given. Only a daemon judges tokens: to go on would do it with all the rights of
// the user, whatever the token's role.
func (e *environment) unnarrowed(cfg *config.Config) error {
	if !e.acts || e.options.TokenFile == "" {
		return nil
	}
	return fmt.Errorf("no daemon answers at %s, and without one the role of the token in %s narrows nothing; leave out --token-file (TENANTSYNC_TOKEN_FILE) to act with your own rights: %w",
		listenText(cfg), e.options.TokenFile, control.ErrUnreachable)
}

// auditedConfiguration is what the record of administrative acts says of a
// configuration.
func auditedConfiguration(cfg *config.Config) control.Configuration {
	c := control.Configuration{Hash: cfg.Hash, Jobs: map[string]control.JobHashes{}, Tokens: map[string]string{}}
	for _, j := range cfg.Jobs {
		plain := *j
		plain.Location, plain.Filter, plain.Schema = nil, nil, nil // follow from the rest
		source, target := cfg.Tenants[j.Source], cfg.Tenants[j.Target]
		c.Jobs[j.Name] = control.JobHashes{
			All:   fingerprint(plain, source.TenantID, source.Endpoints, target.TenantID, target.Endpoints),
			Scope: fingerprint(j.Scope, source.TenantID),
		}
	}
	for _, t := range cfg.Control.Tokens {
		c.Tokens[t.Name] = string(t.Role) + " " + fingerprint(t.Hashes)
	}
	return c
}

// fingerprint tells values apart.
func fingerprint(values ...any) string {
	text, err := json.Marshal(values)
	if err != nil {
		text = []byte(err.Error()) // plain values always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// controlTokens are the named tokens of a configuration.
func controlTokens(cfg *config.Config) ([]control.Token, error) {
	list := make([]control.Token, len(cfg.Control.Tokens))
	for i, t := range cfg.Control.Tokens {
		role, err := control.ParseRole(string(t.Role))
		if err != nil {
			return nil, err // validated when it was loaded
		}
		list[i] = control.Token{Name: t.Name, Role: role, Hashes: t.Hashes}
	}
	return list, nil
}
