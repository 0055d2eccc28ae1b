package entra_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/entra"
	"tenantsync/entra/entrasim"
)

const ext = "extension_0123456789abcdef0123456789abcdef_"

// extendedTenant registers extensions of every kind; one user has values.
const extendedTenant = `{
"organization": {"id": "11111111-0000-4000-8000-000000000001", "displayName": "Contoso", "verifiedDomains": [{"name": "contoso.onmicrosoft.example", "isInitial": true, "isDefault": true}]},
"applications": [{"appId": "22222222-0000-4000-8000-000000000001", "secret": "s3cret", "roles": ROLES}],
"users": [
 {"id": "11111111-0000-4000-8000-0000000000a1", "userPrincipalName": "anna@contoso.onmicrosoft.example", "` + ext + `text": "A1", "` + ext + `number": 7,
  "` + ext + `large": 133894271990000000, "` + ext + `flag": false, "` + ext + `list": ["a", "b"], "` + ext + `numbers": [1, 2], "` + ext + `day": "2026-03-01T00:00:00Z"},
 {"id": "11111111-0000-4000-8000-0000000000a2", "userPrincipalName": "bo@contoso.onmicrosoft.example"}],
"extensionProperties": [
 {"name": "` + ext + `text", "appDisplayName": "HR"}, {"name": "` + ext + `number", "dataType": "Integer"}, {"name": "` + ext + `large", "dataType": "LargeInteger"},
 {"name": "` + ext + `flag", "dataType": "Boolean"}, {"name": "` + ext + `list", "isMultiValued": true}, {"name": "` + ext + `numbers", "dataType": "Integer", "isMultiValued": true},
 {"name": "` + ext + `day", "dataType": "DateTime"}, {"name": "` + ext + `group", "targetObjects": ["Group"]}]}`

func TestExtensionsAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list, err := served(t, extendedTenant, "Application.Read.All").Extensions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := []directory.Extension{
			{Name: ext + "day", Type: "DateTime", Users: true}, {Name: ext + "flag", Type: "Boolean", Users: true},
			{Name: ext + "group", Type: "String"}, {Name: ext + "large", Type: "LargeInteger", Users: true},
			{Name: ext + "list", Type: "String", Multivalued: true, Users: true}, {Name: ext + "number", Type: "Integer", Users: true},
			{Name: ext + "numbers", Type: "Integer", Multivalued: true, Users: true}, {Name: ext + "text", Type: "String", Users: true, Application: "HR"},
		}
		if diff := cmp.Diff(want, list); diff != "" {
			t.Errorf("extensions (-want +got):\n%s", diff)
		}
		_, err = served(t, extendedTenant, "User.Read.All").Extensions(t.Context())
		var refused *directory.Error
		if !errors.As(err, &refused) || refused.Kind != directory.Denied || refused.Permission != "Application.Read.All" {
			t.Errorf("without permission: %v, want a refusal that names Application.Read.All", err)
		}
	})
}

// A value arrives as what it is by every way a user is read; what has no value is
// null where the record is complete.
func TestExtensionValuesAreDecoded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := served(t, extendedTenant, "User.Read.All", "Organization.Read.All")
		var selects []string
		for _, name := range []string{"text", "number", "large", "flag", "list", "numbers", "day"} {
			selects = append(selects, ext+name)
		}
		want := map[string]directory.Value{"text": directory.TextOf("A1"), "number": directory.IntOf(7), "large": directory.IntOf(133894271990000000),
			"flag": directory.BoolOf(false), "list": directory.ListOf("a", "b"), "numbers": directory.ListOf("1", "2"), "day": directory.TextOf("2026-03-01T00:00:00Z")}
		check := func(way string, anna, bo directory.Object, absent bool) {
			for name, v := range want {
				if got := anna.Attributes.Get(ext + name); !got.Equal(v) {
					t.Errorf("%s: %s is %s %q, want %s %q", way, name, got.Kind(), got, v.Kind(), v)
				}
				if got := bo.Attributes.Get(ext + name); got.IsAbsent() != absent || !got.IsEmpty() {
					t.Errorf("%s: %s without a value is %s, want absent %v", way, name, got.Kind(), absent)
				}
			}
		}
		page, err := source.Changes(t.Context(), selects, "")
		if err != nil || len(page.Objects) != 2 {
			t.Fatalf("%d users, %v; want 2", len(page.Objects), err)
		}
		slices.SortFunc(page.Objects, func(a, b directory.Object) int { return strings.Compare(a.ID, b.ID) })
		check("delta", page.Objects[0], page.Objects[1], true)
		found, err := source.Users(t.Context(), []string{page.Objects[0].ID, page.Objects[1].ID}, selects)
		if err != nil || found[0].Err != nil || found[1].Err != nil {
			t.Fatal(err, found)
		}
		check("by id", found[0].Object, found[1].Object, false)
		target := clientOf(t, extendedTenant, entrasim.Options{Seed: 1}, "User.ReadWrite.All", "Organization.Read.All").Target(entra.NewMeter(), entra.NewBudget(100))
		list, err := target.List(t.Context(), selects, "")
		if err != nil || len(list.Objects) != 2 {
			t.Fatalf("%d users, %v; want 2", len(list.Objects), err)
		}
		check("list", list.Objects[0], list.Objects[1], false)
		hits, err := target.LookupBy(t.Context(), ext+"text", []string{"x", "a1"}, selects)
		if err != nil || len(hits) != 1 {
			t.Fatalf("%d users by the text, %v; want 1", len(hits), err)
		}
		check("look-up", hits[0], list.Objects[1], false)
	})
}

// What is written is what Graph takes, and what it refuses names the extension.
func TestExtensionValuesAreWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := clientOf(t, extendedTenant, entrasim.Options{Seed: 1}, "User.ReadWrite.All", "Organization.Read.All").Target(entra.NewMeter(), entra.NewBudget(100))
		const bo = "11111111-0000-4000-8000-0000000000a2"
		write := func(name string, v directory.Value) error {
			done, err := target.Write(t.Context(), []directory.Write{{Kind: directory.Update, ID: bo, Attributes: directory.Attributes{{Name: ext + name, Value: v}}}})
			if err != nil {
				t.Fatal(err)
			}
			return done[0].Err
		}
		for name, v := range map[string]directory.Value{"text": directory.TextOf("B2"), "number": directory.IntOf(8), "flag": directory.BoolOf(true),
			"list": directory.ListOf("c"), "day": directory.TextOf("2026-03-01T00:00:00Z"), "large": directory.IntOf(1 << 40)} {
			if err := write(name, v); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, v := range map[string]directory.Value{"text": directory.NullValue(), "list": directory.ListOf()} {
			if err := write(name, v); err != nil {
				t.Errorf("clear %s: %v", name, err)
			}
		}
		for name, v := range map[string]directory.Value{"number": directory.TextOf("8"), "text": directory.IntOf(8), "list": directory.TextOf("c"), "unknown": directory.TextOf("x")} {
			if err := write(name, v); directory.KindOf(err) != directory.Invalid || !strings.Contains(err.Error(), ext+name) {
				t.Errorf("%s as %s: %v, want a refusal that names the extension", name, v.Kind(), err)
			}
		}
		found, err := target.Users(t.Context(), []string{bo}, []string{ext + "text", ext + "number", ext + "list"})
		if err != nil || found[0].Err != nil {
			t.Fatal(err, found)
		}
		got := found[0].Object.Attributes
		if !got.Get(ext+"text").IsEmpty() || !got.Get(ext+"list").IsEmpty() || !got.Get(ext+"number").Equal(directory.IntOf(8)) {
			t.Errorf("bo has %v, want the number alone", got)
		}
	})
}
