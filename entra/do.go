package entra

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"

	"tenantsync/directory"
)

const (
	// attemptTimeout bounds one request: a batch lasts as long as its slowest item.
	attemptTimeout = 3 * time.Minute
	// maxBody bounds an answer after decompression; a page of 999 users with
	// every property stays below a tenth of it.
	maxBody = 64 << 20
	// announced is up to which length, as an answer announces it, room is made at once.
	announced = 1 << 20
)

// call says what a request is for, in the words of error texts, and which
// application permission Graph asks for it.
// https://learn.microsoft.com/graph/permissions-reference
type call struct{ op, permission string }

var (
	callOrganization = call{"read organization", "Organization.Read.All"}
	callDelta        = call{"read delta page", "User.Read.All"}
	callList         = call{"list users", "User.Read.All"}
	callUser         = call{"read user", "User.Read.All"}
	callManager      = call{"read manager", "User.Read.All"}
	callFind         = call{"find user", "User.Read.All"}
	callLookup       = call{"look up addresses", "User.Read.All"}
	callDeleted      = call{"read deleted user", "User.Read.All"}
	callDeletedFind  = call{"look up addresses of deleted users", "User.Read.All"}
	callDeletedList  = call{"list deleted users", "User.Read.All"}
	callGroups       = call{"list groups", "GroupMember.Read.All"}
	callContacts     = call{"list contacts", "OrgContact.Read.All"}
	callRoles        = call{"read directory roles", "RoleManagement.Read.Directory"}
	callGroupDelta   = call{"read group delta page", "GroupMember.Read.All"}
	callGroup        = call{"read group", "GroupMember.Read.All"}
	callAssignments  = call{"read app-role assignments", "Application.Read.All"}
	callPolicy       = call{"read policies", "Policy.Read.All"}
	callPrincipals   = call{"list service principals", "Application.Read.All"}
	callSync         = call{"read synchronization jobs", "Synchronization.Read.All"}
	callExtensions   = call{"read directory extensions", "Application.Read.All"}
	callBatch        = call{"send batch", ""}
)

// answer is one HTTP answer, whatever its status.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// transportError is a request without an answer. unsent says that it certainly
// never reached the service, so that even a create may be repeated.
type transportError struct {
	err    error
	unsent bool
}

func (e *transportError) Error() string { return e.err.Error() }
func (e *transportError) Unwrap() error { return e.err }

// exchange sends one request and returns the answer. A refused token is renewed
// once. Errors: *directory.Error (SignIn, Transient while signing in,
// ForeignLink), *transportError, or the context's.
func (c *Client) exchange(ctx context.Context, m *Meter, what call, method abs.HttpMethod, link string, body []byte) (answer, error) {
	target, err := c.pinned(what, link)
	if err != nil {
		return answer{}, err
	}
	for renewed := false; ; renewed = true {
		used := c.tokens.token()
		ans, err := c.send(ctx, m, method, target, body)
		if err != nil {
			return answer{}, err
		}
		if err := c.checkLocation(what, target, ans); err != nil {
			return answer{}, err
		}
		// A challenge with claims has been answered by the adapter already.
		challenged := strings.Contains(ans.header.Get("WWW-Authenticate"), "claims=")
		if ans.status != http.StatusUnauthorized || renewed || challenged {
			return ans, nil
		}
		if err := c.tokens.renew(ctx, cmp.Or(used, c.tokens.token())); err != nil {
			return answer{}, err
		}
	}
}

// pinned parses a link and makes sure that it stays at the configured origin.
func (c *Client) pinned(what call, link string) (*url.URL, error) {
	u, err := url.Parse(link)
	if err != nil || !c.origin.admits(u) {
		return nil, c.foreign(what, link)
	}
	return u, nil
}

func (c *Client) foreign(what call, link string) error {
	return &directory.Error{Op: what.op, Kind: directory.ForeignLink, Tenant: c.name,
		Message: fmt.Sprintf("the service points to %q, outside the configured endpoint %s", redactLink(link), c.graph)}
}

// redactLink cuts what a link carries behind its path: enough to name it, and
// nothing of the state or secret it may hold.
func redactLink(link string) string {
	cut := strings.IndexAny(link, "?#")
	if cut >= 0 {
		link = link[:cut]
	}
	const most = 200
	return link[:min(len(link), most)]
}

// checkLocation refuses an answer that points elsewhere, though no Location is
// ever followed: a service that does so is not the one that was configured.
func (c *Client) checkLocation(what call, asked *url.URL, ans answer) error {
	location := ans.header.Get("Location")
	if location == "" {
		return nil
	}
	u, err := asked.Parse(location)
	if err != nil || !c.origin.admits(u) {
		return c.foreign(what, location)
	}
	return nil
}

// send is the only place where a request leaves.
func (c *Client) send(ctx context.Context, m *Meter, method abs.HttpMethod, target *url.URL, body []byte) (answer, error) {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	info := abs.NewRequestInformation()
	info.Method = method
	info.SetUri(*target)
	info.Headers.Add("Accept", "application/json")
	info.Headers.Add("User-Agent", "tenantsync")
	if body != nil {
		info.Content = body
		info.Headers.Add("Content-Type", "application/json")
		info.Headers.Add("Content-Length", strconv.Itoa(len(body)))
	}
	var ans answer
	handler := abs.NewRequestHandlerOption()
	handler.SetResponseHandler(func(response any, _ abs.ErrorMappings) (any, error) {
		var err error
		ans, err = readAnswer(response)
		return nil, err
	})
	info.AddRequestOptions([]abs.RequestOption{handler, meterOption{m}})
	_, err := c.adapter.SendPrimitive(attempt, info, "[]byte", nil)
	if err == nil {
		return ans, nil
	}
	if ctx.Err() != nil {
		return answer{}, ctx.Err()
	}
	var refused *directory.Error
	if errors.As(err, &refused) {
		return answer{}, refused
	}
	return answer{}, &transportError{err: err, unsent: neverSent(err)}
}

var errTooLarge = errors.New("answer larger than 64 MiB")

// readBody reads a body whose length was announced, or is not known and below 1.
func readBody(r io.Reader, length int64) ([]byte, error) {
	if length < 1 || length > announced {
		return io.ReadAll(r)
	}
	var b bytes.Buffer
	b.Grow(int(length) + bytes.MinRead)
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

func readAnswer(response any) (answer, error) {
	resp, ok := response.(*http.Response)
	if !ok || resp == nil {
		return answer{}, errors.New("no response")
	}
	defer func() { _ = resp.Body.Close() }() // the answer has been read or given up
	body, err := readBody(io.LimitReader(resp.Body, maxBody+1), resp.ContentLength)
	switch {
	case err != nil:
		return answer{}, fmt.Errorf("read body: %w", err)
	case len(body) > maxBody:
		return answer{}, errTooLarge
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// neverSent reports whether an error proves that no byte of the request left:
// no connection was made.
func neverSent(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return true
	}
	return isCertificateError(err)
}
