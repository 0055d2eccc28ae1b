package entra_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/entra"
)

var sameValues = cmp.AllowUnexported(directory.Value{})

func attributes(pairs ...any) directory.Attributes {
	m := map[string]directory.Value{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1].(directory.Value)
	}
	return directory.AttributesOf(m)
}

func TestDecodePageReadsUsers(t *testing.T) {
	text, null, list := directory.TextOf, directory.NullValue(), directory.ListOf
	tests := []struct {
		name string
		user string
		want directory.Object
	}{
		{"null is not absent", `{"id":"1","jobTitle":null}`,
			directory.Object{ID: "1", Attributes: attributes("jobTitle", null)}},
		{"empty text is null", `{"id":"1","city":""}`,
			directory.Object{ID: "1", Attributes: attributes("city", null)}},
		{"kinds", `{"id":"1","accountEnabled":false,"n":7,"big":1e99,"otherMails":["b","a"],"businessPhones":[]}`,
			directory.Object{ID: "1", Attributes: attributes("accountEnabled", directory.BoolOf(false), "n", directory.IntOf(7),
				"big", text("1e99"), "otherMails", list("b", "a"), "businessPhones", list())}},
		{"escapes in names and values", `{"i\u0064":"1","d\u0069splayName":"A\nß\ud83d\ude00"}`,
			directory.Object{ID: "1", Attributes: attributes("displayName", text("A\nß😀"))}},
		{"nested attributes stand by their own names", `{"id":"1","onPremisesExtensionAttributes":{"extensionAttribute1":"x","extensionAttribute2":null},"employeeOrgData":{"costCenter":"9","division":null}}`,
			directory.Object{ID: "1", Attributes: attributes("extensionAttribute1", text("x"), "extensionAttribute2", null, "costCenter", text("9"), "division", null)}},
		{"nested attributes that are null as a whole say nothing of single ones", `{"id":"1","employeeOrgData":null}`,
			directory.Object{ID: "1", Attributes: directory.Attributes{}}},
		{"directory extensions are kept", `{"id":"1","extension_0a_shoe":"42"}`,
			directory.Object{ID: "1", Attributes: attributes("extension_0a_shoe", text("42"))}},
		{"objects, lists of objects and annotations are left out", `{"id":"1","assignedPlans":[{"service":"x"}],"passwordProfile":{"a":1},"businessPhones@odata.type":"#C","@odata.type":"#microsoft.graph.user"}`,
			directory.Object{ID: "1", Attributes: directory.Attributes{}}},
		{"identities", `{"id":"1","identities":[{"signInType":"federated","issuer":"ExternalAzureAD","issuerAssignedId":null}]}`,
			directory.Object{ID: "1", Attributes: directory.Attributes{}, Identities: []directory.Identity{{SignInType: "federated", Issuer: "ExternalAzureAD"}}}},
		{"no identities are not unread identities", `{"id":"1","identities":[]}`,
			directory.Object{ID: "1", Attributes: directory.Attributes{}, Identities: []directory.Identity{}}},
		{"identities that are null were read, and there are none", `{"id":"1","identities":null}`,
			directory.Object{ID: "1", Attributes: directory.Attributes{}, Identities: []directory.Identity{}}},
		{"soft-deleted", `{"id":"1","@removed":{"reason":"changed"}}`,
			directory.Object{ID: "1", Removed: directory.SoftDeleted, Attributes: directory.Attributes{}}},
		{"purged", `{"@removed":{"reason":"Deleted"},"id":"1"}`,
			directory.Object{ID: "1", Removed: directory.Purged, Attributes: directory.Attributes{}}},
		{"purged, said with more than the reason", `{"id":"1","@removed":{"@odata.type":"#x","by":{"id":"2"},"reason":"deleted"}}`,
			directory.Object{ID: "1", Removed: directory.Purged, Attributes: directory.Attributes{}}},
		{"removed without reason can be undone", `{"id":"1","@removed":{}}`,
			directory.Object{ID: "1", Removed: directory.SoftDeleted, Attributes: directory.Attributes{}}},
		{"manager set", `{"id":"1","manager@delta":[{"id":"m"}]}`,
			directory.Object{ID: "1", Attributes: attributes("manager", directory.RefOf("m"))}},
		{"manager removed", `{"id":"1","manager@delta":[{"id":"m","@removed":{"reason":"deleted"}}]}`,
			directory.Object{ID: "1", Attributes: attributes("manager", null)}},
		{"manager replaced, in either order", `{"id":"1","manager@delta":[{"id":"new"},{"id":"old","@removed":{"reason":"deleted"}}]}`,
			directory.Object{ID: "1", Attributes: attributes("manager", directory.RefOf("new"))}},
		{"manager unchanged", `{"id":"1","manager@delta":[]}`,
			directory.Object{ID: "1", Attributes: directory.Attributes{}}},
		{"manager as an object", `{"id":"1","manager":{"@odata.type":"#microsoft.graph.user","id":"m"}}`,
			directory.Object{ID: "1", Attributes: attributes("manager", directory.RefOf("m"))}},
		{"no manager", `{"id":"1","manager":null}`,
			directory.Object{ID: "1", Attributes: attributes("manager", null)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page, err := entra.DecodePage([]byte(`{"value":[` + tt.user + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]directory.Object{tt.want}, page.Objects, sameValues); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodePageEndsWithWhatItSays(t *testing.T) {
	tests := []struct {
		body            string
		next, watermark string
		objects         int
	}{
		{`{"value":[]}`, "", "", 0},
		{`{"@odata.nextLink":"https://g/n","value":[]}`, "https://g/n", "", 0},
		{`{"value":[{"id":"1"},{"id":"2"}],"@odata.deltaLink":"https://g/d"} ` + "\n", "", "https://g/d", 2},
	}
	for _, tt := range tests {
		page, err := entra.DecodePage([]byte(tt.body))
		if err != nil || page.Next != tt.next || page.Watermark != tt.watermark || len(page.Objects) != tt.objects || page.Objects == nil {
			t.Errorf("%s: got %+v, %v", tt.body, page, err)
		}
	}
}

func TestDecodePageRefuses(t *testing.T) {
	tests := []struct{ name, body, message string }{
		{"nothing", ``, "unexpected EOF"},
		{"an array", `[]`, "want an object"},
		{"no value", `{"@odata.deltaLink":"https://g/d"}`, "page without value"},
		{"value null", `{"value":null}`, "want an array"},
		{"value an object", `{"value":{"id":"1"}}`, "want an array"},
		{"cut in a user", `{"value":[{"id":"1","city":"Ber`, "unexpected EOF"},
		{"cut between users", `{"value":[{"id":"1"},`, "unexpected EOF"},
		{"cut behind the users", `{"value":[{"id":"1"}]`, "unexpected EOF"},
		{"two documents", `{"value":[]}{"value":[]}`, "text behind the document"},
		{"rubbish behind", `{"value":[]} x`, "invalid character"},
		{"user without id", `{"value":[{"city":"x"}]}`, "value[0]: object without id"},
		{"user with null id", `{"value":[{"id":null}]}`, "want text"},
		{"user a text", `{"value":["1"]}`, "value[0]: want an object"},
		{"name twice", `{"value":[{"id":"1","city":"a","city":"b"}]}`, "duplicate"},
		{"value twice", `{"value":[],"value":[]}`, "duplicate"},
		{"both links", `{"value":[],"@odata.nextLink":"a","@odata.deltaLink":"b"}`, "both"},
		{"link a number", `{"value":[],"@odata.nextLink":1}`, "link is not text"},
		{"list of mixed things", `{"value":[{"id":"1","otherMails":["a",1]}]}`, "list of text and other things"},
		{"invalid UTF-8", "{\"value\":[{\"id\":\"1\",\"city\":\"\xff\"}]}", "invalid UTF-8"},
		{"manager without id", `{"value":[{"id":"1","manager":{}}]}`, "reference without id"},
		{"HTML", `<html><body>503</body></html>`, "invalid character"},
		{"deep nesting", `{"value":[{"id":"1","x":` + strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000) + `}]}`, "depth"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page, err := entra.DecodePage([]byte(tt.body))
			if err == nil || !strings.Contains(err.Error(), tt.message) {
				t.Errorf("got %v, want an error with %q", err, tt.message)
			}
			if page.Objects != nil || page.Next != "" || page.Watermark != "" {
				t.Errorf("got %+v beside the error", page)
			}
		})
	}
}

// pageOf returns a page of n users with 22 properties and about 650 bytes each.
func pageOf(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$skiptoken=abc","value":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%08x-1111-2222-3333-444444444444","accountEnabled":true,"displayName":"Person Number %d","givenName":"Person","surname":"Number %d",`+
			`"jobTitle":"Senior Engineer","department":"Research and Development","companyName":"Contoso","city":"Stuttgart","state":null,"country":"Germany","postalCode":"70173",`+
			`"streetAddress":"Königstraße %d","officeLocation":"B%d/204","preferredLanguage":"de-DE","employeeId":"E%07d","mail":"person.%d@contoso.com",`+
			`"userPrincipalName":"person.%d@contoso.com","userType":"Member","businessPhones":["+49 711 %07d"],"otherMails":[],"proxyAddresses":["SMTP:person.%d@contoso.com"]}`,
			i, i, i, i%200, i%40, i, i, i, i, i)
	}
	b.WriteString("]}")
	return []byte(b.String())
}

// BenchmarkDecodePage compares the decoder with encoding/json into a map and into
// a struct that knows the properties in advance.
func BenchmarkDecodePage(b *testing.B) {
	body := pageOf(999)
	perUser := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/999, "ns/user")
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
	}
	b.Run("jsontext", func(b *testing.B) {
		for b.Loop() {
			if page, err := entra.DecodePage(body); err != nil || len(page.Objects) != 999 {
				b.Fatal(len(page.Objects), err)
			}
		}
		perUser(b)
	})
	b.Run("encoding-json-map", func(b *testing.B) {
		for b.Loop() {
			var doc struct {
				Value []map[string]any `json:"value"`
			}
			if err := json.Unmarshal(body, &doc); err != nil || len(doc.Value) != 999 {
				b.Fatal(len(doc.Value), err)
			}
		}
		perUser(b)
	})
	b.Run("encoding-json-struct", func(b *testing.B) {
		type user struct {
			ID, DisplayName, GivenName, Surname, JobTitle, Department, CompanyName, City, State, Country, PostalCode,
			StreetAddress, OfficeLocation, PreferredLanguage, EmployeeID, Mail, UserPrincipalName, UserType *string
			AccountEnabled                             *bool
			BusinessPhones, OtherMails, ProxyAddresses []string
		}
		for b.Loop() {
			var doc struct {
				Value []user `json:"value"`
			}
			if err := json.Unmarshal(body, &doc); err != nil || len(doc.Value) != 999 {
				b.Fatal(len(doc.Value), err)
			}
		}
		perUser(b)
	})
}

// FuzzDecodePage looks for input that the decoder takes though encoding/json
// does not, and for objects nobody could use.
func FuzzDecodePage(f *testing.F) {
	f.Add(pageOf(2))
	f.Add([]byte(`{"value":[{"id":"1","@removed":{"reason":"changed"}}],"@odata.deltaLink":"https://g/d"}`))
	f.Add([]byte(`{"value":[{"id":"1","manager@delta":[{"id":"m","@removed":{}}],"identities":[{"issuer":"x"}],"onPremisesExtensionAttributes":{"extensionAttribute1":"a"}}]}`))
	f.Add([]byte(`{"value":[{"id":"1","n":-1.5e3,"l":["a","\u00e4"],"o":{"a":[{}]},"b":true}]}`))
	f.Add([]byte(`{"value":[{"id":"1"`))
	f.Fuzz(func(t *testing.T, b []byte) {
		page, err := entra.DecodePage(b)
		if err != nil {
			if page.Objects != nil {
				t.Errorf("objects beside error %v", err)
			}
			return
		}
		if !json.Valid(b) {
			t.Errorf("took what is not JSON: %q", b)
		}
		for _, o := range page.Objects {
			if o.ID == "" {
				t.Errorf("object without id in %q", b)
			}
			for i := 1; i < len(o.Attributes); i++ {
				if o.Attributes[i-1].Name >= o.Attributes[i].Name {
					t.Errorf("attributes out of order: %v", o.Attributes.Names())
				}
			}
		}
	})
}
