package control

import (
	"context"
	"crypto/subtle"
	"fmt"
	"math"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tenantsync/engine"
	"tenantsync/internal/token"
)

// The codes of refusals.
const (
	codeRequest = "ControlRefused"   // the request itself is not one
	codeForeign = "ForeignOrigin"    // it comes from a web page, or by a name that is not this machine's
	codeSignIn  = "TokenRefused"     // the token is missing or wrong
	codeRole    = "RoleTooLow"       // the role does not suffice
	codeRate    = "TooManyRequests"  // the caller asks too often
	retryAfter  = "Retry-After"      // whole seconds
	challenge   = "WWW-Authenticate" // what a client without a token is told
	bearerRealm = `Bearer realm="` + product + `"`
)

// refusal is why a request is not answered.
type refusal struct {
	status int
	code   string
	why    string
	action string
	role   Role          // the role that would do, for codeRole
	wait   time.Duration // until it is worth trying again, for codeRate
}

// write answers the request. The connection ends with it: whoever is refused
// holds none.
func (f *refusal) write(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	e := engine.Error{Class: engine.ClassFailed, Code: f.code, Message: "the daemon refused the request.", Cause: f.why, Action: f.action}
	switch f.code {
	case codeSignIn:
		w.Header().Set(challenge, bearerRealm)
		e.Class = engine.ClassSignIn
	case codeRole:
		e.Class, e.Permission = engine.ClassSignIn, "role "+f.role.String()
	}
	if f.wait > 0 {
		w.Header().Set(retryAfter, strconv.Itoa(int(math.Ceil(f.wait.Seconds()))))
	}
	answer(w, f.status, envelope[struct{}]{Error: &wireError{Error: e}})
}

// refuse answers a request that is not let in, and tells of it.
func (h *Handler) refuse(w http.ResponseWriter, c Caller, f *refusal) {
	if h.options.Refused != nil {
		h.options.Refused(c, f.code)
	}
	f.write(w)
}

// lacking is the refusal of a caller whose role does not suffice.
func lacking(name, when string, c Caller, need Role) *refusal {
	if when != "" {
		name += " with " + when
	}
	return &refusal{status: http.StatusForbidden, code: codeRole, role: need,
		why:    fmt.Sprintf("%s needs the role %s; %s has the role %s", name, need, c.Name, c.Role),
		action: "ask somebody who has that role, or use a token of his"}
}

// ServeHTTP lets in who may come in and refuses everybody else.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// Also for what net/http answers by itself, and for the body of whoever is
	// refused, whose rest net/http waits for; a recorder in a test has no deadline.
	limits := http.NewResponseController(w)
	_ = limits.SetWriteDeadline(time.Now().Add(writeTimeout))
	_ = limits.SetReadDeadline(time.Now().Add(bodyTimeout))
	caller, f := h.admit(r)
	if f != nil {
		h.refuse(w, caller, f)
		return
	}
	wait, end := h.limits.begin(caller.Name)
	if wait > 0 {
		h.refuse(w, caller, &refusal{status: http.StatusTooManyRequests, code: codeRate, wait: wait,
			why: caller.Name + " asks too often, or has too many requests under way", action: "wait, or ask less often"})
		return
	}
	defer end()
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	h.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
}

// callerKey finds who was let in in a request's context, the way that net/http
// has for what a handler tells the next one.
type callerKey struct{}

func callerOf(r *http.Request) Caller {
	c, _ := r.Context().Value(callerKey{}).(Caller) // the zero caller may do nothing
	return c
}

// admit returns who sends a request, or why he is not let in.
func (h *Handler) admit(r *http.Request) (Caller, *refusal) {
	c := Caller{Via: viaSocket, Name: "unknown", Reason: reasonOf(r)}
	if h.tcp {
		c.Via = viaTCP
	}
	if f := h.foreign(r); f != nil {
		return c, f
	}
	c, known := h.identify(r, c)
	if !known {
		f := &refusal{status: http.StatusUnauthorized, code: codeSignIn,
			why:    "the bearer token is missing or wrong",
			action: "name a file with a valid token by --token-file; the daemon keeps its own beside its state file"}
		if f.wait = h.limits.fail(); f.wait > 0 {
			f.status, f.code = http.StatusTooManyRequests, codeRate
		}
		return c, f
	}
	if r.Method == http.MethodPost {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			return c, &refusal{status: http.StatusUnsupportedMediaType, code: codeRequest, why: "the body must be application/json"}
		}
	}
	return c, nil
}

// foreign refuses what a browser sends. None has business here: a request with an
// Origin or a Referer comes from a page, and a Host that is not loopback from a
// name that somebody pointed at this machine.
func (h *Handler) foreign(r *http.Request) *refusal {
	for name := range r.Header {
		if name == "Origin" || name == "Referer" || strings.HasPrefix(name, "Sec-Fetch-") {
			return &refusal{status: http.StatusForbidden, code: codeForeign, why: "requests of web pages are refused"}
		}
	}
	if h.tcp && !loopbackHost(r.Host) {
		return &refusal{status: http.StatusMisdirectedRequest, code: codeForeign, why: "the Host header does not name a loopback address"}
	}
	return nil
}

// identify says who sends a request. A token narrows to its role, also over the
// socket: a wrong one never falls back to what its sender could do without.
func (h *Handler) identify(r *http.Request, c Caller) (Caller, bool) {
	text, given := bearer(r)
	if given && text == "" {
		return c, false // nothing is no token, whatever hashes somebody configured
	}
	from, _ := r.Context().Value(peerKey{}).(peer)
	if given {
		// Every token is compared, whether or not one has matched.
		own := h.tcp && subtle.ConstantTimeCompare([]byte(text), []byte(h.token)) == 1
		var named *Token
		for _, t := range h.tokens() {
			if token.Matches(text, t.Hashes) && named == nil {
				named = &t
			}
		}
		switch {
		case own:
			c.Name, c.Role = ownToken, Approver
		case named != nil:
			c.Name, c.Role = "token "+named.Name, named.Role
			if from.known {
				c.Name += " (" + from.name() + ")"
			}
		default:
			return c, false
		}
		return c, true
	}
	if h.tcp || from.known && from.uid != h.owner && from.uid != 0 {
		return c, false
	}
	c.Name, c.Role = from.name(), Approver
	return c, true
}

func (h *Handler) tokens() []Token {
	if h.options.Tokens == nil {
		return nil
	}
	return h.options.Tokens()
}

// loopbackHost reports whether a Host header names this machine's loopback.
func loopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if inner, bracketed := strings.CutPrefix(host, "["); bracketed {
		host = strings.TrimSuffix(inner, "]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Zone() == "" && address.Unmap().IsLoopback()
}
