package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"runtime"
	"strings"

	"go.uber.org/zap"

	"tenantsync/engine"
	"tenantsync/internal/config"
	"tenantsync/internal/control"
	"tenantsync/store"
)

// Service returns what answers a command: the daemon, if one runs, else an
// engine in this process that has the state file to itself. Which of the two it
// is shows in nothing else. The caller calls done when it has its answer.
//
// The error is control.ErrUnreachable or store.ErrLocked, exit code 6, when the
// state is in use and nobody answers for it.
func (e *environment) Service(ctx context.Context) (s control.Service, done func(), err error) {
	if e.options.Server != "" {
		client, err := e.namedDaemon(ctx)
		if err != nil {
			return nil, nil, err
		}
		return client.Because(e.reason), func() {}, nil
	}
	cfg, err := e.LoadConfig()
	if err != nil {
		return nil, nil, err
	}
	if client, err := e.daemon(ctx, cfg); client != nil || err != nil {
		return client, func() {}, err
	}
	if err := e.unnarrowed(cfg); err != nil {
		return nil, nil, err
	}
	lost := lostState(cfg.Store.Path)
	if lost != nil && !e.lostWarned {
		e.lostWarned = true
		e.warn(lost.message, lost.action)
	}
	s, done, err = openEngine(cfg, e.log(nil), person(), e.caller(), lost != nil && e.looks)
	if errors.Is(err, store.ErrLocked) {
		// A daemon that has just started holds the file a moment before it answers.
		if client, err := e.daemon(ctx, cfg); client != nil || err != nil {
			return client, func() {}, err
		}
		return nil, nil, fmt.Errorf("%s: %w", e.unanswered(cfg), err)
	}
	if err != nil {
		return nil, nil, err
	}
	return s, done, nil
}

// withService runs a command's question.
func (e *environment) withService(ctx context.Context, ask func(control.Service) error) error {
	s, done, err := e.Service(ctx)
	if err != nil {
		return err
	}
	defer done()
	return ask(s)
}

func listenText(cfg *config.Config) string {
	if cfg.Control.Listen == "" {
		return `control.listen ""`
	}
	return cfg.Control.Listen
}

// unanswered says why nobody answers who asks the daemon of a configuration.
func (e *environment) unanswered(cfg *config.Config) string {
	address, err := control.ParseAddress(cfg.Control.Listen)
	_, given, _ := e.token()
	if err == nil && address.Host != "" && !given {
		if _, err := os.Stat(tokenFile(cfg)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Sprintf("the daemon at %s cannot be asked without its token, and the file %s is not there: it is written when a daemon starts, and a named token does by --token-file",
				cfg.Control.Listen, tokenFile(cfg))
		}
	}
	return "no daemon answers at " + listenText(cfg)
}

// daemon returns what asks the daemon of this configuration, nil when none answers.
// The error says that one answers and refuses who asks.
func (e *environment) daemon(ctx context.Context, cfg *config.Config) (control.Service, error) {
	if cfg.Control.Listen == "" {
		return nil, nil
	}
	address, err := control.ParseAddress(cfg.Control.Listen)
	if err != nil {
		return nil, nil //nolint:nilerr // validated when it was loaded
	}
	token, given, err := e.token()
	if err != nil {
		return nil, err
	}
	switch {
	case address.Socket != "":
		if _, err := os.Lstat(address.Socket); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	case !given:
		if token, err = control.ReadToken(tokenFile(cfg)); err != nil {
			return nil, nil //nolint:nilerr // a daemon writes it when it starts
		}
	}
	client, err := control.Dial(ctx, address, token)
	if refused := (*engine.Error)(nil); errors.As(err, &refused) && refused.Class == engine.ClassSignIn && (given || address.Socket != "") {
		return nil, err
	}
	if ctx.Err() != nil { // nobody was waited for: whether one answers is not known
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, nil //nolint:nilerr // where the token was left by another daemon, the state file tells
	}
	return client.Because(e.reason), nil
}

// token returns the token to show to a daemon, where one is given: that of
// --token-file, else TENANTSYNC_TOKEN.
func (e *environment) token() (token string, given bool, err error) {
	if e.options.TokenFile == "" {
		token, _ = e.lookup("TENANTSYNC_TOKEN")
		return token, token != "", nil
	}
	token, err = control.ReadToken(e.options.TokenFile)
	switch {
	case err != nil:
		return "", false, usagef("name a file with the token that tenantsync token new printed", "--token-file: %s.", err)
	case token == "" || strings.ContainsAny(token, " \t\r\n"):
		return "", false, usagef("name a file with the token that tenantsync token new printed, and nothing else",
			"--token-file: %s does not hold a token.", e.options.TokenFile)
	}
	e.warnOfToken(e.options.TokenFile)
	return token, true, nil
}

// warnOfToken warns once of a file with a token that others may read or replace. A
// group may read it, as with every file that holds a secret.
func (e *environment) warnOfToken(path string) {
	if e.tokenWarned || runtime.GOOS == "windows" { // which has no such modes
		return
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o027 != 0 {
		e.tokenWarned = true
		e.warn(fmt.Sprintf("file %s holds a token, and others than its owner may read or replace it (mode %04o)", path, info.Mode().Perm()), "chmod 600 "+path)
	}
}

// namedDaemon reaches the daemon that --server names. It needs no configuration;
// over TCP without a given token it is that of the configuration's daemon.
func (e *environment) namedDaemon(ctx context.Context) (*control.Client, error) {
	address, err := control.ParseAddress(e.options.Server)
	if err != nil {
		return nil, usagef("use --server unix:PATH or --server http://127.0.0.1:PORT", "--server: %s.", err)
	}
	token, given, err := e.token()
	if err != nil {
		return nil, err
	}
	if address.Socket == "" && !given {
		cfg, err := e.LoadConfig()
		if err != nil {
			return nil, usagef("name a file with it by --token-file, set TENANTSYNC_TOKEN, or name the daemon's configuration with --config",
				"--server needs the daemon's token.")
		}
		if token, err = control.ReadToken(tokenFile(cfg)); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", address, control.ErrUnreachable, err)
		}
	}
	return control.Dial(ctx, address, token)
}

// tokenFile is where the daemon keeps the token of a TCP control interface.
func tokenFile(cfg *config.Config) string { return cfg.Store.Path + ".token" }

// person is who starts cycles by typing a command.
func person() store.Initiator {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return store.Initiator{DisplayName: name, Type: "user"}
}

// log returns the logger for standard error. A command logs only when asked to;
// the daemon, which passes its settings, always does.
func (e *environment) log(settings *config.Logs) *zap.Logger {
	if settings == nil && !e.options.Verbose {
		return zap.NewNop()
	}
	level, format := config.Debug, config.TextFormat
	if settings != nil {
		level, format = settings.Level, settings.Format
	}
	if e.options.Verbose {
		level = config.Debug
	}
	switch {
	case e.machine(), e.options.LogFormat == "json":
		format = config.JSONFormat
	case e.options.LogFormat == "text":
		format = config.TextFormat
	}
	return newLogger(e.stderr, level, format)
}
