//go:build unix

package control

import (
	"net"
	"syscall"
)

// listenPrivate creates the socket so that nobody else can connect at any
// moment: a chmod afterwards would leave one. The mask is the process's, and for
// that instant makes other new files stricter, never more open.
func listenPrivate(path string) (*net.UnixListener, error) {
	short, release, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer release()
	before := syscall.Umask(0o177)
	defer syscall.Umask(before)
	return net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
}
