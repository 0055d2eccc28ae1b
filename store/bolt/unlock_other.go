//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package bolt

import "os"

// release closes a file that bbolt mapped and then lost.
func release(file *os.File) error { return file.Close() }

// lock has nothing to take: these systems do not let go of a name that is in use.
func lock(*os.File) bool { return true }
