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
