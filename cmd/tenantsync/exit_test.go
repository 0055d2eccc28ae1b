package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/internal/config"
	"tenantsync/internal/control"
	"tenantsync/store"
)

func TestExitCode(t *testing.T) {
	class := func(c engine.ErrorClass) error { return fmt.Errorf("sync: %w", &engine.Error{Class: c, Message: "x"}) }
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"no error":              {nil, 0},
		"decided already":       {exitStatus(5), 5},
		"plain":                 {errors.New("disk full"), 1},
		"engine failed":         {class(engine.ClassFailed), 1},
		"engine sign-in":        {class(engine.ClassSignIn), 4},
		"engine usage":          {class(engine.ClassUsage), 64},
		"engine interrupted":    {class(engine.ClassInterrupted), 130},
		"sign-in":               {fmt.Errorf("read: %w", &directory.Error{Kind: directory.SignIn}), 4},
		"denied":                {&directory.Error{Kind: directory.Denied}, 4},
		"throttled":             {&directory.Error{Kind: directory.Throttled}, 1},
		"daemon not reachable":  {fmt.Errorf("x: %w", control.ErrUnreachable), 6},
		"state locked":          {fmt.Errorf("open: %w", store.ErrLocked), 6},
		"state damaged":         {fmt.Errorf("open: %w", store.ErrFormat), 1},
		"usage":                 {usagef("", "x"), 64},
		"invalid configuration": {&config.Invalid{}, 78},
		"no configuration":      {&configError{errors.New("x")}, 78},
		"cancelled":             {context.Canceled, 130},
		"cancelled by a signal": {fmt.Errorf("read users: %w", errInterrupted), 130},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestSyncExit(t *testing.T) {
	fails := func(c engine.ErrorClass) *engine.Error { return &engine.Error{Class: c} }
	quarantine := &engine.Quarantine{Reason: "TooManyDeletes"}
	for name, c := range map[string]struct {
		r    engine.SyncResult
		want int
	}{
		"success":                           {engine.SyncResult{Outcome: store.OutcomeSuccess}, 0},
		"only old held deletions":           {engine.SyncResult{Outcome: store.OutcomeSuccess, Summary: store.Summary{Held: 2}}, 5},
		"partial":                           {engine.SyncResult{Outcome: store.OutcomePartial, Summary: store.Summary{Failed: 1}}, 3},
		"partial and held":                  {engine.SyncResult{Outcome: store.OutcomePartial, Summary: store.Summary{Failed: 1, Held: 1}}, 5},
		"quarantine":                        {engine.SyncResult{Outcome: store.OutcomeQuarantine, Quarantine: quarantine}, 5},
		"failed":                            {engine.SyncResult{Outcome: store.OutcomeFailed, Error: fails(engine.ClassFailed)}, 1},
		"sign-in":                           {engine.SyncResult{Outcome: store.OutcomeFailed, Error: fails(engine.ClassSignIn)}, 4},
		"sign-in before quarantine":         {engine.SyncResult{Outcome: store.OutcomeQuarantine, Quarantine: quarantine, Error: fails(engine.ClassSignIn)}, 4},
		"interrupted before everything":     {engine.SyncResult{Outcome: store.OutcomeInterrupted, Quarantine: quarantine, Summary: store.Summary{Failed: 1}}, 130},
		"failed half-way":                   {engine.SyncResult{Outcome: store.OutcomeFailed, Summary: store.Summary{Failed: 1}}, 1},
		"an outcome nobody has heard of":    {engine.SyncResult{Outcome: "running"}, 1},
		"failed, which is a quarantine":     {engine.SyncResult{Outcome: store.OutcomeFailed, Quarantine: quarantine, Error: fails(engine.ClassFailed)}, 1},
		"failed with something held before": {engine.SyncResult{Outcome: store.OutcomeFailed, Summary: store.Summary{Held: 1}}, 5},
	} {
		if got := syncExit(c.r); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestErrorText(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 20, 7, 0, time.UTC)
	known := &engine.Error{Class: engine.ClassSignIn, Code: "Authorization_RequestDenied", Message: "cannot invite users into fabrikam.com",
		Cause: "Graph answered 403; the app lacks a permission", Action: "grant User.Invite.All\nthen run: tenantsync check",
		Permission: "User.Invite.All", RequestID: "5d2f7a10"}
	want := `Error: cannot invite users into fabrikam.com.
Why:   Graph answered 403; the app lacks a permission.
Do:    grant User.Invite.All
       then run: tenantsync check
Request 5d2f7a10 at 2026-11-22T08:20:07Z
`
	var b bytes.Buffer
	env := newEnvironment(nil, nil, nil, &b, func(string) (string, bool) { return "", false })
	env.now = func() time.Time { return now }
	if code := env.finish(known); code != exitSignIn || b.String() != want {
		t.Errorf("got exit code %d and\n%s\nwant %d and\n%s", code, b.String(), exitSignIn, want)
	}

	b.Reset()
	env.options.Output = formatJSON
	env.finish(known)
	wantJSON := `{"error":{"code":"Authorization_RequestDenied","message":"cannot invite users into fabrikam.com.",` +
		`"cause":"Graph answered 403; the app lacks a permission","action":"grant User.Invite.All\nthen run: tenantsync check",` +
		`"permission":"User.Invite.All","requestId":"5d2f7a10"}}` + "\n"
	if b.String() != wantJSON {
		t.Errorf("got\n%swant\n%s", b.String(), wantJSON)
	}
}

func TestWantsJSON(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	for args, want := range map[string]bool{
		"plan --bogus -o json":      true,
		"plan -ojson":               true,
		"plan -o=ndjson":            true,
		"plan --output=json":        true,
		"plan --output json --x":    true,
		"plan -o json -o table":     false,
		"plan":                      false,
		"plan -- -o json":           false,
		"plan -o":                   false,
		"mapping test --operator x": false,
	} {
		if got := wantsJSON(strings.Fields(args), none); got != want {
			t.Errorf("wantsJSON(%q): got %v, want %v", args, got, want)
		}
	}
}
