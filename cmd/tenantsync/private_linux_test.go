package main

import (
	"syscall"
	"testing"
)

// The process of a command leaves no core dump.
func TestNoCoreDumps(t *testing.T) {
	old := syscall.Umask(0)
	t.Cleanup(func() { syscall.Umask(old) })
	keepToOurselves()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil || limit.Cur != 0 || limit.Max != 0 {
		t.Errorf("limit of core dumps: got %+v, %v, want 0 and 0", limit, err)
	}
	if dumpable, _, _ := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_GET_DUMPABLE, 0, 0); dumpable != 0 {
		t.Errorf("dumpable: got %d, want 0", dumpable)
	}
	if mask := syscall.Umask(old); mask != 0o077 {
		t.Errorf("file mode mask: got %03o, want 077", mask)
	}
}
