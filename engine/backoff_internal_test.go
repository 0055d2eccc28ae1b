package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/store"
)

func TestBackOffOfAnObject(t *testing.T) {
	first := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	at := first
	var got []time.Duration
	for n := 1; n <= 8; n++ { // each attempt is made at the moment it is due
		at = nextAttempt(CodeInvalidValue, n, first, at)
		got = append(got, at.Sub(first))
	}
	h := time.Hour
	want := []time.Duration{0, 6 * h, 12 * h, 24 * h, 48 * h, 72 * h, 96 * h, 120 * h}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attempts after the first failure (-want +got):\n%s", diff)
	}
}

func TestBackOffIsNeverInThePast(t *testing.T) {
	first := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	now := first.Add(1000 * time.Hour) // the job was paused
	for n := 1; n <= 6; n++ {
		if got := nextAttempt(CodeInvalidValue, n, first, now); got.Before(now) {
			t.Errorf("attempt %d: got %v, want %v or later", n, got, now)
		}
	}
}

func TestFaultsThatPassAreDueWithEveryCycle(t *testing.T) {
	first := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	now := first.Add(time.Hour)
	for _, code := range []Code{CodeTooManyRequests, CodeServerError, CodeTimeout, CodeReplication} {
		for n := 1; n <= 9; n++ {
			if got := nextAttempt(code, n, first, now); !got.Equal(now) {
				t.Errorf("%s, attempt %d: got %v, want %v", code, n, got, now)
			}
		}
	}
}

// The cases that Entra's documentation works out.
// https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-quarantine-status
func TestQuarantineByFailures(t *testing.T) {
	for _, c := range []struct {
		name                          string
		failed, references, succeeded int
		want                          Code
	}{
		{"4,000 failures, no success", 4_000, 0, 0, ""},
		{"5,000 failures, no success", 5_000, 0, 0, CodeProportion},
		{"5,000 failures are 40 percent", 5_000, 0, 7_500, ""},
		{"5,000 failures are more than 40 percent", 5_000, 0, 7_499, CodeProportion},
		{"45,000 failures", 45_000, 0, 1_000_000, CodeTotal},
		{"40,000 failures", 40_000, 0, 1_000_000, ""},
		{"30,000 failures and 5,000 successes", 30_000, 0, 5_000, CodeProportion},
		{"20,000 failures and 100,000 successes", 20_000, 0, 100_000, ""},
		{"40,000 users and 21,000 managers", 40_000, 21_000, 1_000_000, CodeTotal},
		{"40,000 users and 19,999 managers", 40_000, 19_999, 1_000_000, ""},
		{"60,000 failures of both kinds", 30_000, 30_000, 1_000_000, CodeTotal},
	} {
		if got := tooManyFailures(c.failed, c.references, c.failed+c.succeeded); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestQuarantineSlowsDownStepByStep(t *testing.T) {
	began := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	var q *store.Quarantine
	var got []time.Duration
	now := began
	for range 8 {
		q = quarantined(q, CodeConnection, "no", true, now)
		got = append(got, q.NextAttempt.Sub(now))
		now = q.NextAttempt
	}
	h := time.Hour
	if diff := cmp.Diff([]time.Duration{h, 2 * h, 4 * h, 8 * h, 12 * h, 24 * h, 24 * h, 24 * h}, got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	if !q.Since.Equal(began) || q.Series != 8 {
		t.Errorf("got since %v, series %d, want %v and 8", q.Since, q.Series, began)
	}
}

func TestHeldDeletesKeepTheCadence(t *testing.T) {
	began := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	q := quarantined(nil, CodeTooManyDeletes, "held", false, began)
	if !q.NextAttempt.IsZero() {
		t.Errorf("next attempt: got %v, want none but the schedule's", q.NextAttempt)
	}
	other := quarantined(q, CodeConnection, "no", true, began.Add(time.Hour))
	if !other.Since.Equal(began.Add(time.Hour)) || other.Series != 1 {
		t.Errorf("another reason: got since %v, series %d, want a new one", other.Since, other.Series)
	}
}
