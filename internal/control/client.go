package control

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tenantsync/engine"
	"tenantsync/store"
)

// dialTimeout is how long a daemon may take to accept and to answer /v1/health.
const dialTimeout = 3 * time.Second

// Client asks a running daemon. It is safe for concurrent use.
type Client struct {
	http   *http.Client
	base   string
	token  string
	reason string
}

var _ Service = (*Client)(nil)

// Because returns a client that tells with every request why it is made, for the
// record of administrative acts.
func (c *Client) Because(reason string) *Client {
	because := *c
	because.reason = reason
	return &because
}

// Dial reaches the daemon at the address and makes sure that it is one. The token
// is needed for TCP; over a socket "" means the rights of the user. Where nobody
// answers the error is ErrUnreachable, and wraps an *[engine.Error] of ClassSignIn
// where a daemon answers and refuses the token.
func Dial(ctx context.Context, address Address, token string) (*Client, error) {
	c := &Client{base: "http://" + address.Host, token: token}
	transport := &http.Transport{Proxy: nil, ResponseHeaderTimeout: 0}
	if address.Socket != "" {
		c.base = "http://" + product
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialSocket(ctx, address.Socket)
		}
	}
	c.http = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("a daemon does not redirect")
	}}
	limited, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if err := c.greet(limited); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s: %w: %w", address, ErrUnreachable, err)
	}
	return c, nil
}

// greet asks whether a daemon is there.
func (c *Client) greet(ctx context.Context) error {
	response, err := c.send(ctx, http.MethodGet, "health", nil, "")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var h health
	if response.StatusCode != http.StatusOK {
		var e envelope[struct{}]
		if json.NewDecoder(io.LimitReader(response.Body, maxBody)).Decode(&e) == nil && e.Error != nil {
			return fromWire(e.Error)
		}
		return fmt.Errorf("answered %s", response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxBody)).Decode(&h); err != nil || h.Product != product {
		return errors.New("something else answers there")
	}
	return nil
}

// maxWaits is how often a request is repeated that the daemon put off, and
// longestWait what is waited for at a time.
const (
	maxWaits    = 8
	longestWait = 30 * time.Second
)

// send sends one request, and again when the daemon says that it came too soon: it
// was not looked at then. An error means that no answer came.
func (c *Client) send(ctx context.Context, method, route string, body any, id string) (*http.Response, error) {
	var encoded []byte
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
	}
	for tries := 0; ; tries++ {
		response, err := c.sendOnce(ctx, method, route, encoded, id)
		if err != nil || response.StatusCode != http.StatusTooManyRequests || tries == maxWaits {
			return response, err
		}
		_ = response.Body.Close()
		wait := time.NewTimer(waitOf(response))
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil, ctx.Err()
		case <-wait.C:
		}
	}
}

// waitOf is how long a daemon asks to wait.
func waitOf(response *http.Response) time.Duration {
	seconds, err := strconv.Atoi(response.Header.Get(retryAfter))
	if err != nil || seconds < 1 {
		seconds = 1
	}
	return min(time.Duration(seconds)*time.Second, longestWait)
}

func (c *Client) sendOnce(ctx context.Context, method, route string, body []byte, id string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+"/v1/"+route, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if c.reason != "" {
		r.Header.Set(reasonHeader, url.QueryEscape(c.reason))
	}
	r.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if id != "" {
		r.Header.Set(requestID, id)
	}
	return c.http.Do(r)
}

// call asks for one answer.
func call[A any](ctx context.Context, c *Client, route string, body any) (*A, error) {
	response, err := c.send(ctx, http.MethodPost, route, body, "")
	if err != nil {
		return nil, c.lost(ctx, err)
	}
	defer response.Body.Close()
	var e envelope[A]
	if err := json.NewDecoder(response.Body).Decode(&e); err != nil {
		return nil, c.lost(ctx, err)
	}
	return unwrap(e)
}

// lost explains an answer that did not come.
func (c *Client) lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: connection lost: %w", ErrUnreachable, err)
}

func unwrap[A any](e envelope[A]) (*A, error) {
	switch {
	case e.Error != nil:
		return nil, fromWire(e.Error)
	case e.Result == nil:
		return nil, fmt.Errorf("%w: answer without a result", ErrUnreachable)
	}
	return e.Result, nil
}

// follow asks for an answer with progress. When ctx ends, the daemon is asked to
// stop in an orderly way, and what it then answers is the result.
func follow[A any](ctx context.Context, c *Client, route string, body any, report func(engine.Progress)) (*A, error) {
	id := rand.Text()
	streaming, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	defer context.AfterFunc(ctx, func() {
		limited, cancel := context.WithTimeout(streaming, dialTimeout)
		defer cancel()
		response, err := c.send(limited, http.MethodPost, "cancel", cancelRequest{ID: id}, "")
		if err != nil {
			abandon() // nobody is there to be waited for
			return
		}
		_ = response.Body.Close()
	})()
	response, err := c.send(streaming, http.MethodPost, route, body, id)
	if err != nil {
		return nil, c.lost(ctx, err)
	}
	defer response.Body.Close()
	for decoder := json.NewDecoder(response.Body); ; {
		var e envelope[A]
		if err := decoder.Decode(&e); err != nil {
			return nil, c.lost(ctx, err)
		}
		if e.Progress == nil {
			return unwrap(e)
		}
		if report != nil {
			report(*e.Progress)
		}
	}
}

// Sync implements Service.
func (c *Client) Sync(ctx context.Context, r engine.SyncRequest, report func(engine.Progress)) (engine.SyncResult, error) {
	result, err := follow[engine.SyncResult](ctx, c, "sync", r, report)
	if err != nil {
		return engine.SyncResult{}, err
	}
	return *result, nil
}

// Plan implements Service.
func (c *Client) Plan(ctx context.Context, r engine.PlanRequest, report func(engine.Progress)) (*engine.PlanResult, error) {
	return follow[engine.PlanResult](ctx, c, "plan", r, report)
}

// Provision implements Service.
func (c *Client) Provision(ctx context.Context, r engine.ProvisionRequest) (*engine.ProvisionResult, error) {
	return call[engine.ProvisionResult](ctx, c, "provision", r)
}

// Status implements Service.
func (c *Client) Status(ctx context.Context, job string) ([]engine.JobStatus, error) {
	list, err := call[[]engine.JobStatus](ctx, c, "status", jobRequest{job})
	if err != nil {
		return nil, err
	}
	return *list, nil
}

// Explain implements Service.
func (c *Client) Explain(ctx context.Context, user, job string) (*engine.Explanation, error) {
	return call[engine.Explanation](ctx, c, "explain", userRequest{user, job})
}

// ScopeTest implements Service.
func (c *Client) ScopeTest(ctx context.Context, user, job string) (*engine.ScopeTest, error) {
	return call[engine.ScopeTest](ctx, c, "scopetest", userRequest{user, job})
}

// AppRoles implements Service.
func (c *Client) AppRoles(ctx context.Context, user, job string) ([]string, error) {
	roles, err := call[[]string](ctx, c, "approles", userRequest{user, job})
	if err != nil {
		return nil, err
	}
	return *roles, nil
}

// Start implements Service.
func (c *Client) Start(ctx context.Context, job string) error {
	_, err := call[struct{}](ctx, c, "start", jobRequest{job})
	return err
}

// Pause implements Service.
func (c *Client) Pause(ctx context.Context, job string) error {
	_, err := call[struct{}](ctx, c, "pause", jobRequest{job})
	return err
}

// Restart implements Service.
func (c *Client) Restart(ctx context.Context, job string) error {
	_, err := call[struct{}](ctx, c, "restart", jobRequest{job})
	return err
}

// Held implements Service.
func (c *Client) Held(ctx context.Context, job string, retained bool) (*engine.Deletions, error) {
	return call[engine.Deletions](ctx, c, "held", usersRequest{Job: job, Retained: retained})
}

// Allow implements Service.
func (c *Client) Allow(ctx context.Context, job string, users []string, all bool) (*engine.Deletions, error) {
	return call[engine.Deletions](ctx, c, "allow", usersRequest{Job: job, Users: users, All: all})
}

// Reject implements Service.
func (c *Client) Reject(ctx context.Context, job string, users []string, all bool) (*engine.Deletions, error) {
	return call[engine.Deletions](ctx, c, "reject", usersRequest{Job: job, Users: users, All: all})
}

// Retries implements Service.
func (c *Client) Retries(ctx context.Context, job string) (*engine.Retries, error) {
	return call[engine.Retries](ctx, c, "retries", usersRequest{Job: job})
}

// RetryNow implements Service.
func (c *Client) RetryNow(ctx context.Context, job string, users []string) (*engine.Retries, error) {
	return call[engine.Retries](ctx, c, "retrynow", usersRequest{Job: job, Users: users})
}

// Logs implements Service.
func (c *Client) Logs(ctx context.Context, q store.LogQuery) ([]store.Entry, error) {
	if q.ID != "" {
		return c.logs(ctx, q)
	}
	return inPages(q.Limit, func(limit int, last *store.Entry) ([]store.Entry, error) {
		q.Limit = limit
		if last != nil {
			goOn(q.Follow, last.Seq, &q.AfterSeq, &q.BeforeSeq)
		}
		return c.logs(ctx, q)
	})
}

// logs asks for one answer.
func (c *Client) logs(ctx context.Context, q store.LogQuery) ([]store.Entry, error) {
	list, err := call[[]logged](ctx, c, "logs", logRequest(q))
	if err != nil {
		return nil, err
	}
	entries := make([]store.Entry, len(*list))
	for i, l := range *list {
		entries[i] = l.Entry
		entries[i].Seq = l.Seq
	}
	return entries, nil
}

// Audit implements Service.
func (c *Client) Audit(ctx context.Context, q store.AuditQuery) ([]store.Audit, error) {
	return inPages(q.Limit, func(limit int, last *store.Audit) ([]store.Audit, error) {
		q.Limit = limit
		if last != nil {
			goOn(q.Follow, last.Seq, &q.AfterSeq, &q.BeforeSeq)
		}
		list, err := call[[]store.Audit](ctx, c, "audit", auditRequest(q))
		if err != nil {
			return nil, err
		}
		return *list, nil
	})
}

// inPages asks for as many records as are wanted, 0 for all, with an answer for each
// maxRecords of them. last is the last record there is already, nil at first.
func inPages[R any](wanted int, ask func(limit int, last *R) ([]R, error)) ([]R, error) {
	var all []R
	for {
		limit := maxRecords
		if wanted > 0 {
			limit = min(limit, wanted-len(all))
		}
		var last *R
		if len(all) > 0 {
			last = &all[len(all)-1]
		}
		page, err := ask(limit, last)
		if err != nil {
			return nil, err
		}
		if all = append(all, page...); len(page) < limit || wanted > 0 && len(all) >= wanted {
			return all, nil
		}
	}
}

// goOn lets a query begin behind the last record that came.
func goOn(follow bool, last uint64, after, before *uint64) {
	if follow {
		*after = last
	} else {
		*before = last
	}
}
