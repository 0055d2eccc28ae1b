package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// confirm asks before something is done that cannot be taken back. Without a
// terminal, or with --no-input, nobody can answer: then --yes is required.
func (e *environment) confirm(ctx context.Context, question string) error {
	if e.options.Yes {
		return nil
	}
	if e.options.NoInput || !isTerminal(e.stdin) || !isTerminal(e.stderr) {
		return usagef("repeat the command with --yes", "this needs a confirmation: %s", question)
	}
	fmt.Fprintf(e.stderr, "%s [y/N] ", escapeLines(question))
	answers := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(e.stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			line = ""
		}
		answers <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(e.stderr)
		return ctx.Err()
	case answer := <-answers:
		if answer == "y" || answer == "yes" {
			return nil
		}
	}
	fmt.Fprintln(e.stderr, "Nothing was done.")
	return exitStatus(exitFailed)
}
