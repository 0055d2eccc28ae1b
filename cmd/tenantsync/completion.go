package main

import (
	"context"

	"github.com/spf13/cobra"
)

// shells returns the shells that completion can be generated for.
func shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

func newCompletionCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print a completion script for a shell",
		Long: `Prints a script that lets a shell complete commands and flags:

  bash        source <(tenantsync completion bash)
  zsh         tenantsync completion zsh > "${fpath[1]}/_tenantsync"
  fish        tenantsync completion fish | source
  powershell  tenantsync completion powershell | Out-String | Invoke-Expression`,
		Example:     examples("tenantsync completion bash > /etc/bash_completion.d/tenantsync", "tenantsync completion fish | source"),
		Args:        cobra.ExactArgs(1),
		ValidArgs:   shells(),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage),
		RunE: env.runs(func(_ context.Context, args []string) error {
			root := newRootCommand(env)
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(env.stdout, true)
			case "zsh":
				return root.GenZshCompletion(env.stdout)
			case "fish":
				return root.GenFishCompletion(env.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(env.stdout)
			}
			return unknownWord("shell", args[0], shells())
		}),
	}
}
