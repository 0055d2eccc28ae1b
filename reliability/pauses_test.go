package reliability_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// pauses is what a tenant has asked one client to wait for by Retry-After.
type pauses struct {
	mu     sync.Mutex
	writes time.Time            // no write before it: a whole request was refused
	single map[string]time.Time // not this request, or this item of a batch, before it
}

// batched is a batch as it is sent or answered.
type batched struct {
	Requests, Responses []struct {
		ID, Method, URL string
		Body            json.RawMessage
		Status          int
		Headers         map[string]string
	}
}

// sent are the parts of a request: the items of a batch, or the request itself.
func sent(r *http.Request, body []byte) (parts map[string]string, writes bool) {
	parts = map[string]string{}
	var b batched
	if !strings.HasSuffix(r.URL.Path, "/$batch") || json.Unmarshal(body, &b) != nil {
		parts[""] = r.Method + " " + r.URL.String()
		return parts, false
	}
	for _, q := range b.Requests {
		parts[q.ID] = q.Method + " " + q.URL + " " + string(q.Body)
		writes = writes || q.Method != http.MethodGet
	}
	return parts, writes
}

// check holds that a request, or an item of it, does not go before its time.
func (p *pauses) check(w *world, r *http.Request, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for part, until := range p.single {
		if !now.Before(until) {
			delete(p.single, part)
		}
	}
	if len(p.single) == 0 && !now.Before(p.writes) {
		return // nothing is waited for
	}
	parts, writes := sent(r, body)
	if writes && now.Before(p.writes) {
		w.violate("Retry-After is obeyed", "a write goes out %v too early", p.writes.Sub(now))
	}
	for _, id := range sortedKeys(parts) {
		if until := p.single[parts[id]]; now.Before(until) {
			w.violate("Retry-After is obeyed", "%s goes out %v too early", w.named(parts[id]), until.Sub(now))
		}
	}
}

// note keeps what an answer asks for.
func (p *pauses) note(r *http.Request, body []byte, resp *http.Response, answer []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.single == nil {
		p.single = map[string]time.Time{}
	}
	if resp.StatusCode < http.StatusBadRequest && len(p.single) == 0 && !bytes.Contains(answer, []byte("Retry-After")) {
		return // no item of it is to be waited for, and none was
	}
	parts, writes := sent(r, body)
	if resp.StatusCode >= http.StatusBadRequest {
		until := retryAfter(resp.Header.Get("Retry-After"))
		if writes && until.After(p.writes) {
			p.writes = until
		}
		if !writes && parts[""] != "" {
			p.single[parts[""]] = until
		}
		return
	}
	var b batched
	if parts[""] != "" || json.Unmarshal(answer, &b) != nil {
		return
	}
	for _, a := range b.Responses {
		if part, asked := parts[a.ID]; asked && a.Status >= http.StatusBadRequest {
			p.single[part] = retryAfter(a.Headers["Retry-After"])
		}
	}
}

// retryAfter is when a Retry-After of now is over; the past when there is none.
func retryAfter(text string) time.Time {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return time.Now().Add(time.Duration(seconds * float64(time.Second)))
	}
	at, _ := http.ParseTime(text)
	return at
}
