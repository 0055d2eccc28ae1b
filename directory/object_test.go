package directory_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tenantsync/directory"
)

func TestObjectReadings(t *testing.T) {
	var unknown directory.Object
	if unknown.UPN() != "" || unknown.DisplayName() != "" || !unknown.Enabled() || unknown.Addresses() != nil {
		t.Errorf("of nothing known got %q, %q, enabled %t, %q; want empty, enabled and no address",
			unknown.UPN(), unknown.DisplayName(), unknown.Enabled(), unknown.Addresses())
	}
	o := sampleObject()
	if o.UPN() != "adele@contoso.example" || o.DisplayName() != "Adele Vance" || !o.Enabled() {
		t.Errorf("got %q, %q, enabled %t", o.UPN(), o.DisplayName(), o.Enabled())
	}
	o.Attributes.Set("accountEnabled", directory.NullValue())
	if !o.Enabled() {
		t.Error("accountEnabled null: got disabled, want enabled")
	}
	o.Attributes.Set("accountEnabled", directory.BoolOf(false))
	if o.Enabled() {
		t.Error("accountEnabled false: got enabled, want disabled")
	}
}

func TestAddresses(t *testing.T) {
	o := directory.Object{Attributes: directory.AttributesOf(map[string]directory.Value{
		"userPrincipalName": directory.TextOf("Adele@Contoso.example"),
		"mail":              directory.TextOf(" adele.vance@contoso.example "),
		"otherMails":        directory.ListOf("ADELE@contoso.example", "private@mail.example", ""),
		"proxyAddresses": directory.ListOf("SMTP:Adele.Vance@contoso.example", "smtp:av@contoso.example",
			"SIP:sip@contoso.example", "X500:/o=x", "plain@contoso.example", "smtp:"),
	})}
	want := []string{"adele@contoso.example", "adele.vance@contoso.example", "private@mail.example", "av@contoso.example"}
	if got := o.Addresses(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDomain(t *testing.T) {
	for address, want := range map[string]string{
		"a@Contoso.Example": "contoso.example", `"a@b"@c`: "c", "a@": "", "a": "", "": "", "@x": "x",
	} {
		if got := directory.Domain(address); got != want {
			t.Errorf("%q: got %q, want %q", address, got, want)
		}
	}
}

func TestGUID(t *testing.T) {
	for text, want := range map[string]bool{
		guid: true, "00000000-0000-0000-0000-000000000000": true, "ffffffff-ffff-ffff-ffff-ffffffffffff": true,
		strings.ToUpper(guid): false, "{" + guid + "}": false, guid[:35]: false, guid + "0": false, "": false,
		strings.Replace(guid, "-", "_", 1): false, strings.Replace(guid, "f", "g", 1): false,
		strings.Replace(guid, "f", "\u00e9"[:1], 1): false, strings.ReplaceAll(guid, "-", ""): false,
	} {
		g, ok := directory.ParseGUID(text)
		if ok != want || ok && g.String() != text {
			t.Errorf("%q: got %v, %t; want %t", text, g, ok, want)
		}
	}
}

func TestGUIDsAreInTheOrderOfTheirTexts(t *testing.T) {
	text := rapid.StringMatching(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		ga, _ := directory.ParseGUID(a)
		gb, _ := directory.ParseGUID(b)
		if got, want := slices.Compare(ga[:], gb[:]), strings.Compare(a, b); got != want {
			t.Errorf("%s to %s: got %d, want %d", a, b, got, want)
		}
	})
}

func FuzzParseGUID(f *testing.F) {
	f.Add(guid)
	f.Add(strings.ToUpper(guid))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if g, ok := directory.ParseGUID(s); ok && g.String() != s {
			t.Errorf("%q came back as %q", s, g)
		}
	})
}

func TestErrorText(t *testing.T) {
	cause := fmt.Errorf("reset: %w", io.ErrUnexpectedEOF)
	tests := []struct {
		err  directory.Error
		want string
	}{
		{directory.Error{Op: "invite user", Tenant: "fabrikam", Status: 400, Code: "Request_BadRequest", Message: "no"},
			"invite user in fabrikam: 400 Request_BadRequest: no"},
		{directory.Error{Op: "invite user", Status: 500}, "invite user: 500"},
		{directory.Error{Op: "read page", Tenant: "contoso", Err: cause, Message: "ignored"}, "read page in contoso: reset: unexpected EOF"},
		{directory.Error{Op: "read page", Message: "not JSON"}, "read page: not JSON"},
		{directory.Error{Op: "read page", Kind: directory.ForeignLink}, "read page: foreign link"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if err := error(&directory.Error{Err: cause}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is not found in the error")
	}
}

func TestKindOf(t *testing.T) {
	inner := &directory.Error{Op: "a", Kind: directory.Throttled, Err: &directory.Error{Op: "b", Kind: directory.Denied}}
	for _, tt := range []struct {
		err  error
		want directory.ErrorKind
	}{
		{nil, directory.Unknown}, {io.EOF, directory.Unknown}, {inner, directory.Throttled},
		{fmt.Errorf("job: %w", inner), directory.Throttled}, {errors.Join(io.EOF, inner), directory.Throttled},
	} {
		if got := directory.KindOf(tt.err); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestErrorKindsHaveNames(t *testing.T) {
	seen := map[string]directory.ErrorKind{}
	for k := directory.Unknown; k <= directory.Malformed; k++ {
		if other, twice := seen[k.String()]; twice || k.String() == "" {
			t.Errorf("kind %d is called %q, like kind %d", k, k, other)
		}
		seen[k.String()] = k
	}
	if got := directory.ErrorKind(200).String(); got != "unknown" {
		t.Errorf("got %q for no kind, want unknown", got)
	}
}
