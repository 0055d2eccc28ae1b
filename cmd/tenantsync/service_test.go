package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file with a token that others may read or replace is warned of, once; it works
// all the same.
func TestTokenFileOthersMayReadIsWarnedOf(t *testing.T) {
	t.Parallel()
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: false, 0o660: true, 0o644: true, 0o604: true, 0o602: true} {
		path := filepath.Join(t.TempDir(), "helpdesk.secret")
		if err := os.WriteFile(path, []byte("the-token\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		var stderr strings.Builder
		e := newEnvironment(nil, strings.NewReader(""), io.Discard, &stderr, func(string) (string, bool) { return "", false })
		e.options.TokenFile = path
		for range 2 {
			if token, given, err := e.token(); token != "the-token" || !given || err != nil {
				t.Errorf("mode %o: got %q, %v, %v; want the token", mode, token, given, err)
			}
		}
		if got := strings.Count(stderr.String(), "chmod 600 "+path); (got == 1) != warned || got > 1 {
			t.Errorf("mode %o: warned %d times, want a warning: %v\n%s", mode, got, warned, stderr.String())
		}
		if strings.Contains(stderr.String(), "the-token") {
			t.Errorf("mode %o: the warning gives the token away: %s", mode, stderr.String())
		}
	}
}
