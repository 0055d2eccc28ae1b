package pseudonym_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"tenantsync/entra/pseudonym"
)

// key is 32 bytes of no meaning.
var key = []byte("0123456789abcdef0123456789ABCDEF")

func newPseudonymizer(t testing.TB, o pseudonym.Options) *pseudonym.Pseudonymizer {
	t.Helper()
	p, err := pseudonym.New(key, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sameShape says what differs in length, case or class between a text and its
// pseudonym.
func sameShape(before, after string) string {
	if len(before) != len(after) || utf8.RuneCountInString(before) != utf8.RuneCountInString(after) {
		return fmt.Sprintf("%d bytes, %d letters became %d bytes, %d letters", len(before), utf8.RuneCountInString(before), len(after), utf8.RuneCountInString(after))
	}
	b, a := []rune(before), []rune(after)
	for i := range b {
		for name, is := range map[string]func(rune) bool{"letter": unicode.IsLetter, "digit": unicode.IsDigit, "capital": unicode.IsUpper, "small letter": unicode.IsLower,
			"ASCII": func(r rune) bool { return r < utf8.RuneSelf }} {
			if is(b[i]) != is(a[i]) {
				return fmt.Sprintf("%q became %q: only one is a %s", b[i], a[i], name)
			}
		}
	}
	return ""
}

// Every word of a shape has one pseudonym of that shape, and no two have the same,
// with words that stay and without.
func TestWordsAreAPermutation(t *testing.T) {
	shapes := map[string][][]rune{
		"a": {span('a', 'z')}, "1": {span('0', '9')}, "ab": {span('a', 'z'), span('a', 'z')}, "12": {span('0', '9'), span('0', '9')},
		"abc": {span('a', 'z'), span('a', 'z'), span('a', 'z')}, "123": {span('0', '9'), span('0', '9'), span('0', '9')},
		"éa": {[]rune("àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"), span('a', 'z')}, "жа": {span('а', 'п'), span('а', 'п')},
	}
	for _, stays := range [][]string{nil, {"a", "ab xy 12 7", "abc"}} {
		p := newPseudonymizer(t, pseudonym.Options{Words: stays})
		for name, shape := range shapes {
			words := []string{""}
			for _, alphabet := range shape {
				var longer []string
				for _, w := range words {
					for _, r := range alphabet {
						longer = append(longer, w+string(r))
					}
				}
				words = longer
			}
			from, same := map[string]string{}, 0
			for _, w := range words {
				got := p.Text(w)
				if wrong := sameShape(w, got); wrong != "" {
					t.Fatalf("%s: %q became %q: %s", name, w, got, wrong)
				}
				if first, taken := from[got]; taken {
					t.Fatalf("%s: %q and %q both became %q", name, first, w, got)
				}
				from[got] = w
				if got == w {
					same++
				}
			}
			if same > len(words)/8+3 {
				t.Errorf("%s: %d of %d words stay themselves", name, same, len(words))
			}
		}
		for _, s := range stays {
			if got := p.Text(strings.ToUpper(s)); got != strings.ToUpper(s) {
				t.Errorf("words that stay: got %q, want %q", got, strings.ToUpper(s))
			}
		}
	}
}

func span(first, last rune) []rune {
	var out []rune
	for r := first; r <= last; r++ {
		out = append(out, r)
	}
	return out
}

// The parts of addresses and names belong together wherever they stand.
func TestTheSameWordHasTheSamePseudonym(t *testing.T) {
	p := newPseudonymizer(t, pseudonym.Options{})
	anna, berg, two := p.Text("anna"), p.Text("berg"), p.Text("2")
	title := func(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
	for text, want := range map[string]string{
		"Anna":                        title(anna),
		"ANNA BERG":                   strings.ToUpper(anna + " " + berg),
		"Berg, Anna":                  title(berg) + ", " + title(anna),
		"anna.berg@contoso.com":       anna + "." + berg + "@contoso.com",
		"Anna.Berg2@mail.Contoso.com": title(anna) + "." + title(berg) + two + "@mail.Contoso.com",
		"anna.berg_contoso.com#EXT#@fabrikam.onmicrosoft.com": anna + "." + berg + "_contoso.com#EXT#@fabrikam.onmicrosoft.com",
		"anna_berg_contoso.com#ext#":                          anna + "_" + berg + "_contoso.com#ext#",
		"0123456789abcdef0123456789abcdefanna@contoso.com":    "0123456789abcdef0123456789abcdef" + anna + "@contoso.com",
		"ask anna@contoso.com, or berg@b.example.":            p.Text("ask") + " " + anna + "@contoso.com, " + p.Text("or") + " " + berg + "@b.example.",
		"anna@berg":                            anna + "@" + berg,
		"@anna.berg":                           "@" + anna + "." + berg,
		"anna@berg.2":                          anna + "@" + berg + "." + two,
		"11111111-aaaa-4000-8000-0000000000ff": "11111111-aaaa-4000-8000-0000000000ff",
		"":                                     "", "#EXT#": "#EXT#", "---": "---",
	} {
		if got := p.Text(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if anna == "anna" || berg == "berg" {
		t.Errorf("got %q and %q for anna and berg, want others", anna, berg)
	}
}

func TestKeys(t *testing.T) {
	if _, err := pseudonym.New([]byte("short"), pseudonym.Options{}); err == nil {
		t.Error("a key of five bytes: got no error, want one")
	}
	other, err := pseudonym.New(bytes.Repeat([]byte{7}, 32), pseudonym.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := newPseudonymizer(t, pseudonym.Options{}).Text("Anna Berg-Lund"), other.Text("Anna Berg-Lund"); a == b {
		t.Errorf("two keys: both gave %q", a)
	}
	if a, b := newPseudonymizer(t, pseudonym.Options{}).Text("Anna"), newPseudonymizer(t, pseudonym.Options{}).Text("Anna"); a != b {
		t.Errorf("one key twice: got %q and %q", a, b)
	}
}

func TestChoose(t *testing.T) {
	raw := []byte(person)
	a, err := pseudonym.Choose(strings.NewReader(strings.Repeat("0123456789abcdef", 200)), raw, pseudonym.Options{})
	if err != nil || len(a) != pseudonym.KeySize {
		t.Errorf("got a key of %d bytes and %v, want %d", len(a), err, pseudonym.KeySize)
	}
	if _, err := pseudonym.Choose(strings.NewReader("few"), raw, pseudonym.Options{}); err == nil {
		t.Error("three random bytes: got no error, want one")
	}
	if _, err := pseudonym.Choose(strings.NewReader(""), []byte("x"), pseudonym.Options{}); err == nil {
		t.Error("no tenant file: got no error, want one")
	}
}

const person = `{"organization":{"id":"o","displayName":"Contoso","verifiedDomains":[{"name":"contoso.com"}]},
"users":[{"id":"11111111-0000-4000-8000-0000000000a1","userPrincipalName":"anna.berg@contoso.com","displayName":"Anna Berg <&>","givenName":"Anna","surname":"Berg","mail":"Anna.Berg@contoso.com",
 "mailNickname":"anna.berg","otherMails":["anna@home.example"],"proxyAddresses":["SMTP:Anna.Berg@contoso.com","smtp:berg@contoso.com","X500:/o=anna/cn=berg","Berg:anna"],"accountEnabled":true,
 "department":"Anna's department","jobTitle":"Clerk","city":"Berg","employeeId":"10482","businessPhones":["+49 30 1234"],"streetAddress":"Berg street 7","employeeOrgData":{"costCenter":"Anna","division":"Berg"},
 "onPremisesExtensionAttributes":{"extensionAttribute1":"Anna","extensionAttribute2":"Berg"},"extension_0123456789abcdef0123456789abcdef_number":10482,"newProperty":{"deep":["Anna",true,null]},
 "identities":[{"signInType":"emailAddress","issuer":"contoso.com","issuerAssignedId":"anna.berg@contoso.com"}],"manager":{"id":"11111111-0000-4000-8000-0000000000a2"},"userType":null}],
"groups":[{"id":"g","displayName":"Friends of Anna","mail":"anna.berg@contoso.com","groupTypes":["Unified"],"visibility":"Private","members":["Anna"]}],
"contacts":[{"id":"c","displayName":"Anna","mail":"anna.berg@contoso.com"}],
"servicePrincipals":[{"id":"s","displayName":"Sync","appRoles":[{"value":"Anna"}],"appRoleAssignedTo":[{"principalId":"Anna","principalDisplayName":"Anna Berg"}]}],
"directoryRoles":[{"id":"r","displayName":"User Administrator","members":["Anna"]}],
"policies":{"authorizationPolicy":{"allowInvitesFrom":"everyone"}},
"somethingNew":[{"id":"n","text":"Anna"}]}`

func TestFile(t *testing.T) {
	p := newPseudonymizer(t, pseudonym.Options{Keep: []string{"ExtensionAttribute2"}})
	out, err := p.File([]byte(person))
	if err != nil {
		t.Fatal(err)
	}
	replace := func(words ...string) *strings.Replacer {
		var pairs []string
		for _, w := range words {
			pairs = append(pairs, w, p.Text(w))
		}
		return strings.NewReplacer(pairs...)
	}
	var want any
	if err := json.Unmarshal([]byte(person), &want); err != nil {
		t.Fatal(err)
	}
	file := want.(map[string]any)
	user := file["users"].([]any)[0].(map[string]any)
	names := replace("anna.berg", "Anna.Berg", "Anna", "Berg", "anna", "berg", "10482", "49", "30", "1234", "street", "7", "home", "Friends", "of", "o", "cn")
	for _, name := range []string{"userPrincipalName", "displayName", "givenName", "surname", "mail", "mailNickname", "employeeId", "streetAddress"} {
		user[name] = names.Replace(user[name].(string))
	}
	user["userPrincipalName"], user["mail"] = names.Replace("anna.berg")+"@contoso.com", names.Replace("Anna.Berg")+"@contoso.com"
	user["otherMails"] = []any{names.Replace("anna") + "@home.example"}
	user["proxyAddresses"] = []any{"SMTP:" + names.Replace("Anna.Berg") + "@contoso.com", "smtp:" + names.Replace("berg") + "@contoso.com", "X500:" + names.Replace("/o=anna/cn=berg"), names.Replace("Berg:anna")}
	user["businessPhones"] = []any{names.Replace("+49 30 1234")}
	user["onPremisesExtensionAttributes"].(map[string]any)["extensionAttribute1"] = names.Replace("Anna")
	user["newProperty"] = map[string]any{"deep": []any{names.Replace("Anna"), true, nil}}
	user["identities"].([]any)[0].(map[string]any)["issuerAssignedId"] = names.Replace("anna.berg") + "@contoso.com"
	var got any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	gotUser := got.(map[string]any)["users"].([]any)[0].(map[string]any)
	number := "extension_0123456789abcdef0123456789abcdef_number"
	if n := gotUser[number].(float64); n == 10482 || n < 10000 || n > 99999 {
		t.Errorf("a number of five digits: got %v, want another one", n)
	}
	delete(user, number)
	delete(gotUser, number)
	group := file["groups"].([]any)[0].(map[string]any)
	group["displayName"], group["mail"] = names.Replace("Friends of Anna"), user["userPrincipalName"]
	contact := file["contacts"].([]any)[0].(map[string]any)
	contact["displayName"], contact["mail"] = names.Replace("Anna"), user["userPrincipalName"]
	assigned := file["servicePrincipals"].([]any)[0].(map[string]any)["appRoleAssignedTo"].([]any)[0].(map[string]any)
	assigned["principalDisplayName"] = names.Replace("Anna Berg")
	file["somethingNew"].([]any)[0].(map[string]any)["text"] = names.Replace("Anna")
	w, _ := json.MarshalIndent(want, "", " ") // of decoded JSON
	g, _ := json.MarshalIndent(got, "", " ")
	if !bytes.Equal(w, g) {
		a, b := strings.Split(string(w), "\n"), strings.Split(string(g), "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Errorf("line %d: got %s, want %s", i+1, b[i], a[i])
			}
		}
		t.Errorf("got %d lines, want %d", len(b), len(a))
	}
	if len(out) != len(compacted(t, person)) {
		t.Errorf("got a file of %d bytes, want %d as before", len(out), len(compacted(t, person)))
	}
}

func compacted(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(s)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFileIsRefused(t *testing.T) {
	p := newPseudonymizer(t, pseudonym.Options{})
	for _, text := range []string{"", "[]", "null", `{"users":[`, `{"users":[]} x`, `{"users":}`, "nonsense", `{"a":1}{}`} {
		if out, err := p.File([]byte(text)); err == nil {
			t.Errorf("%q: got %s, want an error", text, out)
		}
	}
}

func TestNumbers(t *testing.T) {
	p := newPseudonymizer(t, pseudonym.Options{})
	seen := map[string]string{}
	for n := range 1000 {
		in := fmt.Sprintf(`{"users":[{"n":%d,"m":-%d.5}]}`, n, n)
		out, err := p.File([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(out, &v); err != nil || len(out) != len(in) {
			t.Fatalf("%s became %s (%v), want a number of the same length", in, out, err)
		}
		if first, taken := seen[string(out)]; taken {
			t.Fatalf("%s and %s both became %s", first, in, out)
		}
		seen[string(out)] = in
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"Anna Berg", "anna.berg_contoso.com#EXT#@fabrikam.com", "a@b.cc <c@d.ee>", "Straße ½ ǅ İstanbul K", "李伟", "Ωμέγα \xff", "0123456789abcdef0123456789abcdefx@y.zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := newPseudonymizer(t, pseudonym.Options{Words: []string{"anna 12"}})
		got := p.Text(s)
		if !utf8.ValidString(s) {
			return // it is repaired, and so longer
		}
		if len(got) != len(s) {
			t.Errorf("%q became %q: %d bytes, want %d", s, got, len(got), len(s))
		}
		if lower := p.Text(strings.ToLower(s)); isPlain(s) && lower != strings.ToLower(got) {
			t.Errorf("%q became %q and %q in small letters %q: the case decides", s, got, strings.ToLower(s), lower)
		}
	})
}

// isPlain reports text in which case has no traps.
func isPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(person))
	f.Add([]byte(`{"users":[{"a":1e5,"b":-0.25,"c":"\ud800"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p := newPseudonymizer(t, pseudonym.Options{})
		out, err := p.File(raw)
		if err != nil {
			return
		}
		if !json.Valid(out) {
			t.Errorf("%q became %q, which is no JSON", raw, out)
		}
		again, err := newPseudonymizer(t, pseudonym.Options{}).File(raw)
		if err != nil || !bytes.Equal(out, again) {
			t.Errorf("%q became %q, and the second time %q (%v)", raw, out, again, err)
		}
	})
}

// A number stays within the bits it fitted into: a directory extension of type
// Integer takes no larger one.
func TestNumbersKeepTheirRange(t *testing.T) {
	p := newPseudonymizer(t, pseudonym.Options{})
	for _, in := range []string{"2147483647", "-2147483648", "1000000000", "2147483648", "9999999999", "9223372036854775807", "-9223372036854775808", "1000000000000000000", "0", "7"} {
		out, err := p.File([]byte(`{"users":[{"n":` + in + `}]}`))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.TrimSuffix(strings.TrimPrefix(string(out), `{"users":[{"n":`), `}]}`)
		for _, bits := range []int{32, 64} {
			_, before := strconv.ParseInt(in, 10, bits)
			_, after := strconv.ParseInt(got, 10, bits)
			if (before == nil) != (after == nil) {
				t.Errorf("%s became %s: one of them has no %d bits", in, got, bits)
			}
		}
	}
}

// An instant stays an instant of its year, and no two days of a year become one.
func TestDaysOfAYear(t *testing.T) {
	p := newPseudonymizer(t, pseudonym.Options{})
	for _, year := range []int{2023, 2024} {
		seen := map[string]bool{}
		for day := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() == year; day = day.AddDate(0, 0, 1) {
			got := p.Text(day.Format(time.RFC3339))
			moved, err := time.Parse(time.RFC3339, got)
			if err != nil || moved.Year() != year || seen[got] {
				t.Fatalf("%s became %s (%v), want another day of the year, each once", day.Format(time.RFC3339), got, err)
			}
			seen[got] = true
		}
	}
	if got := p.Text("2024-02-29T08:30:00.1234567Z"); !strings.HasSuffix(got, "T08:30:00.1234567Z") || got == "2024-02-29T08:30:00.1234567Z" {
		t.Errorf("got %s, want another day at the same time", got)
	}
}
