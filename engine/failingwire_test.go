package engine_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
)

// outage is how the way to the tenants fails at a request and after it.
type outage struct {
	// lost: the request arrives and takes effect, and its answer never comes back;
	// else it is not even sent.
	lost bool
	// once: only that request is met; else the way stays broken.
	once bool
	// page: an answer comes, the page of some gateway.
	page bool
}

// breakAt makes the n-th request from now on fail; left returns how many requests
// were still to come before it.
func (w *world) breakAt(n int, o outage) (left func() int) {
	var mu sync.Mutex
	met := func() bool {
		mu.Lock()
		defer mu.Unlock()
		n--
		return n == 0 || n < 0 && !o.once
	}
	if o.lost || o.page {
		w.wire.set(nil, func(_ *http.Request, resp *http.Response) (*http.Response, error) {
			if !met() {
				return resp, nil
			}
			if o.lost {
				return nil, entrasim.ErrConnectionReset
			}
			resp.StatusCode, resp.Status = http.StatusServiceUnavailable, "503 Service Unavailable"
			const text = "<html><body>Service Unavailable</body></html>"
			resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
			resp.Header = http.Header{"Content-Type": {"text/html"}}
			return resp, nil
		})
	} else {
		w.wire.set(func(*http.Request) error {
			if met() {
				return entrasim.ErrConnectionReset
			}
			return nil
		}, nil)
	}
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// Whichever request fails, whatever became of it, and whether or not the next ones
// come through: when the way works again everything comes to the same end as if
// nothing had happened; nobody is there twice.
func TestEveryRequestMayFail(t *testing.T) {
	for name, broken := range map[string]outage{
		"not sent, and none after it":    {},
		"answer lost, and none after it": {lost: true},
		"answer lost":                    {lost: true, once: true},
		"a gateway answers":              {page: true, once: true},
	} {
		for what, test := range deeds() {
			if what == "status" || what == "reject" || what == "restart" {
				continue // asks no tenant
			}
			t.Run(what+"/"+name, func(t *testing.T) {
				t.Parallel()
				var want []string
				done := false
				step := 3 // 1 for every request; it takes a minute
				if testing.Short() {
					step = 11
				}
				for n := 0; !done && !t.Failed(); n += step { // 0: nothing fails
					story(t, func(w *world) {
						test.prepare(w)
						before := w.outcome()
						left := func() int { return 0 }
						if n > 0 {
							left = w.breakAt(n, broken)
						}
						err := test.act(w.Context(), w.engine)
						done = n > 0 && left() > 0
						w.wire.set(nil, nil)
						switch {
						case n == 0 && err != nil:
							w.Fatalf("nothing fails: got %v", err)
						case strings.HasPrefix(what, "plan") && !slices.Equal(w.outcome(), before):
							w.Fatalf("request %d fails: the plan changed something", n)
						}
						if held, err := w.engine.Held(w.Context(), jobName, false); what == "allow" && err == nil && len(held.Held) > 0 {
							w.must(test.act(w.Context(), w.engine)) // what the fault prevented is asked for again
						}
						for range 3 {
							w.pass(48 * time.Hour)
							_, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
							w.must(err)
						}
						w.sourceUntouched()
						if got := w.outcome(); n == 0 {
							want = got
						} else if diff := cmp.Diff(want, got); diff != "" {
							w.Fatalf("request %d fails: the target afterwards (-want +got):\n%s%s", n, diff, w.failures())
						}
					})
				}
			})
		}
	}
}
