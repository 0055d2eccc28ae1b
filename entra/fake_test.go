package entra_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tenantsync/entra"
)

const (
	tenantID = "11111111-1111-1111-1111-111111111111"
	clientID = "22222222-2222-2222-2222-222222222222"
	graphURL = "https://graph.test/v1.0"
	loginURL = "https://login.test"
)

// seen is one request to Graph as the fake saw it.
type seen struct {
	method, path, body, token string
	header                    http.Header
}

// fake answers for the authority and for Graph in the process. Its graph
// function plays the service; everything it is asked is kept.
type fake struct {
	t     *testing.T
	token func(n int) string // the n-th token, from 1
	deny  func() (status int, body string)
	graph func(w http.ResponseWriter, r *http.Request, body []byte)

	mu     sync.Mutex
	tokens int
	calls  []seen
}

func newFake(t *testing.T, graph func(w http.ResponseWriter, r *http.Request, body []byte)) *fake {
	return &fake{t: t, graph: graph, token: func(n int) string { return fmt.Sprintf("token-%d", n) }}
}

// RoundTrip serves a request in the caller's goroutine.
func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.Request = r
	if resp.StatusCode == abort {
		return nil, io.ErrUnexpectedEOF
	}
	return resp, nil
}

// abort is a status that makes the fake lose the answer.
const abort = 599

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	login := "https://" + r.Host
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		base := login + "/" + tenantID
		writeJSON(w, 200, `{"token_endpoint":"`+base+`/oauth2/v2.0/token","authorization_endpoint":"`+base+
			`/oauth2/v2.0/authorize","issuer":"`+base+`/v2.0"}`)
	case strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token"):
		f.mu.Lock()
		f.tokens++
		token := f.token(f.tokens)
		f.mu.Unlock()
		if f.deny != nil {
			status, text := f.deny()
			writeJSON(w, status, text)
			return
		}
		writeJSON(w, 200, `{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"`+token+`"}`)
	default:
		f.mu.Lock()
		f.calls = append(f.calls, seen{r.Method, r.URL.RequestURI(), string(body),
			strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), r.Header.Clone()})
		f.mu.Unlock()
		f.graph(w, r, body)
	}
}

// seen returns the requests to Graph so far.
func (f *fake) seen() []seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]seen(nil), f.calls...)
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func graphError(code, message string) string {
	return fmt.Sprintf(`{"error":{"code":%q,"message":%q,"innerError":{"request-id":"r-1"}}}`, code, message)
}

// client returns a client over the fake.
func (f *fake) client(change ...func(*entra.Config)) *entra.Client {
	f.t.Helper()
	cfg := entra.Config{
		Name: "contoso", TenantID: tenantID, Graph: graphURL, Authority: loginURL, Transport: f,
		Credential: entra.Credential{Kind: entra.SecretCredential, ClientID: clientID, Secret: "s3cret-value"},
		Jitter:     func() float64 { return 0 },
	}
	for _, c := range change {
		c(&cfg)
	}
	c, err := entra.New(cfg)
	if err != nil {
		f.t.Fatalf("New: %v", err)
	}
	return c
}

// jwt returns an unsigned token with these claims.
func jwt(claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"none"}`)) + "." + enc([]byte(claims)) + "." + enc([]byte("x"))
}

// item is one request of a batch as the fake reads it.
type item struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// outcome is the answer to an item.
type outcome struct {
	status  int
	body    string
	headers map[string]string
	missing bool
}

// batches plays $batch: each item is answered by one, in reverse order.
func batches(t *testing.T, one func(item) outcome) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.URL.Path != "/v1.0/$batch" || r.Method != "POST" {
			t.Errorf("unexpected request %s %s", r.Method, r.URL)
			w.WriteHeader(404)
			return
		}
		_, _ = io.WriteString(w, batchAnswer(t, body, one))
	}
}

func batchAnswer(t *testing.T, body []byte, one func(item) outcome) string {
	var doc struct {
		Requests []item `json:"requests"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Errorf("batch body: %v\n%s", err, body)
	}
	if len(doc.Requests) == 0 || len(doc.Requests) > 20 {
		t.Errorf("batch of %d items", len(doc.Requests))
	}
	answers := make([]string, 0, len(doc.Requests))
	for i := len(doc.Requests) - 1; i >= 0; i-- {
		it := doc.Requests[i]
		o := one(it)
		if o.missing {
			continue
		}
		headers, _ := json.Marshal(o.headers)
		text := fmt.Sprintf(`{"id":%q,"status":%d,"headers":%s`, it.ID, o.status, headers)
		if o.body != "" {
			text += `,"body":` + o.body
		}
		answers = append(answers, text+"}")
	}
	return `{"responses":[` + strings.Join(answers, ",") + `]}`
}
