package bolt

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// holder says in words which process has locked a file, "" when that cannot be
// found out: the kernel lists the locks of all processes that this one may see.
func holder(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	locks, err := os.Open("/proc/locks")
	if err != nil {
		return ""
	}
	defer func() { _ = locks.Close() }() // only read
	inode := ":" + strconv.FormatUint(stat.Ino, 10)
	for lines := bufio.NewScanner(locks); lines.Scan(); {
		// 1: FLOCK  ADVISORY  WRITE 4711 fd:01:131086 0 EOF
		f := strings.Fields(lines.Text())
		if len(f) < 6 || f[1] != "FLOCK" || !strings.HasSuffix(f[5], inode) {
			continue
		}
		if pid, err := strconv.Atoi(f[4]); err == nil && (f[5] == device(stat.Dev)+inode || hasOpen(pid, info)) {
			return process(pid)
		}
	}
	return ""
}

// device writes the number of a device as the list of locks does. Some file systems
// give files another one than the list has.
// https://man7.org/linux/man-pages/man5/proc_locks.5.html
func device(d uint64) string {
	major, minor := d>>8&0xfff|d>>32&^0xfff, d&0xff|d>>12&0xffffff00
	return fmt.Sprintf("%02x:%02x", major, minor)
}

// hasOpen tells whether a process has the file open: an inode number alone may be
// that of another file system's file. Only root sees it of a process that forbids
// dumps of itself.
func hasOpen(pid int, info os.FileInfo) bool {
	open, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return false
	}
	for _, fd := range open {
		if other, err := os.Stat(fd); err == nil && os.SameFile(info, other) {
			return true
		}
	}
	return false
}

// process names a process by its number and its command line.
func process(pid int) string {
	name := "process " + strconv.Itoa(pid)
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	words := strings.ReplaceAll(strings.Trim(string(raw), "\x00"), "\x00", " ")
	if err != nil || words == "" {
		return name
	}
	const most = 200
	return name + " (" + words[:min(len(words), most)] + ")"
}
