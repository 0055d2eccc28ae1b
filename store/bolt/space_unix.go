//go:build darwin || linux

package bolt

import "syscall"

// space returns how many bytes an ordinary user may still write beside a file, and
// how many its file system has; known is false when it does not tell.
func space(dir string) (free, size uint64, known bool) {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || fs.Blocks == 0 || fs.Bsize <= 0 {
		return 0, 0, false
	}
	return fs.Bavail * uint64(fs.Bsize), fs.Blocks * uint64(fs.Bsize), true
}
