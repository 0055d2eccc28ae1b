package main

import "syscall"

// forbidDumps tells the kernel that this process is not to be dumped, neither to a
// file nor through a pipe, which the limit does not cover, nor read by another
// process of the same user.
// https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html
func forbidDumps() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0)
}
