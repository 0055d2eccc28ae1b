package engine_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"tenantsync/directory"
	"tenantsync/engine"
)

// unanswered is the error of a request for which no connection came about.
func unanswered(cause error) error {
	return &directory.Error{Op: "sign in", Kind: directory.Transient, Err: fmt.Errorf("post: %w",
		&url.Error{Op: "Get", URL: "https://login.example.com:9443/t/v2.0?state=hidden", Err: cause})}
}

func TestUnreachedSaysWhatToCorrect(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	tests := []struct {
		name          string
		err           error
		message       string
		cause, action string // that occur in it
	}{
		{"name not known", unanswered(dial(&net.DNSError{Err: "no such host", Name: "login.example.com", IsNotFound: true})),
			"cannot reach contoso at login.example.com:9443.", "no address is known for login.example.com", "the name resolution of this machine"},
		{"name service down", unanswered(dial(&net.DNSError{Err: "server misbehaving", Name: "login.example.com"})),
			"cannot reach contoso at login.example.com:9443.", "server misbehaving", "check the network"},
		{"nobody listens", unanswered(dial(os.NewSyscallError("connect", syscall.ECONNREFUSED))),
			"cannot reach contoso at login.example.com:9443.", "nothing listens there", "HTTPS_PROXY alone does nothing"},
		{"certificate of nobody", unanswered(x509.UnknownAuthorityError{}),
			"cannot reach contoso at login.example.com:9443.", "unknown authority", "endpoints.caFile of contoso"},
		{"proxy", unanswered(&net.OpError{Op: "proxyconnect", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}),
			"cannot reach contoso at login.example.com:9443.", "proxyconnect", "correct endpoints.proxy of contoso"},
		{"no answer in time", unanswered(os.ErrDeadlineExceeded),
			"cannot reach contoso at login.example.com:9443.", "timeout", "a firewall on the way"},
		{"who was asked is not known", &directory.Error{Op: "sign in", Kind: directory.Transient, Err: errors.New("connection refused")},
			"cannot reach contoso.", "connection refused", "endpoints of contoso"},
		{"an answer", &directory.Error{Op: "sign in", Kind: directory.Transient, Status: 503, Err: unanswered(errors.New("x"))},
			"cannot reach contoso.", "503", "endpoints of contoso"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := engine.SignInError(tt.err, "contoso", engine.App{Kind: "secret"})
			if got.Class != engine.ClassFailed || got.Message != tt.message || !strings.Contains(got.Cause, tt.cause) ||
				!strings.Contains(got.Action, tt.action) || !strings.Contains(got.Action, "tenantsync check") {
				t.Errorf("got %q, why %q, do %q; want %q, %q, %q", got.Message, got.Cause, got.Action, tt.message, tt.cause, tt.action)
			}
			if text := got.Error() + got.Action; strings.Contains(text, "hidden") {
				t.Errorf("the query is told: %s", text)
			}
		})
	}
}
