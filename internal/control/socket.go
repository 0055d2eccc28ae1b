package control

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// maxSocketPath is what every supported system takes as the path of a socket:
// 104 bytes on BSD and macOS, 108 on Linux, each with a final zero.
const maxSocketPath = 103

// shorten returns a name for a socket that the system takes. A path that is too
// long is reached through its folder's open descriptor on Linux; elsewhere it is
// an error. The name is good until release is called.
func shorten(path string) (name string, release func(), err error) {
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	file := filepath.Base(path)
	if runtime.GOOS != "linux" || len(file) > maxSocketPath-len("/proc/self/fd/0000000000/") {
		return "", nil, fmt.Errorf("the path of the socket has %d bytes, the system takes %d: choose a shorter one with control.listen, or 127.0.0.1:PORT",
			len(path), maxSocketPath)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), file), func() { _ = folder.Close() }, nil
}

// dialSocket connects to a socket by its path, however long.
func dialSocket(ctx context.Context, path string) (net.Conn, error) {
	name, release, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer release()
	var d net.Dialer
	return d.DialContext(ctx, "unix", name)
}
