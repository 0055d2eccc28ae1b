package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"tenantsync/internal/config"
)

// environment is all that a command may use of the world: streams, variables,
// the global options, and, made on first use, the configuration and the service.
// One environment serves one command line.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// lookup reads an environment variable.
	lookup func(string) (string, bool)
	// args is the command line, for what must be known before it is parsed.
	args []string
	// now is the present time, for what is printed.
	now func() time.Time

	// options are the global flags, set before a command runs.
	options globalOptions

	// reason is why, for commands that have --reason.
	reason string
	// acts: the command is an administrative act.
	acts bool

	jobFlag bool // --job stands on the command line, not in a variable

	// looks is set by commands that only look: where the state file was lost, they do
	// not begin a new one.
	looks bool

	tokenWarned bool // of the file that --token-file names
	lostWarned  bool // of a state file that is gone

	cfg *config.Config
}

// globalOptions are the flags that every command has.
type globalOptions struct {
	Config     string
	Job        string
	Output     outputFormat
	Columns    []string
	Color      string
	NoProgress bool
	NoInput    bool
	Yes        bool
	Quiet      bool
	Verbose    bool
	LogFormat  string
	Server     string
	TokenFile  string
	Timeout    time.Duration
}

func newEnvironment(args []string, stdin io.Reader, stdout, stderr io.Writer, lookup func(string) (string, bool)) *environment {
	return &environment{
		stdin: stdin, stdout: stdout, stderr: stderr, lookup: lookup, args: args, now: time.Now,
		options: globalOptions{Output: formatTable, Color: "auto"},
	}
}

// configError is a configuration file that cannot be found or read.
type configError struct{ err error }

// Error tells which file and why.
func (e *configError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *configError) Unwrap() error { return e.err }

// ConfigPath finds the configuration file: the flag, TENANTSYNC_CONFIG, the
// working directory, the system's place.
func (e *environment) ConfigPath() (string, error) {
	path, err := config.Find(e.options.Config, e.lookup)
	if err != nil {
		return "", &configError{err}
	}
	return path, nil
}

// LoadConfig returns the configuration, validated and compiled; the second call
// returns the same one. Its error ends the command with exit code 78. Warnings
// are printed to standard error once.
func (e *environment) LoadConfig() (*config.Config, error) {
	if e.cfg != nil {
		return e.cfg, nil
	}
	cfg, err := e.readConfig()
	if err != nil {
		return nil, err
	}
	for _, w := range cfg.Warnings {
		e.warn(w.Error(), w.Action)
	}
	e.cfg = cfg
	return cfg, nil
}

// readConfig loads the configuration anew, as it is now.
func (e *environment) readConfig() (*config.Config, error) {
	path, err := e.ConfigPath()
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(path, config.Options{Env: e.lookup})
	var invalid *config.Invalid
	if err != nil && !errors.As(err, &invalid) {
		return nil, &configError{err}
	}
	return cfg, err
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth returns the width of a terminal in columns, 0 when the stream is
// none.
func terminalWidth(stream any) int {
	f, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// colour reports whether a stream gets colour.
func (e *environment) colour(stream any) bool {
	switch e.options.Color {
	case "always":
		return true
	case "never":
		return false
	}
	if v, ok := e.lookup("NO_COLOR"); ok && v != "" {
		return false
	}
	if v, _ := e.lookup("TERM"); v == "dumb" {
		return false
	}
	return isTerminal(stream)
}

// printer returns the printer for standard output.
func (e *environment) printer() *printer {
	return &printer{
		w: e.stdout, format: e.options.Output, columns: e.options.Columns,
		width: terminalWidth(e.stdout), colour: e.colour(e.stdout),
	}
}

// machine reports whether standard error carries one JSON object a line.
func (e *environment) machine() bool {
	return e.options.Output == formatJSON || e.options.Output == formatNDJSON
}

// note tells something on standard error that is no error: what is being done, a
// hint. Quiet drops it.
func (e *environment) note(format string, args ...any) {
	if !e.options.Quiet {
		e.say("info", fmt.Sprintf(format, args...), "")
	}
}

// warn tells something that should be looked at; action may be empty.
func (e *environment) warn(message, action string) { e.say("warn", message, action) }

func (e *environment) say(level, message, action string) {
	if e.machine() {
		record := struct {
			Level   string `json:"level"`
			Time    string `json:"ts"`
			Message string `json:"msg"`
			Action  string `json:"action,omitempty"`
		}{level, e.now().UTC().Format(time.RFC3339), message, action}
		_ = writeJSONLine(e.stderr, record) // there is nowhere else to say that
		return
	}
	prefix := ""
	if level == "warn" {
		prefix = "Warning: "
	}
	fmt.Fprintln(e.stderr, prefix+escapeLines(message))
	if action != "" {
		fmt.Fprintln(e.stderr, "Do:    "+escapeLines(action))
	}
}

// jobName returns the job that a command is about: the argument if there is one,
// else --job, else the only job of the daemon that --server names, else the only one
// of the configuration.
func (e *environment) jobName(ctx context.Context, args []string) (string, error) {
	if len(args) > 0 || e.options.Job != "" || e.options.Server == "" {
		return e.configuredName(args)
	}
	client, err := e.namedDaemon(ctx)
	if err != nil {
		return "", err
	}
	list, err := client.Status(ctx, "")
	if err != nil {
		return "", err
	}
	names := make([]string, len(list))
	for i, j := range list {
		names[i] = j.Name
	}
	return onlyJob(names, "the daemon")
}

// configuredName is jobName for what only the configuration knows.
func (e *environment) configuredName(args []string) (string, error) {
	if err := e.oneJob(args); err != nil {
		return "", err
	}
	name := e.options.Job
	if len(args) > 0 {
		name = args[0]
	}
	if name != "" {
		return name, e.knowsJob(name)
	}
	cfg, err := e.LoadConfig()
	if err != nil {
		return "", err
	}
	if name, err = onlyJob(cfg.JobNames(), "the configuration"); err != nil {
		return "", err
	}
	return name, e.knowsJob(name)
}

// onlyJob returns the one job that of has; with any other number somebody has to say.
func onlyJob(names []string, of string) (string, error) {
	switch len(names) {
	case 0:
		return "", usagef("add a job to the configuration", "%s has no job.", of)
	case 1:
		return names[0], nil
	}
	return "", usagef("name one of them as an argument or with --job: "+strings.Join(names, ", "),
		"%s has %d jobs; which one is meant?", of, len(names))
}

// oneJob refuses a command line whose argument and --job name two jobs.
func (e *environment) oneJob(args []string) error {
	if len(args) == 0 || !e.jobFlag || e.options.Job == args[0] {
		return nil
	}
	return usagef("name the one that is meant", "two jobs are named: %s, and with --job %s.", args[0], e.options.Job)
}

// knowsJob refuses a job that the configuration does not have, or that could not
// sign in. A daemon that is
// named with --server judges by its own.
func (e *environment) knowsJob(name string) error {
	if e.options.Server != "" {
		return nil
	}
	cfg, err := e.LoadConfig()
	if err != nil {
		return err
	}
	job := cfg.Job(name)
	if job == nil {
		return unknownWord("job", name, cfg.JobNames())
	}
	// A job that is not enabled may refer to variables that are not set, as long
	// as nobody asks for it by name.
	for _, c := range []*config.Credential{cfg.Tenants[job.Source].Credential, cfg.Tenants[job.Target].ForWriting()} {
		if c.Err != nil {
			return &configError{fmt.Errorf("job %s cannot be used: %w", name, c.Err)}
		}
	}
	return nil
}

// unknownJob refuses a job of which nothing is known: the configuration does not
// have it, and what was looked for has nothing of it. A job that was taken out of
// the configuration still has a history.
func (e *environment) unknownJob(name string) error {
	if name == "" || e.options.Server != "" {
		return nil
	}
	cfg, err := e.LoadConfig()
	if err != nil || cfg.Job(name) != nil {
		return nil //nolint:nilerr // what was asked for has been answered, by a daemon, without it
	}
	return unknownWord("job", name, cfg.JobNames())
}

// withTimeout limits a command to --timeout.
func (e *environment) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.options.Timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, e.options.Timeout, context.DeadlineExceeded)
}
