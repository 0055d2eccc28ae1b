package control

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os/user"
	"strconv"
	"strings"

	"tenantsync/internal/token"
)

// The ways by which a request comes in.
const (
	viaSocket = "socket"
	viaTCP    = "tcp"
)

// Caller is who sent a request and what he may do.
type Caller struct {
	// Name is the user of the machine, the name of a token, or both.
	Name string
	// Via is socket or tcp.
	Via  string
	Role Role
	// Reason is why, as the caller says; "" when he says nothing.
	Reason string
}

// Token is a named token of the configuration: whoever bears it has the role.
type Token struct {
	Name   string
	Role   Role
	Hashes []token.Digest
}

// ownToken names the caller that bears the token the daemon wrote for commands.
const ownToken = "whoever reads the daemon's token file"

// reasonHeader carries why a request is made, escaped as in a query.
const reasonHeader = "Tenantsync-Reason"

// maxReason is how much of a reason is kept.
const maxReason = 1000

// reasonOf returns why the caller asks.
func reasonOf(r *http.Request) string {
	reason, err := url.QueryUnescape(r.Header.Get(reasonHeader))
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
}

// peer is the process at the other end of a unix socket.
type peer struct {
	uid   int
	known bool // some systems do not tell
}

// peerKey finds the peer in a connection's context. An HTTP server offers no
// other way from a request to its connection.
type peerKey struct{}

func withPeer(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, peerOf(c))
}

// name is the user of the machine.
func (p peer) name() string {
	if !p.known {
		return "whoever may open the socket"
	}
	if u, err := user.LookupId(strconv.Itoa(p.uid)); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid " + strconv.Itoa(p.uid)
}

// bearer returns the token of a request; given is false when there is none.
func bearer(r *http.Request) (text string, given bool) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", false
	}
	scheme, text, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", true
	}
	return strings.TrimSpace(text), true
}
