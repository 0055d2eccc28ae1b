//go:build crashpoints

package main

import (
	"fmt"
	"net/http"
	"os"
	"sync"

	"tenantsync/internal/crashpoint"
	"tenantsync/store"
)

// crasher is what the environment of this process asks for; see package crashpoint.
var crasher = sync.OnceValue(func() *crashpoint.Crasher {
	c, err := crashpoint.FromEnvironment(os.LookupEnv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitUsage)
	}
	return c
})

// stepsOf puts crash points around the commits of a state.
func stepsOf(s store.Store) store.Store { return crasher().Store(s) }

// requestsOf puts crash points around the requests of a client.
func requestsOf(t http.RoundTripper) http.RoundTripper { return crasher().Transport(t) }
