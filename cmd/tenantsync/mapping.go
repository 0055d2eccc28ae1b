package main

import (
	"github.com/spf13/cobra"

	"tenantsync/internal/config"
)

func newMappingCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "mapping", Short: "Attribute mappings: list them, test expressions",
		Long: "Shows the attribute mappings of a job and the functions of expressions, and tests\n" +
			"expressions on made-up users, on a file of cases, or on a user of the source. Only the\nlast needs the network.",
		Example: examples("tenantsync mapping list contoso-to-fabrikam", `tenantsync mapping test --expression 'ToUpper([surname])' --attributes '{"surname":"Berg"}'`),
	}
	cmd.AddCommand(newMappingListCommand(env), newMappingFunctionsCommand(env), newMappingTestCommand(env))
	return cmd
}

// configuredJob returns the job of the configuration that a command is about.
func (e *environment) configuredJob(args []string) (*config.Job, error) {
	cfg, err := e.LoadConfig()
	if err != nil {
		return nil, err
	}
	name, err := e.configuredName(args)
	if err != nil {
		return nil, err
	}
	if job := cfg.Job(name); job != nil {
		return job, nil
	}
	return nil, unknownWord("job", name, cfg.JobNames())
}
