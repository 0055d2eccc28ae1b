package entra_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
)

func TestFind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		known := map[string]string{
			"/users/ann@x.test?$select=id": `{"id":"ann"}`,
		}
		play := batches(t, func(it item) outcome {
			if body, ok := known[it.URL]; ok {
				return outcome{status: 200, body: body}
			}
			return outcome{status: 404, body: graphError("Request_ResourceNotFound", "no")}
		})
		f := newFake(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
			switch r.URL.Query().Get("$filter") {
			case "":
				play(w, r, body)
			case "displayName eq 'O''Neil'":
				writeJSON(w, 200, `{"value":[{"id":"o1"},{"id":"o2"}]}`)
			default:
				writeJSON(w, 200, `{"value":[]}`)
			}
		})
		s := f.client().Source(nil)
		for text, want := range map[string][]string{"ann@x.test": {"ann"}, "O'Neil": {"o1", "o2"}, "nobody": nil, "": nil, "a/b": nil} {
			found, err := s.Find(t.Context(), text, nil)
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
			var got []string
			for _, o := range found {
				got = append(got, o.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q: got %v, want %v", text, got, want)
			}
		}
	})
}

func TestLookupInAFewRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
			if r.Method == "GET" {
				writeJSON(w, 200, `{"value":[{"id":"p2"},{"id":"p1"}]}`)
				return
			}
			batches(t, func(it item) outcome {
				if n := strings.Count(it.URL, "%20eq%20") + strings.Count(it.URL, "test%27"); strings.Contains(it.URL, "ConsistencyLevel") || n == 0 {
					t.Errorf("item %s", it.URL)
				}
				if strings.Contains(it.URL, "a0%40x.test") {
					return outcome{status: 200, body: `{"value":[{"id":"p1","mail":"a0@x.test"}],"@odata.nextLink":"` + graphURL + `/users?$skiptoken=1"}`}
				}
				return outcome{status: 200, body: `{"value":[{"id":"p1","mail":"a0@x.test"}]}`}
			})(w, r, body)
		})
		addresses := []string{" a0@x.test ", "A0@x.test", ""}
		for i := 1; i < 60; i++ {
			addresses = append(addresses, fmt.Sprintf("a%d@x.test", i))
		}
		got, err := f.client().Target(nil, nil).Lookup(t.Context(), addresses, []string{"mail"})
		want := []directory.Object{{ID: "p1", Attributes: attributes("mail", directory.TextOf("a0@x.test"))}, {ID: "p2", Attributes: attributes("mail", directory.NullValue())}}
		if diff := cmp.Diff(want, got, sameValues); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if n := len(f.seen()); n != 2 { // 60 addresses, 3 a filter, 20 filters a batch; one more page
			t.Errorf("got %d requests, want 2", n)
		}
	})
}

func TestDeletedLookupFallsBackToTheWholeBin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
			if r.Method == "GET" {
				writeJSON(w, 200, `{"value":[{"id":"d1","mail":"x@x.test"},{"id":"d2","otherMails":["Ann@x.test"]},{"id":"d3","proxyAddresses":["smtp:ann@x.test"]}]}`)
				return
			}
			batches(t, func(item) outcome {
				return outcome{status: 400, body: graphError("Request_UnsupportedQuery", "Unsupported Query.")}
			})(w, r, body)
		})
		target := f.client().Target(nil, nil)
		for range 2 {
			got, err := target.DeletedLookup(t.Context(), []string{"ann@X.test"}, []string{"city"})
			if err != nil || len(got) != 2 || got[0].ID != "d2" || got[1].ID != "d3" {
				t.Errorf("got %+v, %v, want d2 and d3", got, err)
			}
		}
		if n := len(f.seen()); n != 3 {
			t.Errorf("got %d requests, want 3: the refusal is remembered", n)
		}
	})
}

func TestDeletedById(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, batches(t, func(it item) outcome {
			if strings.HasPrefix(it.URL, "/directory/deletedItems/d?") {
				return outcome{status: 200, body: `{"id":"d","deletedDateTime":"2026-01-01T00:00:00Z"}`}
			}
			return outcome{status: 404, body: graphError("Request_ResourceNotFound", "no")}
		}))
		got, err := f.client().Target(nil, nil).Deleted(t.Context(), []string{"x", "d"}, []string{"mail"})
		if err != nil || directory.KindOf(got[0].Err) != directory.NotFound || got[1].Err != nil || !got[1].Object.Attributes.Has("mail") {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestLookupByAttribute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tests := []struct {
			attribute string
			values    []string
			want      []string
		}{
			{"employeeId", []string{"7", " 8 ", "7", ""}, []string{"employeeId in ('7','8')"}},
			{"extensionAttribute3", []string{"o'x"}, []string{"onPremisesExtensionAttributes/extensionAttribute3 in ('o''x')"}},
			{"division", []string{"d"}, []string{"employeeOrgData/division in ('d')"}},
			{"otherMails", []string{"a", "b"}, []string{"otherMails/any(x:x eq 'a') or otherMails/any(x:x eq 'b')"}},
			{"mail", nil, nil},
		}
		for _, tt := range tests {
			var got []string
			f := newFake(t, batches(t, func(it item) outcome {
				u, err := url.Parse(it.URL)
				if err != nil {
					t.Error(err)
				}
				got = append(got, u.Query().Get("$filter"))
				return outcome{status: 200, body: `{"value":[{"id":"x"}]}`}
			}))
			found, err := f.client().Target(nil, nil).LookupBy(t.Context(), tt.attribute, tt.values, nil)
			if err != nil || !slices.Equal(got, tt.want) || len(found) != len(tt.want) {
				t.Errorf("%s: got filters %q, %d users, %v, want %q", tt.attribute, got, len(found), err, tt.want)
			}
		}
		var sizes []int
		f := newFake(t, batches(t, func(it item) outcome {
			sizes = append(sizes, strings.Count(it.URL, "%27")/2)
			return outcome{status: 200, body: `{"value":[]}`}
		}))
		values := make([]string, 40)
		for i := range values {
			values[i] = fmt.Sprint(i)
		}
		if _, err := f.client().Target(nil, nil).LookupBy(t.Context(), "employeeId", values, nil); err != nil {
			t.Fatal(err)
		}
		if slices.Sort(sizes); !slices.Equal(sizes, []int{10, 15, 15}) {
			t.Errorf("got filters of %v terms, want 10, 15 and 15", sizes)
		}
	})
}
