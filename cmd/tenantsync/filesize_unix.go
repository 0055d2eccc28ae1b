//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// surviveFullDisk makes a file that grows beyond the limit of the process an error
// of that write, like a full disk, instead of the end of the process.
func surviveFullDisk() { signal.Ignore(syscall.SIGXFSZ) }
