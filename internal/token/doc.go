// Package token draws the tokens by which people and programs use the control
// interface, and reads the files that keep their hashes.
//
// A token is 256 random bits, so its SHA-256 tells nothing about it: a file of
// hashes lets nobody in who reads it, and may lie beside the configuration. The
// token itself is shown once, when it is drawn, and kept by whoever uses it.
//
// The package reads no file and compares nothing with the time it takes.
package token
