package engine

import (
	"testing"
	"time"

	"tenantsync/store"
)

func TestToldAMomentAgo(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		last *store.Cycle
		want bool
	}{
		"no cycle has ended":              {nil, false},
		"a minute before":                 {&store.Cycle{EndedAt: at.Add(-time.Minute)}, true},
		"five minutes before":             {&store.Cycle{EndedAt: at.Add(-5 * time.Minute)}, false},
		"while the reading waited for it": {&store.Cycle{EndedAt: at.Add(time.Second)}, true},
	} {
		if got := toldAMomentAgo(c.last, at); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}
