package control

import "errors"

// ErrUnreachable says that no daemon answers where it should.
var ErrUnreachable = errors.New("daemon not reachable")
