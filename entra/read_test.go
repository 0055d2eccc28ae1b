package entra_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
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

func TestRetryAfterHoldsForAllReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		var arrived []time.Duration
		f := newFake(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
			mu.Lock()
			arrived = append(arrived, time.Since(start))
			first := len(arrived) == 1
			mu.Unlock()
			if first {
				says(429, "{}", "Retry-After", "30")(w, r)
				return
			}
			writeJSON(w, 200, emptyRound)
		})
		c := f.client()
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				if _, err := c.Source(nil).Changes(t.Context(), nil, ""); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if want := []time.Duration{0, 30 * time.Second, 30 * time.Second, 30 * time.Second}; !slices.Equal(arrived, want) {
			t.Errorf("requests arrived at %v, want %v", arrived, want)
		}
	})
}

func TestLongRetryAfterIsHandedToTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		f := newFake(t, inOrder(says(429, "{}", "Retry-After", "3600")))
		c := f.client()
		budget := entra.NewBudget(100)
		read := func() error {
			_, err := c.Source(nil).Changes(t.Context(), nil, "")
			return err
		}
		write := func() error {
			ws, err := c.Target(nil, budget).Write(t.Context(), []directory.Write{update("u"), invite("a@x.test")})
			if err != nil {
				t.Fatal(err)
			}
			return errors.Join(ws[0].Err, ws[1].Err)
		}
		for i, call := range []func() error{read, read, write, write} {
			var e *directory.Error
			if err := call(); !errors.As(err, &e) || e.Kind != directory.Throttled || e.RetryAfter != time.Hour {
				t.Errorf("call %d: got %v, want throttled for an hour", i, err)
			}
		}
		if n := len(f.seen()); n != 2 || time.Since(start) != 0 {
			t.Errorf("got %d requests in %v, want one read and one batch at once", n, time.Since(start))
		}
		f.graph = inOrder(says(200, emptyRound))
		time.Sleep(time.Hour)
		if err := read(); err != nil {
			t.Errorf("after the hour: %v", err)
		}
	})
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

// What one item of a batch was asked to wait for is not forgotten when another one
// ends the work: whoever reads next waits.
func TestRetryAfterOfAnItemOutlivesTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		f := newFake(t, batches(t, func(it item) outcome {
			switch {
			case first && strings.Contains(it.URL, "/u0?"):
				return outcome{status: 401, body: graphError("InvalidAuthenticationToken", "no")}
			case first && strings.Contains(it.URL, "/u1?"):
				return outcome{status: 429, headers: map[string]string{"Retry-After": "9"}, body: `{"error":{}}`}
			}
			return outcome{status: 200, body: `{"id":"x"}`}
		}))
		target := f.client().Target(nil, nil)
		if _, err := target.Users(t.Context(), []string{"u0", "u1", "u2"}, nil); directory.KindOf(err) != directory.SignIn {
			t.Fatalf("got %v, want a sign-in error", err)
		}
		first = false
		began := time.Now()
		if _, err := target.Users(t.Context(), []string{"u1"}, nil); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited < 8*time.Second || waited > 10*time.Second {
			t.Errorf("asked again after %s, want the 9 s that were asked for", waited)
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

func TestAppRolesOfAnApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(
			says(200, `{"id":"sp","appRoles":[{"id":"r1","value":"Sales.Read","displayName":"Sales reader","isEnabled":true},{"id":"r2","value":null,"displayName":"User"}]}`),
			says(200, `{"id":"sp","appRoles":[]}`),
			says(200, `{"appRoles":[{"id":"r1"},{"value":"Sales.Read"}]}`),
			says(404, graphError("Request_ResourceNotFound", "no such service principal"))))
		source := f.client().Source(nil)
		for _, want := range [][]directory.AppRole{
			{{ID: "r1", Value: "Sales.Read", DisplayName: "Sales reader"}, {ID: "r2", DisplayName: "User"}}, {},
		} {
			if got, err := source.AppRoles(t.Context(), "sp"); err != nil || !slices.Equal(got, want) {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		}
		if path := f.seen()[0].path; path != "/v1.0/servicePrincipals/sp?$select=id,appRoles" {
			t.Errorf("got %s", path)
		}
		if _, err := source.AppRoles(t.Context(), "sp"); directory.KindOf(err) != directory.Malformed || !strings.Contains(err.Error(), "appRoles[1]: role without id") {
			t.Errorf("a role without id: got %v, want it to be malformed", err)
		}
		if _, err := source.AppRoles(t.Context(), "sp"); directory.KindOf(err) != directory.NotFound {
			t.Errorf("no such application: got %v, want NotFound", err)
		}
		asked := len(f.seen())
		if _, err := source.AppRoles(t.Context(), "../users"); err == nil || len(f.seen()) != asked {
			t.Errorf("an id that leaves its place: got error %v and %d requests, want an error and none", err, len(f.seen())-asked)
		}
	})
}

// A page of groups that cannot be is an error and never fewer changes.
func TestGroupPagesThatAreRefused(t *testing.T) {
	for body, says := range map[string]string{
		`{"@odata.deltaLink":"https://g/d"}`: "page without value",
		`{"value":[],"@odata.nextLink":"` + graphURL + `/n","@odata.deltaLink":"` + graphURL + `/d"}`: "both nextLink and deltaLink",
		`{"value":[]}`: "without nextLink and deltaLink",
		`{"value":[{"id":"g","members@delta":[{"@odata.type":"#microsoft.graph.user"}]}],"@odata.deltaLink":"` + graphURL + `/d"}`: "member without id",
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, inOrder(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, body) }))
			got, err := f.client().Source(nil).Groups(t.Context(), []string{"g"}, "")
			if directory.KindOf(err) != directory.Malformed || !strings.Contains(err.Error(), says) || got.Groups != nil {
				t.Errorf("%s: got %+v, %v, want it to be malformed: %s", body, got, err, says)
			}
		})
	}
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

func TestReadingEndsWhenNobodyMayRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, inOrder(says(401, graphError("InvalidAuthenticationToken", "x"))))
		ids := make([]string, 200)
		for i := range ids {
			ids[i] = fmt.Sprintf("u%d", i)
		}
		if got, err := f.client().Source(nil).Users(t.Context(), ids, nil); directory.KindOf(err) != directory.SignIn || got != nil {
			t.Errorf("got %d answers and %v, want a sign-in error", len(got), err)
		}
		f = newFake(t, batches(t, func(item) outcome {
			return outcome{status: 401, body: graphError("InvalidAuthenticationToken", "x")}
		}))
		if _, err := f.client().Source(nil).Users(t.Context(), ids[:1], nil); directory.KindOf(err) != directory.SignIn {
			t.Errorf("refused item: got %v, want a sign-in error", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		stopped, stop := context.WithCancelCause(t.Context())
		stop(errors.New("a signal"))
		if _, err := f.client().Source(nil).Users(stopped, ids, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped with a cause of its own: got %v, want %v", err, context.Canceled)
		}
		if _, err := f.client().Source(nil).Users(ctx, ids, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}

// rewinding reads a body twice, as a transport does that repeats a request on a
// new connection.
type rewinding struct {
	http.RoundTripper
	t *testing.T
}

func (r rewinding) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/$batch") {
		first, _ := io.ReadAll(req.Body)
		if req.GetBody == nil {
			r.t.Fatal("the body cannot be read again")
		}
		body, err := req.GetBody()
		second, _ := io.ReadAll(body)
		if err != nil || string(first) != string(second) || len(first) == 0 {
			r.t.Errorf("got %q again, %v, want %q", second, err, first)
		}
		req.Body, _ = req.GetBody()
	}
	return r.RoundTripper.RoundTrip(req)
}

func TestBodiesCanBeReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, batches(t, func(item) outcome { return outcome{status: 200, body: `{"id":"x"}`} }))
		c := f.client(func(c *entra.Config) { c.Transport = rewinding{f, t} })
		if _, err := c.Source(nil).Users(t.Context(), []string{"x"}, nil); err != nil {
			t.Error(err)
		}
	})
}
