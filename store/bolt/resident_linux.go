package bolt

import (
	"syscall"

	"go.etcd.io/bbolt"
)

// queriesPerRelease is how many queries may pass before the pages they touched
// are given back.
const queriesPerRelease = 32

// giveBack gives the memory of pages that queries have touched back to the
// system, from time to time. bbolt maps the whole file, and a walk over it would
// count as resident memory of this process; the pages stay in the system's cache
// and are mapped again at the next touch. A mapping that is shared and read-only
// loses nothing by it, also while other queries read. The open transaction keeps
// the mapping where it is.
func (s *Store) giveBack(tx *bbolt.Tx) {
	if s.queries.Add(1)%queriesPerRelease != 0 {
		return
	}
	info := tx.DB().Info()
	// Advice: where the system refuses it, memory is merely given back later.
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, info.Data, uintptr(tx.Size()), syscall.MADV_DONTNEED)
}
