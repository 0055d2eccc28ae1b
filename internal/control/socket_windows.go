package control

import "net"

// listenPrivate creates the socket; the folder's access list decides who may
// connect.
func listenPrivate(path string) (*net.UnixListener, error) {
	short, release, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer release()
	return net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
}
