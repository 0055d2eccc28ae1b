package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tenantsync/mapping/suggest"
)

// commandGroup is a heading of the help with its commands.
type commandGroup struct {
	title    string
	commands []func(*environment) *cobra.Command
}

// commandGroups lists every command. A command registers itself by one line here.
func commandGroups() []commandGroup {
	return []commandGroup{
		{"Synchronize", []func(*environment) *cobra.Command{
			newRunCommand,
			newStatusCommand,
			newPlanCommand,
			newApplyCommand,
			newSyncCommand,
			newProvisionCommand,
			newExplainCommand,
			newStartCommand,
			newPauseCommand,
			newRestartCommand,
			newDeletionsCommand,
			newRetriesCommand,
			newAuditCommand,
			newStateCommand,
		}},
		{"Configure", []func(*environment) *cobra.Command{
			newInitCommand,
			newImportCommand,
			newCheckCommand,
			newConfigCommand,
			newMappingCommand,
			newScopeCommand,
			newTokenCommand,
		}},
		{"Look and rehearse", []func(*environment) *cobra.Command{
			newLogsCommand,
			newDemoCommand,
			newSimulateCommand,
			newCaptureCommand,
		}},
		{"Other", []func(*environment) *cobra.Command{
			newCompletionCommand,
			newVersionCommand,
		}},
	}
}

// newRootCommand builds the command tree over one environment.
func newRootCommand(env *environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "tenantsync",
		Short: "Keep users of one Microsoft Entra tenant up to date in others, as B2B users",
		Long: "Keep users of one Microsoft Entra tenant present and up to date in others, as B2B users.\n" +
			"Nothing is ever written to the source tenant.",
		Example: "  tenantsync demo\n  tenantsync plan contoso-to-fabrikam",
		Args:    subcommandOnly,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return env.settle(cmd)
		},
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableSuggestions: true,
		CompletionOptions:  cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	env.globalFlags(root.PersistentFlags())
	root.SetHelpFunc(printHelp)
	root.SetUsageFunc(func(cmd *cobra.Command) error { return writeUsage(cmd.OutOrStderr(), cmd) })
	root.SetFlagErrorFunc(env.flagError)
	root.SetHelpCommand(newHelpCommand(root))
	for i, group := range commandGroups() {
		id := strconv.Itoa(i)
		root.AddGroup(&cobra.Group{ID: id, Title: group.title})
		for _, build := range group.commands {
			command := build(env)
			command.GroupID = id
			root.AddCommand(command)
		}
	}
	prepare(root)
	env.completions(root)
	return root
}

// prepare gives every command that only has subcommands the same manners.
func prepare(c *cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.HasSubCommands() && !sub.Runnable() {
			sub.Args = subcommandOnly
			sub.RunE = func(cmd *cobra.Command, _ []string) error {
				return usagef("use one of: "+strings.Join(subcommandNames(cmd), ", "), "%s needs a subcommand.", cmd.CommandPath())
			}
		}
		if sub.Args == nil && sub.HasSubCommands() {
			sub.Args = subcommandOrNone
		}
		if sub.Args == nil {
			sub.Args = cobra.NoArgs
		}
		if args := sub.Args; !sub.HasSubCommands() {
			sub.Args = func(cmd *cobra.Command, given []string) error {
				if args(cmd, given) == nil {
					return nil
				}
				return usagef("see: "+cmd.CommandPath()+" --help", "%s", wrongArguments(cmd, given))
			}
		}
		prepare(sub)
	}
}

// wrongArguments tells what a command takes besides flags, and what it was given.
func wrongArguments(cmd *cobra.Command, given []string) string {
	_, takes, _ := strings.Cut(cmd.Use, " ")
	switch {
	case takes == "":
		return fmt.Sprintf("%s takes no argument; %q is one.", cmd.CommandPath(), given[0])
	case len(given) == 0:
		return fmt.Sprintf("%s needs %s.", cmd.CommandPath(), takes)
	}
	return fmt.Sprintf("%s takes %s; %s given.", cmd.CommandPath(), takes, plural(len(given), "argument is", "arguments are"))
}

// globalFlags declares the flags that every command has.
func (e *environment) globalFlags(f *pflag.FlagSet) {
	o := &e.options
	f.StringVarP(&o.Config, "config", "c", "", "configuration `FILE` (else ./config.yaml, /etc/tenantsync/config.yaml)")
	f.StringVarP(&o.Job, "job", "j", "", "the job `NAME`, where a command needs one")
	f.VarP(&o.Output, "output", "o", "form of the output")
	f.StringSliceVar(&o.Columns, "columns", nil, "columns to show, `A,B`")
	f.StringVar(&o.Color, "color", "auto", "colour: `auto|always|never`")
	f.BoolVar(&o.NoProgress, "no-progress", false, "show no progress")
	f.BoolVar(&o.NoInput, "no-input", false, "never ask a question")
	f.BoolVarP(&o.Yes, "yes", "y", false, "answer questions with yes")
	f.BoolVarP(&o.Quiet, "quiet", "q", false, "print results and errors only")
	f.BoolVarP(&o.Verbose, "verbose", "v", false, "show more, and log to standard error")
	f.StringVar(&o.LogFormat, "log-format", "", "form of the log on standard error: `text|json`")
	f.StringVar(&o.Server, "server", "", "the daemon to ask: `http://127.0.0.1:PORT` or unix:PATH")
	f.StringVar(&o.TokenFile, "token-file", "", "a `FILE` with the token to show to the daemon, for what its role may do")
	f.DurationVar(&o.Timeout, "timeout", 0, "end the command after this `DURATION`, e.g. 5m, as Ctrl-C does: exit code 130")
}

// settle completes the global options before a command runs: what no flag set
// comes from the environment, and words are checked.
func (e *environment) settle(cmd *cobra.Command) error {
	e.jobFlag = cmd.Flags().Changed("job")
	var failed error
	cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		name := "TENANTSYNC_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := e.lookup(name)
		// The configuration's finder reads its variable itself, to say where a path came from.
		if f.Name == "config" || f.Changed || !ok || value == "" || failed != nil {
			return
		}
		if err := f.Value.Set(value); err != nil {
			failed = usagef("correct or unset it", "environment variable %s: %s", name, err)
		}
	})
	if failed != nil {
		return failed
	}
	if colours := []string{"auto", "always", "never"}; !slices.Contains(colours, e.options.Color) {
		return unknownWord("colour setting", e.options.Color, colours)
	}
	if formats := []string{"", "text", "json"}; !slices.Contains(formats, e.options.LogFormat) {
		return unknownWord("log format", e.options.LogFormat, formats[1:])
	}
	if e.options.Timeout < 0 {
		return usagef("give a duration such as 5m", "--timeout must not be negative.")
	}
	return nil
}

// subcommandOnly refuses an argument that is no subcommand, naming the nearest.
func subcommandOnly(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownWord("command", args[0], subcommandNames(cmd))
}

// subcommandOrNone refuses an argument of a command that does something without any:
// a misspelt subcommand, or what belongs to a flag.
func subcommandOrNone(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if names := subcommandNames(cmd); len(nearWords(args[0], names)) > 0 {
		return unknownWord("command", args[0], names)
	}
	return usagef("see: "+cmd.CommandPath()+" --help", "%s takes no argument but a subcommand; %q is none.", cmd.CommandPath(), args[0])
}

func subcommandNames(cmd *cobra.Command) []string {
	var names []string
	for _, sub := range cmd.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			names = append(names, sub.Name())
		}
	}
	return names
}

// flagError explains a flag that was not understood. Where the command itself is
// misspelt, its flags are unknown as well: then the command is what is told.
func (e *environment) flagError(cmd *cobra.Command, err error) error {
	if cmd.HasSubCommands() {
		if word := firstWord(cmd, e.args); word != "" {
			return unknownWord("command", word, subcommandNames(cmd))
		}
	}
	var told *usageError
	if errors.As(err, &told) { // a value that is none of those known
		return told
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		if kind := kindOfValue(invalid.GetFlag()); kind != "" {
			return usagef("see: "+cmd.CommandPath()+" --help", "--%s: %q is not %s.", invalid.GetFlag().Name, invalid.GetValue(), kind)
		}
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usagef("see: "+cmd.CommandPath()+" --help", "%s.", err)
	}
	if unknown.GetSpecifiedShortnames() != "" {
		return usagef("see: "+cmd.CommandPath()+" --help", "%s.", err)
	}
	var names []string
	collect := func(f *pflag.Flag) { names = append(names, f.Name) } // the dashes are in all of them
	cmd.LocalFlags().VisitAll(collect)
	cmd.InheritedFlags().VisitAll(collect)
	name := unknown.GetSpecifiedName()
	if near := suggest.Nearest(name, slices.Values(names)); near != "" {
		return usagef(fmt.Sprintf("did you mean %q?", "--"+near), "unknown flag %q.", "--"+name)
	}
	return usagef("see: "+cmd.CommandPath()+" --help", "unknown flag %q.", "--"+name)
}

// kindOfValue says what a flag takes, "" where the flag's own error says it best.
func kindOfValue(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "duration":
		return "a duration such as 30s or 5m"
	case "int", "uint64":
		return "a whole number"
	}
	return ""
}

// firstWord returns the first argument after the command's own names that is no
// flag and no value of one.
func firstWord(cmd *cobra.Command, args []string) string {
	depth := strings.Count(cmd.CommandPath(), " ")
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			return ""
		case strings.HasPrefix(a, "-"):
			if takesValue(cmd, a) {
				i++
			}
		case depth > 0:
			depth--
		default:
			return a
		}
	}
	return ""
}

// takesValue reports whether the next argument belongs to the flag.
func takesValue(cmd *cobra.Command, arg string) bool {
	var f *pflag.Flag
	switch name := strings.TrimLeft(arg, "-"); {
	case strings.Contains(arg, "="), name == "":
		return false
	case strings.HasPrefix(arg, "--"):
		f = cmd.Flag(name)
	case len(name) == 1:
		f = cmd.Root().PersistentFlags().ShorthandLookup(name)
	}
	return f != nil && f.NoOptDefVal == ""
}

// action is what a command does: env carries the options, ctx ends with a signal
// or --timeout.
type action func(ctx context.Context, args []string) error

// runs adapts an action to cobra, with --timeout applied.
func (e *environment) runs(do action) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		ctx, cancel := e.withTimeout(cmd.Context())
		defer cancel()
		e.acts = isAct(cmd)
		err := do(ctx, args)
		if ctx.Err() != nil {
			err = interrupted(ctx, err)
		}
		return err
	}
}

// exits is the annotation that lists a command's exit codes.
const exits = "exits"

// exitCodes returns the annotations of a command that ends with these codes.
func exitCodes(codes ...int) map[string]string {
	words := make([]string, len(codes))
	for i, c := range codes {
		words[i] = strconv.Itoa(c)
	}
	return map[string]string{exits: strings.Join(words, " ")}
}

// examples joins the lines of a command's examples.
func examples(lines ...string) string {
	return "  " + strings.Join(lines, "\n  ")
}

// newHelpCommand replaces cobra's, which takes an unknown topic for a success.
func newHelpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about a command",
		Example: examples("tenantsync help", "tenantsync help plan"),
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			at := root
			for _, word := range args {
				next := slices.IndexFunc(at.Commands(), func(c *cobra.Command) bool { return c.Name() == word || c.HasAlias(word) })
				if next < 0 {
					return unknownWord("command", word, subcommandNames(at))
				}
				at = at.Commands()[next]
			}
			return at.Help()
		},
	}
}
