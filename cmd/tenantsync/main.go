package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

func main() { os.Exit(process()) }

// gcPercent lets the heap of a cycle, some twenty megabytes that are live, grow to
// three times that before it is collected: a sixth less CPU in a full comparison
// of 100 000 users, for twenty megabytes more.
const gcPercent = 200

// process runs the command that this process was started with. The first
// interrupt or termination signal cancels the context, so that running requests
// finish and the state is saved; the second ends the process at once.
func process() int {
	keepToOurselves()
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	surviveFullDisk()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		<-signals
		cancel(errInterrupted)
		<-signals
		os.Exit(exitInterrupted)
	}()
	return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv)
}

// run executes one command line and returns its exit code. lookup reads the
// environment; colour, width and questions depend on whether the three streams
// are terminals.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, lookup func(string) (string, bool)) int {
	env := newEnvironment(args, stdin, stdout, stderr, lookup)
	root := newRootCommand(env)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if ctx.Err() != nil {
		err = interrupted(ctx, err)
	}
	return env.finish(err)
}
