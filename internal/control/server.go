package control

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"go.uber.org/zap"
)

// ErrInUse says that another daemon answers at the address.
var ErrInUse = errors.New("another daemon answers there")

// Server accepts the connections of commands. Make one with Listen.
type Server struct {
	listener net.Listener
	address  Address
	token    string
	clean    func()
}

// Listen begins to accept connections, which wait until Serve is called. A unix
// socket is created with mode 0600; one that nobody answers at any more is
// replaced. For TCP a new token is drawn and written to tokenFile with mode 0600.
// The caller closes the server, whether or not it called Serve.
func Listen(address Address, tokenFile string) (*Server, error) {
	if address.Socket != "" {
		return listenSocket(address)
	}
	listener, err := net.Listen("tcp", address.Host)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("listen on %s: %w: %w", address, ErrInUse, err)
		}
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	token := rand.Text()
	if err := writeToken(tokenFile, token); err != nil {
		_ = listener.Close()
		return nil, err
	}
	s := &Server{listener: listener, address: Address{Host: listener.Addr().String()}, token: token}
	s.clean = func() { _ = os.Remove(tokenFile) }
	return s, nil
}

// listenSocket creates the socket file, in place of one left by a daemon that
// was killed.
func listenSocket(address Address) (*Server, error) {
	if err := removeStale(address.Socket); err != nil {
		return nil, err
	}
	listener, err := listenPrivate(address.Socket)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	listener.SetUnlinkOnClose(false)
	created, err := os.Lstat(address.Socket)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return &Server{listener: listener, address: address, clean: func() {
		// Only our own file: a daemon started since may have put its socket there.
		if now, err := os.Lstat(address.Socket); err == nil && os.SameFile(created, now) {
			_ = os.Remove(address.Socket)
		}
	}}, nil
}

// removeStale removes a socket that nobody answers at. Anything else in its
// place is somebody's file and stays.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("listen on unix:%s: %w", path, err)
	case info.Mode()&os.ModeSocket == 0:
		return fmt.Errorf("listen on unix:%s: the file there is not a socket", path)
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	connection, err := dialSocket(ctx, path)
	if err == nil {
		_ = connection.Close()
		return fmt.Errorf("listen on unix:%s: %w", path, ErrInUse)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("listen on unix:%s: %w", path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove stale socket: %w", err)
	}
	return nil
}

// writeToken puts the token where only the daemon's user can read it; a reader
// never sees half of it.
func writeToken(path, token string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".token-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write token: %w", err)
	}
	_, err = f.WriteString(token + "\n")
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write token: %w", err)
	}
	return nil
}

// ReadToken reads the token that a daemon wrote.
func ReadToken(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// Address returns where the server listens, with the real port where 0 was asked for.
func (s *Server) Address() Address { return s.address }

// Serve answers requests until ctx ends, and then until the requests under way
// are answered, 25 s at most. Their contexts end with ctx.
func (s *Server) Serve(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	failures, err := zap.NewStdLogAt(o.Log, zap.WarnLevel)
	if err != nil {
		return fmt.Errorf("serve control interface: %w", err)
	}
	server := &http.Server{
		Handler:           NewHandler(ctx, o, s.token),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          failures,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withPeer,
	}
	ended := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limited, cancel := context.WithTimeout(context.Background(), shutdownTime)
		defer cancel()
		ended <- server.Shutdown(limited)
	})
	err = server.Serve(limitConnections(s.listener))
	if stop() {
		return fmt.Errorf("serve control interface: %w", err)
	}
	if err := <-ended; err != nil {
		_ = server.Close()
		return fmt.Errorf("stop control interface: %w", err)
	}
	return nil
}

// Close stops listening and removes the socket or the token file.
func (s *Server) Close() error {
	err := s.listener.Close()
	s.clean()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
