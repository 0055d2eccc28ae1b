package config_test

import (
	"strings"
	"testing"
	"time"

	"tenantsync/internal/config"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "90s": 90 * time.Second, "40m": 40 * time.Minute, "30d": 30 * day,
		"1d12h": 36 * time.Hour, "2w": 14 * day, "1h30m5s": 90*time.Minute + 5*time.Second, "250ms": 250 * time.Millisecond,
	} {
		got, err := config.ParseDuration(text)
		if err != nil || got.Std() != want {
			t.Errorf("%q: got %v, %v; want %v", text, got.Std(), err, want)
		}
		if again, err := config.ParseDuration(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q, which reads as %v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "1", "00", "d", "-1d", "1.5h", "30 d", "1h1d", "1m1m", "1y", "30d ", "99999999999999999999d", "200000d", "1D"} {
		if got, err := config.ParseDuration(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestCheckSchedule(t *testing.T) {
	for _, text := range []string{
		"@every 40m", "@every 1s", "@every 1h30m", "@hourly", "@daily",
		"* * * * *", "0 */2 * * *", "*/15 8-18 * * mon-fri", "0 0 1,15 * *", "5/10 * ? JAN,Dec SUN", "0 0 29 2 *", "0 0 31 */3 *", "0 0 30 2 fri", "0 0 31 6 */2",
		"  0   3 * * 6 ",
	} {
		if err := config.CheckSchedule(text); err != nil {
			t.Errorf("%q: got %v, want no error", text, err)
		}
	}
	for _, text := range []string{
		"", "@every", "@every 0s", "@every -1m", "@every 100ms", "@every 1d", "@reboot", "40m",
		"* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 * ", "* * * * 7", "5-1 * * * *", "*/0 * * * *",
		"1,,2 * * * *", "a * * * *", "1-2-3 * * * *", "*/5/5 * * * *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "TZ=UTC 0 0 * * *", "-1 * * * *", "* * * janu *", "* * * anf *",
	} {
		if err := config.CheckSchedule(text); err == nil {
			t.Errorf("%q: got no error, want one", text)
		}
	}
}

func TestPlaceInsideAnExpression(t *testing.T) {
	const head = "version: 1\ntenants:\n  a: {tenantId: 11111111-1111-1111-1111-111111111111, credential: {kind: managedIdentity}}\n" +
		"  b: {tenantId: 33333333-3333-3333-3333-333333333333, credential: {kind: managedIdentity}}\n" +
		"jobs:\n- name: j\n  source: a\n  target: b\n  scope: {mode: all}\n  mappings:\n  - target: displayName\n    expression: "
	for name, c := range map[string]struct {
		text         string
		line, column int
	}{
		"plain":                   {`Append([city], [nope])`, 12, 32},
		"plain over lines":        {"Append([city],\n      [nope])", 13, 7},
		"single quotes":           {`'Append([city], [nope])'`, 12, 33},
		"doubled quotes before":   {`'Append("it''s", [nope])'`, 12, 34},
		"double quotes":           {`"Append([city], [nope])"`, 12, 33},
		"escapes before":          {`"Append(\"\u00e9\\d\", [nope])"`, 12, 40},
		"wide characters before":  {`'Append("äöü😀", [nope])'`, 12, 33},
		"double quotes, folded":   {"\"Append([city],\n      [nope])\"", 13, 7},
		"single quotes, folded":   {"'Append([city],\n\n      [nope])'", 14, 7},
		"escaped line break":      {"\"Append([city], \\\n      [nope])\"", 13, 7},
		"literal block":           {"|\n      Append([city],\n        [nope])", 14, 9},
		"folded block":            {">-\n      Append([city],\n      [nope])", 14, 7},
		"folded block, paragraph": {">\n      Append([city],\n\n\n      [nope])", 16, 7},
	} {
		_, err := parse(t, head+c.text+"\n", nil, nil)
		invalid, ok := err.(*config.Invalid)
		if !ok || len(invalid.Problems) != 1 {
			t.Errorf("%s: got %v, want one problem", name, err)
			continue
		}
		if p := invalid.Problems[0]; p.Line != c.line || p.Column != c.column {
			t.Errorf("%s: got %d:%d, want %d:%d\n%s", name, p.Line, p.Column, c.line, c.column, p.Text())
		}
	}
}

// A filter compares a sensitive attribute with what somebody has.
func TestMaskedHidesWhatFiltersCompareSensitiveAttributesWith(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte(`version: 1
tenants:
  a: {tenantId: 11111111-1111-1111-1111-111111111111, credential: {kind: managedIdentity}}
  b: {tenantId: 33333333-3333-3333-3333-333333333333, credential: {kind: managedIdentity}}
jobs:
  - name: a-to-b
    source: a
    target: b
    scope: {mode: all, filters: [{title: T, clauses: [{attribute: employeeId, operator: EQUALS, value: hunter2}, {attribute: employeeId, operator: NOT EQUALS, values: [hunter2, hunter22]}, {attribute: city, operator: EQUALS, value: Oslo}]}]}
    mappings: [{target: companyName, source: employeeId, sensitive: true}]
`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Masked()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "hunter2") || strings.Count(string(out), "(sensitive)") != 3 || !strings.Contains(string(out), "Oslo") {
		t.Errorf("got\n%s\nwant the three values of employeeId hidden, and Oslo shown", out)
	}
	if got := string(*c.Jobs[0].Scope.Filters[0].Clauses[0].Value); got != "hunter2" {
		t.Errorf("the configuration itself: got %s, want it unchanged", got)
	}
}

// The moving window follows the threshold of one cycle where it is not written.
func TestWindowFollowsTheThreshold(t *testing.T) {
	for deletions, want := range map[string][2]float64{
		"{}":                              {5000, 25},
		"{threshold: 100}":                {5000, 25},
		"{threshold: 20000, percent: 60}": {200000, 100},
		"{percent: 0}":                    {5000, 0},
		"{percent: 0, windowPercent: 5}":  {5000, 5},
		"{threshold: 9000, windowThreshold: 7, percent: 20}": {7, 50},
		"{windowThreshold: 0, windowPercent: 0}":             {0, 0},
	} {
		text := strings.Replace(minimal, "scope: {mode: all}}", "scope: {mode: all}, deletions: "+deletions+"}", 1)
		c := mustParse(t, text, nil, nil)
		d := c.Jobs[0].Deletions
		if got := [2]float64{float64(d.WindowThreshold), d.WindowPercent}; got != want {
			t.Errorf("%s: got %v, want %v", deletions, got, want)
		}
	}
}
