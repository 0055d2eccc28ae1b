package control

import "errors"

// ErrUnreachable: no daemon answers where it should.
var ErrUnreachable = errors.New("daemon not reachable")
