//go:build unix

package main

import "syscall"

// keepToOurselves sees to it that what the process knows and writes stays with its
// user: no core dump, which would hold secrets and tokens, and no file that others
// may read unless its mode is given. What the system does not let us set is left as
// it is: every file with something to hide gets its mode when it is created.
func keepToOurselves() {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	syscall.Umask(0o077)
	forbidDumps()
}
