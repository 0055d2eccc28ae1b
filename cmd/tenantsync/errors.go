package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/internal/config"
	"tenantsync/internal/control"
	"tenantsync/store"
)

// problem is one error as it is shown: what happened, why, what to do, and which
// permission or page; the same four parts as text and as JSON.
type problem struct {
	Code       string `json:"code,omitempty"`
	Message    string `json:"message"`
	Cause      string `json:"cause,omitempty"`
	Action     string `json:"action,omitempty"`
	Permission string `json:"permission,omitempty"`
	File       string `json:"file,omitempty"`
	Line       int    `json:"line,omitempty"`
	Column     int    `json:"column,omitempty"`
	RequestID  string `json:"requestId,omitempty"`

	excerpt string
}

// finish prints the error a command ended with, if it has not been told yet, and
// returns the exit code.
func (e *environment) finish(err error) int {
	code := exitCode(err)
	var status exitStatus
	if err == nil || errors.As(err, &status) {
		return code
	}
	e.tell(err)
	return code
}

// tell prints an error to standard error in the form that -o asks for.
func (e *environment) tell(err error) {
	for _, p := range problemsOf(err) {
		if e.machine() || wantsJSON(e.args, e.lookup) {
			_ = writeJSONLine(e.stderr, map[string]problem{"error": p}) // there is nowhere else to say that
			continue
		}
		p.write(e.stderr, e.now())
	}
}

// problemsOf takes an error apart. An invalid configuration has many problems,
// everything else is one.
func problemsOf(err error) []problem {
	var (
		invalid *config.Invalid
		missing *configError
		usage   *usageError
		typed   *expressionError
		schema  *schemaError
		known   *engine.Error
		graph   *directory.Error
	)
	switch {
	case errors.As(err, &typed):
		return []problem{typed.problem()}
	case errors.As(err, &schema):
		return []problem{schema.problem()}
	case errors.As(err, &invalid):
		return configProblems(invalid)
	case errors.As(err, &missing):
		told := problem{Code: "ConfigUnreadable", Message: sentence(missing.Error()), Action: fileAdvice(err)}
		if none := (*config.NotFoundError)(nil); errors.As(err, &none) {
			told.Code, told.Action = "ConfigNotFound", none.Action()
		}
		return []problem{told}
	case errors.As(err, &usage):
		return []problem{{Code: "Usage", Message: sentence(usage.Message), Action: usage.Action,
			File: usage.File, Line: usage.Line, Column: usage.Column}}
	case errors.Is(err, control.ErrUnreachable) && errors.As(err, &known) && known.Class == engine.ClassSignIn:
		return []problem{{Code: known.Code, Message: sentence(known.Message), Cause: known.Cause, Action: known.Action}}
	case errors.Is(err, control.ErrUnreachable):
		return []problem{{Code: "DaemonNotReachable", Message: "the daemon cannot be reached.", Cause: err.Error(),
			Action: "start it with: tenantsync run"}}
	case errors.Is(err, store.ErrLocked) && errors.As(err, &known):
		return []problem{{Code: known.Code, Message: sentence(known.Message), Cause: known.Cause, Action: known.Action}}
	case errors.Is(err, store.ErrLocked):
		return []problem{{Code: "StateLocked", Message: "the state file is held by another process.", Cause: err.Error(),
			Action: "if it is a daemon, one is enough, and the other commands ask it through control.listen of the configuration; else wait for it to end"}}
	case errors.Is(err, store.ErrFormat):
		return []problem{{Code: "StateUnusable", Message: "the state file cannot be used.", Cause: err.Error(),
			Action: "put a backup in its place: tenantsync state restore FILE; or, without one, link the users who are there anew, which writes to no tenant: tenantsync state rebuild"}}
	case errors.As(err, &known):
		return []problem{{Code: known.Code, Message: sentence(known.Message), Cause: known.Cause, Action: known.Action,
			Permission: known.Permission, RequestID: known.RequestID}}
	case errors.As(err, &graph):
		return []problem{{Code: graph.Code, Message: sentence(graph.Error()), Permission: graph.Permission, RequestID: graph.RequestID}}
	}
	return []problem{{Code: "Failed", Message: sentence(err.Error()), Action: fileAdvice(err)}}
}

func configProblems(invalid *config.Invalid) []problem {
	list := make([]problem, len(invalid.Problems))
	for i, p := range invalid.Problems {
		message := p.Message + "."
		if p.Suggestion != "" {
			message += fmt.Sprintf(" Did you mean %q?", p.Suggestion)
		}
		list[i] = problem{
			Code: string(p.Code), Message: message, Action: p.Action,
			File: p.File, Line: p.Line, Column: p.Column, excerpt: p.Excerpt(),
		}
	}
	return list
}

// line is what is wrong, with its place in the configuration.
func (p problem) line() string {
	switch {
	case p.File == "":
		return p.Message
	case p.Line == 0:
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// write prints the problem for a person: what, why, what to do, permission, the
// request's id last.
func (p problem) write(w io.Writer, now time.Time) {
	part(w, "Error: ", p.line())
	if p.excerpt != "" {
		fmt.Fprintln(w, escapeLines(p.excerpt))
	}
	if p.Cause != "" {
		part(w, "Why:   ", sentence(p.Cause))
	}
	action := p.Action
	if p.Permission != "" && !strings.Contains(action, p.Permission) {
		action = strings.TrimPrefix(action+"\npermission: "+p.Permission, "\n")
	}
	if action != "" {
		part(w, "Do:    ", action)
	}
	if p.RequestID != "" {
		fmt.Fprintf(w, "Request %s at %s\n", escape(p.RequestID), now.UTC().Format(time.RFC3339))
	}
}

// part prints a labelled text, further lines indented below the first.
func part(w io.Writer, label, text string) {
	indent := strings.Repeat(" ", len(label))
	fmt.Fprintln(w, label+strings.ReplaceAll(escapeLines(strings.TrimRight(text, "\n")), "\n", "\n"+indent))
}

// sentence ends a text with a period unless it ends with a mark already.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".?!:)") {
		return text
	}
	return text + "."
}

// wantsJSON reports whether a command line asks for JSON even if it could not be
// parsed: an unknown flag before -o json must still be told in JSON.
func wantsJSON(args []string, lookup func(string) (string, bool)) bool {
	value, _ := lookup("TENANTSYNC_OUTPUT")
	for i, a := range args {
		switch {
		case a == "--":
			return isMachine(value)
		case (a == "-o" || a == "--output") && i+1 < len(args):
			value = args[i+1]
		case strings.HasPrefix(a, "--output="):
			value = strings.TrimPrefix(a, "--output=")
		case strings.HasPrefix(a, "-o") && len(a) > 2 && !strings.HasPrefix(a, "--"):
			value = strings.TrimPrefix(strings.TrimPrefix(a, "-o"), "=")
		}
	}
	return isMachine(value)
}

func isMachine(format string) bool {
	return outputFormat(format) == formatJSON || outputFormat(format) == formatNDJSON
}
