//go:build unix && !linux

package main

// forbidDumps has nothing to add to the limit on core dumps.
func forbidDumps() {}
