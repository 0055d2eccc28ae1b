package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func FuzzParseAttributes(f *testing.F) {
	for _, s := range []string{"", `{}`, `{"a":"b","c":true,"d":42,"e":null,"f":["g"]}`, `{"a":{}}`, `{"a":1.5}`, `[`, `{} {}`, `{"a":1e999}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		attributes, err := parseAttributes(text)
		if err != nil && attributes != nil {
			t.Errorf("%q: got attributes %v and error %v", text, attributes, err)
		}
		for i, a := range attributes {
			if i > 0 && attributes[i-1].Name >= a.Name {
				t.Errorf("%q: names are not sorted: %v", text, attributes.Names())
			}
		}
	})
}

func FuzzReadCases(f *testing.F) {
	for _, s := range []string{"", "- {id: a, expression: '[a]', expect: null}", `[{"id":"a","expression":"[a]","attributes":{"a":1},"expect":"1"}]`,
		"- id: a\n  expression: |\n    ToUpper([a])\n  error: true", "a: &x [*x]", "[", "- 1", "- {expect: [1, {}]}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "cases")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		env := newEnvironment(nil, bytes.NewReader(nil), &bytes.Buffer{}, &bytes.Buffer{}, func(string) (string, bool) { return "", false })
		cases, err := readCases(env, path)
		if err != nil {
			return
		}
		for _, c := range cases {
			r := c.run(time.Unix(0, 0))
			if r.Error != nil && r.Value != nil {
				t.Errorf("case %q: got value %v and error %s", c.ID, r.Value, *r.Error)
			}
		}
	})
}

func FuzzParseMoment(f *testing.F) {
	for _, s := range []string{"24h", "7d", "2026-11-22", "2026-11-22T08:20:00Z", "2026-11-22 08:20", "yesterday", ""} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		got, err := parseMoment("since", value, now, time.UTC)
		if err == nil && got.IsZero() && value != "" && !strings.HasPrefix(value, "0001-01-01") {
			t.Errorf("%q: got no time and no error", value)
		}
	})
}
