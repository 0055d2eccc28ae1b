package e2e_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// traffic is what went over one tenant's wire.
type traffic struct {
	Requests      int // HTTP requests to Graph; a batch is one
	WriteRequests int // those of them that carry at least one write
	Invitations   int // writes that Graph accepted, by kind …
	Patches       int
	Managers      int
	Restores      int
	Deletes       int
	Refused       int // … and those it refused
}

// writes counts what changed the tenant.
func (c traffic) writes() int {
	return c.Invitations + c.Patches + c.Managers + c.Restores + c.Deletes
}

func (c traffic) plus(d traffic) traffic {
	return traffic{
		Requests: c.Requests + d.Requests, WriteRequests: c.WriteRequests + d.WriteRequests, Invitations: c.Invitations + d.Invitations,
		Patches: c.Patches + d.Patches, Managers: c.Managers + d.Managers, Restores: c.Restores + d.Restores, Deletes: c.Deletes + d.Deletes,
		Refused: c.Refused + d.Refused,
	}
}

// wire is a TLS proxy before one simulated tenant. It counts, and can cut the
// line after a request has been carried out and before its answer is given.
type wire struct {
	t      *testing.T
	server *httptest.Server
	target *url.URL
	client *http.Transport

	mu    sync.Mutex
	total traffic
	trail []string           // one line a request, for a failing test
	cut   func(traffic) bool // told what the wire has carried; true: no answer
}

func newWire(t *testing.T, graph string) *wire {
	t.Helper()
	target, err := url.Parse(graph)
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, target: target, client: &http.Transport{
		// The tap is no judge of certificates: the simulator is a process of this test.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableCompression: true,
	}}
	w.server = httptest.NewTLSServer(w)
	t.Cleanup(func() {
		w.server.Close()
		w.client.CloseIdleConnections()
	})
	return w
}

// graph is the root that stands in the configuration instead of the tenant's.
func (w *wire) graph() string { return w.server.URL + w.target.Path }

// certificate is the authority to trust.
func (w *wire) certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw})
}

// take returns what the wire has carried since it was last asked.
func (w *wire) take() (traffic, []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	total, trail := w.total, w.trail
	w.total, w.trail = traffic{}, nil
	return total, trail
}

// cutWhen sets when the line is cut; nil never does.
func (w *wire) cutWhen(cut func(traffic) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the caller has gone
	}
	up := r.Clone(r.Context())
	up.RequestURI, up.URL.Scheme, up.URL.Host = "", w.target.Scheme, w.target.Host
	up.Body, up.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	// The Host stays the tap's, so that the links in answers lead through it.
	resp, err := w.client.RoundTrip(up)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close() // read to its end below
	reply, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if w.record(r, plain(body, r.Header), resp.StatusCode, plain(reply, resp.Header)) {
		panic(http.ErrAbortHandler)
	}
	for name, values := range resp.Header {
		rw.Header()[name] = values
	}
	rw.WriteHeader(resp.StatusCode)
	_, _ = rw.Write(reply) // a caller that has gone does not matter here
}

// plain undoes the compression of a body; what is not understood stays as it is.
func plain(body []byte, header http.Header) []byte {
	if header.Get("Content-Encoding") != "gzip" {
		return body
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return body
	}
	return text
}

// record counts one request and tells whether the line is to be cut.
func (w *wire) record(r *http.Request, body []byte, status int, reply []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := r.Method + " " + strings.TrimPrefix(r.URL.RequestURI(), w.target.Path)
	w.total.Requests++
	if strings.HasSuffix(r.URL.Path, "/$batch") {
		items, writes := w.recordBatch(body, reply)
		if writes {
			w.total.WriteRequests++
		}
		line += items
	} else if w.total.count(r.Method, r.URL.Path, status) {
		w.total.WriteRequests++
	}
	w.trail = append(w.trail, line)
	return w.cut != nil && w.cut(w.total)
}

// recordBatch counts the items of a batch and tells what they are.
func (w *wire) recordBatch(body, reply []byte) (line string, writes bool) {
	var asked struct {
		Requests []struct{ ID, Method, URL string }
	}
	var answered struct {
		Responses []struct {
			ID     string
			Status int
		}
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		w.t.Errorf("a batch that is no JSON: %v\n%s", err, body)
	}
	_ = json.Unmarshal(reply, &answered) // an error page: every item counts as refused
	status := map[string]int{}
	for _, a := range answered.Responses {
		status[a.ID] = a.Status
	}
	if n := len(asked.Requests); n == 0 || n > 20 {
		w.t.Errorf("a batch of %d items, want 1 to 20", n)
	}
	var text strings.Builder
	for _, q := range asked.Requests {
		path, _, _ := strings.Cut(q.URL, "?")
		writes = w.total.count(q.Method, path, status[q.ID]) || writes
		text.WriteString("\n    " + q.Method + " " + q.URL + " " + http.StatusText(status[q.ID]))
	}
	return text.String(), writes
}

// count adds one request, alone or in a batch, and tells whether it is a write.
func (c *traffic) count(method, path string, status int) bool {
	switch {
	case method == http.MethodGet, strings.HasSuffix(path, "/getByIds"):
		return false
	case status < 200 || status > 299:
		c.Refused++
	case strings.HasSuffix(path, "/invitations"):
		c.Invitations++
	case strings.HasSuffix(path, "/manager/$ref"):
		c.Managers++
	case strings.HasSuffix(path, "/restore"):
		c.Restores++
	case method == http.MethodDelete:
		c.Deletes++
	default:
		c.Patches++
	}
	return true
}
