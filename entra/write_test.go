package entra_test

import (
	"context"
	"errors"
	"fmt"
	"net"
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

func update(id string) directory.Write {
	return directory.Write{Kind: directory.Update, ID: id, Attributes: attributes("city", directory.TextOf("B"))}
}

func invite(address string) directory.Write {
	return directory.Write{Kind: directory.Invite, Address: address, RedirectURL: "https://r"}
}

// oneOfEach is a change of every kind.
func oneOfEach() []directory.Write {
	return []directory.Write{
		invite("a@x.test"), update("u"), {Kind: directory.SetManager, ID: "s", ManagerID: "m"}, {Kind: directory.ClearManager, ID: "c"},
		{Kind: directory.Restore, ID: "r"}, {Kind: directory.Delete, ID: "d"},
	}
}

func kinds(ws []directory.Written) []directory.ErrorKind {
	out := make([]directory.ErrorKind, len(ws))
	for i, w := range ws {
		out[i] = directory.KindOf(w.Err)
	}
	return out
}

// done is the answer of a service that carries everything out.
func done(it item) outcome {
	switch {
	case it.URL == "/invitations":
		return outcome{status: 201, body: `{"invitedUser":{"id":"new"}}`}
	case it.Method == "POST":
		return outcome{status: 200, body: `{"id":"r"}`}
	}
	return outcome{status: 204}
}

func TestWriteRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		f := newFake(t, batches(t, func(it item) outcome {
			if (it.Body != nil) != (it.Headers["Content-Type"] == "application/json") {
				t.Errorf("item %+v: body and content type do not go together", it)
			}
			got = append(got, it.Method+" "+it.URL+" "+string(it.Body))
			return done(it)
		}))
		ws, err := f.client().Target(nil, entra.NewBudget(100)).Write(t.Context(), oneOfEach())
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(got)
		want := []string{
			`POST /invitations {"invitedUserEmailAddress":"a@x.test","invitedUserType":"Guest","inviteRedirectUrl":"https://r","sendInvitationMessage":false}`,
			`PATCH /users/u {"city":"B"}`,
			`PUT /users/s/manager/$ref {"@odata.id":"https://graph.test/v1.0/users/m"}`,
			`DELETE /users/c/manager/$ref `,
			`POST /directory/deletedItems/r/restore `,
			`DELETE /users/d `,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		if want := []directory.Written{{ID: "new"}, {ID: "u"}, {ID: "s"}, {ID: "c"}, {ID: "r"}, {ID: "d"}}; !slices.Equal(ws, want) {
			t.Errorf("got %+v, want %+v", ws, want)
		}
	})
}

func TestWriteOutcomesByAnswer(t *testing.T) {
	const ok = directory.Unknown
	const un, am, tr, th = directory.NotFound, directory.Ambiguous, directory.Transient, directory.Throttled
	type want = []directory.ErrorKind // invite, update, set, clear, restore, delete
	always := func(o outcome) func(int, item) outcome { return func(int, item) outcome { return o } }
	first := func(o outcome) func(int, item) outcome {
		return func(n int, it item) outcome {
			if n == 1 {
				return o
			}
			return done(it)
		}
	}
	gone := outcome{status: 404, body: graphError("Request_ResourceNotFound", "gone")}
	tests := []struct {
		name     string
		answer   func(n int, it item) outcome // n-th time this item is sent
		want     want
		requests int
		took     time.Duration
	}{
		{"done", first(outcome{status: 204, missing: false}), want{am, ok, ok, ok, ok, ok}, 1, 0},
		{"gone", always(gone), want{un, un, un, ok, un, ok}, 1, 0},
		{"not replicated", always(outcome{status: 400, body: graphError("Request_BadRequest", "Not a valid reference update.")}), want{un, un, un, un, un, un}, 1, 0},
		{"throttled, named", first(outcome{status: 429, headers: map[string]string{"Retry-After": "5"}}), want{ok, ok, ok, ok, ok, ok}, 2, 5 * time.Second},
		{"throttled, not named", first(outcome{status: 429}), want{ok, ok, ok, ok, ok, ok}, 2, 10 * time.Second},
		{"throttled for good", always(outcome{status: 429, headers: map[string]string{"Retry-After": "1"}}), want{th, th, th, th, th, th}, 8, 7 * time.Second},
		{"unwell", first(outcome{status: 503}), want{am, ok, ok, ok, ok, ok}, 2, time.Second},
		{"unwell with Retry-After", first(outcome{status: 503, headers: map[string]string{"Retry-After": "6"}}), want{am, ok, ok, ok, ok, ok}, 2, 6 * time.Second},
		{"unwell for good", always(outcome{status: 500}), want{am, am, am, am, am, am}, 8, 123 * time.Second},
		{"concurrent write", first(outcome{status: 409, body: graphError("ConcurrencyViolation", "x")}), want{ok, ok, ok, ok, ok, ok}, 2, time.Second},
		{"concurrent write for good", always(outcome{status: 409, body: graphError("Conflict", "x")}), want{tr, tr, tr, tr, tr, tr}, 8, 123 * time.Second},
		{"left out", first(outcome{missing: true}), want{am, ok, ok, ok, ok, ok}, 2, time.Second},
		{"unwell, then gone", func(n int, it item) outcome {
			if n == 1 {
				return outcome{status: 504}
			}
			return gone
		}, want{am, un, un, ok, am, ok}, 2, time.Second},
		{"taken", always(outcome{status: 400, body: graphError("Request_BadRequest", "Another object with the same value for property mail already exists.")}),
			want{directory.Conflict, directory.Conflict, directory.Conflict, directory.Conflict, directory.Conflict, directory.Conflict}, 1, 0},
		{"denied", always(outcome{status: 403, body: graphError("Authorization_RequestDenied", "x")}),
			want{directory.Denied, directory.Denied, directory.Denied, directory.Denied, directory.Denied, directory.Denied}, 1, 0},
		{"full", always(outcome{status: 403, body: graphError("Directory_QuotaExceeded", "x")}),
			want{directory.QuotaExceeded, directory.QuotaExceeded, directory.QuotaExceeded, directory.QuotaExceeded, directory.QuotaExceeded, directory.QuotaExceeded}, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				times := map[string]int{}
				f := newFake(t, batches(t, func(it item) outcome {
					times[it.URL]++
					return tt.answer(times[it.URL], it)
				}))
				m := entra.NewMeter()
				start := time.Now()
				ws, err := f.client().Target(m, entra.NewBudget(1000)).Write(t.Context(), oneOfEach())
				if err != nil {
					t.Fatal(err)
				}
				if got := kinds(ws); !slices.Equal(got, tt.want) {
					t.Errorf("got  %v\nwant %v", got, tt.want)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if r, _, _ := m.Counts(); r != tt.requests {
					t.Errorf("got %d requests, want %d", r, tt.requests)
				}
				for _, w := range ws {
					var e *directory.Error
					if errors.As(w.Err, &e) && (e.Op == "send batch" || e.Op == "") {
						t.Errorf("error %v does not say what was being done", e)
					}
				}
			})
		})
	}
}

func TestDeniedWriteNamesItsPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, batches(t, func(item) outcome {
			return outcome{status: 403, body: graphError("Authorization_RequestDenied", "x")}
		}))
		ws, _ := f.client().Target(nil, entra.NewBudget(100)).Write(t.Context(), oneOfEach())
		want := []string{"User.Invite.All", "User.ReadWrite.All", "User.ReadWrite.All", "User.ReadWrite.All", "User.DeleteRestore.All", "User.ReadWrite.All"}
		for i, w := range ws {
			var e *directory.Error
			if !errors.As(w.Err, &e) || e.Permission != want[i] {
				t.Errorf("%d: got %+v, want permission %s", i, w.Err, want[i])
			}
		}
	})
}

func TestOuterAnswersOfABatch(t *testing.T) {
	tests := []struct {
		name     string
		answers  []http.HandlerFunc // "" continues with a service that carries everything out
		invite   directory.ErrorKind
		update   directory.ErrorKind
		requests int
		took     time.Duration
	}{
		{"429", []http.HandlerFunc{says(429, "{}", "Retry-After", "33")}, 0, 0, 2, 33 * time.Second},
		{"429 without", []http.HandlerFunc{says(429, "")}, 0, 0, 2, 10 * time.Second},
		{"503", []http.HandlerFunc{says(503, "<html>")}, directory.Ambiguous, 0, 2, time.Second},
		{"answer lost", []http.HandlerFunc{says(abort, "")}, directory.Ambiguous, 0, 2, time.Second},
		{"answer cut", []http.HandlerFunc{says(200, `{"responses":[{"id":"1","sta`)}, directory.Ambiguous, 0, 2, time.Second},
		{"answer of another batch", []http.HandlerFunc{says(200, `{"responses":[{"id":"77","status":204}]}`)}, directory.Ambiguous, 0, 2, time.Second},
		{"token refused once", []http.HandlerFunc{says(401, graphError("InvalidAuthenticationToken", "x"))}, 0, 0, 2, 0},
		{"batch refused as a whole", []http.HandlerFunc{says(400, graphError("BadRequest", "x"))}, 0, 0, 3, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				f := newFake(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
					if n++; n <= len(tt.answers) {
						tt.answers[n-1](w, r)
						return
					}
					batches(t, done)(w, r, body)
				})
				m := entra.NewMeter()
				start := time.Now()
				ws, err := f.client().Target(m, entra.NewBudget(1000)).Write(t.Context(), []directory.Write{invite("a@x.test"), update("u")})
				if err != nil {
					t.Fatal(err)
				}
				if got, want := kinds(ws), []directory.ErrorKind{tt.invite, tt.update}; !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				if r, _, _ := m.Counts(); r != tt.requests || time.Since(start) != tt.took {
					t.Errorf("got %d requests in %v, want %d in %v", r, time.Since(start), tt.requests, tt.took)
				}
			})
		})
	}
}

// refusing fails to connect the given number of times.
type refusing struct {
	times atomic.Int64
	next  http.RoundTripper
}

func (r *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/$batch") && r.times.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	return r.next.RoundTrip(req)
}

func TestInvitationThatNeverLeftIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, batches(t, done))
		wire := &refusing{next: f}
		wire.times.Store(2)
		target := f.client(func(c *entra.Config) { c.Transport = wire }).Target(nil, entra.NewBudget(100))
		ws, err := target.Write(t.Context(), []directory.Write{invite("a@x.test")})
		if err != nil || ws[0] != (directory.Written{ID: "new"}) || len(f.seen()) != 1 {
			t.Errorf("got %+v, %v after %d requests that arrived, want new after 1", ws, err, len(f.seen()))
		}
		wire.times.Store(100)
		ws, err = target.Write(t.Context(), []directory.Write{invite("a@x.test")})
		if err != nil || directory.KindOf(ws[0].Err) != directory.Transient {
			t.Errorf("never connected: got %+v, %v, want transient", ws, err)
		}
	})
}

func TestRetryAfterOfABatchStopsEveryWriterOfTheBudget(t *testing.T) {
	for _, status := range []int{429, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) { retryAfterOfABatch(t, status) })
	}
}

func retryAfterOfABatch(t *testing.T, status int) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex // both writers go on in the same moment
		var arrived []time.Duration
		f := newFake(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
			mu.Lock()
			arrived = append(arrived, time.Since(start))
			first := len(arrived) == 1
			mu.Unlock()
			if first {
				says(status, "{}", "Retry-After", "60")(w, r)
				return
			}
			batches(t, done)(w, r, body)
		})
		b := entra.NewBudget(100)
		c := f.client()
		go func() {
			time.Sleep(time.Second)
			if _, err := c.Target(nil, b).Write(t.Context(), []directory.Write{update("second")}); err != nil {
				t.Error(err)
			}
		}()
		if _, err := c.Target(nil, b).Write(t.Context(), []directory.Write{update("first")}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if want := []time.Duration{0, time.Minute, time.Minute}; !slices.Equal(arrived, want) {
			t.Errorf("requests arrived at %v, want %v", arrived, want)
		}
	})
}

func TestThrottledItemDoesNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		at := map[string][]time.Duration{}
		f := newFake(t, batches(t, func(it item) outcome {
			at[it.URL] = append(at[it.URL], time.Since(start))
			if it.URL == "/users/u0" && len(at[it.URL]) == 1 {
				return outcome{status: 429, headers: map[string]string{"retry-after": "30"}}
			}
			return done(it)
		}))
		var ws []directory.Write
		for i := range 50 {
			ws = append(ws, update(fmt.Sprintf("u%d", i)))
		}
		m := entra.NewMeter()
		got, err := f.client().Target(m, entra.NewBudget(100)).Write(t.Context(), ws)
		if err != nil || slices.ContainsFunc(got, func(w directory.Written) bool { return w.Err != nil }) {
			t.Fatalf("got %+v, %v", got, err)
		}
		if want := []time.Duration{0, 30 * time.Second}; !slices.Equal(at["/users/u0"], want) || !slices.Equal(at["/users/u49"], want[:1]) {
			t.Errorf("got %v and %v, want the first at %v, the last at once", at["/users/u0"], at["/users/u49"], want)
		}
		if r, w, th := m.Counts(); r != 4 || w != 50 || th != 1 {
			t.Errorf("meter: got %d %d %d, want 4 50 1", r, w, th)
		}
	})
}

func TestChangesOfOneUserKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		tries := 0
		f := newFake(t, batches(t, func(it item) outcome {
			order = append(order, it.Method+" "+it.URL)
			if it.Method == "PATCH" && it.URL == "/users/a" {
				if tries++; tries == 1 {
					return outcome{status: 503}
				}
			}
			return done(it)
		}))
		_, err := f.client().Target(nil, entra.NewBudget(100)).Write(t.Context(),
			[]directory.Write{update("a"), {Kind: directory.SetManager, ID: "a", ManagerID: "m"}, update("b")})
		want := []string{"PATCH /users/b", "PATCH /users/a", "PATCH /users/a", "PUT /users/a/manager/$ref"}
		if err != nil || !slices.Equal(order, want) {
			t.Errorf("got %v, %v, want %v", order, err, want)
		}
	})
}

func TestWritesStayWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		f := newFake(t, batches(t, func(it item) outcome {
			at = append(at, time.Now())
			return done(it)
		}))
		var ws []directory.Write
		for i := range 200 {
			ws = append(ws, update(fmt.Sprintf("u%d", i)))
		}
		m := entra.NewMeter()
		if _, err := f.client().Target(m, entra.NewBudget(1.5)).Write(t.Context(), ws); err != nil {
			t.Fatal(err)
		}
		if worst := worstWindow(at); worst > 15 || len(at) != 200 {
			t.Errorf("got %d writes, at most %d within 10s, want 200 and 15", len(at), worst)
		}
		if r, _, _ := m.Counts(); r != 14 {
			t.Errorf("got %d requests, want 14 batches of 15", r)
		}
	})
}

func TestWriteEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFake(t, batches(t, func(it item) outcome {
			if it.URL == "/users/u39" { // a batch is played from its end
				cancel()
			}
			return done(it)
		}))
		var ws []directory.Write
		for i := range 60 {
			ws = append(ws, update(fmt.Sprintf("u%d", i)))
		}
		got, err := f.client().Target(nil, entra.NewBudget(100)).Write(ctx, ws)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want the context's error", err)
		}
		for i, w := range got {
			// The second batch was on its way and may land.
			if i < 40 && w.Err != nil || i >= 40 && (!errors.Is(w.Err, context.Canceled) || directory.KindOf(w.Err) == directory.Ambiguous) {
				t.Errorf("outcome %d: got %v", i, w.Err)
			}
		}
		if n := len(f.seen()); n != 2 {
			t.Errorf("got %d requests, want 2", n)
		}
	})
}

func TestWriteDoesNotLingerForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		f := newFake(t, func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() })
		f.token = func(int) string { return "t" }
		start := time.Now()
		got, err := f.client().Target(nil, entra.NewBudget(100)).Write(ctx, []directory.Write{update("u")})
		if took := time.Since(start); err == nil || took != 20*time.Second {
			t.Errorf("got %v after %v, want an error after 20s", err, took)
		}
		if directory.KindOf(got[0].Err) != directory.Ambiguous {
			t.Errorf("got %v, want ambiguous: it was on its way", got[0].Err)
		}
	})
}

func TestServiceUnderPressureSlowsTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		use := "0.9"
		f := newFake(t, batches(t, func(item) outcome {
			return outcome{status: 204, headers: map[string]string{"x-ms-throttle-limit-percentage": use}}
		}))
		b := entra.NewBudget(10)
		target := f.client().Target(nil, b)
		for _, step := range []struct {
			use  string
			want int
		}{{"0.9", 100}, {"1.2", 70}} {
			use = step.use
			if _, err := target.Write(t.Context(), []directory.Write{update("u")}); err != nil {
				t.Fatal(err)
			}
			if got := b.Capacity(); got != step.want {
				t.Errorf("at %s of the limit: got capacity %d, want %d", use, got, step.want)
			}
		}
	})
}

func TestWriteEndsWhenTheTokenIsRefused(t *testing.T) {
	for name, graph := range map[string]func(http.ResponseWriter, *http.Request, []byte){
		"outer": inOrder(says(401, graphError("InvalidAuthenticationToken", "x"))),
		"inner": batches(t, func(item) outcome {
			return outcome{status: 401, body: graphError("InvalidAuthenticationToken", "x")}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, graph)
				ws, err := f.client().Target(nil, entra.NewBudget(100)).Write(t.Context(), oneOfEach())
				if directory.KindOf(err) != directory.SignIn {
					t.Fatalf("got %v, want a sign-in error", err)
				}
				for i, w := range ws {
					if directory.KindOf(w.Err) != directory.SignIn {
						t.Errorf("outcome %d: got %v", i, w.Err)
					}
				}
				if calls := f.seen(); len(calls) != 2 || calls[0].token == calls[1].token {
					t.Errorf("got %d requests, want 2 with different tokens", len(calls))
				}
			})
		})
	}
}

func TestWritesThatNeedNoRequest(t *testing.T) {
	f := newFake(t, batches(t, done))
	ws, err := f.client().Target(nil, entra.NewBudget(100)).Write(t.Context(), []directory.Write{
		{Kind: directory.Update, ID: "u"},
		{Kind: directory.Update, ID: ""},
		{Kind: directory.Delete, ID: "../groups/x"},
		{Kind: directory.SetManager, ID: "u"},
		{Kind: directory.Invite, Address: "a@x.test"},
		{Kind: directory.Update, ID: "u", Attributes: attributes("manager", directory.RefOf("m"))},
		{Kind: 77, ID: "u"},
	})
	want := []directory.ErrorKind{0, directory.Invalid, directory.Invalid, directory.Invalid, directory.Invalid, directory.Invalid, directory.Invalid}
	if got := kinds(ws); err != nil || !slices.Equal(got, want) || len(f.seen()) != 0 {
		t.Errorf("got %v, %v after %d requests, want %v after none", got, err, len(f.seen()), want)
	}
	if ws[0].Err != nil {
		t.Errorf("empty update: got %v, want done", ws[0].Err)
	}
	if ws, err := f.client().Target(nil, entra.NewBudget(1)).Write(t.Context(), nil); err != nil || len(ws) != 0 {
		t.Errorf("nothing to write: got %v, %v", ws, err)
	}
}
