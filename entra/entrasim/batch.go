package entrasim

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxBatch is the number of requests one batch may hold.
const maxBatch = 20

// batchItem is one request of a batch, read.
type batchItem struct {
	id        string
	method    string
	url       string
	header    http.Header
	body      string // JSON text, "" without one
	dependsOn []string
}

// batch answers POST /$batch: each item is judged, charged and answered by
// itself; only a malformed batch fails as a whole.
// https://learn.microsoft.com/graph/json-batching
func (x *call) batch(ctx context.Context) answer {
	items, refused := x.readBatch()
	if refused != nil {
		return *refused
	}
	statuses := make(map[string]int, len(items))
	var out [][]byte
	for _, it := range items {
		resp := x.performItem(ctx, it, statuses)
		if statuses[strings.ToLower(it.id)] = resp.status; !resp.reset { // else its answer got lost
			out = append(out, appendItem(nil, it.id, resp.answer))
		}
	}
	if x.spoiled == "shuffle" {
		x.cloud.shuffle(out)
	}
	b := append([]byte(`{"responses":[`), bytes.Join(out, []byte{','})...)
	return ok(append(b, "]}"...))
}

// appendItem writes the answer to one item.
func appendItem(b []byte, id string, a answer) []byte {
	b = append(b, `{"id":`...)
	b = appendQuoted(b, id)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(a.status), 10)
	b = append(b, `,"headers":{`...)
	names := make([]string, 0, len(a.header))
	for name := range a.header {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, name)
		b = append(b, ':')
		b = appendQuoted(b, a.header[name])
	}
	b = append(b, '}')
	if len(a.body) > 0 {
		b = append(b, `,"body":`...)
		if text := a.body; a.isJSON() {
			b = append(b, text...)
		} else {
			b = appendQuoted(b, string(text))
		}
	}
	return append(b, '}')
}

func (a answer) isJSON() bool {
	ct := a.header["Content-Type"]
	if ct != "" && !strings.HasPrefix(ct, "application/json") {
		return false
	}
	_, err := compact(a.body)
	return err == nil
}

// performItem runs one item as a call of its own.
func (x *call) performItem(ctx context.Context, it batchItem, statuses map[string]int) response {
	y := &call{
		cloud: x.cloud, tenant: x.tenant, claims: x.claims, now: x.now, replica: -1,
		method: it.method, header: it.header, body: []byte(it.body),
		root: x.root, version: x.version, item: it.id, inner: true,
		requestID: x.cloud.newID(), clientRequestID: x.clientRequestID,
	}
	for _, id := range it.dependsOn {
		if statuses[strings.ToLower(id)] >= http.StatusBadRequest {
			a := y.fail(http.StatusFailedDependency, "FailedDependency", "A request this one depends on has failed.")
			a.header = map[string]string{"Content-Type": "application/json"}
			return response{answer: a}
		}
	}
	path, query, err := pathOnly(it.url)
	if err != nil {
		return response{answer: y.parseError("The URL of the request is malformed.")}
	}
	if y.query = query; !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	y.path = unescape(path)
	var resp response
	if path == "/$batch" {
		resp.answer = y.parseError("A batch cannot hold a batch.")
	} else {
		resp = x.cloud.execute(ctx, y, path)
	}
	if resp.header == nil {
		resp.header = map[string]string{}
	}
	if len(resp.body) > 0 && resp.header["Content-Type"] == "" {
		resp.header["Content-Type"] = "application/json"
	}
	return resp
}

// readBatch reads the items and refuses what makes the whole batch invalid.
func (x *call) readBatch() ([]batchItem, *answer) {
	body, refused := x.readObject()
	if refused != nil {
		return nil, refused
	}
	fail := func(format string, args ...any) ([]batchItem, *answer) {
		a := x.parseError("Invalid batch payload format. "+format, args...)
		return nil, &a
	}
	var items []batchItem
	seen := map[string]bool{}
	err := eachElement(body.Raw("requests"), func(i int, raw string) error {
		it, err := readItem(raw)
		if err != nil {
			return fmt.Errorf("requests[%d]: %w", i, err)
		}
		for _, d := range it.dependsOn {
			if !seen[strings.ToLower(d)] {
				return fmt.Errorf("requests[%d].dependsOn: no request before it has the id '%s'", i, d)
			}
		}
		key := strings.ToLower(it.id)
		if seen[key] {
			return fmt.Errorf("requests[%d].id: '%s' occurs twice", i, it.id)
		}
		seen[key] = true
		items = append(items, it)
		return nil
	})
	switch {
	case err != nil:
		return fail("%v", err)
	case len(items) == 0:
		return fail("There is no request.")
	case len(items) > maxBatch:
		a := x.fail(http.StatusBadRequest, "MaximumValueExceeded", fmt.Sprintf("Number of batch request steps exceeds the maximum value of %d.", maxBatch))
		return nil, &a
	}
	return items, nil
}

// batchMethods are the methods an item may have.
var batchMethods = []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete}

func readItem(raw string) (batchItem, error) {
	o, err := parseObject(raw)
	if err != nil {
		return batchItem{}, err
	}
	it := batchItem{id: o.String("id"), method: strings.ToUpper(o.String("method")), url: o.String("url"), header: http.Header{}}
	if it.id == "" {
		return it, fmt.Errorf("an id is required")
	}
	if !slices.Contains(batchMethods, it.method) {
		return it, fmt.Errorf("the method '%s' is not supported", it.method)
	}
	if it.url == "" || strings.Contains(it.url, "://") {
		return it, fmt.Errorf("a URL relative to the version root is required")
	}
	if h := o.Raw("headers"); !isNull(h) {
		err := eachMember(h, func(name, v string) error {
			s, isText := unquote(v)
			if !isText {
				return fmt.Errorf("the header '%s' must be a string", name)
			}
			it.header.Set(name, s)
			return nil
		})
		if err != nil {
			return it, err
		}
	}
	if b := o.Raw("body"); !isNull(b) {
		if it.header.Get("Content-Type") == "" {
			return it, fmt.Errorf("a Content-Type header is required with a body")
		}
		if it.body = b; b[0] != '{' {
			return it, fmt.Errorf("the body must be a JSON object")
		}
	}
	deps, isList := stringList(o.Raw("dependsOn"))
	if !isList {
		return it, fmt.Errorf("dependsOn must be a list of ids")
	}
	it.dependsOn = deps
	return it, nil
}
