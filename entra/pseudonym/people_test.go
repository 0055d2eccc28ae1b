package pseudonym_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"tenantsync/entra/pseudonym"
	"tenantsync/internal/sharedtest"
)

// tenants returns tenant files of many people: those of the repository, and the
// first and the last of a real directory where it is there.
func tenants(t *testing.T) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../../testdata/e2e/*.json")
	if err != nil {
		t.Fatal(err)
	}
	names = append(names, "../../docs/testdata/contoso.json")
	if found := sharedtest.Files(t, "data/congress/*.json"); len(found) > 0 {
		names = append(names, found[0], found[len(found)-1])
	}
	out := map[string][]byte{}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = raw
	}
	if len(out) < 4 {
		t.Fatalf("found %d tenant files, want those of the repository", len(out))
	}
	return out
}

// visit calls f for every text in a file with the name of its property.
func visit(v any, name string, f func(name, text string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			visit(member, key, f)
		}
	case []any:
		for _, element := range v {
			visit(element, name, f)
		}
	case string:
		f(name, v)
	}
}

func decoded(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// words cuts a text into words in small letters.
func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) })
}

// local is what stands before the @ of an address, without its kind.
func local(name, s string) string {
	if _, rest, ok := strings.Cut(s, ":"); ok && name == "proxyAddresses" {
		s = rest
	}
	if at := strings.LastIndexByte(s, '@'); at > 0 {
		return s[:at]
	}
	return s
}

var names = []string{"givenName", "surname", "displayName", "mailNickname", "mail", "userPrincipalName", "otherMails", "proxyAddresses"}

func isName(name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// No name of anybody is in a pseudonymized file: not as a word, and not inside one
// of the texts that are no longer what they were.
func TestNoNameIsLeft(t *testing.T) {
	for file, raw := range tenants(t) {
		chosen, err := pseudonym.Choose(rand.NewChaCha8([32]byte{1}), raw, pseudonym.Options{})
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		p, err := pseudonym.New(chosen, pseudonym.Options{})
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.File(raw)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		before, after := decoded(t, raw), decoded(t, out)
		real, kept := map[string]bool{}, map[string]bool{}
		visit(map[string]any{"users": before["users"], "deletedUsers": before["deletedUsers"]}, "", func(name, text string) {
			if p.Stays(name) {
				for _, w := range words(text) {
					kept[w] = true
				}
			} else if isName(name) {
				for _, w := range words(local(name, text)) {
					real[w] = utf8.RuneCountInString(w) >= 3
				}
			}
		})
		people := 0
		visit(after["users"], "", func(name, text string) {
			if p.Stays(name) {
				return
			}
			people++
			for _, w := range words(local(name, text)) {
				if real[w] && !kept[w] {
					t.Errorf("%s: %s %q has the name %q", file, name, text, w)
				}
			}
		})
		if people < 20 {
			t.Errorf("%s: looked at %d texts, want many", file, people)
		}
	}
}

// Values that were equal are equal, values that differed differ, whatever the case:
// in one file, and across the files of two tenants.
func TestCollisionsAreKept(t *testing.T) {
	p := newPseudonymizer(t, pseudonym.Options{})
	to, from := map[string]string{}, map[string]string{}
	for file, raw := range tenants(t) {
		fresh := newPseudonymizer(t, pseudonym.Options{}) // another run
		out, err := fresh.File(raw)
		if err != nil {
			t.Fatal(err)
		}
		var was, is []string
		texts := func(into *[]string) func(string, string) {
			return func(name, text string) {
				if isName(name) {
					*into = append(*into, strings.ToLower(text))
				}
			}
		}
		inOrder(t, raw, texts(&was))
		inOrder(t, out, texts(&is))
		if len(was) != len(is) {
			t.Fatalf("%s: %d texts became %d", file, len(was), len(is))
		}
		for i := range was {
			if known, ok := to[was[i]]; ok && known != is[i] {
				t.Errorf("%s: %q became %q and %q", file, was[i], known, is[i])
			}
			if known, ok := from[is[i]]; ok && known != was[i] {
				t.Errorf("%s: %q and %q both became %q", file, known, was[i], is[i])
			}
			to[was[i]], from[is[i]] = is[i], was[i]
			if wrong := sameShape(was[i], is[i]); wrong != "" {
				t.Errorf("%s: %q became %q: %s", file, was[i], is[i], wrong)
			}
		}
	}
	if got := p.Text("x"); got == "" {
		t.Error("no pseudonym")
	}
}

// inOrder visits the texts of a file as they stand in it.
func inOrder(t *testing.T, raw []byte, f func(name, text string)) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(raw)))
	type level struct {
		object, value bool
		name          string
	}
	stack := []level{{}}
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		top := &stack[len(stack)-1]
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				name := top.name
				top.value = false
				stack = append(stack, level{object: v == '{', name: name})
			} else {
				stack = stack[:len(stack)-1]
			}
		case string:
			if top.object && !top.value {
				top.name, top.value = v, true
				continue
			}
			top.value = false
			f(top.name, v)
		default:
			top.value = false
		}
	}
}
