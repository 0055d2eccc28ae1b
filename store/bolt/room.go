package bolt

import (
	"fmt"
	"path/filepath"
)

// FullError says that there is too little room for a cycle beside the state file.
type FullError struct {
	Path       string // of the state file
	Free, Need uint64 // bytes
}

// Error names the file and both figures.
func (e *FullError) Error() string {
	return fmt.Sprintf("the file system of %s has %s left, less than the reserve of %s", e.Path, mebibytes(e.Free), mebibytes(e.Need))
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// share is the part of a small file system that the reserve takes at most.
const share = 10

// Room returns a *FullError when the file system of a state file has fewer bytes
// left than reserve, of which it counts at most a tenth of the file system. Where
// the system does not tell, there is room.
func Room(path string, reserve uint64) error {
	free, size, known := space(filepath.Dir(path))
	if need := min(reserve, size/share); known && free < need {
		return &FullError{Path: path, Free: free, Need: need}
	}
	return nil
}
