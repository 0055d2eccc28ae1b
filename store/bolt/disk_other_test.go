//go:build !linux

package bolt_test

import "errors"

// fillDisk needs a limit of file sizes that ends a write with an error.
func fillDisk(string) error { return errors.ErrUnsupported }
