package directory_test

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"tenantsync/directory"
)

const guid = "0f5c1a52-8a3e-4b7d-9c60-1d2e3f405162"

func sampleObject() directory.Object {
	return directory.Object{
		ID: guid,
		Attributes: directory.AttributesOf(map[string]directory.Value{
			"accountEnabled":      directory.BoolOf(true),
			"businessPhones":      directory.ListOf("+1 425 555 0100"),
			"city":                directory.TextOf("Redmond"),
			"companyName":         directory.NullValue(),
			"country":             directory.TextOf("US"),
			"department":          directory.TextOf("Research and Development"),
			"displayName":         directory.TextOf("Adele Vance"),
			"employeeId":          directory.TextOf("100423"),
			"extensionAttribute1": directory.TextOf("blue"),
			"givenName":           directory.TextOf("Adele"),
			"jobTitle":            directory.TextOf("Retail Manager"),
			"mail":                directory.TextOf("adele@contoso.example"),
			"manager":             directory.RefOf("1f5c1a52-8a3e-4b7d-9c60-1d2e3f405162"),
			"officeLocation":      directory.TextOf("18/2111"),
			"postalCode":          directory.TextOf("98052"),
			"preferredLanguage":   directory.TextOf("en-US"),
			"proxyAddresses":      directory.ListOf("SMTP:adele@contoso.example", "smtp:a.vance@contoso.example"),
			"surname":             directory.TextOf("Vance"),
			"userPrincipalName":   directory.TextOf("adele@contoso.example"),
			"userType":            directory.TextOf("Member"),
		}),
		Identities: []directory.Identity{{"userPrincipalName", "contoso.example", "adele@contoso.example"}},
	}
}

// text draws texts that the encoding treats differently: GUIDs in canonical and
// other spellings, the empty text, arbitrary bytes.
func text() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
		rapid.StringMatching(`[0-9A-Fa-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-g]{12}`),
		rapid.String(),
		rapid.Just(""),
	)
}

func value() *rapid.Generator[directory.Value] {
	return rapid.Custom(func(t *rapid.T) directory.Value {
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			return directory.Value{}
		case 1:
			return directory.NullValue()
		case 2:
			return directory.BoolOf(rapid.Bool().Draw(t, "bool"))
		case 3:
			return directory.IntOf(rapid.Int64().Draw(t, "int"))
		case 4:
			return directory.RefOf(text().Draw(t, "ref"))
		case 5:
			// Without members a list holds no slice at all, however it was made.
			if members := rapid.SliceOfN(text(), 0, 5).Draw(t, "list"); len(members) > 0 {
				return directory.ListOf(members...)
			}
			return directory.ListOf()
		}
		return directory.TextOf(text().Draw(t, "text"))
	})
}

func attributes() *rapid.Generator[directory.Attributes] {
	names := rapid.OneOf(
		rapid.SampledFrom([]string{"displayName", "mail", "proxyAddresses", "userType", "zipNotWellKnown"}), text())
	return rapid.Custom(func(t *rapid.T) directory.Attributes {
		m := rapid.MapOfN(names, value(), 0, 12).Draw(t, "attributes")
		if len(m) == 0 {
			return nil
		}
		return directory.AttributesOf(m)
	})
}

func object() *rapid.Generator[directory.Object] {
	return rapid.Custom(func(t *rapid.T) directory.Object {
		o := directory.Object{
			ID:         text().Draw(t, "id"),
			Removed:    rapid.SampledFrom([]directory.Removal{"", "changed", "deleted", "other"}).Draw(t, "removed"),
			Attributes: attributes().Draw(t, "set"),
		}
		if rapid.Bool().Draw(t, "identities read") {
			o.Identities = make([]directory.Identity, rapid.IntRange(0, 3).Draw(t, "identities"))
			for i := range o.Identities {
				o.Identities[i] = directory.Identity{
					text().Draw(t, "type"), text().Draw(t, "issuer"), text().Draw(t, "assigned")}
			}
		}
		return o
	})
}

func TestAttributesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := attributes().Draw(t, "attributes")
		tail := []byte("what follows")
		b := append(directory.AppendAttributes([]byte("before"), want), tail...)
		got, rest, err := directory.DecodeAttributes(b[len("before"):])
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %#v, want %#v", got, want)
		}
		if string(rest) != string(tail) {
			t.Errorf("rest: got %q, want %q", rest, tail)
		}
	})
}

func TestObjectRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, second := object().Draw(t, "first"), object().Draw(t, "second")
		b := directory.AppendObject(directory.AppendObject(nil, &first), &second)
		for _, want := range []directory.Object{first, second} {
			got, rest, err := directory.DecodeObject(b)
			if err != nil {
				t.Fatalf("decode: %v", err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %#v, want %#v", got, want)
			}
			b = rest
		}
		if len(b) != 0 {
			t.Errorf("%d bytes are left, want none", len(b))
		}
	})
}

func TestDecodedObjectOwnsItsMemory(t *testing.T) {
	want := sampleObject()
	b := directory.AppendObject(nil, &want)
	got, _, err := directory.DecodeObject(b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		b[i] = 0xFF
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("after overwriting the input got %#v, want %#v", got, want)
	}
}

func TestListsOfOneObjectAreSeparate(t *testing.T) {
	o := directory.Object{Attributes: directory.AttributesOf(map[string]directory.Value{
		"a": directory.ListOf("1", "2"), "b": directory.ListOf("3"),
	})}
	got, _, err := directory.DecodeObject(directory.AppendObject(nil, &o))
	if err != nil {
		t.Fatal(err)
	}
	_ = append(got.Attributes.Get("a").List(), "overflow")
	if list := got.Attributes.Get("b").List(); len(list) != 1 || list[0] != "3" {
		t.Errorf("appending to one list changed the next to %q", list)
	}
}

// The stored form of a known object: a change of it makes existing files
// unreadable and needs a new format version.
func TestEncodingIsStable(t *testing.T) {
	o := directory.Object{
		ID: guid, Removed: directory.SoftDeleted,
		Attributes: directory.AttributesOf(map[string]directory.Value{
			"accountEnabled": directory.BoolOf(false), "city": directory.TextOf("Bern"),
			"custom": directory.IntOf(-3), "userType": directory.NullValue(),
			"otherMails": directory.ListOf("a@b"), "manager": directory.RefOf("m"),
		}),
	}
	want := "\x39\x01" + // 57 bytes of text, 1 list member
		"\x00\x0f\x5c\x1a\x52\x8a\x3e\x4b\x7d\x9c\x60\x1d\x2e\x3f\x40\x51\x62" +
		"\x08changed\x00\x06" +
		"\x01\x02" + "\x04\x05\x05Bern" + "\x00\x07custom\x04\x05" + "\x2e\x06\x02m" +
		"\x39\x07\x01\x04a@b" + "\x46\x01"
	if got := string(directory.AppendObject(nil, &o)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestUnsortedEncodingIsSorted(t *testing.T) {
	unsorted := directory.Attributes{
		{"mail", directory.TextOf("m")}, {"city", directory.TextOf("c")}}
	got, _, err := directory.DecodeAttributes(directory.AppendAttributes(nil, unsorted))
	if err != nil {
		t.Fatal(err)
	}
	if got.Get("city").Text() != "c" || got.Get("mail").Text() != "m" {
		t.Errorf("got %v, want both attributes to be found by name", got)
	}
}

func TestDecodeRefusesForeignBytes(t *testing.T) {
	sample := sampleObject()
	whole := directory.AppendObject(nil, &sample)
	for n := range whole {
		if _, _, err := directory.DecodeObject(whole[:n]); !errors.Is(err, directory.ErrEncoding) {
			t.Errorf("first %d of %d bytes: got error %v, want ErrEncoding", n, len(whole), err)
		}
	}
	tests := map[string]string{
		"count beyond the end":      "\x00\x00\xff\xff\xff\xff\x0f",
		"list beyond the end":       "\x00\x00\x01\x01\x07\xff\xff\xff\xff\x0f",
		"huge sizes":                "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01",
		"unknown name code":         "\x00\x00\x01\xff\x01",
		"unknown value tag":         "\x00\x00\x01\x01\x7f",
		"varint that does not end":  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"text longer than the rest": "\x00\x00\x01\x01\x05\x09abc",
	}
	for name, b := range tests {
		if _, _, err := directory.DecodeAttributes([]byte(b)); !errors.Is(err, directory.ErrEncoding) {
			t.Errorf("%s: got error %v, want ErrEncoding", name, err)
		}
	}
}

func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := text().Draw(t, "text")
		b := directory.AppendText(nil, want)
		got, rest, err := directory.DecodeText(append(b, 7))
		if err != nil || got != want || len(rest) != 1 {
			t.Errorf("got %q with %d bytes left and error %v, want %q with 1 left", got, len(rest), err, want)
		}
		if _, canonical := directory.ParseGUID(want); canonical && len(b) != 17 {
			t.Errorf("%q takes %d bytes, want 17", want, len(b))
		}
	})
}

func FuzzDecodeObject(f *testing.F) {
	sample := sampleObject()
	f.Add(directory.AppendObject(nil, &sample))
	f.Add(directory.AppendObject(nil, &directory.Object{ID: "x", Removed: directory.Purged}))
	f.Add(directory.AppendObject(nil, &directory.Object{Identities: []directory.Identity{}}))
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x01\x01\x07\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, rest, err := directory.DecodeObject(b)
		if err != nil {
			if !errors.Is(err, directory.ErrEncoding) {
				t.Fatalf("got error %v, want ErrEncoding", err)
			}
			return
		}
		if len(rest) > len(b) {
			t.Fatalf("%d bytes left of %d", len(rest), len(b))
		}
		again, _, err := directory.DecodeObject(directory.AppendObject(nil, &o))
		if err != nil {
			t.Fatalf("decode what was encoded: %v", err)
		}
		if !reflect.DeepEqual(again, o) {
			t.Fatalf("second round: got %#v, want %#v", again, o)
		}
	})
}

func BenchmarkAppendObject(b *testing.B) {
	o := sampleObject()
	buf := directory.AppendObject(nil, &o)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = directory.AppendObject(buf[:0], &o)
	}
}

func BenchmarkDecodeObject(b *testing.B) {
	o := sampleObject()
	buf := directory.AppendObject(nil, &o)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := directory.DecodeObject(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func TestIntegersKeepTheirRange(t *testing.T) {
	for _, n := range []int64{math.MinInt64, -1, 0, 1, math.MaxInt64} {
		a := directory.AttributesOf(map[string]directory.Value{"n": directory.IntOf(n)})
		got, _, err := directory.DecodeAttributes(directory.AppendAttributes(nil, a))
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("%d: got %v, error %v", n, got, err)
		}
	}
}
