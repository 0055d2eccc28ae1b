package config_test

import (
	"testing"

	"tenantsync/internal/config"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]config.Size{"0": 0, "1KiB": 1 << 10, "64MiB": 64 << 20, "2GiB": 2 << 30} {
		got, err := config.ParseSize(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: got %d (%s), error %v; want %d", text, got, got, err, want)
		}
	}
	for _, text := range []string{"", "64", "MiB", "-1MiB", "+1MiB", "1.5GiB", "64MB", "1mib", "64 MiB", "99999999999GiB"} {
		if got, err := config.ParseSize(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}
