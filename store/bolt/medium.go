package bolt

import (
	"fmt"
	"strings"
)

// Medium is what a state file lies on. Type is "" where it is
// none of those that matter here.
type Medium struct {
	Type    string // of the file system, as the system names it
	Network bool   // locks and memory maps of such a file system are not reliable
	// FastCommit: the kernel is one of those that lose the end of a growing file when
	// the file system was made with the fast_commit feature and the power fails.
	// https://github.com/etcd-io/bbolt/issues/562
	FastCommit bool
	// Free is how many bytes may still be written, -1 where the system does not tell.
	Free int64
}

// lossyFastCommit reports a Linux release with the fault of ext4's fast commits:
// they came with 5.10, and were mended in 5.10.94, 5.15.27 and 5.17.
func lossyFastCommit(release string) bool {
	var major, minor, patch int
	release, _, _ = strings.Cut(release, "-")
	if n, _ := fmt.Sscanf(release, "%d.%d.%d", &major, &minor, &patch); n < 2 || major != 5 {
		return false
	}
	switch {
	case minor == 10:
		return patch < 94
	case minor == 15:
		return patch < 27
	}
	return minor > 10 && minor < 17
}
