package entra

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"tenantsync/directory"
)

// tokens hands out the tokens of one credential. Acquiring is serialized by a
// channel: azidentity holds a mutex while it waits between its own retries, and
// callers queueing on that mutex could not be cancelled.
type tokens struct {
	tenant   string // name for errors
	tenantID string
	scope    string
	build    func() (azcore.TokenCredential, error)
	wire     *tokenWire

	turn    chan struct{} // holds the right to touch credential
	cred    azcore.TokenCredential
	current atomic.Pointer[azcore.AccessToken]
}

func newTokens(cred Credential, tenantID, authority, scope string, base http.RoundTripper) (*tokens, error) {
	wire := &tokenWire{client: http.Client{Transport: base, Timeout: time.Minute, CheckRedirect: stay}}
	t := &tokens{
		tenantID: tenantID, scope: scope, wire: wire, turn: make(chan struct{}, 1),
		build: func() (azcore.TokenCredential, error) { return cred.build(tenantID, authority, wire) },
	}
	var err error
	t.cred, err = t.build()
	return t, err
}

// GetToken implements azcore.TokenCredential for the adapter's authentication
// provider. Errors are of type *directory.Error or the context's.
func (t *tokens) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if o.Claims == "" {
		if token, ok := t.usable(); ok {
			return token, nil
		}
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return azcore.AccessToken{}, ctx.Err()
	}
	if o.Claims == "" {
		if token, ok := t.usable(); ok {
			return token, nil
		}
	}
	return t.acquire(ctx, o)
}

// usable returns the present token unless it is about to expire or due for a
// refresh. The margin covers a slow batch and a clock that is a little off.
func (t *tokens) usable() (azcore.AccessToken, bool) {
	token := t.current.Load()
	if token == nil {
		return azcore.AccessToken{}, false
	}
	now := time.Now()
	fresh := now.Add(5 * time.Minute).Before(token.ExpiresOn)
	due := !token.RefreshOn.IsZero() && now.After(token.RefreshOn)
	return *token, fresh && !due
}

func (t *tokens) acquire(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	t.wire.failure.Store(nil)
	token, err := t.cred.GetToken(ctx, o)
	if err != nil {
		return azcore.AccessToken{}, t.refused(ctx, err)
	}
	if claims, ok := parseClaims(token.Token); ok && claims.TenantID != "" && !strings.EqualFold(claims.TenantID, t.tenantID) {
		return azcore.AccessToken{}, wrongTenant(t.tenant, t.tenantID, claims.TenantID)
	}
	t.current.Store(&token)
	return token, nil
}

// renew drops a token that the service refused and builds the credential anew,
// unless another caller has done so already.
func (t *tokens) renew(ctx context.Context, refused string) error {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if now := t.current.Load(); now != nil && now.Token != refused {
		return nil
	}
	cred, err := t.build()
	if err != nil {
		return &directory.Error{Op: "sign in", Kind: directory.SignIn, Tenant: t.tenant, Err: err}
	}
	t.cred = cred
	t.current.Store(nil)
	return nil
}

// token returns the present token, "" when there is none.
func (t *tokens) token() string {
	if now := t.current.Load(); now != nil {
		return now.Token
	}
	return ""
}

var aadCode = regexp.MustCompile(`AADSTS\d+`)

// refused turns an error of azidentity into ours. No answer, or one that says
// the service is unwell, is a passing fault; all else needs a person.
func (t *tokens) refused(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	out := &directory.Error{Op: "sign in", Kind: directory.SignIn, Tenant: t.tenant, Err: err}
	var failed *azidentity.AuthenticationFailedError
	if errors.As(err, &failed) && failed.RawResponse != nil {
		out.Status = failed.RawResponse.StatusCode
		out.RequestID = failed.RawResponse.Header.Get("x-ms-request-id")
		if out.Status >= 500 || out.Status == http.StatusTooManyRequests {
			out.Kind = directory.Transient
		}
	} else if broken := t.wire.failure.Load(); broken != nil {
		out.Kind, out.Err = directory.Transient, *broken
		return out
	}
	text := err.Error()
	out.Code = aadCode.FindString(text)
	out.Message = signInMessage(text, out.Code)
	return out
}

// signInMessage finds the sentence of the service in azidentity's report, which
// otherwise spans a screen.
func signInMessage(text, code string) string {
	if code == "" {
		line, _, _ := strings.Cut(text, "\n")
		return strings.TrimSpace(line)
	}
	_, sentence, _ := strings.Cut(text[strings.Index(text, code):], ":")
	for _, end := range []string{`\r`, `\n`, "\n", `"`, " Trace ID"} {
		sentence, _, _ = strings.Cut(sentence, end)
	}
	return strings.TrimSpace(sentence)
}

func wrongTenant(name, want, got string) error {
	return &directory.Error{Op: "sign in", Kind: directory.SignIn, Tenant: name, Code: "WrongTenant",
		Message: "the credential signs in to tenant " + got + ", the configuration says " + want}
}

// tokenClaims are the claims of an access token that matter here.
type tokenClaims struct {
	TenantID string   `json:"tid"`
	Roles    []string `json:"roles"`
}

// parseClaims reads the payload of a token without verifying it: the token came
// over TLS from the authority and only Graph can judge it. It reports false for
// a token that is not a JWT, as those of other authorities may be.
func parseClaims(token string) (tokenClaims, bool) {
	var claims tokenClaims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return claims, false
	}
	return claims, json.Unmarshal(payload, &claims) == nil
}

// claims returns what the present token says; known is false when it is opaque.
func (c *Client) claims(ctx context.Context) (claims tokenClaims, known bool, err error) {
	token, err := c.tokens.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.tokens.scope}, EnableCAE: true})
	if err != nil {
		return claims, false, err
	}
	claims, known = parseClaims(token.Token)
	return claims, known, nil
}

// tokenWire carries token requests and remembers the last one that got no
// answer: azidentity reports such a failure as text only.
type tokenWire struct {
	client  http.Client
	failure atomic.Pointer[error]
}

// Do implements policy.Transporter.
func (w *tokenWire) Do(req *http.Request) (*http.Response, error) {
	resp, err := w.client.Do(req)
	if err != nil {
		w.failure.Store(&err)
		if isCertificateError(err) {
			return nil, finalError{err}
		}
		return nil, err
	}
	w.failure.Store(nil)
	resp.Body = struct {
		io.Reader
		io.Closer
	}{&bounded{from: resp.Body, left: maxTokenBody}, resp.Body}
	return resp, nil
}

// maxTokenBody bounds what the token service answers, after decompression: the
// libraries that read it do not.
const maxTokenBody = 1 << 20

// bounded fails once more than so many bytes were read.
type bounded struct {
	from io.Reader
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, errors.New("the token service answers more than 1 MiB")
	}
	return n, err
}

// finalError keeps azcore from repeating what cannot come out otherwise.
type finalError struct{ error }

func (finalError) NonRetriable()   {}
func (e finalError) Unwrap() error { return e.error }
