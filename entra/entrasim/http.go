package entrasim

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// call is one operation on its way through the simulation: an HTTP request or
// one item of a batch.
type call struct {
	cloud  *Cloud
	tenant *Tenant
	claims *claims
	now    time.Time

	method string
	path   string // below the version, as sent: what faults and the journal see
	query  url.Values
	header http.Header
	body   []byte

	root    string // scheme and host all links are built from
	version string // v1.0 or beta
	item    string // id of the batch item, "" outside a batch
	inner   bool

	authority bool // a call of the token endpoint, not of Graph

	ids     []string // what the placeholders of the route matched
	route   *route
	replica int // the replica that answers, -1 until one is needed

	spoiled  string // what a fault does to a page
	pageSize int    // a fault's page size

	requestID       string
	clientRequestID string
}

// response is what leaves the simulation: an answer and how it is to be spoilt.
type response struct {
	answer
	reset bool // break the connection instead of answering
	cut   int  // break the connection after so many bytes of the body; 0 = never
}

// The largest request bodies that are read: of Graph's calls, and of tenant
// files at the administrators' door.
const (
	maxBody     = 8 << 20
	maxFileBody = 1 << 30
)

// ServeHTTP serves Graph below /v1.0, the token endpoints of all tenants, and
// the administrators' door below /simulation.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	resp := c.respond(r, scheme+"://"+r.Host)
	if resp.reset {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	for name, value := range resp.header {
		h.Set(name, value)
	}
	h.Set("Content-Length", strconv.Itoa(len(resp.body)))
	if resp.status == http.StatusNoContent {
		h.Del("Content-Length")
	}
	w.WriteHeader(resp.status)
	if resp.cut > 0 && resp.cut < len(resp.body) {
		_, _ = w.Write(resp.body[:resp.cut]) // the connection is broken next anyway
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(resp.body) // a client that went away needs no answer
}

// ErrConnectionReset is what a client of Transport sees when a fault closes the
// connection.
var ErrConnectionReset = errors.New("connection reset by peer")

// Transport returns an in-process way to the Cloud: no sockets and no
// goroutines, so it works inside a testing/synctest bubble. Requests to another
// host than base's fail as an unknown host would.
func (c *Cloud) Transport(base *url.URL) http.RoundTripper {
	return &transport{cloud: c, host: base.Host, root: baseOf(base)}
}

type transport struct {
	cloud *Cloud
	host  string
	root  string
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }() // nothing can be done about it
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.URL.Host != t.host {
		return nil, fmt.Errorf("simulated network: lookup %s: no such host", r.URL.Host)
	}
	resp := t.cloud.respond(r, t.root)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if resp.reset {
		return nil, ErrConnectionReset
	}
	out := &http.Response{
		Status: strconv.Itoa(resp.status) + " " + http.StatusText(resp.status), StatusCode: resp.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header, len(resp.header)),
		ContentLength: int64(len(resp.body)), Request: r,
	}
	for name, value := range resp.header {
		out.Header.Set(name, value)
	}
	var body io.Reader = bytes.NewReader(resp.body)
	if resp.cut > 0 && resp.cut < len(resp.body) {
		body = io.MultiReader(bytes.NewReader(resp.body[:resp.cut]), brokenReader{})
	}
	out.Body = io.NopCloser(body)
	return out, nil
}

// brokenReader is the rest of a body that never came.
type brokenReader struct{}

// Read implements io.Reader.
func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// respond answers one HTTP request.
func (c *Cloud) respond(r *http.Request, root string) response {
	x := &call{
		cloud: c, now: time.Now(), replica: -1, method: r.Method, header: r.Header, root: root,
		requestID: c.newID(), clientRequestID: r.Header.Get("client-request-id"),
	}
	if x.clientRequestID == "" {
		x.clientRequestID = x.requestID
	}
	resp := c.dispatch(r, x)
	x.decorate(&resp.answer)
	return resp
}

// decorate adds the headers every answer carries.
func (x *call) decorate(a *answer) {
	if a.header == nil {
		a.header = make(map[string]string, 8)
	}
	set := func(name, value string) {
		if _, ok := a.header[name]; !ok {
			a.header[name] = value
		}
	}
	set("request-id", x.requestID)
	set("client-request-id", x.clientRequestID)
	set("Date", x.now.UTC().Format(http.TimeFormat))
	set("x-ms-ags-diagnostic", `{"ServerInfo":{"DataCenter":"Simulation","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"ENTRASIM"}}`)
	if len(a.body) > 0 {
		set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	}
}

// dispatch reads the request and sends it to the authority, to the
// administrators' door or to Graph.
func (c *Cloud) dispatch(r *http.Request, x *call) response {
	limit := int64(maxBody)
	if strings.HasPrefix(r.URL.Path, "/simulation/") {
		limit = maxFileBody
	}
	body, err := readBody(r, limit)
	if err != nil {
		return response{answer: x.fail(http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload. "+err.Error())}
	}
	x.body = body
	path := r.URL.EscapedPath()
	if x.query, err = parseQuery(r.URL.RawQuery); err != nil {
		return response{answer: x.parseError("The query string is malformed: %v.", err)}
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "v1.0", "beta":
		x.version = first
		x.path = unescape("/" + rest)
		return c.graph(r.Context(), x, "/"+rest)
	case "simulation":
		x.version = "v1.0"
		x.path = path
		return response{answer: c.admin(x, rest)}
	}
	x.path = path
	x.authority = true
	segments := strings.Split(strings.TrimPrefix(unescape(path), "/"), "/")
	name := ""
	if t, found := c.Tenant(segments[0]); found {
		name = t.Name
	}
	return c.faults.around(r.Context(), x, name, func() response {
		return response{answer: c.serveAuthority(x, segments)}
	})
}

// readBody reads a request body, gzip or not.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	var in io.Reader = io.LimitReader(r.Body, limit+1)
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("read gzip body: %w", err)
		}
		in = io.LimitReader(z, limit+1)
	}
	body, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, errors.New("the body is too large")
	}
	return body, nil
}

// parseQuery reads a query string; OData options work with and without their $.
func parseQuery(raw string) (url.Values, error) {
	if raw == "" {
		return nil, nil
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"select", "filter", "top", "count", "expand", "orderby", "search", "skip", "skiptoken", "deltatoken"} {
		if v, ok := q[name]; ok {
			q["$"+name] = v
			delete(q, name)
		}
	}
	return q, nil
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// graph authenticates a Graph request and executes it.
func (c *Cloud) graph(ctx context.Context, x *call, escaped string) response {
	if a, ok := c.authenticate(x); !ok {
		return c.faults.around(ctx, x, "", func() response { return response{answer: a} })
	}
	x.tenant.counts.request()
	return c.execute(ctx, x, escaped)
}

// authenticate finds the tenant and the application behind the bearer token.
func (c *Cloud) authenticate(x *call) (answer, bool) {
	scheme, token, _ := strings.Cut(x.header.Get("Authorization"), " ")
	message := "Access token is empty."
	if strings.EqualFold(scheme, "Bearer") && token != "" {
		var cl *claims
		if cl, message = c.verify(strings.TrimSpace(token), x.now); cl != nil && message == "" {
			x.claims, x.tenant = cl, cl.tenant
			return answer{}, true
		}
	}
	a := x.fail(http.StatusUnauthorized, "InvalidAuthenticationToken", message)
	a.header = map[string]string{"WWW-Authenticate": `Bearer realm="", authorization_uri="` + x.root + `/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`}
	return a, false
}

// execute runs one operation, from a request of its own or from a batch, with
// its faults, its permission, its quota and its record.
func (c *Cloud) execute(ctx context.Context, x *call, escaped string) response {
	segments, err := splitPath(escaped)
	if err != nil {
		return response{answer: x.parseError("The request URI is malformed: %v.", err)}
	}
	missing := c.findRoute(x, segments)
	performed := false
	resp := c.faults.around(ctx, x, x.tenant.Name, func() response {
		if x.route == nil {
			return response{answer: missing}
		}
		performed = true
		a := c.perform(ctx, x)
		x.tenant.record(x, a)
		return response{answer: a}
	})
	if x.route != nil && !performed { // a fault refused it: asked for all the same
		x.tenant.record(x, resp.answer)
	}
	return resp
}

// perform checks permission and quota and calls the route's handler.
func (c *Cloud) perform(ctx context.Context, x *call) answer {
	limits, refused := c.quota.take(x)
	if refused != nil {
		return *refused
	}
	a := x.denied()
	if x.allowed(x.route.needs...) {
		x.tenant.expire(x.now)
		a = x.route.serve(x, ctx)
	}
	for name, value := range limits {
		if a.header == nil {
			a.header = make(map[string]string, 8)
		}
		a.header[name] = value
	}
	return a
}

// allowed reports whether the application has one of the permissions; none
// named means that any application may.
func (x *call) allowed(permissions ...string) bool {
	for _, p := range permissions {
		if x.claims.grants[p] {
			return true
		}
	}
	return len(permissions) == 0
}

// expire purges users whose time in the recycle bin is over.
func (t *Tenant) expire(now time.Time) {
	t.mu.RLock()
	due := len(t.deleted) > 0 && now.Sub(t.deleted[0].deletedAt) >= retention
	t.mu.RUnlock()
	if due {
		t.mu.Lock()
		t.purgeExpired(now)
		t.mu.Unlock()
	}
}

// contextURL is the @odata.context of an answer.
func (x *call) contextURL(what string) string {
	return x.root + "/" + x.version + "/$metadata#" + what
}
