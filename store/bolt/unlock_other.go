//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package bolt

import "os"

// release closes a file that bbolt mapped and then lost.
func release(file *os.File) error { return file.Close() }
