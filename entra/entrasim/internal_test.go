package entrasim

import (
	"encoding/json"
	"strings"
	"testing"
)

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{
		"mail eq 'a@b.example'", "mail in ('a','b')", "not (a eq 'b')", "otherMails/any(x:x eq 'a') or startswith(displayName,'b')",
		"identities/any(i:i/issuer eq 'x' and i/issuerAssignedId eq 'y')", "createdDateTime ge 2024-01-01T10:00:00Z", "((", "'", "a eq", "/any(", "id eq 'a''b'",
	} {
		f.Add(s)
	}
	o := &object{kind: kindUser, id: "x"}
	o.put("mail", `"a@b.example"`, 1)
	o.put("otherMails", `["a"]`, 1)
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseFilter(userProperties, text)
		if err != nil {
			return
		}
		direct := parsed.root.matches(o)
		negated, err := parseFilter(userProperties, "not ("+text+")")
		if err == nil && negated.root.matches(o) == direct {
			t.Fatalf("%q and its negation both give %v", text, direct)
		}
	})
}

func FuzzParseObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1,"b":[{"c":"}"}],"d":"\"\\"}`, `{"a":{"b":[1,2,[]]}}`, `{"é":"\u00e9"}`, `{"a":null}`, `{"":-1.5e3}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := compact([]byte(text))
		if err != nil || !strings.HasPrefix(s, "{") {
			return
		}
		o, err := parseObject(s)
		var want map[string]json.RawMessage
		if e := json.Unmarshal([]byte(s), &want); e != nil {
			return // deeper than encoding/json goes
		}
		if err != nil { // a repeated name
			return
		}
		if len(o.fields) != len(want) {
			t.Fatalf("%s: got %d members, want %d", s, len(o.fields), len(want))
		}
		for _, m := range o.fields {
			if string(want[m.Name]) != m.Raw {
				t.Fatalf("%s: member %q: got %s, want %s", s, m.Name, m.Raw, want[m.Name])
			}
		}
	})
}

func FuzzDeltaToken(f *testing.F) {
	c := New(Options{})
	f.Add(c.seal(deltaToken{Set: "users", Base: 7}))
	f.Add("")
	f.Add("e30")
	f.Fuzz(func(t *testing.T, text string) {
		var tok deltaToken
		if c.open(text, &tok) == nil && c.seal(tok) == "" {
			t.Fatal("an open token cannot be sealed")
		}
	})
}

func TestQuoting(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", `a"b\c`, "tab\tnl\nnul\x00", "é ☃ 𝄞", "\u2028", "bad \xff utf", "<&>"} {
		raw := quote(s)
		var want string
		if err := json.Unmarshal([]byte(raw), &want); err != nil {
			t.Errorf("quote(%q) = %s: %v", s, raw, err)
		}
		if got, isText := unquote(raw); !isText || got != want || want != strings.ToValidUTF8(s, "\ufffd") {
			t.Errorf("unquote(quote(%q)): got %q, want %q", s, got, want)
		}
	}
}

func TestSameJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want bool
	}{
		{"", "null", true}, {"null", "[]", true}, {`{"a":null}`, "", true}, {`{"a":null,"b":1}`, `{"b":1}`, true}, {`"\u00e9"`, `"é"`, true},
		{`"a"`, `"A"`, false}, {`"a"`, "null", false}, {`""`, "null", false}, {"false", "null", false}, {`["a"]`, `["a","b"]`, false},
	}
	for _, tt := range tests {
		if got := sameJSON(tt.a, tt.b); got != tt.want {
			t.Errorf("sameJSON(%s, %s): got %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestChangeLogSweepKeepsWhatRoundsNeed(t *testing.T) {
	t.Parallel()
	cloud := New(Options{})
	tenant, err := cloud.AddTenant("one", File{})
	if err != nil {
		t.Fatal(err)
	}
	id, err := tenant.CreateUser(map[string]any{"userPrincipalName": "a@one.onmicrosoft.com"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := tenant.CreateUser(map[string]any{"userPrincipalName": "b@one.onmicrosoft.com"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if err := tenant.Update(id, map[string]any{"city": strings.Repeat("x", i%7+1)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(tenant.log.entries); n > 2000 {
		t.Errorf("log: got %d entries for two objects", n)
	}
	seen := map[string]bool{}
	for _, e := range tenant.log.after(0) {
		if e.seq == e.o.seq {
			seen[e.o.id] = true
		}
	}
	if !seen[id] || !seen[other] {
		t.Errorf("latest entries: got %v, want both objects", seen)
	}
}
