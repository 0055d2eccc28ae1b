package main

import "testing"

// What has expired, or does today, cannot be renewed before that day.
func TestRenewalFitsTheWarning(t *testing.T) {
	t.Parallel()
	for warning, want := range map[string]string{
		"the secret for source expires on 2026-11-29, in 7 days": "Renew it before that day",
		"the secret for source expires on 2026-11-23, in 1 day":  "Renew it before that day",
		"the secret for source expires on 2026-11-22, in 1 hour": "Renew it now",
		"the secret for source expired on 2026-11-20":            "Renew it now",
	} {
		if got := renewal(warning); got != want {
			t.Errorf("%q: got %q, want %q", warning, got, want)
		}
	}
}
