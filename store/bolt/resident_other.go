//go:build !linux

package bolt

import "go.etcd.io/bbolt"

// giveBack does nothing where the system has no such advice.
func (s *Store) giveBack(*bbolt.Tx) {}
