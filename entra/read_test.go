package entra_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/entra"
)

const emptyRound = `{"value":[],"@odata.deltaLink":"` + graphURL + `/users/delta?$deltatoken=1"}`

// inOrder answers each request with the next of the given functions; the last
// one again and again.
func inOrder(answers ...http.HandlerFunc) func(http.ResponseWriter, *http.Request, []byte) {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, _ []byte) {
		i := min(int(n.Add(1)), len(answers)) - 1
		answers[i](w, r)
	}
}

func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		writeJSON(w, status, body)
	}
}

func TestReadsAreRepeated(t *testing.T) {
	html := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(503)
		_, _ = w.Write([]byte("<html>unavailable</html>"))
	}
	tests := []struct {
		name      string
		answers   []http.HandlerFunc
		requests  int
		throttled int
		took      time.Duration
		kind      directory.ErrorKind // Unknown: succeeds
	}{
		{"at once", []http.HandlerFunc{says(200, emptyRound)}, 1, 0, 0, 0},
		{"429 with Retry-After", []http.HandlerFunc{says(429, `{}`, "Retry-After", "7"), says(200, emptyRound)}, 2, 1, 7 * time.Second, 0},
		{"429 with a fraction", []http.HandlerFunc{says(429, `{}`, "Retry-After", "0.4"), says(200, emptyRound)}, 2, 1, 400 * time.Millisecond, 0},
		{"429 without", []http.HandlerFunc{says(429, `{}`), says(200, emptyRound)}, 2, 1, 10 * time.Second, 0},
		{"gateway page", []http.HandlerFunc{html, html, says(200, emptyRound)}, 3, 0, 3 * time.Second, 0},
		{"empty 500", []http.HandlerFunc{says(500, ""), says(200, emptyRound)}, 2, 0, time.Second, 0},
		{"answer lost", []http.HandlerFunc{says(abort, ""), says(200, emptyRound)}, 2, 0, time.Second, 0},
		{"answer lost for good", []http.HandlerFunc{says(abort, "")}, 4, 0, 7 * time.Second, directory.Transient},
		{"503 for good", []http.HandlerFunc{says(503, "")}, 8, 0, 123 * time.Second, directory.Transient},
		{"Retry-After beyond patience", []http.HandlerFunc{says(429, `{}`, "Retry-After", "600")}, 1, 1, 0, directory.Throttled},
		{"400 is not", []http.HandlerFunc{says(400, graphError("Request_BadRequest", "x"))}, 1, 0, 0, directory.Invalid},
		{"403 is not", []http.HandlerFunc{says(403, graphError("Authorization_RequestDenied", "x"))}, 1, 0, 0, directory.Denied},
		{"cut page is not", []http.HandlerFunc{says(200, emptyRound[:40])}, 1, 0, 0, directory.Malformed},
		{"page without links", []http.HandlerFunc{says(200, `{"value":[]}`)}, 1, 0, 0, directory.Malformed},
		{"410", []http.HandlerFunc{says(410, `{}`, "Location", graphURL+"/users/delta?$deltatoken=")}, 1, 0, 0, directory.WatermarkExpired},
		{"redirect", []http.HandlerFunc{says(302, ``, "Location", graphURL+"/elsewhere")}, 1, 0, 0, directory.Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, inOrder(tt.answers...))
				m := entra.NewMeter()
				start := time.Now()
				_, err := f.client().Source(m).Changes(t.Context(), nil, "")
				if (err == nil) != (tt.kind == 0) || directory.KindOf(err) != tt.kind {
					t.Errorf("got error %v (%v), want %v", err, directory.KindOf(err), tt.kind)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if r, w, th := m.Counts(); r != tt.requests || w != 0 || th != tt.throttled {
					t.Errorf("meter: got %d %d %d, want %d 0 %d", r, w, th, tt.requests, tt.throttled)
				}
			})
		})
	}
}

func TestRefusalTellsWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(says(403, graphError("Authorization_RequestDenied", "Insufficient privileges."))))
		_, err := f.client().Source(nil).Group(t.Context(), "g")
		want := &directory.Error{Op: "read group", Kind: directory.Denied, Tenant: "contoso", Status: 403, Code: "Authorization_RequestDenied",
			Message: "Insufficient privileges.", Permission: "GroupMember.Read.All", RequestID: "r-1"}
		var got *directory.Error
		if !errors.As(err, &got) {
			t.Fatalf("got %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
	})
}

func TestRetriesEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(says(503, "")))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := f.client().Source(nil).Changes(ctx, nil, "")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}

func TestForeignLinksEndTheWork(t *testing.T) {
	const evil = "https://graph.test.evil.example/v1.0/users/delta?$skiptoken=SECRET"
	page := func(link string) http.HandlerFunc { return says(200, `{"value":[],`+link+`}`) }
	tests := []struct {
		name   string
		answer http.HandlerFunc
		call   func(ctx context.Context, c *entra.Client) error
	}{
		{"nextLink", page(`"@odata.nextLink":"` + evil + `"`), func(ctx context.Context, c *entra.Client) error {
			_, err := c.Source(nil).Changes(ctx, nil, "")
			return err
		}},
		{"deltaLink", page(`"@odata.deltaLink":"` + evil + `"`), func(ctx context.Context, c *entra.Client) error {
			_, err := c.Source(nil).Changes(ctx, nil, "")
			return err
		}},
		{"link of a list", page(`"@odata.nextLink":"` + evil + `"`), func(ctx context.Context, c *entra.Client) error {
			_, err := c.Target(nil, entra.NewBudget(1)).List(ctx, nil, "")
			return err
		}},
		{"link of groups", page(`"@odata.deltaLink":"` + evil + `"`), func(ctx context.Context, c *entra.Client) error {
			_, err := c.Source(nil).Groups(ctx, []string{"g"}, "")
			return err
		}},
		{"link of assignments", page(`"@odata.nextLink":"` + evil + `"`), func(ctx context.Context, c *entra.Client) error {
			_, err := c.Source(nil).Assignments(ctx, "sp")
			return err
		}},
		{"redirect", says(307, "", "Location", evil), func(ctx context.Context, c *entra.Client) error {
			_, err := c.Source(nil).Changes(ctx, nil, "")
			return err
		}},
		{"Location of 410", says(410, "{}", "Location", evil), func(ctx context.Context, c *entra.Client) error {
			_, err := c.Source(nil).Changes(ctx, nil, "")
			return err
		}},
		{"redirect of a batch", says(302, "", "Location", evil), func(ctx context.Context, c *entra.Client) error {
			_, err := c.Target(nil, entra.NewBudget(1)).Write(ctx, []directory.Write{{Kind: directory.Delete, ID: "x"}})
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, inOrder(tt.answer))
				err := tt.call(t.Context(), f.client())
				if directory.KindOf(err) != directory.ForeignLink || !strings.Contains(err.Error(), "graph.test.evil.example") {
					t.Errorf("got %v, want a foreign link that is named", err)
				}
				if err != nil && strings.Contains(err.Error(), "SECRET") {
					t.Errorf("the error tells what the link carries: %v", err)
				}
				if n := len(f.seen()); n != 1 {
					t.Errorf("got %d requests, want 1", n)
				}
			})
		})
	}
	t.Run("stored cursor", func(t *testing.T) {
		f := newFake(t, inOrder(says(200, emptyRound)))
		_, err := f.client().Source(nil).Changes(t.Context(), nil, evil)
		if directory.KindOf(err) != directory.ForeignLink || len(f.seen()) != 0 || f.tokens != 0 {
			t.Errorf("got %v after %d requests, want a foreign link before any", err, len(f.seen()))
		}
	})
}

func TestLinksAreFollowedAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(says(200, emptyRound)))
		const link = graphURL + "/users/delta()?%24skiptoken=a%2Db%7E+c%20d&x=%C3%9F"
		if _, err := f.client().Source(nil).Changes(t.Context(), []string{"city"}, link); err != nil {
			t.Fatal(err)
		}
		if got, want := "https://graph.test"+f.seen()[0].path, link; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestRepeatedNextLinkIsNoProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop := graphURL + "/servicePrincipals/sp/appRoleAssignedTo?$skiptoken="
		f := newFake(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
			next := loop + "a"
			if strings.HasSuffix(r.URL.RequestURI(), "=a") {
				next = loop + "b"
			}
			writeJSON(w, 200, `{"value":[],"@odata.nextLink":"`+next+`"}`)
		})
		_, err := f.client().Source(nil).Assignments(t.Context(), "sp")
		if directory.KindOf(err) != directory.Malformed || len(f.seen()) != 3 {
			t.Errorf("got %v after %d requests, want malformed after 3", err, len(f.seen()))
		}
	})
}

func TestListsAndRoundsThatLeadInACircle(t *testing.T) {
	const a, b, c = graphURL + "/x?$skiptoken=a", graphURL + "/x?$skiptoken=b", graphURL + "/x?$skiptoken=c"
	leads := map[string]string{"": a, a: b, b: c, c: b}
	for name, read := range map[string]func(context.Context, *entra.Client) func(cursor string) (string, error){
		"list": func(ctx context.Context, c *entra.Client) func(string) (string, error) {
			target := c.Target(nil, entra.NewBudget(1))
			return func(cursor string) (string, error) {
				page, err := target.List(ctx, nil, cursor)
				return page.Next, err
			}
		},
		"users": func(ctx context.Context, c *entra.Client) func(string) (string, error) {
			source := c.Source(nil)
			return func(cursor string) (string, error) {
				page, err := source.Changes(ctx, nil, cursor)
				return page.Next, err
			}
		},
		"groups": func(ctx context.Context, c *entra.Client) func(string) (string, error) {
			source := c.Source(nil)
			return func(cursor string) (string, error) {
				page, err := source.Groups(ctx, []string{"g"}, cursor)
				return page.Next, err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
					asked := "https://graph.test" + r.URL.RequestURI()
					if !strings.Contains(asked, "$skiptoken") {
						asked = ""
					}
					writeJSON(w, 200, `{"value":[],"@odata.nextLink":"`+leads[asked]+`"}`)
				})
				next := read(t.Context(), f.client())
				// The same way twice, and a page once more, are no circle.
				for _, cursor := range []string{"", a, a, b, "", a, b} {
					if got, err := next(cursor); err != nil || got != leads[cursor] {
						t.Fatalf("%q: got %q, %v", cursor, got, err)
					}
				}
				if _, err := next(c); directory.KindOf(err) != directory.Malformed {
					t.Errorf("back to the second page: got %v, want malformed", err)
				}
			})
		})
	}
}

func TestUsersAreReadInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var flying, most atomic.Int64
		plain := batches(t, func(it item) outcome {
			switch {
			case it.Method != "GET" || it.Body != nil:
				t.Errorf("item %+v", it)
			case strings.HasSuffix(it.URL, "/manager?$select=id") && strings.Contains(it.URL, "/u1"):
				return outcome{status: 404, body: graphError("Request_ResourceNotFound", "none")}
			case strings.HasSuffix(it.URL, "/manager?$select=id"):
				return outcome{status: 200, body: `{"@odata.type":"#microsoft.graph.user","id":"boss"}`}
			case strings.Contains(it.URL, "/gone"):
				return outcome{status: 404, body: graphError("Request_ResourceNotFound", "gone")}
			}
			id, _, _ := strings.Cut(strings.TrimPrefix(it.URL, "/users/"), "?")
			return outcome{status: 200, body: `{"id":"` + id + `","city":"B"}`}
		})
		f := newFake(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
			most.Store(max(most.Load(), flying.Add(1)))
			time.Sleep(time.Second)
			plain(w, r, body)
			flying.Add(-1)
		})
		var ids []string
		for i := range 95 {
			ids = append(ids, fmt.Sprintf("u%d", i))
		}
		ids[3], ids[4] = "gone", "a/b"
		got, err := f.client(func(c *entra.Config) { c.ParallelReads = 3 }).Source(nil).
			Users(t.Context(), ids, []string{"city", "state", "extensionAttribute1", "manager", "identities"})
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range got {
			if l.ID != ids[i] {
				t.Fatalf("answer %d is for %s, want %s", i, l.ID, ids[i])
			}
			if i == 3 || i == 4 {
				if directory.KindOf(l.Err) != directory.NotFound {
					t.Errorf("%s: got %v, want not found", l.ID, l.Err)
				}
				continue
			}
			manager := directory.RefOf("boss")
			if strings.HasPrefix(ids[i], "u1") {
				manager = directory.NullValue()
			}
			want := directory.Object{ID: ids[i], Identities: []directory.Identity{}, Attributes: attributes("city", directory.TextOf("B"),
				"state", directory.NullValue(), "extensionAttribute1", directory.NullValue(), "manager", manager)}
			if diff := cmp.Diff(want, l.Object, sameValues); diff != "" || l.Err != nil {
				t.Fatalf("%s: %v (-want +got):\n%s", l.ID, l.Err, diff)
			}
		}
		if n := len(f.seen()); n != 10 { // 94 users and their managers
			t.Errorf("got %d batches, want 10", n)
		}
		if most.Load() != 3 {
			t.Errorf("got %d batches in flight, want 3", most.Load())
		}
	})
}

func TestThrottledItemsOfAReadAreAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := map[string]int{}
		f := newFake(t, batches(t, func(it item) outcome {
			tries[it.URL]++
			switch {
			case strings.Contains(it.URL, "/u1?") && tries[it.URL] == 1:
				return outcome{status: 429, headers: map[string]string{"Retry-After": "9"}, body: `{"error":{}}`}
			case strings.Contains(it.URL, "/u2?") && tries[it.URL] < 3:
				return outcome{status: 503}
			case strings.Contains(it.URL, "/u3?") && tries[it.URL] == 1:
				return outcome{missing: true}
			case strings.Contains(it.URL, "/u4?"):
				return outcome{status: 403, body: graphError("Authorization_RequestDenied", "no")}
			case strings.Contains(it.URL, "/u5?"):
				return outcome{status: 200, body: `{"id":"u5","id":"u6"}`}
			}
			return outcome{status: 200, body: `{"id":"x"}`}
		}))
		m := entra.NewMeter()
		got, err := f.client().Target(m, nil).Users(t.Context(), []string{"u0", "u1", "u2", "u3", "u4", "u5"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []directory.ErrorKind
		for _, l := range got {
			kinds = append(kinds, directory.KindOf(l.Err))
		}
		if want := []directory.ErrorKind{0, 0, 0, 0, directory.Denied, directory.Malformed}; !slices.Equal(kinds, want) {
			t.Errorf("got %v, want %v", kinds, want)
		}
		if r, _, th := m.Counts(); r != 3 || th != 1 {
			t.Errorf("meter: got %d requests, %d throttled, want 3 and 1", r, th)
		}
	})
}

func TestGroupsRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(says(200, `{"value":[
			{"id":"g1","displayName":"G","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"u"},{"@odata.type":"#microsoft.graph.group","id":"g"},{"@odata.type":"#microsoft.graph.device","id":"d"},{"id":"x","@removed":{"reason":"deleted"}}]},
			{"id":"g2","@removed":{"reason":"changed"}}],"@odata.nextLink":"`+graphURL+`/groups/delta?$skiptoken=1"}`)))
		got, err := f.client().Source(nil).Groups(t.Context(), []string{"g1", "g'2"}, "")
		if err != nil {
			t.Fatal(err)
		}
		want := directory.GroupPage{Next: graphURL + "/groups/delta?$skiptoken=1", Groups: []directory.GroupChange{
			{ID: "g1", DisplayName: "G", Dropped: []string{"x"}, Added: []directory.Membership{{ID: "u", IsUser: true}, {ID: "g", IsGroup: true}, {ID: "d"}}},
			{ID: "g2", Removed: directory.SoftDeleted},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("page (-want +got):\n%s", diff)
		}
		wantPath := "/v1.0/groups/delta?$select=id,displayName,members&$filter=id%20eq%20%27g1%27%20or%20id%20eq%20%27g%27%272%27"
		if path := f.seen()[0].path; path != wantPath {
			t.Errorf("got %s, want %s", path, wantPath)
		}
		if _, err := f.client().Source(nil).Groups(t.Context(), make([]string, 51), ""); err == nil {
			t.Error("51 groups: got no error")
		}
	})
}

func TestGroupRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(says(200, `{"id":"g","displayName":"Secret","securityEnabled":true,"visibility":"HiddenMembership"}`)))
		got, err := f.client().Source(nil).Group(t.Context(), "g")
		want := directory.Group{ID: "g", DisplayName: "Secret", SecurityEnabled: true, HiddenMembership: true}
		if err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

func TestAssignmentsOfAllPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(
			says(200, `{"value":[{"principalId":"u","principalType":"User","appRoleId":"r","principalDisplayName":"U"}],"@odata.nextLink":"`+graphURL+`/x?$skiptoken=2"}`),
			says(200, `{"value":[{"principalId":"g","principalType":"Group"},{"principalId":"s","principalType":"ServicePrincipal"}]}`)))
		got, err := f.client().Source(nil).Assignments(t.Context(), "sp")
		want := []directory.Assignment{{PrincipalID: "u", IsUser: true, AppRoleID: "r", DisplayName: "U"}, {PrincipalID: "g", IsGroup: true}, {PrincipalID: "s"}}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		if path := f.seen()[0].path; path != "/v1.0/servicePrincipals/sp/appRoleAssignedTo?$top=999" {
			t.Errorf("got %s", path)
		}
	})
}

func TestOrganizationIsReadOnceAndMustBeTheRightOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := `{"value":[{"id":"` + strings.ToUpper(tenantID) + `","displayName":"Contoso","verifiedDomains":[{"name":"Contoso.com","isDefault":true},{"name":"contoso.onmicrosoft.com","isInitial":true}]}]}`
		f := newFake(t, inOrder(says(200, body)))
		c := f.client()
		want := directory.Tenant{ID: strings.ToUpper(tenantID), DisplayName: "Contoso", InitialDomain: "contoso.onmicrosoft.com", DefaultDomain: "contoso.com",
			VerifiedDomain: []string{"contoso.com", "contoso.onmicrosoft.com"}}
		for range 2 {
			got, err := c.Source(nil).Tenant(t.Context())
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
		if n := len(f.seen()); n != 1 {
			t.Errorf("got %d requests, want 1", n)
		}
		f = newFake(t, inOrder(says(200, `{"value":[{"id":"99999999-1111-1111-1111-111111111111"}]}`)))
		if _, err := f.client().Source(nil).Tenant(t.Context()); directory.KindOf(err) != directory.SignIn || !strings.Contains(err.Error(), "99999999") {
			t.Errorf("other tenant: got %v, want a sign-in error that names it", err)
		}
	})
}

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

func TestPolicy(t *testing.T) {
	blockedInbound := `"b2bCollaborationInbound":{"usersAndGroups":{"accessType":"blocked","targets":[{"target":"AllUsers","targetType":"user"}]},"applications":{"accessType":"allowed","targets":[{"target":"AllApplications"}]}}`
	openOutbound := `"b2bCollaborationOutbound":{"usersAndGroups":{"accessType":"allowed","targets":[{"target":"AllUsers"}]}}`
	tests := []struct {
		name, byDefault, partner, sync string
		want                           directory.Policy
	}{
		{"no partner, all open", `{` + openOutbound + `}`, "", "", directory.Policy{AllowInvitesFrom: "everyone"}},
		{"no partner, default blocks and trusts", `{` + blockedInbound + `,"inboundTrust":{"isMfaAccepted":true}}`, "", "",
			directory.Policy{AllowInvitesFrom: "everyone", InboundBlocked: true, MFATrusted: true}},
		{"partner is silent, default stands", `{` + blockedInbound + `}`, `{"tenantId":"p","b2bCollaborationInbound":null,"automaticUserConsentSettings":{"inboundAllowed":true,"outboundAllowed":null}}`, `{"userSyncInbound":{"isSyncAllowed":true}}`,
			directory.Policy{AllowInvitesFrom: "everyone", PartnerExists: true, InboundBlocked: true, AutoRedeemInbound: true, UserSyncInbound: true}},
		{"partner opens what the default blocks", `{` + blockedInbound + `,"inboundTrust":{"isMfaAccepted":true}}`,
			`{"b2bCollaborationInbound":{"usersAndGroups":{"accessType":"allowed","targets":[{"target":"AllUsers"}]}},"inboundTrust":{"isMfaAccepted":false},"automaticUserConsentSettings":{"outboundAllowed":true}}`, "",
			directory.Policy{AllowInvitesFrom: "everyone", PartnerExists: true, AutoRedeemOutbound: true}},
		{"some users blocked is not everybody", `{"b2bCollaborationOutbound":{"usersAndGroups":{"accessType":"blocked","targets":[{"target":"some-group"}]}}}`, "", "",
			directory.Policy{AllowInvitesFrom: "everyone"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, batches(t, func(it item) outcome {
					body := map[string]string{
						"/policies/authorizationPolicy":                                        `{"allowInvitesFrom":"everyone"}`,
						"/policies/crossTenantAccessPolicy/default":                            tt.byDefault,
						"/policies/crossTenantAccessPolicy/partners/p":                         tt.partner,
						"/policies/crossTenantAccessPolicy/partners/p/identitySynchronization": tt.sync,
					}[it.URL]
					if body == "" {
						return outcome{status: 404, body: graphError("ResourceNotFound", "no")}
					}
					return outcome{status: 200, body: body}
				}))
				got, err := f.client().Source(nil).Policy(t.Context(), "p")
				if err != nil || got != tt.want {
					t.Errorf("got  %+v, %v\nwant %+v", got, err, tt.want)
				}
			})
		})
	}
}
