package config_test

import (
	"strings"
	"testing"
	"time"

	"tenantsync/internal/config"
)

func TestMoments(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2027-03-01":                time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC),
		"2027-03-01T09:30:00Z":      time.Date(2027, 3, 1, 9, 30, 0, 0, time.UTC),
		"2027-03-01T00:30:00+02:00": time.Date(2027, 2, 28, 22, 30, 0, 0, time.UTC),
	} {
		m, err := config.ParseMoment(text)
		got, written := m.Time()
		if err != nil || !written || got != want {
			t.Errorf("%s: got %v, written %v, error %v; want %v", text, got, written, err, want)
		}
		if again, err := config.ParseMoment(m.String()); err != nil || again != m {
			t.Errorf("%s: written as %q it reads %v, error %v; want the same moment", text, m, again, err)
		}
	}
	for _, text := range []string{"", "2027", "2027-3-1", "01.03.2027", "2027-02-29", "2027-03-01 09:30", "2027-03-01T09:30", "0001-01-01", "soon"} {
		if got, err := config.ParseMoment(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

// What the file says of a secret's end is read and shown, and may come from the
// environment; a file that says nothing shows nothing.
func TestEndOfASecret(t *testing.T) {
	const old = "credential: {kind: managedIdentity}"
	for _, written := range []string{"2027-03-01", `"2027-03-01"`, `"${END}"`} {
		secret := `credential: {kind: secret, clientId: 22222222-2222-2222-2222-222222222222, secret: "${SECRET}", expires: ` + written + "}"
		c := mustParse(t, strings.Replace(minimal, old, secret, 1), nil, map[string]string{"SECRET": "s", "END": "2027-03-01"})
		want := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
		if got, given := c.Tenants["contoso"].Credential.Expires.Time(); !given || got != want {
			t.Errorf("expires: %s: got %v, given %v; want %v", written, got, given, want)
		}
		if got, given := c.Tenants["fabrikam"].Credential.Expires.Time(); given {
			t.Errorf("the other credential: got %v, want nothing", got)
		}
		text, err := c.Masked()
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "expires:"); n != 1 || !strings.Contains(string(text), "expires: \"2027-03-01\"\n") {
			t.Errorf("expires: %s: shown %d times, want once and as the day:\n%s", written, n, text)
		}
	}
}
