package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"tenantsync/internal/config"
	"tenantsync/internal/control"
	"tenantsync/internal/token"
)

// tokenOptions are the flags of token new.
type tokenOptions struct {
	Role string
	Out  string
}

func newTokenCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "token",
		Short:   "Tokens for the control interface of a daemon",
		Example: examples("tenantsync token new helpdesk --role operator"),
	}
	cmd.AddCommand(newTokenNewCommand(env))
	return cmd
}

func newTokenNewCommand(env *environment) *cobra.Command {
	var o tokenOptions
	cmd := &cobra.Command{
		Use:   "new NAME --role ROLE",
		Short: "Draw a token and write the file with its hash",
		Long: `Draws a token of 256 random bits and prints it, once, on standard output. Its
hash goes to a file, NAME.token unless --out says otherwise, which the
configuration names under control.tokens; the token itself is kept nowhere.
The daemon knows it after the next start or SIGHUP.

NAME says in the record of acts whose act it was: at most 100 letters, digits,
blanks, dots and dashes, without / and \.

Roles: reader looks; operator also runs jobs as they are configured; approver
also decides what the guards hold. Use a token with --token-file FILE, or with
the variable TENANTSYNC_TOKEN_FILE; a flag never takes the token itself.`,
		Example: examples("tenantsync token new helpdesk --role operator > ~/.tenantsync-token",
			"tenantsync token new auditor --role reader --out /etc/tenantsync/auditor.token"),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage),
		Args:        cobra.ExactArgs(1),
		RunE:        env.runs(func(_ context.Context, args []string) error { return runTokenNew(env, args[0], o) }),
	}
	cmd.Flags().StringVar(&o.Role, "role", "", "what its bearer may do: `reader|operator|approver`")
	cmd.Flags().StringVar(&o.Out, "out", "", "the `FILE` for the hash")
	return cmd
}

// tokenRoles returns the roles a token can have, the least first.
func tokenRoles() []string { return []string{"reader", "operator", "approver"} }

func runTokenNew(env *environment, name string, o tokenOptions) error {
	if o.Role == "" {
		return usagef("add --role reader, --role operator or --role approver", "token new needs a role.")
	}
	role, err := control.ParseRole(o.Role)
	if err != nil {
		return unknownWord("role", o.Role, tokenRoles())
	}
	if !config.ValidName(name) {
		return usagef(config.NameRule, "%q cannot be a name.", name)
	}
	path := o.Out
	if path == "" {
		path = name + ".token"
	}
	drawn := token.Draw()
	err = createFile(path, bytesTo([]byte(token.Hash(drawn).String()+"\n")))
	switch {
	case errors.Is(err, fs.ErrExist):
		return usagef("give another name with --out; to change a token, add the new file's line to the old file, and remove the old line when nobody uses it",
			"%s exists already and is not overwritten.", path)
	case err != nil:
		return fmt.Errorf("write hash: %w", err)
	}
	entry := fmt.Sprintf("control:\n  tokens:\n    - {name: %q, role: %s, tokenFile: %q}", name, role, path)
	env.note("The hash is in %s; add to the configuration, then send the daemon SIGHUP:\n%s", path, entry)
	return env.printer().Print(result{
		Document: struct {
			Name     string `json:"name"`
			Role     string `json:"role"`
			Token    string `json:"token"`
			HashFile string `json:"tokenFile"`
		}{name, role.String(), drawn, path},
		Text: func(w io.Writer, _ *printer) error {
			_, err := fmt.Fprintln(w, drawn)
			return err
		},
	})
}
