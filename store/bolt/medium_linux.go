package bolt

import (
	"os"
	"strings"
	"syscall"
)

// Numbers of file systems.
// https://man7.org/linux/man-pages/man2/statfs.2.html
const ext4 = 0xEF53

var networkSystems = map[uint32]string{
	0x6969: "nfs", 0x517B: "smb", 0xFF534D42: "cifs", 0xFE534D42: "smb2", 0x01021997: "9p", 0x00C36400: "ceph",
	0x5346414F: "afs", 0x0BD00BD0: "lustre", 0x47504653: "gpfs", 0x7461636F: "ocfs2", 0x65735546: "fuse",
}

// MediumOf tells what the file at path lies on.
func MediumOf(path string) Medium {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return Medium{Free: -1}
	}
	free := int64(s.Bavail) * s.Bsize //nolint:unconvert // the types differ between architectures
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		release = nil // an unknown kernel is not accused
	}
	return medium(uint32(s.Type), free, strings.TrimSpace(string(release)))
}

// medium judges the number of a file system under the kernel of a release.
func medium(number uint32, free int64, release string) Medium {
	if name := networkSystems[number]; name != "" {
		return Medium{Type: name, Network: true, Free: free}
	}
	if number != ext4 {
		return Medium{Free: free}
	}
	return Medium{Type: "ext4", Free: free, FastCommit: lossyFastCommit(release)}
}
