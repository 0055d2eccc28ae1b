package token_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"tenantsync/internal/token"
)

// All 32 bytes of a token are random: none of them is always the same.
func TestTokensAreLongAndNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	var first, varies [32]byte
	for range 100 {
		text := token.Draw()
		random, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, "tenantsync_"))
		if err != nil || len(random) != 32 || seen[text] {
			t.Fatalf("got %q (%d bytes, error %v, seen before: %v), want 32 new bytes", text, len(random), err, seen[text])
		}
		seen[text] = true
		for i, b := range random {
			if len(seen) == 1 {
				first[i] = b
			}
			varies[i] |= b ^ first[i]
		}
	}
	for i, bits := range varies {
		if bits == 0 {
			t.Errorf("byte %d of a hundred tokens is %#x in each, want it drawn", i, first[i])
		}
	}
}

func TestMatches(t *testing.T) {
	one, two := token.Draw(), token.Draw()
	digests := []token.Digest{token.Hash(one), token.Hash(two)}
	for name, c := range map[string]struct {
		given string
		want  bool
	}{
		"the first": {one, true}, "the second": {two, true}, "another": {token.Draw(), false}, "none": {"", false},
		"a hash instead of its token": {digests[0].String(), false}, "a part": {one[:20], false}, "more": {one + "x", false},
	} {
		if got := token.Matches(c.given, digests); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if token.Matches(one, nil) {
		t.Error("a token matches no hashes")
	}
}

func TestParse(t *testing.T) {
	a, b := token.Hash("a"), token.Hash("b")
	for name, c := range map[string]struct {
		text string
		want int
		says string
	}{
		"one":             {a.String() + "\n", 1, ""},
		"no line end":     {a.String(), 1, ""},
		"two and remarks": {"# helpdesk\n" + a.String() + "\r\n\n" + strings.ToUpper(b.String()[7:8]) + "\n", 0, "line 4 is not sha256:"},
		"two":             {"# old\n" + a.String() + "\r\n\n# new\n " + b.String() + " \n", 2, ""},
		"empty":           {"", 0, "no hash"},
		"remarks only":    {"# x\n", 0, "no hash"},
		"a token":         {token.Draw(), 0, "never a token"},
		"too short":       {a.String()[:70], 0, "line 1 is not"},
		"no digits":       {"sha256:" + strings.Repeat("z", 64), 0, "something else than"},
		"too many":        {strings.Repeat(a.String()+"\n", token.MaxHashes+1), 0, "more than 16"},
	} {
		got, err := token.Parse([]byte(c.text))
		switch {
		case c.says == "" && (err != nil || len(got) != c.want):
			t.Errorf("%s: got %d hashes, error %v; want %d", name, len(got), err, c.want)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}

// What a file of hashes may be: anything is refused or read, no error repeats
// what stands there, and what was read writes itself back.
func FuzzTokenFile(f *testing.F) {
	for _, text := range []string{"", "# x\n", token.Hash("a").String(), "sha256:", "sha256:00\n", token.Hash("a").String() + "\n" + token.Hash("b").String() + "\r\n",
		"SHA256:" + strings.Repeat("0", 64), "\xff\xfe", "tenantsync_secret-secret-secret-secret-secret-secre"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := token.Parse(text)
		if err != nil {
			for _, word := range strings.Fields(string(text)) {
				if len(word) > 20 && strings.Contains(err.Error(), word) {
					t.Errorf("the error repeats the file's text: %v", err)
				}
			}
			return
		}
		var lines []string
		for _, d := range list {
			lines = append(lines, d.String())
		}
		again, err := token.Parse([]byte(strings.Join(lines, "\n")))
		if err != nil || len(again) != len(list) {
			t.Fatalf("%q reads back as %d hashes, error %v; want %d", lines, len(again), err, len(list))
		}
		for i := range list {
			if list[i] != again[i] {
				t.Errorf("hash %d: got %s back, want %s", i, again[i], list[i])
			}
		}
	})
}
