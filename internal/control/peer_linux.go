package control

import (
	"net"
	"syscall"
)

// peerOf asks the kernel who connected to a unix socket.
func peerOf(c net.Conn) peer {
	if l, ok := c.(*limitedConn); ok {
		c = l.Conn
	}
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return peer{}
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return peer{}
	}
	var p peer
	err = raw.Control(func(fd uintptr) {
		if cred, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED); err == nil {
			p = peer{uid: int(cred.Uid), known: true}
		}
	})
	if err != nil {
		return peer{}
	}
	return p
}
