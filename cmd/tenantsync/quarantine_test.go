package main

import (
	"strings"
	"testing"
	"time"

	"tenantsync/engine"
)

// Status says what to do about each reason, also while something is held besides.
func TestQuarantineNamesTheWayOut(t *testing.T) {
	for reason, want := range map[string]string{
		"InvitationsBlocked":                     "support request",
		"AzureActiveDirectoryQuotaLimitExceeded": "tenantsync retries now j",
		"TooManyChanges":                         "tenantsync sync j --accept",
		"TooManyDeletes":                         "tenantsync deletions list j",
	} {
		s := engine.JobStatus{Name: "j", State: "Quarantine", Held: 3,
			Quarantine: &engine.Quarantine{Reason: reason, Message: "why", Since: time.Now()}}
		if got := attention(s); !strings.Contains(got, want) || !strings.Contains(got, reason) {
			t.Errorf("%s: got %q, want it to say %q", reason, got, want)
		}
	}
}

// A daemon that was killed says so no more: a start that is past is not shown as the
// next one, and status says that nobody answers. Where one answers, it will begin.
func TestStatusTellsOfAStartThatNobodyMakes(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		name     string
		late     time.Duration
		daemon   bool
		disabled bool
		cell     string
		line     string
	}{
		{name: "late", late: 20 * time.Minute, cell: "due since 11:40", line: "! j was due at 2026-03-02 11:40, and no daemon answers."},
		{name: "daemon", late: 20 * time.Minute, daemon: true, cell: "due since 11:40"},
		{name: "moment", late: 30 * time.Second, cell: "11:59"},
		{name: "ahead", late: -20 * time.Minute, cell: "12:20"},
		{name: "disabled", late: 20 * time.Minute, disabled: true, cell: "disabled"},
	} {
		at := now.Add(-x.late)
		j := engine.JobStatus{Name: "j", State: "Active", Enabled: !x.disabled, NextStart: &at}
		if got := nextCell(j, now); got != x.cell {
			t.Errorf("%s: got next start %q, want %q", x.name, got, x.cell)
		}
		if got := overdue(j, now, x.daemon); !strings.HasPrefix(got, x.line) || (x.line == "") != (got == "") {
			t.Errorf("%s: got line %q, want %q", x.name, got, x.line)
		}
	}
}
