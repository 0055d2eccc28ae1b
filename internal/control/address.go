package control

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
)

// Address is where a daemon listens: a unix socket or a loopback port.
type Address struct {
	// Socket is the path of a unix socket, "" for TCP.
	Socket string
	// Host is HOST:PORT of a loopback address, "" for a unix socket.
	Host string
}

// ParseAddress reads "unix:PATH", "HOST:PORT" or "http://HOST:PORT". Only a
// loopback host is accepted.
func ParseAddress(text string) (Address, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		if path == "" {
			return Address{}, fmt.Errorf("address %q names no socket", text)
		}
		// unix:///path is how URLs write it.
		if strings.HasPrefix(path, "///") {
			path = path[2:]
		}
		return Address{Socket: filepath.Clean(path)}, nil
	}
	host := text
	if strings.Contains(text, "://") {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.User != nil {
			return Address{}, fmt.Errorf("address %q is not http://HOST:PORT or unix:PATH", text)
		}
		host = u.Host
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return Address{}, fmt.Errorf("address %q is neither unix:PATH nor HOST:PORT", text)
	}
	if ip, err := netip.ParseAddr(name); !strings.EqualFold(name, "localhost") && (err != nil || !ip.Unmap().IsLoopback()) {
		return Address{}, fmt.Errorf("address %q is not on loopback", text)
	}
	return Address{Host: net.JoinHostPort(name, port)}, nil
}

// String returns the form that ParseAddress reads.
func (a Address) String() string {
	if a.Socket != "" {
		return "unix:" + a.Socket
	}
	return a.Host
}
