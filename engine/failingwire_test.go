package engine_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

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
	roomy(t)
	for name, o := range map[string]outage{
		"not sent, and none after it":    {},
		"answer lost, and none after it": {lost: true},
		"answer lost":                    {lost: true, once: true},
		"a gateway answers":              {page: true, once: true},
	} {
		broken := breakage{what: "request", end: func(w *world) { w.wire.set(nil, nil) },
			begin: func(w *world, n int) (*engine.Engine, func() int) {
				if n == 0 {
					return w.engine, func() int { return 0 }
				}
				return w.engine, w.breakAt(n, o)
			}}
		for what, test := range deeds() {
			if test.alone {
				continue
			}
			t.Run(what+"/"+name, func(t *testing.T) {
				t.Parallel()
				sweep(t, test, broken)
			})
		}
	}
}
